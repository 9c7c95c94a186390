"""What stages let through between an interface and every column at once, as rows of masks.

A row has a word (or several) of traffic atoms for each column. It comes as a band: what certainly passes, and what
passes at most; where nothing is unknown both are one array.
"""

from __future__ import annotations

from functools import cached_property, reduce
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.pairs.contents import Contents, Rows
from cloudseg.reach.pairs.ordered import Ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.reach.packets import Box
    from cloudseg.reach.pairs.atoms import TrafficAtoms, Words
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.survey import Judgement, Survey

__all__ = ["Admission", "Arrivals", "Band", "RowMaker", "Rows", "band_of"]


_KEPT: Final = 32
"""So many answers of lists in turn are kept."""


class Band(NamedTuple):
    """Lower and upper bound; one array where they are equal."""

    lower: Rows
    upper: Rows

    @property
    def exact(self) -> bool:
        """Whether nothing unknown lies between the bounds."""
        return self.lower is self.upper

    def bound(self, *, certain: bool) -> Rows:
        """Return one of the bounds."""
        return self.lower if certain else self.upper


def band_of(lower: Rows, upper: Rows) -> Band:
    """Return two bounds as a band: one array where they are equal."""
    return Band(lower, lower if np.array_equal(lower, upper) else upper)


class Arrivals(NamedTuple):
    """What arrives at a class.

    Attributes:
        inside: from each class, by word and class.
        outside: from each position of the address line, by word and position.
        straight: what of the lower bound of ``inside`` lists see under private addresses; None for all of it. The rest
            certainly comes over the internet, or only nodes of load balancers send it.
    """

    inside: Band
    outside: Band
    straight: Rows | None = None


class Admission:
    """What stateful stages let through.

    Args:
        rows: makes the rows.
        judgements: how the stages judge, in the order in which a packet meets them.

    Attributes:
        judgements: how the stages judge.
        names_groups: whether a rule names a group; otherwise ``grouped`` and ``plain`` are one object.
    """

    def __init__(self, rows: RowMaker, judgements: tuple[Judgement, ...]) -> None:
        self._rows = rows
        self.judgements = judgements
        self.names_groups = rows.names_groups(judgements)

    @cached_property
    def grouped(self) -> Band:
        """What is let through on paths on which a rule that names a group matches its members."""
        return self._rows.together(self.judgements, grouped=self.names_groups)

    @cached_property
    def plain(self) -> Band:
        """What is let through on the other paths."""
        return self._rows.together(self.judgements, grouped=False) if self.names_groups else self.grouped

    @cached_property
    def reaches_outside(self) -> bool:
        """Whether ``grouped`` and ``plain`` may differ outside of the estate."""
        return self._rows.names_unseen(self.judgements)


class _Answer(NamedTuple):
    """What a stage, or several in turn, hand to the next one, and what they accept for good."""

    passed: Rows
    accepted: Rows | None

    def then(self, other: _Answer) -> _Answer:
        """Return what this one and another one after it make of everything."""
        accepted = self.accepted
        if other.accepted is not None:
            for_good = other.accepted & self.passed
            accepted = for_good if accepted is None else accepted | for_good
        return _Answer(self.passed & other.passed, accepted)

    @property
    def through(self) -> Rows:
        """What gets through either way."""
        return self.passed if self.accepted is None else self.passed | self.accepted


