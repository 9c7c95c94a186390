"""Google Cloud's VPC flow logs and Firewall Rules Logging, as records.

https://cloud.google.com/vpc/docs/about-flow-logs-records
https://cloud.google.com/firewall/docs/firewall-rules-logging#examples
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from sqlglot import expressions

from cloudseg.flows.formats import FORMATS
from cloudseg.flows.formats.gcp_vpc import FIELDS, GCP_VPC
from tests.flows.reading_json import head_of, read, table, written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flows.reading_json import Row

BARE: dict[str, Any] = {
    "connection": {"src_ip": "10.10.0.2", "src_port": 50022, "dest_ip": "10.50.0.2", "dest_port": 443, "protocol": 6},
    "reporter": "SRC",
    "bytes_sent": "1224",
    "packets_sent": "8",
    "start_time": "2026-01-09T03:40:37.048196137Z",
    "end_time": "2026-01-09T03:40:41.9Z",
}
START, END = 1767930037, 1767930041
ENDS: dict[str, Any] = {
    "src_instance": {"project_id": "shop", "region": "us-central1", "vm_name": "web-1", "zone": "us-central1-a"},
    "src_vpc": {"project_id": "net", "vpc_name": "main", "subnetwork_name": "a", "subnetwork_region": "us-central1"},
    "dest_instance": {"project_id": "data", "region": "us-central1", "vm_name": "db-1", "zone": "us-central1-b"},
    "dest_vpc": {"project_id": "net", "vpc_name": "back"},
}
DENIED: dict[str, Any] = {
    "connection": {"src_ip": "10.10.0.99", "src_port": 54321, "dest_ip": "10.10.0.100", "dest_port": 80, "protocol": 6},
    "disposition": "DENIED",
    "instance": {"project_id": "shop", "region": "us-west1", "vm_name": "vm1", "zone": "us-west1-a"},
    "remote_instance": {"project_id": "shop", "region": "us-west1", "vm_name": "vm2", "zone": "us-west1-b"},
    "rule_details": {
        "action": "DENY",
        "direction": "EGRESS",
        "priority": 10,
        "reference": "network:main/firewall:rule-a",
        "ip_port_info": [{"ip_protocol": "TCP"}],
    },
    "vpc": {"project_id": "net", "subnetwork_name": "a", "vpc_name": "main"},
}


def entry(payload: dict[str, Any], log: str = "compute.googleapis.com%2Fvpc_flows") -> dict[str, Any]:
    return {
        "insertId": "1f0i2kpg1f0",
        "jsonPayload": payload,
        "logName": f"projects/shop/logs/{log}",
        "receiveTimestamp": "2026-01-09T03:40:51.123Z",
        "resource": {
            "type": "gce_subnetwork",
            "labels": {"location": "us-central1-a", "project_id": "shop", "subnetwork_id": "1", "subnetwork_name": "a"},
        },
        "timestamp": "2026-01-09T03:40:51.9Z",
    }


def firewall(**changes: Any) -> dict[str, Any]:
    return entry({**DENIED, **changes}, "compute.googleapis.com%2Ffirewall")


def rows_of(folder: Path, *entries: dict[str, Any]) -> list[Row]:
    return read(GCP_VPC, written(folder, "\n".join(map(json.dumps, entries)) + "\n")).rows


def row_of(folder: Path, payload: dict[str, Any]) -> Row:
    (row,) = rows_of(folder, entry(payload))
    return row


def test_a_flow_tells_one_direction_and_nothing_of_who_opened_it(tmp_path: Path) -> None:
    assert row_of(tmp_path, {**BARE, **ENDS}) == {
        "provider": "gcp",
        "scope": "shop",
        "network": "net:global/networks/main",
        "observer": "shop:zones/us-central1-a/instances/web-1",
        "status": "ok",
        "side": "src",
        "src": "10.10.0.2",
        "dst": "10.50.0.2",
        "near_src": None,
        "near_dst": None,
        "src_port": 50022,
        "dst_port": 443,
        "protocol": 6,
        "opener": None,
        "proof": None,
        "opened": 0,
        "accepted": True,
        "answers": None,
        "rule": None,
        "src_name": "web-1",
        "dst_name": "db-1",
        "packets": 8,
        "bytes": 1224,
        "packets_back": 0,
        "bytes_back": 0,
        "first": START,
        "last": END,
    }


def test_the_reporter_tells_side_scope_and_network(tmp_path: Path) -> None:
    row = row_of(tmp_path, {**BARE, **ENDS, "reporter": "DEST"})
    assert (row["side"], row["scope"], row["network"], row["observer"]) == (
        "dst",
        "data",
        "net:global/networks/back",
        "data:zones/us-central1-b/instances/db-1",
    )


def test_a_flow_without_metadata_has_the_subnetwork_and_the_address_as_its_observer(tmp_path: Path) -> None:
    row = row_of(tmp_path, BARE)
    assert (row["status"], row["scope"], row["network"]) == ("ok", "shop", None)
    assert row["observer"] == "shop:subnetworks/a/10.10.0.2"
    assert row_of(tmp_path, {**BARE, "reporter": "DEST"})["observer"] == "shop:subnetworks/a/10.50.0.2"


def test_a_gateway_stands_in_the_middle(tmp_path: Path) -> None:
    tunnel = {
        "project_id": "net",
        "location": "us-central1",
        "type": "VPN_TUNNEL",
        "name": "to-office",
        "vpc": {"project_id": "net", "vpc_name": "main"},
    }
    row = row_of(tmp_path, {**BARE, "reporter": "SRC_GATEWAY", "src_gateway": tunnel})
    assert (row["side"], row["scope"], row["network"], row["observer"]) == (
        "middle",
        "net",
        "net:global/networks/main",
        "net:regions/us-central1/vpnTunnels/to-office",
    )
    attachment = {**tunnel, "type": "INTERCONNECT_ATTACHMENT"}
    row = row_of(tmp_path, {**BARE, "reporter": "DEST_GATEWAY", "dest_gateway": attachment})
    assert row["observer"] == "net:regions/us-central1/interconnectAttachments/to-office"


@pytest.mark.parametrize(
    ("reporter", "direction", "opener", "opened", "answers"),
    [
        ("SRC", "EGRESS", "src", 1, None),
        ("DEST", "INGRESS", "src", 1, True),
        ("SRC", "INGRESS", "dst", 0, True),
        ("DEST", "EGRESS", "dst", 0, None),
    ],
)
def test_where_connections_are_logged_the_reporter_tells_whether_it_opened_them(
    tmp_path: Path, reporter: str, direction: str, opener: str, opened: int, answers: object
) -> None:
    event = {name: cell for name, cell in BARE.items() if name not in ("bytes_sent", "packets_sent")}
    row = row_of(tmp_path, {**event, "reporter": reporter, "connection_direction": direction})
    assert (row["status"], row["opener"], row["proof"], row["opened"]) == ("ok", opener, "handshake", opened)
    assert (row["answers"], row["packets"], row["bytes"]) == (answers, 0, 0)


def pod(**more: Any) -> dict[str, Any]:
    return {"cluster": {"cluster_name": "c"}, "pod": {"pod_namespace": "shop", "pod_name": "web-7d9-x", **more}}


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"src_gke_details": pod(), **ENDS}, "shop/web-7d9-x"),
        (
            {"src_gke_details": pod(pod_workload={"workload_name": "web", "workload_type": "Deployment"})},
            "shop/web[Deployment]",
        ),
        (ENDS, "web-1"),
        (
            {"src_google_service": {"type": "GOOGLE_API", "service_name": "storage.googleapis.com"}},
            "storage.googleapis.com",
        ),
        ({"src_google_service": {"type": "CLOUD_DNS"}}, "CLOUD_DNS"),
        ({}, None),
    ],
    ids=["pod", "workload", "machine", "service", "kind of service", "nothing"],
)
def test_an_end_is_called_by_the_most_telling_name(tmp_path: Path, payload: dict[str, Any], name: object) -> None:
    assert row_of(tmp_path, {**BARE, **payload})["src_name"] == name


def test_a_firewall_s_entry_tells_who_opened_what_and_which_rule_decided(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, firewall())
    assert {name: cell for name, cell in row.items() if cell not in (None, 0)} == {
        "provider": "gcp",
        "scope": "shop",
        "network": "net:global/networks/main",
        "observer": "shop:zones/us-west1-a/instances/vm1",
        "status": "ok",
        "side": "src",
        "src": "10.10.0.99",
        "dst": "10.10.0.100",
        "src_port": 54321,
        "dst_port": 80,
        "protocol": 6,
        "opener": "src",
        "proof": "state",
        "opened": 1,
        "rule": "network:main/firewall:rule-a",
        "src_name": "vm1",
        "dst_name": "vm2",
        "first": 1767930051,
        "last": 1767930051,
    }
    assert row["accepted"] is False


def test_a_rule_for_ingress_is_reported_at_the_destination(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, firewall(rule_details={**DENIED["rule_details"], "direction": "INGRESS"}))
    assert (row["side"], row["src_name"], row["dst_name"], row["observer"]) == (
        "dst",
        "vm2",
        "vm1",
        "shop:zones/us-west1-a/instances/vm1",
    )


@pytest.mark.parametrize(
    ("disposition", "status", "accepted"),
    [("ALLOWED", "ok", True), ("DENIED", "ok", False), ("INTERCEPTED", "ok", True), ("PUZZLED", "bad", None)],
)
def test_what_is_handed_to_inspection_passed_the_rule(
    tmp_path: Path, disposition: str, status: str, accepted: object
) -> None:
    (row,) = rows_of(tmp_path, firewall(disposition=disposition))
    assert (row["status"], row["accepted"]) == (status, accepted)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("2026-01-09T03:40:37Z", START),
        ("2026-01-09T03:40:37.048196137Z", START),
        ("2026-01-08T20:40:37.048-07:00", START),
        ("2026-01-09T05:10:37+01:30", START),
        ("2026-01-09 03:40:37.5+00", START),
    ],
)
def test_times_of_any_zone_and_precision_are_read(tmp_path: Path, time: str, seconds: int) -> None:
    row = row_of(tmp_path, {**BARE, "start_time": time, "end_time": time})
    assert (row["status"], row["first"], row["last"]) == ("ok", seconds, seconds)


@pytest.mark.parametrize("start", ["no time", "1998-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_bad(tmp_path: Path, start: str) -> None:
    assert row_of(tmp_path, {**BARE, "start_time": start, "end_time": start})["status"] == "bad"


def test_numbers_may_be_text_and_text_numbers(tmp_path: Path) -> None:
    connection = {**BARE["connection"], "src_port": "50022", "dest_port": 443.0, "protocol": "6.0"}
    row = row_of(tmp_path, {**BARE, "connection": connection, "bytes_sent": 1224, "packets_sent": "8"})
    assert (row["src_port"], row["dst_port"], row["protocol"], row["bytes"]) == (50022, 443, 6, 1224)


def test_a_protocol_without_ports_has_none(tmp_path: Path) -> None:
    connection = {"src_ip": "10.10.0.2", "dest_ip": "10.50.0.2", "protocol": 1}
    row = row_of(tmp_path, {**BARE, "connection": connection})
    assert (row["status"], row["protocol"], row["src_port"], row["dst_port"]) == ("ok", 1, None, None)


def test_a_domain_s_project_is_written_as_in_the_names_of_the_estate(tmp_path: Path) -> None:
    ends = {"src_instance": {**ENDS["src_instance"], "project_id": "example.com:shop"}}
    row = row_of(tmp_path, {**BARE, **ends})
    assert (row["scope"], row["observer"]) == (
        "example.com:shop",
        "example.com%3Ashop:zones/us-central1-a/instances/web-1",
    )


def test_entries_of_other_logs_are_no_records(tmp_path: Path) -> None:
    other = {"logName": "projects/shop/logs/cloudaudit.googleapis.com%2Factivity", "jsonPayload": {"x": 1}}
    new = entry(BARE, "networkmanagement.googleapis.com%2Fvpc_flows")
    assert table(rows_of(tmp_path, entry(BARE), other, new, firewall()), "status") == [("ok",)] * 3


def test_an_entry_without_a_connection_is_bad(tmp_path: Path) -> None:
    assert table(rows_of(tmp_path, entry(BARE), entry({"reporter": "SRC"})), "status") == [("ok",), ("bad",)]


@pytest.mark.parametrize("name", ["log.json", "log.json.gz"])
def test_a_line_that_is_no_json_is_bad_and_costs_nothing_else(tmp_path: Path, name: str) -> None:
    text = json.dumps(entry(BARE)) + "\nnonsense\n" + json.dumps(entry(BARE)) + '\n{"insertId": "1f0", "jsonPay'
    rows = read(GCP_VPC, written(tmp_path, text, name)).rows
    assert sorted(str(row["status"]) for row in rows) == ["bad", "bad", "ok", "ok"]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_of_entries_is_read_like_lines(tmp_path: Path, indent: int | None) -> None:
    path = written(tmp_path, json.dumps([entry({**BARE, **ENDS}), firewall()], indent=indent))
    assert read(GCP_VPC, path).rows == rows_of(tmp_path, entry({**BARE, **ENDS}), firewall())


@pytest.mark.parametrize("indent", [None, 2])
def test_of_a_list_that_was_cut_the_whole_entries_are_read_and_the_loss_is_told(
    tmp_path: Path, indent: int | None
) -> None:
    text = json.dumps([entry({**BARE, **ENDS}), entry(BARE), firewall()], indent=indent)
    cut = text[: text.index('"disposition"')]
    assert table(read(GCP_VPC, written(tmp_path, cut)).rows, "status") == [("ok",), ("ok",), ("bad",)]


def test_of_a_list_that_was_cut_in_its_first_entry_only_the_loss_is_told(tmp_path: Path) -> None:
    text = json.dumps([entry(BARE)])
    assert table(read(GCP_VPC, written(tmp_path, text[:-60])).rows, "status") == [("bad",)]


def test_whole_and_cut_lists_are_read_together(tmp_path: Path) -> None:
    text = json.dumps([entry(BARE), firewall()])
    paths = [written(tmp_path, text, "1.json"), written(tmp_path, text[:-200], "2.json")]
    assert sorted(str(row["status"]) for row in read(GCP_VPC, *paths).rows) == ["bad", "ok", "ok", "ok"]


def test_no_other_format_takes_it_for_its_own(tmp_path: Path) -> None:
    for text in (json.dumps(entry(BARE)), json.dumps([firewall()])):
        head = head_of(written(tmp_path, text))
        assert [each.name for each in FORMATS if each.shape(head) is not None] == ["gcp-vpc"]


@pytest.mark.parametrize("text", ['{"jsonPayload":{"message":"hello"}}', '{"protoPayload":{}}', "", "[]", "{"])
def test_other_entries_alone_are_no_flow_log(tmp_path: Path, text: str) -> None:
    assert GCP_VPC.shape(head_of(written(tmp_path, text))) is None


def test_a_table_is_asked_only_for_the_columns_that_it_has() -> None:
    shape = tuple(name for name in FIELDS if "gateway" not in name and "gke" not in name and "rule" not in name)
    assert GCP_VPC.lacks(shape) == ()
    sql = GCP_VPC.records("flows", shape).sql
    assert "gateway." not in sql
    assert "gke" not in sql
    assert "rule_details" not in sql
    assert "jsonPayload.src_instance.vm_name" in sql


def test_a_table_without_addresses_lacks_them() -> None:
    shape = tuple(name for name in FIELDS if "connection." not in name)
    assert GCP_VPC.lacks(shape) == (
        "jsonPayload.connection.src_ip",
        "jsonPayload.connection.dest_ip",
        "jsonPayload.connection.protocol",
    )


def test_the_query_needs_no_function_that_bigquery_has_not() -> None:
    text = sqlglot.transpile(GCP_VPC.records("flows", FIELDS).sql, read="duckdb", write="bigquery")[0]
    unknown = {each.name for each in sqlglot.parse_one(text, read="bigquery").find_all(expressions.Anonymous)}
    # The seconds of a time, which sqlglot leaves to whoever writes for BigQuery.
    assert unknown <= {"TIME_TO_UNIX"}
