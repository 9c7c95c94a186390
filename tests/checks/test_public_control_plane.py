"""The severity of a public control plane follows the union of the addresses that it admits."""

from collections.abc import Callable

import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.public_control_plane import CHECK
from cloudseg.findings import Finding
from cloudseg.traffic import AddressSet

Findings = Callable[..., list[Finding]]


@pytest.mark.semantics(201, 215)
@pytest.mark.parametrize(
    ("sources", "severity", "words"),
    [
        ("all", "high", "the whole internet"),
        ("0.0.0.0/0", "high", "the whole IPv4 internet"),
        ("0.0.0.0/1, 128.0.0.0/1", "high", "the whole IPv4 internet"),
        ("::/1, 8000::/1", "high", "the whole IPv6 internet"),
        ("52.0.0.0/8", "high", "% of the IPv4 internet"),
        ("198.51.0.0/16", "high", "% of the IPv4 internet"),
        ("198.51.100.0/24", "medium", "198.51.100.0/24"),
        ("198.51.100.0/25, 10.0.0.0/8", "low", "198.51.100.0/25"),
        ("203.0.113.7", "low", "203.0.113.7"),
    ],
)
def test_the_union_of_the_sources_decides(findings: Findings, sources: str, severity: str, words: str) -> None:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, sources=AddressSet.parse(sources))
    (finding,) = findings(CHECK, b.build())
    assert finding.severity == severity
    assert words in finding.message


@pytest.mark.parametrize("sources", ["10.0.0.0/8", "none"])
def test_a_list_without_public_addresses_admits_nobody_from_outside(findings: Findings, sources: str) -> None:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, sources=AddressSet.parse(sources))
    assert findings(CHECK, b.build()) == []


def test_a_control_plane_that_answers_anyone_is_critical_even_for_few_addresses(findings: Findings) -> None:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, anonymous=True, sources=AddressSet.parse("203.0.113.7"))
    assert [finding.severity for finding in findings(CHECK, b.build())] == ["critical"]


def test_an_unread_setting_is_no_all_clear(findings: Findings) -> None:
    b = EstateBuilder()
    b.service("shop", "eks", public=None, control_plane=True)
    (finding,) = findings(CHECK, b.build())
    assert (finding.severity, finding.confidence) == ("medium", "low")
