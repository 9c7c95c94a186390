"""From what a log tells to the columns of ``columns.RECORDS``: which rows can be true, and what stands of the others.

Every format ends here, so that all of them judge by one measure. The text is portable SQL: see ``interface.Records``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from cloudseg.flows.columns import RECORDS, Column
from cloudseg.flows.formats.interface import Records

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["COUNTS", "assembled", "known_times", "sound"]

COUNTS: Final = frozenset({"opened", "packets", "bytes", "packets_back", "bytes_back"})
"""The columns that count: 0 where a log does not tell them."""
_ZERO: Final = COUNTS | {"side", "opener", "proof"}
"""The columns that are 0 where a log does not tell them; the others are NULL."""

_PORTS: Final = f"({' OR '.join(f'protocol = {number}' for number in (6, 17, 33, 132, 136))})"
"""TCP, UDP, DCCP, SCTP and UDP-Lite: all others have no ports, though logs may write some as 0.

Of a list after IN DuckDB makes a join, which costs a tenth of the whole.
"""
_EARLIEST: Final = 946_684_800  # 2000-01-01: no cloud wrote logs before.
_DAY: Final = 86_400


def known_times(first: str, last: str) -> str:
    """Return the condition that two columns of seconds hold times: from 2000 to tomorrow, in order.

    A time in milliseconds lies far beyond that.
    """
    return f"{first} >= {_EARLIEST} AND {last} BETWEEN {first} AND {int(time.time()) + _DAY}"


def sound(counts: Collection[str], protocol: str = "protocol BETWEEN 0 AND 255") -> str:
    """Return the condition that a row has both addresses, ports where its protocol has some, a time and real counts.

    It is over columns that are named as in ``columns.RECORDS``. A value that is missing makes a comparison NULL, which
    is not true.

    Args:
        counts: the columns that count packets and bytes which the row has.
        protocol: the condition on the protocol.
    """
    # Both ports at once, and all counts: a bit beyond 65535, or a sign, of one of them is one of all.
    ports = "(src_port | dst_port) BETWEEN 0 AND 65535"
    counted = f" AND ({' | '.join(sorted(counts))}) >= 0" if counts else ""
    return (
        f"src IS NOT NULL AND dst IS NOT NULL AND {protocol} AND ({ports} OR NOT COALESCE({_PORTS}, FALSE)){counted} "
        f"AND {known_times('first', 'last')}"
    )


def assembled(provider: str, source: str, columns: Mapping[str, str]) -> Records:
    """Return the records that a source holds.

    Args:
        provider: whose log it is.
        source: what stands after FROM, with the columns ``status``, ``protocol``, ``first`` and ``last``.
        columns: the expression of each column that the log fills, over the source. What is missing is constantly NULL,
            or 0 where it counts.

    Ports stand only where a protocol has some, times only where they can be. Of rows that are not ``ok`` nobody looks
    at more than who reports them and when.
    """
    fixed = {"provider": f"CAST('{provider}' AS VARCHAR)", "status": "status"}
    known = f"CASE WHEN status = 0 OR ({known_times('first', 'last')}) THEN {{}} END"
    times = {name: known.format(name) for name in ("first", "last")}
    held = {**columns, **fixed, **times}
    picked = ", ".join(f'{_picked(column, held.get(column.name))} AS "{column.name}"' for column in RECORDS)
    return Records(
        f"SELECT {picked} FROM {source}",  # noqa: S608 -- expressions of the formats; names and paths in them are quoted
        frozenset(column.name for column in RECORDS if column.name not in held),
        provider,
    )


def _picked(column: Column, expression: str | None) -> str:
    if expression is None:
        return f"CAST({'0' if column.name in _ZERO else 'NULL'} AS {column.type})"
    return f"CASE WHEN {_PORTS} THEN {expression} END" if column.name.endswith("_port") else expression
