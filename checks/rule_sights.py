"""Packets at which an explanation names a rule: those that its list certainly sees as they are."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from cloudseg.checks.companies import union_stages
from cloudseg.model import Addresses
from cloudseg.reach.passage import carries_unread, pipeline_of
from cloudseg.reach.plumbing import conduct
from cloudseg.reach.ways import is_public
from cloudseg.traffic import AddressSet, Traffic
from cloudseg.traffic.cidr import address_text
from cloudseg.traffic.telling import first_packet

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.redundancy import Redundant
    from cloudseg.checks.rule_ends import Named
    from cloudseg.model import Estate, Interface
    from cloudseg.reach.comparing.witness import Witness, Witnesses
    from cloudseg.reach.explaining.explanation import Explanation

__all__ = ["Sights"]

_EXPLAINED: Final = 20_000
"""So many packets are explained to be sure of what lists see of them, times the classes of the estate."""
_OTHER_ICMP: Final = {4: Traffic.protocol("icmpv6"), 6: Traffic.protocol("icmp")}
_BEYOND: Final = frozenset(("private-gateway", "transit-gateway", "interface", "unknown"))


class Sights:
    """Makes packets of which a rule's list certainly sees the ends under the addresses and groups that the rule names.

    Args:
        context: of the check that tells of the rules.

    Attributes:
        gave_up: a packet was not explained because too many were.
    """

    def __init__(self, context: AuditContext) -> None:
        from cloudseg.reach.comparing.witness import Witnesses

        self._reach = context.reach
        self._estate: Estate = context.estate
        self._internet = context.internet
        self._witnesses: Witnesses = Witnesses(context.reach)
        self._unions = union_stages(context.estate)
        self._straight: dict[str, bool] = {}
        self._places: dict[tuple[int, bool], Hashable | None] = {}
        self._beyond: dict[str | None, bool] = {}
        self._ordinary: dict[str, bool] = {}
        self._left = _EXPLAINED // max(1, len(context.reach.classes))
        self.gave_up = False
        # A gateway that gives packets another address between networks hides who sends them.
        self._translates = any(
            each.kind.startswith("nat") and not each.public for each in self._estate.gateways.values()
        )

    def place(self, number: int, *, inward: bool) -> Hashable | None:
        """Return what a class has in common with others that exchange packets with outside alike, but for their lists.

        None where more than one list of rules that admit decides, or the class behaves unlike others.
        """
        key = (number, inward)
        if key not in self._places:
            self._places[key] = self._place(number, inward=inward)
        return self._places[key]

    def _place(self, number: int, *, inward: bool) -> Hashable | None:
        interface = self._first(number)
        pipeline = pipeline_of(interface, self._estate)
        if pipeline is None or not self._is_ordinary(interface) or carries_unread(interface, self._estate):
            return None
        stateful = [stage.name for stage in pipeline.stages("ingress" if inward else "egress") if stage.stateful]
        if len(stateful) != 1 or stateful[0] not in self._unions:
            return None
        ways = self._internet.ways_in(interface)
        if inward and not all(way.shows_clients for way in ways.unbalanced):
            return None
        columns = self._reach.ground.columns
        faces = columns.of_class[number]
        public = is_public(interface, 4, self._estate), is_public(interface, 6, self._estate)
        where = (interface.provider, interface.scope, interface.region, interface.network, interface.subnet)
        positions = tuple(int(columns.positions(slice(face, face + 1))[0]) for face in faces)
        return (*where, positions, public, id(ways))

    def leads_outside(self, number: int, named: Named, *, inward: bool) -> bool:
        """Tell whether a class may exchange packets with outside whom a rule names; a first look that costs little."""
        interface = self._first(number)
        if named.public and (not inward or self._internet.ways_in(interface).unbalanced):
            return True
        known = self._beyond.get(interface.network)
        if known is None:
            kinds = {
                route.kind
                for table in self._estate.route_tables.values()
                if table.network == interface.network
                for route in table.routes
            }
            known = self._beyond[interface.network] = not _BEYOND.isdisjoint(kinds)
        return known

    def outside(self, near: int, addresses: AddressSet, traffic: Traffic, *, inward: bool) -> Witness | None:
        """Return a packet between a class and addresses outside; None for traffic that none of them can send."""
        family = 4 if addresses.v4 else 6
        carried = traffic - _OTHER_ICMP[family]
        if not carried:
            return None
        name = self._reach.classes[near].members[0]
        if inward:
            witness = self._witnesses.from_outside(addresses, name, carried)
            return None if witness.source_address in self._public else witness
        witness = self._witnesses.to_outside(name, addresses, carried)
        return None if witness.target_address in self._public else witness

    @cached_property
    def _public(self) -> frozenset[str]:
        """The public addresses of the estate's interfaces, which nobody outside has."""
        return frozenset(
            address_text(version, first)
            for interface in self._estate.interfaces.values()
            if interface.public
            for version, numbers in ((4, interface.public.v4), (6, interface.public.v6))
            for first, _ in numbers.intervals
        )

    def inside(self, found: Redundant, named: Named, near: int, far: int, traffic: Traffic) -> Witness | None:
        """Return a packet between two classes at which an explanation names a rule; None where that is not sure.

        Args:
            found: the rule, and those that stand in for it.
            named: whom the rule names.
            near: the class at its own end.
            far: the class at the other end.
            traffic: what certainly passes, of what the rule admits.
        """
        here, there = self._first(near), self._first(far)
        if near == far:
            members = self._reach.classes[near].members
            if len(members) == 1:
                return None
            there = self._estate.interfaces[members[1]]
        inward = found.rule.direction == "ingress"
        one, other = (there, here) if inward else (here, there)
        family = _family(one, other)
        carried = traffic - _OTHER_ICMP[family or 4]
        if not carried:
            return None
        if family and self._is_seen(named, here, there, family, public=bool(other.public)):
            return _packet(one, other, carried, family)
        return self._explained(found, one, other, carried, family or 4)

    def _first(self, number: int) -> Interface:
        return self._estate.interfaces[self._reach.classes[number].members[0]]

    def _is_ordinary(self, interface: Interface) -> bool:
        known = self._ordinary.get(interface.id)
        if known is None:
            known = self._ordinary[interface.id] = (
                conduct(interface) == "ordinary"
                and not interface.keeps_client
                and bool(interface.addresses)
                # What rules that name addresses match in a cluster depends on the plugin of its network.
                and not self._is_cluster(interface.network)
                and interface.workload not in self._estate.forwarders
                and not self._estate.entrances_to(interface)
            )
        return known

    def _is_cluster(self, name: str | None) -> bool:
        network = None if name is None else self._estate.networks.get(name)
        return network is not None and network.leads_out

    def _is_seen(self, named: Named, here: Interface, there: Interface, family: int, *, public: bool) -> bool:
        """Tell whether the list at this end certainly sees the other one under what the rule names.

        Whoever has a public address may be reached by that alone, where the boundary of a subnet stops private ones.
        """
        if not self._is_ordinary(here) or not self._is_ordinary(there) or carries_unread(here, self._estate):
            return False
        by_public = public and here.subnet != there.subnet
        together = here.network == there.network and self._is_straight(here.network) and not by_public
        apart = here.network != there.network and not here.public and not there.public and not self._translates
        own = AddressSet(v4=there.addresses.v4) if family == 4 else AddressSet(v6=there.addresses.v6)
        return (together or apart) and (
            own <= named.addresses or (together and not named.groups.isdisjoint(there.attached))
        )

    def _is_straight(self, name: str | None) -> bool:
        """Tell whether no route leads packets within a network anywhere but straight to their end."""
        network = None if name is None else self._estate.networks.get(name)
        if network is None:
            return False
        known = self._straight.get(network.id)
        if known is None:
            tables = [each for each in self._estate.route_tables.values() if each.network == network.id]
            routes = [route for table in tables for route in table.routes if route.kind != "local"]
            known = self._straight[network.id] = bool(tables) and not any(
                not isinstance(route.destination, Addresses)
                or (
                    route.destination.addresses.overlaps(network.addresses)
                    and not _holds_all(route.destination.addresses, network.addresses)
                )
                for route in routes
            )
        return known

    def _explained(
        self, found: Redundant, one: Interface, other: Interface, traffic: Traffic, family: int
    ) -> Witness | None:
        """Return a packet of which an explanation names both rules, where a look at both ends is no proof."""
        from cloudseg.reach.explaining.explain import explain

        if not self._left:
            self.gave_up = True
            return None
        self._left -= 1
        witness = _packet(one, other, traffic, family)
        told = explain(self._reach, one.id, other.id, witness.traffic)
        return witness if told.verdict == "allowed" and _names_both(told, found) else None


