"""What one rule delivers to an interface of the packets that the internet can send it.

The answer has a lower and an upper bound. Where they differ something is unknown, and the answer says what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from cloudseg.reach.near_ends import concerning
from cloudseg.reach.packets import Bounds, Box, addresses_of, common_addresses, intersect, traffic_of
from cloudseg.reach.passage import pipeline_of, through
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
    from collections.abc import Hashable, Iterable, Sequence

    from cloudseg.model import Estate, Interface, Rule, RuleSet
    from cloudseg.reach.near_ends import NearEnds
    from cloudseg.reach.passage import Passage
    from cloudseg.reach.ways import Through, WaysIn

__all__ = ["NOTHING", "Asking", "Delivery", "Exposure", "best_of", "families_of", "joined", "senders_of"]


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
    # Mostly they are one object, which is soon seen; to look at what they hold takes longer.
    exposures = tuple({id(exposure): exposure for exposure in exposures}.values())
    if len(exposures) != 1:
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


def best_of(exposures: Sequence[Exposure]) -> Exposure:
    """Return what is reached on several ways together, with the packets of the surest and straightest of them."""
    if len(exposures) == 1:
        return exposures[0]
    open_ones = [exposure for exposure in exposures if exposure.at_most]
    found = joined(open_ones or exposures)
    shown = [each for each in open_ones if each.packets is not None]
    if not shown:
        return found
    best = min(shown, key=lambda each: (not each.certain, each.through is not None))
    return found._replace(packets=best.packets, through=best.through)


class Asking(NamedTuple):
    """A rule that is asked about: its list, itself, the addresses that it admits for sure, and at most."""

    rule_set: RuleSet
    rule: Rule
    admitted: tuple[AddressSet, AddressSet]


class Delivery:
    """Works out what rules deliver.

    Args:
        estate: the estate.
        own: the estate's own global addresses, which nobody on the internet has.
        near: which rules of its lists concern whom.
    """

    def __init__(self, estate: Estate, own: AddressSet, near: NearEnds) -> None:
        self._estate = estate
        self._own = own
        self._near = near
        self._taken: dict[tuple[str, Hashable], Sequence[Rule]] = {}

    def by(self, asking: Asking, interface: Interface, passage: Passage) -> Exposure:
        """Return what a rule delivers to an interface of the packets that come as far as its stage.

        Args:
            asking: the rule.
            interface: the interface.
            passage: what comes in, through every stage but the rule's own.
        """
        rule_set, rule = asking.rule_set, asking.rule
        # Whatever comes before an interface, its packets are of a family in which it has an address.
        least, most = (common_addresses(admitted, families_of(interface)) for admitted in asking.admitted)
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
        doubts = () if certain else _doubts(asking, passage, asked, sure)
        at_most = certain if exact else traffic_of(packets.upper)
        sources = senders_of(passage.ways, addresses_of(packets.upper))
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
            senders = senders_of(passage.ways, box.addresses)
            if senders - self._own:
                return Box(senders, box.traffic)
        return None

    def _own_stage(self, rule_set: RuleSet, rule: Rule, interface: Interface, packets: Bounds) -> Bounds:
        """Return what the rule's own ordered list leaves to the rule: what an earlier denial takes is not its own."""
        pipeline = pipeline_of(interface, self._estate)
        for stage in () if pipeline is None else pipeline.ingress:
            if stage.name == rule_set.stage:
                here = self._estate.judging(interface, stage.name, "ingress")
                judges = tuple(self._only_until(judge, rule, interface, own=judge.id == rule_set.id) for judge in here)
                packets = through(stage, judges, packets, pipeline, self._estate)
        return packets

    def _only_until(self, rule_set: RuleSet, rule: Rule, interface: Interface, *, own: bool) -> RuleSet:
        """Return a list as it decides before a rule has its say: what an earlier rule takes is not this rule's.

        What is closed to others of the list's interfaces is not closed to this one.
        """
        last, direction = rule.priority or 0, rule.direction
        earlier: list[Rule] = []
        for other in self._taking(rule_set, interface):
            if other.direction != direction or (not other.allows and (other.priority or 0) <= last):
                earlier.append(other)
            elif rule.verdict == "accept" and other.verdict == "next" and (other.priority or 0) < last:
                # What an earlier one hands on this one never sees; where the rule itself hands on, both say the same.
                earlier.append(msgspec.structs.replace(other, verdict="deny"))
        if own:
            earlier += concerning((rule,), interface, self._estate)
        return msgspec.structs.replace(rule_set, rules=tuple(earlier))

    def _taking(self, rule_set: RuleSet, interface: Interface) -> Sequence[Rule]:
        """Return the rules of a list that may take packets from others at an interface, and those for what goes out."""
        key = (rule_set.id, self._near.place(rule_set, interface))
        known = self._taken.get(key)
        if known is None:
            here = self._near.of(rule_set, interface)
            known = self._taken[key] = [each for each in here if each.verdict != "accept" or each.direction == "egress"]
        return known


def _doubts(asking: Asking, passage: Passage, asked: Box, sure: Box) -> tuple[str, ...]:
    """Return why nothing is certain although something may pass."""
    doubts = [*passage.ways.unknown]
    if not asking.rule.exact:
        doubts.append("the rule could not be read in full")
    if asked.addresses - asking.admitted[0]:
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


def families_of(interface: Interface) -> AddressSet:
    """Return every address of the families in which an interface has one; of both where its addresses were not read."""
    four = interface.addresses.v4.intervals or interface.public.v4.intervals
    six = interface.addresses.v6.intervals or interface.public.v6.intervals
    if bool(four) == bool(six):
        return ALL_ADDRESSES
    return ALL_IPV4 if four else ALL_IPV6


def senders_of(ways: WaysIn, seen: AddressSet) -> AddressSet:
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
