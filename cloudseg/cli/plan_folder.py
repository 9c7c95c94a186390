"""The folder that `cloudseg plan` writes: `plan.json`, `plan.md` and manifests, whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import InputError, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.plan.making import Made

__all__ = ["check_folder", "write_folder_of"]

_DOCUMENT: Final = "plan.json"
_REVIEW: Final = "plan.md"
_MANIFESTS: Final = "manifests/"
_SCHEMAS: Final = "cloudseg/plan/"


class _Schema(msgspec.Struct, frozen=True):
    schema: str = ""


def check_folder(path: Path) -> Path:
    """Refuse a place where no plan can be written, before an account is read for an hour; returns where to write.

    A plan that is there is replaced, but nothing else: a journal beside it tells how to undo what was applied.

    Raises:
        InputError: a file is there, the folder around it is missing or cannot be written, or the folder holds anything
            that is no plan.
    """
    from cloudseg.archive import check_place, open_archive

    place = Path(os.path.realpath(path)) if path.is_symlink() else path
    if place.exists() and not place.is_dir():
        raise InputError(f"{path}: a file is there; a plan is a folder: name a new one")
    check_place(place, folder=True)
    if not place.exists():
        return place
    archive = open_archive(place)
    foreign = [name for name in archive.names if name not in {_DOCUMENT, _REVIEW} and not name.startswith(_MANIFESTS)]
    if foreign or archive.skipped:
        first = foreign[0] if foreign else archive.skipped[0]
        raise InputError(f"{path}: holds other files ({first}), which would be lost; choose an empty or new folder")
    if archive.names and not _is_plan(place / _DOCUMENT):
        raise InputError(f"{path}: holds files and no plan that could be replaced; choose an empty or new folder")
    return place


def _is_plan(file: Path) -> bool:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Schema).schema.startswith(_SCHEMAS)
    except (OSError, msgspec.DecodeError):
        return False


def write_folder_of(made: Made, place: Path) -> None:
    """Write the folder of a plan, for its owner alone: it tells an intruder where to go.

    Raises:
        InputError: it cannot be written.
    """
    from cloudseg.archive import write_folder

    try:
        write_folder(place, _files(made))
    except SnapshotError as error:
        raise InputError(f"the plan was not written: {error}") from error


def _files(made: Made) -> Iterator[tuple[str, bytes]]:
    from cloudseg.plan.document import written
    from cloudseg.reporters.interface import RenderOptions
    from cloudseg.reporters.plan_markdown import REPORTER

    yield _DOCUMENT, written(made.document)
    text = io.StringIO()
    REPORTER.write(made.document, text, RenderOptions())
    yield _REVIEW, text.getvalue().encode()
    for path, manifest in sorted(made.manifests.items()):
        yield path, manifest.encode()
