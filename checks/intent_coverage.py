"""How much of what the intent allows is really carried: for every two segments, how many of their pairs carry it.

What certainly passes counts as carried. Where one end is outside of the estate, a pair is an interface with all of the
outside addresses of the families in which it has an address itself.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.checks.coverage_tally import UNSURE, Tally
from cloudseg.checks.parts import Parts, Units
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.parts import Indexes
    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Interface
    from cloudseg.reach.pairs.rows import Band, Rows
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Coverage", "Uncarried", "coverage_of"]

_INSIDE, _INWARD, _OUTWARD = "inside", "inward", "outward"
"""Between interfaces, from outside to interfaces, from interfaces to the outside."""


class Uncarried(NamedTuple):
    """Two ends between which not all that is intended is carried, and what of it is not.

    Attributes:
        source: qualified id of an interface, or outside addresses.
        target: the same.
        missing: what is not carried.
        certain: that is certain.
    """

    source: str | AddressSet
    target: str | AddressSet
    missing: Traffic
    certain: bool


class Coverage(NamedTuple):
    """How much of what one segment may open to another is carried.

    Attributes:
        source: the segment that may open it.
        target: the segment to which it may.
        outside: one end is outside of the estate, and pairs are interfaces.
        intended: what it may open.
        pairs: all pairs.
        whole: those that certainly carry all of it.
        partly: those that certainly carry some of it.
        shown: a pair that does not carry all of it, one that certainly carries nothing where there is one; None where
            every pair carries all of it.
        members: qualified ids of the interfaces of the target; of the source, where the target is outside.
    """

    source: str
    target: str
    outside: bool
    intended: Traffic
    pairs: int
    whole: int
    partly: int
    shown: Uncarried | None
    members: tuple[str, ...]


def coverage_of(reach: Reachability, matrix: IntentMatrix) -> Iterator[Coverage]:
    """Yield how much is carried, for every two segments of which one may open something to the other.

    A segment may have interfaces and stand for outside addresses; these are told apart.

    Args:
        reach: reachability of the estate.
        matrix: what segments may open to each other on the day.
    """
    yield from _Search(reach, matrix).found()


class _Far(NamedTuple):
    """The units at the far end of an allowance: interfaces, and outside addresses of either family."""

    inside: Indexes
    four: Indexes
    six: Indexes

    @property
    def families(self) -> tuple[Indexes, Indexes]:
        """The outside addresses, IPv4 first."""
        return self.four, self.six

    def outside(self, interface: Interface) -> Indexes:
        """Return the outside addresses of the families in which an interface has an address; else all of them."""
        own = interface.addresses | interface.public
        chosen = [far for far, has in ((self.four, own.v4), (self.six, own.v6)) if has and len(far)]
        return np.concatenate(chosen or self.families)


class _Search:
    """Goes through the interfaces of every segment that an allowance names, and looks at all far ends in one go."""

    def __init__(self, reach: Reachability, matrix: IntentMatrix) -> None:
        self._reach = reach
        self._pairs = {(source, target): traffic for source, target, traffic in matrix.pairs()}
        segments = matrix.segmentation
        numbers: dict[tuple[str, ...], int] = {}
        of = {
            name: numbers.setdefault(segments.segments_of(name), len(numbers))
            for name, interface in sorted(reach.estate.interfaces.items())
            if not only_passes_on(interface)
        }
        everywhere = NO_ADDRESSES
        for addresses in segments.outside.values():
            everywhere |= addresses
        pieces = segments.split(everywhere)
        outside = tuple((piece.addresses, numbers.setdefault(piece.segments, len(numbers))) for piece in pieces)
        self._units = Units(reach, Parts(of, outside))
        self._segments_of = list(numbers)
        self._far: dict[str, _Far] = {}
        self._near: dict[tuple[int, bool], list[tuple[str, str]]] = {}
        self._tallies: dict[tuple[str, str, str], Tally] = {}
        atoms = reach.ground.atoms
        self._atoms = [atoms.traffic(1 << number) for number in range(atoms.count)]

    def found(self) -> Iterator[Coverage]:
        """Yield what was found."""
        units = self._units
        by_place: defaultdict[int, list[int]] = defaultdict(list)
        for number in range(units.inside):
            by_place[units.all[number].place].append(number)
        for place in self._reach.matrix.order():
            near = [unit for unit in by_place[place] if self._allowances(unit, inward=True)]
            if near:
                arrivals = self._reach.arrivals_in_turn(place)
                # Clients whose addresses a load balancer keeps are who opens connections to its targets.
                outside = self._reach.with_forwarded(place, arrivals.outside)
                lower, upper = self._rows(arrivals.inside, outside)
                for unit in near:
                    self._take(unit, lower, upper, inward=True)
        for place, own in by_place.items():
            near = [unit for unit in own if self._allowances(unit, inward=False)]
            if near:
                lower, upper = self._rows(None, self._reach.matrix.departures(place))
                for unit in near:
                    self._take(unit, lower, upper, inward=False)
        for (source, target), intended in self._pairs.items():
            for kind in (_INSIDE, _INWARD, _OUTWARD):
                tally = self._tallies.get((source, target, kind))
                if tally is not None and tally.pairs:
                    yield self._coverage(source, target, kind, intended, tally)

    def _coverage(self, source: str, target: str, kind: str, intended: Traffic, tally: Tally) -> Coverage:
        shown: Uncarried | None = None
        if tally.shown is not None:
            missing = self._reach.ground.atoms.from_words(tally.shown.words.tolist()) & intended
            near, far = tally.shown.near, tally.shown.far
            certain = tally.shown.grade < UNSURE
            outward = kind == _OUTWARD
            shown = Uncarried(near if outward else far, far if outward else near, missing, certain)
        counts = (tally.pairs, tally.whole, tally.partly)
        return Coverage(source, target, kind != _INSIDE, intended, *counts, shown, tuple(sorted(tally.members)))

    def _allowances(self, unit: int, *, inward: bool) -> list[tuple[str, str]]:
        """Return the segments of allowances whose near end a unit is; only those to the outside, if not inward."""
        part = self._units.all[unit].part
        known = self._near.get((part, inward))
        if known is None:
            own = self._segments_of[part]
            known = [pair for pair in self._pairs if pair[inward] in own]
            if not inward:
                known = [pair for pair in known if any(map(len, self._of(pair[1]).families))]
            self._near[part, inward] = known
        return known

    def _take(self, unit: int, lower: Rows, upper: Rows, *, inward: bool) -> None:
        interface = self._reach.estate.interfaces[self._units.all[unit].members[0]]
        for source, target in self._allowances(unit, inward=inward):
            far = self._of(source if inward else target)
            if inward and len(far.inside):
                self._tally(source, target, _INSIDE).take_inside(unit, far.inside, lower, upper)
            outside = far.outside(interface)
            if len(outside):
                kind = _INWARD if inward else _OUTWARD
                self._tally(source, target, kind).take_outside(unit, outside, lower, upper)

    def _tally(self, source: str, target: str, kind: str) -> Tally:
        known = self._tallies.get((source, target, kind))
        if known is None:
            intended = self._pairs[source, target]
            mask = sum(1 << number for number, atom in enumerate(self._atoms) if atom.overlaps(intended))
            known = Tally(self._reach.ground.atoms.words(mask), self._units)
            self._tallies[source, target, kind] = known
        return known

    def _of(self, segment: str) -> _Far:
        known = self._far.get(segment)
        if known is None:
            units = self._units
            own = [number for number, unit in enumerate(units.all) if segment in self._segments_of[unit.part]]
            four = [number for number in own if units.all[number].addresses.v4]
            six = [number for number in own if units.all[number].addresses.v6]
            inside = [number for number in own if units.all[number].members]
            known = self._far[segment] = _Far(_indexes(inside), _indexes(four), _indexes(six))
        return known

    def _rows(self, inside: Band | None, outside: Band) -> tuple[Rows, Rows]:
        found: list[Rows] = []
        for certain in (True, False):
            there = outside.bound(certain=certain)
            nobody = np.zeros((there.shape[0], len(self._reach.classes)), dtype=np.uint64)
            here = nobody if inside is None else inside.bound(certain=certain)
            found.append(np.concatenate((here, there), axis=1)[:, self._units.place])
        return found[0], found[1]


def _indexes(numbers: Sequence[int]) -> Indexes:
    return np.array(numbers, dtype=np.intp)
