"""The flow logs of Google Cloud for a drawn case, as a log sink writes them, and the entries of its firewall rules.

https://cloud.google.com/vpc/docs/about-flow-logs-records · https://cloud.google.com/firewall/docs/firewall-rules-logging
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.flows.simulated.seen import Case, Seen
    from tests.flows.simulated.world import End

__all__ = ["gcp_logs"]


def gcp_logs(case: Case) -> list[str]:
    """Write an entry for each direction of each machine that reports."""
    lines: list[tuple[int, str]] = []
    for seen in case.seen:
        network = seen.leg.card.network
        if seen.accepted or seen.leg.place == "client":
            lines.append((seen.first, json.dumps(_flow(seen))))
        begins = seen.asks and seen.talk.fresh and seen.first == int(seen.talk.begin)
        if network.firewall and begins and (seen.leg.place == "server" or not seen.accepted):
            lines.append((seen.first, json.dumps(_decision(seen))))
    return [line for _, line in sorted(lines)]


def _stamp(time: int, fraction: str = "123456789") -> str:
    return datetime.fromtimestamp(time, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{fraction}Z")


def _about(end: End, prefix: str) -> dict[str, object]:
    if end.card is None:
        return {f"{prefix}_location": {"country": "che", "continent": "Europe"}}
    network = end.card.network
    instance = {"project_id": network.scope, "region": "europe-west1", "vm_name": end.card.id, "zone": "europe-west1-b"}
    subnet = {"project_id": network.scope, "vpc_name": network.id, "subnetwork_name": f"{network.id}-a"}
    return {f"{prefix}_instance": instance, f"{prefix}_vpc": subnet}


def _connection(seen: Seen, *, asks: bool) -> dict[str, object]:
    relation = seen.talk.relation
    client = (seen.leg.client, 0 if relation.protocol == 1 else seen.leg.client_port)
    server = (seen.leg.server, 0 if relation.protocol == 1 else relation.port)
    source, target = (client, server) if asks else (server, client)
    return {
        "src_ip": source[0],
        "src_port": source[1],
        "dest_ip": target[0],
        "dest_port": target[1],
        "protocol": relation.protocol,
    }


def _flow(seen: Seen) -> dict[str, object]:
    relation = seen.talk.relation
    source, target = (relation.client, relation.server) if seen.asks else (relation.server, relation.client)
    network = seen.leg.card.network
    payload = {
        "bytes_sent": f"{seen.size}",
        "packets_sent": f"{seen.packets}",
        "connection": _connection(seen, asks=seen.asks),
        "reporter": "SRC" if seen.egress else "DEST",
        "start_time": _stamp(seen.first),
        "end_time": _stamp(seen.last, "987654321"),
        **_about(source, "src"),
        **_about(target, "dest"),
    }
    labels = {"location": "europe-west1-b", "project_id": network.scope, "subnetwork_id": "1"}
    return {
        "insertId": f"{seen.first}x{seen.leg.client_port}",
        "jsonPayload": payload,
        "logName": f"projects/{network.scope}/logs/compute.googleapis.com%2Fvpc_flows",
        "receiveTimestamp": _stamp(seen.last + 9),
        "resource": {"type": "gce_subnetwork", "labels": {**labels, "subnetwork_name": f"{network.id}-a"}},
        "timestamp": _stamp(seen.last + 8),
    }


def _decision(seen: Seen) -> dict[str, object]:
    network = seen.leg.card.network
    own = _about(seen.talk.relation.client if seen.leg.place == "client" else seen.talk.relation.server, "x")
    rule = f"network:{network.id}/firewall:{'allow' if seen.accepted else 'deny'}-it"
    payload = {
        "connection": _connection(seen, asks=True),
        "disposition": "ALLOWED" if seen.accepted else "DENIED",
        "rule_details": {"reference": rule, "direction": "EGRESS" if seen.egress else "INGRESS", "priority": 1000},
        "instance": own["x_instance"],
        "vpc": own["x_vpc"],
    }
    labels = {"location": "europe-west1-b", "project_id": network.scope, "subnetwork_id": "1"}
    return {
        "insertId": f"{seen.first}y{seen.leg.client_port}",
        "jsonPayload": payload,
        "logName": f"projects/{network.scope}/logs/compute.googleapis.com%2Ffirewall",
        "receiveTimestamp": _stamp(seen.first + 9),
        "resource": {"type": "gce_subnetwork", "labels": {**labels, "subnetwork_name": f"{network.id}-a"}},
        "timestamp": _stamp(seen.first),
    }
