"""What the exposure of a port rests on when something was not read."""

import pytest

from cloudseg.checks import internet_exposed_port, latent_internet_rule
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding
from cloudseg.model import Estate

BOTH = (internet_exposed_port.CHECK, latent_internet_rule.CHECK)


def found(estate: Estate) -> tuple[Finding, ...]:
    return run_audit(estate, AuditRequest(checks=BOTH)).findings


def test_a_public_interface_with_a_group_that_was_not_read_is_not_passed_over() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", ["sg-unknown"], "10.0.1.5", "203.0.113.10")
    (finding,) = found(b.build())
    assert (finding.check, finding.resource.id, finding.confidence) == ("internet-exposed-port", "eni-1", "low")
    assert "sg-unknown" in finding.message
    assert finding.reachable is None


def test_a_private_interface_with_a_group_that_was_not_read_is_no_finding() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", ["sg-unknown"])
    assert found(b.build()) == ()


def test_where_not_every_interface_was_read_the_severity_stays() -> None:
    b = EstateBuilder(unread=["interfaces"])
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-db"])
    (finding,) = found(b.build())
    assert (finding.check, finding.severity, finding.confidence) == ("internet-exposed-port", "critical", "low")


@pytest.mark.semantics(33, 126)
@pytest.mark.parametrize("facet", ["entrances", "load-balancers"])
def test_where_entrances_were_not_read_nothing_is_sure_to_be_unreachable(facet: str) -> None:
    b = EstateBuilder(unread=[facet])
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-db"])
    (finding,) = found(b.build())
    assert (finding.check, finding.confidence, finding.reachable) == ("latent-internet-rule", "low", None)


@pytest.mark.semantics(201)
def test_halves_say_that_they_are_the_whole_internet_together() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("ingress", "tcp/22", "0.0.0.0/1"), allow("ingress", "tcp/20-30", "128.0.0.0/1"))
    b.interface("eni-1", "subnet-public", ["sg-a"], "10.0.1.5", "203.0.113.10")
    by_traffic = {f.rule.traffic: f.message for f in found(b.build()) if f.rule}
    assert "the whole IPv4 internet" in by_traffic["tcp/22"]
    assert "the whole" not in by_traffic["tcp/20-30"]
