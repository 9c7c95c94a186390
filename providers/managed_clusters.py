"""What a cloud tells of the clusters that it runs, for whoever reads the clusters themselves.

The answers of a cloud and the objects of a cluster may lie in one snapshot. Nodes tell which cluster of the cloud they
belong to: their machines lie in a resource group that AKS keeps for one cluster, or bear the names that GKE gives to
those of one node pool. Sources: https://learn.microsoft.com/azure/aks/faq (why two resource groups are made) and
https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters.nodePools
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar, cast

import msgspec

from cloudseg.providers.azure.ids import qualified_id as azure_id
from cloudseg.providers.gcp.ids import name_of, qualified_id, scope_name, tail_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.snapshot import Part, Snapshot

__all__ = [
    "Engine",
    "GoogleCluster",
    "ManagedCluster",
    "NetworkProfile",
    "cluster_of",
    "dataplane_of",
    "engine_of",
    "google_machine",
    "managed_clusters",
]

Engine = Literal["azure", "calico", "cilium", "dataplane-v2", "none", "unknown"]
"""Who enforces network policies: an engine that the cloud runs, nothing of the cloud's, or nobody tells."""

_ENGINES: Final[dict[str, Engine]] = {"azure": "azure", "calico": "calico", "cilium": "cilium"}
_GROUPS: Final = frozenset(("instanceGroupManagers", "instanceGroups"))
_MANAGED_GROUP: Final = "-grp"
"""What GKE ends the names of managed instance groups with; their instances bear what is before it, and a suffix."""

T = TypeVar("T")


class NetworkProfile(msgspec.Struct, rename="camel"):
    """The network profile of an AKS cluster.

    Source: https://learn.microsoft.com/rest/api/aks/managed-clusters/get#containerservicenetworkprofile
    """

    network_plugin: str | None = None
    network_plugin_mode: str | None = None
    network_policy: str | None = None
    network_dataplane: str | None = None
    pod_cidr: str | None = None


class ManagedCluster(NamedTuple):
    """A cluster that a cloud runs.

    Attributes:
        vendor: what the cloud calls such clusters.
        name: its name.
        control_plane: qualified id of the service that is its control plane.
        places: how the provider ids of its nodes begin, in lower case, behind what names the cloud.
        engine: who enforces network policies.
        words: what told so, for people.
        masks: where no agent says otherwise, nodes put their address in place of their pods' for destinations that are
            not private; None where that is not told.
    """

    vendor: Literal["AKS", "GKE"]
    name: str
    control_plane: str
    places: tuple[str, ...]
    engine: Engine
    words: str
    masks: bool | None = None


class _Properties(msgspec.Struct, rename="camel"):
    network_profile: NetworkProfile | None = None
    node_resource_group: str | None = None


class _Cluster(msgspec.Struct):
    id: str = ""
    name: str = ""
    properties: _Properties = msgspec.field(default_factory=_Properties)


class _Switch(msgspec.Struct):
    enabled: bool | None = None
    disabled: bool | None = None


class GoogleNetwork(msgspec.Struct, rename="camel"):
    """The network settings of a GKE cluster.

    Source: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters#networkconfig
    """

    datapath_provider: str | None = None
    default_snat_status: _Switch | None = None


class GooglePool(msgspec.Struct, rename="camel"):
    """A node pool of GKE."""

    self_link: str = ""
    asset_name: str = ""
    instance_group_urls: list[str] | None = None


class GoogleCluster(msgspec.Struct, rename="camel"):
    """What a cluster of GKE tells of its network, and of the machines that carry it.

    Source: https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters
    """

    name: str = ""
    self_link: str = ""
    asset_name: str = ""
    network_config: GoogleNetwork | None = None
    network_policy: _Switch | None = None
    autopilot: _Switch | None = None
    node_pools: list[GooglePool] | None = None
    instance_group_urls: list[str] | None = None


def google_machine(project: str, zone: str, name: str) -> str:
    """Return what an instance is called as a machine: its link's tail."""
    return f"projects/{scope_name(project)}/zones/{zone}/instances/{name}"


def managed_clusters(snapshot: Snapshot) -> tuple[ManagedCluster, ...]:
    """Return the clusters of AKS and GKE that a snapshot holds; what is malformed their own translators tell.

    Raises:
        SnapshotError: an answer is no JSON.
    """
    parts: defaultdict[tuple[str, ...], list[Part]] = defaultdict(list)
    for part in snapshot.parts():
        parts[part.provider, part.service, part.operation].append(part)
    found = [
        each
        for part in parts["azure", "containerservice", "managed_clusters"]
        for each in _of_azure(snapshot.read(part), part.scope)
    ]
    pools: defaultdict[tuple[str, ...], list[GooglePool]] = defaultdict(list)
    for part in parts["gcp", "container", "node_pools"]:
        for pool in _items(snapshot.read(part), "items", GooglePool):
            pools[_place_of(pool.asset_name or pool.self_link)].append(pool)
    for part in parts["gcp", "container", "clusters"]:
        found += _of_google(snapshot.read(part), part.scope, pools)
    return tuple(found)


