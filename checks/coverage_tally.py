"""Counts how many pairs of two segments carry what is intended between them, and keeps the worst that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cloudseg.checks.parts import Flags, Indexes, Units
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.traffic import AddressSet

__all__ = ["UNSURE", "Shown", "Tally"]

_NOTHING, _NOT_ALL, UNSURE = range(3)
"""How surely a pair lacks something: it certainly carries nothing, certainly not all, or that is unknown."""


class Shown(NamedTuple):
    """A pair that lacks something.

    Attributes:
        grade: how surely it does.
        near: qualified id of the interface at the near end.
        far: the same of the far end, or outside addresses.
        words: the atoms that it lacks.
    """

    grade: int
    near: str
    far: str | AddressSet
    words: NDArray[np.uint64]


class Tally:
    """What is carried between the interfaces of one segment and another segment.

    Args:
        words: the atoms that the intended traffic touches.
        units: the units.

    Attributes:
        pairs: all pairs so far.
        whole: those that certainly carry all of it.
        partly: those that certainly carry some of it.
        members: qualified ids of the interfaces at the near end.
        shown: the first of the pairs that lack most.
    """

    def __init__(self, words: NDArray[np.uint64], units: Units) -> None:
        self._words = words[:, None]
        self._units = units
        self.pairs = self.whole = self.partly = 0
        self.members: list[str] = []
        self.shown: Shown | None = None

    def take_inside(self, unit: int, far: Indexes, lower: Rows, upper: Rows) -> None:
        """Count the pairs of one unit with interfaces."""
        near = self._units.all[unit].members
        weights = self._units.weight[far] * len(near)
        # From an interface to itself is no pair.
        weights[far == unit] -= len(near)
        there = weights > 0
        carried, most = lower[:, far] & self._words, upper[:, far] & self._words
        lacking = self._lacking(carried) & there
        self.members.extend(near)
        self.pairs += int(weights.sum())
        self.whole += int(weights[~lacking].sum())
        self.partly += int(weights[lacking & carried.any(axis=0)].sum())
        if lacking.any():
            grade, place = self._worst(lacking, most)
            members = self._units.all[int(far[place])].members
            rows = carried if grade == UNSURE else most
            self._show(grade, near[0], members[-1 if int(far[place]) == unit else 0], rows[:, place])

    def take_outside(self, unit: int, far: Indexes, lower: Rows, upper: Rows) -> None:
        """Count the interfaces of one unit with all of some outside addresses."""
        near = self._units.all[unit].members
        carried, most = lower[:, far] & self._words, upper[:, far] & self._words
        lacking = self._lacking(carried)
        self.members.extend(near)
        self.pairs += len(near)
        if not lacking.any():
            self.whole += len(near)
            return
        self.partly += len(near) if carried.any() else 0
        grade, place = self._worst(lacking, most)
        rows = carried if grade == UNSURE else most
        alike = lacking & (rows == rows[:, [place]]).all(axis=0)
        addresses = NO_ADDRESSES
        for number in np.flatnonzero(alike).tolist():
            addresses |= self._units.all[int(far[number])].addresses
        self._show(grade, near[0], addresses, rows[:, place])

    def _lacking(self, rows: Rows) -> Flags:
        found: Flags = np.asarray((rows != self._words).any(axis=0))
        return found

    def _worst(self, lacking: Flags, most: Rows) -> tuple[int, int]:
        """Return the worst grade of what is lacking, and where it is first."""
        grades = np.full(len(lacking), UNSURE + 1)
        grades[lacking] = UNSURE
        grades[lacking & self._lacking(most)] = _NOT_ALL
        grades[lacking & ~most.any(axis=0)] = _NOTHING
        place = int(grades.argmin())
        return int(grades[place]), place

    def _show(self, grade: int, near: str, far: str | AddressSet, rows: NDArray[np.uint64]) -> None:
        if self.shown is None or grade < self.shown.grade:
            self.shown = Shown(grade, near, far, self._words[:, 0] & ~rows)
