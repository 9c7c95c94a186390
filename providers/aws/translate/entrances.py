"""Ways in that need no public address of their target: Global Accelerator and CloudFront VPC origins."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Entrance, own_id, scope_of
from cloudseg.providers.aws.translate.custom_routing import add_custom_routing
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.model import Resource
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_entrances", "link_entrances"]

_FACET = "entrances"
_VPC_ORIGIN = "cloudfront-vpc-origin"
_SERVICE_GROUP = "CloudFront-VPCOrigins-Service-SG"
_SERVICE = "cloudfront"
"""What CloudFront's own interfaces are called, in lower case: the start of their description."""


class _Address(msgspec.Struct, rename="pascal"):
    allocation_id: str = ""
    network_interface_id: str = ""
    network_interface_owner_id: str = ""


class _Accelerator(msgspec.Struct, rename="pascal"):
    accelerator_arn: str
    name: str = ""
    enabled: bool | None = None


class _PortRange(msgspec.Struct, rename="pascal"):
    from_port: int = 0
    to_port: int = 65535


class _Listener(msgspec.Struct, rename="pascal"):
    listener_arn: str
    protocol: str = "TCP"
    port_ranges: list[_PortRange] = []


class _EndpointDescription(msgspec.Struct, rename="pascal"):
    endpoint_id: str = ""


class _PortOverride(msgspec.Struct, rename="pascal"):
    listener_port: int
    endpoint_port: int


class _EndpointGroup(msgspec.Struct, rename="pascal"):
    endpoint_group_arn: str
    endpoint_group_region: str = ""
    endpoint_descriptions: list[_EndpointDescription] = []
    port_overrides: list[_PortOverride] = []


class _VpcOrigin(msgspec.Struct, rename="pascal"):
    id: str
    name: str = ""
    status: str = ""
    arn: str = ""
    origin_endpoint_arn: str = ""


class _VpcOrigins(msgspec.Struct, rename="pascal"):
    items: list[_VpcOrigin] = []


class _VpcOriginsAnswer(msgspec.Struct, rename="pascal"):
    vpc_origin_list: _VpcOrigins = msgspec.field(default_factory=_VpcOrigins)


def add_entrances(answers: Answers, draft: Draft) -> None:
    """Add the accelerators and origins of an account, which name targets of every region.

    Their targets stay own ids and ARNs until :func:`link_entrances` has everything to look them up in.
    """
    for wire in answers.each("ec2", "describe_addresses", "Addresses", _Address, "interfaces"):
        if wire.allocation_id and wire.network_interface_id:
            owner = wire.network_interface_owner_id or None
            interface = draft.id_of(answers, wire.network_interface_id, owner)
            draft.allocations[answers.id(wire.allocation_id)] = interface
    _add_accelerators(answers, draft)
    add_custom_routing(answers, draft)
    _add_vpc_origins(answers, draft)


def _add_accelerators(answers: Answers, draft: Draft) -> None:
    """Add each endpoint group behind a listener of an accelerator.

    With or without client address preservation, which addresses the target sees is left open: an upper bound. Sources:
    https://docs.aws.amazon.com/global-accelerator/latest/dg/preserve-client-ip-address.html
    https://docs.aws.amazon.com/global-accelerator/latest/api/API_EndpointGroup.html
    """
    service = "globalaccelerator"
    accelerators = {
        accelerator.accelerator_arn: accelerator
        for accelerator in answers.each(service, "list_accelerators", "Accelerators", _Accelerator, _FACET)
    }
    listeners = {
        listener.listener_arn: listener
        for listener in answers.each(service, "list_listeners", "Listeners", _Listener, _FACET)
    }
    for group in answers.each(service, "list_endpoint_groups", "EndpointGroups", _EndpointGroup, _FACET):
        arn = group.endpoint_group_arn
        listener_arn = arn.partition("/endpoint-group/")[0]
        accelerator_arn = arn.partition("/listener/")[0]
        accelerator = accelerators.get(accelerator_arn, _Accelerator(accelerator_arn))
        listener = listeners.get(listener_arn)
        if listener is None:
            detail = "its listener was not read: every port is taken for open"
            answers.gap("globalaccelerator.list_listeners", listener_arn, "unread", detail, _FACET)
        place = ("globalaccelerator", "list_endpoint_groups")
        traffic = answers.understood(place, arn, _FACET, partial(_traffic, listener, group))
        entrance = Entrance(
            id=answers.id(arn),
            kind="global-accelerator-endpoint-group",
            name=accelerator.name,
            region=answers.region,
            targets=frozenset(
                _target(endpoint.endpoint_id, group.endpoint_group_region or answers.region)
                for endpoint in group.endpoint_descriptions
                if endpoint.endpoint_id
            ),
            traffic=_traffic(None, group) if traffic is None else traffic,
            active=accelerator.enabled,
        )
        draft.put(draft.entrances, entrance, answers.scope)


def _target(endpoint: str, region: str) -> str:
    return endpoint if endpoint.startswith("arn:") else f"{region}:{endpoint}"


