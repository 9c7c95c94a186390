"""Conversations with their ends found in an estate: the columns that an intent is generated from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.traffic import AddressSet

__all__ = [
    "ACCEPTED",
    "CONFIDENCES",
    "LAST_PORT",
    "LAST_PROTOCOL",
    "NO_PORT",
    "PORTED",
    "REFUSED",
    "End",
    "Groups",
    "Numbers",
    "Observations",
    "Row",
    "distinct",
    "groups_of",
    "observations_of",
    "port_words",
    "traffic_of",
]

NO_PORT: Final = -1
"""The port of a conversation whose protocol has none."""
LAST_PORT: Final = 65535
LAST_PROTOCOL: Final = 255
ACCEPTED: Final = 0
REFUSED: Final = 1
CONFIDENCES: Final = ("high", "medium", "low", "unknown")
"""How sure it is who opened a conversation; their places stand in the column."""
PORTED: Final = frozenset((6, 17, 132))
"""TCP, UDP and SCTP. See https://www.iana.org/assignments/protocol-numbers"""

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


class End(NamedTuple):
    """One end of conversations: an interface, addresses outside of the estate, or nobody knows who.

    Attributes:
        interface: qualified id of the interface; empty where it is none of the estate.
        addresses: the address outside, where it is outside.
        name: what the log calls an end outside; empty where it does not say.
        doubt: why it is not known who it is; empty where it is an interface or outside.
        shown: what to call it, for people: the address as logged, or the interface's own name.
    """

    interface: str = ""
    addresses: AddressSet = NO_ADDRESSES
    name: str = ""
    doubt: str = ""
    shown: str = ""

    @property
    def is_outside(self) -> bool:
        """Whether it is an address outside of the estate."""
        return not self.interface and not self.doubt


class Row(NamedTuple):
    """One conversation. ``first`` and ``last`` are seconds since 1970 in UTC, the ends places among the ends.

    ``bytes`` counts both directions; ``packets`` those of the initiator, ``packets_back`` those of the responder.
    """

    initiator: int
    responder: int
    protocol: int = 6
    port: int = NO_PORT
    verdict: int = ACCEPTED
    confidence: int = 0
    connections: int = 1
    records: int = 2
    packets: int = 10
    packets_back: int = 10
    bytes: int = 10_000
    first: int = 0
    last: int = 0
    initiator_port: int = NO_PORT


class Observations(NamedTuple):
    """Conversations as columns, one place a conversation.

    Attributes:
        ends: the distinct ends.
        initiator: who opened it, as a place among the ends.
        responder: who answered, likewise.
        protocol: IANA number.
        port: the responder's port; ``NO_PORT`` for protocols without ports.
        verdict: ``ACCEPTED`` or ``REFUSED``, in either direction.
        confidence: how sure it is who opened it, as a place in ``CONFIDENCES``.
        connections: how often it was opened; 0 where only the middle of connections was seen.
        records: how many records show it.
        packets: packets of the initiator; 0 where the log counts none.
        packets_back: packets of the responder.
        bytes: bytes of both.
        first: begin of the first record, seconds since 1970 in UTC.
        last: end of the last record, likewise.
        initiator_port: the initiator's port, where nobody knows which of the two listens; else ``NO_PORT``.
    """

    ends: tuple[End, ...]
    initiator: Numbers
    responder: Numbers
    protocol: Numbers
    port: Numbers
    verdict: Numbers
    confidence: Numbers
    connections: Numbers
    records: Numbers
    packets: Numbers
    packets_back: Numbers
    bytes: Numbers
    first: Numbers
    last: Numbers
    initiator_port: Numbers

    def chosen(self, places: Numbers | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Observations:
        """Return some of the conversations, by their places or by a mask; the ends stay."""
        return Observations(self.ends, *(column[places] for column in self[1:]))


def observations_of(ends: Iterable[End], rows: Iterable[Row]) -> Observations:
    """Return conversations that are given one by one, for small files and tests."""
    table = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, len(Row._fields))
    return Observations(tuple(ends), *(table[:, place] for place in range(table.shape[1])))


def traffic_of(protocol: int, port: int) -> Traffic:
    """Return the traffic of a conversation. Logs keep no type of ICMP messages, so that ICMP is all of it.

    What no packet can bear is nothing.
    """
    if protocol in PORTED and port != NO_PORT:
        return Traffic.ports(protocol, port, port) if 0 <= port <= LAST_PORT else NO_TRAFFIC
    return Traffic.protocol(protocol) if 0 <= protocol <= LAST_PROTOCOL else NO_TRAFFIC


def port_words(protocol: int, port: int) -> str:
    """Return the traffic of a conversation in words: ``tcp/443``."""
    return str(traffic_of(protocol, port))


class Groups(NamedTuple):
    """Places at which some keys are equal, group by group, in order of the keys.

    Attributes:
        order: the places, group by group.
        starts: where each group begins among these.
    """

    order: Numbers
    starts: Numbers

    @property
    def firsts(self) -> Numbers:
        """One place of each group."""
        return self.order[self.starts]

    @property
    def sizes(self) -> Numbers:
        """How many places each group has."""
        return np.diff(self.starts, append=len(self.order))

    def sums(self, column: Numbers) -> list[int]:
        """Return the sum of a column, group by group."""
        return self._each(np.add, column)

    def least(self, column: Numbers) -> list[int]:
        """Return the least of a column, group by group."""
        return self._each(np.minimum, column)

    def most(self, column: Numbers) -> list[int]:
        """Return the greatest of a column, group by group."""
        return self._each(np.maximum, column)

    def held(self, column: Numbers) -> list[list[int]]:
        """Return a column, group by group."""
        values: list[int] = column[self.order].tolist()
        ends = [*self.starts.tolist()[1:], len(values)]
        return [values[start:end] for start, end in zip(self.starts.tolist(), ends, strict=True)] if values else []

    def _each(self, function: np.ufunc, column: Numbers) -> list[int]:
        if not len(self.order):
            return []
        found: list[int] = function.reduceat(column[self.order], self.starts).tolist()
        return found


def groups_of(*keys: Numbers) -> Groups:
    """Return the groups of places at which all the keys are equal."""
    order = np.lexsort(keys[::-1])
    begins = np.ones(len(order), dtype=bool)
    for key in keys:
        ordered = key[order]
        begins[1:] &= ordered[1:] == ordered[:-1]
    begins[1:] = ~begins[1:]
    return Groups(order, np.flatnonzero(begins))


def distinct(*keys: Numbers) -> Numbers:
    """Return one place for each distinct combination of the keys, in order of the keys."""
    return groups_of(*keys).firsts
