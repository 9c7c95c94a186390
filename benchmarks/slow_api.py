"""Collecting over an API that takes 50 ms for every answer, against the longest chain of answers that must wait.

Run as ``python -m benchmarks.slow_api [RUNS]``. The answers are those of a generated account on a moto server, kept
and repeated by ``slow_server`` with long lists in short pages: a page can be asked for only when the one before it is
there, and what is asked about a resource only when its list is there. The longest such chain is the least a run can
take.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
from botocore import xform_name

from benchmarks.processes import PYTHON, aws_environment, fill_api, median_of, run, served
from benchmarks.recording import Recorded
from benchmarks.results import Budget, Result
from cloudseg.providers.aws.operations import OPERATIONS

__all__ = ["longest_chain", "measure"]

REGION = "eu-west-1"
SECONDS = 0.05
ITEMS = 50
_TOKENS = frozenset({"NextToken", "nextToken", "Marker", "NextMarker", "ContinuationToken", "position"})


def longest_chain(calls: list[Recorded]) -> int:
    """Return the length of the longest chain of calls of which each needs the answer of the one before.

    Pages of one list wait for each other; what is asked about a resource waits for all pages of its list. Who asks and
    which regions there are is asked first, both at once.
    """
    pages: Counter[tuple[str, str, bytes]] = Counter()
    for call in calls:
        asked = {name: value for name, value in call.parameters.items() if name not in _TOKENS}
        place = (call.service, xform_name(call.operation), call.region, asked)
        pages[call.service, xform_name(call.operation), msgspec.json.encode(place, order="sorted")] += 1
    longest: Counter[tuple[str, str]] = Counter()
    for (service, operation, _), count in pages.items():
        longest[service, operation] = max(longest[service, operation], count)
    parents = {(each.service, each.name): each.per.of for each in OPERATIONS if each.per is not None}

    def chain(service: str, operation: str) -> int:
        parent = parents.get((service, operation))
        return longest[service, operation] + (chain(service, parent) if parent else 1)

    return max(chain(service, operation) for service, operation in longest)


def measure(runs: int = 5) -> Result:
    """Keep the answers of an API, then collect from the slow one and return how long it takes."""
    with tempfile.TemporaryDirectory() as folder, served("benchmarks.api_server") as url:
        fill_api(aws_environment(url, folder), REGION)
        with served("benchmarks.slow_server", url, str(SECONDS), str(ITEMS)) as slow:
            environment = aws_environment(slow, folder)
            recorded = Path(folder) / "calls.json"
            run([PYTHON, "-m", "benchmarks.recording", str(recorded), REGION], environment)
            snapshot = str(Path(folder) / "snapshot")
            command = [PYTHON, "-m", "cloudseg", "collect", "aws", "--region", REGION, "-o", snapshot]
            cost = median_of([run(command, environment, (0, 3)) for _ in range(runs)])
        calls = msgspec.json.decode(recorded.read_bytes(), type=list[Recorded])
    chain = longest_chain(calls)
    least = chain * SECONDS
    rows = (
        ("calls", str(len(calls))),
        ("one after the other, s", f"{len(calls) * SECONDS:.2f}"),
        (f"longest chain, {chain} answers, s", f"{least:.2f}"),
        ("cloudseg collect aws, wall s", f"{cost.wall:.2f}"),
        ("cloudseg collect aws, CPU s", f"{cost.cpu:.2f}"),
    )
    about = (
        f"Every answer takes {SECONDS * 1000:.0f} ms; lists of EC2 come in pages of {ITEMS}. The wall time is that of "
        "the whole program."
    )
    budget = Budget("wall time over the longest chain of answers", cost.wall / least, 1.3)
    return Result("A slow API", about, ("", "value"), rows, (budget,))


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5).markdown())
