"""Which policies of a cluster its network plugin enforces, as the checks tell it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.checks.clusters import namespace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.checks.clusters import Cluster
    from cloudseg.model import Estate, RuleSet

__all__ = [
    "doubt_of",
    "enforces_none",
    "idle_by_namespace",
    "idle_policies",
    "plugin_evidence",
    "plugin_name",
    "unreached_nodes",
]


def idle_policies(cluster: Cluster, estate: Estate) -> tuple[RuleSet, ...]:
    """Return the policies of a cluster that no packet ever meets, in order of their ids."""
    network = cluster.network
    pipeline = estate.pipelines[network.pipeline]
    met = {stage.name for stage in (*pipeline.ingress, *pipeline.egress)}
    place = (network.provider, network.scope)
    own = (
        each
        for each in estate.rule_sets.values()
        if (each.provider, each.scope) == place and each.stage not in met and not each.managed_by
    )
    return tuple(sorted(own, key=lambda each: each.id))


def idle_by_namespace(cluster: Cluster, estate: Estate) -> Mapping[str, tuple[RuleSet, ...]]:
    """Return the policies that no packet ever meets by the namespaces of the workloads that they select."""
    found: defaultdict[str, dict[str, RuleSet]] = defaultdict(dict)
    for policy in idle_policies(cluster, estate):
        for pod in estate.governed(policy):
            found[namespace_of(pod)][policy.id] = policy
    return {name: tuple(policies.values()) for name, policies in found.items()}


def enforces_none(cluster: Cluster) -> bool:
    """Tell whether the network plugin of a cluster surely enforces no NetworkPolicies."""
    return cluster.network.tags.get("network-plugin-enforces") == "no"


def plugin_name(cluster: Cluster) -> str:
    """Return the network plugin of a cluster, for people."""
    return cluster.network.tags.get("network-plugin", "its network plugin")


def plugin_evidence(cluster: Cluster) -> str:
    """Return what told which network plugin runs; empty where nothing did."""
    return cluster.network.tags.get("network-plugin-evidence", "")


def doubt_of(cluster: Cluster) -> str:
    """Return why it is not known whether policies are enforced, in words; empty where it is known, or assumed."""
    return cluster.network.tags.get("network-plugin-doubt", "")


def unreached_nodes(cluster: Cluster) -> tuple[str, str]:
    """Return on how many nodes the network plugin of a cluster is not ready, and what told so; both empty for none."""
    tags = cluster.network.tags
    return tags.get("network-plugin-unreached", ""), tags.get("network-plugin-reaches", "")
