"""Flow logs in BigQuery: what a query would read is asked first, then it runs, and its rows are fetched page by page.

https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from google.api_core.retry import Retry
from google.cloud.bigquery import QueryJobConfig

from cloudseg.errors import CollectError, InputError
from cloudseg.flows.engines.interface import Answer, Question, Window
from cloudseg.flows.engines.results import write_rows
from cloudseg.flows.formats.gcp_vpc import GCP_VPC
from cloudseg.providers.gcp.bigquery_access import entered, refusal
from cloudseg.providers.gcp.bigquery_table import Written, newest, place_of, written
from cloudseg.providers.gcp.failures import FAILURES, passes_soon
from cloudseg.text import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from google.auth.credentials import Credentials

    from cloudseg.providers.gcp.bigquery_access import Job, Service

__all__ = ["MOST", "BigQuery", "BigQuerySettings"]

MOST: Final = 1 << 40
"""The bytes that a query may read where nobody says: 1 TiB, what is free in a month."""

_PAGE: Final = 10_000
_LONGEST_PAUSE: Final = 5.0
_SECONDS: Final = 60.0
"""How long one request may take."""


class BigQuerySettings(NamedTuple):
    """How a query is asked.

    Attributes:
        project: whose query it is, and who pays; None: the project of the credentials, else that of the table.
        location: where the dataset is; None: BigQuery finds it.
        most: the bytes that it may read.
        pause: seconds before it is first asked how far it is.
        patience: seconds for which a request is sent again that may pass in a moment.
    """

    project: str | None = None
    location: str | None = None
    most: int = MOST
    pause: float = 0.5
    patience: float = 60.0


class BigQuery:
    """A table of VPC flow logs or firewall logs in BigQuery, or a table for each day.

    Args:
        table: ``PROJECT.DATASET.TABLE``, or ``PROJECT.DATASET.PREFIX_*``.
        window: the time that is asked for.
        settings: how.
        credentials: as whom; None: the application default credentials.
        endpoint: the address of the service; None: its own.

    Raises:
        InputError: the table is no name of one.
    """

    def __init__(
        self,
        table: str,
        window: Window,
        settings: BigQuerySettings | None = None,
        *,
        credentials: Credentials | None = None,
        endpoint: str | None = None,
    ) -> None:
        self._place = place_of(table)
        self.place = f"BigQuery's {self._place}"
        self.window = window
        self._settings = settings or BigQuerySettings()
        self._credentials = credentials
        self._endpoint = endpoint
        self._retry = Retry(predicate=passes_soon, initial=0.25, maximum=10.0, timeout=self._settings.patience)

    def question(self) -> Question:
        """Return the query for the table as it is, with what BigQuery says that it would read.

        Raises:
            CredentialsError: there are no credentials, or they are not accepted.
            CollectError: the table cannot be looked at, or the query is refused.
            InputError: the table is none of flow logs, or the query would read more than is allowed.
        """
        query, size = self._query, self._size
        if size > self._settings.most:
            raise InputError(
                f"the query would read {_told(size)}, and {_told(self._settings.most)} are allowed; ask for fewer days "
                f"(--since), or allow more: --max-bytes {size}"
            )
        told = (
            f"{query.told}; it would read {_told(size)}",
            f"BigQuery refuses it beyond {_told(self._settings.most)}",
        )
        return Question(query.text, GCP_VPC.name, GCP_VPC.title, "--", told)

    def answer(self, folder: Path, progress: Callable[[int], None] | None) -> Answer:
        """Run the query and fetch its rows; an interrupt cancels it.

        Raises:
            CredentialsError: the credentials are not accepted.
            CollectError: the query was refused, failed or was cancelled.
            InputError: it would read more than is allowed.
        """
        text = self.question().text
        try:
            job = self._submit(
                text, QueryJobConfig(maximum_bytes_billed=self._settings.most, labels={"by": "cloudseg"})
            )
        except FAILURES as error:
            raise self._refused(error) from error
        path = folder / "bigquery.csv"
        try:
            self._wait(job, progress)
            write_rows(path, self._rows(job))
        except BaseException as error:
            # It would go on, and cost on; one that has ended already is not touched by this.
            with suppress(*FAILURES):
                job.cancel(retry=None, timeout=10.0)
            if isinstance(error, FAILURES):
                raise self._refused(error) from error
            raise
        return Answer((path,), int(job.total_bytes_processed or 0))

    @cached_property
    def _client(self) -> Service:
        project = self._settings.project
        return entered(project, self._place.project, self._credentials, self._endpoint, self._settings.location)

    @cached_property
    def _query(self) -> Written:
        project, dataset, table = self._place
        try:
            if self._place.sharded:
                tables = self._client.list_tables(f"{project}.{dataset}", retry=self._retry, timeout=_SECONDS)
                table = newest(self._place, (str(each.table_id) for each in tables))
            described = self._client.get_table(f"{project}.{dataset}.{table}", retry=self._retry, timeout=_SECONDS)
        except FAILURES as error:
            raise self._refused(error) from error
        return written(self._place, described, self.window)

    @cached_property
    def _size(self) -> int:
        """The bytes that the query would read, as BigQuery says without running it."""
        try:
            job = self._submit(self._query.text, QueryJobConfig(dry_run=True, use_query_cache=False))
        except FAILURES as error:
            raise self._refused(error) from error
        return int(job.total_bytes_processed or 0)

    def _submit(self, text: str, config: QueryJobConfig) -> Job:
        return self._client.query(
            text, config, location=self._settings.location, retry=self._retry, timeout=_SECONDS, job_retry=None
        )

    def _wait(self, job: Job, progress: Callable[[int], None] | None) -> None:
        pause = self._settings.pause
        while True:
            job.reload(retry=self._retry, timeout=_SECONDS)
            if progress is not None:
                progress(int(job.total_bytes_processed or 0))
            if job.state == "DONE":
                break
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        if (error := job.error_result) is not None:
            raise self._failed(error.get("reason", ""), error.get("message", "no reason"))

    def _rows(self, job: Job) -> Iterator[Sequence[object]]:
        for row in job.result(page_size=_PAGE, retry=self._retry, timeout=_SECONDS, job_retry=None):
            yield row.values()

    def _refused(self, error: BaseException) -> CollectError:
        return refusal(error, self.place, self._place.project)

    def _failed(self, reason: str, message: str) -> Exception:
        """Return what to raise for a query that ended without a result, by what BigQuery says of it."""
        if reason == "bytesBilledLimitExceeded":
            return InputError(
                f"the query would be billed for more than is allowed ({message}); allow more: --max-bytes"
            )
        hints = {
            "accessDenied": "; allow bigquery.tables.getData on the dataset (roles/bigquery.dataViewer)",
            "stopped": "; somebody cancelled it",
            "quotaExceeded": "; a quota of the project is used up: ask later",
            "rateLimitExceeded": "; too much is asked at a time: ask later",
            "resourcesExceeded": "; ask for fewer days at a time (--since, --until)",
            "responseTooLarge": "; ask for fewer days at a time (--since, --until)",
            "timeout": "; ask for fewer days at a time (--since, --until)",
        }
        return CollectError(f"the query failed in BigQuery ({reason}: {message}){hints.get(reason, '')}")


def _told(size: int) -> str:
    for unit, power in (("TiB", 40), ("GiB", 30), ("MiB", 20)):
        if size >= 1 << power:
            return f"{size / (1 << power):,.1f} {unit}"
    return amount(size, "byte")
