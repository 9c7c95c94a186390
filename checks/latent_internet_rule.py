"""A rule that is open to the internet although nothing can arrive by it today.

What it finds:
    Ingress rules that admit public addresses, where no packet is delivered even at most: no interface carries the
    group, none has a public address or a route from the internet, or a network ACL or a block of public access stops
    it. The evidence says which.

Why it matters:
    The rule is one change away from an exposure: a public address, a new route, or one more attachment of the group.
    The change that opens it is made elsewhere, by somebody who does not look at this rule.

Example:
    ``tcp/3389 from 0.0.0.0/0`` in a security group that only private instances carry, or nobody.

Remedy:
    Remove the rule, or narrow it to the identities that use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.exposure import PublicServices, classes_of, open_rules, public_words, severity_of, traffic_words
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.internet_exposed_port import DECLARED_PUBLIC
from cloudseg.findings import Remedy, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule that admits public addresses and delivers nothing."""
    public = PublicServices(context.estate, context.texts("declared_public"))
    remedy = Remedy("remove-unused-rule", "remove the rule, or narrow it to the identities that use it")
    for found in open_rules(context):
        if found.verdict != "latent":
            continue
        severity = severity_of(
            found.rule.traffic,
            found.sources,
            latent=True,
            public_service=public.hold_all(found.judged),
        )
        why = "; ".join(found.exposure.blocked)
        yield context.finding(
            found.rule_set,
            f"{found.rule_set.bearer(found.rule).label} opens {traffic_words(found.rule.traffic)} to "
            f"{public_words(found.sources)}; not reachable: {why}",
            rule=found.rule,
            severity=severity,
            confidence="low" if found.exposure.unknown else "high",
            evidence=(
                *(f"would expose {known.name}" for known in classes_of(found.rule.traffic)),
                *(f"not reachable: {text}" for text in found.exposure.blocked),
                *(f"unknown: {text}" for text in found.exposure.unknown),
            ),
            reachable=None if found.exposure.unknown else False,
            affected=found.judged,
            remedy=remedy,
        )


def _attached_to_nothing() -> Estate:
    b = EstateBuilder()
    b.group("sg-old", allow("ingress", "tcp/3389", "0.0.0.0/0"))
    return b.build()


def _stopped_by_acl() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("ingress", "tcp/8080", "0.0.0.0/0"))
    deny = acl_entry("ingress", 90, "tcp/8080", "0.0.0.0/0", deny=True)
    rest = (acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0"))
    b.acl("acl-1", ["subnet-public"], (deny, *rest))
    b.interface("eni-1", "subnet-public", ["sg-web"], "10.0.1.5", "203.0.113.10")
    return b.build()


def _exposed() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("ingress", "tcp/8080", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-public", ["sg-web"], "10.0.1.5", "203.0.113.10")
    return b.build()


def _azure_nowhere() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-old", nsg_rule("ingress", 100, "tcp/3389", "Internet"), nowhere=True)
    return b.build()


def _azure_inside() -> Estate:
    b = NsgBuilder()
    inside = nsg_rule("ingress", 100, "tcp/3389", "VirtualNetwork")
    b.nsg("nsg-web", inside, nsg_rule("ingress", 110, "tcp/8080", "AzureLoadBalancer"), subnet="web")
    b.machine("nic-1", "web", "10.1.1.10")
    return b.build()


def _gcp_nobody() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("rdp", "ingress", "tcp/3389", targets="tag:windows"))
    b.machine("web", "web", "10.2.1.10", "34.1.2.3", tags=["web"])
    return b.build()


def _gcp_inside() -> Estate:
    b = GcpBuilder()
    b.firewall(
        gcp_rule("rdp", "ingress", "tcp/3389", "tag:jump", targets="tag:windows"),
        gcp_rule("shell", "ingress", "tcp/22", "35.235.240.0/20"),
        gcp_rule("checks", "ingress", "tcp/8080", "35.191.0.0/16, 130.211.0.0/22"),
    )
    b.machine("web", "web", "10.2.1.10", tags=["windows"])
    return b.build()


CHECK = Check(
    id="latent-internet-rule",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example(
            "remote desktop is open in a group that nobody carries", _attached_to_nothing, ("sg-old",), Severity.MEDIUM
        ),
        Example("a deny above the allow closes the port today", _stopped_by_acl, ("sg-web",), Severity.LOW),
        Example("what the internet reaches is exposed, not latent", _exposed),
        Example(
            "remote desktop is open in an NSG that stands nowhere",
            _azure_nowhere,
            (nsg_id("nsg-old"),),
            Severity.MEDIUM,
        ),
        Example("an NSG admits its virtual network and the load balancer's probes alone", _azure_inside),
        Example("remote desktop is open for a tag that nobody bears", _gcp_nobody, (rule_id("rdp"),), Severity.MEDIUM),
        Example("a tag, Identity-Aware Proxy and health checks as sources", _gcp_inside),
    ),
    concept={
        "aws": "security group rules with public sources, on interfaces that the internet cannot reach",
        "azure": "NSG rules with public sources, on interfaces that the internet cannot reach, or on none",
        "gcp": "firewall rules with public sources, on interfaces that the internet cannot reach, or for nobody",
    },
    absent={"kubernetes": "a policy alone opens nothing, since pods have no public address; see internet-exposed-port"},
    needs=("groups", "interfaces"),
    uses=(
        "subnets",
        "routes",
        "gateways",
        "boundary-rules",
        "address-lists",
        "load-balancers",
        "entrances",
        "public-access-block",
    ),
    compliance={
        "cis-gcp-3.0": ("3.6", "3.7"),
        "cis-gcp-4.0": ("3.6", "3.7"),
        "cis-azure-3.0": ("7.1", "7.2", "7.3", "7.4"),
        "cis-azure-4.0": ("8.1", "8.2", "8.3", "8.4"),
        "cis-azure-5.0": ("7.1", "7.2", "7.3", "7.4"),
        "cis-aws-3.0": ("5.2", "5.3"),
        "cis-aws-5.0": ("5.3", "5.4"),
        "nist-800-53r5": ("CM-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.2.5", "1.2.7"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    parameters=(DECLARED_PUBLIC,),
    remedy="remove-unused-rule",
    per_rule=True,
)
