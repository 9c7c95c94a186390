"""Clusters as the checks of network policies look at them: namespaces, pods, and the policies that isolate these.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from cloudseg.checks.interface import Parameter
from cloudseg.checks.rule_lists import shown
from cloudseg.model import AllOf, Everyone, GroupRef, Labelled, Resource, matches, qualified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.model import (
        Direction,
        Estate,
        Interface,
        Network,
        Pipeline,
        Rule,
        RuleSet,
        Selector,
        SourceLocation,
        Stage,
    )

__all__ = [
    "NAMESPACE_NAME",
    "SYSTEM_NAMESPACES",
    "Cluster",
    "Namespace",
    "SelectorParts",
    "applying",
    "clusters",
    "is_host",
    "isolating",
    "isolating_stages",
    "labels_unread",
    "names_its_own",
    "namespace_of",
    "namespace_resource",
    "needs_pods",
    "of_cluster",
    "of_mesh",
    "pods_in_words",
    "policies_in_words",
    "policies_of",
    "selector_parts",
    "workload_name",
    "workloads",
]

R = TypeVar("R", bound=Resource)

# https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name
NAMESPACE_NAME: Final = "namespace/kubernetes.io/metadata.name"
_NAMESPACE, _PORT, _IN_CLUSTER, _OWN = "namespace/", "port/", "pod/cluster", "pod/"
_OF_MESH: Final = "mesh-"
"""What the names of the stages of a mesh begin with: a mesh decides beside network policies and isolates nobody."""
SYSTEM_NAMESPACES: Final = Parameter(
    "system_namespaces",
    ("kube-system", "kube-public", "kube-node-lease"),
    "Namespaces that the cluster itself keeps.",
)


class Namespace(NamedTuple):
    """A namespace of which workloads were read.

    Attributes:
        name: its name.
        pods: the workloads whose pods have a network of their own, in order of their ids.
        hosts: the workloads whose pods share the network of their node.
    """

    name: str
    pods: tuple[Interface, ...]
    hosts: tuple[Interface, ...] = ()

    @property
    def one(self) -> Interface:
        """One of its workloads: all of them bear the labels of the namespace."""
        return self.pods[0] if self.pods else self.hosts[0]


class Cluster(NamedTuple):
    """A cluster: the network of its pods, and its namespaces by name, in order."""

    network: Network
    namespaces: dict[str, Namespace]

    @property
    def pods(self) -> Iterator[Interface]:
        """The workloads whose pods have a network of their own."""
        return (pod for namespace in self.namespaces.values() for pod in namespace.pods)


_KNOWN: WeakKeyDictionary[Estate, tuple[Cluster, ...]] = WeakKeyDictionary()
"""Every check of policies asks for the clusters of its estate."""
_ISOLATING: WeakKeyDictionary[Estate, dict[tuple[str, Direction], tuple[RuleSet, ...]]] = WeakKeyDictionary()
"""Several checks ask of every pod, by its id, which policies isolate it."""


class SelectorParts(NamedTuple):
    """A selector taken apart by what its requirements are about.

    Attributes:
        namespaces: what it asks of the namespace.
        pods: everything else but ports.
        names: the names of namespaces that it asks for; None where it asks for none by name.
    """

    namespaces: AllOf
    pods: AllOf
    names: frozenset[str] | None


def of_cluster(resource: Resource) -> bool:
    """Tell whether a resource belongs to a cluster and not to a cloud."""
    return resource.provider == "kubernetes"


def is_host(interface: Interface) -> bool:
    """Tell whether an interface stands for pods that share the network of their node."""
    return interface.kind == "pod" and interface.role == "host"


def namespace_of(interface: Interface) -> str:
    """Return the name of the namespace of a pod; empty for anything else."""
    return interface.labels.get(NAMESPACE_NAME) or interface.tags.get("namespace", "")


def clusters(estate: Estate) -> tuple[Cluster, ...]:
    """Return the clusters of an estate, in order of their ids."""
    known = _KNOWN.get(estate)
    if known is None:
        known = _KNOWN[estate] = _clusters(estate)
    return known


def _clusters(estate: Estate) -> tuple[Cluster, ...]:
    found = [network for _, network in sorted(estate.networks.items()) if network.kind == "cluster-network"]
    if not found:
        return ()
    # Where its addresses are a cloud's, a pod stands in a network of that cloud; its cluster it names itself.
    pods = [interface for _, interface in sorted(estate.interfaces.items()) if interface.is_pod]
    return tuple(Cluster(network, _namespaces(_of_cluster(network, pods))) for network in found)


def needs_pods(context: AuditContext) -> str:
    """Return why nothing can be said of the policies of an estate: it holds no workloads. A check's precondition."""
    known = any(cluster.namespaces for cluster in clusters(context.estate))
    return "" if known else "no workloads of a cluster were read"


def policies_of(cluster: Cluster, estate: Estate) -> tuple[RuleSet, ...]:
    """Return the policies of a cluster that isolate whom they choose, in order of their ids."""
    pipeline = estate.pipelines[cluster.network.pipeline]
    stages = dict.fromkeys((*isolating_stages(pipeline, "ingress"), *isolating_stages(pipeline, "egress")))
    found = (rule_set for stage in stages for rule_set in estate.rule_sets_at(stage))
    return tuple(sorted(_of_cluster(cluster.network, found), key=lambda rule_set: rule_set.id))


