"""Where the routes of a subnet send one packet."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from tests.azure.oracle_addresses import config_at, subnet_of, vnet_of_id
from tests.azure.oracle_peerings import behind, gateways_of, learned, works

if TYPE_CHECKING:
    from tests.azure.oracle_records import Address, Network, Nic, Read, Route, Subnet, Vnet
    from tests.azure.oracle_worlds import World

__all__ = ["Hop", "drops", "endpoint_at", "next_hop"]

_RESERVED = [ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
_USER, _GATEWAY, _SYSTEM, _LAST = 0, 1, 2, 3
_KINDS = {"virtualnetworkgateway": "gateway", "virtualappliance": "appliance", "internet": "internet", "none": "none"}


class Hop(NamedTuple):
    """The next hop: "vnet" with the network it delivers in, "internet", "gateway", "appliance", "none" or "unknown".

    ``address`` is the one of the appliance.
    """

    kind: str
    vnet: str = ""
    address: str = ""


def next_hop(estate: Read, world: World, subnet: Subnet, vnet: Vnet, there: Address) -> Hop:
    """The longest prefix wins; of one length a user-defined route, then a gateway's, then a system route.

    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-udr-overview#how-azure-selects-a-route
    Traffic inside a subnet takes the routes as well (the page's example keeps it inside with a route of its own).
    """
    if subnet.table and subnet.table not in estate.tables:
        return Hop("unknown")
    user = _user_routes(estate, world, subnet, vnet, there)
    private = endpoint_at(estate, vnet, there)
    if private is not None:
        return _to_endpoint(user, private[0], private[1], there)
    found = [(-network.prefixlen, _USER, hop) for network, hop in user]
    found += [(-network.prefixlen, rank, hop) for network, rank, hop in _system(estate, world, subnet, vnet, there)]
    if not any(network.prefixlen == 0 for network, _ in user):
        # A default route of the user's own is what reserved addresses take; else they go nowhere.
        found += [(-each.prefixlen, _LAST, Hop("none")) for each in _RESERVED if _in(there, each)]
    length, rank = min((length, rank) for length, rank, _ in found)
    best = [hop for size, kind, hop in found if (size, kind) == (length, rank)]
    return best[0] if len(set(best)) == 1 else Hop("unknown")


def _in(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _user_routes(
    estate: Read, world: World, subnet: Subnet, vnet: Vnet, there: Address
) -> list[tuple[Network, Hop]]:  # fmt: skip
    """The user-defined routes that have the address; a service tag as prefix has the tag's own prefixes."""
    return [
        (network, _hop_of(estate, route, vnet, there))
        for route in (estate.tables[subnet.table].routes if subnet.table else ())
        for network in _prefixes(estate, world, route, vnet, there)
        if _in(there, network)
    ]


def _prefixes(estate: Read, world: World, route: Route, vnet: Vnet, there: Address) -> list[Network]:
    try:
        return [ip_network(route.prefix, strict=False)]
    except ValueError:
        known = estate.tags.get((vnet.subscription, route.prefix.lower()))
    if known is not None:
        return known
    one = ip_network(there)
    return [one] if world.holds(f"the route to {route.prefix} has {there}") else []


def _hop_of(estate: Read, route: Route, vnet: Vnet, there: Address) -> Hop:
    """What a user-defined route leads to; ``VnetLocal`` is the network itself, and says nothing of other addresses.

    A route to a gateway where there is none drops:
    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-udr-overview#user-defined ("None")
    """
    if route.hop == "vnetlocal":
        return Hop("vnet", vnet.id) if any(_in(there, each) for each in vnet.prefixes) else Hop("unknown")
    kind = _KINDS[route.hop]
    if kind == "appliance" and route.address == str(there):
        # The next hop is whom the packet is for.
        holders = [subnet.vnet for _, subnet in _holders(estate, vnet, route.address)]
        return Hop("vnet", holders[0]) if len(holders) == 1 else Hop("unknown")
    if kind == "gateway" and not gateways_of(estate, vnet):
        return Hop("none")
    return Hop(kind, address=route.address)


def _system(estate: Read, world: World, subnet: Subnet, vnet: Vnet, there: Address) -> list[tuple[Network, int, Hop]]:
    """https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-udr-overview#system-routes"""
    found = [(each, _SYSTEM, Hop("vnet", vnet.id)) for each in vnet.prefixes]
    for peering in vnet.peerings:
        if works(estate, vnet, peering):
            remote = vnet_of_id(estate, peering.remote)
            prefixes = remote.prefixes if remote is not None else peering.prefixes
            found += [(each, _SYSTEM, Hop("vnet", peering.remote)) for each in prefixes]
    if not subnet.table or estate.tables[subnet.table].propagates:
        known = [each for gateway in gateways_of(estate, vnet) for each in gateway.prefixes]
        found += [(each, _GATEWAY, Hop("gateway")) for each in known]
        if not behind(estate, vnet, there) and learned(estate, world, vnet, there):
            found.append((ip_network(there), _GATEWAY, Hop("gateway")))
    found += [(ip_network(text), _SYSTEM, Hop("internet")) for text in ("0.0.0.0/0", "::/0")]
    if any(_in(there, each) for each, _, hop in found if hop.kind == "vnet"):
        # Routes inside networks and between peers are preferred to whatever a gateway learned.
        found = [route for route in found if route[1] == _SYSTEM]
    return [route for route in found if _in(there, route[0])]


def endpoint_at(estate: Read, vnet: Vnet, there: Address) -> tuple[Subnet, Vnet] | None:
    """Where the private endpoint with this address lies, in a network or in its peers."""
    near = {vnet.id} | {each.remote for each in vnet.peerings if works(estate, vnet, each)}
    for nic in estate.nics:
        config = config_at(nic, there) if nic.endpoint else None
        if config is not None:
            subnet = subnet_of(estate, config)
            if subnet.vnet in near:
                return subnet, next(each for each in estate.vnets if each.id == subnet.vnet)
    return None


_ROUTED = {"routetableenabled", "enabled"}


def _to_endpoint(user: list[tuple[Network, Hop]], subnet: Subnet, vnet: Vnet, there: Address) -> Hop:
    """A private endpoint has a /32 route of its own wherever its network reaches.

    https://learn.microsoft.com/en-us/azure/private-link/disable-private-endpoint-network-policy: a user-defined route
    overrides it where the endpoint's subnet has the policy for routes, and its prefix is at least as long as the
    network's. Whether a route to that one address overrides it without the policy, the pages do not agree.
    """
    single = [hop for network, hop in user if network.prefixlen == network.max_prefixlen]
    if subnet.policies not in _ROUTED:
        return Hop("unknown") if single else Hop("vnet", vnet.id)
    size = min(each.prefixlen for each in vnet.prefixes if _in(there, each))
    long = [(network.prefixlen, hop) for network, hop in user if network.prefixlen >= size]
    if not long:
        return Hop("vnet", vnet.id)
    best = max(length for length, _ in long)
    hops = [hop for length, hop in long if length == best]
    return hops[0] if len(set(hops)) == 1 else Hop("unknown")


def drops(estate: Read, vnet: Vnet, address: str) -> bool:
    """Whether the machine at an address surely drops what is not for itself: it does without IP forwarding.

    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-udr-overview#user-defined
    """
    found = _holders(estate, vnet, address)
    return bool(found) and not any(nic.forwarding or nic.endpoint for nic, _ in found)


def _holders(estate: Read, vnet: Vnet, address: str) -> list[tuple[Nic, Subnet]]:
    """The interfaces with a private address in a network or its peers, and their subnets."""
    near = {vnet.id} | {each.remote for each in vnet.peerings if works(estate, vnet, each)}
    return [
        (nic, subnet_of(estate, config))
        for nic in estate.nics
        for config in nic.configs
        if str(config.private) == address and subnet_of(estate, config).vnet in near
    ]
