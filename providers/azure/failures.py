"""Why a call to Azure failed: each error of the service or of the SDK, as the reason of a gap.

The codes are those of https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
and https://learn.microsoft.com/rest/api/azure/#async-operations-throttling-and-paging.
"""

from typing import cast

import msgspec
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)

from cloudseg.providers.collected import shortened
from cloudseg.snapshot import Reason

__all__ = [
    "FAILURES",
    "UNREGISTERED",
    "VERSIONS",
    "MalformedAnswerError",
    "detail_of",
    "error_code",
    "error_message",
    "reason_of",
    "status_of",
]


class MalformedAnswerError(Exception):
    """The answer came, and is not what the API documents."""


FAILURES = (AzureError, MalformedAnswerError, OSError, AttributeError, KeyError, TypeError, ValueError)
"""What a call may raise. The SDK reads answers into models as it goes, and trusts their shape."""

UNREGISTERED = "MissingSubscriptionRegistration"
"""The subscription does not use the service at all: without registration it can have no resource of it."""

VERSIONS = frozenset({"InvalidApiVersionParameter", "InvalidResourceType", "NoRegisteredProviderFound"})
"""The cloud does not have the resource type, or not in this version of its API; the message lists versions it has."""

_UNSUPPORTED = VERSIONS | {
    "DisallowedProvider", "FeatureNotSupported", "InvalidResourceNamespace", "LocationNotAvailableForResourceType",
    "MethodNotAllowed", "NotSupported", "OperationNotSupported", "SubscriptionNotRegisteredForFeature",
    "UnsupportedApiVersion", "UnsupportedOperation", "UnsupportedResourceOperation",
}  # fmt: skip


class _Told(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


def _told(error: BaseException) -> _Told:
    """Return the code and the message of the service; empty where it told none."""
    response = getattr(error, "response", None)
    try:
        body = cast("object", msgspec.json.decode(response.body())) if response is not None else None
    except (msgspec.DecodeError, AzureError, AttributeError):
        body = None
    if not isinstance(body, dict):
        return _Told()
    fields = _lowered(cast("dict[str, object]", body))
    inner = fields.get("error")
    if isinstance(inner, dict):
        fields = _lowered(cast("dict[str, object]", inner))
    return _Told(str(fields.get("code") or ""), str(fields.get("message") or ""))


def _lowered(fields: dict[str, object]) -> dict[str, object]:
    # Some services write Code and Message.
    return {key.lower(): value for key, value in fields.items()}


def error_code(error: BaseException) -> str:
    """Return the service's error code, "" where there is none."""
    return _told(error).code


def error_message(error: BaseException) -> str:
    """Return the service's own words, "" where there are none."""
    return _told(error).message


def status_of(error: BaseException) -> int:
    """Return the HTTP status, 0 where there was no answer."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    return status or 0


def _reason_of_status(code: str, status: int) -> Reason:
    if code in _UNSUPPORTED or status in {405, 501}:
        return "unsupported"
    if status == 429 or "throttl" in code.lower() or code == "TooManyRequests":
        return "throttled"
    if status in {401, 403}:
        return "denied"
    if status == 404:
        # Resource Manager says what it does not find; a bare page is no service of it.
        return "not-found" if code else "unsupported"
    if status == 408:
        return "timeout"
    return "unreachable" if status >= 500 else "malformed"


def reason_of(error: BaseException) -> Reason:
    """Return the reason that a gap gives for an error of ``FAILURES``."""
    if isinstance(error, IncompleteReadError):
        return "unreachable"
    if isinstance(error, DecodeError):
        return "malformed"
    if isinstance(error, ClientAuthenticationError):
        return "denied"
    if isinstance(error, HttpResponseError):
        return _reason_of_status(error_code(error), status_of(error)) if status_of(error) else "unreachable"
    if isinstance(error, ServiceRequestTimeoutError | ServiceResponseTimeoutError):
        return "timeout"
    return "unreachable" if isinstance(error, AzureError | OSError) else "malformed"


def detail_of(error: BaseException) -> str:
    """Return the error in one line, shortened."""
    told, status = _told(error), status_of(error)
    if told.code or told.message:
        text = f"{told.code or f'HTTP status {status}'}: {told.message}"
    elif status >= 400:
        text = f"HTTP status {status}"
    else:
        text = f"{type(error).__name__}: {error}"
    return shortened(text)
