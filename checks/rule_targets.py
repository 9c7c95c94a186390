"""Whom rules are for: the interfaces that a list judges, as far as a rule's near end does not leave them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.near_ends import concerned, standing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet

__all__ = ["RuleTargets"]


class RuleTargets:
    """Looks up whom rules are for; rules of one list with the same near end share an answer.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[str, tuple[Peer, ...]], tuple[Interface, ...]] = {}
        self._judged: dict[str, dict[str, Interface] | None] = {}

    def of(self, rule_set: RuleSet, rule: Rule) -> tuple[Interface, ...]:
        """Return the interfaces that a rule is for, or may be for, in order of their ids."""
        if rule.local == ANYONE:
            return self._estate.governed(rule_set)
        key = (rule_set.id, rule.local)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = tuple(
                interface for interface in self._candidates(rule_set, rule) if self._is_for(rule, interface)
            )
        return known

    def _is_for(self, rule: Rule, interface: Interface) -> bool:
        return concerned(rule.local, interface, standing(interface, self._estate), self._estate) is not False

    def _candidates(self, rule_set: RuleSet, rule: Rule) -> Iterable[Interface]:
        """Return those for whom a rule may be: where it is for groups that were all read, it is for their members."""
        judged = self._judged.get(rule_set.id)
        if judged is None:
            governed = self._estate.governed(rule_set)
            unread = any(interface.attached_unread for interface in governed)
            judged = self._judged[rule_set.id] = None if unread else {each.id: each for each in governed}
        groups = [peer.group for peer in rule.local if isinstance(peer, GroupRef) and peer.group in self._estate.groups]
        if judged is None or len(groups) < len(rule.local):
            return self._estate.governed(rule_set)
        members = {member.id for group in groups for member in self._estate.members(group)}
        return (judged[name] for name in sorted(members & judged.keys()))
