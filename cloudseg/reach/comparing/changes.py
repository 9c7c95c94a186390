"""What became of who reaches whom between two estates, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from cloudseg.reach.comparing.witness import Witness
    from cloudseg.traffic import Traffic

__all__ = ["Cause", "Change", "Comparison", "Counts"]

Cause = Literal["changed", "came", "went"]
"""What brought a change about: something between ends that are in both estates, or an end that came or went."""


class Change(NamedTuple):
    """Traffic that several pairs gained or lost alike.

    Attributes:
        sources: qualified ids of interfaces, in order, or ``external:<range>`` texts. From an interface to itself there
            is nothing to tell, where one stands on both sides.
        targets: the same.
        cause: whether interfaces came or went, or only what lies between them changed.
        lower: what is certainly gained or lost.
        upper: what is gained or lost at most.
        pairs: how many pairs of interfaces it is about; with one end outside, how many interfaces.
        witness: a packet of ``lower``, or of ``upper`` where nothing is certain.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cause: Cause
    lower: Traffic
    upper: Traffic
    pairs: int
    witness: Witness

    @property
    def certain(self) -> bool:
        """Whether anything is certainly gained or lost."""
        return bool(self.lower)


class Counts(NamedTuple):
    """How many gained, or lost.

    Attributes:
        pairs: ordered pairs of different interfaces, at most.
        certain_pairs: those of them for which it is certain.
        from_outside: interfaces that gained or lost what outside addresses may send to them, at most.
        to_outside: interfaces that gained or lost what they may send to outside addresses, at most.
    """

    pairs: int
    certain_pairs: int
    from_outside: int
    to_outside: int


class Comparison(NamedTuple):
    """What became of who reaches whom from one estate to another.

    Attributes:
        gained: what passes in the new estate and did not in the old one.
        lost: what passed in the old estate and does not in the new one.
        gains: how many gained.
        losses: how many lost.
        came: qualified ids of the interfaces that are only in the new estate, in order.
        went: qualified ids of the interfaces that are only in the old estate, in order.
        undecided: pairs (of interfaces, or of an interface and outside addresses) for which some traffic is unknown
            both before and after while something about an end changed: whether they gained or lost it cannot be told.
    """

    gained: tuple[Change, ...]
    lost: tuple[Change, ...]
    gains: Counts
    losses: Counts
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()
    undecided: int = 0

    @property
    def equal(self) -> bool:
        """Whether nothing was gained or lost, nor possibly."""
        return not (self.gained or self.lost or self.undecided)
