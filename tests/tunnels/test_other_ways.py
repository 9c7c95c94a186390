"""Tunnels at transit gateways, at Azure, and between networks of one cloud, by hand from the vendors' pages on VPN.

Sources: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpn-attachments.html,
https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-peering-gateway-transit,
https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-howto-aws-bgp and
https://cloud.google.com/network-connectivity/docs/vpn/how-to/creating-ha-vpn2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.cli.sources import translate as translate_all
from cloudseg.providers.azure.translate import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import SUBSCRIPTION
from tests.azure.raw import Raw as Azure
from tests.gcp.agreeing import snapshot_of as snapshot_of_google
from tests.gcp.agreeing import translated as translated_gcp
from tests.gcp.raw import API, PROJECT
from tests.gcp.raw import REGION as PLACE
from tests.gcp.raw import Raw as Google
from tests.gcp.raw_parts import Card, vpc
from tests.oracle.compare import estate_of
from tests.oracle.raw import ACCOUNT, REGION, permission
from tests.oracle.raw import Raw as Amazon
from tests.tunnels.worlds import (
    AT_AMAZON,
    AT_GOOGLE,
    ENI,
    WEB,
    amazon,
    both,
    connection,
    customer_gateway,
    google,
    machine,
    merged,
    transit_connection,
    tunnel,
)

if TYPE_CHECKING:
    from cloudseg.model import Estate, Tunnel
    from tests.gcp.oracle_records import Json

NOTHING = ("none", "none")
AT_AZURE = "20.70.0.1"
_RG = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg"
VM = f"azure:{SUBSCRIPTION}:{_RG}/providers/microsoft.network/networkinterfaces/"


def between(estate: Estate, source: str, target: str) -> tuple[str, str]:
    """Both bounds of what passes; an end without a colon is addresses outside."""
    ends = [end if ":" in end else AddressSet.parse(end) for end in (source, target)]
    lower, upper = Reachability(estate).between(ends[0], ends[1])
    return str(lower), str(upper)


def in_azure(raw: Azure) -> Estate:
    return translate(snapshot_of(raw.answers))


def carries_ssh(estate: Estate, source: str, target: str) -> bool:
    return Traffic.parse("tcp/22") <= Reachability(estate).between(source, target).lower


# Transit gateways


def over_transit(*, back: bool = True) -> Amazon:
    """``vpc-1`` at ``tgw-1``, whose connection ``vpn-1`` leads to what lies behind 34.90.0.1."""
    raw = amazon(routes=(("10.2.0.0/16", "tgw-1", ""),), connected=False)
    raw.transit_gateway("tgw-1")
    raw.attachment("tgw-attach-1", "tgw-1", "vpc-1", ("subnet-a",), "tgw-rtb-1")
    transit_connection(raw, "tgw-attach-vpn", "vpn-1", "tgw-rtb-1")
    routes = [("10.2.0.0/16", "tgw-attach-vpn", "propagated")]
    routes += [("10.1.0.0/16", "tgw-attach-1", "propagated")] if back else []
    raw.transit_table("tgw-rtb-1", "tgw-1", *routes)
    customer_gateway(raw, "cgw-1", AT_GOOGLE)
    connection(raw, "vpn-1", "cgw-1", gateway="tgw-1")
    return raw


def test_a_connection_of_a_transit_gateway_leads_on_by_its_tables() -> None:
    estate = both(over_transit(), google())
    assert between(estate, ENI, WEB) == ("tcp/8080", "tcp/8080")
    assert between(estate, WEB, ENI) == ("tcp/443", "tcp/443")


def test_what_comes_out_of_a_tunnel_needs_a_route_of_the_transit_gateway() -> None:
    estate = both(over_transit(back=False), google())
    assert between(estate, WEB, ENI) == between(estate, ENI, WEB) == NOTHING


def test_a_connection_of_a_transit_gateway_whose_other_end_was_not_read_leads_outside() -> None:
    estate = both(over_transit(), google(peer="52.30.0.99"))
    assert between(estate, ENI, WEB) == NOTHING
    assert between(estate, ENI, "10.2.0.0/24") == ("all", "all")


# Azure


def azure(*, status: str = "Connected", bgp: bool = False, lent: bool = True, dropped: str = "") -> Azure:
    """``hub`` (10.4.0.0/16) with a gateway at 20.70.0.1, and ``spoke`` (10.5.0.0/16) that uses it.

    ``dropped`` is a prefix to which the routes of the gateway's subnet drop packets.
    """
    raw = Azure()
    raw.table("rt", *([(dropped, "None")] if dropped else []))
    raw.vnet("hub", "10.4.0.0/16")
    raw.vnet("spoke", "10.5.0.0/16")
    raw.subnet("hub", "GatewaySubnet", "10.4.255.0/27", table="rt" if dropped else "")
    raw.subnet("hub", "apps", "10.4.1.0/24")
    raw.subnet("spoke", "data", "10.5.1.0/24")
    raw.peering("hub", "spoke", transit=lent)
    raw.peering("spoke", "hub", remote_gateways=lent)
    raw.nic("app", "apps", "10.4.1.4")
    raw.nic("db", "data", "10.5.1.4")
    raw.public("gw-ip", AT_AZURE)
    own: Json = {"subnet": raw.ref("GatewaySubnet"), "publicIPAddress": raw.ref("gw-ip")}
    properties: Json = {"gatewayType": "Vpn", "enableBgp": bgp, "ipConfigurations": [{"properties": own}]}
    raw.add("gw", "virtualNetworkGateways", "virtual_network_gateways", properties)
    space: Json = {"addressPrefixes": ["10.1.0.0/16"]}
    place: Json = {"gatewayIpAddress": AT_AMAZON, "localNetworkAddressSpace": space}
    raw.add("site", "localNetworkGateways", "local_network_gateways", place)
    link: Json = {
        "connectionType": "IPsec", "connectionStatus": status, "enableBgp": bgp,
        "virtualNetworkGateway1": raw.ref("gw"), "localNetworkGateway2": raw.ref("site"),
    }  # fmt: skip
    raw.add("link", "connections", "virtual_network_gateway_connections", link)
    return raw


def amazon_of_azure() -> Amazon:
    routes = (("10.4.0.0/16", "vgw-1", ""), ("10.5.0.0/16", "vgw-1", ""))
    raw = amazon(permission("tcp", 443, 443, "10.4.0.0/15"), routes=routes, connected=False)
    customer_gateway(raw, "cgw-1", AT_AZURE)
    connection(raw, "vpn-1", "cgw-1", static=("10.4.0.0/16", "10.5.0.0/16"))
    return raw


def test_azure_and_aws_reach_each_other_by_their_gateways() -> None:
    estate = merged(estate_of(amazon_of_azure().answers), in_azure(azure()))
    assert between(estate, f"{VM}app", ENI) == ("tcp/443", "tcp/443")
    assert carries_ssh(estate, ENI, f"{VM}app")


def test_a_network_that_uses_the_gateway_of_its_peer_is_reached_as_well() -> None:
    estate = merged(estate_of(amazon_of_azure().answers), in_azure(azure()))
    assert between(estate, f"{VM}db", ENI) == ("tcp/443", "tcp/443")
    assert carries_ssh(estate, ENI, f"{VM}db")


def test_a_network_that_does_not_use_it_is_not() -> None:
    estate = merged(estate_of(amazon_of_azure().answers), in_azure(azure(lent=False)))
    assert between(estate, f"{VM}db", ENI) == between(estate, ENI, f"{VM}db") == NOTHING


def test_a_connection_that_is_not_connected_carries_packets_at_most() -> None:
    estate = merged(estate_of(amazon_of_azure().answers), in_azure(azure(status="NotConnected")))
    assert between(estate, f"{VM}app", ENI) == ("none", "tcp/443")


def test_what_a_gateway_of_azure_learns_is_not_known() -> None:
    gateway = tunnels_of(in_azure(azure(bgp=True)), "/gw")
    assert [each.carries for each in gateway] == [None]
    told = tunnels_of(in_azure(azure()), "/gw")
    assert [each.carries for each in told] == [AddressSet.parse("10.1.0.0/16")]


def test_routes_of_the_gateways_subnet_decide_about_what_comes_out_of_the_tunnel() -> None:
    estate = merged(estate_of(amazon_of_azure().answers), in_azure(azure(dropped="10.4.1.0/24")))
    assert between(estate, ENI, f"{VM}app") == between(estate, f"{VM}app", ENI) == NOTHING
    assert carries_ssh(estate, ENI, f"{VM}db")


def tunnels_of(estate: Estate, gateway: str) -> tuple[Tunnel, ...]:
    return next(each.tunnels for each in estate.gateways.values() if each.own_id.endswith(gateway))


def test_the_command_line_links_gateways_of_what_it_reads() -> None:
    estate = translate_all(snapshot_of_google(two_networks(named=True).answers))
    assert between(estate, _machine("one"), _machine("two")) == ("tcp/8080", "tcp/8080")


# One cloud


def two_networks(*, named: bool) -> Google:
    """``one`` (10.1.0.0/24) and ``two`` (10.2.0.0/24), each with a machine, a gateway and a tunnel to the other."""
    raw = Google()
    where = f"{API}/projects/{PROJECT}/regions/{PLACE}"
    ends = {"one": AT_AMAZON, "two": AT_GOOGLE}
    for number, (name, own) in enumerate(ends.items(), start=1):
        raw.network(name)
        raw.subnet(name, f"s-{name}", f"10.{number}.0.0/24")
        raw.vm(f"vm-{name}", Card(f"s-{name}", f"10.{number}.0.4"), tags=[name])
        raw.firewall(name, vpc("allow", "tcp:8080", sources=["10.0.0.0/8"]))
        gateway: Json = {"network": raw.link(name), "region": where}
        gateway["vpnInterfaces"] = [{"id": 0, "ipAddress": own}]
        raw.add(f"gw-{name}", "vpn_gateways", f"regions/{PLACE}/vpnGateways/gw-{name}", gateway, PROJECT)
    for name, other in (("one", "two"), ("two", "one")):
        item: Json = {"vpnGateway": raw.link(f"gw-{name}"), "vpnGatewayInterface": 0, "region": where}
        item |= {"peerGcpGateway": raw.link(f"gw-{other}"), "status": "ESTABLISHED"}
        item |= {"peerIp": ends[other]} if named else {}
        raw.add(f"t-{name}", "vpn_tunnels", f"regions/{PLACE}/vpnTunnels/t-{name}", item, PROJECT)
    raw.route("one", "to-two", "10.2.0.0/24", "tunnel", "t-one")
    raw.route("two", "to-one", "10.1.0.0/24", "tunnel", "t-two")
    return raw


def _machine(name: str) -> str:
    return f"gcp:{PROJECT}:zones/{PLACE}-a/instances/vm-{name}/nic0"


def test_a_tunnel_may_name_the_gateway_at_its_other_end_in_place_of_its_address() -> None:
    for named in (True, False):
        estate = merged(translated_gcp(two_networks(named=named).answers))
        assert between(estate, _machine("one"), _machine("two")) == ("tcp/8080", "tcp/8080")


def test_network_tags_stand_for_nobody_across_a_tunnel() -> None:
    raw = two_networks(named=True)
    raw.firewall("two", vpc("allow", "tcp:22", tags=["one"]))
    estate = merged(translated_gcp(raw.answers))
    assert between(estate, _machine("one"), _machine("two")) == ("tcp/8080", "tcp/8080")


def test_a_classic_gateway_has_the_addresses_of_its_forwarding_rules() -> None:
    raw = Google()
    raw.network("n")
    raw.subnet("n", "s", "10.2.0.0/24")
    raw.vm("web", Card("s", "10.2.0.4"))
    raw.firewall("n", vpc("allow", "tcp:8080", sources=["10.1.0.0/16"]))
    where = f"{API}/projects/{PROJECT}/regions/{PLACE}"
    gateway: Json = {"network": raw.link("n"), "region": where}
    raw.add("gw", "target_vpn_gateways", f"regions/{PLACE}/targetVpnGateways/gw", gateway, PROJECT)
    for name, protocol, ports in (("esp", "ESP", ""), ("ike", "UDP", "500-500")):
        rule: Json = {"IPAddress": AT_GOOGLE, "IPProtocol": protocol, "target": raw.link("gw"), "region": where}
        rule |= {"portRange": ports, "loadBalancingScheme": "EXTERNAL"}
        raw.add(f"fr-{name}", "forwarding_rules", f"regions/{PLACE}/forwardingRules/fr-{name}", rule, PROJECT)
    item: Json = {"targetVpnGateway": raw.link("gw"), "region": where, "peerIp": AT_AMAZON, "status": "ESTABLISHED"}
    item |= {"localTrafficSelector": ["10.2.0.0/25"], "remoteTrafficSelector": ["10.1.0.0/25"]}
    raw.add("t", "vpn_tunnels", f"regions/{PLACE}/vpnTunnels/t", item, PROJECT)
    raw.route("n", "to-amazon", "10.1.0.0/16", "tunnel", "t")
    (held,) = tunnels_of(translated_gcp(raw.answers), "/gw")
    assert (held.addresses, held.peers) == (AddressSet.parse(AT_GOOGLE), AddressSet.parse(AT_AMAZON))
    assert (held.serves, held.carries) == (AddressSet.parse("10.2.0.0/25"), AddressSet.parse("10.1.0.0/25"))
    estate = both(amazon(), translated_gcp(raw.answers))
    assert between(estate, WEB, ENI) == ("tcp/443", "tcp/443")


def test_a_gateway_without_vpc_takes_nothing() -> None:
    estate = both(amazon(attached=False), google())
    assert between(estate, WEB, ENI) == NOTHING


def test_the_gateway_of_a_deleted_connection_has_no_tunnel() -> None:
    aws = amazon(connected=False)
    customer_gateway(aws, "cgw-1", AT_GOOGLE)
    connection(aws, "vpn-1", "cgw-1", state="deleted")
    assert tunnels_of(estate_of(aws.answers), "vgw-1") == ()


def test_the_table_of_a_private_gateway_leads_what_comes_in_through_an_appliance() -> None:
    aws = amazon()
    aws.subnet("subnet-b", "vpc-1", "10.1.1.0/24")
    aws.interface("eni-b", "vpc-1", "subnet-b", ("sg-a",), "10.1.1.9")
    item: Json = {
        "RouteTableId": "rtb-edge", "VpcId": "vpc-1", "OwnerId": ACCOUNT,
        "Associations": [{"Main": False, "GatewayId": "vgw-1", "AssociationState": {"State": "associated"}}],
        "Routes": [
            {"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local", "State": "active"},
            {"DestinationCidrBlock": "10.1.0.0/24", "NetworkInterfaceId": "eni-b", "State": "active"},
        ],
    }  # fmt: skip
    aws.add((ACCOUNT, REGION), "describe_route_tables", "RouteTables", item)
    estate = both(aws, google())
    # It checks sources and destinations, so that it takes no packets of others.
    assert between(estate, WEB, ENI) == NOTHING
    assert between(estate, WEB, f"aws:{ACCOUNT}:{REGION}:eni-b") == ("tcp/443", "tcp/443")


def test_what_a_router_learned_is_not_known_until_it_says_so() -> None:
    raw = machine()
    tunnel(raw, "t-1", "ha-1", AT_AMAZON)
    (held,) = tunnels_of(translated_gcp(raw.answers), "/ha-1")
    assert held.carries is None
    (told,) = tunnels_of(google(routes=("10.1.0.0/16", "10.7.0.0/16")), "/ha-1")
    assert told.carries == AddressSet.parse("10.1.0.0/16, 10.7.0.0/16")


def test_without_what_routers_learned_packets_take_the_tunnel_at_most() -> None:
    raw = machine()
    tunnel(raw, "t-1", "ha-1", AT_AMAZON)
    lower, upper = Reachability(both(amazon(), translated_gcp(raw.answers))).between(WEB, ENI)
    assert not lower
    assert Traffic.parse("tcp/443") <= upper