def isolating(estate: Estate, pod: Interface, direction: Direction) -> tuple[RuleSet, ...]:
    """Return the policies that isolate a pod in a direction: without any, everything passes. Only they admit."""
    asked = _ISOLATING.get(estate)
    if asked is None:
        asked = _ISOLATING[estate] = {}
    known = asked.get((pod.id, direction))
    if known is None:
        network = estate.networks[qualified(pod.provider, pod.scope, "pods")]
        stages = isolating_stages(estate.pipelines[network.pipeline], direction)
        known = tuple(_of_cluster(network, (j for stage in stages for j in estate.judging(pod, stage, direction))))
        if estate.interfaces.get(pod.id) is pod:
            asked[pod.id, direction] = known
    return known


def applying(
    estate: Estate, pod: Interface, judges: Iterable[RuleSet], direction: Direction, *, denials: bool = False
) -> Iterator[tuple[RuleSet, Rule, bool]]:
    """Yield the allowing rules of policies that concern a pod, and whether each certainly does, as it is written.

    With ``denials`` those that deny are among them.
    """
    for judge in judges:
        for rule in judge.rules:
            if rule.direction == direction and (denials or rule.allows):
                concerned = _at(rule, pod, estate)
                if concerned is not False:
                    yield judge, rule, concerned is True and rule.exact


def namespace_resource(cluster: Cluster, name: str, location: SourceLocation | None) -> Resource:
    """Return what a finding about a namespace is about; its place is that of a policy or workload in it."""
    network = cluster.network
    own = qualified(network.provider, network.scope, name)
    return Resource(id=own, kind="namespace", region=network.region, location=location)


def selector_parts(selector: Selector) -> SelectorParts:
    """Take a selector apart.

    What asks for a port is left out, since it tells no pods apart that are meant; so is the cluster's own network.
    """
    of_namespace: list[Selector] = []
    of_pods: list[Selector] = []
    names: frozenset[str] | None = None
    for part in _flat(selector):
        key = part.key if isinstance(part, Labelled) else ""
        if key.startswith(_NAMESPACE):
            of_namespace.append(part)
        elif not key.startswith(_PORT) and key != _IN_CLUSTER:
            of_pods.append(part)
        if isinstance(part, Labelled) and key == NAMESPACE_NAME and part.operator == "In":
            names = part.values if names is None else names & part.values
    return SelectorParts(AllOf(tuple(of_namespace)), AllOf(tuple(of_pods)), names)


def names_its_own(policy: RuleSet, rule: Rule, estate: Estate) -> bool:
    """Tell whether a rule names as its other end just whom its policy selects, as far as selectors are alike."""
    own = selector_parts(policy.applies)
    for peer in rule.remote:
        group = estate.groups.get(peer.group) if isinstance(peer, GroupRef) else None
        if group is not None and selector_parts(group.selector)[:2] == own[:2]:
            return True
    return False


def pods_in_words(pods: Sequence[Interface]) -> str:
    """Return the first few workloads by their own ids, with a count of the rest."""
    return shown(list(dict.fromkeys(workload_name(pod) for pod in pods)))


def workload_name(pod: Interface) -> str:
    """Return the own id of a workload, without the place in a cloud where some of its pods stand."""
    return pod.own_id.partition("@")[0]


def policies_in_words(policies: Sequence[RuleSet]) -> str:
    """Return the first few policies by their own ids, with a count of the rest."""
    return shown([policy.own_id for policy in policies])


def labels_unread(pods: Iterable[Interface]) -> tuple[Interface, ...]:
    """Return the workloads that show no label and were not read in full: any selector may choose them."""
    own = (_NAMESPACE, _OWN)
    return tuple(p for p in pods if p.attached_unread and all(key.startswith(own) for key in p.labels))


def workloads(number: int, of: int) -> str:
    """Return how many of the workloads of a namespace: ``2 of 5 workloads``."""
    return f"{number:,} of {of:,} workload{'' if of == 1 else 's'}"


def of_mesh(stage: Stage) -> bool:
    """Tell whether a stage is one of a mesh, which decides beside the network."""
    return stage.name.startswith(_OF_MESH)


def isolating_stages(pipeline: Pipeline, direction: Direction) -> tuple[str, ...]:
    """Return the names of the stages whose policies isolate whom they choose."""
    stages = (stage for stage in pipeline.stages(direction) if not of_mesh(stage))
    return tuple(stage.name for stage in stages if stage.at == "interface" and stage.miss == "deny")


def _flat(selector: Selector) -> Iterator[Selector]:
    if isinstance(selector, AllOf):
        for part in selector.parts:
            yield from _flat(part)
    else:
        yield selector


def _of_cluster(network: Network, resources: Iterable[R]) -> Iterator[R]:
    """Yield what belongs to a cluster: labels of one cluster mean nothing in another."""
    place = (network.provider, network.scope)
    return (resource for resource in resources if (resource.provider, resource.scope) == place)


def _namespaces(pods: Iterable[Interface]) -> dict[str, Namespace]:
    found: defaultdict[str, tuple[list[Interface], list[Interface]]] = defaultdict(lambda: ([], []))
    # Pods of one workload that stand in several places of a cloud are one workload to its policies.
    for pod in {pod.workload or pod.id: pod for pod in reversed(list(pods))}.values():
        found[namespace_of(pod)][is_host(pod)].insert(0, pod)
    return {name: Namespace(name, tuple(own), tuple(host)) for name, (own, host) in sorted(found.items())}


def _at(rule: Rule, pod: Interface, estate: Estate) -> bool | None:
    """Tell whether a pod is at the near end of a rule; None where that is not known."""
    maybe = False
    for peer in rule.local:
        group = estate.groups.get(peer.group) if isinstance(peer, GroupRef) else None
        if peer == Everyone() or (group is not None and matches(group.selector, pod)):
            return True
        maybe = maybe or group is None
    return None if maybe else False
