"""A large scope of one cloud: translation, all pairs and all checks over a generated snapshot."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import PYTHON, run
from benchmarks.results import Budget, Result
from benchmarks.stages import decoded, measured

if TYPE_CHECKING:
    from benchmarks.stages import Stages

__all__ = ["INTERFACES", "RULES", "measure_cloud", "one_cloud"]

INTERFACES, RULES = 5_000, 10_000
DECODE, COMPILE, PAIRS, CHECKS = "decode", "compile", "all pairs", "all checks"


def one_cloud(place: str, stages: Stages) -> None:
    """Go through the stages over one snapshot, in the process of one run."""
    from cloudseg.cli.sources import translate
    from cloudseg.engine import AuditRequest, run_audit
    from cloudseg.reach.reachability import Reachability

    snapshot = stages.timed(DECODE, lambda: decoded(Path(place)))
    estate = stages.timed("translate", lambda: translate(snapshot))
    reach = stages.timed(COMPILE, lambda: Reachability(estate))
    stages.timed(PAIRS, lambda: sum(reach.matrix.arrivals(n).inside.exact for n in reach.matrix.order()))
    document = stages.timed(CHECKS, lambda: run_audit(estate, AuditRequest(exposure=False)))
    stages.counts = {
        "interfaces": document.summary.interfaces,
        "rules": document.summary.rules,
        "classes": len(reach.classes),
        "findings": len(document.findings),
    }


def measure_cloud(cloud: str, title: str, about: str, runs: int) -> Result:
    """Translate, compile and audit a generated scope in fresh processes and return the medians.

    Args:
        cloud: the name of the benchmark, and of what writes its snapshot.
        title: what the section is called.
        about: what is special in the snapshot, in a sentence.
        runs: how often.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "snapshot"
        run([PYTHON, "-m", f"benchmarks.{cloud}_snapshot", str(place), str(INTERFACES), str(RULES)])
        found = measured(f"benchmarks.{cloud}", str(place), runs)
    rows = tuple(
        (
            stage,
            f"{found.wall[stage]:.2f}",
            f"{cpu:.2f}",
            f"{cpu / found.cpu[DECODE]:.1f}",
            f"{found.memory[stage]:.0f}",
        )
        for stage, cpu in found.cpu.items()
    )
    name = title.removeprefix("A project of ").removeprefix("An ").removesuffix(" subscription")
    budgets = (
        Budget(f"{name}: {CHECKS} at {RULES:,} rules", found.wall[CHECKS], 3, "s"),
        Budget(
            f"{name}: {COMPILE} and {PAIRS}, {INTERFACES:,} interfaces",
            found.wall[COMPILE] + found.wall[PAIRS],
            2,
            "s",
        ),
    )
    text = (
        f"A generated snapshot of {found.number('interfaces')} interfaces in {found.number('classes')} classes, "
        f"{found.number('rules')} rules (the provider's own included), {found.number('findings')} findings. {about} "
        "The ratio is of CPU times, to decoding the snapshot's JSON with msgspec."
    )
    return Result(title, text, ("stage", "wall s", "CPU s", "x decode", "MiB"), rows, budgets)
