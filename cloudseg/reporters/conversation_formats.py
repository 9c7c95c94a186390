"""Conversations shown: as a table of the most frequent, and as CSV."""

from __future__ import annotations

import csv
import heapq
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from cloudseg.reporters.csv_cells import csv_cell
from cloudseg.reporters.grid import Grid
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.screen import Screen
from cloudseg.reporters.text import amount
from cloudseg.traffic.protocols import protocol_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from cloudseg.flows.conversations import Conversation, Conversations

__all__ = ["COLUMNS", "CONVERSATION_FORMATS", "traffic_of"]

COLUMNS: Final = (
    "provider", "initiator", "initiator_name", "responder", "responder_name", "traffic", "verdict", "connections",
    "records", "bytes", "bytes_back", "first_seen", "last_seen", "evidence", "confidence",
)  # fmt: skip
"""The columns of the CSV; new ones are added at the end only."""
_HEADER: Final = ("initiator", "responder", "traffic", "verdict", "opened", "last seen", "known by")
_FIXED: Final = (11, 13, 9, 10, 9)


def traffic_of(protocol: int, port: int | None) -> str:
    """Return a protocol and a port in words: ``tcp/443``; ``icmp`` where there are no ports."""
    return protocol_name(protocol) if port is None else f"{protocol_name(protocol)}/{port}"


def _first(found: Conversations, limit: int) -> list[Conversation]:
    """Return the conversations that were opened most often, in the order of the file where that is equal."""
    rows = found.rows()
    frequent = attrgetter("connections")
    return heapq.nlargest(limit, rows, key=frequent) if limit else sorted(rows, key=frequent, reverse=True)


def _table(found: Conversations, stream: TextIO, options: RenderOptions) -> None:
    screen = Screen(options)
    stream.writelines(f"{line}\n" for line in _table_lines(_first(found, options.limit), len(found), screen))


def _table_lines(rows: list[Conversation], count: int, screen: Screen) -> Iterator[str]:
    if not rows:
        yield from screen.folded("No conversation was seen.")
        return
    room = screen.width - screen.indent - sum(_FIXED) - (len(_HEADER) - 1) * screen.gap
    longest = max(screen.cells(text) for row in rows for text in _ends(row))
    end = max(min(room // 2, longest), len(_HEADER[0]))
    grid = Grid((end, end, *_FIXED), screen)
    yield from grid.header(_HEADER)
    for row in rows:
        # Of what began before the window, and where a log does not say, nobody knows how often.
        opened = f"{row.connections:,}" if row.connections else "-"
        shown = (traffic_of(row.protocol, row.port), row.verdict, opened, f"{row.last_seen:%Y-%m-%d}", row.evidence)
        yield from grid.row((*_ends(row), *shown))
    if len(rows) < count:
        yield ""
        yield from screen.folded(f"… and {amount(count - len(rows), 'conversation')} more; --limit 0 shows all")


def _ends(row: Conversation) -> tuple[str, str]:
    """Return the ends as one reads them: with the names that the log has for them, and the port of an unknown one."""
    start = row.initiator if row.initiator_port is None else f"{row.initiator}:{row.initiator_port}"
    names = ((start, row.initiator_name), (row.responder, row.responder_name))
    source, target = (f"{end} ({name})" if name else end for end, name in names)
    return source, target


def _csv(found: Conversations, stream: TextIO, options: RenderOptions) -> None:
    rows: Iterable[Conversation] = _first(found, options.limit) if options.limit else found.rows()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        ends = (row.initiator, row.initiator_name or "", row.responder, row.responder_name or "")
        times = (f"{seen:%Y-%m-%dT%H:%M:%SZ}" for seen in (row.first_seen, row.last_seen))
        writer.writerow(
            (
                row.provider, *map(csv_cell, ends), traffic_of(row.protocol, row.port), row.verdict, row.connections,
                row.records, row.bytes, row.bytes_back, *times, row.evidence, row.confidence,
            )
        )  # fmt: skip


CONVERSATION_FORMATS: Final = {
    reporter.name: reporter
    for reporter in (
        Reporter(name="table", suffixes=(".txt",), write=_table),
        Reporter(name="csv", suffixes=(".csv",), write=_csv),
    )
}
