"""Ways between subnets and networks around the firewall that others of their packets pass."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.detours import Detour
from cloudseg.checks.inspection import Passed, way_words
from cloudseg.checks.path_witnesses import Spot, Trip
from cloudseg.checks.rule_lists import shown_labels
from cloudseg.reach.plumbing import takes_groups
from cloudseg.reach.roads.decisions import decide
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.checks.inspection import Inspection
    from cloudseg.model import Estate, Firewall, Network, Subnet, TransitAttachment
    from cloudseg.reach.roads.legs import Leg
    from cloudseg.traffic import AddressSet

__all__ = ["cross_detours"]


class _Path(NamedTuple):
    """What some subnets of one network send to one network.

    Attributes:
        source: the network of the subnets.
        subnets: the subnets, which send alike.
        addresses: their addresses.
        leg: the way, which ends in a network.
        through: it passes a firewall, or an endpoint before appliances.
    """

    source: Network
    subnets: tuple[Subnet, ...]
    addresses: AddressSet
    leg: Leg
    through: bool

    @property
    def ends(self) -> tuple[str, str]:
        """Qualified ids of the two networks."""
        return self.source.id, self.leg.network or ""

    @property
    def where(self) -> str:
        """The subnets in words."""
        return shown_labels(self.subnets)

    @property
    def trip(self) -> Trip:
        """Who opens connections to whom on it."""
        subnets = frozenset(subnet.id for subnet in self.subnets)
        return Trip(Spot(self.addresses, self.source.id, subnets), Spot(self.leg.addresses, self.leg.network or ""))

    def answered_by(self, other: _Path) -> bool:
        """Tell whether another path carries replies to packets of this one, which are of the same family."""
        there = self.leg.addresses & other.addresses
        back = other.leg.addresses & self.addresses
        return bool((there.v4 and back.v4) or (there.v6 and back.v6))


def cross_detours(estate: Estate, inspection: Inspection) -> Iterator[Detour]:
    """Yield the ways between subnets, and between networks, around a firewall that their packets pass otherwise.

    Either the packets of one direction pass it and those of the other do not, or some subnets of a network send to
    another network through it and others straight, or two networks are peered whose transit gateway leads to its own
    network what they could send to each other. To and from that network itself, straight is the only way.
    """
    paths = list(_paths(estate, inspection))
    through = [path for path in paths if path.through]
    around: defaultdict[tuple[str, str], list[_Path]] = defaultdict(list)
    for path in paths:
        if not path.through:
            around[path.ends].append(path)
    for path in through:
        for back in around.get((path.ends[1], path.ends[0]), ()):
            if path.answered_by(back):
                straight = f"{back.where} to {path.where} by {way_words(back.leg)}"
                sure = inspection.is_sure(back.leg) and inspection.is_sure(path.leg)
                text = f"{straight}, while packets the other way pass the firewall"
                yield Detour(back.source.id, text, sure, inspection.passed(path.leg), trip=back.trip)
    yield from _straight(through, around, estate, inspection)


def _straight(
    through: Iterable[_Path], around: Mapping[tuple[str, str], Sequence[_Path]], estate: Estate, inspection: Inspection
) -> Iterator[Detour]:
    """Yield the ways from one network straight to another, of packets that would pass a firewall else."""
    inspected: defaultdict[tuple[str, str], list[_Path]] = defaultdict(list)
    for path in through:
        inspected[path.ends].append(path)
    walls: defaultdict[str, list[Firewall]] = defaultdict(list)
    for wall in inspection.firewalls.values():
        walls[wall.network].append(wall)
    central = _Central(estate, inspection)
    for (source, target), paths in sorted(around.items()):
        if source == target or source in walls or target in walls:
            continue
        for path in paths:
            alike = [other for other in inspected[source, target] if other.leg.addresses.overlaps(path.leg.addresses)]
            passed = inspection.passed(alike[0].leg) if alike else Passed()
            if not passed and path.leg.hops[0].kind == "peering":
                led = (wall for home in central.led_to(path, target) for wall in walls.get(home, ()))
                inside = central.inside(path, target)
                passed = Passed(tuple({wall.id: wall for wall in (*led, *inside)}.values()))
            if passed:
                straight = f"{path.where} to {estate.networks[target].label} by {way_words(path.leg)}"
                text = f"{straight}, while other packets between networks pass the firewall"
                yield Detour(source, text, inspection.is_sure(path.leg), passed, trip=path.trip)


class _Central:
    """Where transit gateways lead what networks could send to each other over them."""

    def __init__(self, estate: Estate, inspection: Inspection) -> None:
        self._estate = estate
        self._inspection = inspection
        self._attached: defaultdict[str, dict[str, TransitAttachment]] = defaultdict(dict)
        for _, attachment in sorted(estate.transit_attachments.items()):
            if attachment.network is not None and attachment.active:
                self._attached[attachment.network].setdefault(attachment.gateway, attachment)

    def led_to(self, path: _Path, target: str) -> Iterator[str]:
        """Yield the other networks to which a transit gateway of both networks would lead the packets of a path."""
        for name in self._first(path, target):
            to = self._estate.transit_attachments.get(name)
            if to is not None and to.network is not None and to.network != target:
                yield to.network

    def inside(self, path: _Path, target: str) -> Iterator[Firewall]:
        """Yield the firewalls in such a gateway itself to which it would lead them, as in a secured virtual hub."""
        for name in self._first(path, target):
            wall = self._inspection.firewalls.get(name)
            if wall is not None:
                yield wall

    def _first(self, path: _Path, target: str) -> Iterator[str]:
        for gateway, attachment in self._attached[path.source.id].items():
            table = self._estate.transit_tables.get(attachment.table or "")
            if table is None or gateway not in self._attached[target]:
                continue
            for hop in decide(table, self._estate).hops:
                if hop.addresses.overlaps(path.leg.addresses):
                    yield hop.route.target or ""


def _paths(estate: Estate, inspection: Inspection) -> Iterator[_Path]:
    for _, network in sorted(estate.networks.items()):
        hosting = {interface.subnet for interface in estate.interfaces_in(network.id) if takes_groups(interface)}
        everywhere = not estate.read("interfaces", network)
        alike: defaultdict[str, list[tuple[tuple[Leg, ...], list[Subnet]]]] = defaultdict(list)
        for subnet in estate.subnets_in(network.id):
            if subnet.id in hosting or everywhere:
                table = estate.route_table_of(subnet)
                _join(alike["" if table is None else table.id], inspection.legs(subnet, network), subnet)
        for legs, subnets in (each for together in alike.values() for each in together):
            addresses = NO_ADDRESSES
            for subnet in subnets:
                addresses |= subnet.addresses
            for leg in legs:
                if leg.end == "network" and leg.network in estate.networks:
                    yield _Path(network, tuple(subnets), addresses, leg, bool(inspection.passed(leg)))


def _join(groups: list[tuple[tuple[Leg, ...], list[Subnet]]], legs: tuple[Leg, ...], subnet: Subnet) -> None:
    """Add a subnet to those of its route table whose packets go the same ways, or as the first of a new group."""
    for known, subnets in groups:
        if known is legs or known == legs:
            subnets.append(subnet)
            return
    groups.append((legs, [subnet]))
