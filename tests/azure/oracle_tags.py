"""What a prefix or a service tag of a rule means, for one address, where one interface is."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, NamedTuple

from tests.azure.oracle_addresses import HOST, METADATA, is_public, vnet_of_id
from tests.azure.oracle_peerings import gateways_of, learned, works

if TYPE_CHECKING:
    from tests.azure.oracle_records import Address, Network, Read, Subnet, Vnet
    from tests.azure.oracle_worlds import World

__all__ = ["View", "means"]


class View(NamedTuple):
    """Where a rule is asked: tags differ from network to network, and from subnet to subnet with its routes."""

    vnet: Vnet
    subnet: Subnet


def means(estate: Read, world: World, view: View, text: str, address: Address) -> bool:
    """Whether a prefix, an address or a tag of a rule covers an address.

    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview#security-rules: ``*`` and
    Any are all addresses; 0.0.0.0/0 has the IPv4 ones.
    """
    if text.lower() in {"*", "any"}:
        return True
    network = _network(text)
    if network is None:
        return _tag(estate, world, view, text.lower(), address)
    return address.version == network.version and address in network


def _network(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _tag(estate: Read, world: World, view: View, tag: str, address: Address) -> bool:
    """https://learn.microsoft.com/en-us/azure/virtual-network/service-tags-overview#available-service-tags"""
    if tag == "virtualnetwork":
        return _virtual_network(estate, world, view, address)
    if tag == "internet":
        # Outside the virtual network, and reachable by the public internet.
        return is_public(address) and not _virtual_network(estate, world, view, address)
    if tag in {"azureloadbalancer", "azureplatformdns"}:
        return address == HOST
    if tag == "azureplatformimds":
        return address == METADATA
    known = estate.tags.get((view.vnet.subscription, tag))
    if known is None:
        return world.holds(f"{tag} has {address}")
    return any(address in network for network in known if network.version == address.version)


def _virtual_network(estate: Read, world: World, view: View, address: Address) -> bool:
    """The network, its peers, what lies behind its gateways, the host, and prefixes of user-defined routes.

    A peer counts unless this half has ``allowVirtualNetworkAccess`` false:
    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-network-manage-peering. "This tag might also contain
    default routes": whether it does is open. Open, too, are prefixes of routes whose next hop is no machine and no
    gateway, what a gateway learns by BGP, and routes of a table that was not read.
    """
    if any(_holds(each, address) for each in _surely(estate, view)):
        return True
    for each in _routed(estate, view):
        if _holds(each, address) and world.holds(f"VirtualNetwork of {view.subnet.id} has the route to {each}"):
            return True
    if view.subnet.table and view.subnet.table not in estate.tables:
        return world.holds(f"VirtualNetwork of {view.subnet.id} has {address}")
    return learned(estate, world, view.vnet, address)


def _holds(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network


_HOPS = {"virtualappliance", "virtualnetworkgateway"}


def _surely(estate: Read, view: View) -> list[Network]:
    found = [*view.vnet.prefixes, ip_network(f"{HOST}/32")]
    for peering in view.vnet.peerings:
        if works(estate, view.vnet, peering) and peering.access:
            remote = vnet_of_id(estate, peering.remote)
            found += remote.prefixes if remote is not None else peering.prefixes
    for gateway in gateways_of(estate, view.vnet):
        found += gateway.prefixes
    table = estate.tables.get(view.subnet.table)
    for route in table.routes if table is not None else ():
        network = _network(route.prefix)
        if network is not None and network.prefixlen and route.hop in _HOPS:
            found.append(network)
    return found


def _routed(estate: Read, view: View) -> list[Network]:
    """Prefixes of user-defined routes of which the documentation does not say whether they count."""
    table = estate.tables.get(view.subnet.table)
    found: list[Network] = []
    for route in table.routes if table is not None else ():
        network = _network(route.prefix)
        if network is not None and not (network.prefixlen and route.hop in _HOPS):
            found.append(network)
    return found
