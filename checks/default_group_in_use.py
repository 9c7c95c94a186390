"""A default group that carries rules or interfaces.

What it finds:
    Default groups that are carried by interfaces, or that hold any rule.

Why it matters:
    The provider attaches the default group wherever nobody chooses one, and its own rules let every carrier reach
    every other on all ports. Workloads that have nothing to do with each other end up in one flat group.

Example:
    The ``default`` security group of a VPC, with its rule for all traffic from itself, carried by two instances.

Remedy:
    Give each workload a group of its own, then remove every rule of the default group, so that what is made without
    a choice reaches nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import at_interfaces, counted, shown_labels, traffic_words
from cloudseg.findings import Remedy, Severity, peer_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, RuleSet


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every default group with rules or members."""
    for rule_set in at_interfaces(context.estate):
        if rule_set.is_default and (rule_set.rules or context.estate.governed(rule_set)):
            yield _finding(context, rule_set)


def _finding(context: AuditContext, rule_set: RuleSet) -> Finding:
    members = context.estate.governed(rule_set)
    read = context.estate.read("interfaces", rule_set)
    holds = f"holds {counted(len(rule_set.rules), 'rule')}" if rule_set.rules else "holds no rule"
    carried = f"is carried by {counted(len(members), 'interface')}" if members else "is carried by no interface"
    if not members and not read:
        carried = "may be carried by interfaces that were not read"
    network = context.estate.networks.get(rule_set.network or "")
    place = "" if network is None else f" of {network.label}"
    return context.finding(
        rule_set,
        f"the default group {rule_set.label}{place} {holds} and {carried}",
        severity=Severity.MEDIUM if members else Severity.LOW,
        confidence="high" if members or read else "medium",
        evidence=(
            *(
                f"{rule.direction}: {traffic_words(rule.traffic)} {'from' if rule.direction == 'ingress' else 'to'} "
                f"{peer_text(rule.remote, context.estate)}"
                for rule in rule_set.rules[:5]
            ),
            *((f"carried by {shown_labels(members)}",) if members else ()),
        ),
        affected=members,
        remedy=Remedy("empty-default-group", "give its carriers groups of their own, then remove all its rules"),
    )


def _carried() -> Estate:
    b = EstateBuilder()
    b.group(
        "sg-default", allow("ingress", "all", "sg-default"), allow("egress", "all", "0.0.0.0/0"), name="default",
        is_default=True,
    )  # fmt: skip
    b.interface("eni-1", "subnet-private", ["sg-default"], "10.0.2.10")
    return b.build()


def _untouched() -> Estate:
    b = EstateBuilder()
    b.group("sg-default", allow("ingress", "all", "sg-default"), name="default", is_default=True)
    return b.build()


def _empty() -> Estate:
    b = EstateBuilder()
    b.group("sg-default", name="default", is_default=True)
    b.group("sg-app", allow("ingress", "tcp/443", "sg-web"))
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


CHECK = Check(
    id="default-group-in-use",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("an instance was made without choosing a group", _carried, ("sg-default",), Severity.MEDIUM),
        Example("nobody carries it yet, and its rules wait", _untouched, ("sg-default",), Severity.LOW),
        Example("an empty default group that nobody carries", _empty),
    ),
    concept={"aws": "the default security group of every VPC"},
    absent={
        "azure": "no NSG is made or attached unasked; unfiltered-interface tells where none is",
        "kubernetes": "a namespace has no policy unless somebody adds one; missing-default-deny tells where none is",
        "gcp": "no rule comes with an identity; default-network tells the network that comes with rules",
    },
    needs=("groups",),
    uses=("interfaces",),
    compliance={
        "cis-aws-3.0": ("5.4",),
        "cis-aws-5.0": ("5.5",),
        "nist-800-53r5": ("AC-4", "SC-7(5)"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    remedy="empty-default-group",
)
