"""The manifests of the network policies that remedies name, on one line: JSON, which is YAML and ``kubectl`` takes.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from cloudseg.model import AllOf, Labelled

if TYPE_CHECKING:
    from cloudseg.model import Direction, Selector

__all__ = ["default_deny", "dns_admission", "dns_egress", "pod_selector"]

_NAME: Final = "kubernetes.io/metadata.name"


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
