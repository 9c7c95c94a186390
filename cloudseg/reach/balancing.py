"""Load balancers and the provider's plumbing, as they behave: they take what they listen to, and send to their targets.

A client comes to a target in two steps: to a node of the load balancer, and from the node on. Where the node keeps the
client's address, the target's rules are asked about the clients that reach the node. Source:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from cloudseg.model import ListRef
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.reach.rows import Arrivals, Band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Interface
    from cloudseg.reach.atoms import Words
    from cloudseg.reach.ground import Ground, Surveyed
    from cloudseg.reach.rows import Rows

__all__ = ["Balancing"]


class _Parcel(NamedTuple):
    """What a node sends to a class.

    Attributes:
        node: the class of the node.
        traffic: what it sends for its clients.
        checks: what it sends by itself.
        keeps_client: whether the target sees the clients; None where that is not known.
        certain: it does send.
    """

    node: int
    traffic: Words
    checks: Words
    keeps_client: bool | None
    certain: bool


class _Hidden(NamedTuple):
    """What a service without interfaces of its own sends to a class: from which positions, and what."""

    runs: tuple[tuple[int, int], ...]
    traffic: Words


class Pairs(Protocol):
    """What the matrix tells of other pairs."""

    def arrivals(self, target: int) -> Arrivals:
        """Return what arrives at a class."""
        ...

    def sent(self, source: int, target: int, *, certain: bool) -> NDArray[np.uint64]:
        """Return what gets from one class to another before the target's lists are asked."""
        ...


