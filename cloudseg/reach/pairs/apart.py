"""Ordered lists of which each holds other rules than the next, out of rules that stand in many of them.

What tags and accounts choose of one list of a network is such a list for every machine. So it is looked up once whom
each rule names, over stretches of columns that no rule tells apart; a list is then worked out of rows that are there.
"""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from cloudseg.reach.pairs.first_match import Decided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.contents import Rows
    from cloudseg.reach.pairs.first_match import Into, Turn

__all__ = ["Apart"]

_AT_ONCE: Final = 1 << 18
"""So many words are worked out at once."""
_LARGEST: Final = 1 << 23
"""So many answers to whether a rule names a stretch are kept of some lists."""


class Apart:
    """Rules that stand in many lists.

    Args:
        turns: the rules, each once.
        named: by rule and stretch, whether the rule names it.
        lengths: how many columns each stretch has.
        everything: all traffic.

    Attributes:
        cells: how many words it keeps.
    """

    def __init__(
        self, turns: Sequence[Turn], named: NDArray[np.bool_], lengths: NDArray[np.intp], everything: Words
    ) -> None:
        self._words: NDArray[np.uint64] = np.array([turn.words for turn in turns], dtype=np.uint64)
        self._words = self._words.reshape(len(turns), len(everything))
        self._into: list[Into] = [turn.into for turn in turns]
        self._named = named
        self._lengths = lengths
        self._everything = everything
        self._at_once = max(1, _AT_ONCE // (len(lengths) * len(everything)))
        self.cells = named.size // 8

    @staticmethod
    def of(turns: Sequence[Turn], width: int, everything: Words) -> Apart | None:
        """Return rules that stand in many lists; None where it would be too much to keep whom they name.

        Args:
            turns: the rules, each once.
            width: how many columns there are.
            everything: all traffic.
        """
        counts = [len(turn.spans) for turn in turns]
        ends = np.array(list(chain.from_iterable(chain.from_iterable(turn.spans for turn in turns))), dtype=np.intp)
        cuts: NDArray[np.intp] = np.unique(np.append(ends, (0, width)))
        if len(turns) * len(cuts) > _LARGEST:
            return None
        # Of each rule it is counted how many of its spans have begun: one more at each start, one less behind each end.
        places = np.searchsorted(cuts, ends) + np.repeat(np.arange(len(turns)) * len(cuts), counts).repeat(2)
        size = len(turns) * len(cuts)
        steps = np.bincount(places[::2], minlength=size) - np.bincount(places[1::2], minlength=size)
        begun = np.cumsum(steps.reshape(len(turns), len(cuts)), axis=1)
        return Apart(turns, begun[:, :-1] > 0, cuts[1:] - cuts[:-1], everything)

    def decided(self, order: Sequence[int]) -> Decided:
        """Return what a list makes of all traffic.

        Args:
            order: its rules in their order, by their places among all.
        """
        left: Rows = np.repeat(self._everything[:, None], len(self._lengths), axis=1)
        passed: Rows = np.zeros_like(left)
        accepted: Rows | None = None
        for start in range(0, len(order), self._at_once):
            part = order[start : start + self._at_once]
            chosen = np.array(part, dtype=np.intp)
            named = self._named[chosen][:, None, :] * self._words[chosen][:, :, None]
            into = [self._into[rule] for rule in part]
            # Rules beside each other that do the same take together what each of them names.
            starts = [place for place, own in enumerate(into) if place == 0 or own != into[place - 1]]
            for first, end in pairwise((*starts, len(part))):
                taken: Rows = np.bitwise_or.reduce(named[first:end], axis=0)
                taken &= left
                left ^= taken
                if into[first] == "passed":
                    passed |= taken
                elif into[first] == "accepted":
                    accepted = taken if accepted is None else accepted | taken
        return Decided(self._spread(passed), None if accepted is None else self._spread(accepted), self._spread(left))

    def _spread(self, rows: Rows) -> Rows:
        found: Rows = np.repeat(rows, self._lengths, axis=1)
        return found
