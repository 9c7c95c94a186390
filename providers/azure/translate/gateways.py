"""Ways out of networks: the internet, NAT gateways, and gateways to other places."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Gateway, own_id
from cloudseg.providers.azure.ids import name_of, parent_of, qualified_id, region_of
from cloudseg.providers.azure.translate.parts import OnPremises
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, ids, tags_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = [
    "add_connections",
    "add_gateways",
    "add_internet",
    "add_nat_gateways",
    "host_of",
    "internet_of",
    "join_on_premises",
]

_FACET = "gateways"


class _NatProperties(msgspec.Struct, rename="camel"):
    public_addresses: list[Ref] | None = msgspec.field(default=None, name="publicIpAddresses")
    public_prefixes: list[Ref] | None = msgspec.field(default=None, name="publicIpPrefixes")
    public_addresses_v6: list[Ref] | None = msgspec.field(default=None, name="publicIpAddressesV6")
    public_prefixes_v6: list[Ref] | None = msgspec.field(default=None, name="publicIpPrefixesV6")


class _NatGateway(ArmResource, kw_only=True):
    properties: _NatProperties = msgspec.field(default_factory=_NatProperties)


class _Space(msgspec.Struct, rename="camel"):
    address_prefixes: list[str] | None = None


class _ConfigurationProperties(msgspec.Struct, rename="camel"):
    subnet: Ref | None = None


class _Configuration(msgspec.Struct):
    properties: _ConfigurationProperties = msgspec.field(default_factory=_ConfigurationProperties)


class _ClientConfiguration(msgspec.Struct, rename="camel"):
    pool: _Space | None = msgspec.field(default=None, name="vpnClientAddressPool")


class _GatewayProperties(msgspec.Struct, rename="camel"):
    gateway_type: str = ""
    enable_bgp: bool | None = None
    ip_configurations: list[_Configuration] | None = None
    vpn_client_configuration: _ClientConfiguration | None = None
    custom_routes: _Space | None = None


class _VirtualNetworkGateway(ArmResource, kw_only=True):
    properties: _GatewayProperties = msgspec.field(default_factory=_GatewayProperties)


class _LocalProperties(msgspec.Struct, rename="camel"):
    space: _Space | None = msgspec.field(default=None, name="localNetworkAddressSpace")
    bgp_settings: object = None


class _LocalGateway(ArmResource, kw_only=True):
    properties: _LocalProperties = msgspec.field(default_factory=_LocalProperties)


class _ConnectionProperties(msgspec.Struct, rename="camel"):
    connection_type: str = ""
    enable_bgp: bool | None = None
    virtual_network_gateway1: Ref | None = None
    virtual_network_gateway2: Ref | None = None
    local_network_gateway2: Ref | None = None
    peer: Ref | None = None


class _Connection(ArmResource, kw_only=True):
    properties: _ConnectionProperties = msgspec.field(default_factory=_ConnectionProperties)


def internet_of(network: str) -> str:
    """Return the qualified id of the way from a network to the internet, which every network has."""
    return f"{network}/internet"


def host_of(network: str) -> str:
    """Return the qualified id of the way from a network to what its hosts serve: names, metadata, health checks."""
    return f"{network}/host"


def add_internet(draft: Draft) -> None:
    """Add the ways to the internet and to the host that every virtual network has without anybody making them.

    Source: https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview#default
    """
    for identifier, network in draft.networks.items():
        gateway = Gateway(
            id=internet_of(identifier),
            kind="internet",
            name="Internet",
            region=network.region,
            networks=frozenset((identifier,)),
            public=True,
        )
        draft.gateways[gateway.id] = gateway
        host = Gateway(
            id=host_of(identifier),
            kind="host",
            name="the host",
            region=network.region,
            networks=frozenset((identifier,)),
        )
        draft.gateways[host.id] = host


def add_nat_gateways(answers: Answers, draft: Draft) -> None:
    """Add the NAT gateways: what stands in their subnets leaves for the internet under their addresses.

    Source: https://learn.microsoft.com/azure/nat-gateway/nat-overview
    """
    for wire in answers.listed("network", "nat_gateways", _NatGateway, _FACET):
        properties = wire.properties
        lists = (
            properties.public_addresses,
            properties.public_prefixes,
            properties.public_addresses_v6,
            properties.public_prefixes_v6,
        )
        references = [qualified_id(each) for found in lists for each in ids(found)]
        addresses = NO_ADDRESSES
        for reference in references:
            known = draft.public_addresses.get(reference)
            addresses |= NO_ADDRESSES if known is None else known.addresses
        gateway = Gateway(
            id=qualified_id(wire.id),
            kind="nat-gateway",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            active=bool(references),
            public=True,
        )
        draft.put(draft.gateways, gateway, answers.scope)
        draft.nat_addresses[gateway.id] = addresses


def add_gateways(answers: Answers, draft: Draft) -> None:
    """Add the gateways to other places, VPN and ExpressRoute, with the clients' addresses that they hand out.

    Source: https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpngateways
    """
    for wire in answers.listed("network", "virtual_network_gateways", _VirtualNetworkGateway, _FACET):
        properties = wire.properties
        subnets = [each.properties.subnet for each in properties.ip_configurations or ()]
        networks = {qualified_id(parent_of(each.id)) for each in subnets if each is not None and each.id}
        gateway = Gateway(
            id=qualified_id(wire.id),
            kind="virtual-network-gateway",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            networks=frozenset(networks),
        )
        draft.put(draft.gateways, gateway, answers.scope)
        clients = properties.vpn_client_configuration
        spaces = (clients.pool if clients is not None else None, properties.custom_routes)
        known = NO_ADDRESSES
        for space in spaces:
            texts = (space.address_prefixes if space is not None else None) or ()
            known |= answers.addresses("network.virtual_network_gateways", wire.id, texts, _FACET)
        doubt = ""
        if properties.gateway_type.lower() == "expressroute" or properties.enable_bgp:
            doubt = f"which routes {gateway.label} learns from other places was not read"
        draft.behind_gateways[gateway.id] = OnPremises(gateway.id, known, doubt)


def add_connections(answers: Answers, draft: Draft) -> None:
    """Note the places to which connections of gateways lead.

    Source: https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings
    """
    places: dict[str, AddressSet] = {}
    for local in answers.listed("network", "local_network_gateways", _LocalGateway, _FACET):
        space = local.properties.space
        texts = (space.address_prefixes if space is not None else None) or ()
        what = "network.local_network_gateways"
        places[qualified_id(local.id)] = answers.addresses(what, local.id, texts, _FACET)
    for wire in answers.listed("network", "virtual_network_gateway_connections", _Connection, _FACET):
        first = wire.properties.virtual_network_gateway1
        behind = None if first is None else draft.behind_gateways.get(qualified_id(first.id))
        if behind is None:
            continue
        local_end, other = wire.properties.local_network_gateway2, wire.properties.virtual_network_gateway2
        known, doubt = behind.known, behind.doubt
        if local_end is not None and (place := places.get(qualified_id(local_end.id))) is not None:
            known |= place
        elif local_end is not None:
            doubt = doubt or f"{own_id(qualified_id(local_end.id))} was not read"
        if other is not None:
            doubt = doubt or f"what {wire.name} brings from another gateway was not read"
        if (circuit := wire.properties.peer) is not None and circuit.id:
            doubt = f"which routes the circuit {name_of(circuit.id)} brings was not read"
        if wire.properties.enable_bgp:
            doubt = doubt or f"which routes {wire.name} learns was not read"
        draft.behind_gateways[behind.gateway] = OnPremises(behind.gateway, known, doubt)


def join_on_premises(draft: Draft) -> None:
    """Work out which places each network reaches over gateways: its own, or those of a peer that lends them.

    A network that uses a peer's gateways while these were not read reaches it is not known what. Source:
    https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-peering-gateway-transit
    """
    own: defaultdict[str, list[OnPremises]] = defaultdict(list)
    for behind in draft.behind_gateways.values():
        for attached in draft.gateways[behind.gateway].networks:
            own[attached].append(behind)
    served = {each.network for each in draft.subnets.values() if each.name.lower() == "routeserversubnet"}
    for place in served:
        own[place].append(OnPremises("", NO_ADDRESSES, "which routes its route server learns was not read"))
    for identifier, network in draft.networks.items():
        found = list(own.get(identifier, ()))
        for neighbour in draft.peers_of(identifier):
            if _is_hub(draft, identifier, neighbour.network):
                continue
            if neighbour.gateways and draft.peerings[neighbour.peering].active:
                lent = own.get(neighbour.network, [])
                for behind in lent:
                    gateway = draft.gateways[behind.gateway]
                    networks = gateway.networks | {identifier}
                    draft.gateways[gateway.id] = msgspec.structs.replace(gateway, networks=networks)
                unread = OnPremises("", NO_ADDRESSES, f"the gateways of {own_id(neighbour.network)} were not read")
                found += lent or [unread]
        if not found:
            if not draft.gateways_read(network.scope):
                draft.on_premises[identifier] = OnPremises("", NO_ADDRESSES, "gateways were not read")
            continue
        known, doubts = NO_ADDRESSES, list[str]()
        for behind in found:
            known |= behind.known
            doubts += [behind.doubt] if behind.doubt else []
        draft.on_premises[identifier] = OnPremises(found[0].gateway, known, "; ".join(dict.fromkeys(doubts)))


def _is_hub(draft: Draft, network: str, other: str) -> bool:
    """Tell whether a peering leads to the network inside a virtual hub, whose own answers tell what it leads to."""
    joined = any(each.network == network for each in draft.hubs.connections.values())
    return joined and name_of(own_id(other)).startswith("hv_")
