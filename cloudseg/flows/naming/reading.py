"""Reads logs that hold names, by SQL: one query for the files of a format that are laid out alike.

DuckDB's reader: https://duckdb.org/docs/data/json/loading_json
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, cast

import msgspec

from cloudseg.flows.database import connect, execute
from cloudseg.flows.files import LocalFiles
from cloudseg.flows.formats.containers import container_of, file_list, read_start
from cloudseg.flows.formats.json_files import compression, largest_value
from cloudseg.flows.naming.formats import FORMATS, format_of
from cloudseg.flows.naming.values import Lost, ObservedName, ObservedNames
from cloudseg.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from cloudseg.flows.naming.formats import NameFormat

__all__ = ["read_names"]

_Layout: TypeAlias = Literal["newline_delimited", "array", "unstructured"]
_LINES: Final = 10
_LONGEST: Final = 255
"""A name has so many characters at most, and what is longer is none. Source: RFC 1035, section 2.3.4."""
_COLUMNS: Final = ("scope", "network", "client")


class _Group(NamedTuple):
    """Files that one query reads: of one format (its place among all), laid out and packed alike."""

    place: int
    layout: _Layout
    packed: bool

    @property
    def format(self) -> NameFormat:
        return FORMATS[self.place]


def read_names(places: Sequence[str | Path], *, memory: str | None = None, threads: int | None = None) -> ObservedNames:
    """Read logs that hold names: files, folders and patterns, packed with gzip or not.

    A line that cannot be read is counted and told; it costs no other line.

    Args:
        places: the files, folders and patterns.
        memory: how much DuckDB may hold, as ``2GB``; None for 80 % of the machine's.
        threads: how many of its threads may run; None for one for each core.

    Raises:
        InputError: a place does not exist, or DuckDB is not installed.
    """
    lost: list[Lost] = []
    groups: defaultdict[_Group, list[Path]] = defaultdict(list)
    called: dict[str, str] = {}
    for batch in LocalFiles(places).batches():
        lost += [Lost(each.name, 0, each.reason) for each in batch.losses]
        for file in batch.files:
            found = _told(file.path)
            if isinstance(found, str):
                lost.append(Lost(file.name, 0, found))
            else:
                groups[found].append(file.path)
                called[str(file.path)] = file.name
    connection = connect(memory, threads)
    try:
        connection.execute(_TABLE)
        formats: Counter[str] = Counter()
        for group in sorted(groups):
            for some in _readable(connection, group, sorted(groups[group]), lost, called):
                formats[group.format.title] += some
        lost += _bad_lines(connection, called)
        return ObservedNames(tuple(_names(connection)), tuple(lost), dict(formats))
    finally:
        connection.close()


_TABLE: Final = (
    'CREATE TABLE told (provider VARCHAR, "scope" VARCHAR, network VARCHAR, client VARCHAR, "name" VARCHAR, '
    "addresses VARCHAR[], moment BIGINT, denied BOOLEAN, bad VARCHAR, file VARCHAR)"
)


def _told(path: Path) -> _Group | str:
    """Return how a file is read, by what its beginning holds; why it cannot be, in words."""
    try:
        container = container_of(path)
        start = b"" if container == "parquet" else read_start(path, container)
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    if container == "parquet":
        return "it is Parquet: logs with names are read as JSON"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return "it is empty"
    packed = container == "gzip"
    # Lines first: an object of many lines is the rarer case.
    for line in text.split(b"\n", _LINES)[:_LINES]:
        value = _object(line)
        found = None if value is None else format_of(value)
        if found is not None:
            return _Group(FORMATS.index(found), "newline_delimited", packed)
    for value in _inside(text):
        found = format_of(value)
        if found is not None:
            return _Group(FORMATS.index(found), "array" if text.startswith(b"[") else "unstructured", packed)
    return "it is no log with names that is known here: " + ", ".join(each.title for each in FORMATS)


def _object(line: bytes) -> dict[str, object] | None:
    try:
        value = cast("object", msgspec.json.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _inside(text: bytes) -> Iterator[dict[str, object]]:
    """Yield the first object of an array, of ``records``, or the object that a file begins with.

    The beginning of a file mostly ends in the middle of it, so that every place at which an object closes is tried.
    """
    import json

    decoder = json.JSONDecoder()
    whole = text.decode("utf-8", "replace")
    starts = [whole.find("{")]
    starts += [whole.find("{", starts[0] + 1)] if starts[0] >= 0 else []
    for start in starts:
        if start < 0:
            continue
        try:
            value, _ = decoder.raw_decode(whole, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            known = cast("dict[str, object]", value)
            records = known.get("records")
            yield known
            if isinstance(records, list):
                yield from (cast("dict[str, object]", each) for each in records[:_LINES] if isinstance(each, dict))  # pyright: ignore[reportUnknownVariableType] - JSON


def _readable(
    connection: DuckDBPyConnection, group: _Group, paths: Sequence[Path], lost: list[Lost], called: dict[str, str]
) -> Iterator[int]:
    """Read files, and yield how many records they held; a broken one is found by halves and noted."""
    from duckdb import Error

    before = _count(connection)
    try:
        execute(connection, _insert(group, paths))
    except Error as error:
        if len(paths) > 1:
            half = len(paths) // 2
            yield from _readable(connection, group, paths[:half], lost, called)
            yield from _readable(connection, group, paths[half:], lost, called)
            return
        lost.append(Lost(called[str(paths[0])], 0, f"it cannot be read: {visible(str(error).partition(chr(10))[0])}"))
        return
    yield _count(connection) - before


def _count(connection: DuckDBPyConnection) -> int:
    ((count,),) = connection.execute("SELECT COUNT(*) FROM told").fetchall()
    return int(count)


def _insert(group: _Group, paths: Sequence[Path]) -> str:
    """Return the statement that reads files into ``told``: a row for each record, bad ones with the reason."""
    options = ", ignore_errors = true" if group.layout == "newline_delimited" else ""
    size = "" if group.layout == "newline_delimited" else f", maximum_object_size = {largest_value(paths)}"
    read = (
        f"READ_JSON_OBJECTS({file_list(paths)}, format = '{group.layout}', {compression(paths)}, filename = true"
        f"{options}{size})"
    )
    records = "UNNEST(COALESCE(TRY_CAST(json->'$.records' AS JSON[]), [json]))"
    told = group.format.told
    columns = ", ".join(f'{told[name]} AS "{name}"' for name in _COLUMNS)
    name = "LOWER(RTRIM(\"name\", '.'))"
    reason = (
        "CASE WHEN j IS NULL THEN 'no JSON' "
        "WHEN \"name\" IS NULL OR \"name\" IN ('', '.') THEN 'no name' "
        f"WHEN LENGTH(\"name\") > {_LONGEST} THEN 'a name of more than {_LONGEST} characters' "
        "WHEN client IS NULL OR client = '' THEN 'nobody who asked' "
        "WHEN moment IS NULL THEN 'no time' END"
    )
    return (
        f"INSERT INTO told SELECT '{group.format.provider}', COALESCE(\"scope\", ''), COALESCE(network, ''), client, "  # noqa: S608 - expressions of the formats; paths in them are quoted
        f"{name}, addresses, moment, denied, {reason}, file "
        f'FROM (SELECT j, file, {columns}, UNNEST(COALESCE({told["names"]}, [NULL])) AS "name", '
        f"{told['addresses']} AS addresses, "
        f"CAST({told['moment']} AS BIGINT) AS moment, {told['denied']} AS denied "
        f"FROM (SELECT {records} AS j, filename AS file FROM {read}) AS each "
        f"WHERE j IS NULL OR ({group.format.about})) AS rows"
    )


def _bad_lines(connection: DuckDBPyConnection, called: dict[str, str]) -> list[Lost]:
    rows = connection.execute(
        "SELECT file, bad, COUNT(*) FROM told WHERE bad IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [Lost(called.get(str(file), str(file)), int(count), str(reason)) for file, reason, count in rows]


def _names(connection: DuckDBPyConnection) -> Iterator[ObservedName]:
    """Yield what was asked for, one for each client and name, in order; what cannot be printed is escaped."""
    rows = connection.execute(
        'SELECT provider, "scope", network, client, "name", '
        "COALESCE(LIST_SORT(LIST_DISTINCT(FLATTEN(LIST(addresses)))), []), "
        "COUNT(*), MIN(moment), MAX(moment), COUNT(*) FILTER (denied) "
        "FROM told WHERE bad IS NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for provider, scope, network, client, name, addresses, count, first, last, denied in rows:
        yield ObservedName(
            provider,
            visible(scope),
            visible(network),
            visible(client),
            visible(name),
            tuple(visible(each) for each in addresses if each),
            count,
            first,
            last,
            denied,
        )