def _names_both(told: Explanation, found: Redundant) -> bool:
    """Tell whether an explanation names a rule and one that stands in for it among those that would have to go."""
    others = {(rule_set.id, rule.id) for rule_set, rule in found.by}
    for cut in told.cuts:
        named = {(rule.rule_set, rule.rule) for rule in cut.rules}
        if (found.rule_set.id, found.rule.id) in named and not named.isdisjoint(others):
            return True
    return False


def _family(one: Interface, other: Interface) -> int:
    """Return the family in which two interfaces can talk; 0 for both or none."""
    four = bool(one.addresses.v4 and other.addresses.v4)
    six = bool(one.addresses.v6 and other.addresses.v6)
    return 0 if four == six else 4 if four else 6


def _packet(one: Interface, other: Interface, traffic: Traffic, family: int) -> Witness:
    from cloudseg.reach.comparing.witness import Witness

    return Witness(one.id, _own(one, family), other.id, _own(other, family), first_packet(traffic, family))


def _own(interface: Interface, family: int) -> str:
    numbers = interface.addresses.v4 if family == 4 else interface.addresses.v6
    return address_text(family, numbers.intervals[0][0]) if numbers else ""


def _holds_all(destination: AddressSet, network: AddressSet) -> bool:
    """Tell whether every range of a network that a destination touches lies in it: then it is wider than ``local``."""
    return all(
        not AddressSet.parse(cidr).overlaps(destination) or AddressSet.parse(cidr) <= destination
        for cidr in network.cidrs()
    )
