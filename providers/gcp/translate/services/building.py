"""From a resource of Google Cloud to a managed service of the model: what every family fills in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model import Service, qualified
from cloudseg.providers.gcp.ids import PROVIDER, region_of, scope_name, tail_of
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["Access", "Asset", "admitted", "closed", "network_of", "service", "shown"]


class Asset(msgspec.Struct, kw_only=True, rename="camel"):
    """What every asset of the inventory has beside the resource itself."""

    name: str = ""
    asset_name: str = ""
    asset_type: str = ""
    self_link: str = ""
    labels: dict[str, object] | None = None

    def own(self, service: str) -> str:
        """Return the resource's own id, below its service: names of two services may be alike."""
        tail = tail_of(self.asset_name or self.self_link or self.name)
        head, _, rest = tail.partition("/")
        below = rest.partition("/")[2] if head == "projects" else tail
        return f"{service}/{below}"


class Access(NamedTuple):
    """Who may address a service, by its own settings.

    Attributes:
        public: the internet may; None where that could not be read.
        sources: the addresses that are admitted.
        any_tenant: every customer of the cloud is.
        reason: the settings that decide, in words.
    """

    public: bool | None
    sources: AddressSet = ALL_ADDRESSES
    any_tenant: bool = False
    reason: str = ""


def closed(reason: str) -> Access:
    """Return the access to a service that has no public end."""
    return Access(public=False, sources=NO_ADDRESSES, reason=reason)


def admitted(
    answers: Answers, what: str, own: str, texts: Iterable[str], facet: str, *, words: str, any_tenant: bool = False
) -> Access:
    """Return the access to a public end that admits a list of ranges.

    Args:
        answers: where a range that cannot be read becomes a gap.
        what: the operation of the answer.
        own: what the ranges are of.
        texts: the ranges.
        facet: the part of the estate that a malformed range leaves open.
        words: what the list is called.
        any_tenant: every customer of the cloud is admitted besides.
    """
    wanted = tuple(text for text in texts if text)
    sources = answers.addresses(what, own, wanted, facet)
    listed = ", ".join(wanted)
    if not answers.readable(wanted):
        return Access(public=None, any_tenant=any_tenant, reason=f"{words}: {listed}, of which not all can be read")
    reason = f"{words}: {listed}" if listed else f"{words}: none"
    return Access(public=bool(sources) or any_tenant, sources=sources, any_tenant=any_tenant, reason=reason)


def network_of(draft: Draft, link: str | None, project: str) -> str | None:
    """Return the network that a service names, by its link, or by its name alone in its own project."""
    if not link:
        return None
    return draft.named(link if "/" in link else f"projects/{project}/global/networks/{link}", project)


def shown(**settings: object) -> dict[str, str]:
    """Return settings as Google Cloud spells them; those that were not read are left out."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}
    return {name: text for name, text in texts.items() if settings[name] is not None and text}


def service(  # noqa: PLR0913 - all but five are optional and go by keyword
    answers: Answers,
    asset: Asset,
    folder: str,
    family: str,
    kind: str,
    access: Access,
    *,
    name: str = "",
    place: str = "",
    tags: dict[str, object] | None = None,
    anonymous: bool | None = False,
    any_account: bool = False,
    settings: dict[str, str] | None = None,
    control_plane: bool = False,
    network: str | None = None,
    subnets: Iterable[str] = (),
) -> Service:
    """Return a managed service; callers show credentials unless told otherwise."""
    own = asset.own(folder)
    labels = asset.labels if tags is None else tags
    return Service(
        id=qualified(PROVIDER, scope_name(answers.scope), own),
        kind=kind,
        name=name or own.rpartition("/")[2],
        region=region_of(place or asset.asset_name or asset.self_link or (asset.name if "/" in asset.name else "")),
        tags={key: value for key, value in (labels or {}).items() if isinstance(value, str)},
        service=family,
        public=access.public,
        sources=access.sources,
        any_tenant=access.any_tenant,
        anonymous=anonymous,
        any_account=any_account and anonymous is not True,
        reason=access.reason,
        settings=settings or {},
        control_plane=control_plane,
        network=network,
        subnets=frozenset(subnets),
    )
