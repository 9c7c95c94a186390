"""Compute and Cloud Asset Inventory on 127.0.0.1: real HTTP, pages, and whatever trouble a test asks for."""

import json
import os
import re
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.loopback import NO_PROXY, Handler, Reply, listening

Fields = dict[str, Any]

TOKEN = "given-to-the-auditor"
CALLER = "auditor@shop.iam.gserviceaccount.com"
LOGIN = "/token"
BOUNDARIES = "google.auth._regional_access_boundary_utils._RegionalAccessBoundaryManager"
"""Asks in the background where a token may be used, at an address that is always Google's."""


class Asked(NamedTuple):
    """One request; of the path, ``/compute/v1`` is left out."""

    method: str
    path: str
    query: Mapping[str, str]
    types: tuple[str, ...]
    headers: Mapping[str, str]
    body: Fields


Trouble = Callable[[Asked, int], Reply | None]
"""Told the request and how often its path was asked before; returns what to send in place of the answer."""


def error(status: int, reason: str = "", message: str = "no", code: str = "", **headers: str) -> Reply:
    """An error as Compute writes it, with the older list of reasons."""
    told = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}], "status": code}
    return Reply(status, json.dumps({"error": told}).encode(), headers)


def denied(asked: Asked) -> Reply:
    return error(403, "forbidden", f"Required 'compute.some.list' permission for '{asked.path}'")


