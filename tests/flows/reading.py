"""Records of files, as a format's reader selects them: rows by the names of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudseg.flows.columns import CODES, RECORDS
from cloudseg.flows.database import connect
from cloudseg.flows.files import LocalFiles, grouped
from cloudseg.flows.formats.assembling import COUNTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from cloudseg.flows.files import FileGroup, Unreadable

__all__ = ["group_of", "in_words", "losses_of", "records_of", "rows_of", "write_log", "write_parquet"]

Row = dict[str, Any]


def write_log(path: Path, header: str, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def write_parquet(path: Path, **columns: object) -> Path:
    """A file of one row, compressed as AWS does it; each column is an expression of DuckDB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picked = ", ".join(f"{value} AS {name}" for name, value in columns.items())
    database = connect()
    database.execute(f"COPY (SELECT {picked}) TO '{path}' (FORMAT parquet, COMPRESSION gzip)")
    database.close()
    return path


def group_of(*places: Path, fields: Sequence[str] = ()) -> FileGroup:
    """The one group that these files make."""
    found = grouped(next(LocalFiles(places, fields=tuple(fields)).batches()).files)
    assert not found.losses
    (group,) = found.groups
    return group


def losses_of(*places: Path, fields: Sequence[str] = ()) -> tuple[Unreadable, ...]:
    batch = next(LocalFiles(places, fields=tuple(fields)).batches())
    return (*batch.losses, *grouped(batch.files).losses)


def rows_of(group: FileGroup) -> list[Row]:
    """The records of a group, in the order of the files."""
    database = connect(threads=1)
    try:
        database.execute("SET preserve_insertion_order = true")
        records = group.format.records(group.format.relation(group.paths, group.shape), group.shape)
        found = database.execute(records.sql)
        assert [(each[0], str(each[1])) for each in found.description or ()] == [(c.name, c.type) for c in RECORDS]
        names = [column.name for column in RECORDS]
        return [in_words(dict(zip(names, row, strict=True)), records.unsaid) for row in found.fetchall()]
    finally:
        database.close()


def in_words(row: Row, unsaid: Mapping[str, Collection[str]]) -> Row:
    """A record as it counts: its numbers in words, and of one that is not ok no more than who reports it, and when."""
    worded: Row = row | {name: words[row[name]] for name, words in CODES.items()}
    worded |= {name: None for name, words in unsaid.items() if row[name] in words}
    if worded["status"] != "ok":
        return {
            name: value if name in _OF_EVERY_ROW else 0 if name in COUNTS else None for name, value in worded.items()
        }
    return worded if worded["opener"] else worded | {"proof": None}


_OF_EVERY_ROW = frozenset({"provider", "scope", "network", "observer", "status", "first", "last"})


def records_of(path: Path, header: str, *lines: str) -> list[Row]:
    """The records of a text file with these lines."""
    return rows_of(group_of(write_log(path / "flow.log", header, *lines)))
