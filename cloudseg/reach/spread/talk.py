"""Who can talk to whom on a class of ports: all pairs of classes as bits, worked out in one go over the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from cloudseg.reach.internet import InternetView
from cloudseg.reach.pairs.rows import Band
from cloudseg.reach.spread.bits import Bits, empty, pack, transposed
from cloudseg.traffic import GLOBAL_UNICAST
from cloudseg.traffic.port_classes import ADMINISTRATION, ANY_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import TrafficAtoms, Words
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Heard", "Talk", "TalkGraph", "reachable_pairs", "talk_of"]


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
        inside = reach.matrix.arrivals(target).inside
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
        internet = _Internet(reach)
        for target in reach.matrix.order():
            if self.sizes[target]:
                arrivals = reach.matrix.arrivals(target)
                inside = _told_apart(arrivals.inside)
                outside = internet.arrivals(target, self.members[target][0], arrivals.outside)
                for draft in drafts:
                    draft.take(target, inside)
                    if outside is not None:
                        draft.take_internet(target, outside)
        self.talk = {each: draft.finished() for each, draft in zip(ports, drafts, strict=True)}


_KNOWN: WeakKeyDictionary[Reachability, TalkGraph] = WeakKeyDictionary()


def talk_of(reach: Reachability) -> TalkGraph:
    """Return who can talk to whom on any port and on administration ports; the answer is kept with ``reach``."""
    known = _KNOWN.get(reach)
    if known is None:
        known = _KNOWN[reach] = TalkGraph(reach, ANY_PORT, ADMINISTRATION)
    return known


def _told_apart(band: Band) -> Band:
    """Return a band whose bounds are one array where they are equal."""
    return Band(band.lower, band.lower) if np.array_equal(band.lower, band.upper) else band


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
    behind a way, the internet may.
    """

    def __init__(self, reach: Reachability) -> None:
        self._interfaces = reach.estate.interfaces
        self._matrix = reach.matrix
        self._view = InternetView(reach.estate)
        addresses = GLOBAL_UNICAST
        for network in reach.estate.networks.values():
            addresses -= network.addresses
        places = [np.arange(start, end, dtype=np.intp) for start, end in reach.ground.line.runs(addresses)]
        self._places = np.concatenate(places) if places else np.zeros(0, dtype=np.intp)

    def arrivals(self, target: int, interface: str, outside: Band) -> Band | None:
        """Return what arrives at an interface from any address of the internet, as one column; None for nothing.

        Args:
            target: the number of its class.
            interface: its qualified id.
            outside: what arrives from outside.
        """
        if not outside.upper.any():
            return None
        ways = self._view.ways_in(self._interfaces[interface]).unbalanced
        if not ways:
            upper = self._joined(outside.upper * self._matrix.strays(target))
            return Band(np.zeros_like(upper), upper) if upper.any() else None
        upper = self._joined(outside.upper)
        if not any(way.certain for way in ways):
            return Band(np.zeros_like(upper), upper)
        return Band(upper if outside.exact else self._joined(outside.lower), upper)

    def _joined(self, rows: Rows) -> Rows:
        joined: Rows = np.bitwise_or.reduce(rows[:, self._places], axis=1, keepdims=True)
        return joined


class _Draft:
    """Who can talk on one class of ports, while it is worked out target by target."""

    def __init__(self, reach: Reachability, ports: Traffic) -> None:
        size = len(reach.classes)
        self._size = size
        self._mask = _Mask(reach.ground.atoms, ports)
        # By target, for so the answers come. One array until the bounds differ anywhere.
        self._lower = self._upper = empty(size, size)
        self._internet_lower = np.zeros(size, dtype=np.bool_)
        self._internet_upper = np.zeros(size, dtype=np.bool_)

    def take(self, target: int, inside: Band) -> None:
        """Note who reaches a target."""
        least, most = self._mask.bounds(inside)
        if least is not most and self._lower is self._upper:
            self._lower = self._upper.copy()
        self._upper[target] = pack(most)
        if self._lower is not self._upper:
            self._lower[target] = self._upper[target] if least is most else pack(least)

    def take_internet(self, target: int, arrived: Band) -> None:
        """Note what arrives at a target from the internet."""
        least, most = self._mask.bounds(arrived)
        self._internet_lower[target] = least[0]
        self._internet_upper[target] = most[0]

    def finished(self) -> Talk:
        """Return the answer, by source."""
        upper = transposed(self._upper, self._size)
        lower = upper if self._lower is self._upper else transposed(self._lower, self._size)
        return Talk(lower, upper, self._internet_lower, self._internet_upper)
