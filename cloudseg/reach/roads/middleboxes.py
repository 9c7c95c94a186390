"""Packets that a route hands to something in between: an appliance, an endpoint before appliances, a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import shown_id
from cloudseg.reach.roads.crossing import crossed, peering_between
from cloudseg.reach.roads.inspecting import screened
from cloudseg.reach.roads.leg import agreed
from cloudseg.reach.roads.travel import Way
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.model import Endpoint, Estate, Firewall, Interface, Route, Subnet
    from cloudseg.reach.roads.leg import Leg
    from cloudseg.reach.roads.legs import Router

__all__ = ["bearers", "by_endpoint", "by_interface"]


def bearers(target: str, estate: Estate) -> tuple[Interface, ...]:
    """Return the interfaces that a route leads to: the one that it names, or those of the instance that it names."""
    interface = estate.interfaces.get(target)
    return estate.interfaces_of(target) if interface is None else (interface,)


def by_interface(estate: Estate, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to an interface that a route names: an appliance, a NAT instance.

    What it does with them is its own affair, if it takes packets of others at all. Packets to its own address it keeps.
    It may stand in a peered network. Sources:
    https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html#route-tables-appliance-routing and
    https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview#user-defined
    """
    target = route.target or ""
    found = bearers(target, estate)
    way, closed = _to_network({interface.network for interface in found}, way, estate)
    if closed:
        return way.dropped(closed)
    own = NO_ADDRESSES
    for interface in found:
        own |= interface.addresses if interface.network == way.network.id else NO_ADDRESSES
    legs = way.to(own).ends("network", way.network.id)
    way = way._replace(addresses=way.addresses - own)
    if found and not any(interface.forwards or interface.derived for interface in found):
        return legs + way.dropped(f"{shown_id(target)} takes no packets of others: its source/destination check is on")
    subnets = {interface.subnet for interface in found}
    subnet = estate.subnets.get(subnets.pop() or "") if len(subnets) == 1 else None
    if subnet is not None:
        # Nothing is known of how packets leave it.
        way = way.entered(subnet)._replace(leaves=False)
    doubt = f"the appliance {shown_id(target)} decides where packets go on"
    return legs + way.behind_middlebox().lost(doubt if found else f"{shown_id(target)} was not read")


