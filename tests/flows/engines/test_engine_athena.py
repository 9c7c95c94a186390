"""Athena by the real SDK against a server on 127.0.0.1: asked, waited for, fetched, refused, failed, interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.errors import CollectError, CredentialsError, InputError
from cloudseg.flows.conversations import read_conversations
from cloudseg.flows.engines import Window, explain, run
from cloudseg.flows.files import LocalFiles
from cloudseg.flows.summarise import SummaryOptions, summarise
from cloudseg.providers.aws.athena import Athena, AthenaSettings
from cloudseg.providers.aws.options import AwsOptions
from tests.flows.aws_rows import T
from tests.flows.engines.athena_server import Asked, AthenaServer, refused
from tests.flows.engines.tables import aws_file, aws_rows, aws_table
from tests.flows.engines.test_engine_query import read_back
from tests.loopback import Reply

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = Window(T - 50_000, T + 50_000)
ONCE = AwsOptions(attempts=1)


def engine(settings: AthenaSettings | None = None, window: Window = WINDOW, options: AwsOptions = ONCE) -> Athena:
    return Athena("logs.flows", window, options, settings or AthenaSettings(pause=0.01))


def as_csv(query: str, rows: list[dict[str, str]], path: Path) -> bytes:
    """What Athena leaves of a query: CSV in which all is quoted but what is NULL."""
    with aws_table("flows", rows, ["2026/01/09"] * len(rows)) as table:
        table.execute(f"COPY ({read_back(query, 'athena')}) TO '{path}' (HEADER, FORCE_QUOTE *, NULLSTR '')")
    return path.read_bytes()


def test_the_conversations_are_those_of_the_files_of_the_same_rows(athena: AthenaServer, tmp_path: Path) -> None:
    rows = aws_rows(1)
    athena.result = lambda query: as_csv(query, rows, tmp_path / "answer.csv")
    asked = run(engine(), tmp_path / "asked.parquet", SummaryOptions())
    log = aws_file(tmp_path / "flow.log", rows)
    read = summarise([LocalFiles([log])], tmp_path / "read.parquet", SummaryOptions(*WINDOW))
    found, expected = (read_conversations(tmp_path / name) for name in ("asked.parquet", "read.parquet"))
    assert list(found.rows()) == list(expected.rows())
    assert len(list(expected.rows())) > 50
    assert asked.coverage.observers == read.coverage.observers
    assert (asked.coverage.records, asked.coverage.left_out) == (read.coverage.records, read.coverage.left_out)
    (of,) = asked.coverage.formats
    assert (of.name, of.files, of.bytes) == ("aws-vpc", 0, 12_345)
    assert (asked.coverage.since, asked.coverage.until) == WINDOW


def test_the_query_names_its_catalog_workgroup_and_place_for_results(athena: AthenaServer, tmp_path: Path) -> None:
    settings = AthenaSettings("audit", "s3://mine/here/", pause=0.01)
    athena.result = lambda query: as_csv(query, aws_rows(1), tmp_path / "answer.csv")
    run(engine(settings), tmp_path / "found.parquet", SummaryOptions())
    (started,) = [each.body for each in athena.asked if each.operation == "StartQueryExecution"]
    assert started["WorkGroup"] == "audit"
    assert started["ResultConfiguration"] == {"OutputLocation": "s3://mine/here/"}
    assert started["QueryExecutionContext"] == {"Catalog": "AwsDataCatalog", "Database": "logs"}
    assert athena.operations()[-1].startswith("GET /results/athena/query-1.csv")


def test_explain_shows_the_query_and_asks_for_no_run(athena: AthenaServer) -> None:
    athena.cutoff = 10_000_000
    shown = explain(engine())
    assert shown.startswith(
        "-- AWS VPC flow logs in Athena's logs.flows\n-- bounded by the partitions day; Athena does not tell"
    )
    assert "-- workgroup primary cancels it beyond 10,000,000 bytes\n" in shown
    assert "\"day\" BETWEEN '2026/01/08' AND '2026/01/11'" in shown
    assert set(athena.operations()) == {"GetTableMetadata", "GetWorkGroup"}


def test_a_table_without_days_is_asked_only_where_the_workgroup_bounds_it(athena: AthenaServer) -> None:
    athena.keys = [{"Name": "region", "Type": "string"}]
    with pytest.raises(InputError, match=r"no partition by day.*--workgroup"):
        explain(engine())
    athena.cutoff = 10_000_000
    assert "bounded by no partition" in explain(engine())


def test_fields_that_the_table_lacks_are_named(athena: AthenaServer) -> None:
    athena.columns = [each for each in athena.columns if each["Name"] not in ("action", "protocol")]
    with pytest.raises(
        InputError, match=r"logs\.flows lacks fields of AWS VPC flow logs that are needed: protocol, action"
    ):
        explain(engine())


def test_a_table_of_something_else_is_told(athena: AthenaServer) -> None:
    athena.columns = [{"Name": "order_id", "Type": "bigint"}]
    with pytest.raises(InputError, match="no column of AWS flow logs"):
        explain(engine())


def test_a_table_of_a_transit_gateway_is_known_by_its_columns(athena: AthenaServer) -> None:
    athena.columns = [each for each in athena.columns if each["Name"] != "action"]
    athena.columns += [{"Name": name, "Type": "string"} for name in ("tgw_id", "tgw_attachment_id", "resource_type")]
    assert explain(engine()).startswith("-- AWS transit gateway flow logs in Athena's logs.flows\n")


def test_the_account_may_be_a_partition(athena: AthenaServer) -> None:
    athena.columns = [each for each in athena.columns if each["Name"] != "account_id"]
    athena.keys.append({"Name": "aws-account-id", "Type": "string"})
    assert 'CAST("aws-account-id" AS VARCHAR) AS "scope"' in explain(engine())


def test_header_lines_that_the_table_reads_as_rows_are_left_out(athena: AthenaServer) -> None:
    header = "\"srcaddr\" <> 'srcaddr'"
    assert header in explain(engine())
    athena.parameters |= {"skip.header.line.count": "1"}
    assert header not in explain(engine())


def test_a_partition_that_the_table_wants_told_is_asked_for_and_used(athena: AthenaServer) -> None:
    athena.parameters |= {"projection.region.type": "injected"}
    with pytest.raises(InputError, match="--partition region=VALUE"):
        explain(engine())
    assert "\"region\" = 'eu-west-1'" in explain(engine(AthenaSettings(partitions={"region": "eu-west-1"})))
    with pytest.raises(InputError, match="has no partition 'zone'; it has day, region"):
        explain(engine(AthenaSettings(partitions={"zone": "a"})))


@pytest.mark.parametrize(
    ("code", "message", "error", "said"),
    [
        (
            "AccessDeniedException",
            "no",
            CollectError,
            "may not be read.*allow athena:StartQueryExecution on workgroup primary",
        ),
        ("InvalidRequestException", "No output location provided", CollectError, "--results s3://BUCKET/PREFIX/"),
        ("ThrottlingException", "Rate exceeded", CollectError, "Rate exceeded"),
        ("ExpiredTokenException", "expired", CredentialsError, "have expired"),
        ("UnrecognizedClientException", "no such key", CredentialsError, "does not accept the credentials"),
    ],
)
def test_a_query_that_is_refused_says_why(
    athena: AthenaServer, tmp_path: Path, code: str, message: str, error: type[Exception], said: str
) -> None:
    athena.trouble = lambda asked, _: refused(code, message) if asked.operation == "StartQueryExecution" else None
    with pytest.raises(error, match=said):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert not (tmp_path / "found.parquet").exists()


def test_a_table_that_is_not_there_is_told(athena: AthenaServer) -> None:
    athena.trouble = lambda asked, _: (
        refused("MetadataException", "Table flows not found") if asked.operation == "GetTableMetadata" else None
    )
    with pytest.raises(CollectError, match=r"Table flows not found.*glue:GetTable"):
        explain(engine())


def test_a_throttled_request_is_sent_again(athena: AthenaServer, tmp_path: Path) -> None:
    athena.result = lambda query: as_csv(query, aws_rows(1), tmp_path / "answer.csv")
    athena.trouble = lambda asked, before: (
        refused("ThrottlingException", "Rate exceeded")
        if asked.operation == "GetQueryExecution" and not before
        else None
    )
    run(engine(options=AwsOptions(attempts=3)), tmp_path / "found.parquet", SummaryOptions())
    assert athena.operations().count("StartQueryExecution") == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"State": "FAILED", "StateChangeReason": "HIVE_BAD_DATA: Error parsing field"},
            "failed in Athena .HIVE_BAD_DATA",
        ),
        (
            {"State": "FAILED", "StateChangeReason": "Access Denied (Service: Amazon S3)"},
            "allow s3:GetObject and s3:ListBucket",
        ),
        ({"State": "FAILED", "StateChangeReason": "Query timeout"}, "fewer days at a time"),
        ({"State": "FAILED", "AthenaError": {"ErrorMessage": "internal"}}, "internal"),
        (
            {"State": "CANCELLED", "StateChangeReason": "Bytes scanned limit was exceeded"},
            "cancelled in Athena .Bytes scanned",
        ),
    ],
)
def test_a_query_that_ends_without_a_result_says_why(
    athena: AthenaServer, tmp_path: Path, status: dict[str, object], said: str
) -> None:
    athena.states = [{"State": "RUNNING"}, status]
    with pytest.raises(CollectError, match=said):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def test_a_query_that_scans_more_than_is_allowed_is_stopped(athena: AthenaServer, tmp_path: Path) -> None:
    athena.states = [{"State": "RUNNING"}, {"State": "RUNNING"}, {"State": "SUCCEEDED"}]
    athena.scanned = [10, 2_000]
    with pytest.raises(InputError, match="it has scanned 2,000 bytes, and 1,000 are allowed"):
        run(engine(AthenaSettings(most=1_000, pause=0.01)), tmp_path / "found.parquet", SummaryOptions())
    assert athena.operations()[-1] == "StopQueryExecution"


def interrupted(_read: int, _total: int | None, _rows: int) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_cancels_the_query(athena: AthenaServer, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(engine(), tmp_path / "found.parquet", SummaryOptions(), interrupted)
    assert athena.asked[-1] == Asked("StopQueryExecution", {"QueryExecutionId": "query-1"})
    assert not (tmp_path / "found.parquet").exists()


def test_a_result_that_may_not_be_read_says_what_to_allow(athena: AthenaServer, tmp_path: Path) -> None:
    denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    athena.trouble = lambda asked, _: Reply(403, denied) if asked.operation.startswith("GET") else None
    with pytest.raises(CollectError, match=r"query-1\.csv may not be read.*s3:GetObject"):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def test_a_result_that_was_cut_is_no_result(athena: AthenaServer, tmp_path: Path) -> None:
    whole = as_csv_of(athena, tmp_path)
    athena.trouble = lambda asked, _: Reply(200, whole, cut=True) if asked.operation.startswith("GET") else None
    with pytest.raises(CollectError):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def as_csv_of(athena: AthenaServer, folder: Path) -> bytes:
    return as_csv(engine().question().text, aws_rows(1), folder / "whole.csv")


def test_a_result_with_other_columns_is_no_result(athena: AthenaServer, tmp_path: Path) -> None:
    athena.result = lambda query: b'"scope",' + as_csv(query, aws_rows(1), tmp_path / "answer.csv")
    with pytest.raises(CollectError, match="not what was asked for"):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def test_a_workgroup_that_keeps_its_results_is_told(athena: AthenaServer, tmp_path: Path) -> None:
    athena.output = ""
    with pytest.raises(InputError, match="keeps results for itself"):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def test_no_rows_at_all_are_an_error_and_not_an_empty_file(athena: AthenaServer, tmp_path: Path) -> None:
    athena.result = lambda query: as_csv(query, [], tmp_path / "answer.csv")
    with pytest.raises(InputError, match="no records of the time asked for"):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert not (tmp_path / "found.parquet").exists()


@pytest.mark.parametrize("table", ["flows", "a.b.c.d", ".flows", ""])
def test_a_name_that_is_none_is_refused(table: str) -> None:
    with pytest.raises(InputError, match=r"write DATABASE\.TABLE"):
        Athena(table, WINDOW)


def test_where_a_workgroup_may_not_be_looked_at_its_limit_counts_as_none(athena: AthenaServer) -> None:
    athena.keys = []
    athena.trouble = lambda asked, _: (
        refused("AccessDeniedException", "no") if asked.operation == "GetWorkGroup" else None
    )
    with pytest.raises(InputError, match="the whole of it would be scanned"):
        explain(engine())
