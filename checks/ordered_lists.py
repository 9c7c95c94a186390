"""What the rules of ordered lists have left to decide: what an earlier denial takes is no opening."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.packets import outside_addresses

if TYPE_CHECKING:
    from cloudseg.model import Direction, Estate, Peer, Rule, RuleSet
    from cloudseg.traffic import Traffic

__all__ = ["OrderedLists", "by_resource", "covers"]


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

    def left(self, rule_set: RuleSet, rule: Rule) -> Traffic:
        """Return the traffic of a rule, without what a single earlier denial takes from all of its ends."""
        found = rule.traffic
        if rule_set.stage not in self._ordered:
            return found
        for denial in self._of(rule_set).get(rule.direction, ()):
            if (denial.priority or 0) <= (rule.priority or 0) and denial.traffic.overlaps(found):
                ends = ((denial.remote, rule.remote), (denial.local, rule.local))
                if all(covers(wider, narrower, self._estate) for wider, narrower in ends):
                    found -= denial.traffic
        return found

    def _of(self, rule_set: RuleSet) -> dict[Direction, list[Rule]]:
        known = self._denials.get(rule_set.id)
        if known is None:
            found: defaultdict[Direction, list[Rule]] = defaultdict(list)
            for rule in rule_set.rules:
                if not rule.allows and rule.exact and rule.source_ports is None:
                    found[rule.direction].append(rule)
            known = self._denials[rule_set.id] = dict(found)
        return known


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
