"""Files of flow logs: found, told by what they hold, and put together where they are read alike."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from cloudseg.errors import ConfigError, InputError
from cloudseg.flows.files import LocalFiles, LogFile, grouped, log_fields
from cloudseg.flows.formats.containers import START, container_of, read_start
from tests.flows.reading import group_of, losses_of, records_of, rows_of, write_log, write_parquet

V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
T = 1_767_225_600
LINE = f"2 111122223333 eni-1 10.0.0.5 10.0.1.6 40000 443 6 10 840 {T} {T + 60} ACCEPT OK"
OTHER = "srcaddr dstaddr srcport dstport protocol start end action"
OTHER_LINE = f"10.0.0.5 10.0.1.6 40000 443 6 {T} {T + 60} ACCEPT"


def taken(*places: Path | str) -> list[str]:
    """The names of the files of a source, in order."""
    return [file.path.name for file in next(LocalFiles(places).batches()).files]


def test_a_folder_is_walked_in_order_and_markers_are_passed_over_with_a_note(tmp_path: Path) -> None:
    for name in (
        "b/2.log.gz",
        "a/1.parquet",
        "a/none",
        "a/_SUCCESS",
        ".hidden",
        "a/.x.crc",
        "a/y.crc",
        "notes.md",
        ".git/z.log",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    source = LocalFiles([tmp_path])
    (batch,) = source.batches()
    assert [file.path.name for file in batch.files] == ["1.parquet", "none", "2.log.gz"]
    assert [file.size for file in batch.files] == [1, 1, 1]
    assert source.size == 3
    (note,) = batch.notes
    assert note.startswith("6 files passed over")
    assert batch.losses == ()


def test_a_file_that_is_named_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / ".odd.csv"
    path.write_text("x", encoding="utf-8")
    assert taken(path) == [".odd.csv"]


def test_a_compressed_file_of_another_suffix_is_found_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "part-0.c000").write_bytes(gzip.compress(b"x"))
    (tmp_path / "part-1.c000").write_bytes(b"x")
    assert taken(tmp_path) == ["part-0.c000"]


def test_a_file_counts_once_however_often_it_is_named(tmp_path: Path) -> None:
    path = write_log(tmp_path / "a.log", V2, LINE)
    (tmp_path / "link.log").symlink_to(path)
    assert len(taken(path, tmp_path, tmp_path / "." / "a.log")) == 1


def test_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    write_log(tmp_path / "a" / "a.log", V2, LINE)
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert taken(tmp_path) == ["a.log"]


def test_a_pattern_takes_what_it_matches_and_a_name_with_brackets_is_no_pattern(tmp_path: Path) -> None:
    for name in ("a1.log", "a2.log", "b.log", "a[1].log"):
        write_log(tmp_path / name, V2, LINE)
    assert taken(str(tmp_path / "a?.log")) == ["a1.log", "a2.log"]
    assert taken(tmp_path / "a[1].log") == ["a[1].log"]
    assert rows_of(group_of(tmp_path / "a[1].log"))[0]["status"] == "ok"
    assert len(rows_of(group_of(tmp_path / "a[1].log"))) == 1


@pytest.mark.parametrize(("place", "why"), [("none.log", "there is no such file"), ("*.none", "no file matches")])
def test_what_is_not_there_is_said(tmp_path: Path, place: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        LocalFiles([tmp_path / place])


def test_stdin_is_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match="write them to a file"):
        LocalFiles(["-"])


def test_a_link_to_nothing_and_what_is_no_file_are_losses(tmp_path: Path) -> None:
    (tmp_path / "gone.log").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.log")
    gone, pipe = losses_of(tmp_path)
    assert (gone.name, gone.reason) == (str(tmp_path / "gone.log"), "it cannot be read: No such file or directory")
    assert pipe.reason == "it is no regular file, but a pipe or a device"


def test_an_empty_folder_has_no_files(tmp_path: Path) -> None:
    assert taken(tmp_path) == []


def test_files_are_put_together_by_format_fields_and_packing(tmp_path: Path) -> None:
    """A flow log cannot be edited: whoever wants other fields makes a new one, and the header changes mid-window."""
    write_log(tmp_path / "1.log", V2, LINE)
    write_log(tmp_path / "2.log", OTHER, OTHER_LINE)
    write_log(tmp_path / "3.log", V2, LINE, LINE)
    (tmp_path / "4").write_bytes(gzip.compress(f"{V2}\n{LINE}\n".encode()))
    found = grouped(next(LocalFiles([tmp_path]).batches()).files)
    assert found.losses == ()
    assert {
        (len(group.shape), group.container, tuple(path.name for path in group.paths)) for group in found.groups
    } == {
        (14, "text", ("1.log", "3.log")),
        (8, "text", ("2.log",)),
        (14, "gzip", ("4",)),
    }
    assert sum(len(rows_of(group)) for group in found.groups) == 5


def test_gzip_is_known_by_its_bytes_and_may_have_several_members(tmp_path: Path) -> None:
    whole = gzip.compress(f"{V2}\n{LINE}\n".encode())
    (tmp_path / "plain.txt").write_bytes(whole + whole)
    assert [row["status"] for row in rows_of(group_of(tmp_path / "plain.txt"))] == ["ok", "ok"]


def test_headers_in_the_middle_of_a_file_are_no_rows(tmp_path: Path) -> None:
    assert [row["status"] for row in records_of(tmp_path, V2, LINE, V2, LINE)] == ["ok", "ok"]


def test_windows_line_ends_a_byte_order_mark_and_a_missing_line_end_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"\xef\xbb\xbf" + f"{V2}\r\n{LINE}\r\n{LINE}".encode())
    assert [row["status"] for row in rows_of(group_of(path))] == ["ok", "ok"]


def test_quotes_and_bytes_that_are_no_text_stay_in_their_row(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(f"{V2}\n{LINE.replace('eni-1', chr(34) + 'eni')}\n{LINE}\n".encode())
    assert [row["observer"] for row in rows_of(group_of(path))] == ['"eni', "eni-1"]


def test_an_export_of_cloudwatch_has_no_header_and_a_time_before_each_line(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html."""
    stamped = tmp_path / "000000.gz"
    stamped.write_bytes(gzip.compress(f"2026-01-01T00:00:00.000Z {LINE}\n2026-01-01T00:01:00.000Z {LINE}\n".encode()))
    bare = tmp_path / "bare.log"
    bare.write_text(f"{LINE}\n{LINE}\n", encoding="utf-8")
    for path in (stamped, bare):
        assert [(row["status"], row["src"]) for row in rows_of(group_of(path))] == [("ok", "10.0.0.5")] * 2


