"""Where packets that leave a subnet come out, following routes hop by hop over the whole estate."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from cloudseg.model import shown_id
from cloudseg.reach.roads.decisions import decide, split
from cloudseg.reach.roads.gateways import by_egress_only_gateway, by_internet_gateway, by_peering, by_private_gateway
from cloudseg.reach.roads.leg import Checkpoint, End, Hop, Leg, wordless
from cloudseg.reach.roads.middleboxes import by_endpoint, by_interface
from cloudseg.reach.roads.nat import by_nat_gateway
from cloudseg.reach.roads.transit import by_attachment, by_transit_gateway
from cloudseg.reach.roads.travel import Way
from cloudseg.reach.roads.waypoints import may_be_attached, waypoints
from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate, Firewall, Network, Route, RouteTable, Subnet, TransitAttachment, TransitTable
    from cloudseg.reach.roads.decisions import Decision

__all__ = ["Checkpoint", "End", "Hop", "Leg", "Router", "is_direct", "legs_from", "may_hand_out", "wordless"]

_ESTATES = 4


def legs_from(subnet: Subnet | None, network: Network, estate: Estate) -> tuple[Leg, ...]:
    """Return all legs of packets that leave a subnet of a network.

    Certain legs are disjoint; others may overlap them. An address that no leg covers has no route. Packets to addresses
    inside the subnet itself ask its routes only where :func:`is_direct` denies it; whoever asks for legs knows that.

    Args:
        subnet: where the packets start; None where that is not known or the network has no subnets.
        network: its network.
        estate: the estate. What is found of its tables is kept for the last few estates asked for.
    """
    return _router(estate).legs_from(subnet, network)


def may_hand_out(subnet: str | None, estate: Estate) -> bool:
    """Tell whether something in a subnet may hand packets of others out there, as far as that was read.

    Args:
        subnet: qualified id of the subnet; None where it is not known.
        estate: the estate.
    """
    return _router(estate).may_hand_out(subnet)


def is_direct(subnet: str | None, estate: Estate) -> bool:
    """Tell whether packets inside a subnet go straight from one interface to the other, and meet no route.

    In networks whose routes decide inside subnets as well, that is so where they lead nowhere else. Source:
    https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview

    Args:
        subnet: qualified id of the subnet; None where it is not known.
        estate: the estate.
    """
    return _router(estate).is_direct(subnet)


@lru_cache(maxsize=_ESTATES)
def _router(estate: Estate) -> Router:
    return Router(estate)


class Router:
    """Follows routes over an estate; tables are worked out once, and subnets alike share their legs."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self._decisions: dict[str, Decision] = {}
        self.beyond: dict[tuple[object, ...], tuple[Leg, ...]] = {}
        self._shared: dict[tuple[object, ...], tuple[Leg, ...]] = {}
        self._own: dict[str, tuple[Leg, ...]] = {}
        self._direct: dict[str, bool] = {}

    def legs_from(self, subnet: Subnet | None, network: Network) -> tuple[Leg, ...]:
        """Return all legs of packets that leave a subnet of a network, as :func:`legs_from` does."""
        legs = self._by_routes(subnet, network)
        return legs if network.leads_out or not self._apart else (*legs, *self._to_clusters(subnet, network))

    def _to_clusters(self, subnet: Subnet | None, network: Network) -> Iterator[Leg]:
        """Yield the legs to clusters that are joined to no network of a cloud: they may run in any, or be near it."""
        start = None if subnet is None else subnet.id
        for name in self._apart:
            hop = Hop("same-network", "", None, name, f"to the pods of {shown_id(name)}")
            way = Way(ALL_ADDRESSES, network, subnet, network.id, start=start, hops=(hop,))
            way = way.doubted(f"whether {network.shown_id} leads to the pods of {shown_id(name)} was not read").astray()
            yield from way.ends("network", name)

    @cached_property
    def _apart(self) -> tuple[str, ...]:
        networks = sorted(self.estate.networks.items())
        return tuple(name for name, network in networks if network.leads_out and self.estate.interfaces_in(name))

    def _by_routes(self, subnet: Subnet | None, network: Network) -> tuple[Leg, ...]:
        if subnet is None:
            return tuple(self.follow(Way(ALL_ADDRESSES, network, None, network.id)))
        returns: Literal["", "no"] = "" if self.may_hand_out(subnet.id) else "no"
        start = Way(
            ALL_ADDRESSES, network, subnet, network.id, (subnet.internet_block,), start=subnet.id, returns=returns
        )
        table = self.estate.route_table_of(subnet)
        if table is None or subnet.id in self._waypoints:
            return self._once(subnet, start)
        alike = (network.id, table.id, subnet.zone, subnet.zone_id, subnet.internet_block, returns)
        if self.estate.firewalls or self._edges:
            # What firewalls let through, and which of them answers pass, depends on where packets started.
            return self._once(subnet, start)
        if alike not in self._shared:
            self._shared[alike] = tuple(self.follow(start))
        return self._shared[alike]

    def _once(self, subnet: Subnet, start: Way) -> tuple[Leg, ...]:
        """Return the legs of one subnet, which are worked out once."""
        if subnet.id not in self._own:
            self._own[subnet.id] = tuple(self.follow(start))
        return self._own[subnet.id]

    def follow(self, way: Way) -> list[Leg]:
        """Return the legs of packets from where they are, by the route table of their subnet."""
        if way.subnet is None:
            return self._local(way) if self._is_flat(way.network) else self.unread(way, way.network.shown_id)
        table = self.estate.route_table_of(way.subnet)
        return self.unread(way, way.subnet.shown_id) if table is None else self.by_table(way, table)

    def by_table(self, way: Way, table: RouteTable) -> list[Leg]:
        """Return the legs of packets of which a route table decides."""
        if circle := way.circle(table.id):
            return way.dropped(circle)
        first = not way.hops
        if not first and way.subnet is not None and (near := way.to(way.subnet.addresses)).addresses:
            # What stands in the subnet that packets have come to is handed over there, whatever its routes say.
            rest = way._replace(addresses=way.addresses - way.subnet.addresses)
            return near.ends("network", way.network.id) + self.by_table(rest, table)
        way = way._replace(tables=(*way.tables, table.id))
        decision = self.decision(table)
        legs: list[Leg] = []
        covered = NO_ADDRESSES
        for part, route in split(way, decision):
            legs.extend(self._by_route(part.stepped(route.kind, table.id, route), table, route))
            covered |= part.addresses
        for route in decision.services:
            part = way.to(GLOBAL_UNICAST).doubted(
                f"the addresses that {shown_id(route.target or '')} serves were not read"
            )
            legs.extend(self._by_route(part.stepped(route.kind, table.id, route), table, route))
        if not first:
            # Of the source's own table the missing route is told by the missing leg.
            legs.extend(way._replace(addresses=way.addresses - covered).dropped(f"{table.shown_id} has no route"))
        return legs

    def by_attachment(self, way: Way, attachment: TransitAttachment) -> list[Leg]:
        """Return the legs of packets that come into a transit gateway by an attachment, from beyond it."""
        return by_attachment(self, way, attachment)

    def _by_route(self, way: Way, table: RouteTable, route: Route) -> list[Leg]:
        if route.kind == "drop" or not route.active:
            return way.dropped(f"a route of {table.shown_id} is a blackhole")
        match route.kind:
            case "local":
                return way.ends("network", table.network)
            case "internet-gateway":
                return by_internet_gateway(self, way, route)
            case "egress-only-gateway":
                return by_egress_only_gateway(self.estate, way, route)
            case "private-gateway":
                return by_private_gateway(self, way, route)
            case "peering":
                return by_peering(self.estate, way, route)
            case "nat-gateway":
                return by_nat_gateway(self, way, route)
            case "transit-gateway":
                return by_transit_gateway(self, way, route)
            case "interface":
                return by_interface(self.estate, way, route)
            case "endpoint":
                return by_endpoint(self, way, route)
            case "unknown":
                target = "a target of an unknown kind" if route.target is None else shown_id(route.target)
                return way.lost(f"where {target} leads is not known")

    def unread(self, way: Way, what: str) -> list[Leg]:
        """Return the legs of packets whose routes were not read: in the own network at most, or anywhere."""
        way = way.doubted(f"the routes of {what} were not read").astray()
        own = way.network.addresses or ALL_ADDRESSES
        elsewhere = way.addresses - way.network.addresses
        legs = way.to(own).ends("network", way.network.id)
        return legs + way._replace(addresses=elsewhere, seen_as=()).ends("unknown")

    def _local(self, way: Way) -> list[Leg]:
        if way.network.leads_out:
            within = Hop("same-network", "", None, way.network.id, f"within {way.network.shown_id}")
            beyond = Hop("same-network", "", None, way.network.id, f"out of {way.network.shown_id}")
            # Addresses of its interfaces may not be known: they are told by who stands in it.
            inside = way.to(ALL_ADDRESSES)._replace(hops=(*way.hops, within))
            outside = way._replace(addresses=way.addresses - way.network.addresses, hops=(*way.hops, beyond))
            legs = inside.ends("network", way.network.id) + outside.ends("private")
            if len(self.estate.networks) > 1:
                legs += way.lost(f"whether {way.network.shown_id} leads to other networks of the estate was not read")
            return legs
        own = way.network.addresses or ALL_ADDRESSES
        name = way.network.shown_id
        inside = way.to(own)._replace(hops=(*way.hops, Hop("same-network", "", None, way.network.id, f"within {name}")))
        return inside.ends("network", way.network.id) + way._replace(addresses=way.addresses - own).lost(
            f"how packets leave {name} was not read"
        )

    def _is_flat(self, network: Network) -> bool:
        """Tell whether a network has no subnets and no routes, as a cluster's, and not just none that were read."""
        if network.id in self._with_tables or self.estate.subnets_in(network.id):
            return False
        return network.provider not in self._routing_providers or self.estate.read("subnets", network)

    def may_hand_out(self, subnet: str | None) -> bool:
        """Tell whether something in a subnet may hand packets of others out there, as far as that was read."""
        return subnet not in self.estate.subnets or subnet in self._waypoints or subnet in self._may_be_attached

    def is_direct(self, name: str | None) -> bool:
        """Tell whether packets inside a subnet go straight, as :func:`is_direct` does."""
        subnet = self.estate.subnets.get(name or "")
        network = None if subnet is None else self.estate.networks.get(subnet.network)
        if subnet is None or network is None or not network.routes_within_subnets:
            return True
        if subnet.id not in self._direct:
            within = [leg for leg in self._by_routes(subnet, network) if leg.addresses.overlaps(subnet.addresses)]
            self._direct[subnet.id] = all(
                leg.certain and leg.end == "network" and leg.network == network.id and not leg.inspectors
                for leg in within
            )
        return self._direct[subnet.id]

    def decision(self, table: RouteTable | TransitTable) -> Decision:
        """Return what a table decides, worked out once."""
        if table.id not in self._decisions:
            self._decisions[table.id] = decide(table, self.estate)
        return self._decisions[table.id]

    def edge_table(self, gateway: str) -> RouteTable | None:
        """Return the table that leads on what comes in by a gateway; None where it has none."""
        return self._edges.get(gateway)

    def zones_of(self, network: str) -> frozenset[str]:
        """Return the zones of a network's subnets."""
        return self._zones.get(network, frozenset())

    def attachments(self, gateway: str, network: str) -> tuple[TransitAttachment, ...]:
        """Return what attaches a network to a transit gateway, in order of ids."""
        return self._attachments.get((gateway, network), ())

    def firewall_at(self, endpoint: str) -> Firewall | None:
        """Return the firewall behind an endpoint or a transit attachment."""
        return self._firewalls.get(endpoint)

    def attachments_before(self, gateway: str) -> tuple[TransitAttachment, ...]:
        """Return the attachments by which packets come into a transit gateway out of the tunnels of a gateway."""
        return self._before.get(gateway, ())

    def halves(self, attachment: TransitAttachment) -> tuple[TransitAttachment, ...]:
        """Return both sides' readings of a peering attachment: they share its own id."""
        return self._by_own_id[attachment.own_id]

    @cached_property
    def _zones(self) -> dict[str, frozenset[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for subnet in self.estate.subnets.values():
            found[subnet.network].add(subnet.zone)
        return {network: frozenset(zones) for network, zones in found.items()}

    @cached_property
    def _attachments(self) -> dict[tuple[str, str], tuple[TransitAttachment, ...]]:
        found: defaultdict[tuple[str, str], list[TransitAttachment]] = defaultdict(list)
        for _, attachment in sorted(self.estate.transit_attachments.items()):
            if attachment.network is not None:
                found[attachment.gateway, attachment.network].append(attachment)
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def _before(self) -> dict[str, tuple[TransitAttachment, ...]]:
        found: defaultdict[str, list[TransitAttachment]] = defaultdict(list)
        for _, attachment in sorted(self.estate.transit_attachments.items()):
            if attachment.beyond is not None:
                found[attachment.beyond].append(attachment)
        return {gateway: tuple(each) for gateway, each in found.items()}

    @cached_property
    def _edges(self) -> dict[str, RouteTable]:
        tables = sorted(self.estate.route_tables.items())
        return {gateway: table for _, table in tables for gateway in table.gateways}

    @cached_property
    def _by_own_id(self) -> dict[str, tuple[TransitAttachment, ...]]:
        found: defaultdict[str, list[TransitAttachment]] = defaultdict(list)
        for _, attachment in sorted(self.estate.transit_attachments.items()):
            found[attachment.own_id].append(attachment)
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def _firewalls(self) -> dict[str, Firewall]:
        return {endpoint: each for _, each in sorted(self.estate.firewalls.items()) for endpoint in each.endpoints}

    @cached_property
    def _with_tables(self) -> frozenset[str]:
        return frozenset(table.network for table in self.estate.route_tables.values())

    @cached_property
    def _routing_providers(self) -> frozenset[str]:
        return frozenset(reading.provider for reading in self.estate.coverage.places("routes"))

    @cached_property
    def _may_be_attached(self) -> frozenset[str]:
        return may_be_attached(self.estate)

    @cached_property
    def _waypoints(self) -> frozenset[str]:
        return waypoints(self.estate)
