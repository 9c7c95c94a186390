"""A tree of named files, kept as a folder or as a zip: read without trusting it, written whole or not at all.

What is written is for its owner alone, files with mode 0600 and folders with 0700: an estate's inventory tells an
intruder where to go.
"""

import io
import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import NoReturn

import msgspec

from cloudseg.errors import SnapshotError

__all__ = ["Archive", "check_place", "open_archive", "write_folder", "write_zip"]

LARGEST_ENTRY = 1 << 30
"""Bytes that one file may hold after unpacking: more is no recorded answer but an attempt to exhaust memory."""

HIGHEST_RATIO = 500
"""Unpacked bytes for each packed one, allowed to entries over a mebibyte; repetitive JSON stays well below."""

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_WRITTEN_AT_ONCE = 8
"""Files that are brought to the disk at the same time."""
_MOST_UNDER_WAY = 64
"""Files that are held in memory until the disk has them."""


class Archive(msgspec.Struct, frozen=True):
    """The files of a folder or zip: their names with ``/`` between the parts, and how to read each.

    ``skipped`` says which entries were left out, and why. ``newest`` is the time of the last change in UTC,
    as ISO 8601 with seconds.
    """

    path: Path
    names: tuple[str, ...]
    skipped: tuple[str, ...]
    newest: str
    read: Callable[[str], bytes]


def open_archive(path: Path) -> Archive:
    """List a folder or zip; nothing is unpacked to disk and nothing is read before it is asked for.

    Raises:
        SnapshotError: it does not exist, is neither folder nor zip, is truncated, a folder in it cannot be listed, or
            an entry is a zip bomb.
    """
    try:
        if path.is_dir():
            return _open_folder(path)
        if not path.exists():
            raise SnapshotError(f"{path}: there is no such file or folder; name a snapshot, or a source such as aws")
        if not path.is_file():
            raise SnapshotError(f"{path}: neither a folder nor a file; a snapshot is a folder or a zip")
        return _open_zip(path)
    except OSError as error:
        place = error.filename or path
        raise SnapshotError(
            f"{place}: cannot be read: {error.strerror}; let this user read it, or leave it out of the snapshot"
        ) from error


