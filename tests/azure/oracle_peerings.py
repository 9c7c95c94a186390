"""Which peerings carry traffic, and which gateways a network uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.oracle_addresses import vnet_of_id

if TYPE_CHECKING:
    from tests.azure.oracle_records import Address, Gateway, Peering, Read, Vnet
    from tests.azure.oracle_worlds import World

__all__ = ["behind", "gateways_of", "learned", "works"]


def works(estate: Read, vnet: Vnet, peering: Peering) -> bool:
    """Both halves have to be Connected; of a network that was not read, this half alone tells.

    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-network-peering-overview: not transitive.
    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-network-manage-peering: Initiated until the other
    half exists, Disconnected when one half was deleted.
    """
    remote = vnet_of_id(estate, peering.remote)
    if remote is None:
        return peering.connected
    halves = [each for each in remote.peerings if each.remote == vnet.id]
    return peering.connected and any(each.connected for each in halves)


def gateways_of(estate: Read, vnet: Vnet) -> list[Gateway]:
    """The gateways of a network, and those of peers that it uses from afar.

    https://learn.microsoft.com/en-us/azure/vpn-gateway/vpn-gateway-peering-gateway-transit
    """
    used = {vnet.id}
    used |= {each.remote for each in vnet.peerings if each.remote_gateways and works(estate, vnet, each)}
    return [gateway for gateway in estate.gateways if gateway.vnet in used]


def behind(estate: Read, vnet: Vnet, address: Address) -> bool:
    """Whether an address lies in what connections of a gateway name that the network uses."""
    return any(
        each.version == address.version and address in each
        for gateway in gateways_of(estate, vnet)
        for each in gateway.prefixes
    )


def learned(estate: Read, world: World, vnet: Vnet, address: Address) -> bool:
    """Whether a gateway learned a prefix with the address by BGP: no answer tells, and it may be the default route too.

    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-udr-overview#border-gateway-protocol
    """
    bgp = any(gateway.bgp for gateway in gateways_of(estate, vnet))
    return bgp and world.holds(f"the gateway of {vnet.id} learned {address}")
