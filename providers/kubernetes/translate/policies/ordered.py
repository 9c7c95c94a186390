"""Policies in a strict order, and what is not certain about it.

The rules of all policies of a tier are one list, in which the first match decides. Three things make it uncertain:

- Two policies bear the same priority: whichever matches may decide, and nobody can tell which. Where they would decide
  differently, each of the two rules decides perhaps.
- A rule that admits or denies and may match or not: the engine bounds that by itself.
- A rule that passes on to the next tier and may match or not: what comes later in its own tier decides instead. No
  bound of that rule alone covers both, so that what comes later is drawn in: before the rule, whatever a later one
  admits passes at most; and where a later one admits, it is certain only that the next tier is asked.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import Addresses, Everyone, GroupRef, Names, Unresolved, matches
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Peer, Rule, RuleSet, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.traffic import Traffic

__all__ = ["OrderedPolicy", "add_ordered"]

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


class OrderedPolicy(NamedTuple):
    """A policy of a tier.

    Attributes:
        item: the object.
        place: where it stands in its tier, lower first; of policies at the same place any may decide.
        frame: its rule set, without rules.
        rules: its rules, in its order.
    """

    item: Object
    place: tuple[float, ...]
    frame: RuleSet
    rules: tuple[Rule, ...]


class _Entry(NamedTuple):
    """A rule in its place, with the policy it belongs to."""

    policy: OrderedPolicy
    rule: Rule


def add_ordered(policies: Iterable[OrderedPolicy], draft: Draft) -> None:
    """Add the rule sets of a tier to a cluster.

    Args:
        policies: the policies of the tier, in any order.
        draft: the cluster.
    """
    ranked = sorted(policies, key=lambda each: (each.place, each.frame.id))
    reach = _Reach(draft)
    _note_ties(ranked, reach, draft)
    arranged: defaultdict[str, list[Rule]] = defaultdict(list)
    for direction in _DIRECTIONS:
        entries = [_Entry(policy, rule) for policy in ranked for rule in policy.rules if rule.direction == direction]
        doubted = _doubted(entries, reach, draft)
        settled = [part for number, each in enumerate(entries) for part in _parted(each, doubted.get(number))]
        for priority, each in enumerate(_settled(settled, reach), 1):
            rule = msgspec.structs.replace(each.rule, priority=priority)
            arranged[each.policy.frame.id].append(rule)
    for policy in ranked:
        rules = tuple(arranged[policy.frame.id])
        isolates = frozenset(rule.direction for rule in rules)
        draft.rule_sets[policy.frame.id] = msgspec.structs.replace(policy.frame, rules=rules, isolates=isolates)


class _Reach:
    """Which pods rules are about, as far as they were read."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._members: dict[Selector, frozenset[str]] = {}

    def near(self, each: _Entry) -> frozenset[str]:
        """Return the pods at whose side a rule stands."""
        own = self.chosen(each.policy.frame)
        if any(isinstance(peer, Everyone) for peer in each.rule.local):
            return own
        return own & frozenset[str]().union(*(self._of(peer) for peer in each.rule.local))

    def chosen(self, rule_set: RuleSet) -> frozenset[str]:
        """Return the pods that a rule set judges."""
        return self._selected(rule_set.applies)

    def meet(self, one: _Entry, other: _Entry) -> bool:
        """Tell whether two rules may match the same packet."""
        if not one.rule.traffic.overlaps(other.rule.traffic) or not self.near(one) & self.near(other):
            return False
        return any(self._overlap(mine, yours) for mine in one.rule.remote for yours in other.rule.remote)

    def _overlap(self, one: Peer, other: Peer) -> bool:
        if isinstance(one, GroupRef) and isinstance(other, GroupRef):
            return bool(self._of(one) & self._of(other))
        if isinstance(one, Addresses) and isinstance(other, Addresses):
            return one.addresses.overlaps(other.addresses)
        return True

    def _of(self, peer: Peer) -> frozenset[str]:
        group = self._draft.groups.get(peer.group) if isinstance(peer, GroupRef) else None
        return frozenset() if group is None else self._selected(group.selector)

    def _selected(self, selector: Selector) -> frozenset[str]:
        known = self._members.get(selector)
        if known is None:
            pods = self._draft.interfaces.items()
            known = self._members[selector] = frozenset(key for key, each in pods if matches(selector, each))
        return known


