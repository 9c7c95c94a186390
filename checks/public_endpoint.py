"""A managed service that the internet can address.

What it finds:
    Managed services whose own settings give them a public endpoint: databases, caches and brokers; buckets and vaults;
    functions, APIs and registries. One table says how bad that is for each family, with and without credentials. Where
    a service has interfaces, the rules over them are asked as well: a public setting that no rule opens to the internet
    is milder, and the evidence says which it is. A setting that was not read is one step milder, with low confidence.
    A service that admits fewer than 256 addresses is one step milder too; one that admits no public address is no
    finding. Control planes are the subject of another check, and so are services that admit the cloud's own machines.

Why it matters:
    A public database is guarded by its password and its patches alone. A public setting that the rules close today is
    one rule away from that.

Example:
    An RDS instance with ``PubliclyAccessible``, in a security group that admits ``tcp/5432 from 0.0.0.0/0``.

Remedy:
    Turn public access off and reach the service over a private endpoint, or over its network's own addresses. Tag what
    is meant to be public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_azure_services import closed_services, office_database, open_account, open_database
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.exposure import NARROW_SOURCE, public_words
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.internet_exposed_port import DECLARED_PUBLIC
from cloudseg.checks.service_families import family_of, severity_of_service
from cloudseg.findings import Confidence, Remedy, Severity
from cloudseg.reach.internet import joined
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Rule, RuleSet, Service
    from cloudseg.reach.internet import Exposure


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every managed service with a public endpoint, or whose setting was not read."""
    rules = _OpenRules(context)
    for _, service in sorted(context.estate.services.items()):
        sources = service.sources & GLOBAL_UNICAST
        if not service.control_plane and service.public is not False and sources:
            yield _finding(context, service, sources, rules.reach_of(service))


def _finding(context: AuditContext, service: Service, sources: AddressSet, way: Exposure | None) -> Finding:
    known = service.public is True
    closed = way is not None and way.verdict == "latent"
    message = (
        f"{service.label} has a public endpoint, open to {public_words(sources)}"
        if known
        else f"whether {service.label} has a public endpoint was not read"
    )
    if known and closed:
        message = f"{service.label} has a public setting, but nothing lets the internet in today"
    return context.finding(
        service,
        message,
        severity=_severity(context, service, sources, closed=closed),
        confidence=_confidence(service, way),
        evidence=_evidence(service, way),
        reachable=None if way is None or way.verdict == "unknown" else way.verdict == "exposed",
        affected=service.interfaces,
        remedy=Remedy("close-public-endpoint", "turn public access off, and reach the service over a private path"),
    )


def _severity(context: AuditContext, service: Service, sources: AddressSet, *, closed: bool) -> Severity:
    severity = severity_of_service(service)
    if family_of(service).for_the_public and _is_declared(service, context.texts(DECLARED_PUBLIC.name)):
        return Severity.INFO
    if closed:
        severity = max(severity, Severity.MEDIUM, key=lambda s: s.rank)
    if sources.size < NARROW_SOURCE:
        severity = severity.lowered()
    return severity if service.public else severity.lowered()


def _confidence(service: Service, way: Exposure | None) -> Confidence:
    if service.public is None or service.anonymous is None or (way is not None and way.verdict == "unknown"):
        return "low"
    return "medium" if way is None and family_of(service).at_interfaces else "high"


def _evidence(service: Service, way: Exposure | None) -> Iterator[str]:
    if service.reason:
        yield service.reason
    match service.anonymous:
        case True:
            yield "it answers callers without credentials"
        case False if service.any_account:
            yield "it asks for credentials, and those of anybody who has an account at all will do"
        case False:
            yield "it asks for credentials"
        case None:
            yield "unknown: whether it asks for credentials was not read"
    if way is None:
        if family_of(service).at_interfaces:
            yield "unknown: its interfaces or their groups were not read in full, so no rule was judged"
        return
    match way.verdict:
        case "exposed":
            yield f"its network's rules let the internet in: {way.certain}"
        case "unknown":
            yield f"its network's rules may let the internet in: {way.at_most}"
        case "latent":
            yield "its network's rules do not let the internet in"
    yield from (f"way in: {text}" for text in way.ways)
    yield from (f"closed: {text}" for text in way.blocked)
    yield from (f"unknown: {text}" for text in way.unknown)


def _is_declared(service: Service, declared: tuple[str, ...]) -> bool:
    return any(f"{key}={value}" in declared for key, value in service.tags.items())


class _OpenRules:
    """The rules that admit public addresses, looked up once for each rule set."""

    def __init__(self, context: AuditContext) -> None:
        self._estate = context.estate
        self._view = context.internet
        # Stages at a boundary that keep no state only narrow what others let in.
        self._stages = sorted(
            {
                stage.name
                for pipeline in context.estate.pipelines.values()
                for stage in pipeline.ingress
                if stage.at not in {"subnet-boundary", "network"} or stage.stateful
            }
        )
        self._open: dict[str, tuple[Rule, ...]] = {}

    def reach_of(self, service: Service) -> Exposure | None:
        """Return what rules let the internet reach of a service's interfaces; None where that was not read in full."""
        estate = self._estate
        if not family_of(service).at_interfaces:
            return None
        interfaces = [estate.interfaces[name] for name in sorted(service.interfaces) if name in estate.interfaces]
        exposures = (
            self._view.exposure(rule_set, rule, interface)
            for interface in interfaces
            for stage in self._stages
            for rule_set in estate.judging(interface, stage)
            for rule in self._open_of(rule_set)
        )
        found = joined(dict.fromkeys(exposures))
        if found.verdict != "latent":
            return found
        if not interfaces or not all(i.attached and i.attached <= estate.rule_sets.keys() for i in interfaces):
            return None
        return found if found.blocked else found._replace(blocked=("no rule admits a public address",))

    def _open_of(self, rule_set: RuleSet) -> tuple[Rule, ...]:
        if rule_set.id not in self._open:
            self._open[rule_set.id] = tuple(
                rule
                for rule in rule_set.rules
                if rule.direction == "ingress" and rule.allows and self._view.public_sources(rule)[1]
            )
        return self._open[rule_set.id]