def disabled(service: str, project: str = "4242", message: str = "It has not been used before.") -> Reply:
    """The error of an API that a project does not use."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": service, "consumer": f"projects/{project}"},
    }
    told = {
        "code": 403,
        "message": message,
        "status": "PERMISSION_DENIED",
        "errors": [{"reason": "accessNotConfigured", "message": "not used"}],
        "details": [info],
    }
    return Reply(403, json.dumps({"error": told}).encode())


class Google:
    """What the server holds, what goes wrong on purpose, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.page = 500
        self.token = TOKEN
        self.projects: dict[str, Fields] = {}
        self.hosts: dict[str, Fields] = {}
        self.lists: dict[str, list[Fields]] = {}
        """The resources of a kind in a project: ``shop/networks``."""
        self.answers: dict[str, Fields] = {}
        """Whole answers at a path."""
        self.assets: dict[str, list[Fields]] = {}
        """The assets below a parent."""
        self.trouble: Trouble = lambda _asked, _before: None
        self.asked: list[Asked] = []
        self._lock = threading.Lock()

    def add_project(self, identifier: str, **more: Any) -> None:
        self.projects[identifier] = {"kind": "compute#project", "id": "7", "name": identifier, **more}
        self.assets.setdefault(f"projects/{identifier}", [])

    def add(self, project: str, kind: str, *resources: Fields) -> None:
        """Add resources to the list of a kind: ``add("shop", "networks", …)``."""
        self.lists.setdefault(f"{project}/{kind}", []).extend(resources)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def reply(self, asked: Asked) -> Reply:
        with self._lock:
            before = sum(asked.path == each.path for each in self.asked)
            self.asked.append(asked)
        trouble = self.trouble(asked, before)
        if trouble is not None:
            return trouble
        if asked.path == LOGIN:
            token = {"access_token": self.token, "expires_in": 3600, "token_type": "Bearer"}
            return Reply(body=json.dumps(token).encode())
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return error(401, "authError", "Invalid Credentials")
        answer = self._answer(asked)
        if answer is None:
            return error(404, "notFound", f"The resource '{asked.path}' was not found")
        return Reply(body=json.dumps(answer).encode())

    def _answer(self, asked: Asked) -> Fields | None:
        if asked.path in self.answers:
            return self.answers[asked.path]
        if asked.path.endswith("/assets"):
            return self._inventory(asked)
        parts = asked.path.strip("/").split("/")
        project = parts[1]
        if parts[0] != "projects" or project not in self.projects:
            return None
        if len(parts) == 2:
            return self.projects[project]
        if parts[2] == "getXpnHost":
            return self.hosts.get(project, {})
        resources = self.lists.get(f"{project}/{parts[-1]}", [])
        if parts[2] == "aggregated":
            return self._aggregated(asked, parts[-1], resources)
        if parts[-1] == "getEffectiveFirewalls":
            return {"kind": "compute#effective", "firewalls": [{"name": "again"}], "firewallPolicys": []}
        if re.match(r"list[A-Z]|getHealth", parts[-1]):
            return self._paged(asked, self.lists.get(asked.path, []), "items")
        return self._paged(asked, resources, "items")

    def _cut(self, asked: Asked, items: list[Fields], token: str) -> tuple[list[Fields], Fields]:
        start = int(asked.query.get(token, "0"))
        more = {"nextPageToken": str(start + self.page)} if start + self.page < len(items) else {}
        return items[start : start + self.page], more

    def _paged(self, asked: Asked, items: list[Fields], key: str) -> Fields:
        cut, more = self._cut(asked, items, "pageToken")
        # Compute leaves an empty list out.
        return {"kind": "compute#list", "id": asked.path, **({key: cut} if cut else {}), **more}

    def _aggregated(self, asked: Asked, kind: str, items: list[Fields]) -> Fields:
        cut, more = self._cut(asked, items, "pageToken")
        nothing = {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope."}}
        scopes: dict[str, Fields] = {"regions/europe-west9": nothing}
        for item in cut:
            tail = item["selfLink"].partition("/projects/")[2].split("/")[1:]
            place = "global" if tail[0] == "global" else "/".join(tail[:2])
            scopes.setdefault(place, {}).setdefault(kind, []).append(item)
        return {"kind": "compute#aggregatedList", "id": asked.path, "items": scopes, "unreachables": [], **more}

    def _inventory(self, asked: Asked) -> Fields | None:
        parent = asked.path.removeprefix("/v1/").removesuffix("/assets")
        if parent not in self.assets:
            return None
        content = asked.query["contentType"]
        held = [asset for asset in self.assets[parent] if not asked.types or asset["assetType"] in asked.types]
        key = {"1": "resource", "2": "iamPolicy"}.get(content)
        shown = [asset for asset in held if (key in asset if key else not {"resource", "iamPolicy"} & set(asset))]
        cut, more = self._cut(asked, shown, "pageToken")
        return {"readTime": "2026-11-01T00:00:00Z", **({"assets": cut} if cut else {}), **more}


class _Handler(Handler):
    google: Google

    def reply(self, content: bytes) -> Reply:
        place = urlsplit(self.path)
        query = parse_qs(place.query)
        path = unquote(place.path).removeprefix("/compute/v1")
        body: Fields = {} if path == LOGIN or not content else json.loads(content)
        single = {key: values[0] for key, values in query.items()}
        types = tuple(query.get("assetTypes", ()))
        headers = {key.title(): value for key, value in self.headers.items()}
        return self.google.reply(Asked(self.command, path, single, types, headers, body))


@lru_cache(maxsize=1)
def _key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def credentials_of(url: str, project: str = "shop-prod") -> Fields:
    """The file of a service account that gets its tokens from a server on this machine."""
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "1",
        "private_key": _key(),
        "client_email": CALLER,
        "client_id": "1",
        "token_uri": f"{url}{LOGIN}",
    }


def login_at(url: str, folder: Path) -> dict[str, str]:
    """The environment in which a service account logs in at a server, and is answered there and nowhere else."""
    file = folder / "credentials.json"
    file.write_text(json.dumps(credentials_of(url)))
    return {
        "GOOGLE_APPLICATION_CREDENTIALS": str(file),
        "CLOUDSEG_GCP_ENDPOINT": url,
        "CLOUDSDK_CONFIG": str(folder),
        "NO_GCE_CHECK": "true",
        # The login asks Google in the background where its tokens may be used: it shall reach nobody.
        "HTTPS_PROXY": "http://127.0.0.1:1",
        **NO_PROXY,
    }


@contextmanager
def serving(google: Google, folder: Path) -> Generator[str]:
    """Serve as long as the block runs, in an environment that leads there and nowhere else; yields the address."""
    with listening(type("Serving", (_Handler,), {"google": google})) as google.url:
        own = ("GOOGLE_", "CLOUDSDK_", "GCLOUD_", "CLOUDSEG_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        boundary = patch(f"{BOUNDARIES}.maybe_start_refresh")
        with patch.dict(os.environ, {**kept, **login_at(google.url, folder)}, clear=True), boundary:
            yield google.url
