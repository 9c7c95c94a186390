"""Whether the internet reaches an interface by one rule: rule, public address, route, ACLs both ways, blocks.

The answer has a lower and an upper bound. Where they differ something is unknown, and the answer says what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.delivery import NOTHING, Asking, Delivery, Exposure, best_of, families_of, joined
from cloudseg.reach.lists_met import ListsMet
from cloudseg.reach.near_ends import NearEnds, concerning
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.passage import carries_unread, find_passage, pipeline_of
from cloudseg.reach.unread_balancers import any_of_unread_targets
from cloudseg.reach.ways import find_ways_in, is_public
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from cloudseg.model import Estate, Interface, InternetBlock, Peer, Pipeline, Rule, RuleSet
    from cloudseg.reach.lists_met import Met
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
    """The internet's view of an estate. Answers are kept for interfaces that nothing here tells apart.

    Attributes:
        estate: the estate.
        near: which rules of its lists concern whom.
        met: which lists judge whom.
    """

    def __init__(self, estate: Estate) -> None:
        self.estate = self._estate = estate
        self._own = NO_ADDRESSES
        for network in estate.networks.values():
            # Nobody else has a network's own IPv6 range. A public IPv4 range may be used in private by anybody: who
            # really has it gets in wherever routes lead to the internet. Source:
            # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
            self._own |= AddressSet(v6=network.addresses.v6) & GLOBAL_UNICAST
        # By these the hosts of machines ask after their health, and nobody else.
        self._public = GLOBAL_UNICAST - estate.served
        self.near = NearEnds(estate)
        self.met = ListsMet(estate, self.near)
        self._delivery = Delivery(estate, self._own, self.near)
        self._sources: dict[tuple[Peer, ...], tuple[AddressSet, AddressSet]] = {}
        self._remotes: dict[tuple[Peer, ...], tuple[AddressSet, AddressSet]] = {}
        self._groups: dict[tuple[Peer, ...], frozenset[str]] = {}
        self._ways: dict[str, WaysIn] = {}
        self._subnets: dict[str | None, tuple[str | None, InternetBlock]] = {}
        self._ways_of_alike: dict[tuple[object, ...], WaysIn] = {}
        self._opening: dict[str, WaysIn] = {}
        self._networks_differ = any_of_unread_targets(estate)
        self._equal_ways: dict[WaysIn, WaysIn] = {}
        self._places: dict[tuple[str | None, int], tuple[object, ...]] = {}
        self._classes: dict[tuple[str, str], int] = {}
        self._traits_of: dict[str, int] = {}
        self._besides: dict[tuple[int, str], tuple[tuple[str, ...], ...]] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._alike: dict[str, tuple[Alike, ...]] = {}
        self._narrow: dict[str, dict[str, list[tuple[Alike, Rule]]]] = {}
        self._passages: dict[tuple[int, int, bool], Passage] = {}
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
            least, most = (addresses & self._public for addresses in self.admitted(rule))
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
        hosts = self._estate.served
        least, most = (each - hosts if each.overlaps(hosts) else each for each in self.admitted(rule))
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
            interface.network if self._networks_differ else None,
        )
        known = self._ways_of_alike.get(alike)
        if known is None:
            known = self._ways_of_alike[alike] = self._one(find_ways_in(interface, self._estate))
        return known

    def opening(self, interface: Interface) -> WaysIn:
        """Return the same with what may open a rule and was not read: load balancers, or their targets.

        Who certainly comes in anyway is left out of that, for he needs no second way.
        """
        known = self._opening.get(interface.id)
        if known is None:
            ways = self.ways_in(interface)
            known = self._opening[interface.id] = self._one(_with_doubtful(ways))
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
        asked = self._concerned(rule, interface)
        return NOTHING if asked is None else self._by_rule(rule_set, asked, alike, self._question(rule_set, asked))

    def exposures(self, rule_set: RuleSet, rule: Rule) -> tuple[tuple[Alike, Exposure], ...]:
        """Return what the internet reaches by one allowing ingress rule, for every interface that it judges.

        Those that its near end leaves out are none of them. Equal exposures are one object.
        """
        if rule.local == ANYONE:
            question = self._question(rule_set, rule)
            return tuple((alike, self._by_rule(rule_set, rule, alike, question)) for alike in self.alike(rule_set))
        return tuple(
            (alike, self._by_rule(rule_set, own, alike, self._question(rule_set, own)))
            for alike, own in self._narrowed(rule_set).get(rule.id, ())
            if (own.direction, own.priority, own.traffic) == (rule.direction, rule.priority, rule.traffic)
        )

    def _narrowed(self, rule_set: RuleSet) -> Mapping[str, Sequence[tuple[Alike, Rule]]]:
        """Return the rules of a list that have near ends, by id, as they concern whom: each is for a few of many."""
        known = self._narrow.get(rule_set.id)
        if known is None:
            known = self._narrow[rule_set.id] = {}
            for alike in self.alike(rule_set):
                for rule in self.near.of(rule_set, alike.members[0]):
                    if rule.local != ANYONE:
                        known.setdefault(rule.id, []).append((alike, rule))
        return known

    def _concerned(self, rule: Rule, interface: Interface) -> Rule | None:
        """Return a rule as it concerns an interface; None where its near end is another one."""
        return next(iter(concerning((rule,), interface, self._estate)), None)

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
        key = (own, rule.priority, rule.verdict, rule.traffic, rule.remote, rule.exact, rule.source_ports)
        return self._questions.setdefault(key, len(self._questions))

    def _by_rule(self, rule_set: RuleSet, rule: Rule, alike: Alike, question: int) -> Exposure:
        closed = self._closed.get(alike.number)
        if closed is not None:
            return closed
        key = (question, alike.number)
        known = self._exposures.get(key)
        if known is None:
            interface = alike.members[0]
            ways = self.opening(interface)
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
        final = rule.verdict == "accept"
        interface, key = alike.members[0], (alike.number, number, final)
        passage = self._passages.get(key)
        if passage is None:
            # Whatever stands behind it is not asked about what a rule accepts for good.
            pipeline = _until(pipeline_of(interface, self._estate), rule_set.stage) if final else None
            passage = find_passage(interface, ways, rule_set.stage, self._estate, pipeline)
            self._passages[key] = passage
        return self._delivery.by(Asking(rule_set, rule, self._admitted_by(rule, ways)), interface, passage)

    def _class_of(self, interface: Interface, stage: str) -> int:
        """Return a number that interfaces share which no other stage and no way in tells apart."""
        key = (interface.id, stage)
        known = self._classes.get(key)
        if known is None:
            met, open_ = self.met.by(interface), bool(self.opening(interface).ways)
            # What other stages say of it matters where something comes in.
            others = self._judging_besides(met, stage) if open_ else ()
            unread = bool(others) and carries_unread(interface, self._estate)
            near = () if open_ else self._near_places(interface, met, stage)
            alike = (stage, self._traits(interface, met), others, unread, near)
            known = self._classes[key] = self._numbers.setdefault(alike, len(self._numbers))
        return known

    def _traits(self, interface: Interface, met: Met) -> int:
        """Return a number that interfaces share which only lists may tell apart: asked once for all stages."""
        known = self._traits_of.get(interface.id)
        if known is None:
            ways = self.opening(interface)
            owner = (interface.provider, interface.scope, interface.region, interface.network)
            place = self._place(interface.subnet, ways)
            near = self._near_places(interface, met) if ways.ways else ()
            # Equal ways are one object: their identity tells as much as their long content.
            traits = (*owner, place, near, id(ways), families_of(interface))
            known = self._traits_of[interface.id] = self._numbers.setdefault(traits, len(self._numbers))
        return known

    def _near_places(self, interface: Interface, met: Met, stage: str = "") -> tuple[Hashable, ...]:
        """Return what near ends of the rules that judge an interface see of it; of one stage alone if that is named."""
        return tuple(
            [
                self.near.place(judge, interface)
                for meeting in met.ingress
                if meeting.narrowing and stage in {"", meeting.stage.name}
                for judge in meeting.narrowing
            ]
        )

    def _judging_besides(self, met: Met, stage: str) -> tuple[tuple[str, ...], ...]:
        """Return the lists that judge what comes in at other stages, as ids.

        In an ordered list what others of its stage say comes before some of its rules.
        """
        key = (met.number, stage)
        known = self._besides.get(key)
        if known is None:
            known = self._besides[key] = tuple(
                tuple([judge.id for judge in meeting.judges])
                for meeting in met.ingress
                if meeting.stage.name != stage or meeting.stage.match == "first"
            )
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


def _with_doubtful(ways: WaysIn) -> WaysIn:
    """Return ways with those that were not read and may open a rule all the same, and the reasons."""
    sure = NO_ADDRESSES
    for way in ways.ways:
        if way.certain and way.shows_clients and way.traffic.is_all:
            sure |= way.clients
    doubtful = [way._replace(clients=way.clients - sure) for way in ways.unseen if way.doubt]
    added = tuple(way for way in doubtful if way.clients)
    reasons = tuple(dict.fromkeys(way.doubt for way in added))
    return ways._replace(ways=(*ways.ways, *added), unknown=(*ways.unknown, *reasons)) if added else ways


def _until(pipeline: Pipeline | None, stage: str) -> Pipeline | None:
    """Return a pipeline whose way in ends with a stage."""
    if pipeline is None:
        return None
    names = [each.name for each in pipeline.ingress]
    last = names.index(stage) + 1 if stage in names else len(names)
    return msgspec.structs.replace(pipeline, ingress=pipeline.ingress[:last])
