"""What was seen between segments: conversations with equal segments and traffic, counted together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.intent.observations import groups_of, traffic_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.intent.observations import Observations
    from cloudseg.traffic import Traffic

__all__ = ["Fact", "Use", "facts_between"]


class Fact(NamedTuple):
    """Conversations of the members of some segments with the members of others, on one port.

    Attributes:
        sources: the segments that every initiator is in.
        targets: the segments that every responder is in.
        protocol: IANA number.
        port: the responder's port; ``NO_PORT`` for protocols without ports.
        connections: how often they were opened; 0 where only the middle of connections was seen.
        conversations: how many conversations there are.
        records: how many records of the log show them.
        first: when the first was seen, seconds since 1970 in UTC.
        last: when the last was seen, likewise.
        confidence: how sure it is who opened them, of the surest, as a place in ``CONFIDENCES``.
        answered: an answer was seen, or the log would not show one.
        initiators: the ends that opened them, as places among the ends.
        responders: the ends that answered, likewise.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    protocol: int
    port: int
    connections: int
    conversations: int
    records: int
    first: int
    last: int
    confidence: int
    answered: bool
    initiators: frozenset[int]
    responders: frozenset[int]

    @property
    def traffic(self) -> Traffic:
        """The traffic that was seen."""
        return traffic_of(self.protocol, self.port)


class Use(NamedTuple):
    """What an end outside does.

    Attributes:
        inner: the segment at the other end.
        inward: the end outside is the initiator.
        traffic: the traffic, in words.
    """

    inner: str
    inward: bool
    traffic: str


def facts_between(seen: Observations, parties: Sequence[tuple[str, ...]]) -> tuple[Fact, ...]:
    """Return what was seen between segments, in order of the segments and the traffic.

    Args:
        seen: conversations.
        parties: the segments of each end, by its place.
    """
    known = {names: number for number, names in enumerate(sorted(set(parties)))}
    held = list(known)
    numbers = np.array([known[names] for names in parties], dtype=np.int64)
    of_source, of_target = numbers[seen.initiator], numbers[seen.responder]
    groups = groups_of(of_source, of_target, seen.protocol, seen.port)
    firsts = groups.firsts
    answered = ((seen.packets == 0) | (seen.packets_back > 0)).astype(np.int64)
    ends = zip(of_source[firsts].tolist(), of_target[firsts].tolist(), strict=True)
    counts = zip(
        seen.protocol[firsts].tolist(),
        seen.port[firsts].tolist(),
        groups.sums(seen.connections),
        groups.sizes.tolist(),
        groups.sums(seen.records),
        groups.least(seen.first),
        groups.most(seen.last),
        groups.least(seen.confidence),
        strict=True,
    )
    members = zip(groups.held(seen.initiator), groups.held(seen.responder), strict=True)
    found: list[Fact] = []
    for (source, target), told, some, (initiators, responders) in zip(
        ends, counts, groups.most(answered), members, strict=True
    ):
        protocol, port, connections, conversations, records, first, last, confidence = told
        found.append(
            Fact(
                held[source],
                held[target],
                protocol,
                port,
                connections,
                conversations,
                records,
                first,
                last,
                confidence,
                bool(some),
                frozenset(initiators),
                frozenset(responders),
            )
        )
    return tuple(found)
