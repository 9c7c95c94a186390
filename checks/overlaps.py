"""Looks up which pieces of rules take in which, for all rules at once: sorted by list, atom of traffic and position."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cloudseg.checks.admissions import Admissions, Indexes

__all__ = ["NOBODY", "Flags", "Overlaps"]

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
NOBODY: Final = -1
"""The rank where no rule takes a piece in."""

_WIDE: Final = 16
"""Traffic of more atoms than this has a place of its own in the order, lest rules for all ports multiply."""
_AT_ONCE: Final = 1 << 20
"""So many pairs are compared at once."""


class _Question(NamedTuple):
    """Who admits a position on the lowest atom of some pieces.

    Attributes:
        chosen: the pieces in question, by their place among those asked about.
        first: the position.
        last: the position behind the last one that whoever takes a piece in admits too.
        itself: the piece is found there itself.
    """

    chosen: Indexes
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    itself: bool


class Overlaps:
    """The pieces of rules, found by what they admit.

    Args:
        admissions: the rules and their pieces.
    """

    def __init__(self, admissions: Admissions) -> None:
        self._admissions = admissions
        self._pieces = pieces = admissions.pieces
        self._several = np.array([len(each.runs) > 1 for each in admissions.extents], dtype=bool)
        instead = [(each.instead[0][0], each.instead[-1][1]) if each.instead else (0, 0) for each in admissions.extents]
        self._instead: NDArray[np.int64] = np.array(instead, dtype=np.int64).reshape(-1, 2)
        self._known: dict[tuple[int, int], bool] = {}
        # The lowest atom of a piece stands for its traffic: whoever admits all of the piece admits that.
        bits = np.unpackbits(np.ascontiguousarray(pieces.mask).view(np.uint8), axis=1, bitorder="little")
        self._lowest: Indexes = bits.argmax(axis=1)
        self._wide: Flags = bits.sum(axis=1) > _WIDE
        self._atoms = bits.shape[1] + 1
        self._steps = admissions.positions + 1
        runs = [(number, *run) for number, each in enumerate(admissions.extents) for run in ((-1, 0), *each.runs)]
        numbered = np.array(runs, dtype=np.int64).reshape(-1, 3)
        # The runs of all extents one behind the other; before those of each an empty one.
        self._runs: NDArray[np.int64] = numbered[:, 1:] + numbered[:, :1] * self._steps
        narrow = np.flatnonzero(~self._wide)
        rows, atoms = bits[narrow].nonzero()
        wide = np.flatnonzero(self._wide)
        owners = np.concatenate((narrow[rows], wide))
        places = pieces.place[owners] * self._atoms + np.concatenate((atoms, np.full(len(wide), self._atoms - 1)))
        keys = places * self._steps + pieces.first[owners]
        order = np.argsort(keys, kind="stable")
        self._arrange(keys[order], owners[order])

    def _arrange(self, keys: NDArray[np.int64], owners: Indexes) -> None:
        """Take in entries, each a place and a position with the piece that begins there, in their order."""
        pieces = self._pieces
        self._keys, self._owners = keys, owners
        # How far those reach that begin at a position or before it; the next place begins behind all of the last one.
        reach = np.maximum.accumulate(keys - pieces.first[owners] + pieces.last[owners])
        self._reach = np.concatenate((np.array([-1]), reach))
        own = np.flatnonzero(keys // self._steps == self._home(owners, pieces.place[owners], wide=None))
        self._entry: Indexes = np.zeros(len(pieces.rule), dtype=np.intp)
        self._entry[owners[own]] = own

    def without(self, gone: Flags) -> Overlaps:
        """Return the pieces of all rules but some, flagged by rule; only about pieces that are left it may be asked."""
        left = copy(self)
        kept = ~gone[self._pieces.rule[self._owners]]
        left._arrange(self._keys[kept], self._owners[kept])  # noqa: SLF001 - a copy of this very object
        return left

    def _home(self, rows: Indexes, places: Indexes, *, wide: bool | None) -> Indexes:
        """Return where in the order one looks for the lowest atom of pieces; among the wide ones, or as they are."""
        aside = self._wide[rows] if wide is None else wide
        found: Indexes = places * self._atoms + np.where(aside, self._atoms - 1, self._lowest[rows])
        return found

    def _questions(self, rows: Indexes) -> Iterator[_Question]:
        pieces = self._pieces
        yield _Question(np.arange(len(rows), dtype=np.intp), pieces.first[rows], pieces.last[rows], itself=True)
        instead = self._instead[pieces.extent[rows]]
        named = np.flatnonzero(instead[:, 1])
        if len(named):
            yield _Question(named, instead[named, 0], instead[named, 1], itself=False)

    def touched(self, rows: Indexes, places: Indexes) -> Flags:
        """Return which pieces share anything with another rule of a list and side, so far as a look at a point tells.

        Args:
            rows: the pieces.
            places: for each of them the list and side.
        """
        found = np.zeros(len(rows), dtype=bool)
        for question in self._questions(rows):
            asked, there = rows[question.chosen], places[question.chosen]
            for wide in (False, True):
                key = self._home(asked, there, wide=wide) * self._steps + question.first
                end = np.searchsorted(self._keys, key, side="right")
                hit = self._reach[end] > key
                if question.itself:
                    entry = self._entry[asked]
                    itself = (self._pieces.place[asked] == there) & (self._wide[asked] == wide)
                    hit = np.where(itself, (self._reach[entry] > key) | (end > entry + 1), hit)
                found[question.chosen] |= hit
        return found

    def met(self, rows: Indexes, places: Indexes) -> tuple[Flags, Flags]:
        """Return of which pieces other rules of a list and side admit the first position, and of which the last one.

        It takes a closer look than :meth:`touched` does: what is admitted there is the lowest atom of the piece.
        """
        pieces = self._pieces
        first, last = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        for question in self._questions(rows):
            asked, there = rows[question.chosen], places[question.chosen]
            word, bit = np.divmod(self._lowest[asked], 64)
            for found, position in ((first, question.first), (last, question.last - 1)):
                for numbers, others in self._over(asked, there, position, position + 1):
                    carried = pieces.mask[others, word[numbers]] >> bit[numbers].astype(np.uint64)
                    kept = ((carried & np.uint64(1)) != 0) & (others != asked[numbers])
                    kept &= self._admit(pieces.extent[others], position[numbers])
                    found[question.chosen[numbers[kept]]] = True
        return first, last

    def holders(self, rows: Indexes, places: Indexes) -> Indexes:
        """Return for pieces the highest rank of the rules of a list and side that take all of each in, or ``NOBODY``.

        Only a rule of a higher rank than the piece's own takes it in: it is given up after it, if at all.
        """
        pieces, rank = self._pieces, self._admissions.rank
        best = np.full(len(rows), NOBODY, dtype=np.intp)
        for question in self._questions(rows):
            asked, there = rows[question.chosen], places[question.chosen]
            for numbers, holders in self._over(asked, there, question.first, question.last):
                ranks = rank[pieces.rule[holders]]
                kept = ranks > rank[pieces.rule[asked[numbers]]]
                kept &= ~(pieces.mask[asked[numbers]] & ~pieces.mask[holders]).any(axis=1)
                wanted, held = pieces.extent[asked[numbers]], pieces.extent[holders]
                for pair in np.flatnonzero(kept & self._several[held]).tolist():
                    kept[pair] = self._holds(int(held[pair]), int(wanted[pair]))
                np.maximum.at(best, question.chosen[numbers[kept]], ranks[kept])
        return best

    def _over(
        self, rows: Indexes, places: Indexes, first: NDArray[np.int64], last: NDArray[np.int64]
    ) -> Iterator[tuple[Indexes, Indexes]]:
        """Yield places among ``rows`` with the pieces of a list and side that go over a run, as far as ends tell.

        Pieces come that have the lowest atom of the one asked about, and those of wide traffic whatever they carry.

        Args:
            rows: the pieces asked about.
            places: for each of them the list and side.
            first: for each the first position of the run.
            last: the position behind the last one.
        """
        for wide in (False, True):
            home = self._home(rows, places, wide=wide) * self._steps
            start = np.searchsorted(self._keys, home, side="left")
            counts = np.searchsorted(self._keys, home + first, side="right") - start
            behind = np.cumsum(counts)
            cuts = np.searchsorted(behind, np.arange(_AT_ONCE, int(behind[-1]) if len(behind) else 0, _AT_ONCE))
            for some in np.split(np.arange(len(rows), dtype=np.intp), np.unique(cuts)):
                numbers = np.repeat(some, counts[some])
                within = np.arange(len(numbers)) - np.repeat(np.cumsum(counts[some]) - counts[some], counts[some])
                others = self._owners[start[numbers] + within]
                kept = self._pieces.last[others] >= last[numbers]
                yield numbers[kept], others[kept]

    def _admit(self, extents: Indexes, positions: NDArray[np.int64]) -> Flags:
        """Tell of each of some extents whether it has a position."""
        asked = extents * self._steps + positions
        ends = self._runs[np.searchsorted(self._runs[:, 0], asked, side="right") - 1, 1]
        return np.asarray(ends > asked)

    def _holds(self, wide: int, narrow: int) -> bool:
        """Tell whether an extent of several runs holds another."""
        known = self._known.get((wide, narrow))
        if known is None:
            runs, held = self._admissions.extents[wide].runs, self._admissions.extents[narrow]
            known = self._known[wide, narrow] = all(
                any(first <= start and end <= last for first, last in runs) for start, end in held.instead or held.runs
            )
        return known
