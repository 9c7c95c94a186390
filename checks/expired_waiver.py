"""A waiver that no longer holds.

What it finds:
    Waivers whose last day is over at the time of the audit, with the number of findings that they chose and that count
    again.

Why it matters:
    Somebody accepted a risk for a time. The time is over and the risk is still there, or the waiver is rubbish that
    hides among those that hold.

Example:
    A waiver for a migration that was to be done in spring.

Remedy:
    Mend the finding and remove the waiver, or let its owner accept it again with a new date and a reason.
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


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every waiver whose last day is over."""
    findings = WaiverFindings(context)
    for state in context.waivers:
        if state.expired:
            waiver, count = state.waiver, state.matched
            again = f"{count} finding{'s' if count != 1 else ''} count{'s' if count == 1 else ''} again"
            yield findings.finding(
                waiver,
                f"the waiver of {waiver.owner} for {subject(waiver)} expired on {waiver.expires}",
                context.check.severity,
                evidence=(again if count else "it chooses no finding any more",),
            )


_LAST_YEAR = Waiver(
    owner="shop team",
    reason="until the migration",
    expires="2025-12-31",
    place="waivers.yaml, entry 1",
    finding="0" * 20,
)
_THIS_YEAR = Waiver(
    owner="shop team",
    reason="until the migration",
    expires="2026-12-31",
    place="waivers.yaml, entry 1",
    finding="0" * 20,
)

CHECK = Check(
    id="expired-waiver",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example(
            "the last day is over, and the finding is still there",
            lambda: EstateBuilder().build(),
            ("waivers.yaml, entry 1",),
            Severity.LOW,
            waivers=(WaiverState(_LAST_YEAR, 1, expired=True),),
        ),
        Example(
            "the waiver holds",
            lambda: EstateBuilder().build(),
            waivers=(WaiverState(_THIS_YEAR, 1, expired=False),),
        ),
    ),
    concept={"aws": "waivers of findings"},
    compliance={"pci-dss-4.0": ("1.2.7",)},
    after_waivers=True,
)
