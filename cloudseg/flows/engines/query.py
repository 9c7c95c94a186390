"""One definition of the query, written for each engine that speaks SQL: DuckDB's text, which sqlglot transpiles.

The records of a format and the GROUP BY of ``sightings`` are the same that read files. Here they read a table: with its
own names of columns, no column that is not needed, and bounds on its partitions right at the scan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from cloudseg.errors import InputError
from cloudseg.flows.sightings import sightings_sql, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp

    from cloudseg.flows.engines.interface import Window
    from cloudseg.flows.formats.interface import Format

__all__ = ["Dialect", "Table", "quoted_condition", "sightings_query"]

Dialect: TypeAlias = Literal["athena", "bigquery", "duckdb"]

_TABLE: Final = "cloudseg_flow_logs"
"""Stands for the table until the query is a tree."""


class Table(NamedTuple):
    """A table, as a query is written for it.

    Attributes:
        name: its name, part by part; each part is quoted.
        shape: the fields it has, as the format calls them.
        columns: what a field is called in the table, where the format calls it otherwise.
        conditions: what bounds the scan, in DuckDB's words.
        texts: fields that are no text in the table, where the format takes them for one: they are read as text.
    """

    name: tuple[str, ...]
    shape: tuple[str, ...]
    columns: Mapping[str, str]
    conditions: tuple[str, ...]
    texts: frozenset[str] = frozenset()


def sightings_query(of: Format, table: Table, window: Window | None, dialect: Dialect, *, pretty: bool = True) -> str:
    """Return the query that counts the sightings in a table.

    Args:
        of: the format of the table's rows.
        table: the table.
        window: records outside of it are counted and nothing else; None: no bound.
        dialect: whose SQL.
        pretty: with line breaks.

    Raises:
        InputError: sqlglot is not installed.
    """
    try:
        from sqlglot import parse_one
    except ImportError as error:
        raise InputError(
            "queries for an engine are written by sqlglot, which is not installed; install it with: pip install "
            '"cloudseg[flows]"'
        ) from error

    records = of.records(_TABLE, table.shape)
    if window is not None:
        records = within(records, *window)
    tree = parse_one(sightings_sql(records), read="duckdb")
    _bound(tree, table)
    if dialect == "bigquery":
        _in_seconds(tree)
    # Names are quoted: FIRST, LAST and END are words of Athena's.
    return tree.sql(dialect, pretty=pretty, identify=True)


def _bound(tree: exp.Expr, table: Table) -> None:
    """Have the innermost query read the table itself, with its names and bounds."""
    from sqlglot import exp, parse_one

    (scanned,) = (each for each in tree.find_all(exp.Table) if each.name == _TABLE)
    select = scanned.find_ancestor(exp.Select)
    assert isinstance(select, exp.Select)  # noqa: S101 -- a table stands in a query
    for column in list(select.find_all(exp.Column)):
        name = ".".join(part.name for part in column.parts)
        if name in table.columns:
            column.set("this", exp.to_identifier(table.columns[name], quoted=True))
        if name in table.texts:
            column.replace(exp.cast(column.copy(), "TEXT"))
    for condition in table.conditions:
        select.where(parse_one(condition, read="duckdb"), copy=False)
    parts = [exp.to_identifier(part, quoted=True) for part in table.name]
    named = dict(zip(("this", "db", "catalog"), reversed(parts), strict=False))
    scanned.replace(exp.Table(**named, alias=exp.TableAlias(this=exp.to_identifier("log"))))


def _in_seconds(tree: exp.Expr) -> None:
    """Have BigQuery count seconds since 1970, for which sqlglot knows no name there."""
    from sqlglot import exp

    for epoch in list(tree.find_all(exp.TimeToUnix)):
        epoch.replace(exp.UnixSeconds(this=epoch.this))


def quoted_condition(column: str, low: str, high: str) -> str:
    """Return the condition that a column of text lies between two values, both included."""
    from cloudseg.flows.formats.containers import quoted_name, quoted_text

    return f"{quoted_name(column)} BETWEEN {quoted_text(low)} AND {quoted_text(high)}"
