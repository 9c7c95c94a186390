"""Rules of a firewall for what comes from beyond a gateway, and for connections of which it sees one half alone.

Order and state: https://learn.microsoft.com/azure/firewall/rule-processing
Routes of gateways: https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview
"""

from __future__ import annotations

import pytest

from cloudseg.traffic import Traffic
from tests.azure.raw_firewalls import collection, hub_and_spokes, ip_group, network_rule, rule_group
from tests.azure.raw_more import gateway
from tests.azure.said import Said

OFFICE = "192.168.1.1"


def office(*, rules: bool = True) -> Said:
    """A machine ``w`` (10.0.4.4) in the hub, and an office behind a VPN; the firewall stands between both ways.

    It lets the office call ``w`` on port 443, and ``w`` the office on port 22.
    """
    raw = hub_and_spokes()
    raw.table("rt-gw", ("10.0.4.0/24", "VirtualAppliance", "10.0.1.4"))
    raw.table("rt-w", ("192.168.0.0/16", "VirtualAppliance", "10.0.1.4"))
    raw.subnet("hub", "GatewaySubnet", "10.0.3.0/27", table="rt-gw")
    raw.subnet("hub", "work", "10.0.4.0/24", table="rt-w")
    raw.nic("w", "work", "10.0.4.4")
    gateway(raw, "vpn", "GatewaySubnet", ["192.168.0.0/16"])
    into = network_rule(("10.0.4.4",), ("443",), sources=("192.168.1.0/24",), protocols=("TCP",))
    out = network_rule(("192.168.0.0/16",), ("22",), sources=("10.0.4.0/24",), protocols=("TCP",))
    if rules:
        rule_group(raw, "pol", "one", 100, collection("some", 100, "Allow", into, out))
    return Said(raw)


def passes(said: Said, source: str, target: str) -> tuple[str, str]:
    found = said.reach.between(said.end(source), said.end(target))
    return str(found.lower), str(found.upper)


def test_what_comes_from_an_office_is_judged_by_the_rules_of_the_firewall() -> None:
    found = office()
    assert passes(found, OFFICE, "w") == ("tcp/443", "tcp/443")
    assert passes(found, "192.168.9.9", "w") == ("none", "none")


def test_what_goes_to_an_office_is_judged_by_them_too() -> None:
    found = office()
    assert passes(found, "w", OFFICE) == ("tcp/22", "tcp/22")


def test_without_a_rule_an_office_reaches_nobody_behind_the_firewall() -> None:
    found = office(rules=False)
    assert passes(found, OFFICE, "w") == ("none", "none")
    assert passes(found, "w", OFFICE) == ("none", "none")


def test_explanations_about_an_office_say_the_same_as_the_engine() -> None:
    assert office().disagreements(OFFICE, "192.168.9.9") == []


@pytest.mark.parametrize(("ruled", "expected"), [(False, ("no", "no")), (True, ("at most", "at most"))])
def test_half_a_connection_passes_at_most_where_a_rule_allows_either_end_to_call(
    *, ruled: bool, expected: tuple[str, str]
) -> None:
    raw = hub_and_spokes()
    raw.table("rt-c", ("10.0.0.0/16", "VirtualAppliance", "10.0.1.4"), ("10.0.2.0/24", "VirtualAppliance", "10.0.1.4"))
    raw.subnet("spoke-a", "sc", "10.1.3.0/24", table="rt-c")
    raw.nic("c", "sc", "10.1.3.4")
    if ruled:
        rule_group(raw, "pol", "one", 100, collection("all", 100, "Allow", network_rule()))
    # What ``h`` sends goes straight over the peering.
    found = Said(raw)
    assert (found("c", "h"), found("h", "c")) == expected


def test_a_group_of_addresses_that_was_read_in_part_may_hold_any() -> None:
    raw = hub_and_spokes()
    ip_group(raw, "group", "10.2.1.0/24", "nonsense")
    rule = network_rule((), ("443",), protocols=("TCP",), sources=("10.1.0.0/16",), groups=[raw.ids["group"]])
    rule_group(raw, "pol", "one", 100, collection("some", 100, "Allow", rule))
    found = Said(raw)
    assert [found("a", "b"), found("a", "10.2.9.9")] == ["at most", "no"]
    assert found.reach.between(found.end("a"), found.end("b")).upper == Traffic.parse("tcp/443")


def test_a_rule_for_icmp_lets_pings_through() -> None:
    raw = hub_and_spokes()
    ping = network_rule(("10.2.0.0/16",), ("*",), protocols=("ICMP",), sources=("10.1.0.0/16",))
    rule_group(raw, "pol", "one", 100, collection("some", 100, "Allow", ping))
    assert Said(raw).reach.between(Said(raw).end("a"), Said(raw).end("b")).lower == Traffic.parse("icmp")
