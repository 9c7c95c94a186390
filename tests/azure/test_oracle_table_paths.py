"""The oracle on routes, ways out, load balancers, private endpoints and network managers, worked out by hand."""

from __future__ import annotations

import pytest

from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_more import balance, balancer, endpoint, gateway, nat_rule, outbound_rule
from tests.azure.raw_parts import admin_rule, rule
from tests.azure.shapes import (
    AH,
    ESP,
    ICMP,
    OUTSIDE,
    OUTSIDE_SIX,
    TCP,
    UDP,
    by,
    one_vnet,
    public_server,
    two_vnets,
    verdict,
)

A, B, C = "a@10.1.1.4", "b@10.1.2.4", "c@10.1.2.5"
CLOSED = rule(4096, "Deny")


# 66, 67, 68: security admin rules.


@pytest.mark.parametrize(
    ("access", "group", "decided"),
    [
        ("Allow", "Deny", "ingress subnet nsg"),
        ("Allow", "Allow", "delivered"),
        ("AlwaysAllow", "Deny", "delivered"),
        ("Deny", "Allow", "ingress admin"),
    ],
)
def test_admin_rules_come_before_the_groups(access: str, group: str, decided: str) -> None:
    raw = one_vnet(rule(100, group))
    raw.admin("v1", admin_rule(10, access, "10.1.1.0/24", ports="443"))
    assert by(raw, A, B) == decided


def test_admin_rules_leave_other_traffic_to_the_groups() -> None:
    raw = one_vnet(rule(100, "Allow", ports="22"), CLOSED)
    raw.admin("v1", admin_rule(10, "Deny", ports=["443", "3389"]))
    assert [by(raw, A, B, TCP, port) for port in (22, 80, 443)] == ["delivered", "ingress subnet nsg", "ingress admin"]


def test_the_lower_number_of_admin_rules_wins() -> None:
    raw = one_vnet()
    raw.admin("v1", admin_rule(20, "Deny"), admin_rule(10, "AlwaysAllow"))
    assert verdict(raw, A, B) == "passes"


def test_admin_rules_of_one_number_in_two_collections_have_no_known_order() -> None:
    raw = one_vnet()
    raw.admin("v1", admin_rule(10, "Deny"), admin_rule(10, "AlwaysAllow", collection="two"))
    assert verdict(raw, A, B) == "undefined"
    raw.admin("v1", admin_rule(10, "Deny"), admin_rule(10, "Deny", collection="two"))
    assert verdict(raw, A, B) == "blocked"


def test_always_allow_outbound_does_not_open_the_other_end() -> None:
    raw = two_vnets(CLOSED)
    raw.admin("v1", admin_rule(10, "AlwaysAllow", direction="Outbound"))
    assert by(raw, A, "b@10.2.1.4") == "ingress subnet nsg"


def test_admin_rules_outbound() -> None:
    raw = one_vnet()
    raw.admin("v1", admin_rule(10, "Deny", "*", "Internet", direction="Outbound"))
    assert [by(raw, A, each) for each in (OUTSIDE, B)] == ["egress admin", "delivered"]


def test_admin_rules_that_were_not_read_leave_everything_open() -> None:
    raw = one_vnet(CLOSED)
    raw.unread("effective_security_admin_rules", "v1")
    assert verdict(raw, A, B) == "undefined"


def test_networks_of_managed_instances_may_be_spared() -> None:
    raw = one_vnet()
    raw.subnet("v1", "s3", "10.1.3.0/24", delegation="Microsoft.Sql/managedInstances")
    raw.admin("v1", admin_rule(10, "Deny"))
    assert verdict(raw, A, B) == "undefined"


# 70: user-defined routes.


@pytest.mark.parametrize(
    ("route", "decided"),
    [
        (("10.1.2.0/24", "None"), "blocked"),
        (("10.1.0.0/16", "None"), "blocked"),  # the user's route of one length is before the system's
        (("10.0.0.0/8", "None"), "passes"),  # a longer system route wins
        (("0.0.0.0/0", "None"), "passes"),
        (("10.1.2.0/24", "VirtualAppliance", "10.1.9.4"), "undefined"),
        (("10.1.2.0/24", "VnetLocal"), "passes"),
        (("10.1.2.0/24", "VirtualNetworkGateway"), "blocked"),  # there is no gateway
    ],
)
def test_routes_between_subnets(route: tuple[str, ...], decided: str) -> None:
    raw = one_vnet(routes=(route,))
    assert verdict(raw, A, B) == decided
    # What opens at the other end is answered by the same routes.
    assert verdict(raw, B, A) == decided


