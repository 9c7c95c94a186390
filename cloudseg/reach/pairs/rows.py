"""What stages let through between an interface and every column at once, as rows of masks.

A row has a word (or several) of traffic atoms for each column. It comes as a band: what certainly passes, and what
passes at most; where nothing is unknown both are one array.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

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
    """What a stage hands to the next one, and what it accepts for good."""

    passed: Rows
    accepted: Rows | None


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
        return _any_of(judgements, self._contents.named_content, self._contents.named)

    def names_unseen(self, judgements: Sequence[Judgement]) -> bool:
        """Tell whether a rule of any of the lists names a group that may have members outside of the estate."""
        return _any_of(judgements, self._contents.unseen_content, self._contents.unseen)

    def is_exact(self, judgements: Sequence[Judgement]) -> bool:
        """Tell whether nothing about the lists is unknown."""
        exact, exact_content = self._contents.exact, self._contents.exact_content
        return all(
            not judgement.unread
            and all(exact_content[content] for content in judgement.contents)
            and all(exact[item] for item in judgement.items)
            for judgement in judgements
        )

    def together(self, judgements: Sequence[Judgement], *, grouped: bool) -> Band:
        """Return both bounds of what stateful stages let through one after the other."""
        lower = self.row(judgements, grouped=grouped, certain=True)
        exact = self.is_exact(judgements)
        return Band(lower, lower if exact else self.row(judgements, grouped=grouped, certain=False))

    def row(self, judgements: Sequence[Judgement], *, certain: bool, grouped: bool) -> Rows:
        """Return one bound of what stateful stages let through one after the other."""
        alive: Rows | None = None
        accepted: Rows | None = None
        part = 0
        for judgement in judgements:
            if judgement.stage.part > part:
                # What was accepted for good before meets the stages of the next part all the same.
                alive = alive if alive is None or accepted is None else alive | accepted
                accepted, part = None, judgement.stage.part
            answer = self._answer(judgement, grouped=grouped, certain=certain or self.is_exact((judgement,)))
            if answer.accepted is not None:
                for_good = answer.accepted if alive is None else answer.accepted & alive
                accepted = for_good if accepted is None else accepted | for_good
            alive = answer.passed if alive is None else alive & answer.passed
        if alive is None:
            return self.full()
        return alive if accepted is None else alive | accepted

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


def _any_of(judgements: Sequence[Judgement], contents: Sequence[bool], items: Sequence[bool]) -> bool:
    """Tell whether any of the lists holds something that is flagged: whole contents, or items."""
    return any(
        any(contents[content] for content in judgement.contents) or any(items[item] for item in judgement.items)
        for judgement in judgements
    )
