"""What senders let out, kept by the column that it goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Interface
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.rows import RowMaker, Rows
    from cloudseg.reach.pairs.survey import Judgement, Survey

__all__ = ["Senders"]

_BLOCK: Final = 64
"""So many rows are turned round at once."""


class _Variant(NamedTuple):
    """One bound, on paths on which groups hold or on the others."""

    certain: bool
    grouped: bool


class Senders:
    """What the stateful egress stages of every class let out.

    Classes that the same stateful stages judge alike are one kind.

    Args:
        survey: what the lists of the estate name.
        firsts: a member of each class; None where the estate has none.
        rows: makes the rows.
        columns: the columns.

    Attributes:
        kind: for each class the number of its kind.
        doubtful: for each class whether something unknown lies between the bounds of what it lets out.
        open: every stateful stage lets everything out.
    """

    def __init__(self, survey: Survey, firsts: Sequence[Interface | None], rows: RowMaker, columns: Columns) -> None:
        self._faces = columns.faces
        self._rows = rows
        kinds: dict[tuple[Judgement, ...], int] = {}
        kind: list[int] = []
        for first in firsts:
            judged = () if first is None else survey.judgements(first, "egress")
            stateful = tuple(judgement for judgement in judged if judgement.stage.stateful)
            kind.append(kinds.setdefault(stateful, len(kinds)))
        self.kind = np.array(kind, dtype=np.intp)
        self._kinds = tuple(kinds)
        exact = np.array([rows.is_exact(judgements) for judgements in kinds], dtype=bool)
        self._exact = bool(exact.all())
        self._same = not any(rows.names_groups(judgements) for judgements in kinds)
        self.doubtful = ~exact[self.kind]
        self.open = not any(kinds)
        self._by_face: dict[_Variant, NDArray[np.uint64]] = {}
        self._beyond: dict[_Variant, NDArray[np.uint64]] = {}

    def towards(self, face: int, *, certain: bool, grouped: bool) -> Rows:
        """Return what each kind lets out to a face, by word and kind."""
        variant = self._variant(certain=certain, grouped=grouped)
        if variant not in self._by_face:
            self._work_out(variant)
        found: Rows = self._by_face[variant][face]
        return found

    def outside(self, number: int, *, certain: bool, grouped: bool) -> Rows:
        """Return what a class lets out of the estate, by word and position."""
        variant = self._variant(certain=certain, grouped=grouped)
        if variant not in self._beyond:
            self._work_out(variant)
        row: Rows = self._beyond[variant][int(self.kind[number])]
        return row

    def to_position(self, position: int, *, certain: bool) -> Rows:
        """Return what every class lets out to a position outside, on paths on which groups do not hold."""
        variant = self._variant(certain=certain, grouped=False)
        if variant not in self._beyond:
            self._work_out(variant)
        rows: Rows = np.ascontiguousarray(self._beyond[variant][:, :, position].T[:, self.kind])
        return rows

    def _variant(self, *, certain: bool, grouped: bool) -> _Variant:
        return _Variant(certain or self._exact, grouped or self._same)

    def _work_out(self, variant: _Variant) -> None:
        """Work out what every kind lets out; rows are made by sender and asked for by target, so they are turned."""
        full = self._rows.full()
        width, columns = full.shape
        beyond = np.empty((len(self._kinds), width, columns - self._faces), dtype=np.uint64)
        by_face = np.empty((self._faces, width, len(self._kinds)), dtype=np.uint64)

        def rows() -> Iterator[Rows]:
            for number, judgements in enumerate(self._kinds):
                row = self._rows.row(judgements, certain=variant.certain, grouped=variant.grouped)
                beyond[number] = row[:, self._faces :]
                yield row[:, : self._faces]

        _turn(rows(), by_face)
        self._by_face[variant], self._beyond[variant] = by_face, beyond


def _turn(rows: Iterator[Rows], found: NDArray[np.uint64]) -> None:
    """Write rows by column, word and row, some at a time so that what is written lies together."""
    done = 0
    block: list[Rows] = []
    for row in rows:
        block.append(row)
        if len(block) == _BLOCK:
            found[:, :, done : done + _BLOCK] = np.stack(block).transpose(2, 1, 0)
            done += _BLOCK
            block.clear()
    if block:
        found[:, :, done:] = np.stack(block).transpose(2, 1, 0)