def test_lines_without_a_header_are_read_by_the_fields_that_the_user_tells(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(f"{OTHER_LINE}\n", encoding="utf-8")
    (loss,) = losses_of(path)
    assert "--log-format" in loss.reason
    assert OTHER_LINE in loss.reason
    (row,) = rows_of(
        group_of(
            path, fields=log_fields("${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${start} ${end} ${action}")
        )
    )
    assert (row["status"], row["dst_port"]) == ("ok", 443)
    (loss,) = losses_of(path, fields=("srcaddr", "dstaddr"))
    assert "has not the 2 fields of --log-format" in loss.reason


def test_a_header_counts_before_what_the_user_tells(tmp_path: Path) -> None:
    path = write_log(tmp_path / "a.log", V2, LINE)
    assert group_of(path, fields=OTHER.split()).shape == tuple(V2.split())


@pytest.mark.parametrize("text", ["", "   ", "${srcaddr} ${DROP TABLE}", "src;addr"])
def test_a_format_that_names_no_fields_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--log-format"):
        log_fields(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("of mine", "no field 'of'"),
        ("${version} ${scraddr}", "no field 'scraddr'; is it srcaddr"),
        ("version acount_id", "no field 'acount_id'; is it account-id"),
    ],
)
def test_a_format_with_a_field_that_aws_has_not_is_refused_with_those_spelled_alike(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        log_fields(text)


def test_a_format_may_name_a_field_twice_and_write_it_as_parquet_does() -> None:
    assert log_fields("${version} account_id version") == ("version", "account_id", "version#2")


def test_no_format_is_none() -> None:
    assert log_fields(None) == ()
    assert log_fields("version, srcaddr") == ("version", "srcaddr")


def test_a_header_that_lacks_fields_is_refused_by_name(tmp_path: Path) -> None:
    path = write_log(
        tmp_path / "a.log", "flow-direction srcaddr dstaddr srcport dstport", "ingress 10.0.0.5 10.0.1.6 1 2"
    )
    (loss,) = losses_of(path)
    assert loss.name == str(path)
    assert loss.reason.startswith("AWS VPC flow logs without the fields protocol, start or end, action:")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"hello there\n", "it is no flow log that is known here"),
        (b"\x00\x01\x02\xff" * 100, "it is no flow log that is known here"),
        (b"\x1f\x8b", "nothing can be unpacked of it"),
        (b"PAR1", "it is cut: the end of the Parquet file is missing"),
        (b"PAR1" + b"x" * 500, "it is cut: the end of the Parquet file is missing"),
    ],
)  # fmt: skip
def test_what_is_no_flow_log_is_a_loss_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(content)
    (loss,) = losses_of(path)
    assert loss.reason.startswith(reason)


