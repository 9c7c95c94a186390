"""Endpoint services of one's own, which others reach over private endpoints."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.model import EndpointConnection, EndpointService
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_endpoint_services"]

_FACET = "endpoint-services"
_PERMISSIONS = ("ec2", "describe_vpc_endpoint_service_permissions")
_STATES: dict[str, Literal["pending", "accepted", "rejected", "failed", "other"]] = {
    "pendingacceptance": "pending",
    "pending": "accepted",
    "available": "accepted",
    "rejected": "rejected",
    "failed": "failed",
}


class _Service(msgspec.Struct, rename="pascal"):
    service_id: str
    service_name: str = ""
    acceptance_required: bool | None = None
    network_load_balancer_arns: list[str] = []
    gateway_load_balancer_arns: list[str] = []
    tags: list[Tag] = []


class _Principal(msgspec.Struct, rename="pascal"):
    principal: str = ""
    principal_type: str = ""


class _Connection(msgspec.Struct, rename="pascal"):
    service_id: str
    vpc_endpoint_id: str = ""
    vpc_endpoint_owner: str = ""
    vpc_endpoint_state: str = ""


def add_endpoint_services(answers: Answers, draft: Draft) -> None:
    """Add endpoint services with who may ask for a connection, and who has one.

    Sources: https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ServiceConfiguration.html
    """
    principals: defaultdict[str, set[str]] = defaultdict(set)
    for resource, allowed in answers.each_of(*_PERMISSIONS, "AllowedPrincipals", _Principal, _FACET):
        everyone = allowed.principal == "*" or allowed.principal_type == "All"
        principals[resource].add("*" if everyone else allowed.principal)
    connections: defaultdict[str, list[EndpointConnection]] = defaultdict(list)
    for wire in answers.each("ec2", "describe_vpc_endpoint_connections", "VpcEndpointConnections", _Connection, _FACET):
        state = _STATES.get(wire.vpc_endpoint_state.lower(), "other")
        connections[wire.service_id].append(EndpointConnection(wire.vpc_endpoint_id, wire.vpc_endpoint_owner, state))
    asked = answers.resources(*_PERMISSIONS)
    operation = "describe_vpc_endpoint_service_configurations"
    for service in answers.each("ec2", operation, "ServiceConfigurations", _Service, _FACET):
        own = service.service_id
        read = own in asked and answers.intact(*_PERMISSIONS, own)
        tags = tags_of(service.tags)
        balancers = (*service.network_load_balancer_arns, *service.gateway_load_balancer_arns)
        found = EndpointService(
            id=answers.id(own),
            kind="vpc-endpoint-service",
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            service=service.service_name,
            acceptance_required=service.acceptance_required,
            principals=tuple(sorted(principals[own])) if read or "*" in principals[own] else None,
            connections=tuple(sorted(connections[own], key=lambda each: (each.owner, each.endpoint))),
            balancers=frozenset(draft.id_of(answers, balancer) for balancer in balancers),
        )
        draft.put(draft.endpoint_services, found, answers.scope)
