"""The traps of Google Cloud's flow logs, from the files to the conversations.

https://cloud.google.com/vpc/docs/about-flow-logs-records
https://cloud.google.com/firewall/docs/firewall-rules-logging#log-format
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.flows.telling import found, said, the_one

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MACHINES = {"10.0.1.4": "vm-1", "10.0.2.4": "vm-2"}
PODS = {"10.8.0.9": "web-7f9-abcde"}


def ends(source: str, target: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for prefix, address in (("src", source), ("dest", target)):
        if name := MACHINES.get(address) or ("node-1" if address in PODS else ""):
            vpc = {"project_id": "shop", "vpc_name": "net-1", "subnetwork_name": "a"}
            found[f"{prefix}_instance"] = {"project_id": "shop", "vm_name": name, "zone": "europe-west1-b"}
            found[f"{prefix}_vpc"] = vpc
        if pod := PODS.get(address):
            found[f"{prefix}_gke_details"] = {
                "cluster": {"cluster_name": "gke-1", "cluster_location": "europe-west1"},
                "pod": {"pod_name": pod, "pod_namespace": "shop"},
            }
    return found


def entry(kind: str, payload: Mapping[str, object], minute: int = 0) -> str:
    return json.dumps(
        {
            "insertId": "1abc",
            "jsonPayload": payload,
            "logName": f"projects/shop/logs/compute.googleapis.com%2F{kind}",
            "receiveTimestamp": f"2026-01-09T23:{minute:02}:08.123456789Z",
            "resource": {
                "type": "gce_subnetwork",
                "labels": {"location": "europe-west1-b", "project_id": "shop", "subnetwork_name": "a"},
            },
            "timestamp": f"2026-01-09T23:{minute:02}:07.123456789Z",
        }
    )


def flow(reporter: str, text: str, *, minute: int = 0, second: int = 0, protocol: int = 6) -> str:
    source, source_port, target, target_port = text.split()
    payload = {
        "bytes_sent": "1200",
        "packets_sent": "6",
        "connection": {
            "src_ip": source, "src_port": int(source_port), "dest_ip": target, "dest_port": int(target_port),
            "protocol": protocol,
        },
        "reporter": reporter,
        "start_time": f"2026-01-09T23:{minute:02}:{second:02}.000000001Z",
        "end_time": f"2026-01-09T23:{minute:02}:{second + 5:02}.999999999Z",
        **ends(source, target),
    }  # fmt: skip
    return entry("vpc_flows", payload, minute)


def decision(disposition: str, text: str, rule: str = "network:net-1/firewall:deny-db") -> str:
    source, source_port, target, target_port = text.split()
    payload = {
        "connection": {
            "src_ip": source, "src_port": int(source_port), "dest_ip": target, "dest_port": int(target_port),
            "protocol": 6,
        },
        "disposition": disposition,
        "rule_details": {"reference": rule, "direction": "INGRESS", "priority": 1000, "action": "DENY"},
        "instance": {"project_id": "shop", "vm_name": "vm-2", "zone": "europe-west1-b"},
        "vpc": {"project_id": "shop", "vpc_name": "net-1", "subnetwork_name": "a"},
    }  # fmt: skip
    return entry("firewall", payload)


THERE, BACK = "10.0.1.4 43210 10.0.2.4 5432", "10.0.2.4 5432 10.0.1.4 43210"


def test_four_reports_of_one_connection_are_one_conversation(tmp_path: Path) -> None:
    lines = [flow("SRC", THERE), flow("DEST", THERE), flow("SRC", BACK), flow("DEST", BACK)]
    row = the_one(tmp_path, a__json="\n".join(lines))
    assert (row.initiator, row.responder, row.port, row.verdict) == ("10.0.1.4", "10.0.2.4", 5432, "accepted")
    assert (row.packets, row.bytes, row.packets_back, row.bytes_back) == (6, 1200, 6, 1200)
    assert row.confidence == "medium"
    assert row.connections == 0


def test_without_flags_two_high_ports_leave_the_initiator_open(tmp_path: Path) -> None:
    lines = [
        flow("SRC", "10.0.1.4 43210 10.0.2.4 45000"),
        flow("DEST", "10.0.1.4 43210 10.0.2.4 45000"),
        flow("SRC", "10.0.2.4 45000 10.0.1.4 43210"),
        flow("DEST", "10.0.2.4 45000 10.0.1.4 43210"),
    ]
    assert the_one(tmp_path, a__json="\n".join(lines)).confidence == "unknown"


def test_the_log_of_the_firewall_knows_who_opened_what_flow_logs_do_not(tmp_path: Path) -> None:
    text = "10.0.1.4 43210 10.0.2.4 45000"
    lines = [flow("DEST", text), flow("SRC", "10.0.2.4 45000 10.0.1.4 43210"), decision("ALLOWED", text)]
    row = the_one(tmp_path, a__json="\n".join(lines))
    assert said([row]) == ["10.0.1.4 -> 10.0.2.4 6/45000 accepted state"]
    assert row.connections == 1


def test_a_denial_that_flow_logs_never_show_is_in_the_log_of_the_firewall(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__json="\n".join([flow("SRC", THERE), decision("DENIED", THERE)]))
    assert said([row]) == ["10.0.1.4 -> 10.0.2.4 6/5432 refused state"]
    assert row.rules == ("network:net-1/firewall:deny-db",)


def test_a_gateway_reports_from_the_middle(tmp_path: Path) -> None:
    text = "10.0.1.4 43210 192.168.5.9 443"
    row = the_one(tmp_path, a__json="\n".join([flow("SRC", text), flow("DEST_GATEWAY", text)]))
    assert (row.initiator, row.responder, row.packets) == ("10.0.1.4", "192.168.5.9", 6)


def test_a_pod_is_called_by_its_own_name(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__json=flow("SRC", "10.8.0.9 43210 10.0.2.4 5432"))
    assert (row.initiator_name or "").startswith("shop/web")


def test_a_list_of_entries_and_lines_of_them_read_alike(tmp_path: Path) -> None:
    lines = [flow("SRC", THERE), flow("SRC", BACK)]
    one = found(tmp_path / "lines", a__json="\n".join(lines))
    two = found(tmp_path / "list", a__json=f"[{','.join(lines)}]")
    assert one == two


def test_who_is_asked_on_a_port_may_ask_from_it(tmp_path: Path) -> None:
    """Time servers ask each other from port 123: that one of them is asked there does not make it the one who is."""
    asked = "10.0.1.4 123 10.0.2.4 123"
    lines = [
        decision("ALLOWED", asked),
        flow("DEST", asked, protocol=17),
        flow("SRC", "10.0.2.4 123 10.0.1.4 123", protocol=17),
        flow("SRC", "10.0.2.4 123 10.0.3.4 123", protocol=17),
        flow("DEST", "10.0.3.4 123 10.0.2.4 123", protocol=17),
    ]
    rows = found(tmp_path, a__json="\n".join(lines).replace('"protocol": 6', '"protocol": 17'))
    assert {frozenset((row.initiator, row.responder)): row.confidence for row in rows} == {
        frozenset(("10.0.1.4", "10.0.2.4")): "high",
        frozenset(("10.0.2.4", "10.0.3.4")): "unknown",
    }
