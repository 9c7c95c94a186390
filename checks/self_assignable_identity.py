"""A rule that trusts an identity which a machine's editor can give to it.

What it finds:
    Rules that name network tags of Google Cloud: as sources of what they allow, and as targets of what they deny. Rules
    that open targets with a tag to the internet are told as information. A tag that stands at both ends is told once.

Why it matters:
    Whoever may edit an instance sets its network tags, so a right to restart or resize machines is a right to join
    every group that is made of tags: to be admitted as a source, to open ports as a target, to leave what denies. Who
    may attach a service account or bind a secure tag IAM says, apart from that.

Example:
    ``tcp/5432 from tag app`` for ``tag db``: a developer gives the tag ``app`` to a machine of their own.

Remedy:
    Name service accounts in VPC firewall rules, or secure tags in rules of firewall policies, and say in IAM who may
    use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.exposure import PROBES
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import at_interfaces, managed, shown, traffic_words
from cloudseg.findings import Severity
from cloudseg.model import GroupRef

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Peer, Rule, RuleSet

_KIND: Final = "network-tag"
"""Source: https://cloud.google.com/vpc/docs/add-remove-network-tags"""


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule that names a network tag."""
    estate = context.estate
    for rule_set in at_interfaces(estate):
        for rule in rule_set.rules:
            sources = _tags(rule.remote, estate)
            targets = _tags(rule.local, estate)
            if sources or (targets and (not rule.allows or _is_public(context, rule))):
                yield _finding(context, rule_set, rule, sources, targets)


def _is_public(context: AuditContext, rule: Rule) -> bool:
    """Tell whether a rule admits the internet: who sets the tag opens a machine to it."""
    return rule.direction == "ingress" and bool(context.internet.public_sources(rule)[1] - PROBES)


def _tags(peers: tuple[Peer, ...], estate: Estate) -> list[str]:
    """Return the names of the network tags at an end."""
    groups = [estate.groups.get(peer.group) for peer in peers if isinstance(peer, GroupRef)]
    return [group.name for group in groups if group is not None and group.kind == _KIND]


def _finding(context: AuditContext, rule_set: RuleSet, rule: Rule, sources: list[str], targets: list[str]) -> Finding:
    bearer, traffic = rule_set.bearer(rule), traffic_words(rule.traffic)
    if sources:
        does = "admits" if rule.allows else "denies"
        said = f"{does} {traffic} from {_words(sources)}, which whoever may edit an instance can set"
    elif rule.allows:
        said = f"opens {traffic} of whoever bears {_words(targets)}, which whoever may edit an instance can set"
    else:
        said = f"denies {traffic} of whoever bears {_words(targets)}, which whoever may edit an instance can take off"
    return context.finding(
        bearer,
        f"{bearer.label} {said}",
        rule=rule,
        severity=Severity.LOW if bool(sources) == rule.allows else Severity.INFO,
        evidence=managed(rule_set),
        affected=context.judged(rule_set, rule),
    )


def _words(tags: list[str]) -> str:
    return f"the network tag{'s' if len(tags) > 1 else ''} {shown(tags)}"


def _source() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("db", "ingress", "tcp/5432", "tag:app", targets="tag:db"))
    b.machine("app", "web", "10.2.1.10", tags=["app"])
    b.machine("db", "data", "10.2.2.10", tags=["db"])
    return b.build()


def _denied_targets() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("no-mail", "egress", "tcp/25", targets="tag:batch", verdict="deny"))
    return b.build()


def _allowed_targets() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("web", "ingress", "tcp/443", targets="tag:web"))
    return b.build()


def _accounts() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("db", "ingress", "tcp/5432", "account:app", targets="account:db"))
    rule = gcp_rule("100", "ingress", "tcp/22", "secure:1", targets="secure:2", priority=100, vpc=False)
    b.policy("guard", rule)
    return b.build()


CHECK = Check(
    id="self-assignable-identity",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("a database admits a network tag", _source, (rule_id("db"),), Severity.LOW),
        Example("a rule denies mail to a network tag", _denied_targets, (rule_id("no-mail"),), Severity.LOW),
        Example("a rule admits the internet to a network tag", _allowed_targets, (rule_id("web"),), Severity.INFO),
        Example("service accounts and secure tags, which IAM guards", _accounts),
    ),
    concept={"gcp": "network tags in VPC firewall rules"},
    absent={
        "aws": "attaching a security group takes a permission of its own",
        "azure": "joining an application security group takes a permission at the group",
        "kubernetes": "policies choose by labels alone: who may set those of pods, roles say",
    },
    needs=("groups",),
    uses=("interfaces",),
    compliance={
        "nist-800-53r5": ("AC-4", "AC-6"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    per_rule=True,
)
