"""What stands where in ordered lists: free places at the end, and rules that let the same through behind others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudseg.model import Direction, Estate, Rule, RuleSet, Stage

__all__ = ["behind_own", "is_ordered", "later_allows", "stage_of"]


_FIRST, _LAST = 100, 4096
"""The priorities that people may give in an NSG. Source:
https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules"""


def stage_of(rule_set: RuleSet, estate: Estate) -> Stage | None:
    """Return the stage that evaluates a list; None where no network has it."""
    for pipeline in estate.pipelines.values():
        for stage in (*pipeline.ingress, *pipeline.egress):
            if stage.name == rule_set.stage:
                return stage
    return None


def is_ordered(rule_set: RuleSet, estate: Estate) -> bool:
    """Tell whether the first rule that matches decides."""
    stage = stage_of(rule_set, estate)
    return stage is not None and stage.match == "first"


def behind_own(rule_set: RuleSet, direction: Direction, count: int) -> tuple[int, ...] | None:
    """Return the last priorities of an NSG, behind all rules of its owner's; None where they are not free."""
    last = max((each for each in _used(rule_set, direction) if each <= _LAST), default=_FIRST - 1)
    return None if _LAST - count < last else tuple(range(_LAST - count + 1, _LAST + 1))


def later_allows(rule_set: RuleSet, rule: Rule) -> tuple[Rule, ...]:
    """Return the rules behind one in its list that let through some of the traffic that it does, in their order."""
    own = rule.priority or 0
    behind = (
        each
        for each in rule_set.rules
        if each.direction == rule.direction
        and each.allows
        and each.id != rule.id
        and (each.priority or 0) >= own
        and each.traffic.overlaps(rule.traffic)
    )
    return tuple(sorted(behind, key=lambda each: (each.priority or 0, each.id)))


def _used(rule_set: RuleSet, direction: Direction) -> set[int]:
    return {rule.priority for rule in rule_set.rules if rule.direction == direction and rule.priority is not None}
