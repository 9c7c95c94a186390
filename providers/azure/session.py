"""Getting into Azure: the cloud, credentials, and the subscriptions that are to be read."""

import base64
import binascii
import difflib
import logging
import os
import re
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import msgspec
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import AzureAuthorityHosts, DefaultAzureCredential

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.azure.calls import list_at
from cloudseg.providers.azure.clients import Clients, Endpoint, SharedToken
from cloudseg.providers.azure.failures import FAILURES, detail_of, error_code, reason_of, status_of
from cloudseg.providers.azure.operations import GROUP_ACTION
from cloudseg.providers.azure.options import CLOUDS, AzureOptions, CloudName
from cloudseg.providers.collected import shortened
from cloudseg.providers.redaction import Json

__all__ = ["ENDPOINT", "Entry", "Subscription", "endpoint_of", "enter", "subscriptions_of"]

ENDPOINT: Final = "CLOUDSEG_AZURE_ENDPOINT"
"""Environment variable: another address of Resource Manager than that of the cloud, such as a proxy or a test server.

It is no setting of a file: whoever writes a file that lies beside code would be sent the token.
"""

_AUTHORITY: Final = "AZURE_AUTHORITY_HOST"
_CLOUD: Final = "AZURE_SDK_CLOUD_CONF"
_SUBSCRIPTIONS: Final = "2022-12-01"
_DESCENDANTS: Final = "2020-05-01"
_EXPIRED: Final = (
    "expired",
    "AADSTS50173",
    "AADSTS700082",
    "AADSTS70043",
    "AADSTS7000222",
    "ExpiredAuthenticationToken",
)
_ATTEMPT: Final = re.compile(r"^\t(\w+Credential): (.+)", re.MULTILINE)
"""How a chain of credentials tells what became of each: a line, after a tab."""
_REFUSAL: Final = re.compile("AADSTS|expired|error|refused|denied", re.IGNORECASE)
_SHOWN: Final = 5
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class _Cloud(NamedTuple):
    authority: str
    endpoint: Endpoint
    sdk_name: str


