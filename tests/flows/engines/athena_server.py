"""Athena and the bucket of its results on 127.0.0.1, for the real boto3: what it was asked, and what goes wrong.

The shapes are those of https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.flows.engines.tables import AWS_COLUMNS, NUMBERS
from tests.loopback import Handler, Reply, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Json = dict[str, Any]


class Asked(NamedTuple):
    """A request to Athena (its operation and what it says), or to S3 (``GET`` and the path)."""

    operation: str
    body: Json


def refused(code: str, message: str, status: int = 400) -> Reply:
    return Reply(status, json.dumps({"__type": code, "message": message}).encode(), {"x-amzn-ErrorType": code})


def answered(body: Json) -> Reply:
    return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.1"})


class AthenaServer:
    """A catalogue with one table, a workgroup, one query after the other, and a bucket."""

    def __init__(self) -> None:
        self.columns = [{"Name": name, "Type": "bigint" if name in NUMBERS else "string"} for name in AWS_COLUMNS]
        self.keys = [{"Name": "region", "Type": "string"}, {"Name": "day", "Type": "string"}]
        self.parameters: dict[str, str] = {"projection.day.type": "date", "projection.day.format": "yyyy/MM/dd"}
        self.cutoff: int | None = None
        self.states: list[Json] = [{"State": "QUEUED"}, {"State": "RUNNING"}, {"State": "SUCCEEDED"}]
        self.scanned = [0, 1_000, 12_345]
        self.output = "s3://results/athena/query-1.csv"
        self.result: Callable[[str], bytes] = lambda _query: b""
        self.trouble: Callable[[Asked, int], Reply | None] = lambda _asked, _before: None
        self.asked: list[Asked] = []
        self.query = ""
        self._polled = 0

    def operations(self) -> list[str]:
        return [each.operation for each in self.asked]

    @contextmanager
    def listening(self) -> Generator[str]:
        told = self

        class Here(Handler):
            def reply(self, content: bytes) -> Reply:
                target = self.headers.get("X-Amz-Target", "")
                asked = (
                    Asked(target.partition(".")[2], json.loads(content)) if target else Asked(f"GET {self.path}", {})
                )
                return told.answer(asked)

        with listening(Here) as address:
            yield address

    def answer(self, asked: Asked) -> Reply:
        before = sum(each.operation == asked.operation for each in self.asked)
        self.asked.append(asked)
        if (trouble := self.trouble(asked, before)) is not None:
            return trouble
        match asked.operation:
            case "GetTableMetadata":
                table = {
                    "Name": "flows",
                    "Columns": self.columns,
                    "PartitionKeys": self.keys,
                    "Parameters": self.parameters,
                }
                return answered({"TableMetadata": table})
            case "GetWorkGroup":
                limit = {} if self.cutoff is None else {"BytesScannedCutoffPerQuery": self.cutoff}
                return answered({"WorkGroup": {"Name": "primary", "Configuration": limit}})
            case "StartQueryExecution":
                self.query = asked.body["QueryString"]
                return answered({"QueryExecutionId": "query-1"})
            case "GetQueryExecution":
                return answered({"QueryExecution": self._execution()})
            case "StopQueryExecution":
                return answered({})
            case _:
                return Reply(200, self.result(self.query), {"Content-Type": "application/octet-stream"})

    def _execution(self) -> Json:
        place = min(self._polled, len(self.states) - 1)
        self._polled += 1
        return {
            "QueryExecutionId": "query-1",
            "Status": self.states[place],
            "Statistics": {"DataScannedInBytes": self.scanned[min(place, len(self.scanned) - 1)]},
            "ResultConfiguration": {"OutputLocation": self.output} if self.output else {},
        }
