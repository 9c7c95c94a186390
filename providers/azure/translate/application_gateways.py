"""Application gateways: proxies in a subnet that end their clients' connections and open others to their backends."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.model import Alias, AliasPort, EndpointService, Forwarder, Interface, Workload
from cloudseg.providers.azure.ids import parent_of, qualified_id, region_of
from cloudseg.providers.azure.translate.application_backends import Backends, forwards_of
from cloudseg.providers.azure.translate.application_listeners import GATEWAY, ROLE, Heard, listening
from cloudseg.providers.azure.translate.application_wire import ApplicationGateway, ports_of
from cloudseg.providers.azure.translate.interfaces import borne, instances
from cloudseg.providers.azure.translate.services.building import connections_of
from cloudseg.providers.azure.translate.wire import ids, tags_of
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.application_wire import Frontend
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["add_application_gateways"]

_WHAT: Final = "network.application_gateways"
_FACET: Final = "load-balancers"
_STOPPED: Final = frozenset(("stopped", "stopping"))


def add_application_gateways(answers: Answers, draft: Draft) -> None:
    """Add the application gateways with one interface in their subnet, and where they send what they take.

    Each instance has an address of the subnet that no answer lists, and sends from it; all of them are one interface
    whose address is not known. A private frontend's address is a name for it. Source:
    https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure#size-of-the-subnet
    """
    listed = list(answers.listed("network", "application_gateways", ApplicationGateway, _FACET))
    backends = Backends(answers, draft) if listed else None
    for wire in listed:
        if backends is not None:
            _add(answers, draft, backends, wire)


def _add(answers: Answers, draft: Draft, backends: Backends, wire: ApplicationGateway) -> None:
    identifier, properties = qualified_id(wire.id), wire.properties
    region, tags = region_of(wire.location or ""), tags_of(wire)
    subnets = [each.properties.subnet for each in properties.configurations or ()]
    subnet = next((qualified_id(each.id) for each in subnets if each is not None and each.id), None)
    network = None
    if subnet is not None:
        known = draft.subnets.get(subnet)
        network = parent_of(subnet) if known is None else known.network
    frontends = properties.frontends or []
    public = borne(draft, ids([each.properties.public for each in frontends if each.properties.public is not None]))
    heard = _heard(wire, frontends)
    workload = Workload(
        id=identifier,
        kind="load-balancer",
        name=wire.name,
        region=region,
        tags=tags,
        network=network,
        internet_facing=any(each.properties.public is not None for each in frontends),
        running=properties.operational_state.lower() not in _STOPPED,
    )
    draft.put(draft.workloads, workload, answers.scope)
    forwards, complete = forwards_of(backends, wire, network)
    forwarder = Forwarder(
        id=identifier,
        kind="application-gateway",
        name=wire.name,
        region=region,
        tags=tags,
        accepts=heard.whole,
        forwards=forwards,
        complete=complete,
    )
    draft.put(draft.forwarders, forwarder, answers.scope)
    if properties.private_links:
        draft.put(draft.endpoint_services, _private_link(wire, workload), answers.scope)
    if subnet is None:
        answers.gap(_WHAT, wire.id, "malformed", "an application gateway without a subnet", _FACET)
        return
    interface = instances(workload, subnet, public, ROLE, GATEWAY)
    draft.put(draft.interfaces, interface, answers.scope)
    narrowed = listening(draft, interface, heard)
    if narrowed is not None:
        draft.put(draft.rule_sets, narrowed, answers.scope)
    for each in frontends:
        address = answers.addresses(_WHAT, wire.id, (each.properties.private_ip or "",), _FACET)
        if address:
            alias = _alias(workload, interface, address, heard.by_frontend.get(qualified_id(each.id), NO_TRAFFIC))
            draft.put(draft.aliases, alias, answers.scope)


def _private_link(wire: ApplicationGateway, workload: Workload) -> EndpointService:
    """Return the service over which other networks come to a gateway's frontend; each connection is to be approved.

    Source: https://learn.microsoft.com/azure/application-gateway/private-link
    """
    return EndpointService(
        id=f"{workload.id}/privatelink",
        kind="application-gateway-private-link",
        name=workload.name,
        region=workload.region,
        tags=workload.tags,
        # Private endpoints name the gateway itself.
        service=workload.own_id,
        acceptance_required=True,
        principals=None,
        connections=connections_of(wire.properties.private_endpoint_connections or ()) or (),
        balancers=frozenset((workload.id,)),
    )


def _heard(wire: ApplicationGateway, frontends: list[Frontend]) -> Heard:
    """Return what a gateway takes, at which of its addresses."""
    ports = ports_of(wire)
    sorts = {qualified_id(each.id): each.properties.public is not None for each in frontends}
    by_sort: defaultdict[bool, list[Traffic | None]] = defaultdict(list)
    by_frontend: defaultdict[str, Traffic] = defaultdict(lambda: NO_TRAFFIC)
    for listener in wire.properties.all_listeners:
        frontend = listener.frontend
        traffic = ports.get(qualified_id(listener.id))
        if traffic is not None:
            by_frontend[frontend] |= traffic
        # One at a frontend that was not read may be at either.
        for public in (sorts[frontend],) if frontend in sorts else (True, False):
            by_sort[public].append(traffic if frontend in sorts else None)
    return Heard(_joined(by_sort[True]), _joined(by_sort[False]), dict(by_frontend))


def _joined(parts: list[Traffic | None]) -> Traffic | None:
    known = [each for each in parts if each is not None]
    found = NO_TRAFFIC
    for each in known:
        found |= each
    return found if len(known) == len(parts) else None


def _alias(workload: Workload, interface: Interface, address: AddressSet, listens: Traffic) -> Alias:
    return Alias(
        id=f"{workload.id}/{address}",
        kind="application-gateway",
        name=workload.name,
        region=workload.region,
        tags=workload.tags,
        words=(workload.name,),
        addresses=address,
        ports=(AliasPort(listens=listens, sends=listens, targets=frozenset((interface.id,))),),
    )
