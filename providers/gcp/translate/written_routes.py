"""Routes of VPC networks as they are written, as peers hand them on, and as routers learned them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.gcp.ids import name_of, scope_name, tail_of
from cloudseg.providers.gcp.translate.gateways import (
    internet_of,
)
from cloudseg.providers.gcp.translate.parts import Imported, Routed
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import TargetKind
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["PRIORITY", "add_learned_routes", "add_peering_routes", "add_routes"]

_WHAT: Final = "compute.routes"
_FACET: Final = "routes"
PRIORITY: Final = 1000
_DEFAULT_GATEWAY: Final = "default-internet-gateway"
_GONE: Final = frozenset(("DROPPED", "INACTIVE"))


class _PeeringRoute(msgspec.Struct, rename="camel"):
    dest_range: str = ""
    type: str = ""
    imported: bool = False


class _RouterResult(msgspec.Struct, rename="camel"):
    best_routes: list[_Route] | None = None


class _RouterStatus(msgspec.Struct):
    result: _RouterResult | None = None


class _Route(CloudResource, kw_only=True, rename="camel"):
    network: str = ""
    dest_range: str = ""
    priority: int | None = None
    tags: list[str] | None = None
    route_status: str | None = None
    next_hop_gateway: str | None = None
    next_hop_instance: str | None = None
    next_hop_ip: str | None = None
    next_hop_network: str | None = None
    next_hop_peering: str | None = None
    next_hop_vpn_tunnel: str | None = None
    next_hop_ilb: str | None = None
    next_hop_hub: str | None = None
    next_hop_interconnect_attachment: str | None = None


def add_routes(answers: Answers, draft: Draft) -> None:
    """Note the routes that are written down: those that users made, and of others what they tell of peers.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/routes
    """
    listed = list(answers.listed("compute", "routes", _Route, _FACET))
    if not answers.complete("compute", "routes") or not answers.readable(each.dest_range for each in listed):
        draft.open_routes.add(scope_name(answers.scope))
    for wire in listed:
        link = wire.link(answers.scope, "global/routes")
        network = draft.named(wire.network, answers.scope)
        destination = answers.addresses(_WHAT, tail_of(link), (wire.dest_range,), _FACET)
        if not wire.network or not wire.dest_range:
            answers.gap(_WHAT, tail_of(link), "malformed", "its network or its destRange is missing", _FACET)
            draft.open_routes.add(scope_name(answers.scope))
        if not destination or wire.next_hop_network or (wire.route_status or "").upper() in _GONE:
            # Those of the network's own subnets follow from these.
            continue
        if wire.next_hop_peering:
            peering = f"{network}/peerings/{wire.next_hop_peering}"
            draft.peer_ranges[peering] = draft.peer_ranges.get(peering, NO_ADDRESSES) | destination
            continue
        kind, target, doubt = _next_hop(draft, wire, network, answers.scope)
        if wire.next_hop_vpn_tunnel:
            draft.led_into(draft.named(wire.next_hop_vpn_tunnel, answers.scope), destination)
        draft.routed.append(
            Routed(
                id=draft.named(link, answers.scope),
                network=network,
                destination=destination,
                priority=PRIORITY if wire.priority is None else wire.priority,
                kind=kind,
                target=target,
                tags=frozenset(wire.tags or ()),
                doubt=doubt,
            )
        )


def add_peering_routes(answers: Answers, draft: Draft) -> None:
    """Note what networks take over from peers, region by region.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/networks/listPeeringRoutes
    """
    found: defaultdict[str, dict[str, set[AddressSet]]] = defaultdict(lambda: {"STATIC": set(), "DYNAMIC": set()})
    for resource in answers.about("compute", "peering_routes"):
        network, _, rest = resource.partition("|")
        if rest:
            found[f"{draft.named(network, answers.scope)}/peerings/{rest.partition('|')[0]}"]
    for resource, wire in answers.listed_of("compute", "peering_routes", _PeeringRoute, "peerings"):
        network, _, rest = resource.partition("|")
        kind = wire.type.upper().partition("_")[0]
        held = found[f"{draft.named(network, answers.scope)}/peerings/{rest.partition('|')[0]}"]
        destination = answers.addresses("compute.peering_routes", resource, (wire.dest_range,), "peerings")
        if wire.imported and kind in held and destination:
            held[kind].add(destination)
    for peering, held in found.items():
        draft.imported[peering] = Imported(frozenset(held["STATIC"]), frozenset(held["DYNAMIC"]))


def add_learned_routes(answers: Answers, draft: Draft) -> None:
    """Note what routers learned from others: the best routes of their networks.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/routers/getRouterStatus
    """
    for resource, wire in answers.listed_of("compute", "router_status", _RouterStatus, _FACET):
        router = draft.named(resource, answers.scope)
        network = draft.routers.get(router)
        found: list[Routed] = []
        for each in (wire.result or _RouterResult()).best_routes or ():
            destination = answers.addresses("compute.router_status", resource, (each.dest_range,), _FACET)
            if not destination or each.next_hop_network or each.next_hop_gateway or network is None:
                continue
            if each.next_hop_instance or (each.next_hop_ip and not each.next_hop_vpn_tunnel):
                # An appliance, or the far end of an interconnect: where it leads from there is its own affair.
                kind, target = "unknown", ""
            else:
                kind, target, _ = _next_hop(draft, each, network, answers.scope)
            if each.next_hop_vpn_tunnel:
                draft.led_into(draft.named(each.next_hop_vpn_tunnel, answers.scope), destination)
            number = each.priority or 0
            found.append(Routed(router, network, destination, number, kind, target, frozenset()))
        draft.learned[router] = found


def _next_hop(draft: Draft, wire: _Route, network: str, project: str) -> tuple[TargetKind, str, str]:
    """Return what a route hands packets to, and why that is not known.

    Source: https://cloud.google.com/vpc/docs/static-routes#types-of-next-hops
    """
    if wire.next_hop_gateway:
        if name_of(wire.next_hop_gateway) == _DEFAULT_GATEWAY:
            return "internet-gateway", internet_of(network), ""
        return "unknown", "", f"{tail_of(wire.next_hop_gateway)} is no gateway that is known"
    if wire.next_hop_instance:
        return "interface", draft.named(wire.next_hop_instance, project), ""
    if wire.next_hop_ip:
        return "interface", f"{network}/{wire.next_hop_ip}", ""
    if wire.next_hop_vpn_tunnel:
        tunnel = draft.named(wire.next_hop_vpn_tunnel, project)
        return "private-gateway", draft.tunnels.get(tunnel, tunnel), ""
    if wire.next_hop_interconnect_attachment:
        return "private-gateway", draft.named(wire.next_hop_interconnect_attachment, project), ""
    if wire.next_hop_ilb:
        text = wire.next_hop_ilb
        target = draft.named(text, project) if "/" in text else f"{network}/{text}"
        return "unknown", target, "the machines behind an internal load balancer decide where packets go on"
    if wire.next_hop_hub:
        return "unknown", draft.named(wire.next_hop_hub, project), "what the hub leads to was not read"
    return "unknown", "", "its next hop is of a kind that is not known"
