"""Which states of a plan stand for all of them: where it stops letting more through and begins to take away.

While every change only lets more through, the last state holds all that the ones before it let through, and the first
one is held by all of them; the other way round while every change only takes away. A change that does both, or of which
it is not known, is a state of its own.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.errors import EditError
from cloudseg.plan.proving.effects import Drafted, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Edit, Estate
    from cloudseg.plan.proving.effects import Effect

__all__ = ["Checkpoint", "Course", "course_of"]


class Checkpoint(NamedTuple):
    """A state that stands for others.

    Attributes:
        place: after how many changes it is reached.
        estate: the estate then.
        gains: something may have been gained here that no other such state shows.
        losses: something may have been lost here that no other such state shows.
    """

    place: int
    estate: Estate
    gains: bool
    losses: bool


class Course(NamedTuple):
    """The states of a plan.

    Attributes:
        checkpoints: the states that stand for all of them, in order.
        final: the estate after all changes.
        failed: the place of a change that cannot be made, and why; None where all can.
    """

    checkpoints: tuple[Checkpoint, ...]
    final: Estate
    failed: tuple[int, str] | None = None


class _Mark(NamedTuple):
    """After how many changes a state is reached that stands for others, and what the changes before it did."""

    place: int
    run: Effect


def course_of(before: Estate, changes: Sequence[Sequence[Edit]]) -> Course:
    """Return the states of a plan that stand for all of them.

    Args:
        before: the estate before the plan.
        changes: the edits of each change, in the order in which the changes are made.
    """
    try:
        draft = Drafted(before)
        marks = tuple(_marks([_effect(edits, draft) for edits in changes]))
        found: list[Checkpoint] = []
        estate, made = before, 0
        for place, run in marks:
            estate, made = estate.with_edits(chain.from_iterable(changes[made:place])), place
            gains, losses = run in {"grows", "either"}, run in {"shrinks", "either"}
            found.append(Checkpoint(place, estate, gains=gains, losses=losses))
        return Course(tuple(found), estate.with_edits(chain.from_iterable(changes[made:])))
    except EditError:
        return Course((), before, _failing(before, changes))


def _effect(edits: Sequence[Edit], draft: Drafted) -> Effect:
    """Make the edits of one change, and return what they do together."""
    effect: Effect = "none"
    for edit in edits:
        effect = joined(effect, draft.make(edit))
    return effect


def _marks(effects: Sequence[Effect]) -> Iterator[_Mark]:
    run: Effect = "none"
    last = 0
    for place, effect in enumerate(effects):
        if effect == "none":
            continue
        if run not in {"none", effect}:
            yield _Mark(last, run)
        run, last = effect, place + 1
        if effect == "either":
            yield _Mark(last, effect)
            run = "none"
    if run != "none":
        yield _Mark(last, run)


def _failing(before: Estate, changes: Sequence[Sequence[Edit]]) -> tuple[int, str]:
    """Return the first change that cannot be made, and why."""
    estate = before
    for place, edits in enumerate(changes):
        try:
            estate = estate.with_edits(edits)
        except EditError as error:
            return place, str(error)
    return len(changes), "the changes cannot be made in this order"
