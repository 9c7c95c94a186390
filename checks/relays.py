"""What parts of an estate send to each other by way of load balancers that belong to no part themselves.

A load balancer takes connections and opens others, so that nothing passes between client and target directly. Where it
is in a part of its own, it is an end like any other. Where it is in none, both ways are joined here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.checks.flow_words import weight_of
from cloudseg.checks.rule_lists import counted, traffic_words
from cloudseg.model import own_id
from cloudseg.reach.handovers import handovers_to
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cloudseg.findings import Confidence, Severity
    from cloudseg.model import Estate, Forward, Forwarder, ForwardTarget, Interface
    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Relayed", "relayed"]

_DEEPEST = 3
"""Load balancers behind each other: a network load balancer before one for applications makes two."""


class _Client(NamedTuple):
    """What a client sends to a load balancer, for sure and at most."""

    lower: Traffic
    upper: Traffic


_NOTHING = _Client(NO_TRAFFIC, NO_TRAFFIC)


class _Sender(NamedTuple):
    """Interfaces of one part that nothing tells apart.

    Attributes:
        part: the part.
        number: the number of their class.
    """

    part: int
    number: int


class Relayed(NamedTuple):
    """What passes from one part to another by way of load balancers.

    Attributes:
        source: the part of the clients.
        target: the part of the targets.
        through: qualified ids of the load balancers, in the order of the packets.
        certain: some client certainly reaches some target.
        traffic: what arrives at the targets at most.
        clients: qualified ids of the interfaces that reach the first load balancer at most.
        targets: those that the last one reaches.
    """

    source: int
    target: int
    through: tuple[str, ...]
    certain: bool
    traffic: Traffic
    clients: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def certainty(self) -> Confidence:
        """How sure it is that anything passes."""
        return "high" if self.certain else "low"

    @property
    def severity(self) -> Severity:
        """How bad it is that this passes inside of an estate where it should not."""
        return weight_of(self.traffic)

    def words(self, estate: Estate) -> str:
        """Return what passes, and by what: ``tcp/5432 by way of the load balancer db``."""
        most = "" if self.certain else "at most "
        return f"{most}{traffic_words(self.traffic)} by way of {_names(self.through, estate)}"

    def evidence(self, estate: Estate) -> tuple[str, ...]:
        """Return the facts: how many clients and targets, and one of each."""
        first, last = estate.interfaces[self.clients[0]].label, estate.interfaces[self.targets[0]].label
        reach = "reaches" if self.certain else "may reach"
        return (
            f"{counted(len(self.clients), 'client')}, such as {first}",
            f"{counted(len(self.targets), 'target')}, such as {last}",
            f"{first} {reach} {_names(self.through, estate)}, which hands connections on to {last}",
            f"no tag says where {_names(self.through, estate)} belongs",
        )


def relayed(
    reach: Reachability, of: Mapping[str, int], relays: frozenset[str], interest: Callable[[int], Mapping[int, Traffic]]
) -> Iterator[Relayed]:
    """Yield what parts send to each other by way of load balancers, by load balancer, source and target.

    Where a target sees the addresses of its clients, or a listener was not read, something passes at most.

    Args:
        reach: reachability of the estate.
        of: the part of each interface, by qualified id.
        relays: the interfaces that may hand connections on: those that belong to no part.
        interest: returns for a part, as the target, the sources that are of interest.
    """
    search = _Search(reach, of, relays, interest)
    for name in sorted(reach.estate.forwarders):
        yield from search.from_(reach.estate.forwarders[name])


class _Search:
    def __init__(
        self,
        reach: Reachability,
        of: Mapping[str, int],
        relays: frozenset[str],
        interest: Callable[[int], Mapping[int, Traffic]],
    ) -> None:
        self._reach = reach
        self._estate = reach.estate
        self._of = of
        self._relays = relays
        self._interest = interest
        # Members of a class send alike, so that clients are told by class and part.
        self._members: defaultdict[_Sender, list[str]] = defaultdict(list)
        for name, part in of.items():
            self._members[_Sender(part, reach.number_of(name))].append(name)
        self._classes: defaultdict[int, list[int]] = defaultdict(list)
        for sender in sorted(self._members):
            self._classes[sender.part].append(sender.number)
        self._traffics: dict[bytes, Traffic] = {}

    def from_(self, forwarder: Forwarder) -> Iterator[Relayed]:
        """Yield what goes on from a load balancer, the first that its clients meet."""
        wanted = self._wanted(forwarder, ())
        clients: dict[_Sender, _Client] = {}
        for node in self._nodes(forwarder) if wanted else ():
            inside = self._reach.arrivals(self._reach.number_of(node.id)).inside
            for part in sorted(wanted):
                numbers = np.array(self._classes[part], dtype=np.intp)
                lower, upper = inside.lower[:, numbers], inside.upper[:, numbers]
                for place in np.flatnonzero(upper.any(axis=0)).tolist():
                    sender = _Sender(part, int(numbers[place]))
                    known = clients.get(sender, _NOTHING)
                    sent = _Client(self._traffic(lower[:, place]), self._traffic(upper[:, place]))
                    clients[sender] = _Client(known.lower | sent.lower, known.upper | sent.upper)
        if clients:
            yield from self._onward(forwarder, clients, ())

    def _wanted(self, forwarder: Forwarder, before: tuple[str, ...]) -> set[int]:
        """Return the parts whose way to the targets of a load balancer, or to those behind these, is of interest."""
        through = (*before, forwarder.id)
        targets = {each.id: each for f in forwarder.forwards for t in f.targets for each in self._targets(t)}
        if not forwarder.complete:
            targets |= self._estate.interfaces
        parts = {self._of[name] for name in targets if name in self._of}
        found = {source for part in parts for source in self._interest(part)}
        for node in targets.values():
            behind = self._estate.forwarders.get(node.workload or "")
            if behind is not None and behind.id not in through and len(through) < _DEEPEST and node.id in self._relays:
                found |= self._wanted(behind, through)
        return found

    def _traffic(self, words: Words) -> Traffic:
        key = words.tobytes()
        known = self._traffics.get(key)
        if known is None:
            known = self._traffics[key] = self._reach.ground.atoms.from_words(words)
        return known

    def _nodes(self, forwarder: Forwarder) -> list[Interface]:
        return [each for each in self._estate.interfaces_of(forwarder.id) if each.id in self._relays]

    def _onward(
        self, forwarder: Forwarder, clients: Mapping[_Sender, _Client], before: tuple[str, ...]
    ) -> Iterator[Relayed]:
        """Yield what a load balancer hands on of what its clients send."""
        through = (*before, forwarder.id)
        found: dict[tuple[int, int], list[Relayed]] = {}
        for forward in forwarder.forwards:
            targets = [each for target in forward.targets for each in self._targets(target)]
            for each in self._handed(forwarder, forward, clients, targets, through):
                found.setdefault((each.source, each.target), []).append(each)
            yield from self._behind(forwarder, forward, clients, targets, through)
        if not forwarder.complete:
            for each in self._handed(forwarder, None, clients, self._estate.interfaces.values(), through):
                found.setdefault((each.source, each.target), []).append(each)
        for parts in sorted(found):
            yield _joined(found[parts])

    def _targets(self, target: ForwardTarget) -> list[Interface]:
        """Return the interfaces that a target stands for, as far as they were read."""
        if target.target is not None:
            own = self._estate.interfaces.get(target.target)
            return list(self._estate.interfaces_of(target.target)) if own is None else [own]
        near = self._estate.interfaces_in(target.network or "")
        found = [each for each in near if each.addresses.overlaps(target.address)]
        # It may lie behind a peering or a gateway.
        return found or [each for each in self._estate.interfaces.values() if each.addresses.overlaps(target.address)]

    def _arriving(self, forwarder: Forwarder, forward: Forward | None, target: Interface) -> _Client:
        """Return what nodes send to a target for their clients."""
        lower = upper = NO_TRAFFIC
        # Another forward with the same traffic may lead to the target for sure where this one does not.
        surely = {
            each.node.id
            for _, each in handovers_to(target, self._estate)
            if each.forward is forward and each.node is not None and not each.doubts
        }
        for node in self._nodes(forwarder):
            if node.id != target.id:
                verdict = self._reach.between(node.id, target.id)
                lower, upper = lower | (verdict.lower if node.id in surely else NO_TRAFFIC), upper | verdict.upper
        if forward is None:
            return _Client(NO_TRAFFIC, upper)
        # Under the addresses of clients a target may take less; its health checks tell nothing of them.
        sure = forward.keeps_client is False and forward.listens is not None
        return _Client(lower & forward.traffic if sure else NO_TRAFFIC, upper & forward.traffic)

    def _handed(
        self,
        forwarder: Forwarder,
        forward: Forward | None,
        clients: Mapping[_Sender, _Client],
        targets: Iterable[Interface],
        through: tuple[str, ...],
    ) -> Iterator[Relayed]:
        """Yield what parts send by one forward; None stands for those that were not read."""
        listens = ALL_TRAFFIC if forward is None or forward.listens is None else forward.listens
        senders: defaultdict[int, list[str]] = defaultdict(list)
        surely: set[int] = set()
        for sender, sent in clients.items():
            if sent.upper.overlaps(listens):
                senders[sender.part].extend(self._members[sender])
                if sent.lower.overlaps(listens):
                    surely.add(sender.part)
        if not senders:
            return
        takers: defaultdict[int, dict[str, _Client]] = defaultdict(dict)
        for target in targets:
            part = self._of.get(target.id)
            if part is not None and not senders.keys().isdisjoint(self._interest(part)):
                taken = self._arriving(forwarder, forward, target)
                if taken.upper:
                    takers[part][target.id] = taken
        for part, taking in takers.items():
            for source in sorted(senders.keys() & self._interest(part).keys()):
                yield Relayed(
                    source=source,
                    target=part,
                    through=through,
                    certain=source in surely and any(each.lower for each in taking.values()),
                    traffic=_union(each.upper for each in taking.values()),
                    clients=tuple(sorted(senders[source])),
                    targets=tuple(sorted(taking)),
                )

    def _behind(
        self,
        forwarder: Forwarder,
        forward: Forward,
        clients: Mapping[_Sender, _Client],
        targets: Iterable[Interface],
        through: tuple[str, ...],
    ) -> Iterator[Relayed]:
        """Yield what goes on from load balancers that are targets themselves."""
        listens = ALL_TRAFFIC if forward.listens is None else forward.listens
        for node in targets:
            behind = self._estate.forwarders.get(node.workload or "")
            if behind is None or behind.id in through or len(through) >= _DEEPEST or node.id not in self._relays:
                continue
            taken = self._arriving(forwarder, forward, node)
            onward = {
                sender: _Client(taken.lower if sent.lower.overlaps(listens) else NO_TRAFFIC, taken.upper)
                for sender, sent in clients.items()
                if sent.upper.overlaps(listens)
            }
            if taken.upper and onward:
                yield from self._onward(behind, onward, through)


def _joined(parts: list[Relayed]) -> Relayed:
    """Return what several forwards of one load balancer let pass between two parts."""
    first = parts[0]
    return first._replace(
        certain=any(each.certain for each in parts),
        traffic=_union(each.traffic for each in parts),
        clients=tuple(sorted({name for each in parts for name in each.clients})),
        targets=tuple(sorted({name for each in parts for name in each.targets})),
    )


def _union(traffics: Iterable[Traffic]) -> Traffic:
    found = NO_TRAFFIC
    for each in traffics:
        found |= each
    return found


def _names(through: tuple[str, ...], estate: Estate) -> str:
    labels = [estate.forwarders[name].name or own_id(name) for name in through]
    return f"the load balancer {labels[0]}" if len(labels) == 1 else f"the load balancers {' and '.join(labels)}"
