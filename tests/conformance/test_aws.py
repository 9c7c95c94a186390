"""Every conformance case of AWS: raw answers in, the right verdict out, with its reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import CHECKS
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.providers.aws.translate import translate
from tests.conformance.aws import CASES

if TYPE_CHECKING:
    from cloudseg.findings import Finding
    from tests.conformance.cases import Case, Expected

CASE = pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{case.number}: {case.title}", marks=pytest.mark.semantics(case.number)) for case in CASES],
)


def _checks_of(finding: Finding) -> set[str]:
    return {finding.check, *(also.check for also in finding.also)}


def _words(finding: Finding, check: str) -> str:
    if finding.check == check:
        return "\n".join((finding.message, *finding.evidence))
    return "\n".join(also.message for also in finding.also if also.check == check)


def _severity(finding: Finding, check: str) -> str:
    if finding.check == check:
        return finding.severity.value
    return next(also.severity.value for also in finding.also if also.check == check)


def _meets(finding: Finding, expected: Expected) -> bool:
    if expected.check not in _checks_of(finding) or finding.resource.id != expected.resource:
        return False
    if expected.peer and (finding.rule is None or finding.rule.peer != expected.peer):
        return False
    if expected.severity and _severity(finding, expected.check) != expected.severity:
        return False
    if expected.reachable != "any" and finding.reachable is not expected.reachable:
        return False
    words = _words(finding, expected.check)
    return all(re.search(text, words) for text in expected.says) and not any(
        re.search(text, words) for text in expected.never_says
    )


def _shown(findings: tuple[Finding, ...]) -> str:
    return "\n".join(
        f"  {f.check} {[a.check for a in f.also]} {f.severity.value} {f.resource.id} "
        f"{f.rule.traffic + ' ' + f.rule.peer if f.rule else ''} reachable={f.reachable}: {f.message} | {f.evidence}"
        for f in findings
    )


@CASE
def test_the_verdict_is_right_and_says_why(case: Case) -> None:
    estate = translate(case.build())
    assert not estate.gaps, estate.gaps
    document = run_audit(estate, AuditRequest(checks=CHECKS))
    known = {check.id for check in CHECKS}
    for expected in case.finds:
        assert expected.check in known
        met = [finding for finding in document.findings if _meets(finding, expected)]
        assert len(met) == expected.times, f"{case.reason}\n{expected}\nreported:\n{_shown(document.findings)}"
    for entry in case.silent:
        check, resource = (entry, "") if isinstance(entry, str) else entry
        assert check in known
        accused = tuple(
            finding
            for finding in document.findings
            if check in _checks_of(finding) and resource in {"", finding.resource.id}
        )
        assert not accused, f"{case.reason}\nmust be silent: {entry}\nreported:\n{_shown(accused)}"
