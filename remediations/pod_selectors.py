"""Selectors that could stand in a rule for some pods: all of a namespace, one of their labels, or all labels of one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import namespace_of
from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.model import AllOf, Group, Labelled, matches, qualified
from cloudseg.providers.kubernetes.translate.labels import (
    ON_NAMESPACE,
    asks_controller,
    in_cluster,
    in_namespace,
    words,
)
from cloudseg.remediations.covering import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Estate, Interface, RuleSet
    from cloudseg.remediations.parts_of_ends import Apart

__all__ = ["Selected", "selectors_for"]

_TELLING: Final = ("app.kubernetes.io/name", "app", "k8s-app", "name")
"""Labels that say which application a pod is of; they come first. Source:
https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/"""
_NOT_OF_PODS: Final = ("namespace/", "port/", "pod/")
_TELLING_COSTS, _OTHER_COSTS, _WHOLE_COSTS, _ALL_LABELS_COST = 1.0, 1.1, 1.2, 1.3
_SHOWN: Final = 3


class Selected(NamedTuple):
    """A selector that could stand in a rule.

    Attributes:
        group: the pods that it selects.
        candidate: the same as a choice.
    """

    group: Group
    candidate: Candidate


def selectors_for(apart: Apart, policy: RuleSet, pods: Sequence[Interface], estate: Estate) -> tuple[Selected, ...]:
    """Return the selectors that could name those who need a rule, each for one namespace.

    Args:
        apart: the other end of the rule.
        policy: the policy that it stands in.
        pods: all pods of the cluster.
        estate: where selectors are looked up that are there already.
    """
    by_namespace: defaultdict[str, list[Interface]] = defaultdict(list)
    for name in apart.needed:
        by_namespace[namespace_of(estate.interfaces[name])].append(estate.interfaces[name])
    found: dict[str, Selected] = {}
    for namespace, needed in sorted(by_namespace.items()):
        for labels, weight in _choices(needed):
            group = _group(namespace, labels, policy, estate)
            found.setdefault(group.id, Selected(group, _candidate(group, weight, apart, pods)))
    return tuple(found.values())


def _group(namespace: str, labels: tuple[Labelled, ...], policy: RuleSet, estate: Estate) -> Group:
    """Return the pods of a namespace with some labels, called as policies that name them are read."""
    who = f"pods {words(labels)}" if labels else "all pods"
    place = in_namespace(namespace)
    where = f"in namespaces {words((place,), prefix=ON_NAMESPACE)}"
    if namespace == policy.tags.get("namespace"):
        where = f"in namespace {namespace}"
    own = qualified("kubernetes", policy.scope, f"{who} {where}")
    selector = AllOf((place, *labels, in_cluster(policy.scope)))
    networks = () if policy.network is None else (policy.network,)
    return estate.groups.get(own) or Group(id=own, kind="pod-selector", selector=selector, networks=networks)


def _candidate(group: Group, weight: float, apart: Apart, pods: Sequence[Interface]) -> Candidate:
    members = [each for each in pods if matches(group.selector, each)]
    added = [each for each in members if each.id not in apart.admitted]
    names = frozenset(each.id for each in members) & apart.needed.keys()
    return Candidate(
        id=group.id,
        label=group.label,
        names=frozenset(names),
        adds=(f"{counted(len(added), 'workload')}: {shown_labels(added, _SHOWN)}",) if added else (),
        excess=len(members) - len(names),
        weight=weight,
    )


def _choices(pods: Sequence[Interface]) -> Iterator[tuple[tuple[Labelled, ...], float]]:
    """Yield what could select some pods of a namespace: all of it, one of their labels, all labels of one."""
    yield (), _WHOLE_COSTS
    singles: dict[tuple[str, str], None] = {}
    for pod in pods:
        own = [
            Labelled(key, "In", frozenset((value,)))
            for key, value in sorted(pod.labels.items())
            if not key.startswith(_NOT_OF_PODS)
        ]
        lasting = tuple(each for each in own if each not in asks_controller(own))
        singles.update(dict.fromkeys((each.key, next(iter(each.values))) for each in lasting))
        if len(lasting) > 1:
            yield lasting, _ALL_LABELS_COST
    for key, value in singles:
        yield (Labelled(key, "In", frozenset((value,))),), _TELLING_COSTS if key in _TELLING else _OTHER_COSTS
