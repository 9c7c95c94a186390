"""Flow logs in a bucket: ``s3://bucket/prefix``, listed, narrowed to the days asked for, and fetched batch by batch.

The layouts are those of https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html: the day stands in the
key as ``2026/01/31``, or as ``year=2026/month=01/day=31`` with Hive-compatible prefixes. Keys without a day are all
fetched.
"""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path, PurePosixPath
from threading import Event
from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError

from cloudseg.errors import InputError
from cloudseg.flows.files import Batch, LogFile, Unreadable
from cloudseg.providers.aws.failures import FAILURES, UNREADABLE, detail_of, error_code, reason_of
from cloudseg.providers.aws.flow_access import ask, client_for, credentials_error, refusal
from cloudseg.providers.aws.options import AwsOptions

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from botocore.client import BaseClient

__all__ = ["BATCH_BYTES", "S3Logs"]

BATCH_BYTES: Final = 256 << 20
"""How many bytes are on this machine at a time, unless one object is larger."""

_BATCH_FILES: Final = 4096
_WORKERS: Final = 16
_TRIES: Final = 3
_CHUNK: Final = 1 << 18
_NO_LOGS: Final = ("_SUCCESS", ".crc", "aws-logs-write-test", "/")
_AWS_DAY: Final = re.compile(r"/vpcflowlogs/[a-z0-9-]+/(\d{4})/(?:(\d\d)/(?:(\d\d)/)?)?")
_HIVE_DAY: Final = re.compile(r"/aws-region=[a-z0-9-]+/year=(\d{4})/(?:month=(\d\d)/(?:day=(\d\d)/)?)?")
_OTHER_DAY: Final = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(?:\d\d/)?[^/]+$")
"""In another layout the day counts only where it stands right before the file: a folder above may be of a copy."""
_ACCOUNT: Final = re.compile(r"(?:^|/)(aws-account-id=\d{12}|AWSLogs/(?:o-[a-z0-9]+/)?\d{12}/vpcflowlogs)/")
"""What the path of a copy keeps of the key: there the account may stand alone."""


class _Object(NamedTuple):
    key: str
    size: int


