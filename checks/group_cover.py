"""Which existing groups name exactly the interfaces of a range: the replacement for addresses in a rule."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Family, Group, Interface
    from cloudseg.traffic import AddressSet, IntervalSet

__all__ = ["GroupCover", "GroupIndex", "InterfaceIndex"]


class GroupCover(NamedTuple):
    """Groups that stand for a set of interfaces.

    Attributes:
        groups: the fewest groups found whose members are all in the set, in order of their ids.
        uncovered: interfaces of the set that none of them names.
        wider: groups that these carry, but others outside the set as well.
    """

    groups: tuple[Group, ...]
    uncovered: tuple[str, ...]
    wider: tuple[Group, ...]


class InterfaceIndex:
    """Finds the interfaces of a network by address."""

    def __init__(self, estate: Estate) -> None:
        singles: defaultdict[tuple[str, Family], list[tuple[int, str]]] = defaultdict(list)
        spans: defaultdict[tuple[str, Family], list[tuple[int, int, str]]] = defaultdict(list)
        for interface in estate.interfaces.values():
            for family, numbers in _families(interface.addresses):
                key = (interface.network or "", family)
                for first, last in numbers.intervals:
                    if first == last:
                        singles[key].append((first, interface.id))
                    else:
                        spans[key].append((first, last, interface.id))
        self._interfaces = estate.interfaces
        self._singles = {key: sorted(entries) for key, entries in singles.items()}
        self._starts = {key: [first for first, _ in entries] for key, entries in self._singles.items()}
        self._spans = dict(spans)

    def inside(self, network: str, addresses: AddressSet) -> tuple[Interface, ...]:
        """Return the interfaces of a network that bear one of the addresses, in order of their ids."""
        found: set[str] = set()
        for family, wanted in _families(addresses):
            starts = self._starts.get((network, family), [])
            entries = self._singles.get((network, family), [])
            spans = self._spans.get((network, family), [])
            for low, high in wanted.intervals:
                found.update(name for _, name in entries[bisect_left(starts, low) : bisect_left(starts, high + 1)])
                found.update(name for first, last, name in spans if first <= high and low <= last)
        return tuple(self._interfaces[name] for name in sorted(found))


def _families(addresses: AddressSet) -> tuple[tuple[Family, IntervalSet], ...]:
    return (4, addresses.v4), (6, addresses.v6)


class GroupIndex:
    """Knows who belongs to which group, and chooses groups for a set of interfaces."""

    def __init__(self, estate: Estate) -> None:
        self._groups = estate.groups
        self._members = {
            identifier: frozenset(interface.id for interface in estate.members(identifier))
            for identifier in estate.groups
        }
        carried: defaultdict[str, list[str]] = defaultdict(list)
        for group in sorted(self._members):
            for interface in self._members[group]:
                carried[interface].append(group)
        self._carried = dict(carried)
        self._covers: dict[frozenset[str], GroupCover] = {}

    def cover(self, interfaces: Iterable[str]) -> GroupCover:
        """Return the fewest groups, found greedily, whose members are among the interfaces and cover them.

        Groups of the user's own come before default groups and those of controllers. Equal choices go by id, so the
        answer is always the same.
        """
        wanted = frozenset(interfaces)
        if wanted not in self._covers:
            self._covers[wanted] = self._choose(wanted)
        return self._covers[wanted]

    def _choose(self, wanted: frozenset[str]) -> GroupCover:
        touched = sorted({group for interface in wanted for group in self._carried.get(interface, ())})
        exact = [group for group in touched if self._members[group] <= wanted]
        chosen: list[str] = []
        left = set(wanted)
        while left:
            best = max(exact, key=lambda group: self._worth(group, left), default=None)
            if best is None or not self._members[best] & left:
                break
            chosen.append(best)
            left -= self._members[best]
        for group in sorted(chosen, key=lambda group: (not self._second_choice(group), group)):
            others = [other for other in chosen if other != group]
            if others and self._members[group] <= frozenset().union(*(self._members[other] for other in others)):
                chosen = others
        wider = [group for group in touched if not self._members[group] <= wanted]
        return GroupCover(
            tuple(self._groups[group] for group in sorted(chosen)),
            tuple(sorted(left)),
            tuple(self._groups[group] for group in wider),
        )

    def _worth(self, group: str, left: set[str]) -> tuple[bool, bool, int]:
        named = len(self._members[group] & left)
        return named > 0, not self._second_choice(group), named

    def _second_choice(self, group: str) -> bool:
        """Tell whether a group is named only where no other will do: a default group, or one that a controller owns."""
        return self._groups[group].is_default or bool(self._groups[group].managed_by)
