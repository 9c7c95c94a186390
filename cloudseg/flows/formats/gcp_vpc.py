"""Google Cloud's VPC flow logs and Firewall Rules Logging: entries of Cloud Logging, in files or in a table.

Sources: https://cloud.google.com/vpc/docs/about-flow-logs-records,
https://cloud.google.com/firewall/docs/vpc-log-format and
https://cloud.google.com/firewall/docs/firewall-policy-log-format.

Files hold one entry to a line (a log sink to Cloud Storage, ``bq extract``) or a list of them (``gcloud logging read
--format=json``); a table of BigQuery holds the same fields in columns. Entries of other logs among them are passed
over.

A flow is what was sampled of one direction of a connection, at one of its ends, and tells nothing of who opened it,
unless connections are logged too (``connection_direction``). Packets that leave a machine are sampled before the rules
for egress judge them, so an egress that was denied looks as if it passed; an ingress that was denied is not logged. A
firewall's entry tells of a connection that begins, and which rule let it pass or denied it.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from cloudseg.flows.formats.containers import file_list, quoted_text
from cloudseg.flows.formats.interface import Format, Head, Records
from cloudseg.flows.formats.json_files import (
    columns_clause,
    compression,
    is_array,
    parted,
    selected,
    structure,
    together,
)
from cloudseg.flows.formats.json_records import records_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["FIELDS", "GCP_VPC"]

_INSTANCE: Final = ("project_id", "zone", "vm_name")
_VPC: Final = ("project_id", "vpc_name")
_GATEWAY: Final = ("project_id", "location", "type", "name", "vpc.project_id", "vpc.vpc_name")
_POD: Final = ("pod_namespace", "pod_name", "pod_workload.workload_name", "pod_workload.workload_type")
_ENDS: Final = ("src", "dest")

FIELDS: Final = (
    "logName",
    "timestamp",
    *(f"resource.labels.{name}" for name in ("project_id", "subnetwork_name")),
    *(f"jsonPayload.connection.{name}" for name in ("src_ip", "src_port", "dest_ip", "dest_port", "protocol")),
    *(f"jsonPayload.{name}" for name in ("reporter", "connection_direction", "start_time", "end_time")),
    *(f"jsonPayload.{name}" for name in ("packets_sent", "bytes_sent")),
    *(f"jsonPayload.{end}_instance.{name}" for end in _ENDS for name in _INSTANCE),
    *(f"jsonPayload.{end}_vpc.{name}" for end in _ENDS for name in _VPC),
    *(f"jsonPayload.{end}_gateway.{name}" for end in _ENDS for name in _GATEWAY),
    *(f"jsonPayload.{end}_gke_details.pod.{name}" for end in _ENDS for name in _POD),
    *(f"jsonPayload.{end}_google_service.{name}" for end in _ENDS for name in ("service_name", "type")),
    "jsonPayload.disposition",
    *(f"jsonPayload.rule_details.{name}" for name in ("reference", "direction")),
    *(f"jsonPayload.{which}.{name}" for which in ("instance", "remote_instance") for name in _INSTANCE),
    *(f"jsonPayload.vpc.{name}" for name in _VPC),
)
"""The fields that are read: of an entry in a file, or of a row. A table has no column for what it never held."""

_NEEDED: Final = ("jsonPayload.connection.src_ip", "jsonPayload.connection.dest_ip", "jsonPayload.connection.protocol")
_LINES: Final = ("lines",)
_ARRAY: Final = ("array",)
_LOGS: Final = (b"vpc_flows", b"%2Ffirewall", b"/firewall", b'"rule_details"', b'"reporter"')

_LAST_INDENTED: Final = r"(?s)^.*\n  \}"
"""A list as gcloud writes it, up to the last entry that is whole."""
_LAST_COMPACT: Final = (
    r'(?s)^(.*\})\s*,\s*\{\s*"(?:insertId|jsonPayload|labels|logName|receiveTimestamp|resource|severity|timestamp)"'
)
"""One without line breaks, likewise: an entry follows it."""


def _shape(head: Head) -> tuple[str, ...] | None:
    """Return how the entries are written in a file; None where its beginning shows none of these logs."""
    start = head.start
    if b'"jsonPayload"' not in start or b'"src_ip"' not in start or not any(log in start for log in _LOGS):
        return None
    return _ARRAY if is_array(start) else _LINES


def _lacks(shape: tuple[str, ...]) -> tuple[str, ...]:
    present = _present(shape)
    return tuple(name for name in _NEEDED if name not in present)


def _present(shape: tuple[str, ...]) -> frozenset[str]:
    # The type that a file is read as holds every field; a table's shape is the fields that it has columns for.
    return frozenset(FIELDS if shape in (_LINES, _ARRAY) else shape)


def _relation(paths: Sequence[Path], shape: tuple[str, ...]) -> str:
    if shape == _LINES:
        # A line that is no JSON is a row of NULLs, which is counted as bad.
        return _read(paths, "'newline_delimited', ignore_errors = true")
    whole, cut = parted(paths, (b"}]", b"[]"))
    return together([*([_read(whole, "'array'")] if whole else []), *([_mended(cut)] if cut else [])])


def _read(paths: Sequence[Path], manner: str) -> str:
    return f"READ_JSON({file_list(paths)}, format = {manner}, {compression(paths)}, columns = {columns_clause(FIELDS)})"


def _mended(paths: Sequence[Path]) -> str:
    """Return what reads lists that end in the middle: their entries, and for the one that was cut an entry of NULLs."""
    entries = quoted_text(f"[{structure(FIELDS)}]")
    steps = (
        {
            "indented": f"REGEXP_EXTRACT(content, {quoted_text(_LAST_INDENTED)}) || ']'",
            "compact": f"REGEXP_EXTRACT(content, {quoted_text(_LAST_COMPACT)}, 1) || ']'",
        },
        {
            "held": "CASE WHEN JSON_VALID(indented) THEN indented WHEN JSON_VALID(compact) THEN compact ELSE '[]' END",
        },
        {"entry": f"UNNEST(LIST_APPEND(FROM_JSON(held, {entries}), NULL))"},
        {name: f'entry."{name}"' for name in ("logName", "timestamp", "resource", "jsonPayload")},
    )
    return reduce(lambda source, step: selected(step, source), steps, f"READ_TEXT({file_list(paths)})")


def _records(relation: str, shape: tuple[str, ...]) -> Records:
    present = _present(shape)

    def field(name: str) -> str:
        held = f"jsonPayload.{name}"
        return held if held in present else "CAST(NULL AS VARCHAR)"

    def entry(name: str) -> str:
        return name if name in present else "CAST(NULL AS VARCHAR)"

    # A table holds it as a time, an entry as text.
    logged = 'CAST("timestamp" AS VARCHAR)' if "timestamp" in present else "CAST(NULL AS VARCHAR)"
    reporter, disposition = field("reporter"), field("disposition")
    inbound = f"{field('rule_details.direction')} = 'INGRESS'"

    def own(told: str) -> str:
        """What is told of the end, or of the gateway, that reports the flow."""
        return (
            f"CASE WHEN {reporter} LIKE 'SRC%' THEN {field(f'src_{told}')} "
            f"WHEN {reporter} LIKE 'DEST%' THEN {field(f'dest_{told}')} END"
        )

    def firewall(inside: str, outside: str) -> str:
        """What a firewall's entry tells of the packet's source; with both turned round, of its destination."""
        return f"CASE WHEN {inbound} THEN {field(outside)} ELSE {field(inside)} END"

    project = _first(
        field("instance.project_id"), own("instance.project_id"), own("gateway.project_id"),
        entry("resource.labels.project_id"),
    )  # fmt: skip
    address = (
        f"CASE WHEN {reporter} LIKE 'SRC%' THEN {field('connection.src_ip')} ELSE {field('connection.dest_ip')} END"
    )
    network = _resource(
        _first(field("vpc.project_id"), own("vpc.project_id"), own("gateway.vpc.project_id")),
        "'global/networks/'", _first(field("vpc.vpc_name"), own("vpc.vpc_name"), own("gateway.vpc.vpc_name")),
    )  # fmt: skip
    gateway = _resource(
        own("gateway.project_id"), "'regions/'", own("gateway.location"),
        f"CASE {own('gateway.type')} WHEN 'VPN_TUNNEL' THEN '/vpnTunnels/' ELSE '/interconnectAttachments/' END",
        own("gateway.name"),
    )  # fmt: skip
    machine = _resource(
        project, "'zones/'", _first(field("instance.zone"), own("instance.zone")), "'/instances/'",
        _first(field("instance.vm_name"), own("instance.vm_name")),
    )  # fmt: skip
    unnamed = _resource(project, "'subnetworks/'", entry("resource.labels.subnetwork_name"), "'/'", address)
    between = f"{reporter} LIKE '%GATEWAY'"
    told = {
        "scope": project,
        "network": network,
        "observer": f"COALESCE(CASE WHEN {between} THEN {gateway} ELSE {machine} END, {unnamed})",
        "side": (
            f"CASE WHEN {disposition} IS NOT NULL THEN CASE WHEN {inbound} THEN 2 ELSE 1 END "
            f"WHEN {reporter} = 'SRC' THEN 1 WHEN {reporter} = 'DEST' THEN 2 WHEN {between} THEN 3 END"
        ),
        "src": field("connection.src_ip"),
        "dst": field("connection.dest_ip"),
        "src_port": field("connection.src_port"),
        "dst_port": field("connection.dest_port"),
        "protocol": field("connection.protocol"),
        **_opening(disposition, field("connection_direction"), reporter),
        # Inspection comes after the rule: what it makes of the connection stands in another log.
        "accepted": (
            f"CASE WHEN {disposition} IN ('ALLOWED', 'INTERCEPTED') THEN TRUE WHEN {disposition} = 'DENIED' THEN FALSE "
            f"WHEN {disposition} IS NULL THEN TRUE END"
        ),
        "rule": field("rule_details.reference"),
        "src_name": _first(_pod(field, "src"), field("src_instance.vm_name"), _service(field, "src"),
            firewall("instance.vm_name", "remote_instance.vm_name")),
        "dst_name": _first(_pod(field, "dest"), field("dest_instance.vm_name"), _service(field, "dest"),
            firewall("remote_instance.vm_name", "instance.vm_name")),
        "packets": field("packets_sent"),
        "bytes": field("bytes_sent"),
        "first": _seconds(_first(field("start_time"), logged)),
        "last": _seconds(_first(field("end_time"), field("start_time"), logged)),
    }  # fmt: skip
    log = entry("logName")
    return records_of(
        "gcp", relation, told, where=f"{log} IS NULL OR {log} LIKE '%vpc_flows' OR {log} LIKE '%firewall'"
    )


def _opening(disposition: str, direction: str, reporter: str) -> dict[str, str]:
    """Return what shows who opened it: a firewall's entry, or a flow of a machine whose connections are logged.

    ``connection_direction`` is ``EGRESS`` where the reporter sent the SYN, ``INGRESS`` where it answered one, and is
    told in the one interval that saw it. Source: https://cloud.google.com/vpc/docs/flow-logs#connection-logging
    """
    own, other = ("CASE WHEN {} LIKE 'SRC%' THEN {} ELSE {} END".format(reporter, *ends) for ends in _BOTH_WAYS)
    opener = f"CASE {direction} WHEN 'EGRESS' THEN {own} WHEN 'INGRESS' THEN {other} END"
    return {
        "opener": f"CASE WHEN {disposition} IS NOT NULL THEN 1 ELSE {opener} END",
        "proof": (f"CASE WHEN {disposition} IS NOT NULL THEN 2 WHEN {direction} IN ('EGRESS', 'INGRESS') THEN 1 END"),
        "opened": f"CASE WHEN {disposition} IS NOT NULL OR {opener} = 1 THEN 1 ELSE 0 END",
        "answers": f"CASE WHEN {direction} = 'INGRESS' THEN TRUE END",
    }


_BOTH_WAYS: Final = ((1, 2), (2, 1))


def _first(*expressions: str) -> str:
    return f"COALESCE({', '.join(expressions)})"


def _resource(project: str, *parts: str) -> str:
    """Return the expression for a resource's name below the provider: ``shop:global/networks/main``.

    A colon in a project's id (``example.com:shop``) is written as in the estate's names.
    """
    return f"REPLACE({project}, ':', '%3A') || ':' || {' || '.join(parts)}"


def _pod(field: Callable[[str], str], end: str) -> str:
    pod = f"{end}_gke_details.pod"
    namespace, workload = field(f"{pod}.pod_namespace"), field(f"{pod}.pod_workload.workload_name")
    kind = field(f"{pod}.pod_workload.workload_type")
    return _first(
        f"{namespace} || '/' || {workload} || '[' || {kind} || ']'",
        f"{namespace} || '/' || {field(f'{pod}.pod_name')}",
    )


def _service(field: Callable[[str], str], end: str) -> str:
    return _first(field(f"{end}_google_service.service_name"), field(f"{end}_google_service.type"))


def _seconds(time: str) -> str:
    """Return the expression for the seconds of a time.

    RFC 3339 has it with up to nine digits of fraction and in any zone; a time of BigQuery, as text, ends in ``+00``.
    """
    zone = f"CASE WHEN {time} LIKE '%Z' OR {time} LIKE '%+00' THEN '+00:00' ELSE SUBSTR({time}, LENGTH({time}) - 5) END"
    return f"EPOCH(TRY_CAST(SUBSTR({time}, 1, 19) || {zone} AS TIMESTAMPTZ))"


GCP_VPC: Final = Format(
    name="gcp-vpc",
    title="Google Cloud VPC flow logs and firewall logs",
    shape=_shape,
    lacks=_lacks,
    relation=_relation,
    records=_records,
)
