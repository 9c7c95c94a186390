"""A Kubernetes API server on 127.0.0.1: real HTTP, a few kinds, and whatever trouble a test asks for."""

import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, TypedDict
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

Fields = dict[str, Any]

NAMES_ALONE = "as=PartialObjectMetadataList"


class Resource(NamedTuple):
    """A kind that the server serves, and its objects."""

    group: str
    version: str
    plural: str
    kind: str
    objects: Sequence[Fields] = ()
    verbs: Sequence[str] = ("get", "list", "watch")

    @property
    def path(self) -> str:
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/{self.plural}"


class Reply(NamedTuple):
    """What is sent in place of an answer; ``cut`` closes the connection in the middle of it."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = {}
    cut: bool = False
    wait: float = 0.0
    drip: float = 0.0


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
            for item in resource.objects:
                own = item["metadata"]
                if asked.path == f"{home}/namespaces/{own.get('namespace')}/{plural}/{own['name']}":
                    return {"kind": resource.kind, **item}
        version = [each for each in self.resources if each.path.rpartition("/")[0] == asked.path]
        if not version:
            return None
        listed = [{"name": each.plural, "kind": each.kind, "verbs": list(each.verbs)} for each in version]
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
    return {"resource": resource.plural, "responseKind": response, "verbs": list(resource.verbs)}


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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would wait for each other's acknowledgement.
    wbufsize = 65536
    cluster: Cluster

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._serve()

    def _serve(self) -> None:
        place = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        reply = self.cluster.reply(Asked(self.command, place.path, query, dict(self.headers.items())))
        time.sleep(reply.wait)
        self.send_response(reply.status)
        for key, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.cut:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
            return
        if reply.drip:
            for byte in reply.body:
                self.wfile.write(bytes((byte,)))
                self.wfile.flush()
                time.sleep(reply.drip)
            return
        self.wfile.write(reply.body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


@contextmanager
def serving(cluster: Cluster, certificate: Path | None = None) -> Generator[str]:
    """Serve a cluster as long as the block runs; yields its address. With a certificate and its key, over TLS."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        # Whoever runs the tests may sit behind a proxy.
        with patch.dict(os.environ, {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}):
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Entry(TypedDict, total=False):
    """One context of a kubeconfig, with its cluster and user."""

    server: str
    cluster: str
    user: Fields | None
    about: Fields


def kubeconfig(path: Path, *, current: str | None = None, **contexts: Entry) -> Path:
    """Write a kubeconfig with a cluster and a user for each context; the first is the current one."""
    clusters: list[Fields] = []
    users: list[Fields] = []
    listed: list[Fields] = []
    for name, entry in contexts.items():
        cluster = entry.get("cluster", f"{name}-cluster")
        user = entry.get("user", {"token": f"token-of-{name}"})
        clusters.append({"name": cluster, "cluster": {"server": entry.get("server"), **entry.get("about", {})}})
        context = {"cluster": cluster}
        if user is not None:
            context["user"] = f"{name}-user"
            users.append({"name": f"{name}-user", "user": user})
        listed.append({"name": name, "context": context})
    document = {"apiVersion": "v1", "kind": "Config", "clusters": clusters, "users": users, "contexts": listed}
    if current != "":
        document["current-context"] = current or next(iter(contexts))
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
