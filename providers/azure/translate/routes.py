"""The routes of each subnet: those that every network has, what gateways bring, and what users put above them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Addresses, ListRef, Route, RouteTable, scope_of
from cloudseg.providers.azure.ids import place_of
from cloudseg.providers.azure.translate.gateways import host_of, internet_of
from cloudseg.providers.azure.translate.service_tags import SERVED, tag_list
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Interface, Network
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.providers.azure.translate.parts import UserRoute

__all__ = ["add_routes"]

_NOWHERE: Final = AddressSet.from_cidrs(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
"""What Azure drops unless another route says where it lies. Source:
https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview#default"""


_OTHERS: Final = "unlisted places"
"""What no answer says that a gateway leads to."""


def add_routes(draft: Draft) -> None:
    """Work out the routes of every subnet; subnets of one network with one table share them.

    The longest prefix decides; of equal ones a user's stands before what gateways propagate, and that before what every
    network has. Source:
    https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview#how-azure-selects-a-route
    """
    together: defaultdict[tuple[str, str, bool], set[str]] = defaultdict(set)
    networks: defaultdict[str, set[str]] = defaultdict(set)
    for identifier, subnet in draft.subnets.items():
        table = draft.guards[identifier].table
        gateway = subnet.name.lower() == "gatewaysubnet"
        together[subnet.network, table, gateway].add(identifier)
        networks[table].add(subnet.network)
    appliances = _Appliances(draft)
    for (network, table, gateway), subnets in sorted(together.items()):
        known = draft.networks.get(network)
        if known is None or (table and table not in draft.user_routes):
            # Without its table nobody knows where a subnet sends packets.
            continue
        shared = len(networks[table]) > 1 or gateway
        identifier = f"{table}@{place_of(network)}{'-gateway' if gateway else ''}" if table and shared else table
        shell = draft.table_shells.get(table)
        routes = tuple(_settled(_Routing(draft, known, table, appliances).routes()))
        draft.route_tables[identifier or _own(network, gateway=gateway)] = RouteTable(
            id=identifier or _own(network, gateway=gateway),
            kind="route-table",
            name="system routes" if shell is None else shell.name,
            region=known.region,
            tags={} if shell is None else shell.tags,
            network=network,
            routes=routes,
            subnets=frozenset(subnets),
            gateways=_behind(draft, network) if gateway and table else frozenset(),
        )


def _settled(routes: Iterator[Route]) -> Iterator[Route]:
    """Yield routes, one for each prefix: where several lead different ways, nobody knows which is taken."""
    ways: dict[Addresses | ListRef, list[Route]] = {}
    for route in routes:
        ways.setdefault(route.destination, []).append(route)
    for destination, found in ways.items():
        if all((each.kind, each.target) == (found[0].kind, found[0].target) for each in found):
            yield found[0]
        else:
            yield Route(destination=destination, kind="unknown")


def _own(network: str, *, gateway: bool) -> str:
    return f"{network}/systemroutes{'-gateway' if gateway else ''}"


def _behind(draft: Draft, network: str) -> frozenset[str]:
    """Return the gateways to other places of a network: what they bring goes on by the routes of their subnet."""
    found = (each for each in draft.gateways.values() if each.kind == "virtual-network-gateway")
    return frozenset(each.id for each in found if network in each.networks)


