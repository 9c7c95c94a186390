"""Which workloads of a namespace no network policy isolates in a direction, and why.

Policies are a union: one that admits everything cancels a default-deny beside it. Source:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from cloudseg.checks.breadth import open_addresses
from cloudseg.checks.clusters import applying, isolating
from cloudseg.checks.earlier_tiers import decided_by_tiers
from cloudseg.model import Everyone
from cloudseg.reach.packets import Box, outside_addresses
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.checks.clusters import Namespace
    from cloudseg.findings import Confidence
    from cloudseg.model import Direction, Estate, Interface, Rule, RuleSet

__all__ = ["Open", "left_open"]

_Concerning = tuple[tuple["RuleSet", "Rule", bool], ...]


class Open(NamedTuple):
    """The workloads of a namespace that are not isolated in a direction, by what leaves them open.

    Attributes:
        unselected: no policy selects them.
        cancelled: their policies admit everything from or to everyone.
        ranges: their policies admit every address, by ranges.
        doubtful: something about their policies was not read.
        culprits: the policies that admit everything, by their ids.
    """

    unselected: list[Interface]
    cancelled: list[Interface]
    ranges: list[Interface]
    doubtful: list[Interface]
    culprits: dict[str, RuleSet]

    @property
    def certain(self) -> tuple[Interface, ...]:
        """The workloads that are open whatever was not read."""
        return (*self.unselected, *self.cancelled, *self.ranges)


_KNOWN: WeakKeyDictionary[Estate, dict[tuple[str, Direction], tuple[Namespace, Open]]] = WeakKeyDictionary()
"""Several checks ask for the open workloads of a namespace, by the id of one workload; with the namespace itself."""


def left_open(estate: Estate, namespace: Namespace, direction: Direction) -> Open:
    """Return the workloads of a namespace that are not isolated in a direction, or may not be."""
    asked = _KNOWN.setdefault(estate, {})
    key = (namespace.one.id, direction)
    known = asked.get(key)
    if known is None or known[0] is not namespace:
        known = asked[key] = (namespace, _left_open(estate, namespace, direction))
    return known[1]


def _left_open(estate: Estate, namespace: Namespace, direction: Direction) -> Open:
    found = Open([], [], [], [], {})
    known: dict[tuple[tuple[str, str, bool], ...], tuple[_Concerning, list[Interface]]] = {}
    for pod in namespace.pods:
        judges, tiers = isolating(estate, pod, direction), decided_by_tiers(estate, pod, direction)
        if judges or tiers.shut:
            # Most pods of a namespace are judged by the same rules.
            rules = (*tiers.admitting, *applying(estate, pod, judges, direction))
            key = tuple((judge.id, rule.id, certain) for judge, rule, certain in rules)
            known.setdefault(key, (rules, []))[1].append(pod)
        else:
            (found.doubtful if pod.attached_unread else found.unselected).append(pod)
    for rules, pods in known.values():
        how = _admits_everyone(rules, estate)
        if how in {"high", "medium"}:
            (found.cancelled if how == "high" else found.ranges).extend(pods)
            found.culprits.update((policy.id, policy) for policy in _culprits(rules, estate))
        else:
            found.doubtful.extend(pod for pod in pods if how or pod.attached_unread)
    return found


def _admits_everyone(rules: _Concerning, estate: Estate) -> Confidence | None:
    """Return how certain it is that rules together admit everything from or to everyone; None where they do not.

    Whether a range of addresses holds pods depends on the network plugin, so ranges alone are never quite certain.
    """
    everyone = [rule for _, rule, certain in rules if certain and any(peer == Everyone() for peer in rule.remote)]
    if _is_whole([Box(ALL_ADDRESSES, rule.traffic) for rule in everyone]):
        return "high"
    ends = [(outside_addresses(rule.remote, estate), rule, certain) for _, rule, certain in rules]
    if _is_whole([Box(least, rule.traffic) for (least, _), rule, certain in ends if certain and least]):
        return "medium"
    return "low" if _is_whole([Box(most, rule.traffic) for (_, most), rule, _ in ends if most]) else None


def _is_whole(boxes: Sequence[Box]) -> bool:
    if not boxes:
        return False
    found = open_addresses(boxes, ALL_ADDRESSES)
    return found >= ALL_IPV4 or found >= ALL_IPV6


def _culprits(rules: _Concerning, estate: Estate) -> list[RuleSet]:
    """Return the policies that admit everything alone; where none does, those that do together."""
    by_policy: dict[str, tuple[RuleSet, list[tuple[RuleSet, Rule, bool]]]] = {}
    for each in rules:
        # A rule that names pods alone admits nobody from outside.
        if outside_addresses(each[1].remote, estate)[1]:
            by_policy.setdefault(each[0].id, (each[0], []))[1].append(each)
    alone = [policy for policy, own in by_policy.values() if _admits_everyone(tuple(own), estate)]
    return alone or [policy for policy, _ in by_policy.values()]
