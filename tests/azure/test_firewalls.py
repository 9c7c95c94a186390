"""What an Azure Firewall filters, decided by hand from Microsoft's pages.

Order of rules: https://learn.microsoft.com/azure/firewall/rule-processing
Inheritance of policies: https://learn.microsoft.com/azure/firewall-manager/policy-overview
Ranges whose address is kept: https://learn.microsoft.com/azure/firewall/snat-private-range
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from cloudseg.cli.sources import translate
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_firewalls import (
    application_rule,
    collection,
    firewall,
    hub_and_spokes,
    ip_group,
    nat_rule_of,
    network_rule,
    policy,
    rule_group,
)

if TYPE_CHECKING:
    from cloudseg.model import Entrance, Estate, Firewall
    from tests.azure.oracle_records import Json

EVERYTHING = network_rule()
UBUNTU = application_rule(("*.ubuntu.com",))


def estate_of(raw: Raw) -> Estate:
    return translate(snapshot_of(raw.answers))


def wall_of(raw: Raw) -> Firewall:
    return next(iter(estate_of(raw).firewalls.values()))


def ruled(*collections: Json) -> Raw:
    raw = hub_and_spokes()
    rule_group(raw, "pol", "one", 100, *collections)
    return raw


def judged(*collections: Json) -> tuple[bool | None, tuple[str, ...]]:
    wall = wall_of(ruled(*collections))
    return wall.filters, wall.names


def allow(*rules: Json, priority: int = 200, name: str = "allow") -> Json:
    return collection(name, priority, "Allow", *rules)


def deny(*rules: Json, priority: int = 100) -> Json:
    return collection("deny", priority, "Deny", *rules)


def test_without_rules_everything_is_denied() -> None:
    assert judged() == (True, ())


def test_a_network_rule_for_everything_filters_nothing() -> None:
    assert judged(allow(EVERYTHING)) == (False, ())


def test_network_rules_come_before_application_rules_whatever_their_priorities() -> None:
    late = allow(EVERYTHING, priority=60000, name="late")
    assert judged(allow(UBUNTU, priority=100), late) == (False, ())


def test_halves_of_the_internet_in_two_rules_count_together() -> None:
    halves = [network_rule(("0.0.0.0/1",)), network_rule(("128.0.0.0/1",))]
    assert judged(allow(*halves)) == (False, ())


def test_a_rule_for_private_destinations_lets_nothing_out() -> None:
    assert judged(allow(network_rule(("10.0.0.0/8",)))) == (True, ())


def test_names_of_application_rules_are_an_allow_list() -> None:
    tags = application_rule(tags=("WindowsUpdate",))
    assert judged(allow(UBUNTU, tags)) == (True, ("*.ubuntu.com", "WindowsUpdate (FQDN tag)"))


def test_names_of_network_rules_are_an_allow_list() -> None:
    assert judged(allow(network_rule((), ("123",), protocols=("UDP",), names=("ntp.ubuntu.com",)))) == (
        True,
        ("ntp.ubuntu.com",),
    )


def test_names_decide_nothing_beside_a_network_rule_for_the_web() -> None:
    web = network_rule(("*",), ("443",), protocols=("TCP",))
    assert judged(allow(UBUNTU), allow(web, name="web")) == (True, ())


def test_every_name_is_no_allow_list() -> None:
    assert judged(allow(application_rule(("*",)))) == (True, ())


def test_categories_of_sites_are_no_names() -> None:
    wall = wall_of(ruled(allow(application_rule(categories=("Business",)))))
    assert (wall.filters, wall.names) == (True, ())
    assert "categories" in wall.reason


def test_threat_intelligence_is_no_allow_list() -> None:
    raw = hub_and_spokes()
    policy(raw, "strict", threat="Deny")
    firewall(raw, "fw2", "AzureFirewallSubnet", "10.0.1.5", "", policy="strict")
    wall = next(each for each in estate_of(raw).firewalls.values() if each.name == "fw2")
    assert (wall.filters, wall.names) == (True, ())


@pytest.mark.parametrize(
    ("sources", "filters"), [(("*",), False), (("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"), False),
                             (("10.1.0.0/16",), None)],
)  # fmt: skip
def test_a_rule_for_some_clients_leaves_it_open_for_the_others(
    *, sources: tuple[str, ...], filters: bool | None
) -> None:
    assert judged(allow(network_rule(sources=sources)))[0] is filters


@pytest.mark.parametrize(
    ("first", "filters"), [(deny(EVERYTHING), True), (deny(network_rule(("*",), ("25",), protocols=("TCP",))), None),
                           (deny(network_rule(("203.0.113.0/24",))), False)],
)  # fmt: skip
def test_a_deny_above_takes_away_what_it_names(*, first: Json, filters: bool | None) -> None:
    assert judged(first, allow(EVERYTHING))[0] is filters


def test_a_deny_below_does_nothing() -> None:
    assert judged(deny(EVERYTHING, priority=300), allow(EVERYTHING))[0] is False


def test_the_priority_of_a_group_stands_before_that_of_its_collections() -> None:
    raw = hub_and_spokes()
    rule_group(raw, "pol", "late", 500, deny(EVERYTHING, priority=100))
    rule_group(raw, "pol", "early", 200, allow(EVERYTHING, priority=900))
    assert wall_of(raw).filters is False


def test_the_parent_decides_before_the_policy_itself() -> None:
    raw = hub_and_spokes()
    policy(raw, "parent")
    rule_group(raw, "parent", "base", 900, deny(EVERYTHING))
    policy(raw, "child", base="parent")
    rule_group(raw, "child", "own", 100, allow(EVERYTHING))
    firewall(raw, "fw2", "AzureFirewallSubnet", "10.0.1.5", "", policy="child")
    wall = next(each for each in estate_of(raw).firewalls.values() if each.name == "fw2")
    assert wall.filters is True


@pytest.mark.parametrize("gone", ["policy", "groups", "group"])
def test_what_was_not_read_leaves_it_open(gone: str) -> None:
    raw = ruled(allow(UBUNTU))
    groups = (SUBSCRIPTION, "network", "firewall_policy_rule_collection_groups", raw.ids["pol"])
    if gone == "policy":
        raw.unread("firewall_policies", "pol")
    elif gone == "groups":
        del raw.answers[groups]
    else:
        raw.listed(SUBSCRIPTION, "firewall_policy_rule_collection_groups", raw.ids["pol"]).clear()
    wall = wall_of(raw)
    assert wall.filters is None
    assert "not read" in wall.reason


def test_an_ip_group_stands_for_its_addresses() -> None:
    raw = hub_and_spokes()
    ip_group(raw, "all", "0.0.0.0-127.255.255.255", "128.0.0.0/1")
    rule_group(raw, "pol", "one", 100, allow(network_rule((), groups=(raw.ids["all"],))))
    assert wall_of(raw).filters is False


def test_classic_rules_stand_in_the_firewall_itself() -> None:
    raw = hub_and_spokes()
    rule: Json = {
        "name": "all", "protocols": ["Any"], "sourceAddresses": ["*"], "destinationAddresses": ["*"],
        "destinationPorts": ["*"],
    }  # fmt: skip
    classic: list[Json] = [{"name": "n", "properties": {"priority": 200, "action": {"type": "Allow"}, "rules": [rule]}}]
    firewall(raw, "old", "AzureFirewallSubnet", "10.0.1.5", "", networkRuleCollections=classic)
    wall = next(each for each in estate_of(raw).firewalls.values() if each.name == "old")
    assert wall.filters is False


@pytest.mark.parametrize(
    ("ranges", "kept", "translated"),
    [
        ((), "10.1.1.4", "8.8.8.8"),
        ((), "100.64.1.1", "192.0.2.1"),
        (("IANAPrivateRanges", "192.0.2.0/24"), "192.0.2.1", "8.8.8.8"),
        (("255.255.255.255/32",), "255.255.255.255", "10.1.1.4"),
    ],
)
def test_packets_keep_their_address_to_private_ranges(ranges: tuple[str, ...], kept: str, translated: str) -> None:
    raw = hub_and_spokes()
    policy(raw, "ranged", snat=ranges)
    firewall(raw, "fw2", "AzureFirewallSubnet", "10.0.1.5", "", policy="ranged")
    wall = next(each for each in estate_of(raw).firewalls.values() if each.name == "fw2")
    assert not wall.translates.has(kept)
    assert wall.translates.has(translated)


def test_what_application_rules_proxy_may_bear_the_address_of_the_firewall() -> None:
    assert not wall_of(ruled(allow(network_rule(("10.0.0.0/8",))))).may_translate
    assert wall_of(ruled(allow(UBUNTU))).may_translate.has("10.2.1.4")


def entrance_of(raw: Raw) -> Entrance:
    return next(each for each in estate_of(raw).entrances.values() if each.kind == "firewall-nat-rule")


def test_a_dnat_rule_is_a_way_in_under_the_firewalls_address() -> None:
    raw = ruled(collection("in", 100, "DNAT", nat_rule_of("20.50.0.10", "8443", "10.1.1.4", "443")))
    entrance = entrance_of(raw)
    assert {each.rpartition("/")[2] for each in entrance.targets} == {"a"}
    assert entrance.traffic == Traffic.parse("tcp/443")
    assert entrance.clients == AddressSet.parse("10.0.1.0/26")
    assert entrance.active is True


def test_a_dnat_rule_to_a_stranger_is_a_way_in_at_most() -> None:
    raw = ruled(collection("in", 100, "DNAT", nat_rule_of("20.50.0.10", "443", "10.9.9.9", "443")))
    assert entrance_of(raw).active is None


def test_a_dnat_rule_admits_the_clients_that_it_names() -> None:
    rule = nat_rule_of("20.50.0.10", "443", "10.1.1.4", "443", sources=("203.0.113.0/24",))
    assert entrance_of(ruled(collection("in", 100, "DNAT", rule))).senders == AddressSet.parse("203.0.113.0/24")


def test_a_stopped_firewall_stands_nowhere() -> None:
    raw = hub_and_spokes()
    cast("Json", raw.listed(SUBSCRIPTION, "azure_firewalls")[0]["properties"]).pop("ipConfigurations")
    estate = estate_of(raw)
    assert not any(each.role == "azure_firewall" for each in estate.interfaces.values())


def test_a_malformed_collection_leaves_the_rest_open() -> None:
    raw = ruled(allow(UBUNTU), {"name": "odd", "rules": "none"})
    estate = estate_of(raw)
    assert next(iter(estate.firewalls.values())).filters is None
    assert any("ruleCollections[1]" in gap.detail for gap in estate.gaps)
