"""Hubble's flows of a Kubernetes cluster with Cilium: one JSON object to a line, bare or in an envelope.

Sources: https://docs.cilium.io/en/stable/_api/v1/flow/README/ and
https://docs.cilium.io/en/stable/observability/hubble/configuration/export/. ``hubble observe -o json`` and the exporter
write ``{"flow": {...}, "node_name": "..."}``; some tools keep the flow alone.

A flow is an event at one node: a packet that passed a point of its data path, or a verdict of a policy; so one
connection gives several. Each counts as a packet, and bytes are not told. ``is_reply`` comes from connection tracking;
where it is absent it is unknown, which is not "no". Events of layer 7 (requests, DNS answers) and of sockets tell of
connections that have events of their own, and are no records; the names that Cilium learned from DNS answers stand in
the latter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from cloudseg.flows.formats.containers import file_list
from cloudseg.flows.formats.interface import Format, Head, Records
from cloudseg.flows.formats.json_files import columns_clause, compression, selected
from cloudseg.flows.formats.json_records import records_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["HUBBLE"]

_WRAPPED: Final = ("wrapped",)
_BARE: Final = ("bare",)
_LINES: Final = 10
"""How many lines are looked at; the first may be one that is cut, or an event that is no flow."""

_FLOW: Final = (
    *("time", "verdict", "drop_reason_desc", "Type", "node_name", "is_reply", "traffic_direction", "trace_reason"),
    *(f"IP.{name}" for name in ("source", "source_xlated", "destination")),
    *(f"l4.{name}.{port}" for name in ("TCP", "UDP", "SCTP") for port in ("source_port", "destination_port")),
    *(f"l4.TCP.flags.{name}" for name in ("SYN", "ACK")),
    *(f"l4.{name}.type" for name in ("ICMPv4", "ICMPv6", "VRRP", "IGMP")),
    *(f"{end}.{name}" for end in ("source", "destination") for name in ("namespace", "pod_name", "cluster_name")),
    *(f"{end}.{name}" for end in ("source", "destination") for name in ("labels[]", "workloads[].name")),
    *(f"{end}.workloads[].kind" for end in ("source", "destination")),
    *(f"{end}_names[]" for end in ("source", "destination")),
    "event_type.type",
    *(f"{way}_{what}_by[].{name}" for way in ("egress", "ingress") for what in ("allowed", "denied")
      for name in ("kind", "namespace", "name")),
)  # fmt: skip
_OTHERS: Final = ("lost_events.num_events_lost", "node_status.state_change", "agent_event.type", "debug_event.type")
"""What may stand in an envelope in place of a flow. Where events were lost, the log has a gap."""

_PROTOCOLS: Final = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMPv4": 1, "ICMPv6": 58, "VRRP": 112, "IGMP": 2}
_POLICY_VERDICT: Final = "'5'"
"""The type of the event that Cilium writes for the first packet of a connection, when a policy has judged it."""


def _shape(head: Head) -> tuple[str, ...] | None:
    """Return whether the flows stand in envelopes; None where no line at the beginning shows one, or such an event."""
    for line in head.start.lstrip(b"\xef\xbb\xbf").split(b"\n", _LINES)[:_LINES]:
        try:
            event = cast("object", msgspec.json.decode(line))
        except msgspec.DecodeError:
            continue
        if not isinstance(event, dict):
            return None
        keys = frozenset(cast("dict[str, object]", event))
        if "flow" in keys or ("node_name" in keys and not keys.isdisjoint(name.split(".")[0] for name in _OTHERS)):
            return _WRAPPED
        if {"IP", "verdict"} <= keys:
            return _BARE
    return None


def _lacks(_shape: tuple[str, ...]) -> tuple[str, ...]:
    return ()


def _relation(paths: Sequence[Path], shape: tuple[str, ...]) -> str:
    wrapped = shape == _WRAPPED
    fields = (*(f"flow.{name}" for name in _FLOW), "node_name", "time", *_OTHERS) if wrapped else _FLOW
    lines = (
        f"READ_JSON({file_list(paths)}, format = 'newline_delimited', {compression(paths)}, ignore_errors = true, "
        f"columns = {columns_clause(fields)})"
    )
    told = {
        "time": "COALESCE(flow.time, time)" if wrapped else "time",
        "node": "COALESCE(flow.node_name, node_name)" if wrapped else "node_name",
        "lost": "lost_events IS NOT NULL" if wrapped else "FALSE",
        "other": " OR ".join(f"{name.split('.')[0]} IS NOT NULL" for name in _OTHERS[1:]) if wrapped else "FALSE",
    }
    flow = "flow." if wrapped else ""
    told |= {
        "type": f"{flow}Type",
        "verdict": f"{flow}verdict",
        "reply": f"{flow}is_reply = 'true'",
        "asking": f"{flow}is_reply = 'false'",
        "direction": f"{flow}traffic_direction",
        "begun": f"{flow}trace_reason = 'NEW' OR {flow}event_type.type = {_POLICY_VERDICT}",
        "src": f"{flow}IP.source",
        "near_src": f"CASE WHEN {flow}IP.source_xlated <> {flow}IP.source THEN {flow}IP.source_xlated END",
        "dst": f"{flow}IP.destination",
        "protocol": _by_protocol(flow, {name: str(number) for name, number in _PROTOCOLS.items()}),
        "src_port": _by_protocol(flow, {name: f"{flow}l4.{name}.source_port" for name in ("TCP", "UDP", "SCTP")}),
        "dst_port": _by_protocol(flow, {name: f"{flow}l4.{name}.destination_port" for name in ("TCP", "UDP", "SCTP")}),
        "syn": f"{flow}l4.TCP.flags.SYN = 'true'",
        "ack": f"COALESCE({flow}l4.TCP.flags.ACK = 'true', FALSE)",
        "rule": f"COALESCE({_policies(flow, 'denied')}, {flow}drop_reason_desc, {_policies(flow, 'allowed')})",
        "src_name": _name(f"{flow}source"),
        "dst_name": _name(f"{flow}destination"),
        "src_cluster": f"{flow}source.cluster_name",
        "dst_cluster": f"{flow}destination.cluster_name",
    }
    return selected(told, lines)


def _by_protocol(flow: str, told: dict[str, str]) -> str:
    cases = " ".join(f"WHEN {flow}l4.{name} IS NOT NULL THEN {expression}" for name, expression in told.items())
    return f"CASE {cases} END"


def _policies(flow: str, what: str) -> str:
    """Return the expression for the policies that allowed or denied a packet: ``Kind/namespace/name``, by commas."""
    lists = " || ".join(f"COALESCE({flow}{way}_{what}_by, [])" for way in ("egress", "ingress"))
    names = f"[CONCAT_WS('/', p.kind, NULLIF(p.namespace, ''), p.name) FOR p IN {lists}]"
    return f"NULLIF(ARRAY_TO_STRING(LIST_SORT({names}), ','), '')"


def _name(end: str) -> str:
    """Return the expression for what an end is called.

    A workload outlives its pods, so it stands before them. Outside the cluster a name that was looked up says more than
    ``reserved:world`` does.
    """
    workload = f"{end}.workloads[1]"
    reserved = f"LIST_FILTER(COALESCE({end}.labels, []), LAMBDA label: STARTS_WITH(label, 'reserved:'))[1]"
    return (
        f"COALESCE({end}.namespace || '/' || {workload}.name || '[' || {workload}.kind || ']', "
        f"{end}.namespace || '/' || {end}.pod_name, {end}_names[1], {reserved})"
    )


def _records(relation: str, _shape: tuple[str, ...]) -> Records:
    handshake = "protocol = 6 AND syn"
    told = {
        "scope": "cluster",
        # The pods of a cluster share one network, and other clusters may use the same addresses.
        "network": "cluster",
        "observer": "node",
        # The direction is that of the connection, as the node's own pod sees it. A dropped packet is never a reply.
        # Source: decodeTrafficDirection in cilium's pkg/hubble/parser/threefour/parser.go
        "side": (
            "CASE direction WHEN 'EGRESS' THEN CASE WHEN reply THEN 2 ELSE 1 END "
            "WHEN 'INGRESS' THEN CASE WHEN reply THEN 1 ELSE 2 END END"
        ),
        "src": "src",
        "dst": "dst",
        "near_src": "near_src",
        "src_port": "src_port",
        "dst_port": "dst_port",
        "protocol": "protocol",
        "opener": (
            f"CASE WHEN {handshake} THEN CASE WHEN ack THEN 2 ELSE 1 END WHEN reply THEN 2 WHEN asking THEN 1 END"
        ),
        "proof": f"CASE WHEN {handshake} THEN 1 WHEN reply OR asking THEN 2 END",
        "opened": f"CASE WHEN {handshake} AND NOT ack THEN 1 WHEN protocol <> 6 AND begun THEN 1 ELSE 0 END",
        "accepted": (
            "CASE WHEN verdict IN ('FORWARDED', 'AUDIT', 'REDIRECTED', 'TRACED', '1', '4', '5', '6') THEN TRUE "
            "WHEN verdict IN ('DROPPED', '2') THEN FALSE END"
        ),
        "answers": f"CASE WHEN reply OR ({handshake} AND ack) THEN TRUE END",
        # What audit mode let pass a policy would have refused.
        "rule": "COALESCE(rule, CASE WHEN verdict IN ('AUDIT', '4') THEN 'AUDIT' END)",
        "src_name": "src_name",
        "dst_name": "dst_name",
        "packets": "1",
        "first": "EPOCH(TRY_CAST(SUBSTR(time, 1, 19) || '+00:00' AS TIMESTAMPTZ))",
    }
    cluster = (
        "CASE WHEN node LIKE '%/%' THEN SPLIT_PART(node, '/', 1) WHEN direction = 'INGRESS' THEN dst_cluster "
        "ELSE src_cluster END"
    )
    return records_of(
        "kubernetes",
        selected({"*": "*", "cluster": cluster}, relation),
        told,
        status="CASE WHEN lost THEN 2 END",
        # A frame without IP, such as ARP, has a verdict too.
        where=(
            "NOT other AND (src IS NOT NULL OR verdict IS NULL) "
            "AND COALESCE(type NOT IN ('L7', 'SOCK', '2', '3'), TRUE) "
            "AND COALESCE(verdict NOT IN ('TRANSLATED', '7'), TRUE)"
        ),
    )


HUBBLE: Final = Format(
    name="hubble",
    title="Hubble flows",
    shape=_shape,
    lacks=_lacks,
    relation=_relation,
    records=_records,
)
