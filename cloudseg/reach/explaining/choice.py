"""Which of all ways between two ends is explained: the one that lets most through."""

from __future__ import annotations

from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.explaining.ends import size
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.reach.explaining.search import Ways
    from cloudseg.reach.explaining.walk import Walk
    from cloudseg.reach.reachability import Verdict

__all__ = ["Found", "best_of"]

_ENOUGH = 8
"""Once so many are looked at, one that lets as much through as the ends do is the last."""
_PAIRS = 16
"""So many pairs of addresses are looked at until one lets as much through as the interfaces do."""
_BLOCKED = 4
"""So many, where nothing passes between any."""


class Found(NamedTuple):
    """The way that is explained.

    Attributes:
        walk: the way.
        again: walks the same way for other traffic.
        looked: the ways that were looked at.
        every: these are all ways.
        complete: they are, or so many that they let as much through as the ends do.
    """

    walk: Walk
    again: Callable[[Traffic], Walk]
    looked: tuple[Walk, ...]
    every: bool
    complete: bool

    @property
    def lower(self) -> Traffic:
        """What the ways that were looked at certainly let through."""
        return reduce(Traffic.__or__, (walk.lower for walk in self.looked))

    @property
    def upper(self) -> Traffic:
        """What they let through at most."""
        return reduce(Traffic.__or__, (walk.upper for walk in self.looked))


def best_of(ways: Ways, traffic: Traffic, verdict: Verdict) -> Found | None:
    """Return the way that lets most through; of those that let nothing through the one that fewest steps stop.

    The first of equals counts. None where there is no way to look at.

    Args:
        ways: what walks them.
        traffic: what is asked about.
        verdict: what the ends let through of it; once ways reach that, no other direct one is looked at.
    """
    found: list[tuple[Walk, Callable[[Traffic], Walk]]] = []
    reached = False
    for number, way in enumerate(islice(ways.direct, _PAIRS if verdict.upper else _BLOCKED), 1):
        found += _walked(way, traffic)
        reached = bool(verdict.upper) and verdict.lower <= _lower(found) and verdict.upper <= _upper(found)
        if reached and number >= _ENOUGH:
            break
    every = next(ways.direct, None) is None
    if verdict.upper:
        # Where nothing passes, ways over the internet are no better, and harder to follow.
        for way in ways.around:
            found += _walked(way, traffic)
    if not found:
        return None
    walk, again = max(found, key=lambda pair: _rank(pair[0]))
    return Found(walk, again, tuple(walk for walk, _ in found), every, every or reached)


def _walked(way: Callable[[Traffic], list[Walk]], traffic: Traffic) -> list[tuple[Walk, Callable[[Traffic], Walk]]]:
    return [(walk, _again(way, number)) for number, walk in enumerate(way(traffic))]


def _again(way: Callable[[Traffic], list[Walk]], number: int) -> Callable[[Traffic], Walk]:
    return lambda traffic: way(traffic)[number]


def _rank(walk: Walk) -> tuple[int, int, int, int]:
    # That an end has no address of the other family is the least that a reader wants to know.
    spoken = sum(link.kind == "stage" for link in walk.links) > 0
    return size(walk.lower), size(walk.upper), int(spoken), -sum(not link.upper for link in walk.links)


def _lower(found: list[tuple[Walk, Callable[[Traffic], Walk]]]) -> Traffic:
    return reduce(Traffic.__or__, (walk.lower for walk, _ in found), Traffic())


def _upper(found: list[tuple[Walk, Callable[[Traffic], Walk]]]) -> Traffic:
    return reduce(Traffic.__or__, (walk.upper for walk, _ in found), Traffic())
