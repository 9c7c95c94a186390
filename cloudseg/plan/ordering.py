"""The one order of all changes of a plan: by phase, and within a phase as the proposals stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, get_args

from cloudseg.errors import EditError
from cloudseg.remediations.interface import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate
    from cloudseg.plan.candidates import Candidate
    from cloudseg.remediations.interface import Change

__all__ = ["Misfit", "Step", "first_misfit", "in_order"]

_PHASES: Final[tuple[Phase, ...]] = get_args(Phase)


class Step(NamedTuple):
    """One change of a plan.

    Attributes:
        id: of what the change says.
        change: the change.
        owners: places of the proposals that need it, the first of them first.
    """

    id: str
    change: Change
    owners: tuple[int, ...]


class Misfit(NamedTuple):
    """A change that does not fit the estate.

    Attributes:
        step: its place in the order.
        reason: why, in one sentence.
    """

    step: int
    reason: str


def in_order(candidates: Sequence[Candidate]) -> tuple[Step, ...]:
    """Return the changes of some proposals in the order in which they are made; those that say the same are one."""
    owners: dict[str, list[int]] = {}
    changes: dict[str, Change] = {}
    for phase in _PHASES:
        for place, candidate in enumerate(candidates):
            for content, change in zip(candidate.contents, candidate.proposal.changes, strict=True):
                if change.phase == phase:
                    changes.setdefault(content, change)
                    owners.setdefault(content, []).append(place)
    return tuple(Step(content, change, tuple(dict.fromkeys(owners[content]))) for content, change in changes.items())


def first_misfit(estate: Estate, steps: Sequence[Step]) -> Misfit | None:
    """Return the first change that does not fit the estate as those before it leave it; None where all fit."""
    try:
        estate.with_edits(edit for step in steps for edit in step.change.edits)
    except EditError:
        pass
    else:
        return None
    # Which one it is, is found by halves: with so many of them all fit, and with one more they do not.
    low, high = 0, len(steps)
    reason = ""
    while low + 1 < high:
        middle = (low + high) // 2
        error = _error(estate, steps[:middle])
        low, high = (middle, high) if error is None else (low, middle)
    reason = _error(estate, steps[:high]) or ""
    return Misfit(high - 1, reason)


def _error(estate: Estate, steps: Sequence[Step]) -> str | None:
    try:
        estate.with_edits(edit for step in steps for edit in step.change.edits)
    except EditError as error:
        return str(error)
    return None
