"""The two lines that reachability is cut along: traffic in atoms that no rule splits, addresses in atoms likewise.

An atom of traffic is a bit; a set of traffic is a mask of bits, kept in words of 64. An atom of addresses is a position
on a line, IPv4 first, IPv6 behind; a set of addresses is a few runs of positions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["WORD", "AddressLine", "Runs", "TrafficAtoms", "Words"]

WORD: Final = 64
"""Bits in a word of a mask."""

Words = np.ndarray[tuple[int], np.dtype[np.uint64]]
Runs = tuple[tuple[int, int], ...]
"""Runs of positions, each from the first up to but not including the last."""

_END4: Final = 1 << 32
_END6: Final = 1 << 128


class TrafficAtoms:
    """The coarsest partition of all traffic of which every one of some sets is a union.

    Args:
        traffics: the sets; the whole traffic is always one of them.
    """

    def __init__(self, traffics: Iterable[Traffic]) -> None:
        sets = tuple(dict.fromkeys((ALL_TRAFFIC, *traffics)))
        pieces: defaultdict[int, list[list[tuple[int, int]]]] = defaultdict(lambda: [[] for _ in ALL_TRAFFIC.fields])
        for field in range(len(ALL_TRAFFIC.fields)):
            for members, first, last in _elementary([traffic.fields[field].intervals for traffic in sets]):
                pieces[members][field].append((first, last))
        self._atoms = tuple(Traffic(*map(IntervalSet.from_pairs, fields)) for fields in pieces.values())
        masks = [0] * len(sets)
        for atom, members in enumerate(pieces):
            left = members
            while left:
                lowest = left & -left
                masks[lowest.bit_length() - 1] |= 1 << atom
                left ^= lowest
        self._masks = dict(zip(sets, masks, strict=True))
        self._known: dict[int, Traffic] = {mask: traffic for traffic, mask in self._masks.items()} | {0: NO_TRAFFIC}
        self._words: dict[int, Words] = {}

    @property
    def count(self) -> int:
        """How many atoms there are."""
        return len(self._atoms)

    @property
    def everything(self) -> int:
        """The mask of all traffic."""
        return (1 << self.count) - 1

    @cached_property
    def width(self) -> int:
        """How many words a mask takes."""
        return -(-self.count // WORD)

    def mask(self, traffic: Traffic) -> int:
        """Return the mask of one of the sets, or of a union of atoms.

        Raises:
            ValueError: the traffic splits an atom.
        """
        known = self._masks.get(traffic)
        if known is None:
            known = sum(1 << number for number, atom in enumerate(self._atoms) if atom.overlaps(traffic))
            if self.traffic(known) != traffic:
                raise ValueError(f"{traffic} splits an atom of traffic")
            self._masks[traffic] = known
        return known

    def traffic(self, mask: int) -> Traffic:
        """Return the set of a mask."""
        known = self._known.get(mask)
        if known is None:
            chosen = [atom.fields for number, atom in enumerate(self._atoms) if mask >> number & 1]
            fields = zip(*chosen, strict=True)
            known = Traffic(*(IntervalSet.from_pairs(p for part in parts for p in part.intervals) for parts in fields))
            self._known[mask] = known
        return known

    def words(self, mask: int) -> Words:
        """Return a mask as words, the lowest first."""
        known = self._words.get(mask)
        if known is None:
            low = (1 << WORD) - 1
            known = np.array([mask >> WORD * word & low for word in range(self.width)], dtype=np.uint64)
            self._words[mask] = known
        return known

    def from_words(self, words: Sequence[int] | NDArray[np.uint64]) -> Traffic:
        """Return the set of a mask given as words."""
        mask = 0
        for number, word in enumerate(words):
            mask |= int(word) << WORD * number
        return self.traffic(mask)


def _elementary(sets: Sequence[tuple[tuple[int, int], ...]]) -> Iterable[tuple[int, int, int]]:
    """Yield the stretches of a line that no set splits: a number whose bits are the sets that hold it, first, last."""
    events: defaultdict[int, int] = defaultdict(int)
    for number, intervals in enumerate(sets):
        for first, last in intervals:
            events[first] ^= 1 << number
            events[last + 1] ^= 1 << number
    members, start = 0, 0
    for place in sorted(events):
        if members:
            yield members, start, place - 1
        members ^= events[place]
        start = place


class AddressLine:
    """All addresses of both families, cut where one of some sets begins or ends.

    Args:
        sets: the sets; :meth:`runs` is exact for each of them.
    """

    def __init__(self, sets: Iterable[AddressSet]) -> None:
        four, six = {0}, {0}
        for addresses in sets:
            for cuts, intervals in ((four, addresses.v4.intervals), (six, addresses.v6.intervals)):
                for first, last in intervals:
                    cuts.add(first)
                    cuts.add(last + 1)
        self._four = sorted(four - {_END4})
        self._six = sorted(six - {_END6})
        self._runs: dict[AddressSet, Runs] = {}

    @property
    def boundary(self) -> int:
        """The first position of IPv6."""
        return len(self._four)

    @property
    def length(self) -> int:
        """How many positions the line has."""
        return len(self._four) + len(self._six)

    @cached_property
    def starts4(self) -> NDArray[np.int64]:
        """The first IPv4 address of every position."""
        return np.array(self._four, dtype=np.int64)

    def position(self, version: int, address: int) -> int:
        """Return the position of an address."""
        if version == 4:
            return bisect_right(self._four, address) - 1
        return self.boundary + bisect_right(self._six, address) - 1

    def runs(self, addresses: AddressSet) -> Runs:
        """Return the positions that the addresses touch."""
        known = self._runs.get(addresses)
        if known is None:
            found: list[tuple[int, int]] = []
            for version, intervals in ((4, addresses.v4.intervals), (6, addresses.v6.intervals)):
                for first, last in intervals:
                    start, end = self.position(version, first), self.position(version, last) + 1
                    if found and found[-1][1] >= start and not (version == 6 and start == self.boundary):
                        start = found.pop()[0]
                    found.append((start, end))
            known = self._runs[addresses] = tuple(found)
        return known

    def addresses(self, start: int, end: int) -> AddressSet:
        """Return the addresses of the positions from ``start`` up to but not including ``end``, of one family."""
        four = end <= self.boundary
        starts, offset, limit = (self._four, 0, _END4) if four else (self._six, self.boundary, _END6)
        last = (starts[end - offset] if end - offset < len(starts) else limit) - 1
        numbers = IntervalSet(((starts[start - offset], last),))
        return AddressSet(v4=numbers) if four else AddressSet(v6=numbers)
