"""Flow logs in, a file of conversations out: read, counted, resolved and written; and what was lost on the way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cloudseg.errors import InputError
from cloudseg.flows.conversations import check_output, is_conversations, write_conversations
from cloudseg.flows.coverage import Coverage, counted, covered
from cloudseg.flows.database import connect
from cloudseg.flows.files import grouped
from cloudseg.flows.reading import Reader, too_little_memory
from cloudseg.flows.resolve import create_sightings, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from cloudseg.flows.files import LogFile, LogSource

__all__ = ["Progress", "Summary", "SummaryOptions", "conclude", "summarise"]

Progress: TypeAlias = Callable[[int, int | None, int], None]
"""Told now and then: the bytes that were read, the bytes there are (None: not known yet), the rows that were read."""


class SummaryOptions(NamedTuple):
    """What to read, and with how much.

    Attributes:
        since: records that end by then are left out, seconds since 1970; None: no bound.
        until: records that begin then or later are left out, likewise.
        memory: what the engine may hold before it spills to disk, as ``2GB``; None: most of the machine's.
        threads: how many threads it may use; None: one for each core.
        temp: where it spills, and where copies lie; None: the system's folder for that.
    """

    since: int | None = None
    until: int | None = None
    memory: str | None = None
    threads: int | None = None
    temp: Path | None = None


class Summary(NamedTuple):
    """What came of it.

    Attributes:
        coverage: what the conversations rest on.
        conversations: how many there are.
        accepted: how many of them were accepted.
        refused: how many were refused, or their answers.
        unknown: of how many nobody can tell who opened them.
    """

    coverage: Coverage
    conversations: int
    accepted: int
    refused: int
    unknown: int


def summarise(
    sources: Sequence[LogSource], output: Path, options: SummaryOptions, progress: Progress | None = None
) -> Summary:
    """Read flow logs and write their conversations to a file, whole or not at all.

    Files that cannot be read, wholly or in part, do not stop the others: the coverage names them.

    Raises:
        InputError: there are no flow logs, none of them can be read, the file cannot be written, or the memory allowed
            does not do.
        CloudsegError: a source cannot be read at all.
    """
    check_output(output)
    with tempfile.TemporaryDirectory(prefix="cloudseg-flows-", dir=options.temp) as folder:
        spill = Path(folder, "spill")
        spill.mkdir()
        with closing(connect(options.memory, options.threads, spill)) as database:
            create_sightings(database)
            reader = Reader(database, Path(folder), options.since, options.until, progress, _total(sources))
            notes: list[str] = []
            for source in sources:
                with closing(source.batches()) as batches:
                    for batch in batches:
                        found = grouped(_not_to_write(batch.files, output))
                        reader.lose((*batch.losses, *found.losses))
                        notes += batch.notes
                        for group in found.groups:
                            reader.read(group)
            _check_any(reader, sources)
            coverage = covered(counted(database), reader.formats, reader.losses, notes, (options.since, options.until))
            return conclude(database, coverage, output)


def _not_to_write(files: Sequence[LogFile], output: Path) -> list[LogFile]:
    """The files without the one to write, where an earlier run wrote it among the logs.

    Raises:
        InputError: that one is a log, which writing would destroy.
    """
    if not output.exists():
        return list(files)
    held = [file for file in files if not _is_same(file.path, output)]
    if len(held) < len(files) and not is_conversations(output):
        raise InputError(f"{output}: it is one of the files to read, which would be lost; name another file to write")
    return held


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


def conclude(database: DuckDBPyConnection, coverage: Coverage, output: Path) -> Summary:
    """Resolve the table ``sightings``, write its conversations with the coverage, and say what they are.

    Raises:
        InputError: the file cannot be written, or the memory allowed does not do.
    """
    from duckdb import OutOfMemoryException

    try:
        write_conversations(database, resolve(database), coverage, output)
    except OutOfMemoryException as error:
        raise too_little_memory() from error
    counts = database.execute(
        "SELECT COUNT(*), COUNT(*) FILTER (verdict = 'accepted'), COUNT(*) FILTER (verdict <> 'accepted'), "
        "COUNT(*) FILTER (evidence = 'unknown') FROM conversations_found"
    ).fetchall()[0]
    return Summary(coverage, *counts)


def _total(sources: Sequence[LogSource]) -> int | None:
    sizes = [source.size for source in sources]
    return None if any(size is None for size in sizes) else sum(size for size in sizes if size is not None)


def _check_any(reader: Reader, sources: Sequence[LogSource]) -> None:
    if reader.formats:
        return
    names = ", ".join(source.name for source in sources)
    if not reader.losses:
        raise InputError(f"{names}: no flow logs are there")
    first = reader.losses[0]
    others = f"; nor can {len(reader.losses) - 1} others" if len(reader.losses) > 1 else ""
    raise InputError(f"{first.file}: {first.reason}{others}: no flow log could be read")
