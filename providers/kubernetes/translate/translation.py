"""The whole translation, cluster by cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import (
    FACETS,
    Addresses,
    Coverage,
    Estate,
    Group,
    GroupRef,
    Labelled,
    Network,
    Reading,
    Rule,
    RuleSet,
    ScopeRead,
)
from cloudseg.providers.kubernetes.translate.draft import Draft
from cloudseg.providers.kubernetes.translate.exposure import add_entrances
from cloudseg.providers.kubernetes.translate.labels import ON_HOST, in_cluster
from cloudseg.providers.kubernetes.translate.nodes import add_nodes
from cloudseg.providers.kubernetes.translate.objects import PROVIDER, read_objects
from cloudseg.providers.kubernetes.translate.pipeline import NODE_STAGE, hosts_of, pipeline_of, pods_of
from cloudseg.providers.kubernetes.translate.plugins import detect
from cloudseg.providers.kubernetes.translate.plugins.effect import add_idle, settle, sorted_out
from cloudseg.providers.kubernetes.translate.policies import EVALUATORS, READ_KINDS
from cloudseg.providers.kubernetes.translate.policies.unevaluated import add_unevaluated
from cloudseg.providers.kubernetes.translate.workloads import add_namespaces, add_workloads
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction
    from cloudseg.snapshot import Snapshot

__all__ = ["translate"]

_FACETS: Final = tuple(facet for facet in FACETS if not facet.startswith("services."))
"""The parts of an estate that a cluster has, and those that it never has: of these nothing is missing. Services of a
cloud are not its own to tell of."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_ENFORCED: Final = "that its network plugin enforces NetworkPolicies is assumed: nothing that was read says so"


def translate(snapshot: Snapshot) -> Estate:
    """Return the estate that the Kubernetes objects of a snapshot describe.

    The function is total: whatever an object holds, what cannot be understood becomes a gap that names the object and
    where it is written, and what passes at the pods that it could concern is known at most.

    Raises:
        SnapshotError: a file of the snapshot is no JSON.
    """
    estates = [_cluster(snapshot, name) for name in _clusters(snapshot)]
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


def _cluster(snapshot: Snapshot, name: str) -> Estate:
    draft = Draft(name)
    for gap in snapshot.gaps:
        if (gap.provider, gap.scope) == (PROVIDER, name):
            draft.ledger.lost(f"{gap.service}.{gap.operation}", gap.operation, gap.reason, gap.detail)
    objects = read_objects(snapshot, name, draft.ledger)
    add_nodes(objects, draft)
    add_namespaces(objects, draft)
    add_workloads(objects, draft)
    draft.plugin = plugin = detect(objects)
    sort = sorted_out(objects, plugin, draft)
    for add in EVALUATORS:
        add(sort.judged, draft)
    add_unevaluated(sort.judged, READ_KINDS, draft)
    add_unevaluated(sort.doubtful, frozenset(), draft, READ_KINDS)
    if sort.idle:
        add_idle(sort.idle, EVALUATORS, draft)
    settle(objects, plugin, draft)
    if "groups" in draft.ledger.partly:
        # A list of policies is missing, or a file that may have held some: another policy may admit anything.
        draft.bound(None)
    draft.bound_pods()
    add_entrances(objects, draft)
    if draft.nodes or any(interface.role == "host" for interface in draft.interfaces.values()):
        _add_own_node(draft)
    pipeline = pipeline_of(name, {rule_set.stage for rule_set in draft.rule_sets.values()}, draft.tiers, plugin.ranges)
    network = Network(
        id=pods_of(name),
        kind="cluster-network",
        tags=plugin.tags,
        pipeline=pipeline.name,
        leads_out=True,
        machines=frozenset(node.machine for node in draft.nodes if node.machine),
    )
    if draft.rule_sets and plugin.assumed:
        draft.ledger.notes.append(f"cluster {name}: {'; '.join(filter(None, (_ENFORCED, plugin.doubt)))}")
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


def _add_own_node(draft: Draft) -> None:
    """Let everything pass between pods and nodes, and those on the network of a node, at most: it may be the pod's own.

    Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """
    identifier = hosts_of(draft.cluster)
    addresses = NO_ADDRESSES
    for node in draft.nodes:
        addresses |= node.addresses
    on_host = Labelled(ON_HOST, "In", frozenset((draft.cluster,)))
    draft.groups[identifier] = Group(id=identifier, kind="host-network-pods", selector=on_host, managed_by=PROVIDER)
    rules = tuple(
        Rule(
            id=f"{direction}.own-node",
            direction=direction,
            verdict="accept",
            traffic=ALL_TRAFFIC,
            remote=(GroupRef(identifier), Addresses(addresses)) if addresses else (GroupRef(identifier),),
            exact=False,
            description="a pod and its own node always reach each other",
        )
        for direction in _DIRECTIONS
    )
    own = draft.id("own-node")
    draft.rule_sets[own] = RuleSet(
        id=own,
        kind="node-rule",
        stage=NODE_STAGE,
        rules=rules,
        applies=in_cluster(draft.cluster),
        network=pods_of(draft.cluster),
        managed_by=PROVIDER,
    )
