"""Azure virtual network flow logs, version 4, as records.

The rows of the first tests are those of
https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview#sample-log-record
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.flows.formats import FORMATS
from cloudseg.flows.formats.azure_nsg import AZURE_NSG
from cloudseg.flows.formats.azure_vnet import AZURE_VNET
from tests.flows.reading_json import head_of, read, table, written

if TYPE_CHECKING:
    from tests.flows.reading_json import Row

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myGroup/providers/Microsoft.Network/virtualNetworks/myVNet"
BEGUN = "1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,NX,0,0,0,0"
GOES_ON = "1663146303606,10.0.0.6,52.239.184.180,23956,443,6,O,C,NX,3,767,2,1580"
ENDED = "1663146603606,10.0.0.6,52.239.184.180,23956,443,6,O,E,NX,1,60,1,52"
DENIED = "1663145998065,101.33.218.153,10.0.0.6,55188,22,6,I,D,NX,0,0,0,0"


def record(*groups: tuple[str, str, list[str]], target: str = NETWORK, mac: str = "00224871C205") -> dict[str, Any]:
    flows = [{"aclID": acl, "flowGroups": [{"rule": rule, "flowTuples": lines}]} for acl, rule, lines in groups]
    return {
        "time": "2022-09-14T09:00:52.5625085Z",
        "flowLogVersion": 4,
        "flowLogGUID": "abcdef01-2345-6789-0abc-def012345678",
        "macAddress": mac,
        "category": "FlowLogFlowEvent",
        "flowLogResourceID": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/NETWORKWATCHERRG",
        "targetResourceID": target,
        "operationName": "FlowLogFlowEvent",
        "flowRecords": {"flows": flows},
    }


def blob(*records: dict[str, Any]) -> str:
    return json.dumps({"records": records}, separators=(",", ":"))


def lines_of(folder: Path, *lines: str) -> list[Row]:
    return read(AZURE_VNET, written(folder, blob(record(("ACL-1", "Rule", list(lines)))))).rows


def test_a_tuple_tells_who_opened_the_connection_and_who_saw_it(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, GOES_ON)
    assert row == {
        "provider": "azure",
        "scope": SUBSCRIPTION,
        "network": NETWORK.lower(),
        "observer": "00224871c205",
        "status": "ok",
        "side": "src",
        "src": "10.0.0.6",
        "dst": "52.239.184.180",
        "near_src": None,
        "near_dst": None,
        "src_port": 23956,
        "dst_port": 443,
        "protocol": 6,
        "opener": "src",
        "proof": "state",
        "opened": 0,
        "accepted": True,
        "answers": True,
        "rule": "acl-1/Rule",
        "src_name": None,
        "dst_name": None,
        "packets": 3,
        "bytes": 767,
        "packets_back": 2,
        "bytes_back": 1580,
        "first": 1663146303,
        "last": 1663146303,
    }


def test_begin_and_denial_open_a_connection_and_nothing_else_does(tmp_path: Path) -> None:
    rows = lines_of(tmp_path, BEGUN, GOES_ON, ENDED, DENIED)
    assert table(rows, "opened", "accepted", "answers", "bytes") == [
        (1, True, None, 0),
        (0, True, True, 767),
        (0, True, True, 60),
        (1, False, None, 0),
    ]


def test_an_inbound_flow_is_seen_at_its_destination(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, DENIED)
    assert (row["side"], row["src"], row["dst"], row["opener"]) == ("dst", "101.33.218.153", "10.0.0.6", "src")


def test_milliseconds_become_seconds(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, DENIED)
    assert (row["first"], row["last"]) == (1663145998, 1663145998)


@pytest.mark.parametrize(
    ("target", "network"),
    [
        (NETWORK, NETWORK.lower()),
        (NETWORK.upper(), NETWORK.lower()),
        (f"{NETWORK}/subnets/web", NETWORK.lower()),
        (NETWORK.replace("virtualNetworks/myVNet", "networkInterfaces/nic-1"), None),
    ],
)
def test_the_network_is_the_target_or_what_the_target_lies_in(tmp_path: Path, target: str, network: str | None) -> None:
    path = written(tmp_path, blob(record(("a", "r", [BEGUN]), target=target)))
    (row,) = read(AZURE_VNET, path).rows
    assert (row["network"], row["scope"]) == (network, SUBSCRIPTION)


def test_a_protocol_without_ports_has_none(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, "1663146003599,10.0.0.6,10.0.0.7,0,0,1,O,B,NX,0,0,0,0")
    assert (row["status"], row["protocol"], row["src_port"], row["dst_port"]) == ("ok", 1, None, None)


def test_traffic_that_encryption_refused_has_no_rule_of_a_list(tmp_path: Path) -> None:
    line = "1663146003599,10.0.0.6,10.0.0.7,5,443,6,O,D,NX_NOT_ACCEPTED,0,0,0,0"
    path = written(tmp_path, blob(record(("unspecified", "unspecified", [line]))))
    (row,) = read(AZURE_VNET, path).rows
    assert (row["accepted"], row["rule"]) == (False, "unspecified/unspecified")


def test_statistics_may_be_empty(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, "1663146003599,10.0.0.6,10.0.0.7,5,443,6,O,B,NX,,,,")
    assert (row["status"], row["opened"], row["bytes"], row["bytes_back"]) == ("ok", 1, 0, 0)


def test_ipv6_stands_as_it_was_logged(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, "1663146003599,fd00::6,2001:db8::1,5,443,6,O,B,NX,0,0,0,0")
    assert (row["src"], row["dst"], row["status"]) == ("fd00::6", "2001:db8::1", "ok")


@pytest.mark.parametrize(
    "line",
    [
        "1663146003599,10.0.0.6,,5,443,6,O,B,NX,0,0,0,0",
        "1663146003599,10.0.0.6,10.0.0.7,5,443,6,O,Q,NX,0,0,0,0",
        "1663146003599,10.0.0.6,10.0.0.7,5,99999,6,O,B,NX,0,0,0,0",
        "yesterday,10.0.0.6,10.0.0.7,5,443,6,O,B,NX,0,0,0,0",
        "9999999999999999,10.0.0.6,10.0.0.7,5,443,6,O,B,NX,0,0,0,0",
    ],
    ids=["no address", "no known state", "no port", "no time", "a time far beyond"],
)
def test_a_tuple_that_cannot_be_read_is_bad_and_tells_only_who_reported_it(tmp_path: Path, line: str) -> None:
    (row,) = lines_of(tmp_path, line)
    assert (row["status"], row["observer"], row["src"], row["opened"]) == ("bad", "00224871c205", None, 0)


def test_a_record_without_flows_says_that_its_adapter_was_idle(tmp_path: Path) -> None:
    path = written(tmp_path, blob(record(), record(("a", "r", []), mac="AA")))
    rows = read(AZURE_VNET, path).rows
    assert table(rows, "status", "observer", "network", "first") == [
        ("idle", "00224871c205", NETWORK.lower(), 1663146052),
        ("idle", "aa", NETWORK.lower(), 1663146052),
    ]


def test_a_record_without_the_flows_that_it_should_have_is_bad(tmp_path: Path) -> None:
    broken = record(("a", "r", [BEGUN]))
    broken["flowRecords"] = {"streams": []}
    assert table(read(AZURE_VNET, written(tmp_path, blob(broken))).rows, "status") == [("bad",)]


@pytest.mark.parametrize("name", ["log.json", "log.json.gz"])
def test_spaces_and_compression_do_not_matter(tmp_path: Path, name: str) -> None:
    text = json.dumps({"records": [record(("a", "r", [BEGUN, ENDED]))]}, indent=2)
    assert table(read(AZURE_VNET, written(tmp_path, text, name)).rows, "opened") == [(1,), (0,)]


def cut_after(text: str, mark: str) -> str:
    return text[: text.index(mark) + len(mark)]


@pytest.mark.parametrize(
    ("mark", "whole"),
    [
        ("1663146303606,10.0.0.6,52.2", 1),
        (GOES_ON, 1),
        (f'{GOES_ON}"', 2),
        (f'{GOES_ON}",', 2),
        (f'{ENDED}"]', 3),
        (f'{ENDED}"]}}]}}', 3),
    ],
    ids=["in a tuple", "before its quote", "after it", "after a comma", "after the tuples", "before the record ends"],
)
def test_of_a_blob_that_was_cut_the_whole_tuples_are_read_and_the_loss_is_told(
    tmp_path: Path, mark: str, whole: int
) -> None:
    text = blob(record(("a", "r", [BEGUN, GOES_ON, ENDED])))
    rows = read(AZURE_VNET, written(tmp_path, cut_after(text, mark))).rows
    assert sorted(str(row["status"]) for row in rows) == ["bad"] + ["ok"] * whole
    assert {row["observer"] for row in rows} == {"00224871c205"}


def test_a_cut_costs_only_the_last_record(tmp_path: Path) -> None:
    text = blob(record(("a", "r", [BEGUN, ENDED])), record(("a", "r", [DENIED]), mac="BB"))
    rows = read(AZURE_VNET, written(tmp_path, cut_after(text, '"macAddress":"BB","cat'))).rows
    assert sorted(table(rows, "status", "src"), key=str) == [
        ("bad", None),
        ("ok", "10.0.0.6"),
        ("ok", "10.0.0.6"),
    ]


@pytest.mark.parametrize("end", ["", ",", "]"])
def test_a_cut_between_two_records_is_told_too(tmp_path: Path, end: str) -> None:
    text = blob(record(("a", "r", [BEGUN])), record(("a", "r", [DENIED]), mac="BB"))
    cut = text[: text.index(',{"time"', 20)] + end
    assert table(read(AZURE_VNET, written(tmp_path, cut)).rows, "status", "opened") == [("ok", 1), ("bad", 0)]


def test_whole_and_cut_blobs_are_read_together(tmp_path: Path) -> None:
    text = blob(record(("a", "r", [BEGUN, ENDED])))
    paths = [written(tmp_path, text, "1.json"), written(tmp_path, cut_after(text, f'{BEGUN}"'), "2.json")]
    statuses = table(read(AZURE_VNET, *paths).rows, "status")
    assert sorted(str(status) for (status,) in statuses) == ["bad", "ok", "ok", "ok"]


def test_the_path_tells_the_adapter_where_the_record_does_not(tmp_path: Path) -> None:
    nameless = record(("a", "r", [BEGUN]))
    del nameless["macAddress"]
    name = "flowLogResourceID=/X/Y/y=2022/m=09/d=14/h=09/m=00/macAddress=00224871C205/PT1H.json"
    (row,) = read(AZURE_VNET, written(tmp_path, blob(nameless), name)).rows
    assert row["observer"] == "00224871c205"


def test_a_blob_that_is_larger_than_duckdb_takes_an_object_to_be_is_read(tmp_path: Path) -> None:
    lines = [BEGUN] * 2_000
    text = blob(*(record(("a", "r", lines)) for _ in range(140)))
    assert len(text) > 1 << 24
    path = written(tmp_path, text)
    assert len(read(AZURE_VNET, path).rows) == 280_000
    packed = written(tmp_path, text, "log.json.gz")
    assert len(read(AZURE_VNET, packed).rows) == 280_000


def test_a_blob_without_records_is_known_by_its_path(tmp_path: Path) -> None:
    name = "insights-logs-flowlogflowevent/flowLogResourceID=/X/Y/macAddress=00224871C205/PT1H.json"
    path = written(tmp_path, '{"records":[]}', name)
    assert read(AZURE_VNET, path).rows == []
    assert AZURE_NSG.shape(head_of(path)) is None
    assert AZURE_VNET.shape(head_of(written(tmp_path, '{"records":[]}', "other.json"))) is None


@pytest.mark.parametrize("text", ['{"items":[]}', '{"records":[{"time":"x","category":"AuditEvent"}]}', "", "{", "[]"])
def test_other_json_is_no_flow_log_of_a_network(tmp_path: Path, text: str) -> None:
    assert AZURE_VNET.shape(head_of(written(tmp_path, text))) is None


def test_no_other_format_takes_it_for_its_own(tmp_path: Path) -> None:
    head = head_of(written(tmp_path, blob(record(("a", "r", [BEGUN])))))
    assert [each.name for each in FORMATS if each.shape(head) is not None] == ["azure-vnet"]


@pytest.mark.samples
@pytest.mark.skipif("CLOUDSEG_SAMPLES" not in os.environ, reason="CLOUDSEG_SAMPLES names no folder of answers")
def test_the_sample_of_the_documentation() -> None:
    path = Path(os.environ["CLOUDSEG_SAMPLES"]) / "flow-logs" / "azure_vnet_flow_v4.json"
    assert table(read(AZURE_VNET, path).rows, "src", "dst", "dst_port", "side", "opened", "accepted", "bytes") == [
        ("10.0.0.6", "52.239.184.180", 443, "src", 1, True, 0),
        ("10.0.0.6", "52.239.184.180", 443, "src", 0, True, 767),
        ("101.33.218.153", "10.0.0.6", 22, "dst", 1, False, 0),
    ]
