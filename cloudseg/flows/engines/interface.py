"""What an engine of a cloud is asked, and what it brings back: sightings, never records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloudseg.flows.coverage import Loss

__all__ = ["DAYS", "Answer", "Engine", "Question", "Window", "window_of"]

DAYS: Final = 30
"""How far back an engine looks where nobody says: what is scanned costs money."""

_DAY: Final = 86_400
_EARLIEST: Final = 946_684_800  # 2000-01-01: no cloud wrote logs before.


class Window(NamedTuple):
    """The time that an engine is asked for, in seconds since 1970: from ``since`` on, before ``until``."""

    since: int
    until: int


class Question(NamedTuple):
    """A query as it is sent.

    Attributes:
        text: the query.
        log: the kind of log that is asked: ``aws-vpc``.
        title: its name for people.
        comment: what begins a comment in its language.
        told: what it would read and cost, as far as that is known before it runs; each a sentence without its stop.
    """

    text: str
    log: str
    title: str
    comment: str
    told: tuple[str, ...]


class Answer(NamedTuple):
    """What came back.

    Attributes:
        files: CSV with a header, the columns of ``columns.SIGHTINGS``; NULL is an empty field.
        scanned: the bytes that the engine read, as it says; 0 where it does not.
        losses: what it could not answer.
        notes: what else a reader of the conversations should know.
    """

    files: tuple[Path, ...]
    scanned: int = 0
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()


class Engine(Protocol):
    """A table of flow logs in a cloud, and who answers questions about it.

    Attributes:
        place: the table, for people.
        window: the time that is asked for.
    """

    @property
    def place(self) -> str: ...  # noqa: D102 -- told above

    @property
    def window(self) -> Window: ...  # noqa: D102 -- told above

    def question(self) -> Question:
        """Return the query, written for the table as it is; nothing is scanned.

        Raises:
            CloudsegError: the table cannot be looked at, is no table of flow logs, or would be scanned as a whole.
        """
        ...

    def answer(self, folder: Path, progress: Callable[[int], None] | None) -> Answer:
        """Ask, wait, and fetch what comes back; an interrupt cancels the query.

        Args:
            folder: where to put the files.
            progress: told the bytes that were scanned so far.

        Raises:
            CloudsegError: the query was refused, failed, was cancelled, or would cost more than is allowed.
        """
        ...


def window_of(since: int | None, until: int | None, now: int) -> Window:
    """Return the bounds of what an engine is asked: the last 30 days where none are told, and no times without logs.

    Raises:
        InputError: nothing lies between them.
    """
    end = min(now if until is None else until, now + _DAY)
    window = Window(max(end - DAYS * _DAY if since is None else since, _EARLIEST), end)
    if window.since >= window.until:
        raise InputError("no logs can be of the time that is asked for; check --since and --until")
    return window
