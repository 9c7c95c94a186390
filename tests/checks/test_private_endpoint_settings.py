"""Approval and policies of private endpoints, and who may connect to services of one's own."""

from collections.abc import Callable

import pytest

from cloudseg.checks import open_endpoint_policy, open_endpoint_service, unapproved_private_endpoint
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.findings import Finding
from cloudseg.model import EndpointConnection

Findings = Callable[..., list[Finding]]


@pytest.mark.semantics(227)
@pytest.mark.parametrize(
    ("state", "severities"),
    [
        ("pendingAcceptance", ["low"]),
        ("PendingAcceptance", ["low"]),
        ("Pending", ["low"]),
        ("rejected", ["info"]),
        ("expired", ["info"]),
        ("available", []),
        ("failed", []),
        ("deleting", []),
    ],
)
def test_the_state_says_whether_an_endpoint_is_approved(findings: Findings, state: str, severities: list[str]) -> None:
    b = EstateBuilder()
    b.endpoint("vpce-1", "x", type="interface", usable=state == "available", state=state)
    assert [finding.severity for finding in findings(unapproved_private_endpoint.CHECK, b.build())] == severities


def test_a_connection_between_two_known_ends_is_told_once_at_the_service(findings: Findings) -> None:
    b = EstateBuilder()
    b.endpoint("vpce-1", "x", type="interface", usable=False, state="pendingAcceptance")
    b.endpoint("vpce-2", "x", type="interface", usable=False, state="pendingAcceptance")
    b.endpoint_service("vpce-svc-1", connections=(EndpointConnection("vpce-1", "111122223333", "pending"),))
    found = findings(unapproved_private_endpoint.CHECK, b.build())
    assert [finding.resource.id for finding in found] == ["vpce-svc-1", "vpce-2"]


def test_all_waiting_consumers_of_a_service_are_one_finding(findings: Findings) -> None:
    b = EstateBuilder()
    connections = tuple(EndpointConnection(f"vpce-{n}", f"44445555666{n}", "pending") for n in range(7))
    b.endpoint_service("vpce-svc-1", connections=(*connections, EndpointConnection("vpce-9", "1", "accepted")))
    (finding,) = findings(unapproved_private_endpoint.CHECK, b.build())
    assert finding.message.startswith("7 endpoints wait")
    assert finding.evidence[0].endswith("and 2 more")


@pytest.mark.semantics(41, 212)
@pytest.mark.parametrize(
    ("kind", "policy", "expected"),
    [
        ("gateway", "open", [("medium", "high")]),
        ("interface", "open", [("low", "high")]),
        ("gateway", "unknown", [("medium", "low")]),
        ("interface", "unsupported", []),
        ("interface", "restricted", []),
        ("gateway-load-balancer", "unknown", []),
    ],
)
def test_an_open_policy_counts_and_an_unsupported_one_does_not(
    findings: Findings, kind: str, policy: str, expected: list[tuple[str, str]]
) -> None:
    b = EstateBuilder()
    b.endpoint("vpce-1", "s3", type=kind, policy=policy)
    found = findings(open_endpoint_policy.CHECK, b.build())
    assert [(finding.severity, finding.confidence) for finding in found] == expected


@pytest.mark.parametrize(
    ("acceptance", "principals", "expected"),
    [
        (False, ("*",), [("high", "high")]),
        (True, ("*",), [("low", "high")]),
        (None, ("*",), [("high", "low")]),
        (False, None, [("high", "low")]),
        (True, None, [("low", "low")]),
        (None, None, [("high", "low")]),
        (False, ("arn:aws:iam::444455556666:root",), []),
        (True, (), []),
        (False, ("arn:aws:iam::444455556666:root", "*"), [("high", "high")]),
    ],
)
def test_approval_and_principals_decide_who_connects(
    findings: Findings,
    *,
    acceptance: bool | None,
    principals: tuple[str, ...] | None,
    expected: list[tuple[str, str]],
) -> None:
    b = EstateBuilder()
    b.endpoint_service("vpce-svc-1", acceptance_required=acceptance, principals=principals)
    found = findings(open_endpoint_service.CHECK, b.build())
    assert [(finding.severity, finding.confidence) for finding in found] == expected
