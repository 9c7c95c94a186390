"""Under whose address packets of pods leave nodes of Google Cloud.

An agent, or without it the node's own setting, puts the node's address in place of a pod's for all destinations but
those that it spares: where nobody says otherwise those that are private or reserved for everybody. The network of the
nodes is spared only as far as it lies in these. Source:
https://cloud.google.com/kubernetes-engine/docs/concepts/ip-masquerade-agent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import Masking
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.plugins.daemons import daemons
from cloudseg.providers.kubernetes.translate.plugins.masking_settings import LINK_LOCAL, agent_settings
from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Node
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.managed_clusters import ManagedCluster

__all__ = ["of_google"]

_OF_GOOGLE: Final = "projects/"
"""What the machines of Google Cloud are named by."""
_OF_GKE: Final = "cloud.google.com/gke-nodepool"
_AGENT: Final = "ip-masq-agent"
_DATAPLANE: Final = "anetd"
_CONFIG: Final = "config"
_OS: Final = ("kubernetes.io/os", "beta.kubernetes.io/os")
_SYSTEM: Final = "kube-system"
_SPARED: Final = AddressSet.from_cidrs(
    (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
    )
)  # fmt: skip
"""The destinations that are spared unless a list says otherwise. Source:
https://cloud.google.com/kubernetes-engine/docs/concepts/ip-masquerade-agent#default-non-masq-dests"""


def of_google(
    objects: Sequence[Object], nodes: Sequence[Node], cluster: ManagedCluster | None, unread: Collection[str]
) -> Masking | None:
    """Return what is known of nodes of Google Cloud; None for all others.

    Args:
        objects: the objects of the cluster.
        nodes: its nodes.
        cluster: what the cloud says of it; None where that was not read.
        unread: the lists that were not read in full, by the plurals of their kinds.
    """
    own = [node for node in nodes if node.machine.startswith(_OF_GOOGLE)]
    if not own:
        return None
    spared, doubt = _spared(objects, own, cluster, unread)
    # Nodes with Windows spare the addresses of their cluster alone.
    windows = frozenset(node.machine for node in own if node.labels is None or _has(node.labels, "windows"))
    if windows and not doubt:
        doubt = "nodes with Windows spare other destinations"
    return Masking(
        applies=None if spared is None else spared != ALL_IPV4,
        spared=spared or NO_ADDRESSES,
        network_spared=False,
        unsure=windows if spared is not None else frozenset(),
        also_ipv4=False,
        also_ipv6=False,
        routed=True,
        doubt=doubt,
    )


def _has(labels: dict[str, str], system: str) -> bool:
    return any(labels.get(key) == system for key in _OS)


def _spared(
    objects: Sequence[Object], nodes: Iterable[Node], cluster: ManagedCluster | None, unread: Collection[str]
) -> tuple[AddressSet | None, str]:
    """Return the destinations to which packets bear the pod's address, all of them where they always do.

    None stands for what is not known, with the reason.
    """
    if any(_OF_GKE not in (node.labels or {}) for node in nodes):
        return None, "whether the machine's address stands for those of its pods was not read"
    if any(item.kind == "EgressNATPolicy" for item in objects):
        return None, "what an EgressNATPolicy spares is not judged"
    running = list(daemons(objects))
    if not running or "daemonsets" in unread:
        return None, f"whether {_AGENT} runs was not read"
    if any(daemon.name == _AGENT or daemon.name.startswith(f"{_AGENT}-") for daemon in running):
        if cluster is None and any(daemon.name == _DATAPLANE for daemon in running):
            # Autopilot always has both, and policies that come before the agent's settings.
            return None, "whether the cluster is one of Autopilot, with an EgressNATPolicy, was not read"
        return _by_agent(objects, cluster, unread)
    if cluster is None or cluster.masks is None:
        return None, "whether the cluster was made without default SNAT was not read"
    return (_SPARED if cluster.masks else ALL_IPV4), ""


def _by_agent(
    objects: Iterable[Object], cluster: ManagedCluster | None, unread: Collection[str]
) -> tuple[AddressSet | None, str]:
    maps = {
        item.name: item for item in objects if item.kind == "ConfigMap" and not item.group and item.place == _SYSTEM
    }
    own = maps.get(_AGENT)
    if own is None:
        if "configmaps" in unread or (cluster is not None and cluster.masks is None):
            return None, f"which destinations {_AGENT} spares was not read"
        return _SPARED | LINK_LOCAL, ""
    text = fields_of(own.content.get("data")).get(_CONFIG)
    settings = agent_settings(text or "")
    if settings is None:
        return None, f"the settings of {_AGENT} cannot be read"
    found = _SPARED if settings.ranges is None else settings.ranges
    return (found | LINK_LOCAL if settings.spares_link_local else found) & ALL_IPV4, ""
