"""Where the routes take one packet, router by router, and which subnet borders it crosses on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tests.oracle.packet import ICMP, TCP, UDP
from tests.oracle.places import (
    blocked,
    holder,
    is_own,
    is_public,
    may_enter,
    may_leave,
    public_of,
    subnet_of,
    vpc_of,
    zone_of,
)
from tests.oracle.rules import entries_of

if TYPE_CHECKING:
    from tests.oracle.records import Address, Attachment, Interface, Nat, Read, Route, TransitRoute

__all__ = [
    "INTERNET",
    "SITE",
    "Crossing",
    "Scope",
    "Trip",
    "enter_from_internet",
    "enter_from_site",
    "is_public",
    "travel",
]

Scope: TypeAlias = Literal["both", "ingress", "none"]
"""Which rules may mean the other end by its group: both directions', only ingress rules, or none."""

INTERNET = "internet"
SITE = "on-premises"
_LONGEST_WAY = 8


class Crossing(NamedTuple):
    """A packet leaves (``egress``) or enters a subnet; its network ACL looks at the address ``far``.

    ``translated`` tells that an answer still bears the port of a NAT gateway here, not yet the client's.
    """

    subnet: str
    egress: bool
    far: Address
    translated: bool = False


class Trip(NamedTuple):
    """Where a packet ended: ``place`` is an interface, a NAT gateway, "internet", "on-premises", or empty if refused.

    ``by`` names what refused it. ``source`` is the address that the receiver sees. ``nats`` are the NAT gateways on
    the way. ``public`` tells that the packet went over the internet, and ``egress_only`` that it left by a gateway that
    opens nothing inwards.
    """

    place: str
    by: str
    source: Address
    crossings: list[Crossing]
    scope: Scope
    nats: list[Nat]
    public: bool = False
    egress_only: bool = False
    certain: bool = True


class _Walk:
    """A packet under way: the subnet whose table is asked next, and what was noted so far."""

    def __init__(
        self, subnet: str, source: Address, destination: Address, protocol: int, *, answering: bool = False
    ) -> None:
        self.home = subnet
        self.subnet = subnet
        self.source = source
        self.destination = destination
        self.protocol = protocol
        self.crossings: list[Crossing] = []
        self.scope: Scope = "both"
        self.nats: list[Nat] = []
        self.transits = 0
        self.answering = answering
        self.public = False
        self.egress_only = False
        self.certain = True

    def cross(self, subnet: str, far: Address, *, egress: bool) -> None:
        self.crossings.append(Crossing(subnet, egress, far))

    def end(self, place: str) -> Trip:
        return Trip(
            place, "", self.source, self.crossings, self.scope, self.nats, self.public, self.egress_only, self.certain
        )

    def refused(self, by: str, *, certain: bool = True) -> Trip:
        return self.end("")._replace(by=by, certain=certain and self.certain)


def travel(
    estate: Read, subnet: str, source: Address, destination: Address, protocol: int, *, answering: bool = False
) -> Trip:
    """Follow a packet that something in ``subnet`` sends.

    ``answering``: somebody asked over the internet, and the gateway by which the question went out lets the answer in.
    """
    asked = (subnet, source, destination, protocol, answering)
    trip = estate.trips.get(asked)
    if trip is None:
        trip = estate.trips[asked] = _followed(estate, _Walk(*asked[:-1], answering=answering))
    return trip


def _followed(estate: Read, walk: _Walk) -> Trip:
    for _ in range(_LONGEST_WAY):
        trip = _hop(estate, walk)
        if trip is not None:
            return trip
    return walk.refused("route")


def _hop(estate: Read, walk: _Walk) -> Trip | None:
    """Take one routing decision; None where the packet stands before another one."""
    # Inside one subnet there is no router and no border.
    # https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html
    here = vpc_of(estate, walk.subnet)
    if subnet_of(estate, here, walk.destination) == walk.subnet:
        return walk.end(holder(estate, here, walk.destination))
    route = _longest(_routes_of(estate, walk.subnet), walk.destination)
    if route is None or not route.active:
        return walk.refused("route")
    kind = route.target.partition("-")[0]
    # A route to an interface leads to a machine that forwards, but for the packets that are meant for it.
    if kind == "local" or (kind == "eni" and holder(estate, here, walk.destination) == route.target):
        return _local(estate, walk, here)
    if kind == "igw":
        return _internet(estate, walk, route)
    if kind == "eigw":
        return _egress_only(estate, walk, route)
    if kind == "nat":
        return _translate(estate, walk, route)
    if kind == "pcx":
        return _peering(estate, walk, route)
    if kind == "tgw":
        return _transit(estate, walk, route)
    if kind == "vgw":
        # Whoever read the answers does not see virtual private gateways; a route to a detached one is a blackhole.
        if not is_own(estate, here, walk.source):
            return walk.refused("route")
        walk.cross(walk.subnet, walk.destination, egress=True)
        return walk.end(SITE)
    return walk.refused("appliance", certain=False)


