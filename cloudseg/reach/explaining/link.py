"""One link of the chain that an explanation tells: what it lets through by itself, by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from cloudseg.model import Direction
    from cloudseg.reach.explaining.explanation import Outcome, RuleRef, StepKind
    from cloudseg.traffic import Traffic

__all__ = ["Chain", "Link", "outcome"]

Chain = Literal["", "client", "far", "gateway", "target"]
"""Whose port answers go to: the client's, or ``far`` the client's on the other half of the way; a gateway's that
translates, on the way through it, or from the target to it."""


class Link(NamedTuple):
    """One step, before it is known what the steps before it leave.

    Attributes:
        kind: what it is.
        text: what it is, in words.
        lower: what of the traffic it certainly lets through, whatever other steps do.
        upper: what it lets through at most.
        direction: as in :class:`~cloudseg.reach.explaining.explanation.Step`.
        place: the same.
        rules: the same.
        reason: the same.
        doubts: what is not known about it, in words.
        chain: for answers, whose port they go to.
        back: for answers, what of them is let back, for sure and at most.
    """

    kind: StepKind
    text: str
    lower: Traffic
    upper: Traffic
    direction: Direction | Literal[""] = ""
    place: str = ""
    rules: tuple[RuleRef, ...] = ()
    reason: str = ""
    doubts: tuple[str, ...] = ()
    chain: Chain = ""
    back: tuple[Traffic, Traffic] | None = None


def outcome(lower: Traffic, upper: Traffic, traffic: Traffic) -> Outcome:
    """Return what becomes of traffic of which this passes."""
    if not upper:
        return "blocks"
    if lower == traffic:
        return "passes"
    return "partly" if lower else "unknown"
