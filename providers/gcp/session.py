"""Getting into Google Cloud: credentials, and the projects that are to be read."""

import logging
import os
import re
import warnings
from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import google.auth
import requests
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.collected import shortened
from cloudseg.providers.gcp.assets import PROJECT, list_assets, owners_of
from cloudseg.providers.gcp.clients import Clients
from cloudseg.providers.gcp.failures import FAILURES, detail_of, reason_of, status_of, told_by, way_to_enable
from cloudseg.providers.gcp.options import GcpOptions
from cloudseg.providers.gcp.subjects import Resource

__all__ = ["ENDPOINT", "Entry", "Project", "closed", "endpoint", "enter", "projects_of"]

ENDPOINT: Final = "CLOUDSEG_GCP_ENDPOINT"
"""Environment variable: one address of all services instead of their own, such as a proxy or a test server.

It is no setting of a file: whoever writes a file that lies beside code would be sent the token.
"""

_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
"""What a token is asked for; the roles of its owner say what may be done with it."""
_PROJECT_ID: Final = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]*")
"""Source: https://cloud.google.com/resource-manager/docs/creating-managing-projects"""
_Default = Callable[..., tuple[Any, str | None]]
_LOGIN: Final = "gcloud auth application-default login"


class Project(NamedTuple):
    """A project that is to be read.

    Attributes:
        id: its id.
        parent: whose assets its own are among: ``projects/shop``, ``folders/1`` or ``organizations/2``.
        number: its number, where it is known.
        name: its display name, where it is known.
        ancestors: what it belongs to, itself first: ``projects/12``, ``folders/3``, ``organizations/4``.
        asked: whether it was named.
    """

    id: str
    parent: str
    number: str = ""
    name: str = ""
    ancestors: tuple[str, ...] = ()
    asked: bool = False


class Entry(NamedTuple):
    """A login: its clients, who it is as far as the credentials tell, and their project; empty where they have none."""

    clients: Clients
    caller: str
    project: str


def endpoint() -> str:
    """Return the one address of all services that the environment tells; empty for their own.

    Raises:
        ConfigError: it is no address that a token may be sent to.
    """
    url = os.environ.get(ENDPOINT, "").rstrip("/")
    if not url:
        return ""
    parts = urlsplit(url)
    local = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ConfigError(f"{ENDPOINT} is {url!r}; write https://HOST, for a token is sent there, or unset it")
    return url


