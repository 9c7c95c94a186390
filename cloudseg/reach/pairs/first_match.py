"""Lists of which the first matching rule decides: a list judges all columns at once, rule by rule.

Between the ends of the ranges that rules name they treat neighbouring columns alike. So lists are worked out for these
stretches, mostly hundreds instead of thousands of columns, and spread over the columns at the end.

One list may judge thousands of machines, and a rule for a single machine makes the list another one for it. What the
rules make of traffic that all of them share is worked out once; the few others take their part out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.contents import Rows

__all__ = ["Common", "Decided", "Into", "Spans", "Turn", "beside", "spans_of"]

Spans = tuple[tuple[int, int], ...]
"""Runs of columns, each from the first up to but not including the last."""
Into = Literal["passed", "accepted", "nowhere"]


class Turn(NamedTuple):
    """A rule, when it is its turn.

    Attributes:
        spans: the columns that it names.
        words: the traffic that it names.
        into: where that goes of it which no rule before named; a denial keeps it.
    """

    spans: Spans
    words: Words
    into: Into


class Decided(NamedTuple):
    """What the rules of a list make of all traffic, by word and column.

    Attributes:
        passed: what the list hands on.
        accepted: what it accepts for good; None where no rule does.
        left: what none of its rules names.
    """

    passed: Rows
    accepted: Rows | None
    left: Rows


def spans_of(runs: Iterable[tuple[int, int]], columns: Iterable[NDArray[np.intp]]) -> Spans:
    """Return runs of columns and single columns as spans."""
    found = [*runs]
    for chosen in columns:
        if not len(chosen):
            continue
        # Members of a group mostly stand beside each other.
        first = np.flatnonzero(np.diff(chosen, prepend=-2) != 1)
        last = np.append(first[1:], len(chosen)) - 1
        found.extend(zip(chosen[first].tolist(), (chosen[last] + 1).tolist(), strict=True))
    return tuple(found)


def beside(items: Sequence[int], common: Sequence[int]) -> list[tuple[int, int]] | None:
    """Return what a list holds besides the items of a shorter one: each item, and how many of the others come before.

    None where it does not hold all of them in their order.
    """
    found: list[tuple[int, int]] = []
    done = 0
    for item in items:
        if done < len(common) and item == common[done]:
            done += 1
        else:
            found.append((done, item))
    return found if done == len(common) else None


class Common:
    """What rules make of all traffic that several lists have in common.

    Args:
        turns: the rules, in their order.
        others: of other rules of these lists how many of the common ones come before, and the columns that they name.
        width: how many columns there are.
        everything: all traffic.

    Attributes:
        cells: how many words it keeps.
    """

    def __init__(
        self, turns: Sequence[Turn], others: Iterable[tuple[int, Spans]], width: int, everything: Words
    ) -> None:
        asked = dict.fromkeys(others)
        ends = {0, width}
        for spans in (*(turn.spans for turn in turns), *(spans for _, spans in asked)):
            for span in spans:
                ends.update(span)
        cuts = sorted(ends)
        self._place = {column: place for place, column in enumerate(cuts)}
        ends_of = np.array(cuts, dtype=np.intp)
        self._lengths = ends_of[1:] - ends_of[:-1]
        shape = (len(everything), len(self._lengths))
        left: Rows = np.repeat(everything[:, None], shape[1], axis=1)
        places = {before for before, _ in asked}
        self._before: dict[int, Rows] = {}
        self._rows: dict[Into, Rows] = {"passed": np.zeros(shape, dtype=np.uint64)}
        for number, turn in enumerate(turns):
            if number in places:
                self._before[number] = left
            taken = self._named(turn) & left
            left = left ^ taken
            if turn.into != "nowhere":
                self._rows[turn.into] = self._rows[turn.into] | taken if turn.into in self._rows else taken
        self._before[len(turns)] = self._left = left
        self.cells = (len(self._before) + len(self._rows)) * left.size

    def _named(self, turn: Turn) -> Rows:
        """Return what a rule names, by word and stretch."""
        named = np.zeros(len(self._lengths), dtype=np.bool_)
        for start, end in turn.spans:
            named[self._place[start] : self._place[end]] = True
        found: Rows = np.where(named, turn.words[:, None], np.uint64(0))
        return found

    def with_others(self, others: Sequence[tuple[int, Turn]]) -> Decided:
        """Return what a list makes of all traffic.

        Args:
            others: its rules besides those that all have, in their order: how many of these come before, and the rule.
        """
        taken: dict[Into, Rows] = {}
        gone: Rows = np.zeros_like(self._left)
        for before, turn in others:
            own = self._named(turn) & self._before[before] & ~gone
            gone |= own
            taken[turn.into] = taken[turn.into] | own if turn.into in taken else own
        rest = ~gone

        def of(into: Into) -> Rows:
            rows = self._rows[into] & rest if into in self._rows else np.zeros_like(gone)
            return self._spread(rows | taken[into] if into in taken else rows)

        accepts = "accepted" in self._rows or "accepted" in taken
        return Decided(of("passed"), of("accepted") if accepts else None, self._spread(self._left & rest))

    def _spread(self, rows: Rows) -> Rows:
        found: Rows = np.repeat(rows, self._lengths, axis=1)
        return found
