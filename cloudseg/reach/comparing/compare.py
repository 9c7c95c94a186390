"""What became reachable from one estate to another, and what stopped being so, each with a witness.

Both estates are cut along the same lines, so that atoms and classes mean the same in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cloudseg.reach.comparing.changes import Cause, Change, Comparison, Counts
from cloudseg.reach.comparing.gains import Gains, gained, unknown_in_both
from cloudseg.reach.comparing.touched import touched_classes
from cloudseg.reach.comparing.witness import Witness
from cloudseg.reach.pairs.rows import Band
from cloudseg.reach.reachability import Reachability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cloudseg.model import Estate

__all__ = ["Cause", "Change", "Comparison", "Counts", "Witness", "compare"]


def compare(old: Estate, new: Estate) -> Comparison:
    """Return what became reachable from one estate to another, and what stopped being so.

    The answer is the same whatever order the estates hold their parts in.
    """
    return _Pairing(old, new).compared()


class _Pairing:
    """Two estates over the same classes."""

    def __init__(self, old: Estate, new: Estate) -> None:
        self._old, self._new = Reachability.together([old, new])
        classes = self._new.classes
        firsts = [own.members[0] for own in classes]
        # The members of a class are all in an estate, or none is.
        came = np.array([name not in old.interfaces for name in firsts], dtype=np.bool_)
        went = np.array([name not in new.interfaces for name in firsts], dtype=np.bool_)
        self._gains = Gains(self._new, came, "came")
        self._losses = Gains(self._old, went, "went")
        self._came = tuple(sorted(new.interfaces.keys() - old.interfaces.keys()))
        self._went = tuple(sorted(old.interfaces.keys() - new.interfaces.keys()))
        self._touched = touched_classes(old, new, self._new.ground.columns)
        self._sizes: NDArray[np.int64] = np.array([len(own.members) for own in classes], dtype=np.int64)
        self._undecided = 0

    def compared(self) -> Comparison:
        """Go through all pairs of both estates."""
        for target in self._new.matrix.order():
            before, after = self._old.matrix.arrivals(target), self._new.matrix.arrivals(target)
            self._inside(target, before.inside, after.inside)
            # What load balancers hand on under their clients' addresses comes from outside, as `reach` tells it.
            entering = (
                reach.with_forwarded(target, arrivals.outside)
                for reach, arrivals in ((self._old, before), (self._new, after))
            )
            self._outside(target, *entering, incoming=True)
        for source in range(len(self._sizes)):
            leaving = self._old.matrix.departures(source), self._new.matrix.departures(source)
            self._outside(source, *leaving, incoming=False)
        return Comparison(
            gained=self._gains.changes(),
            lost=self._losses.changes(),
            gains=self._gains.counts,
            losses=self._losses.counts,
            came=self._came,
            went=self._went,
            undecided=self._undecided,
        )

    def _inside(self, target: int, before: Band, after: Band) -> None:
        columns = _differing(before, after)
        if len(columns):
            some, others = _of(before, columns), _of(after, columns)
            self._gains.take(target, gained(some, others), columns)
            self._losses.take(target, gained(others, some), columns)
        if not self._touched.any():
            return
        unknown: NDArray[np.bool_] = np.any(unknown_in_both(before, after), axis=0)
        if not self._touched[target]:
            unknown = unknown & self._touched
        if unknown.any():
            self._undecided += int(self._sizes[target]) * int(self._sizes[unknown].sum() - unknown[target])

    def _outside(self, number: int, before: Band, after: Band, *, incoming: bool) -> None:
        if not _same(before, after):
            self._gains.take_outside(number, gained(before, after), incoming=incoming)
            self._losses.take_outside(number, gained(after, before), incoming=incoming)
        if self._touched[number] and unknown_in_both(before, after).any():
            self._undecided += int(self._sizes[number])


def _same(before: Band, after: Band) -> bool:
    return np.array_equal(before.upper, after.upper) and np.array_equal(before.lower, after.lower)


def _differing(before: Band, after: Band) -> NDArray[np.intp]:
    """Return the columns in which anything differs."""
    if _same(before, after):
        return np.empty(0, dtype=np.intp)
    differing = (before.upper != after.upper) | (before.lower != after.lower)
    return np.flatnonzero(differing.any(axis=0))


def _of(band: Band, columns: NDArray[np.intp]) -> Band:
    return Band(band.lower[:, columns], band.upper[:, columns])
