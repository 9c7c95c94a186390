"""Pods whose addresses no interface bears, but to which routes of the cloud's network lead by way of their machines.

Such a machine forwards what is for its pods, and its lists judge them: so they stand where it does, and what is for
them is delivered there. Source: https://cloud.google.com/kubernetes-engine/docs/how-to/routes-based-cluster
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model.peers import Addresses
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model.estate import Estate
    from cloudseg.model.topology import Interface, Network, Route, RouteTable
    from cloudseg.traffic import AddressSet

__all__ = ["OF_RANGE", "RANGE", "delivered", "routed_ranges"]

RANGE: Final = "alias-range"
"""The role of what stands for further ranges of an interface, of which rules know nothing by its identities."""
OF_RANGE: Final = {"gcp/alias": "true"}
"""The labels of who stands in such a range."""


def routed_ranges(estate: Estate, carriers: Sequence[Interface]) -> Iterator[Interface]:
    """Yield what stands for the ranges to which routes lead by way of machines.

    Args:
        estate: the estate.
        carriers: the interfaces of the machines.
    """
    ranges: dict[str, AddressSet] = {}
    known = {each.id: each for each in carriers}
    for _, table in sorted(estate.route_tables.items()):
        for route in table.routes:
            if _by(route, known):
                ranges[route.target or ""] = ranges.get(route.target or "", NO_ADDRESSES) | _destination(route)
    for identifier, addresses in ranges.items():
        yield msgspec.structs.replace(
            known[identifier],
            id=f"{identifier}/routes",
            kind=RANGE,
            addresses=addresses,
            public=NO_ADDRESSES,
            public_unlisted=False,
            primary=NO_ADDRESSES,
            labels=OF_RANGE,
            role=RANGE,
            derived=True,
        )


def delivered(
    estate: Estate, carriers: Sequence[Interface], networks: Iterable[str], taken: AddressSet
) -> tuple[dict[str, Network], dict[str, RouteTable]]:
    """Return the networks and route tables in which what is for pods is delivered, as far as they change.

    Args:
        estate: the estate.
        carriers: the interfaces of the machines.
        networks: qualified ids of the networks in which pods stand.
        taken: the addresses of the pods, to which routes led.
    """
    if not taken:
        return {}, {}
    known = {each.id: each for each in carriers}
    own = frozenset(networks)
    changed: dict[str, Network] = {}
    tables: dict[str, RouteTable] = {}
    for name, table in estate.route_tables.items():
        routes = tuple(_local(route, known, taken) for route in table.routes)
        if table.network in own and routes != table.routes:
            tables[name] = msgspec.structs.replace(table, routes=routes)
            network = changed.get(table.network, estate.networks[table.network])
            for route in table.routes:
                if _local(route, known, taken) is not route:
                    network = msgspec.structs.replace(network, addresses=network.addresses | _destination(route))
            changed[table.network] = network
    return changed, tables


def _local(route: Route, known: Mapping[str, Interface], taken: AddressSet) -> Route:
    if not _by(route, known) or not _destination(route).overlaps(taken):
        return route
    return msgspec.structs.replace(route, kind="local", target=None)


def _by(route: Route, known: Mapping[str, Interface]) -> bool:
    """Tell whether a route leads to a range by way of a machine, and not to everybody."""
    if route.kind != "interface" or not route.active or route.target not in known:
        return False
    destination = _destination(route)
    return (
        bool(destination) and not destination.overlaps(known[route.target or ""].addresses) and _is_small(destination)
    )


def _destination(route: Route) -> AddressSet:
    return route.destination.addresses if isinstance(route.destination, Addresses) else NO_ADDRESSES


def _is_small(addresses: AddressSet) -> bool:
    """Tell whether a range is one that a node may hold for its pods: a default route leads elsewhere."""
    return all(last - first < _MOST for numbers in (addresses.v4, addresses.v6) for first, last in numbers.intervals)


_MOST: Final = 1 << 12
"""A node has 256 pods at most, and twice as many addresses: https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr"""
