"""The oracle against decisions worked out by hand from Microsoft's pages; numbers are those of docs/semantics.md."""

from __future__ import annotations

import pytest

from tests.azure.oracle import decide
from tests.azure.oracle_records import End, Packet
from tests.azure.raw import Raw
from tests.azure.raw_parts import rule
from tests.azure.shapes import (
    AH,
    ESP,
    GRE,
    ICMP,
    ICMPV6,
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
A6, B6 = "a@fd00:1:0:1::4", "b@fd00:1:0:2::4"
CLOSED = rule(4096, "Deny")
DENY_OUT = rule(4096, "Deny", direction="Outbound")


# 49: priority 100 to 4096, the low number wins, the first match decides.


def test_the_lower_number_wins_wherever_it_stands_in_the_list() -> None:
    allow, deny = rule(300, "Allow", "10.1.1.4", ports="443"), rule(200, "Deny", "10.1.1.0/24", ports="400-500")
    assert by(one_vnet(allow, deny), A, B) == "ingress subnet nsg"
    assert by(one_vnet(deny, rule(100, "Allow", "10.1.1.4", ports="443"), allow), A, B) == "delivered"


def test_one_number_counts_once_in_each_direction() -> None:
    raw = one_vnet(rule(100, "Deny", direction="Outbound"), rule(100, "Allow"))
    assert verdict(raw, A, B) == "passes"
    assert by(raw, B, A) == "egress subnet nsg"


# 50: the default rules.


@pytest.mark.parametrize(
    ("source", "target", "decided"),
    [
        (A, B, "delivered"),  # AllowVnetInBound
        (B, A, "delivered"),  # AllowVnetOutBound
        (B, OUTSIDE, "delivered"),  # AllowInternetOutBound
        ("168.63.129.16", B, "platform"),  # AllowAzureLoadBalancerInBound
        (B, "172.16.0.9", "egress subnet nsg"),  # DenyAllOutBound: neither the network nor the internet
    ],
)
def test_default_rules(source: str, target: str, decided: str) -> None:
    assert by(one_vnet(rule(4000, "Allow", ports="1")), source, target) == decided


def test_default_rules_refuse_the_internet() -> None:
    assert by(public_server(), OUTSIDE, "a@20.50.0.4") == "ingress subnet nsg"


# 51, 224: both groups decide, in both directions.


@pytest.mark.parametrize(
    ("subnet", "nic", "decided"),
    [
        ("Allow", "Allow", "delivered"),
        ("Allow", "Deny", "ingress nic nsg"),
        ("Deny", "Allow", "ingress subnet nsg"),
        ("Deny", "Deny", "ingress subnet nsg"),
    ],
)
def test_inbound_the_subnet_comes_first_and_both_must_allow(subnet: str, nic: str, decided: str) -> None:
    assert by(one_vnet(rule(100, subnet), nic_rules=(rule(100, nic),)), A, B) == decided


@pytest.mark.parametrize(
    ("subnet", "nic", "decided"),
    [
        ("Allow", "Allow", "delivered"),
        ("Allow", "Deny", "egress nic nsg"),
        ("Deny", "Allow", "egress subnet nsg"),
        ("Deny", "Deny", "egress nic nsg"),
    ],
)
def test_outbound_the_interface_comes_first_and_both_must_allow(subnet: str, nic: str, decided: str) -> None:
    out = [rule(100, access, direction="Outbound") for access in (subnet, nic)]
    assert by(one_vnet(out[0], nic_rules=(out[1],)), B, A) == decided


def test_an_interface_without_a_group_is_under_the_subnets_alone() -> None:
    raw = one_vnet(rule(100, "Allow", ports="22"), CLOSED, nic_rules=(CLOSED,))
    assert [by(raw, A, each, TCP, 22) for each in (B, C)] == ["ingress nic nsg", "delivered"]


def test_groups_of_one_name_in_two_resource_groups_are_two() -> None:
    raw = one_vnet(CLOSED)
    listed = raw.listed("11111111-2222-3333-4444-555555555555", "network_security_groups")
    own = str(listed[0]["id"])
    other = own.replace("/resourceGroups/rg/", "/resourceGroups/rg2/")
    listed.insert(0, {"id": other, "name": "nsg-subnet", "properties": {"securityRules": []}})
    assert by(raw, A, B) == "ingress subnet nsg"


# 52: no group lets everything pass, but a Standard public address is closed without one.


def test_without_any_group_everything_in_the_network_passes() -> None:
    raw = one_vnet()
    assert [verdict(raw, A, B, protocol, 9) for protocol in (TCP, UDP, ICMP, ESP, AH)] == ["passes"] * 5


@pytest.mark.parametrize(
    ("sku", "group", "decided"),
    [
        ("Standard", False, "public address"),
        ("Basic", False, "delivered"),
        ("Standard", True, "delivered"),
        ("Basic", True, "delivered"),
    ],
)
def test_a_standard_public_address_is_closed_without_a_group(*, sku: str, group: bool, decided: str) -> None:
    raw = public_server(rule(100, "Allow", "Internet", ports="443"), sku=sku, group=group)
    assert by(raw, OUTSIDE, "a@20.50.0.4") == decided


# 53: inside a subnet as well.


def test_a_subnets_group_stands_between_its_own_interfaces() -> None:
    assert by(one_vnet(CLOSED), B, C) == "ingress subnet nsg"
    assert by(one_vnet(DENY_OUT), B, C) == "egress subnet nsg"


# 54: stateful.


def test_nothing_has_to_let_the_answer_pass() -> None:
    assert verdict(one_vnet(rule(100, "Allow", "10.1.1.4"), CLOSED, DENY_OUT), A, B) == "passes"
    assert verdict(one_vnet(CLOSED), B, A) == "passes"


# 55: inbound after the public address became the private one, outbound before.


def test_rules_name_the_private_address_inbound() -> None:
    private = rule(100, "Allow", "Internet", "10.1.1.4", "443")
    public = rule(100, "Allow", "Internet", "20.50.0.4", "443")
    assert [by(public_server(each), OUTSIDE, "a@20.50.0.4") for each in (private, public)] == [
        "delivered", "ingress subnet nsg",
    ]  # fmt: skip


def test_rules_name_the_private_address_outbound() -> None:
    private = rule(100, "Deny", "10.1.1.4", direction="Outbound")
    public = rule(100, "Deny", "20.50.0.4", direction="Outbound")
    assert [by(public_server(each), "a@10.1.1.4", OUTSIDE) for each in (private, public)] == [
        "egress subnet nsg", "delivered",
    ]  # fmt: skip


# 56: what VirtualNetwork means.


def test_peers_are_in_the_virtual_network() -> None:
    assert verdict(two_vnets(), A, "b@10.2.1.4") == "passes"


def test_prefixes_of_routes_to_a_machine_are_in_the_virtual_network() -> None:
    raw = one_vnet(routes=(("172.16.0.0/12", "VirtualAppliance", "10.1.9.4"),))
    raw.nsg("nsg-out")
    raw.vnet("v9", "10.9.0.0/16")
    raw.subnet("v9", "s9", "10.9.0.0/24", table="rt", nsg="nsg-out")
    raw.nic("d", "s9", "10.9.0.4")
    # Out of the groups, then on to a machine of which nobody knows what it does.
    assert by(raw, "d@10.9.0.4", "172.16.0.9") == "appliance"
    assert by(raw, "d@10.9.0.4", "192.168.0.9") == "egress subnet nsg"


@pytest.mark.parametrize(("hop", "decided"), [("VirtualAppliance", "blocked"), ("Internet", "undefined")])
def test_a_default_route_may_make_everybody_the_virtual_network(hop: str, decided: str) -> None:
    # With a machine as next hop the answer cannot come back from the internet either way.
    assert verdict(public_server(table=hop), OUTSIDE, "a@20.50.0.4") == decided


# 57: service tags.


@pytest.mark.parametrize(("tag", "decided"), [("Storage", "passes"), ("storage", "passes"), ("Sql", "undefined")])
def test_a_tag_that_was_not_read_is_unknown(tag: str, decided: str) -> None:
    raw = public_server(rule(100, "Allow", tag, ports="443"))
    raw.tags(Storage=["20.60.0.0/16"])
    assert verdict(raw, "20.60.0.9", "a@20.50.0.4") == decided


def test_a_tag_that_was_read_has_its_own_prefixes_and_no_more() -> None:
    raw = public_server(rule(100, "Allow", "Storage.WestEurope", ports="443"))
    raw.tags(Storage_WestEurope=["20.60.0.0/16"])
    assert by(raw, "20.61.0.9", "a@20.50.0.4") == "ingress subnet nsg"


# 58: application security groups.


def test_an_application_security_group_means_its_members() -> None:
    raw = one_vnet(rule(100, "Allow", "asg-web", "asg-db"), CLOSED, asgs={"a": "asg-web", "b": "asg-db"})
    assert [by(raw, *ends) for ends in ((A, B), (A6, B6), (A, C), (C, B))] == [
        "delivered", "delivered", "ingress subnet nsg", "ingress subnet nsg",
    ]  # fmt: skip


def test_an_application_security_group_is_not_known_by_its_public_address() -> None:
    raw = public_server(rule(100, "Allow", "10.1.1.0/24", direction="Outbound"))
    raw.asg("asg-web")
    raw.nsg("nsg-b", rule(100, "Allow", "asg-web"), CLOSED)
    raw.public("pip-b", "20.50.0.5")
    raw.subnet("v1", "s2", "10.1.2.0/24", nsg="nsg-b")
    raw.nic("b", "s2", ("10.1.2.4", "pip-b"))
    raw.nic("w", "s1", "10.1.1.9", asgs=["asg-web"])
    assert by(raw, "w@10.1.1.9", B) == "delivered"
    assert by(raw, "w@10.1.1.9", "b@20.50.0.5") == "ingress subnet nsg"


# 59, 220: lists and single fields.


def test_lists_of_prefixes_and_ports() -> None:
    raw = one_vnet(rule(100, "Allow", ["10.9.0.0/16", "10.1.1.4"], "*", ["80", "443-445"]), CLOSED)
    assert [by(raw, A, B, TCP, port) for port in (80, 81, 443, 445, 446)] == [
        "delivered", "ingress subnet nsg", "delivered", "delivered", "ingress subnet nsg",
    ]  # fmt: skip


def test_a_single_field_and_a_list_beside_it_both_count() -> None:
    both = rule(100, "Allow", "*", "*", ["443"])
    properties = both["properties"]
    assert isinstance(properties, dict)
    properties["destinationPortRange"] = "22"
    raw = one_vnet(both, CLOSED)
    assert [verdict(raw, A, B, TCP, port) for port in (22, 443, 80)] == ["passes", "passes", "blocked"]


def test_all_ports_have_each() -> None:
    raw = one_vnet(rule(100, "Allow", ports="*"), CLOSED)
    assert [verdict(raw, A, B, TCP, port) for port in (0, 22, 65535)] == ["passes"] * 3


# 60: source ports.


def test_the_source_port_is_part_of_the_match() -> None:
    raw = one_vnet(rule(100, "Allow", source_ports=["53", "1024-49152"]), CLOSED)
    assert [verdict(raw, A, B, UDP, 9, port) for port in (53, 54, 1024, 49152, 49153)] == [
        "passes", "blocked", "passes", "passes", "blocked",
    ]  # fmt: skip


# 61, 223: protocols.


@pytest.mark.parametrize(
    ("name", "passing"),
    [
        ("*", {TCP, UDP, ICMP, ESP, AH}),
        ("Any", {TCP, UDP, ICMP, ESP, AH}),
        ("Tcp", {TCP}),
        ("TCP", {TCP}),
        ("tcp", {TCP}),
        ("Udp", {UDP}),
        ("Icmp", {ICMP}),
        ("ESP", {ESP}),
        ("Ah", {AH}),
    ],
)
def test_protocols_in_any_case(name: str, passing: set[int]) -> None:
    raw = one_vnet(rule(100, "Allow", protocol=name), CLOSED)
    assert {each for each in (TCP, UDP, ICMP, ESP, AH) if verdict(raw, A, B, each, 7) == "passes"} == passing


def test_what_has_no_ports_is_meant_by_no_rule_with_ports() -> None:
    raw = one_vnet(rule(100, "Allow", ports="22"), CLOSED)
    assert [verdict(raw, A, B, each, 22) for each in (TCP, ICMP, ESP)] == ["passes", "blocked", "blocked"]
    assert verdict(one_vnet(rule(100, "Deny", ports="22")), A, B, ICMP) == "passes"


def test_a_rule_for_icmp_that_names_ports_is_open() -> None:
    raw = one_vnet(rule(100, "Allow", protocol="Icmp", ports="22"), CLOSED)
    assert [verdict(raw, A, B, each, 22) for each in (ICMP, TCP)] == ["undefined", "blocked"]


def test_groups_do_not_know_icmp_of_ipv6() -> None:
    assert verdict(one_vnet(rule(100, "Allow", protocol="Icmp"), CLOSED), A6, B6, ICMPV6) == "undefined"


def test_networks_do_not_carry_gre() -> None:
    assert by(one_vnet(), A, B, GRE) == "platform"


# 62: the host and the metadata service.


def test_the_platform_is_not_filtered_by_ordinary_rules() -> None:
    raw = one_vnet(DENY_OUT)
    assert [verdict(raw, B, *each) for each in (("168.63.129.16", UDP, 53), ("169.254.169.254", TCP, 80))] == [
        "passes", "passes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "dns", "metadata"),
    [("AzurePlatformDNS", "blocked", "passes"), ("AzurePlatformIMDS", "passes", "blocked")],
)
def test_the_platform_has_tags_of_its_own(tag: str, dns: str, metadata: str) -> None:
    raw = one_vnet(rule(100, "Deny", "*", tag, direction="Outbound"))
    assert verdict(raw, B, "168.63.129.16", UDP, 53) == dns
    assert verdict(raw, B, "169.254.169.254", TCP, 80) == metadata


# 69: peerings. Load balancers (63), private endpoints (64, 65) and network managers (66 to 68) are in the other file.


@pytest.mark.parametrize(
    ("states", "halves", "decided"),
    [
        (("Connected", "Connected"), (True, True), "delivered"),
        (("Initiated", "Connected"), (True, False), "egress subnet nsg"),
        (("Disconnected", "Connected"), (True, False), "egress subnet nsg"),
        (("Connected", "Disconnected"), (True, True), "egress subnet nsg"),
    ],
)
def test_both_halves_of_a_peering_have_to_be_connected(
    states: tuple[str, str], halves: tuple[bool, bool], decided: str
) -> None:
    assert by(two_vnets(states=states, halves=halves), A, "b@10.2.1.4") == decided


@pytest.mark.parametrize(
    ("access", "there", "back"),
    [
        ((True, True), "delivered", "delivered"),
        ((False, True), "egress subnet nsg", "ingress subnet nsg"),
        ((True, False), "ingress subnet nsg", "egress subnet nsg"),
    ],
)
def test_without_access_the_peer_is_not_in_the_tag_of_this_half(
    access: tuple[bool, bool], there: str, back: str
) -> None:
    raw = two_vnets(access=access)
    assert (by(raw, A, "b@10.2.1.4"), by(raw, "b@10.2.1.4", A)) == (there, back)


def test_without_access_an_address_in_a_rule_still_lets_pass() -> None:
    raw = two_vnets(rule(100, "Allow", "10.1.0.0/16"), access=(True, False))
    assert verdict(raw, A, "b@10.2.1.4") == "passes"


def test_peerings_lead_no_further() -> None:
    raw = two_vnets()
    raw.vnet("v3", "10.3.0.0/16")
    raw.subnet("v3", "s3", "10.3.1.0/24")
    raw.nic("c", "s3", "10.3.1.4")
    raw.peering("v2", "v3")
    raw.peering("v3", "v2")
    assert [by(raw, *ends) for ends in (("b@10.2.1.4", "c@10.3.1.4"), ("c@10.3.1.4", A))] == ["delivered", "route"]


# 221, 222: denies above and below, and the names of everybody.


def test_a_deny_closes_exactly_the_overlap_and_only_from_above() -> None:
    allow = rule(200, "Allow", "Internet", ports="20-30")
    above, below = rule(100, "Deny", "8.0.0.0/8", ports="22"), rule(300, "Deny", "8.0.0.0/8", ports="22")
    ports = (20, 22, 30)
    assert [verdict(public_server(allow, above), OUTSIDE, "a@20.50.0.4", TCP, port) for port in ports] == [
        "passes", "blocked", "passes",
    ]  # fmt: skip
    assert verdict(public_server(allow, above), "9.9.9.9", "a@20.50.0.4", TCP, 22) == "passes"
    assert verdict(public_server(allow, below), OUTSIDE, "a@20.50.0.4", TCP, 22) == "passes"


@pytest.mark.parametrize("source", ["*", "Any", "Internet", "internet", "0.0.0.0/0", ["0.0.0.0/1", "128.0.0.0/1"]])
def test_names_of_everybody(source: str | list[str]) -> None:
    raw = public_server(rule(100, "Allow", source, ports="22"))
    assert [verdict(raw, each, "a@20.50.0.4", TCP, 22) for each in ("8.8.8.8", "200.1.2.3")] == ["passes", "passes"]


def test_a_default_prefix_has_one_family() -> None:
    raw = public_server(rule(100, "Allow", "::/0", ports="22"))
    assert verdict(raw, OUTSIDE, "a@20.50.0.4", TCP, 22) == "blocked"


def test_a_packet_has_one_family() -> None:
    assert by(public_server(), OUTSIDE_SIX, "a@20.50.0.4") == "family"


# What was not read is undefined, and a packet without an end here is a mistake of the caller.


def test_a_group_that_was_not_read_may_do_either() -> None:
    raw = one_vnet(CLOSED)
    raw.unread("network_security_groups", "nsg-subnet")
    assert verdict(raw, A, B) == "undefined"


def test_what_a_known_group_refuses_is_refused_whatever_the_other_does() -> None:
    raw = one_vnet(rule(100, "Allow"), nic_rules=(CLOSED,))
    raw.unread("network_security_groups", "nsg-subnet")
    assert verdict(raw, A, B) == "blocked"


def test_a_packet_needs_an_end_in_the_estate() -> None:
    with pytest.raises(ValueError, match="neither end"):
        decide(Raw().answers, Packet(End("8.8.8.8"), End("9.9.9.9"), TCP, 443))
