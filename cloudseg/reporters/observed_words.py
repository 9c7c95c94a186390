"""Observed conversations in words, for reports that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters.text import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.observed.report import IntentCell, LogsRead, ObservedTraffic, RefusedTraffic

__all__ = ["matrix_lines", "observed_lines", "refusal_lines", "stale_lines"]

_DAY = 10
_LOSSES = 3
_ENDS = {
    "beyond": "a private address in no network that was read",
    "gone": "an interface that is not in the estate",
    "unknown": "an end that is not known",
}


def observed_lines(observed: ObservedTraffic) -> Iterator[str]:
    """Yield how much was observed, over what time, and what stays open of it."""
    logs = observed.logs
    total = observed.accepted + observed.refused + observed.answers_refused
    if not total:
        yield f"observed: no conversation; {_window(logs)}"
    else:
        answers = f", {observed.answers_refused:,} whose answers were refused" if observed.answers_refused else ""
        refused = f"{observed.accepted:,} accepted, {observed.refused:,} refused{answers}"
        yield f"observed: {amount(total, 'conversation')} ({refused}); {_window(logs)}"
    open_ends = [f"{observed.ends[kind]:,} with {words}" for kind, words in _ENDS.items() if observed.ends.get(kind)]
    if open_ends:
        yield f"ends: {', '.join(open_ends)}"
    if observed.initiator_unknown or observed.initiator_by_rule:
        told = f"; of {observed.initiator_by_rule:,} the rules tell" if observed.initiator_by_rule else ""
        yield f"initiators: of {amount(observed.initiator_unknown, 'conversation')} nothing tells who opened it{told}"
    lost = [
        *([f"{amount(logs.lost, 'file')} not read in full"] if logs.lost else []),
        *([f"{amount(logs.skipped, 'record')} of loss in the cloud"] if logs.skipped else []),
        *([f"{amount(logs.bad, 'row')} without sense"] if logs.bad else []),
    ]
    if lost:
        yield f"logs: {', '.join(lost)}"
        for loss in logs.losses[:_LOSSES]:
            yield f"  {loss}"
    for note in logs.notes:
        yield f"logs: {note}"


def refusal_lines(observed: ObservedTraffic) -> Iterator[str]:
    """Yield the refused conversations with the most attempts, and what refuses them."""
    if not observed.refusals:
        return
    yield f"refused, {_shown(observed.refusals, observed.refused_groups)} with the most attempts:"
    for each in observed.refusals:
        yield f"  {_refused(each)}"


def stale_lines(observed: ObservedTraffic) -> Iterator[str]:
    """Yield what was accepted and the rules of today do not let through."""
    if not observed.stale:
        return
    yield f"accepted, and not let through by the rules of today: {amount(observed.stale, 'conversation')}"
    for each in observed.stale_examples:
        yield f"  {each.traffic} from {each.source} to {each.target}, last seen {each.last_seen[:_DAY]}"


def matrix_lines(observed: ObservedTraffic) -> Iterator[str]:
    """Yield the matrix of what was observed and what is intended: counts, then the rows that people look at."""
    if not observed.intent:
        return
    counts = ", ".join(f"{cell.conversations:,} {cell.cell}" for cell in observed.intent)
    unjudged = f", {observed.unjudged:,} not judged" if observed.unjudged else ""
    yield f"observed and intended: {counts}{unjudged}"
    for cell in observed.intent:
        if cell.cell in {"escaped", "refused but intended"} and cell.rows:
            yield from _cell(cell)


def _cell(cell: IntentCell) -> Iterator[str]:
    words = "accepted, not intended" if cell.cell == "escaped" else "refused, although intended"
    yield f"{cell.cell} ({words}), {_shown(cell.rows, cell.groups)}:"
    for row in cell.rows:
        ends = f"{_segments(row.sources)} to {_segments(row.targets)}"
        times = amount(row.connections, "connection")
        yield f"  {ends}: {row.traffic}, {times}, last seen {row.last_seen[:_DAY]} ({row.example})"


def _refused(each: RefusedTraffic) -> str:
    what = "answers to " if each.answers else ""
    tries = f"{amount(each.attempts, 'attempt')}, last seen {each.last_seen[:_DAY]}"
    rules = f" ({'; '.join(each.rules[:2])})" if each.rules else ""
    return f"{what}{each.traffic} from {each.source} to {each.target}: {tries}; {each.reason}{rules}"


def _segments(names: Sequence[str]) -> str:
    return " and ".join(names) or "no segment"


def _shown(rows: Sequence[object], total: int) -> str:
    return f"{total:,}" if len(rows) == total else f"{len(rows):,} of {total:,}"


def _window(logs: LogsRead) -> str:
    if not logs.first:
        return "the logs hold no record"
    formats = f" in {', '.join(logs.formats)}" if logs.formats else ""
    return f"{logs.first[:_DAY]} to {logs.last[:_DAY]}{formats}"
