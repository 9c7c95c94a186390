"""Virtual hubs as they are written: connections of networks, route tables, and routing intent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Gateway
from cloudseg.providers.azure.ids import parent_of, qualified_id, region_of
from cloudseg.providers.azure.translate.hub_parts import Connection, Hub, HubRoute, HubTable, Intent
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, ids, tags_of
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_hubs"]

_FACET: Final = "transit"
_TABLES: Final = "hub_route_tables"
_CONNECTIONS: Final = "hub_virtual_network_connections"
_INTENTS: Final = "routing_intents"


class _HubProperties(msgspec.Struct, rename="camel"):
    address_prefix: str | None = None
    virtual_wan: Ref | None = None
    vpn_gateway: Ref | None = None
    p2s_gateway: Ref | None = msgspec.field(default=None, name="p2SVpnGateway")
    express_route_gateway: Ref | None = None
    security_provider_name: str | None = None


class _Hub(ArmResource, kw_only=True):
    properties: _HubProperties = msgspec.field(default_factory=_HubProperties)


class _WanProperties(msgspec.Struct, rename="camel"):
    virtual_hubs: list[Ref] | None = None


class _Wan(ArmResource, kw_only=True):
    properties: _WanProperties = msgspec.field(default_factory=_WanProperties)


class _Route(msgspec.Struct, rename="camel"):
    destination_type: str = ""
    destinations: list[str] | None = None
    next_hop: str | None = None


class _TableProperties(msgspec.Struct, rename="camel"):
    routes: list[_Route] | None = None
    labels: list[str] | None = None


class _Table(ArmResource, kw_only=True):
    properties: _TableProperties = msgspec.field(default_factory=_TableProperties)


class _Propagated(msgspec.Struct):
    labels: list[str] | None = None
    ids: list[Ref] | None = None


class _StaticRoute(msgspec.Struct, rename="camel"):
    address_prefixes: list[str] | None = None


class _VnetRoutes(msgspec.Struct, rename="camel"):
    static_routes: list[_StaticRoute] | None = None


class _Routing(msgspec.Struct, rename="camel"):
    associated_route_table: Ref | None = None
    propagated_route_tables: _Propagated | None = None
    vnet_routes: _VnetRoutes | None = None


class _ConnectionProperties(msgspec.Struct, rename="camel"):
    remote_virtual_network: Ref | None = None
    enable_internet_security: bool | None = None
    routing_configuration: _Routing | None = None
    provisioning_state: str = ""


class _Connection(ArmResource, kw_only=True):
    properties: _ConnectionProperties = msgspec.field(default_factory=_ConnectionProperties)


class _Policy(msgspec.Struct, rename="camel"):
    destinations: list[str] | None = None
    next_hop: str = ""


class _IntentProperties(msgspec.Struct, rename="camel"):
    routing_policies: list[_Policy] | None = None


class _Intent(ArmResource, kw_only=True):
    properties: _IntentProperties = msgspec.field(default_factory=_IntentProperties)


def add_hubs(answers: Answers, draft: Draft) -> None:
    """Note the virtual hubs with what belongs to them; what each leads to is worked out once all are known.

    A hub without a WAN is a route server, which only learns routes. Sources:
    https://learn.microsoft.com/azure/virtual-wan/about-virtual-hub-routing and
    https://learn.microsoft.com/azure/virtual-wan/how-to-routing-policies
    """
    for wan in answers.listed("network", "virtual_wans", _Wan, _FACET):
        named = frozenset(qualified_id(each) for each in ids(wan.properties.virtual_hubs))
        draft.hubs.listed[qualified_id(wan.id)] = named
    _add_tables(answers, draft)
    _add_connections(answers, draft)
    for intent in answers.listed("network", _INTENTS, _Intent, _FACET):
        found = Intent()
        for policy in intent.properties.routing_policies or ():
            hop = qualified_id(policy.next_hop)
            kinds = {each.lower() for each in policy.destinations or ()}
            found = found._replace(
                internet=hop if "internet" in kinds else found.internet,
                private=hop if "privatetraffic" in kinds else found.private,
            )
        draft.hubs.intents[qualified_id(parent_of(intent.id))] = found
    for wire in answers.listed("network", "virtual_hubs", _Hub, _FACET):
        properties = wire.properties
        if properties.virtual_wan is None or not properties.virtual_wan.id:
            continue
        identifier = qualified_id(wire.id)
        gateways = (properties.vpn_gateway, properties.p2s_gateway, properties.express_route_gateway)
        draft.hubs.hubs[identifier] = Hub(
            id=identifier,
            wan=qualified_id(properties.virtual_wan.id),
            # A provider of security leads the internet elsewhere, which nothing here reads.
            branches=any(each is not None and each.id for each in gateways) or bool(properties.security_provider_name),
            unread=_unread(answers, wire.id),
        )
        gateway = Gateway(
            id=identifier,
            kind="virtual-hub",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            shares_groups=True,
        )
        draft.put(draft.gateways, gateway, answers.scope)


def _unread(answers: Answers, hub: str) -> str:
    """Return what of a hub was not read, in words; empty where all was."""
    for operation in (_TABLES, _CONNECTIONS, _INTENTS):
        read = {each.lower() for each in answers.resources("network", operation)}
        if hub.lower() not in read and "" not in read:
            return f"network.{operation} of it was not read"
    return ""


def _add_tables(answers: Answers, draft: Draft) -> None:
    for wire in answers.listed("network", _TABLES, _Table, _FACET):
        routes: list[HubRoute] = []
        for route in wire.properties.routes or ():
            hop = qualified_id(route.next_hop) if route.next_hop else ""
            # One by one: of two prefixes that join the longer one still decides.
            texts = (route.destinations or ("",)) if route.destination_type.lower() == "cidr" else ("",)
            for text in texts:
                addresses = answers.addresses(f"network.{_TABLES}", wire.id, (text,), _FACET)
                routes.append(HubRoute(addresses or None, hop))
        identifier = qualified_id(wire.id)
        draft.hubs.tables[identifier] = HubTable(
            id=identifier,
            hub=qualified_id(parent_of(wire.id)),
            name=wire.name,
            labels=frozenset(label.lower() for label in wire.properties.labels or ()),
            routes=tuple(routes),
        )


def _add_connections(answers: Answers, draft: Draft) -> None:
    for wire in answers.listed("network", _CONNECTIONS, _Connection, _FACET):
        properties = wire.properties
        remote, routing = properties.remote_virtual_network, properties.routing_configuration or _Routing()
        if remote is None or not remote.id:
            answers.gap(f"network.{_CONNECTIONS}", wire.id, "malformed", "no remoteVirtualNetwork", _FACET)
            continue
        hub = qualified_id(parent_of(wire.id))
        default = f"{hub}/hubroutetables/defaultroutetable"
        table, propagated = routing.associated_route_table, routing.propagated_route_tables
        named = {default} if propagated is None else {qualified_id(each) for each in ids(propagated.ids)}
        forwarded: AddressSet = NO_ADDRESSES
        for static in (routing.vnet_routes or _VnetRoutes()).static_routes or ():
            texts = static.address_prefixes or ()
            forwarded |= answers.addresses(f"network.{_CONNECTIONS}", wire.id, texts, _FACET)
        identifier = qualified_id(wire.id)
        draft.hubs.connections[identifier] = Connection(
            id=identifier,
            hub=hub,
            name=wire.name,
            network=qualified_id(remote.id),
            table=default if table is None or not table.id else qualified_id(table.id),
            propagates=frozenset(named),
            labels=frozenset(label.lower() for label in (propagated.labels if propagated is not None else None) or ()),
            # The portal and the API open it unless told otherwise.
            internet=properties.enable_internet_security is not False,
            forwarded=forwarded,
            active=properties.provisioning_state.lower() in {"", "succeeded", "updating"},
        )