def _traffic(listener: _Listener | None, group: _EndpointGroup) -> Traffic:
    if listener is None:
        return Traffic.ports("tcp") | Traffic.ports("udp")
    protocol = listener.protocol.lower()
    traffic = NO_TRAFFIC
    for ports in listener.port_ranges:
        traffic |= Traffic.ports(protocol, ports.from_port, ports.to_port)
    for override in group.port_overrides:
        traffic -= Traffic.ports(protocol, override.listener_port, override.listener_port)
    for override in group.port_overrides:
        traffic |= Traffic.ports(protocol, override.endpoint_port, override.endpoint_port)
    return traffic


_ORIGIN_TRAFFIC = Traffic.parse("tcp/80, tcp/443, tcp/1024-65535")


def _add_vpc_origins(answers: Answers, draft: Draft) -> None:
    """Add VPC origins. The list does not tell their ports: they are taken for all that CloudFront can use.

    Sources: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html
    """
    for _, answer in answers.whole("cloudfront", "list_vpc_origins", _VpcOriginsAnswer, _FACET):
        for origin in answer.vpc_origin_list.items:
            entrance = Entrance(
                id=answers.id(origin.arn or origin.id),
                kind=_VPC_ORIGIN,
                name=origin.name,
                region=answers.region,
                targets=frozenset((origin.origin_endpoint_arn,)) - {""},
                traffic=_ORIGIN_TRAFFIC,
                active=True if origin.status == "Deployed" else None,
            )
            draft.put(draft.entrances, entrance, answers.scope)


def link_entrances(draft: Draft) -> None:
    """Give entrances the qualified ids of their targets: load balancers, interfaces of addresses, instances, subnets.

    What was not read keeps the id that it would have in the entrance's own account, or in that of its ARN.
    """
    if not draft.entrances:
        return
    known: dict[str, str] = {}
    for mapping in (draft.interfaces, draft.workloads, draft.subnets):
        known |= _by_place(mapping)
    for identifier, interface in draft.allocations.items():
        known[_place_of(identifier)] = interface
    for entrance in list(draft.entrances.values()):
        targets = frozenset(_linked(target, known, entrance) for target in entrance.targets)
        linked = draft.entrances[entrance.id] = msgspec.structs.replace(entrance, targets=targets)
        if linked.kind == _VPC_ORIGIN:
            draft.entrances |= {private.id: private for private in _from_network(linked, draft)}


def _from_network(origin: Entrance, draft: Draft) -> Iterator[Entrance]:
    """Yield what a VPC origin opens at most to CloudFront's own interfaces in the network of its target.

    CloudFront makes interfaces in the target's subnets, and a group for them. Its documentation has the target admit
    that group, or the public addresses of CloudFront, and does not say which address is seen. Source:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
    """
    for target in sorted(origin.targets):
        owner = draft.workloads.get(target) or draft.interfaces.get(target)
        own = {interface.network for interface in draft.interfaces.values() if interface.workload == target}
        network = next(iter(sorted(name for name in (owner and owner.network, *own) if name)), None)
        known = None if network is None else draft.networks.get(network)
        # Without the ranges of its network a target may see any address that is not public.
        addresses = ALL_ADDRESSES - GLOBAL_UNICAST
        if known is not None and known.addresses:
            addresses = known.addresses
        yield msgspec.structs.replace(
            origin,
            id=f"{origin.id}/private" if len(origin.targets) == 1 else f"{origin.id}/private/{own_id(target)}",
            name=f"{origin.name or origin.own_id}, by CloudFront's interfaces",
            targets=frozenset((target,)),
            clients=addresses,
            active=None,
            doubt=f"whether {origin.label} is seen under an address or a group of the network is not known",
            groups=_service_groups(network, draft),
        )


def _service_groups(network: str | None, draft: Draft) -> frozenset[str]:
    """Return the groups of CloudFront's interfaces in a network, or in any: by their name, and by who carries them."""
    named = {
        group.id
        for group in draft.groups.values()
        if group.name.startswith(_SERVICE_GROUP) and (network is None or network in group.networks)
    }
    carried = (
        interface.attached
        for interface in draft.interfaces.values()
        if draft.descriptions.get(interface.id, "").lower().startswith(_SERVICE)
        and (network is None or interface.network in {network, None})
    )
    return frozenset(named).union(*carried)


def _by_place(resources: Mapping[str, Resource]) -> dict[str, str]:
    return {_place_of(identifier): identifier for identifier in resources}


def _place_of(identifier: str) -> str:
    own = own_id(identifier)
    return own if own.startswith("arn:") else identifier.split(":", 2)[2]


def _linked(target: str, known: Mapping[str, str], entrance: Entrance) -> str:
    if target.startswith("aws:"):
        return target
    if not target.startswith("arn:"):
        return known.get(target, f"aws:{entrance.scope}:{target}")
    parts = target.split(":", 5)
    if len(parts) < 6:
        return f"aws:{entrance.scope}:{entrance.region}:{target}"
    region, account, resource = parts[3], parts[4] or scope_of(entrance.id), parts[5]
    own = resource.rpartition("/")[2] if parts[2] == "ec2" else target
    return known.get(f"{region}:{own}") or known.get(own) or f"aws:{account}:{region}:{own}"
