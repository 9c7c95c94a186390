"""Makes recorded calls with bare boto3: one client a service and region, one call after the other.

Run as ``python -m benchmarks.bare_boto3 FILE``. It imports nothing of cloudseg and keeps no answer. Pages are asked for
one by one with the recorded tokens.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

__all__ = ["main"]


def _client(service: str, region: str) -> BaseClient:
    # Asked once, whatever the answer: the number of requests is then that of the recording.
    once = Config(retries={"total_max_attempts": 1})
    # The stubs know a client by the literal name of its service only.
    make: Callable[..., BaseClient] = vars(boto3)["client"]
    client = make(service, region_name=region, config=once)
    # The account's number goes before the host name, which a loopback address does not allow: the one thing that needs
    # a hand.
    client.meta.events.register("before-call.s3-control", _without_account_in_host)
    return client


def _without_account_in_host(params: dict[str, Any], **_: object) -> None:
    params["url"] = re.sub(r"^(https?://)\d{12}\.", r"\1", params["url"])


def main() -> None:
    """Make the calls."""
    calls: list[dict[str, Any]] = json.loads(Path(sys.argv[1]).read_bytes())
    clients: dict[tuple[str, str], BaseClient] = {}
    for each in calls:
        place = (each["service"], each["region"])
        if place not in clients:
            clients[place] = _client(*place)
        method: Callable[..., object] = getattr(clients[place], xform_name(each["operation"]))
        try:
            method(**each["parameters"])
        except (ClientError, ResponseParserError):
            # What the API does not know costs a request all the same.
            continue


if __name__ == "__main__":
    main()
