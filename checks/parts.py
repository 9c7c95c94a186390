"""The ends of an estate in parts (networks, segments, environments), laid out so that all are looked at in one go.

Ends are told apart no further than reachability does: interfaces of one class and one part are a *unit*, and so are the
outside addresses between two cuts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.model import GroupRef
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloudseg.model import Peer
    from cloudseg.reach.reachability import Reachability

__all__ = ["Flags", "Indexes", "Parts", "Unit", "Units", "Weights"]

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
Weights = np.ndarray[tuple[int], np.dtype[np.int64]]


class Parts(NamedTuple):
    """Parts of an estate, by number.

    Attributes:
        of: for interfaces, by qualified id, the part; those that are left out have none.
        outside: outside addresses with the part that stands for them. They do not overlap.
    """

    of: Mapping[str, int]
    outside: Sequence[tuple[AddressSet, int]] = ()


class Unit(NamedTuple):
    """Ends of one part that nothing tells apart.

    Attributes:
        part: the part.
        place: the number of their class; of outside addresses, their position on the line behind all classes.
        members: qualified ids of the interfaces; none for outside addresses.
        addresses: the outside addresses.
    """

    part: int
    place: int
    members: tuple[str, ...] = ()
    addresses: AddressSet = AddressSet()


class Units:
    """All units of an estate: the interfaces first, the outside addresses behind them, each by part.

    Args:
        reach: reachability of the estate.
        parts: the parts.

    Attributes:
        all: the units.
        inside: how many of them are interfaces.
        place: for each its place.
        weight: for each how many interfaces it has; 1 for outside addresses.
        runs: where in the order each part begins as interfaces, and where as addresses; see :attr:`ends`.
        ends: for each run its part, and whether it is one of addresses.
        sizes: how many interfaces each part has.
    """

    def __init__(self, reach: Reachability, parts: Parts) -> None:
        self._reach = reach
        inside = _inside(reach, parts)
        self.all = (*inside, *_outside(reach, parts))
        self.inside = len(inside)
        self.place: Indexes = np.array([unit.place for unit in self.all], dtype=np.intp)
        self.weight: Weights = np.array([len(unit.members) or 1 for unit in self.all], dtype=np.int64)
        keys = [(not unit.members, unit.part) for unit in self.all]
        starts = [number for number, key in enumerate(keys) if number == 0 or key != keys[number - 1]]
        self.runs: Indexes = np.array(starts, dtype=np.intp)
        self.ends = tuple((keys[start][1], keys[start][0]) for start in starts)
        self.sizes: Counter[int] = Counter()
        for unit in inside:
            self.sizes[unit.part] += len(unit.members)
        self._admitted: dict[tuple[Peer, ...], Flags] = {}

    def run(self, number: int) -> slice:
        """Return the units of a run."""
        end = self.runs[number + 1] if number + 1 < len(self.runs) else len(self.all)
        return slice(int(self.runs[number]), int(end))

    def named(self, peers: tuple[Peer, ...]) -> Flags:
        """Return the units that the other end of a rule names at most."""
        known = self._admitted.get(peers)
        if known is None:
            known = self._admitted[peers] = self._named(peers)
        return known

    def _named(self, peers: tuple[Peer, ...]) -> Flags:
        ground = self._reach.ground
        columns = ground.columns
        chosen = columns.choose(outside_addresses(peers, self._reach.estate)[1])
        found = np.zeros(columns.width, dtype=bool)
        for start, end in chosen.runs:
            found[start:end] = True
        if chosen.maybe is not None:
            found[chosen.maybe] = True
        classes = np.zeros(len(columns.classes) + ground.line.length, dtype=bool)
        classes[columns.owner[found[: columns.faces]]] = True
        classes[len(columns.classes) :] = found[columns.faces :]
        for peer in peers:
            if isinstance(peer, GroupRef):
                members = self._reach.estate.members(peer.group)
                classes[[columns.class_of[member.id] for member in members]] = True
        named: Flags = classes[self.place]
        return named


def _inside(reach: Reachability, parts: Parts) -> list[Unit]:
    found: dict[tuple[int, int], list[str]] = {}
    for number, own in enumerate(reach.classes):
        for name in own.members:
            part = parts.of.get(name)
            if part is not None:
                found.setdefault((part, number), []).append(name)
    return [Unit(*key, tuple(found[key])) for key in sorted(found)]


def _outside(reach: Reachability, parts: Parts) -> list[Unit]:
    line, behind = reach.ground.line, len(reach.classes)
    found: list[Unit] = []
    for addresses, part in parts.outside:
        for start, end in line.runs(addresses):
            # The range of a part may end between two cuts: a position may belong to several parts.
            for position in range(start, end):
                own = line.addresses(position, position + 1) & addresses
                found.append(Unit(part, behind + position, addresses=own))
    return sorted(found, key=lambda unit: (unit.part, unit.place))
