"""Pods whose packets another interface sends on, out of the network that carries their cluster, under its address.

Their own policies judge such packets first. After that they are packets of the other interface: its lists, its routes
and its public address decide, and whoever takes them sees its address. So what arrives from it, of what the policies
let out, is what arrives of the pod. Source: https://docs.aws.amazon.com/eks/latest/userguide/external-snat.html
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.pairs.other_family import OtherFamily
from cloudseg.reach.pairs.rows import Band
from cloudseg.traffic import ALL_IPV4, GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Exit, Family, Interface
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.rows import RowMaker, Rows
    from cloudseg.reach.pairs.survey import Judgement, Survey
    from cloudseg.traffic import AddressSet

__all__ = ["Carriers"]

Indexes = np.ndarray[tuple[int, ...], np.dtype[np.intp]]


class _Carried(NamedTuple):
    """A class whose packets others send on.

    Attributes:
        number: the class.
        faces: its IPv4 faces.
        others: the faces of the interfaces that send on its packets.
        classes: their classes.
        policy: the number of what judges its packets before.
    """

    number: int
    faces: tuple[int, ...]
    others: tuple[int, ...]
    classes: tuple[int, ...]
    policy: int


class _Sort(NamedTuple):
    """How packets leave.

    Attributes:
        within: destinations to which they leave under the sender's own address.
        own: they may leave under it to others as well.
        complete: nobody but the interfaces that are known may send them on.
        sure: they do; nothing certainly leaves without it.
    """

    within: AddressSet
    own: bool
    complete: bool
    sure: bool


class _Ends(NamedTuple):
    """Senders of one sort, as columns.

    Attributes:
        senders: their columns.
        others: for each of them the columns of those that send on its packets.
        policies: for each the number of what judges them before.
    """

    senders: Indexes
    others: Indexes
    policies: Indexes


class _Group(NamedTuple):
    """Classes whose packets leave in one way.

    Attributes:
        sort: how.
        near: for each position, whether packets to it leave under the sender's own address.
        faces: the senders by face.
        classes: the senders by class.
    """

    sort: _Sort
    near: NDArray[np.bool_]
    faces: _Ends
    classes: _Ends


class Carriers:
    """What becomes of packets that other interfaces send on.

    Args:
        survey: the lists of the estate.
        firsts: a member of each class; None where the estate has none.
        present: which faces the estate has.
        rows: makes rows.
        columns: the columns.
    """

    def __init__(
        self,
        survey: Survey,
        firsts: Sequence[Interface | None],
        present: NDArray[np.bool_],
        rows: RowMaker,
        columns: Columns,
    ) -> None:
        self._rows = rows
        self._columns = columns
        self._present = present
        self._other = OtherFamily(firsts, present, rows, columns)
        self._policies: dict[tuple[Judgement, ...], int] = {}
        self._let_out: dict[bool, NDArray[np.uint64]] = {}
        together: defaultdict[_Sort, list[_Carried]] = defaultdict(list)
        for number, first in enumerate(firsts):
            if first is not None and first.exit is not None:
                carried = self._of(number, first, first.exit, survey)
                if carried.faces:
                    complete = first.exit.complete and bool(carried.others)
                    sort = _Sort(first.exit.within, first.exit.own, complete, first.exit.sure)
                    together[sort].append(carried)
        self._groups = [_group(sort, each, columns) for sort, each in together.items()]
        self._by_class = {each.number: (sort, each) for sort, some in together.items() for each in some}

    @property
    def open(self) -> bool:
        """Whether it is not known of somebody's packets who sends them on."""
        return self._other.open or any(not group.sort.complete for group in self._groups)

    @property
    def any(self) -> bool:
        """Whether anybody's packets are sent on by others."""
        return bool(self._groups or self._other)

    def _of(self, number: int, interface: Interface, exit_: Exit, survey: Survey) -> _Carried:
        columns = self._columns
        at = {place for run in columns.line.runs(exit_.addresses) for place in range(*run)}
        others: dict[int, None] = {}
        known = [name for name in exit_.interfaces if name in columns.class_of]
        for name in known:
            four = self._four(columns.class_of[name])
            others |= dict.fromkeys([face for face in four if columns.span(face)[0] in at] or four)
        judged = tuple(each for each in survey.judgements(interface, "egress") if each.stage.pods_only)
        policy = self._policies.setdefault(judged, len(self._policies))
        classes = dict.fromkeys(columns.class_of[name] for name in known)
        return _Carried(number, tuple(self._four(number)), tuple(others), tuple(classes), policy)

    def _four(self, number: int) -> list[int]:
        columns = self._columns
        return [face for face in columns.of_class[number] if face < columns.families and self._present[face]]

    def _policy(self, column: int, *, certain: bool) -> Rows:
        """Return what each policy lets out to a column, by word and number.

        Whether groups hold on the way differs: for sure passes what passes either way, at most what passes one way.
        """
        known = self._let_out.get(certain)
        if known is None:
            # By column first, since all policies are asked for one column at a time.
            shape = (self._columns.width, len(self._rows.everything), len(self._policies))
            known = self._let_out[certain] = np.empty(shape, dtype=np.uint64)
            for judged, number in self._policies.items():
                one, other = (self._rows.row(judged, certain=certain, grouped=grouped) for grouped in (True, False))
                known[:, :, number] = (one & other if certain else one | other).T
        words: Rows = known[column]
        return words

    def arriving(self, face: int, band: Band) -> Band:
        """Return what arrives at a face, by the face that it comes from, with what others send on.

        Args:
            face: the face.
            band: what arrives at it as if everybody sent by itself; it is not changed.
        """
        if face >= self._columns.families or not self._groups:
            return band
        first, last = self._columns.span(face)
        lower, upper = band.lower.copy(), band.upper.copy()
        for group in self._groups:
            near = group.near[first : last + 1]
            if not near.all():
                sort = group.sort._replace(own=group.sort.own or bool(near.any()))
                for after, before, certain in ((lower, band.lower, True), (upper, band.upper, False)):
                    self._send_on(after, before, sort, group.faces, face, certain=certain)
        return Band(lower, upper)

    def arriving_otherwise(self, faces: Sequence[int], over_faces: Rows, by_class: Rows) -> None:
        """Add what arrives at a class, at most, of a family of which its sender bears no address.

        Args:
            faces: the faces of the class.
            over_faces: what arrives at any of them at most, by face.
            by_class: the same by class; it is changed.
        """
        self._other.arriving(faces, over_faces, by_class)

    def around(self, rows: Rows, position: int, *, certain: bool) -> Rows:
        """Return what passes over the internet to a position, by class, with what others send on."""
        if not certain:
            rows = self._other.around(rows, 4 if position < self._columns.line.boundary else 6)
        if position >= self._columns.line.boundary or not self._groups:
            return rows
        found = rows.copy()
        for group in self._groups:
            if not group.near[position]:
                column = self._columns.faces + position
                self._send_on(found, rows, group.sort, group.classes, column, certain=certain)
        return found

    def around_anywhere(self, rows: Rows, family: Family) -> Rows:
        """Return what passes over the internet to wherever it is, by class, at most, with what others send on."""
        found = self._other.around(rows, family).copy()
        runs = self._columns.line.runs(GLOBAL_UNICAST & ALL_IPV4) if self._groups and family == 4 else ()
        for position in (place for run in runs for place in range(*run)):
            found |= self.around(rows, position, certain=False)
        return found

    def _send_on(self, after: Rows, before: Rows, sort: _Sort, ends: _Ends, column: int, *, certain: bool) -> None:
        """Put in place of what senders send what others do for them: of several all for sure, any at most."""
        sent = self._policy(column, certain=certain)[:, ends.policies]
        if sort.complete:
            joined = np.bitwise_and if certain else np.bitwise_or
            sent &= joined.reduce(before[:, ends.others], axis=2)
        if certain and not (sort.complete and sort.sure):
            sent[:] = 0
        if sort.own:
            own = before[:, ends.senders]
            sent = sent & own if certain else sent | own
        after[:, ends.senders] = sent

    def departing(self, number: int, band: Band, of_class: Callable[[int], Band]) -> Band:
        """Return what a class sends out of the estate, by position, with what others send on.

        Args:
            number: the class.
            band: what it sends by itself; it is not changed.
            of_class: tells the same of another class.
        """
        band = self._other.departing(number, band, of_class)
        known = self._by_class.get(number)
        if known is None:
            return band
        sort, carried = known
        lower, upper = band.lower.copy(), band.upper.copy()
        far = np.flatnonzero(~_near(sort.within, self._columns)[: self._columns.line.boundary])
        others = [of_class(other) for other in carried.classes]
        for after, before, certain in ((lower, band.lower, True), (upper, band.upper, False)):
            self._policy(0, certain=certain)
            sent = self._let_out[certain][self._columns.faces + far, :, carried.policy].T.copy()
            if sort.complete:
                joined = np.bitwise_and if certain else np.bitwise_or
                sent &= joined.reduce([other.bound(certain=certain)[:, far] for other in others])
            if certain and not (sort.complete and sort.sure):
                sent[:] = 0
            if sort.own:
                sent = sent & before[:, far] if certain else sent | before[:, far]
            after[:, far] = sent
        return Band(lower, upper)

    def behind_balancers(self, faces: Sequence[int], before: Band, after: Band) -> None:
        """Widen what load balancers hand to a class from classes whose packets others send on.

        Whom its lists see there is not told apart: for sure passes what passes without them.

        Args:
            faces: the faces of the class that takes.
            before: what arrives at it without load balancers, by class.
            after: the same with them; it is changed.
        """
        self._other.behind_balancers(before.upper, after.upper)
        if np.array_equal(before.upper, after.upper) and np.array_equal(before.lower, after.lower):
            return
        for number, (_, carried) in self._by_class.items():
            if self.masks(number, faces):
                after.lower[:, number] &= before.lower[:, number]
                after.upper[:, number] |= np.bitwise_or.reduce(after.upper[:, list(carried.classes)], axis=1)

    def masks(self, number: int, faces: Sequence[int]) -> bool:
        """Tell whether one of some faces may see another interface in place of a class."""
        if self._other.masks(number, faces):
            return True
        known = self._by_class.get(number)
        if known is None:
            return False
        near = _near(known[0].within, self._columns)
        spans = [self._columns.span(face) for face in faces if face < self._columns.families]
        return any(not near[first : last + 1].all() for first, last in spans)

    def of(self, number: int) -> tuple[int, ...]:
        """Return the classes of the interfaces that send on packets of a class; none for one that does so itself."""
        known = self._by_class.get(number)
        return (*(() if known is None else known[1].classes), *self._other.of(number))


def _group(sort: _Sort, some: Sequence[_Carried], columns: Columns) -> _Group:
    faces = [(face, each.others, each.policy) for each in some for face in each.faces]
    classes = [(each.number, each.classes, each.policy) for each in some]
    return _Group(sort, _near(sort.within, columns), _ends(faces), _ends(classes))


def _ends(each: Sequence[tuple[int, tuple[int, ...], int]]) -> _Ends:
    """Return senders as columns; of those with fewer others than most the first one is repeated."""
    most = max(len(others) for _, others, _ in each)
    padded = [(*others, *others[:1] * (most - len(others))) for _, others, _ in each]
    return _Ends(
        np.array([sender for sender, _, _ in each], dtype=np.intp),
        np.array(padded, dtype=np.intp).reshape(len(each), most),
        np.array([policy for _, _, policy in each], dtype=np.intp),
    )


def _near(addresses: AddressSet, columns: Columns) -> NDArray[np.bool_]:
    found = np.zeros(columns.line.length, dtype=bool)
    for start, end in columns.line.runs(addresses):
        found[start:end] = True
    return found
