"""The near end of rules: which rules of a list concern one of the interfaces that the list judges."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model import ANYONE, Addresses, Carries, Everyone, GroupRef, matches
from cloudseg.reach.packets import outside_addresses

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet
    from cloudseg.traffic import AddressSet

__all__ = ["NearEnds", "concerning", "standing"]


def concerning(rules: Sequence[Rule], interface: Interface, estate: Estate) -> list[Rule]:
    """Return the rules whose near end is the interface; one that only may concern it comes as not exact."""
    found: list[Rule] = []
    for rule in rules:
        concerned = True if rule.local == ANYONE else _at(rule.local, interface, estate)
        if concerned:
            found.append(rule)
        elif concerned is None:
            found.append(msgspec.structs.replace(rule, exact=False))
    return found


def _at(peers: Sequence[Peer], interface: Interface, estate: Estate) -> bool | None:
    """Tell whether an interface is among peers; None where that is unknown, or holds of some of its addresses only."""
    own, maybe = standing(interface, estate), False
    for peer in peers:
        match peer:
            case Everyone():
                return True
            case GroupRef(group):
                known = estate.groups.get(group)
                if known is not None and matches(known.selector, interface):
                    return True
                maybe = maybe or interface.attached_unread or known is None
            case Addresses(addresses):
                if own and own <= addresses:
                    return True
                maybe = maybe or not own or own.overlaps(addresses)
            case _:
                least, most = outside_addresses((peer,), estate)
                if own and own <= least:
                    return True
                maybe = maybe or not own or own.overlaps(most)
    return None if maybe else False


def standing(interface: Interface, estate: Estate) -> AddressSet:
    """Return the addresses under which rules may see an interface; where its own were not read, those of its subnet.

    Behind a load balancer that rewrites no destination that is the frontend's as well, so that rules for one of the two
    concern it at most. Source: https://learn.microsoft.com/azure/load-balancer/load-balancer-floating-ip
    """
    if interface.addresses:
        return interface.addresses | interface.called
    place = estate.subnets.get(interface.subnet or "") or estate.networks.get(interface.network or "")
    return interface.addresses if place is None else place.addresses


class _Cuts(NamedTuple):
    """What the near ends of a list look at.

    Attributes:
        four: where a set of IPv4 addresses that one of them names begins, or has ended, in order.
        six: the same of IPv6.
        groups: the groups that they name, chosen by what interfaces carry.
        others: the groups that are chosen otherwise.
    """

    four: tuple[int, ...]
    six: tuple[int, ...]
    groups: frozenset[str]
    others: tuple[str, ...]


class NearEnds:
    """Looks up which rules of lists concern interfaces; answers are kept for interfaces that no near end tells apart.

    Args:
        estate: where groups and lists of addresses are looked up.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._cuts: dict[str, _Cuts | None] = {}
        self._found: dict[tuple[str, Hashable], Sequence[Rule]] = {}

    def narrows(self, rule_set: RuleSet) -> bool:
        """Tell whether any rule of a list has a near end that is not everyone."""
        return self._cuts_of(rule_set) is not None

    def place(self, rule_set: RuleSet, interface: Interface) -> Hashable:
        """Return what the near ends of a list see of an interface: those with the same are concerned by the same."""
        cuts = self._cuts_of(rule_set)
        if cuts is None:
            return None
        own = standing(interface, self._estate)
        others: tuple[bool, ...] = ()
        if cuts.others:
            groups = self._estate.groups
            others = tuple([name in groups and matches(groups[name].selector, interface) for name in cuts.others])
        return (
            tuple(
                [(bisect_right(cuts.four, first), bisect_right(cuts.four, last)) for first, last in own.v4.intervals]
            ),
            tuple([(bisect_right(cuts.six, first), bisect_right(cuts.six, last)) for first, last in own.v6.intervals]),
            interface.attached & cuts.groups,
            interface.attached_unread,
            others,
        )

    def of(self, rule_set: RuleSet, interface: Interface) -> Sequence[Rule]:
        """Return what :func:`concerning` does, of a whole list."""
        place = self.place(rule_set, interface)
        if place is None:
            return rule_set.rules
        key = (rule_set.id, place)
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = concerning(rule_set.rules, interface, self._estate)
        return known

    def _cuts_of(self, rule_set: RuleSet) -> _Cuts | None:
        if rule_set.id not in self._cuts:
            self._cuts[rule_set.id] = self._cut(rule_set)
        return self._cuts[rule_set.id]

    def _cut(self, rule_set: RuleSet) -> _Cuts | None:
        # Thousands of rules name the same few near ends.
        peers = {peer for rule in rule_set.rules if rule.local != ANYONE for peer in rule.local}
        if not peers:
            return None
        groups = {peer.group for peer in peers if isinstance(peer, GroupRef)}
        carried = {name for name in groups if _is_carried(name, self._estate)}
        named: list[AddressSet] = []
        for peer in peers:
            if not isinstance(peer, GroupRef | Everyone):
                named.extend(outside_addresses((peer,), self._estate))
        return _Cuts(
            _bounds(each.v4.intervals for each in named),
            _bounds(each.v6.intervals for each in named),
            frozenset(carried),
            tuple(sorted(groups - carried)),
        )


def _is_carried(group: str, estate: Estate) -> bool:
    known = estate.groups.get(group)
    return known is not None and known.selector == Carries(group)


def _bounds(sets: Iterable[tuple[tuple[int, int], ...]]) -> tuple[int, ...]:
    found: set[int] = set()
    for intervals in sets:
        for first, last in intervals:
            found.update((first, last + 1))
    return tuple(sorted(found))
