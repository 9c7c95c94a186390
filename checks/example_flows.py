"""Observed conversations for the examples of the checks: a few in memory, with what they rest on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cloudseg.flows.coverage import Coverage, Observer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["ExampleConversations", "logs_of", "seen"]

DAY: Final = 86_400
LAST: Final = int(datetime(2026, 1, 15, tzinfo=UTC).timestamp())
FIRST: Final = LAST - 40 * DAY
_DEFAULTS: Final[dict[str, Any]] = {
    "provider": "aws",
    "protocol": 6,
    "verdict": "accepted",
    "observers": (),
    "middle": (),
    "rules": (),
    "connections": 1,
    "records": 2,
    "packets": 10,
    "bytes": 1000,
    "packets_back": 10,
    "bytes_back": 1000,
    "first_seen": FIRST,
    "last_seen": LAST,
    "evidence": "handshake",
    "confidence": "high",
}
_PORTS: Final = frozenset(("port", "initiator_port"))
_NUMBERS: Final = frozenset(
    ("protocol", "connections", "records", "packets", "bytes", "packets_back", "bytes_back", *_PORTS)
)
_TIMES: Final = frozenset(("first_seen", "last_seen"))


class ExampleConversations:
    """Conversations in memory, as a file of them is read.

    Args:
        rows: one for each conversation, of :func:`seen`.
        coverage: what they rest on.
    """

    def __init__(self, rows: Iterable[dict[str, Any]] = (), coverage: Coverage | None = None) -> None:
        self._rows = list(rows)
        self.coverage = coverage or Coverage(first=FIRST, last=LAST)

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, name: str) -> NDArray[Any]:
        """Return a column: texts and lists as objects, numbers with -1 where there is none, times in seconds."""
        import numpy as np

        values = [row.get(name, _DEFAULTS.get(name)) for row in self._rows]
        if name in _TIMES:
            return np.array(values, dtype="datetime64[s]")
        if name in _NUMBERS:
            return np.array([-1 if value is None else value for value in values], dtype=np.int64)
        found = np.empty(len(values), dtype=object)
        found[:] = values
        return found


def seen(initiator: str, responder: str, port: int | None = 443, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - rows hold anything
    """Return a conversation, ``seen("10.0.1.5", "10.0.2.9", 5432)``; ``more`` are columns of the file."""
    return {"initiator": initiator, "responder": responder, "port": port, **more}


def logs_of(*interfaces: str, provider: str = "aws", network: str | None = "vpc-1", **more: Any) -> Coverage:  # noqa: ANN401 - fields hold anything
    """Return what conversations rest on when some interfaces logged over 40 days; ``more`` are fields of it."""
    observers = tuple(Observer(provider, name, network, None, FIRST, LAST, 1000) for name in interfaces)
    return msgspec.structs.replace(Coverage(first=FIRST, last=LAST, observers=observers), **more)
