"""The formats of a comparison, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters import diff_json, diff_markdown, diff_table

if TYPE_CHECKING:
    from cloudseg.reporters.diff_document import DiffDocument
    from cloudseg.reporters.interface import Reporter

__all__ = ["DIFF_FORMATS"]

DIFF_FORMATS: dict[str, Reporter[DiffDocument]] = {
    reporter.name: reporter for reporter in (diff_table.REPORTER, diff_json.REPORTER, diff_markdown.REPORTER)
}
