"""Lists as one kind of traffic meets them: few of their rules are left, and few ends do these tell apart.

Hundreds of thousands of pairs come down to a few answers of the evaluation, which is asked once for each.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.outside import stands_apart
from cloudseg.reach.packets import outside_addresses

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudseg.model import Direction, Estate, Interface, RuleSet
    from cloudseg.reach.explaining.rules import Other
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["ANYBODY", "Narrowed"]

ANYBODY: Final = "*"
"""The group of an end of which it is not known who it is: it may be in any that a rule names."""


class Narrowed:
    """The rules of some lists that have to do with some traffic in one direction.

    Args:
        judges: the lists.
        direction: the direction.
        traffic: the traffic.
        estate: the estate.

    Attributes:
        judges: the lists with these rules alone.
        groups: the groups that these rules name at the other end.
    """

    def __init__(self, judges: tuple[RuleSet, ...], direction: Direction, traffic: Traffic, estate: Estate) -> None:
        self._estate = estate
        self.judges = tuple(
            msgspec.structs.replace(
                rule_set,
                rules=tuple(
                    rule for rule in rule_set.rules if rule.direction == direction and rule.traffic.overlaps(traffic)
                ),
            )
            for rule_set in judges
        )
        rules = [rule for own in self.judges for rule in own.rules]
        self.groups = frozenset(peer.group for rule in rules for peer in rule.remote if isinstance(peer, GroupRef))
        self._near = any(rule.local != ANYONE for rule in rules)
        self._remotes = tuple(dict.fromkeys(rule.remote for rule in rules))

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
