"""Who comes to the nodes of load balancers: the addresses that a target sees where a node keeps its clients'."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.ground import Ground
    from cloudseg.reach.pairs.handing import Handing
    from cloudseg.reach.pairs.parcels import Lane, Parcels
    from cloudseg.reach.pairs.rows import Band, Rows

__all__ = ["Callers", "Clients", "Pairs"]


class Callers(NamedTuple):
    """What arrives at a class by rules and routes, before load balancers and plumbing behave as they do.

    Attributes:
        faces: by word and face, of each family alone; not what comes over the internet, for there nobody is seen
            under an address of his own.
        outside: by word and position, from those whose addresses are seen.
        entrances: the positions of entrances that are seen in place of their clients.
        let_in: what the lists of the class admit from positions at most, whatever the way.
    """

    faces: Band
    outside: Band
    entrances: NDArray[np.intp]
    let_in: Rows


class Pairs(Protocol):
    """What the matrix tells of a class."""

    def callers(self, target: int) -> Callers:
        """Return what arrives at a class by rules and routes."""
        ...


class Clients:
    """Who comes to nodes, by column.

    Args:
        ground: atoms and columns.
        parcels: what load balancers send.
        silent: the faces from which nobody opens connections of his own.
        users: the faces whose connections bear addresses of users, which are not known.
        handing: what gets to nodes under such addresses.
        pairs: what arrives at nodes.
    """

    def __init__(
        self,
        ground: Ground,
        parcels: Parcels,
        silent: NDArray[np.bool_],
        users: NDArray[np.intp],
        handing: Handing,
        pairs: Pairs,
    ) -> None:
        self._atoms = ground.atoms
        self._columns = ground.columns
        self._parcels = parcels
        self._silent = silent
        self._users = users
        self._handing = handing
        self._pairs = pairs
        self._known: dict[tuple[int, Lane, bool], NDArray[np.uint8]] = {}
        self._from_outside: dict[tuple[int, Lane, bool], NDArray[np.uint8]] = {}

    def of(self, node: int, lane: Lane, *, certain: bool) -> NDArray[np.bool_]:
        """Return for every column whether a client with that address comes to a node and asks for a lane.

        Nobody does for sure where other load balancers stand between the client and the node.
        """
        chosen = self._own(node, lane, certain=certain)
        if not certain:
            for other in self._before(node):
                chosen[list(self._columns.of_class[other])] = True
                chosen |= self._own(other, self._parcels.lanes_of(other)[-1], certain=False)
        return chosen

    def outside(self, node: int, lane: Lane, *, certain: bool) -> NDArray[np.bool_]:
        """Return for every position outside whether a client who has that address comes to a node and asks for a lane.

        Neither users of what stands inside nor clients of entrances that hide them are among these.
        """
        key = (node, lane, certain)
        if key not in self._from_outside:
            self._work_out(node)
        count = self._columns.width - self._columns.faces
        return np.unpackbits(self._from_outside[key], count=count).astype(np.bool_)

    def _before(self, node: int) -> Iterator[int]:
        """Yield the nodes that send to a node, and those that send to them, each once."""
        waiting, seen = [node], {node}
        while waiting:
            for parcel in self._parcels.of(waiting.pop()):
                if parcel.node not in seen:
                    seen.add(parcel.node)
                    waiting.append(parcel.node)
                    yield parcel.node

    def _own(self, node: int, lane: Lane, *, certain: bool) -> NDArray[np.bool_]:
        """Return who comes to a node by himself."""
        key = (node, lane, certain)
        if key not in self._known:
            self._work_out(node)
        return np.unpackbits(self._known[key], count=self._columns.width).astype(np.bool_)

    def _work_out(self, node: int) -> None:
        """Work out who comes to a node, for each of its lanes."""
        callers, accepts = self._pairs.callers(node), self._parcels.nodes[node].accepts
        for certain in (True, False):
            faces, outside = callers.faces.bound(certain=certain), callers.outside.bound(certain=certain)
            for lane in self._parcels.lanes_of(node):
                words = self._atoms.words(self._atoms.everything)
                if accepts is not None:
                    words = words & self._atoms.words(self._atoms.mask(accepts))
                elif certain:
                    words = np.zeros_like(words)
                if lane.heard is not None:
                    words = words & self._atoms.words(self._atoms.mask(lane.heard))
                elif certain:
                    words = np.zeros_like(words)
                seen = _any(outside, words)
                chosen = np.concatenate((_any(faces, words) & ~self._silent, seen))
                chosen[self._users] = False
                for hidden in () if certain else self._parcels.hidden_to(node):
                    for first, last in hidden.runs:
                        seen[first:last] = True
                self._from_outside[node, lane, certain] = np.packbits(seen)
                if not certain:
                    self._add_unknown(chosen, node, callers, words)
                self._known[node, lane, certain] = np.packbits(chosen)

    def _add_unknown(self, chosen: NDArray[np.bool_], node: int, callers: Callers, words: Words) -> None:
        """Add those who may come under addresses that are not their own."""
        start = self._columns.faces
        chosen[start + callers.entrances] = True
        for hidden in self._parcels.hidden_to(node):
            for first, last in hidden.runs:
                chosen[start + first : start + last] = True
        if len(self._users):
            passing = [self._handing.passing(f, self._users, certain=False) for f in self._columns.of_class[node]]
            if (np.bitwise_or.reduce(passing) & words[:, None]).any():
                chosen[self._users] = True
                chosen[start:] |= _any(callers.let_in, words)


def _any(rows: Rows, words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.any(rows & words[:, None], axis=0)
    return found
