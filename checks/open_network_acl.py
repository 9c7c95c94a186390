"""A network ACL that filters nothing, or lets administration in from everywhere.

What it finds:
    Network ACLs in use that let everything in effect pass to or from most of the internet, and those that admit SSH
    or remote desktop (22, 3389) from there. The entries are evaluated as the cloud does, the first match by number
    decides: a deny above closes what an allow below opens, two halves are the whole, and ``tcp 0-65535`` is any port.

Why it matters:
    A network ACL is a second line behind the groups of each interface. One that lets everything pass is no second
    line; whoever makes a mistake in a group is not caught. Most estates live with that, so this is information.

Example:
    The default network ACL as the provider makes it: rule 100 allows everything, in both directions.

Remedy:
    Close the administration ports and the ranges that never talk to the subnet, reply ports kept open; or accept the
    groups as the only line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.breadth import INTERNET, admitted, is_most, open_addresses, share_words
from cloudseg.checks.controls import Subject
from cloudseg.checks.example_estates import EstateBuilder, acl_entry
from cloudseg.checks.exposure import is_everything
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import at_boundaries, counted, managed
from cloudseg.findings import Severity
from cloudseg.model import InSubnets
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Direction, Estate, Family, RuleSet, Stage

_FAMILIES: tuple[Family, ...] = (4, 6)
_DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
_ADMINISTRATION = (Traffic.parse("tcp/22"), Traffic.parse("tcp/3389"))


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network ACL in use that filters nothing or admits administration from everywhere."""
    for stage, rule_set in at_boundaries(context.estate):
        if stage.match != "first" or not _in_use(rule_set):
            continue
        told = [*_open_directions(context, stage, rule_set), *_open_administration(context, stage, rule_set)]
        if told:
            yield _finding(context, rule_set, told)


def _in_use(rule_set: RuleSet) -> bool:
    return not isinstance(rule_set.applies, InSubnets) or bool(rule_set.applies.subnets)


def _everything(traffic: Traffic) -> bool:
    """Tell whether traffic is everything in effect; a deny of an administration port is a filter."""
    return is_everything(traffic) and all(port <= traffic for port in _ADMINISTRATION)


def _open_directions(context: AuditContext, stage: Stage, rule_set: RuleSet) -> Iterator[str]:
    for direction in _DIRECTIONS:
        end = "from" if direction == "ingress" else "to"
        for family in _FAMILIES:
            internet = INTERNET[family]
            boxes = admitted(stage, [rule_set], direction, internet, context.estate).upper
            found = open_addresses(boxes, internet, _everything)
            if is_most(found, family):
                yield f"{direction}: everything passes {end} {share_words(found, family)}"


def _open_administration(context: AuditContext, stage: Stage, rule_set: RuleSet) -> Iterator[str]:
    for family in _FAMILIES:
        internet = INTERNET[family]
        boxes = admitted(stage, [rule_set], "ingress", internet, context.estate).upper
        if is_most(open_addresses(boxes, internet, _everything), family):
            continue
        for port in _ADMINISTRATION:
            found = open_addresses(boxes, internet, port.__le__)
            if is_most(found, family):
                yield f"ingress: {port} is admitted from {share_words(found, family)}"


def _finding(context: AuditContext, rule_set: RuleSet, told: list[str]) -> Finding:
    open_ways = sorted({text.split(":", 1)[0] for text in told if "everything passes" in text}, reverse=True)
    untouched = rule_set.is_default and all(rule.allows and rule.traffic.is_all for rule in rule_set.rules)
    state = "the default network ACL" if rule_set.is_default else "network ACL"
    if open_ways:
        what = "lets " + " and ".join(open_ways) + " pass unfiltered"
    else:
        what = "admits administration ports from most of the internet"
    subnets = rule_set.applies.subnets if isinstance(rule_set.applies, InSubnets) else frozenset[str]()
    return context.finding(
        rule_set,
        f"{state} {rule_set.label} {what}",
        confidence="high" if all(rule.exact for rule in rule_set.rules) else "low",
        evidence=(
            *told,
            *(("it is as the provider made it",) if untouched else ()),
            *((f"it judges {counted(len(subnets), 'subnet')}",) if subnets else ()),
            *managed(rule_set),
        ),
        subject=Subject(ALL_TRAFFIC if any(text.startswith("ingress") for text in told) else NO_TRAFFIC),
    )


def _as_made() -> Estate:
    return EstateBuilder().build()


def _two_halves() -> Estate:
    b = EstateBuilder()
    b.acl(
        "acl-1",
        ["subnet-public"],
        (
            acl_entry("ingress", 100, "tcp/0-65535", "0.0.0.0/1"),
            acl_entry("ingress", 110, "tcp/0-65535", "128.0.0.0/1"),
            acl_entry("egress", 100, "tcp/1024-65535", "10.0.0.0/8"),
        ),
    )
    return b.build()


def _administration() -> Estate:
    b = EstateBuilder()
    b.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 100, "tcp/22", "0.0.0.0/0"),))
    return b.build()


def _closed_above() -> Estate:
    b = EstateBuilder()
    b.acl(
        "acl-1",
        ["subnet-public"],
        (
            acl_entry("ingress", 90, "tcp/22", "0.0.0.0/0", deny=True),
            acl_entry("ingress", 91, "tcp/3389", "0.0.0.0/0", deny=True),
            acl_entry("ingress", 100, "all", "0.0.0.0/0"),
            acl_entry("egress", 100, "tcp/1024-65535", "0.0.0.0/0"),
        ),
    )
    return b.build()


CHECK = Check(
    id="open-network-acl",
    severity=Severity.INFO,
    run=run,
    examples=(
        Example("an ACL that allows everything, both ways", _as_made, ("acl-1",), Severity.INFO),
        Example("two halves with every port of TCP are everything", _two_halves, ("acl-1",), Severity.INFO),
        Example("SSH is admitted from everywhere", _administration, ("acl-1",), Severity.INFO),
        Example("denies above the allow close the administration ports", _closed_above),
    ),
    concept={"aws": "network ACLs"},
    absent={
        "azure": "no list stands at the edge of a subnet alone: an NSG judges inside it as well",
        "kubernetes": "a cluster has no list at the edge of a subnet",
        "gcp": "no list stands at the edge of a subnet: firewall rules judge inside it as well",
    },
    needs=("boundary-rules",),
    compliance={
        "cis-aws-3.0": ("5.1",),
        "cis-aws-5.0": ("5.2",),
        "nist-800-53r5": ("AC-4", "SC-7(5)"),
        "pci-dss-4.0": ("1.2.5",),
    },
)
