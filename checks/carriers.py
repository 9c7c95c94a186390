"""Which rules admit what passes between parts of an estate, and for how many of the pairs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.passage import pipeline_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cloudseg.checks.parts import Indexes, Units, Weights
    from cloudseg.model import Direction, Rule, RuleSet
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Carrier", "Carriers"]

_SHOWN: Final = 3
_LISTS: Final = 3
"""Rules are looked for in so many lists, those that judge most of what passes."""
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
        named: by rule and unit, whether its other end names the unit at most.
    """

    rules: tuple[Rule, ...]
    traffics: tuple[Traffic, ...]
    traffic: Indexes
    named: NDArray[np.bool_]

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
        self._tables: dict[str, _Table] = {}

    def lists_of(self, unit: int) -> tuple[str, ...]:
        """Return the lists of allowing rules that judge the interfaces of a unit at this end, by qualified id."""
        estate = self._estate
        interface = estate.interfaces[self._units.all[unit].members[0]]
        pipeline = pipeline_of(interface, estate)
        stages = () if pipeline is None else pipeline.stages(self._direction)
        return tuple(judge.id for stage in stages if stage.stateful for judge in estate.judging(interface, stage.name))

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
        heaviest = sorted(by_list, key=lambda name: (-int(by_list[name].sum()), name))[:_LISTS]
        found: list[Carrier] = []
        for name in heaviest:
            table = self._table(name)
            for place in table.sharing(traffic):
                admitted = by_list[name][table.named[place, run]]
                count = int(admitted.max(initial=0) if outside else admitted.sum())
                if count:
                    found.append(Carrier(self._estate.rule_sets[name], table.rules[place], count))
        return tuple(sorted(found, key=lambda each: (-each.pairs, each.rule_set.id, each.rule.id))[:_SHOWN])

    def _table(self, name: str) -> _Table:
        """Return the allowing rules of a list, with what they carry and whom they name."""
        known = self._tables.get(name)
        if known is None:
            if len(self._tables) >= _KEPT:
                self._tables.clear()
            listed = self._estate.rule_sets[name].rules
            rules = tuple(rule for rule in listed if rule.allows and rule.direction == self._direction)
            numbers: dict[Traffic, int] = {}
            traffic = np.array([numbers.setdefault(rule.traffic, len(numbers)) for rule in rules], dtype=np.intp)
            named = np.array([self._units.named(rule.remote) for rule in rules], dtype=bool)
            known = self._tables[name] = _Table(rules, tuple(numbers), traffic, named)
        return known


@lru_cache(maxsize=65536)
def _share(one: Traffic, other: Traffic) -> bool:
    return one.overlaps(other)
