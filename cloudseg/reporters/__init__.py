"""One file a format, listed in one explicit table."""

from __future__ import annotations

from pathlib import PurePath

from cloudseg.errors import ConfigError
from cloudseg.reporters import csv_report, json_report, markdown, sarif, table
from cloudseg.reporters.interface import RenderOptions, Reporter

__all__ = ["FORMATS", "RenderOptions", "Reporter", "format_for"]

FORMATS: dict[str, Reporter] = {
    reporter.name: reporter
    for reporter in (table.REPORTER, json_report.REPORTER, sarif.REPORTER, markdown.REPORTER, csv_report.REPORTER)
}


def format_for(path: str | PurePath) -> str:
    """Return the name of the format that a file's suffix means; the longest suffix counts (``.sarif.json``).

    Raises:
        ConfigError: no format has this suffix.
    """
    name = PurePath(path).name.lower()
    known = {suffix: reporter.name for reporter in FORMATS.values() for suffix in reporter.suffixes}
    fitting = [suffix for suffix in known if name.endswith(suffix)]
    if not fitting:
        raise ConfigError(
            f"the name of {str(path)!r} does not tell the format of the report; end it in {', '.join(sorted(known))}"
        )
    return known[max(fitting, key=len)]
