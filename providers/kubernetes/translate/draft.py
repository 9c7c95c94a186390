"""The estate of one cluster while it is being translated."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model import AllOf, Group, GroupRef, Labelled, matches, qualified
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE, in_cluster
from cloudseg.providers.kubernetes.translate.objects import PROVIDER, Ledger
from cloudseg.providers.kubernetes.translate.pipeline import pods_of
from cloudseg.providers.kubernetes.translate.plugins.plugin import Plugin
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Alias, Entrance, Interface, RuleSet, Workload
    from cloudseg.providers.kubernetes.translate.evidence import Evidence
    from cloudseg.providers.kubernetes.translate.pipeline import Tier

__all__ = ["Draft", "Node"]


class Node(NamedTuple):
    """A node.

    Attributes:
        name: its name.
        labels: its labels; None where they cannot be read.
        addresses: its addresses; none where they were not read.
        machine: the own id of the machine that it is, as its cloud names it; empty where it does not say.
    """

    name: str
    labels: dict[str, str] | None
    addresses: AddressSet = NO_ADDRESSES
    machine: str = ""


class Draft:
    """Collects what is translated of one cluster.

    Attributes:
        cluster: its name.
        ledger: gaps and notes.
        namespaces: the labels of the namespaces that were read, as pods bear them.
        inhabited: the namespaces with pods.
        interfaces: by id.
        evidence: what else is known of the pods of an interface, by its id.
        workloads: by id.
        groups: by id.
        rule_sets: by id.
        tiers: the tiers that the network plugin adds to the stages of its own accord.
        plugin: the network plugin, as far as objects tell.
        nodes: the nodes that were read.
        entrances: by id.
        aliases: by id.
    """

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.ledger = Ledger(cluster)
        self.namespaces: dict[str, dict[str, str]] = {}
        self.inhabited: set[str] = set()
        self.interfaces: dict[str, Interface] = {}
        self.evidence: dict[str, Evidence] = {}
        self.workloads: dict[str, Workload] = {}
        self.groups: dict[str, Group] = {}
        self.rule_sets: dict[str, RuleSet] = {}
        self.tiers: list[Tier] = []
        self.plugin = Plugin()
        self.nodes: list[Node] = []
        self.entrances: dict[str, Entrance] = {}
        self.aliases: dict[str, Alias] = {}
        self._bounded: defaultdict[str | None, set[tuple[Labelled, ...]]] = defaultdict(set)
        self._numbers: dict[tuple[str | None, str], tuple[int, ...]] | None = None

    def id(self, own: str) -> str:
        """Return the qualified id of a resource of the cluster."""
        return qualified(PROVIDER, self.cluster, own)

    def aside(self) -> Draft:
        """Return a draft of the same pods and nodes without any lists: what is added there does not count here."""
        other = Draft(self.cluster)
        other.namespaces, other.inhabited = self.namespaces, self.inhabited
        other.interfaces, other.workloads = dict(self.interfaces), dict(self.workloads)
        other.nodes, other.plugin = self.nodes, self.plugin
        return other

    @property
    def unlabelled(self) -> frozenset[str]:
        """The namespaces with pods whose own labels were not read."""
        return frozenset(self.inhabited - self.namespaces.keys())

    def chosen(self, required: tuple[Labelled, ...]) -> AllOf:
        """Return the selector of the pods of this cluster that meet requirements."""
        return AllOf((*required, in_cluster(self.cluster)))

    def group(self, text: str, required: tuple[Labelled, ...]) -> GroupRef:
        """Return a reference to the pods that meet requirements.

        Args:
            text: the requirements in words, the same for the same ones.
            required: the requirements.
        """
        identifier = self.id(text)
        if identifier not in self.groups:
            selector = self.chosen(required)
            self.groups[identifier] = Group(
                id=identifier, kind="pod-selector", selector=selector, networks=(pods_of(self.cluster),)
            )
        return GroupRef(identifier)

    def bound(self, namespace: str | None, required: tuple[Labelled, ...] = ()) -> None:
        """Note that something unread may concern pods: in a namespace, or in all for None."""
        self._bounded[namespace].add(required)

    def bound_pods(self) -> None:
        """Mark the pods of which something unread may decide."""
        if not self._bounded:
            return
        everywhere = self._bounded.get(None, set())
        unlabelled = self.unlabelled
        for key, interface in self.interfaces.items():
            place = interface.labels[NAMESPACE]
            if interface.network is None or interface.attached_unread:
                continue
            each = (*everywhere, *self._bounded.get(place, ()))
            if any(_may_meet(interface, required, unlabelled=place in unlabelled) for required in each):
                self.interfaces[key] = msgspec.structs.replace(interface, attached_unread=True)

    def numbers(self, namespace: str | None, port: str) -> tuple[int, ...]:
        """Return the numbers that pods have for a named port, by its label; in one namespace, or in all for None."""
        if self._numbers is None:
            found: defaultdict[tuple[str | None, str], set[int]] = defaultdict(set)
            for interface in self.interfaces.values():
                if interface.network is None:
                    continue
                for label in [key for key in interface.labels if key.startswith("port/")]:
                    number = int(interface.labels[label])
                    found[None, label].add(number)
                    found[interface.labels[NAMESPACE], label].add(number)
            self._numbers = {key: tuple(sorted(numbers)) for key, numbers in found.items()}
        return self._numbers.get((namespace, port), ())


def _may_meet(interface: Interface, required: tuple[Labelled, ...], *, unlabelled: bool) -> bool:
    """Tell whether a pod may meet requirements; the labels of its namespace may not have been read."""
    return all(
        matches(each, interface) or (unlabelled and each.key.startswith(ON_NAMESPACE) and each.key != NAMESPACE)
        for each in required
    )
