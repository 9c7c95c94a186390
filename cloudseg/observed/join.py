"""Conversations joined with an estate: whom each of their ends stands for.

Everything is worked out once for ends that were logged alike, and told by numbers: a million conversations have some
ten thousand ends.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from cloudseg.observed.columns_of import Factor, combined, factor, numbers_of
from cloudseg.observed.history import Bearing, History, borne
from cloudseg.observed.resolving import Resolver, Seen, Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate
    from cloudseg.observed.columns_of import Numbers
    from cloudseg.observed.ends import End
    from cloudseg.observed.observations import Columns

__all__ = ["Joined", "join"]

_TEXTS: Final = ("interface", "network", "scope")


@dataclasses.dataclass(frozen=True)
class Joined:
    """Conversations and whom their ends stand for.

    Attributes:
        conversations: the conversations.
        ends: the ends, each once.
        initiators: for each conversation the number of the end that opened it.
        responders: for each conversation the number of the other end.
    """

    conversations: Columns
    ends: tuple[End, ...]
    initiators: Numbers
    responders: Numbers

    def __hash__(self) -> int:
        return id(self)

    def __len__(self) -> int:
        """Return how many conversations there are."""
        return len(self.initiators)

    def initiator(self, row: int) -> End:
        """Return who opened a conversation, by its place."""
        return self.ends[int(self.initiators[row])]

    def responder(self, row: int) -> End:
        """Return the other end of a conversation, by its place."""
        return self.ends[int(self.responders[row])]

    @cached_property
    def kinds(self) -> Counter[str]:
        """How many conversations have an end of each kind: one with two such ends counts once."""
        found: Counter[str] = Counter()
        kinds = np.array([end.kind for end in self.ends] or ["interface"], dtype=object)
        for kind in sorted({end.kind for end in self.ends}):
            of_kind = kinds == kind
            found[kind] = int(np.count_nonzero(of_kind[self.initiators] | of_kind[self.responders]))
        return found


class _Side(NamedTuple):
    """The columns of one side of conversations, as numbers."""

    address: Factor
    interface: Factor
    network: Factor
    scope: Factor
    name: Factor
    reported: np.ndarray[tuple[int], np.dtype[np.bool_]]


def join(conversations: Columns, estate: Estate) -> Joined:
    """Return conversations with the interfaces that their ends stand for.

    The interface that reported goes first. One that reported and is not in the estate is gone, and is never mapped by
    its address. Where nobody reported, address and network decide, and the time where the logs show that an address
    was another interface's.

    Args:
        conversations: the conversations.
        estate: the estate.
    """
    if not len(conversations):
        nothing = np.zeros(0, dtype=np.int64)
        return Joined(conversations, (), nothing, nothing)
    provider = factor(conversations.column("provider"))
    sides = tuple(_side(conversations, name) for name in ("initiator", "responder"))
    resolver = Resolver(estate)
    told: list[Told] = []
    numbered: list[Numbers] = []
    for own, other in (sides, sides[::-1]):
        codes, seen = _seen(provider, own, other)
        numbered.append(codes + len(told))
        told.extend(map(resolver.resolve, seen))
    numbered = _by_time(conversations, told, numbered, sides)
    # Ends that were logged in different ways may be one.
    unique = numbers_of([each.end for each in told])
    initiators, responders = (unique.codes[codes] for codes in numbered)
    return Joined(conversations, tuple(unique.values), initiators, responders)


def _side(conversations: Columns, side: str) -> _Side:
    address = factor(conversations.column(side))
    interface, network, scope = (factor(conversations.column(f"{side}_{text}")) for text in _TEXTS)
    name = factor(conversations.column(f"{side}_name"))
    told = np.array([value is not None for value in interface.values], dtype=np.bool_)
    return _Side(address, interface, network, scope, name, told[interface.codes])


def _seen(provider: Factor, own: _Side, other: _Side) -> tuple[Numbers, list[Seen]]:
    """Return a number for each row's end, and what was logged of each of these."""
    unreported = ~own.reported
    # Of the other end only counts where somebody reported, and only where nobody did here.
    context = [np.where(unreported, part.codes + 1, 0) for part in (other.interface, other.network, other.scope)]
    # Where the network was logged nothing more is told by the interface: most rows come down to few numbers.
    context[0] = np.where(_told(other.network), 0, context[0])
    parts = (provider, own.address, own.interface, own.network, own.scope, own.name)
    codes, first = combined([*(part.codes for part in parts), *context])
    rows = first.tolist()
    columns = [_values(part, first) for part in parts]
    near = [
        [value if here else None for value, here in zip(_values(part, first), unreported[first].tolist(), strict=True)]
        for part in (other.interface, other.network, other.scope)
    ]
    return codes, [Seen(*fields) for fields in zip(*columns, *near, strict=True)] if rows else []


def _told(part: Factor) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    known = np.array([value is not None for value in part.values], dtype=np.bool_)
    return known[part.codes]


def _values(part: Factor, rows: Numbers) -> list[Any]:
    return [part.values[code] for code in part.codes[rows].tolist()]


def _by_time(
    conversations: Columns, told: list[Told], numbered: list[Numbers], sides: Sequence[_Side]
) -> list[Numbers]:
    """Return the numbers of ends, where addresses were reused those of who bore them at the time; adds to ``told``."""
    if all(side.reported.all() for side in sides):
        return numbered
    first, last = (_seconds(conversations.column(name)) for name in ("first_seen", "last_seen"))
    history = History(_bearings(told, numbered, sides, first, last))
    found: list[Numbers] = []
    for codes, side in zip(numbered, sides, strict=True):
        own = codes.copy()
        open_rows = np.flatnonzero(~side.reported)
        asked: list[int] = np.unique(codes[open_rows]).tolist()
        others = {
            code: before
            for code in asked
            if not told[code].end.name and (before := history.others(told[code].end, told[code].network))
        }
        contested = open_rows[np.isin(codes[open_rows], list(others))] if others else open_rows[:0]
        made: dict[End, int] = {}
        for row in contested.tolist():
            code = int(codes[row])
            end = borne(told[code].end, others[code], int(first[row]), int(last[row]))
            if end not in made:
                made[end] = len(told)
                told.append(Told(end, told[code].network))
            own[row] = made[end]
        found.append(own)
    return found


def _bearings(
    told: Sequence[Told], numbered: Sequence[Numbers], sides: Sequence[_Side], first: Numbers, last: Numbers
) -> list[tuple[str, Bearing]]:
    """Return the ends that reported themselves, with the networks of their addresses, and when they did."""
    begin = np.full(len(told), np.iinfo(np.int64).max, dtype=np.int64)
    end = np.full(len(told), np.iinfo(np.int64).min, dtype=np.int64)
    for codes, side in zip(numbered, sides, strict=True):
        np.minimum.at(begin, codes[side.reported], first[side.reported])
        np.maximum.at(end, codes[side.reported], last[side.reported])
    return [
        (each.network, Bearing(each.end, first_seen, last_seen))
        for each, first_seen, last_seen in zip(told, begin.tolist(), end.tolist(), strict=True)
        if first_seen <= last_seen and each.end.kind in {"interface", "gone"}
    ]


def _seconds(column: np.ndarray[Any, Any]) -> Numbers:
    """Return a column of times as seconds since 1970."""
    return column.astype("datetime64[s]").astype(np.int64)
