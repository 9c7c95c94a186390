"""Which rules may carry a connection at somebody of whom not more is known than the network."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ANYONE, GroupRef, Stage
from cloudseg.observed.narrowing import Narrowed
from cloudseg.observed.rule_keys import RuleKey
from cloudseg.reach.explaining.rules import Lists, judge
from cloudseg.reach.packets import outside_addresses

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from cloudseg.model import Direction, Estate, Interface, Peer, Rule, RuleSet
    from cloudseg.reach.explaining.rules import Other
    from cloudseg.traffic import Traffic

__all__ = ["Anywhere"]

_AT_MOST: Final = Stage(name="at-most", at="interface", stateful=True, match="any", miss="deny")


class _Named(NamedTuple):
    """Rules that name the same other ends.

    Attributes:
        rule_set: the list of one of them, with this rule alone.
        keys: all of them.
        by_address: they name addresses, so that it matters which one an end bears.
    """

    rule_set: RuleSet
    keys: frozenset[RuleKey]
    by_address: bool


class _Open(NamedTuple):
    """What may carry one kind of traffic at anybody of a network, in one direction.

    Attributes:
        named: the rules, by whom they name.
        narrowed: what they tell apart.
        answers: what is known of other ends.
    """

    named: Sequence[_Named]
    narrowed: Narrowed
    answers: dict[Hashable, frozenset[RuleKey]]


class Anywhere:
    """Says which rules may carry connections at anybody of a network.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._rules: dict[Hashable, Mapping[Traffic, Sequence[tuple[RuleSet, Rule]]]] = {}
        self._open: dict[Hashable, _Open] = {}
        self._groups_match: dict[Hashable, bool] = {}

    def rules(
        self, place: tuple[str, str], direction: Direction, other: Other, traffic: Traffic, kind: Hashable
    ) -> frozenset[RuleKey]:
        """Return the rules that may let packets through.

        Args:
            place: qualified id of the network, empty where not even that is known, and its provider.
            direction: of the packets, seen from whoever stands there.
            other: the other end.
            traffic: the packets.
            kind: what is equal for traffic that no rule tells apart.
        """
        stand_in = other.interface or next(iter(self._estate.interfaces.values()), None)
        if stand_in is None:
            return frozenset()
        chosen = (place, direction, kind)
        known = self._open.get(chosen)
        if known is None:
            known = self._open[chosen] = self._opened(place, direction, traffic)
        far = known.narrowed.far(other)
        found = known.answers.get(far)
        if found is None:
            each = (own.keys for own in known.named if self._matches(own, direction, other, traffic, stand_in))
            found = known.answers[far] = frozenset[RuleKey]().union(*each)
        return found

    def _opened(self, place: tuple[str, str], direction: Direction, traffic: Traffic) -> _Open:
        """Return the rules of one kind of traffic."""
        by_remote: defaultdict[tuple[Peer, ...], list[tuple[RuleSet, Rule]]] = defaultdict(list)
        for own, rules in self._of_place(place, direction).items():
            if own.overlaps(traffic):
                for rule_set, rule in rules:
                    by_remote[rule.remote].append((rule_set, rule))
        named: list[_Named] = []
        for remote, rules in by_remote.items():
            rule_set, rule = rules[0]
            alone = msgspec.structs.replace(rule_set, rules=(msgspec.structs.replace(rule, local=ANYONE),))
            keys = frozenset(RuleKey(each.id, direction, rule.id) for each, rule in rules)
            named.append(_Named(alone, keys, bool(outside_addresses(remote, self._estate)[1])))
        lists = tuple(each.rule_set for each in named)
        return _Open(tuple(named), Narrowed(lists, self._estate), {})

    def _of_place(
        self, place: tuple[str, str], direction: Direction
    ) -> Mapping[Traffic, Sequence[tuple[RuleSet, Rule]]]:
        """Return the allowing rules of all lists that may judge anybody of a network, by their traffic."""
        known = self._rules.get((place, direction))
        if known is None:
            network, provider = place
            found: defaultdict[Traffic, list[tuple[RuleSet, Rule]]] = defaultdict(list)
            for _, rule_set in sorted(self._estate.rule_sets.items()):
                if network and rule_set.network not in {None, network}:
                    continue
                if not network and rule_set.provider != provider:
                    continue
                for rule in rule_set.rules:
                    if rule.direction == direction and rule.allows:
                        found[rule.traffic].append((rule_set, rule))
            known = self._rules[place, direction] = dict(found)
        return known

    def _matches(self, own: _Named, direction: Direction, other: Other, traffic: Traffic, stand_in: Interface) -> bool:
        """Tell whether rules may name an end."""
        if own.by_address or other.interface is not None:
            return self._judged(own, direction, other, traffic, stand_in)
        # Of an end that is no interface the address alone differs, and these do not ask for it.
        remote = own.rule_set.rules[0].remote
        key = (remote, other.grouped, other.groups)
        known = self._groups_match.get(key)
        if known is None:
            known = self._groups_match[key] = self._judged(own, direction, other, traffic, stand_in)
        return known

    def _judged(self, own: _Named, direction: Direction, other: Other, traffic: Traffic, stand_in: Interface) -> bool:
        rule = own.rule_set.rules[0]
        groups = frozenset(peer.group for peer in rule.remote if isinstance(peer, GroupRef))
        if not groups and not outside_addresses(rule.remote, self._estate)[1].overlaps(other.addresses):
            return False
        # Who may belong to any group may belong to those that the rule names.
        seen = other._replace(groups=groups) if other.groups else other
        lists = Lists(_AT_MOST, direction, (own.rule_set,), stand_in)
        return bool(judge(lists, seen, traffic, self._estate).admitting)
