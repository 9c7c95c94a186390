"""What route tables hand to peerings and transit gateways, all routes to one target taken together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Addresses, shown_id
from cloudseg.reach.roads.routing import next_hops
from cloudseg.traffic import NO_ADDRESSES, AddressSet, parse_cidr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate, Network, Route, RouteTable, Subnet

__all__ = ["Handover", "handovers", "shortest_prefixes"]


class Handover(NamedTuple):
    """What one route table hands to one target.

    Attributes:
        table: the table.
        network: its network; None where that was not read.
        target: qualified id of the peering or the transit gateway.
        routes: the routes to it.
        prefixes: their destinations one by one, as far as they were read.
        named: all the addresses of these.
        handed: those that are handed to the target in effect: no longer prefix takes them, and the route is active.
        unread: own ids of prefix lists among the destinations that were not read.
        subnets: the subnets that use the table.
        all_users: whether these are all the subnets that use it.
    """

    table: RouteTable
    network: Network | None
    target: str
    routes: tuple[Route, ...]
    prefixes: tuple[str, ...]
    named: AddressSet
    handed: AddressSet
    unread: tuple[str, ...]
    subnets: tuple[Subnet, ...]
    all_users: bool

    @property
    def idle(self) -> bool:
        """Whether surely nothing is handed over: no subnet uses the table, or no route to the target is active."""
        return (self.all_users and not self.subnets) or not any(route.active for route in self.routes)

    @property
    def own(self) -> AddressSet:
        """The addresses of the table's own network."""
        return NO_ADDRESSES if self.network is None else self.network.addresses


def handovers(estate: Estate, kind: str) -> Iterator[Handover]:
    """Yield what tables hand to targets of a kind, in order of their ids."""
    users: defaultdict[str, list[Subnet]] = defaultdict(list)
    unknown: set[str] = set()
    for _, subnet in sorted(estate.subnets.items()):
        table = estate.route_table_of(subnet)
        if table is None:
            unknown.add(subnet.network)
        else:
            users[table.id].append(subnet)
    for _, table in sorted(estate.route_tables.items()):
        targets = dict.fromkeys(r.target for r in table.routes if r.kind == kind and r.target is not None)
        for target in targets:
            # A subnet whose table is not known may use the main one; of a table that is not, it is known who does.
            all_users = estate.read("subnets", table) and not (table.is_main and table.network in unknown)
            yield _handover(table, target, tuple(users[table.id]), estate, all_users=all_users)


def _handover(
    table: RouteTable, target: str, users: tuple[Subnet, ...], estate: Estate, *, all_users: bool
) -> Handover:
    routes = tuple(route for route in table.routes if route.target == target)
    prefixes: list[str] = []
    unread: list[str] = []
    for route in routes:
        if isinstance(route.destination, Addresses):
            prefixes.extend(route.destination.addresses.cidrs())
            continue
        known = estate.address_lists.get(route.destination.list)
        if known is None or known.prefixes is None:
            unread.append(shown_id(route.destination.list))
        else:
            prefixes.extend(known.prefixes)
    handed = NO_ADDRESSES
    for hop in next_hops(table, estate):
        if hop.route.target == target and hop.route.active and hop.certain:
            handed |= hop.addresses
    return Handover(
        table=table,
        network=estate.networks.get(table.network),
        target=target,
        routes=routes,
        prefixes=tuple(prefixes),
        named=AddressSet.from_cidrs(prefixes),
        handed=handed,
        unread=tuple(unread),
        subnets=users,
        all_users=all_users,
    )


def shortest_prefixes(cidrs: Iterable[str]) -> tuple[int, int]:
    """Return the lengths of the shortest prefix of IPv4 and of IPv6 among some; 32 and 128 where there is none."""
    four, six = 32, 128
    for cidr in cidrs:
        version, first, last = parse_cidr(cidr)
        bits = (last - first).bit_length()
        if version == 4:
            four = min(four, 32 - bits)
        else:
            six = min(six, 128 - bits)
    return four, six
