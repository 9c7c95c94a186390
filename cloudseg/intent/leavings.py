"""What a person has to decide: conversations that are not proposed and may be meant all the same."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.intent.observations import NO_PORT, PORTED, groups_of, port_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.intent.observations import End, Observations
    from cloudseg.intent.outsiders import Crowd

__all__ = ["Left", "by_doubt", "left_for_people"]


class Left(NamedTuple):
    """Conversations that a person has to judge.

    Attributes:
        reason: why they are not proposed, in words.
        source: who opened them, or is the first of both where nobody knows.
        target: who answered, or the other.
        traffic: the traffic, in words.
        conversations: how many there are.
        connections: how often they were opened, as far as that was seen.
        last: when the last was seen, seconds since 1970 in UTC; None where it does not matter.
    """

    reason: str
    source: str
    target: str
    traffic: str
    conversations: int
    connections: int
    last: int | None


def by_doubt(seen: Observations) -> dict[str, Observations]:
    """Return conversations with an end that nobody knows by the reason in words, those of most conversations first.

    Reasons name scopes and networks; where there are many, the rest goes together.
    """
    doubts = [
        seen.ends[one].doubt or seen.ends[other].doubt
        for one, other in zip(seen.initiator.tolist(), seen.responder.tolist(), strict=True)
    ]
    counts = Counter(doubts)
    ordered = sorted(counts, key=lambda doubt: (-counts[doubt], doubt))
    shown = {doubt: f"an end is not known: {doubt}" for doubt in ordered[:_REASONS]}
    words = np.array([shown.get(doubt, _OTHERS) for doubt in doubts], dtype=object)
    return {reason: seen.chosen(np.flatnonzero(words == reason)) for reason in dict.fromkeys((*shown.values(), *words))}


def left_for_people(
    listed: Mapping[str, Observations], crowds: Iterable[Crowd], ends: Sequence[End], parties: Sequence[tuple[str, ...]]
) -> tuple[Left, ...]:
    """Return what a person has to decide, reason by reason, in order of who it is about.

    Args:
        listed: conversations that were left out, by the reason in words.
        crowds: what too many addresses outside do.
        ends: the ends.
        parties: the segments of each end, by its place.
    """
    called = [_called(end, names) for end, names in zip(ends, parties, strict=True)]
    found: list[Left] = []
    for crowd in crowds:
        outside = f"{crowd.ranges} ranges outside"
        inner = crowd.use.inner
        source, target = (outside, inner) if crowd.use.inward else (inner, outside)
        found.append(Left(_CROWD, source, target, crowd.use.traffic, len(crowd.ends), 0, None))
    for reason, seen in listed.items():
        found += sorted(_of_reason(reason, seen, called))
    return tuple(found)


_REASONS: Final = 8
_PROTOCOLS: Final = 255
_OTHERS: Final = "an end is not known, for another reason"
_CROWD: Final = "too many addresses outside to name: allow the internet, or name the ranges that are meant"


def _of_reason(reason: str, seen: Observations, called: Sequence[str]) -> Iterator[Left]:
    merged: dict[tuple[str, str, str], Left] = {}
    groups = groups_of(seen.initiator, seen.responder, seen.protocol, seen.port, seen.initiator_port)
    told = seen.chosen(groups.firsts)
    ends: Iterable[tuple[int, int]] = zip(told.initiator.tolist(), told.responder.tolist(), strict=True)
    traffic: Iterable[tuple[int, int, int]] = zip(
        told.protocol.tolist(), told.port.tolist(), told.initiator_port.tolist(), strict=True
    )
    sizes: list[int] = groups.sizes.tolist()
    counts = zip(sizes, groups.sums(seen.connections), groups.most(seen.last), strict=True)
    for (initiator, responder), ports, (conversations, connections, last) in zip(ends, traffic, counts, strict=True):
        key = called[initiator], called[responder], _traffic_words(*ports)
        known = merged.get(key, Left(reason, *key, 0, 0, None))
        merged[key] = known._replace(
            conversations=known.conversations + conversations,
            connections=known.connections + connections,
            last=last if known.last is None else max(known.last, last),
        )
    yield from merged.values()


@lru_cache(maxsize=1024)
def _traffic_words(protocol: int, port: int, other: int) -> str:
    if not 0 <= protocol <= _PROTOCOLS:
        return "unknown traffic"
    words = port_words(protocol, port)
    if other != NO_PORT and protocol in PORTED:
        words = f"{words} or, the other way round, {port_words(protocol, other)}"
    return words


def _called(end: End, names: tuple[str, ...]) -> str:
    return " and ".join(names) if end.interface and names else _shown(end)


def _shown(end: End) -> str:
    shown = end.shown or end.interface or str(end.addresses)
    return f"{shown} ({end.name})" if end.name and end.name != shown else shown
