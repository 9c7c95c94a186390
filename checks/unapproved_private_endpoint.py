"""A private endpoint that nobody has approved.

What it finds:
    Endpoints of one's own that wait for the approval of the service's owner, or were refused or forgotten and still
    stand there; and services of one's own, managed ones too, at whose door others wait, one finding a service. A
    connection whose both ends were read is told once, at the service.

Why it matters:
    A waiting endpoint carries nothing: its users go another way, often over the internet. A waiting consumer is a
    stranger until somebody looks, and an approval without a look lets it in.

Example:
    An endpoint in state ``pendingAcceptance`` for a partner's service, made months ago.

Remedy:
    Have the owner of the service approve the endpoint, or remove it. Approve the consumers that are known, reject the
    others, and list who may ask at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Severity
from cloudseg.model import EndpointConnection, shown_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Endpoint, EndpointService, Estate, Service

# State in the provider's word, without case: whether it waits, and what it means.
# https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html#concepts-vpc-endpoints
# https://learn.microsoft.com/azure/private-link/manage-private-endpoint
_STATES: Final = {
    "pendingacceptance": (True, "waits for the approval of the service's owner"),
    "pending": (True, "is not approved yet"),
    "rejected": (False, "was rejected by the service's owner and still stands there"),
    "disconnected": (False, "was disconnected by the service's owner and still stands there"),
    "expired": (False, "was never approved, its request has expired, and it still stands there"),
}
_SHOWN: Final = 5


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every endpoint without approval, and for every service with waiting consumers."""
    told: set[str] = set()
    estate = context.estate
    services: list[EndpointService | Service] = [service for _, service in sorted(estate.endpoint_services.items())]
    services += [service for _, service in sorted(estate.services.items()) if service.connections]
    for service in services:
        waiting = [connection for connection in service.connections or () if connection.state == "pending"]
        told.update(f"{connection.owner}/{connection.endpoint}" for connection in waiting)
        if waiting:
            yield _waiting_consumers(context, service, waiting)
    for _, endpoint in sorted(estate.endpoints.items()):
        state = _STATES.get(endpoint.state.lower())
        if state is not None and f"{endpoint.scope}/{endpoint.own_id}" not in told:
            waits, meaning = state
            yield _unapproved(context, endpoint, meaning, Severity.LOW if waits else Severity.INFO)


def _waiting_consumers(
    context: AuditContext, service: EndpointService | Service, waiting: list[EndpointConnection]
) -> Finding:
    count = len(waiting)
    owners = sorted({connection.owner for connection in waiting})
    return context.finding(
        service,
        f"{count} endpoint{'s wait' if count != 1 else ' waits'} for approval at the service {service.label}",
        evidence=(
            f"asked by {', '.join(owners[:_SHOWN])}{f' and {len(owners) - _SHOWN} more' * (len(owners) > _SHOWN)}",
            *(
                f"{shown_id(c.endpoint)} of {c.owner}"
                for c in sorted(waiting, key=lambda c: (c.owner, c.endpoint))[:_SHOWN]
            ),
        ),
    )


def _unapproved(context: AuditContext, endpoint: Endpoint, meaning: str, severity: Severity) -> Finding:
    return context.finding(
        endpoint,
        f"{endpoint.label} to {endpoint.service} {meaning}",
        severity=severity,
        evidence=(f"state: {endpoint.state}",),
        affected=endpoint.interfaces,
    )


def _pending() -> Estate:
    b = EstateBuilder()
    b.endpoint("vpce-1", "vpce-svc-9", type="interface", usable=False, state="pendingAcceptance")
    return b.build()


def _rejected() -> Estate:
    b = EstateBuilder()
    b.endpoint("vpce-1", "vpce-svc-9", type="interface", usable=False, state="rejected")
    return b.build()


def _waiting() -> Estate:
    b = EstateBuilder()
    b.endpoint_service("vpce-svc-1", connections=(EndpointConnection("vpce-9", "444455556666", "pending"),))
    return b.build()


def _approved() -> Estate:
    b = EstateBuilder()
    b.endpoint("vpce-1", "vpce-svc-9", type="interface")
    b.endpoint_service("vpce-svc-1", connections=(EndpointConnection("vpce-9", "444455556666", "accepted"),))
    return b.build()


def _azure_waiting() -> Estate:
    b = AzureBuilder()
    stranger = "/subscriptions/00000000-0000-0000-0000-0000000000bb/resourcegroups/x/providers/p/privateendpoints/y"
    asked = EndpointConnection(stranger, "00000000-0000-0000-0000-0000000000bb", "pending")
    b.service("storage", "exports", public=False, connections=(asked,))
    b.endpoint("pe-1", "partner.westeurope.azure.privatelinkservice", usable=False, state="Rejected")
    return b.build()


def _azure_approved() -> Estate:
    b = AzureBuilder()
    endpoint = arm("microsoft.network/privateendpoints", "pe-1")
    b.service("storage", "exports", connections=(EndpointConnection(endpoint, "aa", "accepted"),))
    b.endpoint("pe-1", arm("storage", "exports"))
    return b.build()


def _gcp_pending() -> Estate:
    b = GcpBuilder()
    b.endpoint("to-partner", "projects/partner/regions/us-central1/serviceAttachments/x", usable=False, state="PENDING")
    return b.build()


def _gcp_accepted() -> Estate:
    b = GcpBuilder()
    b.endpoint("to-partner", "projects/partner/regions/us-central1/serviceAttachments/x")
    return b.build()


CHECK = Check(
    id="unapproved-private-endpoint",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("an endpoint waits for the owner of the service", _pending, ("vpce-1",), Severity.LOW),
        Example("a rejected endpoint still stands there", _rejected, ("vpce-1",), Severity.INFO),
        Example("a consumer waits at a service of one's own", _waiting, ("vpce-svc-1",), Severity.LOW),
        Example(
            "somebody waits at a storage account, and one's own endpoint was rejected",
            _azure_waiting,
            (arm("storage", "exports"), arm("microsoft.network/privateendpoints", "pe-1")),
        ),
        Example("both ends are approved", _approved),
        Example("a storage account and its private endpoint agree", _azure_approved),
        Example(
            "an endpoint of Private Service Connect waits for the producer",
            _gcp_pending,
            ("regions/us-central1/forwardingRules/to-partner",),
            Severity.LOW,
        ),
        Example("an endpoint of Private Service Connect that was accepted", _gcp_accepted),
    ),
    concept={
        "aws": "states of VPC endpoints, and connections to VPC endpoint services",
        "azure": "states of private endpoints, and connections to private link services and managed services",
        "gcp": "states of endpoints of Private Service Connect, and connections to published services",
    },
    absent={"kubernetes": "private endpoints belong to the cloud beneath the cluster"},
    needs=("endpoints",),
    uses=("endpoint-services",),
    compliance={"nist-800-53r5": ("AC-4", "CA-9")},
)
