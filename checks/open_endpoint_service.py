"""A service of one's own that anyone can connect to privately.

What it finds:
    Endpoint services whose allowed principals are everyone: without approval anyone connects, with approval anyone may
    ask. What was not read counts as open, with low confidence. A list of principals without approval is no finding:
    who is on it was chosen.

Why it matters:
    Such a service is reachable from every account of the cloud over private addresses. Firewalls at the edge of the
    network never see that traffic, and the rules of the load balancer in front may not see it either.

Example:
    An endpoint service without ``AcceptanceRequired`` that allows the principal ``*``; a private link service that is
    visible to, and approves, the subscription ``*``.

Remedy:
    Require approval, and list the accounts that may ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import EndpointService, Estate

_ANYONE = "*"


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every endpoint service that anyone may connect to, or perhaps may."""
    for _, service in sorted(context.estate.endpoint_services.items()):
        if service.principals is None or _ANYONE in service.principals:
            yield _finding(context, service)


def _finding(context: AuditContext, service: EndpointService) -> Finding:
    sure = service.principals is not None and service.acceptance_required is not None
    may = "can" if sure else "can perhaps"
    asks = service.acceptance_required is True
    scope = {"azure": "subscription", "gcp": "project"}.get(service.provider, "account")
    connected = sum(1 for connection in service.connections if connection.state == "accepted")
    return context.finding(
        service,
        f"any {scope} {may} {'ask for a connection' if asks else 'connect without approval'} to {service.label}",
        severity=Severity.LOW if asks else Severity.HIGH,
        confidence="high" if sure else "low",
        evidence=(
            "unknown: who may ask for a connection" if service.principals is None else "allowed principals: everyone",
            _approval(service.acceptance_required),
            f"connected now: {connected}",
        ),
    )


def _approval(required: bool | None) -> str:  # noqa: FBT001 - the setting itself, with its unknown
    match required:
        case True:
            return "a connection waits for approval"
        case False:
            return "a connection needs no approval"
        case None:
            return "unknown: whether a connection waits for approval"


def _open_to_all() -> Estate:
    b = EstateBuilder()
    b.endpoint_service("vpce-svc-1", acceptance_required=False, principals=("*",))
    return b.build()


def _anyone_may_ask() -> Estate:
    b = EstateBuilder()
    b.endpoint_service("vpce-svc-1", acceptance_required=True, principals=("*",))
    return b.build()


def _unread() -> Estate:
    b = EstateBuilder()
    b.endpoint_service("vpce-svc-1", acceptance_required=False, principals=None)
    return b.build()


def _listed() -> Estate:
    b = EstateBuilder()
    b.endpoint_service("vpce-svc-1", acceptance_required=False, principals=("arn:aws:iam::444455556666:root",))
    b.endpoint_service("vpce-svc-2", acceptance_required=True, principals=())
    return b.build()


def _azure_anyone() -> Estate:
    b = AzureBuilder()
    b.private_link_service("pls-1", acceptance_required=True, principals=("*",))
    return b.build()


def _azure_by_role() -> Estate:
    b = AzureBuilder()
    b.private_link_service("pls-1", acceptance_required=True, principals=())
    return b.build()


_PUBLISHED = "regions/us-central1/serviceAttachments/orders"


def _gcp(*, accepts: bool, who: tuple[str, ...]) -> Estate:
    b = GcpBuilder()
    b.published("orders", accepts=accepts, who=who)
    return b.build()


def _gcp_automatic() -> Estate:
    return _gcp(accepts=False, who=("*",))


def _gcp_listed() -> Estate:
    return _gcp(accepts=True, who=("partner-project",))


CHECK = Check(
    id="open-endpoint-service",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example("anyone connects without approval", _open_to_all, ("vpce-svc-1",), Severity.HIGH),
        Example("anyone may ask, and approval decides", _anyone_may_ask, ("vpce-svc-1",), Severity.LOW),
        Example("the allowed principals were not read", _unread, ("vpce-svc-1",), Severity.HIGH),
        Example(
            "a private link service is visible to everybody who knows its alias",
            _azure_anyone,
            (arm("microsoft.network/privatelinkservices", "pls-1"),),
            Severity.LOW,
        ),
        Example("listed accounts only, or nobody", _listed),
        Example("a private link service that only those with a role can see", _azure_by_role),
        Example("a published service that accepts every consumer", _gcp_automatic, (_PUBLISHED,), Severity.HIGH),
        Example("a published service that accepts one project", _gcp_listed),
    ),
    concept={
        "aws": "acceptance and allowed principals of VPC endpoint services",
        "azure": "visibility and approval beforehand of private link services",
        "gcp": "connection preferences and accept lists of published services",
    },
    absent={"kubernetes": "private endpoints belong to the cloud beneath the cluster"},
    needs=("endpoint-services",),
    compliance={
        "nist-800-53r5": ("AC-4", "CA-9", "SC-7(5)"),
        "pci-dss-4.0": ("1.4.2",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
)
