"""What the tests of the formats in JSON share: a file becomes records, as a format reads it."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from cloudseg.flows.columns import RECORDS
from cloudseg.flows.formats.containers import container_of, read_start
from cloudseg.flows.formats.interface import Head
from tests.flows.reading import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloudseg.flows.formats.interface import Format

__all__ = ["Cell", "Row", "head_of", "read", "table", "written"]

Cell = str | int | bool | None
Row = dict[str, Cell]


class _Read(NamedTuple):
    rows: list[Row]
    absent: frozenset[str]


def written(folder: Path, text: str | bytes, name: str = "log.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def head_of(path: Path) -> Head:
    return Head(path, read_start(path, container_of(path)))


def read(of: Format, *paths: Path) -> _Read:
    """Read files as the driver does; what is said of the columns is held against what they hold."""
    shapes = {of.shape(head_of(path)) for path in paths}
    assert len(shapes) == 1, shapes
    (shape,) = shapes
    assert shape is not None
    records = of.records(of.relation(paths, shape), shape)
    with duckdb.connect() as database:
        found = database.execute(records.sql)
        description = found.description or []
        assert [each[0] for each in description] == [column.name for column in RECORDS]
        assert [str(each[1]) for each in description] == [column.type for column in RECORDS]
        names = [each[0] for each in description]
        rows: list[Row] = [in_words(dict(zip(names, row, strict=True)), records.unsaid) for row in found.fetchall()]
    for row in rows:
        assert all(row[name] in (None, 0) for name in records.absent), row
    return _Read(rows, records.absent)


def table(rows: Sequence[Row], *columns: str) -> list[tuple[Cell, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]