def _utc(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _open_folder(root: Path) -> Archive:
    names: list[str] = []
    skipped: list[str] = []
    newest = 0.0
    # What lies in a folder that cannot be listed would be missing without a word.
    for folder, folders, files in os.walk(root, onerror=_raise, followlinks=False):
        here = Path(folder)
        for name in [name for name in folders if (here / name).is_symlink()]:
            folders.remove(name)
            skipped.append(f"{(here / name).relative_to(root).as_posix()}: a symbolic link is not followed")
        for name in files:
            file = here / name
            label = file.relative_to(root).as_posix()
            status = file.lstat()
            if stat.S_ISLNK(status.st_mode):
                skipped.append(f"{label}: a symbolic link is not followed")
            elif not stat.S_ISREG(status.st_mode):
                skipped.append(f"{label}: not a regular file")
            else:
                names.append(label)
                newest = max(newest, status.st_mtime)

    def read(name: str) -> bytes:
        try:
            return (root / name).read_bytes()
        except OSError as error:
            raise SnapshotError(f"{root}: {name} cannot be read: {error.strerror}") from error

    return Archive(root, tuple(sorted(names)), tuple(sorted(skipped)), _utc(newest), read)


def _raise(error: OSError) -> NoReturn:
    raise error


def _open_zip(path: Path) -> Archive:
    # The packed bytes are kept, so that no handle stays open for as long as the snapshot lives.
    content = path.read_bytes()
    if path.suffix != ".zip" and not zipfile.is_zipfile(io.BytesIO(content)) and not content.startswith(b"PK"):
        raise SnapshotError(
            f"{path}: neither a folder nor a zip; a snapshot is one of them, as `cloudseg collect` writes it"
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise SnapshotError(
            f"{path}: not a complete zip ({error}); it is truncated or no snapshot: copy or collect it again"
        ) from error
    entries: dict[str, zipfile.ZipInfo] = {}
    skipped: list[str] = []
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        reason = _unsafe(entry) or ("a second entry of this name" if entry.filename in entries else None)
        if reason:
            skipped.append(f"{entry.filename!r}: {reason}")
            continue
        _refuse_bomb(path, entry)
        entries[entry.filename] = entry
    newest = max((entry.date_time for entry in entries.values()), default=(1980, 1, 1, 0, 0, 0))

    def read(name: str) -> bytes:
        try:
            return archive.read(entries[name])
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise SnapshotError(
                f"{path}: {name} cannot be unpacked ({error}); the zip is damaged or encrypted: collect again"
            ) from error

    year, month, day, hour, minute, second = newest
    stamp = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    return Archive(path, tuple(sorted(entries)), tuple(sorted(skipped)), stamp, read)


def _unsafe(entry: zipfile.ZipInfo) -> str | None:
    # ZipInfo cuts names at a NUL and turns the separator of this system into "/"; orig_filename is what was written.
    name = entry.orig_filename
    if "\\" in name or "\x00" in name:
        return "a name with a backslash or NUL"
    if name.startswith("/") or ":" in name.split("/", 1)[0]:
        return "an absolute name"
    if any(part in {"", ".", ".."} for part in name.split("/")):
        return "a name that leads outside the zip"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "a symbolic link is not followed"
    return None


def _refuse_bomb(path: Path, entry: zipfile.ZipInfo) -> None:
    packed = max(entry.compress_size, 1)
    if entry.file_size > LARGEST_ENTRY or (entry.file_size > 1 << 20 and entry.file_size > HIGHEST_RATIO * packed):
        raise SnapshotError(
            f"{path}: {entry.filename} claims {entry.file_size:,} bytes from {entry.compress_size:,}; "
            "such an entry is refused: collect again"
        )


def check_place(path: Path, *, folder: bool) -> None:
    """Make sure that a folder or a zip can be written to a place, as far as that can be known beforehand.

    Raises:
        SnapshotError: the folder around it is missing or cannot be written, a file is where a folder is to be or the
            other way round, or the folder cannot be replaced.
    """
    with _reported(path):
        if not path.parent.is_dir():
            raise SnapshotError(f"{path}: there is no folder {path.parent}; make it, or choose another place")
        if path.exists() and not (path.is_dir() or path.is_file()):
            raise SnapshotError(f"{path}: a pipe or a device is there, which is never replaced; choose another place")
        if folder and path.exists() and not path.is_dir():
            raise SnapshotError(f"{path}: a file is there; choose another place, or a name that ends in .zip")
        if not folder and path.is_dir():
            raise SnapshotError(f"{path}: a folder is there; choose another name for the zip")
        if path.is_dir():
            _refuse_fixed(path)
        Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent)).rmdir()


def _refuse_fixed(path: Path) -> None:
    real, working = Path(os.path.realpath(path)), Path.cwd()
    if os.path.ismount(real) or real in {working, *working.parents}:
        raise SnapshotError(f"{path}: this folder is in use and cannot be replaced; name a new folder inside it")
    if not os.access(path, os.W_OK):
        raise SnapshotError(f"{path}: cannot be written: no permission; choose another place")


def write_zip(path: Path, files: Iterable[tuple[str, bytes]], taken_at: datetime) -> None:
    """Write a zip whose bytes depend on nothing but the files and the time given.

    Raises:
        SnapshotError: the place cannot be written.
    """
    date = (max(taken_at.year, 1980), taken_at.month, taken_at.day, taken_at.hour, taken_at.minute, taken_at.second)
    with _reported(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                    for label, content in files:
                        entry = zipfile.ZipInfo(label, date)
                        entry.create_system = 3
                        entry.external_attr = (stat.S_IFREG | 0o600) << 16
                        entry.compress_type = zipfile.ZIP_DEFLATED
                        archive.writestr(entry, content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_folder(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write a folder beside its place, then move it there; an existing one is replaced.

    Raises:
        SnapshotError: the place cannot be written.
    """
    with _reported(path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            new = temporary / "new"
            new.mkdir(mode=0o700)
            # A file system brings many files to the disk at once in hardly more time than one: waiting for each alone
            # would be most of what saving takes.
            with ThreadPoolExecutor(_WRITTEN_AT_ONCE) as pool:
                under_way: deque[Future[None]] = deque()
                for label, content in files:
                    file = new.joinpath(*PurePosixPath(label).parts)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    under_way.append(pool.submit(_write, file, content))
                    if len(under_way) > _MOST_UNDER_WAY:
                        under_way.popleft().result()
                for each in under_way:
                    each.result()
            if path.exists():
                path.rename(temporary / "old")
            new.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, _NEW_FILE, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _reported(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be written: {error.strerror}; choose another place") from error
