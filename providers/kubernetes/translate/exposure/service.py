"""One service as it is written: whom it chooses, its ports, and how it is offered outside of the cluster.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.exposure.told import Told, told_by
from cloudseg.providers.kubernetes.translate.labels import pod_labels
from cloudseg.providers.kubernetes.translate.wire import Labels
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Service", "ServicePort", "port_of", "read_service", "traffic_of"]

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_TYPES: Final = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_HIGHEST: Final = 65535
_POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
"""The label by which a service chooses one pod of a stateful set. Source:
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-name-label"""


class _WirePort(msgspec.Struct, frozen=True, rename="camel"):
    port: int
    name: str | None = None
    protocol: str | None = None
    target_port: int | str | None = None
    node_port: int | None = None


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    type: str | None = None
    selector: Labels | None = None
    ports: list[_WirePort] | None = None
    external_ips: list[str] | None = msgspec.field(default=None, name="externalIPs")
    external_traffic_policy: str | None = None
    load_balancer_source_ranges: list[str] | None = None
    load_balancer_class: str | None = None
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    cluster_ips: list[str] | None = msgspec.field(default=None, name="clusterIPs")


class _Metadata(msgspec.Struct, frozen=True):
    annotations: dict[str, object] | None = None


class ServicePort(NamedTuple):
    """A port of a service.

    Attributes:
        number: the port that clients ask for.
        name: its name; empty where it has none.
        protocol: ``TCP``, ``UDP`` or ``SCTP``.
        target: the port of the pods, by number or by the name that they give it.
        node_port: the port of every node that leads here; None where there is none, or none that is known.
    """

    number: int
    name: str
    protocol: str
    target: int | str
    node_port: int | None

    @property
    def traffic(self) -> Traffic:
        """What clients send to the service."""
        return port_of(self.protocol, self.number)


class Service(NamedTuple):
    """A service.

    Attributes:
        item: the object.
        type: ``ClusterIP``, ``NodePort``, ``LoadBalancer`` or ``ExternalName``.
        selector: the labels of its pods; None where it chooses none, and somebody else writes down its ends.
        single: the name of the one pod that it chooses, of those with these labels; empty for any of them.
        exact: False where it chooses only some of the pods with these labels.
        ports: its ports.
        annotations: its annotations, as texts.
        ranges: the clients that its load balancer lets in; None for all of them.
        external: further addresses under which every node takes it.
        addresses: its own addresses inside the cluster.
        headless: it has none, and stands for the addresses of its pods.
        local: nodes hand what comes from outside to their own pods alone, and keep its source.
        balancer: the class of its load balancer; empty for the cluster's own.
        told: what its load balancer was given, as far as it runs.
    """

    item: Object
    type: str
    selector: dict[str, str] | None
    single: str
    exact: bool
    ports: tuple[ServicePort, ...]
    annotations: dict[str, str]
    ranges: AddressSet | None
    external: AddressSet
    addresses: AddressSet
    headless: bool
    local: bool
    balancer: str
    told: Told


def port_of(protocol: str, number: int) -> Traffic:
    """Return the traffic of one port of a protocol in capitals."""
    return Traffic.ports(protocol.lower(), number, number)


def traffic_of(ports: Iterable[ServicePort]) -> Traffic:
    """Return what clients send to ports of a service."""
    total = NO_TRAFFIC
    for port in ports:
        total |= port.traffic
    return total


def read_service(item: Object) -> Service:
    """Return a service.

    Raises:
        ParseError: it cannot be read, or the API server would refuse it.
    """
    if item.flaw:
        raise ParseError(item.flaw)
    try:
        spec = msgspec.convert(item.content.get("spec"), _Spec | None) or _Spec()
        metadata = msgspec.convert(item.content.get("metadata"), _Metadata | None) or _Metadata()
    except msgspec.ValidationError as error:
        raise ParseError(str(error)) from None
    if (spec.type or "ClusterIP") not in _TYPES:
        raise ParseError(f"{spec.type!r} is no type of a service")
    if spec.type in {"NodePort", "LoadBalancer"} and not spec.ports:
        raise ParseError(f"a service of type {spec.type} has no ports")
    ranges = [text.strip() for text in spec.load_balancer_source_ranges or () if text.strip()]
    selector = {key: value or "" for key, value in (spec.selector or {}).items()}
    kept = pod_labels(selector)
    single = selector.get(_POD_NAME, "")
    given = (spec.cluster_ip, *(spec.cluster_ips or ()))
    return Service(
        item=item,
        type=spec.type or "ClusterIP",
        selector=kept if selector else None,
        single=single,
        exact=len(kept) + bool(single) == len(selector),
        ports=tuple(map(_port, spec.ports or ())),
        annotations={key: str(value) for key, value in (metadata.annotations or {}).items()},
        ranges=AddressSet.from_cidrs(ranges) if ranges else None,
        external=_addresses(spec.external_ips or ()),
        addresses=_addresses([text for text in given if text and text != "None"]),
        headless="None" in given,
        local=spec.external_traffic_policy == "Local",
        balancer=spec.load_balancer_class or "",
        told=told_by(item),
    )


def _addresses(texts: Sequence[str]) -> AddressSet:
    """Return addresses; hardly a service of a manifest names any.

    Raises:
        ParseError: one of them is none.
    """
    return AddressSet.from_cidrs(texts) if texts else NO_ADDRESSES


def _port(wire: _WirePort) -> ServicePort:
    """Return a port.

    Raises:
        ParseError: the API server would refuse it.
    """
    protocol = wire.protocol or "TCP"
    target = wire.target_port or wire.port
    numbers = [number for number in (wire.port, target, wire.node_port or wire.port) if isinstance(number, int)]
    if protocol not in _PROTOCOLS or not all(0 < number <= _HIGHEST for number in numbers):
        raise ParseError(f"port {wire.port}/{protocol} is no port")
    return ServicePort(wire.port, wire.name or "", protocol, target, wire.node_port or None)
