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

_EXCHANGES: Final = tuple(
    (np.uint64(shift), np.uint64(mask))
    for shift, mask in ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0))
)
"""By how much bits of a square of eight times eight move, and which of them, to turn it round."""


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
    """Return for each class the rows that hold it; there are as many rows as classes.

    Squares of eight rows and eight classes are numbers of 64 bits, which three exchanges of their halves, quarters and
    eighths turn round.
    """
    height, breadth = -(-len(bits) // 8), bits.shape[1]
    padded = np.zeros((height * 8, breadth), dtype=np.uint8)
    padded[: len(bits)] = bits
    squares = np.ascontiguousarray(padded.reshape(height, 8, breadth).transpose(2, 0, 1)).view("<u8")[:, :, 0]
    for shift, mask in _EXCHANGES:
        moved = (squares ^ (squares >> shift)) & mask
        squares ^= moved ^ (moved << shift)
    turned = squares.astype("<u8", copy=False).view(np.uint8).reshape(breadth, height, 8).transpose(0, 2, 1)
    return np.ascontiguousarray(turned.reshape(breadth * 8, height)[:size])


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