def _public_database(source: str) -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", source))
    b.interface("eni-1", "subnet-public", ["sg-db"], "10.0.1.5", "203.0.113.10", workload=b.id("orders"))
    b.service(
        "orders",
        "rds",
        anonymous=False,
        reason="PubliclyAccessible is true",
        network=b.id("vpc-1"),
        interfaces=frozenset({b.id("eni-1")}),
    )
    return b


def _open_database() -> Estate:
    return _public_database("0.0.0.0/0").build()


def _closed_by_its_groups() -> Estate:
    return _public_database("10.0.0.0/16").build()


def _anonymous_search() -> Estate:
    b = EstateBuilder()
    b.service("logs", "opensearch", anonymous=True, reason="the access policy admits everyone")
    return b.build()


def _open_bucket() -> Estate:
    b = EstateBuilder()
    b.service("exports", "s3", anonymous=True, reason="the bucket policy is public")
    return b.build()


def _declared_website() -> Estate:
    b = EstateBuilder()
    b.service("website", "s3", anonymous=True, tags={"exposure": "public"})
    return b.build()


def _private_services() -> Estate:
    b = EstateBuilder()
    b.service("orders", "rds", public=False, anonymous=False)
    b.service("search", "opensearch", anonymous=True, sources=AddressSet.parse("10.0.0.0/8"))
    b.service("shop", "eks", control_plane=True)
    return b.build()


def _gcp_open() -> Estate:
    b = GcpBuilder()
    b.service("cloudsql", "sqladmin/instances/orders", anonymous=False, reason="authorizedNetworks: 0.0.0.0/0")
    return b.build()


def _gcp_bucket() -> Estate:
    b = GcpBuilder()
    b.service("gcs", "storage/buckets/exports", anonymous=True, reason="allUsers has roles/storage.objectViewer")
    return b.build()


def _gcp_closed() -> Estate:
    b = GcpBuilder()
    b.service("cloudsql", "sqladmin/instances/orders", public=False, anonymous=False)
    b.service("gcs", "storage/buckets/exports", public=False, anonymous=False)
    return b.build()


CHECK = Check(
    id="public-endpoint",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example("a public database that its group opens to everyone", _open_database, ("orders",), Severity.HIGH),
        Example("a public database that its group closes", _closed_by_its_groups, ("orders",), Severity.MEDIUM),
        Example("a search domain answers without credentials", _anonymous_search, ("logs",), Severity.CRITICAL),
        Example("a bucket answers without credentials", _open_bucket, ("exports",), Severity.HIGH),
        Example("a website's bucket is declared public", _declared_website, ("website",), Severity.INFO),
        Example(
            "a database whose firewall admits every address",
            open_database,
            (arm("sql", "orders"),),
            Severity.HIGH,
        ),
        Example("a database that admits eight addresses of an office", office_database, (arm("sql", "orders"),)),
        Example("a storage account without a firewall", open_account, (arm("storage", "exports"),), Severity.MEDIUM),
        Example("private services, and a control plane, which another check judges", _private_services),
        Example("services that are closed, and one that admits the cloud's own machines alone", closed_services),
        Example(
            "a Cloud SQL instance that admits every address", _gcp_open, ("sqladmin/instances/orders",), Severity.HIGH
        ),
        Example("a bucket that everybody may read", _gcp_bucket, ("storage/buckets/exports",), Severity.HIGH),
        Example("a database without a public address, and a bucket that prevents public access", _gcp_closed),
    ),
    concept={
        "aws": "public settings of managed services: databases, buckets, functions, APIs, registries",
        "azure": "public network access and firewalls of managed services: databases, storage, vaults, apps, brokers",
        "gcp": "public addresses of databases, ingress of Cloud Run and functions, who may use buckets and datasets",
    },
    absent={"kubernetes": "managed services belong to the cloud beneath the cluster"},
    uses=(
        "services.s3",
        "services.rds",
        "services.redshift",
        "services.opensearch",
        "services.elasticache",
        "services.memorydb",
        "services.lambda",
        "services.apigateway",
        "services.ecr-public",
        "services.kafka",
        "services.dms",
        "services.efs",
        "services.verified-access",
        "services.storage",
        "services.sql",
        "services.postgresql",
        "services.mysql",
        "services.cosmosdb",
        "services.keyvault",
        "services.containerregistry",
        "services.appservice",
        "services.servicebus",
        "services.eventhub",
        "services.redis",
        "services.search",
        "services.cognitiveservices",
        "services.cloudsql",
        "services.alloydb",
        "services.memorystore",
        "services.run",
        "services.functions",
        "services.gcs",
        "services.bigquery",
        "groups",
        "interfaces",
        "routes",
        "boundary-rules",
    ),
    compliance={
        "cis-azure-3.0": ("4.6", "4.7", "5.1.2"),
        "cis-azure-4.0": ("9.3.7", "10.3.2.2", "10.3.2.3"),
        "cis-azure-5.0": ("8.3.7", "9.3.2.2", "9.3.2.3"),
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)", "SC-7(11)"),
        "pci-dss-4.0": ("1.3.1", "1.4.2", "1.4.4"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    parameters=(DECLARED_PUBLIC,),
    remedy="close-public-endpoint",
)
