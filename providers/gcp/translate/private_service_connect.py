"""Private Service Connect: endpoints that lead to services elsewhere, and the project's own published services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import msgspec

from cloudseg.model import (
    ANY_ZONE,
    Endpoint,
    EndpointConnection,
    EndpointService,
    Forward,
    Forwarder,
    ForwardTarget,
    Interface,
    Subnet,
    Workload,
)
from cloudseg.providers.gcp.ids import name_of, project_of, region_of, tail_of
from cloudseg.providers.gcp.translate.balancing_parts import FACET, Led
from cloudseg.providers.gcp.translate.balancing_wire import ForwardingRule
from cloudseg.providers.gcp.translate.fronts import BUNDLES, is_private_service_connect
from cloudseg.providers.gcp.translate.groups import PROXY
from cloudseg.providers.gcp.translate.wire import CloudResource, labels_of
from cloudseg.traffic import ALL_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["ENDPOINT_ROLE", "add_private_endpoints", "add_published_services", "state_of"]

State: TypeAlias = Literal["pending", "accepted", "rejected", "failed", "other"]

_WHAT: Final = "compute.forwarding_rules"
_SERVICES: Final = "compute.service_attachments"
_SERVICES_FACET: Final = "endpoint-services"
ENDPOINT_ROLE: Final = "private_endpoint"
"""What the interfaces of endpoints are for: they only answer."""
_HANDS_ON: Final = "private_link_service"
"""What the interfaces of published services are for: they hand on what consumers send."""
_STATES: Final[dict[str, State]] = {
    "ACCEPTED": "accepted",
    "PENDING": "pending",
    "REJECTED": "rejected",
    "CLOSED": "failed",
}
"""States of connections. Source:
https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints#connection-statuses"""
_ANYONE: Final = "*"


class _Limit(msgspec.Struct, rename="camel"):
    project_id_or_num: str | int | None = None
    network_url: str | None = None


class _Connected(msgspec.Struct, rename="camel"):
    status: str = ""
    endpoint: str | None = None
    consumer_network: str | None = None


