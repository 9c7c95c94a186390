"""A plan in short, for the terminal: what changes, what is proved, what people decide. ``plan.md`` tells why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cloudseg.reporters.grid import Grid
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.plan_words import (
    change_words,
    exposure_rows,
    gaps_in_scopes,
    headline,
    left_out_line,
    proof_line,
    refused_words,
)
from cloudseg.reporters.screen import Screen
from cloudseg.reporters.text import amount, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from cloudseg.plan.values import PlanDocument

__all__ = ["REPORTER"]

_NUMBER = 4
_KIND = len("remove rule set")
_NARROW = 70
_EXAMPLES = 3


def _write(document: PlanDocument, stream: TextIO, options: RenderOptions) -> None:
    screen = Screen(options)
    for part in (_edits(document, screen), _refused(document, screen), _told(document, screen)):
        lines = list(part)
        if lines:
            stream.writelines(f"{line}\n" for line in (*lines, ""))
    stream.writelines(f"{line}\n" for line in screen.folded(headline(document)))


def _edits(document: PlanDocument, screen: Screen) -> Iterator[str]:
    shown = document.edits[: screen.limit] if screen.limit else document.edits
    if not shown:
        return
    rows = [(str(number), *_words(document, number - 1)) for number in range(1, len(shown) + 1)]
    if screen.width < _NARROW:
        for number, does, name, words in rows:
            yield from screen.folded(f"{number} {does} {name}: {words}")
    else:
        room = screen.width - screen.indent - 3 * screen.gap - _NUMBER - _KIND
        grid = Grid((_NUMBER, _KIND, room // 3, room - room // 3), screen)
        yield from grid.header(("", "edit", "resource", "change"))
        for row in rows:
            yield from grid.row([visible(cell) for cell in row])
    if len(shown) < len(document.edits):
        yield from screen.folded(f"… and {amount(len(document.edits) - len(shown), 'more edit')}", indent="  ")


def _words(document: PlanDocument, place: int) -> tuple[str, str, str]:
    edit = document.edits[place]
    does, words = change_words(edit)
    return does, edit.name, words


def _refused(document: PlanDocument, screen: Screen) -> Iterator[str]:
    if not document.refused:
        return
    yield screen.colored("Not in this plan", "1")
    together = Counter((refused_words(each), each.check) for each in document.refused)
    for (word, check), count in together.items():
        yield from screen.folded(f"{check}: {count:,} {word}", indent="  ")
    told = [each for each in document.refused if each.by == "proof"]
    for each in told[:_EXAMPLES]:
        yield from screen.folded(f"e.g. {each.name}: {each.reason}", indent="  ")


def _told(document: PlanDocument, screen: Screen) -> Iterator[str]:
    yield from screen.folded(proof_line(document))
    for name, before, after in exposure_rows(document):
        if before != after:
            yield from screen.folded(f"{name}: {before} → {after}")
    if gaps := gaps_in_scopes(document):
        yield from screen.folded(f"not all was read of what this plan is about: {'; '.join(gaps)}")
    if line := left_out_line(document):
        yield from screen.folded(line)


REPORTER = Reporter(name="table", suffixes=(".txt",), write=_write)
