"""Cloud Asset Inventory: resources of many services, projects and of an organisation itself, in a few questions.

Source: https://cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, cast

from google.api_core.exceptions import BadRequest

from cloudseg.providers.gcp.calls import Pages, pages_of
from cloudseg.providers.gcp.clients import Clients
from cloudseg.providers.gcp.failures import FAILURES, MalformedAnswerError
from cloudseg.providers.gcp.operations import OPERATIONS, WITNESS, Assets, Content, Operation
from cloudseg.providers.gcp.secrets import open_bindings, without_people, without_secrets
from cloudseg.providers.gcp.subjects import Resource
from cloudseg.providers.redaction import Json

__all__ = ["PROJECT", "Found", "Question", "list_assets", "owners_of", "questions", "resource_of"]

PROJECT: Final = "cloudresourcemanager.googleapis.com/Project"
_MOST_ON_PAGE: Final = 1000


class Question(NamedTuple):
    """One question to the inventory.

    Attributes:
        content: what is to be told of each asset.
        types: the types of assets; none for access policies, which the content alone asks for.
        operations: those whose answers are among it.
    """

    content: Content
    types: tuple[str, ...]
    operations: tuple[Operation, ...]


class Found(NamedTuple):
    """The assets that the inventory holds, and why it does not tell those of some types."""

    assets: list[Resource]
    failed: dict[str, Exception]


def questions(*, organization: bool) -> list[Question]:
    """Return what is asked about a project or a folder, or about an organisation, which has access policies."""
    by_batch: dict[tuple[str, Content], list[Operation]] = {}
    for operation in OPERATIONS:
        asked = operation.asked
        if isinstance(asked, Assets) and (organization or asked.content != "ACCESS_POLICY"):
            by_batch.setdefault((asked.batch, asked.content), []).append(operation)
    return [
        Question(content, () if content == "ACCESS_POLICY" else _types(batch, operations), tuple(operations))
        for (batch, content), operations in by_batch.items()
    ]


def _types(batch: str, operations: Iterable[Operation]) -> tuple[str, ...]:
    asked = (operation.asked for operation in operations)
    types = [kind for each in asked if isinstance(each, Assets) for kind in each.types]
    return tuple(dict.fromkeys([*types, *(WITNESS.types if batch == WITNESS.batch else ())]))


def list_assets(
    clients: Clients, parent: str, content: Content, types: Sequence[str], wait: Callable[[], None]
) -> Found:
    """Return the assets below a project, a folder or an organisation.

    One type that the inventory does not take would spoil the whole question: types are then asked about one by one.

    Args:
        clients: as whom, and where.
        parent: ``projects/ID``, ``folders/NUMBER`` or ``organizations/NUMBER``.
        content: what is to be told of each asset.
        types: the types of assets; all without one.
        wait: called before each request.

    Raises:
        one of ``FAILURES``: nothing could be had, or a list not in full.
    """
    try:
        return Found(_listed(clients, parent, content, types, wait), {})
    except BadRequest:
        if len(types) < 2:
            raise
    assets: list[Resource] = []
    failed: dict[str, Exception] = {}
    for kind in types:
        try:
            assets += _listed(clients, parent, content, (kind,), wait)
        except FAILURES as error:
            failed[kind] = error
    return Found(assets, failed)


def _listed(
    clients: Clients, parent: str, content: Content, types: Sequence[str], wait: Callable[[], None]
) -> list[Resource]:
    request: dict[str, Json] = {
        "parent": parent, "content_type": content, "asset_types": list(types), "page_size": _MOST_ON_PAGE,
    }  # fmt: skip
    pages = Pages("list", "assets")
    method = cast("Callable[..., object]", getattr(clients.asset(), "list_assets"))  # noqa: B009 - of no known type
    pages_of(clients, method, request, pages, wait)
    return pages.items


def resource_of(asset: Resource, operation: Operation) -> Resource | None:
    """Return what is kept of an asset, for the operation that it answers; None where it answers another one.

    Raises:
        MalformedAnswerError: it does not hold what was asked for.
    """
    asked = operation.asked
    if not isinstance(asked, Assets):
        return None
    kind = asset.get("assetType")
    if asked.content == "ACCESS_POLICY":
        held = asset.get(asked.types[0])
    elif kind not in asked.types:
        return None
    elif asked.content == "IAM_POLICY":
        policy = asset.get("iamPolicy")
        return {**_named(asset), **open_bindings(policy)} if isinstance(policy, dict) else None
    else:
        resource = asset.get("resource")
        held = resource.get("data") if isinstance(resource, dict) else None
        if not isinstance(held, dict):
            raise MalformedAnswerError(f"{asset.get('name')} holds no resource")
    if not isinstance(held, dict):
        return None
    kept = without_secrets(held, frozenset(operation.redact))
    found = {**without_people(cast("Resource", kept)), **_named(asset)}
    return {**found, "assetAncestors": list(_texts(asset.get("ancestors")))} if kind == PROJECT else found


def _named(asset: Resource) -> Resource:
    return {"assetName": asset.get("name"), "assetType": asset.get("assetType")}


def owners_of(asset: Resource) -> list[str]:
    """Return what an asset belongs to, nearest first: ``projects/12``, ``folders/3``, ``organizations/4``."""
    return list(_texts(asset.get("ancestors")))


def _texts(value: Json) -> Iterable[str]:
    return (each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
