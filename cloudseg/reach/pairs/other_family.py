"""Pods that send packets of a family of which they bear no address, under that of their machine.

What leaves so is told at most: network policies need not see it. Nothing comes to a pod that way, so that its class has
no face there. Sources: https://docs.aws.amazon.com/eks/latest/best-practices/ipv6.html and
https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html#cni-network-policy-considerations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Exit, Family, Interface
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.rows import Band, RowMaker, Rows

__all__ = ["OtherFamily"]


class _Sender(NamedTuple):
    """A class that sends so.

    Attributes:
        number: the class.
        family: the family of which it bears no address.
        complete: nobody but the interfaces that are known may send on its packets.
        faces: the faces of these interfaces, of the family.
        classes: their classes.
    """

    number: int
    family: Family
    complete: bool
    faces: tuple[int, ...]
    classes: tuple[int, ...]


class OtherFamily:
    """What becomes of packets of a family of which their sender bears no address.

    Args:
        firsts: a member of each class; None where the estate has none.
        present: which faces the estate has.
        rows: makes rows.
        columns: the columns.
    """

    def __init__(
        self, firsts: Sequence[Interface | None], present: NDArray[np.bool_], rows: RowMaker, columns: Columns
    ) -> None:
        self._columns = columns
        self._present = present
        self._everything = rows.everything
        self._senders = {
            number: self._of(number, first.other_exit, 6 if first.addresses.v4 else 4)
            for number, first in enumerate(firsts)
            if first is not None and first.other_exit is not None
        }

    @property
    def open(self) -> bool:
        """Whether it is not known of somebody's packets who sends them on."""
        return any(not each.complete for each in self._senders.values())

    def __bool__(self) -> bool:
        return bool(self._senders)

    def _of(self, number: int, exit_: Exit, family: Family) -> _Sender:
        columns = self._columns
        at = {place for run in columns.line.runs(exit_.addresses) for place in range(*run)}
        faces: dict[int, None] = {}
        known = [columns.class_of[name] for name in exit_.interfaces if name in columns.class_of]
        for other in known:
            own = [face for face in columns.of_class[other] if self._is_of(face, family) and self._present[face]]
            faces |= dict.fromkeys([face for face in own if columns.span(face)[0] in at] or own)
        return _Sender(number, family, exit_.complete, tuple(faces), tuple(dict.fromkeys(known)))

    def _is_of(self, face: int, family: Family) -> bool:
        return (face < self._columns.families) == (family == 4)

    def of(self, number: int) -> tuple[int, ...]:
        """Return the classes of the interfaces that send on packets of a class."""
        known = self._senders.get(number)
        return () if known is None else known.classes

    def masks(self, number: int, faces: Sequence[int]) -> bool:
        """Tell whether one of some faces may see another interface in place of a class."""
        known = self._senders.get(number)
        return known is not None and any(self._is_of(face, known.family) for face in faces)

    def arriving(self, faces: Sequence[int], over_faces: Rows, by_class: Rows) -> None:
        """Add what arrives so at a class, at most.

        Args:
            faces: the faces of the class.
            over_faces: what arrives at most at any of them, by face.
            by_class: the same by class; it is changed.
        """
        for each in self._senders.values():
            if self.masks(each.number, faces):
                by_class[:, each.number] |= self._sent(each, over_faces, each.faces)

    def around(self, rows: Rows, family: Family) -> Rows:
        """Return what passes over the internet to a position of a family, by class, at most, with what is sent so."""
        some = [each for each in self._senders.values() if each.family == family]
        found = rows.copy() if some else rows
        for each in some:
            found[:, each.number] |= self._sent(each, rows, each.classes)
        return found

    def departing(self, number: int, band: Band, of_class: Callable[[int], Band]) -> Band:
        """Return what a class sends out of the estate, by position, with what it sends so.

        Args:
            number: the class.
            band: what it sends otherwise; it is not changed.
            of_class: tells the same of another class.
        """
        known = self._senders.get(number)
        if known is None:
            return band
        line = self._columns.line
        part = slice(0, line.boundary) if known.family == 4 else slice(line.boundary, line.length)
        upper = band.upper.copy()
        if not known.complete:
            upper[:, part] |= self._everything[:, None]
        for other in known.classes:
            upper[:, part] |= of_class(other).upper[:, part]
        return band._replace(upper=upper)

    def behind_balancers(self, before: Rows, after: Rows) -> None:
        """Widen what load balancers hand to a class, by class, at most.

        Args:
            before: what arrives at it without load balancers.
            after: the same with them; it is changed.
        """
        for each in self._senders.values() if not np.array_equal(before, after) else ():
            after[:, each.number] |= self._sent(each, after, each.classes)

    def _sent(self, sender: _Sender, rows: Rows, columns: Sequence[int]) -> NDArray[np.uint64]:
        if not sender.complete:
            return self._everything
        words: NDArray[np.uint64] = np.bitwise_or.reduce(rows[:, list(columns)], axis=1)
        return words
