"""The near end of rules: which rules of a list concern one of the interfaces that the list judges."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ANYONE, Addresses, Carries, Everyone, GroupRef, ListRef, Unresolved, matches
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import ALL_IPV4, ALL_IPV6

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Estate, Interface, Peer, RangeMeaning, Rule, RuleSet
    from cloudseg.traffic import AddressSet

__all__ = ["NearEnds", "concerned", "concerning", "standing"]


def concerning(
    rules: Sequence[Rule], interface: Interface, estate: Estate, ranges: RangeMeaning = "everywhere"
) -> list[Rule]:
    """Return the rules whose near end is the interface; one that only may concern it comes as not exact.

    Both ends of a packet bear addresses of one family: a rule that concerns the interface in one of its families alone
    comes with the far ends of that family.

    Args:
        rules: the rules.
        interface: the interface.
        estate: where groups and lists of addresses are looked up.
        ranges: whether rules that name addresses match pods that bear them.
    """
    own = standing(interface, estate)
    each = [_as_it_concerns(rule, interface, own, estate, ranges) for rule in rules]
    return [rule for rule in each if rule is not None]


def _as_it_concerns(
    rule: Rule, interface: Interface, own: AddressSet, estate: Estate, ranges: RangeMeaning
) -> Rule | None:
    """Return a rule as it concerns an interface that rules see under some addresses; None where it does not."""
    if rule.local == ANYONE:
        return rule
    here = concerned(rule.local, interface, own, estate)
    if here is not None:
        return rule if here else None
    families = [whole for whole in (ALL_IPV4, ALL_IPV6) if own.overlaps(whole)]
    if len(families) > 1:
        each = [(whole, concerned(rule.local, interface, own & whole, estate)) for whole in families]
        of = [(whole, sure) for whole, sure in each if sure is not False]
        narrow = _of_family(rule, of[0][0], estate, ranges) if len(of) == 1 else None
        if narrow is not None:
            return narrow if of[0][1] else msgspec.structs.replace(narrow, exact=False)
    return msgspec.structs.replace(rule, exact=False)


def _of_family(rule: Rule, whole: AddressSet, estate: Estate, ranges: RangeMeaning) -> Rule | None:
    """Return a rule with its far ends of one family alone.

    None where it names groups or names, which have none, or everyone where ranges need not match whoever bears them.
    """
    remote: list[Peer] = []
    for peer in rule.remote:
        match peer:
            case Everyone() if ranges == "everywhere":
                remote.append(Addresses(whole))
            case Addresses(addresses):
                remote.append(Addresses(addresses & whole))
            case Unresolved(within=within):
                remote.append(msgspec.structs.replace(peer, within=within & whole))
            case ListRef(name) if (known := estate.address_lists.get(name)) is not None and known.addresses is not None:
                remote.append(Addresses(known.addresses & whole))
            case _:
                return None
    return msgspec.structs.replace(rule, remote=tuple(remote))


def concerned(peers: Sequence[Peer], interface: Interface, own: AddressSet, estate: Estate) -> bool | None:
    """Tell whether an interface is among peers under some of the addresses that it bears.

    Returns:
        None where that is unknown, or holds of some of these addresses only.
    """
    maybe = False
    for peer in peers:
        match peer:
            case Everyone():
                return True
            case GroupRef(group):
                known = estate.groups.get(group)
                if group in interface.attached if known is None else matches(known.selector, interface):
                    return True
                maybe = maybe or interface.attached_unread or known is None
            case Addresses(addresses):
                # Most rules are about other addresses.
                if own.overlaps(addresses):
                    if own <= addresses:
                        return True
                    maybe = True
                maybe = maybe or not own
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
        return interface.addresses | interface.called if interface.called else interface.addresses
    place = estate.subnets.get(interface.subnet or "") or estate.networks.get(interface.network or "")
    return interface.addresses if place is None else place.addresses


_Stretch = tuple[int, int]
"""Addresses between two neighbouring cuts: the version of IP, and how many cuts come before."""
_MANY_STRETCHES: Final = 64
"""Rules for addresses in so many stretches are asked one by one."""


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


class _Index(NamedTuple):
    """The rules of a list by whom they may concern, as places in its order.

    Attributes:
        everyone: rules that concern everyone, by their places.
        by_group: rules whose near end names nothing but groups that interfaces carry, by each of these groups.
        by_stretch: rules whose near end names nothing but addresses, by each stretch between cuts that these take up.
        rest: the others.
    """

    everyone: Mapping[int, Rule]
    by_group: Mapping[str, Sequence[int]]
    by_stretch: Mapping[_Stretch, Sequence[int]]
    rest: Sequence[int]


def _index(rule_set: RuleSet, cuts: _Cuts, estate: Estate) -> _Index:
    everyone: dict[int, Rule] = {}
    by_group: defaultdict[str, list[int]] = defaultdict(list)
    by_stretch: defaultdict[_Stretch, list[int]] = defaultdict(list)
    rest: list[int] = []
    carried: dict[str, bool] = {}
    for place, rule in enumerate(rule_set.rules):
        if rule.local == ANYONE:
            everyone[place] = rule
            continue
        groups = [peer.group for peer in rule.local if isinstance(peer, GroupRef)]
        for group in groups:
            if group not in carried:
                carried[group] = _is_carried(group, estate)
        if groups and len(groups) == len(rule.local) and all(carried[group] for group in groups):
            for group in groups:
                by_group[group].append(place)
            continue
        named = [peer.addresses for peer in rule.local if isinstance(peer, Addresses)]
        taken = set(islice((each for addresses in named for each in _stretches(addresses, cuts)), _MANY_STRETCHES))
        if len(named) == len(rule.local) and len(taken) < _MANY_STRETCHES:
            for stretch in taken:
                by_stretch[stretch].append(place)
        else:
            rest.append(place)
    return _Index(everyone, dict(by_group), dict(by_stretch), tuple(rest))


def _stretches(addresses: AddressSet, cuts: _Cuts) -> Iterator[_Stretch]:
    """Yield the stretches between cuts in which addresses lie. Near ends take up whole ones."""
    for version, bounds, intervals in ((4, cuts.four, addresses.v4.intervals), (6, cuts.six, addresses.v6.intervals)):
        for first, last in intervals:
            for number in range(bisect_right(bounds, first), bisect_right(bounds, last) + 1):
                yield version, number


class NearEnds:
    """Looks up which rules of lists concern interfaces; answers are kept for interfaces that no near end tells apart.

    Args:
        estate: where groups and lists of addresses are looked up.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._cuts: dict[str, _Cuts | None] = {}
        self._found: dict[tuple[str, Hashable, RangeMeaning], Sequence[Rule]] = {}
        self._indexes: dict[str, _Index] = {}

    @cached_property
    def any(self) -> bool:
        """Whether any list of the estate has a rule whose near end is not everyone."""
        return any(self.narrows(rule_set) for rule_set in self._estate.rule_sets.values())

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
            known, carried = self._estate.groups, interface.attached
            others = tuple(
                [matches(known[name].selector, interface) if name in known else name in carried for name in cuts.others]
            )
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
        return self.at(rule_set, self.place(rule_set, interface), interface)

    def at(
        self, rule_set: RuleSet, place: Hashable, interface: Interface, ranges: RangeMeaning = "everywhere"
    ) -> Sequence[Rule]:
        """Return the same of an interface of which it is known what the near ends of the list see of it."""
        if place is None:
            return rule_set.rules
        key = (rule_set.id, place, ranges)
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = self._concerning(rule_set, interface, ranges)
        return known

    def _concerning(self, rule_set: RuleSet, interface: Interface, ranges: RangeMeaning) -> Sequence[Rule]:
        """Return what :func:`concerning` does, of a whole list: of thousands of rules most name other groups."""
        own, cuts = standing(interface, self._estate), self._cuts_of(rule_set)
        if interface.attached_unread or cuts is None:
            return concerning(rule_set.rules, interface, self._estate, ranges)
        index = self._indexes.get(rule_set.id)
        if index is None:
            index = self._indexes[rule_set.id] = _index(rule_set, cuts, self._estate)
        # One that names nothing but groups concerns whoever carries any of them, whatever else there is to see.
        found = dict(index.everyone)
        for group in interface.attached:
            for place in index.by_group.get(group, ()):
                found[place] = rule_set.rules[place]
        # Who bears no address that is known may bear any of them.
        stretches = _stretches(own, cuts) if own else index.by_stretch
        named = {place for stretch in stretches for place in index.by_stretch.get(stretch, ())}
        for place in chain(named, index.rest):
            rule = _as_it_concerns(rule_set.rules[place], interface, own, self._estate, ranges)
            if rule is not None:
                found[place] = rule
        return [found[place] for place in sorted(found)]

    def _cuts_of(self, rule_set: RuleSet) -> _Cuts | None:
        if rule_set.id not in self._cuts:
            self._cuts[rule_set.id] = self._cut(rule_set)
        return self._cuts[rule_set.id]

    def _cut(self, rule_set: RuleSet) -> _Cuts | None:
        # Thousands of rules name the same few near ends, and most of them everyone.
        narrow = [rule.local for rule in rule_set.rules if rule.local is not ANYONE and rule.local != ANYONE]
        peers = {peer for end in narrow for peer in end}
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
