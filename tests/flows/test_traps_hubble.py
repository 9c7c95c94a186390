"""The traps of Hubble's flows, from the files to the conversations: https://docs.cilium.io/en/stable/_api/v1/flow/README/."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.telling import found, said, the_one

if TYPE_CHECKING:
    from pathlib import Path


def pod(name: str) -> dict[str, object]:
    return {
        "ID": 423,
        "identity": 24753,
        "cluster_name": "topgun",
        "namespace": "shop",
        "labels": [f"k8s:app={name}"],
        "pod_name": f"{name}-9b649846d-bxqfc",
        "workloads": [{"name": name, "kind": "Deployment"}],
    }


def event(
    text: str,
    flags: dict[str, bool] | None,
    *,
    reply: bool | None,
    verdict: str = "FORWARDED",
    direction: str = "EGRESS",
    second: int = 0,
    node: str = "topgun/node-1",
    **changes: Any,
) -> dict[str, Any]:
    source, source_port, target, target_port = text.split()
    ports: dict[str, Any] = {"source_port": int(source_port), "destination_port": int(target_port)}
    layer = {"UDP": ports} if flags is None else {"TCP": {**ports, "flags": flags}}
    flow: dict[str, Any] = {
        "time": f"2026-01-09T23:00:{second:02}.202450754Z",
        "uuid": "cd75b2ac-8dd3-486b-beca-3d17d9d56cff",
        "verdict": verdict,
        "IP": {"source": source, "destination": target, "ipVersion": "IPv4"},
        "l4": layer,
        "source": pod("web") if source == WEB else pod("db") if source == DB else WORLD,
        "destination": pod("web") if target == WEB else pod("db") if target == DB else WORLD,
        "Type": "L3_L4",
        "node_name": node,
        "traffic_direction": direction,
    }
    if reply is not None:
        flow["is_reply"] = reply
    return {**flow, **changes}


WEB, DB = "10.0.1.10", "10.0.2.20"
WORLD: dict[str, object] = {"identity": 2, "labels": ["reserved:world"]}
THERE, BACK = f"{WEB} 40000 {DB} 45000", f"{DB} 45000 {WEB} 40000"
SYN, ANSWER, ACK = {"SYN": True}, {"SYN": True, "ACK": True}, {"ACK": True}


def text(*flows: dict[str, Any], wrapped: bool = True) -> str:
    lines = [
        {"flow": flow, "node_name": flow["node_name"], "time": flow["time"]} if wrapped else flow for flow in flows
    ]
    return "\n".join(map(json.dumps, lines)) + "\n"


@pytest.mark.parametrize("wrapped", [True, False])
def test_both_shapes_give_one_conversation_with_the_names_of_workloads(tmp_path: Path, *, wrapped: bool) -> None:
    flows = [event(THERE, SYN, reply=False), event(BACK, ANSWER, reply=True)]
    row = the_one(tmp_path, a__jsonl=text(*flows, wrapped=wrapped))
    assert (row.initiator, row.responder, row.port, row.confidence) == (WEB, DB, 45000, "high")
    assert row.connections == 1
    assert "web" in (row.initiator_name or "")
    assert "db" in (row.responder_name or "")


def test_a_reply_in_the_middle_of_a_connection_tells_who_opened_it(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__jsonl=text(event(BACK, ACK, reply=True)))
    assert (row.initiator, row.responder, row.port, row.confidence) == (WEB, DB, 45000, "high")


def test_where_it_is_not_said_whether_it_is_a_reply_the_handshake_tells(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__jsonl=text(event(THERE, SYN, reply=None), event(BACK, ANSWER, reply=None)))
    assert (row.initiator, row.responder, row.port, row.confidence) == (WEB, DB, 45000, "high")


def test_where_neither_is_said_the_initiator_stays_open(tmp_path: Path) -> None:
    flows = [event(THERE, ACK, reply=None), event(BACK, ACK, reply=None)]
    assert the_one(tmp_path, a__jsonl=text(*flows)).confidence == "unknown"


def test_both_nodes_see_one_connection(tmp_path: Path) -> None:
    flows = [
        event(THERE, SYN, reply=False),
        event(THERE, SYN, reply=False, direction="INGRESS", node="topgun/node-2"),
        event(BACK, ANSWER, reply=True, direction="INGRESS", node="topgun/node-2"),
        event(BACK, ANSWER, reply=True),
    ]
    row = the_one(tmp_path, a__jsonl=text(*flows))
    assert (row.connections, row.packets, row.packets_back) == (1, 1, 1)


def test_two_pods_of_one_node_are_seen_twice_and_count_once(tmp_path: Path) -> None:
    flows = [event(THERE, SYN, reply=False), event(THERE, SYN, reply=False, direction="INGRESS")]
    assert the_one(tmp_path, a__jsonl=text(*flows)).connections == 1


def test_a_policy_that_drops_refuses(tmp_path: Path) -> None:
    dropped = event(THERE, SYN, reply=False, verdict="DROPPED", drop_reason=181, drop_reason_desc="POLICY_DENY")
    row = the_one(tmp_path, a__jsonl=text(dropped))
    assert (row.verdict, row.initiator, row.responder) == ("refused", WEB, DB)


def test_audit_mode_lets_through(tmp_path: Path) -> None:
    assert the_one(tmp_path, a__jsonl=text(event(THERE, SYN, reply=False, verdict="AUDIT"))).verdict == "accepted"


def test_requests_of_the_seventh_layer_are_no_connections_of_their_own(tmp_path: Path) -> None:
    request = event(THERE, ACK, reply=False, Type="L7", l7={"type": "REQUEST", "http": {"method": "GET", "url": "/"}})
    flows = [event(THERE, SYN, reply=False), request]
    row = the_one(tmp_path, a__jsonl=text(*flows))
    assert (row.connections, row.packets) == (1, 1)


def test_the_world_is_named_by_what_was_looked_up(tmp_path: Path) -> None:
    out = event(f"{WEB} 40000 9.134.108.44 443", SYN, reply=False, destination_names=["api.example.com"])
    row = the_one(tmp_path, a__jsonl=text(out))
    assert row.responder_name == "api.example.com"


def test_a_datagram_and_its_answer_are_one(tmp_path: Path) -> None:
    flows = [event(THERE, None, reply=False), event(BACK, None, reply=True)]
    rows = found(tmp_path, a__jsonl=text(*flows))
    assert [line.rpartition(" ")[0] for line in said(rows)] == [f"{WEB} -> {DB} 17/45000 accepted"]
