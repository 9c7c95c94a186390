"""The file of conversations: Parquet with the columns of ``columns.CONVERSATIONS``, the coverage in its metadata."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from datetime import datetime  # noqa: TC003 -- msgspec reads the annotations of a row
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from cloudseg.errors import InputError
from cloudseg.flows.columns import CONVERSATIONS
from cloudseg.flows.coverage import Coverage
from cloudseg.flows.database import connect, execute, quoted
from cloudseg.flows.formats.containers import pattern

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

__all__ = [
    "SCHEMA",
    "Conversation",
    "Conversations",
    "check_output",
    "is_conversations",
    "read_conversations",
    "write_conversations",
]

SCHEMA: Final = "cloudseg/conversations/v1"
"""The version of the file. A file of a later version is refused: it may mean what this one cannot say."""

_KEY: Final = "cloudseg"
_MAGIC: Final = b"PAR1"
_TYPES: Final = {column.name: column.type for column in CONVERSATIONS}


class _Document(msgspec.Struct, frozen=True):
    """What stands in the metadata."""

    schema: str
    coverage: Coverage


class _Version(msgspec.Struct, frozen=True):
    schema: str


class Conversation(NamedTuple):
    """A row of the file; ``columns.CONVERSATIONS`` tells what each column means."""

    provider: str
    initiator: str
    responder: str
    protocol: int
    port: int | None
    initiator_port: int | None
    verdict: str
    initiator_interface: str | None
    responder_interface: str | None
    initiator_network: str | None
    responder_network: str | None
    initiator_scope: str | None
    responder_scope: str | None
    initiator_name: str | None
    responder_name: str | None
    observers: tuple[str, ...]
    middle: tuple[str, ...]
    rules: tuple[str, ...]
    connections: int
    records: int
    packets: int
    bytes: int
    packets_back: int
    bytes_back: int
    first_seen: datetime
    last_seen: datetime
    evidence: str
    confidence: str


class Conversations:
    """A file of conversations that was opened and found whole. Columns are read when they are first asked for.

    Attributes:
        path: where the file lies.
        coverage: what it rests on.
        count: how many conversations it holds.
    """

    def __init__(self, path: Path, coverage: Coverage, count: int) -> None:
        self.path = path
        self.coverage = coverage
        self.count = count
        self._columns: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return self.count

    def column(self, name: str) -> NDArray[Any]:
        """Return a column, in the order of the file.

        Texts are an array of objects (``str`` or None), numbers one of int64 with -1 for NULL (ports alone can be
        NULL), times one of ``datetime64[s]`` in UTC, lists one of objects (tuples of ``str``).

        Raises:
            KeyError: there is no such column.
            InputError: the file has been changed since, or cannot be read to its end.
        """
        if name not in self._columns:
            self._columns[name] = self._read(name)
        return self._columns[name]

    def rows(self) -> Iterator[Conversation]:
        """Go through all rows in Python, for small files and tests."""
        names = ", ".join(f'"{name}"' for name in _TYPES)
        with _opened(self.path) as database:
            cursor = database.execute(f"SELECT {names} FROM {_scan(self.path)}")  # noqa: S608 -- column names only
            while rows := cursor.fetchmany(10_000):
                for row in rows:
                    yield msgspec.convert(list(row), Conversation)

    def _read(self, name: str) -> NDArray[Any]:
        import numpy as np

        kind = _TYPES[name]
        with _opened(self.path) as database:
            if kind == "VARCHAR[]":
                return self._read_lists(database, name)
            value = {"INTEGER": f'COALESCE("{name}", -1)::BIGINT', "TIMESTAMP": f'"{name}"'}.get(kind, f'"{name}"')
            found = _fetched(database, f"SELECT {value} AS held FROM {_scan(self.path)}")  # noqa: S608 -- column names
        if kind == "VARCHAR":
            return _with_nulls(found) if isinstance(found, np.ma.MaskedArray) else found
        return found.astype("datetime64[s]") if kind == "TIMESTAMP" else found

    def _read_lists(self, database: DuckDBPyConnection, name: str) -> NDArray[Any]:
        import numpy as np

        query = f'SELECT array_to_string("{name}", chr(10)) AS held FROM {_scan(self.path)}'  # noqa: S608
        texts = _fetched(database, query).tolist()
        # Few lists differ: each is made once.
        held = {text: tuple(text.split("\n")) if text else () for text in set(texts)}
        return np.fromiter(map(held.__getitem__, texts), dtype=object, count=len(texts))


def _with_nulls(found: Any) -> NDArray[Any]:  # noqa: ANN401 - an array with a mask where there are NULLs
    import numpy as np

    # To be filled with None means to be filled with numpy's own "?".
    held = np.array(found.data, dtype=object)
    held[np.ma.getmaskarray(found)] = None
    return held


def _fetched(database: DuckDBPyConnection, query: str) -> NDArray[Any]:
    # The stub names arrays of unknown things.
    held = cast("dict[str, NDArray[Any]]", database.execute(query).fetchnumpy())  # pyright: ignore[reportUnknownMemberType]
    return held["held"]


def read_conversations(path: Path) -> Conversations:
    """Open a file of conversations.

    Raises:
        InputError: there is none, it is something else, it is cut, or it is of a later version.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; `cloudseg flows LOG... -o {path.name}` makes one")
    with _opened(path) as database:
        metadata = database.execute(f"SELECT key, value FROM parquet_kv_metadata({_pattern(path)})").fetchall()  # noqa: S608
        described = database.execute(f"DESCRIBE SELECT * FROM {_scan(path)}").fetchall()  # noqa: S608
        (count,) = database.execute(f"SELECT COUNT(*) FROM {_scan(path)}").fetchall()[0]  # noqa: S608
    coverage = _coverage(path, {bytes(key): bytes(value) for key, value in metadata})
    if {row[0]: row[1] for row in described} != _TYPES:
        raise InputError(f"{path}: its columns are not those of {SCHEMA}; make it again with `cloudseg flows`")
    return Conversations(path, coverage, count)


