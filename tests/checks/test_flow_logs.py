"""Flow logs are put together over the network, its subnets and its interfaces before anything is called missing."""

from collections.abc import Callable

import pytest

from cloudseg.checks import missing_flow_logs, partial_flow_logs
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.findings import Finding

Findings = Callable[..., list[Finding]]
Log = tuple[str, str, bool | None]


def recorded(*logs: Log, unread: tuple[str, ...] = ()) -> EstateBuilder:
    b = EstateBuilder(unread=unread)
    b.interface("eni-1", "subnet-private")
    b.interface("eni-2", "subnet-public", address="10.0.1.5")
    for number, (target, traffic, delivers) in enumerate(logs):
        b.flow_log(f"fl-{number}", target, traffic, delivers=delivers)  # pyright: ignore[reportArgumentType]
    return b


@pytest.mark.semantics(213, 228)
@pytest.mark.parametrize(
    ("logs", "missing", "partial"),
    [
        ([], ["medium"], []),
        ([("vpc-2", "all", True)], ["medium"], []),
        ([("vpc-1", "all", True)], [], []),
        ([("vpc-1", "rejected", True)], [], ["low/high"]),
        ([("vpc-1", "accepted", True)], [], ["low/high"]),
        ([("vpc-1", "accepted", True), ("vpc-1", "rejected", True)], [], []),
        ([("vpc-1", "accepted", True), ("vpc-1", "rejected", False)], [], ["low/high"]),
        ([("vpc-1", "all", False)], [], ["medium/high"]),
        ([("vpc-1", "all", None)], [], ["low/low"]),
        ([("vpc-1", "all", False), ("vpc-1", "all", True)], [], []),
        ([("subnet-public", "all", True)], [], ["low/high"]),
        ([("subnet-public", "all", True), ("subnet-private", "all", True)], [], []),
        ([("subnet-public", "all", True), ("subnet-private", "rejected", True)], [], ["low/high"]),
        ([("subnet-public", "all", True), ("subnet-private", "all", None)], [], ["low/low"]),
        ([("eni-1", "all", True)], [], ["low/high"]),
        ([("eni-1", "all", True), ("eni-2", "all", True)], [], []),
        ([("eni-1", "all", True), ("subnet-public", "all", True)], [], []),
        ([("vpc-1", "rejected", True), ("eni-1", "accepted", True), ("eni-2", "accepted", True)], [], []),
    ],
)
def test_what_is_recorded_together(findings: Findings, logs: list[Log], missing: list[str], partial: list[str]) -> None:
    estate = recorded(*logs).build()
    assert [finding.severity for finding in findings(missing_flow_logs.CHECK, estate)] == missing
    found = findings(partial_flow_logs.CHECK, estate)
    assert [f"{finding.severity}/{finding.confidence}" for finding in found] == partial


@pytest.mark.parametrize("check", [missing_flow_logs.CHECK, partial_flow_logs.CHECK])
def test_networks_whose_flow_logs_were_not_read_are_not_judged(findings: Findings, check: object) -> None:
    estate = recorded(("vpc-1", "rejected", True), unread=("flow-logs",)).build()
    assert findings(check, estate) == []


def test_logs_on_all_known_interfaces_are_not_enough_where_others_were_not_read(findings: Findings) -> None:
    logs: list[Log] = [("eni-1", "all", True), ("eni-2", "all", True)]
    assert len(findings(partial_flow_logs.CHECK, recorded(*logs, unread=("interfaces",)).build())) == 1


def test_a_log_on_something_unread_may_be_the_networks_own(findings: Findings) -> None:
    read = recorded(("subnet-9", "all", True)).build()
    unread = recorded(("subnet-9", "all", True), unread=("subnets",)).build()
    assert [finding.confidence for finding in findings(missing_flow_logs.CHECK, read)] == ["high"]
    assert [finding.confidence for finding in findings(missing_flow_logs.CHECK, unread)] == ["low"]


def test_an_empty_network_counts_less_only_where_its_interfaces_were_read(findings: Findings) -> None:
    read = EstateBuilder().build()
    unread = EstateBuilder(unread=["interfaces"]).build()
    assert [finding.severity for finding in findings(missing_flow_logs.CHECK, read)] == ["low"]
    assert [finding.severity for finding in findings(missing_flow_logs.CHECK, unread)] == ["medium"]


def test_the_benchmark_control_is_named_for_missing_logs_only(findings: Findings) -> None:
    (missing,) = findings(missing_flow_logs.CHECK, recorded().build())
    (partial,) = findings(partial_flow_logs.CHECK, recorded(("vpc-1", "rejected", True)).build())
    assert "cis-aws-5.0:3.7" in missing.compliance
    assert not any(control.startswith("cis-aws") for control in partial.compliance)


def test_the_evidence_says_what_is_lacking(findings: Findings) -> None:
    (finding,) = findings(partial_flow_logs.CHECK, recorded(("subnet-public", "all", True)).build())
    text = "subnets without a flow log of their own that records everything, 1 of 2: subnet-private"
    assert text in finding.evidence
