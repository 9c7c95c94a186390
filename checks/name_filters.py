"""Rules that let packets out to chosen domain names, where the cloud's own firewall knows names at each interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.breadth import INTERNET, is_most, open_addresses
from cloudseg.model import Names
from cloudseg.reach.near_ends import concerning
from cloudseg.reach.packets import Box, split_by_stage
from cloudseg.reach.passage import pipeline_of
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface, Rule, RuleSet

__all__ = ["NameFilters"]


class NameFilters:
    """Tells of whom the lists let out to chosen names, and to the rest of the internet nothing.

    Such names are those of firewall policies. Source: https://cloud.google.com/firewall/docs/firewall-policies-overview

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._naming = {
            rule_set.id for rule_set in estate.rule_sets.values() if any(_lets_out_by_name(r) for r in rule_set.rules)
        }

    def of(self, interface: Interface) -> tuple[str, ...]:
        """Return the names to which an interface may send; none where it is not kept to names."""
        pipeline = pipeline_of(interface, self._estate)
        stages = () if pipeline is None or not self._naming else pipeline.met_by(interface, "egress")
        judged = [(stage, self._estate.judging(interface, stage.name, "egress")) for stage in stages]
        if not any(judge.id in self._naming for _, judges in judged for judge in judges):
            return ()
        internet = INTERNET[4]
        boxes: tuple[Box, ...] = (Box(internet, ALL_TRAFFIC),)
        accepted: tuple[Box, ...] = ()
        names: dict[str, None] = {}
        for stage, judges in judged:
            rules = [rule for judge in judges for rule in self._rules(judge, interface)]
            names.update(dict.fromkeys(name for rule in rules if _lets_out_by_name(rule) for name in _names(rule)))
            others = [rule for rule in rules if not _lets_out_by_name(rule)]
            passed = split_by_stage(stage, others if judges else None, boxes, self._estate, certain=False)
            boxes, accepted = passed.on, (*accepted, *passed.accepted)
        return () if is_most(open_addresses((*boxes, *accepted), internet, bool), 4) else tuple(names)

    def _rules(self, judge: RuleSet, interface: Interface) -> list[Rule]:
        return [rule for rule in concerning(judge.rules, interface, self._estate) if rule.direction == "egress"]


def _lets_out_by_name(rule: Rule) -> bool:
    return rule.direction == "egress" and rule.allows and any(isinstance(peer, Names) for peer in rule.remote)


def _names(rule: Rule) -> tuple[str, ...]:
    return tuple(name for peer in rule.remote if isinstance(peer, Names) for name in peer.names)
