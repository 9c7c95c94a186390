"""A public address counts where the internet can address it, whatever rules say of it."""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.public_address import CHECK
from cloudseg.findings import Finding
from cloudseg.model import Entrance, InternetBlock, Subnet, Workload
from cloudseg.traffic import ALL_TRAFFIC, AddressSet

Findings = Callable[..., list[Finding]]


def public_subnet(block: InternetBlock) -> Subnet:
    b = EstateBuilder()
    subnet = b.build().subnets[b.id("subnet-public")]
    return msgspec.structs.replace(subnet, internet_block=block)


@pytest.mark.semantics(33)
@pytest.mark.parametrize(("subnet", "found"), [("subnet-public", 1), ("subnet-private", 0)])
def test_a_public_address_counts_only_with_a_route_to_an_internet_gateway(
    findings: Findings, subnet: str, found: int
) -> None:
    b = EstateBuilder()
    b.interface("eni-1", subnet, address="10.0.1.5", public="203.0.113.10")
    assert len(findings(CHECK, b.build())) == found


@pytest.mark.semantics(129)
@pytest.mark.parametrize(("address", "found"), [("2001:db8::5", 1), ("fd00::5", 0), ("fe80::5", 0)])
def test_a_global_ipv6_address_is_public_without_any_public_ipv4(findings: Findings, address: str, found: int) -> None:
    b = EstateBuilder()
    b.route("rtb-public", "::/0", "internet-gateway", "igw-1")
    b.interface("eni-1", "subnet-public", address=f"10.0.1.5, {address}")
    assert len(findings(CHECK, b.build())) == found


def test_a_global_ipv6_address_without_an_ipv6_route_is_no_finding(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", address="10.0.1.5, 2001:db8::5")
    assert findings(CHECK, b.build()) == []


@pytest.mark.semantics(123)
@pytest.mark.parametrize(
    ("block", "confidences"),
    [("off", ["high"]), ("ingress", []), ("bidirectional", []), ("unknown", ["low"])],
)
def test_a_block_of_public_access_closes_the_address(
    findings: Findings, block: InternetBlock, confidences: list[str]
) -> None:
    b = EstateBuilder()
    b.put("subnets", public_subnet(block))
    b.interface("eni-1", "subnet-public", address="10.0.1.5", public="203.0.113.10")
    assert [finding.confidence for finding in findings(CHECK, b.build())] == confidences


@pytest.mark.parametrize(("facing", "found"), [(True, 0), (False, 1), (None, 1)])
def test_only_a_declared_internet_facing_owner_is_meant_to_be_public(
    findings: Findings, *, facing: bool | None, found: int
) -> None:
    b = EstateBuilder()
    b.put("workloads", Workload(id=b.id("lb"), kind="load-balancer", internet_facing=facing))
    b.interface("eni-1", "subnet-public", address="10.0.1.5", public="203.0.113.10", workload=b.id("lb"))
    assert len(findings(CHECK, b.build())) == found


def test_an_accelerator_in_front_is_no_public_address_of_the_interface(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", address="10.0.2.5")
    b.interface("eni-2", "subnet-private", address="10.0.2.6", public="203.0.113.11")
    targets = frozenset({b.id("eni-1"), b.id("eni-2")})
    b.put("entrances", Entrance(id=b.id("ga"), kind="accelerator", targets=targets, traffic=ALL_TRAFFIC))
    assert findings(CHECK, b.build()) == []


def test_a_public_address_that_no_answer_lists_is_said_in_words(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", address="10.0.1.5", public_unlisted=True)
    (finding,) = findings(CHECK, b.build())
    assert "a public IPv4 address that no answer lists" in finding.message


def test_without_the_routes_the_address_is_told_with_low_confidence(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-unread", address="10.0.9.5", public="203.0.113.10")
    (finding,) = findings(CHECK, b.build())
    assert (finding.confidence, finding.affected) == ("low", ("eni-1",))
    assert "unknown: the routes of its subnet were not read" in finding.evidence


def test_several_public_addresses_are_one_finding(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", address="10.0.1.5", public="203.0.113.10, 203.0.113.12")
    (finding,) = findings(CHECK, b.build())
    assert AddressSet.parse(finding.message.partition(": ")[2]) == AddressSet.parse("203.0.113.10, 203.0.113.12")
