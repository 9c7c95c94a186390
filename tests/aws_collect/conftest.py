import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest

UNKNOWN = (501, b"<!doctype html>not here")
_IDENTITY = b"""<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>arn:aws:iam::111122223333:user/audit</Arn><UserId>A</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
_REGIONS = b"""<DescribeRegionsResponse><regionInfo>
<item><regionName>us-east-1</regionName><optInStatus>opt-in-not-required</optInStatus></item>
<item><regionName>af-south-1</regionName><optInStatus>not-opted-in</optInStatus></item>
<item><regionName>xx-new-1</regionName><optInStatus>opted-in</optInStatus></item>
</regionInfo></DescribeRegionsResponse>"""

Reply = tuple[int, bytes]
Parameters = dict[str, str]
Answer = Reply | Callable[[Parameters], Reply]


class _Server(ThreadingHTTPServer):
    # Every worker connects at once; a connection beyond the backlog would wait a second for its next try.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address
        # A client that left, such as a process that was interrupted, is no fault of the test.
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()


class Stub(msgspec.Struct):
    """A small AWS: it answers the actions it was given, and 501 with a page to everything else."""

    answers: dict[str, Answer]
    seen: list[str]
    url: str = ""

    def __call__(self, **answers: Answer) -> None:
        self.answers.update(answers)


@pytest.fixture(autouse=True)
def dummy_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    served = Stub({"GetCallerIdentity": (200, _IDENTITY), "DescribeRegions": (200, _REGIONS)}, [])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            # One way for every method; the name is the base class's.
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
            target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            action = form.get("Action") or target or f"{self.command} {self.path.partition('?')[0]}"
            served.seen.append(action)
            answer = served.answers.get(action, UNKNOWN)
            status, content = answer(form) if callable(answer) else answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            del code, size

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
    yield served
    server.shutdown()
    server.server_close()
    thread.join()
