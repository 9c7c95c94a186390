"""A control plane that the internet can address.

What it finds:
    Control planes (the API server of a Kubernetes cluster) whose own setting gives them a public endpoint, with the
    addresses that the setting admits: the whole internet or a large part of it, a list, or a list of fewer than 256
    addresses. Several ranges count by their union. A list without any public address admits nobody from outside and is
    no finding; a setting that was not read is told with low confidence.

Why it matters:
    Whoever holds a stolen token, or knows a flaw of the API server, starts from anywhere; behind a private endpoint
    the network has to be entered first.

Example:
    An EKS cluster with ``endpointPublicAccess`` and ``publicAccessCidrs`` 0.0.0.0/0, as it is made by default; an AKS
    cluster that is not private and has no ``authorizedIPRanges``.

Remedy:
    Turn the private endpoint on, then the public one off; or list the few addresses that administer the cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.exposure import NARROW_SOURCE, public_words
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Remedy, Severity
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Service

# A source of a /16 and more is no list of offices: the endpoint is open in effect.
_WIDE_SOURCE: Final = 1 << 16


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every control plane with a public endpoint, or whose setting was not read."""
    for _, service in sorted(context.estate.services.items()):
        sources = service.sources & GLOBAL_UNICAST
        if service.control_plane and service.public is not False and sources:
            yield _finding(context, service, sources)


def _finding(context: AuditContext, service: Service, sources: AddressSet) -> Finding:
    evidence = (
        *((service.reason,) if service.reason else ()),
        *(f"{name}: {value}" for name, value in sorted(service.settings.items())),
        *_administered(context.estate, service),
    )
    remedy = Remedy("close-public-endpoint", "use the private endpoint, or list the few addresses that administer it")
    if service.public is None:
        return context.finding(
            service,
            f"whether the control plane {service.label} has a public endpoint was not read",
            severity=Severity.MEDIUM,
            confidence="low",
            evidence=evidence,
            remedy=remedy,
        )
    return context.finding(
        service,
        f"the control plane {service.label} has a public endpoint, open to {public_words(sources)}",
        severity=_severity(service, sources),
        evidence=evidence,
        remedy=remedy,
    )


def _administered(estate: Estate, service: Service) -> Iterator[str]:
    """Yield the clusters that were read and that are administered by it, in words."""
    for _, network in sorted(estate.networks.items()):
        if network.control_plane == service.id:
            pods = sum(each.is_pod and each.scope == network.scope for each in estate.interfaces.values())
            yield f"it administers the cluster {network.scope}, of which {counted(pods, 'workload')} were read"


def _severity(service: Service, sources: AddressSet) -> Severity:
    if service.anonymous is True:
        return Severity.CRITICAL
    if sources.size >= _WIDE_SOURCE:
        return Severity.HIGH
    return Severity.LOW if sources.size < NARROW_SOURCE else Severity.MEDIUM


def _open_cluster() -> Estate:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, reason="endpointPublicAccess is true")
    return b.build()


def _two_halves() -> Estate:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, sources=AddressSet.parse("0.0.0.0/1, 128.0.0.0/1"))
    return b.build()


def _office_only() -> Estate:
    b = EstateBuilder()
    b.service("shop", "eks", control_plane=True, sources=AddressSet.parse("203.0.113.8/29"))
    return b.build()


def _unread() -> Estate:
    b = EstateBuilder()
    b.service("shop", "eks", public=None, control_plane=True)
    return b.build()


def _private() -> Estate:
    b = EstateBuilder()
    b.service("shop", "eks", public=False, control_plane=True)
    b.service("inside", "eks", control_plane=True, sources=AddressSet.parse("10.0.0.0/8"))
    b.service("logs", "s3")
    return b.build()


def _azure_open() -> Estate:
    b = AzureBuilder()
    b.service("aks", "shop", control_plane=True, reason="the cluster is not private, and authorizedIPRanges is empty")
    return b.build()


def _azure_private() -> Estate:
    b = AzureBuilder()
    b.service("aks", "shop", public=False, control_plane=True, reason="enablePrivateCluster is true")
    return b.build()


_GKE = "container/locations/us-central1/clusters/shop"


def _gcp_open() -> Estate:
    b = GcpBuilder()
    b.service("gke", _GKE, control_plane=True, reason="masterAuthorizedNetworksConfig is not enabled")
    return b.build()


def _gcp_private() -> Estate:
    b = GcpBuilder()
    b.service("gke", _GKE, public=False, control_plane=True)
    return b.build()


CHECK = Check(
    id="public-control-plane",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example("the API server of a cluster is open to everyone", _open_cluster, ("shop",), Severity.HIGH),
        Example("two halves of the address space are everyone", _two_halves, ("shop",), Severity.HIGH),
        Example("the API server admits eight addresses of an office", _office_only, ("shop",), Severity.LOW),
        Example("the setting of the endpoint was not read", _unread, ("shop",), Severity.MEDIUM),
        Example("an AKS cluster without authorized ranges", _azure_open, (arm("aks", "shop"),), Severity.HIGH),
        Example("a private AKS cluster", _azure_private),
        Example("private control planes, one of them with a list of private addresses only", _private),
        Example("a GKE cluster without authorized networks", _gcp_open, (_GKE,), Severity.HIGH),
        Example("a private GKE cluster", _gcp_private),
    ),
    concept={
        "aws": "public endpoints of EKS clusters and the addresses that they admit",
        "azure": "API servers of AKS clusters: private clusters and authorized address ranges",
        "gcp": "API servers of GKE clusters: private endpoints and authorized networks",
    },
    absent={
        "kubernetes": "the cloud that runs the API server says who may reach it: audit that along with the cluster"
    },
    needs=("services.eks", "services.aks", "services.gke"),
    compliance={
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.3.1", "1.4.2"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    remedy="close-public-endpoint",
)
