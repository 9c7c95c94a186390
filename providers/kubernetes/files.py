"""Which files hold manifests, and what they say as text."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO, TypeAlias

from cloudseg.json_text import printable
from cloudseg.snapshot import MANIFEST, PROVIDERS, looks_like_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.snapshot import Reason

__all__ = [
    "LARGEST_FILE",
    "STANDARD_INPUT",
    "File",
    "Skipped",
    "Source",
    "files_of",
    "is_snapshot",
    "read",
    "utc",
    "wraps_snapshot",
]

Source: TypeAlias = Path | TextIO

SUFFIXES: Final = (".yaml", ".yml", ".json")
STANDARD_INPUT: Final = "standard input"
LARGEST_FILE: Final = 1 << 30
"""Bytes of one file: what is larger was not written for a cluster."""
_LATEST: Final = 253402300799
"""The last second that a time of four digits for the year can tell."""
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_TAKEN_AS_MANIFEST: Final = b"cloudseg/"


class File(NamedTuple):
    """One file to read.

    Attributes:
        label: how it is called in messages and places.
        source: its path, or an open stream.
        found: it was found in a folder, and not named itself.
    """

    label: str
    source: Source
    found: bool = False


class Skipped(NamedTuple):
    """Something that was not read, and why; without a reason nothing is lost."""

    label: str
    problem: str
    reason: Reason | None = None


def files_of(source: Source) -> Iterator[File | Skipped]:
    """Yield the files that a source stands for, in the order in which kubectl reads a folder."""
    if not isinstance(source, Path):
        yield File(STANDARD_INPUT, source)
    elif source.is_dir():
        yield from _in_folder(source)
    else:
        yield File(printable(str(source)), source)


def _in_folder(root: Path) -> Iterator[File | Skipped]:
    found: list[Path] = []
    skipped: list[Skipped] = []
    hidden: set[str] = set()

    def unlisted(error: OSError) -> None:
        skipped.append(_unread(Path(error.filename or root), error))

    for folder, folders, names in os.walk(root, onerror=unlisted):
        here = Path(folder)
        hidden.update(name for name in folders if name.startswith("."))
        shown = [name for name in folders if not name.startswith(".")]
        links = [name for name in shown if (here / name).is_symlink()]
        skipped += (_linked(here / name, root) for name in links)
        snapshots = [name for name in shown if name not in links and is_snapshot(here / name)]
        skipped += (Skipped(printable(str(here / name)), "a snapshot; name it as a source") for name in snapshots)
        folders[:] = [name for name in shown if name not in links and name not in snapshots]
        # Files that begin with ._ hold what another file system could not store in the file itself.
        found += (here / name for name in names if name.endswith(SUFFIXES) and not name.startswith("._"))
    if hidden:
        listed = ", ".join(map(printable, sorted(hidden)[:5]))
        skipped.append(Skipped(printable(str(root)), f"folders whose names begin with a dot are not read: {listed}"))
    yield from (File(printable(str(path)), path, found=True) for path in sorted(found, key=lambda path: path.parts))
    yield from skipped


def _linked(link: Path, root: Path) -> Skipped:
    """Tell of a link to a folder, which could lead in circles; what lies beneath the root is read there."""
    label = printable(str(link))
    target, top = Path(os.path.realpath(link)), Path(os.path.realpath(root))
    inside = target == top or top in target.parents
    shown = inside and not any(part.startswith(".") for part in target.relative_to(top).parts)
    if shown and target.is_dir():
        return Skipped(label, "a link to a folder that is read in its own place")
    return Skipped(label, "a link to another folder is not followed; name that folder as a source", "skipped")


def read(file: File) -> tuple[str, float | None] | Skipped:
    """Return the text of a file and the time of its last change in seconds, None for a stream; or why there is none."""
    if not isinstance(file.source, Path):
        return _text(file.label, _streamed(file.source), None)
    try:
        status = file.source.stat()
        regular = stat.S_ISREG(status.st_mode)
        # Nobody need be at the other end of a pipe that happens to lie in a folder; one that is named is meant.
        if file.found and not regular:
            return Skipped(file.label, "not a regular file", "skipped")
        with file.source.open("rb") as stream:
            # Room for as much as is asked for is made beforehand, so that only what may be too large asks for the most.
            content = stream.read() if status.st_size <= LARGEST_FILE and regular else stream.read(LARGEST_FILE + 1)
    except OSError as error:
        return _unread(file.source, error)
    return _text(file.label, content, status.st_mtime if regular else None)


def _streamed(stream: TextIO) -> bytes:
    raw = getattr(stream, "buffer", None)
    return raw.read(LARGEST_FILE + 1) if raw is not None else stream.read().encode("utf-8", "surrogatepass")


def _text(label: str, content: bytes, changed: float | None) -> tuple[str, float | None] | Skipped:
    if len(content) > LARGEST_FILE:
        return Skipped(label, f"larger than {LARGEST_FILE >> 20:,} MiB", "skipped")
    try:
        text = content.decode(_MARKS.get(content[:2], "utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Skipped(f"{label}:{line}", f"no text: not {error.encoding.upper()} at byte {error.start}", "malformed")
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        return Skipped(f"{label}:{line}", "no text: it holds a NUL", "malformed")
    return text, changed


def _unread(path: Path, error: OSError) -> Skipped:
    reasons: dict[type[OSError], Reason] = {PermissionError: "denied", FileNotFoundError: "not-found"}
    return Skipped(printable(str(path)), f"cannot be read: {error.strerror}", reasons.get(type(error), "unreachable"))


def is_snapshot(path: Path) -> bool:
    """Tell whether a path is meant as a snapshot.

    A folder of manifests may look like one, where it holds a ``manifest.json`` of its own or a folder ``kubernetes``.
    """
    if not looks_like_snapshot(path):
        return False
    if not path.is_dir():
        return True
    if any(next(path.glob(f"{name}/*/*/*/*.json"), None) for name in PROVIDERS if name != "kubernetes"):
        return True
    if any(next(path.glob(f"{name}/*/*/*/*/*.json"), None) for name in PROVIDERS if name != "kubernetes"):
        return True
    if next(path.glob("kubernetes/*/global/*/*.json"), None):
        return True
    try:
        return _TAKEN_AS_MANIFEST in (path / MANIFEST).read_bytes()
    except OSError:
        return False


def wraps_snapshot(path: Path) -> bool:
    """Tell whether a folder holds nothing but a snapshot in a folder of its own, as packers leave it."""
    if not path.is_dir():
        return False
    try:
        inside = [each for each in path.iterdir() if not each.name.startswith(".")]
    except OSError:
        return False
    others = [each for each in inside if not (each.is_dir() and is_snapshot(each))]
    # Beside the snapshot, JSON in folders may be anything, but YAML is manifests.
    return len(others) < len(inside) and not any(
        next(each.rglob("*.y*ml"), None) if each.is_dir() else each.name.endswith(SUFFIXES) for each in others
    )


def utc(times: Iterable[float]) -> str:
    """Return the newest of some times in seconds, as ISO 8601 in UTC with seconds."""
    newest = min(max((0.0, *times)), _LATEST)
    return datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
