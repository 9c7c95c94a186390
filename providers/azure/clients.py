"""The clients of Azure for one login: real SDK clients that share connections, tokens and patience."""

import threading
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest, PipelineResponse, policies
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from requests.adapters import HTTPAdapter

from cloudseg import __version__
from cloudseg.providers.azure.options import AzureOptions

__all__ = ["Clients", "Endpoint", "Request", "Response", "SharedToken", "TokenSource"]

Request = PipelineRequest[HttpRequest]
Response = PipelineResponse[HttpRequest, HttpResponse]
TokenSource = Callable[..., AccessToken]
"""As ``get_token`` of every credential of azure-identity."""

_MARGIN = 300
"""Seconds before its end in which a token is no longer handed out."""
_RETRIED: Final = frozenset({"GET", "POST"})
"""Nothing is written here: a POST asks, as a GET does, and may be repeated."""


class Endpoint(NamedTuple):
    """Where Resource Manager is.

    Attributes:
        url: its address, without a slash at its end.
        scope: what a token for it is asked for.
    """

    url: str
    scope: str


class SharedToken:
    """A credential that asks another one seldom: a login by a program, such as the Azure CLI, takes a second each time.

    Thread-safe. A challenge of the service, which carries claims, is always passed on.
    """

    def __init__(self, source: TokenSource, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, ...], AccessToken] = {}

    def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:  # noqa: ANN401 - the SDK's
        """Return a token that holds for some minutes at least.

        Raises:
            ClientAuthenticationError: none can be had.
        """
        with self._lock:
            known = self._tokens.get(scopes)
            if known is None or claims is not None or known.expires_on - self._clock() < _MARGIN:
                known = self._source(*scopes, claims=claims, **options)
                self._tokens[scopes] = known
            return known


class _Patience(policies.RetryPolicy[Any, Any]):
    """The SDK's own retries, for questions alone, and no longer than somebody would wait."""

    def __init__(self, options: AzureOptions) -> None:
        more = options.attempts - 1
        super().__init__(retry_total=more, retry_connect=more, retry_read=more, retry_status=more, retry_backoff_max=30)
        self._longest = options.longest_wait

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Tell whether to ask again; not where the service asks for a wait that is too long."""
        if (self.get_retry_after(response) or 0) > self._longest:
            return False
        return bool(super().is_retry(settings, response))


class Clients:
    """The clients of one login: a network client for each subscription, and one for Resource Graph."""

    def __init__(self, credential: SharedToken, endpoint: Endpoint, options: AzureOptions) -> None:
        self.endpoint = endpoint
        self._credential = credential
        self._options = options
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=options.max_workers))
        self._transport = RequestsTransport(
            session=session, connection_timeout=options.connect_timeout, read_timeout=options.read_timeout
        )
        self._plain = _is_loopback(endpoint.url)
        self._network: dict[str, NetworkManagementClient] = {}
        self._graph: ResourceGraphClient | None = None
        self._lock = threading.Lock()

    def network(self, subscription: str) -> NetworkManagementClient:
        """Return the network client of a subscription."""
        with self._lock:
            if subscription not in self._network:
                self._network[subscription] = NetworkManagementClient(
                    cast("Any", self._credential), subscription, **self._settings()
                )
            return self._network[subscription]

    def graph(self) -> ResourceGraphClient:
        """Return the client of Resource Graph."""
        with self._lock:
            if self._graph is None:
                self._graph = ResourceGraphClient(cast("Any", self._credential), **self._settings())
            return self._graph

    def per_call(self, before: Callable[[Request], None], after: Callable[[Response], None]) -> dict[str, Any]:
        """Return the options of a call: told before each request is sent, and after each answer, but no repetition."""
        options: dict[str, Any] = {
            "raw_request_hook": before,
            "raw_response_hook": after,
            "retry_on_methods": _RETRIED,
        }
        # A token goes over plain HTTP to this machine alone, where a test or a proxy listens.
        return {**options, "enforce_https": False} if self._plain else options

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _settings(self) -> dict[str, Any]:
        return {
            "base_url": self.endpoint.url,
            "credential_scopes": [self.endpoint.scope],
            "transport": self._transport,
            "policies": list(self._policies()),
        }

    def _policies(self) -> Iterable[object]:
        """Yield what requests and answers pass through: the SDK's own steps, in another order, and without two.

        The hook stands outside, so that it sees each answer once, and decoded. The SDK's step that registers a resource
        provider where it is not is left out, for an audit writes nothing; so is its log of requests.
        """
        yield policies.RequestIdPolicy()
        yield policies.UserAgentPolicy(user_agent=f"cloudseg/{__version__}", user_agent_use_env=False)
        yield policies.ProxyPolicy()
        yield policies.CustomHookPolicy()
        yield policies.ContentDecodePolicy()
        yield policies.RedirectPolicy()
        yield _Patience(self._options)
        yield ARMChallengeAuthenticationPolicy(cast("Any", self._credential), self.endpoint.scope)
        yield policies.SensitiveHeaderCleanupPolicy()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
