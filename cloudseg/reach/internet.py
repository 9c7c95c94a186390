"""Whether the internet reaches an interface by one rule: rule, public address, route, ACLs both ways, blocks.

The answer has a lower and an upper bound. Where they differ something is unknown, and the answer says what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from cloudseg.model import GroupRef
from cloudseg.reach.packets import (
    Bounds,
    Box,
    addresses_of,
    common_addresses,
    intersect,
    outside_addresses,
    traffic_of,
)
from cloudseg.reach.passage import Passage, find_passage, pipeline_of, through
from cloudseg.reach.ways import FAMILIES, Through, WaysIn, find_ways_in, is_public
from cloudseg.traffic import (
    ALL_ADDRESSES,
    ALL_IPV4,
    ALL_IPV6,
    GLOBAL_UNICAST,
    NO_ADDRESSES,
    NO_TRAFFIC,
    AddressSet,
    Traffic,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet

__all__ = ["Exposure", "InternetView", "joined"]


class Exposure(NamedTuple):
    """What the internet reaches of interfaces by one rule.

    Attributes:
        certain: traffic that is certainly delivered.
        at_most: traffic that is delivered at most.
        sources: the outside addresses from which it is delivered at most.
        ways: how it comes in, in words.
        blocked: what stops it, in words; for interfaces that it does not reach.
        unknown: what is unknown, in words; for interfaces that it does not reach, what may hold further ways.
        packets: some that are delivered, for sure where any are: who sends them, and what; None where there are none,
            or where several exposures were joined.
        through: the load balancers that these packets come through; None where they come straight.
    """

    certain: Traffic
    at_most: Traffic
    sources: AddressSet
    ways: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    packets: Box | None = None
    through: Through | None = None

    @property
    def verdict(self) -> Literal["exposed", "latent", "unknown"]:
        """``exposed`` for sure, ``latent`` when nothing can arrive, ``unknown`` in between."""
        if self.certain:
            return "exposed"
        return "unknown" if self.at_most else "latent"


NOTHING = Exposure(NO_TRAFFIC, NO_TRAFFIC, NO_ADDRESSES)


def joined(exposures: Iterable[Exposure]) -> Exposure:
    """Return what is reached of all the interfaces together."""
    exposures = tuple(dict.fromkeys(exposures))
    if len(exposures) == 1:
        return exposures[0]
    certain, at_most, sources = NO_TRAFFIC, NO_TRAFFIC, NO_ADDRESSES
    ways: dict[str, None] = {}
    blocked: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for exposure in exposures:
        certain, at_most = certain | exposure.certain, at_most | exposure.at_most
        sources |= exposure.sources
        ways.update(dict.fromkeys(exposure.ways))
        blocked.update(dict.fromkeys(exposure.blocked))
        unknown.update(dict.fromkeys(exposure.unknown))
    return Exposure(certain, at_most, sources, tuple(ways), tuple(blocked), tuple(unknown))


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
        self._sources: dict[tuple[Peer, ...], tuple[AddressSet, AddressSet]] = {}
        self._remotes: dict[tuple[Peer, ...], tuple[AddressSet, AddressSet]] = {}
        self._groups: dict[tuple[Peer, ...], frozenset[str]] = {}
        self._ways: dict[str, WaysIn] = {}
        self._ways_of_alike: dict[tuple[object, ...], WaysIn] = {}
        self._classes: dict[tuple[str, str], int] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._alike: dict[str, tuple[tuple[Interface, ...], ...]] = {}
        self._passages: dict[int, Passage] = {}
        self._closed: dict[int, Exposure] = {}
        self._exposures: dict[tuple[object, ...], Exposure] = {}

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
        groups = self._groups.get(rule.remote)
        if groups is None:
            named = (peer.group for peer in rule.remote if isinstance(peer, GroupRef) and not peer.stale)
            groups = self._groups[rule.remote] = frozenset(named)
        for way in ways.ways if groups else ():
            if groups & way.groups:
                least |= way.clients
            if groups & way.some_groups:
                most |= way.clients
        return least, most

    def ways_in(self, interface: Interface) -> WaysIn:
        """Return how packets from the internet can come to an interface, and what is in the way."""
        known = self._ways.get(interface.id)
        if known is None:
            known = self._ways[interface.id] = self._found(interface)
        return known

    def _found(self, interface: Interface) -> WaysIn:
        if self._estate.entrances_to(interface):
            return find_ways_in(interface, self._estate)
        # Without an entrance, nothing but its subnet, its kinds of address and what its load balancer listens to tells
        # an interface from its neighbours.
        four, six = (is_public(interface, family, self._estate) for family, _ in FAMILIES)
        balancer = interface.workload if interface.workload in self._estate.forwarders else None
        alike = (interface.provider, interface.scope, interface.region, interface.subnet, four, six, balancer)
        if alike not in self._ways_of_alike:
            self._ways_of_alike[alike] = find_ways_in(interface, self._estate)
        return self._ways_of_alike[alike]

    def exposure(self, rule_set: RuleSet, rule: Rule, interface: Interface) -> Exposure:
        """Return what the internet reaches of an interface by one allowing ingress rule that judges it."""
        alike = self._class_of(interface, rule_set.stage)
        if alike in self._closed:
            return self._closed[alike]
        least, most = self._admitted_by(rule, self.ways_in(interface))
        own = rule_set.id if rule.priority is not None else ""
        key = (own, rule.priority, rule.traffic, least, most, rule.exact, rule.source_ports, alike)
        known = self._exposures.get(key)
        if known is None:
            passage = self._passages.get(alike)
            if passage is None:
                ways = self.ways_in(interface)
                passage = self._passages[alike] = find_passage(interface, ways, rule_set.stage, self._estate)
                if not ways.ways:
                    # Whatever a rule admits, nothing comes.
                    self._closed[alike] = NOTHING._replace(blocked=ways.blocked, unknown=ways.unread)
                    return self._closed[alike]
            known = self._exposures[key] = self._evaluate(rule_set, rule, interface, passage)
        return known

    def classes(self, rule_set: RuleSet) -> tuple[tuple[Interface, ...], ...]:
        """Return the interfaces that a rule set judges, those together that every rule of it treats alike."""
        known = self._alike.get(rule_set.id)
        if known is None:
            together: dict[int, list[Interface]] = {}
            for interface in self._estate.governed(rule_set):
                together.setdefault(self._class_of(interface, rule_set.stage), []).append(interface)
            known = self._alike[rule_set.id] = tuple(tuple(members) for members in together.values())
        return known

    def _class_of(self, interface: Interface, stage: str) -> int:
        """Return a number that interfaces share which no other stage and no way in tells apart."""
        key = (interface.id, stage)
        known = self._classes.get(key)
        if known is None:
            pipeline = pipeline_of(interface, self._estate)
            judges = tuple(
                tuple(judge.id for judge in self._estate.judging(interface, other.name))
                for other in (() if pipeline is None else pipeline.ingress)
                if other.name != stage
            )
            # Ways in are kept, and interfaces alike share them: their identity tells as much as their long content.
            ways = id(self.ways_in(interface))
            place = (stage, interface.network, interface.subnet, judges, ways, _families(interface))
            known = self._classes[key] = self._numbers.setdefault(place, len(self._numbers))
        return known

    def _evaluate(self, rule_set: RuleSet, rule: Rule, interface: Interface, passage: Passage) -> Exposure:
        # Whatever comes before an interface, its packets are of a family in which it has an address.
        admitted = self._admitted_by(rule, passage.ways)
        least, most = (common_addresses(addresses, _families(interface)) for addresses in admitted)
        asked = Box(most, rule.traffic)
        sure = Box(least if rule.exact and rule.source_ports is None else NO_ADDRESSES, rule.traffic)
        upper = intersect(passage.packets.upper, asked)
        exact = sure == asked and passage.packets.lower == passage.packets.upper
        packets = Bounds(upper if exact else intersect(passage.packets.lower, sure), upper)
        if rule.priority is not None:
            packets = self._own_stage(rule_set, rule, interface, packets)
        if not packets.upper:
            return NOTHING._replace(blocked=_blocked(passage, asked, rule_set), unknown=passage.ways.unread)
        certain = traffic_of(packets.lower)
        doubts = () if certain else self._doubts(rule, passage, asked, sure)
        at_most = certain if exact else traffic_of(packets.upper)
        sources = _senders(passage.ways, addresses_of(packets.upper))
        texts = _texts(passage.ways, asked)
        if any(way.balanced for way in passage.ways.ways):
            return Exposure(certain, at_most, sources, texts, (), doubts, *self._sent_by_one(passage, packets))
        single = exact and len(packets.upper) == 1 and sources
        shown = Box(sources, packets.upper[0].traffic) if single else self._sent(passage, packets)
        return Exposure(certain, at_most, sources, texts, (), doubts, shown)

    def _sent_by_one(self, passage: Passage, packets: Bounds) -> tuple[Box | None, Through | None]:
        """Return some packets that come by one way, and through what; straight ones and certain ones go first."""
        ways = sorted(passage.ways.ways, key=lambda way: way.balanced)
        for bound, certain in ((packets.lower, True), (packets.upper, False)):
            for way in ways:
                for box in bound if way.certain or not certain else ():
                    seen, traffic = box.addresses & way.clients, box.traffic & way.traffic
                    senders = (seen if way.senders is None else way.senders) & GLOBAL_UNICAST
                    if seen and traffic and senders - self._own:
                        return Box(senders, traffic), way.through
        return None, None

    def _sent(self, passage: Passage, packets: Bounds) -> Box | None:
        """Return some packets by who really sends them, certain ones if there are any; None if nobody outside does."""
        for box in (*packets.lower, *packets.upper):
            senders = _senders(passage.ways, box.addresses)
            if senders - self._own:
                return Box(senders, box.traffic)
        return None

    def _own_stage(self, rule_set: RuleSet, rule: Rule, interface: Interface, packets: Bounds) -> Bounds:
        """Return what the rule's own ordered list leaves to the rule: what an earlier denial takes is not its own."""
        pipeline = pipeline_of(interface, self._estate)
        for stage in () if pipeline is None else pipeline.ingress:
            if stage.name == rule_set.stage:
                judges = _only_until(self._estate.judging(interface, stage.name), rule)
                packets = through(stage, judges, packets, pipeline, self._estate)
        return packets

    def _doubts(self, rule: Rule, passage: Passage, asked: Box, sure: Box) -> tuple[str, ...]:
        """Return why nothing is certain although something may pass."""
        doubts = [*passage.ways.unknown]
        if not rule.exact:
            doubts.append("the rule could not be read in full")
        if asked.addresses - self._admitted_by(rule, passage.ways)[0]:
            doubts.append("the addresses that the rule admits were not read in full")
        before = intersect(passage.entering.lower, sure)
        for step in passage.steps:
            after = intersect(step.packets.lower, sure)
            if step.unread:
                doubts.append(step.unread)
            elif step.replies and before and not after:
                doubts.append(step.replies)
            before = after
        return tuple(dict.fromkeys(doubts))


