"""Records that say the same are counted together, in one GROUP BY: what is asked of DuckDB and of a cloud's own engine.

A record counts the packets from a source to a destination; a sighting those between a client and a server, there and
back. So the ephemeral port of a client, which differs with every connection, is no key, and millions of records make
few groups. Who is the client is said here only as far as a single record can tell; ``resolve`` puts it right.

The text is portable: sqlglot writes it for Trino (Athena) and BigQuery, so it keeps to what all three have.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from cloudseg.flows.columns import CODES, RECORDS, SIGHTINGS
from cloudseg.flows.ports import difference_sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.flows.formats.interface import Records

__all__ = ["merged_sql", "sightings_sql", "within"]

_TYPES: Final = {column.name: column.type for column in SIGHTINGS}


def _turning(forward: str, backward: str) -> str:
    """The expression that is one of two by who is the client; without that, or where one is left out, NULL."""
    cases = f"WHEN forward THEN {forward} " * bool(forward) + f"WHEN NOT forward THEN {backward} " * bool(backward)
    return f"CASE {cases}END"


def _rarely(forward: str, backward: str) -> str:
    """Likewise of two columns that are NULL nearly always: DuckDB then does next to nothing."""
    return f"CASE WHEN {forward} IS NULL AND {backward} IS NULL THEN NULL ELSE {_turning(forward, backward)} END"


# Four words of a sighting are grouped by as one number, which is faster than four texts: three bits, then two each.
_VERDICT: Final = ("accepted", "refused", "reply-refused")
_ORIENTATION: Final = ("handshake", "state", "ports", "none")
_PLACE: Final = (None, "middle", "client", "server")

# Of a row that is not ok there is the status alone. The numbers are those of ``columns.CODES``.
_CODE: Final = (
    "CASE WHEN status <> 0 THEN status ELSE CASE WHEN accepted THEN 0 WHEN forward THEN 8 ELSE 16 END"
    " + CASE WHEN opener = 0 THEN CASE WHEN apart = 0 THEN 96 ELSE 64 END WHEN proof = 1 THEN 0 ELSE 32 END"
    " + CASE WHEN side = 0 THEN 0 WHEN side = 3 THEN 128 WHEN (side = 1) = forward THEN 256 ELSE 384 END END"
)

_KEYS: Final = {
    # name of the key: (its expression, the columns of the records that it needs: without any of them it is NULL)
    "provider": ("provider", ()),
    "scope": ("scope", ("scope",)),
    "network": ("network", ("network",)),
    "observer": ("observer", ("observer",)),
    "client": (_turning("src", "dst"), ()),
    "server": (_turning("dst", "src"), ()),
    "near_client": (_rarely("near_src", "near_dst"), ("near_src", "near_dst")),
    "near_server": (_rarely("near_dst", "near_src"), ("near_src", "near_dst")),
    "protocol": ("CASE WHEN status = 0 THEN protocol END", ()),
    "port": (_turning("dst_port", "src_port"), ()),
    "client_port": (f"CASE WHEN apart = 0 THEN {_turning('src_port', 'dst_port')} END", ()),
    "rule": ("CASE WHEN status = 0 THEN rule END", ("rule",)),
    "client_name": (_rarely("src_name", "dst_name"), ("src_name", "dst_name")),
    "server_name": (_rarely("dst_name", "src_name"), ("src_name", "dst_name")),
}


def sightings_sql(records: Records) -> str:
    """Return the SELECT of the sightings in some records, with the columns of ``columns.SIGHTINGS`` in order.

    Nobody groups by what the format has not. Rows that are not ``ok`` are counted too, for the coverage.
    """
    keys = {
        name: sql
        for name, (sql, needs) in _KEYS.items()
        if (name != "provider" or records.provider is None)
        and name not in records.same
        and (not needs or not records.absent.issuperset(needs))
    }
    both_ways = not records.absent.issuperset(("packets_back", "bytes_back"))
    grouped = ", ".join(f'{sql} AS "{name}"' for name, sql in keys.items())
    counted = ", ".join(f'{sql} AS "{name}"' for name, sql in _counts(both_ways=both_ways).items())
    names = ", ".join(f'"{name}"' for name in keys)
    fixed = {name: _said(f'"{name}"', records.unsaid.get(name, ())) for name in keys}
    if records.provider is not None:
        fixed["provider"] = f"CAST('{records.provider}' AS VARCHAR)"
    fixed |= {name: _said(_text(value), records.unsaid.get(name, ())) for name, value in records.same.items()}
    picked = ", ".join(f'{_picked(name, fixed.get(name))} AS "{name}"' for name in _TYPES)
    return (
        f"SELECT {picked} FROM (SELECT {names}, code, {', '.join(_AGGREGATES)} FROM "  # noqa: S608 -- column names only
        f"(SELECT {grouped}, {_CODE} AS code, {counted} FROM ({_turned(records)}) AS turned) AS coded "
        f"GROUP BY {names}, code) AS counted"
    )


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"CAST('{quoted}' AS VARCHAR)"


def _said(name: str, unsaid: Iterable[str]) -> str:
    return reduce(lambda held, word: f"NULLIF({held}, '{word}')", unsaid, name)


def _turned(records: Records) -> str:
    """The records with ``forward``, whether the source is the client, and ``apart``, how the kinds of the ports differ.

    Without a proof the end with the lower kind of port is the server; of equal kinds (or none) the lesser end stands as
    the client, so that both directions fall together. ``forward`` is NULL for rows that are not ok, and ``apart`` for
    those with a proof, too.
    """
    kinds = (
        "SELECT records.*, CASE WHEN status = 0 AND opener = 0 THEN "  # noqa: S608 -- likewise
        f"{difference_sql('src_port', 'dst_port')} END AS apart FROM ({records.sql}) AS records"
    )
    lesser = "src < dst OR (src = dst AND COALESCE(src_port, 0) <= COALESCE(dst_port, 0))"
    return (
        "SELECT kinds.*, CASE WHEN status <> 0 THEN CAST(NULL AS BOOLEAN) WHEN opener <> 0 THEN opener = 1 "  # noqa: S608 -- likewise
        f"WHEN apart = 0 THEN {lesser} ELSE apart > 0 END AS forward, CAST(packets AS DOUBLE) AS there_packets, "
        f"CAST(bytes AS DOUBLE) AS there_bytes FROM ({kinds}) AS kinds"
    )


def _counts(*, both_ways: bool) -> dict[str, str]:
    """What is summed up, by name: the expression over a turned record, NULL where that tells nothing of it."""
    # DOUBLE is exact up to 2^53, 8 PiB in one group; sums of BIGINT are kept in 128 bits and take four times as long.
    back = {name: f"CAST({name}_back AS DOUBLE)" if both_ways else "" for name in ("packets", "bytes")}
    return {
        "opened": "opened",
        "answers": "answers",
        "packets": _turning("there_packets", back["packets"]),
        "bytes": _turning("there_bytes", back["bytes"]),
        "packets_back": _turning(back["packets"], "there_packets"),
        "bytes_back": _turning(back["bytes"], "there_bytes"),
        # A row that is not ok has a time all the same.
        "first_there": 'CASE WHEN NOT forward THEN NULL ELSE "first" END',
        "first_back": 'CASE WHEN NOT forward THEN "first" END',
        "last": '"last"',
        "one_client_port": _turning("src_port", "dst_port"),
    }


_AGGREGATES: Final = (
    'COUNT(*) AS "records"',
    'BOOL_OR("answers") AS "answers"',
    'SUM(CAST("opened" AS DOUBLE)) AS "opened"',
    *(f'SUM("{name}") AS "{name}"' for name in ("packets", "bytes", "packets_back", "bytes_back")),
    'MIN("first_there") AS "first_there"',
    'MIN("first_back") AS "first_back"',
    'MAX("last") AS "last"',
    'MIN("one_client_port") AS "client_port_low"',
    'MAX("one_client_port") AS "client_port_high"',
)


def _picked(name: str, key: str | None) -> str:
    """The expression of a column of the result, over what was counted; ``key``: that of one it was grouped by."""
    kind = _TYPES[name]
    if name in _KEYS:
        return f"CAST(NULL AS {kind})" if key is None else key
    ok = "(code & 7) = 0"
    match name:
        case "status":
            return _word("(code & 7)", CODES["status"], 1)
        case "place":
            return f"CASE WHEN {ok} THEN {_word('(code & 384)', _PLACE, 128)} END"
        case "orientation":
            return f"CASE WHEN {ok} THEN {_word('(code & 96)', _ORIENTATION, 32)} END"
        case "verdict":
            return f"CASE WHEN {ok} THEN {_word('(code & 24)', _VERDICT, 8)} END"
        case "answered":
            return f'({ok} AND ("first_back" IS NOT NULL OR COALESCE("answers", FALSE)))'
        case "asked":
            return f'({ok} AND "first_there" IS NOT NULL)'
        case "first":
            # LEAST of a NULL is NULL in Trino and BigQuery, and the other one in DuckDB.
            return 'COALESCE(LEAST("first_there", "first_back"), "first_there", "first_back")'
        case "opened" | "packets" | "bytes" | "packets_back" | "bytes_back":
            return f'CASE WHEN {ok} THEN CAST(COALESCE("{name}", 0) AS {kind}) ELSE 0 END'
        case _:
            return f'CAST("{name}" AS {kind})'


def _word(number: str, words: tuple[str | None, ...], unit: int) -> str:
    cases = " ".join(f"WHEN {place * unit} THEN '{word}'" for place, word in enumerate(words) if word is not None)
    return f"CASE {number} {cases} END"


_UNTOLD_OUTSIDE: Final = ("scope", "network", "observer", "first", "last")
"""What counts of other rows that are not ok."""


def within(records: Records, since: int | None, until: int | None) -> Records:
    """Return the records with the status ``outside`` for those that end by ``since`` or begin at ``until`` or later.

    They are counted and nothing else is told of them. Both times are seconds since 1970.
    """
    bounds = [f'"last" <= {since}'] * (since is not None) + [f'"first" >= {until}'] * (until is not None)
    if not bounds:
        return records
    outside = " OR ".join(bounds)
    untold = {"status": str(CODES["status"].index("outside")), **dict.fromkeys(_UNTOLD_OUTSIDE, "NULL")}
    picked = ", ".join(
        f'CASE WHEN outside THEN {untold[name]} ELSE "{name}" END AS "{name}"' if name in untold else f'"{name}"'
        for name in (column.name for column in RECORDS)
    )
    # What is outside has no scope: that is not the same in all of them.
    return records._replace(
        sql=f"SELECT {picked} FROM (SELECT bounded.*, COALESCE({outside}, FALSE) AS outside "  # noqa: S608 -- column names
        f"FROM ({records.sql}) AS bounded) AS told",
        same={},
    )


def merged_sql() -> str:
    """Return the SELECT that puts rows of the table ``sightings`` together which differ in nothing but their counts."""
    how = {
        **dict.fromkeys(("records", "opened", "packets", "bytes", "packets_back", "bytes_back"), "SUM"),
        **dict.fromkeys(("answered", "asked"), "BOOL_OR"),
        **dict.fromkeys(("first", "first_back", "client_port_low"), "MIN"),
        **dict.fromkeys(("last", "client_port_high"), "MAX"),
    }
    picked = ", ".join(
        f'CAST({how[column.name]}("{column.name}") AS {column.type}) AS "{column.name}"'
        if column.name in how
        else f'"{column.name}"'
        for column in SIGHTINGS
    )
    keys = ", ".join(f'"{column.name}"' for column in SIGHTINGS if column.name not in how)
    return f'SELECT {picked}, "log" FROM sightings GROUP BY {keys}, "log"'  # noqa: S608 -- column names only
