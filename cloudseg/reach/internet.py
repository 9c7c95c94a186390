"""Whether the internet reaches an interface by one rule: rule, public address, route, ACLs both ways, blocks.

The answer has a lower and an upper bound. Where they differ something is unknown, and the answer says what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import GroupRef
from cloudseg.reach.delivery import NOTHING, Asking, Delivery, Exposure, best_of, families_of, joined
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.passage import carries_unread, find_passage, pipeline_of
from cloudseg.reach.ways import find_ways_in, is_public
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface, InternetBlock, Peer, Rule, RuleSet
    from cloudseg.reach.passage import Passage
    from cloudseg.reach.ways import WaysIn

__all__ = ["Alike", "Exposure", "InternetView", "joined"]


class Alike(NamedTuple):
    """Interfaces that a rule set judges and that every rule of it treats alike.

    Attributes:
        number: the same for the same treatment, whichever rule set judges.
        members: the interfaces, in order of their ids.
    """

    number: int
    members: tuple[Interface, ...]


class InternetView:
    """The internet's view of an estate. Answers are kept for interfaces that nothing here tells apart."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._own = NO_ADDRESSES
        for network in estate.networks.values():
            # Nobody else has a network's own IPv6 range. A public IPv4 range may be used in private by anybody: who
            # really has it gets in wherever routes lead to the internet. Source:
            # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
            self._own |= AddressSet(v6=network.addresses.v6) & GLOBAL_UNICAST
        self._delivery = Delivery(estate, self._own)
        self._sources: dict[tuple[Peer, ...], tuple[AddressSet, AddressSet]] = {}
        self._remotes: dict[tuple[Peer, ...], tuple[AddressSet, AddressSet]] = {}
        self._groups: dict[tuple[Peer, ...], frozenset[str]] = {}
        self._ways: dict[str, WaysIn] = {}
        self._subnets: dict[str | None, tuple[str | None, InternetBlock]] = {}
        self._ways_of_alike: dict[tuple[object, ...], WaysIn] = {}
        self._equal_ways: dict[WaysIn, WaysIn] = {}
        self._places: dict[tuple[str | None, int], tuple[object, ...]] = {}
        self._classes: dict[tuple[str, str], int] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._alike: dict[str, tuple[Alike, ...]] = {}
        self._passages: dict[tuple[int, int], Passage] = {}
        self._closed: dict[int, Exposure] = {}
        self._questions: dict[tuple[object, ...], int] = {}
        self._exposures: dict[tuple[int, int], Exposure] = {}
        self._equal: dict[Exposure, Exposure] = {}

    def public_sources(self, rule: Rule) -> tuple[AddressSet, AddressSet]:
        """Return the internet addresses that a rule admits: the certain ones, and the most there can be.

        A rule that admits nothing but the estate's own global ranges admits nobody from the internet: nobody else has
        these addresses.
        """
        known = self._sources.get(rule.remote)
        if known is None:
            least, most = (addresses & GLOBAL_UNICAST for addresses in self.admitted(rule))
            known = (NO_ADDRESSES, NO_ADDRESSES) if most <= self._own else (least, most)
            self._sources[rule.remote] = known
        return known

    def admitted(self, rule: Rule) -> tuple[AddressSet, AddressSet]:
        """Return every address that a rule names, private ones too: the certain ones, and the most there can be."""
        known = self._remotes.get(rule.remote)
        if known is None:
            known = self._remotes[rule.remote] = outside_addresses(rule.remote, self._estate)
        return known

    def _admitted_by(self, rule: Rule, ways: WaysIn) -> tuple[AddressSet, AddressSet]:
        """Return every address that a rule admits on some ways; a group that it names may be a load balancer's."""
        least, most = self.admitted(rule)
        groups = self._named(rule)
        for way in ways.ways if groups else ():
            if way.certain and groups & way.groups:
                least |= way.clients
            if groups & way.some_groups:
                most |= way.clients
        return least, most

    def _named(self, rule: Rule) -> frozenset[str]:
        """Return the groups that a rule names."""
        groups = self._groups.get(rule.remote)
        if groups is None:
            named = (peer.group for peer in rule.remote if isinstance(peer, GroupRef) and not peer.stale)
            groups = self._groups[rule.remote] = frozenset(named)
        return groups

    def ways_in(self, interface: Interface) -> WaysIn:
        """Return how packets from the internet can come to an interface, and what is in the way.

        Equal answers are one object.
        """
        known = self._ways.get(interface.id)
        if known is None:
            known = self._ways[interface.id] = self._found(interface)
        return known

    def _found(self, interface: Interface) -> WaysIn:
        if self._estate.entrances_to(interface):
            return self._one(find_ways_in(interface, self._estate))
        # Without an entrance, nothing but the routes and the block of its subnet, its kinds of address and what its
        # load balancer listens to tells an interface from others.
        four, six = is_public(interface, 4, self._estate), is_public(interface, 6, self._estate)
        balancer = interface.workload if interface.workload in self._estate.forwarders else None
        alike = (
            interface.provider,
            interface.scope,
            interface.region,
            self._roads(interface.subnet),
            four,
            six,
            balancer,
        )
        known = self._ways_of_alike.get(alike)
        if known is None:
            known = self._ways_of_alike[alike] = self._one(find_ways_in(interface, self._estate))
        return known

    def _roads(self, subnet: str | None) -> tuple[str | None, InternetBlock]:
        """Return the route table and the block of public access that hold for a subnet."""
        known = self._subnets.get(subnet)
        if known is None:
            here = None if subnet is None else self._estate.subnets.get(subnet)
            table = None if here is None else self._estate.route_table_of(here)
            known = (None if table is None else table.id, "off" if here is None else here.internet_block)
            self._subnets[subnet] = known
        return known

    def _one(self, ways: WaysIn) -> WaysIn:
        return self._equal_ways.setdefault(ways, ways)

    def exposure(self, rule_set: RuleSet, rule: Rule, interface: Interface) -> Exposure:
        """Return what the internet reaches of an interface by one allowing ingress rule that judges it."""
        alike = Alike(self._class_of(interface, rule_set.stage), (interface,))
        return self._by_rule(rule_set, rule, alike, self._question(rule_set, rule))

    def exposures(self, rule_set: RuleSet, rule: Rule) -> tuple[tuple[Alike, Exposure], ...]:
        """Return what the internet reaches by one allowing ingress rule, for every interface that it judges.

        Equal exposures are one object.
        """
        question = self._question(rule_set, rule)
        return tuple((alike, self._by_rule(rule_set, rule, alike, question)) for alike in self.alike(rule_set))

    def alike(self, rule_set: RuleSet) -> tuple[Alike, ...]:
        """Return the interfaces that a rule set judges, those together that every rule of it treats alike."""
        known = self._alike.get(rule_set.id)
        if known is None:
            together: dict[int, list[Interface]] = {}
            for interface in self._estate.governed(rule_set):
                together.setdefault(self._class_of(interface, rule_set.stage), []).append(interface)
            known = tuple(Alike(number, tuple(members)) for number, members in together.items())
            self._alike[rule_set.id] = known
        return known

    def _question(self, rule_set: RuleSet, rule: Rule) -> int:
        """Return a number that rules share which ask the same, wherever they stand."""
        own = "" if rule.priority is None else rule_set.id
        key = (own, rule.priority, rule.traffic, rule.remote, rule.exact, rule.source_ports)
        return self._questions.setdefault(key, len(self._questions))

    def _by_rule(self, rule_set: RuleSet, rule: Rule, alike: Alike, question: int) -> Exposure:
        closed = self._closed.get(alike.number)
        if closed is not None:
            return closed
        key = (question, alike.number)
        known = self._exposures.get(key)
        if known is None:
            interface = alike.members[0]
            ways = self.ways_in(interface)
            if not ways.ways:
                # Whatever a rule admits, nothing comes.
                known = self._closed[alike.number] = NOTHING._replace(blocked=ways.blocked, unknown=ways.unread)
                return known
            groups = self._named(rule)
            # Whom a group admits comes by the way of that group, and by no other.
            apart = groups and len(ways.ways) > 1 and any(groups & way.some_groups for way in ways.ways)
            if apart:
                each = [ways._replace(ways=(way,)) for way in ways.ways]
                asked = [self._by_ways(rule_set, rule, alike, way, number) for number, way in enumerate(each)]
                found = best_of(asked)
            else:
                found = self._by_ways(rule_set, rule, alike, ways)
            known = self._exposures[key] = self._equal.setdefault(found, found)
        return known

    def _by_ways(self, rule_set: RuleSet, rule: Rule, alike: Alike, ways: WaysIn, number: int = -1) -> Exposure:
        """Return what the internet reaches of interfaces alike by a rule: on one of the ways to them, or on all."""
        interface, key = alike.members[0], (alike.number, number)
        passage = self._passages.get(key)
        if passage is None:
            passage = self._passages[key] = find_passage(interface, ways, rule_set.stage, self._estate)
        return self._delivery.by(Asking(rule_set, rule, self._admitted_by(rule, ways)), interface, passage)

    def _class_of(self, interface: Interface, stage: str) -> int:
        """Return a number that interfaces share which no other stage and no way in tells apart."""
        key = (interface.id, stage)
        known = self._classes.get(key)
        if known is None:
            pipeline = pipeline_of(interface, self._estate)
            unread = carries_unread(interface, self._estate)
            # In an ordered list what other lists of its stage say comes before some of its rules.
            judges = tuple(
                (*(judge.id for judge in self._estate.judging(interface, other.name, "ingress")), unread)
                for other in (() if pipeline is None else pipeline.ingress)
                if other.name != stage or other.match == "first"
            )
            # Equal ways are one object: their identity tells as much as their long content.
            ways = self.ways_in(interface)
            owner = (interface.provider, interface.scope, interface.region, interface.network)
            alike = (stage, *owner, self._place(interface.subnet, ways), judges, id(ways), families_of(interface))
            known = self._classes[key] = self._numbers.setdefault(alike, len(self._numbers))
        return known

    def _place(self, subnet: str | None, ways: WaysIn) -> tuple[object, ...]:
        """Return what matters of a subnet: whose it is, and its addresses where somebody who comes in has one."""
        key = (subnet, id(ways))
        known = self._places.get(key)
        if known is None:
            here = None if subnet is None else self._estate.subnets.get(subnet)
            known = ()
            if here is not None:
                own = any(way.clients.overlaps(here.addresses) for way in ways.ways)
                known = (here.provider, here.scope, here.region, here.addresses if own else None)
            self._places[key] = known
        return known
