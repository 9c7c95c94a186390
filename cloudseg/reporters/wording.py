"""The sentences that the reports for people share. They are raw: each format escapes them in its own way."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cloudseg.model import labelled
from cloudseg.reporters.text import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.engine import CheckStatus, FindingsDocument, SourceInfo
    from cloudseg.findings import Finding, Remedy
    from cloudseg.reporters.screen import Screen

__all__ = [
    "by_check",
    "check_counts",
    "gap_lines",
    "group_counts",
    "place",
    "remarks",
    "scope_line",
    "severity_counts",
    "shared_remedy",
    "titles",
    "unread_lines",
    "unsettled_checks",
    "unsettled_lines",
    "verdict",
    "witness_hint",
]

_GAPS_SHOWN = 10
_WITHOUT_REGIONS = frozenset(("kubernetes",))
_AT_ONCE = frozenset(("azure",))
"""Providers that list a whole scope at once, wherever its resources are."""


@cache
def titles() -> Mapping[str, str]:
    """Return what each check finds, in a line, by its id. It loads every check."""
    from cloudseg.checks import CHECKS
    from cloudseg.reporters.check_page import summary_of

    return {check.id: summary_of(check) for check in CHECKS}


def by_check(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Return findings by check, the check with the worst first; waived ones come last, among checks and in each."""
    groups: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: (finding.waiver is not None, finding.severity.rank)):
        groups.setdefault(finding.check, []).append(finding)
    return groups


def group_counts(findings: Sequence[Finding]) -> str:
    """Return how many findings a check has and how bad the worst is: ``high, 3 findings, 1 waived``."""
    severities = [finding.severity for finding in findings if finding.waiver is None]
    waived = len(findings) - len(severities)
    parts: list[str] = []
    if severities:
        parts = [min(severities, key=lambda severity: severity.rank).value, amount(len(severities), "finding")]
    if waived:
        parts.append(f"{waived:,} waived")
    return ", ".join(parts)


def place(finding: Finding) -> str:
    """Return where a finding is: scope, and region where its provider has any."""
    return " ".join((finding.scope, *_region(finding.provider, finding.region)))


def _region(provider: str, region: str) -> tuple[str, ...]:
    return (region,) if region and provider not in _WITHOUT_REGIONS else ()


def shared_remedy(findings: Sequence[Finding]) -> str:
    """Return the remedy that all findings of a check share, to be told once; nothing where they differ."""
    remedies = {finding.remedy for finding in findings}
    (remedy,) = remedies if len(remedies) == 1 else (None,)
    return "" if remedy is None else f"remedy: {_remedy_words(remedy)}"


def _remedy_words(remedy: Remedy) -> str:
    # The groups that the summary names already need no list; machines read the whole of it.
    shown = [labelled(group, "") for group in remedy.groups]
    summary = remedy.summary.lower()
    unnamed = [group for group in shown if group.lower() not in summary]
    if not unnamed or len(unnamed) < len(remedy.groups):
        return remedy.summary
    return f"{remedy.summary} ({', '.join(unnamed)})"


def remarks(finding: Finding, *, with_remedy: bool = True) -> Iterator[str]:
    """Yield what a person needs beside the message, a line each."""
    if finding.confidence != "high":
        unknown = next((text for text in finding.evidence if text.startswith("unknown")), "")
        yield f"{finding.confidence} confidence{': ' + unknown if unknown else ''}"
    if finding.rule is not None:
        yield f"rule: {finding.rule.id}"
    if finding.location is not None:
        yield f"at: {finding.location.get('file', '')}:{finding.location.get('line', '')}"
    yield from (text for text in finding.evidence if text.startswith("witness: "))
    for other in finding.also:
        yield f"also {other.check} ({other.severity}): {other.message}"
    if with_remedy and finding.remedy is not None:
        yield f"remedy: {_remedy_words(finding.remedy)}"
    if finding.waiver is not None:
        yield f"waived until {finding.waiver.expires} by {finding.waiver.owner}: {finding.waiver.reason}"


