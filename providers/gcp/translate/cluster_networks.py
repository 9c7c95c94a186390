"""What Google Cloud says of the network of a cluster: where its pods have addresses, and who enforces its policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.managed_clusters import GoogleCluster, dataplane_of

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_cluster_networks"]

_FACET: Final = "services.gke"
_ENGINES: Final[dict[str, str]] = {"calico": "Calico", "dataplane-v2": "GKE Dataplane V2"}


class _Allocation(msgspec.Struct, rename="camel"):
    use_ip_aliases: bool | None = None
    use_routes: bool | None = None
    cluster_ipv4_cidr_block: str | None = None


class _Cluster(GoogleCluster, kw_only=True, rename="camel"):
    ip_allocation_policy: _Allocation | None = None
    cluster_ipv4_cidr: str | None = None


def add_cluster_networks(answers: Answers, _draft: Draft) -> None:
    """Note of each cluster of GKE what its network settings tell.

    The cluster's own answers, where they are read, say the same in more detail. Sources:
    https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips,
    https://cloud.google.com/kubernetes-engine/docs/how-to/routes-based-cluster and
    https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy
    """
    for wire in answers.listed("container", "clusters", _Cluster, _FACET):
        answers.note(f"the network settings of the GKE cluster {wire.name}: {_addresses(wire)}; {_policies(wire)}")


def _addresses(cluster: _Cluster) -> str:
    policy = cluster.ip_allocation_policy or _Allocation()
    block = policy.cluster_ipv4_cidr_block or cluster.cluster_ipv4_cidr
    listed = f" ({block})" if block else ""
    if policy.use_ip_aliases:
        return f"pods have addresses of alias ranges of their nodes{listed}"
    return f"routes lead to the addresses of pods by way of their nodes{listed}"


def _policies(cluster: _Cluster) -> str:
    engine = dataplane_of(cluster)
    if engine in _ENGINES:
        return f"network policies are enforced by {_ENGINES[engine]}"
    if engine == "none":
        return "nothing of GKE's enforces network policies"
    return "who enforces network policies they do not tell"
