"""Columns of conversations as numbers: equal values share one, so that what is said of a value is worked out once."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Factor", "combined", "factor", "numbers_of"]

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


class Factor(NamedTuple):
    """A column as numbers.

    Attributes:
        codes: for each row the number of its value.
        values: the values by number.
    """

    codes: Numbers
    values: Sequence[Any]

    def at(self, row: int) -> Any:  # noqa: ANN401 - a column may hold anything
        """Return the value of a row."""
        return self.values[int(self.codes[row])]


def factor(values: NDArray[Any]) -> Factor:
    """Return a column as numbers, in the order in which its values first occur."""
    return numbers_of(values.tolist())


def numbers_of(rows: Sequence[Any]) -> Factor:
    """Return rows of any hashable values as numbers, in the order in which they first occur."""
    known: defaultdict[Any, int] = defaultdict(count().__next__)
    # Nothing of this loop runs in Python itself: a million rows take a tenth of a second.
    codes = np.fromiter(map(known.__getitem__, rows), np.int64, len(rows))
    return Factor(codes, tuple(known))


def combined(parts: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    """Return several columns of numbers as one: its number for each row, and the first row of each number.

    Numbers must not be negative.
    """
    key = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        width = int(part.max(initial=0)) + 1
        if width > 1 and int(key.max(initial=0)) > (1 << 62) // width:
            # No number holds the product: what is there so far is numbered anew.
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
        key = key * width + part
    _, first, codes = np.unique(key, return_index=True, return_inverse=True)
    return codes.astype(np.int64), first.astype(np.int64)
