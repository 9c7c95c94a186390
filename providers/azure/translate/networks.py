"""Virtual networks with their subnets and peerings: one answer holds all three."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from cloudseg.model import Network, Peering, Subnet
from cloudseg.providers.azure.ids import qualified_id, region_of
from cloudseg.providers.azure.translate.parts import Guard, Neighbour
from cloudseg.providers.azure.translate.pipeline import PIPELINE
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, tags_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["add_networks", "join_peerings"]

T = TypeVar("T")

_WHAT = "network.virtual_networks"
_FILTERS = frozenset(("enabled", "networksecuritygroupenabled"))
_ROUTES = frozenset(("enabled", "routetableenabled"))


class _Space(msgspec.Struct, rename="camel"):
    address_prefixes: list[str] | None = None


class _PeeringProperties(msgspec.Struct, rename="camel"):
    peering_state: str = ""
    allow_virtual_network_access: bool | None = None
    allow_forwarded_traffic: bool | None = None
    use_remote_gateways: bool | None = None
    remote_virtual_network: Ref | None = None
    remote_address_space: _Space | None = None
    remote_virtual_network_address_space: _Space | None = None
    # Both are true unless subnets were chosen one by one, or IPv6 alone.
    peer_complete_vnets: bool | None = None
    only_ipv6_peering: bool | None = msgspec.field(default=None, name="enableOnlyIPv6Peering")
    local_subnet_names: list[str] | None = None
    remote_subnet_names: list[str] | None = None


class _Peering(msgspec.Struct):
    id: str
    name: str = ""
    properties: _PeeringProperties = msgspec.field(default_factory=_PeeringProperties)


class _Delegation(msgspec.Struct, rename="camel"):
    service_name: str = ""


class _DelegationItem(msgspec.Struct):
    properties: _Delegation = msgspec.field(default_factory=_Delegation)


class _SubnetProperties(msgspec.Struct, rename="camel"):
    address_prefix: str | None = None
    address_prefixes: list[str] | None = None
    network_security_group: Ref | None = None
    route_table: Ref | None = None
    nat_gateway: Ref | None = None
    default_outbound_access: bool | None = None
    private_endpoint_network_policies: str | None = None
    delegations: list[_DelegationItem] | None = None


class _Subnet(msgspec.Struct):
    id: str
    name: str = ""
    properties: _SubnetProperties = msgspec.field(default_factory=_SubnetProperties)


class _Properties(msgspec.Struct, rename="camel"):
    address_space: _Space = msgspec.field(default_factory=_Space)
    # Read one by one: what cannot be understood must not take its network along.
    subnets: list[object] | None = None
    virtual_network_peerings: list[object] | None = None


class _VirtualNetwork(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_networks(answers: Answers, draft: Draft) -> None:
    """Add the virtual networks with their subnets and what each says of its peerings.

    Source: https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/list-all
    """
    for wire in answers.listed("network", "virtual_networks", _VirtualNetwork, "networks"):
        identifier = qualified_id(wire.id)
        region, tags = region_of(wire.location or ""), tags_of(wire)
        texts = wire.properties.address_space.address_prefixes or ()
        network = Network(
            id=identifier,
            kind="virtual-network",
            name=wire.name,
            region=region,
            tags=tags,
            addresses=answers.addresses(_WHAT, wire.id, texts, "networks"),
            pipeline=PIPELINE,
            # https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview
            routes_within_subnets=True,
            groups_by_address=True,
        )
        draft.put(draft.networks, network, answers.scope)
        for subnet in _each(answers, wire.properties.subnets, _Subnet, wire.id, "subnets"):
            _add_subnet(answers, draft, subnet, network)
        seen = draft.neighbours.setdefault(identifier, [])
        for peering in _each(answers, wire.properties.virtual_network_peerings, _Peering, wire.id, "peerings"):
            if (neighbour := _neighbour(answers, draft, peering, network)) is not None:
                seen.append(neighbour)


def _each(answers: Answers, items: list[object] | None, form: type[T], resource: str, facet: str) -> Iterator[T]:
    for index, item in enumerate(items or ()):
        try:
            yield msgspec.convert(item, form)
        except msgspec.ValidationError as error:
            answers.gap(_WHAT, resource, "malformed", f"{facet}[{index}]: {error}", facet)


def _add_subnet(answers: Answers, draft: Draft, wire: _Subnet, network: Network) -> None:
    properties = wire.properties
    # The list stands for the single form, which an answer may show as well.
    texts = properties.address_prefixes or [properties.address_prefix or ""]
    services = (each.properties.service_name for each in properties.delegations or ())
    delegated = tuple(sorted(service for service in services if service))
    subnet = Subnet(
        id=qualified_id(wire.id),
        kind="subnet",
        name=wire.name,
        region=network.region,
        tags=network.tags,
        network=network.id,
        addresses=answers.addresses(_WHAT, wire.id, texts, "subnets"),
        public_by_default=False,
        default_outbound=properties.default_outbound_access,
        delegated=delegated,
    )
    draft.put(draft.subnets, subnet, answers.scope)
    policies = (properties.private_endpoint_network_policies or "").lower()
    draft.guards[subnet.id] = Guard(
        nsg=_named(properties.network_security_group),
        table=_named(properties.route_table),
        nat_gateway=_named(properties.nat_gateway),
        filters_endpoints=policies in _FILTERS,
        routes_endpoints=policies in _ROUTES,
        delegated=delegated,
    )


def _named(reference: Ref | None) -> str:
    return "" if reference is None or not reference.id else qualified_id(reference.id)


def _neighbour(answers: Answers, draft: Draft, wire: _Peering, network: Network) -> Neighbour | None:
    """Return what one side says of a peering, and note the peering with what it lets in on this side."""
    properties = wire.properties
    remote = properties.remote_virtual_network
    if remote is None or not remote.id:
        answers.gap(_WHAT, wire.id, "malformed", "a peering without remoteVirtualNetwork", "peerings")
        return None
    other = qualified_id(remote.id)
    space = properties.remote_virtual_network_address_space or properties.remote_address_space
    texts = (space.address_prefixes if space is not None else None) or ()
    ranges = answers.addresses(_WHAT, wire.id, texts, "peerings")
    doubt = ""
    if properties.peer_complete_vnets is False or properties.only_ipv6_peering:
        doubt = "only some subnets or IPv6 alone are peered"
    peering = Peering(
        id=qualified_id(wire.id),
        kind="virtual-network-peering",
        name=wire.name,
        region=network.region,
        networks=(network.id, other),
        # Groups work across it wherever both lie.
        regions=(network.region, network.region),
        active=properties.peering_state.lower() == "connected",
        ranges=(network.addresses, ranges),
        forwards_into=frozenset((network.id,)) if properties.allow_forwarded_traffic else frozenset(),
        doubt=doubt,
    )
    draft.put(draft.peerings, peering, answers.scope)
    return Neighbour(
        network=other,
        peering=peering.id,
        addresses=ranges,
        # The portal and the API open it unless told otherwise.
        open=properties.allow_virtual_network_access is not False,
        gateways=bool(properties.use_remote_gateways),
    )


def join_peerings(draft: Draft) -> None:
    """Join the two halves of each peering; one whose other half says that it is not connected passes nothing.

    A peering passes packets once both sides say that they are connected. Each side decides what it lets in. Source:
    https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview
    """
    halves: dict[tuple[str, str], Peering] = {}
    for peering in draft.peerings.values():
        halves.setdefault(peering.networks, peering)
    for (own, other), peering in halves.items():
        back = halves.get((other, own))
        if back is None:
            # A network that was read and knows nothing of it has deleted its half.
            active = peering.active and other not in draft.networks
            draft.peerings[peering.id] = msgspec.structs.replace(peering, active=active)
            continue
        joined = msgspec.structs.replace(
            peering,
            active=peering.active and back.active,
            regions=(peering.regions[0], back.regions[0]),
            ranges=(peering.ranges[0], _space_of(draft, other, peering.ranges[1])),
            forwards_into=peering.forwards_into | back.forwards_into,
            doubt=peering.doubt or back.doubt,
        )
        draft.peerings[peering.id] = joined


def _space_of(draft: Draft, network: str, told: AddressSet) -> AddressSet:
    """Return the ranges of a network that pass a peering: until both sides are synced, those that the peering shows."""
    known = draft.networks.get(network)
    addresses = NO_ADDRESSES if known is None else known.addresses
    return told or addresses