class _Appliances:
    """Finds what bears the address of a next hop."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._by_address: defaultdict[AddressSet, list[Interface]] = defaultdict(list)
        for interface in draft.interfaces.values():
            for address in interface.addresses.cidrs():
                self._by_address[AddressSet.from_cidrs((address,))].append(interface)

    def at(self, hop: AddressSet, network: Network) -> str | None:
        """Return the qualified id of what bears an address in a network or in one that it is peered with."""
        reach = {network.id: 0}
        for neighbour in self._draft.peers_of(network.id):
            if self._draft.peerings[neighbour.peering].active:
                reach.setdefault(neighbour.network, 1)
        found = [each for each in self._by_address.get(hop, ()) if each.network in reach]
        found.sort(key=lambda each: (reach[each.network or ""], each.id))
        if found:
            return self._draft.walls.ends.get(found[0].id, found[0].id)
        for (address, place), target in self._draft.frontends.items():
            if address == hop and place in reach:
                return target
        return None


class _Routing:
    """Works out the routes of the subnets of one network that share a user's table, or have none."""

    def __init__(self, draft: Draft, network: Network, table: str, appliances: _Appliances) -> None:
        self._draft = draft
        self._network = network
        self._table = table
        self._appliances = appliances

    def routes(self) -> Iterator[Route]:
        """Yield the routes that decide."""
        own = [
            part
            for each in self._draft.user_routes.get(self._table, ())
            for route in self._user(each)
            for part in self._beaten(route)
        ]
        taken = {route.destination for route in own}
        for prefix in _prefixes(SERVED):
            yield Route(destination=prefix, kind="private-gateway", target=host_of(self._network.id))
        yield from own
        propagated = list(self._propagated())
        yield from (route for route in propagated if route.destination not in taken)
        taken |= {route.destination for route in propagated}
        yield from (route for route in self._system() if route.destination not in taken)

    def _system(self) -> Iterator[Route]:
        """Yield what every network has: itself, its peers, the internet, and nowhere."""
        for prefix in _prefixes(self._network.addresses):
            yield Route(destination=prefix, kind="local", origin="static")
        for neighbour in self._draft.peers_of(self._network.id):
            peering = self._draft.peerings[neighbour.peering]
            if not peering.active:
                continue
            other = self._draft.networks.get(neighbour.network)
            ranges = peering.ranges[1] or (NO_ADDRESSES if other is None else other.addresses)
            for prefix in _prefixes(ranges):
                yield Route(destination=prefix, kind="peering", target=peering.id)
        yield from self._endpoints()
        for everything in (ALL_IPV4, ALL_IPV6):
            target = internet_of(self._network.id)
            yield Route(destination=Addresses(everything), kind="internet-gateway", target=target)
        # A default route of the user's own takes these along.
        user = self._draft.user_routes.get(self._table, ())
        default = any(route.addresses is not None and route.addresses >= ALL_IPV4 for route in user)
        for prefix in _prefixes(NO_ADDRESSES if default else _NOWHERE):
            yield Route(destination=prefix, kind="drop")

    def _endpoints(self) -> Iterator[Route]:
        """Yield the routes straight to private endpoints: no wider route leads them elsewhere.

        Where the endpoint's subnet says so, routes of users that are no wider than its network do. Source:
        https://learn.microsoft.com/azure/private-link/inspect-traffic-with-azure-firewall
        """
        reached = {self._network.id: ""}
        for neighbour in self._draft.peers_of(self._network.id):
            if self._draft.peerings[neighbour.peering].active:
                reached.setdefault(neighbour.network, neighbour.peering)
        for interface in self._draft.endpoint_interfaces:
            guard = self._draft.guards.get(interface.subnet or "")
            if interface.network not in reached or (guard is not None and guard.routes_endpoints):
                continue
            peering = reached[interface.network]
            for prefix in _prefixes(interface.addresses):
                yield Route(destination=prefix, kind="peering" if peering else "local", target=peering or None)

    def _propagated(self) -> Iterator[Route]:
        """Yield what gateways bring: the places that they lead to; where these are not known, any private address."""
        if self._table in self._draft.without_propagation:
            return
        for addresses, hub in self._draft.hubs.learned.get(self._network.id, ()):
            route = Route(destination=Addresses(addresses), kind="unknown", origin="propagated")
            yield msgspec.structs.replace(route, kind="transit-gateway", target=hub) if hub else route
        behind = self._draft.on_premises.get(self._network.id)
        if behind is None:
            return
        for prefix in _prefixes(behind.known):
            yield Route(destination=prefix, kind="private-gateway", target=behind.gateway or None, origin="propagated")
        if behind.doubt:
            # Whatever it learns may lie there, a default route too.
            open_ones = self._learned() - behind.known
            # Ahead of the routes to nowhere, which are no longer than what may be learned.
            for part in (open_ones & _NOWHERE, open_ones - _NOWHERE):
                for prefix in _prefixes(part):
                    yield from (
                        Route(destination=each, kind="unknown", origin="propagated") for each in _halves(prefix)
                    )

    def _learned(self) -> AddressSet:
        """Return where gateways may have learned routes to: networks and their peers stand before that."""
        behind = self._draft.on_premises.get(self._network.id)
        if behind is None or not behind.doubt or self._table in self._draft.without_propagation:
            return NO_ADDRESSES
        near = self._network.addresses
        for neighbour in self._draft.peers_of(self._network.id):
            peering = self._draft.peerings[neighbour.peering]
            near |= peering.ranges[1] if peering.active else NO_ADDRESSES
        return ALL_ADDRESSES - near

    def _beaten(self, route: Route) -> Iterator[Route]:
        """Yield a route of a user, and what may beat it: a gateway may have learned a longer prefix."""
        destination = route.destination
        if isinstance(destination, ListRef) or _is_single(destination.addresses):
            yield route
            return
        learned = destination.addresses & self._learned()
        if learned != destination.addresses:
            yield route
        for prefix in _prefixes(learned):
            yield Route(destination=prefix, kind="unknown")

    def _user(self, route: UserRoute) -> Iterator[Route]:
        destinations: list[Addresses | ListRef] = []
        if route.tag:
            destinations.append(ListRef(tag_list(self._draft, scope_of(self._network.id), route.tag)))
        elif route.addresses is None:
            # It may lead any address anywhere.
            yield Route(destination=Addresses(ALL_IPV4), kind="unknown")
            yield Route(destination=Addresses(ALL_IPV6), kind="unknown")
            return
        else:
            destinations.append(Addresses(route.addresses))
        for destination in destinations:
            yield from self._over_gateway(self._towards(route, destination))

    def _over_gateway(self, route: Route) -> Iterator[Route]:
        """Yield a route; one to a gateway apart for the places that it is known to lead to."""
        behind = self._draft.on_premises.get(self._network.id)
        if route.kind != "private-gateway" or route.target is None or behind is None:
            yield route
            return
        known = behind.known if isinstance(route.destination, ListRef) else behind.known & route.destination.addresses
        for prefix in _prefixes(known):
            yield msgspec.structs.replace(route, destination=prefix)
        if isinstance(route.destination, ListRef) or known != route.destination.addresses:
            yield msgspec.structs.replace(route, target=f"{route.target}/{_OTHERS}")

    def _hub(self) -> str:
        """Return the hub that the network is connected to; empty for none."""
        joined = (each.hub for each in self._draft.hubs.connections.values() if each.network == self._network.id)
        return next(joined, "")

    def _towards(self, route: UserRoute, destination: Addresses | ListRef) -> Route:
        made = Route(destination=destination, kind="unknown")
        match route.kind:
            case "none":
                return msgspec.structs.replace(made, kind="drop")
            case "vnetlocal":
                return msgspec.structs.replace(made, kind="local")
            case "internet":
                return msgspec.structs.replace(made, kind="internet-gateway", target=internet_of(self._network.id))
            case "virtualnetworkgateway" if hub := self._hub():
                return msgspec.structs.replace(made, kind="transit-gateway", target=hub)
            case "virtualnetworkgateway":
                behind = self._draft.on_premises.get(self._network.id)
                gateway = None if behind is None else behind.gateway
                # Without a gateway packets are dropped.
                kind = "private-gateway" if gateway else "unknown" if behind is not None else "drop"
                return msgspec.structs.replace(made, kind=kind, target=gateway or None)
            case "virtualappliance":
                target = self._appliances.at(route.hop, self._network) if route.hop else None
                if target is None:
                    return msgspec.structs.replace(made, kind="interface", target=f"{self._network.id}/{route.hop}")
                kind = "endpoint" if target in self._draft.firewalls else "interface"
                return msgspec.structs.replace(made, kind=kind, target=target)
            case _:
                return made


def _is_single(addresses: AddressSet) -> bool:
    return all(low == high for low, high in (*addresses.v4.intervals, *addresses.v6.intervals))


def _prefixes(addresses: AddressSet) -> Iterator[Addresses]:
    for cidr in addresses.cidrs():
        yield Addresses(AddressSet.from_cidrs((cidr,)))


def _halves(prefix: Addresses) -> tuple[Addresses, ...]:
    """Return a prefix; in place of a whole family its halves, since a route of the whole stands for one misread."""
    if prefix.addresses not in {ALL_IPV4, ALL_IPV6}:
        return (prefix,)
    halves = ("0.0.0.0/1", "128.0.0.0/1") if prefix.addresses == ALL_IPV4 else ("::/1", "8000::/1")
    return tuple(Addresses(AddressSet.from_cidrs((half,))) for half in halves)