class Balancing:
    """Judges what arrives at load balancers and at their targets.

    Args:
        surveyed: what the estate names.
        ground: atoms and columns.
        firsts: a member of each class; None where the estate has none.
    """

    def __init__(self, surveyed: Surveyed, ground: Ground, firsts: Sequence[Interface | None]) -> None:
        estate = surveyed.survey.estate
        self._columns = ground.columns
        self._everything = ground.atoms.words(ground.atoms.everything)
        self._accepts: dict[int, Band] = {}
        quiet: list[int] = []
        self._idle: set[int] = set()
        self._nodes: set[int] = set()
        for number, first in enumerate(firsts):
            if first is None:
                continue
            if only_passes_on(first):
                self._idle.add(number)
                quiet.append(number)
            forwarder = estate.forwarders.get(first.workload or "")
            if forwarder is not None:
                self._nodes.add(number)
                quiet.append(number)
                words = self._everything
                if forwarder.accepts is not None:
                    words = ground.atoms.words(ground.atoms.mask(forwarder.accepts))
                nothing = np.zeros_like(words)
                known = forwarder.accepts is not None
                self._accepts[number] = Band((words if known else nothing)[:, None], words[:, None])
        self._quiet = np.array(sorted(quiet), dtype=np.intp)
        self._keepers = np.array(
            [n for n, first in enumerate(firsts) if first is not None and first.keeps_client], dtype=np.intp
        )
        self._parcels: defaultdict[int, list[_Parcel]] = defaultdict(list)
        self._hidden: defaultdict[int, list[_Hidden]] = defaultdict(list)
        self._unpack(surveyed, ground)
        self._busy: set[int] = set()

    def _unpack(self, surveyed: Surveyed, ground: Ground) -> None:
        estate, atoms = surveyed.survey.estate, ground.atoms
        lists = {
            (id(forward)): forwarder.seen_as
            for forwarder in estate.forwarders.values()
            for forward in forwarder.forwards
        }
        for each in surveyed.handed:
            target = self._columns.class_of[each.target.id]
            traffic = atoms.words(atoms.mask(each.forward.traffic))
            if each.node is None:
                for name in sorted(lists.get(id(each.forward), frozenset())):
                    _, most = outside_addresses((ListRef(name),), estate)
                    self._hidden[target].append(_Hidden(ground.line.runs(most), traffic))
                continue
            checks = atoms.words(atoms.mask(each.forward.checks))
            node = self._columns.class_of[each.node.id]
            parcel = _Parcel(node, traffic, checks, each.forward.keeps_client, not each.doubts)
            if not any(_same(parcel, known) for known in self._parcels[target]):
                self._parcels[target].append(parcel)

    def keeps_to_targets(self, source: int) -> bool:
        """Tell whether a class opens connections to its own targets alone, or none at all."""
        return source in self._nodes or source in self._idle

    def judged(self, target: int, arrivals: Arrivals, let_in: Band, matrix: Pairs) -> Arrivals:
        """Return what arrives at a class, once load balancers behave as they do.

        Args:
            target: the number of the class.
            arrivals: what rules and routes let arrive; it is changed.
            let_in: what the lists of the class let in by address, from every column.
            matrix: what arrives at other classes, and what gets to this one.
        """
        if target in self._idle:
            nothing = np.zeros_like(arrivals.outside.lower)
            for rows in arrivals.inside:
                rows[:] = 0
            return Arrivals(arrivals.inside, Band(nothing, nothing))
        inside, outside = arrivals
        sent = self._sent(target, inside, let_in, matrix)
        for certain in (True, False):
            rows = inside.bound(certain=certain)
            if len(self._keepers):
                rows[:, self._keepers] = self._for_users(rows, let_in, certain=certain)
            if len(self._quiet):
                rows[:, self._quiet] = 0
            for node, words in sent[certain].items():
                rows[:, node] = words
        if (hidden := self._hidden.get(target)) is not None:
            outside = Band(outside.lower, self._with_hidden(outside.upper, hidden, let_in.upper))
        accepts = self._accepts.get(target)
        if accepts is not None:
            outside = Band(outside.lower & accepts.lower, outside.upper & accepts.upper)
            for certain in (True, False):
                rows = inside.bound(certain=certain)
                rows &= accepts.bound(certain=certain)
        return Arrivals(inside, outside)

    def _sent(
        self, target: int, inside: Band, let_in: Band, matrix: Pairs
    ) -> dict[bool, dict[int, NDArray[np.uint64]]]:
        """Return what each node gets through to a target, for both bounds."""
        found: dict[bool, dict[int, NDArray[np.uint64]]] = {True: {}, False: {}}
        for parcel in self._parcels.get(target, ()):
            for certain in (True, False):
                if certain and not parcel.certain:
                    continue
                own = inside.bound(certain=certain)[:, parcel.node]
                words = own & parcel.checks
                open_question = certain and parcel.keeps_client is None
                if parcel.keeps_client is not True and not open_question:
                    words = words | (own & parcel.traffic)
                if parcel.keeps_client is not False and not open_question:
                    clients = self._of_clients(target, parcel.node, let_in, matrix, certain=certain)
                    words = words | (clients & parcel.traffic)
                known = found[certain].get(parcel.node)
                found[certain][parcel.node] = words if known is None else known | words
        return found

    def _of_clients(self, target: int, node: int, let_in: Band, matrix: Pairs, *, certain: bool) -> NDArray[np.uint64]:
        """Return what a target admits from the addresses of the clients that reach a node, as far as the node sends."""
        if target in self._busy or node in self._busy:
            # Load balancers that are targets of each other: who comes that way is not worked out.
            return np.zeros_like(self._everything) if certain else self._everything
        self._busy.add(target)
        arriving = matrix.arrivals(node)
        self._busy.discard(target)
        faces: NDArray[np.bool_] = np.any(arriving.inside.bound(certain=certain), axis=0)[self._columns.owner]
        outside: NDArray[np.bool_] = np.any(arriving.outside.bound(certain=certain), axis=0)
        chosen = np.flatnonzero(np.concatenate((faces, outside)))
        words: NDArray[np.uint64] = np.bitwise_or.reduce(let_in.bound(certain=certain)[:, chosen], axis=1)
        return words & matrix.sent(node, target, certain=certain)

    def _for_users(self, rows: Rows, let_in: Band, *, certain: bool) -> Rows:
        """Return what endpoints get through that bear the addresses of their users, of whom nothing is known."""
        if certain:
            return np.zeros_like(rows[:, self._keepers])
        outside = np.bitwise_or.reduce(let_in.upper[:, self._columns.faces :], axis=1)
        found: Rows = rows[:, self._keepers] | outside[:, None]
        return found

    def _with_hidden(self, upper: Rows, hidden: Sequence[_Hidden], let_in: Rows) -> Rows:
        found = upper.copy()
        start = self._columns.faces
        for each in hidden:
            for first, last in each.runs:
                found[:, first:last] |= let_in[:, start + first : start + last] & each.traffic[:, None]
        return found


def _same(one: _Parcel, other: _Parcel) -> bool:
    return (
        one.node == other.node
        and one.keeps_client == other.keeps_client
        and one.certain == other.certain
        and np.array_equal(one.traffic, other.traffic)
        and np.array_equal(one.checks, other.checks)
    )
