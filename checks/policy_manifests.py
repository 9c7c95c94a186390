"""The manifests of the network policies that remedies name, on one line: JSON, which is YAML and ``kubectl`` takes.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from cloudseg.model import AllOf, Labelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Direction, Interface, Selector

__all__ = ["default_deny", "dns_admission", "dns_egress", "peer_items", "pod_selector"]

_NAME: Final = "kubernetes.io/metadata.name"
_NAMESPACE: Final = f"namespace/{_NAME}"
_NOT_OF_PODS: Final = ("namespace/", "port/", "pod/")
_TELLING: Final = ("app.kubernetes.io/name", "app", "k8s-app", "name")


def default_deny(namespace: str, direction: Direction, dns_port: int = 53) -> str:
    """Return the policy that isolates every pod of a namespace; for egress it admits DNS, or no name resolves.

    Args:
        namespace: the name of the namespace.
        direction: the direction that it isolates.
        dns_port: the port on which the cluster's resolver listens.
    """
    spec: dict[str, object] = {"podSelector": {}, "policyTypes": [direction.capitalize()]}
    if direction == "egress":
        spec["egress"] = [_dns(dns_port)]
    return _policy(namespace, f"default-deny-{direction}", spec)


def dns_egress(namespace: str, selector: dict[str, object], dns_port: int = 53) -> str:
    """Return the policy that admits DNS to the pods of a namespace that a pod selector chooses."""
    spec: dict[str, object] = {"podSelector": selector, "policyTypes": ["Egress"], "egress": [_dns(dns_port)]}
    return _policy(namespace, "allow-dns", spec)


def dns_admission(dns_port: int = 53) -> str:
    """Return the item of ``egress`` that admits DNS."""
    return json.dumps(_dns(dns_port))


def pod_selector(selector: Selector) -> dict[str, object] | None:
    """Return what a policy's ``podSelector`` says; None for a selector of another form."""
    if not isinstance(selector, AllOf):
        return None
    labels: dict[str, str] = {}
    expressions: list[dict[str, object]] = []
    for part in selector.parts:
        if isinstance(part, AllOf) and not part.parts:
            continue
        if not isinstance(part, Labelled):
            return None
        if part.operator == "In" and len(part.values) == 1 and part.key not in labels:
            labels[part.key] = next(iter(part.values))
        else:
            values = {"values": sorted(part.values)} if part.values else {}
            expressions.append({"key": part.key, "operator": part.operator, **values})
    asked = {"matchLabels": labels, "matchExpressions": expressions}
    return {key: value for key, value in asked.items() if value}


def peer_items(pods: Iterable[Interface], known: Sequence[Interface], namespace: str) -> list[dict[str, object]]:
    """Return the items of ``from`` or ``to`` that name some workloads by their labels.

    Where a single label names just these workloads of their namespace it is enough; else all of theirs are named.

    Args:
        pods: the workloads to name.
        known: all workloads of their cluster.
        namespace: the namespace of the policy; empty for a policy of none.
    """
    chosen: dict[str, list[Interface]] = {}
    for pod in pods:
        chosen.setdefault(pod.labels[_NAMESPACE], []).append(pod)
    items: list[dict[str, object]] = []
    for place, here in sorted(chosen.items()):
        all_of_it = [pod for pod in known if pod.labels[_NAMESPACE] == place]
        of_namespace = {} if place == namespace else {"namespaceSelector": {"matchLabels": {_NAME: place}}}
        if len(here) == len(all_of_it) > 1:
            items.append({**of_namespace, "podSelector": {}})
            continue
        each = dict.fromkeys(tuple(_telling(pod, here, all_of_it).items()) for pod in here)
        items.extend({**of_namespace, "podSelector": {"matchLabels": dict(labels)}} for labels in each)
    return items


def _telling(pod: Interface, here: Sequence[Interface], all_of_it: Sequence[Interface]) -> dict[str, str]:
    """Return labels of a workload that no other one of its namespace bears, but those that are named as well."""
    names = {each.id for each in here}
    for key in _TELLING:
        value = pod.labels.get(key)
        if value is not None and all(each.id in names for each in all_of_it if each.labels.get(key) == value):
            return {key: value}
    return {key: value for key, value in sorted(pod.labels.items()) if not key.startswith(_NOT_OF_PODS)}


def _dns(port: int) -> dict[str, object]:
    # What the cluster's own resolver bears, CoreDNS too. Source:
    # https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/
    resolver = {
        "namespaceSelector": {"matchLabels": {_NAME: "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return {"to": [resolver], "ports": [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]}


def _policy(namespace: str, name: str, spec: dict[str, object]) -> str:
    metadata = {"name": name, "namespace": namespace}
    whole = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
    return json.dumps(whole)
