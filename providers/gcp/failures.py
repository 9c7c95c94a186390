"""Why a call to Google Cloud failed: each error of a service, the SDK or the login, as the reason of a gap.

The model of errors is that of https://cloud.google.com/apis/design/errors; Compute tells its older reasons besides:
https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-rate-limits.
"""

from typing import Final, cast

import msgspec
import requests
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError

from cloudseg.providers.collected import shortened
from cloudseg.snapshot import Reason

__all__ = [
    "FAILURES",
    "MalformedAnswerError",
    "Told",
    "detail_of",
    "passes_soon",
    "reason_of",
    "retry_after",
    "status_of",
    "told_by",
    "way_to_enable",
]


class MalformedAnswerError(Exception):
    """The answer came, and is not what the API documents."""


FAILURES = (
    GoogleAPICallError, RetryError, GoogleAuthError, MalformedAnswerError, OSError, AttributeError, KeyError, TypeError,
    ValueError,
)  # fmt: skip
"""What a call may raise; errors of requests are OSErrors. The SDK trusts the shape of what it reads."""

DISABLED: Final = frozenset(("SERVICE_DISABLED", "accessNotConfigured"))
"""The project does not use the API: it was never enabled there, or is no more."""
_SLOW_DOWN: Final = frozenset(
    ("RATE_LIMIT_EXCEEDED", "concurrentLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded")
)
_USED_UP: Final = frozenset(("RESOURCE_EXHAUSTED", "dailyLimitExceeded", "quotaExceeded"))
_TRANSIENT: Final = frozenset((408, 429, 500, 502, 503, 504))


class Told(msgspec.Struct, frozen=True):
    """What a service said of an error.

    Attributes:
        reasons: its codes, in whatever model of errors.
        message: its words.
        service: the API concerned, where it names one: ``compute.googleapis.com``.
        project: the project whose use of the API is concerned, by its number or its id.
    """

    reasons: tuple[str, ...] = ()
    message: str = ""
    service: str = ""
    project: str = ""

    @property
    def disabled(self) -> bool:
        """Whether the API is not enabled."""
        return not DISABLED.isdisjoint(self.reasons)


def told_by(error: BaseException) -> Told:
    """Return what the service said; nothing where no answer came, or no answer of Google's."""
    response = getattr(error, "response", None)
    if not isinstance(response, requests.Response):
        return Told()
    try:
        body = cast("object", msgspec.json.decode(response.content))
    except (msgspec.DecodeError, RecursionError):
        return Told()
    fields = _table(_table(body).get("error"))
    details = [_table(each) for each in _list(fields.get("details"))]
    metadata = next(filter(None, (_table(each.get("metadata")) for each in details)), _table(None))
    reasons = [_text(each, "reason") for each in (*details, *map(_table, _list(fields.get("errors"))))]
    reasons.append(_text(fields, "status"))
    return Told(
        tuple(dict.fromkeys(reason for reason in reasons if reason)),
        _text(fields, "message"),
        _text(metadata, "service"),
        _text(metadata, "consumer").removeprefix("projects/"),
    )


def status_of(error: BaseException) -> int:
    """Return the HTTP status, 0 where there was no answer."""
    code = cast("object", error.code) if isinstance(error, GoogleAPICallError) else None
    return int(code) if isinstance(code, int) else 0


def passes_soon(error: BaseException) -> bool:
    """Tell whether the same question may be answered in a moment."""
    if isinstance(error, GoogleAPICallError):
        slowed = status_of(error) == 403 and not _SLOW_DOWN.isdisjoint(told_by(error).reasons)
        return slowed or status_of(error) in _TRANSIENT
    return isinstance(error, requests.RequestException | TransportError) and not isinstance(
        error, requests.exceptions.InvalidURL | requests.exceptions.SSLError
    )


def retry_after(error: BaseException) -> float:
    """Return how long a service asks to be left alone, in seconds; 0 where it does not say.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    response = getattr(error, "response", None)
    text = response.headers.get("Retry-After", "") if isinstance(response, requests.Response) else ""
    return float(text) if text.isdecimal() else 0.0


def _reason_of_answer(error: GoogleAPICallError) -> Reason:
    told, status = told_by(error), status_of(error)
    if status == 429 or not (_SLOW_DOWN | _USED_UP).isdisjoint(told.reasons):
        return "throttled"
    if told.disabled or status in {405, 501}:
        return "unsupported"
    if status in {401, 403}:
        return "denied"
    if status == 404:
        # Google says what it does not find; a bare page is no service of it.
        return "not-found" if told.message else "unsupported"
    if status in {408, 504}:
        return "timeout"
    return "unreachable" if status >= 500 else "malformed"


def reason_of(error: BaseException) -> Reason:
    """Return the reason that a gap gives for an error of ``FAILURES``."""
    if isinstance(error, GoogleAPICallError):
        return _reason_of_answer(error)
    if isinstance(error, requests.exceptions.Timeout | TimeoutError):
        return "timeout"
    if isinstance(error, TransportError | RetryError | OSError):
        return "unreachable"
    return "denied" if isinstance(error, GoogleAuthError) else "malformed"


def way_to_enable(told: Told, project: str = "") -> str:
    """Return how an API that is not enabled can be, in one clause."""
    service = told.service or "the API"
    if "quota project" in told.message:
        # Credentials of a person, without a project that pays: the API is looked for in a project of Google's own.
        return f"{service} takes a project to count against: gcloud auth application-default set-quota-project PROJECT"
    command = f"gcloud services enable {told.service or 'SERVICE'} --project {told.project or project or 'PROJECT'}"
    return f"{service} is not enabled there, or was a moment ago: {command}"


def detail_of(error: BaseException) -> str:
    """Return the error in one line, shortened."""
    told, status = told_by(error), status_of(error)
    if told.disabled:
        return shortened(f"{told.reasons[0]}: {way_to_enable(told)}")
    if told.message:
        return shortened(f"{told.reasons[0] if told.reasons else f'HTTP status {status}'}: {told.message}")
    if status >= 400:
        return f"HTTP status {status}"
    return shortened(f"{type(error).__name__}: {error}")


def _table(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(fields: dict[str, object], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""
