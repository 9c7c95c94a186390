"""Hubble's flows as records: https://docs.cilium.io/en/stable/_api/v1/flow/README/."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.flows.formats import FORMATS
from cloudseg.flows.formats.hubble import HUBBLE
from tests.flows.reading_json import head_of, read, table, written

if TYPE_CHECKING:
    from tests.flows.reading_json import Row

TIME = "2026-01-09T10:41:02.202450754Z"
SECONDS = 1767955262
WEB: dict[str, Any] = {
    "ID": 423,
    "identity": 24753,
    "cluster_name": "east",
    "namespace": "shop",
    "labels": ["k8s:app=web"],
    "pod_name": "web-9b649846d-bxqfc",
    "workloads": [{"name": "web", "kind": "Deployment"}],
}
DB: dict[str, Any] = {"identity": 24075, "namespace": "shop", "labels": ["k8s:app=db"], "pod_name": "db-0"}
WORLD: dict[str, Any] = {"identity": 2, "labels": ["reserved:world"]}


def flow(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "time": TIME,
        "uuid": "cd75b2ac-8dd3-486b-beca-3d17d9d56cff",
        "verdict": "FORWARDED",
        "IP": {"source": "10.0.1.235", "destination": "10.0.0.21", "ipVersion": "IPv4"},
        "l4": {"TCP": {"source_port": 60524, "destination_port": 5432, "flags": {"SYN": True}}},
        "source": WEB,
        "destination": DB,
        "Type": "L3_L4",
        "node_name": "east/worker-1",
        "event_type": {"type": 4, "sub_type": 3},
        "traffic_direction": "EGRESS",
        "trace_observation_point": "TO_STACK",
        "is_reply": False,
        "Summary": "TCP Flags: SYN",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def tcp(*flags: str, ports: tuple[int, int] = (60524, 5432)) -> dict[str, Any]:
    return {"TCP": {"source_port": ports[0], "destination_port": ports[1], "flags": dict.fromkeys(flags, True)}}


def wrapped(*flows: dict[str, Any]) -> str:
    return "".join(json.dumps({"flow": each, "node_name": "east/worker-1", "time": TIME}) + "\n" for each in flows)


def row_of(folder: Path, **changes: Any) -> Row:
    (row,) = read(HUBBLE, written(folder, wrapped(flow(**changes)), "log.jsonl")).rows
    return row


def test_a_flow_names_its_ends_by_their_workloads(tmp_path: Path) -> None:
    row = row_of(tmp_path)
    assert {name: cell for name, cell in row.items() if cell not in (None, 0)} == {
        "provider": "kubernetes",
        "scope": "east",
        "network": "east",
        "observer": "east/worker-1",
        "status": "ok",
        "side": "src",
        "src": "10.0.1.235",
        "dst": "10.0.0.21",
        "src_port": 60524,
        "dst_port": 5432,
        "protocol": 6,
        "opener": "src",
        "proof": "handshake",
        "opened": 1,
        "accepted": True,
        "src_name": "shop/web[Deployment]",
        "dst_name": "shop/db-0",
        "packets": 1,
        "first": SECONDS,
        "last": SECONDS,
    }


def test_a_bare_flow_is_read_like_one_in_an_envelope(tmp_path: Path) -> None:
    bare = read(HUBBLE, written(tmp_path, json.dumps(flow()) + "\n", "bare.jsonl")).rows
    assert bare == [row_of(tmp_path)]


@pytest.mark.parametrize(
    ("flags", "reply", "opener", "proof", "opened", "answers"),
    [
        (("SYN",), False, "src", "handshake", 1, None),
        (("SYN", "ACK"), True, "dst", "handshake", 0, True),
        (("ACK", "PSH"), False, "src", "state", 0, None),
        (("ACK", "FIN"), True, "dst", "state", 0, True),
        (("SYN",), None, "src", "handshake", 1, None),
        (("SYN", "ACK"), None, "dst", "handshake", 0, True),
        (("ACK",), None, None, None, 0, None),
    ],
)
def test_an_absent_is_reply_is_unknown_and_only_a_syn_tells_then(
    tmp_path: Path,
    *,
    flags: tuple[str, ...],
    reply: object,
    opener: object,
    proof: object,
    opened: int,
    answers: object,
) -> None:
    row = row_of(tmp_path, l4=tcp(*flags), is_reply=reply)
    assert (row["opener"], row["proof"], row["opened"], row["answers"]) == (opener, proof, opened, answers)


@pytest.mark.parametrize(
    ("direction", "reply", "side"),
    [
        ("EGRESS", False, "src"),
        ("EGRESS", None, "src"),
        ("INGRESS", False, "dst"),
        ("INGRESS", None, "dst"),
        # What came back to the client's own pod, as `TO_ENDPOINT` shows it; and what the server's own pod sent back.
        ("EGRESS", True, "dst"),
        ("INGRESS", True, "src"),
        (None, False, None),
        ("TRAFFIC_DIRECTION_UNKNOWN", False, None),
    ],
)
def test_the_direction_is_that_of_the_connection_not_of_the_packet(
    tmp_path: Path, direction: object, reply: object, side: object
) -> None:
    assert row_of(tmp_path, traffic_direction=direction, is_reply=reply)["side"] == side


@pytest.mark.parametrize(
    ("verdict", "status", "accepted"),
    [
        ("FORWARDED", "ok", True),
        ("REDIRECTED", "ok", True),
        ("TRACED", "ok", True),
        ("AUDIT", "ok", True),
        ("DROPPED", "ok", False),
        (1, "ok", True),
        (2, "ok", False),
        ("ERROR", "bad", None),
        ("VERDICT_UNKNOWN", "bad", None),
    ],
)
def test_what_the_node_did_with_a_packet(tmp_path: Path, verdict: object, status: str, accepted: object) -> None:
    row = row_of(tmp_path, verdict=verdict)
    assert (row["status"], row["accepted"]) == (status, accepted)


def test_the_policies_that_decided_are_named(tmp_path: Path) -> None:
    allowed = {"name": "all", "namespace": "shop", "kind": "CiliumNetworkPolicy", "revision": "6"}
    wide = {"name": "base", "kind": "CiliumClusterwideNetworkPolicy"}
    assert row_of(tmp_path, egress_allowed_by=[allowed, wide])["rule"] == (
        "CiliumClusterwideNetworkPolicy/base,CiliumNetworkPolicy/shop/all"
    )
    denied = row_of(tmp_path, verdict="DROPPED", ingress_denied_by=[allowed], drop_reason_desc="POLICY_DENY")
    assert denied["rule"] == "CiliumNetworkPolicy/shop/all"


def test_a_drop_without_a_policy_tells_its_reason(tmp_path: Path) -> None:
    assert row_of(tmp_path, verdict="DROPPED", drop_reason_desc="POLICY_DENIED")["rule"] == "POLICY_DENIED"
    assert row_of(tmp_path, verdict="AUDIT")["rule"] == "AUDIT"
    assert row_of(tmp_path)["rule"] is None


@pytest.mark.parametrize(
    ("l4", "protocol", "ports"),
    [
        ({"UDP": {"source_port": 40000, "destination_port": 53}}, 17, (40000, 53)),
        ({"SCTP": {"source_port": 40000, "destination_port": 36412}}, 132, (40000, 36412)),
        ({"ICMPv4": {"type": 8}}, 1, (None, None)),
        ({"ICMPv4": {}}, 1, (None, None)),
        ({"ICMPv6": {"type": 128}}, 58, (None, None)),
        ({"VRRP": {"type": 1}}, 112, (None, None)),
        (None, None, (None, None)),
    ],
)
def test_protocols_and_their_ports(tmp_path: Path, l4: object, protocol: object, ports: object) -> None:
    row = row_of(tmp_path, l4=l4)
    assert (row["status"], row["protocol"], (row["src_port"], row["dst_port"])) == ("ok", protocol, ports)


@pytest.mark.parametrize(
    ("changes", "opened"),
    [
        ({"trace_reason": "NEW"}, 1),
        ({"event_type": {"type": 5}}, 1),
        ({"event_type": {"type": 5}, "verdict": "DROPPED", "is_reply": None}, 1),
        ({"trace_reason": "ESTABLISHED"}, 0),
        ({"trace_reason": "REPLY", "is_reply": True}, 0),
        ({}, 0),
    ],
    ids=["new", "judged by a policy", "denied by one", "going on", "a reply", "unknown"],
)
def test_without_flags_connection_tracking_tells_what_is_new(
    tmp_path: Path, changes: dict[str, Any], opened: int
) -> None:
    udp = {"UDP": {"source_port": 40000, "destination_port": 53}}
    assert row_of(tmp_path, **{"l4": udp, **changes})["opened"] == opened


@pytest.mark.parametrize(
    ("destination", "names", "name"),
    [
        (WORLD, None, "reserved:world"),
        (WORLD, ["api.example.com", "api2.example.com"], "api.example.com"),
        ({"identity": 1, "labels": ["k8s:x=y", "reserved:host", "reserved:remote-node"]}, None, "reserved:host"),
        (DB, ["db.shop.svc"], "shop/db-0"),
        ({}, None, None),
    ],
)
def test_an_end_outside_the_cluster_has_the_name_that_was_looked_up(
    tmp_path: Path, destination: dict[str, Any], names: object, name: object
) -> None:
    assert row_of(tmp_path, destination=destination, destination_names=names)["dst_name"] == name


def test_a_source_that_the_node_masks_keeps_its_own_address(tmp_path: Path) -> None:
    addresses = {"source": "10.0.1.235", "source_xlated": "192.0.2.7", "destination": "203.0.113.9"}
    row = row_of(tmp_path, IP=addresses)
    assert (row["src"], row["near_src"], row["dst"]) == ("10.0.1.235", "192.0.2.7", "203.0.113.9")


@pytest.mark.parametrize(
    ("node", "direction", "cluster"),
    [
        ("west/worker-9", "EGRESS", "west"),
        ("worker-9", "EGRESS", "east"),
        ("worker-9", "INGRESS", "south"),
    ],
)
def test_the_cluster_is_told_by_the_node_or_by_the_end_on_it(
    tmp_path: Path, node: str, direction: str, cluster: str
) -> None:
    row = row_of(tmp_path, node_name=node, traffic_direction=direction, destination={**DB, "cluster_name": "south"})
    assert (row["scope"], row["network"], row["observer"]) == (cluster, cluster, node)


@pytest.mark.parametrize(
    "changes",
    [
        {"Type": "L7", "l7": {"type": "REQUEST", "http": {"method": "GET", "url": "/"}}},
        {"Type": "L7", "l7": {"type": "RESPONSE", "dns": {"query": "api.example.com.", "ips": ["203.0.113.9"]}}},
        {"Type": "SOCK", "verdict": "TRACED"},
        {"verdict": "TRANSLATED"},
        {"IP": None, "l4": None},
    ],
    ids=["request", "DNS answer", "socket", "translation", "no IP"],
)
def test_what_has_packets_of_its_own_elsewhere_is_no_record(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = written(tmp_path, wrapped(flow(), flow(**changes)), "log.jsonl")
    assert table(read(HUBBLE, path).rows, "status") == [("ok",)]


def test_lost_events_are_a_gap_and_other_events_are_none(tmp_path: Path) -> None:
    others: list[dict[str, Any]] = [
        {"lost_events": {"source": "HUBBLE_RING_BUFFER", "num_events_lost": "10"}, "node_name": "east/w", "time": TIME},
        {"lost_events": {}, "node_name": "east/w", "time": TIME},
        {"node_status": {"state_change": "NODE_CONNECTED"}, "node_name": "east/w", "time": TIME},
        {"agent_event": {"type": "AGENT_STARTED"}, "node_name": "east/w", "time": TIME},
        {"debug_event": {}, "node_name": "east/w", "time": TIME},
    ]
    path = written(tmp_path, "".join(json.dumps(each) + "\n" for each in others) + wrapped(flow()), "log.jsonl")
    assert table(read(HUBBLE, path).rows, "status", "observer", "scope", "first") == [
        ("skipped", "east/w", "east", SECONDS),
        ("skipped", "east/w", "east", SECONDS),
        ("ok", "east/worker-1", "east", SECONDS),
    ]


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_a_line_that_is_no_json_is_bad_and_costs_nothing_else(tmp_path: Path, name: str) -> None:
    text = wrapped(flow()) + "nonsense\n" + wrapped(flow()) + '{"flow": {"time": "2026'
    rows = read(HUBBLE, written(tmp_path, text, name)).rows
    assert sorted(str(row["status"]) for row in rows) == ["bad", "bad", "ok", "ok"]


def test_a_file_that_begins_in_the_middle_of_a_line_is_known_by_the_next(tmp_path: Path) -> None:
    path = written(tmp_path, 'ource_port": 1}}\n' + wrapped(flow()), "log.jsonl")
    assert sorted(str(row["status"]) for row in read(HUBBLE, path).rows) == ["bad", "ok"]


@pytest.mark.parametrize("text", ["", "{}", '{"verdict": "FORWARDED"}', '{"kind": "Pod"}', "[]", "5\n"])
def test_other_lines_are_no_flows(tmp_path: Path, text: str) -> None:
    assert HUBBLE.shape(head_of(written(tmp_path, text))) is None


def test_no_other_format_takes_it_for_its_own(tmp_path: Path) -> None:
    for text in (wrapped(flow()), json.dumps(flow())):
        head = head_of(written(tmp_path, text))
        assert [each.name for each in FORMATS if each.shape(head) is not None] == ["hubble"]


@pytest.mark.samples
@pytest.mark.skipif("CLOUDSEG_SAMPLES" not in os.environ, reason="CLOUDSEG_SAMPLES names no folder of answers")
def test_the_samples() -> None:
    rows = read(HUBBLE, Path(os.environ["CLOUDSEG_SAMPLES"]) / "flow-logs" / "hubble_flow.jsonl").rows
    assert table(rows, "observer", "opener", "opened", "accepted", "rule", "src_name", "dst_name") == [
        (
            "topgun/cilium-w1",
            "src",
            1,
            False,
            "CiliumNetworkPolicy/net-lab/deny-tg-to-echo",
            "net-lab/traffic-generator[Deployment]",
            "net-lab/echo-server-65887564dc-jjw7k",
        ),
        ("10.10.21.241", "src", 1, True, None, "reserved:host", "reserved:world"),
    ]
