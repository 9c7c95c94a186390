"""Snapshots: a cloud's own answers, as they came, on disk or in memory.

A snapshot is a folder or a zip of ``manifest.json`` and one JSON file an answer::

    <provider>/<scope>/<region or global>/<service>/<operation>.json
    <provider>/<scope>/<region or global>/<service>/<operation>/<resource>.json

The second form holds an answer about one resource. Every part of a name is percent-encoded where it has to be.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote

import msgspec

from cloudseg.errors import SnapshotError
from cloudseg.json_text import decoded, printable, well_formed

if TYPE_CHECKING:
    from cloudseg.archive import Archive

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
    "check_writable",
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
_MOST_NOTES = 100
"""Notes on the files of one snapshot: a folder that holds much else is told by its first ones, and how many more."""
_SCHEMAS = SCHEMA.rpartition("/")[0] + "/"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_LEFT_OUT = f"collect again, or delete the file and its line in {MANIFEST}, so that it counts as not read"


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
        if self.resource is None:
            return
        if not self.resource.isascii():
            msgspec.structs.force_setattr(self, "resource", well_formed(self.resource))
        if len(_encoded(self.resource)) > LONGEST_NAME:
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
        if len(names) not in {_DEPTH, _DEPTH + 1} or printable(path) != path:
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
    the time of the newest file. To the scopes of a manifest come those of the files that it does not know of.
    ``notes`` name the files that were skipped, each with its reason.
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
        self.scopes = _united((*(manifest.scopes if manifest else ()), *_scopes_of(self._readers)))

    @classmethod
    def of(cls, parts: Mapping[Part, object], manifest: Manifest | None = None) -> "Snapshot":
        """A snapshot in memory, of decoded answers. Without a manifest it is as old as the epoch."""
        readers = {part: partial(well_formed, answer) for part, answer in parts.items()}
        return cls(readers, manifest, "1970-01-01T00:00:00Z")

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
        """The decoded JSON of a part; a bare array, as the vendor's CLI may write, stays one.

        Nothing is changed but halves of characters, which no report could hold: U+FFFD stands for each.

        Raises:
            SnapshotError: the part is not in the snapshot, or its file is broken.
        """
        if part not in self._answers:
            reader = self._readers.get(part)
            if reader is None:
                raise SnapshotError(f"{part.path} is not in the snapshot; collect again")
            self._answers[part] = reader()
        return self._answers[part]


def _scopes_of(parts: Iterable[Part]) -> tuple[ScopeRead, ...]:
    regions: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for part in parts:
        regions[part.provider, part.scope] |= {part.region} - {"global"}
    return tuple(
        ScopeRead(provider, scope, tuple(sorted(found)), "") for (provider, scope), found in sorted(regions.items())
    )


def _united(scopes: Iterable[ScopeRead]) -> tuple[ScopeRead, ...]:
    """Return one entry a scope, with the regions of all of its entries; the first one tells the rest."""
    found: dict[tuple[str, str], ScopeRead] = {}
    for scope in scopes:
        known = found.setdefault((scope.provider, scope.scope), scope)
        if not set(scope.regions) <= set(known.regions):
            regions = tuple(sorted({*known.regions, *scope.regions}))
            found[scope.provider, scope.scope] = msgspec.structs.replace(known, regions=regions)
    return tuple(found.values())


def _decode(archive: "Archive", name: str, way_out: str) -> object:
    content = archive.read(name).removeprefix(b"\xef\xbb\xbf")
    try:
        return decoded(content)
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}"
    except (msgspec.DecodeError, RecursionError) as error:
        problem = f"broken JSON: {error}"
    raise SnapshotError(f"{archive.path}: {name}: {problem}; {way_out}")


def _manifest(archive: "Archive") -> Manifest:
    place = f"{archive.path}: {MANIFEST}"
    way_out = "collect again, or delete the manifest: scopes and regions then follow from the paths of the files"
    document = _decode(archive, MANIFEST, way_out)
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
        more = f", as are {len(missing) - 1} more of {len(manifest.files)} files" if len(missing) > 1 else ""
        raise SnapshotError(
            f"{archive.path}: {missing[0]} is listed in {MANIFEST} and missing{more}: the snapshot is half-written; "
            'collect again, or take the lines of what is missing out of "files"'
        )
    return manifest


def load(path: Path | str) -> Snapshot:
    """Open a snapshot: a folder that holds provider folders, or a zip of one.

    A folder around it all, as packers put it into a zip, is passed over with a note.

    Raises:
        SnapshotError: it is missing, truncated, half-written, of another version, holds no answer, or cannot be read.
    """
    # Packing, and unpacking in threads, load late: manifests need neither.
    from cloudseg.archive import open_archive

    archive, notes = _unwrapped(open_archive(Path(path)))
    notes.extend(archive.skipped)
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
    unlisted = sorted(set(places.values()) - set(manifest.files)) if manifest and manifest.files else []
    if unlisted:
        notes.insert(0, f"{_and_more(unlisted)}: not listed in {MANIFEST}, and part of the snapshot all the same")
    if len(notes) > _MOST_NOTES:
        notes[_MOST_NOTES:] = [f"{archive.path}: {len(notes) - _MOST_NOTES} more files were skipped"]
    readers = {part: partial(_decode, archive, name, _LEFT_OUT) for part, name in places.items()}
    return Snapshot(readers, manifest, archive.newest, map(printable, notes))


def _unwrapped(archive: "Archive") -> "tuple[Archive, list[str]]":
    """Return the archive as seen from the one folder that holds the snapshot, where it does not lie at the top."""
    beneath = [(top, rest) for top, _, rest in (name.partition("/") for name in archive.names) if Part.at(rest)]
    tops = sorted({top for top, _ in beneath})
    at_top = [name for name in archive.names if Part.at(name)]
    if not tops or MANIFEST in archive.names:
        return archive, []
    # A folder that is named like a provider makes answers look like answers about one resource; its manifest tells.
    within = [name for name in at_top if Part.at(name.partition("/")[2])]
    if at_top and (within != at_top or len(tops) > 1 or f"{tops[0]}/{MANIFEST}" not in archive.names):
        return archive, []
    if len(tops) > 1:
        raise SnapshotError(f"{archive.path}: holds several snapshots ({', '.join(tops)}); name each as a source")
    head = f"{tops[0]}/"
    notes = [f"{head}: the snapshot lies in this folder"]
    notes += [f"{name}: not a file of a snapshot" for name in archive.names if not name.startswith(head)]
    names = tuple(name.removeprefix(head) for name in archive.names if name.startswith(head))

    def read(name: str) -> bytes:
        return archive.read(head + name)

    return msgspec.structs.replace(archive, names=names, read=read), notes


def _and_more(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


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

    An older snapshot there is replaced; through a symbolic link, that which it leads to. The same snapshot gives the
    same bytes. It is an account's inventory, so only its owner may read it: files get mode 0600, the folder 0700.

    Raises:
        SnapshotError: the place cannot be written, or is a folder or file that is no snapshot.
    """
    from cloudseg.archive import write_folder, write_zip

    check_writable(path)
    place, zipped = _target(path)
    files = tuple(sorted(part.path for part in snapshot.parts()))
    manifest = snapshot.manifest or Manifest(snapshot.taken_at, "")
    manifest = msgspec.structs.replace(manifest, scopes=snapshot.scopes, files=files)
    if zipped:
        taken_at = datetime.strptime(manifest.taken_at, _TIME).replace(tzinfo=UTC)
        write_zip(place, _files(snapshot, manifest), taken_at)
        return
    write_folder(place, _files(snapshot, manifest))


