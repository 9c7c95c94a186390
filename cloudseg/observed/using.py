"""Works out which rules observed conversations use: each kind of them is taken through the lists at its ends."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from cloudseg.errors import ParseError
from cloudseg.observed.balancers import Before, before
from cloudseg.observed.called import reporter_names
from cloudseg.observed.carrying import Carried, Carriers, RuleKey
from cloudseg.observed.columns_of import combined, factor, numbers_of
from cloudseg.observed.kinds_of_traffic import TrafficKinds, traffic_of
from cloudseg.observed.named_rules import NamedRules
from cloudseg.observed.narrowing import ANYBODY
from cloudseg.observed.usage import Kinds, Tried, Usage, Uses
from cloudseg.reach.explaining.rules import Other
from cloudseg.traffic import NO_ADDRESSES, AddressSet
from cloudseg.traffic.cidr import parse_address

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Direction, Estate, Interface
    from cloudseg.observed.carrying import Kind
    from cloudseg.observed.columns_of import Factor, Numbers
    from cloudseg.observed.ends import End
    from cloudseg.observed.join import Joined
    from cloudseg.observed.observations import Columns
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["usage_of"]

_ANYBODY: Final = frozenset((ANYBODY,))
"""Groups of an end of which it is not known who it is: any of those that a rule names."""
_UNSURE: Final = frozenset(("gone", "unknown"))
_NEVER: Final = Tried(0, passes=False)


def usage_of(joined: Joined, reach: Reachability, estate: Estate) -> Usage:
    """Return which rules of an estate observed conversations use.

    Args:
        joined: the conversations and their ends.
        reach: the reachability of the estate, which tells what nothing tells apart.
        estate: the estate.
    """
    return _Work(joined, reach, estate).usage()


class Way(NamedTuple):
    """A way in which a conversation may have gone.

    Attributes:
        source: who opened it.
        target: the other end.
        pair: protocol and port; None for a port that is not known, or where there are none.
        middle: who reported it in between.
        provider: whose logs showed it.
    """

    source: End
    target: End
    pair: tuple[int, int | None]
    middle: tuple[str, ...]
    provider: str

    def back(self, pair: tuple[int, int | None]) -> Way:
        """Return the way from the other end, to another port."""
        return Way(self.target, self.source, pair, self.middle, self.provider)


class _Work:
    """Works out the use of rules."""

    def __init__(self, joined: Joined, reach: Reachability, estate: Estate) -> None:
        self._joined, self._reach, self._estate = joined, reach, estate
        self._carriers = Carriers(estate)
        rules = (rule.traffic for rule_set in estate.rule_sets.values() for rule in rule_set.rules)
        self._traffic_kinds = TrafficKinds(rules)
        self._known: dict[Hashable, Carried] = {}
        self._anywhere: dict[Hashable, frozenset[RuleKey]] = {}
        self._others: dict[End, list[Other]] = {}
        self._parties: dict[End, Hashable] = {}

    def usage(self) -> Usage:
        joined, table = self._joined, self._joined.conversations
        parties = numbers_of([self._party(end) for end in joined.ends])
        traffic = _pairs(table, "port")
        asked = numbers_of([self._traffic_kinds.kind(*pair) for pair in traffic.values])
        turned = _pairs(table, "initiator_port")
        back = numbers_of([self._traffic_kinds.kind(*pair) for pair in turned.values])
        unknown = (table.column("evidence") == "unknown").astype(np.int64)
        inferred = table.column("confidence") != "high"
        middles = numbers_of(_tuples(table.column("middle")))
        refused = table.column("verdict") == "refused"
        parts = (
            parties.codes[joined.initiators] if len(joined) else joined.initiators,
            parties.codes[joined.responders] if len(joined) else joined.responders,
            asked.codes[traffic.codes],
            np.where(unknown == 1, back.codes[turned.codes] + 1, 0),
            middles.codes,
            factor(table.column("provider")).codes,
            inferred.astype(np.int64),
        )
        providers: list[str] = table.column("provider").tolist()

        def way(row: int) -> Way:
            return Way(joined.initiator(row), joined.responder(row), traffic.at(row), middles.at(row), providers[row])

        kinds = _kinds(np.flatnonzero(~refused), parts)
        forward, backward, replying = (defaultdict[RuleKey, list[int]](list) for _ in range(3))
        uncarried: list[int] = []
        sides: tuple[list[int], list[int]] = ([], [])
        for kind, row in enumerate(kinds.first.tolist()):
            there = way(row)
            carried = self._carried(there)
            _note(forward, carried.rules, kind)
            _note(replying, carried.replies, kind)
            passes = carried.passes
            if unknown[row]:
                otherwise = there.back(turned.at(row))
                again = self._carried(otherwise)
                _note(backward, again.rules, kind)
                _note(replying, again.replies, kind)
                if passes != again.passes and there.source.known and there.target.known:
                    sides[again.passes].append(kind)
                passes = passes or again.passes
                if not passes:
                    _note(backward, self._formerly(otherwise), kind)
            elif not passes and inferred[row]:
                # Perhaps it was opened the other way round, from any port.
                _note(backward, self._carried(there.back((there.pair[0], None))).rules, kind)
            if not passes:
                uncarried.append(kind)
                _note(forward, self._formerly(there), kind)
        tried: dict[RuleKey, Tried] = {}
        attempted = _kinds(np.flatnonzero(refused), parts)
        weights = np.maximum(table.column("connections"), 1)
        counts = np.bincount(attempted.of_row[refused], weights=weights[refused], minlength=len(attempted.first))
        for row, attempts in zip(attempted.first.tolist(), counts.astype(np.int64).tolist(), strict=True):
            for each in (way(row), way(row).back(turned.at(row)))[: 1 + int(unknown[row])]:
                carried = self._carried(each)
                for key in carried.rules:
                    before_it = tried.get(key, _NEVER)
                    tried[key] = Tried(before_it.attempts + attempts, before_it.passes or carried.passes)
        uses, named = Uses(forward, backward, replying), NamedRules(table)
        return Usage(joined, kinds, uses, uncarried, sides, tried=tried, named=named)

    def _carried(self, way: Way) -> Carried:
        """Return what carries a connection from one end to another, at both of them and in between."""
        source, target, pair, middle, provider = way
        traffic, kind = traffic_of(*pair), self._traffic_kinds.kind(*pair)
        out = self._at_end(source, "egress", target, traffic, kind, provider)
        into = self._at_end(target, "ingress", source, traffic, kind, provider)
        found = out.with_rules_of(into, passes=out.passes and into.passes)
        for name in middle:
            for interface in self._named.get((provider, name), ()):
                taken = self._at(interface, "ingress", source, traffic, kind)
                given = self._at(interface, "egress", target, traffic, kind)
                found = found.with_rules_of(taken, passes=found.passes).with_rules_of(given, passes=found.passes)
        for node in self._before(target, traffic).nodes:
            given = self._at(node, "egress", target, traffic, kind)
            found = found.with_rules_of(given, passes=found.passes)
        return found

    def _formerly(self, way: Way) -> frozenset[RuleKey]:
        """Return the rules that may have carried what nothing carries today.

        Since then an end may have been given other groups, or its address to somebody else.
        """
        source, target, pair, _, provider = way
        traffic, kind = traffic_of(*pair), self._traffic_kinds.kind(*pair)
        found: set[RuleKey] = set()
        ends: tuple[tuple[End, Direction, End], ...] = ((source, "egress", target), (target, "ingress", source))
        for end, direction, other in ends:
            if not end.interface or self._at_end(end, direction, other, traffic, kind, provider).passes:
                continue
            interface = self._estate.interfaces[end.interface]
            anybody = Other(_addresses(other.address), groups=_ANYBODY)
            carried = self._carriers.at(interface, direction, anybody, traffic, (kind, self._standing(interface)))
            found |= carried.rules
            if not carried.passes:
                place = (interface.network or "", interface.provider, direction)
                key = (*place, self._position(other.address), bool(anybody.addresses), kind)
                known = self._anywhere.get(key)
                if known is None:
                    network, own, way_in = place
                    known = self._carriers.anywhere(network, own, way_in, anybody, traffic).rules
                    self._anywhere[key] = known
                found |= known
        return frozenset(found)

    def _before(self, end: End, traffic: Traffic) -> Before:
        """Return what may stand before an end and hand it connections under the addresses of its own clients."""
        return before(self._estate.interfaces[end.interface], traffic, self._estate) if end.interface else Before()

    def _at_end(
        self, end: End, direction: Direction, other: End, traffic: Traffic, kind: Kind, provider: str
    ) -> Carried:
        """Return what carries a connection at one of its ends: wherever it is not known who it is, at anybody."""
        interfaces = self._estate.interfaces
        if end.interface:
            return self._at(interfaces[end.interface], direction, other, traffic, kind)
        if end.kind not in _UNSURE:
            return Carried()
        if end.candidates:
            each = [self._at(interfaces[name], direction, other, traffic, kind) for name in end.candidates]
        else:
            each = [
                self._carriers.anywhere(end.network, provider, direction, seen, traffic) for seen in self._seen(other)
            ]
        found = each[0]
        for more in each[1:]:
            found = found.with_rules_of(more, passes=found.passes or more.passes)
        return found

    def _at(self, interface: Interface, direction: Direction, other: End, traffic: Traffic, kind: Kind) -> Carried:
        """Return what carries a connection at an interface; ends that rules treat alike share an answer."""
        key = (self._standing(interface), direction, self._party(other), kind)
        known = self._known.get(key)
        if known is None:
            alike = (kind, key[0])
            others = self._seen(other)
            groups = before(interface, traffic, self._estate).groups if direction == "ingress" else frozenset[str]()
            if groups:
                others = [*others, Other(_addresses(other.address), groups=groups)]
            each = [self._carriers.at(interface, direction, seen, traffic, alike) for seen in others]
            known = each[0]
            for more in each[1:]:
                known = known.with_rules_of(more, passes=known.passes or more.passes)
            self._known[key] = known
        return known

    def _seen(self, end: End) -> list[Other]:
        """Return an end as the rules of another one may see it."""
        known = self._others.get(end)
        if known is None:
            known = self._others[end] = self._as_seen(end)
        return known

    def _as_seen(self, end: End) -> list[Other]:
        addresses = _addresses(end.address)
        if end.interface:
            return [Other(addresses, self._estate.interfaces[end.interface])]
        if end.kind not in _UNSURE and end.kind != "beyond":
            return [Other(addresses)]
        candidates = [Other(addresses, self._estate.interfaces[name]) for name in end.candidates]
        return [*candidates, Other(addresses, groups=_ANYBODY)]

    def _party(self, end: End) -> Hashable:
        """Return what is equal for all ends that rules treat alike."""
        known = self._parties.get(end)
        if known is None:
            known = self._parties[end] = self._as_party(end)
        return known

    def _as_party(self, end: End) -> Hashable:
        place = self._position(end.address)
        if end.interface:
            return (*self._standing(self._estate.interfaces[end.interface]), place)
        candidates = tuple(self._standing(self._estate.interfaces[name]) for name in end.candidates)
        return end.kind, end.network, candidates, place

    def _standing(self, interface: Interface) -> tuple[int, str | None]:
        # What stands in one subnet meets no list at its boundary, whatever class it is of.
        return self._reach.number_of(interface.id), interface.subnet

    def _position(self, address: str) -> int:
        try:
            return self._reach.ground.line.position(*parse_address(address))
        except ParseError:
            return -1

    @cached_property
    def _named(self) -> Mapping[tuple[str, str], Sequence[Interface]]:
        return reporter_names(self._estate)


def _kinds(rows: Numbers, parts: Sequence[Numbers]) -> Kinds:
    """Return the kinds of some conversations, which are those that agree in all parts."""
    of_row = np.full(len(parts[0]), -1, dtype=np.int64)
    if not len(rows):
        return Kinds(of_row, np.zeros(0, dtype=np.int64))
    codes, first = combined([part[rows] for part in parts])
    of_row[rows] = codes
    return Kinds(of_row, rows[first])


def _addresses(text: str) -> AddressSet:
    try:
        return AddressSet.parse(text) if _is_address(text) else NO_ADDRESSES
    except ParseError:
        return NO_ADDRESSES


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except ParseError:
        return False
    return True


def _note(found: Mapping[RuleKey, list[int]], keys: frozenset[RuleKey], kind: int) -> None:
    for key in keys:
        found[key].append(kind)


def _pairs(table: Columns, column: str) -> Factor:
    """Return protocol and port of each conversation as numbers."""
    values: list[Any] = table.column(column).tolist()
    ports = [None if port is None or port < 0 else int(port) for port in values]
    return numbers_of(list(zip(table.column("protocol").tolist(), ports, strict=True)))


def _tuples(column: NDArray[Any]) -> list[tuple[str, ...]]:
    """Return a column of lists as values that can be told apart."""
    return [() if each is None or not len(each) else tuple(each) for each in column.tolist()]
