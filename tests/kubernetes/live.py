"""A small cluster to be read live, and how tests read it."""

from pathlib import Path
from typing import Any, cast

import msgspec

from cloudseg.providers.kubernetes.collect import KubernetesOptions, collect
from cloudseg.snapshot import Part, Snapshot
from tests.kubernetes.api_server import Asked, Cluster, Fields, Resource, kubeconfig, named

SECRET = "s3cr3t-value"


def pod(name: str, app: str, **spec: object) -> Fields:
    container = {"name": "main", "image": f"shop/{app}:1", "ports": [{"name": "http", "containerPort": 8080}]}
    return named(
        name,
        "shop",
        metadata={"labels": {"app": app}},
        spec={"serviceAccountName": app, "nodeName": "node-1", "containers": [container], **spec},
        status={"phase": "Running", "podIP": "10.1.0.7", "podIPs": [{"ip": "10.1.0.7"}]},
    )


def deny_all() -> Fields:
    return named("deny-all", "shop", spec={"podSelector": {}, "policyTypes": ["Ingress"]})


def shop() -> Cluster:
    """Two pods in one namespace, isolated for ingress, and the kinds of every cluster."""
    return Cluster(
        [
            Resource("", "v1", "namespaces", "Namespace", [named("shop", metadata={"labels": {"env": "prod"}})]),
            Resource("", "v1", "pods", "Pod", [pod("web-1", "web"), pod("db-1", "db")]),
            Resource("", "v1", "services", "Service"),
            Resource("", "v1", "serviceaccounts", "ServiceAccount"),
            Resource("", "v1", "nodes", "Node"),
            Resource("", "v1", "secrets", "Secret", [named("key", "shop", data={"key": SECRET})]),
            Resource("", "v1", "configmaps", "ConfigMap", [named("map", "shop", data={"key": SECRET})]),
            Resource("apps", "v1", "deployments", "Deployment"),
            Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", [deny_all()]),
        ]
    )


def quick(file: Path, **changes: Any) -> KubernetesOptions:
    """Options that do not wait as long as a user would."""
    options = KubernetesOptions(kubeconfig=str(file), first_wait=0.01, longest_wait=2.0, read_timeout=5.0)
    return msgspec.structs.replace(options, **changes)


def read(cluster_at: str, folder: Path, **changes: Any) -> Snapshot:
    """Read the cluster at an address by a kubeconfig of its own."""
    return collect(quick(kubeconfig(folder / "config", prod={"server": cluster_at, "cluster": "prod"}), **changes))


def part(service: str, plural: str, scope: str = "prod") -> Part:
    return Part("kubernetes", scope, "global", service, plural)


def items(snapshot: Snapshot, service: str, plural: str, scope: str = "prod") -> list[Fields]:
    answer = snapshot.read(part(service, plural, scope))
    return cast("dict[str, list[Fields]]", answer)["items"]


def gaps(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    return [(gap.service, gap.operation, gap.reason) for gap in snapshot.gaps]


def is_list(asked: Asked, plural: str) -> bool:
    return asked.path.rpartition("/")[2] == plural and asked.method == "GET"
