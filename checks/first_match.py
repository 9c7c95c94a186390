"""Which rules of an ordered list never decide anything, and which earlier ones take their packets.

Everything here is exact: where a rule was not read in full, names who cannot be told by addresses, or has a near end
that is another one, nothing is said of the rules below it that share a packet with it.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.ordered_lists import covers
from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.packets import Box, intersect, outside_addresses
from cloudseg.traffic import (
    ALL_ADDRESSES,
    GLOBAL_UNICAST,
    NO_ADDRESSES,
    NO_NUMBERS,
    PRIVATE,
    AddressSet,
    IntervalSet,
    Traffic,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Estate, Peer, Rule, RuleSet

__all__ = ["Decider", "Earlier", "Shadow", "decided_before", "in_order", "one_packet", "shadows"]

_BORNE_BY_PACKETS = GLOBAL_UNICAST | PRIVATE
_V6_AFTER = 1 << 32


class Decider(NamedTuple):
    """An earlier rule, and packets of the shadowed rule that it is the first to match.

    Attributes:
        rule: the rule.
        packets: the packets.
        rule_set: the list of an earlier stage in which it stands; None for the list of the shadowed rule.
    """

    rule: Rule
    packets: Box
    rule_set: RuleSet | None = None


class Shadow(NamedTuple):
    """A rule that never decides.

    Attributes:
        rule: the rule.
        deciders: the earlier rules that take its packets, each of which is the first to match some of them.
    """

    rule: Rule
    deciders: tuple[Decider, ...]

    @property
    def against(self) -> tuple[Decider, ...]:
        """The deciders with another verdict than the rule's."""
        return tuple(decider for decider in self.deciders if decider.rule.verdict != self.rule.verdict)


class _Span(NamedTuple):
    """The smallest ranges that hold the packets of a rule: of addresses and of traffic, each as numbers on one line.

    Most rules of a list share no packet; comparing four numbers tells most of these apart.
    """

    first_address: int
    last_address: int
    first_traffic: int
    last_traffic: int


_NOTHING = _Span(1, 0, 1, 0)


class Earlier(NamedTuple):
    """A rule that may take packets of later ones.

    Attributes:
        rule: the rule.
        packets: what it matches at most.
        span: the smallest ranges that hold these.
        exact: it certainly matches all of them, at its near end.
        rule_set: the list of an earlier stage in which it stands; None for the list of the later ones.
    """

    rule: Rule
    packets: Box
    span: _Span
    exact: bool
    rule_set: RuleSet | None = None


class _Taker(NamedTuple):
    """An earlier rule, and what it takes of the packets of a later one, or more."""

    rule: Rule
    packets: Box
    rule_set: RuleSet | None = None


def in_order(rule_set: RuleSet, direction: Direction) -> tuple[Rule, ...]:
    """Return the rules of one direction in the order in which a ``first`` stage asks them."""
    rules = (rule for rule in rule_set.rules if rule.direction == direction)
    return tuple(sorted(rules, key=lambda rule: (rule.priority or 0, rule.allows)))


def decided_before(rule_set: RuleSet, direction: Direction, estate: Estate) -> Iterator[Earlier]:
    """Yield what a list decides for good, for lists of later stages: all but what its rules hand on to these.

    Args:
        rule_set: the list.
        direction: the direction of its rules.
        estate: where address lists are looked up.
    """
    handed: list[Earlier] = []
    for rule in in_order(rule_set, direction):
        own = _matched(rule, estate)
        if not own.packets.addresses or not own.packets.traffic:
            continue
        if rule.verdict == "next":
            handed.append(own)
            continue
        before = [other for other in handed if _near(other.span, own.span) and _overlap(other.packets, own.packets)]
        named = any(isinstance(peer, GroupRef) for peer in rule.remote)
        if not before or named:
            yield own._replace(rule_set=rule_set, exact=own.exact and not before)
            continue
        pieces = [own.packets]
        for other in before:
            pieces = [rest for piece in pieces for rest in _outside(piece, other.packets)]
        for piece in pieces:
            yield Earlier(rule, piece, _span(piece), own.exact, rule_set)


def shadows(rules: Sequence[Rule], estate: Estate, before: Iterable[Earlier] = ()) -> Iterator[Shadow]:
    """Yield the rules of one ordered list that never decide, because earlier rules take all their packets.

    A rule that narrows the client's ports takes only a part of what it matches; like one that was not read in full, or
    one whose near end holds some of a later rule's alone, it silences what is said of the later rules that overlap with
    it. What the provider keeps in every list is never told.

    Args:
        rules: the rules of one direction, in their order.
        estate: where address lists are looked up.
        before: what lists of earlier stages decide for good.
    """
    earlier = _Before(before)
    for own in _widest_first(rules, estate):
        rule = own.rule
        if not own.packets.addresses or not own.packets.traffic:
            continue
        takers, unclear = _takers(own, earlier.near(own), estate)
        if not _covered(own.packets, [taker.packets for taker in takers]):
            earlier.append(own)
        # A rule that never decides takes nothing from the rules below it, so it is none of the earlier ones.
        elif _is_told(rule) and not unclear:
            yield Shadow(rule, _deciders(own.packets, takers))


