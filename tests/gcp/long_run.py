"""Compare engine and oracle over many Google Cloud estates: ``python -m tests.gcp.long_run N [first seed]``.

Prints what differs as it comes, and a table; ends with status 1 if anything was missed or told for sure that is not.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from random import Random

from tests.gcp.agreeing import Harness
from tests.gcp.drawn import drawn
from tests.gcp.packets import draw_packet

__all__ = ["main"]

_DRAWS = 60
_FIRST = 10**6
"""Seeds from here on, so that the estates are others than those of the ordinary tests."""
_LOOSE = {"loose above", "loose below"}


def main(estates: int, first: int) -> int:
    """Draw estates and compare; return how many packets were missed or over-told."""
    began = time.process_time()
    asked = Counter[str]()
    differ = Counter[str]()
    for seed in range(first, first + estates):
        estate, random = drawn(seed), Random(seed)
        harness = Harness(estate.raw.answers)
        for each in harness.disagreements(draw_packet(random, estate) for _ in range(_DRAWS)):
            differ[each.what] += 1
            if each.what not in _LOOSE:
                _say(f"seed {seed}: {each}")
        asked += harness.asked
    _say(f"\n{'estates':20}{estates:>14,}")
    _say(f"{'packets':20}{asked.total():>14,}")
    _say(f"{'seconds of CPU':20}{time.process_time() - began:>14,.0f}")
    for counted in (asked, differ):
        for what, count in counted.most_common():
            _say(f"  {what:18}{count:>14,}  {count / asked.total():7.2%}")
    return sum(count for what, count in differ.items() if what not in _LOOSE)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else _FIRST) != 0)
