"""What stateless lists leave of packets: at both ends and on the way, there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.pairs.paths import AT_MOST, OUTSIDE, SURELY
from cloudseg.reach.pairs.replies import Replies
from cloudseg.reach.pairs.rows import band_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.crossings import Crossings
    from cloudseg.reach.pairs.edges import Edges
    from cloudseg.reach.pairs.ground import Ground
    from cloudseg.reach.pairs.paths import Paths
    from cloudseg.reach.pairs.rows import Band, RowMaker, Rows

__all__ = ["Boundaries", "Part"]

_KEPT: Final = 512
"""So many bands are kept of what arrives from outside."""
_INTERNET: Final = OUTSIDE.index("internet") + 1
_FEW: Final = 32
"""Up to so many sequences of checkpoints it is worth telling faces apart by them."""


class Part(NamedTuple):
    """Faces of one family, seen from one of them.

    Attributes:
        columns: their columns.
        near: which of them stand in the same subnet.
        outward: whose packets come over the internet, where groups do not match; None for none.
    """

    columns: slice | NDArray[np.intp]
    near: NDArray[np.bool_]
    outward: NDArray[np.bool_] | None = None


class Boundaries:
    """Narrows rows to what stateless lists let through and let back.

    Requests and answers are asked apart: an answer takes the legs of the one who answers, and goes to a port that the
    client chose.

    Args:
        outward: the edges of classes for what leaves them.
        inward: the same for what comes to them.
        paths: the ways of packets.
        crossings: the boundaries on the way.
        rows: makes the rows.
        ground: atoms and columns.

    Attributes:
        open: no list stops anything anywhere.
    """

    def __init__(
        self, outward: Edges, inward: Edges, paths: Paths, crossings: Crossings, rows: RowMaker, ground: Ground
    ) -> None:
        self._out = outward
        self._in = inward
        self._paths = paths
        self._crossings = crossings
        self._rows = rows
        self._columns = ground.columns
        self._class = ground.columns.owner
        self.open = outward.open and inward.open and crossings.open
        self._replies = None if self.open else Replies(ground.atoms)
        self._by_face: dict[bool, NDArray[np.uint64]] = {}
        self._alike: dict[int, int] = {}
        self._numbers: dict[Hashable, int] = {}
        self._arriving: dict[int, Band] = {}

    def mask(self, face: int, part: Part, *, certain: bool) -> Rows | None:
        """Return what lists let through to a face and back from all others of its family; None for everything.

        Within one subnet no boundary is crossed. Faces that are :meth:`alike` have the same.
        """
        if self._replies is None:
            return None
        found: Rows = np.empty((len(self._rows.everything), len(part.near)), dtype=np.uint64)
        found[:] = self._rows.everything[:, None]
        self.narrow(found, face, part, certain=certain, translated=False)
        return found

    def alike(self, face: int) -> int:
        """Return a number that faces share which every list treats alike."""
        known = self._alike.get(face)
        if known is None:
            known = self._alike[face] = self._numbers.setdefault(self._traits(face), len(self._numbers))
        return known

    def _traits(self, face: int) -> Hashable:
        paths, number = self._paths, int(self._class[face])
        if len(paths.crossings) > _FEW:
            return face
        return (
            face < self._columns.families,
            paths.place(face),
            int(paths.route[face]),
            int(self._in.number[number]),
            int(self._out.number[number]),
            paths.crossed_to[face].tobytes(),
            paths.handed_to[face].tobytes(),
            *(words for certain in (True, False) for words in self._let_through(face, certain=certain)),
        )

    def _let_through(self, face: int, *, certain: bool) -> tuple[bytes, ...]:
        return (
            b"" if self._in.open else self._in.at(face, certain=certain).tobytes(),
            b"" if self._out.open else self._out.at(face, certain=certain).tobytes(),
            self._crossed(certain=certain)[face].tobytes(),
        )

    def _crossed(self, *, certain: bool) -> NDArray[np.uint64]:
        """Return for each face what every sequence of checkpoints lets through of it, there and back, at either end."""
        if certain not in self._by_face:
            numbers = range(1, len(self._paths.crossings))
            each = [
                words
                for number in numbers
                for words in (
                    *self._crossings.masks(number, certain=certain),
                    *self._crossings.back(number, certain=certain),
                )
            ]
            faces = self._columns.faces
            stacked = np.concatenate([words[:, :faces] for words in each]) if each else np.empty((0, faces), np.uint64)
            self._by_face[certain] = np.ascontiguousarray(stacked.T)
        return self._by_face[certain]

    def narrow(self, passed: Rows, face: int, part: Part, *, certain: bool, translated: bool) -> None:
        """Narrow what passes to a face from others of the estate; within one subnet no boundary is crossed.

        Args:
            passed: what passes, by word and column.
            face: the column of the target.
            part: the columns of the sources.
            certain: the lower bound.
            translated: the sources are gateways on the way: they choose the ports, and what they are sent is judged
                with their clients.
        """
        if self._replies is None:
            return
        within = passed[:, part.near]
        self._there(passed, face, part, certain=certain, translated=translated)
        back = self._back(passed, face, part, certain=certain)
        if back is not None:
            passed &= self._replies.answered(back, certain=certain, translated=translated)
        passed[:, part.near] = within

    def _there(self, passed: Rows, face: int, part: Part, *, certain: bool, translated: bool) -> None:
        paths, columns = self._paths, part.columns
        routes = paths.route[columns]
        if not self._out.open and not translated:
            passed &= self._out.at(face, certain=certain)[:, self._out.number[self._class[columns]]]
        row = self._in.row(int(self._class[face]), certain=certain)
        if row is not None:
            # What a gateway hands out in the target's own subnet does not meet the list on the way in.
            passed &= self._handed(row[:, columns], paths.handed_to[face][routes], certain=certain)
        if len(paths.crossings) > 1 and not translated:
            crossed = paths.crossed_to[face][routes]
            for number in _numbers(crossed):
                chosen = np.flatnonzero(crossed == number)
                source, target = self._crossings.masks(number, certain=certain)
                passed[:, chosen] &= source[:, columns][:, chosen] & target[:, face][:, None]

    def _back(self, like: Rows, face: int, part: Part, *, certain: bool) -> Rows | None:
        """Return what is let back from a face to others; None where everything is."""
        paths, columns = self._paths, part.columns
        own = int(paths.route[face])
        row = self._out.row(int(self._class[face]), certain=certain)
        crossed = paths.crossed[own, columns] if len(paths.crossings) > 1 else None
        if row is None and self._in.open and (crossed is None or not crossed.any()):
            return None
        back = self._full(like)
        if row is not None:
            back &= row[:, columns]
        if not self._in.open:
            edges = self._in.at(face, certain=certain)[:, self._in.number[self._class[columns]]]
            back &= self._handed(edges, paths.handed[own, columns], certain=certain)
        if crossed is not None:
            for number in _numbers(crossed):
                chosen = np.flatnonzero(crossed == number)
                source, target = self._crossings.masks(number, certain=certain)
                back[:, chosen] &= source[:, face][:, None] & target[:, columns][:, chosen]
        return back

    def _handed(self, rows: Rows, handed: NDArray[np.uint8], *, certain: bool) -> Rows:
        """Return what a list lets through that is not asked where packets are handed out in its own subnet.

        Where that is not certain, the lower bound asks it and the upper one does not.
        """
        if not self._paths.hands_out or not handed.any():
            return rows
        return self._unless(handed >= (SURELY if certain else AT_MOST), rows)

    def _unless(self, spared: NDArray[np.bool_], rows: Rows) -> Rows:
        """Return what a list lets through by columns; everything where it is not asked."""
        found: Rows = np.where(spared, self._rows.everything[:, None], rows)
        return found

    def narrow_translated(self, rows: Rows, face: int, chosen: NDArray[np.intp], *, certain: bool) -> None:
        """Narrow what gets from faces to a gateway that translates, and on to a face; answers come back the same way.

        Args:
            rows: what passes, by word and chosen face.
            face: the column of the target.
            chosen: the columns of the sources.
            certain: the lower bound.
        """
        if self._replies is None:
            return
        paths = self._paths
        if not self._out.open:
            rows &= self._out.at(face, certain=certain)[:, self._out.number[self._class[chosen]]]
        client = self._full(rows)
        crossed = paths.crossed_to[face][paths.route[chosen]]
        if not self._in.open:
            inward = self._in.at(face, certain=certain)[:, self._in.number[self._class[chosen]]]
            # A client in the gateway's own subnet gets its answers across no boundary.
            beside = ~self._enters_gateway(crossed)
            returned = paths.returned[paths.route[chosen], face] >= (SURELY if certain else AT_MOST)
            client &= self._unless(beside | returned, inward)
        for each in _numbers(crossed):
            some = np.flatnonzero(crossed == each)
            source, target = self._crossings.masks(each, certain=certain)
            rows[:, some] &= source[:, chosen[some]] & target[:, face][:, None]
            # From the far end to the gateway answers take the far end's own legs; here it is about the rest.
            back = self._crossings.back(each, certain=certain)
            client[:, some] &= back.source[:, chosen[some]] & back.target[:, face][:, None]
        rows &= self._replies.answered(client, certain=certain)

    def inward(self, face: int, *, certain: bool) -> Rows | None:
        """Return what the boundary of a face's subnet lets in, by word and column; None for everything."""
        return self._in.row(int(self._class[face]), certain=certain)

    def narrow_leaving(self, rows: Rows, face: int, positions: slice, *, certain: bool) -> None:
        """Narrow what leaves a face for positions outside; answers come back the same way."""
        if self._replies is None:
            return
        paths, places = self._paths, self._places(positions)
        own, number = int(paths.route[face]), int(self._class[face])
        client, gateway = self._full(rows), self._full(rows)
        if (row := self._out.row(number, certain=certain)) is not None:
            rows &= row[:, places]
        inward = self._in.row(number, certain=certain)
        crossed = paths.out_crossed[own, positions]
        # Where a gateway in the client's own subnet translates, the answer crosses the boundary to the gateway's port.
        beside = (paths.out_seen[own, positions] > 0) & ~self._enters_gateway(crossed)
        if inward is not None:
            returned = paths.out_returned[own, positions] >= (SURELY if certain else AT_MOST)
            client &= self._unless(beside | returned, inward[:, places])
            gateway &= self._unless(~beside | returned, inward[:, places])
        for each in _numbers(crossed):
            chosen = np.flatnonzero(crossed == each)
            source, target = self._crossings.masks(each, certain=certain)
            rows[:, chosen] &= source[:, face][:, None] & target[:, places][:, chosen]
            back = self._crossings.back(each, certain=certain)
            client[:, chosen] &= back.source[:, face][:, None] & back.target[:, places][:, chosen]
            gateway[:, chosen] &= back.translated[:, places][:, chosen]
        rows &= self._replies.answered(client, certain=certain)
        rows &= self._replies.answered(gateway, certain=certain, translated=True)

    def arriving(self, face: int, positions: slice) -> Band | None:
        """Return what lists let arrive at a face from the positions outside of its family; None for everything.

        It comes the way that the answers take. Faces that are :meth:`alike` share the answer, which must not be
        changed.
        """
        if self._replies is None:
            return None
        alike = self.alike(face)
        known = self._arriving.get(alike)
        if known is None:
            shape = (len(self._rows.everything), positions.stop - positions.start)
            bounds: list[Rows] = []
            for certain in (True, False):
                rows: Rows = np.empty(shape, dtype=np.uint64)
                rows[:] = self._rows.everything[:, None]
                self._arrive(rows, face, positions, self._replies, certain=certain)
                bounds.append(rows)
            if len(self._arriving) >= _KEPT:
                self._arriving.clear()
            known = self._arriving[alike] = band_of(*bounds)
        return known

    def _arrive(self, rows: Rows, face: int, positions: slice, replies: Replies, *, certain: bool) -> None:
        paths, places = self._paths, self._places(positions)
        own, number = int(paths.route[face]), int(self._class[face])
        back = self._full(rows)
        if (row := self._in.row(number, certain=certain)) is not None:
            # Over the internet packets come in by a gateway that stands in no subnet.
            private = ~paths.needs_public[own, positions] & (paths.way_out[own, positions] != _INTERNET)
            handed = paths.out_returned[own, positions] * private
            rows &= self._unless(handed >= (SURELY if certain else AT_MOST), row[:, places])
        if (row := self._out.row(number, certain=certain)) is not None:
            back &= row[:, places]
        direct = paths.needs_public[own, positions] | (paths.out_seen[own, positions] > 0)
        private = np.where(direct, 0, paths.out_crossed[own, positions])
        for each in _numbers(private):
            chosen = np.flatnonzero(private == each)
            there = self._crossings.back(each, certain=certain)
            rows[:, chosen] &= there.source[:, face][:, None] & there.target[:, places][:, chosen]
            source, target = self._crossings.masks(each, certain=certain)
            back[:, chosen] &= source[:, face][:, None] & target[:, places][:, chosen]
        rows &= replies.answered(back, certain=certain)

    def _places(self, positions: slice) -> slice:
        """Return the columns of positions outside."""
        start = self._columns.faces
        return slice(start + positions.start, start + positions.stop)

    def leaving_to(self, rows: Rows, position: int, faces: NDArray[np.intp], *, certain: bool) -> None:
        """Narrow what every class lets out to one position of the internet.

        Args:
            rows: what it lets out, by word and class.
            position: the position.
            faces: a face of each class.
            certain: the lower bound.
        """
        if self._replies is None:
            return
        paths, column = self._paths, self._columns.faces + position
        routes = paths.route[faces]
        client, gateway = self._full(rows), self._full(rows)
        rows &= self._out.to_position(position, certain=certain)
        crossed = paths.out_crossed[routes, position]
        beside = (paths.out_seen[routes, position] > 0) & ~self._enters_gateway(crossed)
        inward = self._in.to_position(position, certain=certain)
        returned = paths.out_returned[routes, position] >= (SURELY if certain else AT_MOST)
        client &= self._unless(beside | returned, inward)
        gateway &= self._unless(~beside | returned, inward)
        for each in _numbers(crossed):
            chosen = np.flatnonzero(crossed == each)
            source, target = self._crossings.masks(each, certain=certain)
            rows[:, chosen] &= source[:, faces[chosen]] & target[:, column][:, None]
            back = self._crossings.back(each, certain=certain)
            client[:, chosen] &= back.source[:, faces[chosen]] & back.target[:, column][:, None]
            gateway[:, chosen] &= back.translated[:, column][:, None]
        rows &= self._replies.answered(client, certain=certain)
        rows &= self._replies.answered(gateway, certain=certain, translated=True)

    def _enters_gateway(self, crossed: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell of sequences whether packets enter another subnet before they are translated."""
        enters = [
            any(each.by == "source" and each.seen_as is None for each in sequence) for sequence in self._paths.crossings
        ]
        return np.array(enters, dtype=bool)[crossed]

    def _full(self, like: Rows) -> Rows:
        found: Rows = np.empty_like(like)
        found[:] = self._rows.everything[:, None]
        return found


def _numbers(crossed: NDArray[np.int32]) -> list[int]:
    """Return the numbers of the sequences that are crossed, without that of none."""
    return [int(number) for number in np.flatnonzero(np.bincount(crossed)) if number] if crossed.any() else []
