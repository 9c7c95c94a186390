"""Networks that an estate leads to and that were not read: what passes there is known at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import provider_of, shown_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate

__all__ = ["unread_sides"]

_SHOWN: Final = 5
_SCOPES: Final = {"azure": "subscription", "gcp": "project"}


def unread_sides(estate: Estate) -> tuple[str, ...]:
    """Return for each network behind a peering or a transit gateway that it was not read, in words.

    Its own routes and rules are its account's to tell, so that nothing from or to it is certain.
    """
    found = list(dict.fromkeys(_unread(estate)))
    if len(found) <= _SHOWN:
        return tuple(found)
    more = f"{len(found) - _SHOWN:,} more networks behind peerings and transit gateways were not read"
    return (*found[:_SHOWN], more)


def _unread(estate: Estate) -> Iterator[str]:
    for _, peering in sorted(estate.peerings.items()):
        for network, addresses in zip(peering.networks, peering.ranges, strict=True):
            if peering.active and network not in estate.networks:
                where = f" ({addresses})" if addresses else ""
                yield _words(network, where, f"peering {peering.label}")
    for _, attachment in sorted(estate.transit_attachments.items()):
        attached = attachment.network
        if attachment.active and attached is not None and attached not in estate.networks:
            yield _words(attached, "", f"transit gateway {shown_id(attachment.gateway)}")


def _words(network: str, where: str, behind: str) -> str:
    text = f"{shown_id(network)}{where} behind the {behind} was not read"
    scope = _SCOPES.get(provider_of(network), "account")
    return f"{text}: what passes from it or to it is told at most; read its {scope} as well"
