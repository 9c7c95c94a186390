"""A default network counts more when something is in it."""

from collections.abc import Callable

from cloudseg.checks.default_network import CHECK
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.findings import Finding

Findings = Callable[..., list[Finding]]


def test_an_unread_network_may_be_in_use(findings: Findings) -> None:
    b = EstateBuilder(unread=["interfaces"], is_default_network=True)
    (finding,) = findings(CHECK, b.build())
    assert (finding.severity, finding.confidence) == ("medium", "low")


def test_the_interfaces_in_it_are_named(findings: Findings) -> None:
    b = EstateBuilder(is_default_network=True)
    b.interface("eni-1")
    b.interface("eni-2", address="10.0.2.11")
    (finding,) = findings(CHECK, b.build())
    assert (finding.severity, finding.affected) == ("medium", ("eni-1", "eni-2"))
    assert "2 interfaces" in finding.message
