"""Records that say the same are counted together, in one GROUP BY: what is asked of DuckDB and of a cloud's own engine.

A record counts the packets from a source to a destination; a sighting those between a client and a server, there and
back. So the ephemeral port of a client, which differs with every connection, is no key, and millions of records make
few groups. Who is the client is said here only as far as a single record can tell; ``resolve`` puts it right.

The text is portable: sqlglot writes it for Trino (Athena) and BigQuery, so it keeps to what all three have.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.columns import RECORDS, SIGHTINGS
from cloudseg.flows.formats.interface import Records
from cloudseg.flows.ports import kind_sql

__all__ = ["merged_sql", "sightings_sql", "within"]

_TYPES: Final = {column.name: column.type for column in SIGHTINGS}

# Four words of a sighting are grouped by as one number, which is faster than four texts: three bits, then two each.
_STATUS: Final = ("ok", "idle", "skipped", "outside", "bad")
_VERDICT: Final = ("accepted", "refused", "reply-refused")
_ORIENTATION: Final = ("handshake", "state", "ports", "none")
_PLACE: Final = (None, "middle", "client", "server")

_CODE: Final = (
    "CASE status WHEN 'ok' THEN 0 WHEN 'idle' THEN 1 WHEN 'skipped' THEN 2 WHEN 'outside' THEN 3 ELSE 4 END"
    " + CASE WHEN status <> 'ok' OR accepted THEN 0 WHEN forward THEN 8 ELSE 16 END"
    " + CASE WHEN proof = 'handshake' THEN 0 WHEN proof IS NOT NULL THEN 32 WHEN undecided THEN 96 ELSE 64 END"
    " + CASE WHEN side IS NULL THEN 0 WHEN side = 'middle' THEN 128 WHEN (side = 'src') = forward THEN 256 ELSE 384 END"
)

_KEYS: Final = {
    # name of the key: (its expression, the columns of the records that it needs: without any of them it is NULL)
    "provider": ("provider", ()),
    "scope": ("scope", ("scope",)),
    "network": ("network", ("network",)),
    "observer": ("observer", ("observer",)),
    "client": ("CASE WHEN forward THEN src ELSE dst END", ()),
    "server": ("CASE WHEN forward THEN dst ELSE src END", ()),
    "near_client": ("CASE WHEN forward THEN near_src ELSE near_dst END", ("near_src", "near_dst")),
    "near_server": ("CASE WHEN forward THEN near_dst ELSE near_src END", ("near_src", "near_dst")),
    "protocol": ("protocol", ()),
    "port": ("CASE WHEN forward THEN dst_port ELSE src_port END", ()),
    "client_port": ("CASE WHEN undecided THEN CASE WHEN forward THEN src_port ELSE dst_port END END", ()),
    "rule": ("rule", ("rule",)),
    "client_name": ("CASE WHEN forward THEN src_name ELSE dst_name END", ("src_name", "dst_name")),
    "server_name": ("CASE WHEN forward THEN dst_name ELSE src_name END", ("src_name", "dst_name")),
}


def sightings_sql(records: Records) -> str:
    """Return the SELECT of the sightings in some records, with the columns of ``columns.SIGHTINGS`` in order.

    Nobody groups by what the format has not. Rows that are not ``ok`` are counted too, for the coverage.
    """
    keys = {name: sql for name, (sql, needs) in _KEYS.items() if not needs or not records.absent.issuperset(needs)}
    both_ways = not records.absent.issuperset(("packets_back", "bytes_back"))
    grouped = ", ".join(f'{sql} AS "{name}"' for name, sql in keys.items())
    counted = ", ".join(f'{sql} AS "{name}"' for name, sql in _counts(both_ways=both_ways).items())
    names = ", ".join(f'"{name}"' for name in keys)
    picked = ", ".join(f'{_picked(name, name in keys)} AS "{name}"' for name in _TYPES)
    return (
        f"SELECT {picked} FROM (SELECT {names}, code, {', '.join(_AGGREGATES)} FROM "  # noqa: S608 -- column names only
        f"(SELECT {grouped}, {_CODE} AS code, {counted} FROM ({_turned(records)}) AS turned) AS coded "
        f"GROUP BY {names}, code) AS counted"
    )


def _turned(records: Records) -> str:
    """The records with ``forward``, whether the source is the client, and ``undecided``, whether nothing told.

    Without a proof the end with the lower kind of port is the server; of equal kinds (or none) the lesser end stands as
    the client, so that both directions fall together.
    """
    kinds = (
        f"SELECT records.*, CASE WHEN opener IS NULL THEN {kind_sql('src_port')} END AS src_kind, "  # noqa: S608 -- likewise
        f"CASE WHEN opener IS NULL THEN {kind_sql('dst_port')} END AS dst_kind FROM ({records.sql}) AS records"
    )
    alike = "opener IS NULL AND (src_port IS NULL OR dst_port IS NULL OR src_kind = dst_kind)"
    lesser = "src < dst OR (src = dst AND COALESCE(src_port, 0) <= COALESCE(dst_port, 0))"
    return (
        f"SELECT kinds.*, {alike} AS undecided, CASE WHEN opener IS NOT NULL THEN opener = 'src' "  # noqa: S608 -- likewise
        f"WHEN {alike} THEN {lesser} ELSE src_kind > dst_kind END AS forward FROM ({kinds}) AS kinds"
    )


def _counts(*, both_ways: bool) -> dict[str, str]:
    """What is summed up, by name: the expression over a turned record."""
    there, back = ("packets_back", "bytes_back") if both_ways else ("0", "0")
    return {
        "opened": "opened",
        "answers": "answers",
        "packets": f"CASE WHEN forward THEN packets ELSE {there} END",
        "bytes": f"CASE WHEN forward THEN bytes ELSE {back} END",
        "packets_back": f"CASE WHEN forward THEN {there} ELSE packets END",
        "bytes_back": f"CASE WHEN forward THEN {back} ELSE bytes END",
        "first_there": 'CASE WHEN forward THEN "first" END',
        "first_back": 'CASE WHEN forward THEN NULL ELSE "first" END',
        "last": '"last"',
        "one_client_port": "CASE WHEN forward THEN src_port ELSE dst_port END",
    }


_AGGREGATES: Final = (
    'COUNT(*) AS "records"',
    'BOOL_OR("answers") AS "answers"',
    # DOUBLE is exact up to 2^53, 8 PiB in one group; sums of BIGINT are kept in 128 bits and take four times as long.
    *(
        f'SUM(CAST("{name}" AS DOUBLE)) AS "{name}"'
        for name in ("opened", "packets", "bytes", "packets_back", "bytes_back")
    ),
    'MIN("first_there") AS "first_there"',
    'MIN("first_back") AS "first_back"',
    'MAX("last") AS "last"',
    'MIN("one_client_port") AS "client_port_low"',
    'MAX("one_client_port") AS "client_port_high"',
)


def _picked(name: str, is_key: bool) -> str:  # noqa: FBT001 -- a column, and whether it was grouped by
    """The expression of a column of the result, over what was counted."""
    kind = _TYPES[name]
    if name in _KEYS:
        return f'"{name}"' if is_key else f"CAST(NULL AS {kind})"
    ok = "(code & 7) = 0"
    match name:
        case "status":
            return _word("(code & 7)", _STATUS, 1)
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
        case "first_back":
            return f'CASE WHEN {ok} THEN "first_back" END'
        case _:
            return f'CAST("{name}" AS {kind})'


def _word(number: str, words: tuple[str | None, ...], unit: int) -> str:
    cases = " ".join(f"WHEN {place * unit} THEN '{word}'" for place, word in enumerate(words) if word is not None)
    return f"CASE {number} {cases} END"


def within(records: Records, since: int | None, until: int | None) -> Records:
    """Return the records with the status ``outside`` for those that end by ``since`` or begin at ``until`` or later.

    They are counted and nothing else is told of them. Both times are seconds since 1970.
    """
    bounds = [f'"last" <= {since}'] * (since is not None) + [f'"first" >= {until}'] * (until is not None)
    if not bounds:
        return records
    outside = " OR ".join(bounds)
    picked = ", ".join(
        f'"{name}"' if name == "provider" else f'CASE WHEN outside THEN {_outside(name)} ELSE "{name}" END AS "{name}"'
        for name in (column.name for column in RECORDS)
    )
    return Records(
        f"SELECT {picked} FROM (SELECT bounded.*, COALESCE({outside}, FALSE) AS outside "  # noqa: S608 -- column names
        f"FROM ({records.sql}) AS bounded) AS told",
        records.absent,
    )


def _outside(name: str) -> str:
    if name == "status":
        return "'outside'"
    return "0" if name in {"opened", "packets", "bytes", "packets_back", "bytes_back"} else "NULL"


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
