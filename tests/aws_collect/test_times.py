"""Times as a service writes them, and as a snapshot holds them."""

import time
from typing import Any

import pytest
from botocore.parsers import ResponseParserError
from botocore.session import Session

from cloudseg.providers.aws.calls import plain_answers


@pytest.mark.parametrize(
    ("written", "held"),
    [
        ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.123Z", "2026-01-31T12:00:00.123Z"),
        ("2026-01-31T12:00:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z"),
        ("Sat, 31 Jan 2026 12:00:00 GMT", "2026-01-31T12:00:00Z"),
        (1769860800, "2026-01-31T12:00:00Z"),
        (1769860800.5, "2026-01-31T12:00:00.500Z"),
        ("1769860800", "2026-01-31T12:00:00Z"),
    ],
)
def test_every_spelling_of_a_time_is_one_text(written: object, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse(written) == held
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("written", ["soon", "", "inf", "1e30"])
def test_what_is_no_time_is_an_error_that_becomes_a_gap(written: str) -> None:
    with pytest.raises((ResponseParserError, OverflowError, ValueError)):
        parse(written)


def parse(written: object) -> object:
    session = Session()
    plain_answers(session)
    parser = session.get_component("response_parser_factory").create_parser("json")
    model = session.get_service_model("events").operation_model("DescribeEndpoint")
    answer: dict[str, Any] = {"status_code": 200, "headers": {}, "body": _body(written)}
    return parser.parse(answer, model.output_shape)["CreationTime"]


def _body(written: object) -> bytes:
    text = f'"{written}"' if isinstance(written, str) else str(written)
    return f'{{"CreationTime": {text}}}'.encode()
