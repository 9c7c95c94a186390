"""Which parts of each subscription were read: in full, in part, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.providers.azure.operations import OPERATIONS, children_of, resources_of
from cloudseg.providers.coverage import ReadParts, gaps_of, unused
from cloudseg.snapshot import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Coverage, Gap
    from cloudseg.providers.azure.operations import Operation
    from cloudseg.snapshot import Snapshot

__all__ = ["FACETS", "coverage_of", "not_used", "scopes_of", "unread"]

_TABLE: Final = {operation.key: operation for operation in OPERATIONS}
# Addresses show up at what bears them, and names of zones only say more about endpoints.
_SUPPLEMENTARY: Final = frozenset(
    (
        ("network", "public_ip_prefixes"),
        ("network", "express_route_circuits"),
        ("privatedns", "private_dns_zones"),
        ("privatedns", "virtual_network_links"),
    )
)
# It lists no service, and may decide who gets to one.
_DECIDING: Final[tuple[str, str]] = ("network", "network_security_perimeters")
_PARTS: Final = ReadParts(PROVIDER, OPERATIONS, _SUPPLEMENTARY, (_DECIDING,))
FACETS: Final = _PARTS.facets
"""The parts of an estate that are read of Azure."""


def scopes_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the subscriptions that a snapshot speaks of, sorted."""
    return _PARTS.scopes(snapshot)


def unread(snapshot: Snapshot) -> list[Gap]:
    """Return what the collector could not read, with the parts of the estate that it leaves open."""
    return gaps_of(snapshot, PROVIDER, {operation.key: operation.facets for operation in OPERATIONS})


def not_used(snapshot: Snapshot, asked: set[tuple[str, str]]) -> list[str]:
    """Return a note for each kind of answer that nothing here reads."""
    return unused(snapshot, PROVIDER, asked | _TABLE.keys())


def coverage_of(snapshot: Snapshot, scopes: Sequence[str], gaps: Iterable[Gap]) -> Coverage:
    """Return how completely each part of each subscription was read."""
    return _PARTS.coverage(snapshot, scopes, gaps, _unasked(snapshot))


def _unasked(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    """Return the parts of subscriptions of which something is listed about which no answer is there, and what."""
    found: dict[tuple[str, str], str] = {}
    for part in snapshot.parts():
        parent = _TABLE.get((part.service, part.operation)) if part.provider == PROVIDER else None
        for child in children_of(parent) if parent is not None else ():
            missing = _missing(snapshot, part, child)
            for facet in child.facets if missing else ():
                found.setdefault((part.scope, facet), missing)
    return found


def _missing(snapshot: Snapshot, part: Part, child: Operation) -> str:
    """Return what is not there of an operation that is asked about what another lists, in words; empty for nothing."""
    if child.per is None:
        return ""
    whole = Part(PROVIDER, part.scope, part.region, child.service, child.name, None)
    if whole in snapshot:
        return ""
    for resource in resources_of(snapshot.read(part), child.per):
        if Part(PROVIDER, part.scope, part.region, child.service, child.name, resource) not in snapshot:
            # Any location tells the same tags.
            told = child.per.location and any(
                (each.scope, each.service, each.operation) == (part.scope, child.service, child.name)
                for each in snapshot.parts()
            )
            return "" if told else f"{child.service}.{child.name} of {resource} is not in the snapshot"
    return ""
