"""Planted faults of the engine, each in a process of its own: ``python -m tests.oracle.mutants NAME``.

Prints the first disagreement that the fault leads to, and nothing where the harness misses it. Caches live as long as
a process does, so that a fault never outlives its own.
"""

from __future__ import annotations

import sys
from random import Random
from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np

import cloudseg.reach.packets
import cloudseg.reach.reachability
import cloudseg.reach.roads.routing
from cloudseg.model import Addresses
from cloudseg.reach.pairs.crossings import Crossings
from cloudseg.reach.pairs.replies import Replies
from cloudseg.reach.pairs.survey import Remote, Survey
from cloudseg.traffic import AddressSet, IntervalSet
from tests.oracle.compare import Harness, estate_of
from tests.oracle.estates import raw_estate
from tests.oracle.packets import draw_packet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cloudseg.model import Estate, RouteTable

__all__ = ["MUTANTS", "SEEDS", "first_disagreement", "put"]

SEEDS = (81, 92, 200, 151, 44)
"""Estates that have, between them, whatever a fault needs to show."""

_DRAWS = 150


def put(owner: object, name: str, changed: Callable[[Callable[..., object]], Callable[..., object]]) -> None:
    """Replace a function that has to be there; a fault in one that is gone would prove nothing."""
    original = cast("Callable[..., object]", getattr(owner, name))
    setattr(owner, name, changed(original))


def _flipped_comparison() -> None:
    """Intervals that share one number no longer meet."""

    def of(one: IntervalSet, other: IntervalSet) -> IntervalSet:
        pairs = [(max(a, c), min(b, d)) for a, b in one.intervals for c, d in other.intervals]
        return IntervalSet(tuple(pair for pair in pairs if pair[0] < pair[1]))

    put(IntervalSet, "__and__", lambda _: of)


def _skipped(*, stateful: bool, direction: str) -> None:
    """A stage is not asked in one direction."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def judgement(survey: object, stage: object, judges: object, towards: str, asked: object) -> object:
            if getattr(stage, "stateful") is stateful and towards == direction:  # noqa: B009 - any stage
                return None
            return original(survey, stage, judges, towards, asked)

        return judgement

    put(Survey, "_judgement", changed)


def _lost_family() -> None:
    """Rules lose their IPv6 ranges."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def remote(survey: object, peers: object, meaning: object) -> Remote:
            found = cast("Remote", original(survey, peers, meaning))
            return found._replace(least=AddressSet(found.least.v4), most=AddressSet(found.most.v4))

        return remote

    put(Survey, "_remote", changed)


def _ordered(pick: Callable[[list[object]], list[object]]) -> None:
    """The entries of a network ACL are evaluated as ``pick`` leaves them."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def first(stage: object, rules: list[object], boxes: object, estate: object, *, certain: bool) -> object:
            return original(stage, pick(rules), boxes, estate, certain=certain)

        return first

    put(cloudseg.reach.packets, "_first_match", changed)


def _allows(rules: list[object]) -> list[object]:
    return [rule for rule in rules if getattr(rule, "allows")]  # noqa: B009 - any rule


def _reversed(rules: list[object]) -> list[object]:
    return rules[::-1]


def _swapped_directions() -> None:
    """Network ACLs are asked inwards for what goes out, and the other way round."""
    opposite = {"ingress": "egress", "egress": "ingress"}

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def pass_stage(stage: object, judges: object, direction: str, boxes: object, estate: object) -> object:
            return original(stage, judges, opposite[direction], boxes, estate)

        return pass_stage

    put(sys.modules["cloudseg.reach.pairs.survey"], "pass_stage", changed)


def _ignored_replies() -> None:
    """Whatever gets there is answered."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def answered(*arguments: object, **named: object) -> object:
            found = cast("np.ndarray[tuple[int, ...], np.dtype[np.uint64]]", original(*arguments, **named))
            return np.full_like(found, np.iinfo(np.uint64).max)

        return answered

    put(Replies, "answered", changed)


