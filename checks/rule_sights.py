"""Packets at which an explanation names a rule: those that its list certainly sees as they are."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.checks.companies import union_stages
from cloudseg.reach.passage import carries_unread, pipeline_of
from cloudseg.reach.plumbing import conduct
from cloudseg.reach.ways import is_public
from cloudseg.traffic import AddressSet, IntervalSet, Traffic
from cloudseg.traffic.cidr import address_text
from cloudseg.traffic.telling import first_packet

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.redundancy import Redundant
    from cloudseg.checks.rule_ends import Named
    from cloudseg.model import Direction, Estate, Interface, Pipeline
    from cloudseg.reach.comparing.witness import Witness, Witnesses
    from cloudseg.reach.explaining.explanation import Explanation

__all__ = ["Place", "Sight", "Sights"]

Sight = Literal["sure", "perhaps", "never"]
"""Whether a list sees another end under what its rule names: what is not sure an explanation has to tell."""

_EXPLAINED: Final = 1_000
"""So many packets are explained where a look at both ends is no proof: a second or two."""
_OTHER_ICMP: Final = {4: Traffic.protocol("icmpv6"), 6: Traffic.protocol("icmp")}
_BEYOND: Final = frozenset(("private-gateway", "transit-gateway", "interface", "unknown"))


class Place(NamedTuple):
    """Where somebody stands who exchanges packets with outside.

    Attributes:
        key: what classes have in common that exchange packets with outside alike, but for their lists.
        sure: their lists see whom they exchange packets with, and alone decide what else passes.
    """

    key: Hashable
    sure: bool


class Sights:
    """Tells of which packets a rule's list certainly sees the ends under the addresses and groups that the rule names.

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
        self.gave_up = False
        self._left = _EXPLAINED
        self._places: dict[tuple[int, bool], Place] = {}
        self._beyond: dict[str | None, bool] = {}
        self._deciding: dict[tuple[str, Direction], bool] = {}
        self._ordinary: dict[str, bool] = {}

    # Outside.

    def place(self, number: int, *, inward: bool) -> Place:
        """Return where a class stands that packets come to from outside, or that sends them there."""
        key = (number, inward)
        if key not in self._places:
            self._places[key] = self._place(number, inward=inward)
        return self._places[key]

    def _place(self, number: int, *, inward: bool) -> Place:
        interface, alone = self._first(number), Place(number, sure=False)
        pipeline = pipeline_of(interface, self._estate)
        if pipeline is None or not self._is_ordinary(interface) or carries_unread(interface, self._estate):
            return alone
        if not self._decides_alone(pipeline, "ingress" if inward else "egress"):
            return alone
        ways = self._internet.ways_in(interface)
        if inward and not all(way.shows_clients for way in ways.unbalanced):
            return alone
        columns = self._reach.ground.columns
        faces = columns.of_class[number]
        public = is_public(interface, 4, self._estate), is_public(interface, 6, self._estate)
        where = (interface.provider, interface.scope, interface.region, interface.network, interface.subnet)
        positions = tuple(columns.positions(slice(face, face + 1)).item() for face in faces)
        node = interface.workload if interface.workload in self._estate.forwarders else None
        return Place((*where, positions, public, node, id(ways)), sure=True)

    def _decides_alone(self, pipeline: Pipeline, direction: Direction) -> bool:
        """Tell whether one stateful stage decides, of which any rule may admit."""
        known = self._deciding.get((pipeline.name, direction))
        if known is None:
            stateful = [stage.name for stage in pipeline.stages(direction) if stage.stateful]
            known = len(stateful) == 1 and stateful[0] in self._unions
            self._deciding[pipeline.name, direction] = known
        return known

    def leads_outside(self, number: int, named: Named, *, inward: bool) -> bool:
        """Tell whether a class may exchange packets with outside whom a rule names; a first look that costs little."""
        interface = self._first(number)
        if named.public and (not inward or self._internet.ways_in(interface).ways):
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
        theirs = addresses - self._public
        family = 4 if theirs.v4 else 6
        carried = traffic - _OTHER_ICMP[family]
        if not theirs or not carried:
            return None
        name = self._reach.classes[near].members[0]
        if inward:
            return self._witnesses.from_outside(theirs, name, carried)
        return self._witnesses.to_outside(name, theirs, carried)

    @cached_property
    def _public(self) -> AddressSet:
        """The public addresses of the estate's interfaces, which nobody outside has."""
        bearing = [each.public for each in self._estate.interfaces.values() if each.public]
        return AddressSet(
            v4=IntervalSet.from_pairs(pair for each in bearing for pair in each.v4.intervals),
            v6=IntervalSet.from_pairs(pair for each in bearing for pair in each.v6.intervals),
        )

    # Interfaces.

    def inside(self, near: int, far: int, traffic: Traffic, *, inward: bool) -> Witness | None:
        """Return a packet between two classes; None where they cannot send it.

        Args:
            near: the class at the rule's own end.
            far: the class at the other end.
            traffic: what certainly passes, of what the rule admits.
            inward: it goes to the rule's own end.
        """
        ends = self._ends(near, far)
        if ends is None:
            return None
        one, other = reversed(ends) if inward else ends
        family = _family(one, other) or 4
        carried = traffic - _OTHER_ICMP[family]
        return _packet(one, other, carried, family) if carried else None

    def straight(self, named: Named, near: int, far: int, *, inward: bool) -> Sight:
        """Tell whether the list of a class sees another one under what its rule names, where they talk by networks."""
        ends = self._ends(near, far)
        if ends is None:
            return "never"
        here, there = ends
        one, other = reversed(ends) if inward else ends
        family = _family(one, other)
        if not family or not self._shows_itself(one) or not self._is_ordinary(other):
            return "perhaps"
        if carries_unread(here, self._estate):
            return "perhaps"
        source, target = (far, near) if inward else (near, far)
        seen = self._reach.matrix.seen(source, target, by_target=inward)
        own = AddressSet(v4=there.addresses.v4) if family == 4 else AddressSet(v6=there.addresses.v6)
        together = not named.groups.isdisjoint(there.attached)
        if (seen.own and own <= named.addresses) or (seen.groups and together):
            return "sure"
        return "perhaps" if together or not seen.own or own.overlaps(named.addresses) else "never"

    def over_internet(self, named: Named, near: int, far: int, *, inward: bool) -> Sight:
        """Tell the same where they talk over the internet, or because one of them hands on what others sent it."""
        ends = self._ends(near, far)
        if ends is None:
            return "never"
        there = ends[1]
        if not self._shows_itself(there if inward else ends[0]):
            return "perhaps"
        # Who has no public address leaves by a gateway that has one.
        seen = there.public | AddressSet(v6=there.addresses.v6)
        return "perhaps" if seen.overlaps(named.addresses) or (inward and not seen) else "never"

    @cached_property
    def nodes(self) -> frozenset[int]:
        """The classes that hand on what others sent them."""
        columns = self._reach.ground.columns
        return frozenset(
            columns.class_of[each.id]
            for name in self._estate.forwarders
            for each in self._estate.interfaces_of(name)
            if not self._shows_itself(each)
        )

    def _ends(self, near: int, far: int) -> tuple[Interface, Interface] | None:
        """Return a member of each of two classes; None where there are no two."""
        here = self._first(near)
        if near != far:
            return here, self._first(far)
        members = self._reach.classes[near].members
        return (here, self._estate.interfaces[members[1]]) if len(members) > 1 else None

    def _first(self, number: int) -> Interface:
        return self._estate.interfaces[self._reach.classes[number].members[0]]

    def _is_ordinary(self, interface: Interface) -> bool:
        """Tell whether packets to and from an interface bear addresses of its own."""
        known = self._ordinary.get(interface.id)
        if known is None:
            known = self._ordinary[interface.id] = (
                conduct(interface) in {"ordinary", "answers"}
                and not interface.keeps_client
                # What rules that name addresses match in a cluster depends on the plugin of its network.
                and not self._is_cluster(interface.network)
            )
        return known

    def _shows_itself(self, interface: Interface) -> bool:
        """Tell whether who takes connections from an interface sees its own addresses, and never its clients'."""
        forwarder = self._estate.forwarders.get(interface.workload or "")
        handed = () if forwarder is None else forwarder.forwards
        return self._is_ordinary(interface) and all(each.keeps_client is False for each in handed)

    def _is_cluster(self, name: str | None) -> bool:
        network = None if name is None else self._estate.networks.get(name)
        return network is not None and network.leads_out

    # Explanations.

    def is_confirmed(self, found: Redundant, witness: Witness) -> bool:
        """Tell whether an explanation of a packet names a rule and one that stands in for it, and lets it pass."""
        from cloudseg.reach.explaining.explain import explain

        if not self._left:
            self.gave_up = True
            return False
        self._left -= 1
        source = witness.source or AddressSet.parse(witness.source_address)
        target = witness.target or AddressSet.parse(witness.target_address)
        told = explain(self._reach, source, target, witness.traffic)
        return told.verdict == "allowed" and _names_both(told, found)


def _names_both(told: Explanation, found: Redundant) -> bool:
    """Tell whether an explanation names a rule and one that stands in for it, in a step or as what would have to go."""
    others = {(rule_set.id, rule.id) for rule_set, rule in found.by}
    for rules in (*(step.rules for step in told.steps), *(cut.rules for cut in told.cuts)):
        named = {(rule.rule_set, rule.rule) for rule in rules}
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
