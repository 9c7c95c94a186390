"""A large Google Cloud project.

Run as ``python -m benchmarks.gcp [RUNS]``. ``python -m benchmarks.gcp --one SNAPSHOT`` is the fresh process of one run:
it prints its stages as JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.clouds import measure_cloud, one_cloud
from benchmarks.stages import main

if TYPE_CHECKING:
    from benchmarks.results import Result

__all__ = ["measure"]


def measure(runs: int = 3) -> Result:
    """Translate, compile and audit the project in fresh processes and return the medians."""
    about = "A fifth of the rules stands in policies; most machines carry tags and accounts of their own."
    return measure_cloud("gcp", "A project of Google Cloud", about, runs)


if __name__ == "__main__":
    main(measure, one_cloud)
