"""Which controls a finding bears follows from what it opens.

The controls are those of the CIS benchmarks of AWS (3.0, 5.0), Azure (3.0, 4.0, 5.0) and Google Cloud (3.0, 4.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import internet_exposed_port, latent_internet_rule, open_network_acl, public_endpoint
from cloudseg.checks.controls import Subject, controls_of
from cloudseg.checks.example_azure import AzureBuilder
from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from tests.checks.conftest import Findings


def cis(compliance: tuple[str, ...], benchmark: str) -> list[str]:
    return [each.partition(":")[2] for each in compliance if each.startswith(f"{benchmark}:")]


@pytest.mark.parametrize(
    ("traffic", "azure", "aws", "gcp"),
    [
        ("tcp/22", ["7.2"], ["5.2"], ["3.6"]),
        ("tcp/3389", ["7.1"], ["5.2"], ["3.7"]),
        ("tcp/20-3500", ["7.1", "7.2", "7.4"], ["5.2"], ["3.6", "3.7"]),
        ("udp/53", ["7.3"], [], []),
        ("tcp/443", ["7.4"], [], []),
        ("tcp/1433", [], [], []),
        ("all", ["7.1", "7.2", "7.3", "7.4"], ["5.2"], ["3.6", "3.7"]),
    ],
)
def test_a_control_is_about_the_ports_that_it_names(
    traffic: str, azure: list[str], aws: list[str], gcp: list[str]
) -> None:
    for check in (internet_exposed_port.CHECK, latent_internet_rule.CHECK):
        controls = [(benchmark, each) for benchmark, several in check.compliance.items() for each in several]
        found = controls_of(controls, Subject(Traffic.parse(traffic), frozenset((4,))))
        assert [cis(found, f"cis-{name}-3.0") for name in ("azure", "aws", "gcp")] == [azure, aws, gcp]
        assert "nist-800-53r5:SC-7(5)" in found


def nsg(port: str) -> NsgBuilder:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 100, port, "Internet"), subnet="data")
    b.machine("nic-db", "data", "10.1.2.10", "20.50.0.4")
    return b


@pytest.mark.parametrize(("port", "controls"), [("tcp/1433", []), ("tcp/3389", ["7.1"]), ("tcp/22", ["7.2"])])
def test_findings_on_an_nsg_bear_the_controls_of_their_port(findings: Findings, port: str, controls: list[str]) -> None:
    (found,) = findings(internet_exposed_port.CHECK, nsg(port).build())
    assert cis(found.compliance, "cis-azure-5.0") == controls


@pytest.mark.parametrize(("everyone", "controls"), [("0.0.0.0/0", ["5.3"]), ("::/0", ["5.4"])])
def test_each_family_of_addresses_has_a_control_of_its_own(
    findings: Findings, everyone: str, controls: list[str]
) -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/22", everyone))
    found = findings(latent_internet_rule.CHECK, b.build())
    assert [cis(each.compliance, "cis-aws-5.0") for each in found] == [controls]


def test_a_network_acl_that_lets_everything_out_alone_is_no_matter_of_what_comes_in(findings: Findings) -> None:
    b = EstateBuilder()
    b.acl("acl-a", ["subnet-private"], (acl_entry("egress", 100, "all", "0.0.0.0/0"),))
    found = findings(open_network_acl.CHECK, b.build())
    told = [each for each in found if "acl-a" in each.resource.id]
    assert [cis(each.compliance, "cis-aws-5.0") for each in told] == [[]]


@pytest.mark.parametrize(
    ("family", "controls"), [("storage", ["4.6", "4.7"]), ("sql", ["5.1.2"]), ("keyvault", []), ("redis", [])]
)
def test_findings_on_services_bear_the_controls_of_their_family(
    findings: Findings, family: str, controls: list[str]
) -> None:
    b = AzureBuilder()
    b.service(family, "orders", anonymous=False)
    (found,) = findings(public_endpoint.CHECK, b.build())
    assert cis(found.compliance, "cis-azure-3.0") == controls
