"""Flow logs in Athena: the query is asked there, and the sightings are fetched from where it leaves them.

https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html and, for the file of results,
https://docs.aws.amazon.com/athena/latest/ug/querying.html
"""

from __future__ import annotations

import time
from contextlib import closing, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import CollectError, InputError
from cloudseg.flows.engines.interface import Answer, Question, Window
from cloudseg.providers.aws.athena_table import Written, part_of, place_of, written
from cloudseg.providers.aws.failures import FAILURES, UNREADABLE, detail_of, error_code, reason_of
from cloudseg.providers.aws.flow_access import ask, client_for, credentials_error, refusal
from cloudseg.providers.aws.options import AwsOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from botocore.client import BaseClient

    from cloudseg.providers.aws.flow_access import Json

__all__ = ["Athena", "AthenaSettings"]

_ERRORS: Final = (*FAILURES, *UNREADABLE)
_RUNNING: Final = frozenset({"QUEUED", "RUNNING"})
_LONGEST_PAUSE: Final = 5.0
_CHUNK: Final = 1 << 18


class AthenaSettings(NamedTuple):
    """How a query is asked.

    Attributes:
        workgroup: its workgroup; None: ``primary``.
        results: where it leaves what it finds, ``s3://bucket/prefix``; None: where the workgroup says.
        partitions: values of partitions besides the time.
        most: the bytes that it may scan; it is stopped when it is seen to have scanned more. None: no bound.
        pause: seconds before it is first asked how far it is.
    """

    workgroup: str | None = None
    results: str | None = None
    partitions: Mapping[str, str] = {}
    most: int | None = None
    pause: float = 0.5


