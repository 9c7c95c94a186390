"""Services that are published: by a load balancer of the cloud, on a port of every node, under addresses of their own.

Whether policies see the client's address or that of a node is not defined where packets are rewritten on the way, and
since a pod's own node always gets in, what is spread over nodes may come in whatever policies say. A service whose
``externalTrafficPolicy`` is ``Local`` keeps the source; a load balancer before it may have put its own there.

Sources: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types,
https://kubernetes.io/docs/tutorials/services/source-ip/ and
https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Entrance
from cloudseg.providers.kubernetes.translate.exposure.balancers import makes_internal, offer_of
from cloudseg.providers.kubernetes.translate.exposure.service import traffic_of
from cloudseg.providers.kubernetes.translate.pipeline import hosts_of
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.service import Service, ServicePort
    from cloudseg.providers.kubernetes.translate.exposure.services import Backend, Services

__all__ = ["BY_NODES", "NODE_PORTS", "add_published", "nodes_doubt"]

BY_NODES: Final = "policies may see the address of a node instead of the client's, and a pod's own node always gets in"
_BY_BALANCER: Final = "policies may see an address of the load balancer instead of the client's"
_SOME_PODS: Final = "its selector asks for labels that controllers add, so that only some of these pods are meant"

NODE_PORTS: Final = (30000, 32767)
"""The numbers of which a cluster chooses those that nobody wrote down. Source:
https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport"""


class _Way(NamedTuple):
    """A way in.

    Attributes:
        name: what it is called.
        ports: the ports of the service that it takes.
        by_nodes: clients ask for the ports of nodes, not for those of the service.
        senders: who may send.
        active: it is there; None where that is not known.
        doubt: why it is not known.
        hidden: pods may see an address of what stands before the nodes.
    """

    name: str
    ports: tuple[ServicePort, ...]
    by_nodes: bool = False
    senders: AddressSet = ALL_ADDRESSES
    active: bool | None = True
    doubt: str = ""
    hidden: bool = False


def add_published(services: Services, draft: Draft) -> None:
    """Add the ways in that services open themselves."""
    aws = makes_internal(draft.interfaces.values())
    for service in services:
        for way in _ways(service, draft, aws_controller=aws):
            _add(service, way, services, draft)


def nodes_doubt(draft: Draft) -> str | None:
    """Return what is not known of who gets to ports of nodes; None where no node has an address of the internet."""
    if any(node.addresses.overlaps(GLOBAL_UNICAST) for node in draft.nodes):
        return "what filters stand before the nodes was not read"
    if not draft.nodes or any(not node.addresses for node in draft.nodes):
        return "whether any node has an address of the internet was not read"
    return None


def _ways(service: Service, draft: Draft, *, aws_controller: bool) -> Iterator[_Way]:
    shut = service.type != "LoadBalancer"
    if service.type == "LoadBalancer":
        offer = offer_of(service, aws_controller=aws_controller)
        public = offer.senders.overlaps(GLOBAL_UNICAST)
        shut = offer.public is False or offer.senders != ALL_ADDRESSES
        if offer.public is not False and public:
            yield _Way(
                "load balancer",
                service.ports,
                senders=offer.senders,
                active=offer.public,
                doubt=offer.doubt,
                hidden=True,
            )
        elif offer.public is not False:
            words = f"its load balancer lets in {offer.senders} alone, and no address of the internet"
            draft.ledger.notes.append(f"{service.item.where}{service.item.own}: {words}")
    # The ports of nodes lead to the same place, past what a load balancer lets in.
    if service.type in {"NodePort", "LoadBalancer"} and shut:
        yield from _over_nodes(service, draft)
    if service.external.overlaps(GLOBAL_UNICAST):
        doubt = f"whether packets for {service.external & GLOBAL_UNICAST} come to its nodes is not known"
        yield _Way("external address", service.ports, active=None, doubt=doubt)


def _over_nodes(service: Service, draft: Draft) -> Iterator[_Way]:
    """Yield the way over a port of every node; none where no node has an address of the internet."""
    numbered = tuple(port for port in service.ports if port.node_port)
    # What a load balancer adds of its own accord, nobody needs to write down, or to want.
    ports = numbered or (service.ports if service.type == "NodePort" else ())
    doubt = nodes_doubt(draft)
    if ports and doubt is not None:
        yield _Way("port of every node", ports, by_nodes=True, active=None, doubt=doubt)
    elif doubt is not None:
        words = "its load balancer may come with a port of every node as well, which no manifest tells"
        draft.ledger.notes.append(f"{service.item.where}{service.item.own}: {words}")


def _asked(way: _Way, ports: tuple[ServicePort, ...]) -> Traffic:
    """Return what clients send in order to come by a way to ports of a service."""
    if not way.by_nodes:
        return traffic_of(ports)
    total = NO_TRAFFIC
    for port in ports:
        first, last = (port.node_port, port.node_port) if port.node_port else NODE_PORTS
        total |= Traffic.ports(port.protocol.lower(), first, last)
    return total


def _add(service: Service, way: _Way, services: Services, draft: Draft) -> None:
    item = service.item
    backends = services.backends(service, way.ports)
    if not backends:
        _tell_empty(service, way, services, draft)
    for number, backend in enumerate(backends):
        mark = "" if way.name == "load balancer" else f" ({way.name})"
        identifier = draft.id(f"{item.own}{mark}{f'#{number + 1}' if len(backends) > 1 else ''}")
        draft.entrances[identifier] = _entrance(identifier, service, way, backend, draft)


def _entrance(identifier: str, service: Service, way: _Way, backend: Backend, draft: Draft) -> Entrance:
    item = service.item
    spread = BY_NODES if not service.local else _BY_BALANCER if way.hidden else ""
    return Entrance(
        id=identifier,
        kind="service",
        name=f"{item.place}/{item.name}",
        tags={"way": way.name},
        location=item.location,
        targets=frozenset(pod.workload or pod.id for pod in backend.pods),
        traffic=backend.traffic,
        senders=way.senders,
        listens=_asked(way, backend.ports),
        active=way.active if backend.certain else None,
        certain_clients=service.local and not way.hidden,
        groups=frozenset() if service.local else frozenset((hosts_of(draft.cluster),)),
        doubt="; ".join(filter(None, (way.doubt, "" if backend.certain else _SOME_PODS, spread))),
    )


def _tell_empty(service: Service, way: _Way, services: Services, draft: Draft) -> None:
    """Say why nothing is behind a way in."""
    item = service.item
    if service.selector is not None or service.type == "ExternalName":
        words = f"no pod that was read is behind its {way.name}"
        draft.ledger.notes.append(f"{item.where}{item.own}: {words}")
    elif services.written_ends(service):
        draft.ledger.notes.append(f"{item.where}{item.own}: its {way.name} leads to addresses that no pod bears")
    else:
        detail = f"its {way.name} leads to ends that no selector names, and their EndpointSlices were not read"
        draft.ledger.gap(item, "unread", detail, "entrances")
        draft.ledger.partly.setdefault("entrances", f"the ends of {item.own} were not read")
