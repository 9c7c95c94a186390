"""A group whose members may do anything to each other.

What it finds:
    Rules that admit everything in effect from, or let everything out to, the very group they stand in. The rules of
    default groups are told by ``default-group-in-use``. In a cluster, rules of network policies that admit the very
    pods that the policy selects: all pods of a namespace among themselves, most often.

Why it matters:
    Whoever takes one member has every port of all the others. Such a group is a flat network of its own, and grows
    with each workload that joins it.

Example:
    ``all from sg-cluster`` in ``sg-cluster``, carried by forty instances.

Remedy:
    Name the ports that members need of each other, or give each role a group of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.clusters import names_its_own, of_cluster
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.exposure import is_everything
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.ordered_lists import OrderedLists
from cloudseg.checks.rule_lists import counted, managed, names_itself, traffic_words
from cloudseg.findings import Remedy, Severity
from cloudseg.model import ANYONE, GroupRef, unplaced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Rule, RuleSet


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule by which a group opens everything to itself."""
    ordered = OrderedLists(context.estate)
    for rule_set, rules in context.allowing.by_list:
        if rule_set.is_default:
            continue
        for rule in rules:
            if (
                is_everything(rule.traffic)
                and _names_itself(rule_set, rule, context.estate)
                and is_everything(ordered.left(rule_set, rule))
            ):
                yield _finding(context, rule_set, rule)


def _names_itself(rule_set: RuleSet, rule: Rule, estate: Estate) -> bool:
    if of_cluster(rule_set):
        return rule.verdict == "accept" and names_its_own(rule_set, rule, estate)
    return names_itself(rule_set, rule)


def _members(rule_set: RuleSet, rule: Rule, estate: Estate) -> tuple[Interface, ...]:
    """Return who is at both ends: whom the list judges, or the members of a group that the rule names at both."""
    judged = estate.governed(rule_set)
    groups = {unplaced(peer.group) for peer in rule.remote if isinstance(peer, GroupRef)} - {rule_set.id}
    both = {peer.group for peer in rule.local if isinstance(peer, GroupRef)} & groups
    if not both:
        return judged
    inside = {member.id for group in both for member in estate.members(group)}
    return tuple(interface for interface in judged if interface.id in inside)


def _finding(context: AuditContext, rule_set: RuleSet, rule: Rule) -> Finding:
    members = _members(rule_set, rule, context.estate)
    read = context.estate.read("interfaces", rule_set)
    # Two members make the first pair; an egress rule opens nothing that the ingress rules do not.
    flat = rule.direction == "ingress" and (len(members) > 1 or not read)
    verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
    noun = "workload" if of_cluster(rule_set) else "interface"
    who = counted(len(members), noun) if read or members else "an unknown number of interfaces"
    own = "its own members"
    if rule.local != ANYONE and not of_cluster(rule_set):
        own = f"members of {context.other_end(rule)} among themselves"
    return context.finding(
        rule_set,
        f"{rule_set.bearer(rule).label} {verb} {traffic_words(rule.traffic)} {end} {own}, {who}",
        rule=rule,
        severity=Severity.MEDIUM if flat else Severity.LOW,
        confidence="high" if read else "medium",
        evidence=(*managed(rule_set), *(() if read else ("unknown: not every interface was read",))),
        affected=members,
        remedy=Remedy("narrow-ports", "name the ports that the members need of each other"),
    )


def _flat_cluster() -> Estate:
    b = EstateBuilder()
    b.group("sg-cluster", allow("ingress", "all", "sg-cluster"))
    b.interface("eni-1", "subnet-private", ["sg-cluster"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-cluster"], "10.0.2.11")
    return b.build()


def _alone() -> Estate:
    b = EstateBuilder()
    b.group("sg-one", allow("ingress", "tcp/1-65535", "sg-one"), allow("egress", "all", "sg-one"))
    b.interface("eni-1", "subnet-private", ["sg-one"], "10.0.2.10")
    return b.build()


def _open_namespace() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "same-namespace", ingress=(admit("all", Pods()),))
    return b.build()


def _one_port_of_a_namespace() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "gossip", ingress=(admit("tcp/7946", Pods()), admit("all", Pods(namespaces={"team": "b"}))))
    return b.build()


def _one_port() -> Estate:
    b = EstateBuilder()
    b.group("sg-cluster", allow("ingress", "tcp/9300", "sg-cluster"), allow("ingress", "all", "sg-other"))
    b.interface("eni-1", "subnet-private", ["sg-cluster"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-cluster"], "10.0.2.11")
    return b.build()


def _azure(traffic: str) -> Estate:
    b = NsgBuilder()
    b.asg("asg-web")
    b.nsg("nsg-web", nsg_rule("ingress", 100, traffic, "asg-web", local="asg-web"), subnet="web")
    b.machine("nic-1", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-2", "web", "10.1.1.11", asgs=["asg-web"])
    return b.build()


def _azure_all() -> Estate:
    return _azure("all")


def _azure_one_port() -> Estate:
    return _azure("tcp/7946")


def _gcp(traffic: str) -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("cluster", "ingress", traffic, "tag:node", targets="tag:node"))
    b.machine("node-1", "web", "10.2.1.10", tags=["node"])
    b.machine("node-2", "web", "10.2.1.11", tags=["node"])
    return b.build()


def _gcp_all() -> Estate:
    return _gcp("all")


def _gcp_one_port() -> Estate:
    return _gcp("tcp/7946")


CHECK = Check(
    id="self-referencing-all-traffic",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("every member may do anything to the other", _flat_cluster, ("sg-cluster",), Severity.MEDIUM),
        Example("a single member has nobody to reach yet", _alone, ("sg-one", "sg-one"), Severity.LOW),
        Example(
            "all pods of a namespace may do anything to each other",
            _open_namespace,
            ("shop/NetworkPolicy/same-namespace",),
            Severity.MEDIUM,
        ),
        Example("members reach each other on one port", _one_port),
        Example("pods of a namespace reach each other on one port", _one_port_of_a_namespace),
        Example(
            "an application security group at both ends of an NSG rule",
            _azure_all,
            (nsg_id("nsg-web"),),
            Severity.MEDIUM,
        ),
        Example("one port among the members of an application security group", _azure_one_port),
        Example("a network tag at both ends of a rule", _gcp_all, (rule_id("cluster"),), Severity.MEDIUM),
        Example("one port among the bearers of a network tag", _gcp_one_port),
    ),
    concept={
        "aws": "security group rules that name their own group",
        "azure": "NSG rules that name one application security group at both ends",
        "gcp": "rules with one tag or service account at both ends",
        "kubernetes": "rules of network policies that admit the very pods that the policy selects",
    },
    needs=("groups",),
    uses=("interfaces",),
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7(21)"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    remedy="narrow-ports",
    per_rule=True,
)
