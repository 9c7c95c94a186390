"""VPC endpoints, and EC2 Instance Connect endpoints, which are workloads of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.model import Endpoint, Interface, Workload
from cloudseg.providers.aws.translate.policies import statements_of
from cloudseg.providers.aws.translate.policy_limits import admits_all, restricts
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft
    from cloudseg.providers.aws.translate.policies import Statement

__all__ = ["add_endpoints", "add_instance_connect_endpoints"]

_FACET = "endpoints"
_WHAT = "ec2.describe_vpc_endpoints"
_TYPES: dict[str, Literal["gateway", "interface", "gateway-load-balancer", "resource", "service-network"]] = {
    "": "gateway",  # the only type there was when answers did not name it
    "Gateway": "gateway",
    "Interface": "interface",
    "GatewayLoadBalancer": "gateway-load-balancer",
    "Resource": "resource",
    "ServiceNetwork": "service-network",
}
_Policy = Literal["open", "restricted", "unsupported", "unknown"]
_UP = "available"
_DOWN = frozenset(("pendingacceptance", "pending", "deleting", "deleted", "rejected", "failed", "expired"))
_WITH_POLICY = frozenset(("gateway", "interface"))


class _Group(msgspec.Struct, rename="pascal"):
    group_id: str


class _Endpoint(msgspec.Struct, rename="pascal"):
    vpc_endpoint_id: str
    vpc_id: str
    vpc_endpoint_type: str = ""
    service_name: str | None = None
    state: str = ""
    policy_document: str | None = None
    route_table_ids: list[str] = []
    subnet_ids: list[str] = []
    groups: list[_Group] = []
    network_interface_ids: list[str] = []
    private_dns_enabled: bool | None = None
    owner_id: str = ""
    service_network_arn: str = ""
    resource_configuration_arn: str = ""
    tags: list[Tag] = []


class _EndpointKind(msgspec.Struct, rename="pascal"):
    service_name: str = ""
    vpc_endpoint_policy_supported: bool = True


class _InstanceConnectEndpoint(msgspec.Struct, rename="pascal"):
    instance_connect_endpoint_id: str
    owner_id: str = ""
    state: str = ""
    vpc_id: str = ""
    subnet_id: str = ""
    network_interface_ids: list[str] = []
    security_group_ids: list[str] = []
    preserve_client_ip: bool = False
    tags: list[Tag] = []


def add_endpoints(answers: Answers, draft: Draft) -> None:
    """Add VPC endpoints, with those of their interfaces that no other answer lists.

    Only an endpoint that is available leads anywhere. Sources:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
    https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html
    """
    listed = answers.each("ec2", "describe_vpc_endpoint_services", "ServiceDetails", _EndpointKind, _FACET)
    without_policy = frozenset(kind.service_name for kind in listed if not kind.vpc_endpoint_policy_supported)
    for wire in answers.each("ec2", "describe_vpc_endpoints", "VpcEndpoints", _Endpoint, _FACET):
        endpoint = _endpoint(answers, draft, wire, without_policy)
        draft.put(draft.endpoints, endpoint, answers.scope)
        subnet = next(iter(endpoint.subnets)) if len(endpoint.subnets) == 1 else None
        for own in wire.network_interface_ids:
            if own and draft.id_of(answers, own, wire.owner_id) not in draft.interfaces:
                interface = _unlisted(answers, draft, own, wire.owner_id, "vpc_endpoint")
                interface = msgspec.structs.replace(
                    interface,
                    network=endpoint.network,
                    subnet=subnet,
                    attached=endpoint.groups,
                    attached_unread=not endpoint.groups and endpoint.type == "interface",
                )
                draft.put(draft.interfaces, interface, answers.scope)


def _endpoint(answers: Answers, draft: Draft, wire: _Endpoint, without_policy: frozenset[str]) -> Endpoint:
    owner = wire.owner_id
    kind = _TYPES.get(wire.vpc_endpoint_type)
    if kind is None:
        detail = (
            f"VpcEndpointType {wire.vpc_endpoint_type} is none that is known; it is taken for an interface endpoint"
        )
        answers.gap(_WHAT, wire.vpc_endpoint_id, "unsupported", detail, _FACET)
        kind = "interface"
    state = wire.state.lower()
    usable = True if state == _UP else False if state in _DOWN else None
    service = wire.service_name or wire.service_network_arn or wire.resource_configuration_arn
    tags = tags_of(wire.tags)
    policy = _policy(answers, wire)
    if kind not in _WITH_POLICY or service in without_policy or ".vpce-svc-" in service:
        policy = "unsupported"
    return Endpoint(
        id=answers.id(wire.vpc_endpoint_id, account=owner),
        kind="vpc-endpoint",
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        network=draft.id_of(answers, wire.vpc_id, owner),
        type=kind,
        service=service,
        usable=usable,
        state=wire.state,
        policy=policy,
        subnets=_ids(answers, draft, wire.subnet_ids, owner),
        route_tables=_ids(answers, draft, wire.route_table_ids, owner),
        groups=_ids(answers, draft, (group.group_id for group in wire.groups), owner),
        interfaces=_ids(answers, draft, wire.network_interface_ids, owner),
        private_dns=wire.private_dns_enabled,
    )


def _ids(answers: Answers, draft: Draft, owns: Iterable[str], owner: str) -> frozenset[str]:
    return frozenset(draft.id_of(answers, own, owner) for own in owns if own)


def _policy(answers: Answers, wire: _Endpoint) -> _Policy:
    if not wire.policy_document:
        return "unknown"
    statements = statements_of(wire.policy_document)
    if statements is None:
        detail = "PolicyDocument is no policy that can be read"
        answers.gap(_WHAT, wire.vpc_endpoint_id, "malformed", detail, _FACET)
        return "unknown"
    return "open" if _is_open(statements) else "restricted"


def _is_open(statements: tuple[Statement, ...]) -> bool:
    """Tell whether a policy lets every principal do everything, as the one does that endpoints get by default.

    Every action of one service is everything, for an endpoint leads to one service. A Deny restricts when it is about
    every action and resource; one of a few leaves the rest open.
    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    whole = [each for each in statements if each.everyone and each.every_action and each.every_resource]
    return any(each.allows and admits_all(each) for each in whole) and not any(
        not each.allows and restricts(each) for each in whole
    )


