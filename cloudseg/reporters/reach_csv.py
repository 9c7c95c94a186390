"""Who reaches whom, one row a pair of endpoints and bound, for spreadsheets: RFC 4180, with a stable header.

Endpoints are written by their qualified ids, addresses outside as ``external:<range>``, each range on its own.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from typing import TYPE_CHECKING

from cloudseg.reach.outside import EXTERNAL
from cloudseg.reporters.csv_cells import csv_cell
from cloudseg.reporters.end_words import EndWords
from cloudseg.reporters.interface import RenderOptions, Reporter

if TYPE_CHECKING:
    from typing import TextIO

    from cloudseg.reporters.reach_answer import ReachAnswer
    from cloudseg.traffic import AddressSet

__all__ = ["HEADER", "REPORTER"]

HEADER = ("from", "from_name", "to", "to_name", "traffic", "bound")
"""Columns; new ones are added at the end only."""


def _write(answer: ReachAnswer, stream: TextIO, _options: RenderOptions) -> None:
    words = EndWords(answer.estate)

    @lru_cache(maxsize=1 << 17)
    def cells(end: str | AddressSet) -> tuple[str, str]:
        if isinstance(end, str):
            return csv_cell(end), csv_cell(words.name(end))
        return csv_cell(f"{EXTERNAL}{end}"), ""

    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(HEADER)
    for pair in answer.pairs(joined=False):
        writer.writerow((*cells(pair.source), *cells(pair.target), str(pair.traffic), pair.bound))


REPORTER = Reporter(name="csv", suffixes=(".csv",), write=_write)