class S3Logs:
    """The flow logs below ``s3://bucket/prefix``, where the prefix is a folder or one object.

    Args:
        address: the place.
        options: as whom; the bucket's region is found by itself.
        since: seconds since 1970 before which nobody looks; None: from the first file on.
        until: likewise, after which.
        fields: the fields of lines without a header; () where the files have one.

    Raises:
        InputError: the address is none of a bucket.
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
        scheme, _, place = address.partition("://")
        self._bucket, _, prefix = place.partition("/")
        if scheme != "s3" or not self._bucket:
            raise InputError(f"{address!r} names no bucket; write s3://BUCKET or s3://BUCKET/PREFIX")
        self.name = address
        self._prefix = prefix.rstrip("/")
        self._options = options or AwsOptions()
        # A file is named by when it was written, and may hold what was seen around midnight.
        self._first = date.min if since is None else _day_of(since) - timedelta(days=1)
        self._last = date.max if until is None else _day_of(until) + timedelta(days=1)
        self._fields = fields

    @property
    def size(self) -> int | None:
        """How many bytes the objects have together.

        Raises:
            CloudsegError: as ``batches``.
        """
        return sum(found.size for found in self._objects)

    def batches(self) -> Generator[Batch]:
        """Fetch the objects batch by batch, each into a folder that goes when the next is asked for.

        Raises:
            CredentialsError: there are no credentials, or they are expired or not accepted.
            CollectError: the bucket does not exist or may not be listed, or AWS cannot be reached.
            InputError: there is nothing below the prefix, or nothing of the days asked for.
        """
        for objects in _batched(self._objects):
            with tempfile.TemporaryDirectory(prefix="cloudseg-flows-", ignore_cleanup_errors=True) as folder:
                yield self._fetched(objects, Path(folder))

    @cached_property
    def _client(self) -> BaseClient:
        return client_for("s3", self._options)

    @cached_property
    def _objects(self) -> tuple[_Object, ...]:
        try:
            found = sorted(self._listed())
        except (*FAILURES, *UNREADABLE) as error:
            raise refusal(
                error,
                f"bucket {self._bucket}",
                missing="check its name and the account",
                allow=f"s3:ListBucket on arn:aws:s3:::{self._bucket}",
            ) from error
        logs = tuple(each for each in found if each.size and not each.key.endswith(_NO_LOGS))
        if not logs:
            days = "" if (self._first, self._last) == (date.min, date.max) else " of the days asked for"
            raise InputError(f"{self.name}: there are no objects{days} below it; check with: aws s3 ls {self.name}/")
        return logs

    def _listed(self) -> Iterator[_Object]:
        """All objects below the prefix, folder by folder: those of other days are not even listed."""
        if self._prefix:
            objects, _ = self._page({"Prefix": self._prefix, "MaxKeys": 1})
            yield from (each for each in objects if each.key == self._prefix)
        folders = [f"{self._prefix}/" if self._prefix else ""]
        with ThreadPoolExecutor(_WORKERS) as pool:
            while folders:
                found = list(pool.map(self._folder, folders))
                for objects, _ in found:
                    yield from (each for each in objects if self._asked_for(each.key))
                folders = [folder for _, below in found for folder in below if self._asked_for(folder)]

    def _folder(self, folder: str) -> tuple[list[_Object], list[str]]:
        """The objects and the folders in a folder; of a day, all objects below it."""
        found = _day_in(folder)
        whole = found is not None and found[3] is not None
        return self._page({"Prefix": folder} if whole else {"Prefix": folder, "Delimiter": "/"})

    def _page(self, request: dict[str, object]) -> tuple[list[_Object], list[str]]:
        objects: list[_Object] = []
        below: list[str] = []
        while True:
            answer = ask(self._client, "list_objects_v2", Bucket=self._bucket, **request)
            objects += [_Object(str(each["Key"]), int(each["Size"])) for each in answer.get("Contents", ())]
            below += [str(each["Prefix"]) for each in answer.get("CommonPrefixes", ())]
            token = answer.get("NextContinuationToken")
            if not token or "MaxKeys" in request:
                return objects, below
            request = {**request, "ContinuationToken": token}

    def _asked_for(self, key: str) -> bool:
        """Whether an object or a folder may hold what is asked for, by the year, month and day in its key."""
        found = _day_in(key)
        if found is None:
            return True
        year, month, day = found.groups()
        try:
            earliest = date(int(year), int(month or 1), int(day or 1))
            # The last day of a month is at most 30 days after its first.
            latest = date(int(year), int(month or 12), int(day or 1)) + timedelta(days=0 if day else 30)
        except (ValueError, OverflowError):
            return True
        return self._first <= latest and earliest <= self._last

    def _fetched(self, objects: Sequence[_Object], folder: Path) -> Batch:
        pool = ThreadPoolExecutor(_WORKERS)
        stopped = Event()
        try:
            fetching = [pool.submit(self._fetch, each, folder, place, stopped) for place, each in enumerate(objects)]
            got = [each.result() for each in fetching]
        finally:
            # After an error, or an interrupt, nobody waits for what is still on its way.
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
        return Batch(
            tuple(each for each in got if isinstance(each, LogFile)),
            tuple(each for each in got if isinstance(each, Unreadable)),
        )

    def _fetch(self, what: _Object, folder: Path, place: int, stopped: Event) -> LogFile | Unreadable:
        name = f"s3://{self._bucket}/{what.key}"
        # The key names no file here: it may be longer than a path, or climb out of the folder.
        account = _ACCOUNT.search(what.key)
        path = folder / (account[1] if account else "") / f"{place:06}{PurePosixPath(what.key).suffix[:16]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in reversed(range(_TRIES)):
            try:
                self._download(what.key, path, stopped)
            except ClientError as error:
                if (credentials := credentials_error(error)) is not None:
                    raise credentials from error
                return Unreadable(name, _why(error))
            except (*FAILURES, *UNREADABLE) as error:
                # A connection that broke in the middle of an object is not tried again by botocore.
                if not left:
                    return Unreadable(name, f"it could not be fetched: {detail_of(error)}")
            else:
                return LogFile(path, path.stat().st_size, name, self._fields)
        raise AssertionError("the last try returns")

    def _download(self, key: str, path: Path, stopped: Event) -> None:
        answer = ask(self._client, "get_object", Bucket=self._bucket, Key=key)
        # As a context manager botocore's body hands out the stream below it, which does not check the length.
        with closing(answer["Body"]) as body, path.open("wb") as file:
            while not stopped.is_set() and (chunk := body.read(_CHUNK)):
                file.write(chunk)


def _day_of(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


def _day_in(key: str) -> re.Match[str] | None:
    return _AWS_DAY.search(key) or _HIVE_DAY.search(key) or _OTHER_DAY.search(key)


def _batched(objects: Sequence[_Object]) -> Iterator[list[_Object]]:
    batch: list[_Object] = []
    size = 0
    for each in objects:
        if batch and (size + each.size > BATCH_BYTES or len(batch) == _BATCH_FILES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch


def _why(error: ClientError) -> str:
    detail = detail_of(error)
    if error_code(error) == "InvalidObjectState":
        return f"it is archived ({detail}); restore it first"
    if reason_of(error) == "denied":
        return f"it may not be read ({detail}); allow s3:GetObject on it, and kms:Decrypt on its key if it has one"
    return f"it could not be fetched: {detail}"
