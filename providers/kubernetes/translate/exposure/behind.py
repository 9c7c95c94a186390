"""The pods behind ingresses and gateways, as ways in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import Entrance
from cloudseg.providers.kubernetes.translate.exposure.published import BY_NODES
from cloudseg.providers.kubernetes.translate.pipeline import hosts_of
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.fronts import Front
    from cloudseg.providers.kubernetes.translate.exposure.service import Service, ServicePort
    from cloudseg.providers.kubernetes.translate.exposure.services import Backend, Services
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.traffic import Traffic

__all__ = ["End", "add_behind"]

End = tuple[str, str, int | str]
"""A service by its namespace and name, and its port: by number or name; 0 for its only one."""


def add_behind(
    item: Object, ends: Iterable[End], listens: Traffic | None, front: Front, services: Services, draft: Draft
) -> None:
    """Add what an ingress, or a route of a gateway, leads to.

    Args:
        item: the ingress or the route.
        ends: the services that it names.
        listens: what clients send in order to come here; None where that was not read.
        front: what takes it from them.
        services: the services of the cluster.
        draft: the cluster.
    """
    if front.active is False:
        return
    if not front.senders.overlaps(GLOBAL_UNICAST):
        draft.ledger.notes.append(f"{item.where}{item.own}: {front.text} lets in {front.senders} alone")
        return
    for namespace, name, port in dict.fromkeys(ends):
        service = services.find(namespace, name)
        chosen = () if service is None else _ports(service, port)
        if (namespace, name) in services.lost:
            # A gap says so already, and that ways in are not known in full.
            continue
        if service is None or not chosen:
            what = f"service {namespace}/{name}" if service is None else f"port {port} of service {namespace}/{name}"
            draft.ledger.notes.append(f"{item.where}{item.own}: there is no {what}, so that nothing is behind it")
            continue
        backends = services.backends(service, chosen)
        if not backends:
            _tell_empty(item, service, services, draft)
        for backend in backends:
            identifier = _free_id(item, draft)
            draft.entrances[identifier] = _entrance(identifier, item, backend, listens, front, draft)


def _free_id(item: Object, draft: Draft) -> str:
    """Return an id for one more way in of an ingress or a route."""
    identifier, number = draft.id(item.own), 1
    while identifier in draft.entrances:
        number += 1
        identifier = draft.id(f"{item.own}#{number}")
    return identifier


def _entrance(
    identifier: str, item: Object, backend: Backend, listens: Traffic | None, front: Front, draft: Draft
) -> Entrance:
    addresses = NO_ADDRESSES
    for proxy in front.proxies:
        addresses |= proxy.addresses
    doubts = (front.doubt, "" if backend.certain else "which pods are behind it is not known")
    return Entrance(
        id=identifier,
        kind="ingress" if item.kind == "Ingress" else "gateway-route",
        name=f"{item.place}/{item.name}",
        tags={"way": front.text},
        location=item.location,
        targets=frozenset(pod.workload or pod.id for pod in backend.pods),
        traffic=backend.traffic,
        clients=addresses if front.proxies else ALL_ADDRESSES,
        # A proxy in the cluster opens connections of its own; one outside has addresses that nobody read.
        certain_clients=bool(front.proxies),
        senders=front.senders,
        through=frozenset(pod.workload for pod in front.proxies if pod.workload is not None),
        listens=front.listens or listens,
        active=front.active if backend.certain else None,
        groups=frozenset() if front.proxies else frozenset((hosts_of(draft.cluster),)),
        doubt="; ".join(filter(None, (*doubts, "" if front.proxies else BY_NODES))),
    )


def _tell_empty(item: Object, service: Service, services: Services, draft: Draft) -> None:
    """Say why nothing is behind a service that an ingress or a route names."""
    name = f"{service.item.place}/{service.item.name}"
    if service.type == "ExternalName":
        draft.ledger.notes.append(f"{item.where}{item.own}: service {name} stands for a name outside of the cluster")
    elif service.selector is not None:
        draft.ledger.notes.append(f"{item.where}{item.own}: no pod that was read is behind service {name}")
    elif services.written_ends(service):
        draft.ledger.notes.append(f"{item.where}{item.own}: service {name} leads to addresses that no pod bears")
    else:
        detail = f"it leads to service {name}, whose ends no selector names, and their EndpointSlices were not read"
        draft.ledger.gap(item, "unread", detail, "entrances")
        draft.ledger.partly.setdefault("entrances", f"the ends of {service.item.own} were not read")


def _ports(service: Service, port: int | str) -> tuple[ServicePort, ...]:
    if port == 0:
        return service.ports[:1] if len(service.ports) == 1 else ()
    return tuple(each for each in service.ports if port in {each.number, each.name})
