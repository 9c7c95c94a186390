"""The clients of one AWS account: made once each, over shared service models."""

import ipaddress
import re
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.session import Session

from cloudseg import __version__
from cloudseg.providers.aws.calls import plain_answers
from cloudseg.providers.aws.options import AwsOptions

__all__ = ["Clients", "config_of"]


def config_of(options: AwsOptions) -> Config:
    """How every client behaves: adaptive retries, finite waits, and connections enough for every thread."""
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": options.attempts},
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        max_pool_connections=options.max_workers,
        user_agent_extra=f"cloudseg/{__version__}",
    )


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
        self._session = Session(profile=base.profile)
        # Reading and indexing the service models is most of what a client costs: one loader serves all of them.
        self._session.register_component("data_loader", base.get_component("data_loader"))
        self._session.register_component("credential_provider", _FixedCredentials(credentials))
        plain_answers(self._session)
        self._config = config_of(options)
        self._partition = self._session.get_partition_for_region(home)
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self._offered: dict[tuple[str, str], bool] = {}
        self._lock = threading.Lock()

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn``, ``aws-us-gov`` and so on."""
        return self._partition

    def regions_of(self, service: str) -> list[str]:
        """The regions of the partition in which botocore knows the service; empty where it does not say."""
        return self._session.get_available_regions(service, partition_name=self._partition)

    def get(self, service: str, region: str) -> BaseClient:
        """The client of a service in a region."""
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                client = self._clients[service, region] = self._make(service, region)
            return client

    def _make(self, service: str, region: str) -> BaseClient:
        client: BaseClient = self._session.create_client(service, region_name=region, config=self._config)
        if service == "s3control" and _is_address(client.meta.endpoint_url):
            client.meta.events.register("before-call.s3-control", _without_account_in_host)
        return client

    def close(self) -> None:
        """Close the connections and forget the clients: an organization has more accounts than memory has room."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def offers(self, service: str, region: str) -> bool:
        """False where a service certainly does not exist in a region: botocore and the name system both say so."""
        known = self._offered.get((service, region))
        if known is None:
            listed = self.regions_of(service)
            known = not listed or region in listed or _resolves(self.get(service, region).meta.endpoint_url)
            self._offered[service, region] = known
        return known


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
