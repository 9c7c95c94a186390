"""An HTTP server on 127.0.0.1 for tests that talk to a real client: what it sends, and how it sends it badly."""

import os
import ssl
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

NO_PROXY = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
"""Whoever runs the tests may sit behind a proxy."""


class Reply(NamedTuple):
    """What is sent; ``cut`` closes the connection in the middle of it, ``drip`` sends it byte by byte, in seconds."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = {}
    cut: bool = False
    wait: float = 0.0
    drip: float = 0.0


class Handler(BaseHTTPRequestHandler):
    """One connection; a subclass replies to its requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body in one packet: two would wait for each other's acknowledgement.
    wbufsize = 65536

    def do_GET(self) -> None:
        self.send(self.reply(self.rfile.read(int(self.headers.get("Content-Length") or 0))))

    def do_POST(self) -> None:
        self.do_GET()

    def reply(self, content: bytes) -> Reply:
        """Return the answer to the request, whose body is given."""
        raise NotImplementedError

    def send(self, reply: Reply) -> None:
        time.sleep(reply.wait)
        self.send_response(reply.status)
        for key, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.cut:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
            return
        if reply.drip:
            for byte in reply.body:
                self.wfile.write(bytes((byte,)))
                self.wfile.flush()
                time.sleep(reply.drip)
            return
        self.wfile.write(reply.body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Every worker connects at once; a connection beyond the backlog would wait a second for its next try.
    request_queue_size = 128


@contextmanager
def listening(handler: type[Handler], certificate: Path | None = None) -> Generator[str]:
    """Serve as long as the block runs; yields the address. With a certificate and its key, over TLS."""
    server = _Server(("127.0.0.1", 0), handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        with patch.dict(os.environ, NO_PROXY):
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
