"""By which ways workloads send to the internet, and which firewalls stand on these ways."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.breadth import INTERNET, Part
from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.model import ListRef, Workload, shown_id
from cloudseg.reach.leaving import leaves
from cloudseg.reach.plumbing import opens_connections
from cloudseg.reach.roads.legs import Leg, legs_from
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate, Firewall, Interface, Network, Route, RouteTable, Subnet
    from cloudseg.reach.roads.leg import Hop
    from cloudseg.traffic import AddressSet

__all__ = ["Inspection", "Passed", "Place", "Way", "inspection_of", "is_wide", "wall_name", "way_words", "wide_parts"]

# Fewer addresses than this share of the internet are a destination that somebody chose.
_WIDE_SHARE: Final = 16
_ESTATES: Final = 2


class Passed(NamedTuple):
    """What stands on a way that may filter.

    Attributes:
        firewalls: the firewalls, in the order in which packets meet them.
        appliances: own ids of endpoints before appliances of which nothing was read.
    """

    firewalls: tuple[Firewall, ...] = ()
    appliances: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.firewalls or self.appliances)


class Way(NamedTuple):
    """One way to the internet, or that may lead there.

    Attributes:
        part: the part of the internet.
        addresses: its addresses that the way leads to.
        leg: the way itself.
        passed: what stands on it.
        certain: somebody's packets take it for sure, and come out unless a firewall on it stops them.
    """

    part: Part
    addresses: AddressSet
    leg: Leg
    passed: Passed
    certain: bool


class Place(NamedTuple):
    """Subnets of a network whose workloads send to the internet by the same ways.

    Attributes:
        table: their route table; None where it was not read.
        subnets: the subnets; none for interfaces whose subnet was not read.
        senders: the interfaces in them that open connections; none where no interfaces were read.
        ways: the ways; none where nothing leads to the internet.
    """

    table: RouteTable | None
    subnets: tuple[Subnet, ...]
    senders: tuple[Interface, ...]
    ways: tuple[Way, ...]

    @property
    def addresses(self) -> AddressSet:
        """The addresses of the subnets."""
        total = NO_ADDRESSES
        for subnet in self.subnets:
            total |= subnet.addresses
        return total

    def words(self) -> str:
        """Return the place in words: its route table, its subnets, and how many interfaces send from there."""
        who = counted(len(self.senders), "interface") if self.senders else "interfaces that were not read"
        table = "unread routes" if self.table is None else self.table.label
        return f"{table} of {shown_labels(self.subnets) or 'unread subnets'}, {who}"


class _Kind(NamedTuple):
    """What of an interface decides on its ways: its families, and whether it is public in each (None: not read)."""

    four: bool
    six: bool
    public_four: bool | None
    public_six: bool | None

    def may_send(self, part: Part, *, needs_public: bool) -> bool | None:
        """Tell whether it sends to a part of the internet; None where that is not known."""
        if part == 4:
            return self.four and (self.public_four if needs_public else True)
        # Only a global address of IPv6 leaves the network; NAT64 translates any.
        return self.six and (True if part == "nat64" else self.public_six)


_ANY_KIND: Final = _Kind(four=True, six=True, public_four=None, public_six=None)


@lru_cache(maxsize=_ESTATES)
def inspection_of(estate: Estate) -> Inspection:
    """Return the inspection of an estate, which the checks of one audit share."""
    return Inspection(estate)


class Inspection:
    """Finds the ways from workloads to the internet, and what stands on any way; answers are kept."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.firewalls = {endpoint: wall for wall in estate.firewalls.values() for endpoint in wall.endpoints}
        self._places: dict[str, tuple[Place, ...]] = {}

    @cached_property
    def has_any(self) -> bool:
        """Whether there is a firewall, or a route to something that may be one."""
        return bool(self._estate.firewalls) or any(map(self.may_filter, self._routes))

    @cached_property
    def _routes(self) -> tuple[Route, ...]:
        """Every route of the estate."""
        return (
            *(route for table in self._estate.route_tables.values() for route in table.routes),
            *(route for table in self._estate.transit_tables.values() for route in table.routes),
        )

    @cached_property
    def _targets(self) -> frozenset[str | None]:
        return frozenset(route.target for route in self._routes)

    def is_routed(self, wall: Firewall) -> bool:
        """Tell whether some route leads to a firewall."""
        return not wall.endpoints.isdisjoint(self._targets)

    def may_filter(self, route: Route) -> bool:
        """Tell whether a route leads to a firewall, or to an endpoint before appliances, read or not."""
        if route.target in self.firewalls:
            return True
        if route.kind != "endpoint":
            return False
        endpoint = self._estate.endpoints.get(route.target or "")
        if endpoint is not None:
            return endpoint.type == "gateway-load-balancer"
        return not self._names_service(route)

    def _names_service(self, route: Route) -> bool:
        """Tell whether a route is for a service of the cloud, as only those to that service's endpoints are."""
        if not isinstance(route.destination, ListRef):
            return False
        known = self._estate.address_lists.get(route.destination.list)
        return known is not None and known.owner == "provider"

    def filters_at(self, hop: Hop) -> bool:
        """Tell whether packets may be filtered at a step: at a firewall, or at an endpoint before appliances."""
        return hop.target in self.firewalls or (hop.route is not None and self.may_filter(hop.route))

    def passed(self, leg: Leg) -> Passed:
        """Return what packets pass on a way that may filter them."""
        return self.named(hop.target for hop in leg.hops if self.filters_at(hop))

    def named(self, targets: Iterable[str | None]) -> Passed:
        """Return what stands at targets of routes, each of which may filter."""
        walls: dict[str, Firewall] = {}
        appliances: dict[str, None] = {}
        for target in targets:
            wall = self.firewalls.get(target or "")
            if wall is None:
                appliances[shown_id(target or "")] = None
            else:
                walls[wall.id] = wall
        return Passed(tuple(walls.values()), tuple(appliances))

    def is_sure(self, leg: Leg) -> bool:
        """Tell whether packets go this way for sure, but for what firewalls on it stop."""
        passed = self.passed(leg)
        # A firewall that filters makes a way uncertain too, with one doubt of its own.
        filtering = sum(1 for wall in passed.firewalls if wall.filters is not False)
        # So does one that answers may not pass: where packets lead stays the same.
        return not passed.appliances and len(leg.doubts) <= filtering + leg.uneven

    def legs(self, subnet: Subnet | None, network: Network) -> tuple[Leg, ...]:
        """Return the legs of packets that leave a subnet."""
        return legs_from(subnet, network, self._estate)

    def places(self, network: Network) -> tuple[Place, ...]:
        """Return the places of a network from which workloads send, in order of their subnets.

        Load balancers, endpoints and gateways open no connections of their own. Where interfaces were not read, every
        subnet may hold some.
        """
        if network.id not in self._places:
            self._places[network.id] = tuple(self._find(network))
        return self._places[network.id]

    def _find(self, network: Network) -> list[Place]:
        senders: defaultdict[str | None, list[Interface]] = defaultdict(list)
        for interface in self._estate.interfaces_in(network.id):
            if opens_connections(interface) and not self._balances(interface):
                senders[interface.subnet if interface.subnet in self._estate.subnets else None].append(interface)
        subnets: list[Subnet | None] = list(self._estate.subnets_in(network.id))
        if None in senders:
            subnets.append(None)
        found: dict[str, list[Place]] = {}
        everywhere = not self._estate.read("interfaces", network)
        known: dict[tuple[int, frozenset[_Kind]], tuple[tuple[Leg, ...], tuple[Way, ...]]] = {}
        for subnet in subnets:
            here = tuple(senders.get(None if subnet is None else subnet.id, ()))
            if not here and not everywhere:
                continue
            kinds = frozenset(map(self._kind, here)) or frozenset((_ANY_KIND,))
            # Subnets alike share one tuple of legs; comparing their identities is enough, and quick.
            legs = self.legs(subnet, network)
            key = (id(legs), kinds)
            if key not in known:
                known[key] = legs, tuple(way for leg in legs for way in self._ways(leg, kinds))
            table = None if subnet is None else self._estate.route_table_of(subnet)
            place = Place(table, () if subnet is None else (subnet,), here, known[key][1])
            _join(found.setdefault("" if table is None else table.id, []), place)
        return [place for together in found.values() for place in together]

    def _balances(self, interface: Interface) -> bool:
        owner = self._estate.owner_of(interface)
        return isinstance(owner, Workload) and owner.kind.endswith("load-balancer")

    def _kind(self, interface: Interface) -> _Kind:
        # An interface of which no address was read may well have one of IPv4.
        six = bool(interface.addresses.v6)
        return _Kind(
            four=bool(interface.addresses.v4) or not six,
            six=six,
            public_four=leaves(interface, 4, self._estate),
            public_six=six and leaves(interface, 6, self._estate),
        )

    def _ways(self, leg: Leg, kinds: Iterable[_Kind]) -> Iterator[Way]:
        if leg.end not in {"internet", "unknown"}:
            return
        if leg.end == "unknown" and any(hop.route is not None and self._names_service(hop.route) for hop in leg.hops):
            # An endpoint that was not read, but which leads to a service.
            return
        passed = self.passed(leg)
        sure = leg.end == "internet" and self.is_sure(leg)
        for part, internet in INTERNET.items():
            addresses = leg.addresses & internet
            if not addresses:
                continue
            sent = [kind.may_send(part, needs_public=leg.needs_public) for kind in kinds]
            if any(each is not False for each in sent):
                yield Way(part, addresses, leg, passed, certain=sure and any(sent))


