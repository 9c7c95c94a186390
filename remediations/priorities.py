"""Where new rules stand in lists in which the first match decides: right beside the rule that they stand in for.

What is no more than a rule admits changes nothing before it, nor behind it once it is gone, as long as no rule between
decides otherwise.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Rule, RuleSet

__all__ = ["free_priorities"]

_AZURE: Final = (100, 4096)
"""Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules"""
_POLICY: Final = (0, 2147483547)
"""Source: https://cloud.google.com/firewall/docs/firewall-policies-rule-details#priority"""


def free_priorities(lists: Sequence[RuleSet], rule: Rule, count: int) -> tuple[int | None, ...] | None:
    """Return priorities for rules that admit no more than a rule and stand in for it, the nearest ones first.

    VPC firewall rules may share a priority, and lists that add up have none.

    Args:
        lists: the list, at each of its places.
        rule: the rule.
        count: how many there are.

    Returns:
        None where too few are free.
    """
    if rule.priority is None or lists[0].kind == "vpc-firewall-rules":
        return (rule.priority,) * count
    lowest, highest = _POLICY if lists[0].provider == "gcp" else _AZURE
    others = [each for own in lists for each in own.rules if each.direction == rule.direction and each.id != rule.id]
    taken = {each.priority for each in others} | {rule.priority}
    blocking = {
        each.priority or 0
        for each in others
        if each.verdict != rule.verdict and (each.traffic.overlaps(rule.traffic) or not each.exact)
    }
    first = max((each + 1 for each in blocking if each <= rule.priority), default=lowest)
    last = min((each - 1 for each in blocking if each > rule.priority), default=highest)
    used = sorted(each for each in taken if each is not None)
    place = used.index(rule.priority)
    before = used[place - 1] if place else lowest - 1
    behind = used[place + 1] if place + 1 < len(used) else highest + 1
    # The gaps beside the rule first: those beyond its neighbours may be wanted for these.
    reaches = (
        range(rule.priority - 1, max(before, lowest - 1), -1),
        range(rule.priority + 1, min(behind, highest + 1)),
        range(before - 1, lowest - 1, -1),
        range(behind + 1, highest + 1),
    )
    fitting = (each for reach in reaches for each in reach if first <= each <= last and each not in taken)
    found = tuple(islice(fitting, count))
    return found if len(found) == count else None
