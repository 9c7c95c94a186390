"""Markdown for pull requests and issues: a summary, the findings by check, and what was not read.

It stays under the 65,536 characters that GitHub takes in a comment. The worst findings come first; what does not fit
is left out, and counted. Text from outside is shown as text: no HTML, links, images, mentions or references.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import UNSET

from cloudseg.model import labelled
from cloudseg.reporters.exposure_words import exposure_lines
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.observed_words import matrix_lines, observed_lines, refusal_lines, stale_lines
from cloudseg.reporters.text import amount, visible
from cloudseg.reporters.wording import (
    by_check,
    check_counts,
    gap_lines,
    group_counts,
    place,
    remarks,
    scope_line,
    shared_remedy,
    titles,
    unsettled_lines,
    verdict,
    witness_hint,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from cloudseg.engine import FindingsDocument
    from cloudseg.findings import Finding

__all__ = ["LONGEST", "REPORTER", "prose", "short"]

LONGEST = 65_000
"""Characters of a whole report."""

_OPEN_ROWS = 10
_LIST_ROOM = 4_000
_CELL = 600
_LINES = 8
_MISFITS = 50
_CLOSING = 300
_FOLD = "\n<details><summary>{}</summary>\n\n"
_FOLD_END = "\n</details>\n"
_HEADER = "| severity | resource | finding |\n|---|---|---|\n"

# An entity shows the character and means nothing to Markdown. The empty comment parts what GitHub and GitLab would
# otherwise join to a mention, a reference, an address or a link.
_ENTITIES = {ord(c): f"&#{ord(c)};" for c in "\\`*_[]<>|~$!&"}
_APART = "<!-- -->"
_JOINING = re.compile(r"([@#]|:(?=//)|www(?=\.)|\bGH-(?=\d)|[!$&~%](?=[\w\"]))", re.IGNORECASE)


def prose(text: str) -> str:
    """Return a text from outside as Markdown that shows it, and does nothing else."""
    parts = _JOINING.split(visible(text))
    return "".join(part.translate(_ENTITIES) + (_APART if position % 2 else "") for position, part in enumerate(parts))


def _write(document: FindingsDocument, stream: TextIO, _options: RenderOptions) -> None:
    head = list(_head(document))
    tail = list(_tail(document))
    groups = by_check(document.findings)
    frames = sum(_group_frame(check, findings) for check, findings in groups.items())
    rows = _fitting(document, groups, LONGEST - _size(head) - _size(tail) - frames - _CLOSING)
    stream.writelines(head)
    for check, findings in groups.items():
        stream.writelines(_group(check, findings, rows))
    left_out = len(document.findings) - sum(map(len, rows.values()))
    if left_out:
        stream.write(
            f"\n**{amount(left_out, 'finding')} left out:** a comment has no room for more. "
            "`cloudseg audit --format json` has all.\n"
        )
    stream.writelines(tail)


def _size(texts: Iterable[str]) -> int:
    return sum(len(text) for text in texts)


def _fitting(document: FindingsDocument, groups: dict[str, list[Finding]], room: int) -> dict[str, list[str]]:
    """Return the rows that fit, by check: the unwaived and worst first. A row that is too long hides no other."""
    rows: dict[str, list[str]] = {}
    told = {check for check, findings in groups.items() if shared_remedy(findings)}
    misfits = 0
    for finding in sorted(document.findings, key=lambda finding: (finding.waiver is not None, finding.severity.rank)):
        row = _row(finding, with_remedy=finding.check not in told)
        if len(row) > room:
            misfits += 1
            if misfits == _MISFITS:
                break
            continue
        room -= len(row)
        rows.setdefault(finding.check, []).append(row)
    return rows


def _head(document: FindingsDocument) -> Iterator[str]:
    yield f"## cloudseg: {prose(verdict(document))}\n\n"
    yield "| severity | findings |\n|---|---:|\n"
    for severity, count in document.summary.findings.items():
        yield f"| {severity} | {count:,} |\n"
    yield f"| waived | {document.summary.waived:,} |\n"
    if not document.complete:
        yield "\n**The answer is incomplete:** not everything could be read, see the end.\n"


def _heading(check: str, findings: list[Finding]) -> str:
    paragraphs = (titles().get(check, ""), shared_remedy(findings))
    text = "".join(f"{short(paragraph)}\n\n" for paragraph in paragraphs if paragraph)
    return f"\n### {short(check)} ({group_counts(findings)})\n\n{text}"


def _group_frame(check: str, findings: list[Finding]) -> int:
    """Return how many characters a group takes at most beside its rows."""
    folded = _FOLD.format("999,999,999 more") + _HEADER + _FOLD_END
    return len(_heading(check, findings)) + len(_HEADER) + len(folded) + len("\n… and 999,999,999 not shown\n")


def _group(check: str, findings: list[Finding], rows: dict[str, list[str]]) -> Iterator[str]:
    shown = rows.get(check, [])
    yield _heading(check, findings)
    if shown:
        yield _HEADER
        yield from shown[:_OPEN_ROWS]
    if len(shown) > _OPEN_ROWS:
        yield _FOLD.format(f"{len(shown) - _OPEN_ROWS:,} more") + _HEADER
        yield from shown[_OPEN_ROWS:]
        yield _FOLD_END
    if len(shown) < len(findings):
        yield f"\n… and {len(findings) - len(shown):,} not shown\n"


def _row(finding: Finding, *, with_remedy: bool) -> str:
    resource = finding.resource
    label = labelled(resource.id, resource.name)
    shown, named = (resource.id, f" {short(resource.name)}") if label.startswith(resource.id) else (label, "")
    where = f"<code>{short(shown)}</code>{named if label != resource.id else ''}<br>{short(place(finding))}"
    lines = [finding.message, *remarks(finding, with_remedy=with_remedy)]
    found = [short(line) for line in lines[:_LINES]]
    if len(lines) > _LINES:
        found.append(f"… and {len(lines) - _LINES} more")
    return f"| {finding.severity} | {where} | {'<br>'.join(found)} |\n"


def short(text: str) -> str:
    """Return a text from outside as Markdown, cut where it is long before or after it is escaped."""
    kept = _CELL
    while len(shown := prose(text[:kept])) > 2 * _CELL:
        kept //= 2
    return shown if len(text) <= kept else f"{shown}…"


def _tail(document: FindingsDocument) -> Iterator[str]:
    summary = document.summary
    read = ", ".join(
        (amount(summary.scopes, "scope"), amount(summary.interfaces, "interface"), amount(summary.rules, "rule"))
    )
    yield f"\n### What was read\n\n{read}\n\n"
    yield from _list(scope_line(source) for source in document.sources)
    if summary.exposure is not None:
        yield "\n### Exposure\n\n"
        yield from (f"- {prose(line)}\n" for line in exposure_lines(summary.exposure))
    yield from _observed(document)
    if summary.gaps:
        yield f"\n### What was not read ({amount(summary.gaps, 'gap')})\n\n"
        yield from _list(gap_lines(document.sources))
    if document.checks:
        yield f"\n### Checks\n\n{prose(check_counts(document))}\n\n"
        yield from _list(unsettled_lines(document))
    if document.notes:
        yield "\n### Notes\n\n"
        yield from _list(document.notes)
    if hint := witness_hint(document):
        yield f"\n{hint}\n"


def _observed(document: FindingsDocument) -> Iterator[str]:
    """Yield what was observed, where conversations were given."""
    if document.observed is UNSET:
        return
    yield "\n### Observed\n\n"
    yield from (f"- {short(line.strip())}\n" for line in observed_lines(document.observed))
    for lines in (matrix_lines, refusal_lines, stale_lines):
        told = list(lines(document.observed))
        if told:
            yield "\n"
        yield from _roomy(map(_told, told))


def _told(line: str) -> str:
    """Return a list item; what is indented is an example of the line above it."""
    return f"  - <code>{short(line.strip())}</code>\n" if line.startswith("  ") else f"- {short(line)}\n"


def _list(lines: Iterable[str]) -> Iterator[str]:
    """Yield list items of code as far as a list may go, and how many are left out."""
    return _roomy(f"- <code>{short(line)}</code>\n" for line in lines)


def _roomy(items: Iterable[str]) -> Iterator[str]:
    """Yield list items as far as a list may go, and how many are left out."""
    room, left_out = _LIST_ROOM, 0
    for item in items:
        room -= len(item)
        if room < 0:
            left_out += 1
        else:
            yield item
    if left_out:
        yield f"- … and {left_out:,} more\n"


REPORTER = Reporter(name="markdown", suffixes=(".md", ".markdown"), write=_write)
