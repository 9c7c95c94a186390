from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.client import BaseClient


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of an emulated AWS, which is shared: each test makes buckets and groups of its own."""
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="session")
def clients() -> dict[str, BaseClient]:
    """Those that ``aws`` has made: reading a service's model takes longer than most tests."""
    return {}


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch, clients: dict[str, BaseClient]) -> Callable[..., dict[str, Any]]:
    """Ask the emulated AWS: service, operation in snake case, arguments."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)

    def ask(service: str, operation: str, **arguments: object) -> dict[str, Any]:
        if service not in clients:
            clients[service] = botocore.session.get_session().create_client(service, region_name="us-east-1")
        method: Callable[..., dict[str, Any]] = getattr(clients[service], operation)
        return method(**arguments)

    return ask
