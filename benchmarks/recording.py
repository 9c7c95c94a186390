"""Collects an account and writes down every call that is made: ``python -m benchmarks.recording FILE REGION``.

The calls are a JSON list of service, region, operation and parameters, in the order in which they were made; a page is
a call of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import msgspec
from botocore.session import Session

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel

__all__ = ["Recorded", "main"]


class Recorded(msgspec.Struct, frozen=True):
    """One call, as botocore was asked to make it."""

    service: str
    region: str
    operation: str
    parameters: dict[str, Any]


def main() -> None:
    """Collect and write."""
    from cloudseg.providers.aws.collect import collect
    from cloudseg.providers.aws.options import AwsOptions

    file, region = sys.argv[1:]
    calls: list[Recorded] = []
    create_client = Session.create_client

    def recording_client(session: Session, *arguments: Any, **options: Any) -> BaseClient:  # noqa: ANN401
        client: BaseClient = create_client(session, *arguments, **options)
        place: str = client.meta.region_name

        def write_down(params: dict[str, Any], model: OperationModel, **_: object) -> None:
            calls.append(Recorded(model.service_model.service_name, place, model.name, dict(params)))

        client.meta.events.register_first("provide-client-params", write_down)
        return client

    # The collector makes sessions of its own; this is the one place that all of their clients come from.
    with mock.patch.object(Session, "create_client", recording_client):
        collect(AwsOptions(regions=(region,)))
    Path(file).write_bytes(msgspec.json.encode(calls))


if __name__ == "__main__":
    main()
