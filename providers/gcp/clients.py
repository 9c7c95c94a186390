"""The clients of Google Cloud for one login: real SDK clients that share connections, tokens and patience."""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any, Final, cast

import requests
from google.api_core.client_options import ClientOptions
from google.api_core.gapic_v1.client_info import ClientInfo
from google.api_core.retry import Retry
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import BaseAdapter, HTTPAdapter

from cloudseg import __version__
from cloudseg.providers.gcp.failures import MalformedAnswerError, passes_soon, retry_after
from cloudseg.providers.gcp.options import GcpOptions

__all__ = ["Clients", "Patience"]

# A module of 130,000 lines, of which nothing is known by name here: a type checker would read it for minutes.
_COMPUTE: Final = "google.cloud.compute_v1"
_ASSET: Final = "google.cloud.asset_v1"
for _module in (_COMPUTE, _ASSET):
    # Told at once, not when the first question is asked.
    if find_spec(_module) is None:
        raise ModuleNotFoundError(f"No module named {_module!r}", name=_module)
_FIRST_WAIT: Final = 0.25
_NUMBERED: Final = "%24alt=json%3Benum-encoding%3Dint"
"""By this the SDK asks for the numbers of enumerated values; without it they come by name, as REST documents them."""

Keep = Callable[[bytes], bytes]
"""Told the body of an answer; returns what the SDK needs of it to go on."""


class _Watch(threading.local):
    """What is done before each request of a thread, and with each answer."""

    before: Callable[[], None] | None = None
    keep: Keep | None = None
    query: Mapping[str, str] = {}


class _Watched(BaseAdapter):
    """Hands each answer as it came to whoever asked, and to the SDK the little that it needs to go on.

    The SDK reads answers into types of its own, which lose what is newer than they are, and takes its time for it.
    """

    def __init__(self, inner: BaseAdapter, watch: _Watch, options: GcpOptions) -> None:
        super().__init__()
        self._inner = inner
        self._watch = watch
        self._timeout = (options.connect_timeout, options.read_timeout)

    def send(self, request: requests.PreparedRequest, *args: Any, **settings: Any) -> requests.Response:  # noqa: ANN401 - as the base class has it
        """Send one request.

        Raises:
            MalformedAnswerError: the answer leads elsewhere, or cannot be understood.
        """
        if self._watch.before is not None:
            self._watch.before()
        request.prepare_url((request.url or "").replace(_NUMBERED, "%24alt=json"), dict(self._watch.query))
        response = self._inner.send(request, *args, **{**settings, "timeout": self._timeout})
        # An API of Google's does not move; a sign-in page of the network does.
        if 300 <= response.status_code < 400:
            response.close()
            raise MalformedAnswerError("the answer leads elsewhere: something else than Google Cloud may have answered")
        if response.status_code >= 400:
            return response if _is_error(response) else _replaced(response, b'{"error":{}}')
        keep = self._watch.keep
        return response if keep is None else _replaced(response, keep(response.content))

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _is_error(response: requests.Response) -> bool:
    """Tell whether the SDK can read an error."""
    try:
        body = cast("object", response.json())
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and isinstance(cast("dict[str, object]", body).get("error"), dict)


def _replaced(response: requests.Response, body: bytes) -> requests.Response:
    found = requests.Response()
    found.status_code, found.reason = response.status_code, response.reason
    found.headers, found.url, found.request = response.headers, response.url, response.request
    found.raw = BytesIO(body)
    return found


class Patience:
    """Decides for one question whether it is asked again, and waits as long as the service asks for."""

    def __init__(self, options: GcpOptions) -> None:
        self._most = options.attempts - 1
        self._longest = options.longest_wait
        self._failed = 0

    def answered(self) -> None:
        """Note that an answer came: the next page has as many attempts as the first."""
        self._failed = 0

    def retry(self) -> Retry:
        """Return the SDK's own way to ask again, with these decisions."""
        return Retry(
            predicate=self._again, on_error=_wait, initial=_FIRST_WAIT, maximum=30.0, multiplier=2.0, timeout=None
        )

    def _again(self, error: BaseException) -> bool:
        if not passes_soon(error) or retry_after(error) > self._longest:
            return False
        self._failed += 1
        return self._failed <= self._most


def _who() -> object:
    return ClientInfo(user_agent=f"cloudseg/{__version__}")  # type: ignore[no-untyped-call,unused-ignore]


def _wait(error: BaseException) -> None:
    time.sleep(retry_after(error))


class Clients:
    """The clients of one login: one for each kind of resource of Compute, and one for the asset inventory."""

    def __init__(self, credentials: Credentials, endpoint: str, options: GcpOptions) -> None:
        """Prepare the connections.

        Args:
            credentials: with a token that is valid.
            endpoint: the address of every service; empty for their own.
            options: how patient to be.

        """
        self.options = options
        self._endpoint = endpoint
        self._credentials = credentials
        self._adapter = HTTPAdapter(pool_connections=4, pool_maxsize=options.max_workers)
        self._watch = _Watch()
        self._known: dict[str, object] = {}
        self._lock = threading.Lock()

    def compute(self, kind: str) -> object:
        """Return the client of a kind of resource: ``Networks``."""
        return self._client(_COMPUTE, f"{kind}Client")

    def asset(self) -> object:
        """Return the client of the asset inventory."""
        return self._client(_ASSET, "AssetServiceClient")

    @contextmanager
    def watching(self, before: Callable[[], None], keep: Keep, query: Mapping[str, str]) -> Generator[None]:
        """Have this thread's requests announced, and its answers kept, as long as the block runs.

        Args:
            before: called before each request.
            keep: told each answer.
            query: parameters of the requests that the SDK has no field for.
        """
        watch = self._watch
        watch.before, watch.keep, watch.query = before, keep, query
        try:
            yield
        finally:
            watch.before, watch.keep, watch.query = None, None, {}

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def _client(self, module: str, name: str) -> object:
        with self._lock:
            if name not in self._known:
                build = cast("Callable[..., Any]", getattr(import_module(module), name))
                client = build(
                    credentials=self._credentials,
                    transport="rest",
                    client_options=ClientOptions(api_endpoint=self._endpoint or None),
                    client_info=_who(),
                )
                self._join(client.transport._session)  # noqa: SLF001 - it is told to nobody
                self._known[name] = client
            return self._known[name]

    def _join(self, session: AuthorizedSession) -> None:
        """Have the session that a client opened use the same connections and the same token as the others.

        One that shows a certificate of its own (https://cloud.google.com/chrome-enterprise-premium/docs/enable-cba)
        keeps its connections.
        """
        session.credentials = self._credentials
        for scheme in ("https://", "http://"):
            own = session.get_adapter(scheme) if session.is_mtls else self._adapter
            session.mount(scheme, _Watched(own, self._watch, self.options))
