"""What load balancers listen to, and the target groups that each listener forwards to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers

__all__ = ["Listeners", "traffic_at"]

_FACET = "load-balancers"
_LISTENERS = ("elbv2", "describe_listeners")
_RULES = ("elbv2", "describe_rules")
_RULED = frozenset(("HTTP", "HTTPS"))
_PROTOCOLS = {
    "HTTP": ("tcp",),
    "HTTPS": ("tcp",),
    "SSL": ("tcp",),
    "TCP": ("tcp",),
    "TLS": ("tcp",),
    "UDP": ("udp",),
    "TCP_UDP": ("tcp", "udp"),
    "QUIC": ("udp",),
    "TCP_QUIC": ("tcp", "udp"),
    "GENEVE": ("udp",),
}


class _Weighted(msgspec.Struct, rename="pascal"):
    target_group_arn: str = ""


class _ForwardConfig(msgspec.Struct, rename="pascal"):
    target_groups: list[_Weighted] = []


class _Action(msgspec.Struct, rename="pascal"):
    type: str = ""
    target_group_arn: str = ""
    forward_config: _ForwardConfig = msgspec.field(default_factory=_ForwardConfig)

    @property
    def groups(self) -> frozenset[str]:
        """The target groups that it forwards to; a weight of nothing may be raised at any time."""
        if self.type not in {"forward", ""}:
            return frozenset()
        listed = (each.target_group_arn for each in self.forward_config.target_groups)
        return frozenset((self.target_group_arn, *listed)) - {""}


class _Listener(msgspec.Struct, rename="pascal"):
    listener_arn: str
    port: int | None = None
    protocol: str = ""
    default_actions: list[_Action] = []


class _Rule(msgspec.Struct, rename="pascal"):
    actions: list[_Action] = []


class _Heard(msgspec.Struct, frozen=True):
    """One listener: its traffic, the target groups it forwards to, and whether these are all."""

    traffic: Traffic
    groups: frozenset[str]
    complete: bool


def traffic_at(protocol: str, port: int | None) -> Traffic | None:
    """Return what a listener or a target group of a protocol and port takes; None where that is no traffic."""
    protocols = _PROTOCOLS.get(protocol.upper())
    if protocols is None or port is None or not 0 <= port <= 65535:
        return None
    traffic = NO_TRAFFIC
    for name in protocols:
        traffic |= Traffic.ports(name, port, port)
    return traffic


class Listeners:
    """The listeners of the load balancers of one account and region.

    Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Listener.html and
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Rule.html
    """

    def __init__(self, answers: Answers) -> None:
        rules: dict[str, frozenset[str]] = {}
        for listener, rule in answers.each_of(*_RULES, "Rules", _Rule, _FACET):
            forwarded = frozenset(group for action in rule.actions for group in action.groups)
            rules[listener] = rules.get(listener, frozenset()) | forwarded
        read = {own for own in answers.resources(*_RULES) if answers.intact(*_RULES, own)}
        self._by_balancer: dict[str, list[_Heard] | None] = dict.fromkeys(answers.resources(*_LISTENERS))
        found: dict[str, list[_Heard]] = {own: [] for own in self._by_balancer}
        unknown: set[str] = set()
        for balancer, wire in answers.each_of(*_LISTENERS, "Listeners", _Listener, _FACET):
            traffic = traffic_at(wire.protocol, wire.port)
            if traffic is None:
                detail = f"protocol {wire.protocol!r} and port {wire.port} are no traffic of a listener"
                answers.gap(".".join(_LISTENERS), wire.listener_arn, "malformed", detail, _FACET)
                unknown.add(balancer)
                continue
            groups = frozenset(group for action in wire.default_actions for group in action.groups)
            complete = wire.protocol not in _RULED or wire.listener_arn in read
            found[balancer].append(_Heard(traffic, groups | rules.get(wire.listener_arn, frozenset()), complete))
        for balancer, heard in found.items():
            if balancer not in unknown and answers.intact(*_LISTENERS, balancer):
                self._by_balancer[balancer] = heard

    def accepted_by(self, balancer: str) -> Traffic | None:
        """Return what a load balancer takes from clients, by its ARN; None where its listeners were not read."""
        heard = self._by_balancer.get(balancer)
        if heard is None:
            return None
        traffic = NO_TRAFFIC
        for listener in heard:
            traffic |= listener.traffic
        return traffic

    def leading_to(self, balancer: str, group: str) -> Traffic | None:
        """Return what a load balancer takes from clients for a target group, by their ARNs; None where not read."""
        heard = self._by_balancer.get(balancer)
        if heard is None or not all(listener.complete or group in listener.groups for listener in heard):
            return None
        traffic = NO_TRAFFIC
        for listener in heard:
            if group in listener.groups:
                traffic |= listener.traffic
        return traffic
