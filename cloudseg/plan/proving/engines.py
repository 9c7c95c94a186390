"""Who reaches whom before a plan and in a state of it, along the ways: asked where lists alone do not tell.

Where interfaces bear addresses of both families each family is looked at by itself, for what one gains or loses the
other would hide.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.pairs.ground import Ground, Surveyed
from cloudseg.reach.pairs.rows import Band
from cloudseg.reach.reachability import Reachability, Shared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cloudseg.model import Estate, Family
    from cloudseg.plan.proving.known import Known
    from cloudseg.traffic import Traffic

__all__ = ["Bands", "Engine", "Engines"]


class Bands(NamedTuple):
    """The same rows before the plan and in a state of it."""

    before: Band
    after: Band

    @property
    def gained(self) -> Band:
        """What may pass in the state and did not surely before; certain is what did not at all."""
        return Band(self.after.lower & ~self.before.upper, self.after.upper & ~self.before.lower)

    @property
    def lost(self) -> Band:
        """What may have passed before and does not surely in the state; certain is what does not at all."""
        return Band(self.before.lower & ~self.after.upper, self.before.upper & ~self.after.lower)

    @property
    def unknown(self) -> NDArray[np.uint64]:
        """What lies between the bounds in both."""
        found: NDArray[np.uint64] = (self.before.upper & ~self.before.lower) & (self.after.upper & ~self.after.lower)
        return found


class Engine:
    """Both states over the same classes.

    Args:
        known: the estate before the plan.
        after: the state.
        family: the family of addresses that they are about; None for all.
    """

    def __init__(self, known: Known, after: Estate, family: Family | None) -> None:
        surveyed = (known.surveyed(family), Surveyed.of(known.screened(after, family)))
        ground = Ground(surveyed)
        self.before, self.after = (
            Reachability(own.survey.estate, shared=Shared(own, ground, number)) for number, own in enumerate(surveyed)
        )
        self.family = family
        self._overlapping: dict[Traffic, NDArray[np.uint64]] = {}

    def inside(self, target: int) -> Bands:
        """Return what arrives at a class from others, by its number."""
        return Bands(self.before.arrivals(target).inside, self.after.arrivals(target).inside)

    def entering(self, target: int) -> Bands:
        """Return what arrives at a class from outside, by its number."""
        return Bands(self.before.entering(target), self.after.entering(target))

    def leaving(self, source: int) -> Bands:
        """Return what leaves a class for addresses outside, by its number."""
        return Bands(self.before.departures(source), self.after.departures(source))

    def number_of(self, interface: str) -> int | None:
        """Return the number of an interface's class; None where it has no address of the family."""
        return self.after.ground.columns.class_of.get(interface)

    def overlapping(self, traffic: Traffic) -> NDArray[np.uint64]:
        """Return the atoms that some traffic overlaps, as words: it need not be a union of them."""
        known = self._overlapping.get(traffic)
        if known is None:
            mask = sum(1 << place for place, atom in enumerate(self._atoms) if atom.overlaps(traffic))
            known = self._overlapping[traffic] = self.after.ground.atoms.words(mask)
        return known

    @cached_property
    def _atoms(self) -> tuple[Traffic, ...]:
        atoms = self.after.ground.atoms
        return tuple(atoms.traffic(1 << place) for place in range(atoms.count))

    def traffic(self, words: NDArray[np.uint64]) -> Traffic:
        """Return the traffic of a mask, given as words."""
        return self.after.ground.atoms.from_words(words.tolist())


class Engines:
    """The engines of the states of a plan, each made when it is first asked for.

    Args:
        known: the estate before the plan.
        states: the same, and further states of it.
    """

    def __init__(self, known: Known, states: tuple[Estate, ...]) -> None:
        self._first = known
        self._states = states
        self._known: dict[tuple[int, Family | None], Engine] = {}

    @cached_property
    def dual(self) -> bool:
        """Whether any interface bears addresses of both families."""
        return any(each.addresses.v4 and each.addresses.v6 for each in self._states[0].interfaces.values())

    @property
    def families(self) -> tuple[Family | None, ...]:
        """The families that have to be looked at by themselves; None stands for all at once."""
        return (4, 6) if self.dual else (None,)

    def of(self, number: int, family: Family | None) -> Engine:
        """Return the engine of a state and a family; of the latest ones alone it is kept."""
        known = self._known.get((number, family))
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[number, family] = Engine(self._first, self._states[number], family)
        return known


_KEPT = 2
"""So many engines are kept."""
