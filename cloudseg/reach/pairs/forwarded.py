"""What arrives at targets from outside through load balancers that keep their clients' addresses.

A connection takes two steps, and each is judged by lists of its own: from the client to a node, and from the node on.
Where the node keeps the client's address, that is the one which the target's lists are asked about, so that the target
is reached from outside although no packet comes straight. Source:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.pairs.parcels import lanes
from cloudseg.reach.pairs.rows import Band
from cloudseg.reach.way_in import through_unread
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Family, Interface
    from cloudseg.reach.pairs.clients import Clients
    from cloudseg.reach.pairs.ground import Ground, Surveyed
    from cloudseg.reach.pairs.handing import Admitted, Handing
    from cloudseg.reach.pairs.parcels import Lane, Parcels
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.reach.ways import WayIn

__all__ = ["Forwarded", "Taker"]

_FAMILIES: tuple[Family, ...] = (4, 6)
_BOUNDS = (True, False)


class Taker(NamedTuple):
    """A class that takes what is handed on.

    Attributes:
        number: its number.
        faces: its faces.
        let_in: one bound of what its lists let in.
    """

    number: int
    faces: Sequence[int]
    let_in: Callable[[bool], Admitted]


class _Sending(NamedTuple):
    """What a node may hand to a class under its clients' addresses.

    Attributes:
        node: the class of the node.
        lane: what clients ask for, and what the class gets for it.
        certain: it does hand it on, and the class does see the clients.
    """

    node: int
    lane: Lane
    certain: bool


class Forwarded:
    """Judges what load balancers hand on for clients outside of the estate.

    Args:
        surveyed: what the estate names.
        ground: atoms and columns.
        firsts: a member of each class; None where the estate has none.
        present: which faces there are in the estate.
        parcels: what load balancers send.
        clients: who comes to nodes.
        handing: what nodes hand on.
    """

    def __init__(
        self,
        surveyed: Surveyed,
        ground: Ground,
        firsts: Sequence[Interface | None],
        *,
        present: NDArray[np.bool_],
        parcels: Parcels,
        clients: Clients,
        handing: Handing,
    ) -> None:
        self._view = surveyed.view
        self._estate = surveyed.survey.estate
        self._atoms = ground.atoms
        self._columns = ground.columns
        self._firsts = firsts
        self._present = present
        self._parcels = parcels
        self._clients = clients
        self._handing = handing

    def _sendings(self, target: int) -> Iterator[_Sending]:
        for parcel in self._parcels.of(target):
            forward = parcel.forward
            if forward.keeps_client is not False:
                sure = parcel.certain and forward.keeps_client is True
                yield from (_Sending(parcel.node, lane, sure) for lane in lanes(forward))
        for node in self._parcels.incomplete_keeping:
            # Of its targets not all were read: it may send anything to anybody.
            lane = self._parcels.lanes_of(node)[-1]
            yield _Sending(node, lane._replace(sent=ALL_TRAFFIC), certain=False)

    def before(self, target: int) -> bool:
        """Tell whether a load balancer may hand something to a class under its clients' addresses."""
        return any(sending.node != target for sending in self._sendings(target)) or bool(self._unread(target))

    def _unread(self, target: int) -> Sequence[WayIn]:
        """Return the ways to a class through load balancers whose interfaces were not read."""
        first = self._firsts[target]
        return () if first is None else through_unread(self._view.ways_in(first), self._estate)

    def arriving(self, taker: Taker, strays: Callable[[int], NDArray[np.bool_]] | None = None) -> Band:
        """Return what arrives at a class through load balancers from positions outside, under the clients' addresses.

        Args:
            taker: the class.
            strays: at which positions outside packets of a class come out in an unread or unknown place. Given, what
                comes to nodes by private ways does not count; without it every way does.
        """
        lower, upper = (self._bound(taker, strays, certain=certain) for certain in _BOUNDS)
        forwarder = self._parcels.nodes.get(taker.number)
        if forwarder is None:
            return Band(lower, upper)
        if forwarder.accepts is None:
            return Band(np.zeros_like(lower), upper)
        heard = self._atoms.words(self._atoms.mask(forwarder.accepts))[:, None]
        return Band(lower & heard, upper & heard)

    def _bound(self, taker: Taker, strays: Callable[[int], NDArray[np.bool_]] | None, *, certain: bool) -> Rows:
        rows: Rows = np.zeros((self._atoms.width, self._columns.line.length), dtype=np.uint64)
        for sending in self._sendings(taker.number):
            if sending.node == taker.number or (certain and not sending.certain):
                continue
            families = self._families(taker, sending.node)
            if certain and len(families) > 1:
                # Which of its addresses a target is registered with is not known, and so for whom it sees the node's.
                continue
            chosen = self._clients.outside(sending.node, sending.lane, certain=certain)
            if strays is not None:
                ways = self._ways(sending.node)
                if certain and not any(way.certain for way in ways):
                    continue
                if not ways:
                    chosen = chosen & strays(sending.node)
            sent = self._atoms.words(self._atoms.mask(sending.lane.sent))[:, None]
            for family in families:
                places = np.flatnonzero(chosen & self._of_family(family))
                if len(places):
                    rows[:, places] |= self._handed(taker, sending.node, places, family, certain=certain) & sent
                if not certain and (veiled := self._veiled(sending.node, family)).size:
                    found = self._handed(taker, sending.node, veiled, family, certain=False) & sent
                    words = np.bitwise_or.reduce(found, axis=1)[:, None]
                    for start, end in self._columns.line.runs(GLOBAL_UNICAST):
                        rows[:, start:end] |= words
        for way in () if certain else self._unread(taker.number):
            rows |= self._by_unread(taker, way)
        return rows

    def _by_unread(self, taker: Taker, way: WayIn) -> Rows:
        """Return what arrives at a class through a load balancer whose interfaces were not read, at most."""
        certain = False
        admitted, start = taker.let_in(certain), self._columns.faces
        let_in = admitted.plain[:, start:] | np.bitwise_or.reduce(admitted.named, axis=1)[:, None]
        if admitted.boundary is not None:
            let_in = let_in & admitted.boundary[:, start:]
        words = self._atoms.words(self._atoms.mask(way.traffic))[:, None]
        rows: Rows = np.zeros_like(let_in)
        for first, last in self._columns.line.runs(way.clients & GLOBAL_UNICAST):
            rows[:, first:last] = let_in[:, first:last] & words
        for family in _FAMILIES:
            if not self._faces(taker.number, family):
                rows[:, self._of_family(family)] = 0
        return rows

    def _ways(self, node: int) -> Sequence[WayIn]:
        first = self._firsts[node]
        return () if first is None else self._view.ways_in(first).unbalanced

    def _veiled(self, node: int, family: Family) -> NDArray[np.intp]:
        """Return the positions of entrances that a node sees in place of their clients, who may be anybody."""
        runs = (
            run for way in self._ways(node) if not way.shows_clients for run in self._columns.line.runs(way.clients)
        )
        places = np.array(sorted({place for start, end in runs for place in range(start, end)}), dtype=np.intp)
        return places[self._of_family(family)[places]]

    def _of_family(self, family: Family) -> NDArray[np.bool_]:
        """Return which positions outside are of a family."""
        line = self._columns.line
        four: NDArray[np.bool_] = np.arange(line.length) < line.boundary
        return four if family == 4 else ~four

    def _faces(self, number: int, family: Family) -> list[int]:
        columns = self._columns
        return [
            face
            for face in columns.of_class[number]
            if self._present[face] and (face < columns.families) == (family == 4)
        ]

    def _families(self, taker: Taker, node: int) -> list[Family]:
        """Return the families in which both a class and a node have addresses."""
        return [each for each in _FAMILIES if self._faces(taker.number, each) and self._faces(node, each)]

    def _handed(self, taker: Taker, node: int, places: NDArray[np.intp], family: Family, *, certain: bool) -> Rows:
        """Return what gets from a node to a class in one family, for clients at some positions outside."""
        admitted = taker.let_in(certain)
        seen = self._columns.faces + places
        nodes = np.array(self._faces(node, family), dtype=np.intp)
        found: list[Rows] = []
        for face in self._faces(taker.number, family):
            passing = self._handing.passing(face, nodes, certain=certain)
            near = self._handing.near(face, nodes).tolist()
            for place, hold in enumerate(self._handing.groups_hold(face, nodes).tolist()):
                rows = admitted.plain[:, seen]
                if hold:
                    rows = rows | admitted.named[:, nodes[place]][:, None]
                if admitted.boundary is not None and not near[place]:
                    rows = rows & admitted.boundary[:, seen]
                found.append(rows & passing[:, place][:, None])
        joined = np.bitwise_and if certain else np.bitwise_or
        handed: Rows = joined.reduce(found)
        return handed
