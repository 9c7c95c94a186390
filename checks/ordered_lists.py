"""What the rules of ordered lists have left to decide: what an earlier denial takes is no opening."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.model import ANYONE, GroupRef, InSubnets
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Estate, Peer, Rule, RuleSet
    from cloudseg.traffic import Traffic

__all__ = ["OrderedLists", "by_resource", "covers", "lists_before"]


class OrderedLists:
    """Looks up the denials that stand before rules.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._ordered = {
            stage.name
            for pipeline in estate.pipelines.values()
            for stage in (*pipeline.ingress, *pipeline.egress)
            if stage.match == "first"
        }
        self._denials: dict[str, dict[Direction, list[Rule]]] = {}
        self._by_traffic: dict[tuple[str, Direction, Traffic, tuple[Peer, ...]], Sequence[Rule]] = {}
        self._by_local: dict[tuple[str, Direction, tuple[Peer, ...]], Sequence[Rule]] = {}
        self._above: dict[tuple[str, Direction], tuple[tuple[Rule, Traffic], ...]] = {}

    def left(self, rule_set: RuleSet, rule: Rule) -> Traffic:
        """Return the traffic of a rule, without what a single earlier denial takes from all of its ends."""
        found = rule.traffic
        if rule_set.stage not in self._ordered:
            return found
        for denial in self._against(rule_set, rule):
            if (denial.priority or 0) <= (rule.priority or 0) and denial.traffic.overlaps(found):
                found -= self._taken(denial, rule, denial.traffic)
        for denial, traffic in self._denied_before(rule_set, rule.direction):
            if traffic.overlaps(found):
                found -= self._taken(denial, rule, traffic)
        return found

    def _against(self, rule_set: RuleSet, rule: Rule) -> Sequence[Rule]:
        """Return the denials of a rule's list for its near end and some of its traffic: many rules share these."""
        key = (rule_set.id, rule.direction, rule.traffic, rule.local)
        known = self._by_traffic.get(key)
        if known is None:
            denials = self._for(rule_set, rule)
            known = self._by_traffic[key] = [each for each in denials if each.traffic.overlaps(rule.traffic)]
        return known

    def _for(self, rule_set: RuleSet, rule: Rule) -> Sequence[Rule]:
        """Return the denials of a rule's list that concern everybody whom the rule concerns."""
        key = (rule_set.id, rule.direction, rule.local)
        known = self._by_local.get(key)
        if known is None:
            denials = self._of(rule_set).get(rule.direction, ())
            known = self._by_local[key] = [each for each in denials if covers(each.local, rule.local, self._estate)]
        return known

    def _taken(self, denial: Rule, rule: Rule, traffic: Traffic) -> Traffic:
        ends = ((denial.local, rule.local), (denial.remote, rule.remote))
        return traffic if all(covers(wider, narrower, self._estate) for wider, narrower in ends) else NO_TRAFFIC

    def _denied_before(self, rule_set: RuleSet, direction: Direction) -> tuple[tuple[Rule, Traffic], ...]:
        """Return the denials of lists of earlier stages, with what of their traffic none of these hands on."""
        key = (rule_set.id, direction)
        known = self._above.get(key)
        if known is None:
            found: list[tuple[Rule, Traffic]] = []
            for other in lists_before(rule_set, direction, self._estate):
                handed = NO_TRAFFIC
                rules = (rule for rule in other.rules if rule.direction == direction)
                for rule in sorted(rules, key=lambda each: (each.priority or 0, each.allows)):
                    if rule.verdict == "next":
                        handed |= rule.traffic
                    elif rule.verdict == "deny" and rule.exact and rule.source_ports is None:
                        found.append((rule, rule.traffic - handed))
            known = self._above[key] = tuple(found)
        return known

    def _of(self, rule_set: RuleSet) -> dict[Direction, list[Rule]]:
        known = self._denials.get(rule_set.id)
        if known is None:
            found: defaultdict[Direction, list[Rule]] = defaultdict(list)
            for rule in rule_set.rules:
                if not rule.allows and rule.exact and rule.source_ports is None:
                    found[rule.direction].append(rule)
            known = self._denials[rule_set.id] = dict(found)
        return known


def lists_before(rule_set: RuleSet, direction: Direction, estate: Estate) -> Iterator[RuleSet]:
    """Yield the lists that are asked before another one about everybody whom it judges, in their order.

    These are lists that hand on what no rule of theirs matches, as those of Google Cloud do: a list decides only what
    none of those before it has decided. What the provider does at other places is left out: nobody wrote it. Source:
    https://cloud.google.com/firewall/docs/firewall-policies-rule-eval-order
    """
    network = estate.networks.get(rule_set.network or "")
    pipeline = None if network is None else estate.pipelines.get(network.pipeline)
    for stage in () if pipeline is None else pipeline.stages(direction):
        if stage.name == rule_set.stage:
            return
        if stage.match == "first" and stage.miss == "next" and stage.at == "interface":
            for other in estate.rule_sets_at(stage.name):
                everybody = other.applies == rule_set.applies or not isinstance(other.applies, InSubnets)
                if other.network == rule_set.network and everybody:
                    yield other


def covers(wider: tuple[Peer, ...], narrower: tuple[Peer, ...], estate: Estate) -> bool:
    """Tell whether an end certainly holds everybody whom another one names at most."""
    if wider in (ANYONE, narrower):
        return True
    if any(isinstance(peer, GroupRef) and peer not in wider for peer in narrower):
        return False
    return outside_addresses(narrower, estate)[1] <= outside_addresses(wider, estate)[0]


def by_resource(rule_sets: tuple[RuleSet, ...]) -> tuple[tuple[RuleSet, ...], ...]:
    """Return lists, those together that are one resource of the provider's and stand at several places."""
    found: dict[tuple[str, str, str, str], list[RuleSet]] = {}
    for each in rule_sets:
        found.setdefault((each.provider, each.scope, each.region, each.own_id), []).append(each)
    return tuple(tuple(each) for each in found.values())
