"""What carries connections from one end to another, asked once for ends and traffic that no rule tells apart."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.observed.balancers import before
from cloudseg.observed.called import reporter_names
from cloudseg.observed.carrying import Carriers
from cloudseg.observed.columns_of import combined
from cloudseg.observed.judging import Carried
from cloudseg.observed.kinds_of_traffic import TrafficKinds, traffic_of
from cloudseg.observed.narrowing import Across
from cloudseg.observed.parties import Parties
from cloudseg.observed.passing import Borne
from cloudseg.reach.explaining.rules import Other

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.model import Direction, Estate, Interface
    from cloudseg.observed.columns_of import Numbers
    from cloudseg.observed.ends import End
    from cloudseg.observed.judging import Kind, Met
    from cloudseg.observed.parties import Own
    from cloudseg.observed.passing import Pair, Way
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Ways"]

_NOTHING: Final = 0
"""The number of what carries nothing and stops nothing."""


class Ways:
    """Says what carries connections.

    Args:
        ends: the ends.
        reach: the reachability of the estate.
        estate: the estate.
        middles: who reported conversations in between, by number.
        providers: whose logs showed them, by number.

    Attributes:
        answers: what carries connections, by number.
    """

    def __init__(
        self,
        ends: Sequence[End],
        reach: Reachability,
        estate: Estate,
        middles: Sequence[tuple[str, ...]],
        providers: Sequence[str],
    ) -> None:
        self._ends, self._estate, self._middles, self._providers = ends, estate, middles, providers
        self._parties = Parties(ends, reach, estate)
        self._carriers = Carriers(estate)
        self._kinds = TrafficKinds(_told_apart(estate))
        self._pairs: list[tuple[Traffic, Kind]] = []
        self._kind_numbers: dict[Kind, int] = {}
        self.answers: list[Carried] = [Carried()]
        self._numbers: dict[Carried, int] = {Carried(): _NOTHING}
        self._doors: dict[tuple[int, Direction, int], _Door] = {}

    def traffic(self, pair: Pair) -> int:
        """Return the number of traffic: equal where no rule tells it apart."""
        kind = self._kinds.kind(*pair)
        known = self._kind_numbers.get(kind)
        if known is None:
            known = self._kind_numbers[kind] = len(self._pairs)
            self._pairs.append((traffic_of(*pair), kind))
        return known

    def parties(self, ends: Numbers) -> Numbers:
        """Return numbers of what rules see of ends: equal where they see the same."""
        found: Numbers = self._parties.party[ends]
        return found

    def carried(self, ways: Way) -> Borne:
        """Return what carries connections, at both of their ends and in between."""
        out, into = (self._at_ends(*each, ways) for each in _sides(ways))
        passes = np.array([each.passes for each in self.answers], dtype=np.bool_)
        return Borne(out, into, self._between(ways), passes[out] & passes[into])

    def formerly(self, ways: Way, found: Borne) -> list[tuple[Numbers, Numbers]]:
        """Return what may have carried what nothing carries today: places among the ways, and numbers of answers.

        Since then an end may have been given other groups, or its address to somebody else.
        """
        known = np.array([bool(end.interface) for end in self._ends], dtype=np.bool_)
        passes = np.array([each.passes for each in self.answers], dtype=np.bool_)
        told: list[tuple[Numbers, Numbers]] = []
        for (own, direction, other), answers in zip(_sides(ways), (found.out, found.into), strict=True):
            rows = np.flatnonzero(known[own] & ~passes[answers])
            part = ways.at(rows)
            strangers = self._parties.strangers(other[rows])
            owns = self._parties.owns(own[rows], part.providers, self._providers)
            codes = self._asked(owns, direction, strangers, part.traffic, stranger=True)
            told.append((rows, codes))
            open_ = np.flatnonzero(~np.array([each.passes for each in self.answers], dtype=np.bool_)[codes])
            places = [self._place_of(self._parties.own[each]) for each in range(len(self._parties.own))]
            owns = np.array(places, dtype=np.int64)[owns[open_]]
            told.append(
                (rows[open_], self._asked(owns, direction, strangers[open_], part.traffic[open_], stranger=True))
            )
        return told

    def _place_of(self, own: Own) -> int:
        """Return the number of anybody in the network of an end."""
        if len(own.interfaces) != 1:
            return _NOTHING
        return self._parties.anywhere(own.interfaces[0].network or "", own.interfaces[0].provider)

    def _at_ends(self, own: Numbers, direction: Direction, other: Numbers, ways: Way) -> Numbers:
        """Return what carries connections at one of their ends: wherever it is not known who it is, at anybody."""
        owns = self._parties.owns(own, ways.providers, self._providers)
        return self._asked(owns, direction, self._parties.party[other], ways.traffic)

    def _asked(
        self, owns: Numbers, direction: Direction, parties: Numbers, traffic: Numbers, *, stranger: bool = False
    ) -> Numbers:
        if not len(owns):
            return np.zeros(0, dtype=np.int64)
        codes, first = combined([owns, traffic, parties])
        columns = (each[first].tolist() for each in (owns, traffic, parties))
        answer = partial(self._answer, direction=direction, stranger=stranger)
        answers = list(map(answer, *columns))
        return np.array(answers, dtype=np.int64)[codes]

    def _answer(self, own: int, traffic: int, party: int, *, direction: Direction, stranger: bool = False) -> int:
        """Return the number of what carries a kind of connection at an end."""
        door = self._doors.get((own, direction, traffic))
        if door is None:
            door = self._doors[own, direction, traffic] = self._door(own, direction, traffic)
        if door.place is None and not door.met:
            return _NOTHING
        across = self._parties.across(party)
        if len(across) == 1 and len(door.met) == 1 and not door.groups[0]:
            return self._number(self._carriers.across(door.met[0], across[0]))
        each = (
            self._everywhere(door, across, only_rules=stranger)
            if door.place
            else self._of(door, across, stranger=stranger)
        )
        found = each[0]
        for more in each[1:]:
            found = found.with_rules_of(more, passes=found.passes or more.passes)
        return self._number(found)

    def _everywhere(self, door: _Door, across: Sequence[Across], *, only_rules: bool) -> list[Carried]:
        place = door.place or ("", "")
        if only_rules:
            return [
                Carried(self._carriers.admitting(place, door.direction, each.other, door.traffic, door.kind))
                for each in across
            ]
        return [self._carriers.anywhere(place, door.direction, each.other, door.traffic, door.kind) for each in across]

    def _of(self, door: _Door, across: Sequence[Across], *, stranger: bool) -> list[Carried]:
        found: list[Carried] = []
        for met, groups in zip(door.met, door.groups, strict=True):
            found += [self._carriers.across(met, each) for each in across]
            if groups and not stranger:
                # What stands before it hands connections on under the addresses of its own clients.
                seen = Other(across[0].other.addresses, groups=groups)
                found.append(self._carriers.across(met, Across.of(seen, self._estate)))
        return found

    def _door(self, own: int, direction: Direction, number: int) -> _Door:
        end = self._parties.own[own]
        traffic, kind = self._pairs[number]
        place = None if end.network is None else (end.network, end.provider)
        met = [
            self._carriers.met(each, direction, traffic, (kind, self._parties.standing(each)))
            for each in end.interfaces
        ]
        groups = [
            before(each, traffic, self._estate).groups if direction == "ingress" else frozenset[str]()
            for each in end.interfaces
        ]
        return _Door(direction, traffic, kind, place, tuple(met), tuple(groups))

    def _number(self, carried: Carried) -> int:
        known = self._numbers.get(carried)
        if known is None:
            known = self._numbers[carried] = len(self.answers)
            self.answers.append(carried)
        return known

    def _between(self, ways: Way) -> Numbers:
        """Return what carries connections in between: at who reported them there, and at load balancers."""
        found = np.zeros(len(ways.sources), dtype=np.int64)
        told = np.array([bool(each) for each in self._middles], dtype=np.bool_)[ways.middles]
        if self._estate.forwarders or self._estate.entrances:
            balanced = np.array([bool(end.interface) for end in self._ends], dtype=np.bool_)
            told |= balanced[ways.targets]
        for row in np.flatnonzero(told).tolist():
            found[row] = self._in_between(*(int(each[row]) for each in ways))
        return found

    def _in_between(self, source: int, target: int, number: int, middle: int, provider: int) -> int:
        traffic, _ = self._pairs[number]
        end = self._ends[target]
        asked: list[tuple[Interface, Direction, int]] = []
        for name in self._middles[middle]:
            for interface in self._named.get((self._providers[provider], name), ()):
                asked.append((interface, "ingress", source))
                asked.append((interface, "egress", target))
        if end.interface:
            nodes = before(self._estate.interfaces[end.interface], traffic, self._estate).nodes
            asked.extend((node, "egress", target) for node in nodes)
        found = Carried()
        for interface, direction, other in asked:
            own, party = self._parties.own_of(interface), int(self._parties.party[other])
            answer = self.answers[self._answer(own, number, party, direction=direction)]
            found = found.with_rules_of(answer, passes=True)
        return self._number(found)

    @cached_property
    def _named(self) -> Mapping[tuple[str, str], Sequence[Interface]]:
        return reporter_names(self._estate)


class _Door(NamedTuple):
    """Where one kind of connection is judged at an end.

    Attributes:
        direction: of requests, seen from the end.
        traffic: what they carry.
        kind: what is equal for traffic that no rule tells apart.
        place: network and provider where it may be anybody of these.
        met: what they meet at each whom it may be.
        groups: for each of these the groups of what stands before it.
    """

    direction: Direction
    traffic: Traffic
    kind: Kind
    place: tuple[str, str] | None
    met: tuple[Met, ...]
    groups: tuple[frozenset[str], ...]


def _sides(ways: Way) -> tuple[tuple[Numbers, Direction, Numbers], tuple[Numbers, Direction, Numbers]]:
    return (ways.sources, "egress", ways.targets), (ways.targets, "ingress", ways.sources)


def _told_apart(estate: Estate) -> Iterator[Traffic]:
    """Yield the traffic that anything in an estate tells from other traffic."""
    for rule_set in estate.rule_sets.values():
        yield from (rule.traffic for rule in rule_set.rules)
    for forwarder in estate.forwarders.values():
        yield from (each.traffic for each in forwarder.forwards)
    yield from (each.traffic for each in estate.entrances.values())
