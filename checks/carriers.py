"""Which rules admit what passes between parts of an estate, and for how many of the pairs."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from cloudseg.checks.parts import Flags, Units, Weights
    from cloudseg.model import Direction, Interface, Rule, RuleSet
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Carrier", "Carriers"]

_SHOWN: Final = 3
_LISTS: Final = 3
"""Rules are looked for in so many lists, those that judge most of what passes."""
_NEAR: Final = "\x1f"
"""What stands in names of lists before what tells near ends apart."""


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


_Key = tuple[str, str, int]
"""What a rule is counted under: its list, its id, and which one it is of those with this id that carry the traffic."""


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
        self._known: dict[tuple[str, int], Flags | None] = {}
        self._met, self._near = reach.met, reach.near
        self._judging: dict[int, tuple[RuleSet, ...]] = {}
        self._places: dict[tuple[str, Hashable], int] = {}
        self._narrowed: dict[str, tuple[Rule, ...]] = {}

    def lists_of(self, unit: int) -> tuple[str, ...]:
        """Return the lists of allowing rules that judge the interfaces of a unit at this end, by name.

        The name is the list's qualified id, and says besides for which near ends it is where these differ.
        """
        interface = self._estate.interfaces[self._units.all[unit].members[0]]
        met = self._met.by(interface)
        judges = self._judging.get(met.number)
        if judges is None:
            judges = self._judging[met.number] = tuple(
                judge
                for meeting in met.of(self._direction)
                if meeting.stage.stateful
                for judge in self._estate.judging(interface, meeting.stage.name)
            )
        return tuple([self._named(judge, interface) for judge in judges])

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
        by_list = _weights_of_lists(weights, run)
        weight: Counter[str] = Counter()
        for name, each in by_list.items():
            weight[_id_of(name)] += int(each.sum())
        heaviest = sorted(weight, key=lambda name: (-weight[name], name))[:_LISTS]
        # A rule counts for all the near ends that it is for; as it concerns some of them it may name others.
        rules: dict[_Key, Rule] = {}
        versions: defaultdict[_Key, dict[int, int]] = defaultdict(dict)
        named: list[Flags] = []
        rows: dict[str, list[int]] = {}
        for name in by_list:
            rule_set = _id_of(name)
            if rule_set not in heaviest:
                continue
            rows[name] = []
            alike: Counter[str] = Counter()
            for rule, flags in self._sharing(name, traffic):
                alike[rule.id] += 1
                key = (rule_set, rule.id, alike[rule.id])
                rules[key] = rule
                row = versions[key].setdefault(id(rule), len(named))
                if row == len(named):
                    named.append(flags[run])
                rows[name].append(row)
        judged = np.zeros((len(named), run.stop - run.start), dtype=np.int64)
        for name, places in rows.items():
            judged[places] += by_list[name]
        found: list[Carrier] = []
        for key, own in versions.items():
            places = [*own.values()]
            admitted = (judged[places] * [named[place] for place in places]).sum(axis=0)
            pairs = int(admitted.max(initial=0) if outside else admitted.sum())
            found.append(Carrier(self._estate.rule_sets[key[0]], rules[key], pairs))
        told = [each for each in found if each.pairs]
        return tuple(sorted(told, key=lambda each: (-each.pairs, each.rule_set.id, each.rule.id))[:_SHOWN])

    def _sharing(self, name: str, traffic: Traffic) -> Iterator[tuple[Rule, Flags]]:
        """Yield the allowing rules of a list that carry some of the traffic, with the units that they name at most."""
        rule_set = self._estate.rule_sets[_id_of(name)]
        for rule in self._narrowed.get(name, rule_set.rules):
            # Rules live as long as the lists that they stand in, those worked out for near ends included.
            key = (rule_set.stage, id(rule))
            if key not in self._known:
                self._known[key] = self._units.named(rule.remote) if self._admits(rule_set, rule) else None
            flags = self._known[key]
            if flags is not None and _share(rule.traffic, traffic):
                yield rule, flags

    def _admits(self, rule_set: RuleSet, rule: Rule) -> bool:
        stage = self._stages.get(rule_set.stage)
        return rule.allows and rule.direction == self._direction and not (stage and stage.hands_on(rule))


def _weights_of_lists(weights: Mapping[tuple[str, ...], Weights], run: slice) -> dict[str, Weights]:
    """Return for each list for how many pairs it judges, by unit at the far end, out of those that judge together."""
    found: dict[str, Weights] = {}
    for lists, each in weights.items():
        part = each[run]
        for name in lists if part.any() else ():
            if name in found:
                found[name] += part
            else:
                found[name] = part.copy()
    return found


def _id_of(name: str) -> str:
    return name.partition(_NEAR)[0]


@lru_cache(maxsize=65536)
def _share(one: Traffic, other: Traffic) -> bool:
    return one.overlaps(other)
