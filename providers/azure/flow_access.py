"""Into an Azure storage account: addresses of its containers, who may be sent a token, and what refusals mean."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.identity import AzureAuthorityHosts, DefaultAzureCredential

from cloudseg.errors import CollectError, ConfigError, CredentialsError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

__all__ = ["FAILURES", "Place", "cause_of", "is_blob_place", "logged_in", "place_of", "refused"]

FAILURES: Final = (AzureError, OSError, ValueError)
"""What a call to the storage may raise."""

_AUTHORITIES: Final = {
    ".blob.core.windows.net": AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
    ".blob.storage.azure.net": AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
    ".blob.core.usgovcloudapi.net": AzureAuthorityHosts.AZURE_GOVERNMENT,
    ".blob.core.chinacloudapi.cn": AzureAuthorityHosts.AZURE_CHINA,
}
"""The hosts of Azure's own storage, and where one logs in for them. No other host is ever sent a token.

Source: https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints
"""

_SCOPE: Final = "https://storage.azure.com/.default"
"""What a token for the storage of any cloud is for.

Source: https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory#microsoft-entra-authentication
"""

_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Place(NamedTuple):
    """Where blobs lie.

    Attributes:
        account: the address of the storage account.
        container: the container's name.
        prefix: how the names of the blobs begin; "" for all.
        signature: a shared access signature, which is a secret; "" where one logs in.
    """

    account: str
    container: str
    prefix: str
    signature: str


def is_blob_place(place: str) -> bool:
    """Return whether a place is an address of Azure's blob storage, or one that may stand for it in a test."""
    parts = urlsplit(place)
    host = (parts.hostname or "").lower()
    return host.endswith(tuple(_AUTHORITIES)) if parts.scheme == "https" else parts.scheme == "http" and host in _LOCAL


def place_of(place: str) -> Place:
    """Take an address apart.

    Raises:
        ConfigError: it is no address of a container, or of a host that is no storage of Azure's.
    """
    parts = urlsplit(place)
    if parts.username or parts.password:
        raise ConfigError(f"{parts.hostname}: write the address without a user")
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if not is_blob_place(place) and not (parts.scheme == "https" and parts.query):
        raise ConfigError(
            f"{shown}: this is no address of Azure's blob storage; write "
            "https://ACCOUNT.blob.core.windows.net/CONTAINER, or give the address of another host a shared access "
            "signature: it is sent no token"
        )
    # An emulator of the storage has the account in the path.
    local = (parts.hostname or "") in _LOCAL
    account, _, path = parts.path.lstrip("/").partition("/") if local else ("", "", parts.path.lstrip("/"))
    container, _, prefix = path.partition("/")
    if not container:
        raise ConfigError(f"{shown}: name the container too, such as insights-logs-flowlogflowevent")
    base = f"{parts.scheme}://{parts.netloc}" + (f"/{account}" if account else "")
    return Place(base, unquote(container), unquote(prefix), parts.query)


def _authority(account: str) -> dict[str, str]:
    host = (urlsplit(account).hostname or "").lower()
    # What the environment tells goes first.
    if os.environ.get("AZURE_AUTHORITY_HOST"):
        return {}
    where = [where for suffix, where in _AUTHORITIES.items() if host.endswith(suffix)]
    return {"authority": where[0]} if where else {}


def logged_in(place: Place, credential: TokenCredential | None) -> TokenCredential:
    """Return what to log in with: a credential, or what azure-identity finds.

    Raises:
        CredentialsError: it finds nothing, or it is not accepted.
    """
    # The SDK's warnings repeat what the errors say.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    try:
        found = credential or DefaultAzureCredential(**_authority(place.account))
        # The client would ask several times for what is not there, and wait in between.
        found.get_token(_SCOPE)
    except (*FAILURES, ImportError) as error:
        raise _without_login(place) from error
    return found


def _code(error: BaseException) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def cause_of(error: BaseException) -> str:
    """Return why a blob could not be had; never the SDK's own words, in which the whole address may stand."""
    code = _code(error)
    if isinstance(error, ResourceModifiedError):
        return "Azure was writing to it each time that it was read; try again later, or end the window an hour earlier"
    if isinstance(error, ResourceNotFoundError):
        return "it is not there any more"
    if code == "BlobArchived":
        return "it is archived: bring it back to an online tier first"
    if isinstance(error, HttpResponseError) and (error.status_code or 0) >= 400:
        return f"the storage answered {error.status_code}" + (f" ({code})" if code else "")
    if isinstance(error, AzureError):
        return "the connection failed while it was fetched"
    return f"it cannot be kept on this machine: {getattr(error, 'strerror', None) or type(error).__name__}"


_DENIED: Final = {
    "AuthorizationPermissionMismatch": "give the login the role `Storage Blob Data Reader` on the container",
    "AuthorizationFailure": "the account's network rules do not let this machine in",
    "AuthenticationFailed": "the shared access signature is not valid, or expired; or this machine's clock is wrong",
    "AuthorizationResourceTypeMismatch": "the shared access signature does not cover the container; it needs `srt=co`",
    "InsufficientAccountPermissions": "the shared access signature does not allow to list; it needs `sp=rl`",
    "KeyBasedAuthenticationNotPermitted": "the account takes no shared access signature; log in, and leave it out",
    "PublicAccessNotPermitted": "the account takes nobody without a login",
}
"""What to do about a refusal. Source: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes"""


def _without_login(place: Place) -> CredentialsError:
    return CredentialsError(
        f"{place.account}/{place.container}: no Azure credentials were found, or they are not accepted; log in with "
        "`az login`, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET"
    )


def refused(error: BaseException, place: Place) -> CollectError:
    """Return the error that tells why a container cannot be listed."""
    shown, code = f"{place.account}/{place.container}", _code(error)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, ClientAuthenticationError) and not code:
        return _without_login(place)
    if code in _DENIED:
        return CredentialsError(f"{shown}: denied ({code}): {_DENIED[code]}")
    if status in {401, 403}:
        return CredentialsError(f"{shown}: denied ({code or status}); the login must be allowed to list and read blobs")
    if status == 404:
        return CollectError(f"{shown}: the account has no such container ({code or status})")
    if status and status >= 400:
        return CollectError(f"{shown}: the storage answered {status}" + (f" ({code})" if code else ""))
    if isinstance(error, ServiceRequestError):
        return CollectError(f"{shown}: it cannot be reached: there is no account of that name, or no way to it")
    return CollectError(f"{shown}: the list of its blobs cannot be read ({type(error).__name__})")