def _families(interface: Interface) -> AddressSet:
    """Return every address of the families in which an interface has one; of both where its addresses were not read."""
    four = interface.addresses.v4.intervals or interface.public.v4.intervals
    six = interface.addresses.v6.intervals or interface.public.v6.intervals
    if bool(four) == bool(six):
        return ALL_ADDRESSES
    return ALL_IPV4 if four else ALL_IPV6


def _senders(ways: WaysIn, seen: AddressSet) -> AddressSet:
    """Return the outside addresses that send what the rules see as coming from these."""
    senders = seen & GLOBAL_UNICAST
    for way in ways.ways:
        if way.senders is not None and way.clients.overlaps(seen):
            senders |= way.senders
    return senders


def _texts(ways: WaysIn, asked: Box) -> tuple[str, ...]:
    """Return the ways that something of what was asked takes; it takes one."""
    if len(ways.ways) == 1:
        return (ways.ways[0].text,)
    taken = (way.text for way in ways.ways if intersect([Box(way.clients, way.traffic)], asked))
    return tuple(dict.fromkeys(taken))


def _blocked(passage: Passage, asked: Box, rule_set: RuleSet) -> tuple[str, ...]:
    """Return what keeps the packets of a rule out, in words: the first thing on the way that leaves none of them."""
    if not intersect(passage.entering.upper, asked):
        return ("no way in for this traffic",) if passage.ways.ways else passage.ways.blocked
    for step in passage.steps:
        if not intersect(step.packets.upper, asked):
            return (step.stopper,)
    return (f"stopped by an earlier rule of {rule_set.label}",)


def _only_until(judges: tuple[RuleSet, ...], rule: Rule) -> tuple[RuleSet, ...]:
    """Return the rule sets as they decide before a rule has its say: what an earlier rule takes is not this rule's."""

    def kept(rule_set: RuleSet) -> RuleSet:
        earlier = tuple(
            other
            for other in rule_set.rules
            if other == rule
            or other.direction != rule.direction
            or (not other.allows and (other.priority or 0) <= (rule.priority or 0))
        )
        return msgspec.structs.replace(rule_set, rules=earlier)

    return tuple(kept(rule_set) for rule_set in judges)
