"""What the internet reaches where rules name one address, where none judges, and where others see another address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.cli.sources import translate
from cloudseg.engine import AuditRequest, run_audit, select_checks
from tests.azure.agreeing import snapshot_of
from tests.azure.asked import asked
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_more import balance, balancer
from tests.azure.raw_parts import admin_rule, rule
from tests.azure.shapes import public_server

if TYPE_CHECKING:
    from cloudseg.findings import Finding
    from tests.azure.oracle_records import Json


def exposed(raw: Raw) -> list[Finding]:
    """The findings of what the internet reaches."""
    request = AuditRequest(checks=select_checks(["internet-exposed-port"], []))
    return list(run_audit(translate(snapshot_of(raw.answers)), request).findings)


def two_servers(*rules: Json) -> Raw:
    """``a`` (10.1.1.4) and ``b`` (10.1.1.200) in one subnet, each with a public address, under one group."""
    raw = Raw()
    raw.nsg("nsg", *rules)
    raw.public("pip-a", "20.50.0.4", sku="Standard", subscription=SUBSCRIPTION)
    raw.public("pip-b", "20.50.0.5", sku="Standard", subscription=SUBSCRIPTION)
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nsg="nsg")
    raw.nic("a", "s1", ("10.1.1.4", "pip-a"))
    raw.nic("b", "s1", ("10.1.1.200", "pip-b"))
    return raw


@pytest.mark.semantics(55)
def test_a_rule_for_one_address_opens_that_machine_alone() -> None:
    """The address stands at no other end of any rule: machines that differ in it alone are two all the same."""
    ask = asked(two_servers(rule(100, "Allow", "Internet", "10.1.1.200", ports="22")))
    assert ask("8.8.8.8", "b", "tcp/22") == "surely"
    assert ask("8.8.8.8", "a", "tcp/22") == "no"


@pytest.mark.semantics(55)
def test_a_rule_out_for_one_source_holds_for_that_machine_alone() -> None:
    closed = rule(200, "Deny", direction="Outbound")
    ask = asked(two_servers(rule(100, "Allow", "10.1.1.200", direction="Outbound"), closed))
    assert ask("b", "8.8.8.8") == "surely"
    assert ask("a", "8.8.8.8") == "no"


@pytest.mark.semantics(66)
def test_what_an_administrator_always_allows_is_told_whatever_groups_deny() -> None:
    raw = public_server(rule(100, "Deny"))
    raw.admin("v1", admin_rule(10, "AlwaysAllow", "Internet", ports="22", protocol="Tcp"))
    [finding] = exposed(raw)
    assert (finding.severity.value, finding.reachable) == ("high", True)


@pytest.mark.semantics(52)
@pytest.mark.parametrize(("sku", "severities"), [("Basic", ["critical"]), ("Standard", [])])
def test_a_basic_address_without_any_group_is_open(sku: str, severities: list[str]) -> None:
    findings = exposed(public_server(sku=sku, group=False))
    assert [finding.severity.value for finding in findings] == severities
    assert all(finding.reachable for finding in findings)


def floating(destination: str) -> Raw:
    """``a`` behind a load balancer that leaves the frontend's address in packets, under a rule for one destination."""
    raw = Raw()
    raw.nsg("nsg", rule(100, "Allow", "Internet", destination, ports="443"))
    raw.public("pip", "20.50.0.9", sku="Standard", subscription=SUBSCRIPTION)
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nsg="nsg")
    kind, properties = balance(443, 443)
    balancer(raw, "lb", (kind, {**properties, "enableFloatingIP": True}), public="pip", subscription=SUBSCRIPTION)
    raw.nic("a", "s1", "10.1.1.4", pools=["lb-pool"])
    return raw


@pytest.mark.parametrize("destination", ["20.50.0.9", "10.1.1.4"])
def test_behind_a_floating_frontend_rules_for_either_address_may_open(destination: str) -> None:
    """https://learn.microsoft.com/azure/load-balancer/load-balancer-floating-ip"""
    raw = floating(destination)
    assert asked(raw)("8.8.8.8", "a", "tcp/443") == "at most"
    [finding] = exposed(raw)
    assert finding.reachable is None


def test_a_public_address_that_is_not_allocated_yet_may_be_soon() -> None:
    raw = public_server(rule(100, "Allow", "Internet", ports="22"))
    for item in raw.listed(SUBSCRIPTION, "public_ip_addresses"):
        properties = item["properties"]
        assert isinstance(properties, dict)
        del properties["ipAddress"]
    [finding] = exposed(raw)
    assert (finding.reachable, finding.confidence) == (None, "low")


@pytest.mark.semantics(66)
def test_rules_of_one_number_that_differ_in_finality_alone_are_two() -> None:
    """Which of the two is asked first is not told: the port may be open past the group, and is not so for sure."""
    raw = public_server(rule(100, "Deny"))
    ends = {"source": "Internet", "ports": "22", "protocol": "Tcp"}
    raw.admin("v1", admin_rule(10, "Allow", **ends), admin_rule(10, "AlwaysAllow", **ends, collection="two"))
    assert asked(raw)("8.8.8.8", "a", "tcp/22") == "at most"
    assert [finding.reachable for finding in exposed(raw)] == [None]
