"""Pods, and what makes them: one interface for each workload, since nothing tells its pods apart.

A pod on the network of its node (``hostNetwork``) stands in no pod network: nothing selects it, as a subject or as a
peer. What network plugins make of its packets is not defined; at best they know them from others, and most treat them
as the node's. So what passes between it and anybody is known at most. Sources:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods and
https://kubernetes.io/docs/concepts/workloads/controllers/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Interface, Workload
from cloudseg.providers.kubernetes.translate.evidence import PROXIES, Evidence, shape_of
from cloudseg.providers.kubernetes.translate.labels import (
    ACCOUNT,
    IN_CLUSTER,
    NAMESPACE,
    ON_HOST,
    ON_NAMESPACE,
    ON_NODE,
    namespace_labels,
    node_label,
    pod_labels,
    port_label,
)
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.pipeline import pods_of
from cloudseg.providers.kubernetes.translate.wire import (
    Container,
    ContainerPort,
    Metadata,
    OwnerReference,
    PodSpec,
    PodStatus,
    PodTemplate,
)
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add_namespaces", "add_workloads", "ports_of", "template_of"]

READS: Final = frozenset(
    (
        ("", "Namespace"),
        ("", "Node"),
        ("", "Pod"),
        ("", "ReplicationController"),
        ("", "ServiceAccount"),
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
    )
)
"""The API groups and kinds that tell what runs, and where."""

_ENDED: Final = ("Succeeded", "Failed")
_PROTOCOLS: Final = frozenset(("TCP", "UDP", "SCTP"))
_SECONDARY: Final = ("k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network")
"""Annotations that give a pod further networks, which NetworkPolicies do not filter. Source:
https://github.com/k8snetworkplumbingwg/multus-cni/blob/master/docs/quickstart.md"""


class _Pods(NamedTuple):
    """The pods of one object.

    Attributes:
        source: the object.
        labels: their labels.
        ports: the labels of their named ports.
        host: they use the network of their node.
        addresses: what is known of their addresses.
        doubt: why they were not read in full, in words.
        secondary: they have further networks.
        account: the name of their service account; empty where it was not read.
        proxied: the labels of those of the ports that the proxy of a mesh declares.
        evidence: what tells whether they are part of a mesh; None where they were not read.
        nodes: the names of the nodes that they run on.
        stays: it is one pod, and stays on its node for good.
    """

    source: Object
    labels: dict[str, str]
    ports: dict[str, str]
    host: bool = False
    addresses: AddressSet = NO_ADDRESSES
    doubt: str = ""
    secondary: bool = False
    account: str = ""
    proxied: frozenset[str] = frozenset()
    evidence: Evidence | None = None
    nodes: frozenset[str] = frozenset()
    stays: bool = False

    def alike(self, other: _Pods) -> bool:
        """Tell whether nothing that policies look at tells these pods from others, but the proxy of a mesh."""
        proxied = self.proxied | other.proxied
        mine, theirs = (
            (
                pods.labels,
                {label: number for label, number in pods.ports.items() if label not in proxied},
                pods.host,
                pods.doubt,
                pods.secondary,
                pods.account,
            )
            for pods in (self, other)
        )
        return mine == theirs

    def joined(self, other: _Pods) -> _Pods:
        """Return these pods with one of theirs that runs."""
        evidence = self.evidence
        if evidence is not None and other.evidence is not None:
            evidence = evidence._replace(running=(*evidence.running, *other.evidence.running))
        return self._replace(
            addresses=self.addresses | other.addresses,
            ports={**other.ports, **self.ports},
            evidence=evidence,
            nodes=self.nodes | other.nodes,
        )


def add_namespaces(objects: Iterable[Object], draft: Draft) -> None:
    """Add the labels of the namespaces that were read."""
    for item in objects:
        if item.kind != "Namespace" or item.group:
            continue
        flaw = item.flaw
        try:
            metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
        except msgspec.ValidationError as error:
            metadata, flaw = Metadata(), flaw or f"metadata: {error}"
        if flaw:
            draft.ledger.gap(item, "malformed", flaw, "groups")
        else:
            draft.namespaces[item.name] = namespace_labels(item.name, metadata.labels)


