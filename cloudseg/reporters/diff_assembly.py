"""Puts a comparison together: who reaches whom, findings and exposure of both readings in one document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from cloudseg.findings import Severity
from cloudseg.reach.outside import EXTERNAL
from cloudseg.reporters.diff_document import (
    ChangeInfo,
    CountInfo,
    DiffDocument,
    DiffSummary,
    FindingChange,
    FindingsDiff,
    Reading,
    WitnessInfo,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cloudseg.engine import FindingsDocument
    from cloudseg.findings import Also, Finding
    from cloudseg.reach.comparing.compare import Change, Comparison

__all__ = ["diff_document", "worst_new"]


def diff_document(
    comparison: Comparison,
    old: FindingsDocument,
    new: FindingsDocument,
    name: Callable[[str], str],
) -> DiffDocument:
    """Return the document about two readings.

    Args:
        comparison: what became of who reaches whom.
        old: the findings and the exposure of the old reading.
        new: the same of the new one.
        name: returns what people call an interface, by its qualified id.
    """
    named = {*comparison.came, *comparison.went}
    for change in (*comparison.gained, *comparison.lost):
        named.update(end for end in (*change.sources, *change.targets) if not end.startswith(EXTERNAL))
    findings = _findings_diff(_open_findings(old), _open_findings(new))
    return DiffDocument(
        old=_reading(old),
        new=_reading(new),
        summary=DiffSummary(
            gains=CountInfo(*comparison.gains),
            losses=CountInfo(*comparison.losses),
            undecided=comparison.undecided,
            came=len(comparison.came),
            went=len(comparison.went),
            new=_by_severity(findings.new),
            gone=_by_severity(findings.gone),
            changed=len(findings.changed),
        ),
        gained=tuple(map(_change_info, comparison.gained)),
        lost=tuple(map(_change_info, comparison.lost)),
        came=comparison.came,
        went=comparison.went,
        findings=findings,
        names={identifier: name(identifier) for identifier in sorted(named)},
    )


def worst_new(document: DiffDocument) -> Severity | None:
    """Return the severity of the worst finding that is new or got worse; None without any."""
    worse = (
        change for change in document.findings.changed if change.before and change.severity.rank < change.before.rank
    )
    return min((c.severity for c in (*document.findings.new, *worse)), key=lambda s: s.rank, default=None)


def _reading(findings: FindingsDocument) -> Reading:
    summary = findings.summary
    return Reading(findings.generated_at, findings.sources, summary.findings, summary.exposure)


def _by_severity(changes: Iterable[FindingChange]) -> dict[str, int]:
    counts = Counter(change.severity for change in changes)
    return {severity.value: counts[severity] for severity in Severity}


def _open_findings(document: FindingsDocument) -> dict[str, FindingChange]:
    """Return what no waiver accepts, by fingerprint: also what another finding about the same rule has taken in."""
    return {
        change.id: change for finding in document.findings if finding.waiver is None for change in _changes(finding)
    }


def _changes(finding: Finding) -> Iterator[FindingChange]:
    parts: tuple[Finding | Also, ...] = (finding, *finding.also)
    for part in parts:
        yield FindingChange(
            id=part.id,
            check=part.check,
            severity=part.severity,
            provider=finding.provider,
            scope=finding.scope,
            region=finding.region,
            resource=finding.resource,
            rule=finding.rule,
            message=part.message,
        )


def _findings_diff(old: Mapping[str, FindingChange], new: Mapping[str, FindingChange]) -> FindingsDiff:
    changed = (
        msgspec.structs.replace(new[key], before=old[key].severity)
        for key in new
        if key in old and old[key].severity is not new[key].severity
    )
    return FindingsDiff(
        new=_worst_first(change for key, change in new.items() if key not in old),
        gone=_worst_first(change for key, change in old.items() if key not in new),
        changed=_worst_first(changed),
    )


def _worst_first(changes: Iterable[FindingChange]) -> tuple[FindingChange, ...]:
    def key(change: FindingChange) -> tuple[object, ...]:
        return (
            change.severity.rank,
            change.check,
            change.provider,
            change.scope,
            change.region,
            change.resource,
            change.id,
        )

    return tuple(sorted(changes, key=key))


def _change_info(change: Change) -> ChangeInfo:
    witness = change.witness
    more = change.upper - change.lower
    return ChangeInfo(
        sources=change.sources,
        targets=change.targets,
        cause=change.cause,
        certain=change.lower.terms() if change.lower else (),
        at_most=more.terms() if more else (),
        pairs=change.pairs,
        witness=WitnessInfo(
            witness.source, witness.source_address, witness.target, witness.target_address, str(witness.traffic)
        ),
    )
