"""What of the logs is missing, and that the file says so: from the files to the coverage."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from cloudseg.errors import InputError
from tests.flows.aws_rows import APP, DB, WEB, T, log2, log5, v2, v5
from tests.flows.simulated.running import read_rows, summarised
from tests.flows.telling import said, write

if TYPE_CHECKING:
    from pathlib import Path

    from cloudseg.flows.coverage import Coverage

THERE, BACK = "10.0.0.5 43416 10.0.1.6 5432", "10.0.1.6 5432 10.0.0.5 43416"


def empty(interface: str, status: str) -> str:
    return f"2 123456789012 {interface} - - - - - - - {T + 60} {T + 120} - {status}"


def covered(folder: Path, **files: str) -> Coverage:
    return summarised(write(folder / "logs", **files), folder / "conversations.parquet").coverage


@pytest.mark.semantics(213)
def test_idle_and_skipped_records_are_told_apart_for_each_interface(tmp_path: Path) -> None:
    told = covered(tmp_path, a__log=log2(v2(APP, THERE), empty(DB, "NODATA"), empty(WEB, "SKIPDATA")))
    assert (told.records, told.idle, told.skipped) == (1, 1, 1)
    assert {each.name: (each.records, each.idle, each.skipped) for each in told.observers} == {
        APP: (1, 0, 0),
        DB: (0, 1, 0),
        WEB: (0, 0, 1),
    }
    assert not told.is_whole


def test_only_idle_interfaces_give_no_conversation_and_no_error(tmp_path: Path) -> None:
    paths = write(tmp_path / "logs", a__log=log2(empty(APP, "NODATA")))
    output = tmp_path / "conversations.parquet"
    told = summarised(paths, output)
    assert (told.conversations, told.coverage.idle, told.coverage.is_whole) == (0, 1, True)
    assert read_rows(output) == []


@pytest.mark.semantics(228)
def test_each_network_with_logs_is_named_with_its_window(tmp_path: Path) -> None:
    told = covered(tmp_path, a__log=log5(v5(APP, THERE, 2, vpc="vpc-1"), v5(DB, THERE, 2, at=600, vpc="vpc-2")))
    assert {each.name: (each.first, each.last) for each in told.networks} == {
        "vpc-1": (T, T + 50),
        "vpc-2": (T + 600, T + 650),
    }


def test_the_whole_part_of_a_file_that_was_cut_is_read(tmp_path: Path) -> None:
    text = log2(*(v2(APP, f"10.0.0.5 {port} 10.0.1.6 5432") for port in range(40000, 48000)))
    packed = gzip.compress(text.encode())
    (tmp_path / "cut.log.gz").write_bytes(packed[: len(packed) // 2])
    output = tmp_path / "conversations.parquet"
    told = summarised([tmp_path / "cut.log.gz"], output).coverage
    assert 1000 < told.records < 7900
    assert [(loss.file.rpartition("/")[2], loss.partly) for loss in told.losses] == [("cut.log.gz", True)]
    assert not told.is_whole
    assert said(read_rows(output))[0].startswith("10.0.0.5 -> 10.0.1.6 6/5432 accepted")


def test_a_header_that_lacks_what_is_needed_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    told = covered(
        tmp_path,
        a__log=log2(v2(APP, THERE)),
        b__log="flow-direction traffic-path srcaddr dstaddr srcport dstport encryption-status\n"
        "ingress - 10.0.133.8 10.0.128.55 43236 80 1\n",
    )
    assert told.records == 1
    (loss,) = told.losses
    assert all(field in loss.reason for field in ("protocol", "action", "start"))


def test_where_nothing_can_be_read_the_error_names_the_file(tmp_path: Path) -> None:
    paths = write(tmp_path / "logs", a__log="these are no flow logs\nat all\n")
    with pytest.raises(InputError, match=r"a\.log"):
        summarised(paths, tmp_path / "conversations.parquet")
    assert not (tmp_path / "conversations.parquet").exists()


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with pytest.raises(InputError):
        summarised([folder], tmp_path / "conversations.parquet")


@pytest.mark.parametrize("time", [-5, 0, 99, 253_402_300_800, T * 1000])
def test_times_out_of_range_are_counted_as_bad(tmp_path: Path, time: int) -> None:
    odd = f"2 123456789012 {APP} 10.0.0.5 10.0.1.6 43416 5432 6 10 1000 {time} {time + 50} ACCEPT OK"
    told = covered(tmp_path, a__log=log2(v2(APP, THERE), odd))
    assert (told.records, told.bad) == (1, 1)
    assert (told.first, told.last) == (T, T + 50)


@pytest.mark.parametrize("changed", ["70000 443 6", "-1 443 6", "443 x 6", "40000 443 999", "40000 443 TCP"])
def test_ports_and_protocols_that_cannot_be_are_counted_as_bad(tmp_path: Path, changed: str) -> None:
    odd = f"2 123456789012 {APP} 10.0.0.5 10.0.1.6 {changed} 10 1000 {T} {T + 50} ACCEPT OK"
    told = covered(tmp_path, a__log=log2(v2(APP, THERE), odd))
    assert (told.records, told.bad) == (1, 1)


def test_a_file_without_a_header_is_of_the_default_format(tmp_path: Path) -> None:
    output = tmp_path / "conversations.parquet"
    summarised(write(tmp_path / "logs", a__log=v2(APP, THERE) + "\n" + v2(APP, BACK) + "\n"), output)
    assert [(row.initiator, row.responder, row.port) for row in read_rows(output)] == [("10.0.0.5", "10.0.1.6", 5432)]


def test_formats_may_lie_in_one_folder(tmp_path: Path) -> None:
    hubble = {
        "time": "2026-01-09T23:00:01.5Z",
        "verdict": "FORWARDED",
        "IP": {"source": "10.8.0.1", "destination": "10.8.0.2", "ipVersion": "IPv4"},
        "l4": {"TCP": {"source_port": 40000, "destination_port": 80, "flags": {"SYN": True}}},
        "source": {"namespace": "shop", "pod_name": "web-1"},
        "destination": {"namespace": "shop", "pod_name": "db-1"},
        "Type": "L3_L4",
        "node_name": "k/n-1",
        "traffic_direction": "EGRESS",
        "is_reply": False,
    }
    folder = tmp_path / "logs"
    write(folder, a__log=log2(v2(APP, THERE)), b__log__gz=log5(v5(DB, THERE, 2)), c__jsonl=json.dumps(hubble) + "\n")
    write(folder, README__md="read me\n", _SUCCESS="")
    output = tmp_path / "conversations.parquet"
    told = summarised([folder], output).coverage
    assert sorted((each.name, each.files) for each in told.formats) == [("aws-vpc", 2), ("hubble", 1)]
    assert told.losses == ()
    assert {row.provider for row in read_rows(output)} == {"aws", "kubernetes"}


HUBBLE = (
    '{"flow":{"time":"2026-07-31T10:41:0%d.2Z","verdict":"FORWARDED","IP":{"source":"10.1.0.%d","destination":'
    '"10.1.0.9"},"l4":{"TCP":{"source_port":40000,"destination_port":8080,"flags":{"SYN":true}}},"Type":"L3_L4",'
    '"is_reply":false,"traffic_direction":"EGRESS"},"node_name":"prod/w1"}'
)
GCP = (
    '{"jsonPayload":{"connection":{"src_ip":"10.1.0.%d","src_port":40000,"dest_ip":"10.1.0.9","dest_port":5432,'
    '"protocol":6},"reporter":"SRC","start_time":"2026-07-31T10:41:0%dZ","end_time":"2026-07-31T10:42:00Z",'
    '"packets_sent":"6","bytes_sent":"1200"},"logName":"projects/shop/logs/compute.googleapis.com%%2Fvpc_flows"}'
)
_RECORD = (
    '{"time":"2026-07-31T10:4%d:00Z","flowLogVersion":4,"macAddress":"00224871C205","category":"FlowLogFlowEvent",'
    '"targetResourceID":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v",'
    '"flowRecords":{"flows":[{"aclID":"a","flowGroups":[{"rule":"r","flowTuples":'
    '["178549446%d000,10.1.0.%d,10.1.0.9,40000,443,6,O,B,NX,0,0,0,0"]}]}]}}'
)
BODIES = {
    "hubble": "\n".join(HUBBLE % (each % 10, each) for each in range(1, 200)) + "\n",
    "gcp": "\n".join(GCP % (each, each % 10) for each in range(1, 200)) + "\n",
    "azure": '{"records":[' + ",".join(_RECORD % (each % 10, each % 10, each) for each in range(1, 200)) + "]}",
}


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a"])
def test_json_is_read_by_its_bytes_whatever_its_name_says_of_its_packing(tmp_path: Path, name: str) -> None:
    paths: list[Path] = []
    for kind, body in BODIES.items():
        for packing, content in (("plain", body.encode()), ("packed", gzip.compress(body.encode()))):
            path = tmp_path / kind / packing / name
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            paths.append(path)
    summary = summarised(paths, tmp_path / "out.parquet")
    read = [(each.files, each.records) for each in summary.coverage.formats]
    assert (read, summary.coverage.losses) == ([(2, 2 * 199)] * len(BODIES), ())
    # Both files of a kind tell of the same conversations.
    assert summary.conversations == 199 * len(BODIES)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_of_packed_json_that_was_cut_what_is_whole_is_read(tmp_path: Path, kind: str) -> None:
    packed = gzip.compress(BODIES[kind].encode())
    path = tmp_path / "PT1H.json.gz"
    path.write_bytes(packed[: len(packed) * 3 // 4])
    summary = summarised([path], tmp_path / "out.parquet")
    assert 20 < summary.conversations < 199
    (loss,) = summary.coverage.losses
    assert loss.partly
    assert "ends too early" in loss.reason
