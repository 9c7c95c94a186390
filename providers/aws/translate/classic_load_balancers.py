"""Classic load balancers: their listeners, and the instances registered with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Forward
from cloudseg.providers.aws.translate.listeners import traffic_at
from cloudseg.providers.aws.translate.targets import Targets
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["ClassicBalancers", "ClassicWire"]

_FACET = "load-balancers"
_WHAT = "elb.describe_load_balancers"
_HEALTHY = {"InService": True, "OutOfService": False}


class _Listener(msgspec.Struct, rename="pascal"):
    protocol: str = ""
    load_balancer_port: int | None = None
    instance_port: int | None = None


class _Described(msgspec.Struct, rename="pascal"):
    listener: _Listener


class _Instance(msgspec.Struct, rename="pascal"):
    instance_id: str


class _HealthCheck(msgspec.Struct, rename="pascal"):
    target: str = ""


class ClassicWire(msgspec.Struct, rename="pascal"):
    """A classic load balancer, as ``describe_load_balancers`` lists it."""

    load_balancer_name: str
    scheme: str = ""
    vpc_id: str = msgspec.field(default="", name="VPCId")
    subnets: list[str] = []
    availability_zones: list[str] = []
    security_groups: list[str] = []
    listener_descriptions: list[_Described] | None = None
    instances: list[_Instance] = []
    health_check: _HealthCheck = msgspec.field(default_factory=_HealthCheck)


class _Switch(msgspec.Struct, rename="pascal"):
    enabled: bool | None = None


class _Attributes(msgspec.Struct, rename="pascal"):
    cross_zone_load_balancing: _Switch = msgspec.field(default_factory=_Switch)


class _AttributesAnswer(msgspec.Struct, rename="pascal"):
    load_balancer_attributes: _Attributes = msgspec.field(default_factory=_Attributes)


class _State(msgspec.Struct, rename="pascal"):
    instance_id: str
    state: str = ""


class ClassicBalancers:
    """The classic load balancers of one account and region.

    They always open connections of their own, so targets see the addresses of their nodes. Sources:
    https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_LoadBalancerDescription.html and
    https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/enable-disable-crosszone-lb.html
    """

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self._answers = answers
        self._targets = Targets(answers, draft)
        operation = ("elb", "describe_load_balancer_attributes")
        self._cross_zone = {
            name: answer.load_balancer_attributes.cross_zone_load_balancing.enabled
            for name, answer in answers.whole(*operation, _AttributesAnswer, _FACET)
        }
        states = answers.each_of("elb", "describe_instance_health", "InstanceStates", _State, _FACET)
        self._healthy = {(name, state.instance_id): _HEALTHY.get(state.state) for name, state in states}

    def listed(self) -> Iterator[ClassicWire]:
        """Yield the load balancers as the answer lists them."""
        operation = ("elb", "describe_load_balancers")
        for wire in self._answers.each(*operation, "LoadBalancerDescriptions", ClassicWire, _FACET):
            if wire.listener_descriptions is None:
                detail = "ListenerDescriptions is missing; the list is there even where it is empty"
                self._answers.gap(_WHAT, wire.load_balancer_name, "unread", detail, _FACET)
            yield wire

    def accepted_by(self, wire: ClassicWire) -> Traffic | None:
        """Return what a load balancer takes from clients; None where its listeners were not read."""
        if wire.listener_descriptions is None:
            return None
        traffic = NO_TRAFFIC
        for each in wire.listener_descriptions:
            heard = traffic_at(each.listener.protocol, each.listener.load_balancer_port)
            if heard is None:
                self._malformed(wire, each.listener)
                return None
            traffic |= heard
        return traffic

    def forwards_of(self, wire: ClassicWire) -> tuple[Forward, ...]:
        """Return where the listeners send what they took: to all instances, each listener to a port of its own."""
        name = wire.load_balancer_name
        targets = tuple(
            self._targets.instance(each.instance_id, healthy=self._healthy.get((name, each.instance_id)))
            for each in wire.instances
        )
        found: dict[int | None, Forward] = {}
        for each in wire.listener_descriptions or ():
            port = each.listener.instance_port
            listens = traffic_at(each.listener.protocol, each.listener.load_balancer_port)
            known = found.get(port)
            if known is not None:
                listens = None if listens is None or known.listens is None else listens | known.listens
            # Whatever is spoken with the instance, it is spoken over TCP.
            traffic = traffic_at("TCP", port)
            if traffic is None:
                self._malformed(wire, each.listener)
            found[port] = Forward(
                name=f"{name}:{'unread' if port is None else port}",
                listens=listens,
                traffic=ALL_TRAFFIC if traffic is None else traffic,
                checks=_checks(wire.health_check.target),
                keeps_client=False,
                cross_zone=self._cross_zone.get(name),
                targets=targets,
            )
        return tuple(found.values())

    def _malformed(self, wire: ClassicWire, listener: _Listener) -> None:
        ports = f"ports {listener.load_balancer_port} and {listener.instance_port}"
        detail = f"protocol {listener.protocol!r} with {ports} is no listener of a classic load balancer"
        self._answers.gap(_WHAT, wire.load_balancer_name, "malformed", detail, _FACET)


def _checks(target: str) -> Traffic:
    """Return the traffic of health checks, out of ``HTTP:80/path`` or ``TCP:22``; nothing where no check is set."""
    port = target.partition(":")[2].partition("/")[0]
    traffic = traffic_at("TCP", int(port)) if port.isascii() and port.isdecimal() and len(port) <= 5 else None
    return NO_TRAFFIC if traffic is None else traffic
