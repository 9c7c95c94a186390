"""A rule that admits every customer of the cloud.

What it finds:
    Ingress rules whose other end is an address list that the provider keeps and that all its customers share: the
    addresses of its content delivery network, of its object storage, of its functions.

Why it matters:
    The list says that a packet comes from the cloud's service, not on whose behalf. Anybody can open an account, put
    a distribution of their own in front of the service, and pass the rule.

Example:
    ``tcp/443 from com.amazonaws.global.cloudfront.origin-facing`` in the group of a load balancer.

Remedy:
    Let the service prove whose request it is: a private origin, a secret header that the load balancer checks, or a
    private endpoint. The rule is then one layer of two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import at_interfaces, managed, traffic_words
from cloudseg.findings import Severity
from cloudseg.model import ListRef
from cloudseg.traffic.port_classes import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every ingress rule that names a list shared by all customers."""
    estate = context.estate
    for rule_set in at_interfaces(estate):
        for rule in rule_set.rules:
            if rule.direction != "ingress" or not rule.allows:
                continue
            lists = [estate.address_lists.get(peer.list) for peer in rule.remote if isinstance(peer, ListRef)]
            shared = [known for known in lists if known is not None and known.any_tenant]
            if not shared:
                continue
            judged = estate.governed(rule_set)
            unused = not judged and estate.read("interfaces", rule_set)
            names = ", ".join(known.label for known in shared)
            yield context.finding(
                rule_set,
                f"{rule_set.label} admits {traffic_words(rule.traffic)} from {names}, "
                "which every customer of the cloud can use",
                rule=rule,
                severity=Severity.LOW if rule.traffic <= WEB or unused else Severity.MEDIUM,
                evidence=(
                    *(("no interface carries it",) if unused else ()),
                    *managed(rule_set),
                ),
                affected=judged,
            )


def _any_distribution() -> Estate:
    b = EstateBuilder()
    name = "com.amazonaws.global.cloudfront.origin-facing"
    b.prefix_list("pl-cdn", "203.0.113.0/24", name=name, any_tenant=True)
    b.group("sg-lb", allow("ingress", "tcp/443", "pl-cdn"))
    b.interface("eni-lb", "subnet-public", ["sg-lb"], "10.0.1.5", "203.0.113.200")
    return b.build()


def _any_port() -> Estate:
    b = EstateBuilder()
    b.prefix_list("pl-s3", "198.51.100.0/24", name="com.amazonaws.eu-west-1.s3", any_tenant=True)
    b.group("sg-app", allow("ingress", "tcp/0-65535", "pl-s3"))
    b.interface("eni-app", "subnet-private", ["sg-app"])
    return b.build()


def _own_list() -> Estate:
    b = EstateBuilder()
    b.prefix_list("pl-offices", "203.0.113.0/24", name="offices")
    b.prefix_list("pl-s3", "198.51.100.0/24", name="com.amazonaws.eu-west-1.s3", any_tenant=True)
    b.group("sg-lb", allow("ingress", "tcp/443", "pl-offices"), allow("egress", "tcp/443", "pl-s3"))
    b.interface("eni-lb", "subnet-public", ["sg-lb"], "10.0.1.5", "203.0.113.200")
    return b.build()


CHECK = Check(
    id="any-tenant-source",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a load balancer trusts every distribution there is", _any_distribution, ("sg-lb",), Severity.LOW),
        Example("all ports for everybody's storage", _any_port, ("sg-app",), Severity.MEDIUM),
        Example("a list of one's own, and a shared one for egress alone", _own_list),
    ),
    concept={"aws": "security group rules that name a prefix list managed by AWS"},
    absent={"kubernetes": "no object of a cluster lists the addresses of a cloud's customers"},
    needs=("groups", "address-lists"),
    uses=("interfaces",),
    compliance={
        "nist-800-53r5": ("AC-4", "SC-7(11)"),
        "pci-dss-4.0": ("1.3.1", "1.4.2"),
        "nist-800-207": ("2.1",),
    },
    per_rule=True,
)
