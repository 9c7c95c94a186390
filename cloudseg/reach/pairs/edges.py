"""What the boundaries of subnets let through, one direction at a time: stateless lists ask about every packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cloudseg.reach.pairs.rows import Band
from cloudseg.reach.pairs.survey import NO_JUDGEMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Direction, Interface
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.rows import RowMaker, Rows
    from cloudseg.reach.pairs.survey import Judgement, Survey

__all__ = ["Edges", "turned"]


class Edges:
    """The stateless stages of every class, for one direction. Classes behind the same lists share an edge.

    Args:
        survey: what the lists of the estate name.
        firsts: a member of each class; None where the estate has none.
        rows: makes the rows.
        columns: the columns.
        direction: of the packets, seen from the class.

    Attributes:
        number: for each class the number of its edge.
        open: every edge lets everything through.
        exact: nothing about any edge is unknown.
    """

    def __init__(
        self,
        survey: Survey,
        firsts: Sequence[Interface | None],
        rows: RowMaker,
        columns: Columns,
        direction: Direction,
    ) -> None:
        self._columns = columns
        self._full = rows.full()
        judged = [None if first is None else survey.treatment(first).of(direction) for first in firsts]
        edges: dict[int, tuple[Judgement, ...]] = {NO_JUDGEMENTS: ()}
        edges.update((each.edge, each.stateless) for each in judged if each is not None)
        places = {edge: place for place, edge in enumerate(edges)}
        self.number = np.array([places[NO_JUDGEMENTS if each is None else each.edge] for each in judged], dtype=np.intp)
        self._bands = [_together(judgements, rows) for judgements in edges.values()]
        self.open = all(band is None for band in self._bands)
        self.exact = all(band is None or band.exact for band in self._bands)
        self._by_face: dict[bool, NDArray[np.uint64]] = {}

    def at(self, face: int, *, certain: bool) -> Rows:
        """Return what each edge lets through between it and a face, by word and edge."""
        sure = certain or self.exact
        if sure not in self._by_face:
            rows = [self._full if band is None else band.bound(certain=sure) for band in self._bands]
            self._by_face[sure] = turned([row[:, : self._columns.faces] for row in rows])
        found: Rows = self._by_face[sure][face]
        return found

    def row(self, number: int, *, certain: bool) -> Rows | None:
        """Return what the edge of a class lets through between it and every column; None for everything."""
        band = self._bands[int(self.number[number])]
        return None if band is None else band.bound(certain=certain)

    def to_position(self, position: int, *, certain: bool) -> Rows:
        """Return what the edge of every class lets through between it and a position outside, by word and class."""
        column = self._columns.faces + position
        each = [self._full[:, 0] if band is None else band.bound(certain=certain)[:, column] for band in self._bands]
        found: Rows = np.stack(each, axis=1)[:, self.number]
        return found


def _together(judgements: Sequence[Judgement], rows: RowMaker) -> Band | None:
    bands = [rows.boundary(judgement) for judgement in judgements]
    if len(bands) < 2:
        return bands[0] if bands else None
    return Band(*(np.bitwise_and.reduce([band.bound(certain=c) for band in bands]) for c in (True, False)))


def turned(rows: Sequence[Rows]) -> NDArray[np.uint64]:
    """Return rows by column, word and row, so that what belongs to a column lies together."""
    found: NDArray[np.uint64] = np.empty((rows[0].shape[1], rows[0].shape[0], len(rows)), dtype=np.uint64)
    for number, row in enumerate(rows):
        found[:, :, number] = row.T
    return found