def witness_hint(document: FindingsDocument) -> str:
    """Return how to see the way of a witness; nothing where no finding has one."""
    if not any(fact.startswith("witness: ") for finding in document.findings for fact in finding.evidence):
        return ""
    return "a witness, A → B T, is one packet: cloudseg explain SOURCE --from A --to B --traffic T tells its way"


def severity_counts(document: FindingsDocument) -> str:
    """Return how many findings there are of each severity, worst first; waived ones are told apart."""
    counts = [f"{count:,} {severity}" for severity, count in document.summary.findings.items() if count]
    if document.summary.waived:
        counts.append(f"{document.summary.waived:,} waived")
    return ", ".join(counts) or "none"


def scope_line(source: SourceInfo) -> str:
    """Return what was read of a scope."""
    name = f" ({source.name})" if source.name and source.name != source.scope else ""
    told = source.regions or (() if source.provider in _AT_ONCE else ("no region",))
    regions = "" if source.provider in _WITHOUT_REGIONS or not told else f": {', '.join(told)}"
    missing = "" if source.complete else f"; {amount(len(source.gaps), 'gap')}"
    return f"{source.provider} {source.scope}{name}{regions}{missing}"


def gap_lines(sources: Sequence[SourceInfo]) -> Iterator[str]:
    """Yield every gap: where, what, and why."""
    for source in sources:
        for gap in source.gaps:
            region = _region(source.provider, gap.region)
            where = " ".join(part for part in (source.provider, source.scope, *region, gap.what, gap.resource) if part)
            yield f"{where}: {gap.reason}{': ' + gap.detail if gap.detail else ''}"


def unread_lines(sources: Sequence[SourceInfo], screen: Screen) -> Iterator[str]:
    """Yield the lines of a table about what was not read; none where everything was."""
    count = sum(len(source.gaps) for source in sources)
    if not count:
        return
    yield from screen.folded(f"not read, so the answer is incomplete: {amount(count, 'gap')}", indent="  ")
    most = _GAPS_SHOWN if screen.limit else count
    for number, line in enumerate(gap_lines(sources)):
        if number == most:
            yield from screen.folded(f"… and {amount(count - most, 'more gap')}", indent="    ")
            break
        yield from screen.folded(line, indent="    ")


def unsettled_checks(document: FindingsDocument) -> list[CheckStatus]:
    """Return the checks that could not be evaluated in full: the silence of these is no answer.

    Checks for other clouds than those that were read are none of them.
    """
    return [check for check in _concerned(document) if check.status != "evaluated"]


def unsettled_lines(document: FindingsDocument) -> Iterator[str]:
    """Yield why checks could not be evaluated in full, a line for each reason; checks that share one stand together."""
    together: dict[tuple[str, str], list[str]] = {}
    for check in unsettled_checks(document):
        together.setdefault((check.status, check.reason), []).append(check.id)
    for (status, reason), names in together.items():
        yield f"{', '.join(names)}: {status}: {reason}"


def _concerned(document: FindingsDocument) -> list[CheckStatus]:
    from cloudseg.checks import CHECKS

    providers = {source.provider for source in document.sources}
    foreign = {check.id for check in CHECKS if check.concept and not providers & check.concept.keys()}
    return [check for check in document.checks if not providers or check.id not in foreign]


def check_counts(document: FindingsDocument) -> str:
    """Return how many checks could be evaluated."""
    concerned = _concerned(document)
    states = [check.status for check in concerned]
    counts = [
        f"{states.count(status):,} {status}" for status in ("evaluated", "partly", "not evaluated") if status in states
    ]
    foreign = len(document.checks) - len(concerned)
    return ", ".join((*counts, *((f"{foreign:,} for clouds that were not read",) if foreign else ())))


def verdict(document: FindingsDocument) -> str:
    """Return the one line that sums a report up; it never reads as an all-clear when something was not read."""
    number = sum(document.summary.findings.values())
    parts = [amount(number, "finding")]
    if document.summary.waived:
        parts.append(f"{document.summary.waived:,} waived")
    if not document.complete:
        parts.append(f"the answer is incomplete: {amount(document.summary.gaps, 'gap')}")
    unsettled = len(unsettled_checks(document))
    if unsettled:
        parts.append(f"{amount(unsettled, 'check')} not fully evaluated")
    return "; ".join(parts)