def enter(options: GcpOptions) -> Entry:
    """Log in, with the application default credentials.

    Source: https://cloud.google.com/docs/authentication/application-default-credentials

    Raises:
        CredentialsError: there are none, or they are expired or refused.
        CollectError: nobody can be asked for a token.
        ConfigError: the environment names an address that is none.
    """
    address = endpoint()
    # The SDK's warnings repeat what the errors say.
    logging.getLogger("google").addHandler(logging.NullHandler())
    try:
        with warnings.catch_warnings():
            # One of them tells people to name a quota project; where it takes one, the error says so.
            warnings.simplefilter("ignore")
            # What it returns is of no declared type.
            default = cast("_Default", google.auth.default)  # pyright: ignore[reportUnknownMemberType]
            credentials, project = default(scopes=_SCOPES)
            with requests.Session() as session:
                credentials.refresh(_timed(Request(session), options))
        caller = str(getattr(credentials, "service_account_email", "") or getattr(credentials, "account", "") or "")
        return Entry(Clients(credentials, address, options), caller, project or "")
    except (GoogleAuthError, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refused(error) from error


def _timed(request: Callable[..., object], options: GcpOptions) -> Callable[..., object]:
    def ask(*args: object, **settings: object) -> object:
        return request(*args, **{**settings, "timeout": options.read_timeout})

    return ask


def _refused(error: Exception) -> CollectError:
    """Return the error of a login that led nowhere."""
    detail = shortened(str(error.args[0]) if error.args else str(error)).rstrip(".")
    if isinstance(error, TransportError | requests.RequestException):
        return CollectError(
            f"Google Cloud cannot be reached for a token ({detail}); check the network and the proxy (HTTPS_PROXY)"
        )
    if isinstance(error, RefreshError):
        return CredentialsError(
            f"the Google Cloud login has expired or was revoked ({detail}); sign in again: {_LOGIN}"
        )
    if isinstance(error, DefaultCredentialsError):
        return CredentialsError(
            f"no Google Cloud credentials: {detail}; sign in ({_LOGIN}), run where a service account is attached, or"
            " set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account or of a workload identity"
        )
    return CredentialsError(
        f"Google Cloud cannot be entered with what is configured ({detail}); correct the GOOGLE_… variables, or unset"
        f" them and sign in: {_LOGIN}"
    )


def projects_of(entry: Entry, options: GcpOptions, wait: Callable[[], None]) -> list[Project]:
    """Return the projects to read, sorted: those that are named, and every active one below folders and organisations.

    Without any name the project of the credentials is read. A project that is below an organisation is read with it.

    Raises:
        CredentialsError: the credentials are expired, or not accepted.
        CollectError: a name is none, there is no project, or the inventory cannot be asked.
    """
    found: dict[str, Project] = {}
    for kind, numbers in (("organizations", options.organizations), ("folders", options.folders)):
        for number in numbers:
            parent = _parent(kind, number)
            for project in _below(entry.clients, parent, wait):
                found.setdefault(project.id, project)
    if (options.organizations or options.folders) and not found:
        named = ", ".join((*options.organizations, *options.folders))
        raise CollectError(
            f"the inventory shows no active project below {named}; check the number, and allow"
            " cloudasset.assets.listResource there (terraform/modules/gcp-audit-role has the least)"
        )
    own = () if found else (entry.project,)
    for name in options.projects or own:
        identifier = _checked(name)
        known = found.get(identifier) or Project(identifier, f"projects/{identifier}")
        found[identifier] = known._replace(asked=True)
    return sorted(found.values())


def _checked(name: str) -> str:
    if not name:
        raise CollectError(
            "the credentials have no default project; name one (--project ID), or a folder or an organisation"
            " (--gcp-folder, --gcp-organization), or set GOOGLE_CLOUD_PROJECT"
        )
    if name.isdecimal():
        raise CollectError(
            f"{name} is the number of a project; name it by its id: gcloud projects describe {name}"
            " --format='value(projectId)'"
        )
    if _PROJECT_ID.fullmatch(name) is None:
        raise CollectError(f"{name!r} is no id of a project; `gcloud projects list` shows them")
    return name


def _parent(kind: str, name: str) -> str:
    number = name.removeprefix(f"{kind}/")
    if not (number.isascii() and number.isdecimal()):
        noun = "an organisation" if kind == "organizations" else "a folder"
        raise CollectError(
            f"{name!r} is no number of {noun}; `gcloud organizations list` and `gcloud resource-manager folders list`"
            " show them"
        )
    return f"{kind}/{number}"


def _below(clients: Clients, parent: str, wait: Callable[[], None]) -> list[Project]:
    try:
        assets = list_assets(clients, parent, "RESOURCE", (PROJECT,), wait).assets
    except FAILURES as error:
        told = told_by(error)
        if told.disabled:
            raise CollectError(f"the projects below {parent} cannot be listed, for {way_to_enable(told)}") from error
        if reason_of(error) in {"denied", "not-found", "malformed"} and status_of(error) in {400, 403, 404}:
            raise CollectError(
                f"the projects below {parent} cannot be listed ({detail_of(error)}); check the number, and allow"
                " cloudasset.assets.listResource there; or name each --project"
            ) from error
        raise closed(error) from error
    found = (_project(asset, parent) for asset in assets)
    return [project for project in found if project is not None]


def _project(asset: Resource, parent: str) -> Project | None:
    """Return an active project; None for one that is being deleted.

    Source: https://cloud.google.com/resource-manager/reference/rest/v1/projects
    """
    resource = asset.get("resource")
    data = resource.get("data") if isinstance(resource, dict) else None
    if not isinstance(data, dict) or data.get("lifecycleState", data.get("state")) != "ACTIVE":
        return None
    identifier = data.get("projectId")
    if not isinstance(identifier, str) or _PROJECT_ID.fullmatch(identifier) is None:
        return None
    ancestors = tuple(owners_of(asset))
    number = str(data.get("projectNumber") or "") or next(iter(ancestors), "").removeprefix("projects/")
    return Project(identifier, parent, number, str(data.get("name") or ""), ancestors)


def closed(error: BaseException) -> CollectError:
    """Return the error of a service of which nothing can be had."""
    detail = detail_of(error)
    if isinstance(error, RefreshError):
        return CredentialsError(
            f"the Google Cloud login has expired or was revoked ({detail}); sign in again: {_LOGIN}"
        )
    if status_of(error) == 401:
        return CredentialsError(f"Google Cloud does not accept the credentials ({detail}); sign in again: {_LOGIN}")
    if reason_of(error) in {"malformed", "unsupported"}:
        return CollectError(
            f"what answers is not Google Cloud ({detail}); a sign-in page of the network or a proxy may stand in"
            f" between: sign in there, check HTTPS_PROXY, and {ENDPOINT} if it is set"
        )
    return CollectError(
        f"Google Cloud cannot be reached ({detail}); check the network, the proxy, and {ENDPOINT} if it is set"
    )
