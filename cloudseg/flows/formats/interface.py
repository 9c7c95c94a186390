"""What a format of flow logs gives: how its files are known, read, and selected from as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["Format", "Head", "Records"]


class Head(NamedTuple):
    """What a format may look at to know a file.

    Attributes:
        path: where the file lies.
        start: its first 64 KiB, decompressed; empty for Parquet.
        columns: the names of its columns, of Parquet; () else.
        fields: the fields of its lines, as the user told them for files without a header; () else.
    """

    path: Path
    start: bytes
    columns: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


class Records(NamedTuple):
    """The records of files of one shape.

    Attributes:
        sql: a SELECT with the columns of ``columns.RECORDS``, in order and typed, around one relation. It keeps to what
            DuckDB, Trino and BigQuery all have: CASE, COALESCE, NULLIF, CAST, TRY_CAST, ``&``.
        absent: the columns that are constantly NULL or 0 here, so that nobody groups by them.
        provider: the provider of all of them, so that nobody groups by that; None: as the rows say.
        unsaid: words in scope, network and observer that stand for NULL, and are taken for it once rows are counted:
            there are fewer groups than rows.
        plain: of scope and network, those that stand in a column of the relation as they are: that column's name.
        same: of those, the ones that are the same in all records: the value, so that nobody reads it or groups by it.
    """

    sql: str
    absent: frozenset[str]
    provider: str | None = None
    unsaid: Mapping[str, tuple[str, ...]] = {}
    plain: Mapping[str, str] = {}
    same: Mapping[str, str] = {}


class Format(NamedTuple):
    """A format of flow logs.

    Attributes:
        name: its short name: aws-vpc, aws-tgw, azure-vnet, azure-nsg, gcp-vpc, hubble.
        title: its name for people: AWS VPC flow logs.
        shape: the fields of a file of this format (files of equal shapes are read together); None: not this format.
        lacks: the fields a shape would need and has not, for an error that names them; (): none.
        relation: what stands after FROM to read files of one shape, all as text where the format is text.
        records: the records that a relation of a shape holds, be it files or a table of Athena or BigQuery.
    """

    name: str
    title: str
    shape: Callable[[Head], tuple[str, ...] | None]
    lacks: Callable[[tuple[str, ...]], tuple[str, ...]]
    relation: Callable[[Sequence[Path], tuple[str, ...]], str]
    records: Callable[[str, tuple[str, ...]], Records]
