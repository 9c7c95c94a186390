"""Lists as one kind of traffic meets them: few of their rules are left, and few ends do these tell apart.

Hundreds of thousands of pairs come down to a few answers of the evaluation, which is asked once for each.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.outside import stands_apart
from cloudseg.reach.packets import outside_addresses

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudseg.model import Direction, Estate, Interface, Rule, RuleSet
    from cloudseg.reach.explaining.rules import Other
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["ANYBODY", "Across", "Narrowed", "RulesByTraffic"]

ANYBODY: Final = "*"
"""The group of an end of which it is not known who it is: it may be in any that a rule names."""


class Across(NamedTuple):
    """Another end, and what rules see of it.

    Attributes:
        other: the end.
        six: its address is of IPv6.
        value: its address as a number; None where it has none, or several.
        interface: id of the interface that bears it; empty where none does.
        subnet: where that stands.
        rest: what else rules see: equal for ends of which they see the same.
    """

    other: Other
    six: bool
    value: int | None
    interface: str
    subnet: str | None
    rest: Hashable

    @staticmethod
    def of(other: Other, estate: Estate) -> Across:
        """Return what rules see of an end."""
        version, value = _address(other.addresses)
        interface = other.interface
        own, subnet = "", None
        rest: tuple[Hashable, ...] = (other.grouped, other.groups)
        if interface is not None:
            pod = (interface.scope, stands_apart(interface, estate)) if interface.is_pod else None
            own, subnet, rest = interface.id, interface.subnet, (*rest, pod, interface.attached_unread)
        return Across(other, version == 6, None if version is None else value, own, subnet, rest)


class RulesByTraffic:
    """Finds the rules of lists that have to do with some traffic, without going through all of them.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        every = (rule.traffic for rule_set in estate.rule_sets.values() for rule in rule_set.rules)
        self._traffics = tuple(dict.fromkeys(every))
        self._overlapping: dict[Hashable, tuple[Traffic, ...]] = {}
        self._lists: dict[tuple[str, Direction], dict[Traffic, list[tuple[int, Rule]]]] = {}

    def narrowed(self, rule_set: RuleSet, direction: Direction, traffic: Traffic, kind: Hashable) -> RuleSet:
        """Return a list with the rules alone that have to do with some traffic in one direction.

        Args:
            rule_set: the list.
            direction: the direction.
            traffic: the traffic.
            kind: what is equal for traffic that no rule tells apart.
        """
        overlapping = self._overlapping.get(kind)
        if overlapping is None:
            overlapping = tuple(each for each in self._traffics if each.overlaps(traffic))
            self._overlapping[kind] = overlapping
        by_traffic = self._lists.get((rule_set.id, direction))
        if by_traffic is None:
            by_traffic = self._lists[rule_set.id, direction] = {}
            for place, rule in enumerate(rule_set.rules):
                if rule.direction == direction:
                    by_traffic.setdefault(rule.traffic, []).append((place, rule))
        found = [each for own in overlapping for each in by_traffic.get(own, ())]
        found.sort(key=_place)
        return msgspec.structs.replace(rule_set, rules=tuple([rule for _, rule in found]))


def _place(each: tuple[int, Rule]) -> int:
    return each[0]


class Narrowed:
    """What the rules of some lists tell apart that have to do with some traffic in one direction.

    Args:
        judges: the lists, with these rules alone.
        estate: the estate.

    Attributes:
        judges: the lists.
        groups: the groups that the rules name at the other end.
    """

    def __init__(self, judges: tuple[RuleSet, ...], estate: Estate) -> None:
        self._estate = estate
        self.judges = judges
        rules = [rule for own in judges for rule in own.rules]
        self._remotes = tuple(dict.fromkeys([rule.remote for rule in rules]))
        self.groups = frozenset(
            [peer.group for remote in self._remotes for peer in remote if isinstance(peer, GroupRef)]
        )
        self._near = any(rule.local != ANYONE for rule in rules)

    def near(self, interface: Interface, standing: Hashable) -> Hashable:
        """Return what is equal for all interfaces whose own end these rules do not tell apart.

        Args:
            interface: the interface.
            standing: equal for interfaces that no rule whatever tells apart.
        """
        return standing if self._near else (interface.is_pod, interface.scope if interface.is_pod else "")

    def far(self, other: Other) -> Hashable:
        """Return what is equal for all other ends that these rules do not tell apart."""
        version, value = _address(other.addresses)
        # Where an address lies between the ends of the ranges that the rules name.
        place = other.addresses if version is None else (version, bisect_right(self._cuts[version == 6], value))
        interface = other.interface
        if interface is None:
            return place, other.grouped, self.named(other)
        if not self.groups and not interface.is_pod:
            return place
        named = tuple([group for group, members in self._members if interface.id in members])
        pod = (interface.scope, stands_apart(interface, self._estate)) if interface.is_pod else None
        return place, named, pod, other.grouped, self.named(other), interface.attached_unread

    def sees(self, across: Across) -> Hashable:
        """Return the same as :meth:`far`, or what tells more ends apart, in less time."""
        if across.value is None:
            return self.far(across.other)
        place = bisect_right(self._cuts[across.six], across.value)
        if not across.interface or not self.groups:
            return across.six, place, across.rest
        own = across.interface
        return across.six, place, across.rest, tuple([group for group, members in self._members if own in members])

    def may_match(self, other: Other) -> bool:
        """Tell whether any of the rules may name an end; in doubt they may."""
        if self.groups:
            own = other.interface
            if own is None or own.is_pod or own.attached_unread or other.groups:
                return True
            if any(own.id in members for _, members in self._members):
                return True
        named = (outside_addresses(remote, self._estate)[1] for remote in self._remotes)
        return any(most.overlaps(other.addresses) for most in named)

    def named(self, other: Other) -> frozenset[str]:
        """Return which of the groups that these rules name an end may belong to, whoever it is."""
        return self.groups if ANYBODY in other.groups else self.groups & other.groups

    @cached_property
    def _members(self) -> tuple[tuple[str, frozenset[str]], ...]:
        estate = self._estate
        each = ((own, estate.members(own) if own in estate.groups else estate.carrying(own)) for own in self.groups)
        return tuple((own, frozenset(member.id for member in members)) for own, members in each)

    @cached_property
    def _cuts(self) -> tuple[list[int], list[int]]:
        four, six = set[int](), set[int]()
        for remote in self._remotes:
            for addresses in outside_addresses(remote, self._estate):
                for cuts, intervals in ((four, addresses.v4.intervals), (six, addresses.v6.intervals)):
                    for first, last in intervals:
                        cuts.update((first, last + 1))
        return sorted(four), sorted(six)


# The same few ten thousand ends are asked about again and again.
@lru_cache(maxsize=1 << 17)
def _address(addresses: AddressSet) -> tuple[int | None, int]:
    """Return family and number of a single address; None for several, or none."""
    if addresses.size != 1:
        return None, 0
    return (4, addresses.v4.intervals[0][0]) if addresses.v4 else (6, addresses.v6.intervals[0][0])