def cluster_of(providers: Sequence[str], clusters: Iterable[ManagedCluster]) -> ManagedCluster | None:
    """Return the cluster of a cloud to which all nodes belong; None where that is not clear.

    Args:
        providers: the provider ids of the nodes.
        clusters: the clusters that clouds say they run.
    """
    machines = [each.lower().partition("://")[2] for each in providers]
    own = [each for each in clusters if machines and all(machine.startswith(each.places) for machine in machines)]
    return own[0] if len(own) == 1 else None


def _items(answer: object, key: str, form: type[T]) -> Iterator[T]:
    listed = cast("dict[str, object]", answer).get(key) if isinstance(answer, dict) else answer
    for item in cast("list[object]", listed) if isinstance(listed, list) else []:
        try:
            yield msgspec.convert(item, form)
        except msgspec.ValidationError:
            continue


def _of_azure(answer: object, subscription: str) -> Iterator[ManagedCluster]:
    for wire in _items(answer, "value", _Cluster):
        profile, group = wire.properties.network_profile, wire.properties.node_resource_group
        if profile is not None and group:
            place = f"/subscriptions/{subscription}/resourcegroups/{group}/".lower()
            words = f"the network profile of the AKS cluster {wire.name}"
            plane = azure_id(wire.id) if wire.id else ""
            yield ManagedCluster("AKS", wire.name, plane, (place,), engine_of(profile), words)


def _of_google(
    answer: object, project: str, pools: Mapping[tuple[str, ...], Sequence[GooglePool]]
) -> Iterator[ManagedCluster]:
    for wire in _items(answer, "items", GoogleCluster):
        link = wire.asset_name or wire.self_link
        every = (*(wire.node_pools or ()), *pools.get(_place_of(link), ()))
        groups = [*(wire.instance_group_urls or ()), *(url for pool in every for url in pool.instance_group_urls or ())]
        if places := tuple(sorted(set(_names_in(groups)))):
            network = wire.network_config or GoogleNetwork()
            snat = network.default_snat_status or _Switch()
            # In Autopilot a policy of the cluster decides.
            autopilot = wire.autopilot is not None and wire.autopilot.enabled is True
            own = qualified_id(link, project).split(":", 2)
            plane = f"{own[0]}:{own[1]}:container/{own[2]}" if link else ""
            words = f"the network settings of the GKE cluster {wire.name}"
            masks = None if autopilot else snat.disabled is not True
            yield ManagedCluster("GKE", wire.name, plane, places, dataplane_of(wire), words, masks)


def _place_of(link: str) -> tuple[str, ...]:
    """Return project, location and name of a cluster of GKE, whether its place is called a zone or a location."""
    return tuple(tail_of(link).split("/")[1:6:2])


def _names_in(groups: Iterable[str]) -> Iterator[str]:
    """Yield how the provider ids of a managed instance group's machines begin: ``shop/us-central1-a/gke-web-``."""
    for group in groups:
        parts = tail_of(group).split("/")
        if len(parts) == 6 and parts[2] == "zones" and parts[4] in _GROUPS:
            yield f"{parts[1]}/{parts[3]}/{name_of(group).removesuffix(_MANAGED_GROUP)}-".lower()


def engine_of(profile: NetworkProfile) -> Engine:
    """Return who enforces network policies; the dataplane Cilium does whatever else is said.

    Sources: https://learn.microsoft.com/azure/aks/use-network-policies and
    https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium
    """
    policy = (profile.network_policy or "").lower()
    if (profile.network_dataplane or "").lower() == "cilium":
        return "cilium"
    if policy in _ENGINES:
        return _ENGINES[policy]
    of_azure = (profile.network_plugin or "").lower() in {"azure", "kubenet"}
    return "none" if of_azure and policy in {"", "none"} else "unknown"


def dataplane_of(cluster: GoogleCluster) -> Engine:
    """Return who enforces network policies of a GKE cluster: Dataplane V2 always, Calico where it is switched on.

    Sources: https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2 and
    https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy
    """
    if cluster.network_config is not None and cluster.network_config.datapath_provider == "ADVANCED_DATAPATH":
        return "dataplane-v2"
    if cluster.network_policy is not None and cluster.network_policy.enabled is True:
        return "calico"
    if cluster.autopilot is not None and cluster.autopilot.enabled is True:
        return "unknown"
    return "none"
