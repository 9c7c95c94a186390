"""Getting at flow logs that AWS keeps: a client of the service, and its refusals in words with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.aws.clients import config_of, make_client, open_session
from cloudseg.providers.aws.failures import (
    EXPIRED,
    NO_CREDENTIALS,
    REFUSED_CREDENTIALS,
    detail_of,
    error_code,
    reason_of,
)
from cloudseg.providers.aws.session import assume, logins

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient
    from botocore.credentials import Credentials

    from cloudseg.providers.aws.options import AwsOptions

__all__ = ["Json", "ask", "client_for", "credentials_error", "refusal"]

Json = dict[str, Any]
"""An answer of botocore, whose services are made as it runs."""

_NOT_ACCEPTED: Final = REFUSED_CREDENTIALS | {"InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"}


class _Known:
    """Hands out credentials that were found already."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Credentials:
        return self._credentials


def client_for(service: str, options: AwsOptions, region: str | None = None) -> BaseClient:
    """Return a client of a service, in a region or at home.

    Raises:
        CredentialsError: there are no credentials, or they cannot be read.
        CollectError: the region, or a setting of this machine, cannot be used.
        ConfigError: the options name several ways in.
    """
    found = logins(options)
    if len(found) != 1:
        raise ConfigError("flow logs are fetched as one caller: name one --profile")
    assume(found[0])
    session = open_session(found[0].session.profile)
    session.register_component("credential_provider", _Known(found[0].credentials))
    try:
        return make_client(session, service, region or found[0].home, config_of(options))
    except BotoCoreError as error:
        raise CollectError(
            f"AWS {service} cannot be asked ({detail_of(error)}); name a --region that exists"
        ) from error


def ask(client: BaseClient, operation: str, **arguments: object) -> Json:
    """One request, by the operation's name in snake case."""
    method: Callable[..., Json] = getattr(client, operation)
    return method(**arguments)


def credentials_error(error: Exception) -> CredentialsError | None:
    """Return what to raise where credentials are at fault, so that every further call would fail as well."""
    if isinstance(error, NO_CREDENTIALS):
        return CredentialsError(
            f"no AWS credentials: {detail_of(error)}; sign in (aws sso login, aws configure), set AWS_PROFILE, or name "
            "a --profile"
        )
    code = error_code(error)
    if code in EXPIRED:
        return CredentialsError(
            f"the AWS credentials have expired ({detail_of(error)}); sign in again, for example: aws sso login"
        )
    if code in _NOT_ACCEPTED:
        return CredentialsError(
            f"AWS does not accept the credentials ({detail_of(error)}); check the keys and this machine's clock"
        )
    return None


def refusal(error: Exception, what: str, *, missing: str, allow: str) -> CollectError:
    """Return what to raise where a bucket or log group cannot be read at all.

    Args:
        error: one of ``FAILURES``.
        what: what was asked for.
        missing: what to check where it does not exist.
        allow: the permission that reading takes.
    """
    if (credentials := credentials_error(error)) is not None:
        return credentials
    reason = reason_of(error)
    if reason == "not-found":
        return CollectError(f"{what} does not exist ({detail_of(error)}); {missing}")
    if reason == "denied":
        return CollectError(f"{what} may not be read ({detail_of(error)}); allow {allow}")
    if reason not in {"timeout", "unreachable", "unsupported"}:
        return CollectError(f"{what} cannot be read ({detail_of(error)})")
    return CollectError(
        f"{what} cannot be reached ({detail_of(error)}); check the network, the proxy, the region, and "
        "AWS_ENDPOINT_URL and AWS_CA_BUNDLE if they are set"
    )