class RowMaker:
    """Makes rows of masks out of judgements.

    Args:
        survey: what the lists of the estate name.
        atoms: the atoms of traffic, cut for the survey.
        columns: the columns.
    """

    def __init__(self, survey: Survey, atoms: TrafficAtoms, columns: Columns) -> None:
        self._survey = survey
        self._atoms = atoms
        self._columns = columns
        self._shape = (atoms.width, columns.width)
        self._contents = Contents(survey, atoms, columns)
        self._boundaries: dict[Judgement, Band] = {}
        self.everything: Words = atoms.words(atoms.everything)
        self._runs: dict[tuple[tuple[Judgement, ...], bool, bool], _Answer] = {}
        self._ordered = Ordered(survey, self._contents, columns.width, self.everything)

    def full(self) -> Rows:
        """Return a new row that lets everything through."""
        row: Rows = np.empty(self._shape, dtype=np.uint64)
        row[:] = self.everything[:, None]
        return row

    def admission(self, judgements: Sequence[Judgement]) -> Admission | None:
        """Return what stateful stages let through one after the other; None for everything.

        Args:
            judgements: how each stage judges, in the order in which a packet meets them.
        """
        return Admission(self, tuple(judgements)) if judgements else None

    def boundary(self, judgement: Judgement) -> Band:
        """Return what a stateless stage lets through in its direction."""
        known = self._boundaries.get(judgement)
        if known is None:
            bounds = self._survey.boxes_of(judgement)
            lower = self._painted(bounds.lower, certain=True)
            upper = self.full() if judgement.unread else self._painted(bounds.upper, certain=False)
            known = self._boundaries[judgement] = band_of(lower, upper)
        return known

    def _painted(self, boxes: Sequence[Box], *, certain: bool) -> Rows:
        row: Rows = np.zeros(self._shape, dtype=np.uint64)
        for box in boxes:
            mask = self._atoms.words(self._atoms.mask(box.traffic))[:, None]
            choice = self._columns.choose(box.addresses)
            for start, end in choice.runs:
                row[:, start:end] |= mask
            unread = choice.sure if certain else choice.maybe
            if unread is not None and len(unread):
                row[:, unread] |= mask
        return row

    def names_groups(self, judgements: Sequence[Judgement]) -> bool:
        """Tell whether a rule of any of the lists names a group."""
        return self._contents.named.any_in(judgements)

    def names_unseen(self, judgements: Sequence[Judgement]) -> bool:
        """Tell whether a rule of any of the lists names a group that may have members outside of the estate."""
        return self._contents.unseen.any_in(judgements)

    def is_exact(self, judgements: Sequence[Judgement]) -> bool:
        """Tell whether nothing about the lists is unknown."""
        return not (any(judgement.unread for judgement in judgements) or self._contents.inexact.any_in(judgements))

    def together(self, judgements: Sequence[Judgement], *, grouped: bool) -> Band:
        """Return both bounds of what stateful stages let through one after the other."""
        lower = self.row(judgements, grouped=grouped, certain=True)
        exact = self.is_exact(judgements)
        return Band(lower, lower if exact else self.row(judgements, grouped=grouped, certain=False))

    def row(self, judgements: Sequence[Judgement], *, certain: bool, grouped: bool) -> Rows:
        """Return one bound of what stateful stages let through one after the other."""
        found: _Answer | None = None
        part = 0
        for (own, shared), together in groupby(judgements, key=self._kind):
            run = tuple(together)
            if own > part:
                # What was accepted for good before meets the stages of the next part all the same.
                found = None if found is None else _Answer(found.through, None)
                part = own
            answer = (self._of_run if shared else self._in_turn)(run, grouped=grouped, certain=certain)
            found = answer if found is None else found.then(answer)
        return self.full() if found is None else found.through

    def _kind(self, judgement: Judgement) -> tuple[int, bool]:
        """Return the part of a stage, and whether its list is the same for all whom it judges."""
        alone = judgement.stage.match == "first" and len(self._survey.family(judgement).lists) == 1
        return judgement.stage.part, alone

    def _of_run(self, run: tuple[Judgement, ...], *, grouped: bool, certain: bool) -> _Answer:
        """Return what lists make of everything that thousands of machines have in common: worked out once."""
        key = (run, grouped, certain)
        known = self._runs.get(key)
        if known is None:
            if len(self._runs) >= _KEPT:
                self._runs.clear()
            known = self._runs[key] = self._in_turn(run, grouped=grouped, certain=certain)
        return known

    def _in_turn(self, run: Sequence[Judgement], *, grouped: bool, certain: bool) -> _Answer:
        each = [
            self._answer(judgement, grouped=grouped, certain=certain or self.is_exact((judgement,)))
            for judgement in run
        ]
        return reduce(_Answer.then, each)

    def named(self, judgements: Sequence[Judgement], *, certain: bool) -> Rows:
        """Return one bound of what stateful stages let through because a rule names a group, from any address.

        It is worked out where one stage decides of which any rule may match; elsewhere it is nothing, or everything.
        """
        row: Rows = np.zeros(self._shape, dtype=np.uint64)
        for judgement in judgements:
            known = len(judgements) == 1 and judgement.stage.match == "any"
            if not certain and (judgement.unread or not known):
                return self.full()
            if known:
                for verdict in ("next", "accept"):
                    self._contents.add_groups(row, judgement.contents, verdict, certain=certain)
        return row

    def by_groups(self, judgements: Sequence[Judgement], groups: frozenset[str]) -> Words:
        """Return what stateful stages let through at most because a rule names one of some groups, whoever comes."""
        found = self.everything
        if len(judgements) == 1 and judgements[0].stage.match == "any" and not judgements[0].unread:
            found = self._contents.of_groups(judgements[0].contents, groups)
        return found

    def _answer(self, judgement: Judgement, *, grouped: bool, certain: bool) -> _Answer:
        if judgement.unread and not certain and judgement.stage.opens_unread:
            return _Answer(self.full(), self.full())
        if judgement.unread and judgement.stage.miss != "deny":
            return _Answer(np.zeros(self._shape, dtype=np.uint64), None)
        if judgement.stage.match == "first":
            passed, accepted, left = self._ordered.decided(judgement, grouped=grouped, certain=certain)
            if judgement.unread and not certain:
                return _Answer(self.full(), accepted)
            return _Answer(passed if judgement.stage.miss == "deny" else passed | left, accepted)
        if judgement.stage.miss != "deny":
            return _Answer(self.full(), None)
        contents = judgement.contents
        passed = self._contents.row(contents, "next", certain=certain)
        if grouped:
            self._contents.add_groups(passed, contents, "next", certain=certain)
        if not any(self._contents.accepting[content] for content in contents):
            return _Answer(passed, None)
        accepted = self._contents.row(contents, "accept", certain=certain)
        if grouped:
            self._contents.add_groups(accepted, contents, "accept", certain=certain)
        return _Answer(passed, accepted)
