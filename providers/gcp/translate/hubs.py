"""Network Connectivity Center: hubs join networks, each of which gets routes to the subnets of the others."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Addresses, Gateway, Route, TransitAttachment, TransitTable, scope_of
from cloudseg.providers.gcp.ids import name_of, scope_name, tail_of
from cloudseg.providers.gcp.translate.hub_parts import Hub, HubRange, Spoke
from cloudseg.providers.gcp.translate.networks import WITHOUT_MACHINES
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["HIDDEN", "add_hubs", "join_hubs"]

_FACET: Final = "transit"
_SPOKES: Final = "networkconnectivity.spokes"
_PRIVATE: Final = ALL_ADDRESSES - GLOBAL_UNICAST
_WORDS: Final = {
    "ALL_PRIVATE_IPV4_RANGES": _PRIVATE & ALL_IPV4,
    "ALL_IPV4_RANGES": ALL_IPV4,
    "ALL_IPV6_RANGES": ALL_IPV6,
}
"""Ranges of filters that are written as words. Source:
https://cloud.google.com/network-connectivity/docs/network-connectivity-center/concepts/vpc-spokes-overview"""
_CENTER: Final = "center"
HIDDEN: Final = _PRIVATE
"""Where hubs may lead that were not read: to private addresses of any network."""


class _Count(msgspec.Struct, rename="camel"):
    count: str | int = 0


class _Summary(msgspec.Struct, rename="camel"):
    spoke_type_counts: list[_Count] | None = None


class _Hub(CloudResource, kw_only=True, rename="camel"):
    preset_topology: str | None = None
    spoke_summary: _Summary | None = None


class _LinkedNetwork(msgspec.Struct, rename="camel"):
    uri: str | None = None
    network: str | None = None
    include_export_ranges: list[str] | None = None
    exclude_export_ranges: list[str] | None = None


class _Spoke(CloudResource, kw_only=True, rename="camel"):
    hub: str = ""
    group: str | None = None
    state: str | None = None
    linked_vpc_network: _LinkedNetwork | None = None


def add_hubs(answers: Answers, draft: Draft) -> None:
    """Note the hubs and their spokes; what each leads to is worked out once all networks are known.

    Source: https://cloud.google.com/network-connectivity/docs/network-connectivity-center/concepts/overview
    """
    for hub in answers.listed("networkconnectivity", "hubs", _Hub, _FACET):
        identifier = draft.named(hub.name, answers.scope)
        draft.hubs[identifier] = Hub(identifier, (hub.preset_topology or "MESH").upper(), _count(hub))
    for wire in answers.listed("networkconnectivity", "spokes", _Spoke, _FACET):
        linked = wire.linked_vpc_network
        included = None if linked is None else linked.include_export_ranges
        network = "" if linked is None else linked.uri or linked.network or ""
        spoke = Spoke(
            id=draft.named(wire.name, answers.scope),
            name=name_of(wire.name),
            hub=draft.named(wire.hub, answers.scope),
            group=name_of(wire.group or "default"),
            network=draft.named(network, answers.scope) if network else "",
            exports=None if not included else _ranges(answers, wire, included),
            keeps=_ranges(answers, wire, (None if linked is None else linked.exclude_export_ranges) or ()),
            active={"ACTIVE": True, "": None}.get((wire.state or "").upper(), False),
        )
        draft.spokes[spoke.id] = spoke
    if not answers.complete("networkconnectivity", "spokes"):
        draft.open_spokes.add(scope_name(answers.scope))


def _count(wire: _Hub) -> int | None:
    if wire.spoke_summary is None or wire.spoke_summary.spoke_type_counts is None:
        return None
    texts = [str(each.count) for each in wire.spoke_summary.spoke_type_counts]
    # Counts are texts, as 64-bit numbers are in JSON.
    return sum(map(int, texts)) if all(text.isascii() and text.isdecimal() for text in texts) else None


def _ranges(answers: Answers, wire: _Spoke, texts: list[str] | tuple[()]) -> AddressSet:
    found = answers.addresses(_SPOKES, tail_of(wire.name), [text for text in texts if text not in _WORDS], _FACET)
    for text in texts:
        found |= _WORDS.get(text, NO_ADDRESSES)
    return found


