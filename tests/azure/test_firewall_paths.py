"""Packets through an Azure Firewall in a hub, decided by hand from Microsoft's pages.

Next hops in a peered network: https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview
Forwarded packets: https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering
Routes: https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import Traffic
from tests.azure.raw import Raw
from tests.azure.raw_firewalls import (
    application_rule,
    collection,
    firewall,
    hub_and_spokes,
    nat_rule_of,
    network_rule,
    rule_group,
)
from tests.azure.raw_more import gateway
from tests.azure.raw_parts import rule
from tests.azure.said import Said

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

OUTSIDE = "8.8.8.8"


def opened(raw: Raw) -> Raw:
    """The firewall allows everything."""
    rule_group(raw, "pol", "one", 100, collection("all", 100, "Allow", network_rule()))
    return raw


def said(raw: Raw) -> Said:
    return Said(opened(raw))


@pytest.mark.semantics(70)
def test_spokes_reach_each_other_through_a_firewall_that_allows_everything() -> None:
    found = said(hub_and_spokes())
    assert [found("a", "b"), found("b", "a")] == ["surely", "surely"]


@pytest.mark.semantics(70)
def test_a_firewall_without_rules_parts_the_spokes() -> None:
    found = Said(hub_and_spokes())
    # On the internet there are names that Microsoft lets everybody reach.
    assert [found("a", "b"), found("b", "a"), found("a", OUTSIDE)] == ["no", "no", "at most"]


def ruled(*rules: Json, action: str = "Allow") -> Said:
    raw = hub_and_spokes()
    rule_group(raw, "pol", "zero", 50, collection("some", 50, action, *rules))
    return Said(raw)


def test_a_rule_lets_through_its_ports_and_no_others() -> None:
    found = ruled(network_rule(("10.2.0.0/16",), ("443",), sources=("10.1.0.0/16",), protocols=("TCP",)))
    assert [found("a", "b"), found("a", "10.3.0.4")] == ["surely", "no"]
    assert str(found.reach.between(found.end("a"), found.end("b")).upper) == "tcp/443"


def test_a_rule_for_one_direction_lets_nobody_call_in_the_other() -> None:
    found = ruled(network_rule(("10.2.0.0/16",), sources=("10.1.0.0/16",)))
    assert [found("a", "b"), found("b", "a")] == ["surely", "no"]


def test_a_rule_for_one_machine_lets_through_that_one() -> None:
    found = ruled(network_rule(("10.2.1.4",), sources=("10.1.1.4",)))
    assert [found("a", "b"), found("a2", "b")] == ["surely", "no"]


def test_a_rule_for_each_direction_lets_through_everything() -> None:
    there = network_rule(("10.2.0.0/16",), sources=("10.1.0.0/16",))
    back = network_rule(("10.1.0.0/16",), sources=("10.2.0.0/16",))
    found = ruled(there, back)
    assert [found("a", "b"), found("b", "a")] == ["surely", "surely"]


def test_a_dnat_rule_lets_the_translated_packets_through_at_most() -> None:
    found = ruled(nat_rule_of("20.50.0.10", "443", "10.2.1.4", "443"), action="DNAT")
    assert [found("a", "b"), found("a", "10.2.1.9")] == ["at most", "no"]


def test_a_rule_for_other_clients_does_not_count() -> None:
    found = ruled(network_rule(("10.2.0.0/16",), sources=("10.7.0.0/16",)))
    assert [found("a", "b"), found("b", "a")] == ["no", "no"]


def test_a_name_may_stand_for_any_address() -> None:
    assert ruled(application_rule(("*.example.com",), sources=("10.1.0.0/16",)))("a", "b") == "at most"


def test_a_rule_that_denies_above_leaves_less_than_everything() -> None:
    raw = opened(hub_and_spokes())
    denied = network_rule(("10.2.1.4",), ("22",), protocols=("TCP",))
    rule_group(raw, "pol", "zero", 50, collection("some", 50, "Deny", denied))
    found = Said(raw)
    assert [found("a", "b"), found("a", OUTSIDE)] == ["surely", "surely"]
    passes = found.reach.between(found.end("a"), found.end("b"))
    assert not passes.upper.overlaps(Traffic.parse("tcp/22"))
    assert passes.lower >= Traffic.parse("tcp/23-65535, udp, icmp")


def test_names_are_let_out_at_most_and_on_their_ports_alone() -> None:
    found = ruled(application_rule(("*.example.com",), sources=("10.1.0.0/16",)))
    assert str(found.reach.between(found.end("a"), found.end("b")).upper) == "tcp/443"


def test_a_service_tag_stands_for_its_addresses() -> None:
    raw = hub_and_spokes()
    raw.tags(AzureMonitor=["20.10.0.0/16"])
    rule_group(raw, "pol", "one", 100, collection("some", 100, "Allow", network_rule(("AzureMonitor",))))
    found = Said(raw)
    assert [found("a", "20.10.1.1"), found("a", "10.2.1.4")] == ["surely", "no"]


def test_a_service_tag_that_was_not_read_may_stand_for_anything() -> None:
    raw = hub_and_spokes()
    some = network_rule(("AzureMonitor",), ("443",), protocols=("TCP",), sources=("10.1.0.0/16",))
    rule_group(raw, "pol", "one", 100, collection("some", 100, "Allow", some))
    found = Said(raw)
    assert [found("a", "20.10.1.1"), found("a", "b"), found("b", "a")] == ["at most", "at most", "no"]


def test_an_unread_tag_in_a_rule_that_denies_leaves_the_rest_open() -> None:
    raw = opened(hub_and_spokes())
    denied = network_rule(("AzureMonitor",), ("443",), protocols=("TCP",))
    rule_group(raw, "pol", "zero", 50, collection("some", 50, "Deny", denied))
    found = Said(raw)
    assert found("a", "b") == "at most"
    assert found.reach.between(found.end("a"), found.end("b")).lower >= Traffic.parse("tcp/22")


def test_denying_every_name_closes_what_azure_itself_needs() -> None:
    raw = hub_and_spokes()
    rule_group(raw, "pol", "last", 900, collection("none", 900, "Deny", application_rule(("*",))))
    assert [Said(hub_and_spokes())("a", OUTSIDE), Said(raw)("a", OUTSIDE)] == ["at most", "no"]


def test_explain_names_the_rule_of_the_firewall_that_lets_through() -> None:
    found = ruled(network_rule(("10.2.0.0/16",), ("443",), sources=("10.1.0.0/16",), protocols=("TCP",)))
    told = explain(found.reach, found.end("a"), found.end("b"), Traffic.parse("tcp/443"))
    assert told.verdict == "allowed"
    assert [(each.label, each.rule) for each in told.would_block] == [("fw (rg)", "some/net")]


def test_explain_says_of_what_no_rule_allows_that_it_is_blocked() -> None:
    found = ruled(network_rule(("10.2.0.0/16",), ("443",), sources=("10.1.0.0/16",), protocols=("TCP",)))
    told = explain(found.reach, found.end("a"), found.end("b"), Traffic.parse("tcp/22"))
    assert told.verdict == "blocked"
    assert told.reason == "no rule of the firewall fw (rg) allows tcp/22 to b (rg) (10.2.1.4)"


def test_the_internet_needs_no_rule_for_answers() -> None:
    assert ruled(network_rule(sources=("10.1.0.0/16",)))("a", OUTSIDE) == "surely"


@pytest.mark.semantics(69)
def test_without_a_route_back_spokes_do_not_reach_each_other() -> None:
    found = said(hub_and_spokes(routed_back=False))
    assert [found("a", "b"), found("b", "a")] == ["no", "no"]


@pytest.mark.semantics(69)
def test_a_spoke_that_takes_no_forwarded_packets_is_not_reached_from_the_other() -> None:
    found = said(hub_and_spokes(forwarded=False))
    assert [found("a", "b"), found("b", "a")] == ["no", "no"]


@pytest.mark.semantics(69)
def test_whether_answers_of_the_internet_count_as_forwarded_is_not_known() -> None:
    assert said(hub_and_spokes(forwarded=False))("a", OUTSIDE) == "at most"


@pytest.mark.semantics(69)
def test_over_a_peering_that_is_not_connected_nothing_surely_gets_to_the_firewall() -> None:
    found = said(hub_and_spokes(state="Disconnected"))
    assert [found("a", "b"), found("a", "h"), found("b", OUTSIDE)] == ["at most", "at most", "surely"]


def test_the_internet_sees_the_firewall_and_not_the_machine() -> None:
    raw = hub_and_spokes()
    raw.nsg("nsg-p", rule(100, "Allow", "20.50.0.10", ports="443"), rule(4096, "Deny"))
    raw.public("pip-p", "20.50.0.99")
    raw.vnet("apart", "10.9.0.0/16")
    raw.subnet("apart", "sp", "10.9.1.0/24", nsg="nsg-p")
    raw.nic("p", "sp", ("10.9.1.4", "pip-p"))
    found = said(raw)
    # Straight out a machine without a public address bears one that nobody knows.
    assert [found("a", "p"), found("h", "p")] == ["surely", "at most"]


def test_a_firewall_without_a_public_address_leaves_for_the_internet_at_most() -> None:
    raw = opened(hub_and_spokes())
    raw.listed(raw.subscription_of("fw"), "azure_firewalls").clear()
    firewall(raw, "fw", "AzureFirewallSubnet", "10.0.1.4", "", policy="pol")
    assert Said(raw)("a", OUTSIDE) == "at most"


def test_a_private_destination_sees_the_machine_itself() -> None:
    raw = Raw()
    raw.nsg("nsg-b", rule(100, "Allow", "10.1.1.4"), rule(4096, "Deny"))
    spokes = hub_and_spokes(guard=raw)
    found = said(spokes)
    assert [found("a", "b"), found("a2", "b")] == ["surely", "no"]


def test_what_the_firewall_proxies_may_bear_its_own_address() -> None:
    raw = Raw()
    raw.nsg("nsg-b", rule(100, "Allow", "10.0.1.0/26"), rule(4096, "Deny"))
    spokes = hub_and_spokes(guard=raw)
    assert said(spokes)("a", "b") == "no"
    raw = Raw()
    raw.nsg("nsg-b", rule(100, "Allow", "10.0.1.0/26"), rule(4096, "Deny"))
    spokes = hub_and_spokes(guard=raw)
    rule_group(spokes, "pol", "two", 200, collection("app", 100, "Allow", application_rule(("*.example.com",))))
    assert Said(spokes)("a", "b") == "at most"


@pytest.mark.semantics(58)
def test_application_security_groups_stand_for_addresses_behind_a_firewall_too() -> None:
    raw = Raw()
    raw.asg("asg-b")
    raw.nsg("nsg-a", rule(100, "Allow", "*", "asg-b", direction="Outbound"), rule(4096, "Deny", direction="Outbound"))
    raw.vnet("v", "10.1.0.0/16")
    raw.vnet("hub", "10.0.0.0/16")
    raw.table("rt", ("10.1.0.0/16", "VirtualAppliance", "10.0.1.4"))
    raw.public("pip", "20.50.0.10")
    raw.subnet("hub", "AzureFirewallSubnet", "10.0.1.0/26")
    raw.subnet("v", "sa", "10.1.1.0/24", table="rt", nsg="nsg-a")
    raw.subnet("v", "sb", "10.1.2.0/24", table="rt")
    raw.nic("a", "sa", "10.1.1.4")
    raw.nic("b", "sb", "10.1.2.4", asgs=["asg-b"])
    raw.nic("c", "sb", "10.1.2.5")
    raw.peering("hub", "v", forwarded=True)
    raw.peering("v", "hub", forwarded=True)
    every = {
        "name": "all", "protocols": ["Any"], "sourceAddresses": ["*"], "destinationAddresses": ["*"],
        "destinationPorts": ["*"],
    }  # fmt: skip
    classic = [{"name": "n", "properties": {"priority": 200, "action": {"type": "Allow"}, "rules": [every]}}]
    firewall(raw, "fw", "AzureFirewallSubnet", "10.0.1.4", "pip", networkRuleCollections=classic)
    found = Said(raw)
    assert [found("a", "b"), found("a", "c")] == ["surely", "no"]


@pytest.mark.semantics(70)
def test_a_route_for_the_own_network_leads_packets_inside_a_subnet_to_the_firewall() -> None:
    straight, led = Said(hub_and_spokes()), Said(hub_and_spokes(within=True))
    assert [straight("a", "a2"), led("a", "a2")] == ["surely", "no"]
    assert said(hub_and_spokes(within=True))("a", "a2") == "surely"


@pytest.mark.semantics(70)
def test_a_route_that_drops_the_own_subnet_parts_its_machines() -> None:
    raw = Raw()
    raw.table("rt", ("10.1.1.0/24", "None"))
    raw.vnet("v", "10.1.0.0/16")
    raw.subnet("v", "s", "10.1.1.0/24", table="rt")
    raw.nic("a", "s", "10.1.1.4")
    raw.nic("b", "s", "10.1.1.5")
    found = Said(raw)
    assert found("a", "b") == "no"
    assert found.disagreements() == []


def test_of_a_connection_the_firewall_sees_one_half_of_it_is_not_known_whether_it_passes() -> None:
    raw = hub_and_spokes()
    raw.table("rt-c", ("10.0.0.0/16", "VirtualAppliance", "10.0.1.4"), ("10.0.2.0/24", "VirtualAppliance", "10.0.1.4"))
    raw.subnet("spoke-a", "sc", "10.1.3.0/24", table="rt-c")
    raw.nic("c", "sc", "10.1.3.4")
    found = said(raw)
    # What ``h`` answers goes straight over the peering.
    assert [found("c", "h"), found("a", "h")] == ["at most", "surely"]


def test_an_appliance_in_a_peered_network_decides_itself() -> None:
    raw = hub_and_spokes()
    raw.nic("nva", "shared", "10.0.2.9", forwarding=True)
    raw.nic("deaf", "shared", "10.0.2.10")
    for name, hop in (("rt-n", "10.0.2.9"), ("rt-d", "10.0.2.10")):
        raw.table(name, ("0.0.0.0/0", "VirtualAppliance", hop))
    raw.subnet("spoke-a", "sn", "10.1.4.0/24", table="rt-n")
    raw.subnet("spoke-a", "sd", "10.1.5.0/24", table="rt-d")
    raw.nic("n", "sn", "10.1.4.4")
    raw.nic("d", "sd", "10.1.5.4")
    found = said(raw)
    assert [found("n", "b"), found("d", "b"), found("d", "nva")] == ["at most", "no", "surely"]


@pytest.mark.parametrize(("back", "verdict"), [(True, "surely"), (False, "at most")])
def test_what_a_vpn_brings_goes_by_the_routes_of_the_gateways_subnet(*, back: bool, verdict: str) -> None:
    raw = hub_and_spokes()
    raw.table("rt-gw", *((("10.0.4.0/24", "VirtualAppliance", "10.0.1.4"),) if back else ()))
    raw.table("rt-w", ("192.168.0.0/16", "VirtualAppliance", "10.0.1.4"))
    raw.subnet("hub", "GatewaySubnet", "10.0.3.0/27", table="rt-gw")
    raw.subnet("hub", "work", "10.0.4.0/24", table="rt-w")
    raw.nic("w", "work", "10.0.4.4")
    gateway(raw, "vpn", "GatewaySubnet", ["192.168.0.0/16"])
    # Of half a connection a firewall may drop the rest.
    assert said(raw)("w", "192.168.1.1") == verdict


@pytest.mark.parametrize("routed_back", [True, False])
@pytest.mark.parametrize("forwarded", [True, False])
@pytest.mark.parametrize("within", [True, False])
def test_explanations_say_the_same_as_the_engine(*, routed_back: bool, forwarded: bool, within: bool) -> None:
    raw = hub_and_spokes(routed_back=routed_back, forwarded=forwarded, within=within)
    assert said(raw).disagreements(OUTSIDE, "10.1.9.9") == []
