"""Azure Resource Manager and Resource Graph on 127.0.0.1: real HTTP, pages, and whatever trouble a test asks for."""

import json
import os
import re
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import NO_PROXY, Handler, Reply, listening

Fields = dict[str, Any]

TOKEN = "held-by-the-managed-identity"
READER: Fields = {"actions": ["*/read", "Microsoft.Network/virtualNetworks/*/action"], "notActions": []}
LOGIN = "/msi/token"


class Asked(NamedTuple):
    """One request; the path is in lower case, as Azure compares it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Fields


Trouble = Callable[[Asked, int], Reply | None]
"""Told the request and how often its path was asked before; returns what to send in place of the answer."""


def error(status: int, code: str, message: str = "no", **headers: str) -> Reply:
    """An error as Resource Manager writes it."""
    return Reply(status, json.dumps({"error": {"code": code, "message": message}}).encode(), headers)


def denied(asked: Asked) -> Reply:
    message = f"The client 'auditor' does not have authorization to perform an action over scope '{asked.path}'"
    return error(403, "AuthorizationFailed", message)


class Azure:
    """What the server holds, what goes wrong on purpose, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.page = 1000
        self.token = TOKEN
        self.subscriptions: list[Fields] = []
        self.groups: dict[str, list[Fields]] = {}
        self.permissions: dict[str, list[Fields]] = {}
        self.lists: dict[str, list[Fields]] = {}
        """The resources at each path, in lower case."""
        self.rows: list[Fields] = []
        self.trouble: Trouble = lambda _asked, _before: None
        self.asked: list[Asked] = []
        self._lock = threading.Lock()

    def add_subscription(self, identifier: str, name: str, **more: Any) -> None:
        self.subscriptions.append({"subscriptionId": identifier, "displayName": name, "state": "Enabled", **more})
        self.permissions[identifier] = [READER]

    def add(self, path: str, *items: Fields) -> None:
        """Add resources to the list at a path: ``/subscriptions/ID/providers/Microsoft.Network/virtualHubs``."""
        self.lists.setdefault(path.lower(), []).extend(items)

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
            token = {"access_token": self.token, "expires_on": str(int(time.time()) + 7200), "token_type": "Bearer"}
            return Reply(body=json.dumps({**token, "resource": asked.query["resource"]}).encode())
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return error(401, "InvalidAuthenticationToken", "The access token is invalid.")
        answer = self._answer(asked)
        if answer is None:
            return error(404, "NotFound", f"{asked.path} was not found")
        return Reply(body=json.dumps(answer).encode())

    def _answer(self, asked: Asked) -> Fields | None:
        if asked.path == "/subscriptions":
            return self._paged(asked, self.subscriptions)
        if asked.path == "/providers/microsoft.resourcegraph/resources":
            return self._queried(asked.body)
        if asked.path.endswith("/descendants"):
            members = self.groups.get(asked.path.split("/")[-2])
            return None if members is None else self._paged(asked, members)
        subscription = asked.path.split("/")[2]
        if subscription not in self.permissions:
            return None
        if asked.path.endswith("/providers/microsoft.authorization/permissions"):
            return {"value": self.permissions[subscription]}
        items = self.lists.get(asked.path, [])
        if asked.path.endswith("/servicetags"):
            return {"name": "Public", "changeNumber": "7", "cloud": "Public", "values": items}
        if asked.path.endswith("/config/web"):
            return items[0] if items else None
        if asked.method == "POST":
            start = int(asked.body.get("skipToken", "0"))
            more = {"skipToken": str(start + self.page)} if start + self.page < len(items) else {}
            return {"value": items[start : start + self.page], **more}
        return self._paged(asked, items)

    def _paged(self, asked: Asked, items: list[Fields]) -> Fields:
        start = int(asked.query.get("$skiptoken", "0"))
        answer: Fields = {"value": items[start : start + self.page]}
        if start + self.page < len(items):
            version = asked.query["api-version"]
            more = start + self.page
            answer["nextLink"] = f"{self.url}{asked.path}?api-version={version}&%24skiptoken={more}"
        return answer

    def _queried(self, body: Fields) -> Fields:
        types = re.findall(r"'([^']+)'", body["query"])
        named = body["subscriptions"]
        rows = [row for row in self.rows if row["subscriptionId"] in named and row["type"].lower() in types]
        rows.sort(key=lambda row: row["id"])
        start = int(body["options"].get("$skipToken", "0"))
        page = min(self.page, body["options"]["$top"])
        cut = rows[start : start + page]
        answer: Fields = {"totalRecords": len(rows), "count": len(cut), "data": cut, "facets": []}
        answer["resultTruncated"] = "true" if start + page < len(rows) else "false"
        return {**answer, "$skipToken": str(start + page)} if start + page < len(rows) else answer


class _Handler(Handler):
    azure: Azure

    def reply(self, content: bytes) -> Reply:
        place = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        body: Fields = json.loads(content) if content else {}
        path = unquote(place.path).lower()
        return self.azure.reply(Asked(self.command, path, query, dict(self.headers.items()), body))


def login_at(url: str) -> dict[str, str]:
    """The environment in which azure-identity finds a managed identity at a server, and Resource Manager too."""
    return {
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "IDENTITY_ENDPOINT": f"{url}{LOGIN}",
        "IDENTITY_HEADER": "known-to-the-machine",
        "CLOUDSEG_AZURE_ENDPOINT": url,
        **NO_PROXY,
    }


@contextmanager
def serving(azure: Azure) -> Generator[str]:
    """Serve as long as the block runs, in an environment that leads there and nowhere else; yields the address."""
    with listening(type("Serving", (_Handler,), {"azure": azure})) as azure.url:
        own = ("AZURE_", "MSI_", "IDENTITY_", "CLOUDSEG_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        with patch.dict(os.environ, {**kept, **login_at(azure.url)}, clear=True):
            yield azure.url
