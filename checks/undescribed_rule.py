"""A rule that nobody says the purpose of.

What it finds:
    Allowing rules without a description. The rules that the provider makes itself (those of a default group, and the
    rule for all egress of a new group) and those of a controller are left out.

Why it matters:
    A rule outlives the people who made it. Without a purpose nobody dares to remove it, and a review of the rules,
    which several standards ask for twice a year, can only guess.

Example:
    ``tcp/8443 from 10.0.1.0/24`` without a description.

Remedy:
    Write down what the rule is for and who asked for it; remove it if nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import traffic_words
from cloudseg.findings import Severity
from cloudseg.model import ANYONE, Addresses
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Rule, RuleSet

# A new security group gets these rules unasked. Source:
# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
_MADE_UNASKED = {ANYONE, *((Addresses(addresses),) for addresses in (ALL_IPV4, ALL_IPV6, ALL_ADDRESSES))}


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every allowing rule of the user's own without a description."""
    for rule_set, rules in context.allowing.by_list:
        if rule_set.is_default or rule_set.managed_by:
            continue
        label = rule_set.label
        for rule in rules:
            if not rule.description.strip() and not (rule.fixed or _made_unasked(rule_set, rule)):
                end = "from" if rule.direction == "ingress" else "to"
                said = f"{traffic_words(rule.traffic)} {end} {context.other_end(rule)}"
                bearer = rule_set.bearer(rule)
                name = bearer.label if rule.resource else label
                yield context.finding(bearer, f"{name}: the rule for {said} has no description", rule=rule)


def _made_unasked(rule_set: RuleSet, rule: Rule) -> bool:
    return (
        rule.direction == "egress"
        and rule.remote in _MADE_UNASKED
        and rule.traffic.is_all
        and rule_set.provider == "aws"
    )


def _no_description() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/8443", "sg-web", description=" "))
    return b.build()


def _described() -> Estate:
    b = EstateBuilder()
    b.group(
        "sg-app",
        allow("ingress", "tcp/8443", "sg-web", description="the web tier calls the API"),
        allow("egress", "all", "0.0.0.0/0", description=""),
    )
    b.group("sg-default", allow("ingress", "all", "sg-default", description=""), is_default=True)
    b.group("sg-cluster", allow("ingress", "all", "sg-app", description=""), managed_by="eks")
    return b.build()


def _azure(description: str) -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-web", nsg_rule("ingress", 100, "tcp/443", description=description), subnet="web")
    return b.build()


def _azure_no_description() -> Estate:
    return _azure("")


def _azure_described() -> Estate:
    return _azure("customers")


def _gcp(description: str) -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("web", "ingress", "tcp/443", targets="tag:web", description=description))
    b.policy(
        "guard", gcp_rule("rest", "ingress", "all", "*", verdict="next", description="", priority=2147483647, vpc=False)
    )
    return b.build()


def _gcp_no_description() -> Estate:
    return _gcp("")


def _gcp_described() -> Estate:
    return _gcp("customers")


CHECK = Check(
    id="undescribed-rule",
    severity=Severity.INFO,
    run=run,
    examples=(
        Example("a rule with an empty description", _no_description, ("sg-app",), Severity.INFO),
        Example("described rules, and rules that nobody wrote", _described),
        Example("an NSG rule without a description", _azure_no_description, (nsg_id("nsg-web"),), Severity.INFO),
        Example("the default rules of an NSG, which nobody can describe", _azure_described),
        Example("a VPC firewall rule without a description", _gcp_no_description, (rule_id("web"),), Severity.INFO),
        Example("a described rule, one that only hands on, and the implied rules", _gcp_described),
    ),
    concept={
        "aws": "descriptions of security group rules",
        "azure": "descriptions of NSG rules",
        "gcp": "descriptions of VPC firewall rules and of rules of firewall policies",
    },
    absent={"kubernetes": "the rules of a network policy have no description"},
    needs=("groups",),
    compliance={"nist-800-53r5": ("CM-7",), "pci-dss-4.0": ("1.2.5", "1.2.7")},
    per_rule=True,
)