def _files(snapshot: Snapshot, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    yield MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    for part in snapshot.parts():
        yield part.path, msgspec.json.encode(snapshot.read(part)) + b"\n"


def check_writable(path: Path | str) -> None:
    """Make sure that :func:`save` can write to a place, before a collection that takes long.

    Raises:
        SnapshotError: the folder around it is missing or cannot be written, or a folder or file is there that is no
            snapshot, or no snapshot alone.
    """
    from cloudseg.archive import check_place, open_archive

    place, zipped = _target(path)
    check_place(place, folder=not zipped)
    if not place.exists() or (zipped and not place.stat().st_size):
        return
    way_out = "choose another name" if zipped else "choose an empty or new folder"
    try:
        archive = open_archive(place)
    except SnapshotError as error:
        raise SnapshotError(f"{place}: is there and no snapshot that could be replaced; {way_out}") from error
    foreign = [name for name in archive.names if name != MANIFEST and Part.at(name) is None]
    if foreign or archive.skipped:
        first = printable(foreign[0] if foreign else archive.skipped[0])
        raise SnapshotError(f"{place}: holds other files ({first}), which would be lost; {way_out}")
    if MANIFEST in archive.names and not _is_ours(archive):
        raise SnapshotError(f"{place}: its {MANIFEST} is not that of a snapshot, and would be lost; {way_out}")


def _target(path: Path | str) -> tuple[Path, bool]:
    """Return where to write, past a symbolic link, and whether a zip."""
    place = Path(path)
    try:
        linked = place.is_symlink()
    except OSError:
        # A name that is too long, which whoever writes to it is told.
        linked = False
    return Path(os.path.realpath(place)) if linked else place, place.suffix == ".zip"


def _is_ours(archive: "Archive") -> bool:
    try:
        return msgspec.convert(_decode(archive, MANIFEST, ""), _Schema).schema.startswith(_SCHEMAS)
    except (SnapshotError, msgspec.ValidationError):
        return False


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """One snapshot of several; where two hold the same part, the newer one's answer stands, with a note.

    The time is that of the newest. A gap that another snapshot fills is no gap any more.
    """
    ordered = sorted(snapshots, key=lambda snapshot: snapshot.taken_at)
    readers: dict[Part, Callable[[], object]] = {}
    notes: list[str] = []
    replaced: dict[Part, str] = {}
    scopes: dict[tuple[str, str], ScopeRead] = {}
    gaps: dict[SnapshotGap, None] = {}
    for snapshot in ordered:
        notes.extend(snapshot.notes)
        for part in snapshot.parts():
            if part in readers:
                replaced[part] = snapshot.taken_at
            readers[part] = partial(snapshot.read, part)
        for scope in snapshot.scopes:
            key = (scope.provider, scope.scope)
            known = scopes.get(key)
            regions = set(scope.regions) | set(known.regions if known else ())
            scopes[key] = msgspec.structs.replace(scope, regions=tuple(sorted(regions)))
        gaps.update(dict.fromkeys(snapshot.gaps))
    for standing in sorted(set(replaced.values())):
        paths = sorted(part.path for part, time in replaced.items() if time == standing)
        notes.append(f"{_and_more(paths)}: in several snapshots; the one of {standing} stands")
    left = tuple(gap for gap in gaps if Part(*_names(gap)) not in readers)
    taken_at = ordered[-1].taken_at if ordered else "1970-01-01T00:00:00Z"
    tools = sorted({snapshot.manifest.tool for snapshot in ordered if snapshot.manifest})
    files = tuple(sorted(part.path for part in readers))
    manifest = Manifest(taken_at, ", ".join(tools), tuple(scopes[key] for key in sorted(scopes)), left, files)
    return Snapshot(readers, manifest, taken_at, dict.fromkeys(notes))


def _names(gap: SnapshotGap) -> tuple[str, str, str, str, str, str | None]:
    return (gap.provider, gap.scope, gap.region, gap.service, gap.operation, gap.resource)