def _coverage(path: Path, metadata: dict[bytes, bytes]) -> Coverage:
    text = metadata.get(_KEY.encode())
    if text is None:
        raise InputError(
            f"{path}: a Parquet file, but not one of conversations; `cloudseg flows {path} -o conversations.parquet` "
            "makes one if it holds flow logs"
        )
    try:
        version = msgspec.json.decode(text, type=_Version).schema
        if version != SCHEMA:
            raise InputError(f"{path}: it is of version {version}, and this program reads {SCHEMA}; make it again")
        return msgspec.json.decode(text, type=_Document).coverage
    except msgspec.DecodeError as error:
        raise InputError(
            f"{path}: its coverage cannot be read ({error}); make it again with `cloudseg flows`"
        ) from error


@contextmanager
def _opened(path: Path) -> Generator[DuckDBPyConnection]:
    """A database to read the file with; what DuckDB cannot read becomes an error that names the file."""
    database = connect()
    from duckdb import Error

    try:
        # Columns are read one by one: without this, threads hand out parts of a large file in any order.
        database.execute("SET preserve_insertion_order = true")
        yield database
    except Error as error:
        raise InputError(f"{path}: {_why(path, error)}") from error
    finally:
        database.close()


def _why(path: Path, error: Exception) -> str:
    with suppress(OSError), path.open("rb") as file:
        if file.read(4) != _MAGIC:
            return "no file of conversations; `cloudseg flows LOG... -o FILE` makes one of flow logs"
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - len(_MAGIC), len(_MAGIC)))
        if file.read() != _MAGIC:
            return "it is cut: its end is missing, without which none of it can be read; make it again"
    return f"it cannot be read: {str(error).partition(chr(10))[0]}"


def _pattern(path: Path) -> str:
    return quoted(pattern(path))


def _scan(path: Path) -> str:
    return f"read_parquet({_pattern(path)})"


def check_output(path: Path) -> None:
    """Make sure that a file can be written, before hours are spent on what goes into it.

    Raises:
        InputError: it is a folder, or stands in one that is not there or not this user's to write to.
    """
    if path.is_dir():
        raise InputError(f"{path}: a folder; name the file to write, as {path / 'conversations.parquet'}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: this user may not write into {path.parent}")


def is_conversations(path: Path) -> bool:
    """Return whether a file is one of conversations, of whatever version: so says the end of it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < 3 * len(_MAGIC):
            return False
        file.seek(-2 * len(_MAGIC), os.SEEK_END)
        # The end of Parquet: the metadata, their length in four bytes, the magic word.
        length = int.from_bytes(file.read(len(_MAGIC)), "little")
        if file.read() != _MAGIC or length > size - 2 * len(_MAGIC):
            return False
        file.seek(-length - 2 * len(_MAGIC), os.SEEK_END)
        return SCHEMA.rpartition("/")[0].encode() in file.read(length)


def write_conversations(database: DuckDBPyConnection, ordered: str, coverage: Coverage, path: Path) -> None:
    """Write what a SELECT gives, whole or not at all: under another name first, for its owner alone.

    Raises:
        InputError: the file cannot be written.
    """
    document = msgspec.json.encode(_Document(SCHEMA, coverage)).decode()
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    from duckdb import IOException

    held = Path(name)
    try:
        # Else the threads that write a large file hand out its parts in any order.
        database.execute("SET preserve_insertion_order = true")
        execute(
            database,
            f"COPY ({ordered}) TO {quoted(name)} "
            f"(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, KV_METADATA {{{_KEY}: {quoted(document)}}})",
        )
        held.replace(path)
    except (IOException, OSError) as error:
        raise InputError(f"{path}: cannot be written: {str(error).partition(chr(10))[0]}") from error
    finally:
        held.unlink(missing_ok=True)
