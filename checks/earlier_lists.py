"""What ordered lists of earlier stages decide for good before a list is asked: no packet of that gets to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.first_match import decided_before
from cloudseg.checks.ordered_lists import lists_before

if TYPE_CHECKING:
    from cloudseg.checks.first_match import Earlier
    from cloudseg.model import Direction, Estate, RuleSet

__all__ = ["EarlierLists"]


class EarlierLists:
    """Looks up what lists decide that are asked before others; answers are kept.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[str, Direction], tuple[Earlier, ...]] = {}

    def of(self, rule_set: RuleSet, direction: Direction) -> tuple[Earlier, ...]:
        """Return what lists before this one decide for good about all that it judges, in their order."""
        before = lists_before(rule_set, direction, self._estate)
        return tuple(each for other in before for each in self._decided(other, direction))

    def _decided(self, rule_set: RuleSet, direction: Direction) -> tuple[Earlier, ...]:
        key = (rule_set.id, direction)
        if key not in self._known:
            self._known[key] = tuple(decided_before(rule_set, direction, self._estate))
        return self._known[key]
