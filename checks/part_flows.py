"""What passes between parts of an estate beyond what is meant to: counted, joined over traffic, shown by a pair each.

For each unit as the target all sources are looked at in one go; what is found is joined by the parts of both ends.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.checks.carriers import Carriers
from cloudseg.checks.parts import Units
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cloudseg.checks.carriers import Carrier
    from cloudseg.checks.parts import Flags, Parts, Unit, Weights
    from cloudseg.model import Direction
    from cloudseg.reach.pairs.rows import Band, Rows
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Pair", "PartFlow", "arriving", "leaving"]


class Pair(NamedTuple):
    """Two ends, each the qualified id of an interface or outside addresses, and what passes between them."""

    source: str | AddressSet
    target: str | AddressSet
    traffic: Traffic


class PartFlow(NamedTuple):
    """What passes from one part to another beyond what is meant to.

    Attributes:
        source: the part of those who open connections.
        target: the part of those who take them.
        addresses: the outside addresses that take part, where one of the ends is outside.
        pairs: ordered pairs of different interfaces between which something passes at most; where one end is outside,
            the interfaces at the other.
        certain: those of them between which something certainly passes.
        of: all that there are.
        lower: what certainly passes between some of them.
        upper: what passes at most.
        pair: one of them, a certain one where there is one, with what passes there.
        affected: qualified ids of the interfaces that are reached; of those that reach out, if the target is outside.
        carriers: rules that admit it, at the end of the interfaces that are reached, or reach out.
    """

    source: int
    target: int
    addresses: AddressSet
    pairs: int
    certain: int
    of: int
    lower: Traffic
    upper: Traffic
    pair: Pair
    affected: tuple[str, ...]
    carriers: tuple[Carrier, ...]


def arriving(reach: Reachability, parts: Parts, interest: Callable[[int], Mapping[int, Traffic]]) -> Iterator[PartFlow]:
    """Yield what arrives at interfaces, by target and source.

    Args:
        reach: reachability of the estate.
        parts: the parts.
        interest: returns for a part, as the target, the sources that are of interest, and what each may open: only
            what goes beyond that counts.
    """
    yield from _Search(reach, parts, "ingress").flows(interest)


def leaving(reach: Reachability, parts: Parts, interest: Callable[[int], Mapping[int, Traffic]]) -> Iterator[PartFlow]:
    """Yield what interfaces send to outside addresses, by source and target.

    Args:
        reach: reachability of the estate.
        parts: the parts.
        interest: returns for a part, as the source, the targets that are of interest, and what it may open to each.
    """
    yield from _Search(reach, parts, "egress").flows(interest)


class _Search:
    """Goes through the interfaces of every part as the near end, and tallies the far ends."""

    def __init__(self, reach: Reachability, parts: Parts, direction: Direction) -> None:
        self._reach = reach
        self._direction: Direction = direction
        self.units = Units(reach, parts)
        atoms = reach.ground.atoms
        self._atoms = [atoms.traffic(1 << number) for number in range(atoms.count)]
        self._left_out: dict[Traffic, NDArray[np.uint64]] = {}
        self._runs_of: defaultdict[int, list[int]] = defaultdict(list)
        for number, (part, _) in enumerate(self.units.ends):
            self._runs_of[part].append(number)
        self._carriers = Carriers(reach, self.units, direction)
        self._outside: Flags = np.array([outside for _, outside in self.units.ends], dtype=bool)
        self._order = {place: number for number, place in enumerate(reach.matrix.order())}

    def flows(self, interest: Callable[[int], Mapping[int, Traffic]]) -> Iterator[PartFlow]:
        units = self.units
        for number, (part, outside) in enumerate(units.ends):
            if outside:
                continue
            meant = interest(part)
            if not meant:
                continue
            run = units.run(number)
            tally = _Tally(self._reach, units, self._masks(meant), self._outside)
            near = range(run.start, run.stop)
            for unit in sorted(near, key=lambda unit: self._order[int(units.place[unit])]):
                self._look(unit, tally)
            yield from self._told(part, tally, meant)

    def _masks(self, meant: Mapping[int, Traffic]) -> NDArray[np.uint64]:
        """Return for each unit the atoms that count: none of a part that is of no interest."""
        ground = self._reach.ground
        kept: NDArray[np.uint64] = np.zeros((ground.atoms.width, len(self.units.all)), dtype=np.uint64)
        for part, allowed in meant.items():
            for number in self._runs_of.get(part, ()):
                kept[:, self.units.run(number)] = self._beyond(allowed)[:, None]
        return kept

    def _beyond(self, allowed: Traffic) -> NDArray[np.uint64]:
        """Return the atoms that are not allowed as a whole."""
        known = self._left_out.get(allowed)
        if known is None:
            atoms = self._reach.ground.atoms
            mask = sum(1 << number for number, atom in enumerate(self._atoms) if not atom <= allowed)
            known = self._left_out[allowed] = atoms.words(mask)
        return known

    def _look(self, unit: int, tally: _Tally) -> None:
        place = int(self.units.place[unit])
        if self._direction == "ingress":
            arrivals = self._reach.arrivals_in_turn(place)
            tally.take(unit, arrivals.inside, arrivals.outside, self._carriers.lists_of(unit))
        else:
            tally.take(unit, None, self._reach.matrix.departures(place), self._carriers.lists_of(unit))

    def _told(self, part: int, tally: _Tally, meant: Mapping[int, Traffic]) -> Iterator[PartFlow]:
        units, atoms = self.units, self._reach.ground.atoms
        inward = self._direction == "ingress"
        for number in np.flatnonzero(tally.pairs).tolist():
            other, outside = units.ends[number]
            upper = atoms.from_words(tally.upper[:, number].tolist()) - meant[other]
            lower = atoms.from_words(tally.lower[:, number].tolist()) - meant[other]
            of = units.sizes[part] * (1 if outside else units.sizes[other] - (other == part))
            near, far, words = tally.shown[number]
            traffic = atoms.from_words(words.tolist()) - meant[other]
            run = units.run(number)
            yield PartFlow(
                source=other if inward else part,
                target=part if inward else other,
                addresses=_joined(units.all[run], tally.any[run]) if outside else NO_ADDRESSES,
                pairs=int(tally.pairs[number]),
                certain=int(tally.certain[number]),
                of=of,
                lower=lower,
                upper=upper,
                pair=_pair(units.all[near], units.all[far], traffic, inward=inward),
                affected=tally.affected(number),
                carriers=self._carriers.most(tally.weights, run, upper, outside=outside),
            )


class _Tally:
    """What passes between the interfaces of one part and all units.

    Attributes:
        upper: by word and run, what passes at most beyond what is meant to.
        lower: what certainly does.
        pairs: by run, the pairs between which something passes at most.
        certain: those between which something certainly does.
        any: by unit, whether anything passes at most.
        shown: by run, a unit of the part, a unit of the run, and what passes between them; a certain one if possible.
        weights: by the lists that judge here, how many pairs with each unit pass anything.
    """

    def __init__(self, reach: Reachability, units: Units, counted: NDArray[np.uint64], outside: Flags) -> None:
        self._units = units
        self._counted = counted
        width, runs = counted.shape[0], len(units.runs)
        self._behind = len(reach.classes)
        self._length = reach.ground.line.length
        self._outside = outside
        self.upper: NDArray[np.uint64] = np.zeros((width, runs), dtype=np.uint64)
        self.lower: NDArray[np.uint64] = np.zeros((width, runs), dtype=np.uint64)
        self.pairs: Weights = np.zeros(runs, dtype=np.int64)
        self.certain: Weights = np.zeros(runs, dtype=np.int64)
        self.any: Flags = np.zeros(len(units.all), dtype=bool)
        self.shown: dict[int, tuple[int, int, NDArray[np.uint64]]] = {}
        self._surely_shown: set[int] = set()
        self.weights: dict[tuple[str, ...], Weights] = {}
        self._reached: defaultdict[int, list[int]] = defaultdict(list)

    def take(self, near: int, inside: Band | None, outside: Band, lists: tuple[str, ...]) -> None:
        """Tally what passes between an interface's unit and all others."""
        upper = self._beyond(near, None if inside is None else inside.upper, outside.upper)
        passing: Flags = np.asarray(upper.any(axis=0))
        if not passing.any():
            return
        lower = upper
        if not (_equal(inside) and _equal(outside)):
            lower = self._beyond(near, None if inside is None else inside.lower, outside.lower)
        self.any |= passing
        weight = int(self._units.weight[near])
        if lists not in self.weights:
            self.weights[lists] = np.zeros(len(passing), dtype=np.int64)
        pairs_each = passing * weight * self._units.weight
        if passing[near]:
            # From an interface to itself is no pair.
            pairs_each[near] -= weight
        self.weights[lists] += pairs_each
        for rows, certain in ((upper, False), (lower, True)):
            joined = self.lower if certain else self.upper
            joined |= np.bitwise_or.reduceat(rows, self._units.runs, axis=1)
            some: Flags = np.asarray(rows.any(axis=0))
            counts = np.add.reduceat(self._units.weight * some, self._units.runs) * weight
            if some[near]:
                counts[self._run_of(near)] -= weight
            counts[self._outside] = (counts[self._outside] > 0) * weight
            tallied = self.certain if certain else self.pairs
            tallied += counts
            self._show(near, rows, some, counts, certain=certain)
            if not certain:
                for number in np.flatnonzero(counts).tolist():
                    self._reached[number].append(near)

    def _beyond(self, near: int, inside: Rows | None, outside: Rows) -> Rows:
        if inside is None:
            inside = np.zeros((outside.shape[0], self._behind), dtype=np.uint64)
        rows: Rows = np.concatenate((inside, outside), axis=1)[:, self._units.place]
        rows &= self._counted
        if int(self._units.weight[near]) == 1:
            # What others of its class take from an interface is nothing that it takes from itself.
            rows[:, near] = 0
        return rows

    def _run_of(self, unit: int) -> int:
        return int(np.searchsorted(self._units.runs, unit, side="right")) - 1

    def _show(self, near: int, rows: Rows, some: Flags, counts: Weights, *, certain: bool) -> None:
        """Keep the first pair of each run, and the first one that is certain."""
        for number in np.flatnonzero(counts).tolist():
            if number in (self._surely_shown if certain else self.shown):
                continue
            run = self._units.run(number)
            far = run.start + int(some[run].argmax())
            self.shown[number] = (near, far, rows[:, far])
            if certain:
                self._surely_shown.add(number)

    def affected(self, number: int) -> tuple[str, ...]:
        """Return the interfaces of the part that pass anything with a run."""
        return tuple(sorted(name for near in self._reached[number] for name in self._units.all[near].members))


def _equal(band: Band | None) -> bool:
    return band is None or band.exact or np.array_equal(band.lower, band.upper)


def _joined(units: Sequence[Unit], chosen: Iterable[bool]) -> AddressSet:
    found = NO_ADDRESSES
    for unit, flag in zip(units, chosen, strict=True):
        if flag:
            found |= unit.addresses
    return found


def _pair(near: Unit, far: Unit, traffic: Traffic, *, inward: bool) -> Pair:
    one: str | AddressSet = near.members[0]
    # Two interfaces of one unit are two ends.
    other: str | AddressSet = far.addresses if not far.members else far.members[-1 if far is near else 0]
    return Pair(other, one, traffic) if inward else Pair(one, other, traffic)
