"""The query of each engine, transpiled back and run over the same rows, against what files of them give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from sqlglot import exp

from cloudseg.flows.database import connect
from cloudseg.flows.engines.interface import Window
from cloudseg.flows.engines.query import Table, sightings_query
from cloudseg.flows.formats.aws_vpc import AWS_VPC
from cloudseg.flows.formats.gcp_vpc import FIELDS, GCP_VPC
from cloudseg.flows.sightings import sightings_sql, within
from tests.flows.aws_rows import V5, T
from tests.flows.engines.tables import AWS_COLUMNS, aws_file, aws_rows, aws_table, gcp_entries, gcp_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

SHAPE = tuple(V5.split())
COLUMNS: dict[str, str] = dict(zip(SHAPE, AWS_COLUMNS, strict=True))
TABLE = Table(("logs", "flows"), SHAPE, COLUMNS, ("\"day\" BETWEEN '2026/01/01' AND '2026/01/31'",))
WINDOW = Window(T - 50_000, T + 50_000)


def rows_of(database: DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return sorted(database.execute(query).fetchall(), key=repr)


def read_back(text: str, dialect: str) -> str:
    """The engine's text as DuckDB's, over the one table ``flows``."""
    tree = sqlglot.parse_one(text, read=dialect)
    for table in tree.find_all(exp.Table):
        table.set("this", exp.to_identifier("flows", quoted=True))
        table.set("db", None)
        table.set("catalog", None)
    return tree.sql("duckdb")


@pytest.mark.parametrize("seed", range(6))
def test_athena_counts_the_same_sightings_as_the_files_of_the_same_rows(tmp_path: Path, seed: int) -> None:
    rows = aws_rows(seed)
    relation = AWS_VPC.relation([aws_file(tmp_path / "flow.log", rows)], SHAPE)
    with connect() as database:
        expected = rows_of(database, sightings_sql(within(AWS_VPC.records(relation, SHAPE), *WINDOW)))
    text = sightings_query(AWS_VPC, TABLE, WINDOW, "athena")
    with aws_table("flows", rows, ["2026/01/09"] * len(rows)) as table:
        assert rows_of(table, read_back(text, "athena")) == expected
    assert len(expected) > 50


@pytest.mark.parametrize("seed", range(6))
def test_bigquery_counts_the_same_sightings_as_the_files_of_the_same_entries(tmp_path: Path, seed: int) -> None:
    entries = gcp_entries(seed)
    relation = GCP_VPC.relation([gcp_file(tmp_path / "flow.jsonl", entries)], ("lines",))
    window = Window(1_767_952_800 + 600, 1_767_952_800 + 3_000)
    with connect() as database:
        expected = rows_of(database, sightings_sql(within(GCP_VPC.records(relation, ("lines",)), *window)))
        text = sightings_query(GCP_VPC, Table(("shop.logs.flows",), FIELDS, {}, ()), window, "bigquery")
        database.execute(f"CREATE TABLE flows AS SELECT * FROM {relation}")
        assert rows_of(database, read_back(text, "bigquery")) == expected
    assert len(expected) > 20


def test_the_query_reads_only_the_columns_that_it_needs() -> None:
    tree = sqlglot.parse_one(sightings_query(AWS_VPC, TABLE, WINDOW, "athena"), read="athena")
    (scan,) = tree.find_all(exp.Table)
    select = scan.find_ancestor(exp.Select)
    assert select is not None
    assert not list(select.find_all(exp.Star))
    read = {column.name for column in select.find_all(exp.Column)}
    assert {"srcaddr", "pkt_srcaddr", "log_status", "day"} <= read
    assert not {"traffic_path", "sublocation_type", "az_id", "subnet_id"} & read


def test_the_bounds_stand_at_the_scan_itself() -> None:
    tree = sqlglot.parse_one(sightings_query(AWS_VPC, TABLE, WINDOW, "athena"), read="athena")
    (scan,) = tree.find_all(exp.Table)
    select = scan.find_ancestor(exp.Select)
    assert select is not None
    assert select.args["where"].sql("athena") == "WHERE \"day\" BETWEEN '2026/01/01' AND '2026/01/31'"


def test_words_that_athena_reserves_are_quoted() -> None:
    text = sightings_query(AWS_VPC, TABLE, WINDOW, "athena", pretty=False)
    assert '"end"' in text
    assert '"first"' in text
    assert 'FROM "logs"."flows" AS "log"' in text


def test_bigquery_has_its_own_words_for_seconds_numbers_and_texts() -> None:
    table = Table(
        ("shop.logs.compute_googleapis_com_vpc_flows_*",),
        FIELDS,
        {},
        ("\"_TABLE_SUFFIX\" BETWEEN '20260101' AND '20260131'",),
    )
    text = sightings_query(GCP_VPC, table, WINDOW, "bigquery", pretty=False)
    assert "UNIX_SECONDS(SAFE_CAST(" in text
    assert "TIME_TO_UNIX" not in text
    assert "FROM `shop.logs.compute_googleapis_com_vpc_flows_*` AS `log`" in text
    assert "`_TABLE_SUFFIX` BETWEEN '20260101' AND '20260131'" in text
    assert "LOGICAL_OR(" in text


def names(columns: Sequence[tuple[Any, ...]]) -> list[str]:
    return [column[0] for column in columns]


def test_a_table_may_call_its_columns_otherwise() -> None:
    old = {
        "srcaddr": "sourceaddress", "dstaddr": "destinationaddress", "srcport": "sourceport",
        "dstport": "destinationport", "packets": "numpackets", "bytes": "numbytes",
        "start": "starttime", "end": "endtime", "log-status": "logstatus",
    }  # fmt: skip
    shape = (*old, "protocol", "action")
    text = sightings_query(AWS_VPC, Table(("flows",), shape, old, ()), None, "athena")
    with connect() as database:
        columns = ", ".join(f'"{name}" VARCHAR' for name in (*old.values(), "protocol", "action"))
        database.execute(f"CREATE TABLE flows ({columns})")
        database.execute(
            "INSERT INTO flows VALUES ('10.0.0.1', '10.0.0.2', '40000', '443', '1', '40', "
            f"'{T}', '{T}', 'OK', '6', 'ACCEPT')"
        )
        found = database.execute(read_back(text, "athena"))
        row = dict(zip(names(found.description or ()), found.fetchall()[0], strict=True))
    assert (row["status"], row["client"], row["server"], row["port"]) == ("ok", "10.0.0.1", "10.0.0.2", 443)
