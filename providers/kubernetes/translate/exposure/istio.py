"""Istio's own gateways and virtual services, which expose pods as ingresses do.

A gateway chooses the proxies that listen for it by their labels, in any namespace; a virtual service that names the
gateway sends what comes there to services. Sources:
https://istio.io/latest/docs/reference/config/networking/gateway/ and
https://istio.io/latest/docs/reference/config/networking/virtual-service/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.exposure.attachment import hosts_meet
from cloudseg.providers.kubernetes.translate.exposure.behind import add_behind
from cloudseg.providers.kubernetes.translate.exposure.fronts import Front
from cloudseg.providers.kubernetes.translate.labels import pod_labels
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.behind import End
    from cloudseg.providers.kubernetes.translate.exposure.controllers import Controllers
    from cloudseg.providers.kubernetes.translate.exposure.services import Services
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_istio"]

_GROUP: Final = "networking.istio.io"
_MESH: Final = "mesh"
"""The name that stands for all sidecars; what names no gateway is for them alone."""


class _Port(msgspec.Struct, frozen=True):
    number: int | None = None
    protocol: str = "TCP"


class _Server(msgspec.Struct, frozen=True):
    port: _Port
    hosts: list[str] | None = None


class _Gateway(msgspec.Struct, frozen=True):
    selector: dict[str, str] | None = None
    servers: list[_Server] | None = None


class _Destination(msgspec.Struct, frozen=True):
    host: str
    port: _Port | None = None


class _To(msgspec.Struct, frozen=True):
    destination: _Destination


class _Delegate(msgspec.Struct, frozen=True):
    name: str | None = None
    namespace: str | None = None


class _Route(msgspec.Struct, frozen=True):
    route: list[_To] | None = None
    mirror: _Destination | None = None
    mirrors: list[_To] | None = None
    delegate: _Delegate | None = None


class _Virtual(msgspec.Struct, frozen=True):
    hosts: list[str] | None = None
    gateways: list[str] | None = None
    http: list[_Route] | None = None
    tls: list[_Route] | None = None
    tcp: list[_Route] | None = None


class _Known(NamedTuple):
    """A gateway that was read."""

    item: Object
    spec: _Gateway


def add_istio(objects: Sequence[Object], services: Services, controllers: Controllers, draft: Draft) -> None:
    """Add the ways in that virtual services at gateways are."""
    own = [item for item in objects if item.group == _GROUP and item.kind in {"Gateway", "VirtualService"}]
    gateways: dict[str, _Known] = {}
    virtual: list[tuple[Object, _Virtual]] = []
    lost: set[str] = set()
    for item in own:
        problem = item.flaw
        if not problem:
            try:
                content: object = item.content.get("spec") or {}
                if item.kind == "Gateway":
                    gateways[f"{item.place}/{item.name}"] = _Known(item, msgspec.convert(content, _Gateway))
                else:
                    virtual.append((item, msgspec.convert(content, _Virtual)))
                continue
            except msgspec.ValidationError as error:
                problem = str(error)
        _malformed(item, problem, draft)
        lost.add(f"{item.place}/{item.name}")
    routes = {f"{item.place}/{item.name}": (item, spec) for item, spec in virtual}
    for item, spec in virtual:
        for text in dict.fromkeys(spec.gateways or ()):
            name = text if "/" in text else f"{item.place}/{text}"
            if text == _MESH or name in lost:
                continue
            known = gateways.get(name)
            ends = dict.fromkeys(_ends(item, spec, routes, draft))
            if known is None:
                front = Front((), None, f"its gateway {name} was not read", f"Istio gateway {name}")
                add_behind(item, ends, None, front, services, draft)
                continue
            try:
                listens = _listens(known, item, spec)
            except ParseError as error:
                _malformed(known.item, str(error), draft)
                continue
            if listens:
                add_behind(item, ends, listens, _front(known, controllers, draft), services, draft)


def _malformed(item: Object, problem: str, draft: Draft) -> None:
    draft.ledger.gap(item, "malformed", problem, "entrances")
    draft.ledger.partly.setdefault("entrances", f"{item.own} is malformed")


def _front(gateway: _Known, controllers: Controllers, draft: Draft) -> Front:
    wanted = pod_labels(gateway.spec.selector).items()
    found = [pod for _, pod in sorted(draft.interfaces.items()) if wanted and wanted <= pod.labels.items()]
    return controllers.by_proxies(gateway.item, f"Istio gateway {gateway.item.place}/{gateway.item.name}", found)


def _listens(gateway: _Known, item: Object, spec: _Virtual) -> Traffic:
    """Return the ports of a gateway that take what a virtual service routes.

    Raises:
        ParseError: a port is none.
    """
    total = NO_TRAFFIC
    for server in gateway.spec.servers or ():
        number = server.port.number
        if number is not None and any(_serves(host, gateway, item, spec) for host in server.hosts or ("*",)):
            total |= Traffic.ports("udp" if server.port.protocol == "UDP" else "tcp", number, number)
    return total


def _serves(host: str, gateway: _Known, item: Object, spec: _Virtual) -> bool:
    """Tell whether a server takes what a virtual service routes: ``namespace/name``, either of them ``*``, or ``.``."""
    place, slash, name = host.partition("/")
    if not slash:
        place, name = "*", host
    if place not in {"*", item.place} and not (place == "." and gateway.item.place == item.place):
        return False
    return name == "*" or any(own == "*" or hosts_meet(name, own) for own in spec.hosts or ("*",))


def _ends(
    item: Object, spec: _Virtual, routes: dict[str, tuple[Object, _Virtual]], draft: Draft, *, deep: bool = True
) -> Iterator[End]:
    for route in (*(spec.http or ()), *(spec.tls or ()), *(spec.tcp or ())):
        for destination in _destinations(route):
            yield from _end(item, destination, draft)
        if route.delegate is not None and deep:
            # What one delegates to must not delegate in its turn.
            name = f"{route.delegate.namespace or item.place}/{route.delegate.name or '?'}"
            if name in routes:
                yield from _ends(*routes[name], routes, draft, deep=False)
            else:
                draft.ledger.gap(
                    item, "unread", f"virtual service {name}, to which it delegates, was not read", "entrances"
                )


def _destinations(route: _Route) -> Iterable[_Destination]:
    one = () if route.mirror is None else (route.mirror,)
    return (*(each.destination for each in (*(route.route or ()), *(route.mirrors or ()))), *one)


def _end(item: Object, destination: _Destination, draft: Draft) -> Iterator[End]:
    """Yield the service that a destination names: a short name is one of the namespace of the virtual service."""
    port = 0 if destination.port is None else destination.port.number or 0
    parts = destination.host.split(".")
    if len(parts) == 1:
        yield item.place, parts[0], port
    elif len(parts) == 2 or parts[2] == "svc":
        yield parts[1], parts[0], port
    else:
        words = f"{destination.host} is no service of the cluster, and who answers there is not judged"
        draft.ledger.notes.append(f"{item.where}{item.own}: {words}")
