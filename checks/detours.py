"""Ways of one network around its firewalls: out past them, in past them, and replies past them.

A firewall keeps the state of connections, so it must see both directions. The architectures in which it does:
https://docs.aws.amazon.com/network-firewall/latest/developerguide/architectures.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.inspection import is_wide, way_words, wide_parts
from cloudseg.checks.path_witnesses import Spot, Trip
from cloudseg.checks.rule_lists import shown_labels
from cloudseg.model import shown_id
from cloudseg.reach.roads.routing import next_hops
from cloudseg.reach.ways import is_public
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.checks.inspection import Inspection, Passed, Place, Way
    from cloudseg.model import Estate, Family, Interface, Network, RouteTable, Subnet
    from cloudseg.reach.roads.legs import Leg
    from cloudseg.traffic import AddressSet

__all__ = ["Detour", "Edge", "edge_detours", "edges_of", "outward", "reply_detours"]

_FAMILIES: Mapping[Family, AddressSet] = {4: ALL_IPV4, 6: ALL_IPV6}


class Detour(NamedTuple):
    """One way around firewalls.

    Attributes:
        network: qualified id of the network whose routes lead around.
        text: the way in words.
        certain: nothing that was not read decides.
        passed: what it leads around.
        senders: the interfaces that open connections by it; none where it is about replies or what comes in.
        trip: who opens connections to whom whose packets, or whose replies, go this way.
    """

    network: str
    text: str
    certain: bool
    passed: Passed
    senders: tuple[Interface, ...] = ()
    trip: Trip | None = None


def outward(place: Place) -> tuple[tuple[Way, ...], tuple[Way, ...]]:
    """Return the ways of a place to the internet that pass no firewall, and those that pass one.

    Ways to a few chosen destinations are left out, and so is what was not followed to the internet.
    """
    found: list[tuple[Way, ...]] = []
    for through in (False, True):
        ways = [way for way in place.ways if bool(way.passed) == through and (through or way.leg.end == "internet")]
        wide = wide_parts(ways)
        found.append(tuple(way for way in ways if way.part in wide))
    return found[0], found[1]


def reply_detours(place: Place, estate: Estate, inspection: Inspection) -> Iterator[Detour]:
    """Yield the ways of replies around the firewall through which a place sends to a NAT gateway.

    The NAT gateway hands replies on by the routes of its own subnet; these must lead back to the firewall.
    """
    ways = [way for way in place.ways if way.part == 4 and way.passed]
    gateways = {name: way for way in ways if (name := _translating_after(way.leg, inspection)) is not None}
    homes = {subnet.network for subnet in place.subnets}
    for name, way in gateways.items():
        gateway = estate.gateways.get(name)
        subnet = None if gateway is None else estate.subnets.get(gateway.subnet or "")
        network = None if subnet is None else estate.networks.get(subnet.network)
        if gateway is None or subnet is None or network is None:
            continue
        for leg in inspection.legs(subnet, network):
            if leg.end != "network" or leg.network not in homes or inspection.passed(leg):
                continue
            answered = leg.addresses & place.addresses & ALL_IPV4
            if answered:
                back = f"replies to {shown_labels(place.subnets)} from {gateway.label} by {way_words(leg)}"
                text = f"{back}, while requests pass the firewall"
                trip = Trip(Spot(answered, leg.network or ""), Spot(way.addresses))
                yield Detour(network.id, text, inspection.is_sure(leg), way.passed, trip=trip)


def _translating_after(leg: Leg, inspection: Inspection) -> str | None:
    """Return the NAT gateway that packets pass after the last firewall; None where there is none."""
    found: str | None = None
    for hop in leg.hops:
        if inspection.filters_at(hop):
            found = None
        elif hop.kind == "nat-gateway" and found is None:
            found = hop.target
    return found


class Edge(NamedTuple):
    """The route table of a gateway.

    Attributes:
        table: the table.
        led: the addresses that it surely hands to firewalls, or to endpoints before appliances.
        passed: these.
    """

    table: RouteTable
    led: AddressSet
    passed: Passed


def edges_of(estate: Estate, inspection: Inspection) -> dict[str, dict[str, Edge]]:
    """Return what the route tables of gateways do: by the network, and by the gateway's qualified id."""
    found: dict[str, dict[str, Edge]] = {}
    for _, table in sorted(estate.route_tables.items()):
        if not table.gateways:
            continue
        hops = [hop for hop in next_hops(table, estate) if hop.route.active and inspection.may_filter(hop.route)]
        led = NO_ADDRESSES
        for hop in hops:
            led |= hop.addresses if hop.certain else NO_ADDRESSES
        edge = Edge(table, led, inspection.named(hop.route.target for hop in hops))
        found.setdefault(table.network, {}).update(dict.fromkeys(table.gateways, edge))
    return found


