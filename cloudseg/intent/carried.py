"""Which conversations the estate carries as it is: what it surely refuses is old, or was logged the wrong way round.

Such a conversation is never proposed, for whoever then opens the estate for it would open what nobody uses today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.intent.observations import CONFIDENCES, groups_of, traffic_of
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cloudseg.intent.observations import End, Observations
    from cloudseg.reach.reachability import Reachability, Verdict

__all__ = ["NOT_CARRIED", "TURNED", "Carried", "carried_by"]

NOT_CARRIED: Final = "nothing in the estate carries it today: the logs are older, or not all of the estate was read"
TURNED: Final = (
    "nothing in the estate carries it today, but connections the other way round: perhaps the logs name the wrong end"
)
_PROVED: Final = CONFIDENCES.index("high")
_REASONS: Final = ("", NOT_CARRIED, TURNED)


class Carried(NamedTuple):
    """Conversations, told apart by whether the estate carries them.

    Attributes:
        carried: places of those that it carries, or may carry.
        refused: places of those that it surely does not carry, by the reason in words; only reasons that occur.
    """

    carried: NDArray[np.int64]
    refused: dict[str, NDArray[np.int64]]


def carried_by(reach: Reachability, seen: Observations) -> Carried:
    """Return which conversations the estate carries at most. No end may be one that nobody knows.

    What an interface sends to itself passes no rule, and is carried.
    """
    taking_part = set(np.union1d(seen.initiator, seen.responder).tolist())
    numbers = np.array(
        [_number(reach, place, end) if place in taking_part else -1 for place, end in enumerate(seen.ends)],
        dtype=np.int64,
    )
    reasons = np.zeros(len(seen.first), dtype=np.int64)
    between_two = np.flatnonzero(seen.initiator != seen.responder)
    asked = seen.chosen(between_two)
    source, target = numbers[asked.initiator], numbers[asked.responder]
    # Classes answer alike, so each is asked once; by targets first, since these answers are kept for a while only.
    # What is proved was not logged the wrong way round.
    proved = (asked.confidence == _PROVED).astype(np.int64)
    groups = groups_of(target, source, asked.protocol, asked.port, proved)
    told = [_REASONS.index(_why_not(reach, asked, place)) for place in groups.firsts.tolist()]
    reasons[between_two[groups.order]] = np.repeat(np.array(told, dtype=np.int64), groups.sizes)
    refused = {_REASONS[place]: np.flatnonzero(reasons == place) for place in (1, 2)}
    return Carried(np.flatnonzero(reasons == 0), {words: places for words, places in refused.items() if len(places)})


def _number(reach: Reachability, place: int, end: End) -> int:
    """Return the number of an interface's class, and one of its own for any other end."""
    return reach.number_of(end.interface) if end.interface else len(reach.classes) + place


def _why_not(reach: Reachability, asked: Observations, place: int) -> str:
    """Return why a conversation is surely not carried; empty where it may be."""
    source, target = asked.ends[int(asked.initiator[place])], asked.ends[int(asked.responder[place])]
    protocol = int(asked.protocol[place])
    if _may_pass(reach, source, target, traffic_of(protocol, int(asked.port[place]))):
        return ""
    if int(asked.confidence[place]) == _PROVED:
        return NOT_CARRIED
    return TURNED if _may_pass(reach, target, source, Traffic.protocol(protocol)) else NOT_CARRIED


def _may_pass(reach: Reachability, source: End, target: End, traffic: Traffic) -> bool:
    return any(verdict.upper.overlaps(traffic) for verdict in _verdicts(reach, source, target))


def _verdicts(reach: Reachability, source: End, target: End) -> Iterator[Verdict]:
    if source.interface:
        yield reach.between(source.interface, target.interface or target.addresses)
    elif target.interface:
        yield reach.between(source.addresses, target.interface)
        # What a load balancer hands on under its clients' addresses comes from outside, too.
        yield reach.delivered(source.addresses, target.interface)
