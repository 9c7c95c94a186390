"""A waiver that chooses no finding.

What it finds:
    Waivers that hold and match nothing. Those of checks that did not run, or could not be evaluated, are not judged;
    where the check, or anything else that a waiver by finding id may be about, was read in part only, the confidence is
    low. An expired waiver is told as expired only.

Why it matters:
    The finding was mended, and the waiver will silently accept it when it comes back; or the waiver has a typing error,
    and its author believes that a finding is accepted which is not.

Example:
    A waiver for a security group that was deleted.

Remedy:
    Remove the waiver, or correct what it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.waiver_findings import WaiverFindings, subject
from cloudseg.findings import Severity
from cloudseg.waivers import Waiver, WaiverState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate

_NOT_JUDGED = frozenset(("skipped", "not evaluated"))


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every waiver that holds, is judged, and matches nothing."""
    findings = WaiverFindings(context)
    for state in context.waivers:
        if state.matched or state.expired:
            continue
        waiver = state.waiver
        doubt = _doubt(context, waiver)
        if doubt is None:
            continue
        yield findings.finding(
            waiver,
            f"the waiver of {waiver.owner} for {subject(waiver)} matches no finding",
            context.check.severity,
            "low" if doubt else "high",
            evidence=(doubt,) if doubt else (),
        )


def _doubt(context: AuditContext, waiver: Waiver) -> str | None:
    """Return why a finding may be there unseen, empty for no reason; None where the waiver cannot be judged at all."""
    if waiver.finding is not None:
        if any(status != "evaluated" for status in context.statuses.values()):
            return "unknown: not every check was evaluated, so its finding may be there unseen"
    else:
        status = context.statuses.get(waiver.check or "", "evaluated")
        if status in _NOT_JUDGED:
            return None
        if status == "partly":
            return f"unknown: {waiver.check} was evaluated in part only"
        if context.statuses:
            return ""
    if any(reading.state != "read" for reading in context.estate.coverage.readings):
        return "unknown: not everything was read, so its finding may be there unseen"
    return ""


def _all_read() -> Estate:
    return EstateBuilder().build()


def _state(matched: int) -> tuple[WaiverState, ...]:
    waiver = Waiver(
        owner="shop team",
        reason="until the migration",
        expires="2026-12-31",
        place="waivers.yaml, entry 1",
        check="internet-exposed-port",
        resource="sg-gone",
    )
    return (WaiverState(waiver, matched, expired=False),)


CHECK = Check(
    id="unmatched-waiver",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example(
            "the group of the waiver is gone", _all_read, ("waivers.yaml, entry 1",), Severity.LOW, waivers=_state(0)
        ),
        Example("the waiver accepts two findings", _all_read, waivers=_state(2)),
    ),
    concept={"aws": "waivers of findings"},
    compliance={"pci-dss-4.0": ("1.2.7",)},
    after_waivers=True,
)
