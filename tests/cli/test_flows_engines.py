"""`cloudseg flows --engine`: what is asked, shown and written, and what is said of wrong options."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from cloudseg.cli.flow_engines import size_of
from cloudseg.errors import InputError
from cloudseg.flows.conversations import read_conversations
from tests.flows.engines.athena_server import AthenaServer
from tests.flows.engines.bigquery_server import BigQueryServer
from tests.flows.engines.tables import aws_rows, gcp_entries, gcp_file
from tests.flows.engines.test_engine_athena import as_csv
from tests.flows.engines.test_engine_bigquery import rows_of
from tests.gcp.gcp_api import BOUNDARIES, login_at
from tests.loopback import Handler, Reply, listening

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

Run = Callable[..., "subprocess.CompletedProcess[str]"]
WORKSPACE = "11111111-2222-3333-4444-555555555555"
WHEN = ("--since", "2026-01-09", "--until", "2026-01-11")


@pytest.fixture
def athena() -> AthenaServer:
    return AthenaServer()


@pytest.fixture
def aws(athena: AthenaServer) -> Iterator[dict[str, str]]:
    with athena.listening() as address:
        yield {
            "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "dummy",
            "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1",
        }  # fmt: skip


def test_athena_gives_conversations(run: Run, athena: AthenaServer, aws: dict[str, str], tmp_path: Path) -> None:
    athena.states = [{"State": "SUCCEEDED"}]
    athena.result = lambda query: as_csv(query, aws_rows(1), tmp_path / "answer.csv")
    arguments = ("flows", "logs.flows", "--engine", "athena", *WHEN, "--workgroup", "audit", "-o", "found.parquet")
    result = run(*arguments, "--max-bytes", "1GB", environment=aws)
    assert result.returncode == 3, result.stderr  # some of the rows tell that the cloud skipped records
    assert "records, 0.0 kB" not in result.stderr
    assert "AWS VPC flow logs: 400 records" in result.stderr
    assert len(list(read_conversations(tmp_path / "found.parquet").rows())) > 20


def test_explain_shows_the_query_alone(run: Run, athena: AthenaServer, aws: dict[str, str]) -> None:
    result = run("flows", "logs.flows", "--engine", "athena", "--explain", *WHEN, environment=aws)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("-- AWS VPC flow logs in Athena's logs.flows\n")
    assert "\"day\" BETWEEN '2026/01/08' AND '2026/01/12'" in result.stdout
    assert "StartQueryExecution" not in athena.operations()


def test_partitions_are_named_on_the_command_line(run: Run, aws: dict[str, str]) -> None:
    partition = ("--partition", "region=eu-west-1")
    result = run("flows", "logs.flows", "--engine", "athena", "--explain", *partition, environment=aws)
    assert "\"region\" = 'eu-west-1'" in result.stdout


def test_bigquery_gives_conversations(run: Run, tmp_path: Path) -> None:
    bigquery = BigQueryServer()
    bigquery.states = ["DONE"]
    log = gcp_file(tmp_path / "flow.jsonl", gcp_entries(3))
    bigquery.rows = lambda query: rows_of(query, log)
    with bigquery.listening() as address, signing_in() as login, patch(f"{BOUNDARIES}.maybe_start_refresh"):
        environment = {**login_at(login, tmp_path), "BIGQUERY_EMULATOR_HOST": address}
        arguments = ("flows", "shop.logs.flows", "--engine", "bigquery", *WHEN, "-f", "csv")
        result = run(*arguments, "--project", "payer", "--location", "EU", environment=environment)
        dear = run(*arguments, "--max-bytes", "1MB", environment=environment)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n") > 15
    assert "300 records, 5.0 MB scanned" in result.stderr
    assert "note: Google Cloud logs a sample" in result.stderr
    assert dear.returncode == 2
    assert "would read 4.8 MiB, and 1,000,000 bytes are allowed" in dear.stderr


def test_without_a_way_to_a_token_bigquery_says_so_at_once(run: Run, tmp_path: Path) -> None:
    arguments = ("flows", "shop.logs.flows", "--engine", "bigquery", "--explain")
    with patch(f"{BOUNDARIES}.maybe_start_refresh"):
        result = run(*arguments, environment=login_at("http://127.0.0.1:1", tmp_path))
    assert result.returncode == 2
    assert "Google Cloud cannot be reached for a token" in result.stderr


@contextmanager
def signing_in() -> Generator[str]:
    """Who gives out tokens of Google's."""

    class Here(Handler):
        def reply(self, content: bytes) -> Reply:
            del content
            return Reply(200, b'{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}')

    with listening(Here) as address:
        yield address


def test_the_last_30_days_are_asked_for_where_nobody_says(run: Run) -> None:
    result = run("flows", WORKSPACE, "--engine", "loganalytics", "--explain")
    assert result.returncode == 0, result.stderr
    assert "// asked in 5 spans" in result.stdout
    assert "\n| where SubType == " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("logs.flows", "--explain"), "--explain belongs to an engine"),
        (("logs.flows", "--max-bytes", "1GB"), "--max-bytes belongs to an engine"),
        (("--engine", "athena"), "say where the flow logs are"),
        (("a.b", "c.d", "--engine", "athena"), "name the one table that --engine athena asks"),
        (("a.b", "--engine", "athena", "--location", "EU"), "--location is no option of --engine athena"),
        (("a.b.c", "--engine", "bigquery", "--partition", "a=b"), "--partition is no option of --engine bigquery"),
        (("a.b", "--engine", "athena", "--partition", "region"), "write NAME=VALUE"),
        (("a.b", "--engine", "athena", "--max-bytes", "much"), "is no amount of bytes; write 500GB"),
        (("a.b", "--engine", "athena", "--results", "bucket"), "write s3://BUCKET/PREFIX/"),
        (("flows", "--engine", "athena"), "write DATABASE.TABLE"),
        (("a.b", "--engine", "bigquery"), "write PROJECT.DATASET.TABLE"),
        (("mine", "--engine", "loganalytics"), "no id of a workspace"),
        (("a.b", "--engine", "spark"), "spark"),
    ],
)
def test_wrong_options_are_refused_with_the_way_out(run: Run, arguments: tuple[str, ...], said: str) -> None:
    result = run("flows", *arguments)
    assert result.returncode == 2
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5000000", 5_000_000),
        ("500GB", 500 * 10**9),
        ("1TiB", 1 << 40),
        ("1.5 MiB", 1_572_864),
        ("10B", 10),
        ("2k", 2_000),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "GB", "1 PB", "-1", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no amount of bytes"):
        size_of(text)
