"""What a generated intent says of itself: the window it rests on, what was dropped, and what a person has to decide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.intent.evidence import day_of
from cloudseg.intent.generate import NOT_CARRIED
from cloudseg.intent.noise import NOISE
from cloudseg.text import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.flows.coverage import Coverage
    from cloudseg.intent.generate import Generated
    from cloudseg.intent.leavings import Left

__all__ = ["ASKED_DAYS", "Window", "foot_lines", "head_lines", "window_of", "window_warnings"]

ASKED_DAYS: Final = 30
"""The days that a window should have: most work comes round within a month."""
_DAY: Final = 86_400
_SHOWN: Final = 40


class Window(NamedTuple):
    """What the conversations rest on.

    Attributes:
        first: begin of the first record, seconds since 1970 in UTC; None where there is none.
        last: end of the last record, likewise.
        formats: the formats of the logs, for people.
        notes: what makes them less than whole: lost files, skipped records, samples; one line each.
    """

    first: int | None
    last: int | None
    formats: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> int:
        """How long it is."""
        return 0 if self.first is None or self.last is None else self.last - self.first

    @property
    def day(self) -> str:
        """The last day of it, ISO 8601; empty where there is none."""
        return "" if self.last is None else day_of(self.last)


def window_of(coverage: Coverage) -> Window:
    """Return the window of a file of conversations, and what makes it less than whole."""
    return Window(
        coverage.first, coverage.last, tuple(each.title for each in coverage.formats), tuple(_lacking(coverage))
    )


def _lacking(coverage: Coverage) -> Iterator[str]:
    if losses := len(coverage.losses):
        first = coverage.losses[0]
        parts = "one file, or a part of it, was" if losses == 1 else f"{losses} files, or parts of them, were"
        yield f"{parts} lost: {first.file}: {first.reason}"
    if coverage.skipped:
        yield f"{coverage.skipped:,} records say that the cloud lost others (SKIPDATA)"
    if coverage.bad:
        yield f"{coverage.bad:,} rows made no sense, and count for nothing"
    if coverage.left_out:
        yield f"{coverage.left_out:,} records were left out by --since or --until"
    yield from coverage.notes


def window_warnings(window: Window, minimum_days: float) -> tuple[str, ...]:
    """Return what is wrong with the window, one line each: too short, without the end of a month, not whole.

    Args:
        window: the window.
        minimum_days: fewer days than these tell too little.
    """
    return tuple(_warnings(window, minimum_days))


def _warnings(window: Window, minimum_days: float) -> Iterator[str]:
    if window.first is None or window.last is None:
        yield "the file holds no conversations and no window: nothing was observed"
        return
    days = window.seconds / _DAY
    if days < minimum_days:
        yield (
            f"the window of {_days(window)} is shorter than {minimum_days:g} days: what runs weekly or monthly was not "
            "seen, and this intent would deny it"
        )
    elif days < ASKED_DAYS:
        yield f"the window of {_days(window)} is shorter than {ASKED_DAYS} days: what runs monthly may be missing"
    if not _holds_month_end(window.first, window.last):
        yield "no end of a month lies in the window: what runs at month end was not seen"
    yield from window.notes


def _holds_month_end(first: int, last: int) -> bool:
    """Tell whether the whole last day of some month lies in the window, in UTC."""
    begin, end = (datetime.fromtimestamp(seconds, UTC) for seconds in (first, last))
    # The first midnight of a month after the window's begin.
    midnight = datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1, tzinfo=UTC)
    while midnight <= end:
        if midnight - timedelta(days=1) >= begin:
            return True
        midnight = datetime(midnight.year + midnight.month // 12, midnight.month % 12 + 1, 1, tzinfo=UTC)
    return False


def head_lines(generated: Generated, window: Window, warnings: Sequence[str]) -> tuple[str, ...]:
    """Return the lines above everything."""
    return tuple(_head(generated, window, warnings))


def _head(generated: Generated, window: Window, warnings: Sequence[str]) -> Iterator[str]:
    yield "lines that begin like this one are written anew by each run of `cloudseg intent`; all others are yours"
    if window.first is not None and window.last is not None:
        logs = f" of {', '.join(window.formats)}" if window.formats else ""
        yield (
            f"observed {day_of(window.first)} to {window.day} ({_days(window)}): "
            f"{amount(generated.conversations, 'conversation')}{logs}"
        )
    for warning in warnings:
        yield f"warning: {warning}"
    for reason, count in generated.dropped.items():
        words = "the estate does not carry it today" if reason == NOT_CARRIED else NOISE[reason]
        yield f"left out: {amount(count, 'conversation')} ({reason}: {words})"
    yield from generated.unfiltered


def foot_lines(generated: Generated) -> tuple[str, ...]:
    """Return the lines below everything: what a person has to decide."""
    return tuple(_foot(generated))


def _foot(generated: Generated) -> Iterator[str]:
    if not generated.left:
        return
    yield ""
    yield "not allowed, and for a person to decide:"
    for reason, group in groupby(generated.left, key=lambda left: left.reason):
        found = list(group)
        yield f"{reason}:"
        for left in found[:_SHOWN]:
            yield f"  {_left_words(left)}"
        if len(found) > _SHOWN:
            yield f"  and {len(found) - _SHOWN} more"


def _left_words(left: Left) -> str:
    last = "" if left.last is None else f", last {day_of(left.last)}"
    opened = f", {amount(left.connections, 'connection')}" if left.connections else ""
    return f"{left.source} to {left.target}, {left.traffic}: {amount(left.conversations, 'conversation')}{opened}{last}"


def _days(window: Window) -> str:
    days = window.seconds / _DAY
    return f"{days:.0f} days" if days >= 1.5 else f"{window.seconds / 3600:.0f} hours"
