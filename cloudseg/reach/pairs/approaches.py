"""The ways to faces: how surely packets get there and answers back, and what lists on the way leave of both.

What lists at both ends let through comes on top. Faces of one subnet mostly share a way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.pairs.boundaries import Part
from cloudseg.reach.pairs.paths import AT_MOST, NEVER, SURELY
from cloudseg.reach.pairs.rows import band_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.boundaries import Boundaries
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.paths import Paths
    from cloudseg.reach.pairs.rows import Band, Rows

__all__ = ["Approach", "Approaches"]

_KEPT: Final = 256
"""So many ways are kept."""


class Approach(NamedTuple):
    """The way to a face from the faces of its family.

    Attributes:
        window: the columns of the faces from which anything gets there.
        part: these faces, seen from there.
        translated: for each of them the number of the gateway whose address the far end sees, 0 for none; None where
            nothing is translated anywhere.
        proxied: for each of them the number of the gateway whose address it may see besides; None where there is none.
        passing: what may pass, by word and face, whatever the lists at both ends say; not to be changed.
        doubtful: those of the faces of which is not known what exactly they let out; None for none.
    """

    window: slice
    part: Part
    translated: NDArray[np.int32] | None
    proxied: NDArray[np.int32] | None
    passing: Band
    doubtful: Part | None


class Approaches:
    """The ways to the faces of an estate.

    Args:
        columns: the columns.
        present: which faces there are in the estate.
        paths: the ways of packets.
        boundaries: what stateless lists leave of packets.
        public6: for each class how surely it has an IPv6 address that the internet knows, as a level.
        doubtful: for each face whether something unknown lies between the bounds of what it lets out.
        everything: the mask of all traffic.
    """

    def __init__(
        self,
        columns: Columns,
        present: NDArray[np.bool_],
        paths: Paths,
        boundaries: Boundaries,
        *,
        public6: NDArray[np.uint8],
        doubtful: NDArray[np.bool_],
        everything: Words,
    ) -> None:
        self._columns = columns
        self._present = present
        self._all_present = bool(present.all())
        self._paths = paths
        self._boundaries = boundaries
        self._doubtful = doubtful
        self._everything = everything
        self._public6 = public6
        self._alike: dict[int, int] = {}
        self._numbers: dict[Hashable, int] = {}
        self._kept: dict[int, Approach] = {}

    def to(self, face: int) -> Approach:
        """Return the way to a face."""
        alike = self._alike.get(face)
        if alike is None:
            alike = self._alike[face] = self._numbers.setdefault(self._key(face), len(self._numbers))
        known = self._kept.get(alike)
        if known is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            known = self._kept[alike] = self._found(face)
        return known

    def family(self, face: int) -> slice:
        """Return the columns of the faces of a face's family."""
        columns = self._columns
        return slice(0, columns.families) if face < columns.families else slice(columns.families, columns.faces)

    def _key(self, face: int) -> Hashable:
        """Return what faces have in common to which the same way leads."""
        paths, six = self._paths, face - self._columns.families
        return (
            self._boundaries.alike(face),
            paths.level_to[face].tobytes(),
            paths.translated[:, face].tobytes() if len(paths.translations) > 1 else b"",
            paths.proxied[:, face].tobytes() if paths.proxies else b"",
            paths.inspected[:, face].tobytes() if len(paths.inspections) > 1 else b"",
            (paths.over_internet6_to[six].tobytes(), int(self._public6[self._columns.owner[face]])) if six >= 0 else (),
        )

    def _found(self, face: int) -> Approach:
        paths = self._paths
        window = paths.window(face, self.family(face))
        part = Part(window, paths.is_near(face, window))
        routes = paths.route[window]
        there, back = paths.level_to[face][routes], paths.level[paths.route[face], window]
        translated = paths.translated[routes, face] if len(paths.translations) > 1 else None
        if translated is not None:
            # An answer under another address than the one that was asked is nobody's.
            named = (paths.translated[paths.route[face], window] > 0) & (back == SURELY)
            back = np.where(named, NEVER, back)
        level = np.minimum(there, back)
        if face >= self._columns.families:
            part = self._partly_outside(part, window, face, level, there, back)
        if translated is not None:
            level[translated > 0] = NEVER
        uneven = paths.uneven(face, window)
        if uneven is not None:
            level[uneven] = np.minimum(level[uneven], AT_MOST)
        level[part.near] = SURELY
        if not self._all_present:
            level *= self._present[window]
        lower, upper = (self._passing(face, part, level, certain=certain) for certain in (True, False))
        proxied = np.where(part.near, 0, paths.proxied[routes, face]) if paths.proxies else None
        return Approach(window, part, translated, proxied, band_of(lower, upper), self._unsure(part, window))

    def _unsure(self, part: Part, window: slice) -> Part | None:
        places = np.flatnonzero(self._doubtful[window])
        if not len(places):
            return None
        outward = None if part.outward is None else part.outward[places]
        return Part(places + window.start, part.near[places], outward)

    def _passing(self, face: int, part: Part, level: NDArray[np.uint8], *, certain: bool) -> Rows:
        arrives = level >= (SURELY if certain else AT_MOST)
        found: Rows = np.where(arrives, self._everything[:, None], np.uint64(0))
        mask = self._boundaries.mask(face, part, certain=certain)
        return found if mask is None else found & mask

    def _partly_outside(
        self,
        part: Part,
        window: slice,
        face: int,
        level: NDArray[np.uint8],
        there: NDArray[np.uint8],
        back: NDArray[np.uint8],
    ) -> Part:
        """Note the IPv6 pairs that talk one way inside and the other way over the internet: addresses are the same."""
        paths, six = self._paths, self._columns.families
        public = self._public6[self._columns.owner[window]]
        outward = np.minimum(paths.over_internet6_to[face - six][paths.route[window]], public)
        answers = paths.answers6[paths.route[face], window.start - six : window.stop - six]
        homeward = np.minimum(answers, self._public6[self._columns.owner[face]])
        out, home = np.minimum(outward, back), np.minimum(homeward, there)
        level[:] = np.maximum(level, np.maximum(out, home))
        by_internet = (out > NEVER) & (there == NEVER)
        return part._replace(outward=by_internet) if by_internet.any() else part
