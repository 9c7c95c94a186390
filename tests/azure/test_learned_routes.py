"""What networks learn of other places and no answer tells: route servers and ExpressRoute circuits.

Source: https://learn.microsoft.com/azure/route-server/overview and
https://learn.microsoft.com/azure/expressroute/expressroute-routing
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.said import Said

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json


def network(*subnets: tuple[str, str]) -> Raw:
    raw = Raw()
    raw.vnet("v", "10.1.0.0/16")
    raw.subnet("v", "s", "10.1.1.0/24")
    for name, prefix in subnets:
        raw.subnet("v", name, prefix)
    raw.nic("a", "s", "10.1.1.4")
    raw.nic("b", "s", "10.1.1.5")
    return raw


def test_without_gateways_private_places_are_not_reached() -> None:
    assert Said(network())("a", "192.168.1.1") == "no"


def test_what_a_route_server_learns_is_not_known() -> None:
    found = Said(network(("RouteServerSubnet", "10.1.9.0/27")))
    assert [found("a", "192.168.1.1"), found("a", "b")] == ["at most", "surely"]


def test_what_a_circuit_brings_is_not_known_and_told_by_its_name() -> None:
    raw = network(("GatewaySubnet", "10.1.9.0/27"))
    properties: Json = {
        "gatewayType": "ExpressRoute",
        "ipConfigurations": [{"name": "default", "properties": {"subnet": raw.ref("GatewaySubnet")}}],
    }
    raw.add("er", "virtualNetworkGateways", "virtual_network_gateways", properties)
    raw.add("circuit-1", "expressRouteCircuits", "express_route_circuits", {})
    link: Json = {
        "connectionType": "ExpressRoute",
        "virtualNetworkGateway1": raw.ref("er"),
        "peer": raw.ref("circuit-1"),
    }
    raw.add("link", "connections", "virtual_network_gateway_connections", link, subscription=SUBSCRIPTION)
    found = Said(raw)
    assert found("a", "192.168.1.1") == "at most"
