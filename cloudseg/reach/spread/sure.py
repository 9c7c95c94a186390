"""What certainly passes between classes, pair by pair: of all pairs of a large estate few, so that these are kept."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.rows import Rows

__all__ = ["Pairs", "PairsDraft"]

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
Numbers = np.ndarray[tuple[int], np.dtype[np.uint32]]


class Pairs:
    """Pairs of classes with what passes, each by the class at one end.

    Args:
        others: the class at the other end of each pair; pairs of one class stand together.
        words: what passes, by word and pair.
        starts: for each class where its pairs begin.
        counts: for each class how many it has.
    """

    def __init__(self, others: Numbers, words: Rows, starts: Indexes, counts: Indexes) -> None:
        self._others = others
        self._words = words
        self._starts = starts
        self._counts = counts

    def __len__(self) -> int:
        """Return how many pairs there are."""
        return len(self._others)

    def of(self, classes: Sequence[int]) -> tuple[Indexes, Numbers, Rows]:
        """Return the pairs of some classes: these, those at the other end, and what passes by word and pair."""
        parts = [slice(int(self._starts[each]), int(self._starts[each] + self._counts[each])) for each in classes]
        ends: Indexes = np.repeat(np.array(classes, dtype=np.intp), self._counts[list(classes)])
        if len(parts) == 1:
            return ends, self._others[parts[0]], self._words[:, parts[0]]
        others: Numbers = np.concatenate([self._others[part] for part in parts])
        return ends, others, np.concatenate([self._words[:, part] for part in parts], axis=1)

    @cached_property
    def turned(self) -> Pairs:
        """The same pairs by the class at the other end."""
        size = len(self._counts)
        ends: Numbers = np.empty(len(self._others), dtype=np.uint32)
        for number, (start, count) in enumerate(zip(self._starts.tolist(), self._counts.tolist(), strict=True)):
            ends[start : start + count] = number
        # Numbers of two bytes are sorted several times as fast.
        keys = self._others.astype(np.uint16) if size <= 1 << 16 else self._others
        order = np.argsort(keys, kind="stable")
        counts: Indexes = np.bincount(self._others, minlength=size).astype(np.intp)
        starts: Indexes = np.concatenate([np.zeros(1, dtype=np.intp), np.cumsum(counts)[:-1]])
        return Pairs(ends[order], self._words[:, order], starts, counts)


class PairsDraft:
    """Pairs by the target, while they are worked out target by target.

    Args:
        size: how many classes there are.
        width: how many words tell what passes.
    """

    def __init__(self, size: int, width: int) -> None:
        self._starts: Indexes = np.zeros(size, dtype=np.intp)
        self._counts: Indexes = np.zeros(size, dtype=np.intp)
        self._others: list[Numbers] = [np.zeros(0, dtype=np.uint32)]
        self._words: list[Rows] = [np.zeros((width, 0), dtype=np.uint64)]
        self._total = 0

    def take(self, targets: Sequence[int], pairs: tuple[NDArray[np.intp], NDArray[np.intp]], passing: Rows) -> None:
        """Note what passes to some targets.

        Args:
            targets: the classes.
            pairs: for each pair the place of its target in ``targets``, in order, and its source.
            passing: what passes, by word and pair.
        """
        chosen = np.flatnonzero(passing.any(axis=0))
        places, sources = pairs
        counts = np.bincount(places[chosen], minlength=len(targets))
        self._counts[targets] = counts
        self._starts[targets] = self._total + np.cumsum(counts) - counts
        self._others.append(sources[chosen].astype(np.uint32))
        self._words.append(passing.take(chosen, axis=1))
        self._total += len(chosen)

    def finished(self) -> Pairs:
        """Return the pairs."""
        return Pairs(np.concatenate(self._others), np.concatenate(self._words, axis=1), self._starts, self._counts)
