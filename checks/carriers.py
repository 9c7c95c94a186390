"""Which rules admit what passes between parts of an estate, and for how many of the pairs."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.near_ends import NearEnds
from cloudseg.reach.passage import pipeline_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from cloudseg.checks.parts import Flags, Indexes, Units, Weights
    from cloudseg.model import Direction, Interface, Rule, RuleSet
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Carrier", "Carriers"]

_SHOWN: Final = 3
_LISTS: Final = 3
"""Rules are looked for in so many lists, those that judge most of what passes."""
_NEAR: Final = "\x1f"
"""What stands in names of lists before what tells near ends apart."""
_KEPT: Final = 64
"""The rules of so many lists are kept at hand."""


class Carrier(NamedTuple):
    """A rule that admits some of what passes.

    Attributes:
        rule_set: the list in which it stands.
        rule: the rule.
        pairs: for how many of the pairs it admits some of it, at its own end.
    """

    rule_set: RuleSet
    rule: Rule
    pairs: int


class _Table(NamedTuple):
    """The allowing rules of a list.

    Attributes:
        rules: the rules.
        traffics: what they carry, each once.
        traffic: for each rule its place in ``traffics``.
        named: for each rule, by unit whether its other end names the unit at most.
    """

    rules: tuple[Rule, ...]
    traffics: tuple[Traffic, ...]
    traffic: Indexes
    named: Sequence[Flags]

    def sharing(self, traffic: Traffic) -> list[int]:
        """Return the places of the rules that carry some of the traffic."""
        if not self.rules:
            return []
        shared = np.array([_share(each, traffic) for each in self.traffics], dtype=bool)
        return np.flatnonzero(shared[self.traffic]).tolist()


class Carriers:
    """Looks up the rules at one end.

    Args:
        reach: reachability of the estate.
        units: its ends.
        direction: ``ingress`` for the rules of those who are reached, ``egress`` for those who reach out.
    """

    def __init__(self, reach: Reachability, units: Units, direction: Direction) -> None:
        self._estate = reach.estate
        self._units = units
        self._direction: Direction = direction
        self._stages = {each.name: each for line in reach.estate.pipelines.values() for each in line.stages(direction)}
        self._tables: dict[str, _Table] = {}
        self._near = NearEnds(reach.estate)
        self._places: dict[tuple[str, Hashable], int] = {}
        self._narrowed: dict[str, tuple[Rule, ...]] = {}

    def lists_of(self, unit: int) -> tuple[str, ...]:
        """Return the lists of allowing rules that judge the interfaces of a unit at this end, by name.

        The name is the list's qualified id, and says besides for which near ends it is where these differ.
        """
        estate = self._estate
        interface = estate.interfaces[self._units.all[unit].members[0]]
        pipeline = pipeline_of(interface, estate)
        stages = () if pipeline is None else pipeline.stages(self._direction)
        return tuple(
            self._named(judge, interface)
            for stage in stages
            if stage.stateful
            for judge in estate.judging(interface, stage.name)
        )

    def _named(self, judge: RuleSet, interface: Interface) -> str:
        """Return the name of a list as it judges an interface: its id, and behind it what tells its near ends apart."""
        place = self._near.place(judge, interface)
        if place is None:
            return judge.id
        number = self._places.setdefault((judge.id, place), len(self._places))
        name = f"{judge.id}{_NEAR}{number}"
        if name not in self._narrowed:
            self._narrowed[name] = tuple(self._near.of(judge, interface))
        return name

    def most(
        self, weights: Mapping[tuple[str, ...], Weights], run: slice, traffic: Traffic, *, outside: bool = False
    ) -> tuple[Carrier, ...]:
        """Return the rules that admit most of some traffic.

        Args:
            weights: by the lists that judge together, for each unit at the far end how many pairs pass anything.
            run: the units at the far end that count.
            traffic: what passes.
            outside: these are outside addresses: pairs are then those with the address that counts most.
        """
        by_list: dict[str, Weights] = {}
        for lists, each in weights.items():
            if each[run].any():
                for name in lists:
                    by_list[name] = by_list[name] + each[run] if name in by_list else each[run]
        weight: Counter[str] = Counter()
        for name, each in by_list.items():
            weight[_id_of(name)] += int(each.sum())
        heaviest = sorted(weight, key=lambda name: (-weight[name], name))[:_LISTS]
        # A rule counts for all the near ends that it is for.
        rules: dict[tuple[str, str, int], Rule] = {}
        admitted: dict[tuple[str, str, int], Weights] = {}
        for name in (name for name in by_list if _id_of(name) in heaviest):
            table = self._table(name)
            alike: Counter[str] = Counter()
            places = table.sharing(traffic)
            named = [table.named[place][run] for place in places]
            for place, share in zip(places, by_list[name] * np.array(named) if named else (), strict=True):
                rule = table.rules[place]
                alike[rule.id] += 1
                key = (_id_of(name), rule.id, alike[rule.id])
                rules[key] = rule
                admitted[key] = admitted[key] + share if key in admitted else share
        found = [
            Carrier(self._estate.rule_sets[key[0]], rules[key], int(each.max(initial=0) if outside else each.sum()))
            for key, each in admitted.items()
        ]
        told = [each for each in found if each.pairs]
        return tuple(sorted(told, key=lambda each: (-each.pairs, each.rule_set.id, each.rule.id))[:_SHOWN])

    def _table(self, name: str) -> _Table:
        """Return the allowing rules of a list, with what they carry and whom they name."""
        known = self._tables.get(name)
        if known is None:
            if len(self._tables) >= _KEPT:
                self._tables.clear()
            rule_set = self._estate.rule_sets[_id_of(name)]
            listed = self._narrowed.get(name, rule_set.rules)
            stage = self._stages.get(rule_set.stage)
            rules = tuple(
                rule
                for rule in listed
                if rule.allows and rule.direction == self._direction and not (stage and stage.hands_on(rule))
            )
            numbers: dict[Traffic, int] = {}
            traffic = np.array([numbers.setdefault(rule.traffic, len(numbers)) for rule in rules], dtype=np.intp)
            named = [self._units.named(rule.remote) for rule in rules]
            known = self._tables[name] = _Table(rules, tuple(numbers), traffic, named)
        return known


def _id_of(name: str) -> str:
    return name.partition(_NEAR)[0]


@lru_cache(maxsize=65536)
def _share(one: Traffic, other: Traffic) -> bool:
    return one.overlaps(other)