def _ignored_crossings() -> None:
    """The boundaries of subnets on the way, those of gateways, stop nothing."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def masks(*arguments: object, **named: object) -> object:
            found = cast("tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint64]], ...]", original(*arguments, **named))
            return tuple(np.full_like(each, np.iinfo(np.uint64).max) for each in found)

        return masks

    put(Crossings, "masks", changed)


def _ignored_longest_prefix() -> None:
    """The first route that fits decides, however long its prefix."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def entries(table: RouteTable, estate: Estate) -> Iterator[tuple[int, int, int, AddressSet]]:
            found = cast("Iterator[tuple[int, int, int, AddressSet]]", original(table, estate))
            return ((0, 0, position, prefix) for _, _, position, prefix in found)

        return entries

    put(cloudseg.reach.roads.routing, "_entries", changed)


def _estates(change: Callable[[Estate], None]) -> None:
    """The engine takes no notice of something: it is the same everywhere."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def start(reach: object, estate: Estate, *arguments: object, **named: object) -> None:
            change(estate)
            original(reach, estate, *arguments, **named)

        return start

    put(cloudseg.reach.reachability.Reachability, "__init__", changed)


def _set(things: Mapping[str, object], **values: object) -> None:
    for each in things.values():
        for name, value in values.items():
            assert hasattr(each, name)
            msgspec.structs.force_setattr(cast("msgspec.Struct", each), name, value)


def _inactive_peerings_carry(estate: Estate) -> None:
    _set(estate.peerings, active=True)


def _inactive_attachments_carry(estate: Estate) -> None:
    _set(estate.transit_attachments, active=True)


def _groups_cross_every_gateway(estate: Estate) -> None:
    _set(estate.gateways, shares_groups=True)
    _set(estate.transit_attachments, shares_groups=True)


def _blackholes_are_no_routes(estate: Estate) -> None:
    for table in [*estate.route_tables.values(), *estate.transit_tables.values()]:
        kept = tuple(
            route
            for route in table.routes
            if route.active and (route.kind != "drop" or not isinstance(route.destination, Addresses))
        )
        msgspec.structs.force_setattr(table, "routes", kept)


MUTANTS: Mapping[str, Callable[[], None]] = {
    "a flipped comparison in the intersection of intervals": _flipped_comparison,
    "skipped network ACLs inwards": lambda: _skipped(stateful=False, direction="ingress"),
    "skipped network ACLs outwards": lambda: _skipped(stateful=False, direction="egress"),
    "skipped groups inwards": lambda: _skipped(stateful=True, direction="ingress"),
    "skipped groups outwards": lambda: _skipped(stateful=True, direction="egress"),
    "a lost family": _lost_family,
    "ignored denials": lambda: _ordered(_allows),
    "entries in the wrong order": lambda: _ordered(_reversed),
    "swapped directions": _swapped_directions,
    "ignored replies": _ignored_replies,
    "ignored boundaries on the way": _ignored_crossings,
    "ignored longest prefix": _ignored_longest_prefix,
    "peerings that are not active": lambda: _estates(_inactive_peerings_carry),
    "attachments that are not active": lambda: _estates(_inactive_attachments_carry),
    "groups over every transit gateway": lambda: _estates(_groups_cross_every_gateway),
    "blackholes that are passed over": lambda: _estates(_blackholes_are_no_routes),
    "none": lambda: None,
}


def first_disagreement() -> str:
    """Compare engine and oracle until they differ; empty where they never do."""
    for seed in SEEDS:
        raw, random = raw_estate(seed), Random(seed)
        engine = cloudseg.reach.reachability.Reachability(estate_of(raw.answers))
        harness = Harness(raw.answers, engine)
        for found in harness.disagreements(draw_packet(random, raw, harness.read) for _ in range(_DRAWS)):
            return f"seed {seed}: {found}"
    return ""


if __name__ == "__main__":
    MUTANTS[sys.argv[1]]()
    sys.stdout.write(first_disagreement())
