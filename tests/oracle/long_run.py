"""Compare engine and oracle on as many packets as asked: ``python -m tests.oracle.long_run N [first seed]``.

Prints a table, and the disagreements as they come; ends with status 1 if there was one.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from random import Random

from tests.oracle.compare import Harness
from tests.oracle.estates import raw_estate
from tests.oracle.packets import draw_packet

__all__ = ["main"]

_DRAWS = 200
_FIRST = 10**6
"""Seeds from here on, so that the estates are others than those of the ordinary tests."""


def main(packets: int, first: int) -> int:
    """Draw estates until so many packets have been put to the oracle; return the number of disagreements."""
    began = time.perf_counter()
    asked = Counter[str]()
    differ = Counter[str]()
    seed, expanded = first, 0
    while asked.total() < packets:
        raw, random = raw_estate(seed), Random(seed)
        harness = Harness(raw.answers)
        for each in harness.disagreements(draw_packet(random, raw, harness.read) for _ in range(_DRAWS)):
            differ[each.what] += 1
            _say(f"seed {seed}: {each}")
        asked += harness.asked
        expanded += harness.expanded
        seed += 1
    _say(f"\n{'estates':20}{seed - first:>14,}")
    _say(f"{'packets':20}{asked.total():>14,}")
    _say(f"{'more of their ends':20}{expanded:>14,}")
    _say(f"{'seconds':20}{time.perf_counter() - began:>14,.0f}")
    for stage, count in asked.most_common():
        _say(f"  {stage:18}{count:>14,}  {count / asked.total():7.2%}")
    _say(f"{'disagreements':20}{differ.total():>14,}")
    for what, count in differ.most_common():
        _say(f"  {what:18}{count:>14,}")
    return differ.total()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else _FIRST) != 0)
