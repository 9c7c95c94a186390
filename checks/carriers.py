"""Which rules admit what passes between parts of an estate, and for how many of the pairs."""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

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


class _Version(NamedTuple):
    """A rule as it concerns some near ends.

    Attributes:
        named: which units at the far end it names at most.
        places: the lists that judge together in which it stands, by their places.
    """

    named: Flags
    places: list[int]


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
        self._known: defaultdict[tuple[str, Traffic], dict[int, Flags | None]] = defaultdict(dict)
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
        judged = np.array([each[run] for each in weights.values()]).reshape(len(weights), run.stop - run.start)
        totals: list[int] = judged.sum(axis=1).tolist()
        places: defaultdict[str, list[int]] = defaultdict(list)
        weight: Counter[str] = Counter()
        for place, names in enumerate(weights):
            for name in names if totals[place] else ():
                places[name].append(place)
                weight[_id_of(name)] += totals[place]
        heaviest = sorted(weight, key=lambda name: (-weight[name], name))[:_LISTS]
        # A rule counts for all the near ends that it is for; as it concerns some of them it may name others.
        rules: dict[_Key, Rule] = {}
        versions: defaultdict[_Key, dict[int, _Version]] = defaultdict(dict)
        for name, own in places.items():
            rule_set = _id_of(name)
            if rule_set not in heaviest:
                continue
            alike: dict[str, int] = {}
            for rule, flags in self._sharing(name, traffic):
                number = alike[rule.id] = alike.get(rule.id, 0) + 1
                key = (rule_set, rule.id, number)
                rules[key] = rule
                of_rule = versions[key]
                if id(rule) in of_rule:
                    of_rule[id(rule)].places.extend(own)
                else:
                    of_rule[id(rule)] = _Version(flags[run], [*own])
        return self._heaviest(rules, versions, judged, totals, outside=outside)

    def _heaviest(
        self,
        rules: Mapping[_Key, Rule],
        versions: Mapping[_Key, Mapping[int, _Version]],
        judged: NDArray[np.int64],
        totals: Sequence[int],
        *,
        outside: bool,
    ) -> tuple[Carrier, ...]:
        """Return the rules that admit most: those that may are looked at first, until no other can admit as much.

        Args:
            rules: the rules.
            versions: as they concern their near ends.
            judged: by lists that judge together, for each unit at the far end how many pairs pass anything.
            totals: the sums of these.
            outside: pairs are those with the address that counts most.
        """
        at_most = {
            key: sum(totals[place] for version in own.values() for place in version.places)
            for key, own in versions.items()
        }
        order = {key: number for number, key in enumerate(versions)}
        found: list[tuple[int, str, str, int, _Key]] = []
        for key in sorted(versions, key=lambda key: -at_most[key]):
            if len(found) >= _SHOWN and at_most[key] < -found[_SHOWN - 1][0]:
                break
            each = [judged[version.places].sum(axis=0) * version.named for version in versions[key].values()]
            admitted: NDArray[np.int64] = np.sum(each, axis=0)
            pairs = int(admitted.max(initial=0) if outside else admitted.sum())
            if pairs:
                insort(found, (-pairs, key[0], key[1], order[key], key))
        return tuple(Carrier(self._estate.rule_sets[key[0]], rules[key], -less) for less, *_, key in found[:_SHOWN])

    def _sharing(self, name: str, traffic: Traffic) -> Iterator[tuple[Rule, Flags]]:
        """Yield the allowing rules of a list that carry some of the traffic, with the units that they name at most."""
        rule_set = self._estate.rule_sets[_id_of(name)]
        # Rules live as long as the lists that they stand in, those worked out for near ends included.
        known = self._known[rule_set.stage, traffic]
        for rule in self._narrowed.get(name, rule_set.rules):
            if id(rule) not in known:
                carries = self._admits(rule_set, rule) and _share(rule.traffic, traffic)
                known[id(rule)] = self._units.named(rule.remote) if carries else None
            flags = known[id(rule)]
            if flags is not None:
                yield rule, flags

    def _admits(self, rule_set: RuleSet, rule: Rule) -> bool:
        stage = self._stages.get(rule_set.stage)
        return rule.allows and rule.direction == self._direction and not (stage and stage.hands_on(rule))


def _id_of(name: str) -> str:
    return name.partition(_NEAR)[0]


@lru_cache(maxsize=65536)
def _share(one: Traffic, other: Traffic) -> bool:
    return one.overlaps(other)
