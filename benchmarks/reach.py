"""All pairs of estates of growing size and shape, and the questions that are asked of them.

Run as ``python -m benchmarks.reach [RUNS]``. ``python -m benchmarks.reach --one SHAPE`` is the fresh process of one
shape: it prints what it found as JSON.
"""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from benchmarks.estates import Shape, estate_of
from benchmarks.processes import PYTHON, run
from benchmarks.results import Budget, Result
from cloudseg.model import RemoveRule
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.model import Estate

__all__ = ["measure"]

T = TypeVar("T")

SHAPES: dict[str, Shape] = {
    "1,000 interfaces": Shape(1_000, 10_000),
    "10,000 interfaces": Shape(10_000, 100_000),
    "50,000 interfaces": Shape(50_000, 100_000, replicas=50),
    "10,000 rules": Shape(10_000, 10_000),
    "1,500 ranges, thousands of classes": Shape(10_000, 100_000, replicas=5, ranges=1_500),
    "every two interfaces a class": Shape(10_000, 100_000, replicas=2, ranges=1_500),
    "200 ports": Shape(10_000, 100_000, ports=200),
    "1,000 ports": Shape(10_000, 100_000, ports=1_000),
}
BUDGETS: dict[str, float] = {
    "10,000 interfaces": 1,
    "50,000 interfaces": 2,
    "1,500 ranges, thousands of classes": 3,
}
"""Seconds for compiling and all pairs."""
ASKED = "10,000 interfaces"
"""The shape of which the other questions are asked, too."""


class _Found(msgspec.Struct):
    """What one shape cost.

    Attributes:
        seconds: by stage.
        memory: MiB above what the estate itself takes.
        classes: how many classes there are.
        atoms: how many atoms of traffic.
        share: of all pairs of classes, those between which something passes.
    """

    seconds: dict[str, float] = {}
    memory: float = 0
    classes: int = 0
    atoms: int = 0
    share: float = 0

    def timed(self, stage: str, work: Callable[[], T]) -> T:
        """Do the work of a stage and keep what it took."""
        started = time.perf_counter()
        answer = work()
        self.seconds[stage] = time.perf_counter() - started
        return answer


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _walked(estate: Estate) -> int:
    """Walk over all rules once, the least that any answer takes: the baseline."""
    seen: dict[tuple[object, object], int] = {}
    for rule_set in estate.rule_sets.values():
        for rule in rule_set.rules:
            key = (rule.remote, rule.traffic)
            seen[key] = seen.get(key, 0) + 1
    return len(seen)


def _one(name: str) -> _Found:
    # As the program itself does first, in its command line.
    gc.set_threshold(2_000_000, 20, 50)
    found = _Found()
    estate = estate_of(SHAPES[name])
    found.timed("walk", lambda: _walked(estate))
    before = _memory()
    reach = found.timed("compile", lambda: Reachability(estate))

    def pairs() -> int:
        return sum(int(np.any(reach.matrix.arrivals(c).inside.upper, axis=0).sum()) for c in reach.matrix.order())

    passing = found.timed("pairs", pairs)
    found.memory = _memory() - before
    found.classes, found.atoms = len(reach.classes), reach.ground.atoms.count
    found.share = passing / found.classes**2
    if name == ASKED:
        _ask(estate, reach, found)
    return found


def _ask(estate: Estate, reach: Reachability, found: _Found) -> None:
    """Ask the other questions."""
    from cloudseg.reach.comparing.compare import compare
    from cloudseg.reach.explaining.explain import explain
    from cloudseg.reach.spread.blast import Blast
    from cloudseg.reach.spread.exposure import exposure_of
    from cloudseg.traffic.port_classes import ANY_PORT

    names = sorted(estate.interfaces)
    found.timed("exposure number", lambda: exposure_of(reach))
    blast = found.timed("blast radii, prepared", lambda: Blast(reach, ANY_PORT))
    found.timed("blast radius of one", lambda: blast.of([names[5]]))
    found.timed("blast radius, median and worst", blast.summary)
    traffic = Traffic.parse("tcp/1037")
    found.timed("explain, first", lambda: explain(reach, names[1], names[-1], traffic))
    found.timed("explain, another", lambda: explain(reach, names[2], names[77], traffic))
    rule_set = next(each for _, each in sorted(estate.rule_sets.items()) if each.rules)
    edited = estate.with_edits([RemoveRule(rule_set.id, rule_set.rules[-1].id)])
    found.timed("diff with one rule less", lambda: compare(estate, edited))


def measure(runs: int = 3) -> Result:
    """Compile every shape in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    notes: tuple[str, ...] = ()
    for name, shape in SHAPES.items():
        found = [
            msgspec.json.decode(run([PYTHON, "-m", "benchmarks.reach", "--one", name]).output, type=_Found)
            for _ in range(runs)
        ]
        seconds = {stage: statistics.median(each.seconds[stage] for each in found) for stage in found[0].seconds}
        memory = statistics.median(each.memory for each in found)
        total = seconds["compile"] + seconds["pairs"]
        rows.append(
            (
                name,
                f"{shape.interfaces:,}",
                f"{shape.rules:,}",
                f"{shape.ranges:,}",
                f"{found[0].atoms:,}",
                f"{found[0].classes:,}",
                f"{found[0].share:.1%}",
                f"{seconds['compile']:.2f}",
                f"{seconds['pairs']:.2f}",
                f"{total / seconds['walk']:.1f}",
                f"{memory:.0f}",
            )
        )
        if name in BUDGETS:
            budgets.append(Budget(f"compile and all pairs: {name}", total, BUDGETS[name], "s"))
        if name == ASKED:
            asked = [
                f"{stage} {cost * 1000:.0f} ms"
                for stage, cost in seconds.items()
                if stage not in {"walk", "compile", "pairs"}
            ]
            notes = (f"Asked of {name} with {shape.rules:,} rules, {found[0].classes:,} classes: {'; '.join(asked)}.",)
            budgets.append(Budget(f"memory: {name}", memory / 1024, 1, "GiB"))
    header = (
        "estate", "interfaces", "rules", "ranges", "atoms", "classes", "pairs that talk", "compile s", "pairs s",
        "x walk", "MiB",
    )  # fmt: skip
    about = (
        "Generated estates of applications in peered networks; each shape in fresh processes. Pairs are worked out for "
        "all classes. The ratio is of both stages together to one walk over all rules in the same process; memory is "
        "what they take above the estate itself."
    )
    return Result("Reachability", about, header, tuple(rows), tuple(budgets), notes)


def main() -> None:
    """Measure every shape, or be the process of one."""
    if sys.argv[1:2] == ["--one"]:
        sys.stdout.buffer.write(msgspec.json.encode(_one(sys.argv[2])))
    else:
        print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3).markdown())


if __name__ == "__main__":
    main()
