"""Files of flow logs: found in folders, told by what they hold, and put together where they are read alike."""

from __future__ import annotations

import glob
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self

from cloudseg.errors import ConfigError, InputError
from cloudseg.flows.database import connect
from cloudseg.flows.formats import FORMATS
from cloudseg.flows.formats.aws_fields import told_fields, unknown_field
from cloudseg.flows.formats.containers import Container, container_of, pattern, read_start
from cloudseg.flows.formats.interface import Format, Head
from cloudseg.text import amount

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from duckdb import DuckDBPyConnection

__all__ = ["Batch", "FileGroup", "Grouped", "LocalFiles", "LogFile", "LogSource", "Unreadable", "grouped", "log_fields"]

_SUFFIXES: Final = frozenset({"", ".gz", ".parquet", ".json", ".jsonl", ".ndjson", ".log", ".txt"})
_MARKERS: Final = frozenset({"_SUCCESS", "_metadata", "_common_metadata", "aws-logs-write-test"})


class LogFile(NamedTuple):
    """A file of flow logs on this machine.

    Attributes:
        path: where it lies; of a remote one, the copy.
        size: its bytes there, packed as it is.
        name: what people know it by: the path, or the address it was fetched from.
        fields: the fields of its lines, as the user told them for files without a header; () else.
    """

    path: Path
    size: int
    name: str
    fields: tuple[str, ...] = ()


class Unreadable(NamedTuple):
    """A file of which nothing could be read, and why, in words."""

    name: str
    reason: str


class Batch(NamedTuple):
    """Files that are there at the same time: copies go when the next batch is asked for.

    Attributes:
        files: what is to be read.
        losses: what should have been and could not be had.
        notes: what was passed over on purpose, in words.
    """

    files: tuple[LogFile, ...]
    losses: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()


class LogSource(Protocol):
    """Where flow logs come from: a folder, a bucket, a log group."""

    @property
    def name(self) -> str:
        """What people know it by."""
        ...

    @property
    def size(self) -> int | None:
        """How many bytes its files have together; None where that is not known before they are fetched."""
        ...

    def batches(self) -> Generator[Batch]:
        """Hand out the files, batch by batch. Who stops early closes the generator, so that copies are removed.

        Raises:
            CloudsegError: the source cannot be read at all.
        """
        ...


