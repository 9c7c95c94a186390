"""Groups of files become rows of the table ``sightings``, some files at a time; what cannot be read is a loss.

One broken file must not cost the others: when DuckDB stops, the files are read again in halves, until the broken one is
alone. Of a gzip stream that ends too early what comes out is read.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from cloudseg.errors import InputError
from cloudseg.flows.constants import constants
from cloudseg.flows.coverage import FormatRead, Loss
from cloudseg.flows.database import execute
from cloudseg.flows.salvage import salvaged
from cloudseg.flows.sightings import merged_sql, sightings_sql, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from cloudseg.flows.files import FileGroup, LogFile, Unreadable

__all__ = ["Reader", "too_little_memory"]

_BYTES_AT_ONCE: Final = 1 << 30
_FILES_AT_ONCE: Final = 2_000
"""What one query reads at most: so much is read again when a file in it turns out to be broken."""

_LARGE: Final = 1 << 20
"""Bytes of a file from which on it pays to look at its statistics first."""

_TOLD_EVERY: Final = 0.2
"""Seconds between two tellings of how far a query is."""

_MERGE_FROM: Final = 4_000_000
"""Rows of ``sightings`` from which on they are merged whenever they have doubled."""


class Reader:
    """Reads groups of files into the table ``sightings`` and keeps count.

    Attributes:
        losses: what could not be read.
    """

    def __init__(
        self,
        database: DuckDBPyConnection,
        folder: Path,
        since: int | None,
        until: int | None,
        progress: Callable[[int, int | None, int], None] | None,
        total: int | None,
    ) -> None:
        self.losses: list[Loss] = []
        self._database = database
        self._folder = folder
        self._bounds = (since, until)
        self._progress = progress
        self._total = total
        self._done = 0
        self._rows = 0
        self._formats: dict[str, FormatRead] = {}
        self._merged = 0

    @property
    def formats(self) -> tuple[FormatRead, ...]:
        """What was read of each format."""
        return tuple(self._formats.values())

    def lose(self, files: Iterable[Unreadable]) -> None:
        """Note files of which nothing can be read."""
        self.losses += [Loss(file.name, file.reason) for file in files]

    def read(self, group: FileGroup) -> None:
        """Read a group of files.

        Raises:
            InputError: the memory allowed does not do, or the disk is full.
            KeyboardInterrupt: the user stopped it.
        """
        for some in _portions(group.files):
            self._read(group, some)
        self._merge()

    def _read(self, group: FileGroup, files: Sequence[LogFile]) -> None:
        from duckdb import Error

        size = sum(file.size for file in files)
        try:
            rows = self._insert(group, [(file.path, file.name) for file in files], size)
        except Error as error:
            _check_blame(error)
            if len(files) > 1:
                half = len(files) // 2
                self._read(group, files[:half])
                self._read(group, files[half:])
                return
            self._rescue(group, files[0], error)
            return
        self._count(group, len(files), size, rows)

    def _rescue(self, group: FileGroup, file: LogFile, error: Exception) -> None:
        """Read what is whole of a file; else it is lost."""
        from duckdb import Error

        found = salvaged(file.path, self._folder) if group.container == "gzip" else None
        if found is not None:
            try:
                rows = self._insert(group._replace(container="text"), [(found.path, file.name)], file.size)
            except Error as again:
                _check_blame(again)
                error = again
            else:
                self.losses.append(Loss(file.name, found.reason, partly=True))
                self._count(group, 1, file.size, rows)
                return
            finally:
                found.path.unlink(missing_ok=True)
        self.losses.append(Loss(file.name, f"it cannot be read: {_first_line(error)}"))
        self._advance(file.size)

    def _insert(self, group: FileGroup, files: Sequence[tuple[Path, str]], size: int) -> int:
        """Add the sightings of some files, given by path and name; how many rows they had."""
        relation = group.format.relation([path for path, _ in files], group.shape)
        records = group.format.records(relation, group.shape)
        if group.container == "parquet" and size >= len(files) * _LARGE:
            records = records._replace(same=constants(self._database, [path for path, _ in files], records.plain))
        query = sightings_sql(within(records, *self._bounds))
        for table in ("reject_errors", "reject_scans"):
            self._database.execute(f"DROP TABLE IF EXISTS {table}")
        self._run(f"INSERT INTO sightings SELECT *, '{group.format.name}' FROM ({query})", size)  # noqa: S608 -- ours
        before = self._rows
        self._rows = self._database.execute(_ROWS).fetchall()[0][0]
        rejected = self._rejected({str(path): name for path, name in files}) if _REJECTS in relation else 0
        return self._rows - before + rejected

    def _rejected(self, names: dict[str, str]) -> int:
        """Note the rows that had too few fields or too many; how many there were."""
        total = 0
        for path, rows, line in self._database.execute(_REJECTED).fetchall():
            total += rows
            what = "a row has" if rows == 1 else f"{rows} rows have"
            reason = f"{what} not the fields that its header names, the first in line {line}"
            self.losses.append(Loss(names.get(str(path), str(path)), reason, rows, partly=True))
        return total

    def _run(self, query: str, size: int) -> None:
        """Run a query, telling how far it is; an interrupt by the user stops it."""
        told = None if self._progress is None else partial(self._tell, self._progress, size)
        execute(self._database, query, told, _TOLD_EVERY)

    def _tell(self, progress: Callable[[int, int | None, int], None], size: int) -> None:
        share = min(max(self._database.query_progress(), 0.0), 100.0) / 100
        progress(self._done + int(share * size), self._total, self._rows)

    def _count(self, group: FileGroup, files: int, size: int, rows: int) -> None:
        name = group.format.name
        held = self._formats.get(name, FormatRead(name, group.format.title, 0, 0, 0))
        self._formats[name] = FormatRead(name, held.title, held.files + files, held.bytes + size, held.records + rows)
        self._advance(size)

    def _advance(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress(self._done, self._total, self._rows)

    def _merge(self) -> None:
        """Keep the table small where one batch after the other brings the same sightings."""
        (held,) = self._database.execute("SELECT COUNT(*) FROM sightings").fetchall()[0]
        if held < max(_MERGE_FROM, 2 * self._merged):
            return
        for statement in (
            f"CREATE TABLE merged AS {merged_sql()}",
            "DROP TABLE sightings",
            "ALTER TABLE merged RENAME TO sightings",
        ):
            execute(self._database, statement)
        (self._merged,) = self._database.execute("SELECT COUNT(*) FROM sightings").fetchall()[0]


_ROWS: Final = "SELECT COALESCE(SUM(records), 0)::BIGINT FROM sightings"

_REJECTS: Final = "store_rejects=true"
"""Where a relation says so, DuckDB makes the tables of what it rejected."""

_REJECTED: Final = """
SELECT file_path, COUNT(DISTINCT line)::BIGINT, MIN(line)::BIGINT
FROM reject_errors JOIN reject_scans USING (scan_id, file_id) GROUP BY file_path ORDER BY file_path
"""


def _portions(files: Sequence[LogFile]) -> Iterator[list[LogFile]]:
    held: list[LogFile] = []
    size = 0
    for file in files:
        if held and (size + file.size > _BYTES_AT_ONCE or len(held) == _FILES_AT_ONCE):
            yield held
            held, size = [], 0
        held.append(file)
        size += file.size
    if held:
        yield held


def _check_blame(error: Exception) -> None:
    """Raise what is no file's fault.

    Raises:
        InputError: the memory or the disk does not do.
        KeyboardInterrupt: the query was stopped.
    """
    from duckdb import InterruptException, OutOfMemoryException

    if isinstance(error, InterruptException):
        raise KeyboardInterrupt from error
    if isinstance(error, OutOfMemoryException):
        raise too_little_memory() from error
    if "No space left" in str(error):
        raise InputError("the disk is full: the folder for temporary files has no more room") from error


def too_little_memory() -> InputError:
    """Return the error for a bound on memory that does not do."""
    return InputError(
        "the memory allowed is too little for these flow logs, even when spilling to disk; allow more (--memory)"
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
