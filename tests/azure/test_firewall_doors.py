"""Ways in that DNAT rules of a firewall open: the finding is the rule's, whatever lets its packets through behind it.

https://learn.microsoft.com/azure/firewall/tutorial-firewall-dnat: behind the firewall its own private address is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.engine import AuditRequest, run_audit, select_checks
from cloudseg.findings import Severity
from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.raw import Raw
from tests.azure.raw_firewalls import collection, hub_and_spokes, nat_rule_of, rule_group
from tests.azure.raw_parts import rule
from tests.azure.said import Said

if TYPE_CHECKING:
    from cloudseg.findings import Finding
    from tests.azure.oracle_records import Json

RDP = Traffic.parse("tcp/3389")
ANYBODY = AddressSet.parse("8.8.8.8")


def led(*rules: Json, sources: tuple[str, ...] = ("*",), to: str = "10.2.1.4", port: str = "3389") -> Said:
    """The firewall leads a port of its public address to ``b``, whose subnet has the NSG ``nsg-b``."""
    raw = Raw()
    raw.nsg("nsg-b", *rules)
    raw = hub_and_spokes(guard=raw)
    door = nat_rule_of("20.50.0.10", port, to, "3389", sources=sources)
    rule_group(raw, "pol", "zero", 50, collection("in", 50, "DNAT", door))
    return Said(raw)


def told(said: Said, check: str = "internet-exposed-port") -> list[Finding]:
    return list(run_audit(said.estate, AuditRequest(checks=select_checks((check,)), exposure=False)).findings)


@pytest.mark.parametrize(
    ("rules", "by"),
    [
        ((), "AllowVnetInBound"),
        ((rule(100, "Allow", "10.0.1.0/26", ports="3389"),), "Inbound-100"),
        ((rule(100, "Allow", "*", ports="3389"),), "Inbound-100"),
    ],
)
def test_one_finding_names_the_rule_of_the_firewall_and_what_lets_it_through(rules: tuple[Json, ...], by: str) -> None:
    (found,) = told(led(*rules))
    assert found.resource.name == "fw"
    assert "in/dnat" in found.message
    assert (found.severity, found.confidence, found.reachable) == (Severity.CRITICAL, "high", True)
    assert f"behind it nsg-b (rg) lets it through by inbound/{by}" in found.evidence
    assert [name.rpartition("/")[2] for name in found.affected] == ["b"]


def test_the_advice_is_about_the_rule_that_opens() -> None:
    (found,) = told(led())
    assert found.remedy is not None
    assert "in/dnat" in found.remedy.summary
    assert "nobody can change" not in found.remedy.summary


def test_the_witness_shows_both_steps() -> None:
    (found,) = told(led(port="13389"))
    assert found.evidence[-2:] == (
        "witness: 198.51.100.7 → 20.50.0.10 tcp/13389 (to the firewall)",
        "witness: one of 10.0.1.0/26 → 10.2.1.4 tcp/3389 (the firewall sends it on)",
    )


def test_a_denial_for_the_addresses_of_the_firewall_closes_it() -> None:
    assert told(led(rule(100, "Deny", "10.0.1.0/26"))) == []


def test_a_denial_for_the_internet_does_not_for_the_firewall_is_seen() -> None:
    assert len(told(led(rule(100, "Deny", "Internet")))) == 1


def test_a_few_clients_are_less_severe() -> None:
    (found,) = told(led(sources=("203.0.113.7",)))
    assert found.severity == Severity.HIGH


def test_private_clients_alone_are_not_the_internet() -> None:
    assert told(led(sources=("192.168.0.0/16",))) == []


def test_a_rule_to_a_stranger_may_open_something() -> None:
    (found,) = told(led(to="10.9.9.9"))
    assert (found.confidence, found.affected) == ("low", ())


def test_a_machine_without_any_list_is_told_once() -> None:
    raw = hub_and_spokes()
    door = nat_rule_of("20.50.0.10", "3389", "10.2.1.4", "3389")
    rule_group(raw, "pol", "zero", 50, collection("in", 50, "DNAT", door))
    assert [found.resource.name for found in told(Said(raw))] == ["fw"]


def test_what_a_public_address_opens_as_well_is_told_of_the_nsg_too() -> None:
    raw = Raw()
    raw.nsg("nsg-b", rule(100, "Allow", "*", ports="3389"))
    raw = hub_and_spokes(guard=raw, routed_back=False)
    raw.public("pip-c", "20.50.0.77")
    raw.nic("c", "sb", ("10.2.1.9", "pip-c"))
    door = nat_rule_of("20.50.0.10", "3389", "10.2.1.9", "3389")
    rule_group(raw, "pol", "zero", 50, collection("in", 50, "DNAT", door))
    assert {found.resource.name for found in told(Said(raw))} == {"fw", "nsg-b"}


def test_explain_counts_the_rule_of_the_firewall_among_those_that_would_have_to_go() -> None:
    said = led()
    found = explain(said.reach, ANYBODY, said.end("b"), RDP)
    assert found.verdict == "allowed"
    assert [(each.label, each.rule) for each in found.would_block] == [("fw (rg)", "in/dnat")]
    assert len(found.cuts) == 2
