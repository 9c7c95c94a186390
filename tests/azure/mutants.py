"""Planted faults of the engine that only estates of Azure show: ``python -m tests.azure.mutants NAME``.

As those of ``tests/oracle/mutants.py``, each in a process of its own.
"""

from __future__ import annotations

import sys
from random import Random
from typing import TYPE_CHECKING, cast

from cloudseg.reach.pairs.survey import Survey
from tests.azure.agreeing import Harness
from tests.azure.drawn import drawn
from tests.azure.packets import draw_packet
from tests.oracle.mutants import put

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MUTANTS", "SEEDS", "first_disagreement"]

SEEDS = (36, 52, 66)
"""Estates that have, between them, whatever a fault needs to show."""

_DRAWS = 60
_ALIKE = 9
"""So many parts of a treatment's key come before what near ends see."""
_WRONG = frozenset({"missed", "missed what is open", "over-told"})


class _Merged(dict[tuple[object, ...], object]):
    """Treatments by what lists look at, without what near ends see."""

    def get(self, key: object, default: object = None) -> object:
        return super().get(cast("tuple[object, ...]", key)[:_ALIKE], default)

    def __setitem__(self, key: tuple[object, ...], value: object) -> None:
        super().__setitem__(key[:_ALIKE], value)


def _merged_classes() -> None:
    """Interfaces that only near ends of rules tell apart are taken for the same."""

    def changed(original: Callable[..., object]) -> Callable[..., object]:
        def init(survey: object, *given: object) -> None:
            original(survey, *given)
            assert getattr(survey, "_treatments") == {}  # noqa: B009 - one that is gone would prove nothing
            setattr(survey, "_treatments", _Merged())  # noqa: B010 - the fault is planted here

        return init

    put(Survey, "__init__", changed)


MUTANTS: Mapping[str, Callable[[], None]] = {
    "merged classes that near ends tell apart": _merged_classes,
    "none": lambda: None,
}


def first_disagreement() -> str:
    """Compare engine and oracle until the engine is wrong; empty where it never is."""
    for seed in SEEDS:
        estate, random = drawn(seed), Random(seed)
        harness = Harness(estate.raw.answers)
        for found in harness.disagreements(draw_packet(random, estate) for _ in range(_DRAWS)):
            if found.what in _WRONG:
                return f"seed {seed}: {found}"
    return ""


if __name__ == "__main__":
    MUTANTS[sys.argv[1]]()
    sys.stdout.write(first_disagreement())
