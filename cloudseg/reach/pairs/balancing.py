"""Load balancers and the provider's plumbing, as they behave: they take what they listen to, and send to their targets.

A client comes to a target in two steps: to a node of the load balancer, and from the node on. Where the node keeps the
client's address, the target's rules are asked about the clients that reach the node. Sources:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cloudseg.reach.pairs.clients import Clients
from cloudseg.reach.pairs.forwarded import Forwarded, Taker
from cloudseg.reach.pairs.parcels import PROXIED, Parcels, lanes
from cloudseg.reach.pairs.rows import Arrivals, Band
from cloudseg.reach.pairs.tally import Tally
from cloudseg.reach.plumbing import conduct, may_keep_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Family, Forwarder, Interface
    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.clients import Pairs
    from cloudseg.reach.pairs.ground import Ground, Surveyed
    from cloudseg.reach.pairs.handing import Admitted, Handing
    from cloudseg.reach.pairs.parcels import Parcel
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.traffic import Traffic

__all__ = ["Balancing"]

_BOUNDS = (True, False)


class _Target:
    """One target while it is judged: its faces, what its lists let in, what gets to it under own addresses."""

    def __init__(self, number: int, faces: Sequence[int], tally: Tally, let_in: Callable[[bool], Admitted]) -> None:
        self.number = number
        self.faces = np.array(faces, dtype=np.intp)
        self.tally = tally
        self._let_in = let_in
        self._admitted: dict[bool, Admitted] = {}

    def admitted(self, *, certain: bool) -> Admitted:
        """Return one bound of what its lists let in."""
        if certain not in self._admitted:
            self._admitted[certain] = self._let_in(certain)
        return self._admitted[certain]


class Balancing:
    """Judges what arrives at load balancers and at their targets.

    Args:
        surveyed: what the estate names.
        ground: atoms and columns.
        firsts: a member of each class; None where the estate has none.
        present: which faces there are in the estate.
        handing: what nodes hand on.
        pairs: what arrives at nodes.
    """

    def __init__(
        self,
        surveyed: Surveyed,
        ground: Ground,
        firsts: Sequence[Interface | None],
        present: NDArray[np.bool_],
        handing: Handing,
        pairs: Pairs,
    ) -> None:
        self._atoms = ground.atoms
        self._columns = ground.columns
        self._present = present
        self._handing = handing
        self._parcels = Parcels(surveyed, ground, firsts)
        conducts = ["ordinary" if first is None else conduct(first) for first in firsts]
        self._idle = frozenset(n for n, each in enumerate(conducts) if each == "passes on")
        quiet = self._parcels.nodes.keys() | {n for n, each in enumerate(conducts) if each in {"passes on", "answers"}}
        self._quiet = _array(quiet)
        self._stays = frozenset(quiet - self._parcels.abroad.keys() - set(self._parcels.incomplete))
        self._proxies = _array(n for n, each in enumerate(conducts) if each == "proxy")
        keepers = {n for n, first in enumerate(firsts) if first is not None and self._may_keep(n, first, surveyed)}
        self._keepers = _array(keepers - self._idle)
        self._proxies_keeping = np.intersect1d(self._keepers, self._proxies)
        self._others_keeping = np.setdiff1d(self._keepers, self._proxies_keeping)
        self._unsure = _array({n for n, each in enumerate(conducts) if each == "unknown"} | {*self._keepers.tolist()})
        self._incomplete = _array(self._parcels.incomplete)
        self._noted = np.union1d(self._proxies, self._incomplete)
        self._single = [len(own.members) == 1 for own in ground.columns.classes]
        users = np.flatnonzero(self._faces_of(self._keepers))
        self._clients = Clients(ground, self._parcels, self._faces_of(self._quiet), users, handing, pairs)
        self._forwarded = Forwarded(
            surveyed, ground, firsts, present=present, parcels=self._parcels, clients=self._clients, handing=handing
        )
        self._unknown_clients: NDArray[np.bool_] | None = None
        places, columns = np.arange(ground.columns.width), ground.columns
        self._outside: NDArray[np.bool_] = places >= columns.faces
        self._four: NDArray[np.bool_] = places < np.where(
            self._outside, columns.faces + columns.line.boundary, columns.families
        )

    def _may_keep(self, number: int, first: Interface, surveyed: Surveyed) -> bool:
        """Tell whether a member of a class opens connections under the addresses of its users, or may do so."""
        if conduct(first) != "proxy":
            return first.keeps_client
        estate = surveyed.survey.estate
        members = (estate.interfaces.get(name) for name in self._columns.classes[number].members)
        return any(may_keep_users(member, estate) for member in members if member is not None)

    def _faces_of(self, classes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which faces are of some classes."""
        found: NDArray[np.bool_] = np.isin(self._columns.owner, classes)
        return found

    def _words(self, traffic: Traffic) -> Words:
        return self._atoms.words(self._atoms.mask(traffic))

    def tally(self, target: int) -> Tally:
        """Return what is to be noted of what arrives at a class, before what comes over the internet is added."""
        nodes = {parcel.node for parcel in self._parcels.of(target)}
        faces = {node: [face for face in self._columns.of_class[node] if self._present[face]] for node in nodes}
        return Tally(faces, self._columns.families, self._noted)

    def judged(
        self, target: int, faces: Sequence[int], arrivals: Arrivals, tally: Tally, let_in: Callable[[bool], Admitted]
    ) -> Arrivals:
        """Return what arrives at a class, once load balancers behave as they do.

        Args:
            target: the number of the class.
            faces: its faces.
            arrivals: what rules and routes let arrive; it is changed.
            tally: what arrives by other ways than the internet.
            let_in: one bound of what the lists of the class let in.
        """
        inside, outside = arrivals.inside, arrivals.outside
        if target in self._idle:
            nothing = np.zeros_like(outside.lower)
            for rows in inside:
                rows[:] = 0
            return Arrivals(inside, Band(nothing, nothing))
        own = _Target(target, faces, tally, let_in)
        for certain in _BOUNDS:
            self._quieten(inside.bound(certain=certain), tally, certain=certain)
            for parcel in self._parcels.of(target):
                if parcel.certain or not certain:
                    inside.bound(certain=certain)[:, parcel.node] |= self._sent(own, parcel, certain=certain)
        self._add_unknown(inside.upper, own)
        if hidden := self._parcels.hidden_to(target):
            admitted, start, found = own.admitted(certain=False), self._columns.faces, outside.upper.copy()
            let_through = admitted.plain if admitted.boundary is None else admitted.plain & admitted.boundary
            for each in hidden:
                words = self._words(each.traffic)[:, None]
                for first, last in each.runs:
                    found[:, first:last] |= let_through[:, start + first : start + last] & words
            outside = Band(outside.lower, found)
        return Arrivals(inside, self._accepted(own, inside, outside))

    def _accepted(self, own: _Target, inside: Band, outside: Band) -> Band:
        """Leave of what arrives at a node what the load balancer takes; return the same for what comes from outside."""
        target = own.number
        forwarder = self._parcels.nodes.get(target)
        if forwarder is None:
            return outside
        for endpoint in self._parcels.endpoints.get(target, ()):
            # Clients that come over a private endpoint meet the node's groups only where that is set.
            inside.upper[:, endpoint] = self._atoms.words(self._atoms.everything)
        outside = self._consumed(own, forwarder, outside)
        if forwarder.accepts is None:
            inside.lower[:] = 0
            return Band(np.zeros_like(outside.lower), outside.upper)
        words = self._words(forwarder.accepts)[:, None]
        np.bitwise_and(inside.lower, words, out=inside.lower)
        np.bitwise_and(inside.upper, words, out=inside.upper)
        return Band(outside.lower & words, outside.upper & words)

    def _consumed(self, own: _Target, forwarder: Forwarder, outside: Band) -> Band:
        """Add to what comes from outside what may come over private endpoints that were not read."""
        runs = self._parcels.consumers.get(own.number, ())
        if not runs:
            return outside
        upper, start = outside.upper.copy(), self._columns.faces
        for first, last in runs:
            if forwarder.groups_on_private_link is True:
                upper[:, first:last] |= own.admitted(certain=False).plain[:, start + first : start + last]
            else:
                upper[:, first:last] |= self._atoms.words(self._atoms.everything)[:, None]
        return Band(outside.lower, upper)

    def _quieten(self, rows: Rows, tally: Tally, *, certain: bool) -> None:
        """Take away what nobody sends: what only answers opens no connection, and nodes open them to targets alone."""
        if len(self._proxies):
            rows[:, self._proxies] = tally.before(self._proxies, certain=certain) & self._words(PROXIED)[:, None]
        if certain and len(self._unsure):
            rows[:, self._unsure] = 0
        if len(self._quiet):
            rows[:, self._quiet] = 0
        if not certain and len(self._incomplete):
            rows[:, self._incomplete] = tally.before(self._incomplete, certain=False)

    def _sent(self, target: _Target, parcel: Parcel, *, certain: bool) -> Words:
        """Return what a node gets through to a target: at the address of the target that it is registered with.

        Which one that is of several families or addresses is not known: for sure passes what passes to all of them.
        """
        families = target.tally.families(parcel.node)
        each = [self._in_family(target, parcel, family, certain=certain) for family in families]
        if not each:
            return np.zeros(self._atoms.width, dtype=np.uint64)
        words: Words = (np.bitwise_and if certain else np.bitwise_or).reduce(each)
        return words

    def _in_family(self, target: _Target, parcel: Parcel, family: Family, *, certain: bool) -> Words:
        forward, own = parcel.forward, target.tally.own(parcel.node, family, certain=certain)
        checks = own & self._words(forward.checks)
        if certain:
            # Where clients are told from nodes, a node's own health check does not show that any client gets through.
            checks = checks & ~self._words(self._parcels.for_clients[parcel.node])
        shown = own & self._words(forward.traffic)
        if forward.keeps_client is False:
            return checks | shown
        kept = self._kept(target, parcel, family, certain=certain)
        if forward.keeps_client is None:
            return checks | (kept & shown if certain else kept | shown)
        if not certain and parcel.node in self._parcels.over_endpoints:
            # Of clients that come over a private endpoint, targets see the node's address.
            kept = kept | shown
        return checks | kept

    def _kept(self, target: _Target, parcel: Parcel, family: Family, *, certain: bool) -> Words:
        """Return what a target admits of the clients that reach a node, of those that speak its family of addresses.

        Of the others it sees the node's address. No target is a client of its own: the answer would never leave it.
        Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html and
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html
        """
        found: Words = np.zeros(self._atoms.width, dtype=np.uint64)
        for lane in lanes(parcel.forward):
            clients = self._clients.of(parcel.node, lane, certain=certain)
            if certain and self._single[target.number]:
                clients[list(self._columns.of_class[target.number])] = False
            same = self._of_family(family)
            words = self._handed(target, parcel.node, np.flatnonzero(clients & same), family, certain=certain)
            if (clients & ~same).any():
                words = words | target.tally.own(parcel.node, family, certain=certain)
            found = found | (words & self._words(lane.sent))
        return found

    def _of_family(self, family: Family) -> NDArray[np.bool_]:
        """Return which columns are of a family."""
        return self._four if family == 4 else ~self._four

    def _handed(self, target: _Target, node: int, clients: NDArray[np.intp], family: Family, *, certain: bool) -> Words:
        """Return what gets from a node to a target in one family, of some clients."""
        admitted = target.admitted(certain=certain)
        nodes = np.array(target.tally.faces(node, family), dtype=np.intp)
        found: list[Words] = []
        for face in target.faces[(target.faces < self._columns.families) == (family == 4)].tolist():
            passing = self._handing.passing(face, nodes, certain=certain)
            near = self._handing.near(face, nodes).tolist()
            for place, hold in enumerate(self._handing.groups_hold(face, nodes).tolist()):
                named = admitted.named[:, nodes[place]] if hold else None
                found.append(passing[:, place] & admitted.of_any(clients, named, near=near[place]))
        words: Words = (np.bitwise_and if certain else np.bitwise_or).reduce(found)
        return words

    def _add_unknown(self, upper: Rows, target: _Target) -> None:
        """Add what may come under addresses that are not known: of users, and of clients to targets not read."""
        if len(self._proxies_keeping):
            self._add_from(upper, target, self._proxies_keeping, self._outside, only=self._words(PROXIED))
        if len(self._others_keeping):
            self._add_from(upper, target, self._others_keeping, self._outside)
        if self._parcels.incomplete_keeping:
            if self._unknown_clients is None:
                self._unknown_clients = np.zeros(self._columns.width, dtype=np.bool_)
                for node in self._parcels.incomplete_keeping:
                    lane = self._parcels.lanes_of(node)[-1]
                    self._unknown_clients |= self._clients.of(node, lane, certain=False)
            self._add_from(upper, target, _array(self._parcels.incomplete_keeping), self._unknown_clients)

    def _add_from(
        self,
        upper: Rows,
        target: _Target,
        classes: NDArray[np.intp],
        seen: NDArray[np.bool_],
        only: Words | None = None,
    ) -> None:
        """Add what gets from some classes to a target under any of some addresses, at most."""
        for face in target.faces.tolist() if len(classes) else ():
            four = face < self._columns.families
            own = np.flatnonzero(self._faces_of(classes) & self._present)
            own = own[(own < self._columns.families) == four]
            if not len(own):
                continue
            admitted = target.admitted(certain=False)
            chosen = np.flatnonzero(seen & self._of_family(4 if four else 6))
            words = np.where(
                self._handing.near(face, own),
                admitted.of_any(chosen, None, near=True)[:, None],
                admitted.of_any(chosen, None, near=False)[:, None],
            )
            named = admitted.named[:, own] * self._handing.groups_hold(face, own)
            found = self._handing.passing(face, own, certain=False) & (words | named)
            if only is not None:
                found &= only[:, None]
            for word, row in zip(upper, found, strict=True):
                np.bitwise_or.at(word, self._columns.owner[own], row)

    def forwards_to(self, target: int) -> bool:
        """Tell whether a load balancer may hand something to a class under its clients' addresses."""
        return target not in self._idle and self._forwarded.before(target)

    def forwarded(self, taker: Taker, strays: Callable[[int], NDArray[np.bool_]] | None = None) -> Band:
        """Return what arrives at a class through load balancers from positions outside, under the clients' addresses.

        Args:
            taker: the class.
            strays: see :meth:`~cloudseg.reach.pairs.forwarded.Forwarded.arriving`.
        """
        return self._forwarded.arriving(taker, strays)

    def takes(self, target: int) -> Words:
        """Return what a class certainly takes: a load balancer what it listens to, plumbing nothing, others all."""
        forwarder = self._parcels.nodes.get(target)
        if target in self._idle:
            return self._atoms.words(0)
        if forwarder is None:
            return self._atoms.words(self._atoms.everything)
        return self._atoms.words(0) if forwarder.accepts is None else self._words(forwarder.accepts)

    def stays_inside(self, source: int) -> bool:
        """Tell whether a class opens no connections to addresses outside of the estate."""
        return source in self._stays

    def departing(self, source: int, band: Band) -> Band:
        """Return what leaves a class for addresses outside of the estate, once load balancers behave as they do.

        Args:
            source: the number of the class.
            band: what rules and routes let leave.
        """
        if source in self._proxies:
            band = Band(band.lower, band.upper & self._words(PROXIED)[:, None])
        if source in self._proxies or source in self._unsure:
            band = Band(np.zeros_like(band.lower), band.upper)
        if source not in self._parcels.nodes:
            return band
        nothing = np.zeros_like(band.lower)
        if source in self._parcels.incomplete:
            return Band(nothing, band.upper)
        upper = np.zeros_like(band.upper)
        for each in self._parcels.abroad.get(source, ()):
            for first, last in each.runs:
                upper[:, first:last] |= band.upper[:, first:last] & self._words(each.traffic)[:, None]
        return Band(nothing, upper)


def _array(numbers: Iterable[int]) -> NDArray[np.intp]:
    return np.array(sorted(set(numbers)), dtype=np.intp)
