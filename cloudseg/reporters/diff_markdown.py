"""A comparison as Markdown for pull requests. It stays under what a comment takes; what does not fit is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters.diff_words import change_row, exposure_rows, finding_text, headline, undecided, verdicts
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.markdown import LONGEST, prose, short
from cloudseg.reporters.text import amount
from cloudseg.reporters.wording import gap_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from cloudseg.reporters.diff_document import ChangeInfo, DiffDocument, FindingChange

__all__ = ["REPORTER"]

_CLOSING = 200


def _write(document: DiffDocument, stream: TextIO, _options: RenderOptions) -> None:
    head = f"## cloudseg: {prose(headline(document))}\n\n"
    measured = list(_exposure(document))
    sections = [
        (f"New findings ({verdicts(document.summary.new)})", _FINDINGS, _finding_rows(document.findings.new)),
        ("Became reachable", _CHANGES, _change_rows(document.gained, document)),
        ("Findings of another severity", _FINDINGS, _finding_rows(document.findings.changed)),
        ("Stopped being reachable", _CHANGES, _change_rows(document.lost, document)),
        (f"Findings gone ({verdicts(document.summary.gone)})", _FINDINGS, _finding_rows(document.findings.gone)),
        ("Interfaces", _INTERFACES, _interface_rows(document)),
        ("Not read", _GAPS, _gap_rows(document)),
    ]
    stream.write(head)
    stream.writelines(measured)
    room = LONGEST - len(head) - sum(map(len, measured))
    for number, (title, header, rows) in enumerate(sections):
        # What is left is shared evenly, so that a long section hides no other.
        room -= _section(title, header, rows, room // (len(sections) - number), stream)


_CHANGES = "| from | to | traffic | for example |\n|---|---|---|---|\n"
_FINDINGS = "| severity | check | finding |\n|---|---|---|\n"
_INTERFACES = "| | interface |\n|---|---|\n"
_GAPS = "| reading | gap |\n|---|---|\n"


def _section(title: str, header: str, rows: Iterable[str], room: int, stream: TextIO) -> int:
    """Write a section as far as it fits; nothing without rows. Returns how many characters it took."""
    kept: list[str] = []
    heading = f"\n### {title}\n\n{header}"
    taken, left_out = len(heading) + _CLOSING, 0
    for row in rows:
        if left_out or taken + len(row) > room:
            left_out += 1
        else:
            kept.append(row)
            taken += len(row)
    if not kept and not left_out:
        return 0
    stream.write(heading)
    stream.writelines(kept)
    if left_out:
        stream.write(f"\n… and {left_out:,} more (`--format json` has all)\n")
    return taken


def _change_rows(changes: Sequence[ChangeInfo], document: DiffDocument) -> Iterator[str]:
    for change in changes:
        source, target, traffic, bound, witness = change_row(change, document.names)
        passing = traffic if bound == "exact" else (*traffic, f"({bound})")
        cells = ("<br>".join(map(short, lines)) for lines in (source, target, passing, witness))
        yield f"| {' | '.join(cells)} |\n"


def _finding_rows(changes: Sequence[FindingChange]) -> Iterator[str]:
    for change in changes:
        yield f"| {change.severity} | {short(change.check)} | {short(finding_text(change))} |\n"


def _interface_rows(document: DiffDocument) -> Iterator[str]:
    for word, ids in (("came", document.came), ("went", document.went)):
        for identifier in ids:
            yield f"| {word} | {short(document.names.get(identifier, identifier))} |\n"


def _gap_rows(document: DiffDocument) -> Iterator[str]:
    for name, reading in (("old", document.old), ("new", document.new)):
        for line in gap_lines(reading.sources):
            yield f"| {name} | {short(line)} |\n"


def _exposure(document: DiffDocument) -> Iterator[str]:
    for number, (name, before, after) in enumerate(exposure_rows(document)):
        if not number:
            yield "| exposure | before | after |\n|---|---:|---:|\n"
        yield f"| {name} | {before} | {after} |\n"
    if told := undecided(document):
        yield f"\n{prose(told)}\n"
    if not document.complete:
        gaps = sum(len(s.gaps) for reading in (document.old, document.new) for s in reading.sources)
        yield f"\n**The answer is incomplete:** {amount(gaps, 'gap')}, see the end.\n"


REPORTER = Reporter(name="markdown", suffixes=(".md", ".markdown"), write=_write)
