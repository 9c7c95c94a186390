"""`cloudseg flows`: what is read, shown and written, and what is said of wrong input."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloudseg.flows.conversations import read_conversations

if TYPE_CHECKING:
    import subprocess

Run = Callable[..., "subprocess.CompletedProcess[str]"]

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
ASKED = "2 111122223333 eni-0a 10.0.1.5 10.0.2.5 40000 5432 6 10 840 1760000000 1760000060 ACCEPT OK"
ANSWERED = "2 111122223333 eni-0a 10.0.2.5 10.0.1.5 5432 40000 6 8 9000 1760000000 1760000060 ACCEPT OK"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "flows.log"
    path.write_text(f"{HEADER}\n{ASKED}\n{ANSWERED}\n")
    return path


def test_without_a_file_to_write_the_conversations_are_shown(run: Run, log: Path) -> None:
    result = run("flows", "flows.log")
    assert result.returncode == 0, result.stderr
    (row,) = [line.split() for line in result.stdout.splitlines() if "10.0.1.5" in line]
    assert row[:4] == ["10.0.1.5", "10.0.2.5", "tcp/5432", "accepted"]
    assert "AWS VPC flow logs: 1 file, 2 records" in result.stderr
    assert "window: 2025-10-09 08:53 to 2025-10-09 08:54 (UTC)" in result.stderr
    assert "1 conversation (1 accepted, 0 refused)" in result.stderr


def test_with_a_file_to_write_nothing_is_shown(run: Run, log: Path, tmp_path: Path) -> None:
    result = run("flows", "flows.log", "-o", "found.parquet", "--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    (row,) = read_conversations(tmp_path / "found.parquet").rows()
    assert (row.initiator, row.responder, row.port, row.bytes, row.bytes_back) == (
        "10.0.1.5",
        "10.0.2.5",
        5432,
        840,
        9000,
    )


def test_csv_has_every_conversation_and_runs_no_formula(run: Run, tmp_path: Path) -> None:
    flow = (
        '{"flow":{"time":"2026-07-31T10:41:02Z","verdict":"FORWARDED","is_reply":false,"IP":{"source":"10.0.1.5",'
        '"destination":"10.0.2.5","ipVersion":"IPv4"},"l4":{"TCP":{"source_port":40000,"destination_port":80,'
        '"flags":{"SYN":true}}},"source":{"namespace":"=cmd","pod_name":"x"},"destination":{"namespace":"b",'
        '"pod_name":"\\u001b[2Jy"},"Type":"L3_L4","node_name":"n"}}\n'
    )
    (tmp_path / "hubble.jsonl").write_text(flow)
    result = run("flows", "hubble.jsonl", "-f", "csv", "--limit", "0")
    assert result.returncode == 0, result.stderr
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert row["initiator_name"].startswith("'=cmd/x")
    assert "\x1b" not in result.stdout
    assert "\x1b" not in run("flows", "hubble.jsonl").stdout


def test_a_cut_file_is_read_as_far_as_it_is_whole_and_ends_with_3(run: Run, tmp_path: Path) -> None:
    rows = (ASKED.replace(" 40000 ", f" {40_000 + number} ") for number in range(20_000))
    packed = gzip.compress("\n".join((HEADER, *rows)).encode())
    (tmp_path / "cut.log.gz").write_bytes(packed[: len(packed) // 2])
    result = run("flows", "cut.log.gz")
    assert result.returncode == 3
    assert "lost: cut.log.gz" in result.stderr
    assert "10.0.1.5" in result.stdout


def test_records_that_the_cloud_lost_end_with_3(run: Run, log: Path) -> None:
    skipped = "2 111122223333 eni-0b - - - - - - - 1760000000 1760000060 - SKIPDATA\n"
    log.write_text(log.read_text() + skipped)
    result = run("flows", "flows.log")
    assert result.returncode == 3
    assert "SKIPDATA" in result.stderr


def test_since_and_until_leave_records_out_and_say_so(run: Run, log: Path) -> None:
    result = run("flows", "flows.log", "--since", "2025-10-09", "--until", "2025-10-10")
    assert "10.0.1.5" in result.stdout
    late = run("flows", "flows.log", "--since", "2025-10-10")
    assert late.returncode == 0
    assert "No conversation was seen." in late.stdout
    assert "2 records outside --since and --until left out" in late.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say where the flow logs are"),
        (("nowhere.log",), "nowhere.log: there is no such file or folder"),
        (("flows.log", "--since", "yesterday"), "--since 'yesterday' is no time; write 2026-01-31"),
        (("flows.log", "--since", "2026-02-01", "--until", "2026-01-01"), "is not before --until"),
        (("flows.log", "--memory", "plenty"), "'plenty' is no memory"),
        (("flows.log", "-o", "no/such/folder.parquet"), "there is no folder"),
        (("flows.log", "--log-format", ""), "--log-format"),
        (("s3://",), "names no bucket"),
        (("https://example.org/logs",), "example.org"),
    ],
)
def test_wrong_input_is_refused_with_the_way_out(run: Run, log: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run("flows", *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_that_is_no_log_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("to be done\n")
    result = run("flows", "notes.txt")
    assert result.returncode == 2
    assert "notes.txt: it is no flow log that is known here" in result.stderr


def test_nothing_is_left_behind_of_a_run_that_failed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("to be done\n")
    run("flows", "notes.txt", "-o", "found.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]