class _Before:
    """What earlier rules take, by the near ends that these name: rules for other groups alone take nothing here.

    Args:
        before: what lists of earlier stages decide for good.
    """

    def __init__(self, before: Iterable[Earlier]) -> None:
        self._count = 0
        self._anywhere: list[tuple[int, _Span, Earlier]] = []
        self._by_group: defaultdict[str, list[tuple[int, _Span, Earlier]]] = defaultdict(list)
        for each in before:
            self.append(each)

    def append(self, earlier: Earlier) -> None:
        """Add a rule behind the others."""
        self._count += 1
        placed = (self._count, earlier.span, earlier)
        local = earlier.rule.local
        if local and _for_groups(earlier.rule):
            for group in {peer.group for peer in local if isinstance(peer, GroupRef)}:
                self._by_group[group].append(placed)
        else:
            self._anywhere.append(placed)

    def near(self, own: Earlier) -> list[Earlier]:
        """Return, in their order, the rules that may take packets of another one, or leave it open whether they do."""
        first = next((peer.group for peer in own.rule.local if isinstance(peer, GroupRef)), None)
        # Who covers a rule for groups names every one of them; nobody else's near end is open.
        grouped = self._by_group.get(first, ()) if first is not None else ()
        # Every rule is compared with every one before, so that no function is called for each.
        low, high, start, end = own.span
        found = [
            placed
            for placed in chain(self._anywhere, grouped)
            if placed[1][0] <= high and low <= placed[1][1] and placed[1][2] <= end and start <= placed[1][3]
        ]
        if grouped:
            found.sort(key=itemgetter(0))
        return [earlier for _, _, earlier in found]


def _widest_first(rules: Sequence[Rule], estate: Estate) -> Iterator[Earlier]:
    """Yield what rules match, in their order, up to the last one of which anything may be said.

    Of rules that are asked at once the wider one goes first.

    Rules of one priority that all allow, or all deny, do the same in any order. Source:
    https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules
    """
    at_once = [tuple(together) for _, together in groupby(rules, key=lambda rule: (rule.priority or 0, rule.allows))]
    # Lists end with the rules that the provider keeps in all of them: these match most, and nothing is said of them.
    while at_once and not any(_is_told(rule) for rule in at_once[-1]):
        at_once.pop()
    for together in at_once:
        each = [_matched(rule, estate) for rule in together]
        yield from each if len(each) == 1 else sorted(each, key=lambda own: -_size(own.packets))


def _is_told(rule: Rule) -> bool:
    """Tell whether it is said of a rule that it never decides, where that is so."""
    return rule.exact and not rule.fixed


def _matched(rule: Rule, estate: Estate) -> Earlier:
    least, most = outside_addresses(rule.remote, estate)
    groups = [peer.group for peer in rule.remote if isinstance(peer, GroupRef)]
    for group in groups:
        most |= _bearers(group, estate)
    packets = Box(most, rule.traffic)
    exact = rule.exact and rule.source_ports is None and (bool(groups) or least == most)
    return Earlier(rule, packets, _span(packets) if most and rule.traffic else _NOTHING, exact)


# Thousands of rules name the same few groups.
@lru_cache(maxsize=4096)
def _bearers(group: str, estate: Estate) -> AddressSet:
    """Return the addresses that members of a group can bear: today's, and those of the networks that it is tied to."""
    known = estate.groups.get(group)
    networks = [] if known is None else [estate.networks.get(name) for name in known.networks]
    if known is None or not networks or not estate.read("interfaces", known):
        return ALL_ADDRESSES
    found = NO_ADDRESSES
    for network in networks:
        if network is None:
            return ALL_ADDRESSES
        found |= network.addresses
    for member in estate.members(group):
        found |= member.addresses
    return found


def _takers(own: Earlier, earlier: Sequence[Earlier], estate: Estate) -> tuple[list[_Taker], bool]:
    """Return what earlier rules certainly take of a rule's packets, and whether others take some that is not clear."""
    takers: list[_Taker] = []
    unclear = False
    for other in earlier:
        if not _overlap(own.packets, other.packets) or _apart(other.rule.local, own.rule.local, estate):
            continue
        if not other.exact:
            unclear = True
        elif not covers(other.rule.local, own.rule.local, estate):
            # Rules for other groups take what they take at the members of these alone.
            unclear = unclear or not _for_groups(other.rule)
        elif not any(isinstance(peer, GroupRef) for peer in other.rule.remote):
            takers.append(_Taker(other.rule, other.packets, other.rule_set))
        elif frozenset(own.rule.remote).issubset(other.rule.remote):
            takers.append(_Taker(other.rule, Box(own.packets.addresses, other.packets.traffic), other.rule_set))
        else:
            # Whose members they are is no matter of addresses.
            unclear = True
    return takers, unclear


