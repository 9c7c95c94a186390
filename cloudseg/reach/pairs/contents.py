"""What lists of allowing rules hold, painted over the columns: wide ranges and everything narrow, each together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from cloudseg.model import provider_of
from cloudseg.reach.outside import has_unseen_members, stands_apart
from cloudseg.reach.pairs.first_match import spans_of
from cloudseg.reach.pairs.strokes import strokes_of
from cloudseg.reach.pairs.wide import Wide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Verdict
    from cloudseg.reach.pairs.atoms import TrafficAtoms, Words
    from cloudseg.reach.pairs.columns import Choice, Columns
    from cloudseg.reach.pairs.first_match import Spans
    from cloudseg.reach.pairs.strokes import Strokes
    from cloudseg.reach.pairs.survey import Judgement, Survey

__all__ = ["Contents", "Members", "Rows"]

Rows = np.ndarray[tuple[int, int], np.dtype[np.uint64]]
"""Masks, by word and column."""

_Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
_Part = Literal["addresses", "groups"]
_NARROW: Final = 256
"""Up to so many columns a range is painted together with others."""


class Members(NamedTuple):
    """The faces of a group.

    Attributes:
        sure: those that certainly belong to it.
        maybe: those that may, the sure ones among them.
        outside: interfaces that were not read may belong to it.
    """

    sure: _Indexes
    maybe: _Indexes
    outside: bool


class _Key(NamedTuple):
    verdict: Verdict
    certain: bool
    part: _Part


class _Drawn(NamedTuple):
    """The strokes of all lists for one key, and their wide ranges."""

    strokes: Strokes
    wide: Wide


class Flagged(NamedTuple):
    """Numbers of items of a kind, and of the contents that hold any of them."""

    items: frozenset[int]
    contents: frozenset[int]

    def any_in(self, judgements: Iterable[Judgement]) -> bool:
        """Tell whether any of the lists holds something of the kind."""
        for judgement in judgements:
            if not (self.items.isdisjoint(judgement.items) and self.contents.isdisjoint(judgement.contents)):
                return True
        return False


class Contents:
    """What lists hold, over the columns.

    Args:
        survey: what the lists of the estate name.
        atoms: the atoms of traffic, cut for the survey.
        columns: the columns.

    Attributes:
        inexact: what holds something of which not all is known.
        named: what names a group.
        unseen: what names a group that may have members outside of the estate.
        accepting: for each content whether any item accepts for good.
    """

    def __init__(self, survey: Survey, atoms: TrafficAtoms, columns: Columns) -> None:
        self._survey = survey
        self._columns = columns
        self._shape = (atoms.width, columns.width)
        masks: dict[int, int] = {}
        numbers = {traffic: masks.setdefault(atoms.mask(traffic), len(masks)) for traffic in survey.named_traffics}
        self._mask = np.array([numbers[item.traffic] for item in survey.items], dtype=np.intp)
        self._words: NDArray[np.uint64] = np.array([atoms.words(mask) for mask in masks], dtype=np.uint64).reshape(
            len(masks), atoms.width
        )
        self._remote = np.array([item.remote for item in survey.items], dtype=np.intp)
        self._least = [columns.choose(remote.least, remote.meaning, remote.cluster) for remote in survey.remotes]
        self._most = [columns.choose(remote.most, remote.meaning, remote.cluster) for remote in survey.remotes]
        self._doubtful = columns.faces_of(
            interface.id for interface in survey.estate.interfaces.values() if interface.attached_unread
        )
        self._doubtful_in_clouds = columns.faces_of(
            interface.id
            for interface in survey.estate.interfaces.values()
            if interface.attached_unread or stands_apart(interface, survey.estate)
        )
        self._members: dict[str, Members] = {}
        self._drawn: dict[_Key, _Drawn] = {}
        self._named: dict[tuple[int, bool, bool], Spans] = {}
        self._flags()

    def _flags(self) -> None:
        survey = self._survey
        remotes = range(len(survey.remotes))
        exact_end = np.array([self._exact_end(number) for number in remotes], dtype=bool)
        named_end = np.array([bool(remote.groups) for remote in survey.remotes], dtype=bool)
        self._certain = np.array([item.certain for item in survey.items], dtype=bool)
        self._verdict = np.array([item.verdict for item in survey.items], dtype="U6")
        unseen_end = np.array([self._unseen_end(number) for number in remotes], dtype=bool)
        exact = self._certain & exact_end[self._remote] if len(self._remote) else self._certain
        named = named_end[self._remote] if len(self._remote) else self._certain
        unseen = unseen_end[self._remote] if len(self._remote) else self._certain
        # Every content's items behind each other, with the content that each belongs to.
        sizes = [len(held) for held in survey.contents]
        self._held = np.fromiter((item for held in survey.contents for item in held), dtype=np.intp, count=sum(sizes))
        self._owner = np.repeat(np.arange(len(sizes), dtype=np.intp), sizes)
        count = len(sizes)
        self._exact_content = np.bincount(self._owner, weights=~exact[self._held], minlength=count) == 0
        self.inexact = self._flagged(~exact)
        self.named = self._flagged(named)
        self.unseen = self._flagged(unseen)
        accepts = self._verdict[self._held] == "accept"
        self.accepting = (np.bincount(self._owner, weights=accepts, minlength=count) > 0).tolist()

    def _flagged(self, flags: NDArray[np.bool_]) -> Flagged:
        contents = self._owner[flags[self._held]]
        return Flagged(frozenset(np.flatnonzero(flags).tolist()), frozenset(contents.tolist()))

    def _exact_end(self, number: int) -> bool:
        remote = self._survey.remotes[number]
        most = self._most[number]
        if remote.most != remote.least or (most.maybe is not None and len(most.maybe) != _length(most.sure)):
            return False
        members = [self.members(group) for group in remote.groups]
        return all(not each.outside and len(each.maybe) == len(each.sure) for each in members)

    def _unseen_end(self, number: int) -> bool:
        return any(self.members(group).outside for group in self._survey.remotes[number].groups)

    def members(self, group: str) -> Members:
        """Return the faces of a group; of one that was not read, those that carry it."""
        known = self._members.get(group)
        if known is None:
            estate = self._survey.estate
            read = group in estate.groups
            sure = self._columns.faces_of(i.id for i in (estate.members(group) if read else estate.carrying(group)))
            doubtful = self._doubtful if provider_of(group) == "kubernetes" else self._doubtful_in_clouds
            maybe = np.union1d(sure, doubtful) if len(doubtful) else sure
            known = self._members[group] = Members(sure, maybe, outside=has_unseen_members(group, estate))
        return known

    def row(self, contents: Sequence[int], verdict: Verdict, *, certain: bool) -> Rows:
        """Return a new row of what lists admit by address."""
        key = _Key(verdict, certain, "addresses")
        # Lists of one target mostly name other ranges; where they share one, to add it again changes nothing.
        row = self._worked_out(key).wide.row(contents)
        if row is None:
            row = np.zeros(self._shape, dtype=np.uint64)
        self._paint(row, key, contents)
        return row

    def add_groups(self, row: Rows, contents: Sequence[int], verdict: Verdict, *, certain: bool) -> None:
        """Add to a row what lists admit by group."""
        key = _Key(verdict, certain, "groups")
        unseen = None if certain else self._worked_out(key).wide.row(contents)
        if unseen is not None:
            row |= unseen
        self._paint(row, key, contents)

    def of_groups(self, contents: Iterable[int], groups: frozenset[str]) -> NDArray[np.uint64]:
        """Return what lists admit at most by rules that name one of some groups, whoever belongs to it."""
        words: NDArray[np.uint64] = np.zeros(self._shape[0], dtype=np.uint64)
        for item in {item for content in contents for item in self._survey.contents[content]}:
            if self._verdict[item] != "deny" and not groups.isdisjoint(
                self._survey.remotes[int(self._remote[item])].groups
            ):
                words |= self._words[int(self._mask[item])]
        return words

    def words(self, item: int) -> Words:
        """Return the traffic that an item names."""
        found: Words = self._words[self._mask[item]]
        return found

    def spans(self, remote: int, *, grouped: bool, certain: bool) -> Spans:
        """Return the columns of an end of rules.

        Args:
            remote: the number of the end.
            grouped: groups that it names stand for their members.
            certain: only those that it certainly names.
        """
        known = self._named.get((remote, grouped, certain))
        if known is None:
            choice = self._least[remote] if certain else self._most[remote]
            runs, single = [*choice.runs], [choice.sure if certain else choice.maybe]
            for group in self._survey.remotes[remote].groups if grouped else ():
                members = self.members(group)
                single.append(members.sure if certain else members.maybe)
                if members.outside and not certain:
                    runs.append((self._columns.faces, self._columns.width))
            known = spans_of(runs, [each for each in single if each is not None])
            self._named[remote, grouped, certain] = known
        return known

    def _paint(self, row: Rows, key: _Key, contents: Iterable[int]) -> None:
        strokes = self._worked_out(key).strokes
        sure = strokes if key.certain else self._worked_out(key._replace(certain=True)).strokes
        for content in contents:
            (strokes if content in self.inexact.contents else sure).paint(row, content)

    def _worked_out(self, key: _Key) -> _Drawn:
        """Work out the strokes of all lists; for the upper bound, only of lists in which something is unknown."""
        known = self._drawn.get(key)
        if known is None:
            chosen = self._verdict[self._held] == key.verdict
            if key.certain:
                chosen &= self._certain[self._held]
            elif key.part == "groups":
                chosen &= ~self._exact_content[self._owner]
            draw = self._draw_groups if key.part == "groups" else self._draw_ranges
            known = self._drawn[key] = draw(self._owner[chosen], self._held[chosen], certain=key.certain)
        return known

    def _draw_ranges(self, owners: NDArray[np.intp], items: NDArray[np.intp], *, certain: bool) -> _Drawn:
        remotes, masks = self._remote[items], self._mask[items]
        narrow = [self._narrow(remote, certain=certain) for remote in range(len(self._survey.remotes))]
        is_wide = np.array([columns is None for columns in narrow], dtype=bool)
        apart = is_wide[remotes] if len(remotes) else np.zeros(0, dtype=bool)
        near = ~apart
        if not certain:
            near &= ~self._exact_content[owners]
        nothing = np.empty(0, dtype=np.intp)
        strokes = strokes_of(
            owners[near],
            remotes[near],
            masks[near],
            count=len(self._survey.contents),
            columns=[nothing if columns is None else columns for columns in narrow],
            words=self._words,
        )
        spans = [
            self.spans(remote, grouped=False, certain=certain) if wide else () for remote, wide in enumerate(is_wide)
        ]
        return _Drawn(strokes, self._wide(owners[apart], remotes[apart], masks[apart], spans))

    def _draw_groups(self, owners: NDArray[np.intp], items: NDArray[np.intp], *, certain: bool) -> _Drawn:
        remotes, masks = self._remote[items], self._mask[items]
        groups = {group: number for number, group in enumerate(sorted(self._survey.groups))}
        members = [self.members(group) for group in groups]
        named = [[groups[group] for group in remote.groups] for remote in self._survey.remotes]
        counts = np.array([len(each) for each in named], dtype=np.intp)
        starts = np.concatenate(([0], np.cumsum(counts)))[:-1]
        every = np.array([group for each in named for group in each], dtype=np.intp)
        sizes = counts[remotes] if len(remotes) else np.zeros(0, dtype=np.intp)
        place = np.repeat(starts[remotes] - np.concatenate(([0], np.cumsum(sizes)))[:-1], sizes)
        sets = every[place + np.arange(int(sizes.sum()))] if len(every) else every
        owners, masks, remotes = (np.repeat(each, sizes) for each in (owners, masks, remotes))
        strokes = strokes_of(
            owners,
            sets,
            masks,
            count=len(self._survey.contents),
            columns=[each.sure if certain else each.maybe for each in members],
            words=self._words,
        )
        outside = np.array([each.outside for each in members], dtype=bool)
        apart = outside[sets] if len(sets) and not certain else np.zeros(len(sets), dtype=bool)
        unseen = ((self._columns.faces, self._columns.width),)
        return _Drawn(strokes, self._wide(owners[apart], sets[apart], masks[apart], [unseen] * len(groups)))

    def _wide(self, owners: _Indexes, sets: _Indexes, masks: _Indexes, spans: Sequence[Spans]) -> Wide:
        count, width = len(self._exact_content), self._columns.width
        return Wide(owners, sets, masks, spans=spans, count=count, words=self._words, width=width)

    def _narrow(self, remote: int, *, certain: bool) -> _Indexes | None:
        """Return the columns of a range; None where they are too many to be told one by one."""
        choice: Choice = self._least[remote] if certain else self._most[remote]
        if sum(end - start for start, end in choice.runs) > _NARROW:
            return None
        parts = [np.arange(start, end, dtype=np.intp) for start, end in choice.runs]
        unread = choice.sure if certain else choice.maybe
        if unread is not None and len(unread):
            parts.append(unread)
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.intp)


def _length(indexes: _Indexes | None) -> int:
    return 0 if indexes is None else len(indexes)
