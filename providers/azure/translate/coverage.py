"""Which parts of each subscription were read: in full, in part, or not at all."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.model import Coverage, Gap, Reading
from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.providers.azure.operations import OPERATIONS, children_of, resources_of
from cloudseg.snapshot import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.providers.azure.operations import Operation
    from cloudseg.snapshot import Snapshot

__all__ = ["FACETS", "coverage_of", "scopes_of", "unread", "unused"]

_REGION: Final = "global"
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
FACETS: Final = tuple(sorted({facet for operation in OPERATIONS for facet in operation.facets}))
"""The parts of an estate that are read of Azure."""


def scopes_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the subscriptions that a snapshot speaks of, sorted."""
    found = {part.scope for part in snapshot.parts() if part.provider == PROVIDER}
    found |= {gap.scope for gap in snapshot.gaps if gap.provider == PROVIDER}
    return tuple(sorted(found | {scope.scope for scope in snapshot.scopes if scope.provider == PROVIDER}))


def unread(snapshot: Snapshot) -> list[Gap]:
    """Return what the collector could not read, with the parts of the estate that it leaves open."""
    found: list[Gap] = []
    for gap in snapshot.gaps:
        if gap.provider == PROVIDER:
            known = _TABLE.get((gap.service, gap.operation))
            what, facets = f"{gap.service}.{gap.operation}", () if known is None else known.facets
            found.append(Gap(PROVIDER, gap.scope, gap.region, what, gap.resource or "", gap.reason, gap.detail, facets))
    return found


def unused(snapshot: Snapshot, asked: set[tuple[str, str]]) -> list[str]:
    """Return a note for each kind of answer that nothing here reads."""
    kinds = {(part.service, part.operation) for part in snapshot.parts() if part.provider == PROVIDER}
    return [f"{service}.{operation}: nothing reads this answer" for service, operation in kinds - asked - _TABLE.keys()]


def coverage_of(snapshot: Snapshot, scopes: Sequence[str], gaps: Iterable[Gap]) -> Coverage:
    """Return how completely each part of each subscription was read.

    A part is read in full when every operation that lists something of it has an answer, so has every operation that
    is asked about each of what is listed, and no gap concerns it.
    """
    answered: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for part in snapshot.parts():
        if part.provider == PROVIDER:
            answered[part.scope].add((part.service, part.operation))
    concerned: defaultdict[tuple[str, str], list[Gap]] = defaultdict(list)
    for gap in set(gaps):
        for facet in gap.facets:
            concerned[gap.scope, facet].append(gap)
    unasked = _unasked(snapshot)
    return Coverage(
        _reading(scope, facet, answered[scope], sorted(concerned[scope, facet]), unasked.get((scope, facet), ""))
        for scope in scopes
        for facet in FACETS
    )


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


def _reading(scope: str, facet: str, answered: set[tuple[str, str]], gaps: list[Gap], unasked: str) -> Reading:
    keys = [operation.key for operation in OPERATIONS if operation.per is None and facet in operation.facets]
    if not keys:
        # What is asked about each network was asked where these were listed.
        keys = [operation.per.of for operation in OPERATIONS if operation.per is not None and facet in operation.facets]
    essential = [key for key in keys if key not in _SUPPLEMENTARY] or keys
    missing = [key for key in essential if key not in answered]
    reason = _reason(missing, gaps) or unasked
    if len(missing) == len(essential):
        return Reading(PROVIDER, scope, _REGION, facet, "unread", reason)
    return Reading(PROVIDER, scope, _REGION, facet, "partly" if reason else "read", reason)


def _reason(missing: list[tuple[str, str]], gaps: list[Gap]) -> str:
    if gaps:
        more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        return f"{gaps[0].what}: {gaps[0].reason}{more}"
    return "" if not missing else f"{'.'.join(missing[0])} is not in the snapshot"
