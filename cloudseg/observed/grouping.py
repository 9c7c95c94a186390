"""Conversations put together by what people call the same: from whom, to whom, on which port."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.observed.columns_of import Factor, combined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.observed.columns_of import Numbers
    from cloudseg.observed.join import Joined
    from cloudseg.observed.observations import Columns

__all__ = ["Group", "grouped", "ports_of"]


class Group(NamedTuple):
    """Conversations that are told as one.

    Attributes:
        rows: their places, the one with the most connections first.
        connections: how often they were opened, or refused; of those of which only the middle was seen, once each.
        last_seen: when the last of them was last seen, seconds since 1970.
    """

    rows: Numbers
    connections: int
    last_seen: int


def ports_of(table: Columns, column: str = "port") -> Factor:
    """Return protocol and port of each conversation as numbers; None for the port where there is none."""
    protocols: Numbers = table.column("protocol")
    ports: Numbers = np.maximum(table.column(column), -1)
    codes, first = combined([protocols, ports + 1])
    pairs = zip(protocols[first].tolist(), ports[first].tolist(), strict=True)
    return Factor(codes, [(protocol, None if port < 0 else port) for protocol, port in pairs])


def grouped(joined: Joined, rows: Numbers, keys: Sequence[Numbers]) -> list[Group]:
    """Return conversations together that agree in some numbers, those with the most connections first.

    Args:
        joined: all conversations.
        rows: the places of those that are looked at.
        keys: numbers of all conversations.
    """
    if not len(rows):
        return []
    table = joined.conversations
    codes, _ = combined([key[rows] for key in keys])
    weight = np.maximum(table.column("connections")[rows], 1)
    last: NDArray[np.int64] = table.column("last_seen")[rows].astype("datetime64[s]").astype(np.int64)
    order = np.lexsort((rows, -weight, codes))
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) > 0])
    totals: list[int] = np.add.reduceat(weight[order], starts).tolist()
    latest: list[int] = np.maximum.reduceat(last[order], starts).tolist()
    parts = np.split(rows[order], starts[1:])
    groups = [Group(*each) for each in zip(parts, totals, latest, strict=True)]
    return sorted(groups, key=lambda group: (-group.connections, int(group.rows[0])))
