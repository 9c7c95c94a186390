"""Why a call to AWS failed: each error of the service or of botocore, as the reason of a gap.

The codes are those of https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and
https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html.
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointProviderError,
    HTTPClientError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownEndpointError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from cloudseg.providers.aws.calls import UnsupportedByEndpointError
from cloudseg.providers.collected import shortened
from cloudseg.snapshot import Reason

__all__ = [
    "EXPIRED",
    "FAILURES",
    "NO_CREDENTIALS",
    "REFUSED_CREDENTIALS",
    "UNREADABLE",
    "detail_of",
    "error_code",
    "reason_of",
]

FAILURES = (ClientError, BotoCoreError, ResponseParserError, UnsupportedByEndpointError, OSError)
"""What a call may raise; an ``OSError`` is a file that vanished: a token, a certificate, a program for credentials."""

UNREADABLE = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
"""What botocore's parsers raise beyond that, where an answer is not shaped as the service's model."""

NO_CREDENTIALS = (
    CredentialRetrievalError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
REFUSED_CREDENTIALS = frozenset({
    "AuthFailure", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException",
    "MissingAuthenticationToken", "SignatureDoesNotMatch", "UnrecognizedClientException", *EXPIRED,
})  # fmt: skip

_DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "AuthorizationError", "AuthorizationErrorException",
    "Forbidden", "ForbiddenException", "NotAuthorized", "NotAuthorizedException", "UnauthorizedAccess",
    "UnauthorizedException", "UnauthorizedOperation", "403", *REFUSED_CREDENTIALS,
})  # fmt: skip
_THROTTLED = frozenset({
    "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
    "SlowDown", "Throttled", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequests",
    "TooManyRequestsException", "429",
})  # fmt: skip
_UNSUPPORTED = frozenset({
    "InvalidAction", "NotImplemented", "NotSignedUp", "OptInRequired", "SubscriptionRequiredException",
    "UnknownOperation", "UnknownOperationException", "UnsupportedOperation", "UnsupportedOperationException",
    "405", "501",
})  # fmt: skip


def error_code(error: Exception) -> str:
    """The service's error code, "" where there is none."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _reason_of_code(code: str, status: int) -> Reason:
    if code in _DENIED:
        return "denied"
    if code in _THROTTLED or status == 429:
        return "throttled"
    if code in _UNSUPPORTED or status in {405, 501}:
        return "unsupported"
    if "NotFound" in code or code.startswith("NoSuch"):
        return "not-found"
    if status in {401, 403}:
        return "denied"
    if status == 404:
        return "unsupported" if code in {"", "404"} else "not-found"
    return "unreachable" if status >= 500 else "malformed"


def reason_of(error: Exception) -> Reason:
    """The reason that a gap gives for an error of ``FAILURES`` or ``UNREADABLE``."""
    if isinstance(error, ClientError):
        return _reason_of_code(error_code(error), _status(error))
    if isinstance(error, UnsupportedByEndpointError | NoRegionError | UnknownEndpointError | EndpointProviderError):
        return "unsupported"
    if isinstance(error, NO_CREDENTIALS):
        return "denied"
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        return "timeout"
    if isinstance(error, HTTPClientError | BotoConnectionError | OSError):
        return "unreachable"
    return "malformed"


def detail_of(error: Exception) -> str:
    """The error in one line, shortened; an encoded authorization message tells a reader nothing and is cut."""
    if isinstance(error, ClientError):
        message = str(error.response.get("Error", {}).get("Message", ""))
        code = error_code(error) or f"HTTP status {_status(error)}"
        text = f"{code}: {message.partition(' Encoded authorization failure message:')[0]}"
    else:
        text = f"{type(error).__name__}: {error}"
    return shortened(text)
