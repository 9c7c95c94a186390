"""What an engine brought back becomes the table ``sightings``, and that the same conversations as of files."""

from __future__ import annotations

import csv
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cloudseg.errors import CollectError, InputError
from cloudseg.flows.columns import SIGHTINGS
from cloudseg.flows.conversations import check_output
from cloudseg.flows.coverage import FormatRead, counted, covered
from cloudseg.flows.database import connect, quoted
from cloudseg.flows.formats.containers import file_list
from cloudseg.flows.resolve import create_sightings
from cloudseg.flows.summarise import Progress, Summary, SummaryOptions, conclude

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duckdb import DuckDBPyConnection

    from cloudseg.flows.engines.interface import Engine

__all__ = ["COLUMNS", "explain", "load", "run", "write_rows"]

COLUMNS: Final = tuple(column.name for column in SIGHTINGS)


def write_rows(path: Path, rows: Iterable[Sequence[object]]) -> int:
    """Write rows with the columns of ``columns.SIGHTINGS`` as CSV; return how many there were.

    Raises:
        OSError: the file cannot be written.
    """
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for row in rows:
            out.writerow(row)
            count += 1
    return count


def load(database: DuckDBPyConnection, files: Sequence[Path], log: str) -> None:
    """Add CSV files with the columns of ``columns.SIGHTINGS`` to the table ``sightings``.

    Raises:
        CollectError: a file is not what was asked for.
    """
    from duckdb import Error

    if not files:
        return
    typed = ", ".join(f"{quoted(column.name)}: {quoted(column.type)}" for column in SIGHTINGS)
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    source = (
        f"READ_CSV({file_list(files)}, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
        f"auto_detect = false, columns = {{{typed}}}, strict_mode = true)"
    )
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            if tuple(next(csv.reader(file), ())) != COLUMNS:
                raise CollectError("the result of the query is not what was asked for: it has other columns")
    try:
        database.execute(f"INSERT INTO sightings SELECT {names}, {quoted(log)} FROM {source}")  # noqa: S608 -- quoted
    except Error as error:
        reason = str(error).partition("\n")[0]
        raise CollectError(
            f"the result of the query is not what was asked for, or was cut on the way: {reason}"
        ) from error


def run(engine: Engine, output: Path, options: SummaryOptions, progress: Progress | None = None) -> Summary:
    """Ask an engine, and write the conversations to a file, whole or not at all.

    Of ``options`` only what this machine may use counts: the time is the engine's own.

    Raises:
        InputError: the table is none of flow logs, nothing of the time that is asked for is in it, or the file cannot
            be written.
        CollectError: the query was refused or failed.
        CredentialsError: there are no credentials, or they are not accepted.
    """
    check_output(output)
    with tempfile.TemporaryDirectory(prefix="cloudseg-flows-", dir=options.temp) as name:
        folder = Path(name)
        spill = folder / "spill"
        spill.mkdir()
        question = engine.question()
        answer = engine.answer(folder, None if progress is None else lambda scanned: progress(scanned, None, 0))
        with closing(connect(options.memory, options.threads, spill)) as database:
            create_sightings(database)
            load(database, answer.files, question.log)
            found = counted(database)
            records = found.records + found.idle + found.skipped + found.bad + found.left_out
            if not records and not answer.losses:
                raise InputError(f"{engine.place}: no records of the time asked for are there; {_HINT}")
            read = FormatRead(question.log, question.title, 0, answer.scanned, records)
            coverage = covered(found, [read], answer.losses, answer.notes, (engine.window.since, engine.window.until))
            return conclude(database, coverage, output)


_HINT: Final = "widen --since and --until, and check with --explain that it is the table and its partitions are known"


def explain(engine: Engine) -> str:
    """Return the query as it would be sent, and in comments before it what it would read; nothing is scanned.

    Raises:
        CloudsegError: the table cannot be looked at, is no table of flow logs, or would be scanned as a whole.
    """
    question = engine.question()
    lines = [f"{question.title} in {engine.place}", *question.told]
    return "".join(f"{question.comment} {line}\n" for line in lines) + question.text + "\n"
