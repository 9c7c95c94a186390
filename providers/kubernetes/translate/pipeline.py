"""The stages that a packet meets at a pod, and the networks of a cluster.

What selects a pod for a direction isolates it there: then only what some policy admits passes. Sources:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation and
https://kubernetes.io/docs/concepts/services-networking/network-policies/#what-you-can-t-do-with-network-policies-at-least-not-yet
"""

from __future__ import annotations

from typing import Final

from cloudseg.model import Pipeline, Stage, qualified
from cloudseg.providers.kubernetes.translate.objects import PROVIDER

__all__ = ["CLUSTER", "NODE_STAGE", "POLICY_STAGE", "hosts_of", "pods_of"]

POLICY_STAGE: Final = "network-policies"
NODE_STAGE: Final = "rules-of-the-own-node"

_STAGES: Final = (
    # A pod and its own node always reach each other, whatever policies say.
    Stage(name=NODE_STAGE, at="interface", stateful=True, match="first", miss="next"),
    # No list stands here. Policies of kinds that are not evaluated may forbid what a NetworkPolicy admits, so that of
    # a pod that they may select nothing is certain.
    Stage(name="policies-of-other-kinds", at="interface", stateful=True, match="any", miss="deny"),
    Stage(name=POLICY_STAGE, at="interface", stateful=True, match="any", miss="deny"),
)

CLUSTER: Final = Pipeline(name=PROVIDER, ingress=_STAGES, egress=_STAGES)
"""The pipeline of every cluster network."""


def pods_of(cluster: str) -> str:
    """Return the qualified id of a cluster's pod network."""
    return qualified(PROVIDER, cluster, "pods")


def hosts_of(cluster: str) -> str:
    """Return the qualified id of the group of pods that use the network of their node."""
    return qualified(PROVIDER, cluster, "host-network")
