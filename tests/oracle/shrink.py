"""Makes a disagreement small: takes things out of raw answers while engine and oracle still differ in the same way."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, cast

from tests.oracle.compare import Harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.oracle.packet import Packet
    from tests.oracle.records import Answers, Json

__all__ = ["shrunk", "told"]

_Trail = tuple[object, ...]

_KEPT = {
    "describe_egress_only_internet_gateways",
    "describe_internet_gateways",
    "describe_managed_prefix_lists",
    "describe_nat_gateways",
    "describe_subnets",
    "describe_transit_gateway_route_tables",
    "describe_transit_gateways",
    "describe_vpcs",
}
"""What the rest lies in: taken away in parts it would make estates that there cannot be."""

_NEEDED = ("'local'", "'Entries'", "'nat_gateway'")
"""No VPC lacks its local routes, no subnet its network ACL, no NAT gateway its interface."""


def shrunk(answers: Answers, packet: Packet) -> Answers:
    """Return the least answers found, in which engine and oracle still differ about the packet for the same reason."""
    first = next(Harness(answers).disagreements([packet]))

    def fails(candidate: Answers) -> bool:
        try:
            harness = Harness(candidate)
            found = [
                each
                for each in harness.disagreements([packet])
                if (each.what, each.oracle) == (first.what, first.oracle)
            ]
        except (LookupError, RuntimeError, StopIteration, ValueError):
            return False
        # What refers to something that was taken away is an unknown, and no longer the same disagreement.
        return bool(found) and not harness.estate.gaps

    return _least(answers, fails)


def _least(answers: Answers, fails: Callable[[Answers], bool]) -> Answers:
    held = deepcopy(dict(answers))
    shorter = True
    while shorter:
        shorter = False
        shrinking = {place: answer for place, answer in held.items() if place[3] not in _KEPT}
        for trail in [*_lists(shrinking, ())]:
            items = _at(held, trail)
            place = len(items) - 1
            while place >= 0:
                taken = items.pop(place)
                text = str(taken)
                if not any(each in text for each in _NEEDED) and fails(held):
                    shorter = True
                else:
                    items.insert(place, taken)
                place -= 1
    return held


def _lists(value: object, trail: _Trail) -> Iterator[_Trail]:
    """Where the lists are, outer ones first."""
    if isinstance(value, dict):
        for key, inner in cast("dict[object, object]", value).items():
            yield from _lists(inner, (*trail, key))
    elif isinstance(value, list):
        yield trail
        for place, inner in enumerate(cast("list[object]", value)):
            yield from _lists(inner, (*trail, place))


def _at(value: object, trail: _Trail) -> list[object]:
    try:
        for step in trail:
            value = cast("Json", value)[cast("str", step)]
    except (LookupError, TypeError):
        return []
    return cast("list[object]", value) if isinstance(value, list) else []


def told(answers: Answers) -> str:
    """Write answers for people: one line for each resource that is left."""
    lines: list[str] = []
    for place, answer in answers.items():
        for key, items in cast("Json", answer).items():
            for item in cast("list[object]", items) if isinstance(items, list) else [items]:
                where = " ".join((*place[:2], *place[3:], key))
                lines.append(f"{where}: {json.dumps(item)}")
    return "\n".join(lines)
