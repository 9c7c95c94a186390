"""A builder of small clusters for the examples of the checks: a few namespaces, workloads and network policies."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import (
    Addresses,
    AllOf,
    Coverage,
    Direction,
    Estate,
    Everyone,
    Group,
    GroupRef,
    InNetworks,
    Interface,
    Labelled,
    Network,
    Peer,
    Pipeline,
    Reading,
    Rule,
    RuleSet,
    ScopeRead,
    SourceLocation,
    Stage,
    qualified,
)
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Admission", "ClusterBuilder", "Pods", "admit"]

_FACETS: Final = ("networks", "subnets", "interfaces", "groups", "workloads")
_POLICIES: Final = Stage(
    name="network-policies", at="interface", stateful=True, match="any", miss="deny", ranges="unknown"
)
_NAME: Final = "kubernetes.io/metadata.name"


class Pods(NamedTuple):
    """One item of ``from`` or ``to``: a pod selector, a namespace selector, or both.

    Attributes:
        labels: labels of the pods; empty for all of them.
        namespaces: labels of their namespaces, empty for all of them; None for the policy's own.
    """

    labels: Mapping[str, str] = MappingProxyType({})
    namespaces: Mapping[str, str] | None = None


class Admission(NamedTuple):
    """One item of ``ingress`` or ``egress``."""

    traffic: str
    peers: tuple[Pods | str, ...]


def admit(traffic: str = "all", *peers: Pods | str) -> Admission:
    """Return an item of ``ingress`` or ``egress``: ``admit("tcp/5432", Pods({"app": "web"}))``.

    Args:
        traffic: as ``Traffic.parse`` reads it.
        peers: whom it admits, texts are ranges of addresses; everyone where none is named.
    """
    return Admission(traffic, peers)


class ClusterBuilder:
    """Builds an estate of one cluster, in which everything was read unless ``unread`` names it.

    Policies and workloads stand in the file ``cluster.yaml``, ten lines each, in the order in which they are added;
    with ``live`` they were read from a cluster that runs, and stand nowhere.
    """

    def __init__(self, name: str = "manifests", *, unread: Iterable[str] = (), live: bool = False) -> None:
        self._name = name
        self._unread = frozenset(unread)
        self._live = live
        self._line = 1
        self._namespaces: dict[str, dict[str, str]] = {}
        self._interfaces: list[tuple[str, Interface]] = []
        self._groups: dict[str, Group] = {}
        self._rule_sets: dict[str, RuleSet] = {}

    def namespace(self, name: str, **labels: str) -> None:
        """Add the labels of a namespace; one that only workloads name has none but its name."""
        self._namespaces[name] = labels

    def workload(
        self, namespace: str, name: str, labels: Mapping[str, str] | None = None, *, kind: str = "Deployment",
        host: bool = False, **more: object,
    ) -> None:  # fmt: skip
        """Add a workload with the labels of its pods, ``app=<name>`` unless told; ``more`` are fields of the model.

        With ``host`` its pods share the network of their node.
        """
        own = {"app": name} if labels is None else dict(labels)
        interface = Interface(
            id=self._id(f"{namespace}/{name}[{kind}]"),
            kind="pod",
            name=name,
            network=None if host else self._id("pods"),
            subnet=None,
            labels=own,
            tags={**own, "namespace": namespace},
            role="host" if host else "interface",
            location=self._location(),
            **more,  # type: ignore[arg-type]
        )
        self._interfaces.append((namespace, interface))

    def policy(
        self, namespace: str, name: str, pods: Mapping[str, str] | None = None, *,
        ingress: Iterable[Admission] | None = None, egress: Iterable[Admission] | None = None,
    ) -> None:  # fmt: skip
        """Add a NetworkPolicy; a direction for which nothing is given is none of its ``policyTypes``."""
        own = self._id(f"{namespace}/NetworkPolicy/{name}")
        location = self._location()
        given: tuple[tuple[Direction, Iterable[Admission] | None], ...] = (("ingress", ingress), ("egress", egress))
        self._rule_sets[own] = RuleSet(
            id=own,
            kind="NetworkPolicy",
            name=name,
            stage=_POLICIES.name,
            applies=self._selector(namespace, Pods(pods or {})),
            isolates=frozenset(direction for direction, items in given if items is not None),
            rules=tuple(
                self._rule(namespace, f"{direction}[{number}]", direction, item.traffic, peer, location)
                for direction, items in given
                for number, item in enumerate(items or ())
                for peer in enumerate(item.peers or (None,))
            ),
            location=location,
        )

    def build(self) -> Estate:
        """Return the estate."""
        pods = Network(id=self._id("pods"), kind="cluster-network", pipeline="kubernetes", leads_out=True)
        interfaces = [self._labelled(*known) for known in self._interfaces]
        return Estate(
            taken_at="2026-01-15T12:00:00Z",
            scopes=(ScopeRead("kubernetes", self._name, ("global",)),),
            pipelines={"kubernetes": Pipeline(name="kubernetes", ingress=(_POLICIES,), egress=(_POLICIES,))},
            networks={pods.id: pods},
            interfaces={interface.id: interface for interface in interfaces},
            groups=self._groups,
            rule_sets=self._rule_sets,
            coverage=Coverage(
                Reading("kubernetes", self._name, "global", facet, "unread" if facet in self._unread else "read")
                for facet in _FACETS
            ),
        )

    def _labelled(self, namespace: str, interface: Interface) -> Interface:
        """Return a workload with all the labels that selectors look at."""
        known = {_NAME: namespace, **self._namespaces.get(namespace, {})}
        of_namespace = {f"namespace/{key}": value for key, value in known.items()}
        return msgspec.structs.replace(interface, labels={**interface.labels, **of_namespace})

    def _rule(
        self,
        namespace: str,
        item: str,
        direction: Direction,
        traffic: str,
        numbered: tuple[int, Pods | str | None],
        location: SourceLocation | None,
    ) -> Rule:
        number, peer = numbered
        word = "from" if direction == "ingress" else "to"
        return Rule(
            id=item if peer is None else f"{item}.{word}[{number}]",
            direction=direction,
            verdict="accept",
            traffic=Traffic.parse(traffic),
            remote=(Everyone() if peer is None else self._peer(namespace, peer),),
            location=location,
        )

    def _peer(self, namespace: str, peer: Pods | str) -> Peer:
        if isinstance(peer, str):
            return Addresses(AddressSet.parse(peer))
        chosen = {_NAME: namespace} if peer.namespaces is None else peer.namespaces
        text = f"pods {_words(peer.labels)} in namespaces {_words(chosen)}"
        group = Group(id=self._id(f"selector/{text}"), kind="pod-selector", selector=self._selector(namespace, peer))
        self._groups[group.id] = group
        return GroupRef(group.id)

    def _selector(self, namespace: str, pods: Pods) -> AllOf:
        chosen = {_NAME: namespace} if pods.namespaces is None else pods.namespaces
        labels = {f"namespace/{key}": value for key, value in chosen.items()} | dict(pods.labels)
        asked = (Labelled(key, "In", frozenset((value,))) for key, value in labels.items())
        return AllOf((*asked, InNetworks(frozenset((self._id("pods"),)))))

    def _id(self, own: str) -> str:
        return qualified("kubernetes", self._name, own)

    def _location(self) -> SourceLocation | None:
        line, self._line = self._line, self._line + 10
        return None if self._live else SourceLocation("cluster.yaml", line)


def _words(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "*"