def add_workloads(objects: Iterable[Object], draft: Draft) -> None:
    """Add an interface for each workload, and one for each pod that differs from what made it."""
    made = [(_name(item), item, template) for item in objects if (template := template_of(item)) is not None]
    by_name = {name: item for name, item, _ in made if not item.flaw}
    owners = {name: _owner(item, by_name) for name, item, _ in made}
    read = [(name, pods) for name, item, template in made if (pods := _pods(item, template, draft)) is not None]
    known = dict(read)
    for name, pods in read:
        top = _top(name, owners)
        if top == name:
            continue
        above, item = known.get(top), pods.source
        if above is not None and above.alike(pods):
            known[top] = above.joined(pods)
            known.pop(name, None)
        elif item.kind == "ReplicaSet" and item.part("spec").get("replicas") == 0:
            known.pop(name, None)
    for pods in known.values():
        _add(pods, draft)


_Name = tuple[str, str, str]


def _name(item: Object) -> _Name:
    return item.kind, item.place, item.name


def template_of(item: Object) -> object | None:
    """Return what an object makes pods from; None for one that makes none."""
    if item.kind == "Pod" and not item.group:
        return item.content
    spec = item.part("spec")
    if item.kind == "CronJob" and item.group == "batch":
        job = fields_of(fields_of(spec.get("jobTemplate")).get("spec"))
        return job.get("template", {})
    if item.kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}:
        return spec.get("template", {})
    # Other controllers (rollouts, serving) hold the same template at the same place.
    template = fields_of(spec.get("template"))
    return template if isinstance(fields_of(template.get("spec")).get("containers"), list) else None


def _owner(item: Object, by_name: dict[_Name, Object]) -> _Name | None:
    """Return the controller of an object, where that is one that was read."""
    written = item.part("metadata").get("ownerReferences")
    if written is None:
        return None
    try:
        owners = msgspec.convert(written, list[OwnerReference] | None)
    except msgspec.ValidationError:
        return None
    chosen = next((each for each in owners or () if each.controller), None)
    name = None if chosen is None else (chosen.kind, item.place, chosen.name)
    return name if name in by_name else None


def _top(name: _Name, owners: dict[_Name, _Name | None]) -> _Name:
    """Return the topmost owner: a Deployment's, of a pod whose ReplicaSet belongs to it."""
    seen: set[_Name] = set()
    while (owner := owners.get(name)) is not None and name not in seen:
        seen.add(name)
        name = owner
    return name


def _pods(item: Object, raw: object, draft: Draft) -> _Pods | None:
    """Return the pods of an object; None where there are none, or nobody knows whose they are."""
    flaw = item.flaw
    if item.kind == "Pod" and item.part("status").get("phase") in _ENDED:
        return None
    if item.kind == "Job" and item.part("status").get("completionTime"):
        return None
    if not item.name or item.namespace is None:
        draft.ledger.gap(item, "malformed", flaw, "interfaces")
        draft.ledger.partly.setdefault("interfaces", f"{item.own} is malformed")
        draft.ledger.partly.setdefault("workloads", f"{item.own} is malformed")
        return None
    if not flaw:
        try:
            return _read(item, msgspec.convert(raw, PodTemplate | None) or PodTemplate(), draft)
        except (msgspec.ValidationError, ParseError) as error:
            flaw = str(error)
    draft.ledger.gap(item, "malformed", flaw, "interfaces")
    return _Pods(item, {}, {}, doubt=flaw)


def _read(item: Object, template: PodTemplate, draft: Draft) -> _Pods:
    metadata, spec = template.metadata or Metadata(), template.spec or PodSpec()
    shape = shape_of(metadata, spec)
    running = item.kind == "Pod" and bool(item.part("status"))
    addresses = _addresses(item) if item.kind == "Pod" else NO_ADDRESSES
    secondary = next((key for key in _SECONDARY if (metadata.annotations or {}).get(key)), "")
    if secondary:
        detail = f"{secondary} gives its pods further networks, which no NetworkPolicy filters"
        draft.ledger.gap(item, "unsupported", detail, "interfaces")
    containers = (*(spec.containers or ()), *(spec.init_containers or ()))
    ports, ambiguous = _named_ports(spec)
    if ambiguous:
        draft.ledger.gap(item, "malformed", ambiguous, "interfaces")
    return _Pods(
        item,
        pod_labels(metadata.labels),
        ports,
        bool(spec.host_network),
        addresses,
        ambiguous,
        bool(secondary),
        spec.service_account_name or spec.service_account or "default",
        frozenset(_labels_of_ports(each for each in containers if each.name in PROXIES)),
        Evidence(shape, (shape,) if running else (), item.kind),
        frozenset((spec.node_name,)) if item.kind == "Pod" and spec.node_name else frozenset(),
        item.kind == "Pod" and not _may_move(item),
    )