class _Attachment(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    target_service: str | None = None
    producer_forwarding_rule: str | None = None
    connection_preference: str = ""
    nat_subnets: list[str] | None = None
    consumer_accept_lists: list[_Limit] | None = None
    # Read one by one: what cannot be understood must not take its service along.
    connected_endpoints: list[object] | None = None


class _Place(NamedTuple):
    """Where an endpoint stands: a network, and its subnet where it has one."""

    network: str
    subnet: str | None
    region: str


def state_of(status: str) -> State:
    """Return the state of a connection, by the status that Google gives it."""
    return _STATES.get(status.upper(), "other")


def add_private_endpoints(answers: Answers, draft: Draft) -> None:
    """Add the endpoints of Private Service Connect, each with the interface that bears its address.

    It stands in a subnet, and the one for Google's own services at an address of its own beside all subnets. Lists of
    machines do not judge it; those of its clients do, on their way out. Sources:
    https://cloud.google.com/vpc/docs/about-accessing-vpc-hosted-services-endpoints,
    https://cloud.google.com/vpc/docs/about-accessing-google-apis-endpoints and
    https://cloud.google.com/vpc/docs/private-service-connect-security#consumer-firewalls
    """
    for rule in answers.listed("compute", "forwarding_rules", ForwardingRule, FACET):
        if not is_private_service_connect(rule):
            continue
        region = region_of(rule.region or rule.self_link)
        place = "global" if region == "global" else f"regions/{region}"
        link = rule.link(answers.scope, f"{place}/forwardingRules")
        identifier = draft.named(link, answers.scope)
        address = answers.addresses(_WHAT, tail_of(link), (rule.address,), "endpoints")
        stands = _place(answers, draft, rule, identifier, address, region)
        if stands is None:
            answers.gap(_WHAT, tail_of(link), "malformed", "an endpoint without a network", "endpoints")
            continue
        target = tail_of(rule.target or "")
        status = (rule.psc_connection_status or "").upper()
        usable = {"ACCEPTED": True, "PENDING": False, "REJECTED": False, "CLOSED": False}.get(status)
        workload = Workload(
            id=identifier, kind="private-service-connect-endpoint", name=rule.name, region=stands.region,
            tags=labels_of(rule), network=stands.network,
        )  # fmt: skip
        draft.put(draft.workloads, workload, answers.scope)
        interface = Interface(
            id=f"{identifier}/address", kind="network-interface", name=rule.name, region=stands.region,
            tags=labels_of(rule), network=stands.network, subnet=stands.subnet, addresses=address,
            labels={PROXY: "true"}, workload=identifier, role=ENDPOINT_ROLE, derived=True, managed_by="gcp",
        )  # fmt: skip
        draft.put(draft.interfaces, interface, answers.scope)
        if region != "global" and not rule.allow_psc_global_access:
            draft.regional[interface.id] = region
        endpoint = Endpoint(
            id=identifier,
            kind="private-service-connect-endpoint",
            name=rule.name,
            region=stands.region,
            tags=labels_of(rule),
            network=stands.network,
            type="interface",
            service=target if target in BUNDLES else named_service(draft, target, answers.scope),
            usable=True if target in BUNDLES and not status else usable,
            state=status,
            policy="unsupported",
            subnets=frozenset() if stands.subnet is None else frozenset((stands.subnet,)),
            interfaces=frozenset((interface.id,)),
        )
        draft.put(draft.endpoints, endpoint, answers.scope)


def _place(
    answers: Answers, draft: Draft, rule: ForwardingRule, identifier: str, address: AddressSet, region: str
) -> _Place | None:
    """Return where an endpoint stands; that of an address beside all subnets is a place of its own."""
    if rule.subnetwork:
        subnet = draft.named(rule.subnetwork, answers.scope)
        known = draft.subnets.get(subnet)
        if known is not None:
            return _Place(known.network, subnet, known.region)
    if not rule.network:
        return None
    network = draft.named(rule.network, answers.scope)
    within = (each for _, each in sorted(draft.subnets.items()) if each.network == network)
    found = next((each for each in within if address and address <= each.addresses), None)
    if found is not None:
        return _Place(network, found.id, found.region)
    if not address:
        return _Place(network, None, region)
    own = f"{identifier}/place"
    subnet_of_its_own = Subnet(
        id=own, kind="endpoint-address", name=rule.name, region=region, network=network, addresses=address,
        public_by_default=False,
    )  # fmt: skip
    draft.put(draft.subnets, subnet_of_its_own, answers.scope)
    return _Place(network, own, region)


def named_service(draft: Draft, link: str, project: str) -> str:
    """Return the name of a published service as endpoints call it: its link, the project by its id where known."""
    tail = tail_of(link)
    written = project_of(tail) or project
    known = draft.project(written)
    return tail if known == written else tail.replace(f"projects/{written}", f"projects/{known}", 1)


def add_published_services(answers: Answers, draft: Draft) -> None:
    """Add the services that the project publishes, each as what hands its consumers' connections on.

    Consumers come to the load balancer behind it from addresses of its NAT subnets. One with automatic acceptance takes
    anybody; else those of its accept list, and others wait. Sources:
    https://cloud.google.com/vpc/docs/about-vpc-hosted-services and
    https://cloud.google.com/vpc/docs/manage-private-service-connect-services
    """
    for wire in answers.listed("compute", "service_attachments", _Attachment, _SERVICES_FACET):
        region = region_of(wire.region or wire.self_link)
        link = wire.link(answers.scope, f"regions/{region}/serviceAttachments")
        identifier = draft.named(link, answers.scope)
        led = wire.target_service or wire.producer_forwarding_rule
        _add_forwarder(answers, draft, wire, identifier, draft.named(led, answers.scope) if led else "")
        preference = wire.connection_preference.upper()
        automatic = {"ACCEPT_AUTOMATIC": True, "ACCEPT_MANUAL": False}.get(preference)
        listed = tuple(sorted(_accepted(draft, wire, answers.scope)))
        service = EndpointService(
            id=identifier,
            kind="service-attachment",
            name=wire.name or name_of(link),
            region=region,
            tags=labels_of(wire),
            service=named_service(draft, link, answers.scope),
            acceptance_required=None if automatic is None else not automatic,
            principals=None if automatic is None else (_ANYONE,) if automatic else listed,
            connections=tuple(_connections(answers, draft, wire, tail_of(link))),
            balancers=frozenset((identifier,)),
        )
        draft.put(draft.endpoint_services, service, answers.scope)


def _accepted(draft: Draft, wire: _Attachment, project: str) -> Iterator[str]:
    """Yield the projects and networks that are accepted without a look."""
    for each in wire.consumer_accept_lists or ():
        if each.project_id_or_num:
            yield draft.project(str(each.project_id_or_num))
        elif each.network_url:
            yield named_service(draft, each.network_url, project)


def _connections(answers: Answers, draft: Draft, wire: _Attachment, link: str) -> Iterator[EndpointConnection]:
    for index, item in enumerate(wire.connected_endpoints or ()):
        try:
            each = msgspec.convert(item, _Connected)
        except msgspec.ValidationError as error:
            answers.gap(_SERVICES, link, "malformed", f"connectedEndpoints[{index}]: {error}", _SERVICES_FACET)
            continue
        tail = tail_of(each.endpoint or each.consumer_network or "")
        owner = draft.project(project_of(tail))
        own = tail.partition("/")[2].partition("/")[2] if project_of(tail) else tail
        yield EndpointConnection(own, owner, state_of(each.status))


def _add_forwarder(answers: Answers, draft: Draft, wire: _Attachment, identifier: str, front: str) -> None:
    """Add the interfaces of a published service in its NAT subnets, and whom they send to."""
    region, tags = region_of(wire.region or wire.self_link), labels_of(wire)
    led = draft.balancing.fronts.get(front, Led((), ALL_TRAFFIC, complete=False))
    places = [draft.named(each, answers.scope) for each in wire.nat_subnets or ()]
    known = [draft.subnets[each] for each in places if each in draft.subnets]
    network = next((each.network for each in known), led.network)
    workload = Workload(
        id=identifier, kind="published-service", name=wire.name, region=region, tags=tags, network=network,
        internet_facing=False,
    )  # fmt: skip
    draft.put(draft.workloads, workload, answers.scope)
    if len(known) < len(places) or not places:
        answers.gap(_SERVICES, wire.name, "unread", "the NAT subnets of the service were not read", _SERVICES_FACET)
    for subnet in known:
        interface = Interface(
            id=f"{identifier}/{subnet.name}", kind="network-interface", name=wire.name, region=subnet.region, tags=tags,
            network=subnet.network, subnet=subnet.id, labels={PROXY: "true"}, workload=identifier, role=_HANDS_ON,
            derived=True, managed_by="gcp",
        )  # fmt: skip
        draft.put(draft.interfaces, interface, answers.scope)
    forward = Forward(
        name=name_of(front) or wire.name, listens=led.listens, traffic=led.listens, keeps_client=False, cross_zone=True,
        targets=tuple(each if each.target else _anywhere(each) for each in led.targets),
    )  # fmt: skip
    forwarder = Forwarder(
        id=identifier, kind="published-service", name=wire.name, region=region, tags=tags, accepts=led.listens,
        forwards=(forward,), complete=led.complete,
    )  # fmt: skip
    draft.put(draft.forwarders, forwarder, answers.scope)


def _anywhere(target: ForwardTarget) -> ForwardTarget:
    return msgspec.structs.replace(target, zone=ANY_ZONE)
