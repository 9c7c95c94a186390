"""Which parts of each account and region were read: in full, in part, or not at all."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, cast

from cloudseg.model import Coverage, Reading
from cloudseg.providers.aws.operations import OPERATIONS, children_of, items_of
from cloudseg.providers.aws.translate.answers import PROVIDER
from cloudseg.providers.coverage import gaps_of, reason_of, unused
from cloudseg.snapshot import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Gap
    from cloudseg.providers.aws.operations import Json, Operation
    from cloudseg.snapshot import Snapshot

__all__ = ["coverage_of", "not_used", "places_of", "unread"]

_GLOBAL = "global"
_TABLE = {(operation.service, operation.name): operation for operation in OPERATIONS}
# Interfaces show their elastic addresses themselves, rules are whole without the ids that AWS gives them, and
# endpoints are known without what their services support. Without the ends of tunnels what lies behind a private
# gateway is a place outside.
_SUPPLEMENTARY = frozenset(
    (
        ("ec2", "describe_addresses"),
        ("ec2", "describe_security_group_rules"),
        ("ec2", "describe_vpc_endpoint_services"),
        ("ec2", "describe_vpn_gateways"),
        ("ec2", "describe_vpn_connections"),
        ("ec2", "describe_customer_gateways"),
    )
)
_INTERFACES = ("ec2", "describe_network_interfaces")
_INSTANCES = ("ec2", "describe_instances")
# Of the classic ones nobody keeps the addresses of clients: without these, a way in may be missing.
_BALANCERS = ("elbv2", "describe_load_balancers")

Place = tuple[str, str]
"""An account and a region."""


def places_of(snapshot: Snapshot) -> tuple[Place, ...]:
    """Return the accounts and regions that a snapshot speaks of, sorted; ``global`` is a region of every account."""
    found = {(part.scope, part.region) for part in snapshot.parts() if part.provider == PROVIDER}
    found |= {(gap.scope, gap.region) for gap in snapshot.gaps if gap.provider == PROVIDER}
    for scope in snapshot.scopes:
        if scope.provider == PROVIDER:
            found |= {(scope.scope, region) for region in scope.regions}
    return tuple(sorted(found | {(account, _GLOBAL) for account, _ in found}))


def unread(snapshot: Snapshot) -> list[Gap]:
    """Return what the collector could not read, with the parts of the estate that it leaves open."""
    return gaps_of(snapshot, PROVIDER, {key: operation.facets for key, operation in _TABLE.items()})


def not_used(snapshot: Snapshot, asked: set[tuple[str, str]]) -> list[str]:
    """Return a note for each kind of answer that nothing here reads."""
    return unused(snapshot, PROVIDER, asked | _TABLE.keys())


def coverage_of(snapshot: Snapshot, places: Iterable[Place], gaps: Iterable[Gap]) -> Coverage:
    """Return how completely each part of each account and region was read.

    A part is read in full when every operation that lists something of it has an answer, so has every operation that
    is asked about each of what is listed, and no gap concerns it; gaps are those of the collector and those that the
    translation found.
    """
    answered: defaultdict[Place, set[tuple[str, str]]] = defaultdict(set)
    for part in snapshot.parts():
        if part.provider == PROVIDER:
            answered[part.scope, part.region].add((part.service, part.operation))
    concerned: defaultdict[tuple[str, str, str], list[Gap]] = defaultdict(list)
    for gap in set(gaps):
        for facet in gap.facets:
            concerned[gap.scope, gap.region, facet].append(gap)
    unasked = _unasked(snapshot)
    return Coverage(
        _reading(
            place, facet, operations, answered[place], concerned[(*place, facet)], unasked.get((*place, facet), "")
        )
        for place in places
        for facet, operations in _listing(place[1]).items()
    )


def _unasked(snapshot: Snapshot) -> dict[tuple[str, str, str], str]:
    """Return the parts of places of which something is listed about which no answer is there, and what that is."""
    found: dict[tuple[str, str, str], str] = {}
    for part in snapshot.parts():
        parent = _TABLE.get((part.service, part.operation)) if part.provider == PROVIDER else None
        for child in children_of(parent) if parent is not None else ():
            missing = next((about for about in _about(snapshot, part, child) if about not in snapshot), None)
            if missing is not None:
                of = f" of {missing.resource}" if missing.resource else ""
                reason = f"{child.service}.{child.name}{of} is not in the snapshot"
                for facet in child.facets:
                    found.setdefault((part.scope, part.region, facet), reason)
    return found


def _about(snapshot: Snapshot, part: Part, child: Operation) -> Iterator[Part]:
    """Yield the answers of an operation that are due for what another's answer lists."""
    per, answer = child.per, cast("Json", snapshot.read(part))
    if per is None:
        return
    items = items_of(answer, per)
    if per.batch and items:
        yield _answer(part, child, part.resource)
    elif not per.batch:
        for item in items:
            name = item.get(per.resource) if isinstance(item, dict) else item
            if isinstance(name, str) and name:
                yield _answer(part, child, name)


def _answer(parent: Part, child: Operation, resource: str | None) -> Part:
    return Part(PROVIDER, parent.scope, parent.region, child.service, child.name, resource)


def _reading(
    place: Place,
    facet: str,
    operations: tuple[Operation, ...],
    answered: set[tuple[str, str]],
    gaps: list[Gap],
    unasked: str,
) -> Reading:
    scope, region = place
    keys = [(operation.service, operation.name) for operation in operations]
    essential = [key for key in keys if key not in _SUPPLEMENTARY] or keys
    missing = [key for key in essential if key not in answered]
    reason = reason_of(missing, gaps) or unasked
    if facet == "interfaces" and _INTERFACES in missing and _INSTANCES in answered:
        return Reading(PROVIDER, scope, region, facet, "partly", "only the interfaces that instances show were read")
    if len(missing) == len(essential) or _BALANCERS in missing:
        return Reading(PROVIDER, scope, region, facet, "unread", reason)
    return Reading(PROVIDER, scope, region, facet, "partly" if reason else "read", reason)


def _listing(region: str) -> dict[str, tuple[Operation, ...]]:
    """Return the operations that list something, by facet, as far as they are asked in the region.

    What is asked once for an account lies in ``global``, wherever the service has its home.
    """
    found: dict[str, tuple[Operation, ...]] = {}
    for operation in OPERATIONS:
        if operation.per is not None or (operation.region == "regional") == (region == _GLOBAL):
            continue
        for facet in operation.facets:
            found[facet] = (*found.get(facet, ()), operation)
    return found
