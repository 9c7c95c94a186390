"""A rule that names a group which is not there any more.

What it finds:
    Rules whose other end is a group that the provider calls stale (its peering or the group itself was deleted), that
    is named over a peering that passes nothing any more, or that is absent from an account and region whose groups
    were read in full.

Why it matters:
    The rule matches nothing: traffic that people believe to be allowed is not. It also hides how the estate is meant
    to be, and stands in the way of a review.

Example:
    ``tcp/443 from sg-0a1b`` of a peered account, after the peering was deleted.

Remedy:
    Remove the rule, or name the group that took its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import at_interfaces, managed
from cloudseg.findings import Remedy, Severity
from cloudseg.model import GroupRef, own_id, provider_of, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Estate, Rule, RuleSet


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule that names a group which leads nowhere."""
    for rule_set in at_interfaces(context.estate):
        for rule in rule_set.rules:
            for peer in rule.remote:
                if isinstance(peer, GroupRef) and (verdict := _verdict(context.estate, peer)) is not None:
                    yield _finding(context, rule_set, rule, peer, *verdict)


def _verdict(estate: Estate, peer: GroupRef) -> tuple[str, Confidence] | None:
    """Return why a reference leads nowhere, and how sure that is; None for one that works or cannot be judged."""
    if peer.stale:
        return "the provider calls the reference stale", "high"
    peering = None if peer.via is None else estate.peerings.get(peer.via)
    if peering is not None and not peering.active:
        return f"the peering {peering.label} passes nothing", "high"
    if peer.group not in estate.groups and _groups_were_read(estate, peer.group):
        return "its account and region were read, and have no such group; only the provider's word is certain", "medium"
    return None


def _groups_were_read(estate: Estate, group: str) -> bool:
    provider = provider_of(group)
    # Groups of AWS belong to a region, which their qualified name holds; those of the other clouds are global.
    region = group.split(":", 3)[2] if provider == "aws" else "global"
    return estate.coverage.was_read("groups", provider, scope_of(group), region)


def _finding(
    context: AuditContext, rule_set: RuleSet, rule: Rule, peer: GroupRef, why: str, confidence: Confidence
) -> Finding:
    end = "from" if rule.direction == "ingress" else "to"
    name = own_id(peer.group)
    return context.finding(
        rule_set,
        f"{rule_set.label} names {name}, which leads nowhere, so {rule.traffic} {end} it matches nothing",
        rule=rule,
        confidence=confidence,
        evidence=(why, *managed(rule_set)),
        reachable=False if confidence == "high" else None,
        affected=context.estate.governed(rule_set),
        remedy=Remedy("remove-unused-rule", "remove the rule, or name the group that took its place"),
        aspect=peer.group if len(rule.remote) > 1 else "",
    )


def _called_stale() -> Estate:
    b = EstateBuilder()
    theirs = GroupRef("aws:999988887777:eu-west-1:sg-theirs", via=b.id("pcx-1"), stale=True)
    b.group("sg-app", msgspec.structs.replace(allow("ingress", "tcp/443", "sg-x"), remote=(theirs,)))
    return b.build()


def _absent() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "sg-gone"))
    return b.build()


def _in_order() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "sg-web"), allow("ingress", "tcp/80", "sg-app"))
    b.group("sg-web")
    return b.build()


def _elsewhere() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "aws:999988887777:eu-west-1:sg-theirs"))
    return b.build()


CHECK = Check(
    id="stale-group-reference",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("the provider calls the reference stale", _called_stale, ("sg-app",), Severity.LOW),
        Example("a group of the same account is not there", _absent, ("sg-app",), Severity.LOW),
        Example("the named groups are there", _in_order),
        Example("a group of an account that was not read may well be there", _elsewhere),
    ),
    concept={"aws": "security group rules that name a group"},
    needs=("groups",),
    uses=("peerings",),
    compliance={"nist-800-53r5": ("CM-7",), "pci-dss-4.0": ("1.2.7",)},
    remedy="remove-unused-rule",
    per_rule=True,
)
