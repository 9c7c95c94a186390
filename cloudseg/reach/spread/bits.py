"""Sets of classes as packed bits: a row of bytes for each set, eight classes a byte, the lowest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Bits", "Row", "as_number", "empty", "held", "pack", "planes_of", "sums", "transposed", "unpack"]

Row = np.ndarray[tuple[int], np.dtype[np.uint8]]
"""A set of classes."""

Bits = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
"""A set of classes in each row."""

_TILE: Final = (512, 32)
"""Rows and bytes that are turned at a time, so that they stay in the processor's cache."""


def empty(rows: int, size: int) -> Bits:
    """Return as many empty sets of ``size`` classes."""
    return np.zeros((rows, -(-size // 8)), dtype=np.uint8)


def pack(flags: NDArray[np.bool_]) -> Row:
    """Return the set of the classes that are flagged."""
    found: Row = np.packbits(flags, bitorder="little")
    return found


def unpack(row: Row, size: int) -> NDArray[np.bool_]:
    """Return a flag for each class."""
    return np.unpackbits(row, count=size, bitorder="little").view(np.bool_)


def held(row: Row, size: int) -> NDArray[np.intp]:
    """Return the numbers of the classes in a set, in order."""
    return np.flatnonzero(unpack(row, size))


def as_number(row: Row) -> int:
    """Return a set as one number, whose bits are the classes."""
    return int.from_bytes(row.tobytes(), "little")


def transposed(bits: Bits, size: int) -> Bits:
    """Return for each class the rows that hold it; there are as many rows as classes."""
    found = empty(size, size)
    height, breadth = _TILE
    for top in range(0, size, height):
        for left in range(0, bits.shape[1], breadth):
            tile = np.unpackbits(bits[top : top + height, left : left + breadth], axis=1, bitorder="little")
            turned = np.packbits(np.ascontiguousarray(tile.T), axis=1, bitorder="little")
            end = min(size, (left + breadth) * 8)
            found[left * 8 : end, top // 8 : top // 8 + turned.shape[1]] = turned[: end - left * 8]
    return found


def sums(bits: Bits, planes: Iterable[Row]) -> NDArray[np.int64]:
    """Return the total weight of the classes in each row, with weights as :func:`planes_of` returns them."""
    found: NDArray[np.int64] = np.zeros(len(bits), dtype=np.int64)
    for power, plane in enumerate(planes):
        found += np.bitwise_count(bits & plane).sum(axis=1, dtype=np.int64) << power
    return found


def planes_of(weights: NDArray[np.int64]) -> tuple[Row, ...]:
    """Return weights by their binary digits: for each the set of the classes whose weight has it."""
    digits = int(weights.max(initial=0)).bit_length()
    return tuple(pack((weights >> digit & 1).astype(np.bool_)) for digit in range(digits))
