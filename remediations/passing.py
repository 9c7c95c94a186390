"""What rules carry today of what must go on passing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from cloudseg.observed.ends import End
    from cloudseg.traffic import Traffic

__all__ = ["Passing", "Through"]


class Passing(NamedTuple):
    """Traffic that a rule may carry, by its other end.

    Attributes:
        other: the other end of the rule; of one that the intent names, its address may be several ranges.
        traffic: what goes to or comes from it.
        connections: how often it was opened; 0 where only the intent speaks of it.
        last_seen: when it was last seen, seconds since 1970; 0 likewise.
        intended: the intent allows some of it.
        owner: who answers for the allowance, where the other end is outside; empty where nobody is named.
        expires: when the allowance ends, ISO 8601; empty for never.
    """

    other: End
    traffic: Traffic
    connections: int = 0
    last_seen: int = 0
    intended: bool = False
    owner: str = ""
    expires: str = ""


class Through(NamedTuple):
    """What a rule may carry today.

    Attributes:
        passing: the needs, by other end, in the order of these.
        unknown: other ends of accepted conversations of which it is not known who they are, or whether they are there
            any more, each once. Who may be one of several interfaces names them as candidates.
        gone: accepted conversations whose other end was deleted.
        unplaced: accepted conversations of which it is not known who opened them: they may have used the rule, so that
            nothing may be narrowed away from it.
    """

    passing: tuple[Passing, ...] = ()
    unknown: tuple[End, ...] = ()
    gone: int = 0
    unplaced: int = 0

    @property
    def traffic(self) -> Traffic:
        """All traffic that is needed of the rule."""
        found = NO_TRAFFIC
        for each in {each.traffic for each in self.passing}:
            found |= each
        return found
