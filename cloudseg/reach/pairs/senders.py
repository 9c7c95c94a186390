"""What senders let out: a row for each kind of sender, asked by the column that packets go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.pairs.survey import NO_JUDGEMENTS
from cloudseg.reach.pairs.turned import Turned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Interface
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.paths import Paths
    from cloudseg.reach.pairs.rows import RowMaker, Rows
    from cloudseg.reach.pairs.survey import Survey

__all__ = ["Senders"]

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]


_KEPT: Final = 256
"""For so many windows is kept where that lies which their senders let out."""


class _Variant(NamedTuple):
    """One bound, on paths on which groups hold or on the others."""

    certain: bool
    grouped: bool


_VARIANTS: Final = tuple(_Variant(certain, grouped) for certain in (True, False) for grouped in (True, False))
_VARIANT: Final = {(variant.certain, variant.grouped): variant for variant in _VARIANTS}


class Senders:
    """What the stateful egress stages of every class let out.

    Classes that the same stateful stages judge alike are one kind. Of each kind the rows are kept that differ: a single
    one where nothing about it is unknown and none of its rules names a group.

    Args:
        survey: what the lists of the estate name.
        firsts: a member of each class; None where the estate has none.
        rows: makes the rows.
        columns: the columns.
        paths: the ways of packets.

    Attributes:
        kind: for each class the number of its kind.
        doubtful: for each class whether something unknown lies between the bounds of what it lets out.
        open: every stateful stage lets everything out.
    """

    def __init__(
        self,
        survey: Survey,
        firsts: Sequence[Interface | None],
        rows: RowMaker,
        columns: Columns,
        paths: Paths,
    ) -> None:
        self._faces = columns.faces
        self._owner = columns.owner
        self._rows = rows
        judged = [None if first is None else survey.treatment(first).egress for first in firsts]
        known = {NO_JUDGEMENTS if each is None else each.kind: () if each is None else each.stateful for each in judged}
        places = {kind: place for place, kind in enumerate(known)}
        self.kind = np.array([places[NO_JUDGEMENTS if each is None else each.kind] for each in judged], dtype=np.intp)
        self._kinds = kinds = tuple(known.values())
        exact = np.array([rows.is_exact(judgements) for judgements in kinds], dtype=bool)
        named = np.array([rows.names_groups(judgements) for judgements in kinds], dtype=bool)
        self.doubtful = ~exact[self.kind]
        self.open = not any(kinds)
        self._places = _places(exact, named)
        self._inward = ~np.array([rows.names_unseen(judgements) for judgements in kinds], dtype=bool)
        self._done: set[int] = set()
        self._within: dict[_Variant, Indexes] = {}
        self._slots: dict[tuple[_Variant, int, int, int], Indexes] = {}
        self._abroad: dict[_Variant, Indexes] = {}
        count = 1 + max(int(each.max(initial=-1)) for each in self._places.values())
        spans = np.zeros((2, count), dtype=np.intp)
        for each in self._places.values():
            spans[:, each] = paths.reached(columns.owner, self.kind, len(kinds))
        width = len(rows.everything)
        self._inside = Turned(spans[0], spans[1], width, columns.faces)
        self._beyond: NDArray[np.uint64] = np.empty((count, width, columns.line.length), dtype=np.uint64)

    def towards(self, face: int, classes: Indexes, *, certain: bool, grouped: bool) -> Rows:
        """Return what some classes let out to a face that packets from them may get to, by word and class."""
        return self._inside.at(face, self._within_at(_VARIANT[certain, grouped]).take(self.kind.take(classes)))

    def from_faces(self, face: int, columns: slice, *, certain: bool, grouped: bool) -> Rows:
        """Return what the classes of neighbouring faces let out to a face, by word and column."""
        variant, tile = _VARIANT[certain, grouped], self._inside.tile(face)
        key = (variant, tile, columns.start, columns.stop)
        slots = self._slots.get(key)
        if slots is None:
            if len(self._slots) >= _KEPT:
                self._slots.clear()
            numbers = self._within_at(variant).take(self.kind.take(self._owner[columns]))
            slots = self._slots[key] = self._inside.slots(tile, numbers)
        return self._inside.slots_at(face, slots)

    def to_position(self, position: int, *, certain: bool) -> Rows:
        """Return what every class lets out to a position outside, on paths on which groups do not hold."""
        places = self._abroad_at(_Variant(certain, grouped=False))[self.kind]
        found: Rows = np.empty((self._beyond.shape[1], len(places)), dtype=np.uint64)
        for word, row in enumerate(found):
            row[:] = self._beyond[places, word, position]
        return found

    def outside(self, number: int, *, certain: bool, grouped: bool) -> Rows:
        """Return what a class lets out of the estate, by word and position."""
        place = self._abroad_at(_Variant(certain, grouped))[self.kind[number]]
        row: Rows = self._beyond[place]
        return row

    def _within_at(self, variant: _Variant) -> Indexes:
        """Return where that is kept of each kind which tells what it lets out to faces."""
        known = self._within.get(variant)
        if known is None:
            known = self._within[variant] = self._worked_out(variant, np.arange(len(self._kinds)))
        return known

    def _abroad_at(self, variant: _Variant) -> Indexes:
        """Return where that is kept of each kind which tells what it lets out of the estate.

        Groups hold interfaces. Where nobody outside may be a member, one row does for paths on which groups hold and
        for the others.
        """
        known = self._abroad.get(variant)
        if known is None:
            alike = self._worked_out(variant._replace(grouped=True), np.flatnonzero(self._inward))
            others = self._worked_out(variant, np.flatnonzero(~self._inward))
            known = self._abroad[variant] = np.where(self._inward, alike, others)
        return known

    def _worked_out(self, variant: _Variant, kinds: Indexes) -> Indexes:
        """Work out the rows of some kinds for a variant, and return where that of each kind is kept."""
        places = self._places[variant]
        missing = [number for number in kinds.tolist() if int(places[number]) not in self._done]
        if missing:
            self._done.update(places[missing].tolist())

            def rows() -> Iterator[Rows]:
                for number in missing:
                    row = self._rows.row(self._kinds[number], certain=variant.certain, grouped=variant.grouped)
                    self._beyond[places[number]] = row[:, self._faces :]
                    yield row[:, : self._faces]

            self._inside.keep(places[missing], rows())
        return places


def _places(exact: NDArray[np.bool_], named: NDArray[np.bool_]) -> dict[_Variant, Indexes]:
    """Return for each variant where the row of each kind is kept: variants that do not differ share it."""
    found: dict[_Variant, Indexes] = {}
    rows: dict[tuple[int, bool, bool], int] = {}
    for variant in _VARIANTS:
        alike = zip((variant.certain | exact).tolist(), (variant.grouped | ~named).tolist(), strict=True)
        keys = ((number, *each) for number, each in enumerate(alike))
        found[variant] = np.array([rows.setdefault(key, len(rows)) for key in keys], dtype=np.intp)
    return found
