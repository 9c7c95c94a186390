"""Judge many drawn worlds: ``python -m tests.flows.long_run N [first seed [relations]]``.

Prints what is wrong as it comes, and a table for each provider; ends with status 1 if anything was.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.flows.checked import PROVIDERS, check

__all__ = ["main"]

_FIRST = 10**6
"""Seeds from here on, so that the worlds are others than those of the ordinary tests."""


def main(worlds: int, first: int, relations: int) -> int:
    """Draw worlds of each provider and judge them; return how much was wrong."""
    wrong = 0
    for provider in PROVIDERS:
        began = time.process_time()
        counted = Counter[str]()
        problems = Counter[str]()
        for seed in range(first, first + worlds):
            run = check(provider, seed, relations)
            counted += run.judgement.tally
            counted["records"] += run.records
            counted["rows"] += len(run.rows)
            for problem in run.judgement.problems:
                problems[problem.what] += 1
                _say(f"{provider} seed {seed}: {problem.what}: {problem.about}")
        _say(f"\n{provider:24}{worlds:>12,} worlds, {time.process_time() - began:,.0f} s of CPU")
        for what, count in (*sorted(counted.items()), *sorted(problems.items())):
            _say(f"  {what:22}{count:>12,}  {count / max(counted['expected'], 1):7.2%} of conversations")
        wrong += problems.total()
    return wrong


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    sys.exit(main(numbers[0], *(numbers[1:] or [_FIRST]), *([40] if len(numbers) < 3 else [])) != 0)
