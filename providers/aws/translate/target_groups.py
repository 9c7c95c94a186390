"""Target groups: where load balancers send what they took, and which of their targets the internet comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import ANY_ZONE, Forward, ForwardTarget
from cloudseg.providers.aws.translate.balancer_entrances import BalancerEntrances, Group
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.providers.aws.translate.listeners import Listeners, traffic_at
from cloudseg.providers.aws.translate.targets import Targets
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Forwarder
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_target_groups"]

_FACET = "load-balancers"
_LISTED = ("elbv2", "describe_target_groups")
_HEALTH = "describe_target_health"
_ATTRIBUTES = ("elbv2", "describe_target_group_attributes")
_OF_BALANCERS = ("elbv2", "describe_load_balancer_attributes")
_KEEPS_CLIENT = "preserve_client_ip.enabled"
_CROSS_ZONE = "load_balancing.cross_zone.enabled"
_SWITCH = {"true": True, "false": False}
# What is not among these tells nothing of a target: an error of the load balancer itself.
_HEALTHY = {
    "healthy": True,
    "initial": False,
    "unhealthy": False,
    "unhealthy.draining": False,
    "draining": False,
    "unused": False,
}
_NETWORK = ":loadbalancer/net/"
_APPLICATION = ":loadbalancer/app/"


class _TargetGroup(msgspec.Struct, rename="pascal"):
    target_group_arn: str
    target_group_name: str = ""
    target_type: str = "instance"
    protocol: str = ""
    port: int | None = None
    vpc_id: str = ""
    load_balancer_arns: list[str] = []
    ip_address_type: str = "ipv4"
    health_check_enabled: bool = True
    health_check_port: str = ""
    target_control_port: int | None = None


class _Target(msgspec.Struct, rename="pascal"):
    id: str
    port: int | None = None
    availability_zone: str = ""


class _Health(msgspec.Struct, rename="pascal"):
    state: str = ""
    reason: str = ""


class _Description(msgspec.Struct, rename="pascal"):
    target: _Target
    target_health: _Health = msgspec.field(default_factory=_Health)


class _Attribute(msgspec.Struct, rename="pascal"):
    key: str = ""
    value: str = ""


class _Reader:
    """What the answers of one account and region say of its target groups."""

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self.answers = answers
        self.draft = draft
        self.listeners = Listeners(answers)
        self.targets = Targets(answers, draft)
        self.entrances = BalancerEntrances(answers, draft)
        self.described: dict[str, list[_Description]] = {arn: [] for arn in answers.resources("elbv2", _HEALTH)}
        for arn, found in answers.each_of("elbv2", _HEALTH, "TargetHealthDescriptions", _Description, _FACET):
            self.described[arn].append(found)
        self.attributes = self._settings(*_ATTRIBUTES)
        self.of_balancers = self._settings(*_OF_BALANCERS)

    def _settings(self, service: str, operation: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {arn: {} for arn in self.answers.resources(service, operation)}
        for arn, each in self.answers.each_of(service, operation, "Attributes", _Attribute, _FACET):
            found[arn][each.key] = each.value
        return found

    def balancers(self, group: _TargetGroup) -> dict[str, Forwarder]:
        """Return the load balancers of a group by their ARNs, those that were listed."""
        known = {arn: self.draft.forwarders.get(self.answers.id(arn)) for arn in group.load_balancer_arns}
        for arn, forwarder in known.items():
            if forwarder is None and self.answers.has("elbv2", "describe_load_balancers"):
                # It may lead the internet to the targets.
                detail = f"{group.target_group_name or group.target_group_arn} stands behind it, and it was not listed"
                self.answers.gap("elbv2.describe_load_balancers", arn, "not-found", detail, _FACET)
        return {arn: forwarder for arn, forwarder in known.items() if forwarder is not None}

    def forwards(self, group: _TargetGroup) -> dict[int | None, Forward]:
        """Return where a group's load balancers send packets, by the port: each target may have one of its own."""
        arn = group.target_group_arn
        if arn not in self.described and self.answers.failed("elbv2", _HEALTH, arn) is None:
            self.answers.gap(f"elbv2.{_HEALTH}", arn, "unread", "the targets of this group were not read", _FACET)
        by_port: dict[int | None, list[ForwardTarget]] = {}
        for found in self.described.get(arn, ()):
            target = self._target(group, found)
            if target is not None:
                port = group.port if found.target.port is None else found.target.port
                by_port.setdefault(port, []).append(target)
        return {port: self._forward(group, port, tuple(targets)) for port, targets in by_port.items()}

    def _forward(self, group: _TargetGroup, port: int | None, targets: tuple[ForwardTarget, ...]) -> Forward:
        traffic = traffic_at(group.protocol, port)
        if traffic is None:
            detail = f"protocol {group.protocol!r} and port {port} are no traffic of a target group"
            self.answers.gap(".".join(_LISTED), group.target_group_arn, "malformed", detail, _FACET)
        name = group.target_group_name or group.target_group_arn
        return Forward(
            name=name if port is None else f"{name}:{port}",
            listens=None,
            traffic=ALL_TRAFFIC if traffic is None else traffic,
            checks=_checks(group, port),
            keeps_client=self._keeps_client(group),
            cross_zone=None,
            targets=targets,
        )

    def _target(self, group: _TargetGroup, found: _Description) -> ForwardTarget | None:
        own, state = found.target.id, found.target_health
        healthy = True if state.reason == "Target.HealthCheckDisabled" else _HEALTHY.get(state.state)
        if group.target_type == "ip":
            address = joined(self.answers, f"elbv2.{_HEALTH}", group.target_group_arn, _FACET, (own,))
            network = self.draft.id_of(self.answers, group.vpc_id) if group.vpc_id else None
            zone = found.target.availability_zone
            return self.targets.address(address, network, zone=zone, healthy=healthy) if address else None
        if group.target_type == "alb":
            return self.targets.balancer(own, healthy=healthy)
        return self.targets.instance(own, healthy=healthy)

    def _keeps_client(self, group: _TargetGroup) -> bool | None:
        """Tell whether targets see the addresses of clients; only network load balancers can let them.

        The attribute decides; where the answer does not hold it, the default does. Source:
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
        """
        if group.protocol.upper() in {"HTTP", "HTTPS", "GENEVE"}:
            return False
        attributes = self.attributes.get(group.target_group_arn)
        if attributes is not None and _KEEPS_CLIENT in attributes:
            return _SWITCH.get(attributes[_KEEPS_CLIENT].lower())
        over_tcp = group.protocol.upper() in {"TCP", "TLS"}
        if over_tcp and attributes is None:
            return None
        return not (over_tcp and group.target_type == "ip")

    def cross_zone(self, balancer: str, group: str) -> bool | None:
        """Tell whether every node of a load balancer serves every target of a group, by their ARNs.

        Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-cross-zone.html and
        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/disable-cross-zone.html
        """
        attributes = self.attributes.get(group)
        if attributes is None:
            return None
        own = _SWITCH.get(attributes.get(_CROSS_ZONE, ""))
        if own is not None or _APPLICATION in balancer:
            return own is not False
        return _SWITCH.get(self.of_balancers.get(balancer, {}).get(_CROSS_ZONE, ""))


