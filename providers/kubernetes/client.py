"""One cluster's API server: questions are asked again where that helps, and every failure has a reason.

Lightkube knows how to log in and whom to trust; its typed lists would lose fields that it does not know, so that the
answers are read here as they come. Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import binascii
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import httpx2 as httpx
import msgspec
from lightkube.config import client_adapter
from lightkube.core.exceptions import ConfigError as LightkubeError

from cloudseg import __version__
from cloudseg.errors import ConfigError
from cloudseg.json_text import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.providers.kubernetes.kubeconfig import Login
    from cloudseg.providers.kubernetes.options import KubernetesOptions
    from cloudseg.snapshot import Reason

__all__ = ["JSON", "AnswerError", "Client", "Fields"]

Fields = dict[str, object]

JSON: Final = "application/json"
_AGAIN: Final = frozenset((429, 500, 502, 503, 504))
_DENIED: Final = frozenset((401, 403))
_UNSUPPORTED: Final = frozenset((405, 406, 415, 501))
_FIRST_ATTEMPTS: Final = 2
"""A server that never answered is more likely not there than busy, and who waits long for one answer waits twice."""
_LONGEST_DETAIL: Final = 400
_LOGIN_FAILURES: Final = (LightkubeError, OSError, KeyError, TypeError, ValueError)
"""What lightkube raises where a plugin, a token's file or what they say is not as it should be."""


class AnswerError(Exception):
    """A question that got no answer.

    Attributes:
        reason: why, as in a gap.
        detail: why, in words.
        status: the HTTP status; 0 where there was none.
        login: nobody could log in, so that nothing was asked.
    """

    def __init__(self, reason: Reason, detail: str, status: int = 0, *, login: bool = False) -> None:
        line = " ".join(detail.split())
        super().__init__(line if len(line) <= _LONGEST_DETAIL else f"{line[: _LONGEST_DETAIL - 1]}…")
        self.reason: Reason = reason
        self.status = status
        self.login = login

    @property
    def detail(self) -> str:
        """Why, in words, in one line."""
        return str(self.args[0])


class _Answer(NamedTuple):
    status: int
    retry_after: str
    body: bytes


class _Retryable(Exception):  # noqa: N818 - no failure yet
    """A failure that may pass: the error it becomes if it does not, and the seconds that the server asks to wait."""

    def __init__(self, error: AnswerError, wait: float = 0.0) -> None:
        super().__init__(error.detail)
        self.error = error
        self.wait = wait


