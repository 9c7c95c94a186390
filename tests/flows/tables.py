"""Small tables of records, and what becomes of them: what the tests of the tables' SQL share."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from cloudseg.flows.columns import CODES, RECORDS, SIGHTINGS, ddl
from cloudseg.flows.conversations import Conversation
from cloudseg.flows.database import connect
from cloudseg.flows.formats.interface import Records
from cloudseg.flows.resolve import create_sightings, resolve
from cloudseg.flows.sightings import sightings_sql, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duckdb import DuckDBPyConnection

__all__ = ["APP", "DB", "Record", "T", "answer", "conversations", "fill", "record", "short", "sightings", "syn"]

APP, DB = "eni-app", "eni-db"
T = 1_767_999_600
"""When the tests' records begin: 2026-01-09 23:00 UTC."""

Record: TypeAlias = dict[str, str | int | bool | None]
_ABSENT: Record = dict.fromkeys(column.name for column in RECORDS)


def record(ends: str, observer: str | None = APP, side: str | None = None, **others: str | int | bool | None) -> Record:
    """A record of TCP, accepted, of one second and one packet of 100 bytes: ``ends`` is "address port > address port".

    Without ports (``address > address``) it is one of ICMP.
    """
    left, right = (end.split() for end in ends.split(" > "))
    ports: Record = (
        {"src_port": int(left[1]), "dst_port": int(right[1]), "protocol": 6} if len(left) > 1 else {"protocol": 1}
    )
    told: Record = {
        "provider": "aws",
        "scope": "111122223333",
        "network": "vpc-1",
        "observer": observer,
        "status": "ok",
        "side": side,
        "src": left[0],
        "dst": right[0],
        "opened": 0,
        "accepted": True,
        "packets": 1,
        "bytes": 100,
        "packets_back": 0,
        "bytes_back": 0,
        "first": T,
        "last": T + 1,
    }
    return _ABSENT | told | ports | others


def syn(ends: str, observer: str | None = APP, side: str | None = None, **others: str | int | bool | None) -> Record:
    """A record with the SYN of the source's connection."""
    return record(ends, observer, side, **({"opener": "src", "proof": "handshake", "opened": 1} | others))


def answer(ends: str, observer: str | None = APP, side: str | None = None, **others: str | int | bool | None) -> Record:
    """A record with the SYN-ACK to the destination's connection."""
    return record(ends, observer, side, **({"opener": "dst", "proof": "handshake", "answers": True} | others))


def fill(database: DuckDBPyConnection, records: Iterable[Record]) -> None:
    """Make the table ``records``."""
    database.execute(ddl("records", RECORDS))
    marks = ", ".join("?" for _ in RECORDS)
    for each in records:
        coded = each | {name: words.index(each[name]) for name, words in CODES.items()}
        database.execute(f"INSERT INTO records VALUES ({marks})", [coded[column.name] for column in RECORDS])


def sightings(
    *records: Record, absent: Sequence[str] = (), since: int | None = None, until: int | None = None
) -> list[Record]:
    """The sightings of records, in order."""
    with closing(connect(threads=1)) as database:
        fill(database, records)
        query = sightings_sql(within(Records("SELECT * FROM records", frozenset(absent)), since, until))
        rows = database.execute(f"SELECT * FROM ({query}) ORDER BY ALL").fetchall()
    return [dict(zip((column.name for column in SIGHTINGS), row, strict=True)) for row in rows]


def conversations(*records: Record, logs: Sequence[Sequence[Record]] = ()) -> list[Conversation]:
    """The conversations of records, in order; ``logs``: more of them, each list of another kind of log."""
    with closing(connect(threads=1)) as database:
        create_sightings(database)
        for number, rows in enumerate((records, *logs)):
            fill(database, rows)
            query = sightings_sql(Records("SELECT * FROM records", frozenset()))
            database.execute(f"INSERT INTO sightings SELECT *, 'log-{number}' FROM ({query})")
            database.execute("DROP TABLE records")
        rows = database.execute(resolve(database)).fetchall()
    return [msgspec.convert(list(row), Conversation) for row in rows]


def short(found: Iterable[Conversation]) -> list[str]:
    """Write conversations shortly, in order."""
    return [
        f"{each.initiator}{'' if each.initiator_port is None else f':{each.initiator_port}'} > "
        f"{each.responder}{'' if each.port is None else f':{each.port}'} {each.verdict} {each.evidence}"
        for each in found
    ]
