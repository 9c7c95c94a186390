"""A rule that admits every customer of the cloud.

What it finds:
    Ingress rules whose other end is an address list that the provider keeps and that all its customers share: the
    addresses of its content delivery network, of its object storage, of its functions. And managed services whose own
    firewall admits whatever runs in the cloud, where it does not admit the whole internet anyway.

Why it matters:
    The list says that a packet comes from the cloud's service, not on whose behalf. Anybody can open an account, put
    a distribution of their own in front of the service, and pass the rule.

Example:
    ``tcp/443 from com.amazonaws.global.cloudfront.origin-facing`` in the group of a load balancer; or a firewall rule
    of a database server from 0.0.0.0 to 0.0.0.0, which Azure calls "Allow Azure services".

Remedy:
    Let the service prove whose request it is: a private origin, a secret header that the load balancer checks, or a
    private endpoint. The rule is then one layer of two. Take the rule away that admits the whole cloud, and reach the
    service over a private endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.exposure import EVERYONE, public_words
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.ordered_lists import OrderedLists
from cloudseg.checks.rule_lists import managed, traffic_words, unused_words
from cloudseg.checks.service_families import severity_of_service
from cloudseg.findings import Severity
from cloudseg.model import ListRef
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet
from cloudseg.traffic.port_classes import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import AddressList, Estate, Peer, Service


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every ingress rule, and every service, that admits all customers."""
    estate = context.estate
    ordered = OrderedLists(estate)
    for rule_set, rules in context.allowing.naming(lambda end: bool(_shared(end, estate))):
        for rule in rules:
            if rule.direction != "ingress" or not ordered.left(rule_set, rule):
                continue
            judged = context.judged(rule_set, rule)
            unused = not judged and estate.read("interfaces", rule_set)
            names = ", ".join(known.label for known in _shared(rule.remote, estate))
            yield context.finding(
                rule_set,
                f"{rule_set.bearer(rule).label} admits {traffic_words(rule.traffic)} from {names}, "
                "which every customer of the cloud can use",
                rule=rule,
                severity=Severity.LOW if rule.traffic <= WEB or unused else Severity.MEDIUM,
                evidence=(
                    *((unused_words(rule_set),) if unused else ()),
                    *managed(rule_set),
                ),
                affected=judged,
            )
    for _, service in sorted(estate.services.items()):
        if service.any_tenant and service.public is not False and not _admits_all(service):
            yield context.finding(
                service,
                f"{service.label} admits whatever runs in the cloud, and every customer of the cloud can run something",
                severity=severity_of_service(service).lowered(),
                confidence="high" if service.public else "low",
                evidence=(service.reason,) if service.reason else (),
                affected=service.interfaces,
            )


def _shared(end: tuple[Peer, ...], estate: Estate) -> list[AddressList]:
    """Return the lists at an end of a rule whose addresses every customer of the cloud shares."""
    lists = (estate.address_lists.get(peer.list) for peer in end if isinstance(peer, ListRef))
    return [known for known in lists if known is not None and known.any_tenant]


def _admits_all(service: Service) -> bool:
    """Tell whether a service admits the whole internet, which another check tells."""
    return public_words(service.sources & GLOBAL_UNICAST) in {EVERYONE, "the whole IPv4 internet"}


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


def _azure_services() -> Estate:
    b = AzureBuilder()
    b.service(
        "sql",
        "orders",
        anonymous=False,
        any_tenant=True,
        sources=AddressSet.parse("203.0.113.8/29"),
        reason="Azure services are admitted, which are those of every customer of Azure",
    )
    return b.build()


def _azure_closed() -> Estate:
    b = AzureBuilder()
    b.service("sql", "orders", anonymous=False, sources=AddressSet.parse("203.0.113.8/29"))
    b.service("sql", "reports", public=False, anonymous=False)
    return b.build()


def _azure_tag(*, denied: bool) -> Estate:
    b = NsgBuilder()
    before = (nsg_rule("ingress", 90, "all", "Internet", deny=True),) if denied else ()
    b.nsg("nsg-data", *before, nsg_rule("ingress", 100, "tcp/1433", "AzureCloud"), subnet="data")
    b.machine("nic-1", "data", "10.1.2.10")
    return b.build()


def _azure_cloud() -> Estate:
    return _azure_tag(denied=False)


def _azure_cloud_denied() -> Estate:
    return _azure_tag(denied=True)


_GKE = "container/locations/us-central1/clusters/shop"


def _gke(*, google: bool) -> Estate:
    b = GcpBuilder()
    office = AddressSet.parse("203.0.113.8/29")
    b.service("gke", _GKE, control_plane=True, anonymous=False, any_tenant=google, sources=office)
    return b.build()


def _gke_google() -> Estate:
    return _gke(google=True)


def _gke_office() -> Estate:
    return _gke(google=False)


CHECK = Check(
    id="any-tenant-source",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a load balancer trusts every distribution there is", _any_distribution, ("sg-lb",), Severity.LOW),
        Example("all ports for everybody's storage", _any_port, ("sg-app",), Severity.MEDIUM),
        Example("a database admits Azure services", _azure_services, (arm("sql", "orders"),), Severity.MEDIUM),
        Example("a list of one's own, and a shared one for egress alone", _own_list),
        Example("a database that admits an office alone, and one without public access", _azure_closed),
        Example("an NSG rule for `AzureCloud`", _azure_cloud, (nsg_id("nsg-data"),), Severity.MEDIUM),
        Example("an NSG rule for `AzureCloud` behind one that denies the internet", _azure_cloud_denied),
        Example("a GKE cluster admits the addresses of Google Cloud", _gke_google, (_GKE,)),
        Example("a GKE cluster admits an office alone", _gke_office),
    ),
    concept={
        "aws": "security group rules that name a prefix list managed by AWS",
        "azure": "NSG rules that name the service tag `AzureCloud`; services whose firewall admits Azure services",
        "gcp": "control planes whose authorized networks admit the addresses of Google Cloud",
    },
    absent={"kubernetes": "no object of a cluster lists the addresses of a cloud's customers"},
    needs=(
        "groups",
        "address-lists",
        "services.sql",
        "services.postgresql",
        "services.mysql",
        "services.cosmosdb",
        "services.appservice",
        "services.aks",
        "services.gke",
    ),
    uses=("interfaces",),
    compliance={
        "cis-azure-3.0": ("5.1.2",),
        "nist-800-53r5": ("AC-4", "SC-7(11)"),
        "pci-dss-4.0": ("1.3.1", "1.4.2"),
        "nist-800-207": ("2.1",),
    },
    per_rule=True,
)
