"""What is kept of how lists judge connections: where they do, what they say, and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudseg.model import Direction, Interface, RuleSet, Stage
    from cloudseg.observed.narrowing import Narrowed
    from cloudseg.observed.rule_keys import RuleKey
    from cloudseg.reach.explaining.rules import Lists
    from cloudseg.traffic import Traffic

__all__ = ["Carried", "Judgement", "Kind", "Met", "Place", "Setting", "Step"]

Kind = tuple[int, int | None]
"""Protocol, and what is equal for ports that no rule tells apart."""


class Carried(NamedTuple):
    """What carries a connection at one end.

    Attributes:
        rules: the rules that let the request through, surely or at most.
        replies: the rules of stateless lists that let its answers through.
        passes: something of it passes, at most.
    """

    rules: frozenset[RuleKey] = frozenset()
    replies: frozenset[RuleKey] = frozenset()
    passes: bool = True

    def with_rules_of(self, other: Carried, *, passes: bool) -> Carried:
        """Return the rules of both, with another verdict."""
        return Carried(self.rules | other.rules, self.replies | other.replies, passes)


class Place(NamedTuple):
    """Lists that judge packets at an interface.

    Attributes:
        stage: the stage whose lists they are.
        interface: the interface.
        direction: of the packets.
        judges: the lists.
        standing: equal for interfaces that no rule tells apart.
        unread: it was not read which further lists judge the interface.
        key: what is equal for places where the same is done to packets.
    """

    stage: Stage
    interface: Interface
    direction: Direction
    judges: tuple[RuleSet, ...]
    standing: Hashable
    unread: bool
    key: tuple[Hashable, ...]


class Setting(NamedTuple):
    """Which lists connections meet at an interface.

    Attributes:
        key: what is equal for interfaces where they meet the same.
        requests: the lists that their requests meet.
        answers: those that their answers do, of stages that keep no state.
        subnet: where the interface stands, if lists judge what leaves its subnet.
    """

    key: Hashable
    requests: tuple[Place, ...]
    answers: tuple[Place, ...]
    subnet: str | None


class Step(NamedTuple):
    """What packets of one kind meet at interfaces that no rule tells apart.

    Attributes:
        lists: the lists of one stage, with the rules alone that have to do with such packets.
        narrowed: the same, with what these rules tell apart.
        traffic: such packets.
        unread: it was not read which further lists judge the interfaces.
        answers: what is known of other ends.
    """

    lists: Lists
    narrowed: Narrowed
    traffic: Traffic
    unread: bool
    answers: dict[Hashable, Judgement]


class Met(NamedTuple):
    """What connections of one kind meet at interfaces that no rule tells apart.

    Attributes:
        requests: what their requests meet.
        answers: what their answers do where lists keep no state.
        subnet: where the interfaces stand, if lists judge what leaves their subnet.
        known: what is known of other ends.
    """

    requests: tuple[Step, ...]
    answers: tuple[Step, ...]
    subnet: str | None
    known: dict[Hashable, Carried]


class Judgement(NamedTuple):
    """What the lists of one stage do with packets.

    Attributes:
        rules: the rules that may let them through.
        passes: something passes, at most.
        accepted: all of them are surely accepted for good.
        settles: some of them may be accepted for good.
    """

    rules: frozenset[RuleKey]
    passes: bool
    accepted: bool
    settles: bool = False
