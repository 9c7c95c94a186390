"""Saving loses nothing that is no snapshot, and shows an inventory to nobody else."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudseg.errors import SnapshotError
from cloudseg.snapshot import MANIFEST, Snapshot, check_writable, load, save

Writer = Callable[[Snapshot, Path], None]


def check(_: Snapshot, path: Path) -> None:
    check_writable(path)


both = pytest.mark.parametrize("write", [save, check])


@both
@pytest.mark.parametrize("content", [b"[]", b"{", b'{"schema": "other/v1"}', b'{"name": "an extension"}'])
def test_a_foreign_manifest_is_kept(snapshot: Snapshot, tmp_path: Path, write: Writer, content: bytes) -> None:
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate" / MANIFEST).write_bytes(content)
    with pytest.raises(SnapshotError, match=r"its manifest\.json is not that of a snapshot"):
        write(snapshot, tmp_path / "estate")
    assert (tmp_path / "estate" / MANIFEST).read_bytes() == content


@both
def test_a_file_or_zip_that_is_no_snapshot_is_kept(snapshot: Snapshot, tmp_path: Path, write: Writer) -> None:
    (tmp_path / "text.zip").write_text("keep me")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("photo.jpg", b"keep me")
    with zipfile.ZipFile(tmp_path / "extension.zip", "w") as archive:
        archive.writestr(MANIFEST, b'{"name": "keep me"}')
    for file, problem in (
        ("text.zip", "no snapshot that could be replaced"),
        ("photos.zip", r"holds other files \(photo\.jpg\)"),
        ("extension.zip", "not that of a snapshot"),
    ):
        before = (tmp_path / file).read_bytes()
        with pytest.raises(SnapshotError, match=problem):
            write(snapshot, tmp_path / file)
        assert (tmp_path / file).read_bytes() == before


def test_an_empty_file_and_an_older_snapshot_are_replaced(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "estate.zip").touch()
    for _ in range(2):
        save(snapshot, tmp_path / "estate.zip")
        assert list(load(tmp_path / "estate.zip").parts()) == list(snapshot.parts())


@both
def test_a_place_that_cannot_be_written_is_told(
    snapshot: Snapshot, tmp_path: Path, write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.zip").mkdir()
    monkeypatch.chdir(tmp_path)
    for place, problem in (
        (tmp_path / "absent" / "estate", r"there is no folder .*absent; make it"),
        (tmp_path / "absent" / "estate.zip", "there is no folder"),
        (tmp_path / "folder.zip", "a folder is there"),
        (tmp_path / ("x" * 300), "cannot be written: File name too long"),
        (Path(), "in use and cannot be replaced"),
        (Path(".."), "in use and cannot be replaced"),
    ):
        with pytest.raises(SnapshotError, match=problem):
            write(snapshot, place)


@both
def test_a_parent_without_permission_is_told(
    snapshot: Snapshot, tmp_path: Path, write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.mkdir

    def refuse(path: str | Path, mode: int = 0o777) -> None:
        if Path(path).parent == tmp_path:
            raise PermissionError(13, "Permission denied", str(path))
        real(path, mode)

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(SnapshotError, match=r"estate\.zip: cannot be written: Permission denied; choose another place"):
        write(snapshot, tmp_path / "estate.zip")


def test_checking_a_place_leaves_it_as_it_was(snapshot: Snapshot, tmp_path: Path) -> None:
    save(snapshot, tmp_path / "estate")
    before = sorted(tmp_path.rglob("*"))
    for name in ("estate", "new", "new.zip"):
        check_writable(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_snapshot_is_for_its_owner_alone(snapshot: Snapshot, tmp_path: Path) -> None:
    save(snapshot, tmp_path / "estate")
    save(snapshot, tmp_path / "estate.zip")
    assert (tmp_path / "estate").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "estate.zip").stat().st_mode & 0o777 == 0o600
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "estate").rglob("*.json")} == {0o600}


@pytest.mark.parametrize("name", ["estate", "estate.zip"])
def test_a_symbolic_link_is_written_through(snapshot: Snapshot, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / name
    link.symlink_to(tmp_path / "elsewhere" / name)
    for _ in range(2):
        save(snapshot, link)
        assert link.is_symlink()
        assert list(load(tmp_path / "elsewhere" / name).parts()) == list(snapshot.parts())
    assert [file.name for file in (tmp_path / "elsewhere").iterdir()] == [name]