def by_endpoint(router: Router, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to an endpoint: to the service behind it, or through its appliances and on.

    A gateway endpoint serves its own network alone. From a firewall or a Gateway Load Balancer, packets come back to
    their endpoint, and the routes of its subnet take them on. Sources:
    https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html and
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpce-gateway-load-balancer.html
    """
    target = route.target or ""
    endpoint = router.estate.endpoints.get(target)
    firewall = router.firewall_at(target)
    if endpoint is None and firewall is None:
        return way.lost(f"the endpoint {shown_id(target)} was not read")
    if endpoint is not None:
        if endpoint.usable is False:
            return way.dropped(f"the endpoint {endpoint.shown_id} is not available")
        way = way.doubted("" if endpoint.usable else f"the state of {endpoint.shown_id} is not known")
        if endpoint.type == "gateway":
            return _to_service(way, endpoint)
        if endpoint.type != "gateway-load-balancer" and firewall is None:
            return way.lost(f"what {endpoint.shown_id} does with packets of others is not known")
    if endpoint is None and firewall is not None:
        way, closed = _to_network({firewall.network}, way, router.estate)
        if closed:
            return way.dropped(closed)
    behind = screened(way, firewall, target).behind_middlebox()
    return _through(router, (way, behind), endpoint, firewall, shown_id(target))


def _through(
    router: Router, ways: tuple[Way, Way], endpoint: Endpoint | None, firewall: Firewall | None, what: str
) -> list[Leg]:
    """Return the legs of packets from a firewall on: under their own address, or under that of the firewall.

    Args:
        router: follows them.
        ways: the packets as they came, and behind the firewall.
        endpoint: the endpoint by which they came; None for none.
        firewall: the firewall; None for appliances of which nothing is known.
        what: own id of what routes name.
    """
    came, way = ways
    if firewall is None or not (firewall.translates or firewall.may_translate):
        return _past(router, way, endpoint, firewall, what)
    kept = way._replace(addresses=way.addresses - firewall.translates)
    legs = _past(router, kept, endpoint, firewall, what)
    for part, doubt in (
        (firewall.translates, ""),
        (firewall.may_translate - firewall.translates, f"{firewall.label} may send some under its own address"),
    ):
        masked = _masked(router, came, way.to(part).doubted(doubt), firewall)
        legs += _past(router, masked, endpoint, firewall, what) if masked.addresses else []
    return legs


def _to_network(places: set[str | None], way: Way, estate: Estate) -> tuple[Way, str]:
    """Return the packets in the one network where something stands, and why they do not get there; empty if they do."""
    network = estate.networks.get(next(iter(places)) or "") if len(places) == 1 else None
    if network is None or (way.network.id != network.id and not estate.peerings):
        return way, ""
    return crossed(way, network, estate)


def _masked(router: Router, came: Way, way: Way, firewall: Firewall) -> Way:
    """Return the packets under the firewall's own address, to which answers come; it sends these on to the source.

    Source: https://learn.microsoft.com/azure/firewall/snat-private-range

    Args:
        router: follows answers back.
        came: the packets as they came to the firewall.
        way: those that go on under its address.
        firewall: the firewall.
    """
    if not way.addresses:
        return way
    estate = router.estate
    subnets = [estate.subnets.get(name) for name in sorted(firewall.subnets)]
    home = subnets[0] if len(subnets) == 1 else None
    seen_as = tuple(sorted(firewall.interfaces))
    faces = [estate.interfaces[name] for name in seen_as if name in estate.interfaces]
    public = any(each.public or each.lent or each.public_unlisted is not False for each in faces)
    if not came.probing:
        way = _with_answers(router, came, way, home)
    return way._replace(
        seen_as=seen_as,
        public=True,
        home=firewall.network,
        start=None if home is None else home.id,
        ingress_groups=False,
    ).doubted("" if public else f"whether {firewall.label} has a public address was not read")


def _with_answers(router: Router, came: Way, way: Way, home: Subnet | None) -> Way:
    """Return the packets with what is known of answers that the firewall sends on to their source.

    The source's network has to take what a peered one forwards.
    """
    estate = router.estate
    start = estate.subnets.get(came.start or "")
    network = estate.networks.get(came.home)
    if home is None or start is None or network is None:
        return way.doubted("how a firewall sends answers back was not read")
    back = Way(start.addresses, way.network, home, way.network.id, (home.internet_block,), probing=True)
    legs = [leg for leg in router.follow(back) if leg.end != "nowhere"]
    sure = bool(legs) and all(leg.certain and leg.end == "network" and leg.network == network.id for leg in legs)
    if not sure:
        way = way.doubted(f"whether answers get back from {way.network.shown_id} to {start.shown_id} is not known")
    passed = {leg.inspectors for leg in legs}
    # It sees the answers itself.
    way = way._replace(answered=way.inspectors) if passed == {came.inspectors} else way
    peering = None if network.id == way.network.id else peering_between(network.id, way.network.id, estate)
    if peering is not None and network.id not in peering.forwards_into:
        way = way.doubted(f"whether {network.shown_id} takes answers that {way.network.shown_id} forwards is not known")
    return way


def _to_service(way: Way, endpoint: Endpoint) -> list[Leg]:
    if not way.at_home or endpoint.network != way.network.id:
        return way.dropped(f"{endpoint.shown_id} serves nobody outside of {shown_id(endpoint.network)}")
    return way.ends("service")


def _past(router: Router, way: Way, endpoint: Endpoint | None, firewall: Firewall | None, what: str) -> list[Leg]:
    places = endpoint.subnets if endpoint is not None and endpoint.subnets else frozenset[str]()
    if not places and firewall is not None:
        # Which of the firewall's subnets holds the endpoint is not told.
        places = firewall.subnets
    subnets = [router.estate.subnets.get(name) for name in sorted(places)]
    choices = [router.follow(way.entered(subnet)) for subnet in subnets if subnet is not None]
    if not choices or len(choices) < len(subnets):
        return way.lost(f"the subnet of {what} was not read")
    return agreed(choices, f"in which subnet {what} stands is not known")
