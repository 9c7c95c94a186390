"""The stages that a packet meets at a pod, and the networks of a cluster.

What selects a pod for a direction isolates it there: then only what some policy admits passes. Around NetworkPolicies
stand the tiers of administrators, of network plugins and of meshes; a cluster has those stages for which it has lists.

A mesh decides beside the network and not in place of it: what its lists let through, the network's still judge. Its
stages therefore come first and hand on. Sources:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation and
https://kubernetes.io/docs/concepts/services-networking/network-policies/#what-you-can-t-do-with-network-policies-at-least-not-yet
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import Pipeline, Stage, qualified
from cloudseg.providers.kubernetes.translate.objects import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cloudseg.model import RangeMeaning

__all__ = [
    "ADMIN_STAGE",
    "ANTREA_BASELINE_STAGE",
    "ANTREA_STAGE",
    "BASELINE_STAGE",
    "DENIAL_STAGE",
    "MESH_STAGE",
    "MUTUAL_TLS_STAGE",
    "NODE_STAGE",
    "POLICY_STAGE",
    "Tier",
    "hosts_of",
    "pipeline_of",
    "pods_of",
]

MUTUAL_TLS_STAGE: Final = "mesh-mutual-tls"
MESH_STAGE: Final = "mesh-authorization"
NODE_STAGE: Final = "rules-of-the-own-node"
ADMIN_STAGE: Final = "admin-tier"
ANTREA_STAGE: Final = "antrea-tiers"
DENIAL_STAGE: Final = "denials"
OTHER_STAGE: Final = "policies-of-other-kinds"
POLICY_STAGE: Final = "network-policies"
ANTREA_BASELINE_STAGE: Final = "antrea-baseline-tier"
BASELINE_STAGE: Final = "baseline-tier"

_BEFORE: Final = (
    # In the stages of a mesh nothing is final: what they let through has the verdict "next".
    Stage(name=MUTUAL_TLS_STAGE, at="interface", stateful=True, match="any", miss="deny"),
    Stage(name=MESH_STAGE, at="interface", stateful=True, match="first", miss="next"),
    # A pod and its own node always reach each other, whatever policies say.
    Stage(name=NODE_STAGE, at="interface", stateful=True, match="first", miss="next"),
    # Antrea's own tiers go before those of administrators. Source:
    # https://github.com/antrea-io/antrea/blob/main/docs/admin-network-policy.md
    Stage(name=ANTREA_STAGE, at="interface", stateful=True, match="first", miss="next"),
    Stage(name=ADMIN_STAGE, at="interface", stateful=True, match="first", miss="next"),
    # Cilium: a denial goes before whatever is admitted.
    Stage(name=DENIAL_STAGE, at="interface", stateful=True, match="first", miss="next"),
    # No list stands here. Policies of kinds that are not evaluated may forbid what a NetworkPolicy admits, so that of
    # a pod that they may select nothing is certain.
    Stage(name=OTHER_STAGE, at="interface", stateful=True, match="any", miss="deny"),
)
_POLICIES: Final = Stage(name=POLICY_STAGE, at="interface", stateful=True, match="any", miss="deny")
_AFTER: Final = (
    Stage(name=ANTREA_BASELINE_STAGE, at="interface", stateful=True, match="first", miss="next"),
    Stage(name=BASELINE_STAGE, at="interface", stateful=True, match="first", miss="next"),
)
_RANGES: Final[dict[str, RangeMeaning]] = {
    MUTUAL_TLS_STAGE: "everywhere",
    # Proxies look at the address that a connection comes from. Everyone but some pods can only be said where ranges
    # mean no pods, so that the evaluators of meshes name those with such addresses themselves.
    MESH_STAGE: "outside",
    # Nodes are no pods; those on the network of a node are known by their label.
    NODE_STAGE: "outside",
    # Ranges of admin policies hold for pods as well. Source:
    # https://network-policy-api.sigs.k8s.io/reference/spec/
    ADMIN_STAGE: "everywhere",
    BASELINE_STAGE: "everywhere",
}
"""What ranges mean in stages in which the network plugin has no say."""
_ALWAYS: Final = frozenset((NODE_STAGE, OTHER_STAGE, POLICY_STAGE))


class Tier(NamedTuple):
    """A tier of ordered policies that stands before or behind that of NetworkPolicies, or takes their place.

    Attributes:
        order: where it stands; NetworkPolicies are at 0.
        stage: its stage. One that is named as that of NetworkPolicies takes their place.
    """

    order: float
    stage: Stage


def pipeline_of(
    cluster: str, used: Collection[str], tiers: Iterable[Tier] = (), ranges: RangeMeaning = "unknown"
) -> Pipeline:
    """Return the pipeline of a cluster's network.

    Args:
        cluster: its name.
        used: the names of the stages for which it has lists.
        tiers: the tiers that its network plugin adds; each says itself what ranges mean in it.
        ranges: whether rules that name addresses match pods in the other stages of the network plugin.
    """
    own = {tier.stage.name: tier for tier in tiers}
    own.setdefault(POLICY_STAGE, Tier(0, _POLICIES))
    inner = [tier.stage for tier in sorted(own.values(), key=lambda tier: (tier.order, tier.stage.name))]
    stages = tuple(
        _met(stage if stage.name in own and stage is not _POLICIES else _meaning(stage, ranges))
        for stage in (*_BEFORE, *inner, *_AFTER)
        if stage.name in _ALWAYS or stage.name in own or stage.name in used
    )
    return Pipeline(name=f"{PROVIDER}:{cluster}", ingress=stages, egress=stages)


def _met(stage: Stage) -> Stage:
    return msgspec.structs.replace(stage, pods_only=True, told=stage.name == POLICY_STAGE)


def _meaning(stage: Stage, ranges: RangeMeaning) -> Stage:
    return msgspec.structs.replace(stage, ranges=_RANGES.get(stage.name, ranges))


def pods_of(cluster: str) -> str:
    """Return the qualified id of a cluster's pod network."""
    return qualified(PROVIDER, cluster, "pods")


def hosts_of(cluster: str) -> str:
    """Return the qualified id of the group of pods that use the network of their node."""
    return qualified(PROVIDER, cluster, "host-network")
