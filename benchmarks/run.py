"""Runs every benchmark and writes what they found as Markdown: ``python -m benchmarks.run [FILE] [RUNS]``."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import audit_aws, azure, flows, gcp, kubernetes, plan, planning, reach, scale, slow_api, startup
from benchmarks.custodian import install
from benchmarks.results import budgets_table

__all__ = ["main"]

RUNS = 3
_INTRODUCTION = """\
# Benchmarks

Written by `make bench`. What counts are the ratios, of programs that ran in turn on the same machine; `no` is a budget
that is not met. Budgets in seconds are wall time, on a machine that does nothing else: where the CPU time beside it is
far shorter, the machine was busy. Each figure is {runs} (start-up: the median of {startups}), each in a fresh process.

{date}, Python {python}, {processor}, {cores} cores, {system}."""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def main() -> None:
    """Run and write; progress goes to stderr."""
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/benchmarks.md")
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    startups = 7 * runs
    with tempfile.TemporaryDirectory() as folder:
        peer = install(Path(folder) / "custodian")
        results = [startup.measure(startups, peer)]
        print("start-up: done", file=sys.stderr)
        results.append(scale.measure(runs))
        print("scale: done", file=sys.stderr)
        results.append(reach.measure(runs))
        print("reach: done", file=sys.stderr)
        results.append(kubernetes.measure(runs))
        print("kubernetes: done", file=sys.stderr)
        results.append(azure.measure(runs))
        print("azure: done", file=sys.stderr)
        results.append(gcp.measure(runs))
        print("gcp: done", file=sys.stderr)
        results.append(flows.measure(runs))
        print("flows: done", file=sys.stderr)
        results.append(plan.measure(runs))
        print("plan: done", file=sys.stderr)
        results.append(planning.measure(runs))
        print("planning: done", file=sys.stderr)
        results.append(audit_aws.measure(runs, peer))
        print("audit aws: done", file=sys.stderr)
        results.append(slow_api.measure(runs))
    introduction = _INTRODUCTION.format(
        runs=f"the median of {runs} runs" if runs > 1 else "of one run",
        startups=startups,
        date=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        processor=_processor(),
        cores=os.cpu_count(),
        system=platform.system(),
    )
    budgets = budgets_table(budget for result in results for budget in result.budgets)
    sections = [introduction, f"## Budgets\n\n{budgets}", *(result.markdown().rstrip() for result in results)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
