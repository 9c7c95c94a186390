"""Flow logs become conversations: rows a second and memory, against two aggregates of DuckDB on the same files.

Run as ``python -m benchmarks.flows [RUNS] [ROWS]``. ``python -m benchmarks.flows bare|hand FOLDER THREADS`` is one run
of an aggregate:

- ``bare``: records counted by observer, both addresses, the lesser port, protocol and verdict, no more;
- ``hand``: those that whoever wants conversations would count by hand. It reads the columns and groups by the keys
  without which no later step can tell who opened a connection, and between whom.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks import flow_join
from benchmarks.processes import PYTHON, Cost, median_of, run
from benchmarks.results import Budget, Result
from benchmarks.results import table as results_table

__all__ = ["measure"]

ROWS = 20_000_000
THREADS = 2
FEW, MANY = 17_500, 1_000_000
CAP = "500MB"
_SLOWEST = 1.25
"""Eight tenths of the bare aggregate's speed."""
_COUNTS = """
    protocol, least(TRY_CAST(srcport AS INTEGER), TRY_CAST(dstport AS INTEGER)) AS port, "action",
    count(*), sum(CAST(bytes AS BIGINT)), sum(CAST(packets AS BIGINT)),
    min(CAST("start" AS BIGINT)), max(CAST("end" AS BIGINT))
FROM {files}
"""
_QUERIES = {
    "bare": f"""SELECT "interface-id", srcaddr, dstaddr, {_COUNTS} GROUP BY ALL""",
    # Of packets that were translated the true ends; at which end the observer stands, in which network, and whose; and
    # the handshake, which alone tells who opened it.
    "hand": f"""SELECT "account-id", "vpc-id", "interface-id", "flow-direction",
    COALESCE(NULLIF("pkt-srcaddr", '-'), srcaddr) AS src, COALESCE(NULLIF("pkt-dstaddr", '-'), dstaddr) AS dst,
    TRY_CAST("tcp-flags" AS INTEGER) & 18 AS handshake, {_COUNTS} WHERE "log-status" = 'OK' GROUP BY ALL""",
}


class _Case(NamedTuple):
    """One set of files: how they are written, and how many conversations are in them."""

    kind: str
    conversations: int

    @property
    def name(self) -> str:
        """What the set is called in tables."""
        # Each conversation is seen there and back, at both ends.
        return f"{self.kind}, {self.conversations * 4:,} groups"


CASES = (_Case("parquet", FEW), _Case("parquet", MANY), _Case("text", FEW), _Case("text", MANY))


def aggregate(which: str, folder: str, threads: str) -> None:
    """Run one of the aggregates, and keep its groups as the program keeps its conversations."""
    import duckdb

    database = duckdb.connect(config={"threads": int(threads)})
    text = next(Path(folder).iterdir()).suffix == ".gz"
    files = (
        f"read_csv('{folder}/*.gz', delim=' ', header=true, all_varchar=true, nullstr='-')"
        if text
        else f"'{folder}/*.parquet'"
    )
    query = _QUERIES[which].format(files=files)
    if not text:
        # Parquet files of flow logs write underscores where text has hyphens.
        query = re.sub(r'"[a-z-]+"', lambda name: name[0].replace("-", "_"), query)
    database.execute(f"COPY ({query}) TO '{folder}.{which}' (FORMAT parquet)")


def measure(runs: int = 1, rows: int = ROWS) -> Result:
    """Write the files, run all programs over each set in turn, and return what they cost."""
    command = str(Path(PYTHON).parent / "cloudseg")
    table: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    with tempfile.TemporaryDirectory() as place:
        for number, case in enumerate(CASES):
            folder = Path(place) / str(number)
            # The writer needs more memory than those that are measured.
            run([PYTHON, "-m", "benchmarks.flow_files", str(folder), str(rows), str(case.conversations), case.kind])
            size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
            ours = [command, "flows", str(folder), "-o", f"{folder}.parquet", "--threads", str(THREADS), "--quiet"]
            programs = {
                **{name: [PYTHON, "-m", "benchmarks.flows", name, str(folder), str(THREADS)] for name in _QUERIES},
                "cloudseg": ours,
            }
            costs: dict[str, list[Cost]] = {name: [] for name in programs}
            for _ in range(runs):
                for name, program in programs.items():
                    costs[name].append(run(program))
            medians = {name: median_of(each) for name, each in costs.items()}
            table.extend(_row(case.name, name, cost, rows, size) for name, cost in medians.items())
            budgets.extend(
                Budget(
                    f"{case.name}: wall time over that of the aggregate {name!r}",
                    medians["cloudseg"].wall / medians[name].wall,
                    _SLOWEST,
                )
                for name in _QUERIES
            )
            if case == _Case("parquet", MANY):
                capped = run([*ours, "--memory", CAP])
                table.append(_row(case.name, f"cloudseg, {CAP} for the aggregate", capped, rows, size))
            for file in folder.iterdir():
                file.unlink()
    about = (
        f"{rows:,} records of AWS in {len(CASES)} sets of files, {THREADS} threads. Both aggregates take the "
        "lesser port for the responder's, and keep both directions and both ends as groups of their own; the bare one "
        "cannot tell who opened a connection, nor see through NAT, and knows neither network nor account."
    )
    header = ("files", "program", "wall s", "CPU s", "million rows/s", "MiB", "MB of files")
    beside = flow_join.measure(runs)
    notes = (f"### {beside.title}", beside.about, results_table(beside.header, beside.rows))
    return Result("Flow logs", about, header, tuple(table), (*budgets, *beside.budgets), notes)


def _row(files: str, program: str, cost: Cost, rows: int, size: float) -> tuple[str, ...]:
    return (
        f"{files}", program, f"{cost.wall:.2f}", f"{cost.cpu:.2f}", f"{rows / cost.wall / 1e6:.1f}",
        f"{cost.memory:.0f}", f"{size:.0f}",
    )  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in _QUERIES:
        aggregate(*sys.argv[1:])
    else:
        print(measure(*map(int, sys.argv[1:])).markdown())
