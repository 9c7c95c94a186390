"""Pods and their own nodes, which always reach each other, whatever policies say.

A pod that no controller made stays on its node for good, as does one that the node itself made from a file; who runs
where of all others may change. Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-lifetime
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import Addresses, AllOf, Group, GroupRef, Labelled, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import IN_CLUSTER, ON_HOST, ON_NODE, in_cluster, node_label
from cloudseg.providers.kubernetes.translate.objects import PROVIDER
from cloudseg.providers.kubernetes.translate.pipeline import NODE_STAGE, hosts_of, pods_of
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Direction, Peer
    from cloudseg.providers.kubernetes.translate.draft import Draft, Node

__all__ = ["add_own_node"]

_DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")


def add_own_node(draft: Draft) -> None:
    """Let everything pass between pods and their nodes, and those on the network of these.

    It is certain where a pod stays on its node for good, and at most elsewhere: any node may be the pod's own.
    """
    addresses = NO_ADDRESSES
    for node in draft.nodes:
        addresses |= node.addresses
    hosts = _group(draft, hosts_of(draft.cluster), _on_host(draft))
    inhabited, hosting = (
        {each.labels[ON_NODE] for each in draft.interfaces.values() if ON_NODE in each.labels and place in each.labels}
        for place in (IN_CLUSTER, ON_HOST)
    )
    roams = (Labelled(ON_NODE, "DoesNotExist"),) if inhabited else ()
    every: tuple[Peer, ...] = (hosts, Addresses(addresses)) if addresses else (hosts,)
    _add(draft, "own-node", (in_cluster(draft.cluster), *roams), (), every)
    if not inhabited:
        return
    roaming = _group(
        draft, draft.id("host-network, on any node"), AllOf((_on_host(draft), Labelled(ON_NODE, "DoesNotExist")))
    )
    for node in draft.nodes:
        label = node_label(draft.cluster, node.name)
        if label in inhabited:
            _add_placed(draft, node, roaming, has_hosts=label in hosting)


def _add_placed(draft: Draft, node: Node, roaming: GroupRef, *, has_hosts: bool) -> None:
    """Add what passes at the pods that stay on a node."""
    here = Labelled(ON_NODE, "In", frozenset((node_label(draft.cluster, node.name),)))
    sure: list[Peer] = [Addresses(node.addresses)]
    if has_hosts:
        sure.append(_group(draft, draft.id(f"host-network, on {node.name}"), AllOf((_on_host(draft), here))))
    _add(draft, f"own-node/{node.name}", (in_cluster(draft.cluster), here), sure, (roaming,))


def _on_host(draft: Draft) -> Labelled:
    return Labelled(ON_HOST, "In", frozenset((draft.cluster,)))


def _group(draft: Draft, identifier: str, selector: Labelled | AllOf) -> GroupRef:
    draft.groups[identifier] = Group(id=identifier, kind="host-network-pods", selector=selector, managed_by=PROVIDER)
    return GroupRef(identifier)


def _add(draft: Draft, own: str, chosen: Sequence[Labelled], sure: Sequence[Peer], at_most: Sequence[Peer]) -> None:
    parts = (("own-node", tuple(sure), True), ("a-node", tuple(at_most), False))
    rules = tuple(
        Rule(
            id=f"{direction}.own-node" if exact or not sure else f"{direction}.{name}",
            direction=direction,
            verdict="accept",
            traffic=ALL_TRAFFIC,
            remote=remote,
            exact=exact,
            description="a pod and its own node always reach each other",
        )
        for direction in _DIRECTIONS
        for name, remote, exact in parts
        if remote
    )
    identifier = draft.id(own)
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind="node-rule",
        stage=NODE_STAGE,
        rules=rules,
        applies=chosen[0] if len(chosen) == 1 else AllOf(tuple(chosen)),
        network=pods_of(draft.cluster),
        managed_by=PROVIDER,
    )
