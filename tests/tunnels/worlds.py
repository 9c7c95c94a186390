"""Estates of two clouds with tunnels between them, from raw answers of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import Estate
from cloudseg.model.tunnels import link_gateways
from tests.gcp.agreeing import translated as translated_gcp
from tests.gcp.raw import API, PROJECT
from tests.gcp.raw import REGION as PLACE
from tests.gcp.raw import Raw as Google
from tests.gcp.raw_parts import Card, vpc
from tests.oracle.compare import estate_of
from tests.oracle.raw import ACCOUNT, REGION, permission
from tests.oracle.raw import Raw as Amazon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.gcp.oracle_records import Json

__all__ = [
    "AT_AMAZON",
    "AT_GOOGLE",
    "ENI",
    "OTHER_AT_GOOGLE",
    "PROJECT",
    "WEB",
    "amazon",
    "both",
    "connection",
    "customer_gateway",
    "google",
    "learned",
    "machine",
    "merged",
    "private_gateway",
    "transit_connection",
    "tunnel",
]

AT_AMAZON, AT_GOOGLE, OTHER_AT_GOOGLE = "52.30.0.1", "34.90.0.1", "34.90.0.2"
ENI = f"aws:{ACCOUNT}:{REGION}:eni-a"
WEB = f"gcp:{PROJECT}:zones/{PLACE}-a/instances/web/nic0"


def merged(*estates: Estate) -> Estate:
    """One linked estate."""
    return link_gateways(Estate.merged(estates))


def customer_gateway(raw: Amazon, own: str, address: str) -> None:
    item: Json = {"CustomerGatewayId": own, "IpAddress": address, "State": "available", "Type": "ipsec.1"}
    raw.add((ACCOUNT, REGION), "describe_customer_gateways", "CustomerGateways", item)


def private_gateway(raw: Amazon, own: str, vpc: str = "", *, state: str = "available") -> None:
    attached: list[Json] = [{"VpcId": vpc, "State": "attached"}] if vpc else []
    item: Json = {"VpnGatewayId": own, "State": state, "Type": "ipsec.1", "VpcAttachments": attached}
    raw.add((ACCOUNT, REGION), "describe_vpn_gateways", "VpnGateways", item)


def connection(
    raw: Amazon, own: str, customer: str, outside: Sequence[str] = (AT_AMAZON,), *, gateway: str = "vgw-1",
    status: str = "UP", static: Sequence[str] | None = None, state: str = "available",
) -> None:  # fmt: skip
    """A connection with a tunnel for each outside address; ``static`` are its routes, None for BGP."""
    key = "TransitGatewayId" if gateway.startswith("tgw") else "VpnGatewayId"
    item: Json = {
        "VpnConnectionId": own, "CustomerGatewayId": customer, key: gateway, "State": state, "Type": "ipsec.1",
        "Options": {
            "StaticRoutesOnly": static is not None,
            "LocalIpv4NetworkCidr": "0.0.0.0/0", "RemoteIpv4NetworkCidr": "0.0.0.0/0",
            "TunnelOptions": [{"OutsideIpAddress": each} for each in outside],
        },
        "Routes": [{"DestinationCidrBlock": each, "State": "available"} for each in static or ()],
        "VgwTelemetry": [{"OutsideIpAddress": each, "Status": status} for each in outside],
    }  # fmt: skip
    raw.add((ACCOUNT, REGION), "describe_vpn_connections", "VpnConnections", item)


def transit_connection(raw: Amazon, own: str, connected: str, table: str) -> None:
    """The attachment of a connection to ``tgw-1``."""
    item: Json = {
        "TransitGatewayAttachmentId": own, "TransitGatewayId": "tgw-1", "TransitGatewayOwnerId": ACCOUNT,
        "ResourceOwnerId": ACCOUNT, "ResourceType": "vpn", "ResourceId": connected, "State": "available",
        "Association": {"TransitGatewayRouteTableId": table, "State": "associated"},
    }  # fmt: skip
    raw.add((ACCOUNT, REGION), "describe_transit_gateway_attachments", "TransitGatewayAttachments", item)


def amazon(
    *ingress: Json, routes: Sequence[tuple[str, str, str]] = (("10.2.0.0/16", "vgw-1", "propagated"),),
    status: str = "UP", static: Sequence[str] | None = None, connected: bool = True, attached: bool = True,
) -> Amazon:  # fmt: skip
    """``eni-a`` (10.1.0.5) in ``vpc-1`` (10.1.0.0/16), which ``vgw-1`` joins to what lies behind 34.90.0.1."""
    raw = Amazon()
    raw.vpc("vpc-1", "10.1.0.0/16")
    raw.subnet("subnet-a", "vpc-1", "10.1.0.0/24")
    raw.table("rtb-1", "vpc-1", *routes, main=True)
    raw.open_acl("acl-1", "vpc-1")
    everything = permission("-1", None, None, "0.0.0.0/0")
    raw.group("sg-a", "vpc-1", ingress or (permission("tcp", 443, 443, "10.2.0.0/16"),), (everything,))
    raw.interface("eni-a", "vpc-1", "subnet-a", ("sg-a",), "10.1.0.5")
    private_gateway(raw, "vgw-1", "vpc-1" if attached else "")
    if connected:
        customer_gateway(raw, "cgw-1", AT_GOOGLE)
        connection(raw, "vpn-1", "cgw-1", status=status, static=static)
    return raw


def tunnel(
    raw: Google, name: str, gateway: str, peer: str, *, interface: int = 0, status: str = "ESTABLISHED"
) -> None:  # fmt: skip
    """A tunnel of an HA VPN gateway, with its BGP session on the router ``router``."""
    item: Json = {
        "kind": "compute#vpnTunnel", "status": status, "peerIp": peer, "vpnGateway": raw.link(gateway),
        "vpnGatewayInterface": interface, "region": f"{API}/projects/{PROJECT}/regions/{PLACE}",
        "router": f"{API}/projects/{PROJECT}/regions/{PLACE}/routers/router",
        "localTrafficSelector": ["0.0.0.0/0"], "remoteTrafficSelector": ["0.0.0.0/0"],
    }  # fmt: skip
    raw.add(name, "vpn_tunnels", f"regions/{PLACE}/vpnTunnels/{name}", item, PROJECT)


def learned(raw: Google, *routes: tuple[str, str]) -> dict[tuple[str, ...], object]:
    """The answers with what the router learned: prefix, and the tunnel that leads there."""
    best: list[Json] = [
        {"kind": "compute#route", "destRange": to, "priority": 0, "network": raw.link("n"),
         "nextHopVpnTunnel": raw.link(hop)}
        for to, hop in routes
    ]  # fmt: skip
    about = f"projects/{PROJECT}/regions/{PLACE}/routers/router"
    status: Json = {"kind": "compute#routerStatusResponse", "result": {"network": raw.link("n"), "bestRoutes": best}}
    return {**raw.answers, (PROJECT, "compute", "router_status", about): {"items": [status]}}


def google(
    *rules: Json, status: str = "ESTABLISHED", peer: str = AT_AMAZON, routes: Sequence[str] = ("10.1.0.0/16",),
    prefix: str = "10.2.0.0/24", address: str = "10.2.0.4",
) -> Estate:  # fmt: skip
    """The machine ``web`` (10.2.0.4) in the network ``n``, which ``ha-1`` joins to what lies behind 52.30.0.1."""
    raw = machine(*rules, prefix=prefix, address=address)
    tunnel(raw, "t-1", "ha-1", peer, status=status)
    return translated_gcp(learned(raw, *((each, "t-1") for each in routes)))


def machine(*rules: Json, prefix: str = "10.2.0.0/24", address: str = "10.2.0.4") -> Google:
    """A network with a machine, a router, and a gateway with two interfaces; there are no tunnels yet."""
    raw = Google()
    raw.network("n")
    raw.subnet("n", "s", prefix)
    raw.vm("web", Card("s", address))
    raw.firewall("n", *(rules or (vpc("allow", "tcp:8080", sources=["10.1.0.0/16"]),)))
    where = f"{API}/projects/{PROJECT}/regions/{PLACE}"
    ends: list[Json] = [{"id": 0, "ipAddress": AT_GOOGLE}, {"id": 1, "ipAddress": OTHER_AT_GOOGLE}]
    gateway: Json = {"kind": "compute#vpnGateway", "network": raw.link("n"), "region": where, "vpnInterfaces": ends}
    raw.add("ha-1", "vpn_gateways", f"regions/{PLACE}/vpnGateways/ha-1", gateway, PROJECT)
    peers: list[Json] = [{"name": "bgp", "peerIpAddress": "169.254.0.1", "peerAsn": 65001}]
    router: Json = {"kind": "compute#router", "network": raw.link("n"), "region": where, "bgpPeers": peers}
    raw.add("router", "routers", f"regions/{PLACE}/routers/router", router, PROJECT)
    return raw


def both(aws: Amazon, gcp: Estate) -> Estate:
    """The linked estate of two clouds."""
    return merged(estate_of(aws.answers), gcp)
