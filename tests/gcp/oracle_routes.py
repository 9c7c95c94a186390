"""Where the routes of a network send one packet of one interface."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.azure.oracle_worlds import World
    from tests.gcp.oracle_records import Address, Net, Network, Nic, Peering, Read, Route

__all__ = ["GOOGLE_VIPS", "Hop", "is_public", "net_of", "next_hop", "peers"]

_SPECIAL = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8",
    )
]  # fmt: skip
"""https://cloud.google.com/vpc/docs/subnets#valid-ranges"""
GOOGLE_VIPS = [ip_network("199.36.153.8/30"), ip_network("199.36.153.4/30")]
"""private.googleapis.com and restricted.googleapis.com: https://cloud.google.com/vpc/docs/configure-private-google-access"""


class Hop(NamedTuple):
    """The next hop: "vpc" with the network it delivers in, "internet", "tunnel", "appliance", "drop" or "none".

    An appliance is a machine that forwards, or a load balancer before some: it may do anything.
    """

    kind: str
    network: str = ""


def is_public(address: Address) -> bool:
    """Whether the public internet reaches the address."""
    return not any(address.version == each.version and address in each for each in _SPECIAL)


def net_of(estate: Read, own: str) -> Net:
    return next(each for each in estate.nets if each.id == own)


def peers(estate: Read, net: Net) -> list[tuple[Net, Peering, Peering]]:
    """The peers of a network, with its own half and theirs; both have to be active, and peers of peers are none.

    https://cloud.google.com/vpc/docs/vpc-peering
    """
    return [
        (far, own, back)
        for own in net.peerings
        for far in estate.nets
        if far.id == own.remote and own.active
        for back in far.peerings
        if back.remote == net.id and back.active
    ]


def next_hop(estate: Read, world: World, nic: Nic, there: Address) -> Hop:
    """Routes of subnets come before all others, whatever their length; whom they lead to nowhere is dropped.

    https://cloud.google.com/vpc/docs/routes#routeselection
    """
    net = net_of(estate, nic.network)
    inside = [(each.prefixlen, own) for each, own in _subnets(estate, net) if _has(each, there)]
    if inside:
        return Hop("vpc", max(inside)[1])
    found = [each for each in _static(estate, net, nic) if _has(each.destination, there)]
    if not found:
        return Hop("none")
    # The longest prefix first, then the lowest number.
    best = min((-each.destination.prefixlen, each.priority) for each in found)
    equal = [each for each in found if (-each.destination.prefixlen, each.priority) == best]
    *others, last = equal
    taken = last
    if len({_hop(estate, world, each) for each in equal}) > 1:
        # Equal routes share the traffic, or one kind of hop is preferred: which one a packet takes is left open.
        taken = next((each for each in others if world.holds(f"the route {each.id} is taken to {there}")), last)
    return _hop(estate, world, taken)


def _has(network: Network, address: Address) -> bool:
    return address.version == network.version and address in network


def _subnets(estate: Read, net: Net) -> list[tuple[Network, str]]:
    """The ranges of the network's own subnets and of its peers'.

    https://cloud.google.com/vpc/docs/vpc-peering#subnet-routes: IPv6 needs both halves to be dual-stack, and ranges of
    public IPv4 addresses in private use have to be exported (they are) and imported (they are not).
    """
    found = [(each.network, net.id) for one in estate.subnets if one.network == net.id for each in one.ranges]
    for far, own, back in peers(estate, net):
        for each in (each.network for one in estate.subnets if one.network == far.id for each in one.ranges):
            used = back.export_public and own.import_public if is_public(each[0]) else True
            if own.dual and back.dual if each.version == 6 else used:
                found.append((each, far.id))
    return found


def _static(estate: Read, net: Net, nic: Nic) -> list[Route]:
    """A route with tags is for instances that bear one of them, and stays in its network.

    https://cloud.google.com/vpc/docs/vpc-peering#static-routes: custom routes pass a peering where one side exports
    and the other imports them; those to the default internet gateway never do.
    """
    own = [each for each in estate.routes if each.network == net.id]
    found = [each for each in own if not each.tags or any(tag in nic.tags for tag in each.tags)]
    for far, near, back in peers(estate, net):
        if near.import_custom and back.export_custom:
            found += [each for each in estate.routes if each.network == far.id and _exported(each)]
    return found


def _exported(route: Route) -> bool:
    return not route.tags and route.kind != "gateway" and route.destination.version == 4


def _hop(estate: Read, world: World, route: Route) -> Hop:
    """https://cloud.google.com/vpc/docs/static-routes#static-route-next-hops: a machine that may not forward drops."""
    if route.kind == "gateway":
        return Hop("internet")
    if route.kind == "balancer":
        return Hop("appliance")
    if route.kind == "tunnel":
        return Hop("tunnel" if route.hop in estate.up or world.holds(f"{route.hop} is up") else "drop")
    machines = [each for each in estate.nics if each.network == route.network and _is_hop(each, route)]
    if not machines:
        return Hop("appliance" if world.holds(f"somebody stands behind {route.id}") else "drop")
    return Hop("appliance" if any(each.forwards for each in machines) else "drop")


def _is_hop(nic: Nic, route: Route) -> bool:
    if route.kind == "instance":
        project, _, rest = nic.id.removeprefix("gcp:").partition(":")
        return f"{project}/{rest.rpartition('/')[0]}" == route.hop
    there = ip_address(route.hop)
    return there == nic.primary or any(_has(each, there) for each in nic.aliases)
