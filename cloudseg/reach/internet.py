"""Whether the internet reaches an interface by one rule: rule, public address, route, ACLs both ways, blocks.

The answer has a lower and an upper bound. Where they differ something is unknown, and the answer says what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from cloudseg.reach.packets import Bounds, Box, intersect, outside_addresses, pass_stage, replied
from cloudseg.reach.ways import WaysIn, find_ways_in
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Interface, Peer, Pipeline, Rule, RuleSet, Stage

__all__ = ["Exposure", "InternetView", "joined"]


class Exposure(NamedTuple):
    """What the internet reaches of interfaces by one rule.

    Attributes:
        certain: traffic that is certainly delivered.
        at_most: traffic that is delivered at most.
        sources: the outside addresses from which it is delivered at most.
        ways: how it comes in, in words.
        blocked: what stops it, in words; for interfaces that it does not reach.
        unknown: what is unknown, in words.
    """

    certain: Traffic
    at_most: Traffic
    sources: AddressSet
    ways: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def verdict(self) -> Literal["exposed", "latent", "unknown"]:
        """``exposed`` for sure, ``latent`` when nothing can arrive, ``unknown`` in between."""
        if self.certain:
            return "exposed"
        return "unknown" if self.at_most else "latent"


NOTHING = Exposure(NO_TRAFFIC, NO_TRAFFIC, NO_ADDRESSES)


def joined(exposures: Iterable[Exposure]) -> Exposure:
    """Return what is reached of all the interfaces together."""
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
        self._sources: dict[tuple[Peer, ...], tuple[AddressSet, AddressSet]] = {}
        self._ways: dict[str, WaysIn] = {}
        self._exposures: dict[tuple[object, ...], Exposure] = {}
        self._classes: dict[tuple[str, str], int] = {}
        self._numbers: dict[tuple[object, ...], int] = {}

    def public_sources(self, rule: Rule) -> tuple[AddressSet, AddressSet]:
        """Return the internet addresses that a rule admits: the certain ones, and the most there can be."""
        known = self._sources.get(rule.remote)
        if known is None:
            least, most = outside_addresses(rule.remote, self._estate)
            known = self._sources[rule.remote] = (least & GLOBAL_UNICAST, most & GLOBAL_UNICAST)
        return known

    def ways_in(self, interface: Interface) -> WaysIn:
        """Return how packets from the internet can come to an interface, and what is in the way."""
        if interface.id not in self._ways:
            self._ways[interface.id] = find_ways_in(interface, self._estate)
        return self._ways[interface.id]

    def exposure(self, rule_set: RuleSet, rule: Rule, interface: Interface) -> Exposure:
        """Return what the internet reaches of an interface by one allowing ingress rule that judges it."""
        least, most = self.public_sources(rule)
        own = rule_set.id if rule.priority is not None else ""
        alike = self._class_of(interface, rule_set)
        key = (own, rule.priority, rule.traffic, least, most, rule.exact, rule.source_ports, alike)
        known = self._exposures.get(key)
        if known is None:
            known = self._exposures[key] = self._evaluate(rule_set, rule, interface, self.ways_in(interface))
        return known

    def _class_of(self, interface: Interface, rule_set: RuleSet) -> int:
        """Return a number that interfaces share which nothing but the rule set's own stage tells apart."""
        key = (interface.id, rule_set.stage)
        known = self._classes.get(key)
        if known is None:
            judges = self._judged_by(interface, rule_set)
            place = (rule_set.stage, interface.network, interface.subnet, judges, self.ways_in(interface))
            known = self._classes[key] = self._numbers.setdefault(place, len(self._numbers))
        return known

    def _pipeline(self, interface: Interface) -> Pipeline | None:
        network = None if interface.network is None else self._estate.networks.get(interface.network)
        if network is not None:
            return self._estate.pipelines.get(network.pipeline)
        return self._estate.pipelines.get(interface.provider)

    def _judged_by(self, interface: Interface, but: RuleSet) -> tuple[tuple[str, ...], ...]:
        """Return the ids of the rule sets of every other stage: what tells interfaces apart here."""
        pipeline = self._pipeline(interface)
        if pipeline is None:
            return ()
        return tuple(
            tuple(rule_set.id for rule_set in self._estate.judging(interface, stage.name))
            for stage in pipeline.ingress
            if stage.name != but.stage
        )

    def _evaluate(self, rule_set: RuleSet, rule: Rule, interface: Interface, ways: WaysIn) -> Exposure:
        least, most = self.public_sources(rule)
        lower: list[Box] = []
        upper: list[Box] = []
        texts: list[str] = []
        for way in ways.ways:
            if boxes := intersect([Box(most, rule.traffic)], Box(way.clients, way.traffic)):
                upper.extend(boxes)
                texts.append(way.text)
            if way.certain and rule.exact and rule.source_ports is None:
                lower.extend(intersect([Box(least, rule.traffic)], Box(way.clients, way.traffic)))
        unknown = [*ways.unknown]
        if not rule.exact:
            unknown.append("the rule could not be read in full")
        if most - least:
            unknown.append("the addresses that the rule admits were not read in full")
        packets = Bounds(tuple(lower), tuple(upper))
        for stage in self._stages(interface, rule_set):
            before = packets
            packets, doubts = self._through(stage, rule_set, rule, interface, before)
            unknown.extend(doubts)
            if before.upper and not packets.upper:
                return NOTHING._replace(blocked=(self._stopper(stage, rule_set, interface),))
        if not packets.upper:
            return NOTHING._replace(blocked=ways.blocked if not ways.ways else ("no way in for this traffic",))
        certain, at_most = _traffic(packets.lower), _traffic(packets.upper)
        doubts = () if certain else tuple(dict.fromkeys(unknown))
        return Exposure(certain, at_most, _addresses(packets.upper), tuple(dict.fromkeys(texts)), (), doubts)

    def _stages(self, interface: Interface, rule_set: RuleSet) -> tuple[Stage, ...]:
        pipeline = self._pipeline(interface)
        if pipeline is None:
            return ()
        return tuple(stage for stage in pipeline.ingress if stage.name != rule_set.stage or stage.match == "first")

    def _through(
        self, stage: Stage, rule_set: RuleSet, rule: Rule, interface: Interface, packets: Bounds
    ) -> tuple[Bounds, tuple[str, ...]]:
        """Return what one more stage leaves of the packets, their replies included, and what is unknown about it."""
        judges = self._estate.judging(interface, stage.name)
        if stage.name == rule_set.stage:
            judges = _only_until(judges, rule)
        elif not judges and not self._stage_was_read(stage, interface):
            return Bounds((), packets.upper), (f"the {_words(stage.name)} were not read",)
        lower = pass_stage(stage, judges, "ingress", packets.lower, self._estate).lower
        upper = pass_stage(stage, judges, "ingress", packets.upper, self._estate).upper
        if stage.stateful:
            return Bounds(lower, upper), ()
        back = next((s for s in self._egress(interface) if s.name == stage.name), stage)
        lower = replied(lower, back, judges, "egress", self._estate).lower
        upper = replied(upper, back, judges, "egress", self._estate).upper
        partly = upper and not lower and packets.lower
        return Bounds(lower, upper), (f"only some reply ports pass the {_words(stage.name)}",) if partly else ()

    def _egress(self, interface: Interface) -> tuple[Stage, ...]:
        pipeline = self._pipeline(interface)
        return () if pipeline is None else pipeline.egress

    def _stage_was_read(self, stage: Stage, interface: Interface) -> bool:
        facet = "boundary-rules" if stage.at in {"subnet-boundary", "network"} else "groups"
        return self._estate.read(facet, interface)

    def _stopper(self, stage: Stage, rule_set: RuleSet, interface: Interface) -> str:
        judges = self._estate.judging(interface, stage.name)
        names = ", ".join(judge.label for judge in judges if judge.id != rule_set.id) or _words(stage.name)
        return f"stopped by {names}"


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


def _traffic(boxes: Iterable[Box]) -> Traffic:
    total = NO_TRAFFIC
    for box in boxes:
        total |= box.traffic
    return total


def _addresses(boxes: Iterable[Box]) -> AddressSet:
    total = NO_ADDRESSES
    for box in boxes:
        total |= box.addresses
    return total


def _words(stage: str) -> str:
    return stage.replace("-", " ")
