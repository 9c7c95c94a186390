"""Who can talk to whom on a class of ports: all pairs of classes as bits, worked out in one go over the matrix."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from cloudseg.reach.pairs.rows import Band, band_of
from cloudseg.reach.spread.bits import Bits, empty, transposed
from cloudseg.reach.spread.sure import PairsDraft
from cloudseg.traffic import GLOBAL_UNICAST
from cloudseg.traffic.port_classes import ADMINISTRATION, ANY_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import TrafficAtoms, Words
    from cloudseg.reach.pairs.rows import Arrivals, Rows
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Heard", "Talk", "TalkGraph", "reachable_pairs", "talk_of"]

_TOGETHER: Final = 32
"""What arrives at so many classes is looked at together."""


class Heard(NamedTuple):
    """Which classes can send something of a class of ports to one target.

    Attributes:
        target: number of the target's class.
        lower: for each class whether it certainly can.
        upper: for each class whether it can at most; the same array where nothing is unknown.
    """

    target: int
    lower: NDArray[np.bool_]
    upper: NDArray[np.bool_]


class Talk(NamedTuple):
    """Who can talk to whom on a class of ports.

    Attributes:
        lower: for each class as the source, the classes that it certainly reaches.
        upper: the classes that it reaches at most; the same array where nothing is unknown.
        internet_lower: for each class whether the internet certainly reaches it.
        internet_upper: for each class whether the internet reaches it at most.
    """

    lower: Bits
    upper: Bits
    internet_lower: NDArray[np.bool_]
    internet_upper: NDArray[np.bool_]


def reachable_pairs(reach: Reachability, ports: Traffic) -> Iterator[Heard]:
    """Yield for each class who can send it something of a class of ports, in the order in which that is fastest."""
    mask = _Mask(reach.ground.atoms, ports)
    for target in reach.matrix.order():
        inside = reach.arrivals_in_turn(target).inside
        yield Heard(target, *mask.bounds(inside))


class TalkGraph:
    """Who can talk to whom in an estate, on several classes of ports.

    Args:
        reach: reachability of the estate.
        ports: the classes of ports.

    Attributes:
        estate: the estate.
        members: for each class the qualified ids of its interfaces in this estate.
        sizes: for each class the number of them.
        talk: who can talk to whom, by class of ports.
        straight: what certainly passes by networks, where lists see private addresses, pair by pair.
        over_internet: what certainly passes besides: over the internet, or because a load balancer sends it.
    """

    def __init__(self, reach: Reachability, *ports: Traffic) -> None:
        self.estate = reach.estate
        interfaces = reach.estate.interfaces
        # Estates that are compared share their classes: the members of one are all in this estate, or none is.
        self.members: tuple[tuple[str, ...], ...] = tuple(
            own.members if own.members[0] in interfaces else () for own in reach.classes
        )
        self.sizes: NDArray[np.int64] = np.array([len(own) for own in self.members], dtype=np.int64)
        self.number_of = dict(reach.ground.columns.class_of)
        drafts = [_Draft(reach, each) for each in ports]
        internet, block = _Internet(reach), _Block()
        straight, besides = (PairsDraft(len(reach.classes), reach.ground.atoms.width) for _ in range(2))
        for target in reach.matrix.order():
            if self.sizes[target]:
                arrivals = reach.arrivals_in_turn(target)
                block.add(target, arrivals)
                internet.take(target, self.members[target][0], arrivals.outside)
                if len(block.targets) == _TOGETHER:
                    block.hand_to(drafts, straight, besides)
                    block = _Block()
        block.hand_to(drafts, straight, besides)
        self.straight, self.over_internet = straight.finished(), besides.finished()
        self.talk = {each: draft.finished(internet) for each, draft in zip(ports, drafts, strict=True)}


_KNOWN: WeakKeyDictionary[Reachability, TalkGraph] = WeakKeyDictionary()


def talk_of(reach: Reachability) -> TalkGraph:
    """Return who can talk to whom on any port and on administration ports; the answer is kept with ``reach``."""
    known = _KNOWN.get(reach)
    if known is None:
        known = _KNOWN[reach] = TalkGraph(reach, ANY_PORT, ADMINISTRATION)
    return known


class _Block:
    """What arrives at some classes, of those classes from which anything does: in large estates few.

    Attributes:
        targets: the classes at which it arrives.
    """

    def __init__(self) -> None:
        self.targets: list[int] = []
        self._sources: list[NDArray[np.intp]] = []
        self._bands: list[Band] = []
        self._straight: list[Rows | None] = []

    def add(self, target: int, arrivals: Arrivals) -> None:
        """Note what arrives at a class."""
        inside = arrivals.inside
        arriving: NDArray[np.bool_] = np.asarray(inside.upper.any(axis=0))
        sources = np.flatnonzero(arriving)
        upper = inside.upper.take(sources, axis=1)
        self.targets.append(target)
        self._sources.append(sources)
        self._bands.append(Band(upper if inside.exact else inside.lower.take(sources, axis=1), upper))
        self._straight.append(arrivals.straight)

    def hand_to(self, drafts: Iterable[_Draft], straight: PairsDraft, besides: PairsDraft) -> None:
        """Let others note what arrives: on classes of ports, and for sure by networks and besides."""
        if not self.targets:
            return
        for draft in drafts:
            draft.take(self)
        sure = np.flatnonzero(self.passing.lower.any(axis=0))
        places, sources = (each[sure] for each in self.pairs)
        words = self.passing.lower.take(sure, axis=1)
        if any(rows is not None for rows in self._straight):
            ends = np.searchsorted(places, np.arange(len(self.targets) + 1)).tolist()
            rest = np.zeros_like(words)
            for rows, part in zip(self._straight, map(slice, ends, ends[1:]), strict=True):
                if rows is not None:
                    rest[:, part] = words[:, part] & ~rows[:, sources[part]]
            besides.take(self.targets, (places, sources), rest)
            words &= ~rest
        straight.take(self.targets, (places, sources), words)

    @cached_property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """For each pair that anything passes between the place of the target in ``targets``, and the source."""
        sizes = [len(sources) for sources in self._sources]
        return np.repeat(np.arange(len(sizes), dtype=np.intp), sizes), np.concatenate(self._sources)

    @cached_property
    def passing(self) -> Band:
        """What passes, by word and pair; one array where the bounds are equal."""
        lower, upper = (np.concatenate(rows, axis=1) for rows in zip(*self._bands, strict=True))
        return band_of(lower, upper)


class _Mask:
    """The atoms of traffic that a class of ports touches: an atom passes as a whole or not at all."""

    def __init__(self, atoms: TrafficAtoms, ports: Traffic) -> None:
        numbers = (number for number in range(atoms.count) if atoms.traffic(1 << number).overlaps(ports))
        self._words: Words = atoms.words(sum(1 << number for number in numbers))
        self._chosen = np.flatnonzero(self._words).tolist()

    def touched(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which columns hold one of the atoms."""
        each = [(rows[word] & self._words[word]) != 0 for word in self._chosen]
        found: NDArray[np.bool_] = each[0] if each else np.zeros(rows.shape[1], dtype=np.bool_)
        for more in each[1:]:
            found |= more
        return found

    def bounds(self, band: Band) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the same for both bounds; one array where they are equal."""
        most = self.touched(band.upper)
        if band.exact:
            return most, most
        least = self.touched(band.lower)
        return (most, most) if np.array_equal(least, most) else (least, most)


class _Internet:
    """What arrives from the internet: from global addresses that are not the estate's own, by a way from the internet.

    What comes by a private way under a global address is no sign of the internet; where it is not known what lies
    behind a way, the internet may. What load balancers hand on under their clients' addresses counts for the targets.
    """

    def __init__(self, reach: Reachability) -> None:
        self._interfaces = reach.estate.interfaces
        self._matrix = reach.matrix
        self._view = reach.view
        nothing = np.zeros((reach.ground.atoms.width, len(reach.classes)), dtype=np.uint64)
        self._rows = Band(nothing, nothing.copy())
        addresses = GLOBAL_UNICAST
        for network in reach.estate.networks.values():
            addresses -= network.addresses
        places = [np.arange(start, end, dtype=np.intp) for start, end in reach.ground.line.runs(addresses)]
        self._places = np.concatenate(places) if places else np.zeros(0, dtype=np.intp)
        # What arrived at the last target: those behind each other mostly share it.
        self._latest: tuple[Rows, Words] = (nothing, np.zeros(len(nothing), dtype=np.uint64))

    def take(self, target: int, interface: str, outside: Band) -> None:
        """Note what arrives at a class from any address of the internet.

        Args:
            target: the number of the class.
            interface: the qualified id of a member.
            outside: what arrives from outside.
        """
        self._take_straight(target, interface, outside)
        handed = self._matrix.forwarded(target, internet=True)
        if handed is not None:
            self._rows.lower[:, target] |= self._joined(handed.lower)
            self._rows.upper[:, target] |= self._joined(handed.upper)

    def _take_straight(self, target: int, interface: str, outside: Band) -> None:
        if outside.upper is not self._latest[0]:
            self._latest = (outside.upper, self._joined(outside.upper))
        joined = self._latest[1]
        if not joined.any():
            return
        ways = self._view.ways_in(self._interfaces[interface]).unbalanced
        if not ways:
            places = self._places[self._matrix.strays(target)[self._places]]
            if len(places):
                self._rows.upper[:, target] = np.bitwise_or.reduce(outside.upper[:, places], axis=1)
            return
        self._rows.upper[:, target] = joined
        if any(way.certain for way in ways):
            same = outside.exact
            self._rows.lower[:, target] = joined if same else self._joined(outside.lower)

    def heard(self, mask: _Mask) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return at which classes something of a class of ports arrives: certainly, and at most."""
        return mask.bounds(self._rows)

    def _joined(self, rows: Rows) -> Words:
        joined: Words = np.bitwise_or.reduce(rows.take(self._places, axis=1), axis=1)
        return joined


