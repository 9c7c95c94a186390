"""Into BigQuery: its client with the application default credentials, and its refusals in words with the way out.

The other services of Google Cloud need packages that are not needed here, so this login stands for itself.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import google.auth
import requests
from google.api_core.client_info import ClientInfo
from google.api_core.client_options import ClientOptions
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.cloud.bigquery import Client

from cloudseg import __version__
from cloudseg.errors import CollectError, CredentialsError
from cloudseg.providers.gcp.failures import detail_of, reason_of, status_of, told_by, way_to_enable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from google.api_core.retry import Retry
    from google.auth.credentials import Credentials
    from google.cloud.bigquery import QueryJobConfig

__all__ = ["Described", "Field", "Job", "Partitioning", "Service", "entered", "refusal"]

_SCOPES: Final = ("https://www.googleapis.com/auth/bigquery",)
"""What a token is asked for: jobs of BigQuery, and what its tables hold."""
_LOGIN: Final = "gcloud auth application-default login"
_Default = Callable[..., tuple[Any, str | None]]


class Field(Protocol):
    """A column of a table; ``fields`` are those in a record. The SDK declares few types: these are what is used."""

    name: str
    field_type: str
    mode: str
    fields: Sequence[Field]


class Partitioning(Protocol):
    """How a table is partitioned by time: by which column (None: by when rows came in), and how finely."""

    field: str | None
    type_: str | None


class Described(Protocol):
    """A table as BigQuery describes it."""

    table_id: str
    schema: Sequence[Field]
    time_partitioning: Partitioning | None


class _Row(Protocol):
    def values(self) -> Sequence[object]: ...


class Job(Protocol):
    """A query that was submitted."""

    state: str | None
    error_result: Mapping[str, str] | None
    total_bytes_processed: int | None

    def reload(self, *, retry: Retry, timeout: float) -> None: ...  # noqa: D102 -- of the SDK

    def cancel(self, *, retry: Retry | None, timeout: float) -> bool: ...  # noqa: D102 -- of the SDK

    def result(self, *, page_size: int, retry: Retry, timeout: float, job_retry: None) -> Iterable[_Row]: ...  # noqa: D102 -- of the SDK


class Service(Protocol):
    """The client of BigQuery."""

    def list_tables(self, dataset: str, *, retry: Retry, timeout: float) -> Iterable[Described]: ...  # noqa: D102 -- of the SDK

    def get_table(self, table: str, *, retry: Retry, timeout: float) -> Described: ...  # noqa: D102 -- of the SDK

    def query(  # noqa: D102 -- of the SDK
        self,
        query: str,
        job_config: QueryJobConfig,
        *,
        location: str | None,
        retry: Retry,
        timeout: float,
        job_retry: None,
    ) -> Job: ...


def entered(
    project: str | None, owner: str, credentials: Credentials | None, endpoint: str | None, location: str | None
) -> Service:
    """Return a client, for which a token was fetched; nothing else is asked yet.

    Args:
        project: whose queries they are; None: the project of the credentials, else ``owner``.
        owner: the project of the table.
        credentials: as whom; None: the application default credentials.
        endpoint: the address of the service; None: its own, or that of ``BIGQUERY_EMULATOR_HOST``.
        location: where queries run; None: where the dataset is.

    Raises:
        CredentialsError: there are none, or they cannot be used.
        CollectError: nobody can be asked for a token.
    """
    logging.getLogger("google").addHandler(logging.NullHandler())
    found = project
    try:
        if credentials is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # What it returns is of no declared type.
                default = cast("_Default", google.auth.default)  # pyright: ignore[reportUnknownMemberType]
                login, own = default(scopes=_SCOPES)
                found = project or own
            # Whoever cannot get in learns it at once: the client would try again for a minute.
            with requests.Session() as session:
                login.refresh(Request(session))
            credentials = cast("Credentials", login)
        client = Client(
            project=found or owner,
            credentials=credentials,
            location=location,
            client_info=ClientInfo(user_agent=f"cloudseg/{__version__}"),  # type: ignore[no-untyped-call,unused-ignore]
            client_options=None if endpoint is None else ClientOptions(api_endpoint=endpoint),
        )
        return cast("Service", client)
    except (TransportError, requests.RequestException) as error:
        raise CollectError(
            f"Google Cloud cannot be reached for a token ({detail_of(error)}); check the network and the proxy "
            "(HTTPS_PROXY)"
        ) from error
    except RefreshError as error:
        raise _expired(error) from error
    except (GoogleAuthError, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_login(error) from error


def _expired(error: BaseException) -> CredentialsError:
    return CredentialsError(
        f"the Google Cloud login has expired or was revoked ({detail_of(error)}); sign in again: {_LOGIN}"
    )


def _no_login(error: BaseException) -> CredentialsError:
    return CredentialsError(
        f"no Google Cloud credentials: {detail_of(error)}; sign in ({_LOGIN}), or set GOOGLE_APPLICATION_CREDENTIALS "
        "to the file of a service account or of a workload identity"
    )


def refusal(error: BaseException, place: str, project: str) -> CollectError:
    """Return what to raise where a table, or a query of it, is refused.

    Args:
        error: one of ``FAILURES``.
        place: the table, for people.
        project: its project.
    """
    detail, told, status = detail_of(error), told_by(error), status_of(error)
    if isinstance(error, DefaultCredentialsError):
        return _no_login(error)
    if isinstance(error, RefreshError):
        return _expired(error)
    if status == 401:
        return CredentialsError(f"Google Cloud does not accept the credentials ({detail}); sign in again: {_LOGIN}")
    if told.disabled:
        return CollectError(f"{place} cannot be asked, for {way_to_enable(told, project)}")
    reason = reason_of(error)
    hints = {
        "denied": "allow bigquery.tables.get, bigquery.tables.list and bigquery.tables.getData on the dataset "
        "(roles/bigquery.dataViewer), and bigquery.jobs.create in the project that asks (roles/bigquery.jobUser)",
        "not-found": "check the names of project, dataset and table, and the --location of the dataset",
        "throttled": "a quota is used up for now: ask later",
        "timeout": "ask again, or for fewer days at a time (--since, --until)",
    }
    if reason in hints:
        return CollectError(f"{place} cannot be read ({detail}); {hints[reason]}")
    if status == 400:
        return CollectError(f"BigQuery does not take the request ({detail})")
    return CollectError(f"BigQuery cannot be reached ({detail}); check the network and the proxy (HTTPS_PROXY)")
