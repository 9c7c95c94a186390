"""Packets that a route hands to a gateway at the edge of their network, or to a peering with another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import scope_of, shown_id
from cloudseg.reach.roads.decisions import split
from cloudseg.reach.roads.leg import Leg
from cloudseg.reach.roads.tunnels import by_tunnels
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST

if TYPE_CHECKING:
    from cloudseg.model import Estate, Gateway, InternetBlock, Peering, Route
    from cloudseg.reach.roads.legs import Router
    from cloudseg.reach.roads.travel import Way

__all__ = ["by_egress_only_gateway", "by_internet_gateway", "by_peering", "by_private_gateway", "standing"]

_BLOCKED = "public access to the subnet is blocked"
_CUTS_OUTBOUND: frozenset[InternetBlock] = frozenset(("bidirectional",))
_CUTS_ALL: frozenset[InternetBlock] = frozenset(("bidirectional", "ingress"))


def standing(way: Way, gateway: Gateway | None, target: str, *, trusted: bool = False) -> tuple[Way, str]:
    """Return the packets with what is doubtful of a gateway, and why it does not take them; empty if it may.

    Args:
        way: the packets.
        gateway: the gateway, None where it was not read.
        target: its qualified id.
        trusted: a route to it that is no blackhole says enough.
    """
    name = shown_id(target)
    if gateway is None:
        return (way if trusted else way.doubted(f"{name} was not read")), ""
    if gateway.active is False:
        return way, f"{name} is not active"
    if gateway.networks and way.network.id not in gateway.networks:
        return way, f"{name} is not attached to {way.network.shown_id}"
    return (way if gateway.active else way.doubted(f"the state of {name} is not known")), ""


def by_internet_gateway(router: Router, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to an internet gateway.

    It lets out what bears a public address of its own network, and translates no private address but those of the
    network's interfaces and public NAT gateways. Blocked public access stops it; blocked in the one direction it still
    serves NAT gateways. Sources: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html,
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html and
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
    """
    target = route.target or ""
    way, closed = standing(way, router.estate.gateways.get(target), target, trusted=True)
    if closed:
        return way.dropped(closed)
    legs = way._replace(addresses=way.addresses - GLOBAL_UNICAST).dropped("not an address of the internet")
    way = way.to(GLOBAL_UNICAST)
    if way.seen_as is not None and not way.public:
        reason = f"{shown_id(target)} drops what a private NAT gateway sends"
        return legs + way.dropped(reason)
    if not way.at_home:
        reason = f"{shown_id(target)} translates addresses of {way.network.shown_id} alone"
        legs += way.to(ALL_IPV4).dropped(reason)
        way = way.to(ALL_IPV6).doubted(f"whether {shown_id(target)} carries packets of other networks is not known")
    way, blocked = _past_block(way, _CUTS_ALL if way.seen_as is None else _CUTS_OUTBOUND)
    if blocked:
        return legs + way.dropped(blocked)
    needs_public = way.seen_as is None
    return legs + [
        leg for part in _answered(router, way, target) for leg in part.ends("internet", needs_public=needs_public)
    ]


def _answered(router: Router, way: Way, gateway: str) -> list[Way]:
    """Return the packets with what is known of answers that come in by a gateway: its own table leads them on.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html
    """
    edge = router.edge_table(gateway)
    if edge is None:
        return [way.answered_by(frozenset())]
    origin = router.estate.subnets.get(way.start or "")
    if origin is None:
        return [way]
    found: list[Way] = []
    for family in (ALL_IPV4, ALL_IPV6):
        hops = [hop for _, hop in split(way._replace(addresses=origin.addresses & family), router.decision(edge))]
        led = {hop.target for hop in hops if hop.kind == "endpoint" and hop.target is not None}
        past = {"" for hop in hops if hop.kind != "endpoint"}
        part = way.to(family)
        found.append(part.answered_by(frozenset(led | past) if led else frozenset()))
    return found


