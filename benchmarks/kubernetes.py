"""Clusters from manifests: the whole of `cloudseg reach` and `cloudseg audit`, and what their parts take.

Run as ``python -m benchmarks.kubernetes [RUNS]``. ``python -m benchmarks.kubernetes --one FOLDER`` is the fresh process
that works on the parts of one size: it prints its stages as JSON.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.cluster_manifests import Size
from benchmarks.processes import PYTHON, Cost, median_of, run
from benchmarks.results import Budget, Result
from benchmarks.stages import main, measured

if TYPE_CHECKING:
    from benchmarks.stages import Stages
    from cloudseg.model import Estate
    from cloudseg.reach.reachability import Reachability

__all__ = ["measure"]

SIZES = (Size(2_000, 600, 200), Size(10_000, 3_000, 1_000))
BUDGET = SIZES[0]
SAMPLE = 20_000
"""So many pairs are asked of the naive evaluator; the rest is reckoned from them."""
_ANSWERED = (0, 1, 3)
"""Exit codes of runs that have an answer: nothing, findings, gaps."""
_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Modules are compiled once, as where a package is installed, and not again by every process."""

BARE = "PyYAML's C loader, the same files"
REACH = "cloudseg reach --format json"
AUDIT = "cloudseg audit --format json"
PARSE, READ = "YAML alone", "read manifests, YAML included"

_BARE_PARSER = """\
import sys, pathlib, yaml
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
"""


def _one(place: str, stages: Stages) -> None:
    from cloudseg.cli.sources import translate
    from cloudseg.engine import AuditRequest, run_audit
    from cloudseg.providers.kubernetes.documents import read_documents
    from cloudseg.providers.kubernetes.manifests import read_manifests
    from cloudseg.reach.reachability import Reachability

    folder = Path(place)
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())]
    stages.timed(PARSE, lambda: sum(1 for text in texts for _ in read_documents(text)))
    snapshot = stages.timed(READ, lambda: read_manifests([folder]))
    # An import that comes late is the whole process's, and no stage's.
    translate(snapshot)
    estate = stages.timed("translate", lambda: translate(snapshot))
    reach = stages.timed("compile", lambda: Reachability(estate))
    stages.timed("all pairs", lambda: sum(reach.matrix.arrivals(n).inside.exact for n in reach.matrix.order()))
    stages.timed("audit: all checks, exposure", lambda: run_audit(estate, AuditRequest()))
    stages.counts["classes"] = len(reach.classes)
    stages.counts["naive seconds"] = _naive_seconds(folder, estate, reach)


def _naive_seconds(folder: Path, estate: Estate, reach: Reachability) -> float:
    """Ask a sample of pairs one by one, and reckon what CPU time all of them would take.

    Raises:
        RuntimeError: the answers are not those of the program, so that nothing was compared.
    """
    from benchmarks.naive_policies import Naive

    naive = Naive(_parsed(folder))
    draw = random.Random(11)
    pairs = [(draw.choice(naive.pods), draw.choice(naive.pods)) for _ in range(SAMPLE)]
    pairs = [(source, target) for source, target in pairs if source is not target]
    started = time.process_time()
    answers = [naive.talk(*pair) for pair in pairs]
    taken = time.process_time() - started
    scope = estate.scopes[0].scope
    for pair, talks in list(zip(pairs, answers, strict=True))[:500]:
        ids = [f"kubernetes:{scope}:{pod.namespace}/{pod.name}[{pod.kind}]" for pod in pair]
        if bool(reach.between(ids[0], ids[1]).upper) != talks:
            raise RuntimeError(f"{ids[0]} to {ids[1]}: the naive evaluator says {talks}")
    count = len(estate.interfaces)
    return taken * count * (count - 1) / len(pairs)


def _parsed(folder: Path) -> list[dict[str, Any]]:
    import yaml

    return [
        item for path in sorted(folder.iterdir()) for item in yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader)
    ]


def measure(runs: int = 3) -> Result:
    """Read, reach and audit clusters of each size in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    notes: list[str] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "manifests"
            run([PYTHON, "-m", "benchmarks.cluster_manifests", str(folder), *map(str, size)])
            written = sum(path.stat().st_size for path in folder.iterdir())
            costs = _whole(folder, runs)
            found = measured("benchmarks.kubernetes", str(folder), runs, _COMPILED)
        words = (f"{size.pods:,}", f"{size.policies:,}")
        for name, cost in costs.items():
            times = f"{cost.cpu / costs[BARE].cpu:.1f}"
            rows.append((name, *words, f"{cost.wall:.2f}", f"{cost.cpu:.2f}", times, f"{cost.memory:.0f}"))
        for stage, cpu in found.cpu.items():
            times = f"{cpu / costs[BARE].cpu:.2f}"
            took = (f"{found.wall[stage]:.2f}", f"{cpu:.2f}")
            rows.append((f"part: {stage}", *words, *took, times, f"{found.memory[stage]:.0f}"))
        pairs, naive = found.cpu["compile"] + found.cpu["all pairs"], found.counts["naive seconds"]
        shares = [f"{found.cpu[PARSE] / costs[name].cpu:.0%} of `{name}`" for name in (REACH, AUDIT)]
        notes.append(
            f"{size.pods:,} pods in {size.namespaces:,} namespaces, {written / 1e6:.1f} MB of YAML. Parsing it is "
            f"{' and '.join(shares)} by CPU time. There are {found.number('classes')} classes of pods that nothing "
            f"tells apart; all pairs take {pairs:.2f} s, asked one by one they would take {naive:.0f} s "
            f"({naive / pairs:.0f} x, reckoned from {SAMPLE:,} pairs)."
        )
        if size == BUDGET:
            budgets.extend(
                Budget(f"`{name}`, {size.pods:,} pods and {size.policies:,} policies, wall", costs[name].wall, 1, "s")
                for name in (REACH, AUDIT)
            )
    about = (
        "Generated manifests, a file a namespace; every workload counts as one pod. Whole processes run in turn, parts "
        "in a process of their own. The ratio is to the CPU time of a process that parses the same files and does "
        "nothing else. Who asks pair by pair is a small evaluator in pure Python (`benchmarks/naive_policies.py`)."
    )
    header = ("program or part", "pods", "policies", "wall s", "CPU s", "x parsing", "MiB")
    return Result("Clusters from manifests", about, header, tuple(rows), tuple(budgets), tuple(notes))


def _whole(folder: Path, runs: int) -> dict[str, Cost]:
    """Return what the programs cost that read a folder; a first run of each, which warms, is not counted."""
    cloudseg = [PYTHON, "-m", "cloudseg"]
    commands = {
        BARE: [PYTHON, "-c", _BARE_PARSER, str(folder)],
        REACH: [*cloudseg, "reach", str(folder), "--format", "json", "--quiet"],
        AUDIT: [*cloudseg, "audit", str(folder), "--format", "json", "--quiet"],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            costs[name].append(msgspec.structs.replace(run(command, _COMPILED, _ANSWERED), output=b""))
    return {name: median_of(each[1:]) for name, each in costs.items()}


if __name__ == "__main__":
    main(measure, _one)
