"""An AWS API on a loopback port: moto behind a counter, or a slow one that repeats moto's answers.

Run as ``python -m benchmarks.api_server``; it prints its URL. ``GET /benchmark/requests`` gives the count and
``POST /benchmark/reset`` sets it to nothing.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

# The server's own thread class has no place for a counter in front of the application.
from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["main"]


class _Quiet(WSGIRequestHandler):
    """Keeps connections open, as AWS does, and writes no log."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


class _Counted:
    """Counts the requests that reach an application."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._requests = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/benchmark/requests":
            body = json.dumps(self._requests).encode()
            start_response("200 OK", [("Content-Length", str(len(body)))])
            return [body]
        with self._lock:
            self._requests = 0 if path == "/benchmark/reset" else self._requests + 1
        if path == "/benchmark/reset":
            start_response("204 No Content", [])
            return []
        return self._application(environ, start_response)


def main() -> None:
    """Serve until the process is ended."""
    application = _Counted(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
