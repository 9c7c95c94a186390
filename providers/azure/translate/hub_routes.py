"""What virtual hubs lead to: their route tables and attachments, and the routes that they tell networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Addresses, Route, TransitAttachment, TransitTable, own_id
from cloudseg.providers.azure.ids import name_of, parent_of, place_of
from cloudseg.providers.azure.translate.hub_parts import Intent
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.providers.azure.translate.hub_parts import Connection, Hub, HubTable

__all__ = ["join_hubs"]

_RFC1918: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_PRIVATE: Final = ALL_ADDRESSES - GLOBAL_UNICAST
_HALVES: Final = ("0.0.0.0/1", "128.0.0.0/1")
"""The whole of IPv4, so that the rest of a table keeps what it says."""


def join_hubs(draft: Draft) -> None:
    """Work out what hubs do with packets: each is a gateway to which networks are attached.

    A connection's packets go by the table that it is associated with. Its ranges go into the tables that it propagates
    to, by name or by label. Routing intent leads what is private, or goes to the internet, through what it names.
    All hubs of a WAN are joined; what comes from another one is handed to the networks that its own default table
    knows, and to the firewall first where routing intent says so. No page tells what becomes of it elsewhere.
    Sources: https://learn.microsoft.com/azure/virtual-wan/about-virtual-hub-routing and
    https://learn.microsoft.com/azure/virtual-wan/how-to-routing-policies
    """
    for hub in draft.hubs.hubs.values():
        _Joint(draft, hub).join()
    for connection in draft.hubs.connections.values():
        if connection.active:
            learned = draft.hubs.learned.get(connection.network, ())
            draft.hubs.learned[connection.network] = (*learned, *_told(draft, connection))


class _Joint:
    """Works out one hub."""

    def __init__(self, draft: Draft, hub: Hub) -> None:
        self._draft = draft
        self._hub = hub
        self._intent: Intent | None = draft.hubs.intents.get(hub.id)
        self._default = f"{hub.id}/hubroutetables/defaultroutetable"
        self._others = [each for each in draft.hubs.hubs.values() if each.wan == hub.wan and each.id != hub.id]
        of_wan = {hub.id, *(each.id for each in self._others)}
        self._connections = [each for _, each in sorted(draft.hubs.connections.items()) if each.hub in of_wan]
        named = draft.hubs.listed.get(hub.wan)
        self._hidden = named is None or not named <= of_wan
        """The WAN has hubs that were not read, or was not read itself."""

    def join(self) -> None:
        draft, hub = self._draft, self._hub
        own = [each for each in self._connections if each.hub == hub.id]
        gateway = draft.gateways[hub.id]
        draft.gateways[hub.id] = msgspec.structs.replace(gateway, networks=frozenset(each.network for each in own))
        for each in own:
            self._attach(each.id, each.name, network=each.network, table=self._table_of(each), active=each.active)
        for firewall, place in draft.hubs.firewalls.items():
            if place.hub == hub.id:
                self._attach(firewall, draft.firewalls[firewall].name, table=f"{hub.id}/firewall")
        self._attach(f"{hub.id}/internet", "internet", kind="internet")
        inward = self._default if self._inspects(hub.id) else f"{hub.id}/from-hubs"
        for other in self._others:
            there, back = _joint_of(hub.id, other.id), _joint_of(other.id, hub.id)
            self._attach(there, f"to {name_of(other.id)}", table=inward, kind="hub-to-hub", peer=back)
        for table in [each for each in draft.hubs.tables.values() if each.hub == hub.id]:
            self._put(table.id, table.name, tuple(self._routes(table)))
        self._put(f"{hub.id}/firewall", "behind the firewall", tuple(self._behind_firewall()))
        if self._others:
            self._put(f"{hub.id}/from-hubs", "from other hubs", tuple(self._from_hubs()))

    def _inspects(self, hub: str) -> bool:
        """Tell whether routing intent of a hub leads private traffic through what it names."""
        return self._draft.hubs.intents.get(hub, Intent()).private != ""

    def _known_by_default(self, connection: Connection) -> bool:
        """Tell whether the default table of the hub learns the ranges of a connection."""
        table = self._draft.hubs.tables.get(self._default)
        labels: frozenset[str] = frozenset() if table is None else table.labels
        return self._intent is not None or self._default in connection.propagates or bool(labels & connection.labels)

    def _table_of(self, connection: Connection) -> str:
        """Return the table that decides for a connection's packets: under routing intent the default one for all."""
        return self._default if self._intent is not None else connection.table

    def _attach(
        self, identifier: str, name: str, *, network: str | None = None, table: str | None = None,
        kind: str = "hub-connection", active: bool = True, peer: str | None = None,
    ) -> None:  # fmt: skip
        gateway = self._draft.gateways[self._hub.id]
        self._draft.transit_attachments[identifier] = TransitAttachment(
            id=identifier,
            kind=kind,
            name=name,
            region=gateway.region,
            gateway=self._hub.id,
            network=network,
            table=table,
            active=active,
            direct=True,
            peer=peer,
        )

    def _put(self, identifier: str, name: str, routes: tuple[Route, ...]) -> None:
        self._draft.transit_tables[identifier] = TransitTable(
            id=identifier,
            kind="hub-route-table",
            name=name,
            region=self._draft.gateways[self._hub.id].region,
            gateway=self._hub.id,
            routes=routes,
            complete=not self._hub.unread,
        )

    def _routes(self, table: HubTable) -> Iterator[Route]:
        """Yield the routes of a table: static ones, what routing intent adds, and what connections propagate."""
        for route in table.routes:
            prefixes: tuple[str | None, ...] = (None,) if route.addresses is None else _cidrs(route.addresses)
            for prefix in prefixes:
                yield self._to(prefix, route.hop)
        intent = self._intent
        aimed = NO_ADDRESSES
        if intent is not None and table.id == self._default:
            for hop, prefixes in ((intent.internet, ("0.0.0.0/0",)), (intent.private, _RFC1918)):
                for prefix in prefixes if hop else ():
                    yield self._to(prefix, hop)
            aimed = AddressSet.from_cidrs(_RFC1918) if intent.private else NO_ADDRESSES
        for connection in self._connections:
            here = table.id in connection.propagates or bool(table.labels & connection.labels)
            if connection.active and (here or intent is not None):
                yield from self._towards(connection, spared=aimed)
        yield from self._elsewhere(aimed, leads_out=intent is not None and bool(intent.internet))

    def _behind_firewall(self) -> Iterator[Route]:
        """Yield the routes of packets that a firewall in the hub sends on."""
        yield _route("0.0.0.0/0", f"{self._hub.id}/internet")
        for connection in self._connections:
            if connection.active:
                yield from self._towards(connection, spared=NO_ADDRESSES)
        yield from self._elsewhere(NO_ADDRESSES, leads_out=True)

    def _from_hubs(self) -> Iterator[Route]:
        """Yield the routes of packets that come from another hub and pass no firewall in this one."""
        for connection in self._connections:
            if connection.active and connection.hub == self._hub.id:
                yield from self._towards(connection, spared=NO_ADDRESSES, sure=self._known_by_default(connection))
        yield from self._elsewhere(NO_ADDRESSES, leads_out=True)

    def _towards(self, connection: Connection, *, spared: AddressSet, sure: bool = True) -> Iterator[Route]:
        """Yield the routes to a connection's network, straight or over its hub; unless ``sure`` they may lead there.

        How hubs of which one alone inspects private traffic meet is not told. Source:
        https://learn.microsoft.com/azure/virtual-wan/how-to-routing-policies
        """
        network = self._draft.networks.get(connection.network)
        target: str | None = connection.id if sure else None
        if sure and connection.hub != self._hub.id:
            alike = self._inspects(connection.hub) == self._inspects(self._hub.id)
            target = _joint_of(self._hub.id, connection.hub) if alike else None
        for prefix in _cidrs(NO_ADDRESSES if network is None else network.addresses):
            addresses = AddressSet.from_cidrs((prefix,))
            if addresses <= spared:
                continue
            # Of other ranges routing intent takes those that it is told, which no answer tells for sure.
            yield _route(prefix, target if not spared else None)
        for prefix in _cidrs(connection.forwarded - spared):
            yield _route(prefix, None)

    def _elsewhere(self, aimed: AddressSet, *, leads_out: bool) -> Iterator[Route]:
        """Yield what gateways to other places may bring: any private range, and a default route.

        What gateways and connections of one hub bring all hubs of the WAN learn, but for default routes. Source:
        https://learn.microsoft.com/azure/virtual-wan/about-virtual-hub-routing
        """
        unseen = [each for each in self._connections if each.active and each.network not in self._draft.networks]
        open_there = any(each.branches or each.unread for each in self._others)
        if self._hub.branches or open_there or self._hidden or unseen:
            for prefix in _cidrs(_PRIVATE - aimed):
                yield _route(prefix, None)
        if self._hub.branches and not leads_out:
            for prefix in _HALVES:
                yield _route(prefix, None)

    def _to(self, prefix: str | None, hop: str) -> Route:
        """Return a static route; one whose destination or next hop is not known may lead anything anywhere."""
        if prefix is None:
            return Route(destination=Addresses(ALL_IPV4), kind="unknown")
        known = hop in self._draft.hubs.firewalls and self._draft.hubs.firewalls[hop].hub == self._hub.id
        route = _route(prefix, hop if known else None)
        return msgspec.structs.replace(route, origin="static")


