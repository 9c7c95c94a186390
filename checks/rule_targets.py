"""Whom rules are for: the interfaces that a list judges, as far as a rule's near end does not leave them out."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from cloudseg.model import ANYONE, Addresses, GroupRef
from cloudseg.reach.near_ends import concerned, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet
    from cloudseg.traffic import AddressSet

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
        self._standing: dict[str, _Standing] = {}

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
        """Return those for whom a rule may be, and perhaps others, in order of their ids.

        Where it is for groups that were all read, it is for their members; where it is for addresses, for those who
        bear any of them, or of whom nobody knows what they bear.
        """
        named = [peer.addresses for peer in rule.local if isinstance(peer, Addresses)]
        if len(named) == len(rule.local):
            standing_there = self._standing.get(rule_set.id)
            if standing_there is None:
                standing_there = self._standing[rule_set.id] = _Standing(self._estate.governed(rule_set), self._estate)
            return standing_there.at(named)
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


class _Standing:
    """Interfaces by the addresses under which rules may see them.

    Args:
        interfaces: the interfaces.
        estate: where addresses of subnets are looked up, for interfaces of which none were read.
    """

    def __init__(self, interfaces: Sequence[Interface], estate: Estate) -> None:
        self._interfaces = interfaces
        four: list[tuple[int, int]] = []
        six: list[tuple[int, int]] = []
        self._anywhere: list[int] = []
        for place, interface in enumerate(interfaces):
            own = standing(interface, estate)
            if own and all(first == last for first, last in (*own.v4.intervals, *own.v6.intervals)):
                four.extend((first, place) for first, _ in own.v4.intervals)
                six.extend((first, place) for first, _ in own.v6.intervals)
            else:
                self._anywhere.append(place)
        self._four, self._six = sorted(four), sorted(six)

    def at(self, named: Iterable[AddressSet]) -> Iterable[Interface]:
        """Return those who bear any of some addresses, and those who may, in their order."""
        found = set(self._anywhere)
        for addresses in named:
            for single, ranges in ((self._four, addresses.v4), (self._six, addresses.v6)):
                for first, last in ranges.intervals:
                    # A tuple of one sorts before every pair that begins with the same number.
                    found.update(
                        place for _, place in single[bisect_left(single, (first,)) : bisect_left(single, (last + 1,))]
                    )
        return [self._interfaces[place] for place in sorted(found)]
