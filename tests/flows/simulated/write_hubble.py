"""The flows of Hubble for a drawn case, one line for each packet that a node saw: wrapped, or bare.

https://docs.cilium.io/en/stable/_api/v1/flow/README/
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.flows.simulated.seen import Case, Event
    from tests.flows.simulated.world import End

__all__ = ["hubble_logs"]


def hubble_logs(case: Case, *, wrapped: bool) -> list[str]:
    """Write the events of all nodes in the order of time."""
    return [json.dumps(_line(event, wrapped=wrapped)) for event in sorted(case.events, key=lambda each: each[2].time)]


def _endpoint(end: End) -> dict[str, object]:
    if end.card is None:
        return {"identity": 2, "labels": ["reserved:world"]}
    name = "app-" + end.address.replace(".", "-")
    return {
        "ID": 7,
        "identity": 4242,
        "cluster_name": "cluster-1",
        "namespace": "shop",
        "labels": [f"k8s:app={name}"],
        "pod_name": f"{name}-5f6d7-abcde",
        "workloads": [{"name": name, "kind": "Deployment"}],
    }


def _layer(event: Event) -> dict[str, object]:
    relation = event.talk.relation
    client, server = event.leg.client_port, relation.port
    source, target = (client, server) if event.packet.asks else (server, client)
    if relation.protocol == 1:
        return {"ICMPv4": {"type": 8 if event.packet.asks else 0}}
    ports: dict[str, object] = {"source_port": source, "destination_port": target}
    if relation.protocol == 17:
        return {"UDP": ports}
    flags = {
        name: True
        for name, bit in (("FIN", 1), ("SYN", 2), ("RST", 4), ("ACK", 16))
        if event.packet.flags & bit or (name == "ACK" and not event.packet.flags & 2)
    }
    return {"TCP": {**ports, "flags": flags}}


def _line(event: Event, *, wrapped: bool) -> dict[str, object]:
    relation, packet, leg = event.talk.relation, event.packet, event.leg
    refused = leg.refuses_asking if packet.asks else leg.refuses_answers
    ends = (relation.client, relation.server) if packet.asks else (relation.server, relation.client)
    second = datetime.fromtimestamp(int(packet.time), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    time = f"{second}.{int(packet.time % 1 * 1e9):09d}Z"
    flow: dict[str, object] = {
        "time": time,
        "verdict": "DROPPED" if refused else "FORWARDED",
        "IP": {"source": ends[0].address, "destination": ends[1].address, "ipVersion": "IPv4"},
        "l4": _layer(event),
        "source": _endpoint(ends[0]),
        "destination": _endpoint(ends[1]),
        "Type": "L3_L4",
        "node_name": leg.card.id,
        "is_reply": not packet.asks,
        # That of the connection at the pod that is reported for, not that of the packet.
        "traffic_direction": "EGRESS" if leg.asking_egress else "INGRESS",
    }
    if refused:
        flow |= {"drop_reason_desc": "POLICY_DENIED", "drop_reason": 133}
    return {"flow": flow, "node_name": leg.card.id, "time": time} if wrapped else flow