@pytest.mark.parametrize(
    ("route", "decided"),
    [
        (("10.1.2.0/24", "None"), "return route"),
        (("10.1.2.4/32", "None"), "return route"),
        (("10.1.2.128/25", "None"), "delivered"),
    ],
)
def test_the_answer_needs_a_route_back(route: tuple[str, ...], decided: str) -> None:
    assert by(one_vnet(routes=(route,)), B, A) == decided


def test_the_longest_prefix_wins() -> None:
    raw = one_vnet(routes=(("10.1.2.0/24", "None"), ("10.1.2.5/32", "VnetLocal")))
    assert [verdict(raw, A, each) for each in (B, C)] == ["blocked", "passes"]


def test_a_machine_without_ip_forwarding_drops() -> None:
    raw = one_vnet(routes=(("10.1.2.4/32", "VirtualAppliance", "10.1.2.5"),))
    assert by(raw, A, B) == "appliance"
    assert verdict(raw, A, B) == "blocked"


def test_a_route_to_the_receiver_itself_delivers() -> None:
    raw = one_vnet(routes=(("10.1.2.0/24", "VirtualAppliance", "10.1.2.4"),))
    assert [verdict(raw, A, each) for each in (B, C)] == ["passes", "blocked"]


def test_private_addresses_that_nobody_has_go_nowhere() -> None:
    assert by(one_vnet(), A, "10.200.0.1") == "route"


@pytest.mark.parametrize(("hop", "decided"), [("VirtualAppliance", "return route"), ("None", "return route")])
def test_a_default_route_elsewhere_closes_the_internet(hop: str, decided: str) -> None:
    assert by(public_server(rule(100, "Allow"), table=hop), OUTSIDE, "a@20.50.0.4") == decided


# Gateways.


@pytest.mark.parametrize(("bgp", "beyond"), [(False, "blocked"), (True, "undefined")])
def test_what_connections_of_a_gateway_name_is_reached(*, bgp: bool, beyond: str) -> None:
    raw = one_vnet()
    raw.subnet("v1", "GatewaySubnet", "10.1.255.0/27")
    gateway(raw, "gw", "GatewaySubnet", ["172.16.8.0/24"], bgp=bgp)
    assert [verdict(raw, *ends) for ends in ((A, "172.16.8.9"), ("172.16.8.9", A))] == ["passes", "passes"]
    assert [verdict(raw, *ends) for ends in ((A, "172.16.9.9"), ("172.16.9.9", A))] == [beyond, beyond]


def test_a_peer_uses_a_gateway_from_afar_only_where_it_says_so() -> None:
    raw = two_vnets()
    raw.subnet("v2", "GatewaySubnet", "10.2.255.0/27")
    gateway(raw, "gw", "GatewaySubnet", ["172.16.8.0/24"])
    assert verdict(raw, A, "172.16.8.9") == "blocked"
    other = two_vnets(halves=(False, True))
    other.peering("v1", "v2", remote_gateways=True)
    other.subnet("v2", "GatewaySubnet", "10.2.255.0/27")
    gateway(other, "gw", "GatewaySubnet", ["172.16.8.0/24"])
    assert verdict(other, A, "172.16.8.9") == "passes"


def test_routes_of_a_gateway_can_be_kept_from_a_subnet() -> None:
    raw = one_vnet()
    raw.subnet("v1", "GatewaySubnet", "10.1.255.0/27")
    gateway(raw, "gw", "GatewaySubnet", ["172.16.8.0/24"])
    raw.table("closed", propagates=False)
    raw.table("own", ("172.16.8.0/24", "VirtualNetworkGateway"), propagates=False)
    raw.subnet("v1", "s3", "10.1.3.0/24", table="closed")
    raw.subnet("v1", "s4", "10.1.4.0/24", table="own")
    raw.nic("d", "s3", "10.1.3.4")
    raw.nic("e", "s4", "10.1.4.4")
    assert [verdict(raw, each, "172.16.8.9") for each in ("d@10.1.3.4", "e@10.1.4.4")] == ["blocked", "passes"]
    assert [by(raw, "172.16.8.9", each) for each in ("d@10.1.3.4", "e@10.1.4.4")] == ["return route", "delivered"]


def test_a_machine_as_next_hop_may_bring_the_internet_in() -> None:
    raw = one_vnet(routes=(("0.0.0.0/0", "VirtualAppliance", "10.1.9.4"),))
    assert [verdict(raw, OUTSIDE, each) for each in (A, B)] == ["undefined", "blocked"]


# 131 and the ways out to the internet.


@pytest.mark.parametrize(("outbound", "decided"), [(True, "passes"), (False, "blocked"), (None, "undefined")])
def test_default_outbound_access(*, outbound: bool | None, decided: str) -> None:
    assert verdict(one_vnet(outbound=outbound), A, OUTSIDE) == decided


def test_default_outbound_access_is_for_ipv4() -> None:
    assert by(one_vnet(), "a@fd00:1:0:1::4", OUTSIDE_SIX) == "outbound"


