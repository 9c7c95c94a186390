"""Rules that services of the platform cannot do without are no exposure, and no advice closes them.

Source: https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#network-security-groups
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.interface import AuditContext
from cloudseg.cli.sources import translate
from cloudseg.findings import Severity
from cloudseg.reach.internet import InternetView
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_gateways import GATEWAY_MANAGER, gateway_estate
from tests.azure.raw_parts import rule

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

HTTPS = rule(100, "Allow", "Internet", "*", "443", protocol="Tcp", name="https")


def told(raw: Raw, rule_id: str) -> list[tuple[str, Severity]]:
    """The checks of exposure that tell of a rule, with their severity."""
    estate = translate(snapshot_of(raw.answers))
    found: list[tuple[str, Severity]] = []
    for check in CHECKS:
        if check.id in {"internet-exposed-port", "latent-internet-rule", "overbroad-ports", "any-tenant-source"}:
            settings = {parameter.name: parameter.default for parameter in check.parameters}
            context = AuditContext(estate=estate, check=check, settings=settings, internet=InternetView(estate))
            each = check.run(context)
            found += [(f.check, f.severity) for f in each if f.rule is not None and f.rule.id == rule_id]
    return found


@pytest.mark.semantics(133)
@pytest.mark.parametrize("read", [True, False])
def test_the_rule_for_the_management_of_gateways_is_told_as_information_at_most(*, read: bool) -> None:
    """Whether the addresses of the tag were read or not."""
    raw = gateway_estate(HTTPS, GATEWAY_MANAGER)
    if read:
        raw.tags(GatewayManager=["20.1.0.0/16"])
    assert all(severity is Severity.INFO for _, severity in told(raw, "inbound/management"))


@pytest.mark.semantics(133)
@pytest.mark.parametrize("delegated", ["Microsoft.Sql/managedInstances", "Microsoft.Network/dnsResolvers"])
def test_so_is_that_for_the_management_of_a_service_in_a_subnet_delegated_to_it(delegated: str) -> None:
    raw = Raw()
    raw.tags(SqlManagement=["20.2.0.0/16"])
    management: Json = rule(100, "Allow", "SqlManagement", "*", ["9000", "9003"], protocol="Tcp", name="management")
    raw.nsg("nsg", management)
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nsg="nsg", delegation=delegated)
    rules = next(each for each in translate(snapshot_of(raw.answers)).rule_sets.values() if each.name == "nsg").rules
    assert any(each.required for each in rules) == delegated.endswith("managedInstances")


@pytest.mark.semantics(133)
def test_the_same_ports_for_anybody_are_told() -> None:
    raw = gateway_estate(HTTPS, rule(200, "Allow", "Internet", "*", "65200-65535", protocol="Tcp", name="management"))
    assert any(check == "internet-exposed-port" for check, _ in told(raw, "inbound/management"))


@pytest.mark.semantics(133)
def test_the_port_for_browsers_of_a_bastion_host_is_information() -> None:
    raw = Raw()
    raw.nsg("nsg-bastion", rule(120, "Allow", "Internet", "*", "443", protocol="Tcp", name="https"))
    raw.public("pip", "20.50.0.20")
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "AzureBastionSubnet", "10.1.8.0/26", nsg="nsg-bastion")
    own: Json = {"subnet": raw.ref("AzureBastionSubnet"), "publicIPAddress": raw.ref("pip")}
    properties: Json = {"ipConfigurations": [{"name": "one", "properties": own}]}
    raw.add("bast", "bastionHosts", "bastion_hosts", properties, sku="Basic")
    assert ("internet-exposed-port", Severity.INFO) in told(raw, "inbound/https")
