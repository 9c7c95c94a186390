"""Flow logs of virtual networks, subnets and interfaces; and those of NSGs, which end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cloudseg.model import FlowLog
from cloudseg.providers.azure.ids import qualified_id, region_of
from cloudseg.providers.azure.translate.wire import ArmResource, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["NSG_LOGS_END", "add_flow_logs"]

_FACET = "flow-logs"
NSG_LOGS_END: Final = "2027-09-30"
"""None of an NSG could be made after June 2025, and they stop on this day. Source:
https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview"""

_NSG = "/networksecuritygroups/"
_DENIED = "D"


class _Retention(msgspec.Struct):
    days: int | None = None
    enabled: bool | None = None


class _Properties(msgspec.Struct, rename="camel"):
    target_resource_id: str | None = None
    storage_id: str | None = None
    enabled: bool | None = None
    enabled_filtering_criteria: str | None = None
    record_types: str | None = None
    retention_policy: _Retention | None = None
    provisioning_state: str | None = None


class _FlowLog(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_flow_logs(answers: Answers, draft: Draft) -> None:
    """Add flow logs, which network watchers hold.

    Sources:
    https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview
    https://learn.microsoft.com/rest/api/network-watcher/flow-logs/list
    """
    answers.has("network", "network_watchers")
    for wire in answers.listed("network", "flow_logs", _FlowLog, _FACET):
        own = wire.properties
        target = own.target_resource_id
        if not target:
            detail = "a flow log without targetResourceId; it is left out"
            answers.gap("network.flow_logs", wire.id, "malformed", detail, _FACET)
            continue
        of_nsg = _NSG in target.lower()
        delivers, reason = _delivery(own)
        found = FlowLog(
            id=qualified_id(wire.id),
            kind="nsg-flow-log" if of_nsg else "flow-log",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            target=qualified_id(target),
            traffic=_traffic(own.record_types),
            delivers=delivers,
            destination=own.storage_id or "",
            reason=reason,
            retention=_days(own.retention_policy),
            ends=NSG_LOGS_END if of_nsg else "",
        )
        draft.put(draft.flow_logs, found, answers.scope)


def _traffic(record_types: str | None) -> Literal["all", "accepted", "rejected"]:
    """Return the verdicts that are recorded: ``D`` are denied flows, ``B``, ``C`` and ``E`` parts of the others."""
    kinds = {kind.strip().upper() for kind in (record_types or "").split(",") if kind.strip()}
    if not kinds or (_DENIED in kinds and kinds - {_DENIED}):
        return "all"
    return "rejected" if _DENIED in kinds else "accepted"


def _delivery(own: _Properties) -> tuple[bool | None, str]:
    if own.enabled is False:
        return False, "it is turned off"
    if (own.provisioning_state or "").lower() == "failed":
        return False, "it could not be set up"
    if own.enabled is None:
        return None, "whether it is turned on is not given"
    if own.enabled_filtering_criteria:
        return None, f"it records only what its filter selects: {own.enabled_filtering_criteria}"
    return True, ""


def _days(policy: _Retention | None) -> int | None:
    """Return for how many days records are kept; a policy that is off, or of no days, keeps them for good."""
    if policy is None:
        return None
    return (policy.days or 0) if policy.enabled else 0
