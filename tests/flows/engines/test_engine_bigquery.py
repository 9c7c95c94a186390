"""BigQuery by the real SDK against a server on 127.0.0.1: estimated, asked, paged, refused, failed, interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import RefreshError

from cloudseg.errors import CollectError, CredentialsError, InputError
from cloudseg.flows.conversations import read_conversations
from cloudseg.flows.database import connect
from cloudseg.flows.engines import Window, explain, run
from cloudseg.flows.files import LocalFiles
from cloudseg.flows.formats.gcp_vpc import GCP_VPC
from cloudseg.flows.summarise import SummaryOptions, summarise
from cloudseg.providers.gcp.bigquery import MOST, BigQuery, BigQuerySettings
from tests.flows.engines.bigquery_server import BigQueryServer, refused, schema_of
from tests.flows.engines.tables import gcp_entries, gcp_file
from tests.flows.engines.test_engine_query import read_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = "shop.logs.compute_googleapis_com_vpc_flows"
WINDOW = Window(1_767_952_800 + 600, 1_767_952_800 + 3_000)
DAY = "2026-01-08 to 2026-01-11"


class _Someone(AnonymousCredentials):
    def refresh(self, *_: object, **__: object) -> Any:
        pass


class _Revoked(AnonymousCredentials):
    def before_request(self, *_: object, **__: object) -> None:
        raise RefreshError("revoked")


@pytest.fixture
def server() -> Iterator[tuple[BigQueryServer, str]]:
    found = BigQueryServer()
    with found.listening() as address:
        yield found, address


@pytest.fixture
def bigquery(server: tuple[BigQueryServer, str]) -> BigQueryServer:
    return server[0]


@pytest.fixture
def engine(server: tuple[BigQueryServer, str]) -> Any:
    def made(table: str = TABLE, credentials: Any = None, most: int = MOST, location: str | None = None) -> BigQuery:
        told = BigQuerySettings(None, location, most, pause=0.01, patience=2.0)
        return BigQuery(table, WINDOW, told, credentials=credentials or _Someone(), endpoint=server[1])

    return made


def rows_of(query: str, log: Path) -> list[tuple[Any, ...]]:
    """What the query finds in the entries of a file, by DuckDB."""
    with connect() as database:
        timed = '* REPLACE (CAST("timestamp" AS TIMESTAMPTZ) AS "timestamp")'
        database.execute(f"CREATE TABLE flows AS SELECT {timed} FROM {GCP_VPC.relation([log], ('lines',))}")
        return database.execute(read_back(query, "bigquery")).fetchall()


def test_the_conversations_are_those_of_the_files_of_the_same_entries(
    bigquery: BigQueryServer, engine: Any, tmp_path: Path
) -> None:
    log = gcp_file(tmp_path / "flow.jsonl", gcp_entries(3))
    bigquery.rows = lambda query: rows_of(query, log)
    asked = run(engine(), tmp_path / "asked.parquet", SummaryOptions())
    read = summarise([LocalFiles([log])], tmp_path / "read.parquet", SummaryOptions(*WINDOW))
    found, expected = (read_conversations(tmp_path / name) for name in ("asked.parquet", "read.parquet"))
    assert list(found.rows()) == list(expected.rows())
    assert len(list(expected.rows())) > 15
    assert asked.coverage.observers == read.coverage.observers
    assert asked.coverage.notes == read.coverage.notes
    (of,) = asked.coverage.formats
    assert (of.name, of.bytes) == ("gcp-vpc", 5_000_000)
    # Every page was fetched.
    assert sum(what.startswith("GET queries/") for what in bigquery.whats()) > 3


def test_explain_asks_what_it_would_read_and_runs_nothing(bigquery: BigQueryServer, engine: Any) -> None:
    shown = explain(engine())
    assert f"-- bounded by timestamp, {DAY}; it would read 4.8 MiB\n" in shown
    assert "-- BigQuery refuses it beyond 1.0 TiB\n" in shown
    assert "`timestamp` >= CAST('2026-01-08 00:00:00+00:00' AS TIMESTAMP)" in shown
    assert bigquery.whats() == ["GET tables/compute_googleapis_com_vpc_flows", "POST dry"]


def test_a_query_that_would_read_too_much_is_not_run(bigquery: BigQueryServer, engine: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"would read 4\.8 MiB, and 1,000 bytes are allowed.*--max-bytes 5000000"):
        run(engine(most=1_000), tmp_path / "found.parquet", SummaryOptions())
    assert "POST jobs" not in bigquery.whats()


def test_the_bound_on_bytes_goes_with_the_query(bigquery: BigQueryServer, engine: Any, tmp_path: Path) -> None:
    log = gcp_file(tmp_path / "flow.jsonl", gcp_entries(3))
    bigquery.rows = lambda query: rows_of(query, log)
    run(engine(most=6_000_000, location="EU"), tmp_path / "found.parquet", SummaryOptions())
    (sent,) = [each.body for each in bigquery.asked if each.what == "POST jobs"]
    assert sent["configuration"]["query"]["maximumBytesBilled"] == "6000000"
    assert sent["jobReference"]["location"] == "EU"


def test_tables_a_day_are_bounded_by_their_suffix_and_the_newest_tells_the_columns(
    bigquery: BigQueryServer, engine: Any
) -> None:
    bigquery.tables = ["other", "vpc_flows_20260108", "vpc_flows_20260109", "vpc_flows_notes"]
    shown = explain(engine("shop.logs.vpc_flows_*"))
    assert "GET tables/vpc_flows_20260109" in bigquery.whats()
    assert "FROM `shop.logs.vpc_flows_*` AS `log`" in shown
    assert "`_TABLE_SUFFIX` BETWEEN '20260108' AND '20260111'" in shown
    bigquery.tables = ["other"]
    with pytest.raises(InputError, match="no table a day is there"):
        explain(engine("shop.logs.vpc_flows_*"))


@pytest.mark.parametrize(
    ("partitioning", "said"),
    [
        ({"type": "DAY"}, "bounded by _PARTITIONTIME, 2026-01-08 to 2026-01-11"),
        ({"type": "MONTH", "field": "timestamp"}, "bounded by timestamp, 2025-12-08 to 2026-02-11"),
        (None, "not bounded: the table has no partitions, and is read as a whole"),
    ],
)
def test_how_far_a_table_bounds_the_query_is_told(
    bigquery: BigQueryServer, engine: Any, partitioning: Any, said: str
) -> None:
    bigquery.partitioning = partitioning
    assert said in explain(engine())


def test_fields_that_the_table_lacks_are_named(bigquery: BigQueryServer, engine: Any) -> None:
    bigquery.schema = schema_of(["timestamp", "jsonPayload.connection.src_ip", "jsonPayload.connection.dest_ip"])
    with pytest.raises(InputError, match=r"lacks fields of .* needed: jsonPayload\.connection\.protocol"):
        explain(engine())


def test_a_time_that_is_no_text_is_read_as_one(bigquery: BigQueryServer, engine: Any) -> None:
    for field in next(each for each in bigquery.schema if each["name"] == "jsonPayload")["fields"]:
        if field["name"] in ("start_time", "end_time"):
            field["type"] = "TIMESTAMP"
    shown = explain(engine())
    assert "CAST(`jsonPayload`.`start_time` AS STRING)" in shown
    assert "COALESCE(`jsonPayload`.`start_time`" not in shown


def test_what_no_entry_ever_had_is_not_asked_for(bigquery: BigQueryServer, engine: Any) -> None:
    bigquery.schema = schema_of([
        "timestamp", "logName",
        *(f"jsonPayload.connection.{end}_{name}" for end in ("src", "dest") for name in ("ip", "port")),
        "jsonPayload.connection.protocol",
        "jsonPayload.reporter", "jsonPayload.start_time", "jsonPayload.bytes_sent",
    ])  # fmt: skip
    shown = explain(engine())
    assert "gke_details" not in shown
    assert "disposition" not in shown


FLOWS = "GET tables/compute_googleapis_com_vpc_flows"
UNKNOWN = refused(400, "invalidQuery", "Unrecognized name")


@pytest.mark.parametrize(
    ("what", "reply", "told"),
    [
        (FLOWS, refused(404, "notFound", "Not found: Table"), (CollectError, "check the names")),
        (FLOWS, refused(403, "accessDenied"), (CollectError, r"roles/bigquery\.dataViewer")),
        ("POST dry", refused(403, "accessDenied", "jobs.create"), (CollectError, r"roles/bigquery\.jobUser")),
        ("POST jobs", refused(401, "authError"), (CredentialsError, "does not accept the credentials")),
        ("POST dry", UNKNOWN, (CollectError, "does not take the request .*Unrecognized name")),
    ],
)
def test_what_is_refused_says_why(
    bigquery: BigQueryServer, engine: Any, tmp_path: Path, what: str, reply: Any, told: tuple[type[Exception], str]
) -> None:
    bigquery.trouble = lambda asked, _: reply if asked.what == what else None
    with pytest.raises(told[0], match=told[1]):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert not (tmp_path / "found.parquet").exists()


def test_a_login_that_was_revoked_is_told(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="expired or was revoked"):
        run(engine(credentials=_Revoked()), tmp_path / "found.parquet", SummaryOptions())  # type: ignore[no-untyped-call]


def test_what_passes_in_a_moment_is_asked_again(bigquery: BigQueryServer, engine: Any, tmp_path: Path) -> None:
    log = gcp_file(tmp_path / "flow.jsonl", gcp_entries(3))
    bigquery.rows = lambda query: rows_of(query, log)
    bigquery.trouble = lambda asked, before: (
        refused(429, "rateLimitExceeded") if asked.what == "GET jobs/job-1" and not before else None
    )
    run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert bigquery.whats().count("POST jobs") == 1


@pytest.mark.parametrize(
    ("reason", "error", "said"),
    [
        ("bytesBilledLimitExceeded", InputError, "--max-bytes"),
        ("accessDenied", CollectError, "bigquery.tables.getData"),
        ("stopped", CollectError, "somebody cancelled it"),
        ("resourcesExceeded", CollectError, "fewer days"),
        ("invalidQuery", CollectError, "failed in BigQuery .invalidQuery: broken"),
    ],
)
def test_a_query_that_fails_says_why(
    bigquery: BigQueryServer, engine: Any, tmp_path: Path, reason: str, error: type[Exception], said: str
) -> None:
    bigquery.error = {"reason": reason, "message": "broken"}
    with pytest.raises(error, match=said):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def interrupted(_read: int, _total: int | None, _rows: int) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_cancels_the_query(bigquery: BigQueryServer, engine: Any, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(engine(), tmp_path / "found.parquet", SummaryOptions(), interrupted)
    assert bigquery.whats()[-1].endswith("/cancel")
    assert not (tmp_path / "found.parquet").exists()


@pytest.mark.parametrize("table", ["flows", "logs.flows", "shop.logs.*flows", ""])
def test_a_name_that_is_none_is_refused(table: str) -> None:
    with pytest.raises(InputError, match=r"write PROJECT\.DATASET\.TABLE"):
        BigQuery(table, WINDOW)
