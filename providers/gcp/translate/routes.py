"""Routes of VPC networks: one table for all subnets, and others where routes hold for some instances alone."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, Route, RouteTable, scope_of
from cloudseg.providers.gcp.ids import name_of
from cloudseg.providers.gcp.translate.gateways import (
    HEALTH_CHECKS,
    IDENTITY_AWARE_PROXY,
    checks_of,
    host_of,
    proxy_of,
)
from cloudseg.providers.gcp.translate.hubs import HIDDEN
from cloudseg.providers.gcp.translate.parts import Routed
from cloudseg.providers.gcp.translate.platform import METADATA
from cloudseg.providers.gcp.translate.policy_routes import led_astray, redirected
from cloudseg.providers.gcp.translate.written_routes import PRIORITY
from cloudseg.traffic import ALL_IPV4, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Subnet, TargetKind
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.providers.gcp.translate.parts import Neighbour

__all__ = ["place_routes"]


def place_routes(draft: Draft) -> None:
    """Work out the routes of every subnet of a network; those that are the same share a table.

    Subnets of the network and of its peers come first, for no other route may lie within them. Then the longest prefix
    decides, and of equal ones the lowest priority. A route with tags holds for instances that carry one of them: where
    only some in a subnet do, it is not known which way packets of the subnet go. Sources:
    https://cloud.google.com/vpc/docs/routes#routeselection and https://cloud.google.com/vpc/docs/static-routes#tags
    """
    carried: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for identifier, tags in draft.carried_tags.items():
        interface = draft.interfaces.get(identifier)
        if interface is not None and interface.subnet is not None:
            carried[interface.subnet].append(tags)
    own: defaultdict[str, list[Routed]] = defaultdict(list)
    for route in draft.routed:
        own[route.network].append(_at_interface(draft, route))
    for identifier in draft.networks:
        routes = own.get(identifier, [])
        plain = tuple(_routes(draft, identifier, [route for route in routes if not route.tags]))
        _put(draft, identifier, plain, None)
        together: defaultdict[tuple[Route, ...], set[str]] = defaultdict(set)
        tagged = [route for route in routes if route.tags]
        by_policy = any(each.network == identifier for each in draft.policy_routes)
        if by_policy:
            # They hold inside a subnet as well.
            draft.networks[identifier] = msgspec.structs.replace(draft.networks[identifier], routes_within_subnets=True)
        for subnet in _subnets(draft, identifier) if tagged or by_policy else ():
            own_tags = carried.get(subnet.id, [])
            held = [each for route in routes for each in _held(route, own_tags)]
            found = tuple(_routes(draft, identifier, held))
            if taken := redirected(draft, subnet, own_tags):
                found = tuple(led_astray(found, taken))
            if found != plain:
                together[found].add(subnet.id)
        for number, (found, subnets) in enumerate(together.items(), start=1):
            _put(draft, identifier, found, frozenset(subnets), number)


def _put(
    draft: Draft, network: str, routes: tuple[Route, ...], subnets: frozenset[str] | None, number: int = 0
) -> None:
    identifier = f"{network}/routes" if subnets is None else f"{network}/routes/{number}"
    known = draft.networks[network]
    draft.route_tables[identifier] = RouteTable(
        id=identifier,
        kind="routes",
        name=f"routes of {known.name}" + ("" if subnets is None else " for instances with tags"),
        network=network,
        routes=routes,
        subnets=subnets or frozenset(),
        is_main=subnets is None,
    )


def _subnets(draft: Draft, network: str) -> Iterator[Subnet]:
    yield from (subnet for _, subnet in sorted(draft.subnets.items()) if subnet.network == network)


def _held(route: Routed, carried: Iterable[frozenset[str]]) -> Iterator[Routed]:
    """Yield a route as it holds for a subnet whose interfaces carry these tags."""
    holds = [not route.tags or bool(route.tags & tags) for tags in carried]
    if not route.tags or (holds and all(holds)):
        yield route
    elif any(holds):
        doubt = f"{name_of(route.id)} holds for some instances of the subnet, by their tags"
        yield route._replace(kind="unknown", doubt=doubt)


def _at_interface(draft: Draft, route: Routed) -> Routed:
    """Return a route with the interface that it leads to, named by its instance or its address."""
    if route.kind != "interface":
        return route
    by_address = _address_in(route)
    for identifier, interface in sorted(draft.interfaces.items()):
        if interface.network != route.network:
            continue
        named = interface.workload == route.target and interface.role == "interface"
        if named or (by_address and interface.addresses.overlaps(by_address)):
            workload = draft.workloads.get(interface.workload or "")
            if workload is not None and not workload.running:
                return route._replace(kind="unknown", target=identifier, doubt="the instance does not run")
            return route._replace(target=identifier)
    return route


def _address_in(route: Routed) -> AddressSet:
    """Return the address by which a route names its next hop; none where it names an instance."""
    text = route.target.removeprefix(f"{route.network}/")
    try:
        return NO_ADDRESSES if text == route.target else AddressSet.from_cidrs((text,))
    except ParseError:
        return NO_ADDRESSES


def _routes(draft: Draft, network: str, routes: list[Routed]) -> Iterator[Route]:
    """Yield the routes that decide for those to whom these hold."""
    for prefix in _prefixes(METADATA):
        yield Route(destination=prefix, kind="private-gateway", target=host_of(network))
    known = draft.networks[network]
    for prefix in _prefixes(IDENTITY_AWARE_PROXY - known.addresses):
        yield Route(destination=prefix, kind="private-gateway", target=proxy_of(network))
    probes = HEALTH_CHECKS if network in draft.balancing.checked else NO_ADDRESSES
    for prefix in _prefixes(probes - known.addresses):
        yield Route(destination=prefix, kind="private-gateway", target=checks_of(network))
    taken = known.addresses
    for prefix in _prefixes(known.addresses):
        yield Route(destination=prefix, kind="local", origin="local")
    for route, ranges in (*_to_peers(draft, network), *_to_spokes(draft, network)):
        for prefix in _prefixes(ranges - taken):
            yield msgspec.structs.replace(route, destination=prefix)
        taken |= ranges
    imported = list(_imported(draft, network))
    imported += [route for router in draft.learning.get(network, ()) for route in draft.learned.get(router, ())]
    settled = _settled([route for each in (*routes, *imported) for route in _outside(each, taken)])
    unsure = scope_of(network) in draft.open_routes
    yield from (msgspec.structs.replace(each, kind="unknown") if unsure else each for each in settled)
    yield from _maybe_learned(draft, network, taken)


def _to_peers(draft: Draft, network: str) -> Iterator[tuple[Route, AddressSet]]:
    """Yield the routes over peerings to the subnets of the other networks, with their ranges."""
    for neighbour in draft.neighbours.get(network, ()):
        peering = draft.peerings.get(neighbour.peering)
        if peering is None or not peering.active:
            continue
        ranges = peering.ranges[1] or draft.peer_ranges.get(peering.id, NO_ADDRESSES)
        back = _half_of(draft, network, neighbour)
        if not neighbour.dual or (back is not None and not back.dual):
            # IPv6 passes where both sides say so: https://cloud.google.com/vpc/docs/vpc-peering#stack-types
            ranges &= ALL_IPV4
        hidden = ranges & GLOBAL_UNICAST & ALL_IPV4 if not _public_pass(draft, network, neighbour) else NO_ADDRESSES
        yield Route(destination=Addresses(NO_ADDRESSES), kind="peering", target=peering.id), ranges - hidden


def _to_spokes(draft: Draft, network: str) -> Iterator[tuple[Route, AddressSet]]:
    """Yield the routes over hubs to the subnets of the other networks there, with their ranges.

    Source: https://cloud.google.com/vpc/docs/routes#ncc-subnet-routes
    """
    for told in draft.hub_ranges.get(network, ()):
        if told.sure:
            nowhere = Addresses(NO_ADDRESSES)
            yield Route(destination=nowhere, kind="transit-gateway", target=told.hub), told.addresses


def _lent_to(draft: Draft, route: Routed, network: str) -> Routed:
    """Return a route to a gateway of another network, which lets this one use it."""
    gateway = draft.gateways.get(route.target)
    if gateway is not None and gateway.networks:
        draft.gateways[gateway.id] = msgspec.structs.replace(gateway, networks=gateway.networks | {network})
    return route


def _half_of(draft: Draft, network: str, neighbour: Neighbour) -> Neighbour | None:
    """Return what the other side says of a peering; None where it was not read."""
    return next((each for each in draft.neighbours.get(neighbour.network, ()) if each.network == network), None)


def _public_pass(draft: Draft, network: str, neighbour: Neighbour) -> bool:
    """Tell whether subnet routes of privately used public addresses pass: one side exports, the other imports them."""
    back = _half_of(draft, network, neighbour)
    return neighbour.imports_public and (back is None or back.exports_public)


def _imported(draft: Draft, network: str) -> Iterator[Routed]:
    """Yield the routes of users that peers hand on: those without tags that do not lead to the internet.

    Source: https://cloud.google.com/vpc/docs/vpc-peering#importing-exporting-routes
    """
    for neighbour in draft.neighbours.get(network, ()):
        peering = draft.peerings.get(neighbour.peering)
        back = _half_of(draft, network, neighbour)
        if peering is None or not peering.active or not neighbour.imports or (back is not None and not back.exports):
            continue
        told = draft.imported.get(neighbour.peering)
        seen: set[AddressSet] = set()
        for route in draft.routed:
            if route.network == neighbour.network and not route.tags and route.kind != "internet-gateway":
                seen.add(route.destination)
                if told is None and back is None:
                    doubt = f"whether {name_of(neighbour.peering)} hands {name_of(route.id)} on was not read"
                    yield route._replace(kind="unknown", doubt=doubt)
                elif told is None or route.destination in told.written:
                    yield _lent_to(draft, _at_interface(draft, route), network)
        if told is not None:
            open_ones = (told.written - seen) | told.learned
        elif neighbour.network in draft.learning or neighbour.network not in draft.networks:
            open_ones = frozenset(_halves())
        else:
            continue
        doubt = f"where routes lead that {name_of(neighbour.peering)} brings was not read"
        for each in sorted(open_ones, key=str):
            yield Routed(f"{network}/imported", network, each, PRIORITY, "unknown", "", frozenset(), doubt)


def _maybe_learned(draft: Draft, network: str, taken: AddressSet) -> Iterator[Route]:
    """Yield where routes may lead that nobody told: to anywhere that lies in no subnet; so it is with hubs."""
    unsaid = _halves() if _is_open(draft, network) else ()
    unsure = [told.addresses for told in draft.hub_ranges.get(network, ()) if not told.sure]
    if scope_of(network) in draft.open_spokes:
        unsure.append(HIDDEN)
    for addresses in (*unsaid, *unsure):
        for prefix in _prefixes(addresses - taken):
            yield Route(destination=prefix, kind="unknown", origin="propagated")


def _is_open(draft: Draft, network: str) -> bool:
    """Tell whether something may lead packets of a network that was not read: routers, subnets, those of peers."""
    unsaid = any(router not in draft.learned for router in draft.learning.get(network, ()))
    near = [each for each in draft.neighbours.get(network, ()) if draft.peerings[each.peering].active]
    unread = draft.open_subnets | draft.open_routers | draft.open_routes
    return (
        unsaid
        or any(_hides(draft, each) for each in near)
        or scope_of(network) in unread
        or network in draft.open_peerings
    )


def _hides(draft: Draft, neighbour: Neighbour) -> bool:
    """Tell whether a peer may bring routes that nobody told."""
    scope = scope_of(neighbour.network)
    if neighbour.network not in draft.networks:
        return not draft.peerings[neighbour.peering].ranges[1] | draft.peer_ranges.get(neighbour.peering, NO_ADDRESSES)
    brought = neighbour.imports and neighbour.peering not in draft.imported
    return scope in draft.open_subnets or (brought and scope in draft.open_routes)


def _outside(route: Routed, taken: AddressSet) -> Iterator[Routed]:
    """Yield a route, where it leads to more than subnets do."""
    if route.destination - taken:
        yield route


def _settled(routes: list[Routed]) -> Iterator[Route]:
    """Yield one route for each prefix: of the lowest priority; where several lead different ways, nobody knows."""
    ways: defaultdict[AddressSet, list[Routed]] = defaultdict(list)
    for route in routes:
        ways[route.destination].append(route)
    for destination, found in ways.items():
        first = min(route.priority for route in found)
        best = [route for route in found if route.priority == first]
        same = len({(route.kind, route.target) for route in best}) == 1
        for prefix in _prefixes(destination):
            if same and best[0].kind != "unknown":
                kind = cast("TargetKind", best[0].kind)
                yield Route(destination=prefix, kind=kind, target=best[0].target or None)
            else:
                yield Route(destination=prefix, kind="unknown", target=best[0].target or None)


def _prefixes(addresses: AddressSet) -> Iterator[Addresses]:
    for cidr in addresses.cidrs():
        yield Addresses(AddressSet.from_cidrs((cidr,)))


def _halves() -> tuple[AddressSet, ...]:
    """Return the halves of each family: a route of a whole family stands for one that was misread."""
    return tuple(AddressSet.from_cidrs((half,)) for half in ("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"))
