"""Rows turned round: they are made by sender and asked for by target.

In large estates packets from a sender get to a small part of all faces. Of each row only that part is kept, in tiles of
neighbouring faces, so that what is asked of one face lies together.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.rows import Rows

__all__ = ["Turned"]

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
_FACES: Final = 64
"""So many faces make a tile."""
_ROWS: Final = 64
"""So many rows are turned round at once."""


class _Tile(NamedTuple):
    """What is kept for neighbouring faces.

    Attributes:
        slots: for each row where it is kept in the tile; at the end, where nothing is.
        words: by face, word and slot.
    """

    slots: Indexes
    words: NDArray[np.uint64]


class Turned:
    """Rows over faces, asked for by face.

    Memory is not taken before it is written: rows that nobody keeps cost nothing.

    Args:
        first: for each row the first face of the part that is kept.
        last: for each row the end of that part.
        width: words of a row.
        faces: how many faces there are.
    """

    def __init__(self, first: Indexes, last: Indexes, width: int, faces: int) -> None:
        self._tiles: list[_Tile] = []
        for start in range(0, faces, _FACES):
            within = (first < start + _FACES) & (last > start)
            count = int(within.sum())
            words = np.empty((min(_FACES, faces - start), width, count + 1), dtype=np.uint64)
            words[:, :, count] = 0
            self._tiles.append(_Tile(np.where(within, np.cumsum(within) - 1, count), words))

    def keep(self, numbers: Indexes, rows: Iterable[Rows]) -> None:
        """Keep rows, by their numbers, in the order of the numbers."""
        left, done = iter(rows), 0
        while block := list(islice(left, _ROWS)):
            chosen = numbers[done : done + len(block)]
            done += len(block)
            stacked = np.stack(block)
            for number, tile in enumerate(self._tiles):
                slots = tile.slots[chosen]
                here = slots < tile.words.shape[2] - 1
                if not here.any():
                    continue
                start = number * _FACES
                part = stacked[:, :, start : start + _FACES].transpose(2, 1, 0)
                if here.all() and (np.diff(slots) == 1).all():
                    tile.words[:, :, slots[0] : slots[-1] + 1] = part
                else:
                    tile.words[:, :, slots[here]] = part[:, :, here]

    def at(self, face: int, numbers: Indexes) -> Rows:
        """Return what some rows hold at a face of the part that is kept of them, by word and row."""
        return self.slots_at(face, self.slots(self.tile(face), numbers))

    def tile(self, face: int) -> int:
        """Return the number of the tile in which a face is kept."""
        return face // _FACES

    def slots(self, tile: int, numbers: Indexes) -> Indexes:
        """Return where some rows are kept in a tile: who asks for the same rows at many faces of it keeps that."""
        return self._tiles[tile].slots.take(numbers)

    def slots_at(self, face: int, slots: Indexes) -> Rows:
        """Return what rows hold at a face, by word and row, of which it is known where they are kept in its tile."""
        found: Rows = self._tiles[face // _FACES].words[face % _FACES].take(slots, axis=1)
        return found
