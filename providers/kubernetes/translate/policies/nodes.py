"""Nodes as the other ends of rules: their addresses, and the pods that use the network of their node.

Which node a workload's pods run on no manifest says, so that those on the network of a node are meant for sure only
where all nodes are. Source: https://kubernetes.io/docs/reference/node/node-status/#addresses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Addresses, Group, GroupRef, Labelled, Unresolved
from cloudseg.providers.kubernetes.translate.labels import ON_HOST, meets, words
from cloudseg.providers.kubernetes.translate.objects import PROVIDER
from cloudseg.providers.kubernetes.translate.pipeline import hosts_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Peer
    from cloudseg.providers.kubernetes.translate.draft import Draft

__all__ = ["NodePeer", "node_peers"]


class NodePeer(NamedTuple):
    """A part of what a selector of nodes stands for.

    Attributes:
        peer: the peer of the model.
        exact: False where it is the most that it can be.
    """

    peer: Peer
    exact: bool


def node_peers(required: Sequence[Labelled], draft: Draft) -> tuple[NodePeer, ...]:
    """Return what a selector of nodes stands for: addresses, and pods on the network of these nodes.

    Args:
        required: what the selector asks of the labels of nodes.
        draft: the cluster.
    """
    found: list[NodePeer] = []
    total, unread = NO_ADDRESSES, not draft.nodes
    for node in draft.nodes:
        if node.labels is None:
            unread = True
        elif all(meets(each, node.labels) for each in required):
            total |= node.addresses
            unread = unread or not node.addresses
    if total:
        found.append(NodePeer(Addresses(total), exact=True))
    if unread:
        which = f" ({words(required)})" if required else ""
        reason = "the nodes of the cluster were not read, or not with their addresses"
        found.append(NodePeer(Unresolved(f"nodes of {draft.cluster}{which}", reason), exact=False))
    if any(each.role == "host" for each in draft.interfaces.values()):
        found.append(NodePeer(GroupRef(_on_host(draft)), exact=not required))
    return tuple(found)


def _on_host(draft: Draft) -> str:
    identifier = hosts_of(draft.cluster)
    on_host = Labelled(ON_HOST, "In", frozenset((draft.cluster,)))
    draft.groups[identifier] = Group(id=identifier, kind="host-network-pods", selector=on_host, managed_by=PROVIDER)
    return identifier
