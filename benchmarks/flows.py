"""Flow logs become conversations: rows a second and memory, against the bare aggregate of DuckDB on the same files.

Run as ``python -m benchmarks.flows [RUNS] [ROWS]``. ``python -m benchmarks.flows --bare FOLDER THREADS`` is one run of
the bare aggregate: records counted by observer, both addresses, the lesser port, protocol and verdict, no more.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import PYTHON, Cost, median_of, run
from benchmarks.results import Budget, Result

__all__ = ["measure"]

ROWS = 20_000_000
THREADS = 2
FEW, MANY = 17_500, 1_000_000
CAP = "500MB"
_SLOWEST = 1.25
"""Eight tenths of the bare aggregate's speed."""
_BARE = """
SELECT {interface}, srcaddr, dstaddr, protocol,
    least(TRY_CAST(srcport AS INTEGER), TRY_CAST(dstport AS INTEGER)) AS port,
    "action", count(*), sum(CAST(bytes AS BIGINT)), sum(CAST(packets AS BIGINT)),
    min(CAST("start" AS BIGINT)), max(CAST("end" AS BIGINT))
FROM {files} GROUP BY ALL
"""


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


def bare(folder: str, threads: str) -> None:
    """Run the bare aggregate, and keep its groups as the program keeps its conversations."""
    import duckdb

    database = duckdb.connect(config={"threads": int(threads)})
    text = next(Path(folder).iterdir()).suffix == ".gz"
    files = (
        f"read_csv('{folder}/*.gz', delim=' ', header=true, all_varchar=true, nullstr='-')"
        if text
        else f"'{folder}/*.parquet'"
    )
    query = _BARE.format(files=files, interface='"interface-id"' if text else "interface_id")
    database.execute(f"COPY ({query}) TO '{folder}.bare' (FORMAT parquet)")


def measure(runs: int = 1, rows: int = ROWS) -> Result:
    """Write the files, run both programs over each set in turn, and return what they cost."""
    program = str(Path(PYTHON).parent / "cloudseg")
    table: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    with tempfile.TemporaryDirectory() as place:
        for number, case in enumerate(CASES):
            folder = Path(place) / str(number)
            # The writer needs more memory than those that are measured.
            run([PYTHON, "-m", "benchmarks.flow_files", str(folder), str(rows), str(case.conversations), case.kind])
            size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
            ours = [program, "flows", str(folder), "-o", f"{folder}.parquet", "--threads", str(THREADS), "--quiet"]
            theirs = [PYTHON, "-m", "benchmarks.flows", "--bare", str(folder), str(THREADS)]
            costs: tuple[list[Cost], list[Cost]] = ([], [])
            for _ in range(runs):
                costs[0].append(run(theirs))
                costs[1].append(run(ours))
            naive, own = (median_of(each) for each in costs)
            table.extend(
                _row(case.name, label, cost, rows, size) for label, cost in (("bare", naive), ("cloudseg", own))
            )
            budgets.append(Budget(f"{case.name}: wall time over the bare aggregate's", own.wall / naive.wall, _SLOWEST))
            if case == _Case("parquet", MANY):
                capped = run([*ours, "--memory", CAP])
                table.append(_row(case.name, f"cloudseg, {CAP} for the aggregate", capped, rows, size))
            for file in folder.iterdir():
                file.unlink()
    about = (
        f"{rows:,} records of AWS in {len(CASES)} sets of files, {THREADS} threads. The bare aggregate takes the "
        "lesser port for the responder's, and keeps both directions and both ends as groups of their own."
    )
    header = ("files", "program", "wall s", "CPU s", "million rows/s", "MiB", "MB of files")
    return Result("Flow logs", about, header, tuple(table), tuple(budgets))


def _row(files: str, program: str, cost: Cost, rows: int, size: float) -> tuple[str, ...]:
    return (
        f"{files}", program, f"{cost.wall:.2f}", f"{cost.cpu:.2f}", f"{rows / cost.wall / 1e6:.1f}",
        f"{cost.memory:.0f}", f"{size:.0f}",
    )  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--bare":
        bare(sys.argv[2], sys.argv[3])
    else:
        print(measure(*map(int, sys.argv[1:])).markdown())
