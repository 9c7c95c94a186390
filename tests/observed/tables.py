"""Small tables of conversations, for tests: what the examples of the checks use, in the month of October."""

from datetime import UTC, datetime
from typing import Any

from cloudseg.checks.example_flows import ExampleConversations, seen

START, END = (int(datetime(2026, 10, day, tzinfo=UTC).timestamp()) for day in (1, 31))


def day(number: int) -> int:
    """Return a day of the month in seconds since 1970."""
    return int(datetime(2026, 10, number, tzinfo=UTC).timestamp())


class Table(ExampleConversations):
    """Conversations in memory, one for each row."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        super().__init__(rows)


def conversation(initiator: str, responder: str, port: int | None = 443, **more: Any) -> dict[str, Any]:
    """Return a row, first seen at the month's begin and last at its end."""
    return seen(initiator, responder, port, **{"first_seen": START, "last_seen": END, **more})
