"""VPC Lattice: the VPCs that reach a service network, and the targets that its services send to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Endpoint, Forward, Forwarder, ForwardTarget
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.providers.aws.translate.listeners import traffic_at
from cloudseg.providers.aws.translate.targets import Targets
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_lattice_associations", "add_lattice_targets"]

_FACET = "endpoints"
_LISTED = ("vpc-lattice", "list_service_network_vpc_associations")
_DESCRIBED = ("vpc-lattice", "get_service_network_vpc_association")
_GROUP = ("vpc-lattice", "get_target_group")
_TARGETS = ("vpc-lattice", "list_targets")
_LISTS = ("ec2", "describe_managed_prefix_lists")
_UNCHECKED = "ALB"
"""The type of targets that the service does not check."""
_UP = frozenset(("ACTIVE", "UPDATE_IN_PROGRESS", "UPDATE_FAILED", "DELETE_FAILED"))
_DOWN = frozenset(("CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_IN_PROGRESS"))
_HEALTHY = {"HEALTHY": True, "INITIAL": False, "UNHEALTHY": False, "DRAINING": False, "UNUSED": False}


class _Association(msgspec.Struct, rename="camel"):
    id: str
    arn: str = ""
    status: str = ""
    vpc_id: str = ""
    service_network_arn: str = ""
    service_network_name: str = ""
    security_group_ids: list[str] = []
    private_dns_enabled: bool | None = None


class _TargetGroup(msgspec.Struct, rename="camel"):
    id: str
    arn: str = ""
    name: str = ""
    type: str = ""
    protocol: str = ""
    port: int | None = None
    vpc_identifier: str = ""
    service_arns: list[str] = []


class _HealthCheck(msgspec.Struct, rename="camel"):
    enabled: bool | None = None
    port: int | None = None


class _Config(msgspec.Struct, rename="camel"):
    health_check: _HealthCheck | None = None


class _GroupDetail(msgspec.Struct, rename="camel"):
    id: str = ""
    config: _Config | None = None


class _Target(msgspec.Struct, rename="camel"):
    id: str
    port: int | None = None
    status: str = ""


def add_lattice_associations(answers: Answers, draft: Draft) -> None:
    """Add the associations of VPCs with service networks, as endpoints without an interface.

    Clients of the VPC that the groups of the association let in reach the services of the network; without a group
    all of them do. Which services that are is not read. Sources:
    https://docs.aws.amazon.com/vpc-lattice/latest/ug/service-network-associations.html and
    https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html
    """
    found: dict[str, _Association] = {}
    for association in answers.each(*_LISTED, "items", _Association, _FACET):
        found[association.id] = association
    for _, association in answers.whole(*_DESCRIBED, _Association, _FACET):
        found[association.id] = association
    for association in found.values():
        account = _account(association.arn)
        state = association.status
        endpoint = Endpoint(
            id=answers.id(association.arn or association.id, account=account),
            kind="lattice-vpc-association",
            name=association.service_network_name,
            region=answers.region,
            network=draft.id_of(answers, association.vpc_id, account),
            type="service-network",
            service=association.service_network_arn,
            usable=True if state in _UP else False if state in _DOWN else None,
            state=state,
            policy="unsupported",
            groups=frozenset(draft.id_of(answers, own, account) for own in association.security_group_ids if own),
            private_dns=association.private_dns_enabled,
        )
        if association.vpc_id:
            draft.put(draft.endpoints, endpoint, answers.scope)


def _account(arn: str) -> str | None:
    parts = arn.split(":", 5)
    return parts[4] or None if len(parts) == 6 else None


def add_lattice_targets(answers: Answers, draft: Draft) -> None:
    """Add the target groups of VPC Lattice, whose targets see the addresses of its managed prefix lists.

    Sources: https://docs.aws.amazon.com/vpc-lattice/latest/ug/target-groups.html and
    https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_TargetSummary.html
    """
    details = {detail.id or own: detail for own, detail in answers.whole(*_GROUP, _GroupDetail, _FACET)}
    read = {own for own in answers.resources(*_TARGETS) if answers.intact(*_TARGETS, own)}
    targets: dict[str, list[_Target]] = {}
    for group, target in answers.each_of(*_TARGETS, "items", _Target, _FACET):
        targets.setdefault(group, []).append(target)
    places = Targets(answers, draft)
    listed = answers.each("vpc-lattice", "list_target_groups", "items", _TargetGroup, _FACET)
    # A function gets no packets, and a group that no service forwards to neither.
    groups = [wire for wire in listed if wire.type != "LAMBDA" and wire.service_arns]
    lists = _lists(answers, draft) if groups else frozenset[str]()
    for wire in groups:
        by_port: dict[int | None, list[ForwardTarget]] = {}
        for target in targets.get(wire.id, ()):
            known = _target(answers, draft, places, wire, target)
            if known is not None:
                by_port.setdefault(wire.port if target.port is None else target.port, []).append(known)
        forwarder = Forwarder(
            id=answers.id(wire.arn or wire.id),
            kind="lattice-target-group",
            name=wire.name,
            region=answers.region,
            accepts=None,
            forwards=tuple(
                _forward(answers, wire, port, _checks(wire, port, details.get(wire.id)), tuple(together))
                for port, together in by_port.items()
            ),
            complete=wire.id in read,
            seen_as=lists,
        )
        draft.put(draft.forwarders, forwarder, answers.scope)


def _lists(answers: Answers, draft: Draft) -> frozenset[str]:
    """Return the ids of the prefix lists from whose addresses the service sends.

    A list that should be there and is in no answer keeps its name, which stands for addresses that were not read: an
    empty set would mean that nobody sends anything. Source:
    https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html
    """
    place = (answers.scope, answers.region)
    known = {each.name: each.id for each in draft.address_lists.values() if (each.scope, each.region) == place}
    names = [f"com.amazonaws.{answers.region}.{name}" for name in ("vpc-lattice", "ipv6.vpc-lattice")]
    found = {name: known[name] for name in names if name in known}
    in_full = answers.has(*_LISTS) and answers.intact(*_LISTS) and answers.failed(*_LISTS) is None
    if found and in_full:
        return frozenset(found.values())
    if in_full:
        detail = "services send from its addresses, and it is not among the prefix lists that were read"
        answers.gap(".".join(_LISTS), names[0], "not-found", detail, "address-lists")
    return frozenset(found.get(name, answers.id(name)) for name in names)


def _checks(group: _TargetGroup, port: int | None, detail: _GroupDetail | None) -> Traffic:
    """Return what a service sends to targets to check their health: at most, where that was not read.

    The port of the checks is the one of the traffic unless another is set. Sources:
    https://docs.aws.amazon.com/vpc-lattice/latest/ug/target-group-health-checks.html and
    https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_HealthCheckConfig.html
    """
    if group.type == _UNCHECKED:
        return NO_TRAFFIC
    check = None if detail is None or detail.config is None else detail.config.health_check
    if check is None:
        return Traffic.protocol("tcp")
    if check.enabled is False:
        return NO_TRAFFIC
    known = traffic_at("TCP", port if check.port is None else check.port)
    return Traffic.protocol("tcp") if known is None else known


def _target(
    answers: Answers, draft: Draft, places: Targets, group: _TargetGroup, target: _Target
) -> ForwardTarget | None:
    healthy = _HEALTHY.get(target.status)
    if group.type == "ALB":
        return places.balancer(target.id, healthy=healthy)
    if group.type == "INSTANCE":
        return places.instance(target.id, healthy=healthy)
    address = joined(answers, ".".join(_TARGETS), group.id, _FACET, (target.id,))
    network = draft.id_of(answers, group.vpc_identifier) if group.vpc_identifier else None
    return places.address(address, network, healthy=healthy) if address else None


def _forward(
    answers: Answers, group: _TargetGroup, port: int | None, checks: Traffic, targets: tuple[ForwardTarget, ...]
) -> Forward:
    traffic = traffic_at(group.protocol, port)
    if traffic is None:
        detail = f"protocol {group.protocol!r} and port {port} are no traffic of a target group"
        answers.gap("vpc-lattice.list_target_groups", group.id, "malformed", detail, _FACET)
    return Forward(
        name=group.name or group.id,
        listens=None,
        traffic=ALL_TRAFFIC if traffic is None else traffic,
        checks=checks,
        keeps_client=False,
        cross_zone=True,
        targets=targets,
    )