@pytest.mark.parametrize("protocol", [ICMP, ESP, AH])
def test_default_outbound_access_carries_tcp_and_udp(protocol: int) -> None:
    assert by(one_vnet(), A, OUTSIDE, protocol) == "outbound"


def test_a_public_address_carries_icmp_and_esp_too() -> None:
    raw = public_server()
    assert [verdict(raw, A, OUTSIDE, each) for each in (TCP, UDP, ICMP, ESP, AH)] == [*["passes"] * 4, "blocked"]


def test_a_public_address_of_ipv6_may_take_default_outbound_access_away() -> None:
    raw = one_vnet()
    raw.public("pip", "2603:1::9")
    raw.nic("d", "s1", "10.1.1.9", ("fd00:1:0:1::9", "pip"))
    assert [verdict(raw, *ends) for ends in (("d@10.1.1.9", OUTSIDE), ("d@fd00:1:0:1::9", OUTSIDE_SIX))] == [
        "undefined", "passes",
    ]  # fmt: skip


def test_a_private_subnet_with_a_public_address_reaches_the_internet() -> None:
    raw = one_vnet(outbound=False)
    raw.public("pip", "20.50.0.9")
    raw.nic("d", "s1", ("10.1.1.9", "pip"))
    assert [verdict(raw, each, OUTSIDE) for each in (A, "d@10.1.1.9")] == ["blocked", "passes"]


def natted(*rules: str) -> Raw:
    """``a`` behind a NAT gateway 20.50.0.1 and with a public address of its own, ``b`` open to some of them."""
    raw = Raw()
    raw.nsg("nsg-b", *[rule(100 + n, "Allow", each) for n, each in enumerate(rules)], CLOSED)
    for name, address in (("pip-nat", "20.50.0.1"), ("pip-a", "20.50.0.4"), ("pip-b", "20.50.0.5")):
        raw.public(name, address)
    raw.nat("nat", "pip-nat")
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nat="nat", outbound=False)
    raw.subnet("v1", "s2", "10.1.2.0/24", nsg="nsg-b")
    raw.nic("a", "s1", ("10.1.1.4", "pip-a"))
    raw.nic("b", "s2", ("10.1.2.4", "pip-b"))
    return raw


@pytest.mark.parametrize(
    ("source", "decided"),
    [("20.50.0.1", "delivered"), ("20.50.0.4", "ingress subnet nsg"), ("10.1.1.4", "ingress subnet nsg")],
)
def test_a_nat_gateway_comes_before_the_public_address(source: str, decided: str) -> None:
    assert by(natted(source), A, "b@20.50.0.5") == decided


def test_a_nat_gateway_carries_tcp_and_udp() -> None:
    raw = one_vnet(outbound=False)
    raw.public("pip-nat", "20.50.0.1")
    raw.nat("nat", "pip-nat")
    raw.subnet("v1", "s3", "10.1.3.0/24", nat="nat", outbound=False)
    raw.nic("d", "s3", "10.1.3.4")
    assert [verdict(raw, "d@10.1.3.4", OUTSIDE, each) for each in (TCP, UDP, ICMP)] == ["passes", "passes", "blocked"]


@pytest.mark.parametrize(
    ("source", "decided"),
    [("*", "passes"), ("Internet", "passes"), ("20.0.0.0/8", "undefined"), ("10.1.1.4", "blocked")],
)
def test_the_address_of_default_outbound_access_is_nobodys_to_know(source: str, decided: str) -> None:
    raw = natted(source)
    raw.subnet("v1", "s3", "10.1.3.0/24")
    raw.nic("d", "s3", "10.1.3.4")
    assert verdict(raw, "d@10.1.3.4", "b@20.50.0.5") == decided


# 63: load balancers.


def balanced(*rules: str, sku: str = "Standard", group: bool = True) -> Raw:
    raw = Raw()
    if group:
        raw.nsg("nsg", *[rule(100 + n, "Allow", "8.8.8.0/24", "10.1.1.4", each) for n, each in enumerate(rules)])
    raw.public("pip-lb", "20.50.0.7", sku=sku)
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nsg="nsg" if group else "", outbound=False)
    forwards = (balance(80, 8080), nat_rule(50001, 22))
    balancer(raw, "lb", *forwards, public="pip-lb", sku=sku, subscription=SUBSCRIPTION)
    raw.nic("a", "s1", "10.1.1.4", pools=["lb-pool"], nat_rules=["lb-nat-50001"])
    return raw


@pytest.mark.parametrize(
    ("port", "decided"),
    [(80, "delivered"), (8080, "load balancer"), (50001, "ingress subnet nsg"), (22, "load balancer")],
)
def test_rules_see_the_client_and_the_port_of_the_backend(port: int, decided: str) -> None:
    assert by(balanced("8080"), OUTSIDE, "a@20.50.0.7", TCP, port) == decided


