"""NetworkPolicies evaluated pair by pair, as one would write it down first: what the reach of a cluster costs without
classes, masks and indexes.

It knows manifests as :mod:`benchmarks.cluster_manifests` writes them: matchLabels and ``In``, no addresses of pods. A
range of addresses counts as if it matched every pod, so that its answers are those of the upper bound.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Naive", "Pod"]

Json = dict[str, Any]
Port = tuple[str, int]


class Pod(NamedTuple):
    """One workload: where it stands, its labels, and its ports by name."""

    namespace: str
    name: str
    kind: str
    labels: dict[str, str]
    ports: dict[str, int]


class Naive:
    """A cluster, asked pair by pair; its policies are found by namespace, and everything else is looked at each time.

    Args:
        objects: the objects of its manifests, as a YAML parser returns them.
    """

    def __init__(self, objects: Iterable[Json]) -> None:
        self._namespaces: dict[str, dict[str, str]] = {}
        self._policies: defaultdict[str, list[Json]] = defaultdict(list)
        self.pods: list[Pod] = []
        for item in objects:
            metadata = item["metadata"]
            match item["kind"]:
                case "Namespace":
                    self._namespaces[metadata["name"]] = metadata["labels"]
                case "NetworkPolicy":
                    self._policies[metadata["namespace"]].append(item["spec"])
                case "Pod" | "Deployment" | "StatefulSet" | "DaemonSet" | "CronJob":
                    self.pods.append(_pod(item))
                case _:
                    pass

    def talk(self, source: Pod, target: Pod) -> bool:
        """Tell whether anything passes from one pod to another, at most."""
        out = self._ports("Egress", source, target, target)
        if out is not None and not out:
            return False
        into = self._ports("Ingress", target, source, target)
        if out is None or into is None:
            return into is None or bool(into)
        return not out.isdisjoint(into)

    def _ports(self, way: str, own: Pod, other: Pod, target: Pod) -> set[Port] | None:
        """Return what the policies of one end admit; None for everything."""
        found: set[Port] = set()
        isolated = False
        for spec in self._policies[own.namespace]:
            types = spec.get("policyTypes") or ["Ingress"]
            if way not in types or not _fits(spec["podSelector"], own.labels):
                continue
            isolated = True
            for rule in spec.get(way.lower(), ()):
                peers = rule.get("from" if way == "Ingress" else "to")
                if peers is not None and not any(self._is(peer, own.namespace, other) for peer in peers):
                    continue
                if "ports" not in rule:
                    return None
                for port in rule["ports"]:
                    found.update(_numbers(port, target))
        return found if isolated else None

    def _is(self, peer: Json, namespace: str, other: Pod) -> bool:
        if "ipBlock" in peer:
            return True
        if "namespaceSelector" not in peer:
            near = other.namespace == namespace
        else:
            near = _fits(peer["namespaceSelector"], self._namespaces[other.namespace])
        return near and _fits(peer.get("podSelector", {}), other.labels)


def _pod(item: Json) -> Pod:
    metadata, spec = item["metadata"], item["spec"]
    if "jobTemplate" in spec:
        spec = spec["jobTemplate"]["spec"]
    template = spec.get("template", item)
    ports = {
        port["name"]: port["containerPort"]
        for container in template["spec"]["containers"]
        for port in container["ports"]
    }
    return Pod(metadata["namespace"], metadata["name"], item["kind"], template["metadata"]["labels"], ports)


def _fits(selector: Json, labels: dict[str, str]) -> bool:
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return equal and all(labels.get(term["key"]) in term["values"] for term in selector.get("matchExpressions", ()))


def _numbers(port: Json, target: Pod) -> list[Port]:
    protocol, number = port["protocol"], port["port"]
    if isinstance(number, str):
        return [(protocol, target.ports[number])] if number in target.ports else []
    last: int = port.get("endPort") or number
    return [(protocol, each) for each in range(number, last + 1)]
