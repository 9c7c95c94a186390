"""Manifests of a generated cluster: ``python -m benchmarks.cluster_manifests FOLDER PODS POLICIES NAMESPACES``.

A file for each namespace: the namespace, its workloads, services, sometimes an ingress, and its NetworkPolicies. Two
namespaces in three deny by default; the others have only some of the policies, so that a good part of the cluster is
open, as clusters are. The same size and seed give the same bytes.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Size", "files_of"]

Json = dict[str, Any]

ENVIRONMENTS: Final = ("prod", "prod", "staging", "dev")
TIERS: Final = ("web", "api", "worker", "db", "cache")
PORTS: Final = {"web": 8080, "api": 9000, "worker": 9100, "db": 5432, "cache": 6379}
KINDS: Final = ("Pod",) * 6 + ("Deployment",) * 9 + ("StatefulSet",) * 3 + ("DaemonSet", "CronJob")
"""Of twenty workloads, how many are what; each counts as one pod."""
VERSIONS: Final = {
    "Pod": "v1", "Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "CronJob": "batch/v1",
}  # fmt: skip


class _Dumper(yaml.CSafeDumper):
    """Writes everything out: nobody writes anchors into manifests."""

    def ignore_aliases(self, data: object) -> bool:
        """Return that nothing is referred to."""
        _ = data
        return True


class Size(NamedTuple):
    """How large a cluster is: workloads, each of them one pod to policies; policies; namespaces."""

    pods: int
    policies: int
    namespaces: int


class _Namespace(NamedTuple):
    name: str
    labels: dict[str, str]
    number: int


def files_of(size: Size, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Yield the name of each file, and its text."""
    draw = random.Random(seed)
    for number in range(size.namespaces):
        environment, team = ENVIRONMENTS[number % len(ENVIRONMENTS)], f"team-{number % 20:02}"
        labels = {"env": environment, "team": team}
        space = _Namespace(f"{team}-{environment}-{number:03}", labels, number)
        pods = _share(size.pods, size.namespaces, number)
        policies = _share(size.policies, size.namespaces, number)
        workloads = [_workload(space, each, draw) for each in range(pods)]
        objects = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space.name, "labels": labels}},
            *workloads,
            *(_service(space, tier, draw) for tier in ("web", "api", "db")),
            *([_ingress(space)] if number % 2 else []),
            *_policies(space, policies, draw),
        ]
        text = yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, explicit_start=True)
        yield f"{number:04}-{space.name}.yaml", text


def _share(total: int, among: int, number: int) -> int:
    """Return how many of some things the one with a number gets, so that the sum is their count."""
    return total * (number + 1) // among - total * number // among


def _object(kind: str, version: str, name: str, space: _Namespace, spec: Json, labels: Json | None = None) -> Json:
    metadata = {"name": name, "namespace": space.name} | ({"labels": labels} if labels else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _workload(space: _Namespace, number: int, draw: random.Random) -> Json:
    tier, kind = TIERS[number % len(TIERS)], draw.choice(KINDS)
    name = f"{tier}-{number:02}"
    labels = {"app.kubernetes.io/name": name, "tier": tier, "version": draw.choice(("v1", "v2"))}
    ports = [{"name": "metrics", "containerPort": 9090}, {"name": "main", "containerPort": PORTS[tier]}]
    container = {
        "name": tier,
        "image": f"registry.example/{space.labels['team']}/{tier}:1.{number}.0",
        "ports": ports if draw.random() < 0.5 else ports[1:],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    }
    spec: Json = {"serviceAccountName": tier, "containers": [container]}
    if kind == "Pod":
        return _object(kind, VERSIONS[kind], name, space, spec, labels)
    template = {"metadata": {"labels": labels}, "spec": spec}
    if kind == "CronJob":
        whole: Json = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}
    else:
        whole = {"selector": {"matchLabels": {"app.kubernetes.io/name": name}}, "template": template}
        if kind != "DaemonSet":
            whole = {"replicas": draw.randint(1, 5), **whole}
    return _object(kind, VERSIONS[kind], name, space, whole, labels)


def _service(space: _Namespace, tier: str, draw: random.Random) -> Json:
    published = tier == "web" and draw.random() < 0.1
    spec = {
        "type": "LoadBalancer" if published else "ClusterIP",
        "selector": {"tier": tier},
        "ports": [{"name": "main", "port": 80, "targetPort": "main"}],
    }
    return _object("Service", "v1", tier, space, spec)


def _ingress(space: _Namespace) -> Json:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rule = {"host": f"{space.name}.example.com", "http": {"paths": [path]}}
    return _object("Ingress", "networking.k8s.io/v1", "web", space, {"ingressClassName": "nginx", "rules": [rule]})


def _policies(space: _Namespace, count: int, draw: random.Random) -> list[Json]:
    """Return policies of a namespace: in two of three, the first of them denies by default."""
    turns = _turns(space, draw)
    chosen = [turns[(space.number + each) % len(turns)] for each in range(count)]
    if count and space.number % 3:
        chosen[0] = ("default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    return [
        _object("NetworkPolicy", "networking.k8s.io/v1", f"{name}-{number}", space, spec)
        for number, (name, spec) in enumerate(chosen)
    ]


def _turns(space: _Namespace, draw: random.Random) -> list[tuple[str, Json]]:
    """Return the policies that namespaces take turns with."""
    environment, team = space.labels["env"], space.labels["team"]
    block, hole = f"10.{draw.randrange(256)}.0.0/16", draw.randrange(256)
    except_ = f"{block.removesuffix('.0.0/16')}.{hole}.0/24"
    dns = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
    same_team = {"namespaceSelector": {"matchLabels": {"team": team, "env": environment}}}
    return [
        (
            "web-from-outside",
            {
                "podSelector": {"matchLabels": {"tier": "web"}},
                "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [block]}}], "ports": [_tcp("main")]}],
            },
        ),
        (
            "api-from-web",
            {
                "podSelector": {"matchLabels": {"tier": "api"}},
                "ingress": [{"from": [_pods("web"), _pods("worker")], "ports": [_tcp("main")]}],
                "egress": [dns, {"to": [_pods("db"), _pods("cache")], "ports": [_tcp(5432), _tcp(6379)]}],
                "policyTypes": ["Ingress", "Egress"],
            },
        ),
        (
            "db-from-api",
            {
                "podSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["db", "cache"]}]},
                "ingress": [{"from": [_pods("api")], "ports": [_tcp(5432), _tcp(6379)]}],
            },
        ),
        (
            "metrics-from-team",
            {
                "podSelector": {},
                "ingress": [{"from": [same_team | _pods("worker")], "ports": [_tcp("metrics")]}],
            },
        ),
        (
            "worker-out",
            {
                "podSelector": {"matchLabels": {"tier": "worker"}},
                "egress": [
                    dns,
                    {"to": [{"ipBlock": {"cidr": block, "except": [except_]}}], "ports": [_tcp(443)]},
                    {"to": [same_team], "ports": [{**_tcp(9000), "endPort": 9100}]},
                ],
                "policyTypes": ["Egress"],
            },
        ),
        (
            "from-environment",
            {
                "podSelector": {"matchLabels": {"tier": "api"}},
                "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"env": environment}}}]}],
            },
        ),
        ("within", {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}),
    ]


def _pods(tier: str) -> Json:
    return {"podSelector": {"matchLabels": {"tier": tier}}}


def _tcp(port: int | str) -> Json:
    return {"protocol": "TCP", "port": port}


def main() -> None:
    """Write the manifests of a cluster into a folder."""
    folder, pods, policies, namespaces = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files_of(Size(pods, policies, namespaces)):
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