def by_egress_only_gateway(estate: Estate, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to an egress-only internet gateway: IPv6, and outwards only.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html
    """
    target = route.target or ""
    way, closed = standing(way, estate.gateways.get(target), target, trusted=True)
    if closed:
        return way.dropped(closed)
    outside = GLOBAL_UNICAST & ALL_IPV6
    legs = way._replace(addresses=way.addresses - outside).dropped("not an IPv6 address of the internet")
    way = way.to(outside)
    if not way.at_home:
        way = way.doubted(f"whether {shown_id(target)} carries packets of other networks is not known")
    way, blocked = _past_block(way, _CUTS_OUTBOUND)
    return legs + (way.dropped(blocked) if blocked else way.ends("internet"))


def _past_block(way: Way, cuts: frozenset[InternetBlock]) -> tuple[Way, str]:
    """Return the packets past the block of public access, and why it stops them; empty if it does not.

    The subnet out of which they go to the gateway decides. Whether the block of one before it counts as well where that
    subnet is excluded, the vendor does not say for NAT gateways; for firewalls it does.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html
    """
    *before, last = way.blocks or ("unknown",)
    if last in cuts:
        return way, _BLOCKED
    if last == "unknown":
        return way.doubted("whether public access to the subnet is blocked was not read"), ""
    if any(block in cuts or block == "unknown" for block in before):
        return way.doubted("public access may be blocked for a subnet on the way"), ""
    return way, ""


def by_private_gateway(router: Router, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to a gateway to other places: outside of the estate, or at the ends of its tunnels.

    Source: https://docs.aws.amazon.com/vpn/latest/s2svpn/how_it_works.html
    """
    target = route.target or ""
    gateway = router.estate.gateways.get(target)
    way, closed = standing(way, gateway, target)
    if closed:
        return way.dropped(closed)
    if not way.at_home and (gateway is None or way.home not in gateway.networks):
        way = way.doubted(f"whether {shown_id(target)} carries packets of other networks is not known")

    def outside(packets: Way) -> list[Leg]:
        return [leg for part in _answered(router, packets, target) for leg in part.ends("private")]

    if gateway is None or not gateway.links:
        return outside(way)
    return by_tunnels(router, way, gateway, outside, told=route.origin == "propagated")


def by_peering(estate: Estate, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets over a peering: to the addresses of the other network, and no further.

    What comes from beyond the neighbour passes only where a network takes it. Groups may be named across it where both
    networks are in one region. Sources:
    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html#vpc-peering-limitations and
    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html and
    https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering
    """
    target = route.target or ""
    peering = estate.peerings.get(target)
    if peering is None:
        return _over_peering(way).lost(f"the peering {shown_id(target)} was not read")
    if not peering.active:
        return way.dropped(f"the peering {peering.shown_id} is not active")
    if way.network.id not in peering.networks:
        return _over_peering(way).lost(
            f"the peering {peering.shown_id} is one of other networks than {way.network.shown_id}"
        )
    other = peering.networks[1 if peering.networks[0] == way.network.id else 0]
    if not way.at_home and other not in peering.forwards_into:
        return way.dropped(f"a peering is not transitive: the source is outside of {way.network.shown_id}")
    way = way.doubted(f"{peering.label}: {peering.doubt}" if peering.doubt else "")
    if peering.regions[0] != peering.regions[1]:
        way = way._replace(egress_groups=False, ingress_groups=False)
    return _into_peer(estate, way, peering)


def _over_peering(way: Way) -> Way:
    """Return the packets on a peering: what comes back by it crosses the boundary of the source's subnet."""
    return way if way.returns else way._replace(returns="no")


def _into_peer(estate: Estate, way: Way, peering: Peering) -> list[Leg]:
    index = 1 if peering.networks[0] == way.network.id else 0
    other = peering.networks[index]
    peer = estate.networks.get(other)
    addresses = peering.ranges[index] if peer is None or not peer.addresses else peer.addresses
    inside, legs = way, list[Leg]()
    if addresses:
        inside = way.to(addresses)
        beyond = way._replace(addresses=way.addresses - addresses)
        legs = beyond.dropped(f"a peering is not transitive: the address is outside of {shown_id(other)}")
    if peer is None:
        doubt = f"{shown_id(other)} of {scope_of(other)}, the other half of {peering.shown_id}, was not read"
        return inside.doubted(doubt).ends("unread", other) + legs
    return (
        inside.doubted("" if addresses else f"the addresses of {peer.shown_id} were not read").ends("network", other)
        + legs
    )
