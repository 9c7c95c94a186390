"""Ingresses: hosts and paths of a proxy that lead to services.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.kubernetes.translate.exposure.behind import add_behind
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.behind import End
    from cloudseg.providers.kubernetes.translate.exposure.controllers import Controllers
    from cloudseg.providers.kubernetes.translate.exposure.services import Services
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_ingresses"]

_HTTP: Final = Traffic.ports("tcp", 80, 80)
_HTTPS: Final = Traffic.ports("tcp", 443, 443)


class _Port(msgspec.Struct, frozen=True):
    name: str | None = None
    number: int | None = None


class _Service(msgspec.Struct, frozen=True):
    name: str
    port: _Port | None = None


class _Backend(msgspec.Struct, frozen=True, rename="camel"):
    """A backend; the two names of a service are those of versions before ``networking.k8s.io/v1``."""

    service: _Service | None = None
    resource: object = None
    service_name: str | None = None
    service_port: int | str | None = None


class _Path(msgspec.Struct, frozen=True):
    backend: _Backend | None = None


class _Http(msgspec.Struct, frozen=True):
    paths: list[_Path] | None = None


class _Rule(msgspec.Struct, frozen=True):
    http: _Http | None = None


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    default_backend: _Backend | None = None
    backend: _Backend | None = None
    rules: list[_Rule] | None = None
    tls: list[object] | None = None


def add_ingresses(objects: Iterable[Object], services: Services, controllers: Controllers, draft: Draft) -> None:
    """Add the way in that each ingress is."""
    mine = [i for i in objects if i.kind == "Ingress" and i.group in {"networking.k8s.io", "extensions"}]
    # A load balancer of a cloud may lead to the proxies that serve other ingresses, so those come first.
    for item in sorted(mine, key=controllers.is_proxied):
        problem = item.flaw
        spec = _Spec()
        if not problem:
            try:
                spec = msgspec.convert(item.content.get("spec"), _Spec | None) or _Spec()
            except msgspec.ValidationError as error:
                problem = str(error)
        if problem:
            draft.ledger.gap(item, "malformed", problem, "entrances")
            draft.ledger.partly.setdefault("entrances", f"{item.own} is malformed")
            continue
        backends = list(_backends(spec))
        if any(each.resource is not None for each in backends):
            words = "it leads to a resource that is no service, and who answers there is not judged"
            draft.ledger.notes.append(f"{item.where}{item.own}: {words}")
        listens = _HTTP | _HTTPS if spec.tls else _HTTP
        add_behind(item, _ends(item, backends), listens, controllers.of_ingress(item), services, draft)


def _backends(spec: _Spec) -> Iterator[_Backend]:
    found = [spec.default_backend, spec.backend]
    for rule in spec.rules or ():
        found += [path.backend for path in (rule.http.paths if rule.http else None) or ()]
    return (each for each in found if each is not None)


def _ends(item: Object, backends: Iterable[_Backend]) -> Iterator[End]:
    for each in backends:
        if each.service is not None:
            port = each.service.port or _Port()
            yield item.place, each.service.name, port.name or port.number or 0
        elif each.service_name:
            yield item.place, each.service_name, each.service_port or 0
