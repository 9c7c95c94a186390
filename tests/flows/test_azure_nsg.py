"""Azure NSG flow logs as records: https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview#log-format."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.flows.formats import FORMATS
from cloudseg.flows.formats.azure_nsg import AZURE_NSG
from tests.flows.reading_json import head_of, read, table, written

if TYPE_CHECKING:
    from tests.flows.reading_json import Row

SUBSCRIPTION = "f7f4728a-781f-470f-b029-bac8a9df75af"
GROUP = f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/WEB"


def record(*rules: tuple[str, str, list[str]], version: int = 2, mac: str | None = "000D3ABEB097") -> dict[str, Any]:
    made: dict[str, Any] = {
        "time": "2020-08-03T07:18:43.2317151Z",
        "systemId": "ca0eb670-63ac-4f05-9d82-7c01addd59f3",
        "macAddress": mac,
        "category": "NetworkSecurityGroupFlowEvent",
        "resourceId": GROUP,
        "operationName": "NetworkSecurityGroupFlowEvents",
        "properties": {
            "Version": version,
            "flows": [{"rule": rule, "flows": [{"mac": own, "flowTuples": lines}]} for rule, own, lines in rules],
        },
    }
    if mac is None:
        del made["macAddress"]
    return made


def blob(*records: dict[str, Any]) -> str:
    return json.dumps({"records": records}, separators=(",", ":"))


def lines_of(folder: Path, *lines: str) -> list[Row]:
    text = blob(record(("UserRule_web", "000D3ABEB097", list(lines))))
    return read(AZURE_NSG, written(folder, text)).rows


def test_a_tuple_of_version_2_tells_state_decision_and_both_ways(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, "1493695838,185.170.185.105,10.2.0.4,35370,23,T,I,A,C,1021,588096,8005,4610880")
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "provider": "azure",
        "scope": SUBSCRIPTION,
        "observer": "000d3abeb097",
        "status": "ok",
        "side": "dst",
        "src": "185.170.185.105",
        "dst": "10.2.0.4",
        "src_port": 35370,
        "dst_port": 23,
        "protocol": 6,
        "opener": "src",
        "proof": "state",
        "opened": 0,
        "accepted": True,
        "answers": True,
        "rule": f"{GROUP.lower()}/UserRule_web",
        "packets": 1021,
        "bytes": 588096,
        "packets_back": 8005,
        "bytes_back": 4610880,
        "first": 1493695838,
        "last": 1493695838,
    }


def test_a_connection_is_opened_where_it_begins_or_is_denied(tmp_path: Path) -> None:
    rows = lines_of(
        tmp_path,
        "1533315592,10.1.1.6,204.79.197.200,62375,80,T,O,A,B,,,,",
        "1533315604,10.1.1.6,204.79.197.200,62375,80,T,O,A,E,33,1946,90,123247",
        "1596439087,94.102.51.77,10.0.0.4,58501,8121,T,I,D,B,,,,",
    )
    assert table(rows, "opened", "accepted", "answers", "side") == [
        (1, True, None, "src"),
        (0, True, True, "src"),
        (1, False, None, "dst"),
    ]


def test_a_denial_without_a_state_is_opened_too(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, "1596439087,94.102.51.77,10.0.0.4,58501,8121,T,I,D,,,,,")
    assert (row["opened"], row["accepted"]) == (1, False)


def test_every_tuple_of_version_1_is_a_connection(tmp_path: Path) -> None:
    lines = ["1487282421,192.0.2.95,10.1.0.4,51529,5358,T,I,D", "1487282370,192.0.2.17,10.1.0.4,61771,53,U,I,A"]
    path = written(tmp_path, blob(record(("DefaultRule", "000D3A170C69", lines), version=1, mac=None)))
    assert table(read(AZURE_NSG, path).rows, "observer", "protocol", "dst_port", "opened", "accepted", "bytes") == [
        ("000d3a170c69", 6, 5358, 1, False, 0),
        ("000d3a170c69", 17, 53, 1, True, 0),
    ]


def test_adapters_of_one_record_stay_apart(tmp_path: Path) -> None:
    line = "1487282421,192.0.2.95,10.1.0.4,51529,5358,T,I,D"
    text = blob(record(("r1", "AA", [line]), ("r2", "BB", [line]), version=1, mac=None))
    assert table(read(AZURE_NSG, written(tmp_path, text)).rows, "observer") == [("aa",), ("bb",)]


def test_seconds_stay_seconds(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, "1533315592,10.1.1.6,204.79.197.200,62375,80,T,O,A,B,,,,")
    assert row["first"] == 1533315592


def test_a_group_tells_no_network(tmp_path: Path) -> None:
    (row,) = lines_of(tmp_path, "1533315592,10.1.1.6,204.79.197.200,62375,80,T,O,A,B,,,,")
    assert row["network"] is None


def test_the_path_tells_the_group_where_the_record_does_not(tmp_path: Path) -> None:
    nameless = record(("r", "AA", ["1533315592,10.1.1.6,204.79.197.200,62375,80,T,O,A,B,,,,"]))
    del nameless["resourceId"]
    name = f"resourceId={GROUP}/y=2018/m=08/d=03/h=17/m=00/macAddress=AA/PT1H.json"
    (row,) = read(AZURE_NSG, written(tmp_path, blob(nameless), name)).rows
    assert (row["scope"], row["rule"]) == (SUBSCRIPTION, f"{GROUP.lower()}/r")


def test_of_a_blob_that_was_cut_the_whole_tuples_are_read_and_the_loss_is_told(tmp_path: Path) -> None:
    lines = ["1533315592,10.1.1.6,204.79.197.200,62375,80,T,O,A,B,,,,", "1533315595,10.1.1.6,204.79.197.200,62373"]
    text = blob(record(("r", "AA", lines)))
    cut = text[: text.index(lines[1]) + 20]
    assert table(read(AZURE_NSG, written(tmp_path, cut)).rows, "status", "src_port") == [("ok", 62375), ("bad", None)]


def test_a_blob_without_records_is_known_by_its_path(tmp_path: Path) -> None:
    path = written(tmp_path, '{"records": []}', f"resourceId={GROUP}/y=2018/PT1H.json")
    assert [each.name for each in FORMATS if each.shape(head_of(path)) is not None] == ["azure-nsg"]


def test_no_other_format_takes_it_for_its_own(tmp_path: Path) -> None:
    head = head_of(written(tmp_path, blob(record(("r", "AA", [])))))
    assert [each.name for each in FORMATS if each.shape(head) is not None] == ["azure-nsg"]


@pytest.mark.samples
@pytest.mark.skipif("CLOUDSEG_SAMPLES" not in os.environ, reason="CLOUDSEG_SAMPLES names no folder of answers")
def test_the_tuples_of_the_sample(tmp_path: Path) -> None:
    text = (Path(os.environ["CLOUDSEG_SAMPLES"]) / "flow-logs" / "azure_nsg_flow_v2_tuples.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert table(lines_of(tmp_path, *lines), "dst_port", "opened", "accepted", "bytes_back") == [
        (5358, 1, False, 0),
        (3389, 1, True, 0),
        (23, 1, True, 0),
        (23, 0, True, 4610880),
    ]
