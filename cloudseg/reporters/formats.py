"""The formats of findings, in one table. It loads every check, which reports without findings do not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters import csv_report, json_report, markdown, sarif, table

if TYPE_CHECKING:
    from cloudseg.engine import FindingsDocument
    from cloudseg.reporters.interface import Reporter

__all__ = ["FORMATS"]

FORMATS: dict[str, Reporter[FindingsDocument]] = {
    reporter.name: reporter
    for reporter in (table.REPORTER, json_report.REPORTER, sarif.REPORTER, markdown.REPORTER, csv_report.REPORTER)
}
