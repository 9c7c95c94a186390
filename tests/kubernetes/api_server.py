"""A Kubernetes API server on 127.0.0.1: real HTTP, a few kinds, and whatever trouble a test asks for."""

import json
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypedDict
from urllib.parse import parse_qs, urlsplit

from tests.loopback import Handler, Reply, listening

Fields = dict[str, Any]

NAMES_ALONE = "as=PartialObjectMetadataList"


_OF_THE_CLUSTER = frozenset(("adminnetworkpolicies", "customresourcedefinitions", "namespaces", "nodes", "tiers"))
"""The plurals whose objects are in no namespace."""


class Resource(NamedTuple):
    """A kind that the server serves, and its objects."""

    group: str
    version: str
    plural: str
    kind: str
    objects: Sequence[Fields] = ()
    verbs: Sequence[str] = ("get", "list", "watch")

    @property
    def namespaced(self) -> bool:
        return self.plural not in _OF_THE_CLUSTER

    @property
    def path(self) -> str:
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/{self.plural}"


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


Trouble = Callable[[Asked, int], Reply | None]
"""Told the request and how often its path was asked before; returns what to send in place of the answer."""


def named(name: str, namespace: str | None = None, **fields: Any) -> Fields:
    """An object as a list holds it: without kind, with the bookkeeping of a server."""
    metadata: Fields = {"name": name, "uid": f"uid-{name}", "resourceVersion": "7", "managedFields": [{"manager": "x"}]}
    if namespace is not None:
        metadata["namespace"] = namespace
    metadata.update(fields.pop("metadata", {}))
    return {"metadata": metadata, **fields}


def denied(asked: Asked) -> Reply:
    plural = asked.path.rpartition("/")[2]
    message = f'{plural} is forbidden: User "auditor" cannot list resource "{plural}" at the cluster scope'
    return Reply(403, json.dumps({"kind": "Status", "apiVersion": "v1", "message": message, "code": 403}).encode())