class FileGroup(NamedTuple):
    """Files that one query reads: of one format and shape, packed alike."""

    format: Format
    shape: tuple[str, ...]
    container: Container
    files: tuple[LogFile, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where they lie."""
        return tuple(file.path for file in self.files)


class Grouped(NamedTuple):
    """Files by how they are read, and those that cannot be."""

    groups: tuple[FileGroup, ...]
    losses: tuple[Unreadable, ...]


def log_fields(log_format: str | None) -> tuple[str, ...]:
    """Return the fields that ``--log-format`` names.

    Raises:
        ConfigError: it names none, or what is no field of AWS flow logs.
    """
    if log_format is None:
        return ()
    way_out = "write the fields as the flow log's settings have them: '${version} ${account-id} ${interface-id} …'"
    try:
        names = told_fields(log_format)
    except ValueError as error:
        raise ConfigError(f"--log-format: {error}; {way_out}") from error
    if wrong := unknown_field(names):
        raise ConfigError(f"--log-format: {wrong}; {way_out}")
    return names


class LocalFiles:
    """Files, folders and patterns on this machine: one batch, each file once.

    In a folder what is hidden, what writers leave there (``_SUCCESS``, ``*.crc``) and what has the suffix of
    something else is passed over; a file that is named, or matched by a pattern, is read whatever it is called.
    """

    def __init__(self, places: Sequence[str | Path], *, fields: tuple[str, ...] = ()) -> None:
        self.name = ", ".join(str(place) for place in places)
        self._fields = fields
        self._files: dict[Path, LogFile] = {}
        self._losses: list[Unreadable] = []
        self._passed: list[str] = []
        for place in places:
            self._take_place(Path(place))

    @property
    def size(self) -> int | None:
        """How many bytes the files have together."""
        return sum(file.size for file in self._files.values())

    def batches(self) -> Generator[Batch]:
        """Hand out all files at once, in order of their paths."""
        files = sorted(self._files.values(), key=lambda file: file.path)
        yield Batch(tuple(files), tuple(self._losses), self._notes())

    def _notes(self) -> tuple[str, ...]:
        if not self._passed:
            return ()
        some = ", ".join(self._passed[:3]) + (", …" if len(self._passed) > 3 else "")
        return (f"{amount(len(self._passed), 'file')} passed over that no flow log is named like: {some}",)

    def _take_place(self, place: Path) -> None:
        if place.is_dir():
            self._take_folder(place)
        elif place.exists() or place.is_symlink():
            self._take(place)
        elif glob.has_magic(str(place)):
            # pathlib knows no pattern that begins at the root, nor `**` that also matches nothing.
            matches = sorted(glob.glob(str(place), recursive=True))  # noqa: PTH207 -- see above
            if not matches:
                raise InputError(f"{place}: no file matches this pattern")
            for match in matches:
                self._take_place(Path(match))
        elif str(place) == "-":
            raise InputError("-: flow logs are read from files, and not from stdin; write them to a file and name that")
        else:
            raise InputError(f"{place}: there is no such file or folder")

    def _take_folder(self, folder: Path) -> None:
        seen: set[str] = set()
        for parent, folders, names in os.walk(folder, onerror=self._lose_folder, followlinks=True):
            real = os.path.realpath(parent)
            if real in seen:
                # A link back to a folder above would never end.
                folders.clear()
                continue
            seen.add(real)
            self._passed += [str(Path(parent, name)) for name in folders if name.startswith(".")]
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(parent, name)
                if _is_candidate(path):
                    self._take(path)
                else:
                    self._passed.append(str(path))

    def _lose_folder(self, error: OSError) -> None:
        self._losses.append(Unreadable(str(error.filename), _cause(error)))

    def _take(self, path: Path) -> None:
        try:
            told = path.stat()
            if not stat.S_ISREG(told.st_mode):
                self._losses.append(Unreadable(str(path), "it is no regular file, but a pipe or a device"))
                return
            real, size = path.resolve(strict=True), told.st_size
        except (OSError, RuntimeError) as error:
            self._losses.append(Unreadable(str(path), _cause(error)))
            return
        self._files.setdefault(real, LogFile(path, size, str(path), self._fields))


def _is_candidate(path: Path) -> bool:
    if path.name.startswith(".") or path.name in _MARKERS or path.suffix == ".crc":
        return False
    if path.suffix.lower() in _SUFFIXES:
        return True
    with suppress(OSError):
        return path.is_file() and container_of(path) != "text"
    return True


def _cause(error: OSError | RuntimeError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read: {error.strerror}"
    return f"it cannot be read: {error}"


def grouped(files: Iterable[LogFile]) -> Grouped:
    """Tell the format of each file by what it holds, and put together those that one query reads.

    The groups stand in the order of ``FORMATS``, those with more bytes first, the files in the order given.
    """
    found: dict[tuple[int, tuple[str, ...], Container], list[LogFile]] = {}
    losses: list[Unreadable] = []
    with _Columns() as columns:
        for file in files:
            try:
                container = container_of(file.path)
                names = columns.of(file.path) if container == "parquet" else ()
                head = Head(file.path, read_start(file.path, container), names, file.fields)
            except (OSError, _NoParquetError) as error:
                losses.append(
                    Unreadable(file.name, str(error) if isinstance(error, _NoParquetError) else _cause(error))
                )
                continue
            known = next(((n, s) for n, each in enumerate(FORMATS) if (s := each.shape(head)) is not None), None)
            if known is None:
                losses.append(Unreadable(file.name, _why_unknown(file, container, head)))
            elif lacking := FORMATS[known[0]].lacks(known[1]):
                losses.append(Unreadable(file.name, _why_lacking(FORMATS[known[0]], lacking)))
            else:
                found.setdefault((*known, container), []).append(file)
    order = sorted(found.items(), key=lambda item: (item[0][0], -sum(file.size for file in item[1]), item[0][1:]))
    return Grouped(
        tuple(FileGroup(FORMATS[n], shape, packed, tuple(held)) for (n, shape, packed), held in order), tuple(losses)
    )


def _why_lacking(of: Format, lacking: Sequence[str]) -> str:
    noun = "field" if len(lacking) == 1 else "fields"
    return (
        f"{of.title} without the {noun} {', '.join(lacking)}: nobody can tell from it who spoke to whom; have "
        "them logged (on AWS by a new flow log, since one cannot be changed)"
    )


def _why_unknown(file: LogFile, container: Container, head: Head) -> str:
    if file.size == 0:
        return "it is empty"
    if container == "parquet":
        return f"its columns are those of no flow log that is known here: {_shortly(', '.join(head.columns))}"
    if not head.start:
        return "nothing can be unpacked of it: the gzip stream is broken from its beginning"
    line = head.start.partition(b"\n")[0].decode("utf-8", "replace").strip()
    if file.fields:
        return f"its first line has not the {len(file.fields)} fields of --log-format: {_shortly(line)!r}"
    return (
        "it is no flow log that is known here; if its lines are AWS flow logs without a header, name their fields with "
        f"--log-format '${{version}} …'. It begins with {_shortly(line)!r}"
    )


def _shortly(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"


class _NoParquetError(Exception):
    """A file begins as Parquet and is none."""


class _Columns:
    """The columns of Parquet files; DuckDB is loaded when the first one is met."""

    def __init__(self) -> None:
        self._database: DuckDBPyConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()

    def of(self, path: Path) -> tuple[str, ...]:
        """Return the names of the columns of a Parquet file.

        Raises:
            InputError: DuckDB is not installed.
            _NoParquetError: the file is broken; the message says so.
        """
        self._database = self._database or connect(threads=1)
        from duckdb import Error

        try:
            found = self._database.read_parquet(pattern(path))
        except Error as error:
            if "magic bytes" in str(error) or "too small" in str(error):
                raise _NoParquetError(
                    "it is cut: the end of the Parquet file is missing, without which none of it can be read"
                ) from error
            raise _NoParquetError(f"it is no whole Parquet file: {_shortly(str(error))}") from error
        return tuple(found.columns)
