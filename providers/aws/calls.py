"""One call to AWS, answered in full: every page, as JSON values, without paging keys and without secrets."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias, cast

import msgspec
from botocore.client import BaseClient
from botocore.parsers import ResponseParserError
from botocore.session import Session

from cloudseg.providers.aws.operations import Json, Operation, found_at
from cloudseg.providers.aws.parsing import AnswerParsers
from cloudseg.providers.pace import TURN
from cloudseg.providers.redaction import without_keys

__all__ = ["Answer", "UnsupportedByEndpointError", "ask", "call", "merged", "plain_answers"]

Answer: TypeAlias = dict[str, Json]

_PAGING_KEYS = frozenset({
    "AdditionalRoutesAvailable", "ContinuationToken", "IsTruncated", "Marker", "MaxItems", "NextMarker", "NextToken",
    "Quantity", "ResponseMetadata", "nextToken", "position",
})  # fmt: skip
_TOKENS = ("ContinuationToken", "Marker", "NextMarker", "NextToken", "nextToken", "position")
_EMPTY_CBOR = frozenset({b"\xa0", b"\xbf\xff"})
_NOT_OFFERED = frozenset({404, 405, 500, 501})


class UnsupportedByEndpointError(Exception):
    """The endpoint answers, but does not know the operation: an emulator, or a service missing in the region."""


def plain_answers(session: Session) -> None:
    """Make a session hand out JSON values: times as ISO 8601 UTC text, binary as the base64 text it came as.

    What an answer holds is then what a snapshot holds. It also spares parsing each time into an object, the costliest
    step of botocore's parsers, and a truncated answer is an error here, where botocore would read an empty one.
    """
    session.register_component("response_parser_factory", AnswerParsers(_time_text, _blob_text))
    session.register("before-parse", _refuse_unknown_operation)
    session.register("response-received", _refuse_unreadable)
    events = session.get_component("event_emitter")
    events.register_first("before-send", _wait_for_network)
    events.register_first("before-parse", _work_on)
    events.register_first("response-received", _wait_to_retry)


def _wait_for_network(**_: object) -> None:
    TURN.leave()


def _work_on(**_: object) -> None:
    TURN.go_on()


def _wait_to_retry(**event: object) -> None:
    # What failed may be tried again after a sleep.
    response = cast("Mapping[str, Any] | None", event.get("response_dict"))
    if response is None or response["status_code"] >= 300:
        TURN.leave()


def _time_text(value: object) -> str:
    text = str(value)
    if text.endswith("Z"):
        return text.removesuffix(".000Z") + "Z" if text.endswith(".000Z") else text
    moment = _moment(text)
    # A time without an offset is in UTC, whatever the zone of this machine.
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    moment = moment.replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds") + "Z"


def _moment(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text)
    except ValueError as error:
        raise ResponseParserError(f"{text!r} is no time") from error


def _blob_text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def _refuse_unknown_operation(**event: object) -> None:
    # A page for people in place of the protocol's error is no answer of a service, nor of a gateway in front of it
    # (502 to 504, which is worth another try): the endpoint does not know the operation.
    response = cast("Mapping[str, Any]", event["response_dict"])
    status: int = response["status_code"]
    if status in _NOT_OFFERED and response["body"][:9].lower() == b"<!doctype":
        raise UnsupportedByEndpointError(f"the endpoint does not know the operation (HTTP status {status})")


def _refuse_unreadable(**event: object) -> None:
    response = cast("Mapping[str, Any] | None", event.get("response_dict"))
    parsed = cast("Mapping[str, Any] | None", event.get("parsed_response"))
    if response is None or parsed is None or response["status_code"] >= 300:
        return
    if parsed.keys() - {"ResponseMetadata"} or response["body"] in _EMPTY_CBOR:
        return
    try:
        empty = not any(msgspec.json.decode(response["body"], type=dict[str, Any]).values())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResponseParserError(f"the answer is none of the operation: {error}") from error
    if not empty:
        raise ResponseParserError(f"the answer holds none of the fields of the operation: {response['body'][:80]!r}")


def call(client: BaseClient, operation: str, **arguments: object) -> Answer:
    """One request, by the operation's name in snake case; botocore makes the methods of a client as it runs."""
    method: Callable[..., Answer] = getattr(client, operation)
    with TURN.working(0):
        return method(**arguments)


def ask(client: BaseClient, operation: Operation, arguments: Mapping[str, object], wait: Callable[[], None]) -> Answer:
    """Every page of one operation's answer, as one; ``wait`` is called before each request.

    Raises:
        ClientError, BotoCoreError, ResponseParserError, UnsupportedByEndpointError: it could not be had in full.
    """
    answer: Answer = {}
    try:
        with TURN.working(0):
            for page in _pages(client, operation, {**dict(operation.arguments), **arguments}, wait):
                answer = merged(answer, page) if answer else page
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        # botocore's parsers trust the service to send the shapes of its model.
        raise ResponseParserError(f"the answer is not shaped as the operation's: {error!r}") from error
    answer = {key: value for key, value in answer.items() if key not in _PAGING_KEYS}
    if operation.paging is not None and "." in operation.paging.answer:
        inner = answer.get(operation.key)
        if isinstance(inner, dict):
            answer[operation.key] = {key: value for key, value in inner.items() if key not in _PAGING_KEYS}
    return without_keys(answer, frozenset(operation.redact)) if operation.redact else answer


def _pages(
    client: BaseClient, operation: Operation, arguments: dict[str, Any], wait: Callable[[], None]
) -> Iterator[Answer]:
    done = itertools.count()

    def begin() -> None:
        wait()
        # The longer a list is, the more urgent is its next page: whatever it holds follows it.
        TURN.take(-next(done))

    begin()
    if operation.paging is not None:
        seen: set[str] = set()
        while True:
            page = call(client, operation.name, **arguments)
            yield page
            token = next(iter(found_at(page, operation.paging.answer)), None)
            if not isinstance(token, str) or not token:
                return
            if token in seen:
                raise ResponseParserError("the service keeps handing out the same page")
            seen.add(token)
            arguments = {**arguments, operation.paging.request: token}
            begin()
    elif client.can_paginate(operation.name):
        size = {"PaginationConfig": {"PageSize": operation.page}} if operation.page else {}
        for page in client.get_paginator(operation.name).paginate(**arguments, **size):
            yield page
            if any(page.get(key) for key in _TOKENS):
                begin()
    else:
        yield call(client, operation.name, **arguments)


def merged(first: Answer, more: Answer) -> Answer:
    """Two pages of one answer: lists joined, also one object deep; what only repeats is kept once."""
    for key, value in more.items():
        known = first.get(key)
        if isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        elif isinstance(known, dict) and isinstance(value, dict):
            merged(known, value)
        elif key not in first:
            first[key] = value
    return first
