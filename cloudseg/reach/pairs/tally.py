"""What arrives at a class from load balancers and proxies under addresses of their own, noted while it is worked out.

Load balancers send to the private addresses of their targets: what would come to them over the internet does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Family
    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.rows import Band, Rows

__all__ = ["Tally"]


class Tally:
    """What arrives at one class.

    Args:
        faces: the faces of nodes, by their classes.
        families: the first face of IPv6.
        others: the classes of which to note what arrives as a whole, in order.
    """

    def __init__(self, faces: Mapping[int, Sequence[int]], families: int, others: NDArray[np.intp]) -> None:
        self._faces = faces
        self._families = families
        self._others = others
        self._own: dict[tuple[int, Family, bool], Words] = {}
        self._before: dict[bool, Rows] = {}

    def add(self, band: Band, start: int, family: Family) -> None:
        """Note what arrives at one face of the class from all faces of its family, the first of which is ``start``."""
        for node in self._faces:
            here = [face - start for face in self.faces(node, family)]
            if not here:
                continue
            for certain in (True, False):
                join = np.bitwise_and if certain else np.bitwise_or
                words: Words = join.reduce(band.bound(certain=certain)[:, here], axis=1)
                known = self._own.get((node, family, certain))
                self._own[node, family, certain] = words if known is None else join(known, words)

    def close(self, inside: Band) -> None:
        """Note what arrives at the class by all ways but the internet."""
        if len(self._others):
            self._before = {certain: inside.bound(certain=certain)[:, self._others] for certain in (True, False)}

    def faces(self, node: int, family: Family) -> list[int]:
        """Return the faces of a node in a family."""
        return [face for face in self._faces[node] if (face < self._families) == (family == 4)]

    def families(self, node: int) -> list[Family]:
        """Return the families in which both a node and the class have addresses."""
        both: tuple[Family, ...] = (4, 6)
        return [family for family in both if (node, family, True) in self._own]

    def own(self, node: int, family: Family, *, certain: bool) -> Words:
        """Return what arrives from a node in a family: from and at all addresses, or from and at any of them."""
        return self._own[node, family, certain]

    def before(self, classes: NDArray[np.intp], *, certain: bool) -> Rows:
        """Return what was noted of some of the other classes."""
        found: Rows = self._before[certain][:, np.searchsorted(self._others, classes)]
        return found
