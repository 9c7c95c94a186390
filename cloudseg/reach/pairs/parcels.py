"""What load balancers send, and to whom: by the class of the target, and by the node where the target lies outside."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import ListRef
from cloudseg.reach.handovers import keeps_unread_targets, sent_for_clients
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.plumbing import conduct
from cloudseg.reach.private_links import consumers_of, endpoints_before
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Estate, Forward, Forwarder, ForwardTarget, Interface
    from cloudseg.reach.pairs.atoms import Runs
    from cloudseg.reach.pairs.ground import Ground, Surveyed
    from cloudseg.traffic import AddressSet

__all__ = [
    "PROXIED",
    "Beyond",
    "Lane",
    "Parcel",
    "Parcels",
    "keeps_unread_targets",
    "lanes",
    "named_addresses",
    "named_traffics",
]

PROXIED: Final = Traffic.protocol("tcp")
"""What a proxy carries."""
_LANES: Final = (Traffic.protocol("tcp"), Traffic.protocol("udp"))


class Lane(NamedTuple):
    """What targets get of one protocol, and what clients send for it.

    Attributes:
        heard: what clients send to the load balancer; None when that was not read.
        sent: what it sends to its targets.
    """

    heard: Traffic | None
    sent: Traffic


class Parcel(NamedTuple):
    """What a node sends to a class.

    Attributes:
        node: the class of the node.
        forward: what it sends, and whose address the target sees.
        certain: it does send.
    """

    node: int
    forward: Forward
    certain: bool


class Beyond(NamedTuple):
    """What is sent to positions outside of the estate, or from there."""

    runs: Runs
    traffic: Traffic


def lanes(forward: Forward) -> tuple[Lane, ...]:
    """Return what targets get, by protocol: a listener hands on what it takes over the same protocol."""
    if forward.listens is None:
        return (Lane(None, forward.traffic),)
    found: list[Lane] = []
    rest = forward.traffic
    for protocol in _LANES:
        if sent := forward.traffic & protocol:
            found.append(Lane(forward.listens & protocol, sent))
            rest -= sent
    if rest:
        found.append(Lane(forward.listens, rest))
    return tuple(found)


def named_traffics(estate: Estate) -> Iterator[Traffic]:
    """Yield every traffic that load balancers and proxies name."""
    for forwarder in estate.forwarders.values():
        if forwarder.accepts is not None:
            yield forwarder.accepts
        for forward in forwarder.forwards:
            yield forward.traffic
            yield forward.checks
            yield forward.traffic | forward.checks
            for lane in lanes(forward):
                yield lane.sent
                if lane.heard is not None:
                    yield lane.heard
    if any(conduct(interface) == "proxy" for interface in estate.interfaces.values()):
        yield PROXIED


def named_addresses(estate: Estate) -> Iterator[AddressSet]:
    """Yield the addresses outside of every network that load balancers send to, are seen under, or are asked from."""
    for forwarder in estate.forwarders.values():
        for name in sorted(forwarder.seen_as):
            yield from outside_addresses((ListRef(name),), estate)
        yield consumers_of(forwarder, estate)
    for _, _, target in _far_targets(estate):
        yield target.address


def _far_targets(estate: Estate) -> Iterator[tuple[Forwarder, Forward, ForwardTarget]]:
    """Yield the targets that are known by an address which lies in no network that was read."""
    read = NO_ADDRESSES
    for network in estate.networks.values():
        read |= network.addresses
    for _, forwarder in sorted(estate.forwarders.items()):
        for forward in forwarder.forwards:
            for target in forward.targets:
                if target.target is None and target.address and not target.address <= read:
                    yield forwarder, forward, target


class Parcels:
    """What the load balancers of an estate send.

    Args:
        surveyed: what the estate names.
        ground: atoms and columns.
        firsts: a member of each class; None where the estate has none.

    Attributes:
        nodes: the load balancers by the classes of their nodes.
        for_clients: by node, what its targets get under addresses of its clients, or may get so.
        abroad: what nodes send to addresses outside of the estate at most, by class.
        incomplete: the nodes of which not every target was read, in order: they may send anything to anybody.
        incomplete_keeping: those among them whose targets may see the clients' addresses.
        over_endpoints: the nodes to which clients may come over private endpoints.
        endpoints: the classes of private endpoints that may lead to a node, by its class.
        consumers: the positions outside of those who may come to a node over private endpoints that were not read.
    """

    def __init__(self, surveyed: Surveyed, ground: Ground, firsts: Sequence[Interface | None]) -> None:
        self._estate = surveyed.survey.estate
        self._line = ground.line
        self._class_of = ground.columns.class_of
        self.nodes: dict[int, Forwarder] = {}
        for number, first in enumerate(firsts):
            forwarder = None if first is None else self._estate.forwarders.get(first.workload or "")
            if forwarder is not None:
                self.nodes[number] = forwarder
        self.for_clients = {number: sent_for_clients(own) for number, own in self.nodes.items()}
        self._by_target: defaultdict[int, dict[tuple[int, int, bool], Parcel]] = defaultdict(dict)
        self._hidden: defaultdict[int, list[Beyond]] = defaultdict(list)
        self._hidden_anywhere: list[Beyond] = []
        self._unpack(surveyed)
        self.abroad = self._abroad()
        self.incomplete = tuple(number for number, forwarder in self.nodes.items() if not forwarder.complete)
        self.incomplete_keeping = tuple(n for n in self.incomplete if keeps_unread_targets(self.nodes[n]))
        self.endpoints = self._endpoints()
        self.consumers = self._consumers()
        self.over_endpoints = frozenset(number for number, own in self.nodes.items() if self._is_service(own))

    def _unpack(self, surveyed: Surveyed) -> None:
        seen_as = {
            id(forward): forwarder.seen_as
            for forwarder in self._estate.forwarders.values()
            for forward in forwarder.forwards
        }
        for each in surveyed.handed:
            target = self._class_of[each.target.id]
            if each.node is not None:
                parcel = Parcel(self._class_of[each.node.id], each.forward, not each.doubts)
                self._by_target[target].setdefault((parcel.node, id(parcel.forward), parcel.certain), parcel)
            else:
                sent = each.forward.traffic | each.forward.checks
                self._hidden[target].extend(self._seen_as(seen_as[id(each.forward)], sent))
        for _, forwarder in sorted(self._estate.forwarders.items()):
            if not forwarder.complete:
                self._hidden_anywhere.extend(self._seen_as(forwarder.seen_as, ALL_TRAFFIC))

    def _seen_as(self, names: frozenset[str], traffic: Traffic) -> Iterator[Beyond]:
        for name in sorted(names):
            _, most = outside_addresses((ListRef(name),), self._estate)
            yield Beyond(self._line.runs(most), traffic)

    def _abroad(self) -> dict[int, tuple[Beyond, ...]]:
        found: defaultdict[str, list[Beyond]] = defaultdict(list)
        for forwarder, forward, target in _far_targets(self._estate):
            traffic = forward.traffic | forward.checks
            found[forwarder.id].append(Beyond(self._line.runs(target.address), traffic))
        return {number: tuple(found[own.id]) for number, own in self.nodes.items() if own.id in found}

    def _is_service(self, forwarder: Forwarder) -> bool:
        """Tell whether clients may come over private endpoints: an endpoint service stands before it, or may."""
        services = self._estate.endpoint_services.values()
        listed = any(forwarder.id in service.balancers for service in services)
        return listed or not self._estate.read("endpoint-services", forwarder)

    def _endpoints(self) -> dict[int, tuple[int, ...]]:
        before = {own.id: endpoints_before(own, self._estate) for own in self.nodes.values()}
        return {
            number: tuple(sorted({self._class_of[name] for name in before[own.id] if name in self._class_of}))
            for number, own in self.nodes.items()
            if before[own.id]
        }

    def _consumers(self) -> dict[int, Runs]:
        every = {number: consumers_of(own, self._estate) for number, own in self.nodes.items()}
        return {number: self._line.runs(addresses) for number, addresses in every.items() if addresses}

    def of(self, target: int) -> tuple[Parcel, ...]:
        """Return what nodes send to a class."""
        return tuple(self._by_target[target].values()) if target in self._by_target else ()

    def hidden_to(self, target: int) -> tuple[Beyond, ...]:
        """Return what services without interfaces of their own send to a class, at most."""
        return (*self._hidden.get(target, ()), *self._hidden_anywhere)

    def lanes_of(self, node: int) -> tuple[Lane, ...]:
        """Return the lanes of all that a node sends on, and last the one of whatever it takes."""
        found = dict.fromkeys(lane for forward in self.nodes[node].forwards for lane in lanes(forward))
        return (*found, Lane(None, ALL_TRAFFIC))
