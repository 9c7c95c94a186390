"""Which interface of a load balancer may open connections to which target: zones, health, and who stands behind a name.

A client reaches a target through a load balancer in two steps, and each is judged by rules of its own: from the client
to a node, and from the node to the target. This is about the second one, before any rule or route is asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import ANY_ZONE, shown_id
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate, Forward, Forwarder, ForwardTarget, Interface
    from cloudseg.traffic import AddressSet, Traffic

__all__ = [
    "Handover",
    "Handovers",
    "Refusal",
    "handovers_to",
    "keeping_handovers",
    "keeps_unread_targets",
    "sent_for_clients",
]

_ESTATES = 4
_OWN_CONNECTIONS: Final = frozenset(("application-load-balancer", "classic-load-balancer"))
"""Load balancers that open connections of their own: their targets never see a client's address."""


class Handover(NamedTuple):
    """A node of a load balancer may open connections to a target.

    Attributes:
        node: the load balancer's interface; None for a service that has none of its own.
        target: the interface that takes the connections.
        forward: what is sent, and whose address the target sees.
        doubts: why it is not certain that the node sends anything, in words; none where it is.
    """

    node: Interface | None
    target: Interface
    forward: Forward
    doubts: tuple[str, ...] = ()


class Refusal(NamedTuple):
    """A node of a load balancer sends nothing to a target that it is registered with.

    Attributes:
        node: the load balancer's interface; None where none of them sends anything.
        target: the interface; None where the target was not read.
        forward: what would be sent.
        reason: why not, in words.
    """

    node: Interface | None
    target: Interface | None
    forward: Forward
    reason: str


def keeps_unread_targets(forwarder: Forwarder) -> bool:
    """Tell whether a load balancer may have further targets, and may hand on to them under its clients' addresses."""
    return not forwarder.complete and forwarder.kind not in _OWN_CONNECTIONS


def sent_for_clients(forwarder: Forwarder) -> Traffic:
    """Return what the targets of a load balancer get under addresses of its clients, or may get so.

    Health checks come from its nodes even then. That one of the same port passes tells nothing of the clients, so it
    counts as nothing certain. Source:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
    """
    found = NO_TRAFFIC
    for forward in forwarder.forwards:
        if forward.keeps_client is not False:
            found |= forward.traffic
    return found


@lru_cache(maxsize=_ESTATES)
def _by_target(estate: Estate) -> dict[str, list[tuple[Forwarder, Handover]]]:
    found: defaultdict[str, list[tuple[Forwarder, Handover]]] = defaultdict(list)
    handovers = Handovers(estate)
    for _, forwarder in sorted(estate.forwarders.items()):
        for each in handovers.of(forwarder)[0]:
            found[each.target.id].append((forwarder, each))
    return dict(found)


def handovers_to(target: Interface, estate: Estate) -> tuple[tuple[Forwarder, Handover], ...]:
    """Return what load balancers may hand to an interface; answers are kept for the latest estates."""
    return tuple(_by_target(estate).get(target.id, ()))


def keeping_handovers(target: Interface, estate: Estate) -> tuple[tuple[Forwarder, Handover], ...]:
    """Return the same as far as the target sees the clients' addresses, or may see them."""
    return tuple(each for each in handovers_to(target, estate) if each[1].forward.keeps_client is not False)