def _joint_of(hub: str, other: str) -> str:
    """Return the id of the attachment by which one hub hands packets to another."""
    alike = parent_of(hub) == parent_of(other)
    return f"{hub}/to/{name_of(other) if alike else place_of(own_id(other)).replace('/', '.')}"


def _route(prefix: str, target: str | None) -> Route:
    """Return a route that a hub learned; None for a target that is not known."""
    return Route(
        destination=Addresses(AddressSet.from_cidrs((prefix,))),
        kind="unknown" if target is None else "transit-gateway",
        target=target,
        origin="propagated",
    )


def _told(draft: Draft, connection: Connection) -> Iterator[tuple[AddressSet, str]]:
    """Yield the routes that a connection brings into its network, with the hub; empty where it is not known.

    They are those of the table that decides for its packets; a default route comes only where the connection takes it.
    """
    hub = draft.hubs.hubs.get(connection.hub)
    attachment = draft.transit_attachments.get(connection.id)
    table = None if attachment is None else draft.transit_tables.get(attachment.table or "")
    if hub is None or table is None or hub.unread:
        for prefix in (*_cidrs(_PRIVATE), *_HALVES):
            yield AddressSet.from_cidrs((prefix,)), ""
        return
    network = draft.networks.get(connection.network)
    own = NO_ADDRESSES if network is None else network.addresses
    halves = {AddressSet.from_cidrs((prefix,)) for prefix in _HALVES}
    told = {route.destination.addresses: None for route in table.routes if isinstance(route.destination, Addresses)}
    for addresses in told:
        default = addresses >= ALL_IPV4 or addresses in halves
        if not addresses <= own and (connection.internet or not default):
            yield addresses, hub.id


def _cidrs(addresses: AddressSet) -> tuple[str, ...]:
    return addresses.cidrs()
