"""A network whose traffic is recorded in part.

What it finds:
    Networks with flow logs that together miss something: they record only rejected or only accepted traffic, their
    delivery fails, they stand on some subnets or interfaces only, or on the transit gateway alone. Logs on all subnets,
    or on all interfaces, are as good as one on the network. Where no record arrives at all, it counts as much as no
    flow log.

Why it matters:
    A log of rejected traffic shows what the rules stopped, and not who used what they let through; a log that fails to
    deliver is noticed on the day it is needed. What is not in the log looks unused.

Example:
    A flow log with the filter REJECT, or one whose role may not write to its log group any more.

Remedy:
    Record all traffic of the whole network in one flow log, and mend its delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.flow_visibility import visibilities
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Remedy, Severity
from cloudseg.model import TransitAttachment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.flow_visibility import Visibility
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network with flow logs that do not record everything."""
    for seen in visibilities(context.estate):
        if (seen.logs or seen.transit) and seen.full is not True:
            yield _finding(context, seen)


def _finding(context: AuditContext, seen: Visibility) -> Finding:
    network = seen.network
    dark = bool(seen.logs) and seen.nothing
    what = "are not known to record" if seen.full is None else "do not record"
    message = f"the flow logs of {network.label} {what} all of its traffic"
    return context.finding(
        network,
        f"no flow log of {network.label} delivers its records" if dark else message,
        severity=Severity.MEDIUM if dark else Severity.LOW,
        confidence="low" if seen.full is None else "high",
        evidence=(
            *seen.lacks,
            *(f"{log.label} records {log.traffic} traffic of {_target(log.target)}" for log in seen.logs),
        ),
        remedy=Remedy("enable-flow-logs", "record all traffic of the whole network, and mend what does not deliver"),
    )


def _target(qualified: str) -> str:
    return qualified.rsplit(":", 1)[-1]


def _rejected_only() -> Estate:
    b = EstateBuilder()
    b.flow_log("fl-1", traffic="rejected")
    return b.build()


def _not_delivered() -> Estate:
    b = EstateBuilder()
    b.flow_log("fl-1", delivers=False, reason="access error")
    return b.build()


def _one_subnet() -> Estate:
    b = EstateBuilder()
    b.flow_log("fl-1", "subnet-public")
    return b.build()


def _transit_only() -> Estate:
    b = EstateBuilder()
    attachment = TransitAttachment(
        id=b.id("tgw-attach-1"), kind="transit-gateway-attachment", gateway=b.id("tgw-1"), network=b.id("vpc-1")
    )
    b.put("transit_attachments", attachment)
    b.flow_log("fl-1", "tgw-1")
    return b.build()


def _every_subnet() -> Estate:
    b = EstateBuilder()
    b.flow_log("fl-1", "subnet-public")
    b.flow_log("fl-2", "subnet-private", "accepted")
    b.flow_log("fl-3", "subnet-private", "rejected")
    return b.build()


CHECK = Check(
    id="partial-flow-logs",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("only rejected traffic is recorded", _rejected_only, ("vpc-1",), Severity.LOW),
        Example("the records are not delivered", _not_delivered, ("vpc-1",), Severity.MEDIUM),
        Example("one subnet of two is recorded", _one_subnet, ("vpc-1",), Severity.LOW),
        Example("only the transit gateway is recorded", _transit_only, ("vpc-1",), Severity.LOW),
        Example("every subnet is recorded, one of them by two logs", _every_subnet),
    ),
    concept={"aws": "filters, targets and delivery of flow logs"},
    absent={
        "kubernetes": "no object of a cluster says what is logged; flow logs belong to the cloud beneath the cluster"
    },
    needs=("networks", "flow-logs"),
    uses=("subnets", "interfaces", "transit"),
    compliance={"cisa-ztmm-2": ("Networks: Visibility and Analytics",)},
    remedy="enable-flow-logs",
)