def _unlisted(answers: Answers, draft: Draft, own: str, owner: str, role: str) -> Interface:
    return Interface(
        id=draft.id_of(answers, own, owner),
        kind="network-interface",
        region=answers.region,
        network=None,
        subnet=None,
        role=role,
        derived=True,
        managed_by=role,
    )


def add_instance_connect_endpoints(answers: Answers, draft: Draft) -> None:
    """Add EC2 Instance Connect endpoints as workloads: their interfaces open connections to instances of the VPC.

    The internet reaches them only as AWS's own API, with credentials: they are no entrance. Instances see the
    interface's address, or the client's where it is preserved. Sources:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-with-ec2-instance-connect-endpoint.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Ec2InstanceConnectEndpoint.html
    """
    key = "InstanceConnectEndpoints"
    for wire in answers.each("ec2", "describe_instance_connect_endpoints", key, _InstanceConnectEndpoint, _FACET):
        if wire.state in {"delete-complete", "create-failed"}:
            continue
        owner = wire.owner_id
        tags = tags_of(wire.tags)
        network = draft.id_of(answers, wire.vpc_id, owner) if wire.vpc_id else None
        workload = Workload(
            id=answers.id(wire.instance_connect_endpoint_id, account=owner),
            kind="instance-connect-endpoint",
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            network=network,
        )
        draft.put(draft.workloads, workload, answers.scope)
        groups = _ids(answers, draft, wire.security_group_ids, owner)
        for own in wire.network_interface_ids or [f"{wire.instance_connect_endpoint_id}/interface"]:
            found = draft.interfaces.get(draft.id_of(answers, own, owner))
            if found is None:
                found = msgspec.structs.replace(
                    _unlisted(answers, draft, own, owner, "ec2_instance_connect_endpoint"),
                    network=network,
                    subnet=draft.id_of(answers, wire.subnet_id, owner) if wire.subnet_id else None,
                    attached=groups,
                    attached_unread=not groups,
                )
            keeps = wire.preserve_client_ip
            forwards = found.forwards or keeps
            found = msgspec.structs.replace(found, workload=workload.id, forwards=forwards, keeps_client=keeps)
            draft.put(draft.interfaces, found, answers.scope)
