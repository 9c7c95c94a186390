"""A network whose traffic nobody records.

What it finds:
    Networks without any flow log: none on the network, none on its subnets or interfaces, none on a list of rules that
    stands in it, none on a transit gateway that it is attached to; one finding a network. Networks without interfaces
    count less: there is nothing to record yet. Logs that record a part are another check's subject.

Why it matters:
    Without records nobody can tell who used a rule before it is narrowed, nor what an intruder reached.

Example:
    A VPC in production without a flow log.

Remedy:
    Record accepted and rejected traffic of the whole network, and keep it for the time that an investigation needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.flow_visibility import visibilities
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Remedy, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, FlowLog, Network

_REMEDY: Final = "record accepted and rejected traffic of the whole network"
_REMEDIES: Final = {"gcp": "turn on the flow logs of every subnet, and let the rules that deny log"}


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network without a flow log."""
    estate = context.estate
    for seen in visibilities(estate):
        if seen.recorded:
            continue
        network = seen.network
        inside = estate.interfaces_in(network.id)
        empty = not inside and estate.read("interfaces", network)
        elsewhere = _logs_of_unknown_targets(network, estate)
        yield context.finding(
            network,
            f"{network.label} has no flow log",
            severity=Severity.LOW if empty else Severity.MEDIUM,
            confidence="low" if elsewhere else "high",
            evidence=(
                "no flow log on the network, its subnets or its interfaces",
                "no interface is in it"
                if empty
                else f"nothing is recorded of {len(inside)} known interface{'s' if len(inside) != 1 else ''}",
                *(f"{log.label} is no flow log: {log.omits}" for log in seen.logs),
                *(f"unknown: whether {log.label} records a part of it; its target was not read" for log in elsewhere),
            ),
            affected=inside,
            remedy=Remedy("enable-flow-logs", _REMEDIES.get(network.provider, _REMEDY)),
        )


def _logs_of_unknown_targets(network: Network, estate: Estate) -> tuple[FlowLog, ...]:
    """Return the flow logs of the network's place that may stand on a subnet or an interface that was not read."""
    placed = estate.read("subnets", network) and estate.read("interfaces", network)
    if placed and estate.read("groups", network):
        return ()
    known = (estate.networks, estate.subnets, estate.interfaces, estate.gateways)
    lists = {name.partition("@")[0] for name in estate.rule_sets}
    return tuple(
        log
        for _, log in sorted(estate.flow_logs.items())
        if (log.provider, log.scope, log.region) == (network.provider, network.scope, network.region)
        and not any(log.target in kind for kind in known)
        and log.target not in lists
        # Only what records a list of rules can have a target that is none of the places.
        and (not placed or log.kind == "nsg-flow-log")
    )


def _no_log() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1")
    return b.build()


def _other_network() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1")
    b.flow_log("fl-1", "vpc-2")
    return b.build()


def _empty_network() -> Estate:
    return EstateBuilder().build()


def _recorded() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1")
    b.flow_log("fl-1")
    return b.build()


def _azure_elsewhere() -> Estate:
    b = AzureBuilder()
    b.flow_log("fl-1", b.id(arm("microsoft.network/virtualnetworks", "vnet-2")))
    return b.build()


def _azure_recorded() -> Estate:
    b = AzureBuilder()
    b.flow_log("fl-1", b.network)
    return b.build()


def _gcp_rules_alone() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("web", "ingress", "tcp/443"))
    b.machine("web", "web", "10.2.1.4")
    b.rule_log()
    return b.build()


def _gcp_recorded() -> Estate:
    b = GcpBuilder()
    b.machine("web", "web", "10.2.1.4")
    for subnet in ("web", "data"):
        b.flow_log(subnet)
    return b.build()


def _unread() -> Estate:
    b = EstateBuilder(unread=["flow-logs"])
    b.interface("eni-1")
    return b.build()


CHECK = Check(
    id="missing-flow-logs",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a network without a flow log", _no_log, ("vpc-1",), Severity.MEDIUM),
        Example("the flow log of another network does not count", _other_network, ("vpc-1",), Severity.MEDIUM),
        Example("an empty network without a flow log", _empty_network, ("vpc-1",), Severity.LOW),
        Example(
            "the flow log of another virtual network in the region",
            _azure_elsewhere,
            (arm("microsoft.network/virtualnetworks", "vnet-1"),),
            Severity.MEDIUM,
        ),
        Example("single rules log what they decide, and no subnet has a flow log", _gcp_rules_alone, (NETWORK,)),
        Example("everything is recorded", _recorded),
        Example("a flow log of the virtual network", _azure_recorded),
        Example("flow logs of the subnets of a VPC network", _gcp_recorded),
        Example("where flow logs were not read, none is called missing", _unread),
    ),
    concept={
        "aws": "flow logs of VPCs, subnets and network interfaces",
        "azure": "flow logs of virtual networks, subnets, network interfaces and NSGs",
        "gcp": "flow logs of the subnets of VPC networks",
    },
    absent={
        "kubernetes": "no object of a cluster says what is logged; flow logs belong to the cloud beneath the cluster"
    },
    needs=("networks", "flow-logs"),
    uses=("subnets", "interfaces", "transit"),
    compliance={
        "cis-aws-3.0": ("3.7",),
        "cis-aws-5.0": ("3.7",),
        "cis-azure-3.0": ("6.1.5",),
        "cis-azure-4.0": ("7.1.1.5", "7.1.1.7"),
        "cis-azure-5.0": ("6.1.1.7",),
        "cis-gcp-3.0": ("3.8",),
        "cis-gcp-4.0": ("3.8",),
        "nist-800-53r5": ("AU-12", "SI-4"),
        "cisa-ztmm-2": ("Networks: Visibility and Analytics",),
    },
    remedy="enable-flow-logs",
)