class Cluster:
    """What the server holds, what went wrong on purpose, and what it was asked."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.resources = list(resources)
        self.trouble: Trouble = lambda _asked, _before: None
        self.aggregated = True
        self.user: str | None = "auditor"
        self.token: str | None = None
        self.stale: Sequence[str] = ()
        self.asked: list[Asked] = []
        self._lock = threading.Lock()

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def reply(self, asked: Asked) -> Reply:
        with self._lock:
            before = sum(asked.path == each.path for each in self.asked)
            self.asked.append(asked)
        if self.token is not None and asked.headers.get("Authorization") != f"Bearer {self.token}":
            return Reply(401, b'{"kind":"Status","message":"Unauthorized"}')
        trouble = self.trouble(asked, before)
        if trouble is not None:
            return trouble
        answer = self._answer(asked)
        if answer is None:
            return Reply(404, b'{"kind":"Status","message":"the server could not find the requested resource"}')
        return Reply(body=json.dumps(answer).encode())

    def _answer(self, asked: Asked) -> Fields | None:
        if asked.path in {"/api", "/apis"}:
            grouped = "APIGroupDiscoveryList" in asked.headers.get("Accept", "") and self.aggregated
            return self._aggregated(asked.path) if grouped else self._groups(asked.path)
        if asked.method == "POST":
            return None if self.user is None else {"status": {"userInfo": {"username": self.user}}}
        for resource in self.resources:
            if resource.path == asked.path:
                return _page(resource, asked)
        for resource in self.resources:
            home, _, plural = resource.path.rpartition("/")
            if asked.path.startswith(f"{home}/namespaces/") and asked.path.endswith(f"/{plural}"):
                place = asked.path.removeprefix(f"{home}/namespaces/").removesuffix(f"/{plural}")
                near = [item for item in resource.objects if item["metadata"].get("namespace") == place]
                return _page(resource._replace(objects=near), asked)
            for item in resource.objects:
                if asked.path == f"{resource.path}/{item['metadata']['name']}":
                    return {"kind": resource.kind, **item}
                own = item["metadata"]
                if asked.path == f"{home}/namespaces/{own.get('namespace')}/{plural}/{own['name']}":
                    return {"kind": resource.kind, **item}
        version = [each for each in self.resources if each.path.rpartition("/")[0] == asked.path]
        if not version:
            return None
        listed: list[Fields] = [
            {"name": each.plural, "kind": each.kind, "namespaced": each.namespaced, "verbs": list(each.verbs)}
            for each in version
        ]
        listed.append({"name": f"{version[0].plural}/status", "kind": version[0].kind, "verbs": ["get"]})
        return {"kind": "APIResourceList", "groupVersion": asked.path, "resources": listed}

    def _versions(self, path: str) -> dict[str, dict[str, list[Resource]]]:
        found: dict[str, dict[str, list[Resource]]] = {}
        for each in self.resources:
            if (path == "/api") == (not each.group):
                found.setdefault(each.group, {}).setdefault(each.version, []).append(each)
        return found

    def _groups(self, path: str) -> Fields:
        found = self._versions(path)
        if path == "/api":
            return {"kind": "APIVersions", "versions": list(found.get("", {}))}
        groups = [
            {"name": group, "versions": [{"version": version} for version in sorted(versions, reverse=True)],
             "preferredVersion": {"version": next(iter(versions))}}
            for group, versions in found.items()
        ]  # fmt: skip
        return {"kind": "APIGroupList", "groups": groups}

    def _aggregated(self, path: str) -> Fields:
        items = [
            {
                "metadata": {"name": group},
                "versions": [
                    {"version": version, "freshness": "Current", "resources": [_discovered(each) for each in resources]}
                    for version, resources in versions.items()
                ],
            }
            for group, versions in self._versions(path).items()
        ]
        if path == "/apis":
            items += [
                {"metadata": {"name": group}, "versions": [{"version": "v1", "freshness": "Stale", "resources": []}]}
                for group in self.stale
            ]
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}


def _discovered(resource: Resource) -> Fields:
    response = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    scope = "Namespaced" if resource.namespaced else "Cluster"
    return {"resource": resource.plural, "responseKind": response, "scope": scope, "verbs": list(resource.verbs)}


def _page(resource: Resource, asked: Asked) -> Fields:
    start = int(asked.query.get("continue", "0"))
    limit = int(asked.query.get("limit", "0")) or len(resource.objects) or 1
    items = list(resource.objects[start : start + limit])
    kind, version = f"{resource.kind}List", f"{resource.group}/{resource.version}".lstrip("/")
    if NAMES_ALONE in asked.headers.get("Accept", ""):
        kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
        items = [{"kind": "PartialObjectMetadata", "metadata": item["metadata"]} for item in items]
    metadata: Fields = {"resourceVersion": "100"}
    if start + limit < len(resource.objects):
        metadata["continue"] = str(start + limit)
    return {"kind": kind, "apiVersion": version, "metadata": metadata, "items": items}


class _Handler(Handler):
    cluster: Cluster

    def reply(self, content: bytes) -> Reply:
        del content
        place = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        return self.cluster.reply(Asked(self.command, place.path, query, dict(self.headers.items())))


@contextmanager
def serving(cluster: Cluster, certificate: Path | None = None) -> Generator[str]:
    """Serve a cluster as long as the block runs; yields its address. With a certificate and its key, over TLS."""
    with listening(type("Serving", (_Handler,), {"cluster": cluster}), certificate) as address:
        yield address


class Entry(TypedDict, total=False):
    """One context of a kubeconfig, with its cluster and user."""

    server: str
    cluster: str
    user: Fields | None
    about: Fields
    namespace: str


def kubeconfig(path: Path, *, current: str | None = None, **contexts: Entry) -> Path:
    """Write a kubeconfig with a cluster and a user for each context; the first is the current one."""
    clusters: list[Fields] = []
    users: list[Fields] = []
    listed: list[Fields] = []
    for name, entry in contexts.items():
        cluster = entry.get("cluster", f"{name}-cluster")
        user = entry.get("user", {"token": f"token-of-{name}"})
        clusters.append({"name": cluster, "cluster": {"server": entry.get("server"), **entry.get("about", {})}})
        context = {"cluster": cluster} | ({"namespace": entry["namespace"]} if "namespace" in entry else {})
        if user is not None:
            context["user"] = f"{name}-user"
            users.append({"name": f"{name}-user", "user": user})
        listed.append({"name": name, "context": context})
    document = {"apiVersion": "v1", "kind": "Config", "clusters": clusters, "users": users, "contexts": listed}
    if current != "":
        document["current-context"] = current or next(iter(contexts))
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
