"""What a snapshot holds beyond its manifest, and what of it was passed over, is said."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudseg.errors import SnapshotError
from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import MANIFEST, Manifest, Part, ScopeRead, Snapshot, load, merge, save

ACCOUNT = "111122223333"
VPCS = f"aws/{ACCOUNT}/us-east-1/ec2/describe_vpcs.json"
Put = Callable[[str, bytes], Path]


def test_the_estate_tells_what_was_skipped(tmp_path: Path) -> None:
    hostile = ["../../x", "/etc/x", "C:\\x", "README.md"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(VPCS, b'{"Vpcs": []}')
        for name in hostile:
            archive.writestr(name, b"[]")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(VPCS, b"[]")
    notes = translate(load(tmp_path / "a.zip")).notes
    assert all(any(note.startswith((repr(name), name)) for note in notes) for name in hostile)
    assert f"{VPCS!r}: a second entry of this name" in notes


def test_the_estate_tells_which_answers_stand_after_a_merge(snapshot: Snapshot, groups_part: Part) -> None:
    newer = Snapshot.of({groups_part: {"SecurityGroups": []}}, Manifest("2026-11-22T10:00:00Z", "cloudseg test"))
    note = f"{groups_part.path}: in several snapshots; the one of 2026-11-22T10:00:00Z stands"
    assert note in translate(merge([snapshot, newer])).notes


def test_answers_replaced_by_one_snapshot_are_told_in_one_note(snapshot: Snapshot) -> None:
    def later(day: int) -> Snapshot:
        return Snapshot.of({part: [] for part in snapshot.parts()}, Manifest(f"2026-11-{day}T10:00:00Z", "t"))

    first = min(part.path for part in snapshot.parts())
    assert merge([later(23), snapshot, later(22)]).notes == (
        f"{first} and 2 more: in several snapshots; the one of 2026-11-23T10:00:00Z stands",
    )


def test_an_account_that_the_manifest_does_not_name_is_a_scope(snapshot: Snapshot, tmp_path: Path) -> None:
    save(snapshot, tmp_path / "estate")
    for path in (
        f"aws/{ACCOUNT}/eu-west-1/ec2/describe_vpcs.json",
        "aws/444455556666/us-east-2/ec2/describe_vpcs.json",
    ):
        (tmp_path / "estate" / path).parent.mkdir(parents=True)
        (tmp_path / "estate" / path).write_text('{"Vpcs": []}')
    loaded = load(tmp_path / "estate")
    known = ScopeRead("aws", ACCOUNT, ("eu-west-1", "us-east-1"), f"arn:aws:iam::{ACCOUNT}:user/audit", "prod")
    assert loaded.scopes == (known, ScopeRead("aws", "444455556666", ("us-east-2",), ""))
    first = f"aws/{ACCOUNT}/eu-west-1/ec2/describe_vpcs.json"
    assert loaded.notes == (f"{first} and 1 more: not listed in manifest.json, and part of the snapshot all the same",)
    assert {scope.scope for scope in translate(loaded).scopes} == {ACCOUNT, "444455556666"}
    save(loaded, tmp_path / "again.zip")
    assert load(tmp_path / "again.zip").scopes == loaded.scopes


def test_a_folder_that_cannot_be_listed_is_an_error_that_names_it(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put(VPCS, b"[]")
    folder = put(f"aws/{ACCOUNT}/us-east-2/ec2/describe_vpcs.json", b"[]")
    closed = str(folder / "aws" / ACCOUNT / "us-east-2")
    real = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path) == closed:
            raise PermissionError(13, "Permission denied", closed)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(SnapshotError, match=f"{closed}: cannot be read: Permission denied"):
        load(folder)


@pytest.mark.parametrize(("lost", "told"), [(1, r"missing: the"), (3, r"missing, as are 2 more of 3 files: the")])
def test_what_is_missing_is_counted_without_the_one_that_is_named(
    snapshot: Snapshot, tmp_path: Path, lost: int, told: str
) -> None:
    save(snapshot, tmp_path / "estate")
    for part in list(snapshot.parts())[:lost]:
        (tmp_path / "estate" / part.path).unlink()
    with pytest.raises(SnapshotError, match=r"\.json is listed in manifest\.json and " + told):
        load(tmp_path / "estate")


def test_a_broken_manifest_is_to_be_deleted_and_has_no_line_anywhere(put: Put) -> None:
    with pytest.raises(SnapshotError, match="or delete the manifest") as caught:
        load(put(MANIFEST, b"{"))
    assert "its line" not in str(caught.value)


def test_a_file_that_is_no_zip_hears_what_a_snapshot_is(tmp_path: Path) -> None:
    (tmp_path / "describe_vpcs.json").write_text(json.dumps({"Vpcs": []}))
    with pytest.raises(SnapshotError, match="neither a folder nor a zip; a snapshot is one of them"):
        load(tmp_path / "describe_vpcs.json")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SnapshotError, match="neither a folder nor a file"):
        load(tmp_path / "pipe")


@pytest.mark.parametrize("top", ["s", "aws"])
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_folder_around_a_snapshot_is_passed_over_with_a_note(
    snapshot: Snapshot, tmp_path: Path, top: str, kind: str
) -> None:
    (tmp_path / "outer").mkdir()
    save(snapshot, tmp_path / "outer" / top)
    (tmp_path / "outer" / "README.md").touch()
    place = tmp_path / "outer"
    if kind == "zip":
        place = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", place))
    loaded = load(place)
    assert {part: loaded.read(part) for part in loaded.parts()} == {p: snapshot.read(p) for p in snapshot.parts()}
    assert (loaded.taken_at, loaded.scopes, loaded.gaps) == (snapshot.taken_at, snapshot.scopes, snapshot.gaps)
    assert loaded.notes == (f"{top}/: the snapshot lies in this folder", "README.md: not a file of a snapshot")


def test_several_snapshots_in_a_folder_are_to_be_named_one_by_one(snapshot: Snapshot, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(snapshot, tmp_path / name)
    with pytest.raises(SnapshotError, match=r"holds several snapshots \(a, b\); name each as a source"):
        load(tmp_path)


def test_a_file_beside_the_provider_folders_moves_nothing(put: Put) -> None:
    put("aws/manifest.json", b"{}")
    put(VPCS, b"[]")
    folder = put(f"aws/{ACCOUNT}/global/s3/get_bucket_acl/a.json", b"[]")
    assert [part.path for part in load(folder).parts()] == [f"aws/{ACCOUNT}/global/s3/get_bucket_acl/a.json", VPCS]


def test_a_folder_of_much_else_is_told_in_short(put: Put) -> None:
    folder = put(VPCS, b"[]")
    for number in range(150):
        put(f"photos/{number}.jpg", b"")
    notes = load(folder).notes
    assert len(notes) == 101
    assert notes[-1].endswith("50 more files were skipped")