def edge_detours(
    network: Network, edges: Mapping[str, Edge], estate: Estate, inspection: Inspection
) -> Iterator[Detour]:
    """Yield the ways in past a firewall that a subnet sends through, and the ways out past one that it is reached by.

    What comes in for a subnet must be led to the firewall by the route table of the internet gateway where the subnet's
    own routes lead there, and only then. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html

    Args:
        network: the network.
        edges: what the route tables of its gateways do, by the gateway.
        estate: the estate.
        inspection: tells what filters on a way.
    """
    all_read = estate.read("routes", network)
    for subnet, family, certain in _public_subnets(network, estate):
        legs = [leg for leg in inspection.legs(subnet, network) if _by_internet_gateway(leg, family)]
        if not is_wide([leg.addresses for leg in legs], family):
            continue
        for leg in legs:
            edge = edges.get(leg.hops[-1].target or "")
            sure = certain and inspection.is_sure(leg) and (edge is not None or all_read)
            passed = inspection.passed(leg)
            trip = Trip(
                Spot(leg.addresses & GLOBAL_UNICAST & _FAMILIES[family]),
                Spot(subnet.addresses & _FAMILIES[family], network.id, frozenset((subnet.id,))),
            )
            if passed and (text := _inward(subnet, family, leg, edge)):
                yield Detour(network.id, text, sure, passed, trip=trip)
            elif not passed and edge is not None and edge.led.overlaps(subnet.addresses & _FAMILIES[family]):
                back = f"replies of {subnet.label} by {way_words(leg)}"
                text = f"{back}, while {edge.table.label} leads what comes in to the firewall"
                yield Detour(network.id, text, sure, edge.passed, trip=trip)


def _inward(subnet: Subnet, family: Family, leg: Leg, edge: Edge | None) -> str:
    """Return the way in past the firewall by which a subnet sends, in words; empty where there is none."""
    past = subnet.addresses & _FAMILIES[family]
    if edge is not None:
        past -= edge.led
    if not past:
        return ""
    gateway = shown_id(leg.hops[-1].target or "")
    why = f"{gateway} has no route table" if edge is None else f"{edge.table.label} does not lead it to the firewall"
    return f"in from {gateway} to {subnet.label} ({past}): {why}, while what goes out by {way_words(leg)} passes it"


def _by_internet_gateway(leg: Leg, family: Family) -> bool:
    """Tell whether packets of a family leave by an internet gateway, under the sender's own public address."""
    if leg.end != "internet" or not leg.needs_public:
        return False
    return leg.hops[-1].kind == "internet-gateway" and leg.addresses.overlaps(_FAMILIES[family])


def _public_subnets(network: Network, estate: Estate) -> Iterator[tuple[Subnet, Family, bool]]:
    """Yield the subnets in which something may be public in a family, and whether that is certain."""
    surely: set[tuple[str | None, Family]] = set()
    maybe: set[tuple[str | None, Family]] = set()
    for interface in estate.interfaces_in(network.id):
        for family in _FAMILIES:
            public = is_public(interface, family, estate)
            if public is not False:
                (surely if public else maybe).add((interface.subnet, family))
    surely.update((gateway.subnet, 4) for gateway in estate.gateways.values() if gateway.public and gateway.subnet)
    unread = not estate.read("interfaces", network)
    for subnet in estate.subnets_in(network.id):
        for family in _FAMILIES:
            place = (subnet.id, family)
            if place in surely or place in maybe or unread:
                yield subnet, family, place in surely
