"""Who reaches whom as a table of pairs of endpoints, written while they are found.

Below 60 columns the ends of a pair stand above what passes between them.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from cloudseg.model import own_id
from cloudseg.reach.outside import outside_words
from cloudseg.reporters.end_words import EndWords
from cloudseg.reporters.grid import Grid
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.reach_answer import EXACT, ReachAnswer
from cloudseg.reporters.screen import Screen
from cloudseg.reporters.text import amount, visible
from cloudseg.reporters.wording import unread_lines
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from cloudseg.reporters.reach_answer import Pair

__all__ = ["REPORTER", "summary_of_pairs"]

_HEADER = ("from", "to", "traffic", "bound")
_BOUND = len("at most")
_SHORTEST, _LONGEST = 12, 48
_OUTSIDE = len("internet but 203.0.113.0/24")
_STACKED = 60
_USUAL = Traffic.parse("tcp, udp, icmp, icmpv6, esp, ah")
_NEVER = Traffic.protocol(252)
"""A protocol that nobody was given: what holds it means every protocol that is not named."""


def _write(answer: ReachAnswer, stream: TextIO, options: RenderOptions) -> None:
    screen = Screen(options)
    words = EndWords(answer.estate)
    rare = _Rare(answer)
    rows = (_row(pair, words) for pair in rare.without(answer.pairs(joined=True)))
    lines = _stacked(rows, screen) if screen.width < _STACKED else _columns(rows, _ends(answer, words, screen), screen)
    stream.writelines(f"{line}\n" for line in lines)
    stream.writelines(f"{line}\n" for line in _summary(answer, screen, rare.words))


class _Rare:
    """Leaves out rows that say of protocols which hardly anybody speaks that they may pass, and counts these rows."""

    def __init__(self, answer: ReachAnswer) -> None:
        self._asked = not answer.traffic.overlaps(_USUAL)
        self._count = 0

    def without(self, pairs: Iterator[Pair]) -> Iterator[Pair]:
        """Yield the pairs that have a row."""
        for pair in pairs:
            if pair.bound == EXACT or self._asked or pair.traffic.overlaps(_USUAL) or not pair.traffic >= _NEVER:
                yield pair
            else:
                self._count += 1

    @property
    def words(self) -> str:
        """What was left out, in words; empty for nothing."""
        if not self._count:
            return ""
        rows = amount(self._count, "row")
        return f"{rows} left out: whether protocols but {_USUAL} pass is not known there; --format csv has them"


def _row(pair: Pair, words: EndWords) -> tuple[str, str, str, str]:
    source, target, traffic, bound = pair
    return (
        visible(words.label(source)) if isinstance(source, str) else outside_words(source),
        visible(words.label(target)) if isinstance(target, str) else outside_words(target),
        str(traffic),
        "exact" if bound == EXACT else "at most",
    )


def _ends(answer: ReachAnswer, words: EndWords, screen: Screen) -> int:
    """Return the columns of either end: what the longest name or range takes, and at most three eighths of the room."""
    longest = max((screen.cells(words.label(identifier)) for identifier in answer.estate.interfaces), default=0)
    longest = max(longest, _OUTSIDE)
    room = (screen.width - screen.indent - _BOUND - 3 * screen.gap) * 3 // 8
    return max(min(longest, room, _LONGEST), _SHORTEST)


def _columns(rows: Iterator[tuple[str, str, str, str]], ends: int, screen: Screen) -> Iterator[str]:
    traffic = max(screen.width - screen.indent - 2 * ends - _BOUND - 3 * screen.gap, _SHORTEST)
    widths = (ends, ends, traffic, _BOUND)
    first = next(rows, None)
    if first is None:
        return
    grid = Grid(widths, screen)
    yield from grid.header(_HEADER)
    yield from grid.row(first)
    for row in rows:
        yield from grid.row(row)


def _stacked(rows: Iterator[tuple[str, str, str, str]], screen: Screen) -> Iterator[str]:
    for source, target, traffic, bound in rows:
        yield from screen.folded(f"{source} → {target}")
        yield from screen.folded(f"{traffic}, {bound}", indent="  ")


def _summary(answer: ReachAnswer, screen: Screen, left_out: str) -> Iterator[str]:
    if answer.tally.any:
        yield ""
    elif answer.estate.interfaces:
        yield from screen.folded(f"{answer.nothing[0].upper()}{answer.nothing[1:]}.")
        yield ""
    for note in (*answer.notes, *((left_out,) if left_out else ())):
        yield from screen.folded(f"note: {note}")
    for line in _doubts(answer):
        yield from screen.folded(line)
    yield from unread_lines(answer.read, screen)
    yield from screen.folded("; ".join(summary_of_pairs(answer)))


def _doubts(answer: ReachAnswer) -> Iterator[str]:
    """Yield what is not known, and how to ask for all of it."""
    found = answer.doubts
    if found is None:
        return
    for reason in found.reasons:
        yield f"not known: {reason}"
    start, end, traffic = map(quote, (own_id(found.source), own_id(found.target), str(found.traffic)))
    yield f"all that is not known of a pair: cloudseg explain SOURCE --from {start} --to {end} --traffic {traffic}"


def summary_of_pairs(answer: ReachAnswer, *, counted: bool = True) -> Iterator[str]:
    """Yield what an answer comes to, once its flows were counted: pairs, what is unknown of them, and gaps.

    Without ``counted`` they were not, or only some: then nothing is said of pairs.
    """
    tally, estate, sources, targets = answer.tally, answer.estate, answer.sources, answer.targets
    classes = len(answer.reach.classes)
    yield f"{amount(len(estate.interfaces), 'interface')} in {classes:,} class{'' if classes == 1 else 'es'}"
    if not estate.interfaces:
        yield "nobody reaches anybody, for no interface was read"
    elif counted:
        if answer.possible:
            yield f"{tally.talking:,} of {amount(answer.possible, 'pair')} can talk"
        if tally.perhaps:
            yield f"{tally.perhaps:,} more at most"
        if tally.open:
            yield f"something is unknown of {amount(tally.open, 'pair')}"
        if (sources is None or sources.outside) and (targets is None or targets.interfaces):
            yield f"{amount(tally.entered, 'interface')} can be reached from outside"
        if (targets is None or targets.outside) and (sources is None or sources.interfaces):
            yield f"{amount(tally.leaving, 'interface')} can reach outside"
    if answer.gaps:
        yield f"the answer is incomplete: {amount(answer.gaps, 'gap')}"


REPORTER = Reporter(name="table", suffixes=(".txt",), write=_write)
