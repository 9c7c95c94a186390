"""What all tests share."""

from __future__ import annotations

import gc
from typing import Final

from hypothesis import settings

_GARBAGE_AFTER: Final = 100_000
"""New values after which garbage is looked for: tests make millions of them, and hardly a cycle."""

gc.set_threshold(_GARBAGE_AFTER, 20, 50)

# How long an example takes depends on what else the machine does: no test is timed.
settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    # Thousands of tests were collected, which stay until the end: nobody need look through them for garbage.
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()