def _join(places: list[Place], place: Place) -> None:
    """Add a place to those of the same route table, together with one from which the same ways lead out."""
    for number, other in enumerate(places):
        if other.ways == place.ways:
            joined = Place(other.table, other.subnets + place.subnets, other.senders + place.senders, other.ways)
            places[number] = joined
            return
    places.append(place)


def is_wide(addresses: Iterable[AddressSet], part: Part) -> bool:
    """Tell whether addresses together are more of a part of the internet than a few chosen destinations."""
    total = NO_ADDRESSES
    for each in addresses:
        total |= each & INTERNET[part]
    return _WIDE_SHARE * total.size >= INTERNET[part].size


def wide_parts(ways: Iterable[Way]) -> frozenset[Part]:
    """Return the parts of the internet of which ways together lead to more than a few chosen destinations."""
    by_part: dict[Part, list[AddressSet]] = {}
    for way in ways:
        by_part.setdefault(way.part, []).append(way.addresses)
    return frozenset(part for part, addresses in by_part.items() if is_wide(addresses, part))


def wall_name(wall: Firewall) -> str:
    """Return what people call a firewall; its own id is as long as a line."""
    return f"the firewall {wall.name or wall.shown_id}"


def way_words(leg: Leg) -> str:
    """Return a way in words: its first route, and what packets are handed to after it."""
    if not leg.hops:
        return "a way that was not read"
    first, *rest = leg.hops
    # What an internet gateway does goes without saying, and a route of a transit table names the attachment already.
    after = [hop.target for hop in rest if hop.target and hop.kind not in {"internet-gateway", "transit-attachment"}]
    names = dict.fromkeys(shown_id(target) for target in after)
    return first.text + (f", then {', '.join(names)}" if names else "")