def _routes_of(estate: Read, subnet: str) -> list[Route]:
    """https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html"""
    for table in estate.tables:
        if subnet in table.subnets:
            return table.routes
    for table in estate.tables:
        if table.main and table.vpc == vpc_of(estate, subnet):
            return table.routes
    return []


def _longest(routes: list[Route], destination: Address) -> Route | None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html"""
    best: Route | None = None
    for route in routes:
        if destination in route.network:
            length, known = route.network.prefixlen, best.network.prefixlen if best is not None else -1
            if best is None or length > known or (length == known and route.rank < best.rank):
                best = route
    return best


def _local(estate: Read, walk: _Walk, vpc: str) -> Trip:
    """Deliver to another subnet, to an interface or a NAT gateway that has the address."""
    subnet = subnet_of(estate, vpc, walk.destination)
    if not subnet:
        return walk.refused("route")
    walk.cross(walk.subnet, walk.destination, egress=True)
    walk.cross(subnet, walk.source, egress=False)
    return walk.end(holder(estate, vpc, walk.destination))


def _peering(estate: Read, walk: _Walk, route: Route) -> Trip:
    """Only the two VPCs themselves talk over a peering: nobody from behind one, nothing behind the other.

    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    """
    here = vpc_of(estate, walk.subnet)
    for peering in estate.peerings:
        if peering.id == route.target and peering.active and here in peering.vpcs:
            there = peering.vpcs[1] if peering.vpcs[0] == here else peering.vpcs[0]
            subnet = subnet_of(estate, there, walk.destination)
            if not subnet or not is_own(estate, here, walk.source):
                return walk.refused("peering")
            walk.cross(walk.subnet, walk.destination, egress=True)
            walk.cross(subnet, walk.source, egress=False)
            if not peering.one_region:
                walk.scope = "none"
            return walk.end(holder(estate, there, walk.destination))
    return walk.refused("peering")


def _transit(estate: Read, walk: _Walk, route: Route) -> Trip | None:
    """Through a transit gateway into another VPC, where the table of the attachment's subnet decides.

    Zones: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
    Network ACLs: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html (on the way in, outbound rules of the
    sender's subnet and inbound rules of the attachment's, even where the two are one; on the way out neither where
    they are one).
    """
    near = _attached(estate, route.target, vpc_of(estate, walk.subnet))
    if near is None:
        return walk.refused("transit")
    if not near.table:
        # It may have a policy table in place of a route table, and the answers do not tell:
        # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-policy-tables-associate.html
        return walk.refused("transit", certain=False)
    zone = zone_of(estate, walk.subnet)
    door = _in_zone(estate, near, zone)
    chosen = _longest_transit(estate, near.table, walk.destination)
    if not door or chosen is None or chosen.blackhole:
        return walk.refused("transit")
    far = next((each for each in estate.attachments if each.id == chosen.attachment), None)
    if far is None or not far.available or far.id == near.id:
        return walk.refused("transit")
    walk.cross(walk.subnet, walk.destination, egress=True)
    walk.cross(door, walk.source, egress=False)
    # The gateway keeps a packet in its zone where the other attachment has a subnet there, as long as the zone works:
    # https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-appliance-scenario.html
    walk.subnet = _in_zone(estate, far, zone) or far.subnets[0]
    walk.certain = walk.certain and _alike(estate, far.subnets)
    walk.transits += 1
    gateway = next(each for each in estate.transits if each.id == route.target)
    shared = gateway.shares and near.shares and far.shares and walk.transits == 1 and not walk.nats
    walk.scope = "ingress" if shared else "none"
    return None


def _alike(estate: Read, subnets: list[str]) -> bool:
    """Whether it makes no difference by which of these subnets a packet comes in."""
    routes = [_routes_of(estate, each) for each in subnets]
    entries = [entries_of(estate, each) for each in subnets]
    return all(each == routes[0] for each in routes) and all(each == entries[0] for each in entries)


def _attached(estate: Read, gateway: str, vpc: str) -> Attachment | None:
    if not any(each.id == gateway and each.available for each in estate.transits):
        return None
    for attachment in estate.attachments:
        if attachment.gateway == gateway and attachment.vpc == vpc and attachment.available:
            return attachment
    return None


def _in_zone(estate: Read, attachment: Attachment, zone: str) -> str:
    for subnet in attachment.subnets:
        if zone_of(estate, subnet) == zone:
            return subnet
    return ""


def _longest_transit(estate: Read, table: str, destination: Address) -> TransitRoute | None:
    """The longest prefix wins, and of equal ones a static route.

    https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-evaluation-overview
    """
    best: TransitRoute | None = None
    for route in estate.transit_routes:
        if route.table == table and destination in route.network:
            length, known = route.network.prefixlen, best.network.prefixlen if best is not None else -1
            if length > known or (length == known and route.static):
                best = route
    return best


def _internet(estate: Read, walk: _Walk, route: Route) -> Trip:
    """Out through an internet gateway, and perhaps in again at whoever has the public address.

    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
    """
    here = vpc_of(estate, walk.subnet)
    attached = any(each.id == route.target and here in each.vpcs for each in estate.internet)
    public = public_of(estate, here, walk.source)
    through_nat = bool(walk.nats) and walk.nats[-1].private == walk.source and walk.nats[-1].vpc == here
    if not attached or public is None or not is_public(walk.destination):
        return walk.refused("public")
    if through_nat:
        # Whether the exclusion of the client's subnet counts, or that of the gateway's, no page says.
        walk.certain = walk.certain and blocked(estate, walk.home) == blocked(estate, walk.subnet)
    if not may_leave(estate, walk.subnet, "nat" if through_nat else "igw"):
        return walk.refused("public")
    walk.cross(walk.subnet, walk.destination, egress=True)
    return _over_the_internet(estate, walk, public)


def _egress_only(estate: Read, walk: _Walk, route: Route) -> Trip:
    """https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html"""
    here = vpc_of(estate, walk.subnet)
    attached = any(each.id == route.target and here in each.vpcs for each in estate.egress_only)
    if not attached or walk.source.version != 6 or public_of(estate, here, walk.source) is None:
        return walk.refused("public")
    if not is_public(walk.destination) or not may_leave(estate, walk.subnet, "eigw"):
        return walk.refused("public")
    walk.cross(walk.subnet, walk.destination, egress=True)
    walk.egress_only = True
    return _over_the_internet(estate, walk, walk.source)


def _over_the_internet(estate: Read, walk: _Walk, public: Address) -> Trip:
    """To whoever has the public address, else to the internet at large. A NAT gateway lets answers in and no more."""
    walk.source = public
    walk.scope, walk.public = "none", True
    for nat in estate.nats:
        if nat.public == walk.destination and nat.available:
            if not walk.answering:
                return walk.refused("public")
            walk.cross(nat.subnet, walk.source, egress=False)
            return walk.end(nat.id)
    for interface in estate.interfaces:
        for own in interface.addresses:
            if walk.destination == (own.public if own.private.version == 4 else own.private):
                if walk.answering:
                    walk.cross(interface.subnet, walk.source, egress=False)
                    return walk.end(interface.id)
                inner = enter_from_internet(estate, interface, own.private, walk.source)
                both = [*walk.crossings, *inner.crossings]
                return inner._replace(
                    crossings=both, nats=walk.nats, public=True, egress_only=walk.egress_only, certain=walk.certain
                )
    return walk.end(INTERNET)


def enter_from_internet(estate: Read, interface: Interface, private: Address, source: Address) -> Trip:
    """Come in through the internet gateway of the interface's VPC, to what stands for its private address."""
    walk = _Walk(interface.subnet, source, private, TCP)
    walk.scope = "none"
    attached = any(interface.vpc in each.vpcs for each in estate.internet)
    if not attached or public_of(estate, interface.vpc, private) is None or not is_public(source):
        return walk.refused("public")
    if not may_enter(estate, interface.subnet):
        return walk.refused("public")
    walk.cross(interface.subnet, source, egress=False)
    return walk.end(interface.id)


