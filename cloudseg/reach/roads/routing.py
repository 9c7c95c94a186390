"""Where a subnet sends packets: longest prefix first, over gateways, endpoints and blackholes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Addresses, ListRef
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, parse_cidr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate, Route, RouteTable

__all__ = ["NextHop", "next_hops"]

_ORIGIN_RANK = {"static": 0, "local": 1, "propagated": 3}
_LIST_RANK = 2


class NextHop(NamedTuple):
    """The addresses that a route table hands to one route.

    Attributes:
        route: the deciding route.
        addresses: the destinations that it decides.
        certain: False when an unread list or an unknown target leaves it open whether it decides them.
    """

    route: Route
    addresses: AddressSet
    certain: bool


def next_hops(table: RouteTable, estate: Estate) -> tuple[NextHop, ...]:
    """Return the deciding route for every destination; destinations that no route covers are left out.

    The longest prefix wins. Of equal prefixes a static route beats one by prefix list, and that beats a propagated one.
    A blackhole decides too: it drops. An unread prefix list that leads to a gateway endpoint holds that service's own
    ranges and takes nothing else away; any other unread list may cover everything. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html
    """
    entries = sorted(_entries(table, estate), key=lambda entry: entry[:3])
    undecided = ALL_ADDRESSES
    hops: dict[int, NextHop] = {}
    for _, _, position, destination in entries:
        taken = destination & undecided
        if taken:
            undecided = undecided - taken
            known = hops.get(position)
            addresses = taken if known is None else known.addresses | taken
            hops[position] = NextHop(table.routes[position], addresses, certain=True)
    for position in _unread_lists(table, estate):
        hops[position] = NextHop(table.routes[position], ALL_ADDRESSES, certain=False)
    return tuple(hops[position] for position in sorted(hops))


def _entries(table: RouteTable, estate: Estate) -> Iterator[tuple[int, int, int, AddressSet]]:
    """Yield sort key and destination of every prefix: minus its length, the rank of its origin, the route's place."""
    for position, route in enumerate(table.routes):
        rank = _ORIGIN_RANK[route.origin]
        match route.destination:
            case Addresses(addresses):
                prefixes = addresses.cidrs()
            case ListRef(name):
                known = estate.address_lists.get(name)
                prefixes = () if known is None or known.prefixes is None else known.prefixes
                rank = _LIST_RANK
        for prefix in prefixes:
            version, low, high = parse_cidr(prefix)
            width = 32 if version == 4 else 128
            length = width - (high - low).bit_length()
            yield -length, rank, position, AddressSet.parse(prefix)


def _unread_lists(table: RouteTable, estate: Estate) -> Iterator[int]:
    for position, route in enumerate(table.routes):
        if isinstance(route.destination, ListRef) and route.kind != "endpoint":
            known = estate.address_lists.get(route.destination.list)
            if known is None or known.prefixes is None:
                yield position
