"""What the lists at touched ends let through in several states of a plan, over the same columns.

Whatever way packets take, what passes is made of what lists at interfaces let through of somebody's packets, and never
less where a list lets more through. So where the lists of an end let nothing more through in a state than before,
whoever the other end is and whether groups hold on the way or not, nobody gains by them. The ways need not be followed.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.plan.proving.known import Known
from cloudseg.reach.lists_met import ListsMet
from cloudseg.reach.near_ends import NearEnds
from cloudseg.reach.pairs.atoms import AddressLine, TrafficAtoms
from cloudseg.reach.pairs.columns import Columns, traits_of
from cloudseg.reach.pairs.contents import Contents
from cloudseg.reach.pairs.paths import Paths, Routes
from cloudseg.reach.pairs.rows import Band, RowMaker
from cloudseg.reach.pairs.survey import Survey
from cloudseg.traffic import GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cloudseg.model import Direction, Estate
    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.columns import Traits
    from cloudseg.reach.pairs.survey import Judged
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Both", "Ledger", "Near"]


class Both(NamedTuple):
    """What is let through on ways on which groups hold, and on the others; one object where no rule names a group."""

    grouped: Band
    plain: Band


class Near(NamedTuple):
    """Interfaces that are judged alike in a direction, before the plan and in a state of it.

    Attributes:
        names: qualified ids, in order.
        direction: of the packets.
    """

    names: tuple[str, ...]
    direction: Direction


class Ledger:
    """Says what lists let through at touched ends.

    Args:
        states: the estate before the plan, and further states of it.
        near: the touched interfaces, by id.
        addresses: further addresses that the columns must tell apart.
        known: what is known of the first of them.

    Attributes:
        states: the same, with the rules of firewalls on the way as lists.
        atoms: the atoms of traffic.
        columns: the columns of the other ends.
    """

    def __init__(
        self,
        states: Sequence[Estate],
        near: Collection[str],
        addresses: Iterable[AddressSet] = (),
        known: Known | None = None,
    ) -> None:
        first = Known(states[0]) if known is None else known
        self.states = [first.screened(state) for state in states]
        self._surveys = [_survey(state) for state in self.states]
        for state, survey in zip(self.states, self._surveys, strict=True):
            for name in near:
                survey.treatment(state.interfaces[name])
        self.routes = Routes(self._surveys[0])
        self.atoms = TrafficAtoms(traffic for survey in self._surveys for traffic in survey.traffics())
        named = chain.from_iterable(survey.addresses() for survey in self._surveys)
        self.line = AddressLine((GLOBAL_UNICAST, *named, *self.routes.addresses(), *addresses))
        # As other ends interfaces are told apart by their addresses and groups, not by the lists that judge them.
        traits = traits_of(_survey(dataclasses.replace(self.states[0], rule_sets={})), self.line)
        self.columns = Columns(
            [traits, *(self._of_touched(traits, number, near) for number in self._later())], self.line
        )
        self._rows = [RowMaker(survey, self.atoms, self.columns) for survey in self._surveys]
        self._full = self._rows[0].full()
        self._known: dict[tuple[int, int], Both] = {}

    def _later(self) -> range:
        return range(1, len(self.states))

    def _of_touched(self, traits: dict[str, Traits], number: int, near: Collection[str]) -> dict[str, Traits]:
        """Return what tells touched interfaces apart in a later state: an edit changes no address, and no route."""
        survey, state = self._surveys[number], self.states[number]
        return {name: traits[name]._replace(key=survey.treatment(state.interfaces[name]).number) for name in near}

    def judged(self, number: int, name: str, direction: Direction) -> Judged:
        """Return how lists judge packets of a direction at an interface in a state, by its number."""
        return self._surveys[number].treatment(self.states[number].interfaces[name]).of(direction)

    def survey(self, number: int) -> Survey:
        """Return what the lists of a state name."""
        return self._surveys[number]

    def alike(self, names: Iterable[str], direction: Direction, number: int) -> Iterator[Near]:
        """Yield interfaces by how they are judged in a direction, before the plan and in a state of it."""
        found: dict[tuple[int, int], list[str]] = {}
        for name in names:
            kinds = self.judged(0, name, direction).kind, self.judged(number, name, direction).kind
            found.setdefault(kinds, []).append(name)
        for each in found.values():
            yield Near(tuple(each), direction)

    def let_through(self, number: int, name: str, direction: Direction) -> Both:
        """Return what the stateful lists of an interface let through in a state, by word and column of the other end.

        What is kept is not to be changed; only the latest answers are.
        """
        judged = self.judged(number, name, direction)
        known = self._known.get((number, judged.kind))
        if known is None:
            admission = self._rows[number].admission(judged.stateful)
            everything = Band(self._full, self._full)
            known = Both(everything, everything) if admission is None else Both(admission.grouped, admission.plain)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[number, judged.kind] = known
        return known

    @cached_property
    def paths(self) -> Paths:
        """The ways between ends, which no edit changes."""
        return Paths(self.routes, self.columns)

    def contents(self, number: int) -> Contents:
        """Return what the lists of a state hold, over the columns."""
        if number not in self._contents:
            self._contents[number] = Contents(self._surveys[number], self.atoms, self.columns)
        return self._contents[number]

    @cached_property
    def _contents(self) -> dict[int, Contents]:
        return {}

    def overlapping(self, traffic: Traffic) -> NDArray[np.uint64]:
        """Return the atoms that some traffic overlaps, as words: it need not be a union of them."""
        known = self._overlapping.get(traffic)
        if known is None:
            mask = sum(1 << place for place, atom in enumerate(self._atoms) if atom.overlaps(traffic))
            known = self._overlapping[traffic] = self.atoms.words(mask)
        return known

    @cached_property
    def _overlapping(self) -> dict[Traffic, NDArray[np.uint64]]:
        return {}

    @cached_property
    def _atoms(self) -> tuple[Traffic, ...]:
        return tuple(self.atoms.traffic(1 << place) for place in range(self.atoms.count))

    def traffic(self, words: Words) -> Traffic:
        """Return the traffic of a mask, given as words."""
        return self.atoms.from_words(words)


_KEPT = 64
"""So many answers are kept."""


def _survey(estate: Estate) -> Survey:
    near = NearEnds(estate)
    return Survey(estate, ListsMet(estate, near), near)
