"""Gateways and their routes, which expose pods as ingresses do.

A route of one namespace reaches services of another one only where a ReferenceGrant there lets it. Sources:
https://gateway-api.sigs.k8s.io/reference/spec/ and
https://gateway-api.sigs.k8s.io/api-types/referencegrant/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.exposure.attachment import ROUTES, listening
from cloudseg.providers.kubernetes.translate.exposure.behind import add_behind
from cloudseg.providers.kubernetes.translate.exposure.fronts import Front, cloud
from cloudseg.providers.kubernetes.translate.exposure.gateway_wire import Backend, Gateway, Grant, Route
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.behind import End
    from cloudseg.providers.kubernetes.translate.exposure.controllers import Controllers
    from cloudseg.providers.kubernetes.translate.exposure.gateway_wire import Parent
    from cloudseg.providers.kubernetes.translate.exposure.services import Services
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_gateways"]

_GROUP: Final = "gateway.networking.k8s.io"
_WEB: Final = Traffic.ports("tcp", 80, 80) | Traffic.ports("tcp", 443, 443)
_USUAL: Final = {"HTTPRoute": _WEB, "GRPCRoute": _WEB, "TLSRoute": Traffic.ports("tcp", 443, 443)}
"""What clients send for a route whose gateway was not read."""


class _Attached(NamedTuple):
    """What takes packets for a route, and on which ports; None where these were not read."""

    front: Front
    listens: Traffic | None


def add_gateways(objects: Sequence[Object], services: Services, controllers: Controllers, draft: Draft) -> None:
    """Add the ways in that routes of gateways are."""
    own = [item for item in objects if item.group == _GROUP]
    gateways = {(i.place, i.name): (i, spec) for i, spec in _read(own, "Gateway", Gateway, draft)}
    lost = {(i.place, i.name) for i in own if i.kind == "Gateway"} - gateways.keys()
    grants = [(i.place, spec) for i, spec in _read(own, "ReferenceGrant", Grant, draft)]
    for kind in ROUTES:
        for item, route in _read(own, kind, Route, draft):
            ends = [end for each in _backends(route) for end in _end(item, each, grants, draft)]
            for parent in route.parent_refs or ():
                attached = _attached(item, route, parent, gateways, controllers, draft)
                if attached is not None and (parent.namespace or item.place, parent.name) not in lost:
                    add_behind(item, ends, attached.listens, attached.front, services, draft)


Shape = TypeVar("Shape", Gateway, Route, Grant)


def _read(objects: Iterable[Object], kind: str, shape: type[Shape], draft: Draft) -> Iterator[tuple[Object, Shape]]:
    for item in objects:
        if item.kind != kind:
            continue
        problem = item.flaw
        if not problem:
            try:
                yield item, msgspec.convert(item.content.get("spec") or {}, shape)
                continue
            except msgspec.ValidationError as error:
                problem = str(error)
        _malformed(item, problem, draft)


def _malformed(item: Object, problem: str, draft: Draft) -> None:
    draft.ledger.gap(item, "malformed", problem, "entrances")
    draft.ledger.partly.setdefault("entrances", f"{item.own} is malformed")


def _backends(route: Route) -> Iterator[Backend]:
    for rule in route.rules or ():
        yield from (each.request_mirror.backend_ref for each in rule.filters or () if each.request_mirror is not None)
        for backend in rule.backend_refs or ():
            yield backend
            copies = (each.request_mirror for each in backend.filters or ())
            yield from (copy.backend_ref for copy in copies if copy is not None)


def _end(item: Object, backend: Backend, grants: Iterable[tuple[str, Grant]], draft: Draft) -> Iterator[End]:
    """Yield the service that a route names, unless it lies in a namespace that does not grant that, or gets nothing."""
    if backend.weight == 0:
        return
    if (backend.kind or "Service") != "Service" or backend.group:
        detail = f"it sends to {backend.kind or 'Service'} {backend.name} ({backend.group or 'core'})"
        draft.ledger.gap(item, "unsupported", f"{detail}: what is behind that is not judged", "entrances")
        return
    place = backend.namespace or item.place
    if place == item.place or any(_grants(item, backend, spec) for where, spec in grants if where == place):
        yield place, backend.name, backend.port or 0
    else:
        words = f"no ReferenceGrant lets it send to service {place}/{backend.name}"
        draft.ledger.notes.append(f"{item.where}{item.own}: {words}")


def _grants(item: Object, backend: Backend, grant: Grant) -> bool:
    given = any((e.group, e.kind, e.namespace) == (_GROUP, item.kind, item.place) for e in grant.given or ())
    named = ("", None, backend.name)
    return given and any(e.kind == "Service" and not e.group and e.name in named for e in grant.to or ())


def _attached(
    item: Object,
    route: Route,
    parent: Parent,
    gateways: dict[tuple[str, str], tuple[Object, Gateway]],
    controllers: Controllers,
    draft: Draft,
) -> _Attached | None:
    """Return what a route attaches to; None where nobody takes it, or it is about traffic inside of the cluster."""
    kind, group = parent.kind or "Gateway", _GROUP if parent.group is None else parent.group
    if (group, kind) == ("", "Service"):
        # https://gateway-api.sigs.k8s.io/mesh/ - it is for those who call the service inside.
        return None
    name = f"{parent.namespace or item.place}/{parent.name}"
    if (group, kind) != (_GROUP, "Gateway"):
        doubt = f"what {kind} {name} is, to which it attaches, is not judged"
        draft.ledger.gap(item, "unsupported", doubt, "entrances")
        return _Attached(Front((), None, doubt, f"{kind} {name}"), _USUAL.get(item.kind))
    known = gateways.get((parent.namespace or item.place, parent.name))
    if known is None:
        front = cloud(item, f"gateway {name}", public=None, doubt=f"its gateway {name} was not read")
        return _Attached(front, _USUAL.get(item.kind))
    gateway, spec = known
    try:
        listens = listening(gateway, spec, parent, item, route, draft)
    except ParseError as error:
        _malformed(gateway, str(error), draft)
        return None
    return _Attached(controllers.of_gateway(gateway), listens) if listens else None
