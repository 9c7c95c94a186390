"""BigQuery on 127.0.0.1, for the real SDK: what it was asked, and what goes wrong.

The shapes are those of https://cloud.google.com/bigquery/docs/reference/rest
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cloudseg.flows.columns import SIGHTINGS
from cloudseg.flows.formats.gcp_vpc import FIELDS
from tests.loopback import Handler, Reply, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

Json = dict[str, Any]
KINDS = {"VARCHAR": "STRING", "INTEGER": "INTEGER", "BIGINT": "INTEGER", "BOOLEAN": "BOOLEAN"}
NUMBERS = {
    "jsonPayload.connection.src_port": "FLOAT",
    "jsonPayload.connection.dest_port": "FLOAT",
    "jsonPayload.connection.protocol": "FLOAT",
    "timestamp": "TIMESTAMP",
}


class Asked(NamedTuple):
    """A request: ``GET tables/flows``, ``POST jobs``, ``POST dry``, …"""

    what: str
    query: dict[str, str]
    body: Json


def refused(status: int, reason: str, message: str = "no") -> Reply:
    told = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return Reply(status, json.dumps({"error": told}).encode())


def answered(body: Json) -> Reply:
    return Reply(200, json.dumps(body).encode())


def schema_of(fields: Sequence[str]) -> list[Json]:
    """The schema of a table with these fields."""
    below: dict[str, list[str]] = {}
    for field in fields:
        name, _, rest = field.partition(".")
        below.setdefault(name, []).extend((rest,) if rest else ())
    return [_field(name, rest, "") for name, rest in below.items()]


def _field(name: str, below: Sequence[str], above: str) -> Json:
    if not below:
        return {"name": name, "type": NUMBERS.get(above + name, "STRING"), "mode": "NULLABLE"}
    inner: dict[str, list[str]] = {}
    for field in below:
        first, _, rest = field.partition(".")
        inner.setdefault(first, []).extend((rest,) if rest else ())
    fields = [_field(each, rest, f"{above}{name}.") for each, rest in inner.items()]
    return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": fields}


class BigQueryServer:
    """A dataset, one query after the other, and its rows in pages."""

    def __init__(self) -> None:
        self.tables = ["compute_googleapis_com_vpc_flows"]
        self.schema = schema_of(FIELDS)
        self.partitioning: Json | None = {"type": "DAY", "field": "timestamp"}
        self.size = 5_000_000
        self.states = ["PENDING", "RUNNING", "DONE"]
        self.error: Json | None = None
        self.rows: Callable[[str], list[tuple[Any, ...]]] = lambda _query: []
        self.page = 20
        self.trouble: Callable[[Asked, int], Reply | None] = lambda _asked, _before: None
        self.asked: list[Asked] = []
        self.query = ""
        self._polled = 0
        self._held: list[tuple[Any, ...]] | None = None

    def whats(self) -> list[str]:
        return [each.what for each in self.asked]

    @contextmanager
    def listening(self) -> Generator[str]:
        told = self

        class Here(Handler):
            def reply(self, content: bytes) -> Reply:
                parts = urlsplit(self.path)
                path = parts.path.partition("/projects/")[2].partition("/")[2]
                body: Json = json.loads(content) if content else {}
                dry = bool(body.get("configuration", {}).get("dryRun"))
                what = f"{self.command} {'dry' if dry else path.removeprefix('datasets/logs/')}"
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                return told.answer(Asked(what, query, body))

        with listening(Here) as address:
            yield address

    def answer(self, asked: Asked) -> Reply:
        before = sum(each.what == asked.what for each in self.asked)
        self.asked.append(asked)
        if (trouble := self.trouble(asked, before)) is not None:
            return trouble
        method, _, path = asked.what.partition(" ")
        if method == "GET" and path == "tables":
            return answered({"tables": [{"tableReference": self._reference(name)} for name in self.tables]})
        if method == "GET" and path.startswith("tables/"):
            return answered(self._table(path.removeprefix("tables/")))
        if asked.what in ("POST dry", "POST jobs"):
            self.query = asked.body["configuration"]["query"]["query"]
            return answered(self._job(asked.body, "DONE" if asked.what == "POST dry" else "PENDING"))
        if path.endswith("/cancel"):
            return answered({"job": self._job({}, "DONE")})
        if path.startswith("queries/"):
            return answered(self._results(asked.query))
        return answered(self._polled_job())

    def _reference(self, name: str) -> Json:
        return {"projectId": "shop", "datasetId": "logs", "tableId": name}

    def _table(self, name: str) -> Json:
        table: Json = {"tableReference": self._reference(name), "schema": {"fields": self.schema}, "type": "TABLE"}
        return table if self.partitioning is None else table | {"timePartitioning": self.partitioning}

    def _job(self, body: Json, state: str) -> Json:
        configuration = body.get("configuration") or {"query": {"query": self.query}, "jobType": "QUERY"}
        status: Json = {"state": state}
        if state == "DONE" and self.error is not None and not configuration.get("dryRun"):
            status |= {"errorResult": self.error, "errors": [self.error]}
        return {
            "kind": "bigquery#job",
            "jobReference": {"projectId": "shop", "jobId": "job-1", "location": "EU"},
            "configuration": configuration,
            "status": status,
            "statistics": {
                "totalBytesProcessed": str(self.size),
                "query": {"totalBytesProcessed": str(self.size), "statementType": "SELECT"},
            },
        }

    def _polled_job(self) -> Json:
        state = self.states[min(self._polled, len(self.states) - 1)]
        self._polled += 1
        return self._job({}, state)

    def _results(self, query: dict[str, str]) -> Json:
        # A result does not change from page to page.
        self._held = rows = self.rows(self.query) if self._held is None else self._held
        begin = int(query.get("pageToken") or 0)
        wanted = min(self.page, int(query.get("maxResults") or self.page))
        found = [{"f": [{"v": _cell(value)} for value in row]} for row in rows[begin : begin + wanted]]
        fields = [{"name": column.name, "type": KINDS[column.type], "mode": "NULLABLE"} for column in SIGHTINGS]
        answer: Json = {
            "jobComplete": True,
            "jobReference": {"projectId": "shop", "jobId": "job-1", "location": "EU"},
            "schema": {"fields": fields},
            "totalRows": str(len(rows)),
            "rows": found,
        }
        return answer | ({"pageToken": str(begin + wanted)} if begin + wanted < len(rows) else {})


def _cell(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
