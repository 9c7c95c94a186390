"""Which rules of network policies take all that another one takes, whoever is there: by selectors, not by members.

What is said here holds for pods that do not exist yet. A rule that admits some requests only, as those of meshes and
of proxies do, stands in for no other one. Source:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import NAMESPACE_NAME, clusters, of_cluster
from cloudseg.model import ANYONE, Addresses, AllOf, Everyone, GroupRef, Labelled
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.checks.clusters import Cluster
    from cloudseg.model import Direction, Estate, Peer, Rule, RuleSet, Selector, Stage

__all__ = ["Covered", "implies", "redundant_in_clusters", "shadowed_in_clusters"]

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_DRAWN_IN: Final = ".perhaps["
"""What stands for the doubt about other rules is none that anybody wrote."""
_PORT: Final = re.compile(r"\.[A-Za-z0-9-]+/(?:TCP|UDP|SCTP)=\d+$")
"""How the name of a rule ends that stands for a named port of an item."""
_OF_MESH: Final = "mesh-"
_WITHOUT_REQUESTS: Final = frozenset(
    ("NetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
)
"""Kinds of policies that never look at requests, and whose rules may have names."""
_Placed = tuple["RuleSet", "Rule"]


class Covered(NamedTuple):
    """A rule all of whose packets other rules take.

    Attributes:
        rule_set: its policy.
        rule: the rule.
        by: the rules that take its packets, those of its own policy first.
        needed: the directions in which no other policy isolates all whom its policy selects.
    """

    rule_set: RuleSet
    rule: Rule
    by: tuple[_Placed, ...]
    needed: tuple[Direction, ...] = ()


def implies(one: Selector, other: Selector) -> bool:
    """Tell whether whatever a selector chooses is surely chosen by another one as well."""
    if isinstance(other, AllOf):
        return all(implies(one, part) for part in other.parts)
    if one == other:
        return True
    if isinstance(one, AllOf):
        return any(implies(part, other) for part in one.parts)
    return isinstance(one, Labelled) and isinstance(other, Labelled) and _requires(one, other)


def redundant_in_clusters(estate: Estate) -> Iterator[Covered]:
    """Yield the rules of policies that could go all together, and nothing would change whoever is there.

    Of equal rules the later ones are told, by the ids of policy and rule. Policies that select nobody are left out.
    """
    for cluster in clusters(estate):
        for direction in _DIRECTIONS:
            for stage in _counting(cluster, estate, direction):
                if stage.match == "any":
                    yield from _redundant(stage, _lists(stage, cluster, estate), direction, estate)


def _redundant(stage: Stage, rule_sets: Sequence[RuleSet], direction: Direction, estate: Estate) -> Iterator[Covered]:
    cover = _Cover(estate, rule_sets)
    gone: set[tuple[str, str]] = set()
    found: list[_Placed] = []
    for own, rule in reversed(list(_rules(rule_sets, direction))):
        if cover.by(own, rule, _beside(cover, own, rule, gone)) and cover.alone(own, rule):
            gone.add((own.id, rule.id))
            found.append((own, rule))
    for own, rule in reversed(found):
        if not _whole_item(own, rule) <= gone:
            continue
        # What stands in may have been given up later on, for others that stand in for both.
        yield Covered(
            own, rule, cover.by(own, rule, _beside(cover, own, rule, gone)), _needed(cover, own, stage, estate)
        )


def _whole_item(own: RuleSet, rule: Rule) -> set[tuple[str, str]]:
    """Return the rules that stand for one item of a policy with a rule: who takes it away takes all its ports."""
    item = _PORT.sub("", rule.id)
    return {
        (own.id, each.id)
        for each in own.rules
        if each.direction == rule.direction and _is_written(each) and _PORT.sub("", each.id) == item
    }


def shadowed_in_clusters(estate: Estate) -> Iterator[Covered]:
    """Yield the rules of policies that never decide, whoever is there: rules before them take their packets.

    Before a rule of an ordered stage stand the earlier ones of that stage, and before every rule those of earlier
    stages that decide for good.
    """
    for cluster in clusters(estate):
        for direction in _DIRECTIONS:
            stages = [(stage, _lists(stage, cluster, estate)) for stage in _counting(cluster, estate, direction)]
            cover = _Cover(estate, [each for _, lists in stages for each in lists])
            final: defaultdict[str, list[_Placed]] = defaultdict(list)
            found = [each for stage, lists in stages for each in _shadowed(stage, lists, direction, cover, final)]
            told = {(each.rule_set.id, each.rule.id) for each in found}
            yield from (each for each in found if _whole_item(each.rule_set, each.rule) <= told)


def _shadowed(
    stage: Stage, lists: Sequence[RuleSet], direction: Direction, cover: _Cover, final: defaultdict[str, list[_Placed]]
) -> Iterator[Covered]:
    """Yield the rules of one stage that never decide, and add what this stage decides for good."""
    here: defaultdict[str, list[_Placed]] = defaultdict(list)
    placed = [(own, rule) for own in lists for rule in own.rules if rule.direction == direction]
    if stage.match == "first":
        placed.sort(key=_order)
    for own, rule in placed:
        if not _is_written(rule):
            continue
        earlier = [each for near in cover.near(own) for each in final[near.id]]
        same = [each for near in cover.near(own) for each in here[near.id]]
        by = cover.by(own, rule, (*earlier, *sorted(same, key=_order)))
        if by and cover.alone(own, rule):
            yield Covered(own, rule, by)
        elif stage.match == "first":
            here[own.id].append((own, rule))
    # What an earlier rule of the stage may have handed on, a later one of it does not decide.
    handing = [(_order(each), each[1].traffic) for each in placed if each[1].verdict == "next"]
    for name, decided in here.items():
        final[name].extend(
            each
            for each in decided
            if each[1].verdict != "next"
            and not any(order <= _order(each) and traffic.overlaps(each[1].traffic) for order, traffic in handing)
        )


def _order(placed: _Placed) -> tuple[int, bool]:
    return placed[1].priority or 0, placed[1].allows


def _counting(cluster: Cluster, estate: Estate, direction: Direction) -> Iterator[Stage]:
    """Yield the stages of a cluster in their order, without those of a mesh."""
    pipeline = estate.pipelines[cluster.network.pipeline]
    return (stage for stage in pipeline.stages(direction) if not stage.name.startswith(_OF_MESH))


def _lists(stage: Stage, cluster: Cluster, estate: Estate) -> tuple[RuleSet, ...]:
    """Return the lists that people wrote at a stage of a cluster, and that judge anybody."""
    here = (each for each in estate.rule_sets_at(stage.name) if each.scope == cluster.network.scope)
    return tuple(each for each in here if of_cluster(each) and not each.managed_by and estate.governed(each))


def _rules(rule_sets: Iterable[RuleSet], direction: Direction) -> Iterator[_Placed]:
    for rule_set in rule_sets:
        for rule in rule_set.rules:
            if rule.direction == direction and _is_written(rule):
                yield rule_set, rule


def _is_written(rule: Rule) -> bool:
    return bool(rule.remote and rule.traffic) and _DRAWN_IN not in rule.id


def _beside(cover: _Cover, own: RuleSet, rule: Rule, gone: set[tuple[str, str]]) -> Iterator[_Placed]:
    """Yield the rules that count wherever a rule does and were not given up, those that take all its traffic first."""
    several: list[_Placed] = []
    for near in cover.near(own):
        if near is not own and rule.direction not in near.isolates:
            # A policy may isolate by its rules alone; without them such a list would count for nothing.
            continue
        for other in near.rules:
            if other is rule or other.direction != rule.direction or not other.allows or (near.id, other.id) in gone:
                continue
            if rule.traffic <= other.traffic:
                yield near, other
            elif rule.traffic.overlaps(other.traffic):
                several.append((near, other))
    yield from several


def _needed(cover: _Cover, own: RuleSet, stage: Stage, estate: Estate) -> tuple[Direction, ...]:
    """Return the directions in which a policy isolates workloads that no other one does."""
    return tuple(
        direction
        for direction in _DIRECTIONS
        if direction in own.isolates
        and stage.miss == "deny"
        and estate.governed(own)
        and not any(near is not own and direction in near.isolates for near in cover.near(own))
    )


class _Cover:
    """Finds rules that take what others take, in the lists of one stage of one cluster."""

    def __init__(self, estate: Estate, rule_sets: Sequence[RuleSet]) -> None:
        self._estate = estate
        self._by_place: defaultdict[frozenset[str] | None, list[RuleSet]] = defaultdict(list)
        for each in rule_sets:
            self._by_place[_places(each.applies)].append(each)
        self._near: dict[str, tuple[RuleSet, ...]] = {}

    def near(self, own: RuleSet) -> tuple[RuleSet, ...]:
        """Return the lists that judge whatever a list judges, itself first."""
        known = self._near.get(own.id)
        if known is None:
            places = _places(own.applies)
            asked = [
                each
                for place, lists in self._by_place.items()
                if place is None or (places is not None and places <= place)
                for each in lists
            ]
            others = (each for each in asked if each is not own and implies(own.applies, each.applies))
            known = self._near[own.id] = (own, *sorted(others, key=lambda each: each.id))
        return known

    def alone(self, own: RuleSet, rule: Rule) -> bool:
        """Tell whether a rule is read in full, and no other stands for a doubt about what it takes."""
        if not rule.exact or rule.source_ports is not None:
            return False
        return not any(each is not rule and each.id.startswith(f"{rule.id}.") and not each.exact for each in own.rules)

    def by(self, own: RuleSet, rule: Rule, others: Iterable[_Placed]) -> tuple[_Placed, ...]:
        """Return the first of the other rules that together take all the packets of a rule; none where they do not."""
        left = rule.traffic
        found: list[_Placed] = []
        for near, other in others:
            if (
                left.overlaps(other.traffic)
                and self._is_about_connections(near, other, rule)
                and self._takes(other, rule)
            ):
                found.append((near, other))
                left -= other.traffic
                if not left:
                    return tuple(sorted(found, key=lambda each: each[0].id != own.id))
        return ()

    def _is_about_connections(self, near: RuleSet, other: Rule, rule: Rule) -> bool:
        """Tell whether a rule surely decides about whole connections: one that allows some requests says so."""
        said = other.description and other.description != rule.description
        return not said or not other.allows or near.kind in _WITHOUT_REQUESTS

    def _takes(self, other: Rule, rule: Rule) -> bool:
        """Tell whether a rule surely takes everything between the ends of another one, on its own traffic."""
        if not other.exact or other.source_ports is not None or other.local not in (ANYONE, rule.local):
            return False
        named = self._ports(rule)
        if named and named != self._ports(other) and not _every_port(rule.traffic) <= other.traffic:
            # What a port is named for is up to the pods, those to come among them.
            return False
        return all(any(self._holds(wide, peer) for wide in other.remote) for peer in rule.remote)

    def _ports(self, rule: Rule) -> frozenset[str]:
        """Return the named ports that a rule asks pods for, by their labels."""
        groups = (
            self._estate.groups.get(each.group) for each in (*rule.local, *rule.remote) if isinstance(each, GroupRef)
        )
        parts = (part for group in groups if group is not None for part in _parts(group.selector))
        return frozenset(part.key for part in parts if isinstance(part, Labelled) and part.key.startswith("port/"))

    def _holds(self, wide: Peer, peer: Peer) -> bool:
        if wide == peer or isinstance(wide, Everyone):
            return True
        if isinstance(wide, Addresses) and isinstance(peer, Addresses):
            return peer.addresses <= wide.addresses
        if isinstance(wide, GroupRef) and isinstance(peer, GroupRef):
            one, other = self._estate.groups.get(peer.group), self._estate.groups.get(wide.group)
            return one is not None and other is not None and _implies(one.selector, other.selector)
        return False


@lru_cache(maxsize=65536)
def _implies(one: Selector, other: Selector) -> bool:
    return implies(one, other)


def _places(selector: Selector) -> frozenset[str] | None:
    """Return the namespaces that a selector asks for by name; None where it asks for none."""
    for part in _parts(selector):
        if isinstance(part, Labelled) and part.key == NAMESPACE_NAME and part.operator == "In":
            return part.values
    return None


def _parts(selector: Selector) -> tuple[Selector, ...]:
    return selector.parts if isinstance(selector, AllOf) else (selector,)


def _every_port(traffic: Traffic) -> Traffic:
    """Return all traffic of the protocols with ports that traffic is about."""
    whole = NO_TRAFFIC
    for protocol in ("tcp", "udp", "sctp"):
        if traffic.overlaps(Traffic.protocol(protocol)):
            whole |= Traffic.protocol(protocol)
    return whole


def _requires(one: Labelled, other: Labelled) -> bool:
    """Tell whether whoever meets a requirement meets another one too."""
    if one.key != other.key:
        return False
    match one.operator, other.operator:
        case "In", "In":
            return one.values <= other.values
        case (("In" | "Exists"), "Exists"):
            return True
        case "In", "NotIn":
            return one.values.isdisjoint(other.values)
        case "NotIn", "NotIn":
            return other.values <= one.values
        case "DoesNotExist", ("NotIn" | "DoesNotExist"):
            return True
        case _:
            return False