def enter_from_site(estate: Read, interface: Interface, private: Address, source: Address) -> Trip:
    """Come in through the virtual private gateway of the interface's VPC, if a route shows that it has one."""
    walk = _Walk(interface.subnet, source, private, TCP)
    walk.scope = "none"
    tables = [table for table in estate.tables if table.vpc == interface.vpc]
    if not any(route.target.startswith("vgw-") and route.active for table in tables for route in table.routes):
        return walk.refused("route")
    walk.cross(interface.subnet, source, egress=False)
    return walk.end(interface.id)


def _translate(estate: Read, walk: _Walk, route: Route) -> Trip | None:
    """Through a NAT gateway, which sends on from its own subnet under its own address.

    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    """
    for nat in estate.nats:
        if nat.id == route.target and nat.vpc == vpc_of(estate, walk.subnet) and nat.available:
            # A gateway whose own subnet's table leads back to it sends in circles.
            if walk.nats or walk.protocol not in {TCP, UDP, ICMP} or walk.source.version != 4:
                return walk.refused("public")
            if nat.subnet != walk.subnet:
                walk.cross(walk.subnet, walk.destination, egress=True)
                walk.cross(nat.subnet, walk.source, egress=False)
            walk.nats.append(nat)
            walk.source, walk.subnet, walk.scope = nat.private, nat.subnet, "none"
            return None
    return walk.refused("public")
