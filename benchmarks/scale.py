"""Translation and all checks over generated snapshots of growing size.

Run as ``python -m benchmarks.scale [RUNS]``. ``python -m benchmarks.scale --one SNAPSHOT`` is the fresh process of one
size: it prints its stages as JSON.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import PYTHON, run
from benchmarks.results import Budget, Result
from benchmarks.stages import decoded, main, measured

if TYPE_CHECKING:
    from benchmarks.stages import Stages

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


class _Discard(io.StringIO):
    """Takes a report and forgets it, so that what is measured is the writing."""

    def write(self, text: str, /) -> int:
        """Forget the text."""
        return len(text)


def _one(place: str, stages: Stages) -> None:
    from cloudseg.cli.sources import translate
    from cloudseg.engine import AuditRequest, run_audit, select_checks
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.exposure import exposure_of
    from cloudseg.reporters import RenderOptions
    from cloudseg.reporters.formats import FORMATS

    snapshot = stages.timed(DECODE, lambda: decoded(Path(place)))
    estate = stages.timed("translate", lambda: translate(snapshot))
    alone = select_checks(skip=TOGETHER)
    stages.timed(ALONE, lambda: run_audit(estate, AuditRequest(checks=alone, exposure=False)))
    document = stages.timed(CHECKS, lambda: run_audit(estate, AuditRequest(exposure=False)))
    stages.timed("exposure", lambda: exposure_of(Reachability(estate)))
    stages.timed("report as JSON", lambda: FORMATS["json"].write(document, _Discard(), RenderOptions()))
    stages.counts = {
        "rules": document.summary.rules,
        "interfaces": document.summary.interfaces,
        "findings": len(document.findings),
    }


def measure(runs: int = 3) -> Result:
    """Translate and audit each size in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for rules in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "snapshot"
            run([PYTHON, "-m", "benchmarks.account_snapshot", str(place), str(rules)])
            found = measured("benchmarks.scale", str(place), runs)
        size = tuple(found.number(name) for name in ("rules", "interfaces", "findings"))
        for stage, cpu in found.cpu.items():
            times = f"{cpu / found.cpu[DECODE]:.1f}"
            rows.append((stage, *size, f"{found.wall[stage]:.3f}", f"{cpu:.3f}", times, f"{found.memory[stage]:.0f}"))
        if rules == max(SIZES):
            budgets.extend(
                Budget(f"{stage} at {rules:,} rules", found.wall[stage], 3, "s") for stage in (ALONE, CHECKS)
            )
    about = (
        "Generated snapshots; each size in fresh processes. The stages run one after the other, so memory is the "
        "largest until its end. The ratio is of CPU times, to decoding the snapshot's JSON with msgspec in the same "
        "process."
    )
    header = ("stage", "rules", "interfaces", "findings", "wall s", "CPU s", "x decode", "MiB")
    return Result("Scale", about, header, tuple(rows), tuple(budgets))


if __name__ == "__main__":
    main(measure, _one)
