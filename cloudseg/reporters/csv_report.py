r"""One row a finding, for spreadsheets: RFC 4180, with a stable header.

What was not read and which checks could not be evaluated in full are rows as well, after the findings; the column
``row`` tells them apart: ``finding``, ``gap`` or ``check``.

Everything that is not printable is written as an escape (``\n``), so that one row is one line. A cell that a
spreadsheet would read as a formula gets an apostrophe in front: https://owasp.org/www-community/attacks/CSV_Injection.
Lists are joined by ``; ``. Exact values are in the JSON report.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from cloudseg.reporters.csv_cells import csv_cell
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.wording import unsettled_checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from cloudseg.engine import FindingsDocument
    from cloudseg.findings import Finding

__all__ = ["HEADER", "REPORTER"]

HEADER = (
    "id", "check", "severity", "confidence", "provider", "scope", "region", "resource_kind", "resource_id",
    "resource_name", "rule_id", "rule_direction", "rule_traffic", "rule_peer", "message", "evidence", "reachable",
    "affected", "also", "remedy", "remedy_groups", "compliance", "file", "line", "waiver_owner", "waiver_reason",
    "waiver_expires", "row",
)  # fmt: skip
"""Columns; new ones are added at the end only."""


def _write(document: FindingsDocument, stream: TextIO, _options: RenderOptions) -> None:
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(HEADER)
    for finding in document.findings:
        writer.writerow([csv_cell(value) for value in (*_values(finding), "finding")])
    for row in _open_rows(document):
        writer.writerow([csv_cell(row.get(name, "")) for name in HEADER])


def _open_rows(document: FindingsDocument) -> Iterator[dict[str, str]]:
    """Yield what was not read, and the checks whose silence is therefore no answer."""
    for source in document.sources:
        for gap in source.gaps:
            yield {
                "provider": source.provider,
                "scope": source.scope,
                "region": gap.region,
                "resource_id": gap.resource,
                "message": f"not read: {gap.what}: {gap.reason}{': ' + gap.detail if gap.detail else ''}",
                "row": "gap",
            }
    for check in unsettled_checks(document):
        yield {"check": check.id, "message": f"{check.status}: {check.reason}", "row": "check"}


def _values(finding: Finding) -> tuple[str, ...]:
    resource, rule, remedy, waiver = finding.resource, finding.rule, finding.remedy, finding.waiver
    location = finding.location or {}
    return (
        finding.id,
        finding.check,
        finding.severity.value,
        finding.confidence,
        finding.provider,
        finding.scope,
        finding.region,
        resource.kind,
        resource.id,
        resource.name,
        *(("", "", "", "") if rule is None else (rule.id, rule.direction, rule.traffic, rule.peer)),
        finding.message,
        "; ".join(finding.evidence),
        "" if finding.reachable is None else str(finding.reachable).lower(),
        "; ".join(finding.affected),
        "; ".join(f"{other.check} ({other.severity}): {other.message}" for other in finding.also),
        *(("", "") if remedy is None else (remedy.summary, "; ".join(remedy.groups))),
        "; ".join(finding.compliance),
        str(location.get("file", "")),
        str(location.get("line", "")),
        *(("", "", "") if waiver is None else (waiver.owner, waiver.reason, waiver.expires)),
    )


REPORTER = Reporter(name="csv", suffixes=(".csv",), write=_write)