def join_hubs(draft: Draft) -> None:
    """Work out what hubs do with packets: each is a gateway to which networks are attached.

    All spokes of a mesh meet; in a star those at the edge meet the center alone. What tunnels, attachments and
    appliances bring is not known, nor are spokes of projects that were not read. Sources:
    https://cloud.google.com/network-connectivity/docs/network-connectivity-center/concepts/connectivity-topologies and
    https://cloud.google.com/network-connectivity/docs/network-connectivity-center/concepts/vpc-spokes-overview
    """
    joined: defaultdict[str, list[Spoke]] = defaultdict(list)
    for _, spoke in sorted(draft.spokes.items()):
        joined[spoke.hub].append(spoke)
    for identifier, spokes in joined.items():
        _join(draft, draft.hubs.get(identifier, Hub(identifier, "", None)), spokes)


def _join(draft: Draft, hub: Hub, spokes: list[Spoke]) -> None:
    networks = frozenset(spoke.network for spoke in spokes if spoke.network)
    draft.gateways[hub.id] = Gateway(
        id=hub.id, kind="ncc-hub", name=name_of(hub.id), networks=networks, shares_groups=True
    )
    unseen = (
        scope_of(hub.id) in draft.open_spokes
        or hub.id not in draft.hubs
        or (hub.spokes is not None and hub.spokes > len(spokes))
    )
    for spoke in spokes:
        if not spoke.network:
            continue
        draft.transit_attachments[spoke.id] = TransitAttachment(
            id=spoke.id,
            kind="ncc-vpc-spoke",
            name=spoke.name,
            gateway=hub.id,
            network=spoke.network,
            table=f"{spoke.id}/routes",
            active=spoke.active is not False,
            direct=True,
        )
        told = list(_told(draft, hub, spoke, spokes, unseen=unseen))
        draft.transit_tables[f"{spoke.id}/routes"] = TransitTable(
            id=f"{spoke.id}/routes",
            kind="hub-route-table",
            name=f"routes of {name_of(hub.id)} for {spoke.name}",
            gateway=hub.id,
            routes=tuple(_route(each, target) for each, target in told),
            complete=not unseen,
        )
        if spoke.active is not False:
            known = draft.hub_ranges.get(spoke.network, ())
            draft.hub_ranges[spoke.network] = (*known, *(each for each, _ in told))


def _told(draft: Draft, hub: Hub, own: Spoke, spokes: list[Spoke], *, unseen: bool) -> Iterator[tuple[HubRange, str]]:
    """Yield the ranges that a hub leads a spoke to, one prefix each, with the spoke that takes them."""
    open_end = unseen
    for other in spokes:
        meets = _meets(hub, own, other)
        if other.id == own.id or meets is False or other.active is False:
            continue
        if not other.network or other.network not in draft.networks:
            open_end = True
            continue
        for addresses, exported in _exported(draft, other):
            sure = meets is True and exported and own.active is True and other.active is True
            for cidr in addresses.cidrs():
                yield HubRange(hub.id, AddressSet.from_cidrs((cidr,)), sure), other.id
    if open_end:
        for cidr in _PRIVATE.cidrs():
            yield HubRange(hub.id, AddressSet.from_cidrs((cidr,)), sure=False), ""


def _meets(hub: Hub, own: Spoke, other: Spoke) -> bool | None:
    """Tell whether two spokes get routes to each other; None for topologies of which that is not known."""
    if hub.topology == "MESH":
        return True
    if hub.topology == "STAR":
        return _CENTER in {own.group, other.group}
    return None


def _exported(draft: Draft, spoke: Spoke) -> Iterator[tuple[AddressSet, bool]]:
    """Yield the ranges of subnets that a network exports to a hub, and whether that is sure.

    A filter holds for whole subnets. Without one private IPv4 ranges are exported, and others perhaps.
    """
    for _, subnet in sorted(draft.subnets.items()):
        if subnet.network != spoke.network or draft.purposes.get(subnet.id) in WITHOUT_MACHINES:
            continue
        for cidr in subnet.addresses.cidrs():
            addresses = AddressSet.from_cidrs((cidr,))
            if addresses <= spoke.keeps:
                continue
            if spoke.exports is None:
                yield addresses, addresses <= _PRIVATE & ALL_IPV4
            elif addresses <= spoke.exports:
                yield addresses, True


def _route(told: HubRange, target: str) -> Route:
    return Route(
        destination=Addresses(told.addresses),
        kind="transit-gateway" if told.sure else "unknown",
        target=target if told.sure else None,
        origin="propagated",
    )
