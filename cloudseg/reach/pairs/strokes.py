"""The narrow strokes of rows: columns and masks of all lists at once, so that a row takes a few array operations.

A rule for a group or a small range touches few columns. For thousands of lists these are worked out together: one array
of columns and one of masks, in which each list has its part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Strokes", "strokes_of"]


class Strokes(NamedTuple):
    """The strokes of every list, joined by column.

    Attributes:
        starts: for each list where its part begins; one more at the end.
        columns: columns, without repetition within a list.
        masks: masks by word, beside the columns.
    """

    starts: NDArray[np.intp]
    columns: NDArray[np.intp]
    masks: NDArray[np.uint64]

    def paint(self, row: NDArray[np.uint64], owner: int) -> None:
        """Add the strokes of a list to a row."""
        start, end = int(self.starts[owner]), int(self.starts[owner + 1])
        if start < end:
            for word, masks in zip(row, self.masks, strict=True):
                word[self.columns[start:end]] |= masks[start:end]


def strokes_of(
    owners: NDArray[np.intp],
    sets: NDArray[np.intp],
    masks: NDArray[np.intp],
    *,
    count: int,
    columns: Sequence[NDArray[np.intp]],
    words: NDArray[np.uint64],
) -> Strokes:
    """Join the strokes of all lists. A stroke is one mask over one set of columns, of one list.

    Args:
        owners: for each stroke the number of its list.
        sets: for each stroke the number of its set of columns.
        masks: for each stroke the number of its mask.
        count: how many lists there are.
        columns: the sets of columns.
        words: the masks, by number and word.
    """
    sizes = np.array([len(each) for each in columns], dtype=np.intp)
    if not len(owners) or not sizes[sets].any():
        nothing = np.empty(0, dtype=np.intp)
        return Strokes(np.zeros(count + 1, dtype=np.intp), nothing, np.empty((words.shape[1], 0), dtype=np.uint64))
    starts = np.concatenate(([0], np.cumsum(sizes)))
    every = np.concatenate(columns)
    counts = sizes[sets]
    place = np.repeat(starts[sets] - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
    touched = every[place + np.arange(int(counts.sum()))]
    width = int(every.max(initial=0)) + 1
    keys = np.repeat(owners, counts) * width + touched
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    joined = np.bitwise_or.reduceat(words[np.repeat(masks, counts)[order]], first, axis=0)
    keys = keys[first]
    bounds = np.searchsorted(keys, np.arange(count + 1) * width)
    return Strokes(bounds, keys % width, np.ascontiguousarray(joined.T))
