"""Which lists judge interfaces, stage by stage: found once for all interfaces that no list tells apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import AllOf, AnyOf, Carries, NoneOf
from cloudseg.reach.passage import pipeline_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, RuleSet, Selector, Stage
    from cloudseg.reach.near_ends import NearEnds

__all__ = ["ListsMet", "Meeting", "Met"]


class Meeting(NamedTuple):
    """One stage that packets of an interface come to.

    Attributes:
        stage: the stage.
        judges: the lists that judge there, as the estate's ``judging`` tells them; none where none does.
        narrowing: those of them whose rules may tell the interface from its neighbours by their near ends.
    """

    stage: Stage
    judges: tuple[RuleSet, ...]
    narrowing: tuple[RuleSet, ...]


class Met(NamedTuple):
    """What packets of an interface meet, in order; stages that only pods meet are among it.

    Attributes:
        number: the same for interfaces that the same lists judge.
        ingress: the stages of what comes to it; none where nobody knows.
        egress: the same of what it sends.
    """

    number: int
    ingress: tuple[Meeting, ...]
    egress: tuple[Meeting, ...]

    def of(self, direction: Direction) -> tuple[Meeting, ...]:
        """Return the stages of a direction."""
        return self.ingress if direction == "ingress" else self.egress


class ListsMet:
    """Looks up which lists judge interfaces.

    Args:
        estate: the estate.
        near: what the near ends of its rules look at.
    """

    def __init__(self, estate: Estate, near: NearEnds) -> None:
        self._estate = estate
        self._near = near
        # Groups that interfaces carry besides, for rules that name them, choose no list.
        self._choosing = frozenset(
            identity for rule_set in estate.rule_sets.values() for identity in _carried(rule_set.applies)
        )
        self._by_interface: dict[str, Met] = {}
        self._alike: dict[tuple[object, ...], Met] = {}
        self._count = 0

    def by(self, interface: Interface) -> Met:
        """Return which lists judge an interface."""
        # One that only stands for others in a question may bear the id of one of the estate's.
        if self._estate.interfaces.get(interface.id) is not interface:
            return self._found(interface)
        known = self._by_interface.get(interface.id)
        if known is None:
            alike = (
                interface.provider,
                interface.network,
                interface.subnet,
                interface.attached & self._choosing,
                self._estate.chosen_by_labels.get(interface.id),
            )
            known = self._alike.get(alike)
            if known is None:
                known = self._alike[alike] = self._found(interface)
            self._by_interface[interface.id] = known
        return known

    def _found(self, interface: Interface) -> Met:
        pipeline = pipeline_of(interface, self._estate)
        self._count += 1
        if pipeline is None:
            return Met(self._count, (), ())
        return Met(
            self._count,
            tuple(self._meetings(pipeline.ingress, interface, "ingress")),
            tuple(self._meetings(pipeline.egress, interface, "egress")),
        )

    def _meetings(self, stages: Sequence[Stage], interface: Interface, direction: Direction) -> Iterator[Meeting]:
        for stage in stages:
            judges = self._estate.judging(interface, stage.name, direction)
            yield Meeting(stage, judges, tuple([judge for judge in judges if self._near.narrows(judge)]))


def _carried(selector: Selector) -> Iterator[str]:
    """Yield the identities that a selector asks for."""
    match selector:
        case Carries(identity):
            yield identity
        case AllOf(parts) | AnyOf(parts) | NoneOf(parts):
            for part in parts:
                yield from _carried(part)
        case _:
            pass