def _for_groups(rule: Rule) -> bool:
    return all(isinstance(peer, GroupRef) for peer in rule.local)


def _apart(one: tuple[Peer, ...], other: tuple[Peer, ...], estate: Estate) -> bool:
    """Tell whether nobody stands at both of two near ends."""
    if one is ANYONE or other is ANYONE or ANYONE in (one, other):
        return False
    if any(isinstance(peer, GroupRef) for peer in (*one, *other)):
        return False
    return not outside_addresses(one, estate)[1].overlaps(outside_addresses(other, estate)[1])


def _overlap(one: Box, other: Box) -> bool:
    return one.traffic.overlaps(other.traffic) and one.addresses.overlaps(other.addresses)


def _span(packets: Box) -> _Span:
    v4, v6 = packets.addresses.v4.intervals, packets.addresses.v6.intervals
    return _Span(
        v4[0][0] if v4 else v6[0][0] + _V6_AFTER,
        v6[-1][1] + _V6_AFTER if v6 else v4[-1][1],
        *_span_of(packets.traffic),
    )


# Thousands of rules name the same few ports.
@lru_cache(maxsize=4096)
def _span_of(traffic: Traffic) -> tuple[int, int]:
    """Return where traffic begins and ends, with one field of it behind the other."""
    fields = [(place << 16, field.intervals) for place, field in enumerate(traffic.fields) if field]
    return fields[0][0] + fields[0][1][0][0], fields[-1][0] + fields[-1][1][-1][1]


def _near(one: _Span, other: _Span) -> bool:
    return (
        one.first_address <= other.last_address
        and other.first_address <= one.last_address
        and one.first_traffic <= other.last_traffic
        and other.first_traffic <= one.last_traffic
    )


def _covered(packets: Box, others: Sequence[Box]) -> bool:
    """Tell whether every packet of a box, which is not empty, lies in one of the others."""
    if any(packets.addresses <= other.addresses and packets.traffic <= other.traffic for other in others):
        return True
    if len(others) < 2:
        return False
    # Together they must be as many at least, and the largest leave the fewest pieces.
    sized = [(_size(each), each) for each in intersect(others, packets)]
    if sum(size for size, _ in sized) < _size(packets):
        return False
    shared = [each for _, each in sorted(sized, key=itemgetter(0), reverse=True)]
    # Depth first: the first piece that none of the others touches is the answer.
    open_pieces = [(packets, 0)]
    while open_pieces:
        piece, place = open_pieces.pop()
        while place < len(shared) and not _overlap(piece, shared[place]):
            place += 1
        if place == len(shared):
            return False
        open_pieces.extend((rest, place + 1) for rest in _outside(piece, shared[place]))
    return True


def _size(packets: Box) -> int:
    return packets.addresses.size * _count(packets.traffic)


# Thousands of rules name the same few ports.
@lru_cache(maxsize=4096)
def _count(traffic: Traffic) -> int:
    return sum(field.size for field in traffic.fields)


def _outside(packets: Box, other: Box) -> Iterator[Box]:
    """Yield the part of a box that lies outside another, as boxes that do not overlap."""
    if rest := packets.addresses - other.addresses:
        yield Box(rest, packets.traffic)
    if more := packets.traffic - other.traffic:
        yield Box(packets.addresses & other.addresses, more)


def _deciders(packets: Box, earlier: Iterable[_Taker]) -> tuple[Decider, ...]:
    found: list[Decider] = []
    left = [packets]
    for rule, matched, rule_set in earlier:
        first: Box | None = None
        undecided: list[Box] = []
        for box in left:
            if not _overlap(box, matched):
                undecided.append(box)
                continue
            first = first or Box(box.addresses & matched.addresses, box.traffic & matched.traffic)
            undecided.extend(_outside(box, matched))
        if first is not None:
            found.append(Decider(rule, first, rule_set))
        left = undecided
        if not left:
            break
    return tuple(found)


def one_packet(packets: Box) -> Box:
    """Return one packet of a box that is not empty, as one would meet it: no network address, no port 0 if possible."""
    likely = packets.addresses & _BORNE_BY_PACKETS or packets.addresses
    first, last = (likely.v4 or likely.v6).intervals[0]
    number = IntervalSet.of(min(first + 1, last))
    address = AddressSet(v4=number) if likely.v4 else AddressSet(v6=number)
    position = next(place for place, field in enumerate(packets.traffic.fields) if field)
    first, last = packets.traffic.fields[position].intervals[0]
    fields = [NO_NUMBERS] * len(packets.traffic.fields)
    fields[position] = IntervalSet.of(first or min(1, last))
    return Box(address, Traffic(*fields))
