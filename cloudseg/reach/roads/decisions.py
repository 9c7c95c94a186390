"""What a route table or a transit table decides, as far as it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Addresses, ListRef, Route, RouteTable, shown_id
from cloudseg.reach.roads.routing import NextHop, next_hops
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.model import Estate, TransitTable
    from cloudseg.reach.roads.travel import Way

__all__ = ["Decision", "decide", "split"]


class Decision(NamedTuple):
    """What a table decides.

    Attributes:
        hops: the deciding routes with their addresses.
        doubts: why any address may go another way, in words: routes and lists that were not read.
        services: routes to services whose addresses, some of the internet's, were not read.
        together: all targets of routes that share packets out among them, by destination and origin.
    """

    hops: tuple[NextHop, ...]
    doubts: tuple[str, ...]
    services: tuple[Route, ...]
    together: Mapping[tuple[object, str], tuple[str, ...]]

    def targets(self, route: Route) -> tuple[str, ...]:
        """Return the targets that share the packets of a route out."""
        return self.together.get(_key(route), ())


def decide(table: RouteTable | TransitTable, estate: Estate) -> Decision:
    """Return what a table decides, by the rules of :func:`next_hops`.

    An unread prefix list may hold the longest prefix for any address, and so may a route that could not be understood.
    Only the list of a gateway endpoint holds nothing but the addresses of its service.
    """
    routes: dict[tuple[object, str], Route] = {}
    together: dict[tuple[object, str], tuple[str, ...]] = {}
    maybe: list[NextHop] = []
    doubts: list[str] = []
    services: list[Route] = []
    for route in table.routes:
        if _is_misread(route):
            maybe.append(NextHop(route, ALL_ADDRESSES, certain=False))
            doubts.append(f"a route of {table.shown_id} could not be read")
        elif isinstance(route.destination, ListRef) and _is_unread(route.destination, estate):
            if _leads_to_service(route, estate):
                services.append(route)
                continue
            maybe.append(NextHop(route, ALL_ADDRESSES, certain=False))
            doubts.append(f"the prefix list {shown_id(route.destination.list)} in {table.shown_id} was not read")
        else:
            key = _key(route)
            routes.setdefault(key, route)
            if route.target is not None:
                together[key] = (*together.get(key, ()), route.target)
    plain = RouteTable(id=table.id, kind=table.kind, network="", routes=tuple(routes.values()))
    hops = (*next_hops(plain, estate), *maybe)
    return Decision(hops, tuple(dict.fromkeys(doubts)), tuple(services), together)


def split(way: Way, decision: Decision) -> Iterator[tuple[Way, Route]]:
    """Yield the packets that each route takes, with the route."""
    for hop in decision.hops:
        part = way.to(hop.addresses)
        if part.addresses:
            yield part.doubted(*decision.doubts), hop.route


def _key(route: Route) -> tuple[object, str]:
    return (route.destination, route.origin)


def _is_misread(route: Route) -> bool:
    """Tell whether a route stands for one that could not be understood: for any address, and to nobody knows where."""
    everything = (Addresses(ALL_IPV4), Addresses(ALL_IPV6))
    return route.kind == "unknown" and route.target is None and route.destination in everything


def _is_unread(destination: ListRef, estate: Estate) -> bool:
    known = estate.address_lists.get(destination.list)
    return known is None or known.prefixes is None


def _leads_to_service(route: Route, estate: Estate) -> bool:
    if route.kind != "endpoint" or not isinstance(route.destination, ListRef):
        return False
    endpoint = estate.endpoints.get(route.target or "")
    if endpoint is not None:
        return endpoint.type == "gateway"
    known = estate.address_lists.get(route.destination.list)
    return known is not None and known.owner == "provider"
