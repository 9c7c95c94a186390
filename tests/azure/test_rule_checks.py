"""Checks of rules on Azure: NSGs at several places, orders of rules, near ends, service tags, default rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.cli.sources import translate
from cloudseg.engine import AuditRequest, run_audit, select_checks
from cloudseg.findings import Severity
from cloudseg.model import own_id, unplaced
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_parts import rule

if TYPE_CHECKING:
    from cloudseg.findings import Finding
    from tests.azure.oracle_records import Json

PER_RULE = (
    "address-based-rule",
    "any-tenant-source",
    "internet-exposed-port",
    "ipv6-wider-than-ipv4",
    "latent-internet-rule",
    "overbroad-ports",
    "self-referencing-all-traffic",
    "shadowed-rule",
    "undescribed-rule",
)


def found(raw: Raw, *checks: str) -> list[Finding]:
    request = AuditRequest(checks=select_checks(checks), exposure=False)
    return list(run_audit(translate(snapshot_of(raw.answers)), request).findings)


def shop(*rules: Json, public: str = "20.50.0.20", own: str = "") -> Raw:
    """A network with the subnets web and data, the NSG nsg-web at web, and two machines in it, one of them public."""
    raw = Raw()
    raw.vnet("vnet-shop", "10.1.0.0/16")
    for asg in ("asg-web", "asg-data"):
        raw.asg(asg)
    raw.nsg("nsg-web", *rules)
    raw.subnet("vnet-shop", "web", "10.1.1.0/24", nsg="nsg-web")
    raw.subnet("vnet-shop", "data", "10.1.2.0/24")
    if public:
        raw.public("pip-1", public)
    raw.nic("nic-1", "web", ("10.1.1.4", "pip-1") if public else "10.1.1.4", asgs=["asg-web"], nsg=own)
    raw.nic("nic-2", "web", "10.1.1.5", asgs=["asg-data"])
    return raw


def second_network(raw: Raw) -> None:
    """Put nsg-web at a subnet of another network, too, where nobody has a public address."""
    raw.vnet("vnet-far", "10.9.0.0/16")
    raw.subnet("vnet-far", "far", "10.9.1.0/24", nsg="nsg-web")
    raw.nic("nic-far", "far", "10.9.1.4")


def messages(findings: list[Finding]) -> str:
    return "\n".join(finding.message for finding in findings)


def test_the_own_id_of_a_list_is_the_same_at_all_its_places() -> None:
    whole = "azure:s:/subscriptions/s/resourcegroups/rg/providers/microsoft.network/networksecuritygroups/web"
    assert own_id(f"{whole}@subnets-rg/vnet/web") == own_id(whole)
    assert unplaced(f"{whole}@interfaces-rg/vnet/web") == whole
    assert own_id("kubernetes:c:shop/web[Deployment]@subnet-1") == "shop/web[Deployment]@subnet-1"


def test_an_nsg_at_several_places_is_one_resource() -> None:
    raw = shop(rule(100, "Allow", "10.0.0.0/8", ports="22", protocol="Tcp"))
    alone = found(raw, "undescribed-rule")
    second_network(raw)
    everywhere = found(raw, "undescribed-rule")
    assert [each.resource.id for each in everywhere] == [raw.own("nsg-web")]
    assert [each.id for each in everywhere] == [each.id for each in alone]


def test_rules_for_what_a_place_calls_its_network_are_one_rule() -> None:
    raw = shop(rule(100, "Allow", "VirtualNetwork", ports="*"))
    alone = found(raw, "overbroad-ports")
    second_network(raw)
    everywhere = found(raw, "overbroad-ports")
    assert [each.id for each in everywhere] == [each.id for each in alone]
    assert len(alone) == 1
    assert everywhere[0].rule is not None
    assert everywhere[0].rule.peer == "VirtualNetwork"
    assert set(everywhere[0].affected) == {raw.own(name) for name in ("nic-1", "nic-2", "nic-far")}


def test_a_rule_that_is_open_at_one_place_is_not_latent_at_another() -> None:
    raw = shop(rule(100, "Allow", "Internet", ports="22", protocol="Tcp"))
    second_network(raw)
    findings = found(raw, "internet-exposed-port", "latent-internet-rule")
    assert [(each.check, each.severity) for each in findings] == [("internet-exposed-port", Severity.HIGH)]
    assert findings[0].also == ()
    assert findings[0].affected == (raw.own("nic-1"),)


def test_nobody_is_told_of_default_rules_that_stand_alone() -> None:
    raw = shop()
    raw.nsg("nsg-data")
    assert found(raw, *PER_RULE) == []


@pytest.mark.semantics(220)
@pytest.mark.parametrize("ports", ["*", "22", "20-25", ["443", "22"], ["0-65535"]])
@pytest.mark.parametrize("source", ["0.0.0.0/0", ["10.0.0.0/8", "0.0.0.0/0"]])
def test_lists_and_ranges_count_as_single_fields_do(ports: str | list[str], source: str | list[str]) -> None:
    (finding,) = found(shop(rule(100, "Allow", source, ports=ports, protocol="Tcp")), "internet-exposed-port")
    assert "exposes SSH, telnet, FTP, NFS and LDAP" in finding.evidence


@pytest.mark.semantics(222)
@pytest.mark.parametrize("source", ["*", "Internet", "0.0.0.0/0", ["0.0.0.0/1", "128.0.0.0/1"], "Any"])
def test_every_way_to_write_everyone_is_everyone(source: str | list[str]) -> None:
    (finding,) = found(shop(rule(100, "Allow", source, ports="3389", protocol="Tcp")), "internet-exposed-port")
    assert finding.severity == Severity.CRITICAL
    assert "the whole IPv4 internet" in finding.message


@pytest.mark.semantics(223)
@pytest.mark.parametrize("protocol", ["Tcp", "TCP", "tcp", "*", "Any"])
def test_the_case_of_a_protocol_does_not_matter(protocol: str) -> None:
    (finding,) = found(shop(rule(100, "Allow", ports="3389", protocol=protocol)), "internet-exposed-port")
    assert finding.severity == Severity.CRITICAL


@pytest.mark.semantics(225)
def test_quic_beside_https_is_as_bad_as_https_alone() -> None:
    one = found(shop(rule(100, "Allow", ports="443", protocol="Tcp")), *PER_RULE)
    both = found(shop(rule(100, "Allow", ports="443", protocol="*")), *PER_RULE)
    assert [(each.check, each.severity) for each in both] == [(each.check, each.severity) for each in one]


@pytest.mark.semantics(221)
def test_a_denial_above_closes_a_rule_on_the_overlap() -> None:
    raw = shop(
        rule(100, "Deny", "0.0.0.0/1", ports="22", protocol="Tcp"),
        rule(200, "Allow", "0.0.0.0/0", ports="22", protocol="Tcp"),
    )
    (finding,) = found(raw, "internet-exposed-port")
    assert "the whole IPv4 internet" not in finding.message
    assert "witness: 128.0.0.1 → 10.1.1.4 tcp/22" in finding.evidence


@pytest.mark.semantics(221)
def test_a_denial_above_closes_a_rule_and_one_below_does_not() -> None:
    denied = ("Deny", "Internet", "*", "22")
    above = shop(rule(100, *denied), rule(200, "Allow", ports="22", protocol="Tcp"))
    below = shop(rule(200, "Allow", ports="22", protocol="Tcp"), rule(300, *denied))
    assert found(above, "internet-exposed-port") == []
    assert [each.severity for each in found(below, "internet-exposed-port")] == [Severity.HIGH]


def test_what_a_wider_denial_takes_is_shadowed_and_no_opening() -> None:
    raw = shop(rule(100, "Deny", "10.0.0.0/8"), rule(200, "Allow", "10.1.0.0/16", ports="1-65535", protocol="Tcp"))
    findings = found(raw, "address-based-rule", "overbroad-ports", "shadowed-rule")
    assert [each.check for each in findings] == ["shadowed-rule"]
    assert findings[0].severity == Severity.MEDIUM


def test_a_denial_for_another_machine_takes_nothing() -> None:
    raw = shop(
        rule(100, "Deny", "*", "10.1.1.5", ports="22", protocol="Tcp"),
        rule(200, "Allow", "*", ports="22", protocol="Tcp"),
    )
    assert found(raw, "shadowed-rule") == []
    (finding,) = found(raw, "internet-exposed-port")
    assert finding.affected == (raw.own("nic-1"),)


def test_a_rule_for_a_machine_without_a_public_address_exposes_nobody() -> None:
    raw = shop(rule(100, "Allow", "Internet", "10.1.1.5", ports="22", protocol="Tcp"))
    (finding,) = found(raw, "internet-exposed-port", "latent-internet-rule")
    assert finding.check == "latent-internet-rule"
    assert finding.affected == (raw.own("nic-2"),)


def test_a_rule_for_a_group_exposes_its_members_alone() -> None:
    for asg, checks in (("asg-web", ["internet-exposed-port"]), ("asg-data", ["latent-internet-rule"])):
        raw = shop(rule(100, "Allow", "Internet", asg, ports="22", protocol="Tcp"))
        assert [each.check for each in found(raw, "internet-exposed-port", "latent-internet-rule")] == checks


def test_the_probes_of_the_load_balancer_are_not_the_internet() -> None:
    raw = shop(rule(100, "Allow", "AzureLoadBalancer", ports="8080", protocol="Tcp"))
    assert found(raw, "internet-exposed-port", "latent-internet-rule") == []


def test_the_virtual_network_is_no_address_but_too_wide_for_all_ports() -> None:
    raw = shop(rule(100, "Allow", "VirtualNetwork"), rule(110, "Allow", "VirtualNetwork", ports="443", protocol="Tcp"))
    findings = found(raw, "address-based-rule", "overbroad-ports", "internet-exposed-port", "latent-internet-rule")
    assert [(each.check, each.rule.id if each.rule else "") for each in findings] == [
        ("overbroad-ports", "inbound/Inbound-100")
    ]


@pytest.mark.semantics(56)
def test_where_a_default_route_may_widen_the_virtual_network_the_default_rule_may_admit_the_internet() -> None:
    raw = Raw()
    raw.vnet("vnet-shop", "10.1.0.0/16")
    raw.nsg("nsg-web")
    raw.table("rt", ("0.0.0.0/0", "Internet"))
    raw.subnet("vnet-shop", "web", "10.1.1.0/24", nsg="nsg-web", table="rt")
    raw.public("pip-1", "20.50.0.20")
    raw.nic("nic-1", "web", ("10.1.1.4", "pip-1"))
    (finding,) = found(raw, "internet-exposed-port")
    assert finding.confidence == "low"
    assert finding.remedy is not None
    assert "nobody can change this one" in finding.remedy.summary


@pytest.mark.semantics(224)
def test_both_nsgs_on_the_way_decide() -> None:
    raw = Raw()
    raw.nsg("nsg-own", rule(100, "Allow", "10.0.0.0/8", ports="22", protocol="Tcp"))
    both = shop(rule(100, "Allow", "Internet", ports="22", protocol="Tcp"), public="")
    both.nsg("nsg-own", rule(100, "Allow", "10.0.0.0/8", ports="22", protocol="Tcp"))
    both.public("pip-9", "20.50.0.29")
    both.nic("nic-9", "web", ("10.1.1.9", "pip-9"), nsg="nsg-own")
    findings = found(both, "internet-exposed-port", "latent-internet-rule")
    assert [each.check for each in findings] == ["latent-internet-rule"]
    assert "nsg-own" in messages(findings)


def test_the_group_that_is_named_instead_of_a_range_bears_the_same_machines() -> None:
    raw = shop(rule(100, "Allow", "10.1.1.4/32", ports="22", protocol="Tcp"))
    (finding,) = found(raw, "address-based-rule")
    assert finding.remedy is not None
    assert finding.remedy.groups == (raw.own("asg-web"),)


def test_a_range_of_a_peered_network_has_no_group_here() -> None:
    raw = shop(rule(100, "Allow", "10.9.1.0/24", ports="22", protocol="Tcp"))
    second_network(raw)
    raw.peering("vnet-shop", "vnet-far")
    raw.peering("vnet-far", "vnet-shop")
    findings = found(raw, "address-based-rule")
    assert [each.remedy.groups for each in findings if each.remedy is not None] in ([], [()])


def test_the_addresses_of_a_tag_are_answered_with_the_tag() -> None:
    raw = shop(rule(100, "Allow", "*", ["52.236.184.0/25", "52.236.184.128/25"], direction="Outbound", ports="1433"))
    raw.tags(Sql_WestEurope=["52.236.184.0/24"])
    (finding,) = found(raw, "address-based-rule")
    assert finding.remedy is not None
    assert "Sql.WestEurope" in finding.remedy.summary


@pytest.mark.semantics(229)
def test_the_advice_to_deny_keeps_what_is_needed() -> None:
    raw = shop()
    (finding,) = found(raw, "missing-default-deny")
    assert finding.remedy is not None
    assert "probes" in finding.remedy.summary
    (leaving,) = found(raw, "unrestricted-egress")
    assert leaving.remedy is not None
    assert "not everything" in leaving.remedy.summary
    assert "resolvers" in leaving.remedy.summary


def test_an_nsg_that_denies_inside_at_either_place_protects() -> None:
    raw = shop()
    raw.nsg("nsg-own", rule(4096, "Deny"))
    raw.nic("nic-3", "web", "10.1.1.6", nsg="nsg-own")
    (finding,) = found(raw, "missing-default-deny")
    assert finding.resource.id == raw.own("nsg-web")
    assert raw.own("nic-3") not in finding.affected


def test_a_subnet_without_an_nsg_is_told_with_what_stands_in_it() -> None:
    raw = shop()
    raw.nic("nic-bare", "data", "10.1.2.4", asgs=["asg-data"])
    (finding,) = found(raw, "unfiltered-interface")
    assert finding.resource.id == f"{raw.own('vnet-shop')}/subnets/data"
    assert finding.severity == Severity.MEDIUM
    assert finding.affected == (raw.own("nic-bare"),)


def test_a_subnet_of_a_gateway_takes_no_nsg() -> None:
    raw = Raw()
    raw.vnet("vnet-hub", "10.0.0.0/16")
    raw.subnet("vnet-hub", "GatewaySubnet", "10.0.0.0/27")
    raw.subnet("vnet-hub", "AzureFirewallSubnet", "10.0.1.0/26")
    assert found(raw, "unfiltered-interface") == []
