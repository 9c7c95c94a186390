"""The embedded engine that reads flow logs: DuckDB, in memory, with a bound and a place to spill to.

https://duckdb.org/docs/configuration/overview
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from duckdb import DuckDBPyConnection

__all__ = ["connect", "execute", "quoted"]

_TOLD_EVERY: Final = 0.2


def connect(memory: str | None = None, threads: int | None = None, temp: Path | None = None) -> DuckDBPyConnection:
    """Open an empty database.

    Args:
        memory: how much it may hold before it spills to disk, as ``2GB``; None: 80 % of the machine's.
        threads: how many it may run at once; None: one for each core.
        temp: the folder it spills to, which must exist; None: it may not spill.

    Raises:
        InputError: DuckDB is not installed, or the amount of memory or the number of threads is none.
    """
    try:
        import duckdb
    except ImportError as error:
        raise InputError(
            'flow logs are read with DuckDB, which is not installed; install it with: pip install "cloudseg[flows]"'
        ) from error

    # Nothing is fetched from the network, and no extension is looked for in the user's folders.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
        "temp_directory": "" if temp is None else str(temp),
    }
    connection = duckdb.connect(":memory:", config=config)
    with suppress(duckdb.Error):
        # Without the ICU extension there are no time zones: everything is UTC.
        connection.execute("SET TimeZone = 'UTC'")
    for option, value, hint in (
        ("memory_limit", memory, "name an amount such as 2GB"),
        ("threads", threads, "name a number from 1 on"),
    ):
        if value is None:
            continue
        try:
            connection.execute(f"SET {option} = {quoted(str(value))}")
        except duckdb.Error as error:
            connection.close()
            raise InputError(f"{value!r} is no {option.replace('_limit', '')} that DuckDB takes; {hint}") from error
    connection.execute("SET enable_progress_bar = false")
    return connection


def execute(
    connection: DuckDBPyConnection,
    statement: str,
    told: Callable[[], None] | None = None,
    every: float = _TOLD_EVERY,
) -> None:
    """Run a statement that may take long; the user may interrupt it.

    It runs in a thread of its own: while DuckDB works, Python hears of no signal in this one. Where memory is too
    little for several of DuckDB's threads at once, it is run again with one: each holds blocks that it cannot spill
    while it works on them.

    Args:
        connection: where to run it.
        statement: the statement.
        told: called again and again while it runs.
        every: how often, in seconds.

    Raises:
        duckdb.Error: it cannot be run; of memory: not even with one thread.
        KeyboardInterrupt: the user stopped it.
    """
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(_execute, connection, statement)
        try:
            while not wait((running,), timeout=every).done:
                if told is not None:
                    told()
        except BaseException:
            connection.interrupt()
            raise
        running.result()


def _execute(connection: DuckDBPyConnection, statement: str) -> None:
    from duckdb import OutOfMemoryException

    try:
        connection.execute(statement)
    except OutOfMemoryException:
        (threads,) = connection.execute("SELECT current_setting('threads')").fetchall()[0]
        if threads == 1:
            raise
        connection.execute("SET threads = 1")
        try:
            connection.execute(statement)
        finally:
            connection.execute(f"SET threads = {threads}")


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
