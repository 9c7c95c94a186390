"""Flow logs in CloudWatch Logs: ``cloudwatch:GROUP`` or ``cloudwatch:GROUP@REGION``.

An event is one record without a header; the flow logs that deliver to the group say which fields it has:
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-cwl.html.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from cloudseg.errors import InputError
from cloudseg.flows.files import Batch, LogFile, Unreadable
from cloudseg.flows.formats.aws_fields import V2, told_fields
from cloudseg.providers.aws.failures import FAILURES, UNREADABLE, detail_of
from cloudseg.providers.aws.flow_access import Json, client_for, credentials_error, refusal
from cloudseg.providers.aws.options import AwsOptions
from cloudseg.text import amount

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from botocore.client import BaseClient

__all__ = ["CloudWatchLogs"]

_BATCH_BYTES: Final = 256 << 20
_PAGE: Final = 10_000
_MARGIN: Final = 3600
"""Seconds: an event bears the begin of its window, and may come late."""


class CloudWatchLogs:
    """The flow logs in a log group.

    Args:
        address: ``cloudwatch:GROUP`` or ``cloudwatch:GROUP@REGION``.
        options: as whom, and in which region where the address names none.
        since: seconds since 1970 before which nobody looks; None: from the first event on.
        until: likewise, after which.
        fields: the fields of the records; (): those that the flow logs say, else the default format's.

    Raises:
        InputError: the address names no group.
    """

    def __init__(
        self,
        address: str,
        options: AwsOptions | None = None,
        *,
        since: int | None = None,
        until: int | None = None,
        fields: tuple[str, ...] = (),
    ) -> None:
        scheme, _, place = address.partition(":")
        self._group, _, region = place.partition("@")
        if scheme != "cloudwatch" or not self._group:
            raise InputError(f"{address!r} names no log group; write cloudwatch:GROUP or cloudwatch:GROUP@REGION")
        self.name = address
        self._options = options or AwsOptions()
        self._region = region or next(iter(self._options.regions), None)
        self._since = since
        self._until = until
        self._fields = fields

    @property
    def size(self) -> int | None:
        """Unknown: CloudWatch tells it only packed."""
        return None

    def batches(self) -> Generator[Batch]:
        """Fetch the events, page by page, into files with a header, which go when the next batch is asked for.

        Raises:
            CredentialsError: there are no credentials, or they are expired or not accepted.
            CollectError: the group does not exist or may not be read, or AWS cannot be reached.
            InputError: there are no events, or the flow logs of the group write formats that nobody can tell apart.
        """
        formats, notes = self._formats()
        messages = self._messages()
        ended = False
        any_yet = False
        while not ended:
            with tempfile.TemporaryDirectory(prefix="cloudseg-flows-", ignore_cleanup_errors=True) as folder:
                files, losses, ended = _written(messages, Path(folder), self.name, formats)
                if files or losses:
                    any_yet = True
                    yield Batch(files, losses, notes)
                    notes = ()
        if not any_yet:
            raise InputError(f"{self.name}: there are no events in the time asked for; check the group and --since")

    @cached_property
    def _client(self) -> BaseClient:
        return client_for("logs", self._options, self._region)

    def _messages(self) -> Iterator[str]:
        """The records, one by one."""
        request: Json = {"logGroupName": self._group, "PaginationConfig": {"PageSize": _PAGE}}
        if self._since is not None:
            request["startTime"] = max(0, self._since - _MARGIN) * 1000
        if self._until is not None:
            request["endTime"] = (self._until + _MARGIN) * 1000
        try:
            for page in self._client.get_paginator("filter_log_events").paginate(**request):
                for event in page["events"]:
                    yield event["message"]
        except (*FAILURES, *UNREADABLE) as error:
            raise refusal(
                error,
                f"log group {self._group}",
                missing="check its name, and its region: cloudwatch:GROUP@REGION",
                allow=f"logs:FilterLogEvents on log-group:{self._group}",
            ) from error

    def _formats(self) -> tuple[dict[int, tuple[str, ...]], tuple[str, ...]]:
        """The fields of records by how many there are, and what is to be said about that."""
        if self._fields:
            return {len(self._fields): self._fields}, ()
        client = client_for("ec2", self._options, self._region)
        try:
            pages = client.get_paginator("describe_flow_logs").paginate(
                Filters=[{"Name": "log-group-name", "Values": [self._group]}]
            )
            written = {
                told_fields(each.get("LogFormat") or " ".join(V2)) for page in pages for each in page["FlowLogs"]
            }
        except (*FAILURES, *UNREADABLE) as error:
            if (credentials := credentials_error(error)) is not None:
                raise credentials from error
            note = (
                f"{self.name}: the format of its records could not be asked for ({detail_of(error)}): it is taken for "
                "the default format; allow ec2:DescribeFlowLogs, or name the fields with --log-format"
            )
            return {len(V2): V2}, (note,)
        formats = {len(fields): fields for fields in written}
        if len(formats) < len(written):
            raise InputError(
                f"{self.name}: flow logs of different fields, but as many, deliver to this group: nobody can tell "
                "their records apart; name the fields of one with --log-format"
            )
        return formats or {len(V2): V2}, ()


def _written(
    messages: Iterator[str], folder: Path, name: str, formats: Mapping[int, tuple[str, ...]]
) -> tuple[tuple[LogFile, ...], tuple[Unreadable, ...], bool]:
    """Write records to a file for each format until a batch is full: files, losses, and whether that was all."""
    size = strange = 0
    ended = True
    with ExitStack() as stack:
        opened: dict[int, IO[str]] = {}
        for message in messages:
            record = message.strip()
            count = record.count(" ") + 1
            if count not in formats or "\n" in record:
                strange += 1
                continue
            if count not in opened:
                path = folder / f"{count}.log"
                opened[count] = stack.enter_context(path.open("w", encoding="utf-8", errors="replace"))
                opened[count].write(" ".join(formats[count]) + "\n")
            opened[count].write(record + "\n")
            size += len(record)
            if size >= _BATCH_BYTES:
                ended = False
                break
    paths = [folder / f"{count}.log" for count in sorted(opened)]
    losses = () if not strange else (Unreadable(name, _strange(strange, formats)),)
    return tuple(LogFile(path, path.stat().st_size, name) for path in paths), losses, ended


def _strange(events: int, formats: Mapping[int, tuple[str, ...]]) -> str:
    counts = " or ".join(str(count) for count in sorted(formats))
    return (
        f"{amount(events, 'event')} without the {counts} fields of the group's flow logs; name them with --log-format"
    )
