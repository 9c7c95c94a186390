"""Translation and all checks over generated snapshots of growing size.

Run as ``python -m benchmarks.scale [RUNS]``. ``python -m benchmarks.scale --one SNAPSHOT`` is the fresh process of one
size: it prints its stages as JSON.
"""

from __future__ import annotations

import gc
import io
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

SIZES = (1_000, 10_000, 100_000)
CHECKS = "all checks"
ALONE = "checks of one rule or interface"
"""The stages that the budgets are about."""
TOGETHER = frozenset(
    {
        "blocked-intent",
        "cross-environment-path",
        "firewall-bypass",
        "flat-network",
        "outside-intent",
        "redundant-rule",
        "shadowed-rule",
        "tier-skip",
        "unfiltered-internet-route",
        "wide-peering-route",
    }
)
"""The checks that ask who reaches whom, or compare rules with each other."""
DECODE = "decode"
"""The stage that the others are compared with: msgspec decoding the snapshot's JSON."""

T = TypeVar("T")


class _Stages(msgspec.Struct):
    """Seconds of each stage, the largest memory until its end in MiB, and how much there was."""

    seconds: dict[str, float] = {}
    memory: dict[str, float] = {}
    rules: int = 0
    interfaces: int = 0
    findings: int = 0

    def timed(self, stage: str, work: Callable[[], T]) -> T:
        """Do the work of a stage and keep what it cost."""
        started = time.perf_counter()
        answer = work()
        self.seconds[stage] = time.perf_counter() - started
        self.memory[stage] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return answer


class _Discard(io.StringIO):
    """Takes a report and forgets it, so that what is measured is the writing."""

    def write(self, text: str, /) -> int:
        """Forget the text."""
        return len(text)


def _one(place: Path) -> _Stages:
    from cloudseg.cli.sources import translate
    from cloudseg.engine import AuditRequest, run_audit, select_checks
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.exposure import exposure_of
    from cloudseg.reporters import RenderOptions
    from cloudseg.reporters.formats import FORMATS

    # As the program itself does first, in its command line.
    gc.set_threshold(2_000_000, 20, 50)
    stages = _Stages()
    snapshot = stages.timed(DECODE, lambda: _decoded(place))
    estate = stages.timed("translate", lambda: translate(snapshot))
    alone = select_checks(skip=TOGETHER)
    stages.timed(ALONE, lambda: run_audit(estate, AuditRequest(checks=alone, exposure=False)))
    document = stages.timed(CHECKS, lambda: run_audit(estate, AuditRequest(exposure=False)))
    stages.timed("exposure", lambda: exposure_of(Reachability(estate)))
    stages.timed("report as JSON", lambda: FORMATS["json"].write(document, _Discard(), RenderOptions()))
    stages.rules, stages.interfaces = document.summary.rules, document.summary.interfaces
    stages.findings = len(document.findings)
    return stages


def _decoded(place: Path) -> Snapshot:
    snapshot = load(place)
    for part in snapshot.parts():
        snapshot.read(part)
    return snapshot


def measure(runs: int = 3) -> Result:
    """Translate and audit each size in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for rules in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "snapshot"
            run([PYTHON, "-m", "benchmarks.account_snapshot", str(place), str(rules)])
            command = [PYTHON, "-m", "benchmarks.scale", "--one", str(place)]
            found = [msgspec.json.decode(run(command).output, type=_Stages) for _ in range(runs)]
        seconds = {stage: statistics.median(each.seconds[stage] for each in found) for stage in found[0].seconds}
        memory = {stage: statistics.median(each.memory[stage] for each in found) for stage in found[0].memory}
        for stage, cost in seconds.items():
            size = (f"{found[0].rules:,}", f"{found[0].interfaces:,}", f"{found[0].findings:,}")
            times = f"{cost / seconds[DECODE]:.1f}"
            rows.append((stage, *size, f"{cost:.3f}", times, f"{memory[stage]:.0f}"))
        if rules == max(SIZES):
            budgets.extend(Budget(f"{stage} at {rules:,} rules", seconds[stage], 3, "s") for stage in (ALONE, CHECKS))
    about = (
        "Generated snapshots; each size in fresh processes. The stages run one after the other, so memory is the "
        "largest until its end. The ratio is to decoding the snapshot's JSON with msgspec in the same process."
    )
    header = ("stage", "rules", "interfaces", "findings", "s", "x decode", "MiB")
    return Result("Scale", about, header, tuple(rows), tuple(budgets))


def main() -> None:
    """Measure every size, or be the process of one."""
    if sys.argv[1:2] == ["--one"]:
        sys.stdout.buffer.write(msgspec.json.encode(_one(Path(sys.argv[2]))))
    else:
        print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3).markdown())


if __name__ == "__main__":
    main()
