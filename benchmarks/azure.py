"""A large Azure subscription: translation, all pairs and all checks over a generated snapshot.

Run as ``python -m benchmarks.azure [RUNS]``. ``python -m benchmarks.azure --one SNAPSHOT`` is the fresh process of one
run: it prints its stages as JSON.
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from benchmarks.processes import PYTHON, run
from benchmarks.results import Budget, Result
from cloudseg.snapshot import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.snapshot import Snapshot

__all__ = ["measure"]

NICS, RULES = 5_000, 10_000
DECODE, COMPILE, PAIRS, CHECKS = "decode", "compile", "all pairs", "all checks"

T = TypeVar("T")


class _Stages(msgspec.Struct):
    """CPU seconds of each stage, the largest memory until its end in MiB, and how much there was."""

    seconds: dict[str, float] = {}
    memory: dict[str, float] = {}
    interfaces: int = 0
    rules: int = 0
    classes: int = 0
    findings: int = 0

    def timed(self, stage: str, work: Callable[[], T]) -> T:
        """Do the work of a stage and keep what it cost."""
        started = time.process_time()
        answer = work()
        self.seconds[stage] = time.process_time() - started
        self.memory[stage] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return answer


def _one(place: Path) -> _Stages:
    from cloudseg.cli.sources import translate
    from cloudseg.engine import AuditRequest, run_audit
    from cloudseg.reach.reachability import Reachability

    # As the program itself does first, in its command line.
    gc.set_threshold(2_000_000, 20, 50)
    stages = _Stages()
    snapshot = stages.timed(DECODE, lambda: _decoded(place))
    estate = stages.timed("translate", lambda: translate(snapshot))
    reach = stages.timed(COMPILE, lambda: Reachability(estate))
    stages.timed(PAIRS, lambda: sum(reach.matrix.arrivals(n).inside.exact for n in reach.matrix.order()))
    document = stages.timed(CHECKS, lambda: run_audit(estate, AuditRequest(exposure=False)))
    stages.interfaces, stages.rules = document.summary.interfaces, document.summary.rules
    stages.classes, stages.findings = len(reach.classes), len(document.findings)
    return stages


def _decoded(place: Path) -> Snapshot:
    snapshot = load(place)
    for part in snapshot.parts():
        snapshot.read(part)
    return snapshot


def measure(runs: int = 3) -> Result:
    """Translate, compile and audit the subscription in fresh processes and return the medians."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "snapshot"
        run([PYTHON, "-m", "benchmarks.azure_snapshot", str(place), str(NICS), str(RULES)])
        command = [PYTHON, "-m", "benchmarks.azure", "--one", str(place)]
        found = [msgspec.json.decode(run(command).output, type=_Stages) for _ in range(runs)]
    seconds = {stage: statistics.median(each.seconds[stage] for each in found) for stage in found[0].seconds}
    memory = {stage: statistics.median(each.memory[stage] for each in found) for stage in found[0].memory}
    rows = tuple(
        (stage, f"{taken:.2f}", f"{taken / seconds[DECODE]:.1f}", f"{memory[stage]:.0f}")
        for stage, taken in seconds.items()
    )
    budgets = (
        Budget(f"Azure: {CHECKS} at {RULES:,} rules of NSGs", seconds[CHECKS], 3, "s"),
        Budget(f"Azure: {COMPILE} and {PAIRS}, {NICS:,} NICs", seconds[COMPILE] + seconds[PAIRS], 2, "s"),
    )
    first = found[0]
    about = (
        f"A generated snapshot of {first.interfaces:,} NICs in {first.classes:,} classes, {first.rules:,} rules of "
        f"NSGs (default ones included), {first.findings:,} findings. A fifth of the rules is for a single machine, "
        "which makes it a class of its own. CPU time; the ratio is to decoding the snapshot's JSON with msgspec."
    )
    return Result("An Azure subscription", about, ("stage", "CPU s", "x decode", "MiB"), rows, budgets)


def main() -> None:
    """Measure, or be the process of one run."""
    if sys.argv[1:2] == ["--one"]:
        sys.stdout.buffer.write(msgspec.json.encode(_one(Path(sys.argv[2]))))
    else:
        print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3).markdown())


if __name__ == "__main__":
    main()
