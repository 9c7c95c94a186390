"""An Azure Firewall between a VPN gateway and a spoke: it sees what the tunnel brings, and what goes into it.

Source: https://learn.microsoft.com/azure/architecture/networking/architecture/hub-spoke
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.azure.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_firewalls import collection, firewall, network_rule, policy, rule_group
from tests.oracle.compare import estate_of
from tests.tunnels.test_other_ways import AT_AZURE, VM, amazon_of_azure
from tests.tunnels.worlds import AT_AMAZON, ENI, merged

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

DB = f"{VM}db"


def reach(*rules: Json) -> Reachability:
    """``db`` (10.5.1.4) in a spoke, with a firewall at 10.4.2.4 on both ways between it and the gateway of the hub."""
    raw = Raw()
    raw.table("rt-gateway", ("10.5.0.0/16", "VirtualAppliance", "10.4.2.4"))
    raw.table("rt-data", ("10.1.0.0/16", "VirtualAppliance", "10.4.2.4"))
    raw.vnet("hub", "10.4.0.0/16")
    raw.vnet("spoke", "10.5.0.0/16")
    raw.subnet("hub", "GatewaySubnet", "10.4.255.0/27", table="rt-gateway")
    raw.subnet("hub", "AzureFirewallSubnet", "10.4.2.0/26")
    raw.subnet("spoke", "data", "10.5.1.0/24", table="rt-data")
    raw.peering("hub", "spoke", transit=True, forwarded=True)
    raw.peering("spoke", "hub", remote_gateways=True, forwarded=True)
    raw.nic("db", "data", "10.5.1.4")
    raw.public("fw-ip", "20.70.0.7")
    policy(raw, "pol")
    firewall(raw, "fw", "AzureFirewallSubnet", "10.4.2.4", "fw-ip", policy="pol")
    if rules:
        rule_group(raw, "pol", "one", 100, collection("some", 100, "Allow", *rules))
    raw.public("gw-ip", AT_AZURE)
    own: Json = {"subnet": raw.ref("GatewaySubnet"), "publicIPAddress": raw.ref("gw-ip")}
    properties: Json = {"gatewayType": "Vpn", "ipConfigurations": [{"properties": own}]}
    raw.add("gw", "virtualNetworkGateways", "virtual_network_gateways", properties)
    space: Json = {"addressPrefixes": ["10.1.0.0/16"]}
    place: Json = {"gatewayIpAddress": AT_AMAZON, "localNetworkAddressSpace": space}
    raw.add("site", "localNetworkGateways", "local_network_gateways", place)
    ends: Json = {"virtualNetworkGateway1": raw.ref("gw"), "localNetworkGateway2": raw.ref("site")}
    link: Json = {"connectionType": "IPsec", "connectionStatus": "Connected", **ends}
    raw.add("link", "connections", "virtual_network_gateway_connections", link)
    return Reachability(merged(estate_of(amazon_of_azure().answers), translate(snapshot_of(raw.answers))))


def test_a_firewall_without_rules_stops_both_directions() -> None:
    found = reach()
    for source, target in ((ENI, DB), (DB, ENI)):
        assert not found.between(source, target).upper


def test_its_rules_let_through_what_the_tunnel_brings() -> None:
    lower, upper = reach(network_rule(("10.5.0.0/16",), ("5432",), protocols=("TCP",))).between(ENI, DB)
    assert (str(lower), str(upper)) == ("tcp/5432", "tcp/5432")


def test_its_rules_let_through_what_goes_into_the_tunnel() -> None:
    found = reach(network_rule(("10.1.0.0/16",), protocols=("TCP",)))
    lower, upper = found.between(DB, ENI)
    assert (str(lower), str(upper)) == ("tcp/443", "tcp/443")
    assert not found.between(ENI, DB).upper
