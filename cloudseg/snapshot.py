"""Snapshots: a cloud's own answers, as they came, on disk or in memory.

A snapshot is a folder or a zip of ``manifest.json`` and one JSON file an answer::

    <provider>/<scope>/<region or global>/<service>/<operation>.json
    <provider>/<scope>/<region or global>/<service>/<operation>/<resource>.json

The second form holds an answer about one resource. Every part of a name is percent-encoded where it has to be.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import quote, unquote

import msgspec

from cloudseg.archive import Archive, open_archive, write_folder, write_zip
from cloudseg.errors import SnapshotError

__all__ = [
    "MANIFEST",
    "PROVIDERS",
    "SCHEMA",
    "Manifest",
    "Part",
    "Reason",
    "ScopeRead",
    "Snapshot",
    "SnapshotGap",
    "load",
    "looks_like_snapshot",
    "merge",
    "save",
]

MANIFEST = "manifest.json"
SCHEMA = "cloudseg/snapshot/v1"
PROVIDERS = ("aws", "azure", "gcp", "kubernetes")
LONGEST_NAME = 200
"""Bytes of an encoded resource id in a file name; file systems take 255, and ``.json`` has to fit."""

Reason = Literal["denied", "throttled", "unsupported", "unreachable", "malformed", "not-found", "timeout", "skipped"]

_DEPTH = 5
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def _encoded(name: str) -> str:
    if name and not name.strip("."):
        return name.replace(".", "%2E")
    return quote(name, safe="")


class Part(msgspec.Struct, frozen=True):
    """Which answer: an operation of a service, asked in one region of one scope.

    ``region`` is ``global`` for what has none. ``resource`` names the one resource that the answer is about, and is
    None for a list. An id that encodes to more than 200 bytes is held as its SHA-256 in hex; the answer holds the id.
    """

    provider: str
    scope: str
    region: str
    service: str
    operation: str
    resource: str | None = None

    def __post_init__(self) -> None:
        if self.resource is not None and len(_encoded(self.resource)) > LONGEST_NAME:
            msgspec.structs.force_setattr(self, "resource", hashlib.sha256(self.resource.encode()).hexdigest())

    @property
    def path(self) -> str:
        """Where the answer lies in a snapshot, with ``/`` between the names."""
        names = [self.provider, self.scope, self.region, self.service, self.operation]
        if self.resource is not None:
            names.append(self.resource)
        return "/".join(map(_encoded, names)) + ".json"

    @staticmethod
    def at(path: str) -> "Part | None":
        """The part that lies at a path; None where the path is not in the layout."""
        names = path.removesuffix(".json").split("/")
        if not path.endswith(".json") or names[0] not in PROVIDERS or not all(names):
            return None
        if len(names) not in {_DEPTH, _DEPTH + 1}:
            return None
        return Part(*(unquote(name) for name in names))


class SnapshotGap(msgspec.Struct, frozen=True):
    """An answer that could not be had, and why."""

    provider: str
    scope: str
    region: str
    service: str
    operation: str
    resource: str | None
    reason: Reason
    detail: str


class ScopeRead(msgspec.Struct, frozen=True):
    """One account, subscription, project or cluster that was read: where, and as whom."""

    provider: str
    scope: str
    regions: tuple[str, ...]
    caller: str
    name: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """What a snapshot holds and lacks. ``taken_at`` is UTC, ISO 8601 with seconds; ``files`` are sorted paths."""

    taken_at: str
    tool: str
    scopes: tuple[ScopeRead, ...] = ()
    gaps: tuple[SnapshotGap, ...] = ()
    files: tuple[str, ...] = ()
    schema: str = SCHEMA


class _Schema(msgspec.Struct, frozen=True):
    schema: str = ""


def _order(part: Part) -> tuple[str, ...]:
    return (part.provider, part.scope, part.region, part.service, part.operation, part.resource or "")


class Snapshot:
    """The answers of one or more scopes. They are decoded when first read, and only once.

    ``manifest`` is None where the files came without one: ``scopes`` then follow from the paths, and ``taken_at`` is
    the time of the newest file. ``notes`` name the files that were skipped, each with its reason.
    """

    __slots__ = ("_answers", "_readers", "manifest", "notes", "scopes", "taken_at")

    def __init__(
        self,
        readers: Mapping[Part, Callable[[], object]],
        manifest: Manifest | None,
        taken_at: str,
        notes: Iterable[str] = (),
    ) -> None:
        self._readers = {part: readers[part] for part in sorted(readers, key=_order)}
        self._answers: dict[Part, object] = {}
        self.manifest = manifest
        self.notes = tuple(notes)
        self.taken_at = manifest.taken_at if manifest else taken_at
        self.scopes = manifest.scopes if manifest else _scopes_of(self._readers)

    @classmethod
    def of(cls, parts: Mapping[Part, object], manifest: Manifest | None = None) -> "Snapshot":
        """A snapshot in memory, of decoded answers. Without a manifest it is as old as the epoch."""
        snapshot = cls(dict.fromkeys(parts, _never_read), manifest, "1970-01-01T00:00:00Z")
        snapshot._answers.update(parts)
        return snapshot

    @property
    def gaps(self) -> tuple[SnapshotGap, ...]:
        """What could not be read, and why."""
        return self.manifest.gaps if self.manifest else ()

    def parts(self) -> Iterator[Part]:
        """Every part, sorted by its names."""
        return iter(self._readers)

    def __contains__(self, part: Part) -> bool:
        return part in self._readers

    def read(self, part: Part) -> object:
        """The decoded JSON of a part, unchanged; a bare array, as the vendor's CLI may write, stays one.

        Raises:
            SnapshotError: the part is not in the snapshot, or its file is broken.
        """
        if part not in self._answers:
            reader = self._readers.get(part)
            if reader is None:
                raise SnapshotError(f"{part.path} is not in the snapshot; collect again")
            self._answers[part] = reader()
        return self._answers[part]


def _never_read() -> NoReturn:
    raise SnapshotError("an answer in memory was lost")


def _scopes_of(parts: Iterable[Part]) -> tuple[ScopeRead, ...]:
    regions: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for part in parts:
        regions[part.provider, part.scope] |= {part.region} - {"global"}
    return tuple(
        ScopeRead(provider, scope, tuple(sorted(found)), "") for (provider, scope), found in sorted(regions.items())
    )


def _decode(archive: Archive, name: str) -> object:
    content = archive.read(name).removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.decode(content)
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}"
    except (msgspec.DecodeError, RecursionError) as error:
        problem = f"broken JSON: {error}"
    raise SnapshotError(
        f"{archive.path}: {name}: {problem}; collect again, or delete the file and its line in {MANIFEST}, "
        "so that it counts as not read"
    )


def _manifest(archive: Archive) -> Manifest:
    document = _decode(archive, MANIFEST)
    place = f"{archive.path}: {MANIFEST}"
    way_out = "collect again, or delete the manifest"
    try:
        schema = msgspec.convert(document, _Schema).schema
        if schema != SCHEMA:
            raise SnapshotError(f"{place}: schema is {schema!r}, this version reads {SCHEMA!r}; {way_out}")
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        raise SnapshotError(f"{place}: {error}; {way_out}") from error
    try:
        datetime.strptime(manifest.taken_at, _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise SnapshotError(
            f"{place}: taken_at is {manifest.taken_at!r}, not a time like 2026-01-31T12:00:00Z; {way_out}"
        ) from error
    missing = sorted(set(manifest.files) - set(archive.names))
    if missing:
        raise SnapshotError(
            f"{archive.path}: {missing[0]} is listed in {MANIFEST} and missing, as are {len(missing)} of "
            f"{len(manifest.files)} files: the snapshot is half-written; collect again, or take the lines of what "
            'is missing out of "files"'
        )
    return manifest


def load(path: Path | str) -> Snapshot:
    """Open a snapshot: a folder that holds provider folders, or a zip of one.

    Raises:
        SnapshotError: it is missing, truncated, half-written, of another version, or holds no answer.
    """
    archive = open_archive(Path(path))
    notes = list(archive.skipped)
    places: dict[Part, str] = {}
    for name in archive.names:
        part = Part.at(name)
        if part is not None and part not in places:
            places[part] = name
        elif part is not None:
            notes.append(f"{name}: the same part as {places[part]}")
        elif name != MANIFEST:
            notes.append(f"{name}: not a file of a snapshot")
    manifest = _manifest(archive) if MANIFEST in archive.names else None
    if not places and manifest is None:
        raise SnapshotError(
            f"{archive.path}: no answer in it; a snapshot holds files such as "
            "aws/111122223333/us-east-1/ec2/describe_vpcs.json"
        )
    readers = {part: _reader(archive, name) for part, name in places.items()}
    return Snapshot(readers, manifest, archive.newest, notes)


def _reader(archive: Archive, name: str) -> Callable[[], object]:
    return lambda: _decode(archive, name)


def looks_like_snapshot(path: Path | str) -> bool:
    """Whether a path is meant as a snapshot: a zip, or a folder with a manifest or provider folders in the layout."""
    place = Path(path)
    if not place.is_dir():
        return place.is_file() and (place.suffix == ".zip" or _starts_as_zip(place))
    if (place / MANIFEST).is_file():
        return True
    return any(
        next((place / name).glob("*/*/*/*.json"), None) or next((place / name).glob("*/*/*/*/*.json"), None)
        for name in PROVIDERS
    )


def _starts_as_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def save(snapshot: Snapshot, path: Path | str) -> None:
    """Write a snapshot, whole or not at all: to a zip where the path ends in ``.zip``, else to a folder.

    An older snapshot there is replaced. The same snapshot gives the same bytes.

    Raises:
        SnapshotError: the place cannot be written, or is a folder or file that is no snapshot.
    """
    place = Path(path)
    manifest = snapshot.manifest or Manifest(snapshot.taken_at, "", snapshot.scopes)
    manifest = msgspec.structs.replace(manifest, files=tuple(sorted(part.path for part in snapshot.parts())))
    if place.suffix == ".zip":
        taken_at = datetime.strptime(manifest.taken_at, _TIME).replace(tzinfo=UTC)
        write_zip(place, _files(snapshot, manifest), taken_at)
        return
    _refuse_foreign(place)
    write_folder(place, _files(snapshot, manifest))


def _files(snapshot: Snapshot, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    yield MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    for part in snapshot.parts():
        yield part.path, msgspec.json.encode(snapshot.read(part)) + b"\n"


def _refuse_foreign(place: Path) -> None:
    if place.exists() and not place.is_dir():
        raise SnapshotError(f"{place}: a file is there; choose another place, or a name that ends in .zip")
    if not place.is_dir():
        return
    archive = open_archive(place)
    foreign = [name for name in archive.names if name != MANIFEST and Part.at(name) is None]
    if foreign or archive.skipped:
        first = foreign[0] if foreign else archive.skipped[0]
        raise SnapshotError(f"{place}: holds other files ({first}), which would be lost; choose an empty or new folder")


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """One snapshot of several; where two hold the same part, the newer one's answer stands, with a note.

    The time is that of the newest. A gap that another snapshot fills is no gap any more.
    """
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.taken_at)
    readers: dict[Part, Callable[[], object]] = {}
    notes: list[str] = []
    scopes: dict[tuple[str, str], ScopeRead] = {}
    gaps: dict[SnapshotGap, None] = {}
    for snapshot in ordered:
        notes.extend(snapshot.notes)
        for part in snapshot.parts():
            if part in readers:
                notes.append(f"{part.path}: in several snapshots; the one of {snapshot.taken_at} stands")
            readers[part] = _read_from(snapshot, part)
        for scope in snapshot.scopes:
            key = (scope.provider, scope.scope)
            known = scopes.get(key)
            regions = set(scope.regions) | set(known.regions if known else ())
            scopes[key] = msgspec.structs.replace(scope, regions=tuple(sorted(regions)))
        gaps.update(dict.fromkeys(snapshot.gaps))
    left = tuple(gap for gap in gaps if Part(*_names(gap)) not in readers)
    taken_at = ordered[-1].taken_at if ordered else "1970-01-01T00:00:00Z"
    tools = sorted({snapshot.manifest.tool for snapshot in ordered if snapshot.manifest})
    files = tuple(sorted(part.path for part in readers))
    manifest = Manifest(taken_at, ", ".join(tools), tuple(scopes[key] for key in sorted(scopes)), left, files)
    return Snapshot(readers, manifest, taken_at, dict.fromkeys(notes))


def _names(gap: SnapshotGap) -> tuple[str, str, str, str, str, str | None]:
    return (gap.provider, gap.scope, gap.region, gap.service, gap.operation, gap.resource)


def _read_from(snapshot: Snapshot, part: Part) -> Callable[[], object]:
    return lambda: snapshot.read(part)
