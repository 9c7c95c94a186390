"""Packets that a route hands to something in between: an appliance, an endpoint before appliances, a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import own_id
from cloudseg.reach.roads.leg import agreed
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.model import Endpoint, Estate, Firewall, Interface, Route
    from cloudseg.reach.roads.leg import Leg
    from cloudseg.reach.roads.legs import Router
    from cloudseg.reach.roads.travel import Way

__all__ = ["bearers", "by_endpoint", "by_interface", "inspected"]


def bearers(target: str, estate: Estate) -> tuple[Interface, ...]:
    """Return the interfaces that a route leads to: the one that it names, or those of the instance that it names."""
    interface = estate.interfaces.get(target)
    return estate.interfaces_of(target) if interface is None else (interface,)


def by_interface(estate: Estate, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to an interface that a route names: an appliance, a NAT instance.

    What it does with them is its own affair, if it takes packets of others at all. Packets to its own address it keeps.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html#route-tables-appliance-routing
    """
    target = route.target or ""
    found = bearers(target, estate)
    own = NO_ADDRESSES
    for interface in found:
        own |= interface.addresses if interface.network == way.network.id else NO_ADDRESSES
    legs = way.to(own).ends("network", way.network.id)
    way = way._replace(addresses=way.addresses - own)
    if found and not any(interface.forwards or interface.derived for interface in found):
        return legs + way.dropped(f"{own_id(target)} takes no packets of others: its source/destination check is on")
    subnets = {interface.subnet for interface in found}
    subnet = estate.subnets.get(subnets.pop() or "") if len(subnets) == 1 else None
    if subnet is not None:
        # Nothing is known of how packets leave it.
        way = way.entered(subnet)._replace(leaves=False)
    doubt = f"the appliance {own_id(target)} decides where packets go on"
    return legs + way.behind_middlebox().lost(doubt if found else f"{own_id(target)} was not read")


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
        return way.lost(f"the endpoint {own_id(target)} was not read")
    if endpoint is not None:
        if endpoint.usable is False:
            return way.dropped(f"the endpoint {endpoint.own_id} is not available")
        way = way.doubted("" if endpoint.usable else f"the state of {endpoint.own_id} is not known")
        if endpoint.type == "gateway":
            return _to_service(way, endpoint)
        if endpoint.type != "gateway-load-balancer" and firewall is None:
            return way.lost(f"what {endpoint.own_id} does with packets of others is not known")
    way = inspected(way, firewall, target).behind_middlebox()
    return _past(router, way, endpoint, firewall, own_id(target))


def _to_service(way: Way, endpoint: Endpoint) -> list[Leg]:
    if not way.at_home or endpoint.network != way.network.id:
        return way.dropped(f"{endpoint.own_id} serves nobody outside of {own_id(endpoint.network)}")
    return way.ends("service")


def inspected(way: Way, firewall: Firewall | None, target: str) -> Way:
    """Return the packets behind a firewall: at most those that came, unless it is known to stop none.

    Args:
        way: the packets.
        firewall: the firewall; None for appliances of which nothing is known.
        target: qualified id of the endpoint or transit attachment by which they get there.

    Source: https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-policies.html
    """
    way = way._replace(inspectors=way.inspectors | {target})
    if firewall is None:
        return way.doubted(f"the appliances behind {own_id(target)} decide what passes")
    if firewall.filters is False:
        return way
    unread = "its policy was not read" if firewall.filters is None else "its policy decides what passes"
    return way.doubted(f"the firewall {firewall.label}: {firewall.reason or unread}")


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
