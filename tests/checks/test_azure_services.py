"""Checks of managed services, endpoints and control planes over small Azure estates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cloudseg.checks import (
    any_tenant_source,
    missing_private_endpoint,
    open_endpoint_policy,
    public_endpoint,
    unapproved_private_endpoint,
)
from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding
from cloudseg.model import EndpointConnection
from cloudseg.traffic import AddressSet

Findings = Callable[..., list[Finding]]

NOBODY = AddressSet.parse("none")
EVERYONE = AddressSet.parse("0.0.0.1-255.255.255.255")
OFFICE = AddressSet.parse("203.0.113.8/29")
THEIRS = "/subscriptions/00000000-0000-0000-0000-0000000000bb/resourcegroups/x/providers/p/privateendpoints/y"


@pytest.mark.semantics(134, 226)
@pytest.mark.parametrize(
    ("fields", "any_tenant", "public"),
    [
        ({"sources": NOBODY, "any_tenant": True}, ["medium/high"], []),
        ({"sources": OFFICE, "any_tenant": True}, ["medium/high"], ["medium"]),
        # The whole internet is the worse of the two, and is told alone.
        ({"sources": EVERYONE, "any_tenant": True}, [], ["high"]),
        ({"sources": OFFICE}, [], ["medium"]),
        ({"public": False, "sources": NOBODY}, [], []),
        ({"public": None, "sources": NOBODY, "any_tenant": True}, ["medium/low"], []),
    ],
)
def test_a_database_that_admits_azure_services_is_told_as_such(
    findings: Findings, fields: dict[str, object], any_tenant: list[str], public: list[str]
) -> None:
    b = AzureBuilder()
    b.service("sql", "orders", anonymous=False, **fields)  # type: ignore[arg-type]
    found = findings(any_tenant_source.CHECK, b.build())
    assert [f"{finding.severity}/{finding.confidence}" for finding in found] == any_tenant
    assert [finding.severity for finding in findings(public_endpoint.CHECK, b.build())] == public


def test_controls_of_the_azure_benchmark_are_named_for_azure_alone(findings: Findings) -> None:
    b = AzureBuilder()
    b.service("storage", "exports", anonymous=False)
    (found,) = findings(public_endpoint.CHECK, b.build())
    assert "cis-azure-3.0:4.6" in found.compliance
    assert not any(control.startswith("cis-aws") for control in found.compliance)


@pytest.mark.semantics(227)
@pytest.mark.parametrize(
    ("fields", "state", "expected"),
    [
        ({}, "Approved", []),
        ({}, "Pending", ["low"]),
        ({}, "Rejected", ["low"]),
        ({"connections": (EndpointConnection(THEIRS, "bb", "accepted"),)}, "", []),
        ({"connections": (EndpointConnection(THEIRS, "bb", "pending"),)}, "", ["high"]),
        ({"connections": ()}, "", ["high"]),
        ({}, "", ["low"]),
        ({"public": False, "connections": ()}, "", []),
        ({"network": "azure:x:/subscriptions/x", "connections": ()}, "", []),
    ],
)
def test_only_an_approved_private_endpoint_serves(
    findings: Findings, fields: dict[str, object], state: str, expected: list[str]
) -> None:
    b = AzureBuilder()
    b.service("storage", "exports", **fields)  # type: ignore[arg-type]
    if state:
        b.endpoint("pe-1", arm("storage", "exports"), usable=state == "Approved", state=state)
    found = findings(missing_private_endpoint.CHECK, b.build())
    assert [finding.confidence for finding in found] == expected


def test_families_that_nobody_asked_about_want_no_endpoint(findings: Findings) -> None:
    b = AzureBuilder()
    b.service("keyvault", "keys", connections=())
    assert findings(missing_private_endpoint.CHECK, b.build(), families=("storage",)) == []


def test_where_endpoints_were_not_read_a_service_that_shows_none_is_not_judged(findings: Findings) -> None:
    b = AzureBuilder(unread=("endpoints",))
    b.service("keyvault", "keys")
    b.service("storage", "exports", connections=())
    found = findings(missing_private_endpoint.CHECK, b.build())
    assert [finding.resource.id for finding in found] == [arm("storage", "exports")]


@pytest.mark.semantics(227)
def test_a_connection_whose_both_ends_were_read_is_told_once(findings: Findings) -> None:
    b = AzureBuilder()
    b.endpoint("pe-1", arm("storage", "exports"), usable=False, state="Pending")
    (endpoint,) = b.build().endpoints.values()
    asked = EndpointConnection(endpoint.own_id, endpoint.scope, "pending")
    b.service("storage", "exports", connections=(asked,))
    found = findings(unapproved_private_endpoint.CHECK, b.build())
    assert [finding.resource.id for finding in found] == [arm("storage", "exports")]


def test_a_check_without_its_concept_on_azure_says_why() -> None:
    b = AzureBuilder()
    b.endpoint("pe-1", arm("storage", "exports"))
    result = run_audit(b.build(), AuditRequest(checks=(open_endpoint_policy.CHECK,), exposure=False))
    (status,) = result.checks
    assert status.status == "not evaluated"
    assert "no policies" in status.reason
