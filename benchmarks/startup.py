"""What the program costs before it does anything: `--help`, against bare Python and Cloud Custodian.

Run as ``python -m benchmarks.startup [RUNS]``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.custodian import Custodian, install
from benchmarks.processes import PYTHON, Cost, median_of, run
from benchmarks.results import Budget, Result

__all__ = ["measure"]


def measure(runs: int = 21, custodian: Custodian | None = None) -> Result:
    """Start each program several times, in turn, and return the medians."""
    with tempfile.TemporaryDirectory() as folder:
        peer = custodian or install(Path(folder) / "custodian")
        program = Path(PYTHON).parent / "cloudseg"
        commands = {
            "python -c pass": [PYTHON, "-c", "pass"],
            "cloudseg --help": [str(program), "--help"],
            "cloudseg audit --help": [str(program), "audit", "--help"],
        }
        if peer.program is not None:
            commands["custodian --help"] = [str(peer.program), "--help"]
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(runs + 1):
            for name, command in commands.items():
                costs[name].append(run(command))
    found = {name: median_of(each[1:]) for name, each in costs.items()}
    rows = tuple((name, f"{c.wall:.3f}", f"{c.cpu:.3f}") for name, c in found.items())
    own, other = found["cloudseg --help"].wall, found.get("custodian --help")
    budgets = (
        Budget("`cloudseg --help`, wall", own, 0.15, "s"),
        Budget(
            "`cloudseg --help` over `custodian --help`, wall",
            None if other is None else own / other.wall,
            0.5,
            note="" if peer.program else f"it did not install: {peer.problem}",
        ),
    )
    return Result("Start-up", f"Medians of {runs} runs, in turn.", ("program", "wall s", "CPU s"), rows, budgets)


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 21).markdown())