def test_an_inbound_nat_rule_leads_to_its_one_interface() -> None:
    assert verdict(balanced("22"), OUTSIDE, "a@20.50.0.7", TCP, 50001) == "passes"
    assert verdict(balanced("22"), "9.9.9.9", "a@20.50.0.7", TCP, 50001) == "blocked"
    assert by(balanced("22"), OUTSIDE, "a@20.50.0.7", UDP, 50001) == "load balancer"


@pytest.mark.parametrize(("sku", "decided"), [("Standard", "public address"), ("Basic", "delivered")])
def test_a_standard_load_balancer_is_closed_without_a_group(sku: str, decided: str) -> None:
    assert by(balanced(sku=sku, group=False), OUTSIDE, "a@20.50.0.7", TCP, 80) == decided


def test_a_load_balancing_rule_lets_out_the_protocols_it_has() -> None:
    raw = balanced()
    assert [verdict(raw, A, OUTSIDE, each) for each in (TCP, UDP)] == ["passes", "blocked"]


def test_outbound_rules_let_out() -> None:
    raw = balanced()
    raw.public("pip-out", "20.50.0.8")
    forwards = (balance(80, 80, snat=False), outbound_rule())
    balancer(raw, "out", *forwards, public="pip-out", subscription=SUBSCRIPTION)
    balancer(raw, "none", forwards[0], public="pip-out", subscription=SUBSCRIPTION)
    raw.nic("d", "s1", "10.1.1.8", pools=["out-pool"])
    raw.nic("e", "s1", "10.1.1.9", pools=["none-pool"])
    assert [verdict(raw, each, OUTSIDE, UDP) for each in ("d@10.1.1.8", "e@10.1.1.9")] == ["passes", "blocked"]


def test_an_internal_load_balancer_keeps_the_client() -> None:
    raw = one_vnet(rule(100, "Allow", "10.1.1.4", ports="8443"), CLOSED)
    balancer(raw, "lb", balance(443, 8443), subnet="s2", address="10.1.2.100", subscription=SUBSCRIPTION)
    raw.nic("d", "s2", "10.1.2.9", pools=["lb-pool"])
    assert by(raw, A, "d@10.1.2.100") == "delivered"
    assert by(raw, C, "d@10.1.2.100") == "ingress subnet nsg"


# 64, 65, 227: private endpoints.


def served(policies: str, *routes: tuple[str, str], state: str = "Approved", nsg: bool = True) -> Raw:
    raw = one_vnet(routes=routes)
    if nsg:
        raw.nsg("nsg-pe", CLOSED)
    raw.subnet("v1", "s3", "10.1.3.0/24", policies=policies, nsg="nsg-pe" if nsg else "")
    endpoint(raw, "pe", "s3", "10.1.3.4", state=state)
    return raw


PE = "pe-nic@10.1.3.4"


@pytest.mark.parametrize(
    ("policies", "decided"),
    [
        ("Disabled", "delivered"),
        ("", "delivered"),
        ("RouteTableEnabled", "delivered"),
        ("NetworkSecurityGroupEnabled", "ingress subnet nsg"),
        ("Enabled", "ingress subnet nsg"),
    ],
)
def test_a_group_binds_a_private_endpoint_only_by_policy(policies: str, decided: str) -> None:
    assert by(served(policies), A, PE) == decided


@pytest.mark.parametrize(
    ("policies", "prefix", "decided"),
    [
        ("Disabled", "10.1.3.0/24", "passes"),
        ("NetworkSecurityGroupEnabled", "10.1.3.0/24", "passes"),
        ("RouteTableEnabled", "10.1.3.0/24", "blocked"),
        ("Enabled", "10.1.0.0/16", "blocked"),
        ("Enabled", "10.0.0.0/8", "passes"),  # shorter than the network's own prefix
        ("Enabled", "0.0.0.0/0", "passes"),
        ("Disabled", "10.1.3.4/32", "undefined"),
    ],
)
def test_a_route_overrides_a_private_endpoint_only_by_policy(policies: str, prefix: str, decided: str) -> None:
    assert verdict(served(policies, (prefix, "None"), nsg=False), A, PE) == decided


@pytest.mark.parametrize("state", ["Pending", "Rejected", "Disconnected"])
def test_only_an_approved_private_endpoint_carries_traffic(state: str) -> None:
    assert by(served("Disabled", state=state), A, PE) == "private endpoint"


def test_a_private_endpoint_opens_no_connection_and_knows_no_admin_rule() -> None:
    raw = served("Disabled")
    raw.admin("v1", admin_rule(10, "Deny"))
    assert by(raw, A, PE) == "delivered"
    assert by(raw, PE, B) == "private endpoint"
