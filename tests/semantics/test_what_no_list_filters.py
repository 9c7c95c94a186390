"""What network ACLs and groups cannot stop counts for nothing, and what is not modelled is over-told, never missed."""

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Entrance
from cloudseg.traffic import Traffic

OPEN = (acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0"))


def found(b: EstateBuilder) -> set[tuple[str, str]]:
    return {(f.check, f.resource.id) for f in run_audit(b.build(), AuditRequest()).findings}


@pytest.mark.semantics(21, 22)
@pytest.mark.parametrize("address", ["10.0.0.2/32", "169.254.169.253/32", "169.254.169.254/32"])
def test_an_acl_that_denies_only_the_resolver_or_the_metadata_service_filters_nothing(address: str) -> None:
    b = EstateBuilder()
    b.interface("eni-1")
    denials = tuple(acl_entry(direction, 50, "all", address, deny=True) for direction in ("ingress", "egress"))
    b.acl("acl-1", ["subnet-public", "subnet-private"], (*denials, *OPEN))
    assert ("open-network-acl", "acl-1") in found(b)


@pytest.mark.semantics(21)
def test_a_group_without_egress_is_not_accused_of_cutting_names() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/443", "10.0.1.0/24"))
    b.interface("eni-1", groups=["sg-a"])
    assert "missing-dns-egress" not in {check for check, _ in found(b)}
    assert all("dns" not in check.id or "aws" not in check.concept for check in CHECKS)


@pytest.mark.semantics(43)
def test_a_target_in_a_zone_without_a_node_of_the_balancer_is_told_as_reachable() -> None:
    b = EstateBuilder()
    b.subnet("subnet-far", "10.0.7.0/24", zone="eu-west-1c")
    b.group("sg-app", allow("ingress", "tcp/443", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-far", ["sg-app"], "10.0.7.5")
    b.interface("eni-lb", "subnet-public", [], "10.0.1.9", "203.0.113.40", workload=b.id("nlb-1"))
    b.put(
        "entrances",
        Entrance(
            id=b.id("tg-1"), kind="target-group", region="eu-west-1", targets=frozenset({b.id("eni-1")}),
            through=frozenset({b.id("nlb-1")}), traffic=Traffic.parse("tcp/443"),
        ),
    )  # fmt: skip
    assert ("internet-exposed-port", "sg-app") in found(b)