def _note_ties(ranked: Sequence[OrderedPolicy], reach: _Reach, draft: Draft) -> None:
    """Tell of policies at the same place that select the same pods, though they may decide alike."""
    for one, other in pairwise(ranked):
        if one.place == other.place and reach.chosen(one.frame) & reach.chosen(other.frame):
            same = f"{one.frame.kind} {one.item.name} and {other.frame.kind} {other.item.name} have the same priority"
            text = f"{same}, and select the same pods: where both match, any of them may decide"
            draft.ledger.notes.append(f"{other.item.where}{text}")


def _doubted(entries: Sequence[_Entry], reach: _Reach, draft: Draft) -> dict[int, Traffic]:
    """Return for which traffic rules may be passed over, since one of a policy at the same place decides otherwise."""
    places: defaultdict[tuple[float, ...], list[int]] = defaultdict(list)
    for number, each in enumerate(entries):
        places[each.policy.place].append(number)
    found: dict[int, Traffic] = {}
    for numbers in places.values():
        for number in numbers:
            for later in numbers:
                one, other = entries[number], entries[later]
                if (
                    number < later
                    and one.policy is not other.policy
                    and one.rule.verdict != other.rule.verdict
                    and reach.meet(one, other)
                ):
                    common = one.rule.traffic & other.rule.traffic
                    found |= {each: found.get(each, NO_TRAFFIC) | common for each in (number, later)}
                    _tell(one, other, draft)
                    _tell(other, one, draft)
    return found


def _parted(each: _Entry, doubted: Traffic | None) -> Iterator[_Entry]:
    """Yield a rule, or the part of it that decides perhaps and the part that does."""
    if doubted is None:
        yield each
        return
    yield _Entry(each.policy, msgspec.structs.replace(each.rule, traffic=doubted, exact=False))
    if rest := each.rule.traffic - doubted:
        name = f"{each.rule.id}.rest"
        yield _Entry(each.policy, msgspec.structs.replace(each.rule, id=name, traffic=rest))


def _tell(one: _Entry, other: _Entry, draft: Draft) -> None:
    rival = f"{other.policy.frame.kind} {other.policy.item.name}"
    detail = (
        f"{rival} has the same priority and decides otherwise about the same packets: which one counts is undefined"
    )
    draft.ledger.gap(one.policy.item, "unsupported", detail, "groups")


def _settled(entries: Sequence[_Entry], reach: _Reach) -> Iterator[_Entry]:
    """Yield the rules with what covers those that pass on perhaps."""
    doubtful = [number for number, each in enumerate(entries) if each.rule.verdict == "next" and _open(each.rule)]
    before: defaultdict[int, list[_Entry]] = defaultdict(list)
    for number in doubtful:
        passing = entries[number]
        for later in range(number + 1, len(entries)):
            admitting = entries[later]
            if admitting.rule.verdict != "accept" or not reach.meet(passing, admitting):
                continue
            remote = admitting.rule.remote
            by_range = passing.rule.exact and passing.rule.source_ports is None
            if by_range and all(not isinstance(peer, Names | Unresolved) for peer in passing.rule.remote):
                # Outside, ranges of addresses are certain; it is pods that may bear such an address or not.
                remote = tuple(peer for peer in remote if isinstance(peer, GroupRef | Everyone | Addresses))
            common = passing.rule.traffic & admitting.rule.traffic
            part = msgspec.structs.replace(admitting.rule, traffic=common, remote=remote)
            name = f"{admitting.rule.id}.perhaps[{number}]"
            early = msgspec.structs.replace(part, id=f"{name}.before", exact=False)
            handing = msgspec.structs.replace(part, id=f"{name}.instead", verdict="next")
            before[number].append(_Entry(admitting.policy, early))
            before[later].append(_Entry(admitting.policy, handing))
    for number, each in enumerate(entries):
        yield from before[number]
        yield each


def _open(rule: Rule) -> bool:
    """Tell whether a rule may match less than it says."""
    if not rule.exact or rule.source_ports is not None:
        return True
    return any(isinstance(peer, Addresses | Names | Unresolved) for peer in rule.remote)