def add_target_groups(answers: Answers, draft: Draft) -> None:
    """Add to load balancers what they listen to and where they send it, and the ways in from the internet.

    A target stays one while it is unhealthy or drains, for its state may change at any time. A group that no listener
    forwards to gets nothing.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
    """
    reader = _Reader(answers, draft)
    listed = answers.has(*_LISTED)
    groups = list(answers.each(*_LISTED, "TargetGroups", _TargetGroup, _FACET))
    for forwarder in list(draft.forwarders.values()):
        arn = forwarder.own_id
        if arn.startswith("arn:") and (forwarder.scope, forwarder.region) == (answers.scope, answers.region):
            draft.forwarders[forwarder.id] = msgspec.structs.replace(
                forwarder, accepts=reader.listeners.accepted_by(arn), complete=listed and answers.intact(*_LISTED)
            )
    for group in groups:
        balancers = reader.balancers(group)
        # A function gets no packets.
        if balancers and group.target_type != "lambda":
            _add_forwards(reader, group, balancers)


def _add_forwards(reader: _Reader, group: _TargetGroup, balancers: dict[str, Forwarder]) -> None:
    draft, own = reader.draft, group.target_group_arn
    forwards = reader.forwards(group)
    complete = own in reader.described and reader.answers.intact("elbv2", _HEALTH, own)
    leading = {arn: reader.listeners.leading_to(arn, own) for arn in balancers}
    for arn, forwarder in balancers.items():
        listens, cross_zone = leading[arn], reader.cross_zone(arn, own)
        if listens == NO_TRAFFIC:
            continue
        added = [msgspec.structs.replace(each, listens=listens, cross_zone=cross_zone) for each in forwards.values()]
        draft.forwarders[forwarder.id] = msgspec.structs.replace(
            forwarder, forwards=(*forwarder.forwards, *added), complete=forwarder.complete and complete
        )
    passing = {
        arn: forwarder
        for arn, forwarder in balancers.items()
        if _NETWORK in arn and leading[arn] != NO_TRAFFIC and forwarder.id in draft.workloads
    }
    if passing:
        heard = [leading[arn] for arn in passing]
        wire = Group(own, group.target_group_name, group.vpc_id, group.ip_address_type == "ipv6")
        for port, forward in forwards.items():
            served = tuple(each for each in forward.targets if any(_serves(f, each) for f in passing.values()))
            if served:
                found = msgspec.structs.replace(forward, targets=served, listens=_joined(heard))
                reader.entrances.add(wire, port, found, [f.id for f in passing.values()])


def _joined(parts: list[Traffic | None]) -> Traffic | None:
    total = NO_TRAFFIC
    for part in parts:
        if part is None:
            return None
        total |= part
    return total


def _serves(forwarder: Forwarder, target: ForwardTarget) -> bool:
    """Tell whether a load balancer may send to a target: to a zone that is not enabled for it it sends nothing.

    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html
    """
    anywhere = target.healthy is True or target.zone in {"", ANY_ZONE}
    return anywhere or forwarder.zones is None or target.zone in forwarder.zones


def _checks(group: _TargetGroup, port: int | None) -> Traffic:
    """Return what the nodes ask the targets by themselves; a check of a port is one over TCP, whatever it protects.

    Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html and
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html
    """
    asked = group.health_check_port
    numbered = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= 5 else port
    found = traffic_at("TCP", numbered) if group.health_check_enabled else None
    control = traffic_at("TCP", group.target_control_port)
    return (found or NO_TRAFFIC) | (control or NO_TRAFFIC)
