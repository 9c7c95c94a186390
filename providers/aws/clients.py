"""The clients of one AWS account: made once each, over shared service models."""

import gzip
import ipaddress
import os
import re
import socket
import threading
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader, create_loader
from botocore.session import Session

from cloudseg import __version__
from cloudseg.errors import CollectError
from cloudseg.providers.aws.calls import plain_answers
from cloudseg.providers.aws.failures import UNREADABLE, detail_of
from cloudseg.providers.aws.options import AwsOptions
from cloudseg.providers.pace import TURN

__all__ = ["Clients", "brief_config_of", "config_of", "make_client", "open_session"]

_BRIEF_CONNECT, _BRIEF_READ, _BRIEF_ATTEMPTS = 5.0, 10.0, 2


def config_of(options: AwsOptions) -> Config:
    """How every client behaves: adaptive retries, finite waits, and connections enough for every thread."""
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": options.attempts},
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        max_pool_connections=options.max_workers,
        user_agent_extra=f"cloudseg/{__version__}",
    )


def brief_config_of(options: AwsOptions) -> Config:
    """How STS is asked, which answers at once or not at all: who cannot get in learns it within half a minute."""
    return config_of(
        msgspec.structs.replace(
            options,
            attempts=min(options.attempts, _BRIEF_ATTEMPTS),
            connect_timeout=min(options.connect_timeout, _BRIEF_CONNECT),
            read_timeout=min(options.read_timeout, _BRIEF_READ),
        )
    )


def make_client(session: Session, service: str, region: str, config: Config) -> BaseClient:
    """A client of a service in a region.

    Raises:
        CollectError: a setting outside of the options, such as the URL of an endpoint, cannot be used.
        BotoCoreError: botocore does not have the service there.
    """
    try:
        client: BaseClient = session.create_client(service, region_name=region, config=config)
    except BotoCoreError:
        # Some of botocore's errors are ValueErrors as well: they say more about the service than about a setting.
        raise
    except (OSError, *UNREADABLE) as error:
        own = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
        raise CollectError(
            f"AWS {service} cannot be asked with the settings of this machine ({detail_of(error)}); correct or unset "
            f"AWS_ENDPOINT_URL, {own}, and the other AWS_… variables, or what the profile says in their place"
        ) from error
    return client


class _ModelFiles(JSONFileLoader):
    """Reads service models in half of the time that botocore takes; what is not plain JSON is left to botocore."""

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - any JSON
        for suffix, opened in ((".json", open), (".json.gz", gzip.open)):
            if Path(file_path + suffix).is_file():
                with opened(file_path + suffix, "rb") as file, suppress(msgspec.DecodeError):
                    return msgspec.json.decode(file.read())
                break
        return super().load_file(file_path)


class _Models(Loader):
    """Finds service models without looking, for each kind of file, which of hundreds of services have one."""

    @cached_property
    def _folders(self) -> list[str]:
        places = [Path(place) for place in self.search_paths]
        return sorted({folder.name for place in places if place.is_dir() for folder in os.scandir(place)})

    def list_available_services(self, type_name: str) -> list[str]:
        """Every service of which there are files, of this kind or of another."""
        del type_name
        return self._folders

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:  # noqa: ANN401 - any JSON
        """As botocore's, and with its error for a service that has no file of this kind."""
        try:
            return super().load_service_model(service_name, type_name, api_version)
        except UnknownServiceError:
            raise
        except DataNotFoundError as error:
            raise UnknownServiceError(service_name=service_name, known_service_names=type_name) from error


@cache
def _loader(data_path: str | None) -> Loader:
    # Reading the service models is most of what a first client costs: one loader serves every account and every run.
    places = create_loader(data_path).search_paths
    return _Models(list(places), _ModelFiles(), include_default_search_paths=False)


def open_session(profile: str | None) -> Session:
    """A botocore session that shares the service models with every other one."""
    session = Session(profile=profile)
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    return session


class _FixedCredentials:
    """A credential provider that looks nowhere: what was found or assumed once is used for every client."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def load_credentials(self) -> Credentials:
        return self._credentials


class Clients:
    """The clients of one login: one for each service and region, made when first needed.

    ``home`` is the region in which account-wide questions are asked.
    """

    def __init__(self, base: Session, credentials: Credentials, home: str, options: AwsOptions) -> None:
        self.home = home
        self._session = open_session(base.profile)
        self._session.register_component("credential_provider", _FixedCredentials(credentials))
        plain_answers(self._session)
        self._config = config_of(options)
        self._brief_config = brief_config_of(options)
        self._partition = self._session.get_partition_for_region(home)
        self._clients: dict[tuple[str, str], BaseClient | None] = {}
        self._lock = threading.Lock()

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn``, ``aws-us-gov`` and so on."""
        return self._partition

    def regions_of(self, service: str) -> list[str]:
        """The regions of the partition in which botocore knows the service; empty where it does not say."""
        return self._session.get_available_regions(service, partition_name=self._partition)

    def get(self, service: str, region: str) -> BaseClient | None:
        """The client of a service in a region; None where the service certainly does not exist in the region.

        That is certain when botocore does not list it and the name of its endpoint does not exist.
        """
        key = (service, region)
        # One that is there is had at once, while others are still being made.
        if key in self._clients:
            return self._clients[key]
        # What a client reads when it is made is read once, not by every thread that happens to need it first.
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(service, region)
            return self._clients[key]

    def need(self, service: str) -> BaseClient:
        """The client of an account-wide service, which every partition has, at home.

        Raises:
            CollectError: the home region is none.
        """
        client = self.get(service, self.home)
        if client is None:
            raise CollectError(
                f"AWS {service} does not exist in region {self.home!r}; name a --region that exists, or correct "
                "AWS_DEFAULT_REGION or the region of the profile"
            )
        return client

    def _make(self, service: str, region: str) -> BaseClient | None:
        config = self._brief_config if service == "sts" else self._config
        # Calls that can be made at once go first.
        with TURN.working(1):
            client = make_client(self._session, service, region, config)
            client.can_paginate(next(iter(client.meta.method_to_api_mapping)))
        listed = self.regions_of(service)
        if listed and region not in listed and not _resolves(client.meta.endpoint_url):
            return None
        if service == "s3control" and _is_address(client.meta.endpoint_url):
            client.meta.events.register("before-call.s3-control", _without_account_in_host)
        return client

    def close(self) -> None:
        """Close the connections and forget the clients: an organization has more accounts than memory has room."""
        with self._lock:
            for client in self._clients.values():
                if client is not None:
                    client.close()
            self._clients.clear()


def _without_account_in_host(params: dict[str, Any], **_: object) -> None:
    # The account goes before the host name, which an address does not allow; an emulator reads it from the header.
    params["url"] = re.sub(r"^(https?://)\d{12}\.", r"\1", params["url"])


def _is_address(url: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True


def _resolves(url: str) -> bool:
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except socket.gaierror as error:
        return error.errno not in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
    return True
