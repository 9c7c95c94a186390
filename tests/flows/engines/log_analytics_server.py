"""Log Analytics on 127.0.0.1, for the real SDK: what it was asked, and what goes wrong.

The shapes are those of https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format and of
https://learn.microsoft.com/azure/azure-monitor/logs/api/errors
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudseg.flows.columns import SIGHTINGS
from tests.loopback import Handler, Reply, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Json = dict[str, Any]
KINDS = {"VARCHAR": "string", "INTEGER": "int", "BIGINT": "long", "BOOLEAN": "bool"}


class Asked(NamedTuple):
    path: str
    query: str
    timespan: str
    prefer: str
    token: str

    @property
    def hours(self) -> float:
        begin, end = (datetime.fromisoformat(part) for part in self.timespan.split("/"))
        return (end - begin).total_seconds() / 3600


def refused(status: int, code: str, message: str = "no", *inner: str, **headers: str) -> Reply:
    error: Json = {}
    for each in reversed(inner):
        error = {"innererror": {"code": "Inner", "message": each, **error}}
    return Reply(status, json.dumps({"error": {"code": code, "message": message, **error}}).encode(), headers)


class LogAnalyticsServer:
    """One workspace: rows of sightings for each span, and what is asked of it."""

    def __init__(self) -> None:
        self.columns = [{"name": column.name, "type": KINDS[column.type]} for column in SIGHTINGS]
        self.rows: Callable[[Asked], list[list[Any]]] = lambda _asked: []
        self.cut: Callable[[Asked], bool] = lambda _asked: False
        self.trouble: Callable[[Asked, int], Reply | None] = lambda _asked, _before: None
        self.asked: list[Asked] = []

    @contextmanager
    def listening(self) -> Generator[str]:
        told = self

        class Here(Handler):
            def reply(self, content: bytes) -> Reply:
                body = json.loads(content)
                headers = self.headers
                return told.answer(
                    Asked(
                        self.path,
                        body["query"],
                        body["timespan"],
                        headers.get("Prefer", ""),
                        headers.get("Authorization", ""),
                    )
                )

        with listening(Here) as address:
            yield address

    def answer(self, asked: Asked) -> Reply:
        before = len(self.asked)
        self.asked.append(asked)
        if (trouble := self.trouble(asked, before)) is not None:
            return trouble
        table = {"name": "PrimaryResult", "columns": self.columns, "rows": self.rows(asked)}
        body: Json = {"tables": [table]}
        if self.cut(asked):
            told = {"code": "E_QUERY_RESULT_SET_TOO_LARGE", "message": "The results exceeded the set limit of 500000"}
            body["error"] = {"code": "PartialError", "message": "There were some errors", "innererror": told}
        return Reply(200, json.dumps(body).encode())
