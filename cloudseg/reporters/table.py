"""Tables for the terminal: grouped by check, the worst first, fitted to its width, with what was not read at the end.

Below 100 columns the place moves under the resource, below 60 the resource above the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from cloudseg.findings import Severity
from cloudseg.model import labelled
from cloudseg.reporters.exposure_words import exposure_lines
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.observed_words import matrix_lines, observed_lines, refusal_lines, stale_lines
from cloudseg.reporters.screen import Screen
from cloudseg.reporters.text import amount
from cloudseg.reporters.wording import (
    by_check,
    check_counts,
    group_counts,
    place,
    remarks,
    scope_line,
    severity_counts,
    shared_remedy,
    titles,
    unread_lines,
    unsettled_lines,
    verdict,
    witness_hint,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from cloudseg.engine import FindingsDocument
    from cloudseg.findings import Finding

__all__ = ["REPORTER"]

_COLORS = {
    Severity.CRITICAL: "1;31",
    Severity.HIGH: "31",
    Severity.MEDIUM: "33",
    Severity.LOW: "36",
    Severity.INFO: "2",
}
_SEVERITY_COLUMNS = max(len(severity) for severity in Severity)
_BATCH = 100
_PLACE_APART, _RESOURCE_APART = 100, 60


def _write(document: FindingsDocument, stream: TextIO, options: RenderOptions) -> None:
    screen = Screen(options)
    for check, findings in by_check(document.findings).items():
        _write_group(check, findings, stream, screen)
    stream.writelines(f"{line}\n" for line in _summary(document, screen))


def _write_group(check: str, findings: Sequence[Finding], stream: TextIO, screen: Screen) -> None:
    heading = screen.folded(f"{check}: {group_counts(findings)}")
    stream.writelines(f"{screen.colored(line, '1')}\n" for line in heading)
    remedy = shared_remedy(findings)
    for text in (titles().get(check, ""), remedy):
        stream.writelines(f"{line}\n" for line in screen.folded(text))
    stream.write("\n")
    shown = findings[: screen.limit] if screen.limit else findings
    widths = _widths(shown, screen)
    for start in range(0, len(shown), _BATCH):
        rows = [_row(finding, widths, screen, with_remedy=not remedy) for finding in shown[start : start + _BATCH]]
        stream.writelines(f"{line}\n" for line in screen.table(rows, widths))
    if len(shown) < len(findings):
        more = f"… and {len(findings) - len(shown):,} more (use --format json, or --check {check} with --limit 0)"
        stream.writelines(f"{line}\n" for line in screen.folded(more, indent="  "))
    stream.write("\n")


def _widths(findings: Iterable[Finding], screen: Screen) -> tuple[int, ...]:
    """Return the columns of each cell: severity, resource and place where there is room, and what was found."""
    room = screen.width - screen.indent - _SEVERITY_COLUMNS - screen.gap
    if screen.width < _RESOURCE_APART:
        return (_SEVERITY_COLUMNS, max(room, 8))
    apart = screen.width >= _PLACE_APART
    resources, places = 1, 1
    for finding in findings:
        resources = max(resources, *(screen.cells(text) for text in _resource_lines(finding, with_place=not apart)))
        places = max(places, screen.cells(place(finding)))
    resource = min(resources, room * 3 // 10)
    room -= resource + screen.gap
    if not apart:
        return (_SEVERITY_COLUMNS, resource, room)
    where = min(places, room // 3)
    return (_SEVERITY_COLUMNS, resource, where, room - where - screen.gap)


def _resource_lines(finding: Finding, *, with_place: bool) -> list[str]:
    resource = finding.resource
    label = labelled(resource.id, resource.name)
    if label.startswith(resource.id):
        lines = [resource.id] if label == resource.id else [resource.id, f"({resource.name})"]
    else:
        # Of an ARM id people read the names in it.
        lines = [label]
    if with_place:
        lines.append(place(finding))
    return lines


def _row(finding: Finding, widths: Sequence[int], screen: Screen, *, with_remedy: bool) -> list[list[str]]:
    """Return the cells of a finding, each as the lines that fit its column."""
    severity = [screen.colored(finding.severity.value, _COLORS[finding.severity])]
    found = [finding.message, *remarks(finding, with_remedy=with_remedy)]
    if len(widths) == 2:
        return [severity, screen.cell([*_resource_lines(finding, with_place=True), *found], widths[1])]
    if len(widths) == 3:
        resource = _resource_lines(finding, with_place=True)
        return [severity, screen.cell(resource, widths[1]), screen.cell(found, widths[2])]
    resource = _resource_lines(finding, with_place=False)
    return [
        severity,
        screen.cell(resource, widths[1]),
        screen.cell([place(finding)], widths[2]),
        screen.cell(found, widths[3]),
    ]


def _summary(document: FindingsDocument, screen: Screen) -> Iterable[str]:
    """Yield what was found, what was read, and everything that leaves the answer open; the verdict comes last."""
    summary = document.summary
    read = ", ".join((amount(summary.interfaces, "interface"), amount(summary.rules, "rule")))
    yield screen.colored("Summary", "1")
    yield from screen.folded(f"findings: {severity_counts(document)}", indent="  ")
    yield from screen.folded(f"read: {amount(summary.scopes, 'scope')}, {read}", indent="  ")
    for source in document.sources:
        yield from screen.folded(scope_line(source), indent="    ")
    for line in exposure_lines(summary.exposure):
        yield from screen.folded(line, indent="  ")
    yield from _observed(document, screen)
    yield from unread_lines(document.sources, screen)
    if document.checks:
        yield from screen.folded(f"checks: {check_counts(document)}", indent="  ")
    for line in unsettled_lines(document):
        yield from screen.folded(line, indent="    ")
    for note in document.notes:
        yield from screen.folded(f"note: {note}", indent="  ")
    if hint := witness_hint(document):
        yield from screen.folded(hint, indent="  ")
    yield ""
    yield from screen.folded(verdict(document))


def _observed(document: FindingsDocument, screen: Screen) -> Iterable[str]:
    """Yield what was observed, where conversations were given."""
    if document.observed is UNSET:
        return
    for lines in (observed_lines, matrix_lines, refusal_lines, stale_lines):
        for line in lines(document.observed):
            inner = line.removeprefix("  ")
            yield from screen.folded(inner, indent="    " if inner != line else "  ")


REPORTER = Reporter(name="table", suffixes=(".txt",), write=_write)