_CLOUDS: Final[dict[CloudName, _Cloud]] = {
    "public": _Cloud(
        AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
        Endpoint("https://management.azure.com", "https://management.azure.com/.default"),
        "AZURE_PUBLIC_CLOUD",
    ),
    "china": _Cloud(
        AzureAuthorityHosts.AZURE_CHINA,
        Endpoint("https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
        "AZURE_CHINA_CLOUD",
    ),
    "usgovernment": _Cloud(
        AzureAuthorityHosts.AZURE_GOVERNMENT,
        Endpoint("https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/.default"),
        "AZURE_US_GOVERNMENT",
    ),
}


class Subscription(NamedTuple):
    """A subscription: its id in lower case, and its display name."""

    id: str
    name: str


class Entry(NamedTuple):
    """A login: its clients, and who it is as far as the token tells."""

    clients: Clients
    caller: str


class Chosen(NamedTuple):
    """What to read, sorted by id, and what belongs to it and is not visible."""

    subscriptions: tuple[Subscription, ...]
    hidden: tuple[Subscription, ...] = ()


def endpoint_of(options: AzureOptions) -> Endpoint:
    """Return where Resource Manager is: of the chosen cloud, or the one that the environment tells.

    Raises:
        ConfigError: what the environment says is no cloud, or no address that a token may be sent to.
    """
    own = _CLOUDS[_cloud_name(options)].endpoint
    url = os.environ.get(ENDPOINT, "").rstrip("/")
    if not url:
        return own
    parts = urlsplit(url)
    local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ConfigError(f"{ENDPOINT} is {url!r}; write https://HOST, for a token is sent there, or unset it")
    return Endpoint(url, own.scope)


def _cloud_name(options: AzureOptions) -> CloudName:
    if options.cloud is not None:
        return options.cloud
    named = os.environ.get(_CLOUD, "")
    host = os.environ.get(_AUTHORITY, "").removeprefix("https://").rstrip("/").lower()
    for name in CLOUDS:
        if named == _CLOUDS[name].sdk_name or (not named and host == _CLOUDS[name].authority):
            return name
    if named:
        known = ", ".join(cloud.sdk_name for cloud in _CLOUDS.values())
        raise ConfigError(f"{_CLOUD} is {named!r}; it is one of {known}, or set `cloud` in [azure] of cloudseg.toml")
    # A login elsewhere, as in a test, may be for the public cloud all the same.
    return "public"


def enter(options: AzureOptions) -> Entry:
    """Log in, with the credentials that azure-identity finds.

    Raises:
        CredentialsError: there are none, or they are expired or refused.
        ConfigError: the environment names no cloud.
    """
    # The SDK's warnings repeat what the errors say.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    endpoint = endpoint_of(options)
    told = options.cloud is None and os.environ.get(_AUTHORITY)
    chosen = {} if told else {"authority": _CLOUDS[_cloud_name(options)].authority}
    try:
        credential = DefaultAzureCredential(**cast("dict[str, Any]", chosen))
        shared = SharedToken(credential.get_token)
        token = shared.get_token(endpoint.scope)
    except (AzureError, OSError, ImportError, ValueError) as error:
        raise _refused(error) from error
    return Entry(Clients(shared, endpoint, options), _caller(token.token))


class _Claims(msgspec.Struct, frozen=True):
    upn: str = ""
    unique_name: str = ""
    appid: str = ""
    oid: str = ""


def _caller(token: str) -> str:
    """Return whom a token speaks for, as far as it can be read; for people, and for nothing that is decided.

    Source: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Claims)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return ""
    if claims.upn or claims.unique_name:
        return claims.upn or claims.unique_name
    return f"application {claims.appid}" if claims.appid else claims.oid


def subscriptions_of(clients: Clients, options: AzureOptions) -> Chosen:
    """Return the subscriptions to read: those that the options name, or every one that is visible.

    Sources: https://learn.microsoft.com/rest/api/resources/subscriptions/list and
    https://learn.microsoft.com/rest/api/managementgroups/management-groups/get-descendants

    Raises:
        CredentialsError: the credentials are expired, or not accepted.
        CollectError: Azure cannot be reached, or there is nothing that could be read under a name.
    """
    visible = _visible(clients)
    if not options.subscriptions and not options.management_groups:
        if not visible:
            raise CollectError(
                "Azure shows no subscription to these credentials; assign them a role on one (terraform/modules/"
                "azure-audit-role has the least), or log in to its tenant: az login --tenant TENANT"
            )
        return Chosen(tuple(sorted(visible.values())))
    found: dict[str, Subscription] = {}
    hidden: dict[str, Subscription] = {}
    for name in options.subscriptions:
        subscription = _named(name, visible)
        found[subscription.id] = subscription
    for group in options.management_groups:
        for member in _members(clients, group):
            (found if member.id in visible else hidden)[member.id] = visible.get(member.id, member)
    if not found:
        groups = ", ".join(options.management_groups)
        held = "and none of them is visible; assign the role there" if hidden else "for there are none"
        raise CollectError(f"no subscription of the management group {groups} can be read, {held}")
    return Chosen(tuple(sorted(found.values())), tuple(sorted(hidden.values())))


def _visible(clients: Clients) -> dict[str, Subscription]:
    try:
        listed = list_at(clients, "-", "/subscriptions", _SUBSCRIPTIONS)
    except FAILURES as error:
        raise _closed(error) from error
    found = (
        Subscription(str(each.get("subscriptionId") or "").lower(), str(each.get("displayName") or ""))
        for each in listed
        if each.get("state") != "Deleted"
    )
    return {each.id: each for each in found if each.id}


def _named(name: str, visible: dict[str, Subscription]) -> Subscription:
    if name.lower() in visible:
        return visible[name.lower()]
    alike = [each for each in visible.values() if each.name.lower() == name.lower()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise CollectError(f"{len(alike)} subscriptions are called {name!r}; name it by its id: {_shown(alike)}")
    # Ids look alike by chance: only a name can have been meant by a name that is near it.
    near = [] if _GUID.fullmatch(name) else difflib.get_close_matches(name, [each.name for each in visible.values()], 1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise CollectError(
        f"there is no subscription {name!r}, or these credentials may see nothing of it; {meant}visible are "
        f"{_shown(sorted(visible.values())) or 'none'}; assign a role on it, or log in to its tenant: az login --tenant"
        " TENANT"
    )


def _shown(subscriptions: list[Subscription]) -> str:
    told = [f"{each.id} ({each.name})" for each in subscriptions[:_SHOWN]]
    more = len(subscriptions) - _SHOWN
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


def _members(clients: Clients, group: str) -> list[Subscription]:
    path = f"/providers/Microsoft.Management/managementGroups/{group}/descendants"
    try:
        listed = list_at(clients, "-", path, _DESCENDANTS)
    except FAILURES as error:
        if reason_of(error) in {"denied", "not-found"} and status_of(error) != 401:
            raise CollectError(
                f"the subscriptions of the management group {group!r} cannot be listed ({detail_of(error)}); name it by"
                f" its id, not its display name, and allow {GROUP_ACTION} on it; or name each --subscription"
            ) from error
        raise _closed(error) from error
    return [
        Subscription(str(each.get("name") or "").lower(), _display_name(each))
        for each in listed
        if str(each.get("type")).lower().endswith("/subscriptions")
    ]


def _display_name(entity: dict[str, Json]) -> str:
    properties = entity.get("properties")
    return str(properties.get("displayName") or "") if isinstance(properties, dict) else ""


def _refused(error: Exception) -> CredentialsError:
    """Return the error of a login that led nowhere."""
    detail = _tried(error) or detail_of(error)
    if any(word in str(error) for word in _EXPIRED):
        return CredentialsError(f"the Azure login has expired ({detail}); sign in again: az login")
    if isinstance(error, ClientAuthenticationError):
        return CredentialsError(
            f"no Azure credentials: {detail}; sign in (az login), use a managed identity, or set AZURE_TENANT_ID,"
            " AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH"
        )
    return CredentialsError(
        f"Azure cannot be entered with what is configured ({detail}); correct the AZURE_… variables, or unset them and"
        " sign in: az login"
    )


def _tried(error: Exception) -> str:
    """Return what the ways to log in came to: those that were refused, else the names of those that were tried."""
    found: list[tuple[str, str]] = _ATTEMPT.findall(str(error))
    refused = [shortened(f"{name}: {reason}") for name, reason in found if _REFUSAL.search(reason)]
    return "; ".join(refused) or (f"none were found by {', '.join(name for name, _ in found)}" if found else "")


def _closed(error: BaseException) -> CollectError:
    """Return the error of a Resource Manager of which nothing can be had."""
    detail = detail_of(error)
    if error_code(error) in _EXPIRED or (status_of(error) == 401 and "expired" in detail.lower()):
        return CredentialsError(f"the Azure login has expired ({detail}); sign in again: az login")
    if reason_of(error) == "denied":
        return CredentialsError(
            f"Azure does not accept the credentials ({detail}); sign in again (az login), to the tenant of the"
            " subscription, and see that the cloud is the one that is meant (`cloud` in [azure] of cloudseg.toml)"
        )
    if reason_of(error) in {"malformed", "unsupported"}:
        return CollectError(
            f"what answers is not Azure Resource Manager ({detail}); a sign-in page of the network or a proxy may stand"
            f" in between: sign in there, check HTTPS_PROXY, and {ENDPOINT} if it is set"
        )
    return CollectError(
        f"Azure cannot be reached ({detail}); check the network, the proxy, the cloud, and {ENDPOINT} if it is set"
    )
