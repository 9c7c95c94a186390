"""What AuthorizationPolicies ask for: ports, and what only a proxy that reads requests can tell.

Whether a port speaks HTTP is told by the names of the ports of Services, or by ``appProtocol``; the protocol of other
ports is found out connection by connection. Sources:
https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation,
https://istio.io/latest/docs/reference/config/security/conditions/ and
https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.errors import ParseError
from cloudseg.model import AllOf, AnyOf, NoneOf
from cloudseg.providers.kubernetes.translate.labels import in_namespace, on_port, port_label, requirements, words
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.meshes import TCP
from cloudseg.providers.kubernetes.translate.wire import LabelSelector
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Labelled, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.istio.wire import Operation

__all__ = ["Asked", "Protocols", "Speech", "of_operation", "of_ports", "read_protocols"]

_HTTP: Final = frozenset(("http", "http2", "grpc", "grpc-web", "kubernetes.io/h2c", "kubernetes.io/ws"))
_OTHER: Final = frozenset(("tcp", "tls", "https", "mongo", "mysql", "redis", "kubernetes.io/wss"))
_HIGHEST: Final = 65535
_SPEECH: Final[dict[bool | None, str]] = {True: "HTTP", False: "no HTTP", None: "anything"}


class Asked(NamedTuple):
    """What a rule asks for.

    Attributes:
        traffic: the ports.
        requests: what it asks of requests, in words; nothing where it asks of connections alone.
        certain: False where it asks for something beside that no object tells.
    """

    traffic: Traffic = TCP
    requests: tuple[str, ...] = ()
    certain: bool = True


def of_operation(operation: Operation) -> Asked:
    """Return what one item of ``to`` asks for.

    Raises:
        ParseError: the API server or Istio would refuse it.
    """
    given: tuple[tuple[str, list[str] | None], ...] = (
        ("hosts", operation.hosts),
        ("not hosts", operation.not_hosts),
        ("methods", operation.methods),
        ("not methods", operation.not_methods),
        ("paths", operation.paths),
        ("not paths", operation.not_paths),
    )
    told = tuple(f"{name} {', '.join(values)}" for name, values in given if values)
    return Asked(of_ports(operation.ports, operation.not_ports), told)


def of_ports(inside: Sequence[str] | None, outside: Sequence[str] | None) -> Traffic:
    """Return the ports that a rule names, without those that it excludes.

    Raises:
        ParseError: one of them is none.
    """
    found = TCP if not inside else _union(inside)
    return found - _union(outside or ())


def _union(ports: Iterable[str]) -> Traffic:
    found = NO_TRAFFIC
    for port in ports:
        if not port.isascii() or not port.isdigit() or int(port) > _HIGHEST:
            raise ParseError(f"{port!r} is no port")
        found |= Traffic.ports("tcp", int(port), int(port))
    return found


class Speech(NamedTuple):
    """A part of the pods and ports, and whether they speak HTTP; None where that is not known.

    Attributes:
        http: whether they speak HTTP.
        traffic: the ports.
        text: the pods in words.
        parts: what is required of the pods.
    """

    http: bool | None
    traffic: Traffic
    text: str = ""
    parts: tuple[Selector, ...] = ()


class _Front(NamedTuple):
    """Pods behind a port of a Service."""

    http: bool | None
    required: tuple[Labelled, ...]


class Protocols:
    """Which ports of which pods speak HTTP.

    Args:
        fronts: what is behind the ports of Services, by number.
    """

    def __init__(self, fronts: Mapping[int, Sequence[_Front]]) -> None:
        self._fronts = fronts

    def parts(self, traffic: Traffic, place: str | None) -> Iterator[Speech]:
        """Yield the parts of some ports by whether they speak HTTP.

        Args:
            traffic: the ports.
            place: the namespace of the pods; None for all.
        """
        rest = traffic
        for number, every in sorted(self._fronts.items()):
            port = Traffic.ports("tcp", number, number)
            fronts = [each for each in every if place is None or in_namespace(place) in each.required]
            if not fronts or not port <= traffic:
                continue
            rest -= port
            for kind in (True, False):
                if any(each.http is kind for each in fronts):
                    yield Speech(kind, port, _words(number, fronts, kind=kind), (_alike(fronts, kind=kind),))
            # Where Services differ, or none stands before a pod, nobody knows.
            known = [_alike(fronts, kind=kind) for kind in (True, False)]
            yield Speech(None, port, _words(number, fronts, kind=None), (NoneOf(tuple(known)),))
        if rest:
            yield Speech(None, rest)


def read_protocols(objects: Sequence[Object], draft: Draft) -> Protocols:
    """Return what the Services of a cluster tell of protocols.

    Where a Sidecar describes how its pods listen, that counts in place of Services, and nothing is taken as known.
    """
    described = {
        item.place
        for item in objects
        if (item.group, item.kind) == ("networking.istio.io", "Sidecar")
        and (item.flaw or item.part("spec").get("ingress"))
    }
    found: defaultdict[int, list[_Front]] = defaultdict(list)
    for item in objects:
        if (item.group, item.kind) == ("", "Service") and not item.flaw and item.place not in described:
            for number, front in _fronts(item, draft):
                found[number].append(front)
    return Protocols(found)


def _fronts(item: Object, draft: Draft) -> Iterator[tuple[int, _Front]]:
    spec = item.part("spec")
    labels, ports = fields_of(spec.get("selector")), spec.get("ports")
    if not labels or not isinstance(ports, list) or spec.get("type") == "ExternalName":
        return
    texts = {key: value for key, value in labels.items() if isinstance(value, str)}
    chosen = (in_namespace(item.place), *requirements(LabelSelector(dict(texts)), "pods"))
    sure = len(texts) == len(labels)
    for each in map(fields_of, cast("list[object]", ports)):
        if each.get("protocol", "TCP") != "TCP":
            continue
        http = _speaks(each) if sure else None
        target = each.get("targetPort", each.get("port"))
        if isinstance(target, str) and not target.isdigit():
            # A port by its name is another number at each pod.
            for number in draft.numbers(item.place, port_label(target, "TCP")):
                yield number, _Front(http, (*chosen, on_port(target, "TCP", number)))
        elif isinstance(target, int | str) and 0 < int(target) <= _HIGHEST:
            yield int(target), _Front(http, chosen)


def _speaks(port: dict[str, object]) -> bool | None:
    told = port.get("appProtocol")
    name = port.get("name")
    if told is not None:
        kind = told.lower() if isinstance(told, str) else ""
        return True if kind in _HTTP else False if kind in _OTHER else None
    text = name.lower() if isinstance(name, str) else ""
    prefix = "grpc-web" if text == "grpc-web" or text.startswith("grpc-web-") else text.partition("-")[0]
    return True if prefix in _HTTP else False if prefix in _OTHER else None


def _alike(fronts: Sequence[_Front], *, kind: bool) -> Selector:
    """Return the pods that stand behind Services of one kind alone."""
    own, others = (
        AnyOf(tuple(AllOf(each.required) for each in fronts if (each.http is kind) is alike)) for alike in (True, False)
    )
    return AllOf((own, NoneOf((others,))))


def _words(number: int, fronts: Sequence[_Front], *, kind: bool | None) -> str:
    """Return pods in words, the same for the same ones."""
    if kind is None:
        told = (f"{words(each.required)} ({_SPEECH[each.http]})" for each in fronts)
        return f"pods of which Services do not tell the protocol of port {number}: {' or '.join(told)}"
    own = " or ".join(words(each.required) for each in fronts if each.http is kind)
    others = " or ".join(words(each.required) for each in fronts if each.http is not kind)
    return f"pods with {_SPEECH[kind]} at port {number}: {own}{others and f', and not {others}'}"
