"""What Azure says of the network of a cluster: where its pods have their addresses, and who enforces its policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.azure.translate.wire import ArmResource
from cloudseg.providers.managed_clusters import NetworkProfile, engine_of

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_cluster_networks"]

_FACET: Final = "services.aks"
_ENGINES: Final[dict[str, str]] = {"azure": "Azure Network Policy Manager", "calico": "Calico", "cilium": "Cilium"}


class _Pool(msgspec.Struct):
    pods: str | None = msgspec.field(default=None, name="podSubnetID")


class _Properties(msgspec.Struct, rename="camel"):
    network_profile: NetworkProfile | None = None
    pools: list[_Pool] | None = msgspec.field(default=None, name="agentPoolProfiles")


class _Cluster(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_cluster_networks(answers: Answers, _draft: Draft) -> None:
    """Note of each cluster of AKS what its network profile tells.

    The cluster's own answers, where they are read, say the same in more detail. Sources:
    https://learn.microsoft.com/azure/aks/concepts-network-cni-overview and
    https://learn.microsoft.com/azure/aks/use-network-policies
    """
    for wire in answers.listed("containerservice", "managed_clusters", _Cluster, _FACET):
        profile = wire.properties.network_profile
        if profile is not None:
            told = f"{_addresses(profile, wire.properties.pools or [])}; {_policies(profile)}"
            answers.note(f"the network profile of the AKS cluster {wire.name or wire.id}: {told}")


def _addresses(profile: NetworkProfile, pools: list[_Pool]) -> str:
    plugin, mode = (profile.network_plugin or "").lower(), (profile.network_plugin_mode or "").lower()
    overlay = f"pods have addresses of an overlay{f' ({profile.pod_cidr})' if profile.pod_cidr else ''}"
    if plugin == "kubenet":
        return f"{overlay}, by kubenet"
    if plugin == "azure" and mode == "overlay":
        return f"{overlay}, by Azure CNI"
    if plugin == "azure" and any(each.pods for each in pools):
        return "pods have addresses of a subnet of their own, by Azure CNI"
    if plugin == "azure":
        return "pods have addresses of their node's interface, by Azure CNI"
    return "where pods have their addresses depends on a network plugin of the user's own"


def _policies(profile: NetworkProfile) -> str:
    engine = engine_of(profile)
    if engine in _ENGINES:
        return f"network policies are enforced by {_ENGINES[engine]}"
    if engine == "none":
        return "nothing of Azure's enforces network policies"
    return "who enforces network policies it does not tell"
