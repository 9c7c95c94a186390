"""The different numbers of an array."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["distinct"]

N = TypeVar("N", bound=np.integer)


def distinct(values: NDArray[N]) -> NDArray[N]:
    """Return the different numbers of an array in their order.

    ``numpy.unique`` does the same and loads masked arrays first, which takes longer than a small estate.
    """
    ordered = np.sort(values, axis=None)
    first = np.ones(len(ordered), dtype=np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]
