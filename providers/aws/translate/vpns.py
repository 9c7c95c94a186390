"""Virtual private gateways and site-to-site VPN connections: where their tunnels begin and end, and what they carry."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Gateway, Tunnel
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.providers.aws.translate.tags import Tag, tags_of
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["add_private_gateways"]

_FACET: Final = "gateways"
_CONNECTIONS: Final = "describe_vpn_connections"
_GONE: Final = frozenset(("deleted", "deleting"))
_ATTACHED: Final = frozenset(("attached", ""))
_STATES: Final = {"available": True, "deleted": False, "deleting": False}
_STATUS: Final = {"UP": True, "DOWN": False}


class _Attachment(msgspec.Struct, rename="pascal"):
    vpc_id: str = ""
    state: str = ""


class _PrivateGateway(msgspec.Struct, rename="pascal"):
    vpn_gateway_id: str
    state: str = ""
    vpc_attachments: list[_Attachment] = []
    tags: list[Tag] = []


class _CustomerGateway(msgspec.Struct, rename="pascal"):
    customer_gateway_id: str
    ip_address: str = ""


class _Telemetry(msgspec.Struct, rename="pascal"):
    outside_ip_address: str = ""
    status: str = ""


class _TunnelOptions(msgspec.Struct, rename="pascal"):
    outside_ip_address: str = ""


class _Options(msgspec.Struct, rename="pascal"):
    static_routes_only: bool = False
    outside_ip_address_type: str = ""
    remote_ipv4_network_cidr: str = ""
    remote_ipv6_network_cidr: str = ""
    tunnel_options: list[_TunnelOptions] = []


class _StaticRoute(msgspec.Struct, rename="pascal"):
    destination_cidr_block: str = ""
    state: str = ""


class _Connection(msgspec.Struct, rename="pascal"):
    vpn_connection_id: str
    customer_gateway_id: str = ""
    vpn_gateway_id: str = ""
    transit_gateway_id: str = ""
    state: str = ""
    options: _Options = msgspec.field(default_factory=_Options)
    routes: list[_StaticRoute] = []
    vgw_telemetry: list[_Telemetry] = []
    tags: list[Tag] = []


def add_private_gateways(answers: Answers, draft: Draft) -> None:
    """Add the virtual private gateways, and the connections of transit gateways, with their tunnels.

    Sources: https://docs.aws.amazon.com/vpn/latest/s2svpn/how_it_works.html and
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpnConnection.html
    """
    tunnels: defaultdict[str, list[Tunnel]] = defaultdict(list)
    ends = {
        wire.customer_gateway_id: joined(
            answers, "ec2.describe_customer_gateways", wire.customer_gateway_id, _FACET, (wire.ip_address,)
        )
        for wire in answers.each("ec2", "describe_customer_gateways", "CustomerGateways", _CustomerGateway, _FACET)
    }
    for wire in answers.each("ec2", _CONNECTIONS, "VpnConnections", _Connection, _FACET):
        found = _tunnels(answers, wire, ends.get(wire.customer_gateway_id, NO_ADDRESSES))
        if wire.state in _GONE:
            continue
        if wire.vpn_gateway_id:
            tunnels[wire.vpn_gateway_id] += found
        elif wire.transit_gateway_id:
            draft.put(draft.gateways, _connection(answers, wire, tuple(found)), answers.scope)
    for gateway in answers.each("ec2", "describe_vpn_gateways", "VpnGateways", _PrivateGateway, _FACET):
        held = tuple(tunnels[gateway.vpn_gateway_id])
        draft.put(draft.gateways, _gateway(answers, draft, gateway, held), answers.scope)


def _gateway(answers: Answers, draft: Draft, wire: _PrivateGateway, tunnels: tuple[Tunnel, ...]) -> Gateway:
    tags = tags_of(wire.tags)
    attached = [each.vpc_id for each in wire.vpc_attachments if each.vpc_id and each.state in _ATTACHED]
    moving = any(each.state in {"attaching", "detaching"} for each in wire.vpc_attachments)
    return Gateway(
        id=answers.id(wire.vpn_gateway_id),
        kind="vpn-gateway",
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        networks=frozenset(draft.id_of(answers, vpc) for vpc in attached),
        active=_STATES.get(wire.state) if attached else None if moving else False,
        tunnels=tunnels,
    )


def _connection(answers: Answers, wire: _Connection, tunnels: tuple[Tunnel, ...]) -> Gateway:
    """Return the ends of a connection at a transit gateway, whose tables decide what goes into it."""
    tags = tags_of(wire.tags)
    return Gateway(
        id=answers.id(wire.vpn_connection_id),
        kind="vpn-connection",
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        active=_STATES.get(wire.state),
        tunnels=tunnels,
    )


def _tunnels(answers: Answers, wire: _Connection, peers: AddressSet) -> Iterator[Tunnel]:
    """Yield the tunnels of a connection; those with private ends lead over a direct connection.

    The remote network of the options is the one at AWS. A connection without routes of its own learns them over BGP.
    Source: https://docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html
    """
    options = wire.options
    serves = joined(
        answers,
        f"ec2.{_CONNECTIONS}",
        wire.vpn_connection_id,
        _FACET,
        (options.remote_ipv4_network_cidr, options.remote_ipv6_network_cidr),
    )
    carries = None
    if wire.transit_gateway_id:
        carries = ALL_ADDRESSES
    elif options.static_routes_only:
        texts = (each.destination_cidr_block for each in wire.routes if each.state not in _GONE)
        carries = joined(answers, f"ec2.{_CONNECTIONS}", wire.vpn_connection_id, _FACET, tuple(texts))
    if options.outside_ip_address_type.lower().startswith("private"):
        return
    told = {each.outside_ip_address: _STATUS.get(each.status) for each in wire.vgw_telemetry}
    for text in dict.fromkeys((*told, *(each.outside_ip_address for each in options.tunnel_options))):
        addresses = joined(answers, f"ec2.{_CONNECTIONS}", wire.vpn_connection_id, _FACET, (text,))
        if addresses:
            yield Tunnel(
                addresses=addresses, peers=peers, up=told.get(text), carries=carries, serves=serves or ALL_ADDRESSES
            )
