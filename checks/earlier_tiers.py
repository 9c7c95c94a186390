"""What ordered tiers of a cluster decide for good about pods, beside the policies that isolate.

What such a tier admits no NetworkPolicy takes back; where one denies everything, pods without NetworkPolicies are not
open. Sources: https://network-policy-api.sigs.k8s.io/api-overview/ and
https://antrea.io/docs/main/docs/antrea-network-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from cloudseg.checks.clusters import applying, isolating_stages, of_mesh
from cloudseg.model import Everyone, qualified
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Estate, Interface, Rule, RuleSet, Stage

__all__ = ["Decided", "decided_by_tiers", "in_order"]

_Placed = tuple["RuleSet", "Rule", bool]


class Decided(NamedTuple):
    """What ordered tiers decide for good about a pod in a direction.

    Attributes:
        admitting: the rules before all policies that isolate which surely decide, each with whether it concerns the
            pod for sure.
        shut: some tier denies everything to everyone that none before it admitted.
    """

    admitting: tuple[_Placed, ...] = ()
    shut: bool = False


_ORDERED: WeakKeyDictionary[Estate, dict[tuple[str, Direction], bool]] = WeakKeyDictionary()
"""Whether a pipeline, by its name, has ordered tiers at all in a direction: most clusters have none."""


def decided_by_tiers(estate: Estate, pod: Interface, direction: Direction) -> Decided:
    """Return what the ordered tiers of a pod's cluster decide for good."""
    network = estate.networks[qualified(pod.provider, pod.scope, "pods")]
    pipeline = estate.pipelines[network.pipeline]
    asked = _ORDERED.setdefault(estate, {})
    ordered = asked.get((network.pipeline, direction))
    if ordered is None:
        ordered = any(_orders(estate, stage) for stage in pipeline.stages(direction))
        asked[network.pipeline, direction] = ordered
    if not ordered:
        return Decided()
    isolating = isolating_stages(pipeline, direction)
    admitting: list[_Placed] = []
    denied, shut, first = NO_TRAFFIC, False, True
    for stage in pipeline.stages(direction):
        first = first and not (stage.name in isolating and estate.judging(pod, stage.name, direction))
        if stage.name in isolating or not _orders(estate, stage):
            continue
        handed = NO_TRAFFIC
        for judge, rule, certain in in_order(estate, pod, stage.name, direction):
            if rule.verdict == "accept":
                if first and not rule.traffic.overlaps(denied | handed):
                    admitting.append((judge, rule, certain))
            elif rule.verdict == "deny":
                denied |= rule.traffic
                shut = shut or (certain and rule.traffic >= ALL_TRAFFIC and Everyone() in rule.remote)
            else:
                handed |= rule.traffic
    return Decided(tuple(admitting), shut)


def _orders(estate: Estate, stage: Stage) -> bool:
    """Tell whether a stage has lists of ordered rules that people wrote for the network."""
    if stage.match != "first" or of_mesh(stage):
        return False
    return any(not each.managed_by for each in estate.rule_sets_at(stage.name))


def in_order(estate: Estate, pod: Interface, stage: str, direction: Direction) -> Iterator[_Placed]:
    """Yield the rules of a stage that concern a pod in the order in which they count, each with whether it surely does.

    Those that the network plugin adds of its own accord are left out.
    """
    judges = [each for each in estate.judging(pod, stage, direction) if not each.managed_by]
    rules = applying(estate, pod, judges, direction, denials=True)
    yield from sorted(rules, key=lambda each: (each[1].priority or 0, each[1].allows))
