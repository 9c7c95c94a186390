"""Lists, page by page.

A list is read in pages of one state of the cluster; where the server has forgotten that state (410), the list is
asked for anew, in one piece. Source:
https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloudseg.providers.kubernetes.client import JSON, AnswerError
from cloudseg.providers.kubernetes.listed import LISTED, NAMES_ONLY, NEVER
from cloudseg.providers.kubernetes.pruning import pruned

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.client import Client, Fields
    from cloudseg.providers.kubernetes.listed import Kind

__all__ = ["ROLE_FILE", "read_list", "read_object"]

ROLE_FILE: Final = "docs/kubernetes-role.yaml"
"""The role that grants what is asked for."""

_METADATA_ALONE: Final = f"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
_GONE: Final = 410
_STARTS: Final = 3


def read_list(client: Client, kind: Kind, page: int, namespace: str | None = None) -> Fields:
    """Return every object of a kind as a list object, without what is nobody's business.

    Args:
        client: whom to ask.
        kind: what to list.
        page: the number of objects in an answer.
        namespace: in which namespace; in all of them for None.

    Raises:
        AnswerError: the list cannot be had whole.
    """
    if (kind.group, kind.plural) in NEVER:
        raise AnswerError("skipped", f"{kind.plural} are never read")
    try:
        items = _whole(client, kind, page, kind.path if namespace is None else kind.path_in(namespace))
    except AnswerError as error:
        raise _with_way_out(error, kind) from error
    return {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "items": items}


def read_object(client: Client, kind: Kind, name: str) -> Fields:
    """Return one object of a kind that is in no namespace as a list object.

    Raises:
        AnswerError: it cannot be had.
    """
    item = _complete(client.get(f"{kind.path}/{name}"), kind)
    return {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "items": [item]}


def _whole(client: Client, kind: Kind, page: int, path: str) -> list[Fields]:
    parameters = {"limit": str(page)}
    for start in range(_STARTS):
        try:
            return _pages(client, kind, path, parameters)
        except AnswerError as error:
            if error.status != _GONE or start == _STARTS - 1:
                raise
        parameters = {}
    raise AssertionError


def _pages(client: Client, kind: Kind, path: str, parameters: dict[str, str]) -> list[Fields]:
    accept = _METADATA_ALONE if (kind.group, kind.plural) in NAMES_ONLY else JSON
    items: list[Fields] = []
    seen: set[str] = set()
    token = ""
    while True:
        further = {"continue": token} if token else {}
        answer = client.get(path, {**parameters, **further}, accept)
        listed = answer.get("items")
        # A list of nothing may be null, as Go writes it.
        if listed is None and str(answer.get("kind", "")).endswith("List"):
            listed = []
        if not isinstance(listed, list):
            raise AnswerError("malformed", f"the answer is {answer.get('kind', 'no object of Kubernetes')!r}, no list")
        items += [_complete(item, kind) for item in cast("list[object]", listed)]
        metadata = answer.get("metadata")
        following = cast("Fields", metadata).get("continue") if isinstance(metadata, dict) else None
        if not following:
            return items
        token = str(following)
        if token in seen:
            raise AnswerError("malformed", "the pages of the list go round in a circle")
        seen.add(token)


def _complete(item: object, kind: Kind) -> Fields:
    """Return an object with the kind that lists leave out, and without what is not to be kept.

    Raises:
        AnswerError: it is no object.
    """
    if not isinstance(item, dict):
        raise AnswerError("malformed", f"an item of the list is {type(item).__name__}, expected an object")
    return {**pruned(cast("Fields", item), kind.group, kind.kind), "apiVersion": kind.api_version, "kind": kind.kind}


def _with_way_out(error: AnswerError, kind: Kind) -> AnswerError:
    """Return an error that says which right is missing, where one is."""
    if error.status == 401:
        return AnswerError("denied", f"the server no longer takes the credentials; log in again ({error.detail})", 401)
    if error.status != 403:
        return error
    rule = f'apiGroups: ["{kind.group}"], resources: ["{kind.plural}"], verbs: ["list"]'
    known = f", as {ROLE_FILE} does" if kind.plural in LISTED.get(kind.group, ()) else ""
    return AnswerError("denied", f"grant {rule}{known}; {error.detail}", 403)