def _addresses(item: Object) -> AddressSet:
    """Return the addresses of a pod, as far as it runs.

    Raises:
        msgspec.ValidationError: its status cannot be read.
        ParseError: an address is none.
    """
    written = item.content.get("status")
    status = None if written is None else msgspec.convert(written, PodStatus | None)
    if status is None:
        return NO_ADDRESSES
    return AddressSet.from_cidrs(address for address in (status.ip, *(each.ip for each in status.ips or ())) if address)


def _may_move(item: Object) -> bool:
    """Tell whether something makes another pod in place of one that ends, maybe elsewhere: any owner but a node."""
    written = item.part("metadata").get("ownerReferences")
    if written is None:
        return False
    try:
        owners = msgspec.convert(written, list[OwnerReference] | None)
    except msgspec.ValidationError:
        return True
    return any(each.kind != "Node" for each in owners or ())


def _labels_of_ports(containers: Iterable[Container]) -> Iterator[str]:
    ports = (port for container in containers for port in container.ports or ())
    return (port_label(port.name, port.protocol or "TCP") for port in ports if port.name)


def _named_ports(spec: PodSpec) -> tuple[dict[str, str], str]:
    """Return the labels of the named ports, and in words where a name stands for several numbers.

    Raises:
        ParseError: a port is none.
    """
    found: dict[str, str] = {}
    ambiguous = ""
    for port in ports_of(spec):
        protocol = port.protocol or "TCP"
        if not 0 < port.container_port < 1 << 16 or protocol not in _PROTOCOLS:
            raise ParseError(f"containerPort {port.container_port}/{protocol} is no port")
        if port.name:
            number = found.setdefault(port_label(port.name, protocol), str(port.container_port))
            if number != str(port.container_port):
                ambiguous = f"port {port.name!r} is {number} and {port.container_port} in different containers"
    return found, ambiguous


def ports_of(spec: PodSpec) -> Iterator[ContainerPort]:
    """Yield the declared ports of the containers that run as long as the pod does."""
    beside: tuple[Container, ...] = tuple(
        each for each in spec.init_containers or () if each.restart_policy == "Always"
    )
    for container in (*(spec.containers or ()), *beside):
        yield from container.ports or ()


def _machines(nodes: frozenset[str], draft: Draft) -> frozenset[str]:
    return frozenset(node.machine for node in draft.nodes if node.machine and node.name in nodes)


def _place_of(pods: _Pods, draft: Draft) -> str:
    """Return the name of the node on which a pod stays, where its addresses were read; empty for all other pods."""
    if not pods.stays:
        return ""
    known = (node.name for node in draft.nodes if node.addresses and node.name in pods.nodes)
    return next(known, "")


def _add(pods: _Pods, draft: Draft) -> None:
    item = pods.source
    namespace = draft.namespaces.get(item.place) or namespace_labels(item.place, None)
    # What people say of a whole namespace, such as its environment, holds for the pods that say nothing else.
    of_namespace = {key.removeprefix(ON_NAMESPACE): value for key, value in namespace.items() if key != NAMESPACE}
    kept = {**of_namespace, **pods.labels, "namespace": item.place}
    workload = Workload(
        id=draft.id(f"{item.place}/{item.kind}/{item.name}"),
        kind=item.kind,
        name=item.name,
        tags=kept,
        location=item.location,
        network=None if pods.host else pods_of(draft.cluster),
    )
    draft.workloads[workload.id] = workload
    place = ON_HOST if pods.host else IN_CLUSTER
    account = {ACCOUNT: pods.account} if pods.account else {}
    node = _place_of(pods, draft)
    stays = {ON_NODE: node_label(draft.cluster, node)} if node else {}
    interface = Interface(
        id=draft.id(f"{item.place}/{item.name}[{item.kind}]"),
        kind="pod",
        name=item.name,
        tags=kept,
        location=item.location,
        network=workload.network,
        subnet=None,
        addresses=pods.addresses,
        attached_unread=bool(pods.doubt) or pods.secondary,
        labels={**pods.labels, **namespace, **pods.ports, **account, **stays, place: draft.cluster},
        workload=workload.id,
        role="host" if pods.host else "interface",
        machines=_machines(pods.nodes, draft) if pods.nodes else frozenset(),
    )
    draft.interfaces[interface.id] = interface
    if pods.evidence is not None:
        draft.evidence[interface.id] = pods.evidence
    draft.inhabited.add(item.place)