class Client:
    """Asks one API server. Threads may share it."""

    def __init__(self, login: Login, options: KubernetesOptions) -> None:
        """Prepare to ask; nothing is sent yet.

        Raises:
            ConfigError: the kubeconfig's certificates, server or proxy cannot be used.
        """
        self._login = login
        self._options = options
        self._ends = time.monotonic() + options.total_timeout
        self._answered = False
        timeout = httpx.Timeout(options.read_timeout, connect=options.connect_timeout)
        try:
            self._http = client_adapter.Client(
                login.config, client_adapter.ConnectionParams(timeout=timeout, proxy=login.proxy)
            )
        except (OSError, ValueError, TypeError, binascii.Error, httpx.InvalidURL, LightkubeError) as error:
            # An unreadable certificate and a wrong address come in many ways; none of their texts holds a key.
            raise ConfigError(
                f"the context {login.context!r} cannot be used: {type(error).__name__}: {error}; look at its server,"
                " certificates and proxy-url in the kubeconfig"
            ) from error

    @property
    def server(self) -> str:
        """The address of the server."""
        return self._login.config.cluster.server

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def get(self, path: str, parameters: Mapping[str, str] | None = None, accept: str = JSON) -> Fields:
        """Return the object at a path.

        Raises:
            AnswerError: there is none to be had.
        """
        return self._ask("GET", path, parameters or {}, accept, None)

    def post(self, path: str, content: object) -> Fields:
        """Return what the server makes of an object.

        Raises:
            AnswerError: it makes nothing of it.
        """
        return self._ask("POST", path, {}, JSON, msgspec.json.encode(content))

    def _ask(self, method: str, path: str, parameters: Mapping[str, str], accept: str, content: bytes | None) -> Fields:
        headers = [("Accept", accept), ("User-Agent", f"cloudseg/{__version__}"), *self._login.headers]
        if content is not None:
            headers.append(("Content-Type", JSON))
        extensions = {"sni_hostname": self._login.server_name} if self._login.server_name else None
        attempt = 0
        while True:
            attempt += 1
            request = self._http.build_request(
                method,
                path.lstrip("/"),
                params=dict(parameters),
                headers=headers,
                content=content,
                extensions=extensions,
            )
            try:
                return _object(self._answer(request))
            except _Retryable as again:
                pause = max(again.wait, self._options.first_wait * 2 ** (attempt - 1))
                silent = not self._answered or again.error.reason == "timeout"
                most = min(_FIRST_ATTEMPTS, self._options.attempts) if silent else self._options.attempts
                if attempt >= most or again.wait > self._options.longest_wait:
                    raise again.error from again
                if time.monotonic() + pause >= self._ends:
                    raise self._late() from again
                time.sleep(min(pause, self._options.longest_wait))

    def _late(self) -> AnswerError:
        return AnswerError(
            "timeout", f"the {self._options.total_timeout:g} s that reading a cluster may take were over"
        )

    def _answer(self, request: httpx.Request) -> _Answer:
        """Send a request once.

        Raises:
            AnswerError: it failed, and would fail again.
            _Retryable: it failed.
        """
        limit = min(self._ends, time.monotonic() + self._options.answer_timeout)
        if time.monotonic() >= self._ends:
            raise self._late()
        try:
            response = self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _failure(error, self.server) from error
        except _LOGIN_FAILURES as error:
            raise AnswerError("denied", f"cannot log in: {_told(error)}", login=True) from error
        try:
            chunks: list[bytes] = []
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                if time.monotonic() > limit:
                    slow = f"the answer was not complete after {self._options.answer_timeout:g} s"
                    raise AnswerError("timeout", slow)
        except httpx.HTTPError as error:
            raise _failure(error, self.server) from error
        finally:
            response.close()
        self._answered = True
        answer = _Answer(response.status_code, response.headers.get("Retry-After", ""), b"".join(chunks))
        if answer.status in _AGAIN:
            raise _Retryable(_refusal(answer), _seconds(answer.retry_after))
        if answer.status >= 300:
            raise _refusal(answer)
        return answer


def _object(answer: _Answer) -> Fields:
    try:
        value = decoded(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnswerError("malformed", f"the answer is no JSON: {error}", answer.status) from error
    if not isinstance(value, dict):
        raise AnswerError("malformed", f"the answer is {type(value).__name__}, expected an object", answer.status)
    return cast("Fields", value)


def _refusal(answer: _Answer) -> AnswerError:
    """Return the error for an HTTP status, in the server's own words where it has some.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
    """
    status = answer.status
    reason: Reason = "unreachable" if status >= 500 else "malformed"
    if status in _DENIED:
        reason = "denied"
    elif status == 429:
        reason = "throttled"
    elif status in _UNSUPPORTED:
        reason = "unsupported"
    elif status == 410:
        reason = "unreachable"
    elif status == 404:
        reason = "not-found"
    try:
        message = msgspec.json.decode(answer.body, type=_Status).message
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = ""
    asked = f", to be asked again after {answer.retry_after} s" if answer.retry_after.isdigit() else ""
    return AnswerError(reason, f"HTTP status {status}{asked}{f': {message}' if message else ''}", status)


class _Status(msgspec.Struct):
    message: str = ""


def _failure(error: httpx.HTTPError, server: str) -> Exception:
    """Return what a failed exchange becomes: something to try again, or an error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return AnswerError("unreachable", f"the certificate of {server} is not trusted: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return AnswerError("unreachable", f"no TLS connection to {server}: {cause.reason or cause}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.LocalProtocolError):
        # Its text quotes the header, and so the token.
        return AnswerError("denied", "cannot log in: the token holds signs that no header can hold", login=True)
    if isinstance(error, httpx.UnsupportedProtocol):
        return AnswerError("unreachable", f"the server {server!r} is no address that begins with https:// or http://")
    if isinstance(error, httpx.DecodingError):
        return AnswerError("malformed", "the answer is compressed, and broken")
    if isinstance(error, httpx.TimeoutException):
        return _Retryable(AnswerError("timeout", f"{server} does not answer in time ({type(error).__name__})"))
    return _Retryable(AnswerError("unreachable", f"{server}: {_told(error)}"))


def _told(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{error.filename}: {error.strerror}; it is named in the kubeconfig, and is not installed here"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _seconds(retry_after: str) -> float:
    """Return how long a server asks to wait; nothing where it does not say so.

    Source: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
