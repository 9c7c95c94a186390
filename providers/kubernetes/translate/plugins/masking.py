"""Whether what pods of a cluster send out of their cloud network bears the address of their machine.

The AWS VPC CNI puts the primary address of the node's first interface in place of a pod's for IPv4 destinations outside
of the VPC, and sends the packets by that interface; unless it is told that others translate, or that a range is spared.
Pods with an interface of their own keep their address, unless their groups are enforced in standard mode. Pods of an
IPv6 cluster send IPv4 under that address as well, unless it is switched off, and it can be switched on for IPv6 of pods
of an IPv4 cluster. On Windows
the plugin is another one with settings of its own, as in Auto Mode. Sources:
https://docs.aws.amazon.com/eks/latest/userguide/external-snat.html,
https://docs.aws.amazon.com/eks/latest/userguide/security-groups-pods-deployment.html,
https://github.com/aws/amazon-vpc-cni-k8s/pull/1907 (what each mode does),
https://docs.aws.amazon.com/eks/latest/userguide/auto-networking.html,
https://docs.aws.amazon.com/eks/latest/best-practices/ipv6.html and
https://github.com/aws/amazon-vpc-cni-k8s#cni-configuration-variables
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Masking
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.plugins.daemons import daemons, truth
from cloudseg.providers.kubernetes.translate.plugins.masking_google import of_google
from cloudseg.providers.kubernetes.translate.plugins.masking_settings import LINK_LOCAL, agent_settings
from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Node
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.plugins.daemons import Container
    from cloudseg.providers.kubernetes.translate.plugins.plugin import Plugin
    from cloudseg.providers.managed_clusters import ManagedCluster

__all__ = ["masking_of"]

_LEFT_TO_OTHERS: Final = "AWS_VPC_K8S_CNI_EXTERNALSNAT"
_SPARED: Final = "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS"
_BRANCHES: Final = "POD_SECURITY_GROUP_ENFORCING_MODE"
_ALSO_IPV4: Final = "ENABLE_V4_EGRESS"
_ALSO_IPV6: Final = "ENABLE_V6_EGRESS"
_OS: Final = ("kubernetes.io/os", "beta.kubernetes.io/os")
_OF_AZURE: Final = "/subscriptions/"
"""What the machines of Azure are named by."""
_AGENT: Final = "azure-ip-masq-agent"
_BY_USERS: Final = "azure-ip-masq-agent-config"
_RECONCILED: Final = "azure-ip-masq-agent-config-reconciled"
_PRIVATE: Final = AddressSet.from_cidrs(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_OVERLAY: Final = "azure-cns"
_COMPUTE: Final = "eks.amazonaws.com/compute-type"


def masking_of(
    objects: Sequence[Object],
    nodes: Sequence[Node],
    plugin: Plugin,
    cluster: ManagedCluster | None = None,
    unread: Collection[str] = (),
) -> Masking | None:
    """Return under whose address packets leave the network that carries a cluster; None where nothing tells.

    Args:
        objects: the objects of the cluster.
        nodes: its nodes.
        plugin: its network plugin.
        cluster: what a cloud says of the cluster that it runs; None where nothing was read of that.
        unread: the lists that were not read in full, by the plurals of their kinds.
    """
    found = [_set(container) for container in _containers(objects)]
    if not found:
        return of_google(objects, nodes, cluster, unread) or _of_azure(objects, nodes)
    doubt = ""
    if any(each != found[0] for each in found):
        doubt = "daemons aws-node are set in different ways"
    elif "Cilium" in plugin.name:
        doubt = "Cilium runs beside aws-node and may translate addresses as well"
    if doubt:
        return Masking(
            applies=None,
            branches=True,
            also_ipv4=any(each.also_ipv4 for each in found),
            also_ipv6=any(each.also_ipv6 for each in found),
            doubt=doubt,
        )
    own = {node.machine for node in nodes if node.machine and _has_another_plugin(node)}
    if not own:
        return found[0]
    first = found[0]
    words = "nodes with Windows or of Auto Mode have another plugin than aws-node"
    return Masking(
        applies=first.applies,
        spared=first.spared,
        unsure=frozenset(own),
        branches=first.branches,
        # Nodes of Auto Mode are set by their NodeClass.
        doubt=f"{first.doubt}; {words}" if first.doubt else words,
    )


def _of_azure(objects: Iterable[Object], nodes: Iterable[Node]) -> Masking | None:
    """Return what is known of nodes of Azure; None for all others.

    An agent puts the node's address in place of a pod's for all IPv4 destinations but those that its settings spare,
    among them the node's network. Where these were not read, or no agent runs, the plugin may do the same. Pods have
    addresses of each family in which they send: those of the node's interface, or of a subnet for pods, which no
    interface lists, or of an overlay, whose packets leave under the node's address. Sources:
    https://learn.microsoft.com/azure/aks/concepts-network-cni-overview,
    https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay and
    https://github.com/Azure/ip-masq-agent-v2
    """
    if not any(node.machine.startswith(_OF_AZURE) for node in nodes):
        return None
    running = {daemon.name for daemon in daemons(objects)}
    agent = any(name.startswith(_AGENT) for name in running)
    doubt = f"which destinations {_AGENT} spares was not read" if agent else f"whether {_AGENT} runs was not read"
    spared = _spared_by_agent(objects) if agent else None
    own: frozenset[str] = frozenset()
    if spared is not None:
        own = frozenset(node.machine for node in nodes if node.machine and _has_another_plugin(node))
        doubt = f"nodes with Windows do without {_AGENT}" if own else ""
    return Masking(
        applies=None if spared is None else True,
        spared=spared or NO_ADDRESSES,
        unsure=own,
        branches=True,
        also_ipv4=False,
        also_ipv6=False,
        # A network plugin of the user's own may do otherwise.
        overlay=agent or _OVERLAY in running,
        unlisted=True,
        doubt=doubt,
    )


def _spared_by_agent(objects: Iterable[Object]) -> AddressSet | None:
    """Return the destinations that the agent of Azure spares; None where its settings were not read, or are none.

    It reads every file of its config maps and joins their ranges. Source:
    https://github.com/Azure/ip-masq-agent-v2#configuring-the-agent
    """
    maps = {item.name: item for item in objects if item.kind == "ConfigMap" and item.place == "kube-system"}
    if _RECONCILED not in maps:
        return None
    found, named = NO_ADDRESSES, False
    for name in (_RECONCILED, _BY_USERS):
        for text in fields_of(maps[name].content.get("data")).values() if name in maps else ():
            settings = agent_settings(text)
            if settings is None:
                return None
            found |= settings.ranges or NO_ADDRESSES
            named = named or settings.ranges is not None
            if settings.spares_link_local:
                found |= LINK_LOCAL
    return (found if named else found | _PRIVATE) & ALL_IPV4


def _containers(objects: Iterable[Object]) -> Iterator[Container]:
    for daemon in daemons(objects):
        for container in daemon.containers:
            if container.image.endswith("amazon-k8s-cni") or (daemon.name, container.name) == ("aws-node", "aws-node"):
                yield container


def _has_another_plugin(node: Node) -> bool:
    labels = node.labels
    return labels is None or labels.get(_COMPUTE) == "auto" or any(labels.get(key) == "windows" for key in _OS)


def _set(container: Container) -> Masking:
    return msgspec.structs.replace(
        _outward(container),
        also_ipv4=_may_be_on(container, _ALSO_IPV4, default=True),
        also_ipv6=_may_be_on(container, _ALSO_IPV6, default=False),
    )


def _may_be_on(container: Container, switch: str, *, default: bool) -> bool:
    text = container.variable(switch)
    return text is None or truth(text or None, default=default) is not False


def _outward(container: Container) -> Masking:
    switch, text, mode = (container.variable(key) for key in (_LEFT_TO_OTHERS, _SPARED, _BRANCHES))
    left = truth(switch or None, default=False) if switch is not None else None
    if left is None:
        doubt = f"what {_LEFT_TO_OTHERS} of aws-node is set to cannot be told"
        return Masking(applies=None, branches=mode != "strict", doubt=doubt)
    if left:
        return Masking(applies=False)
    if text is None or mode is None:
        doubt = f"what {_SPARED if text is None else _BRANCHES} of aws-node is set to cannot be told"
        return Masking(applies=None, branches=mode != "strict", doubt=doubt)
    return Masking(applies=True, spared=_ranges(text), branches=mode == "standard")


def _ranges(text: str) -> AddressSet:
    """Return the IPv4 ranges of a list; what is none the plugin skips as well."""
    found = NO_ADDRESSES
    for part in text.split(","):
        try:
            found |= AddressSet.from_cidrs((part.strip(),)) if "/" in part else NO_ADDRESSES
        except ParseError:
            continue
    return found & ALL_IPV4
