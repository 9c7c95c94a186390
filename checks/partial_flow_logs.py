"""A network whose traffic is recorded in part.

What it finds:
    Networks with flow logs that together miss something: they record only rejected or only accepted traffic, their
    delivery fails, they keep a part of their records, they stand on some subnets or interfaces only, or on the transit
    gateway alone. Logs on all subnets, or on all interfaces, are as good as one on the network. Where no record arrives
    at all, it counts as much as no flow log. A log of a list of rules, such as an NSG, records only what that list
    judges. Records that the log itself drops after fewer days than a setting names are told as well. Flow logs of
    Google Cloud never show what is denied on its way in, which is not held against them. Where observed conversations
    are given (`--flows`), the logs that they were made of count as well: interfaces of which they show nothing, or not
    over the whole time, and records that the cloud says it lost.

Why it matters:
    A log of rejected traffic shows what the rules stopped, and not who used what they let through; a log that fails to
    deliver is noticed on the day it is needed. What is not in the log looks unused.

Example:
    A flow log with the filter REJECT, or one whose role may not write to its log group any more.

Remedy:
    Record all traffic of the whole network in one flow log, and mend its delivery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_flows import ExampleConversations, logs_of
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder
from cloudseg.checks.flow_visibility import visibilities
from cloudseg.checks.interface import Check, Example, Parameter
from cloudseg.checks.observed_logs import observed_gaps
from cloudseg.findings import Remedy, Severity
from cloudseg.model import TransitAttachment, shown_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.flow_visibility import Visibility
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, FlowLog

_REMEDY: Final = "record all traffic of the whole network, and mend what does not deliver"
_READ: Final = "give all logs of the network to `cloudseg flows`; where they are not there, mend their delivery"
_REMEDIES: Final = {"gcp": "turn on the flow logs of every subnet, without a filter and with flowSampling 1"}
RETENTION = Parameter(
    "retention_days",
    90,
    "Records of a flow log that sets itself for how long they are kept are to stay for so many days.",
    minimum=0,
)


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network with flow logs that do not record everything, or not for long enough."""
    days = context.number(RETENTION.name)
    for seen in visibilities(context.estate):
        if not seen.recorded:
            continue
        short = tuple(log for log in seen.logs if log.retention and log.retention < days)
        gaps = observed_gaps(context, seen.network)
        if seen.full is not True:
            yield _finding(context, seen, short, gaps)
        elif gaps:
            yield context.finding(
                seen.network,
                f"the logs of {seen.network.label} that were read do not show all of its traffic",
                confidence="medium",
                evidence=(*gaps, *_kept(short)),
                remedy=Remedy("enable-flow-logs", _READ),
            )
        elif short:
            yield context.finding(
                seen.network,
                f"the flow logs of {seen.network.label} are kept for fewer than {days} days",
                evidence=_kept(short),
                remedy=Remedy("enable-flow-logs", f"keep the records for {days} days or more"),
            )


def _kept(logs: tuple[FlowLog, ...]) -> tuple[str, ...]:
    return tuple(f"{log.label} keeps its records for {log.retention} days" for log in logs)


def _finding(context: AuditContext, seen: Visibility, short: tuple[FlowLog, ...], gaps: tuple[str, ...]) -> Finding:
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
            *_kept(short),
            *(f"{log.label} records {log.traffic} traffic of {_target(log.target)}" for log in seen.logs),
            *gaps,
        ),
        remedy=Remedy("enable-flow-logs", _REMEDIES.get(network.provider, _REMEDY)),
    )


def _target(qualified: str) -> str:
    return shown_id(qualified)


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


_VNET = arm("microsoft.network/virtualnetworks", "vnet-1")


def _two_interfaces() -> Estate:
    b = EstateBuilder()
    b.flow_log("fl-1")
    b.interface("eni-1", "subnet-private", address="10.0.2.10")
    b.interface("eni-2", "subnet-private", address="10.0.2.11")
    return b.build()


def _logs_of_one() -> ExampleConversations:
    return ExampleConversations(coverage=logs_of("eni-1"))


def _logs_of_both() -> ExampleConversations:
    return ExampleConversations(coverage=logs_of("eni-1", "eni-2"))


def _of_an_nsg() -> Estate:
    b = AzureBuilder()
    b.flow_log("fl-1", b.nsg("nsg-web", subnet="web"), ends="2027-09-30")
    return b.build()


def _short() -> Estate:
    b = AzureBuilder()
    b.flow_log("fl-1", b.network, retention=30)
    return b.build()


def _kept_for_good() -> Estate:
    b = AzureBuilder()
    b.flow_log("fl-1", b.network, retention=0)
    b.flow_log("fl-2", b.nsg("nsg-web", subnet="web"), ends="2027-09-30", retention=90)
    return b.build()


def _gcp_sampled() -> Estate:
    b = GcpBuilder()
    for subnet in ("web", "data"):
        b.flow_log(subnet, omits="it keeps 50 % of its records (flowSampling)")
    return b.build()


def _gcp_one_subnet() -> Estate:
    b = GcpBuilder()
    b.flow_log("web")
    return b.build()


def _gcp_every_subnet() -> Estate:
    b = GcpBuilder()
    b.add_subnet("proxies", "10.2.9.0/24", kind="proxy-only-subnet")
    for subnet in ("web", "data"):
        b.flow_log(subnet)
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
        Example("one NSG is recorded, by a log that the provider will stop", _of_an_nsg, (_VNET,), Severity.LOW),
        Example("records are kept for a month", _short, (_VNET,), Severity.LOW),
        Example("half of the records are kept", _gcp_sampled, (NETWORK,), Severity.LOW),
        Example("one subnet of a VPC network is recorded", _gcp_one_subnet, (NETWORK,), Severity.LOW),
        Example(
            "the logs that were read show nothing of an interface",
            _two_interfaces,
            ("vpc-1",),
            Severity.LOW,
            flows=_logs_of_one,
        ),
        Example("the logs that were read show all interfaces", _two_interfaces, flows=_logs_of_both),
        Example("what firewall rules deny no flow log of Google Cloud shows", _gcp_every_subnet),
        Example("every subnet is recorded, one of them by two logs", _every_subnet),
        Example("a whole virtual network is recorded, for good", _kept_for_good),
    ),
    concept={
        "aws": "filters, targets and delivery of flow logs",
        "azure": "targets, switches, kinds of records and retention of flow logs; those of NSGs, which end",
        "gcp": "subnets, sampling and filters of flow logs, which record no traffic that is denied on its way in",
    },
    absent={
        "kubernetes": "no object of a cluster says what is logged; flow logs belong to the cloud beneath the cluster"
    },
    needs=("networks", "flow-logs"),
    uses=("subnets", "interfaces", "transit"),
    compliance={
        "cis-azure-3.0": ("7.5",),
        "cis-azure-4.0": ("8.5", "8.8"),
        "cis-azure-5.0": ("7.8",),
        "cisa-ztmm-2": ("Networks: Visibility and Analytics",),
    },
    parameters=(RETENTION,),
    remedy="enable-flow-logs",
)
