"""One drawn case from the world to the verdict, for the tests and the longer run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from tests.flows.oracle import conversations, lines
from tests.flows.simulated.expected import Key, expected
from tests.flows.simulated.judging import Judgement, Problem, judge
from tests.flows.simulated.running import read_rows, summarised, write_logs
from tests.flows.simulated.seen import draw_case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.flows.conversations import Conversation
    from tests.flows.oracle import Found
    from tests.flows.simulated.seen import Case

__all__ = ["PROVIDERS", "Run", "against_oracle", "check", "rows_of"]

PROVIDERS = ("aws", "azure", "gcp", "kubernetes")


class Run(NamedTuple):
    """What came of a case.

    Attributes:
        records: how many records the logs held.
    """

    judgement: Judgement
    records: int
    rows: list[Conversation]


def check(provider: str, seed: int, number: int = 40) -> Run:
    """Draw a case, write its logs, summarise them, and hold the rows against the truth and the oracle."""
    random = Random(seed)
    case = draw_case(random, provider, number)
    with TemporaryDirectory() as folder:
        paths = write_logs(random, case, Path(folder) / "logs", random.choice((1, 1, 3)))
        output = Path(folder) / "conversations.parquet"
        summarised(paths, output)
        rows = read_rows(output)
        found = conversations(lines(paths))
    judged = judge(expected(case), rows)
    problems = [*judged.problems, *against_oracle(found, rows)]
    records = len(case.events if provider == "kubernetes" else case.seen)
    return Run(Judgement(problems, judged.tally), records, rows)


def rows_of(case: Case, seed: int, *, cuts: int = 1, threads: int | None = None) -> list[Conversation]:
    """Summarise the logs of a case, cut into pieces in an order that the seed draws."""
    with TemporaryDirectory() as folder:
        paths = write_logs(Random(seed), case, Path(folder) / "logs", cuts)
        output = Path(folder) / "conversations.parquet"
        summarised(paths, output, threads=threads)
        return read_rows(output)


def against_oracle(found: Iterable[Found], rows: Iterable[Conversation]) -> list[Problem]:
    """What the oracle knows and the rows do not, and what the rows are sure of and the oracle is not."""
    known = {Key(each.client, each.server, each.protocol, each.port): each for each in found}
    told = Counter(
        Key(row.initiator, row.responder, row.protocol, row.port) for row in rows if row.confidence == "high"
    )
    missing = [
        Problem("not as sure as the oracle", f"{each}")
        for key, each in known.items()
        if each.proved and key not in told  # who listens is asked in each network apart
    ]
    return [*missing, *(Problem("surer than the oracle", f"{key}") for key in told if key not in known)]
