"""What became of an estate between two readings, as tables for the terminal.

Below 90 columns the ends of a change stand above each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters.diff_words import change_row, exposure_rows, finding_text, headline, undecided, verdicts
from cloudseg.reporters.grid import Grid
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.screen import Screen
from cloudseg.reporters.text import amount, visible
from cloudseg.reporters.wording import unread_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from cloudseg.reporters.diff_document import ChangeInfo, DiffDocument, FindingChange

__all__ = ["REPORTER"]

_APART = 90
_SEVERITY, _BOUND = len("critical"), len("at most")


def _write(document: DiffDocument, stream: TextIO, options: RenderOptions) -> None:
    screen = Screen(options)
    parts = (
        _changes("Became reachable", document.gained, document, screen),
        _changes("Stopped being reachable", document.lost, document, screen),
        _findings("New findings", document.findings.new, verdicts(document.summary.new), screen),
        _findings("Findings gone", document.findings.gone, verdicts(document.summary.gone), screen),
        _findings("Findings of another severity", document.findings.changed, "", screen),
        _interfaces(document, screen),
        _exposure(document, screen),
        _unread(document, screen),
        screen.folded(undecided(document)),
    )
    for part in parts:
        lines = list(part)
        if lines:
            stream.writelines(f"{line}\n" for line in (*lines, ""))
    stream.writelines(f"{line}\n" for line in screen.folded(headline(document)))


def _changes(title: str, changes: Sequence[ChangeInfo], document: DiffDocument, screen: Screen) -> Iterator[str]:
    if not changes:
        return
    yield screen.colored(title, "1")
    shown = changes[: screen.limit] if screen.limit else changes
    if screen.width < _APART:
        for change in shown:
            row = change_row(change, document.names)
            yield from screen.folded(f"{', '.join(row.source)} → {', '.join(row.target)}", indent="  ")
            yield from screen.folded(f"{', '.join(row.traffic)}, {row.bound}", indent="    ")
            yield from screen.folded(f"e.g. {' '.join(row.witness)}", indent="    ")
    else:
        room = screen.width - screen.indent - 4 * screen.gap - _BOUND
        ends = room * 3 // 11
        grid = Grid((ends, ends, room - 3 * ends, _BOUND, ends), screen)
        yield from grid.header(("from", "to", "traffic", "bound", "for example"))
        for change in shown:
            source, target, traffic, bound, witness = change_row(change, document.names)
            cells = (source, target, traffic, (bound,), witness)
            yield from grid.row(["\n".join(map(visible, lines)) for lines in cells])
    yield from _more(len(changes) - len(shown), "change", screen)


def _findings(title: str, changes: Sequence[FindingChange], counts: str, screen: Screen) -> Iterator[str]:
    if not changes:
        return
    yield screen.colored(f"{title}{': ' if counts else ''}{counts}", "1")
    shown = changes[: screen.limit] if screen.limit else changes
    room = max(screen.width - screen.indent - _SEVERITY - screen.gap, 16)
    grid = Grid((_SEVERITY, room), screen)
    for change in shown:
        yield from grid.row((change.severity.value, visible(f"{change.check}: {finding_text(change)}")))
    yield from _more(len(changes) - len(shown), "finding", screen)


def _more(count: int, noun: str, screen: Screen) -> Iterator[str]:
    if count > 0:
        text = f"… and {amount(count, f'more {noun}')} (use --format json, or --limit 0)"
        yield from screen.folded(text, indent="  ")


def _interfaces(document: DiffDocument, screen: Screen) -> Iterator[str]:
    for title, ids in (("Interfaces that came", document.came), ("Interfaces that went", document.went)):
        if ids:
            shown = ids[: screen.limit] if screen.limit else ids
            names = ", ".join(document.names.get(identifier, identifier) for identifier in shown)
            more = f" and {len(ids) - len(shown):,} more" if len(ids) > len(shown) else ""
            yield screen.colored(f"{title}: {len(ids):,}", "1")
            yield from screen.folded(f"{names}{more}", indent="  ")


def _exposure(document: DiffDocument, screen: Screen) -> Iterator[str]:
    rows = list(exposure_rows(document))
    if not rows:
        return
    yield screen.colored("Exposure", "1")
    if screen.width < _APART:
        for name, before, after in rows:
            yield from screen.folded(f"{name}: {before if before == after else f'{before} → {after}'}", indent="  ")
        return
    room = (screen.width - screen.indent - 2 * screen.gap) // 3
    widths = (max(screen.cells(text) for text in column) for column in zip(*rows, strict=True))
    grid = Grid([max(min(width, room), len("before")) for width in widths], screen)
    yield from grid.header(("", "before", "after"))
    for row in rows:
        yield from grid.row(row)


def _unread(document: DiffDocument, screen: Screen) -> Iterator[str]:
    for name, reading in (("old", document.old), ("new", document.new)):
        lines = list(unread_lines(reading.sources, screen))
        if lines:
            yield screen.colored(f"The {name} reading", "1")
            yield from lines


REPORTER = Reporter(name="table", suffixes=(".txt",), write=_write)
