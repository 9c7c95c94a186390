"""A network that the provider made unasked.

What it finds:
    Default networks that still exist. One with interfaces in it counts more: something runs in a network that nobody
    designed. On Google Cloud legacy networks as well, which are older than subnets: all their instances, in whatever
    region, share one range.

Why it matters:
    A default network routes to the internet from every subnet, gives new interfaces public addresses, and is where a
    resource lands whose author named no network.

Example:
    A default VPC in a region that nobody uses on purpose, with one forgotten instance.

Remedy:
    Move what runs there to a designed network, then delete the default network in every region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.controls import Subject
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Network


_LEGACY: Final = "legacy-range"
"""The one range of a legacy network. Source: https://cloud.google.com/vpc/docs/legacy"""


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every default network."""
    for _, network in sorted(context.estate.networks.items()):
        legacy = any(subnet.kind == _LEGACY for subnet in context.estate.subnets_in(network.id))
        if network.is_default or legacy:
            yield _finding(context, network, legacy=legacy)


def _finding(context: AuditContext, network: Network, *, legacy: bool) -> Finding:
    estate = context.estate
    inside = estate.interfaces_in(network.id)
    unread = not inside and not estate.read("interfaces", network)
    public = [subnet for subnet in estate.subnets_in(network.id) if subnet.public_by_default]
    use = "no interface" if not inside else counted(len(inside), "interface")
    of = "" if network.region == "global" else f" of {network.region}"
    what = "default" if network.is_default else "legacy"
    message = f"the {what} network {network.label}{of} exists"
    return context.finding(
        network,
        message if unread else f"{message}, with {use} in it",
        severity=Severity.MEDIUM if inside or unread else Severity.LOW,
        confidence="low" if unread else "high",
        evidence=(
            *(("it is a legacy network, without subnets: one range for all regions",) if legacy else ()),
            *(("unknown: whether anything is in it; its interfaces were not read",) if unread else ()),
            *((f"subnets that give new interfaces a public address: {shown_labels(public)}",) if public else ()),
        ),
        affected=inside,
        subject=Subject(aspects=frozenset(("default",) * network.is_default + ("legacy",) * legacy)),
    )


def _in_use() -> Estate:
    b = EstateBuilder(is_default_network=True)
    b.interface("eni-1")
    return b.build()


def _empty() -> Estate:
    return EstateBuilder(is_default_network=True).build()


def _designed() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1")
    return b.build()


def _gcp_default() -> Estate:
    b = GcpBuilder(default=True)
    b.machine("vm-1", "web", "10.2.1.10")
    return b.build()


def _gcp_legacy() -> Estate:
    b = GcpBuilder()
    b.add_subnet("range", "10.240.0.0/16", kind="legacy-range")
    return b.build()


def _gcp_designed() -> Estate:
    return GcpBuilder().build()


CHECK = Check(
    id="default-network",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("something runs in the default network", _in_use, ("vpc-1",), Severity.MEDIUM),
        Example("an empty default network", _empty, ("vpc-1",), Severity.LOW),
        Example("a network that was designed", _designed),
        Example("an instance runs in the network `default`", _gcp_default, (NETWORK,), Severity.MEDIUM),
        Example("a legacy network, without anything in it", _gcp_legacy, (NETWORK,), Severity.LOW),
        Example("a VPC network that was designed", _gcp_designed),
    ),
    concept={
        "aws": "default VPCs",
        "gcp": "the network `default` of projects, and legacy networks",
    },
    absent={
        "azure": "no virtual network is made unasked",
        "kubernetes": "a cluster has one network, which is chosen with the cluster",
    },
    needs=("networks",),
    uses=("interfaces", "subnets"),
    compliance={
        "cis-gcp-3.0": ("3.1", "3.2"),
        "cis-gcp-4.0": ("3.1", "3.2"),
        "nist-800-53r5": ("CM-7", "SC-7"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
)
