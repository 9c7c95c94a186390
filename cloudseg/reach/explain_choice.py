"""Which of all ways between two ends is explained: the one that lets most through."""

from __future__ import annotations

from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.explain_ends import size
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.reach.explain_search import Ways
    from cloudseg.reach.explain_walk import Walk
    from cloudseg.reach.reachability import Verdict

__all__ = ["Found", "best_of"]

_PAIRS = 16
"""So many pairs of addresses are looked at until one lets as much through as the interfaces do."""
_BLOCKED = 4
"""So many, where nothing passes between any."""
_AROUND = 4
"""So many addresses of the source are looked at for ways over the internet."""


class Found(NamedTuple):
    """The way that is explained.

    Attributes:
        walk: the way.
        again: walks the same way for other traffic.
        looked: the ways that were looked at.
        complete: these are all ways, or so many that they let as much through as the ends do.
    """

    walk: Walk
    again: Callable[[Traffic], Walk]
    looked: tuple[Walk, ...]
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
    for way in islice(ways.direct, _PAIRS if verdict.upper else _BLOCKED):
        found += _walked(way, traffic)
        reached = bool(verdict.upper) and verdict.lower <= _lower(found) and verdict.upper <= _upper(found)
        if reached:
            break
    complete = reached or next(ways.direct, None) is None
    if verdict.upper:
        # Where nothing passes, ways over the internet are no better, and harder to follow.
        for way in ways.around[:_AROUND]:
            found += _walked(way, traffic)
        complete = complete and (reached or len(ways.around) <= _AROUND)
    if not found:
        return None
    walk, again = max(found, key=lambda pair: _rank(pair[0]))
    return Found(walk, again, tuple(walk for walk, _ in found), complete)


def _walked(way: Callable[[Traffic], list[Walk]], traffic: Traffic) -> list[tuple[Walk, Callable[[Traffic], Walk]]]:
    return [(walk, _again(way, number)) for number, walk in enumerate(way(traffic))]


def _again(way: Callable[[Traffic], list[Walk]], number: int) -> Callable[[Traffic], Walk]:
    return lambda traffic: way(traffic)[number]


def _rank(walk: Walk) -> tuple[int, int, int]:
    return size(walk.lower), size(walk.upper), -sum(not link.upper for link in walk.links)


def _lower(found: list[tuple[Walk, Callable[[Traffic], Walk]]]) -> Traffic:
    return reduce(Traffic.__or__, (walk.lower for walk, _ in found), Traffic())


def _upper(found: list[tuple[Walk, Callable[[Traffic], Walk]]]) -> Traffic:
    return reduce(Traffic.__or__, (walk.upper for walk, _ in found), Traffic())
