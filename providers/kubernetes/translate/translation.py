"""The whole translation, cluster by cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import (
    FACETS,
    Coverage,
    Estate,
    Network,
    Reading,
    RuleSet,
    ScopeRead,
)
from cloudseg.providers.kubernetes.translate.draft import Draft
from cloudseg.providers.kubernetes.translate.exposure import add_entrances
from cloudseg.providers.kubernetes.translate.nodes import add_nodes
from cloudseg.providers.kubernetes.translate.objects import PROVIDER, read_objects
from cloudseg.providers.kubernetes.translate.own_node import add_own_node
from cloudseg.providers.kubernetes.translate.pipeline import pipeline_of, pods_of
from cloudseg.providers.kubernetes.translate.plugins import ASSUMED, detect
from cloudseg.providers.kubernetes.translate.plugins.effect import add_idle, settle, sorted_out
from cloudseg.providers.kubernetes.translate.plugins.elsewhere import provider_ids
from cloudseg.providers.kubernetes.translate.plugins.masking import masking_of
from cloudseg.providers.kubernetes.translate.policies import EVALUATORS, READ_KINDS
from cloudseg.providers.kubernetes.translate.policies.unevaluated import add_unevaluated
from cloudseg.providers.kubernetes.translate.workloads import add_namespaces, add_workloads
from cloudseg.providers.managed_clusters import cluster_of, managed_clusters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.managed_clusters import ManagedCluster
    from cloudseg.snapshot import Snapshot

__all__ = ["translate"]

_FACETS: Final = tuple(facet for facet in FACETS if not facet.startswith("services."))
"""The parts of an estate that a cluster has, and those that it never has: of these nothing is missing. Services of a
cloud are not its own to tell of."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


def translate(snapshot: Snapshot) -> Estate:
    """Return the estate that the Kubernetes objects of a snapshot describe.

    The function is total: whatever an object holds, what cannot be understood becomes a gap that names the object and
    where it is written, and what passes at the pods that it could concern is known at most.

    Raises:
        SnapshotError: a file of the snapshot is no JSON.
    """
    clusters = managed_clusters(snapshot)
    estates = [_cluster(snapshot, name, clusters) for name in _clusters(snapshot)]
    scopes = tuple(
        ScopeRead(PROVIDER, scope.scope, scope.regions, scope.name)
        for scope in snapshot.scopes
        if scope.provider == PROVIDER
    )
    whole = Estate(taken_at=snapshot.taken_at, scopes=scopes, notes=tuple(sorted(snapshot.notes)))
    return Estate.merged([whole, *estates])


def _clusters(snapshot: Snapshot) -> list[str]:
    scopes = {scope.scope for scope in snapshot.scopes if scope.provider == PROVIDER}
    return sorted(scopes | {part.scope for part in snapshot.parts() if part.provider == PROVIDER})


def _cluster(snapshot: Snapshot, name: str, clusters: Sequence[ManagedCluster]) -> Estate:
    draft = Draft(name)
    for gap in snapshot.gaps:
        if (gap.provider, gap.scope) == (PROVIDER, name):
            draft.ledger.lost(
                f"{gap.service}.{gap.operation}", gap.operation, gap.reason, gap.detail, gap.resource or ""
            )
    objects = read_objects(snapshot, name, draft.ledger)
    add_nodes(objects, draft)
    add_namespaces(objects, draft)
    add_workloads(objects, draft)
    draft.plugin = plugin = detect(objects, draft.ledger.unlisted, clusters)
    own = cluster_of(provider_ids(objects), clusters)
    sort = sorted_out(objects, plugin, draft)
    for add in EVALUATORS:
        add(sort.judged, draft)
    add_unevaluated(sort.judged, READ_KINDS, draft)
    add_unevaluated(sort.doubtful, frozenset(), draft, READ_KINDS)
    if sort.idle:
        add_idle(sort.idle, EVALUATORS, draft)
    settle(objects, plugin, draft)
    for places in draft.ledger.open_in:
        # A list of policies is missing, or a file that may have held some: another policy may admit anything.
        for namespace in (None,) if places is None else filter(places.hold, draft.inhabited):
            draft.bound(namespace)
    draft.bound_pods()
    add_entrances(objects, draft)
    if draft.nodes or any(interface.role == "host" for interface in draft.interfaces.values()):
        add_own_node(draft)
    pipeline = pipeline_of(name, {rule_set.stage for rule_set in draft.rule_sets.values()}, draft.tiers, plugin.ranges)
    network = Network(
        id=pods_of(name),
        kind="cluster-network",
        tags=plugin.tags if draft.rule_sets else {key: text for key, text in plugin.tags.items() if key != ASSUMED},
        pipeline=pipeline.name,
        leads_out=True,
        machines=frozenset(node.machine for node in draft.nodes if node.machine),
        control_plane="" if own is None else own.control_plane,
        masking=masking_of(objects, draft.nodes, plugin, own, _unread(snapshot, objects, draft)),
    )
    if draft.rule_sets and plugin.assumed:
        draft.ledger.notes.append(f"cluster {name}: {plugin.tags[ASSUMED]}")
    return Estate(
        networks={network.id: network},
        pipelines={pipeline.name: pipeline},
        interfaces=draft.interfaces,
        workloads=draft.workloads,
        entrances=draft.entrances,
        aliases=draft.aliases,
        groups=draft.groups,
        rule_sets={key: _told(rule_set) for key, rule_set in draft.rule_sets.items()},
        coverage=Coverage(_readings(draft)),
        gaps=tuple(sorted(set(draft.ledger.gaps))),
        notes=tuple(sorted(set(draft.ledger.notes))),
    )


def _unread(snapshot: Snapshot, objects: Iterable[Object], draft: Draft) -> set[str]:
    """Return the lists that were not read in full; config maps are asked for one by one, where they are at all."""
    found = set(draft.ledger.unlisted)
    asked = any(
        (part.provider, part.scope, part.operation) == (PROVIDER, draft.cluster, "configmaps")
        for part in snapshot.parts()
    )
    return found if asked or any(item.kind == "ConfigMap" for item in objects) else {*found, "configmaps"}


def _told(rule_set: RuleSet) -> RuleSet:
    """Return a list whose rules say why they match at most: their descriptions are the evaluators' own words."""
    if all(rule.exact or not rule.description for rule in rule_set.rules):
        return rule_set
    rules = (rule if rule.exact else msgspec.structs.replace(rule, doubt=rule.description) for rule in rule_set.rules)
    return msgspec.structs.replace(rule_set, rules=tuple(rules))


def _readings(draft: Draft) -> Iterator[Reading]:
    for facet in _FACETS:
        reason = draft.ledger.partly.get(facet, "")
        yield Reading(PROVIDER, draft.cluster, "global", facet, "partly" if reason else "read", reason)
    for places, reason in draft.ledger.partly_in.items():
        yield Reading(PROVIDER, draft.cluster, places, "groups", "partly", reason)
