"""Make and judge as many plans as asked: ``python -m tests.plan.long_run N [first seed] [cloud...]``.

Prints faults as they come, and a table by cloud; ends with status 1 if there was one. The proof is the product's, with
all that it does by itself.
"""

from __future__ import annotations

import sys
import time

from tests.plan.simulated.running import CLOUDS, Tally, result_of

__all__ = ["main"]

_FIRST = 10**6
"""Seeds from here on, so that the estates are others than those of the ordinary tests."""
_COLUMNS = ("plans", "not empty", "edits", "needs", "pairs judged", "refused by the proof", "gained", "lost")


def main(plans: int, first: int, clouds: tuple[str, ...]) -> int:
    """Make so many plans, as many of each cloud; return how many faults there are."""
    tallies: dict[str, Tally] = {}
    seconds: dict[str, float] = {}
    for cloud in clouds:
        began = time.process_time()
        tally = tallies[cloud] = Tally()
        for seed in range(first, first + plans // len(clouds)):
            before = len(tally.faults)
            tally.add(result_of(CLOUDS[cloud](seed)))
            for _, _, words in tally.faults[before : before + 2]:
                _say(f"{cloud} seed {seed}: {words}")
        seconds[cloud] = time.process_time() - began
    _say("")
    _say("".join((f"{'cloud':12}", *(f"{name:>22}" for name in (*_COLUMNS, "CPU seconds")))))
    for cloud, tally in tallies.items():
        _say(
            "".join((f"{cloud:12}", *(f"{tally.counts[name]:>22,}" for name in _COLUMNS), f"{seconds[cloud]:>22,.0f}"))
        )
    total = [sum(tally.counts[name] for tally in tallies.values()) for name in _COLUMNS]
    _say("".join((f"{'all':12}", *(f"{count:>22,}" for count in total), f"{sum(seconds.values()):>22,.0f}")))
    return sum(len(tally.faults) for tally in tallies.values())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _first = int(sys.argv[2]) if len(sys.argv) > 2 else _FIRST
    sys.exit(main(int(sys.argv[1]), _first, tuple(sys.argv[3:]) or tuple(CLOUDS)) != 0)
