"""Packets that a route hands to a NAT gateway: where its own routes take them, and whom the far end sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.reach.roads.gateways import standing
from cloudseg.reach.roads.travel import Way
from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, AddressSet
from cloudseg.traffic.intervals import IntervalSet

if TYPE_CHECKING:
    from cloudseg.model import Estate, Gateway, Route
    from cloudseg.reach.roads.leg import Leg
    from cloudseg.reach.roads.legs import Router

__all__ = ["NAT64", "by_nat_gateway"]

NAT64: Final = AddressSet.parse("64:ff9b::/96")
"""IPv6 addresses whose last 32 bits are the IPv4 address that is meant (RFC 6052)."""

_NOT_KNOWN: Final = frozenset(("",))
_FIRST: Final = NAT64.v6.intervals[0][0]


def by_nat_gateway(router: Router, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to a NAT gateway, by the routes of the subnet that it stands in.

    The far end sees one of its interfaces, which has no group. Only IPv4 passes, and IPv6 that stands for it. The
    boundary of its subnet is crossed both ways. A regional one has a route table of its own. Sources:
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html and
    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html
    """
    target = route.target or ""
    gateway = router.estate.gateways.get(target)
    way, closed = standing(way, gateway, target)
    if closed:
        return way.dropped(closed)
    if gateway is None:
        return way.behind_middlebox()._replace(seen_as=()).ends("unknown")
    six = way._replace(addresses=way.addresses - ALL_IPV4 - NAT64)
    legs = six.dropped(f"{gateway.shown_id} translates IPv4 alone")
    way = _arrived(way, gateway, router.estate)
    if router.estate.firewalls and not way.probing:
        way = way.answered_by(_inspecting_answers(router, way))
    legs += _onwards(router, way.to(ALL_IPV4), gateway)
    return legs + _translated(router, way.to(NAT64), gateway)


def _arrived(way: Way, gateway: Gateway, estate: Estate) -> Way:
    """Return the packets at the gateway, before it puts its own address in place of the source's."""
    subnet = estate.subnets.get(gateway.subnet or "")
    return way.left()._replace(subnet=None, zones=None) if subnet is None else way.entered(subnet)


def _inspecting_answers(router: Router, way: Way) -> frozenset[str]:
    """Return the firewalls that answers pass from the gateway back to where packets started.

    Where that is not known, or differs from address to address, it is none that the packets can have passed.
    """
    start = router.estate.subnets.get(way.start or "")
    home = router.estate.networks.get(way.home)
    addresses = start.addresses if start is not None else NO_ADDRESSES if home is None else home.addresses
    if way.subnet is None or not addresses:
        return _NOT_KNOWN
    back = Way(addresses, way.network, way.subnet, way.network.id, (way.subnet.internet_block,), probing=True)
    found = {leg.inspectors for leg in router.follow(back) if leg.end != "nowhere"}
    return found.pop() if len(found) == 1 else _NOT_KNOWN


def _onwards(router: Router, way: Way, gateway: Gateway) -> list[Leg]:
    if not way.addresses:
        return []
    estate = router.estate
    seen_as = _interfaces(gateway, estate)
    way = way.behind_middlebox()._replace(
        seen_as=seen_as, public=gateway.public, home=way.network.id, start=None if way.subnet is None else way.subnet.id
    )
    if way.subnet is not None:
        return router.follow(way)
    table = None if gateway.subnet is not None else estate.route_tables.get(gateway.route_table or "")
    return router.unread(way, gateway.shown_id) if table is None else router.by_table(way, table)


def _interfaces(gateway: Gateway, estate: Estate) -> tuple[str, ...]:
    """Return the interfaces of a NAT gateway, none where not all of them were read."""
    named = gateway.interfaces or {interface.id for interface in estate.interfaces_of(gateway.id)}
    return tuple(sorted(named)) if all(name in estate.interfaces for name in named) else ()


def _translated(router: Router, way: Way, gateway: Gateway) -> list[Leg]:
    """Return the legs of IPv6 packets that the gateway makes IPv4 packets of.

    What comes out on the internet keeps the IPv6 addresses that the source asked for. What comes out elsewhere bears
    IPv4 addresses, by which the far end is found; it is told so at most, for the source's own rules see the others.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html
    """
    if not way.addresses:
        return []
    doubt = f"{gateway.shown_id} makes IPv4 packets of them, which network ACLs on the way are not asked about"
    inward = way._replace(addresses=_embedded(way.addresses), tables=())
    legs: list[Leg] = []
    for leg in _onwards(router, inward, gateway):
        asked = _synthesised(leg.addresses)
        if leg.end == "nowhere":
            legs.append(leg._replace(addresses=asked))
            continue
        crossed = leg.checkpoints[: len(way.checkpoints)]
        uncertain = leg._replace(certain=False, doubts=(*leg.doubts, doubt))
        if leg.end in {"internet", "unknown"}:
            legs.append(uncertain._replace(addresses=asked, checkpoints=crossed))
        if leg.end != "internet" and _speaks_ipv6(way, router.estate):
            legs.append(uncertain)
    return legs


def _speaks_ipv6(way: Way, estate: Estate) -> bool:
    home = estate.networks.get(way.home)
    return home is None or not home.addresses or bool(home.addresses.v6)


def _embedded(addresses: AddressSet) -> AddressSet:
    shifted = tuple((first - _FIRST, last - _FIRST) for first, last in (addresses & NAT64).v6.intervals)
    return AddressSet(v4=IntervalSet(shifted)) if shifted else NO_ADDRESSES


def _synthesised(addresses: AddressSet) -> AddressSet:
    shifted = tuple((first + _FIRST, last + _FIRST) for first, last in addresses.v4.intervals)
    return AddressSet(v6=IntervalSet(shifted)) if shifted else NO_ADDRESSES
