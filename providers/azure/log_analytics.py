"""Flow logs in Log Analytics: the table of traffic analytics, asked span by span, since an answer may only be so large.

https://learn.microsoft.com/azure/azure-monitor/logs/api/timeouts and
https://learn.microsoft.com/azure/azure-monitor/service-limits#log-queries-and-language
"""

from __future__ import annotations

import logging
import os
import re
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity import AzureAuthorityHosts, DefaultAzureCredential
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult

from cloudseg.errors import CollectError, CredentialsError, InputError
from cloudseg.flows.coverage import Loss
from cloudseg.flows.engines.interface import Answer, Question, Window
from cloudseg.flows.engines.kql import LOG, NOTE, TABLE, TITLE, kql_query
from cloudseg.flows.engines.results import COLUMNS, write_rows
from cloudseg.providers.collected import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from azure.core.credentials import TokenCredential
    from azure.monitor.query import LogsQueryError

__all__ = ["LogAnalytics", "LogAnalyticsSettings"]

_DAY: Final = 86_400
_SPAN: Final = 7 * _DAY
"""How much is asked for at a time, to begin with."""
_LEAST: Final = 600
"""Traffic analytics writes every ten minutes at most: a shorter span holds no less."""
_SERVER_SECONDS: Final = 600
"""The longest that the service works on a query."""
_WORKSPACE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_CLOUDS: Final = {
    "public": ("https://api.loganalytics.io", AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
    "usgovernment": ("https://api.loganalytics.us", AzureAuthorityHosts.AZURE_GOVERNMENT),
    "china": ("https://api.loganalytics.azure.cn", AzureAuthorityHosts.AZURE_CHINA),
}
"""Where the API of each cloud is, and where one logs in for it.

Source: https://learn.microsoft.com/python/api/overview/azure/monitor-query-readme#configure-client-for-azure-sovereign-cloud
"""
_FAILURES: Final = (AzureError, OSError, ValueError, KeyError, TypeError, AttributeError)
"""What a call may raise; the SDK trusts the shape of what it reads."""
_TOO_LONG: Final = frozenset({408, 413, 504})


class LogAnalyticsSettings(NamedTuple):
    """How a workspace is asked.

    Attributes:
        cloud: ``public``, ``usgovernment`` or ``china``.
        retries: how often a request is sent again that may pass in a moment.
        patience: seconds before it is, for the first time.
    """

    cloud: str = "public"
    retries: int = 4
    patience: float = 0.8


class _Slice(NamedTuple):
    begin: int
    end: int


class LogAnalytics:
    """The table ``NTANetAnalytics`` of a workspace.

    Args:
        workspace: the workspace's id, a GUID.
        window: the time that is asked for.
        settings: how.
        credential: what to log in with; None: what azure-identity finds.
        endpoint: the address of the service; None: that of the cloud.

    Raises:
        InputError: the id is none.
    """

    def __init__(
        self,
        workspace: str,
        window: Window,
        settings: LogAnalyticsSettings | None = None,
        *,
        credential: TokenCredential | None = None,
        endpoint: str | None = None,
    ) -> None:
        if _WORKSPACE.fullmatch(workspace) is None:
            raise InputError(
                f"{workspace!r} is no id of a workspace; `az monitor log-analytics workspace list --query "
                "'[].[name, customerId]'` shows them"
            )
        self.place = f"workspace {workspace}"
        self.window = window
        self._workspace = workspace
        self._settings = settings or LogAnalyticsSettings()
        self._credential = credential
        self._endpoint = endpoint

    def question(self) -> Question:
        """Return the query of the first span; the others differ in their times. Nothing is asked."""
        slices = self._slices()
        told = (
            "Log Analytics does not tell beforehand how much it will read; queries of analytics tables are not billed",
            f"asked in {len(slices)} spans of 7 days or less, and in halves where an answer is too large",
        )
        return Question(kql_query(self.window, *slices[0]), LOG, TITLE, "//", told)

    def answer(self, folder: Path, progress: Callable[[int], None] | None) -> Answer:
        """Ask span by span. An interrupt ends the connection; the service ends what it was asked by itself.

        Raises:
            CredentialsError: there are no credentials, or they are not accepted.
            CollectError: the workspace cannot be asked.
            InputError: it has no table of traffic analytics.
        """
        losses: list[Loss] = []
        files: list[Path] = []
        left = self._slices()[::-1]
        while left:
            span = left.pop()
            rows, cut = self._ask(span)
            if cut and span.end - span.begin > _LEAST:
                middle = (span.begin + span.end) // 2
                left += [_Slice(middle, span.end), _Slice(span.begin, middle)]
                continue
            if cut:
                losses.append(
                    Loss(f"{self.place}, {_told(span)}", f"the answer is not whole: {cut}", partly=bool(rows))
                )
            path = folder / f"{len(files):06}.csv"
            write_rows(path, rows)
            files.append(path)
            if progress is not None:
                progress(0)
        return Answer(tuple(files), 0, tuple(losses), (NOTE,))

    def _slices(self) -> list[_Slice]:
        """The spans in which rows of the window may have come in: a day more on either side."""
        begin, end = self.window.since - _DAY, self.window.until + _DAY
        return [_Slice(start, min(start + _SPAN, end)) for start in range(begin, end, _SPAN)]

    @cached_property
    def _client(self) -> LogsQueryClient:
        logging.getLogger("azure").addHandler(logging.NullHandler())
        address, authority = _CLOUDS.get(self._settings.cloud, _CLOUDS["public"])
        try:
            # What the environment tells goes first.
            known = {} if os.environ.get("AZURE_AUTHORITY_HOST") else {"authority": authority}
            credential = self._credential or DefaultAzureCredential(**known)
            # The client would ask several times for what is not there, and wait in between.
            credential.get_token(f"{address}/.default")
        except (*_FAILURES, ImportError) as error:
            raise _without_login() from error
        return LogsQueryClient(
            credential,
            endpoint=self._endpoint or address,
            audience=address,
            retry_total=self._settings.retries,
            retry_backoff_factor=self._settings.patience,
            connection_timeout=20,
            read_timeout=_SERVER_SECONDS + 30,
        )

    def _ask(self, span: _Slice) -> tuple[Sequence[Sequence[object]], str]:
        """The rows of a span, and why they are not all; empty where they are."""
        begin, end = (datetime.fromtimestamp(seconds, UTC) for seconds in span)
        query = kql_query(self.window, *span)
        # A token goes over plain HTTP to this machine alone, where a test listens.
        plain = {"enforce_https": False} if urlsplit(self._endpoint or "").hostname in _LOCAL else {}
        try:
            found = self._client.query_workspace(
                self._workspace, query, timespan=(begin, end), server_timeout=_SERVER_SECONDS, **cast("Any", plain)
            )
            if isinstance(found, LogsQueryPartialResult):
                tables, why = found.partial_data, shortened(_partly(found.partial_error))
            else:
                tables, why = found.tables, ""
            return list(_rows(tables)), why
        except HttpResponseError as error:
            if error.status_code in _TOO_LONG:
                return (), f"HTTP status {error.status_code}"
            raise self._refused(error) from error
        except _FAILURES as error:
            raise self._refused(error) from error

    def _refused(self, error: BaseException) -> Exception:
        status = error.status_code if isinstance(error, HttpResponseError) else None
        detail = shortened(_detail_of(error))
        if status == 401 or isinstance(error, ClientAuthenticationError):
            return CredentialsError(f"{self.place}: the login is not accepted ({detail}); log in again: az login")
        if status == 403:
            return CollectError(
                f"{self.place} may not be asked ({detail}); give the login the role `Log Analytics Data Reader` on the "
                "workspace, or Microsoft.OperationalInsights/workspaces/query/read and its table NTANetAnalytics"
            )
        if status == 404:
            return CollectError(f"{self.place} does not exist ({detail}); check its id, and the cloud")
        if status == 429:
            return CollectError(f"{self.place} is asked too much at the moment ({detail}); ask later")
        if status == 400 and TABLE in detail:
            return InputError(
                f"{self.place} has no table {TABLE}, or an older one ({detail}); turn on traffic analytics for virtual "
                "network flow logs, with this workspace"
            )
        if status:
            return CollectError(f"{self.place} cannot be read ({detail})")
        return CollectError(
            f"Log Analytics cannot be reached ({detail}); check the network and the proxy (HTTPS_PROXY)"
        )


def _rows(tables: Sequence[Any]) -> Iterator[Sequence[object]]:
    """The rows of the one table of an answer.

    Raises:
        ValueError: its columns are not those that were asked for.
    """
    for table in tables[:1]:
        if tuple(table.columns) != COLUMNS:
            raise ValueError("the answer has other columns than were asked for")
        for row in table.rows:
            yield list(row)


def _detail_of(error: BaseException) -> str:
    """What the service says: its code and its words, those of the innermost error, which tell most."""
    if not isinstance(error, HttpResponseError):
        return f"{type(error).__name__}: {error}"
    told = getattr(error.model, "message", None) or error.message or ""
    code = getattr(error.model, "code", None) or error.status_code
    inner: Any = getattr(error.model, "innererror", None) or {}
    words = [str(told)]
    while isinstance(inner, dict) and inner:
        table = cast("dict[str, Any]", inner)
        words.append(str(table.get("message") or ""))
        inner = table.get("innererror") or {}
    text = " ".join(word for word in dict.fromkeys(words) if word).replace("\n", " ")
    return f"{code}: {text}"


def _partly(error: LogsQueryError | None) -> str:
    return f"{error.code}: {error.message}" if error is not None else "it does not say why"


def _told(span: _Slice) -> str:
    begin, end = (datetime.fromtimestamp(seconds, UTC) for seconds in span)
    return f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def _without_login() -> CredentialsError:
    return CredentialsError(
        "no Azure credentials were found, or they are not accepted; log in with `az login`, or set AZURE_CLIENT_ID, "
        "AZURE_TENANT_ID and AZURE_CLIENT_SECRET"
    )
