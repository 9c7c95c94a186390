"""Entities: ends that have a name of their own in Cilium, such as the nodes, the world, everybody.

What is no pod of the cluster and bears addresses that were not read (nodes, the API server, the proxy for Ingress) is
known at most. Source: https://docs.cilium.io/en/stable/security/policy/layer3/#entities-based
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, Everyone, GroupRef, Unresolved
from cloudseg.providers.kubernetes.translate.peers import Pods
from cloudseg.providers.kubernetes.translate.pipeline import hosts_of
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Peer
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.cilium.book import Book

__all__ = ["EVERY_POD", "entity_ends", "node_peers"]

EVERY_POD: Final = Pods("all pods in any namespace", ())
_WORLDS: Final = {"world": ALL_ADDRESSES, "world-ipv4": ALL_IPV4, "world-ipv6": ALL_IPV6}
_ANY_POD: Final = frozenset(("init", "unmanaged"))
"""Pods at times: while they start, or where Cilium did not start them. Any may be one."""
_NOBODY: Final = frozenset(("none", "health"))
"""Nobody, and the health endpoints of Cilium itself, which are no pods."""
_AT_TIMES: Final = "any pod may be one while it starts, or where Cilium did not start it"
_WHICH: Final = "which of the nodes is the pod's own, and which are remote, no manifest says"
_NODES: Final = frozenset(("host", "remote-node"))


def entity_ends(names: Sequence[str], draft: Draft, book: Book) -> dict[int, tuple[Pods | tuple[Peer, ...], str]]:
    """Return who entities are, by their place, and why that is not sure; those that are nobody are left out.

    Raises:
        ParseError: there is no such entity.
    """
    found: dict[int, tuple[Pods | tuple[Peer, ...], str]] = {}
    # One of them is the pod's own node and the others are the remote ones; which is which, no manifest says.
    every_node = set(names) >= _NODES
    for number, name in enumerate(names):
        if name == "all":
            found[number] = (Everyone(),), ""
        elif name in _WORLDS:
            found[number] = (Addresses(_WORLDS[name] - (book.nodes or NO_ADDRESSES)),), ""
        elif name == "cluster":
            found[number] = (EVERY_POD.peer(draft), *_known_nodes(draft, book)), ""
        elif name in _NODES:
            found[number] = node_peers(draft, book), "" if every_node else _WHICH
        elif name == "kube-apiserver":
            unknown = Unresolved(
                f"kube-apiserver of {draft.cluster}",
                f"which addresses the API server of cluster {draft.cluster} has was not read",
            )
            found[number] = (unknown, *_hosts(draft, book)), unknown.reason
        elif name == "ingress":
            unknown = Unresolved(
                f"ingress proxy of {draft.cluster}", "who comes by Cilium's proxy for Ingress and Gateway is not known"
            )
            found[number] = (unknown,), unknown.reason
        elif name in _ANY_POD:
            found[number] = EVERY_POD._replace(exact=False), _AT_TIMES
        elif name not in _NOBODY:
            raise ParseError(f"{name!r} is no entity")
    return found


def node_peers(draft: Draft, book: Book) -> tuple[Peer, ...]:
    """Return the nodes of the cluster, and the pods on their network."""
    if book.nodes is not None:
        return _known_nodes(draft, book)
    unknown = Unresolved(
        f"nodes of {draft.cluster}", f"which addresses the nodes of cluster {draft.cluster} have was not read"
    )
    return (unknown, *_hosts(draft, book))


def _known_nodes(draft: Draft, book: Book) -> tuple[Peer, ...]:
    return (*(() if book.nodes is None else (Addresses(book.nodes),)), *_hosts(draft, book))


def _hosts(draft: Draft, book: Book) -> tuple[Peer, ...]:
    return (GroupRef(hosts_of(draft.cluster)),) if book.hosts else ()
