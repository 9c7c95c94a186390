"""The stages of a program in a process of its own: what each takes, and the medians over several processes."""

from __future__ import annotations

import gc
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from benchmarks.processes import PYTHON, run
from cloudseg.snapshot import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.results import Result
    from cloudseg.snapshot import Snapshot

__all__ = ["Medians", "Stages", "decoded", "main", "measured", "medians", "peak_memory"]

T = TypeVar("T")


class Stages(msgspec.Struct):
    """What the stages of one process took.

    Attributes:
        wall: seconds by the clock, by stage. A busy machine makes them longer.
        cpu: seconds of CPU time, by stage. Where they are far below the wall time, something else was running.
        memory: the largest memory until the end of each stage, in MiB.
        counts: how much there was of what was worked on.
    """

    wall: dict[str, float] = {}
    cpu: dict[str, float] = {}
    memory: dict[str, float] = {}
    counts: dict[str, float] = {}

    def timed(self, stage: str, work: Callable[[], T]) -> T:
        """Do the work of a stage and keep what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        answer = work()
        self.wall[stage], self.cpu[stage] = time.perf_counter() - wall, time.process_time() - cpu
        self.memory[stage] = peak_memory()
        return answer


class Medians(NamedTuple):
    """The medians of several processes, by stage; ``counts`` are by name."""

    wall: dict[str, float]
    cpu: dict[str, float]
    memory: dict[str, float]
    counts: dict[str, float]

    def number(self, name: str) -> str:
        """A count as it is written in a table."""
        return f"{self.counts[name]:,.0f}"


def medians(found: Sequence[Stages]) -> Medians:
    """The medians of processes that went through the same stages."""
    return Medians(
        _each([one.wall for one in found]),
        _each([one.cpu for one in found]),
        _each([one.memory for one in found]),
        _each([one.counts for one in found]),
    )


def _each(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def measured(module: str, argument: str, runs: int, environment: Mapping[str, str] | None = None) -> Medians:
    """Run ``python -m MODULE --one ARGUMENT`` several times, each in a fresh process, and return the medians.

    Raises:
        RuntimeError: a process failed.
    """
    command = [PYTHON, "-m", module, "--one", argument]
    return medians([msgspec.json.decode(run(command, environment).output, type=Stages) for _ in range(runs)])


def main(measure: Callable[[int], Result], one: Callable[[str, Stages], None]) -> None:
    """The program of a benchmark: measure so many runs, or be the process of one."""
    match sys.argv[1:]:
        case ["--one", argument]:
            # As the program itself does first, in its command line.
            gc.set_threshold(2_000_000, 20, 50)
            stages = Stages()
            one(argument, stages)
            sys.stdout.buffer.write(msgspec.json.encode(stages))
        case [*runs]:
            print(measure(int(runs[0]) if runs else 3).markdown())


def decoded(place: Path) -> Snapshot:
    """A snapshot with every answer decoded by msgspec: what reading it takes at least."""
    snapshot = load(place)
    for part in snapshot.parts():
        snapshot.read(part)
    return snapshot


def peak_memory() -> float:
    """The largest memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
