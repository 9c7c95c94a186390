"""VPC flow logs and transit gateway flow logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.model import FlowLog
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_flow_logs"]

_FACET = "flow-logs"
_TRAFFIC: dict[str, Literal["all", "accepted", "rejected"]] = {
    "ALL": "all",
    "ACCEPT": "accepted",
    "REJECT": "rejected",
}
_FIELD = re.compile(r"\$\{([^}]+)\}")


class _FlowLog(msgspec.Struct, rename="pascal"):
    flow_log_id: str
    resource_id: str
    traffic_type: str | None = None
    flow_log_status: str = ""
    deliver_logs_status: str | None = None
    deliver_logs_error_message: str | None = None
    log_destination_type: str = ""
    log_destination: str | None = None
    log_group_name: str | None = None
    log_format: str = ""
    tags: list[Tag] = []


def add_flow_logs(answers: Answers, draft: Draft) -> None:
    """Add flow logs. One records for good only while it is active and its last delivery succeeded.

    Older answers omit the destination's type (CloudWatch Logs), the format (the default one) and the status of the
    delivery, which is unknown then. Logs of transit gateways have no traffic type: they record everything. Source:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_FlowLog.html
    """
    for wire in answers.each("ec2", "describe_flow_logs", "FlowLogs", _FlowLog, _FACET):
        traffic = _TRAFFIC.get(wire.traffic_type or "")
        if traffic is None and wire.resource_id.startswith("tgw-") and not wire.traffic_type:
            traffic = "all"
        if traffic is None:
            detail = f"TrafficType {wire.traffic_type!r} is neither ALL, ACCEPT nor REJECT; the log is left out"
            answers.gap("ec2.describe_flow_logs", wire.flow_log_id, "malformed", detail, _FACET)
            continue
        delivers, reason = _delivery(wire)
        found = FlowLog(
            id=answers.id(wire.flow_log_id),
            kind="flow-log",
            name=tags_of(wire.tags).get("Name", ""),
            region=answers.region,
            tags=tags_of(wire.tags),
            target=draft.id_of(answers, wire.resource_id),
            traffic=traffic,
            delivers=delivers,
            destination=wire.log_destination or wire.log_group_name or "",
            fields=tuple(_FIELD.findall(wire.log_format)),
            reason=reason,
        )
        known = draft.flow_logs.get(found.id)
        if known is not None and known != found and known.scope == answers.scope:
            detail = "FlowLogId names two flow logs; the last one stands"
            answers.gap("ec2.describe_flow_logs", wire.flow_log_id, "malformed", detail, _FACET)
        draft.put(draft.flow_logs, found, answers.scope)


def _delivery(wire: _FlowLog) -> tuple[bool | None, str]:
    if wire.deliver_logs_status == "FAILED":
        return False, wire.deliver_logs_error_message or "the last delivery failed"
    if wire.flow_log_status != "ACTIVE":
        return None, f"its status is {wire.flow_log_status or 'not given'}"
    if wire.deliver_logs_status == "SUCCESS":
        return True, ""
    return None, "the status of its delivery is not given"
