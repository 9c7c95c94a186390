"""Targets behind network load balancers that face the internet: a way in that needs no public address of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Entrance
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC, NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Workload
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_target_groups"]

_FACET = "load-balancers"
_HEALTH = "describe_target_health"
_ATTRIBUTES = "describe_target_group_attributes"
_NETWORK_BALANCER = ":loadbalancer/net/"
_PROTOCOLS = {
    "TCP": ("tcp",),
    "TLS": ("tcp",),
    "UDP": ("udp",),
    "TCP_UDP": ("tcp", "udp"),
    "QUIC": ("udp",),
    "TCP_QUIC": ("tcp", "udp"),
}


class _TargetGroup(msgspec.Struct, rename="pascal"):
    target_group_arn: str
    target_group_name: str = ""
    target_type: str = "instance"
    protocol: str = ""
    port: int | None = None
    vpc_id: str = ""
    load_balancer_arns: list[str] = []


class _Target(msgspec.Struct, rename="pascal"):
    id: str
    port: int | None = None


class _Description(msgspec.Struct, rename="pascal"):
    target: _Target


class _Attribute(msgspec.Struct, rename="pascal"):
    key: str = ""
    value: str = ""


def add_target_groups(answers: Answers, draft: Draft) -> None:
    """Add an entrance for each port of a target group behind a network load balancer that faces the internet.

    A target stays one while it is unhealthy or drains, for its state may change at any time.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
    """
    targets: dict[str, list[_Target]] = {}
    for arn, described in answers.each_of("elbv2", _HEALTH, "TargetHealthDescriptions", _Description, _FACET):
        targets.setdefault(arn, []).append(described.target)
    rewritten = {
        arn
        for arn, each in answers.each_of("elbv2", _ATTRIBUTES, "Attributes", _Attribute, _FACET)
        if each.key == "preserve_client_ip.enabled" and each.value == "false"
    }
    read = answers.resources("elbv2", _HEALTH)
    for group in answers.each("elbv2", "describe_target_groups", "TargetGroups", _TargetGroup, _FACET):
        balancers = [
            balancer
            for arn in group.load_balancer_arns
            if _NETWORK_BALANCER in arn
            and (balancer := draft.workloads.get(answers.id(arn))) is not None
            and balancer.internet_facing
        ]
        _report_unlisted(answers, draft, group)
        if not balancers:
            continue
        arn = group.target_group_arn
        if arn not in read and answers.failed("elbv2", _HEALTH, arn) is None:
            answers.gap(f"elbv2.{_HEALTH}", arn, "unread", "the targets of this group were not read", _FACET)
        clients = _nodes(draft, balancers) if arn in rewritten else ALL_ADDRESSES
        by_port: dict[int | None, list[str]] = {}
        for target in targets.get(arn, ()):
            by_port.setdefault(group.port if target.port is None else target.port, []).append(target.id)
        for port, names in by_port.items():
            entrance = _entrance(answers, draft, group, port, names)
            entrance = msgspec.structs.replace(
                entrance,
                clients=clients,
                through=frozenset(each.id for each in balancers),
                active=any(each.running for each in balancers),
            )
            draft.put(draft.entrances, entrance, answers.scope)


def _report_unlisted(answers: Answers, draft: Draft, group: _TargetGroup) -> None:
    """Note the load balancers of a target group that no answer lists: they may lead the internet to its targets."""
    for arn in group.load_balancer_arns:
        if answers.has("elbv2", "describe_load_balancers") and answers.id(arn) not in draft.workloads:
            detail = f"{group.target_group_name or group.target_group_arn} stands behind it, and it was not listed"
            answers.gap("elbv2.describe_load_balancers", arn, "not-found", detail, _FACET)


def _entrance(answers: Answers, draft: Draft, group: _TargetGroup, port: int | None, names: list[str]) -> Entrance:
    addresses = NO_ADDRESSES
    targets: frozenset[str] = frozenset()
    if group.target_type == "ip":
        addresses = joined(answers, f"elbv2.{_HEALTH}", group.target_group_arn, _FACET, names)
    else:
        targets = frozenset(draft.id_of(answers, name) for name in names)
    return Entrance(
        id=answers.id(f"{group.target_group_arn}/{'unread' if port is None else port}"),
        kind="target-group",
        name=group.target_group_name,
        region=answers.region,
        targets=targets,
        target_addresses=addresses,
        network=draft.id_of(answers, group.vpc_id) if group.vpc_id else None,
        traffic=_traffic(answers, group, port),
    )


def _traffic(answers: Answers, group: _TargetGroup, port: int | None) -> Traffic:
    protocols = _PROTOCOLS.get(group.protocol)
    if protocols is None or port is None or not 0 <= port <= 65535:
        detail = f"protocol {group.protocol!r} and port {port} are no traffic of a network load balancer"
        answers.gap("elbv2.describe_target_groups", group.target_group_arn, "malformed", detail, _FACET)
        return ALL_TRAFFIC
    traffic = NO_TRAFFIC
    for protocol in protocols:
        traffic |= Traffic.ports(protocol, port, port)
    return traffic


def _nodes(draft: Draft, balancers: list[Workload]) -> AddressSet:
    """Return the addresses that the targets see when the clients' are not preserved: those of the balancer's nodes."""
    owners = {balancer.id for balancer in balancers}
    found = NO_ADDRESSES
    for interface in draft.interfaces.values():
        if interface.workload in owners:
            if not interface.addresses:
                return ALL_ADDRESSES
            found |= interface.addresses
    return found or ALL_ADDRESSES
