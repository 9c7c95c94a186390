"""Which existing groups name exactly the interfaces of a range: the replacement for addresses in a rule."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import unplaced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Family, Group, Interface
    from cloudseg.traffic import AddressSet, IntervalSet

__all__ = ["GroupCover", "GroupIndex", "InterfaceIndex", "Kinds"]


Kinds = frozenset[str] | None
"""Kinds of groups; None for every kind."""


class GroupCover(NamedTuple):
    """Groups that stand for a set of interfaces.

    Attributes:
        groups: the fewest groups found whose members are all in the set; default groups and those of controllers last,
            larger ones before smaller ones.
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
        self._estate = estate
        self._bare = {
            network: bare
            for network in estate.networks
            if (bare := tuple(each for each in estate.interfaces_in(network) if not each.addresses))
        }
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

    def without_address(
        self, network: str, addresses: AddressSet
    ) -> tuple[tuple[Interface, ...], tuple[Interface, ...]]:
        """Return the interfaces of unread addresses that bear one of these: surely, by their subnet, and perhaps."""
        surely: list[Interface] = []
        perhaps: list[Interface] = []
        for interface in self._bare.get(network, ()):
            subnet = None if interface.subnet is None else self._estate.subnets.get(interface.subnet)
            place = (self._estate.networks[network] if subnet is None else subnet).addresses
            if place.overlaps(addresses):
                outside = (bool(addresses.v4) and place.v4 - addresses.v4) or (
                    bool(addresses.v6) and place.v6 - addresses.v6
                )
                (perhaps if outside else surely).append(interface)
        return tuple(surely), tuple(perhaps)


def _families(addresses: AddressSet) -> tuple[tuple[Family, IntervalSet], ...]:
    return (4, addresses.v4), (6, addresses.v6)


class GroupIndex:
    """Knows who belongs to which group, and chooses groups for a set of interfaces."""

    def __init__(self, estate: Estate) -> None:
        self._groups = estate.groups
        # Where rules know only a part of a group's members as the other end, it is that part that they name.
        whole = {unplaced(identifier) for identifier in estate.groups if unplaced(identifier) != identifier}
        self._members = {
            identifier: frozenset(interface.id for interface in estate.members(identifier))
            for identifier in estate.groups
            if identifier not in whole
        }
        carried: defaultdict[str, list[str]] = defaultdict(list)
        for group in sorted(self._members):
            for interface in self._members[group]:
                carried[interface].append(group)
        self._carried = dict(carried)
        self._covers: dict[tuple[frozenset[str], frozenset[str], Kinds], GroupCover] = {}

    def cover(
        self, interfaces: frozenset[str], harmless: frozenset[str] = frozenset(), kinds: Kinds = None
    ) -> GroupCover:
        """Return the fewest groups, found greedily, whose members are among the interfaces and cover them.

        Groups of the user's own come before default groups and those of controllers. Equal choices go by id, so the
        answer is always the same.

        Args:
            interfaces: ids of the interfaces to cover.
            harmless: ids of others that a group may have as members too.
            kinds: the kinds of groups that can be named; None for all.
        """
        key = (interfaces, harmless, kinds)
        if key not in self._covers:
            self._covers[key] = self._choose(*key)
        return self._covers[key]

    def _choose(self, wanted: frozenset[str], harmless: frozenset[str], kinds: Kinds) -> GroupCover:
        carried = {group for interface in wanted for group in self._carried.get(interface, ())}
        touched = sorted(group for group in carried if kinds is None or self._groups[group].kind in kinds)
        allowed = wanted | harmless
        exact = [group for group in touched if self._members[group] <= allowed]
        chosen, left = self._greedy(exact, wanted)
        chosen = self._without_needless(chosen, wanted)
        wider = [group for group in touched if not self._members[group] <= allowed]
        chosen.sort(key=lambda group: (self._second_choice(group), -len(self._members[group] & wanted), group))
        return GroupCover(
            tuple(self._groups[group] for group in chosen),
            tuple(sorted(left)),
            tuple(self._groups[group] for group in wider),
        )

    def _greedy(self, exact: Iterable[str], wanted: frozenset[str]) -> tuple[list[str], set[str]]:
        """Choose the group that names most of what is left, again and again; return the choice and the rest."""
        chosen: list[str] = []
        left = set(wanted)
        # What a group names of the rest only shrinks, so a count from before is a bound, and is renewed when it is due.
        heap = [(self._second_choice(group), -len(self._members[group] & left), group) for group in exact]
        heapify(heap)
        while heap and left:
            second, bound, group = heappop(heap)
            named = len(self._members[group] & left)
            if named == -bound and named:
                chosen.append(group)
                left -= self._members[group]
            elif named:
                heappush(heap, (second, -named, group))
        return chosen, left

    def _without_needless(self, chosen: list[str], wanted: frozenset[str]) -> list[str]:
        """Return the choice without the groups whose members the others name too, second choices first."""
        times = Counter(member for group in chosen for member in self._members[group] & wanted)
        kept = set(chosen)
        for group in sorted(chosen, key=lambda group: (not self._second_choice(group), group)):
            members = self._members[group] & wanted
            if all(times[member] > 1 for member in members):
                kept.remove(group)
                times.subtract(members)
        return [group for group in chosen if group in kept]

    def _second_choice(self, group: str) -> bool:
        """Tell whether a group is named only where no other will do: a default group, or one that a controller owns."""
        return self._groups[group].is_default or bool(self._groups[group].managed_by)
