"""VPN tunnels of virtual network gateways: where they begin and end, and what is sent into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import Tunnel
from cloudseg.providers.azure.ids import qualified_id
from cloudseg.providers.azure.translate.wire import ArmResource, Ref
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["add_tunnel_ends", "add_tunnels"]

_FACET: Final = "gateways"
_LOCAL: Final = "local_network_gateways"
_STATES: Final = {"connected": True, "notconnected": False, "connecting": False}


class _ConfigurationProperties(msgspec.Struct, rename="camel"):
    public_address: Ref | None = msgspec.field(default=None, name="publicIPAddress")


class _Configuration(msgspec.Struct):
    properties: _ConfigurationProperties = msgspec.field(default_factory=_ConfigurationProperties)


class _GatewayProperties(msgspec.Struct, rename="camel"):
    ip_configurations: list[_Configuration] | None = None


class _Gateway(ArmResource, kw_only=True):
    properties: _GatewayProperties = msgspec.field(default_factory=_GatewayProperties)


class _Space(msgspec.Struct, rename="camel"):
    address_prefixes: list[str] | None = None


class _LocalProperties(msgspec.Struct, rename="camel"):
    space: _Space | None = msgspec.field(default=None, name="localNetworkAddressSpace")
    address: str | None = msgspec.field(default=None, name="gatewayIpAddress")


class _LocalGateway(ArmResource, kw_only=True):
    properties: _LocalProperties = msgspec.field(default_factory=_LocalProperties)


class _ConnectionProperties(msgspec.Struct, rename="camel"):
    connection_status: str | None = None
    enable_bgp: bool | None = None
    virtual_network_gateway1: Ref | None = None
    virtual_network_gateway2: Ref | None = None
    local_network_gateway2: Ref | None = None


class _Connection(ArmResource, kw_only=True):
    properties: _ConnectionProperties = msgspec.field(default_factory=_ConnectionProperties)


class _Place(NamedTuple):
    """The other end of a connection: its address, and the addresses behind it, None where these were not read."""

    address: AddressSet
    behind: AddressSet | None


def add_tunnel_ends(answers: Answers, draft: Draft) -> None:
    """Note the public addresses of gateways: one for each of their machines, and a tunnel may begin at any.

    Source: https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-highlyavailable
    """
    for wire in answers.listed("network", "virtual_network_gateways", _Gateway, _FACET):
        ends = NO_ADDRESSES
        for each in wire.properties.ip_configurations or ():
            public = each.properties.public_address
            known = None if public is None else draft.public_addresses.get(qualified_id(public.id))
            ends |= NO_ADDRESSES if known is None else known.addresses
        draft.tunnel_ends[qualified_id(wire.id)] = ends


def add_tunnels(answers: Answers, draft: Draft) -> None:
    """Add to gateways the tunnels of their connections; those to circuits have none.

    What other gateways tell over BGP, or inside of Azure, was not read. Sources:
    https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings and
    https://learn.microsoft.com/rest/api/network-gateway/virtual-network-gateway-connections/get
    """
    places: dict[str, _Place] = {}
    for local in answers.listed("network", _LOCAL, _LocalGateway, _FACET):
        space = local.properties.space
        texts = (space.address_prefixes if space is not None else None) or ()
        address = (local.properties.address or "",)
        places[qualified_id(local.id)] = _Place(
            answers.addresses(f"network.{_LOCAL}", local.id, address, _FACET),
            answers.addresses(f"network.{_LOCAL}", local.id, texts, _FACET),
        )
    for wire in answers.listed("network", "virtual_network_gateway_connections", _Connection, _FACET):
        properties = wire.properties
        own = (
            "" if properties.virtual_network_gateway1 is None else qualified_id(properties.virtual_network_gateway1.id)
        )
        gateway = draft.gateways.get(own)
        place = _other_end(draft, properties, places)
        if gateway is None or place is None:
            continue
        tunnel = Tunnel(
            addresses=draft.tunnel_ends.get(own, NO_ADDRESSES),
            peers=place.address,
            up=_STATES.get((properties.connection_status or "").lower()),
            carries=None if properties.enable_bgp else place.behind,
        )
        draft.gateways[own] = msgspec.structs.replace(gateway, tunnels=(*gateway.tunnels, tunnel))


def _other_end(draft: Draft, wire: _ConnectionProperties, places: Mapping[str, _Place]) -> _Place | None:
    """Return the other end of a connection; None where it is none of a tunnel's, or was not read."""
    if wire.local_network_gateway2 is not None:
        return places.get(qualified_id(wire.local_network_gateway2.id))
    if wire.virtual_network_gateway2 is None:
        return None
    address = draft.tunnel_ends.get(qualified_id(wire.virtual_network_gateway2.id))
    return None if address is None else _Place(address, None)