def test_parquet_of_something_else_is_a_loss(tmp_path: Path) -> None:
    (loss,) = losses_of(write_parquet(tmp_path / "a.parquet", colour="'red'", size="1"))
    assert loss.reason == "its columns are those of no flow log that is known here: colour, size"


def test_the_beginning_of_a_cut_stream_is_what_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(f"{V2}\n".encode() + os.urandom(200_000))[:100_000])
    assert container_of(path) == "gzip"
    start = read_start(path, "gzip")
    assert start.startswith(V2.encode())
    assert len(start) == START


def test_a_file_that_may_not_be_read_is_a_loss(tmp_path: Path) -> None:
    missing = LogFile(tmp_path / "gone", 1, "s3://bucket/gone")
    found = grouped([missing])
    assert (found.groups, found.losses[0].name) == ((), "s3://bucket/gone")
    assert found.losses[0].reason == "it cannot be read: No such file or directory"


@pytest.mark.samples
@pytest.mark.skipif("CLOUDSEG_SAMPLES" not in os.environ, reason="CLOUDSEG_SAMPLES names no folder of answers")
def test_the_records_of_the_documentation_are_read() -> None:
    folder = Path(os.environ["CLOUDSEG_SAMPLES"]) / "flow-logs"
    found = grouped(next(LocalFiles(sorted(folder.glob("aws_*.txt"))).batches()).files)
    statuses = {path.name: [row["status"] for row in rows_of(group)] for group in found.groups for path in group.paths}
    assert statuses == {
        "aws_v2_default.txt": ["ok", "ok", "idle", "skipped", "ok", "ok", "ok"],
        "aws_v3_tcpflags.txt": ["ok"] * 5,
        "aws_v5_trafficpath.txt": ["ok"] * 2,
    }
    assert {Path(loss.name).name: loss.reason.partition(":")[0] for loss in found.losses} == {
        "aws_v10_encryption.txt": "AWS VPC flow logs without the fields protocol, start or end, action",
        "aws_v3_natgw.txt": "AWS VPC flow logs without the fields srcport, dstport, protocol, start or end, action",
        "aws_v3_tgw.txt": "AWS VPC flow logs without the field start or end",
    }
