"""All pairs of estates of growing size and shape, and the questions that are asked of them.

Run as ``python -m benchmarks.reach [RUNS]``. ``python -m benchmarks.reach --one SHAPE`` is the fresh process of one
shape: it prints what it found as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.estates import Shape, estate_of
from benchmarks.results import Budget, Result
from benchmarks.stages import main, measured, peak_memory
from cloudseg.model import RemoveRule
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from benchmarks.stages import Stages
    from cloudseg.model import Estate

__all__ = ["measure"]

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


def _walked(estate: Estate) -> int:
    """Walk over all rules once, the least that any answer takes: the baseline."""
    seen: dict[tuple[object, object], int] = {}
    for rule_set in estate.rule_sets.values():
        for rule in rule_set.rules:
            key = (rule.remote, rule.traffic)
            seen[key] = seen.get(key, 0) + 1
    return len(seen)


def _one(name: str, stages: Stages) -> None:
    estate = estate_of(SHAPES[name])
    stages.timed("walk", lambda: _walked(estate))
    before = peak_memory()
    reach = stages.timed("compile", lambda: Reachability(estate))

    def pairs() -> int:
        return sum(int(np.any(reach.matrix.arrivals(c).inside.upper, axis=0).sum()) for c in reach.matrix.order())

    passing = stages.timed("pairs", pairs)
    stages.counts = {
        "MiB above the estate": peak_memory() - before,
        "classes": len(reach.classes),
        "atoms": reach.ground.atoms.count,
        "share of pairs that talk": passing / len(reach.classes) ** 2,
    }
    if name == ASKED:
        _ask(estate, reach, stages)


def _ask(estate: Estate, reach: Reachability, stages: Stages) -> None:
    """Ask the other questions."""
    from cloudseg.reach.comparing.compare import compare
    from cloudseg.reach.explaining.explain import explain
    from cloudseg.reach.spread.blast import Blast
    from cloudseg.reach.spread.exposure import exposure_of
    from cloudseg.traffic.port_classes import ANY_PORT

    names = sorted(estate.interfaces)
    stages.timed("exposure number", lambda: exposure_of(reach))
    blast = stages.timed("blast radii, prepared", lambda: Blast(reach, ANY_PORT))
    stages.timed("blast radius of one", lambda: blast.of([names[5]]))
    stages.timed("blast radius, median and worst", blast.summary)
    traffic = Traffic.parse("tcp/1037")
    stages.timed("explain, first", lambda: explain(reach, names[1], names[-1], traffic))
    stages.timed("explain, another", lambda: explain(reach, names[2], names[77], traffic))
    rule_set = next(each for _, each in sorted(estate.rule_sets.items()) if each.rules)
    edited = estate.with_edits([RemoveRule(rule_set.id, rule_set.rules[-1].id)])
    stages.timed("diff with one rule less", lambda: compare(estate, edited))


def measure(runs: int = 3) -> Result:
    """Compile every shape in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    notes: tuple[str, ...] = ()
    for name, shape in SHAPES.items():
        found = measured("benchmarks.reach", name, runs)
        both = found.cpu["compile"] + found.cpu["pairs"]
        memory = found.counts["MiB above the estate"]
        rows.append(
            (
                name,
                f"{shape.interfaces:,}",
                f"{shape.rules:,}",
                f"{shape.ranges:,}",
                found.number("atoms"),
                found.number("classes"),
                f"{found.counts['share of pairs that talk']:.1%}",
                f"{found.wall['compile']:.2f}",
                f"{found.wall['pairs']:.2f}",
                f"{both:.2f}",
                f"{both / found.cpu['walk']:.1f}",
                f"{memory:.0f}",
            )
        )
        if name in BUDGETS:
            total = found.wall["compile"] + found.wall["pairs"]
            budgets.append(Budget(f"compile and all pairs: {name}", total, BUDGETS[name], "s"))
        if name == ASKED:
            asked = [
                f"{stage} {cost * 1000:.0f} ms"
                for stage, cost in found.cpu.items()
                if stage not in {"walk", "compile", "pairs"}
            ]
            about_it = f"{name} with {shape.rules:,} rules, {found.number('classes')} classes"
            notes = (f"Asked of {about_it}, in CPU time: {'; '.join(asked)}.",)
            budgets.append(Budget(f"memory: {name}", memory / 1024, 1, "GiB"))
    header = (
        "estate", "interfaces", "rules", "ranges", "atoms", "classes", "pairs that talk", "compile, wall s",
        "pairs, wall s", "both, CPU s", "x walk", "MiB",
    )  # fmt: skip
    about = (
        "Generated estates of applications in peered networks; each shape in fresh processes. Pairs are worked out for "
        "all classes. The ratio is of the CPU time of both stages together to one walk over all rules in the same "
        "process; memory is what they take above the estate itself."
    )
    return Result("Reachability", about, header, tuple(rows), tuple(budgets), notes)


if __name__ == "__main__":
    main(measure, _one)
