"""A large Azure subscription.

Run as ``python -m benchmarks.azure [RUNS]``. ``python -m benchmarks.azure --one SNAPSHOT`` is the fresh process of one
run: it prints its stages as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.clouds import measure_cloud, one_cloud
from benchmarks.stages import main

if TYPE_CHECKING:
    from benchmarks.results import Result

__all__ = ["measure"]


def measure(runs: int = 3) -> Result:
    """Translate, compile and audit the subscription in fresh processes and return the medians."""
    about = "A fifth of the rules is for a single machine, which makes it a class of its own."
    return measure_cloud("azure", "An Azure subscription", about, runs)


if __name__ == "__main__":
    main(measure, one_cloud)
