"""A private endpoint whose policy lets everything through.

What it finds:
    Endpoints whose policy allows every action of every principal on everything, which is the policy that an endpoint
    has when nobody wrote one. Gateway endpoints, which lead to storage and tables of all accounts, count more. Services
    that know no endpoint policies are not at fault for having none; endpoints that are not in use are left out.

Why it matters:
    Over an open endpoint data can be copied to a bucket of anybody's account, by credentials of that account, without
    passing any firewall.

Example:
    A gateway endpoint for S3 with the default policy.

Remedy:
    Write a policy that allows one's own organization's principals on one's own resources, and the provider's buckets
    that are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Endpoint, Estate


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every endpoint in use whose policy is open, or was not read."""
    for _, endpoint in sorted(context.estate.endpoints.items()):
        if endpoint.usable is not False and endpoint.policy in {"open", "unknown"} and _takes_policy(endpoint):
            yield _finding(context, endpoint)


def _takes_policy(endpoint: Endpoint) -> bool:
    """Tell whether the type of endpoint knows policies.

    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    return endpoint.type != "gateway-load-balancer"


def _finding(context: AuditContext, endpoint: Endpoint) -> Finding:
    to_storage = endpoint.type == "gateway"
    if endpoint.policy == "open":
        message = f"the policy of {endpoint.label} lets anyone do anything with {endpoint.service}"
        evidence = ("it allows every action of every principal on every resource",)
    else:
        message = f"the policy of {endpoint.label} to {endpoint.service} was not read, so it may let everything through"
        evidence = ("unknown: the policy; an endpoint without one of its own lets everything through",)
    return context.finding(
        endpoint,
        message,
        severity=Severity.MEDIUM if to_storage else Severity.LOW,
        confidence="high" if endpoint.policy == "open" else "low",
        evidence=evidence,
        affected=endpoint.interfaces,
    )


def _open_gateway() -> Estate:
    b = EstateBuilder()
    b.endpoint("vpce-1", "s3", policy="open")
    return b.build()


def _open_interface() -> Estate:
    b = EstateBuilder()
    b.endpoint("vpce-1", "sqs", type="interface", policy="open")
    return b.build()


def _unread() -> Estate:
    b = EstateBuilder()
    b.endpoint("vpce-1", "s3", policy="unknown")
    return b.build()


def _restricted() -> Estate:
    b = EstateBuilder()
    b.endpoint("vpce-1", "s3", policy="restricted")
    b.endpoint("vpce-2", "ec2messages", type="interface", policy="unsupported")
    b.endpoint("vpce-3", "sqs", type="interface", policy="open", usable=False, state="deleted")
    return b.build()


CHECK = Check(
    id="open-endpoint-policy",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("a gateway endpoint for storage has the default policy", _open_gateway, ("vpce-1",), Severity.MEDIUM),
        Example("an interface endpoint has the default policy", _open_interface, ("vpce-1",), Severity.LOW),
        Example("the policy was not read", _unread, ("vpce-1",)),
        Example("a restricted policy, a service without policies, and a deleted endpoint", _restricted),
    ),
    concept={"aws": "policies of VPC endpoints"},
    absent={
        "azure": "private endpoints have no policies: each leads to one resource",
        "kubernetes": "private endpoints belong to the cloud beneath the cluster",
        "gcp": "endpoints of Private Service Connect have no policies",
    },
    needs=("endpoints",),
    compliance={
        "nist-800-53r5": ("AC-4", "SC-7"),
        "pci-dss-4.0": ("1.3.2",),
        "cisa-ztmm-2": ("Networks: Network Traffic Management",),
    },
)
