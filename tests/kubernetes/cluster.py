"""Small clusters for tests: objects as people write them, and what reaches what."""

from typing import Any, cast

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.snapshot import Part, Snapshot
from cloudseg.traffic import AddressSet

OUTSIDE = "203.0.113.9"

GROUPS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}


def written(kind: str, name: str, namespace: str | None = None, **fields: Any) -> dict[str, Any]:
    version = fields.pop("apiVersion", GROUPS.get(kind, "v1"))
    metadata = {"name": name} | ({} if namespace is None else {"namespace": namespace}) | fields.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def space(name: str, **labels: str) -> dict[str, Any]:
    return written("Namespace", name, metadata={"labels": labels})


def pod(name: str, namespace: str = "shop", ports: list[dict[str, Any]] | None = None, **labels: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", "ports": ports or []}]}
    return written("Pod", name, namespace, metadata={"labels": {"app": name} | labels}, spec=spec)


def policy(name: str, spec: dict[str, Any], namespace: str = "shop") -> dict[str, Any]:
    return written("NetworkPolicy", name, namespace, spec=spec)


def snapshot(*objects: Any, cluster: str = "c") -> Snapshot:
    parts: dict[Part, Any] = {}
    for each in objects:
        fields: dict[str, Any] = cast("dict[str, Any]", each) if isinstance(each, dict) else {}
        version, _, _ = str(fields.get("apiVersion", "v1")).rpartition("/")
        kind = str(fields.get("kind", "Pod"))
        plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
        part = Part("kubernetes", cluster, "global", version or "core", plural.lower())
        parts.setdefault(part, {"apiVersion": "v1", "kind": f"{kind}List", "items": []})["items"].append(each)
    return Snapshot.of(parts)


class Cluster:
    """A cluster, and what passes in it."""

    def __init__(self, *objects: Any) -> None:
        self.estate = translate(snapshot(*objects))
        self.reach = Reachability(self.estate)

    def id_of(self, name: str) -> str:
        """The id of a workload by ``namespace/name`` or a name in ``shop``."""
        place = name if "/" in name else f"shop/{name}"
        (found,) = (key for key in self.estate.interfaces if key.startswith(f"kubernetes:c:{place}["))
        return found

    def verdict(self, source: str, target: str) -> Verdict:
        ends = [AddressSet.parse(end) if end[0].isdigit() else self.id_of(end) for end in (source, target)]
        return self.reach.between(ends[0], ends[1])

    def passes(self, source: str, target: str) -> str:
        """What passes, as text: ``tcp/80``; ``at most tcp/80`` where nothing is certain."""
        lower, upper = self.verdict(source, target)
        if lower == upper:
            return str(upper)
        return f"at most {upper}" if not lower else f"{lower} to {upper}"

    def gaps(self) -> list[tuple[str, str]]:
        return [(gap.resource, gap.reason) for gap in self.estate.gaps]