class _Draft:
    """Who can talk on one class of ports, while it is worked out target by target."""

    def __init__(self, reach: Reachability, ports: Traffic) -> None:
        size = len(reach.classes)
        self._size = size
        self._mask = _Mask(reach.ground.atoms, ports)
        # By target, for so the answers come. One array until the bounds differ anywhere.
        self._lower = self._upper = empty(size, size)

    def take(self, block: _Block) -> None:
        """Note who reaches the targets of a block."""
        least, most = self._mask.bounds(block.passing)
        if least is not most and self._lower is self._upper:
            self._lower = self._upper.copy()
        self._upper[block.targets] = self._packed(block, most)
        if self._lower is not self._upper:
            self._lower[block.targets] = self._packed(block, least)

    def _packed(self, block: _Block, talking: NDArray[np.bool_]) -> Bits:
        """Return the sources of each target of a block, of the pairs that talk."""
        places, sources = block.pairs
        flags = np.zeros((len(block.targets), self._size), dtype=np.bool_)
        flags[places[talking], sources[talking]] = True
        packed: Bits = np.packbits(flags, axis=1, bitorder="little")
        return packed

    def finished(self, internet: _Internet) -> Talk:
        """Return the answer, by source."""
        upper = transposed(self._upper, self._size)
        lower = upper if self._lower is self._upper else transposed(self._lower, self._size)
        return Talk(lower, upper, *internet.heard(self._mask))
