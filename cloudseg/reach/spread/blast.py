"""How far an intruder gets: from an interface, a workload or a segment, in one step and step after step.

An intruder at an interface holds every interface of the workload that owns it. In one step he reaches each interface to
which one of these can open a connection; from there he goes on in the same way. What is no step: addresses outside of
the estate, replies to connections that others open, and interfaces at which nobody can stand, because the provider
passes packets on there for others. These count when they are reached, and nothing starts from them. Interfaces of one
class are reached together.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.spread.bits import Bits, Row, held, planes_of, sums
from cloudseg.reach.spread.closure import Closure, closure_of
from cloudseg.reach.spread.extents import BlastRadius, BlastSummary, Extent, Reached, Spread
from cloudseg.reach.spread.footholds import footholds_of, held_with
from cloudseg.reach.spread.talk import TalkGraph, talk_of
from cloudseg.traffic.port_classes import ANY_PORT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Blast", "BlastRadius", "BlastSummary", "Extent", "Reached", "Spread"]

_SHOWN: Final = 5


class _Start(NamedTuple):
    """Where an intruder stands, as far as it matters how far he gets.

    Attributes:
        classes: the classes of the interfaces from which he can send, in order.
        held: classes of all the interfaces that he holds, each with how many.
    """

    classes: tuple[int, ...]
    held: tuple[tuple[int, int], ...]


class _Bound:
    """One bound of who can talk to whom, with what an intruder makes of it.

    Attributes:
        out: for each class what it reaches.
        after: for each class what an intruder reaches next who got hold of all its members.
    """

    def __init__(self, out: Bits, after: Bits) -> None:
        self.out = out
        self.after = after
        self._closure: Closure | None = None

    @property
    def closure(self) -> Closure:
        """What is reached step after step from each class that an intruder got hold of."""
        if self._closure is None:
            self._closure = closure_of(self.after)
        return self._closure

    def first(self, start: _Start) -> Row:
        """Return what is reached in one step."""
        return _union(self.out, start.classes)

    def levels(self, start: _Start) -> Iterator[Row]:
        """Yield what is reached in one step, what in two and no less, and so on."""
        size = len(self.out)
        front = seen = self.first(start)
        while front.any():
            yield front
            front = _union(self.after, held(front, size)) & ~seen
            seen = seen | front


def _union(bits: Bits, rows: Sequence[int] | NDArray[np.intp]) -> Row:
    union: Row = np.bitwise_or.reduce(bits[np.asarray(rows, dtype=np.intp)], axis=0)
    return union


class Blast:
    """The blast radius in an estate, on one class of ports.

    Args:
        reach: reachability of the estate.
        ports: the class of ports.
    """

    def __init__(self, reach: Reachability, ports: Traffic = ANY_PORT) -> None:
        graph = talk_of(reach)
        self._graph = graph if ports in graph.talk else TalkGraph(reach, ports)
        self._estate = reach.estate
        self._planes = planes_of(self._graph.sizes)
        self._footholds = footholds_of(reach.estate)
        talk = self._graph.talk[ports]
        linked = self._linked()
        self._linked_classes = frozenset(linked)
        self._lower = self._bound(talk.lower, linked)
        self._upper = self._lower if talk.lower is talk.upper else self._bound(talk.upper, linked)

    def of(self, interfaces: Iterable[str]) -> BlastRadius:
        """Return what an intruder reaches who stands at some interfaces, and so at all others of their workloads.

        Raises:
            KeyError: there is no such interface.
        """
        held_ones = tuple(sorted({name for each in interfaces for name in held_with(each, self._estate)}))
        start = self._start(held_ones)
        sure = self._steps(self._lower, start, held_ones)
        most = sure if self._lower is self._upper else self._steps(self._upper, start, held_ones)
        reached = [Reached(name, steps, sure.get(name)) for name, steps in most.items()]
        return BlastRadius(
            start=held_ones,
            one_step=self._extent((name for name, steps in sure.items() if steps == 1), held_ones),
            one_step_at_most=self._extent((name for name, steps in most.items() if steps == 1), held_ones),
            transitive=self._extent(sure, held_ones),
            transitive_at_most=self._extent(most, held_ones),
            reached=tuple(sorted(reached, key=lambda each: (each.steps, each.interface))),
        )

    def of_workload(self, workload: str) -> BlastRadius:
        """Return what an intruder reaches who holds a workload, by its qualified id; nothing without interfaces."""
        return self.of(interface.id for interface in self._estate.interfaces_of(workload))

    def _steps(self, bound: _Bound, start: _Start, held_ones: Collection[str]) -> dict[str, int]:
        """Return the fewest steps to each interface that is reached."""
        own = frozenset(held_ones)
        members = self._graph.members
        return {
            name: steps
            for steps, level in enumerate(bound.levels(start), 1)
            for number in held(level, len(members))
            for name in members[int(number)]
            if name not in own
        }

    def _extent(self, names: Iterable[str], held_ones: Collection[str]) -> Extent:
        reached = tuple(names)
        owners = {self._estate.interfaces[name].workload for name in reached} - {None}
        others = len(self._estate.interfaces) - len(held_ones)
        return Extent(len(reached), len(owners), round(len(reached) / others, 6) if others else 0.0)

    def summary(self) -> BlastSummary:
        """Return the blast radius over all interfaces at which an intruder can stand, each counted once."""
        starts: defaultdict[_Start, list[str]] = defaultdict(list)
        for name in self._estate.interfaces:
            if name in self._footholds:
                starts[self._start(held_with(name, self._estate))].append(name)
        lower = self._spreads(self._lower, starts)
        upper = lower if self._lower is self._upper else self._spreads(self._upper, starts)
        return BlastSummary(lower[0], upper[0], lower[1], upper[1])

    def _spreads(self, bound: _Bound, starts: Mapping[_Start, Sequence[str]]) -> tuple[Spread, Spread]:
        """Return how many are reached in one step, and step after step."""
        first = self._spread(starts, bound.out, [self._first(bound, start) for start in starts])
        closure = bound.closure
        return first, self._spread(starts, closure.rows, [self._beyond(bound, start) for start in starts])

    def _first(self, bound: _Bound, start: _Start) -> int | Row:
        """Return what is reached in one step, or the number of a row of ``out`` that says it."""
        return start.classes[0] if len(start.classes) == 1 else bound.first(start)

    def _beyond(self, bound: _Bound, start: _Start) -> int | Row:
        """Return what is reached step after step, or the number of a row of the closure that says it."""
        if len(start.classes) == 1 and start.classes[0] not in self._linked_classes:
            return int(bound.closure.kind[start.classes[0]])
        return bound.closure.beyond(bound.first(start))

    def _spread(self, starts: Mapping[_Start, Sequence[str]], known: Bits, rows: Sequence[int | Row]) -> Spread:
        """Return how many interfaces are in each row, without those that the intruder holds anyway.

        Args:
            starts: the interfaces of each start.
            known: rows that many starts share.
            rows: for each start the number of one of these, or a row of its own.
        """
        totals = sums(known, self._planes)
        found: list[tuple[int, Sequence[str]]] = []
        for (start, names), row in zip(starts.items(), rows, strict=True):
            own = known[row] if isinstance(row, int) else row
            total = int(totals[row]) if isinstance(row, int) else int(sums(own[None, :], self._planes)[0])
            twice = sum(count for number, count in start.held if own[number >> 3] >> (number & 7) & 1)
            found.append((total - twice, names))
        return _spread_of(found)

    def _start(self, held_ones: Collection[str]) -> _Start:
        numbers = self._graph.number_of
        if len(held_ones) == 1:
            (name,) = held_ones
            return _Start((numbers[name],) if name in self._footholds else (), ((numbers[name], 1),))
        counts: defaultdict[int, int] = defaultdict(int)
        standing: set[int] = set()
        for name in held_ones:
            counts[numbers[name]] += 1
            if name in self._footholds:
                standing.add(numbers[name])
        return _Start(tuple(sorted(standing)), tuple(sorted(counts.items())))

    def _linked(self) -> dict[int, set[int]]:
        """Return for classes those others in which an intruder stands as soon as he holds all members of the class."""
        linked: defaultdict[int, set[int]] = defaultdict(set)
        numbers = self._graph.number_of
        for workload in {interface.workload or "" for interface in self._estate.interfaces.values()}:
            interfaces = self._estate.interfaces_of(workload)
            if len(interfaces) < 2:
                continue
            own = {numbers[interface.id] for interface in interfaces if interface.id in self._footholds}
            if len(own) > 1:
                for number in own:
                    linked[number] |= own
        return dict(linked)

    def _bound(self, out: Bits, linked: Mapping[int, Collection[int]]) -> _Bound:
        numbers = self._graph.number_of
        standing = np.zeros(len(out), dtype=np.bool_)
        standing[[numbers[name] for name in self._footholds]] = True
        if standing.all() and not linked:
            return _Bound(out, out)
        after = out * standing[:, None].astype(np.uint8)
        for number, others in linked.items():
            after[number] = _union(out, sorted(others))
        return _Bound(out, after)


def _spread_of(found: Sequence[tuple[int, Sequence[str]]]) -> Spread:
    total = sum(len(names) for _, names in found)
    worst = max((reached for reached, _ in found), default=0)
    if not worst:
        return Spread(0, 0, (), 0)
    median, passed = 0, 0
    for reached, names in sorted(found, key=lambda each: each[0]):
        passed += len(names)
        if 2 * passed >= total:
            median = reached
            break
    at = sorted(name for reached, names in found if reached == worst for name in names)
    return Spread(median, worst, tuple(at[:_SHOWN]), len(at))