class Athena:
    """A table of VPC or transit gateway flow logs in Athena.

    Args:
        table: ``DATABASE.TABLE`` or ``CATALOG.DATABASE.TABLE``.
        window: the time that is asked for.
        options: as whom, and in which region.
        settings: how.

    Raises:
        InputError: the table is no name of one, or several regions are named.
    """

    def __init__(
        self, table: str, window: Window, options: AwsOptions | None = None, settings: AthenaSettings | None = None
    ) -> None:
        self._place = place_of(table)
        self.place = f"Athena's {self._place}"
        self.window = window
        self._options = options or AwsOptions()
        self._settings = settings or AthenaSettings()
        if len(self._options.regions) > 1:
            raise InputError("a table of Athena is in one region: name one --region")
        if (results := self._settings.results) is not None and not results.startswith("s3://"):
            raise InputError(f"--results {results!r} is no place for Athena's results; write s3://BUCKET/PREFIX/")

    def question(self) -> Question:
        """Return the query for the table as it is in the catalogue.

        Raises:
            CollectError: the table cannot be looked at.
            InputError: it is none of flow logs, or would be scanned as a whole without a limit.
        """
        query, most = self._query, self._cutoff
        if not query.by_time and most is None:
            raise InputError(
                f"{self.place} has no partition by day that is known here: the whole of it would be scanned; partition "
                "it by day, or name a workgroup that limits the bytes of a query (--workgroup)"
            )
        limits = [f"workgroup {self._workgroup} cancels it beyond {most:,} bytes"] if most is not None else []
        if self._settings.most is not None:
            limits.append(f"it is stopped when it is seen to have scanned {self._settings.most:,} bytes")
        told = (f"{query.told}; Athena does not tell beforehand how much it will scan", *limits)
        return Question(query.text, query.of.name, query.of.title, "--", told)

    def answer(self, folder: Path, progress: Callable[[int], None] | None) -> Answer:
        """Run the query and fetch its file; an interrupt cancels it.

        Raises:
            CredentialsError: there are no credentials, or they are not accepted.
            CollectError: the query was refused, failed or was cancelled, or its results cannot be read.
            InputError: it was stopped because it scans more than is allowed.
        """
        started = self._start(self.question().text)
        try:
            finished = self._wait(started, progress)
            path = folder / "athena.csv"
            self._download(_output(finished), path)
        except BaseException:
            # It would go on, and cost on; one that has ended already is not touched by this.
            with suppress(*_ERRORS):
                ask(self._client, "stop_query_execution", QueryExecutionId=started)
            raise
        return Answer((path,), _scanned(finished))

    @property
    def _workgroup(self) -> str:
        return self._settings.workgroup or "primary"

    @cached_property
    def _client(self) -> BaseClient:
        return client_for("athena", self._options, next(iter(self._options.regions), None))

    @cached_property
    def _query(self) -> Written:
        catalog, database, table = self._place
        try:
            answer = ask(
                self._client, "get_table_metadata", CatalogName=catalog, DatabaseName=database, TableName=table,
                WorkGroup=self._workgroup,
            )  # fmt: skip
        except _ERRORS as error:
            if error_code(error) == "MetadataException":
                raise CollectError(
                    f"{self.place} cannot be looked up ({detail_of(error)}); check its name and its --region, and "
                    "allow glue:GetTable and glue:GetDatabase on it"
                ) from error
            raise self._refused(error, "athena:GetTableMetadata, glue:GetTable and glue:GetDatabase") from error
        return written(self._place, answer["TableMetadata"], self.window, self._settings.partitions)

    @cached_property
    def _cutoff(self) -> int | None:
        """The bytes that the workgroup lets a query scan; None: it does not bound them, or does not say."""
        try:
            group: Json = ask(self._client, "get_work_group", WorkGroup=self._workgroup)["WorkGroup"]
        except _ERRORS as error:
            if (credentials := credentials_error(error)) is not None:
                raise credentials from error
            return None
        cutoff = part_of(group, "Configuration").get("BytesScannedCutoffPerQuery")
        return int(cutoff) if cutoff else None

    def _refused(self, error: Exception, allow: str) -> CollectError:
        if reason_of(error) == "malformed" or error_code(error) == "InvalidRequestException":
            hint = (
                ""
                if self._settings.results
                else "; if it has no place for results, name one: --results s3://BUCKET/PREFIX/"
            )
            return CollectError(f"Athena does not take the request ({detail_of(error)}){hint}")
        return refusal(
            error,
            self.place,
            missing="check its name, the workgroup and the --region",
            allow=f"{allow} on workgroup {self._workgroup}",
        )

    def _start(self, text: str) -> str:
        catalog, database, _ = self._place
        results = self._settings.results
        try:
            answer = ask(
                self._client,
                "start_query_execution",
                QueryString=text,
                QueryExecutionContext={"Catalog": catalog, "Database": database},
                WorkGroup=self._workgroup,
                **({} if results is None else {"ResultConfiguration": {"OutputLocation": results}}),
            )
        except _ERRORS as error:
            raise self._refused(error, "athena:StartQueryExecution") from error
        return str(answer["QueryExecutionId"])

    def _wait(self, started: str, progress: Callable[[int], None] | None) -> Json:
        pause = self._settings.pause
        while True:
            try:
                found: Json = ask(self._client, "get_query_execution", QueryExecutionId=started)["QueryExecution"]
            except _ERRORS as error:
                raise self._refused(error, "athena:GetQueryExecution") from error
            scanned = _scanned(found)
            if progress is not None:
                progress(scanned)
            state = str(found["Status"]["State"])
            if state == "SUCCEEDED":
                return found
            if state not in _RUNNING:
                raise _failed(found, state)
            if self._settings.most is not None and scanned > self._settings.most:
                raise InputError(
                    f"the query was stopped: it has scanned {scanned:,} bytes, and {self._settings.most:,} are "
                    "allowed; ask for fewer days (--since), or allow more (--max-bytes)"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _download(self, place: str, path: Path) -> None:
        bucket, _, key = place.removeprefix("s3://").partition("/")
        client = client_for("s3", self._options, next(iter(self._options.regions), None))
        try:
            answer = ask(client, "get_object", Bucket=bucket, Key=key)
            # As a context manager botocore's body hands out the stream below it, which does not check the length.
            with closing(answer["Body"]) as body, path.open("wb") as file:
                while chunk := body.read(_CHUNK):
                    file.write(chunk)
        except _ERRORS as error:
            raise refusal(
                error,
                f"the result {place}",
                missing="its bucket may empty itself too soon",
                allow="s3:GetObject on it, and kms:Decrypt on its key if it has one",
            ) from error


def _scanned(execution: Json) -> int:
    return int(part_of(execution, "Statistics").get("DataScannedInBytes") or 0)


def _output(execution: Json) -> str:
    place = str(part_of(execution, "ResultConfiguration").get("OutputLocation") or "")
    if not place.startswith("s3://"):
        raise InputError(
            "the workgroup keeps results for itself, where no file of them can be fetched; name a workgroup that "
            "leaves them in a bucket (--workgroup)"
        )
    return place


def _failed(execution: Json, state: str) -> CollectError:
    """Return what to raise for a query that ended without a result, by what Athena says of it."""
    status = part_of(execution, "Status")
    reason = str(
        status.get("StateChangeReason") or part_of(status, "AthenaError").get("ErrorMessage") or "it does not say why"
    )
    if state == "CANCELLED":
        hint = "; its workgroup may limit what a query scans, or somebody cancelled it: ask for fewer days (--since)"
        return CollectError(f"the query was cancelled in Athena ({reason}){hint}")
    text = reason.lower()
    if "access denied" in text or "not authorized" in text or "insufficient permissions" in text:
        hint = (
            "; allow s3:GetObject and s3:ListBucket on the bucket of the logs, and s3:PutObject, s3:GetBucketLocation "
            "and s3:AbortMultipartUpload where the results go"
        )
    elif "exhausted" in text or "timeout" in text or "timed out" in text:
        hint = "; ask for fewer days at a time (--since, --until)"
    else:
        hint = ""
    return CollectError(f"the query failed in Athena ({reason}){hint}")