class Handovers:
    """Works out the handovers of an estate's load balancers."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._by_address: dict[tuple[str, int], tuple[list[int], list[tuple[int, int, Interface]]]] = {}

    def of(self, forwarder: Forwarder) -> tuple[tuple[Handover, ...], tuple[Refusal, ...]]:
        """Return which nodes of a load balancer send to which targets, and which do not.

        A node sends to the targets of its own zone, and to those of the other enabled zones where zones are crossed.
        It sends new connections to healthy targets; to the others only when none is left. Sources:
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-cross-zone.html,
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html and
        https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html
        """
        handed: list[Handover] = []
        refused: list[Refusal] = []
        nodes: tuple[Interface | None, ...] = (None,) if forwarder.seen_as else self._estate.interfaces_of(forwarder.id)
        for forward in forwarder.forwards:
            for target in forward.targets:
                interfaces, doubts = self._interfaces(target)
                if not interfaces:
                    name = str(target.address) if target.target is None else shown_id(target.target)
                    refused.append(Refusal(None, None, forward, f"no interface of the target {name} was read"))
                for interface in interfaces:
                    zone = target.zone or self._zone(interface)
                    for node in nodes:
                        if node is interface:
                            continue
                        reason, more = self._crossing(forwarder, forward, node, target, zone)
                        if reason:
                            refused.append(Refusal(node, interface, forward, reason))
                        else:
                            handed.append(Handover(node, interface, forward, (*doubts, *more)))
        return tuple(handed), tuple(refused)

    def _crossing(
        self, forwarder: Forwarder, forward: Forward, node: Interface | None, target: ForwardTarget, zone: str
    ) -> tuple[str, tuple[str, ...]]:
        """Return why a node sends nothing to a target in a zone, empty where it may, and what is unknown about it."""
        doubts: list[str] = []
        if target.healthy is not True:
            was = "was not read" if target.healthy is None else "is not good, so that others go before it"
            doubts.append(f"the health of the target {was}")
        # Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html
        owner = self._estate.workloads.get(forwarder.id)
        if owner is not None and not owner.running:
            doubts.append("the load balancer could not be set up, so that it may send nothing")
        if node is None or zone == ANY_ZONE:
            return "", tuple(doubts)
        enabled = forwarder.zones is None or not zone or zone in forwarder.zones
        if not enabled and target.healthy is not True:
            return f"the zone {zone} of the target is not enabled for the load balancer", ()
        own = self._zone(node)
        if own != zone or not zone:
            if forward.cross_zone is False and own and zone:
                return f"the node in {own} does not send to {zone}: zones are not crossed", ()
            if forward.cross_zone is None:
                doubts.append("whether zones are crossed was not read")
            elif forward.cross_zone is False:
                doubts.append("the zone of the node or of the target was not read")
        return "", tuple(doubts)

    def _zone(self, interface: Interface) -> str:
        subnet = None if interface.subnet is None else self._estate.subnets.get(interface.subnet)
        return "" if subnet is None else subnet.zone

    def _interfaces(self, target: ForwardTarget) -> tuple[tuple[Interface, ...], tuple[str, ...]]:
        """Return the interfaces that stand for a target, and what is unknown about that."""
        estate = self._estate
        if target.target is not None:
            known = estate.interfaces.get(target.target)
            found = estate.interfaces_of(target.target) if known is None else (known,)
            # Every interface of a load balancer takes what it is sent; of an instance only the first does.
            several = len(found) > 1 and target.target not in estate.forwarders
            return found, (("which of the target's interfaces is its first was not read",) if several else ())
        found = () if target.network is None else tuple(self._bearing(target.network, target.address))
        network = estate.networks.get(target.network or "")
        if found or (network is not None and target.address <= network.addresses):
            return found, ()
        elsewhere = [i for other in sorted(estate.networks) for i in self._bearing(other, target.address)]
        return tuple(elsewhere), ("the target stands outside the network, known by its address alone",)

    def _bearing(self, network: str, address: AddressSet) -> Iterator[Interface]:
        """Yield the interfaces of a network that bear an address."""
        for family, numbers in ((4, address.v4), (6, address.v6)):
            for first, _ in numbers.intervals:
                starts, entries = self._entries(network, family)
                # Addresses are unique in a network, so that the nearest entry is the one, or one of its doubles.
                position = bisect_right(starts, first)
                while position and entries[position - 1][1] >= first:
                    position -= 1
                    yield entries[position][2]

    def _entries(self, network: str, family: int) -> tuple[list[int], list[tuple[int, int, Interface]]]:
        known = self._by_address.get((network, family))
        if known is None:
            found: defaultdict[tuple[int, int], list[Interface]] = defaultdict(list)
            for interface in self._estate.interfaces_in(network):
                numbers = interface.addresses.v4 if family == 4 else interface.addresses.v6
                for span in numbers.intervals:
                    found[span].append(interface)
            entries = [(*span, interface) for span in sorted(found) for interface in found[span]]
            known = self._by_address[network, family] = ([first for first, _, _ in entries], entries)
        return known
