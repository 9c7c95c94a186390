import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudseg.errors import SnapshotError
from cloudseg.snapshot import MANIFEST, Manifest, Part, ScopeRead, Snapshot, SnapshotGap, load, merge, save

VPCS = "aws/111122223333/us-east-1/ec2/describe_vpcs.json"


def content(snapshot: Snapshot) -> dict[Part, object]:
    return {part: snapshot.read(part) for part in snapshot.parts()}


@pytest.mark.parametrize("name", ["estate", "estate.zip"])
def test_what_is_saved_is_what_is_loaded(snapshot: Snapshot, tmp_path: Path, name: str) -> None:
    save(snapshot, tmp_path / name)
    loaded = load(tmp_path / name)
    assert content(loaded) == content(snapshot)
    assert list(loaded.parts()) == list(snapshot.parts())
    assert (loaded.taken_at, loaded.scopes, loaded.gaps) == (snapshot.taken_at, snapshot.scopes, snapshot.gaps)
    assert loaded.notes == ()


def test_the_same_snapshot_gives_the_same_zip_byte_for_byte(snapshot: Snapshot, tmp_path: Path) -> None:
    save(snapshot, tmp_path / "one.zip")
    save(load(tmp_path / "one.zip"), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_files_lie_where_the_layout_says() -> None:
    assert Part("aws", "111122223333", "us-east-1", "ec2", "describe_vpcs").path == VPCS
    part = Part("aws", "1", "us-east-1", "elbv2", "describe_listeners", "arn:x/y z")
    assert part.path == "aws/1/us-east-1/elbv2/describe_listeners/arn%3Ax%2Fy%20z.json"
    assert Part("gcp", "p", "global", "compute", "firewalls", "..").path == "gcp/p/global/compute/firewalls/%2E%2E.json"


def test_a_long_resource_id_is_filed_under_its_sha256() -> None:
    long = "arn:aws:x:" + "a" * 300
    part = Part("aws", "1", "us-east-1", "elbv2", "describe_listeners", long)
    assert part.path.endswith(f"/{hashlib.sha256(long.encode()).hexdigest()}.json")
    assert Part.at(part.path) == part


@pytest.mark.parametrize("resource", ["a/b", "..", ".", "%41", "ü", "a\\b", "x" * 66 + "/" * 45, "\x00"])
def test_every_resource_id_survives_its_file_name(resource: str) -> None:
    part = Part("aws", "1", "global", "s3", "get_bucket_acl", resource)
    assert Part.at(part.path) == part
    assert not {"..", "."} & set(part.path.split("/"))


def test_a_folder_without_manifest_dates_from_its_newest_file(put: Callable[[str, bytes], Path]) -> None:
    put(VPCS, b'{"Vpcs": []}')
    folder = put("aws/111122223333/global/s3/list_buckets.json", b'{"Buckets": []}')
    os.utime(folder / VPCS, (1_700_000_000, 1_700_000_000))
    os.utime(folder / "aws/111122223333/global/s3/list_buckets.json", (1_600_000_000, 1_600_000_000))
    loaded = load(folder)
    assert loaded.manifest is None
    assert loaded.taken_at == "2023-11-14T22:13:20Z"
    assert loaded.scopes == (ScopeRead("aws", "111122223333", ("us-east-1",), ""),)


def test_a_zip_without_manifest_dates_from_its_newest_entry(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(VPCS, (2025, 2, 3, 4, 5, 6)), b'{"Vpcs": []}')
    assert load(tmp_path / "a.zip").taken_at == "2025-02-03T04:05:06Z"


def test_an_unknown_file_is_skipped_with_a_note(put: Callable[[str, bytes], Path]) -> None:
    put(VPCS, b"[]")
    put("README.md", b"hello")
    folder = put("aws/stray.json", b"{}")
    loaded = load(folder)
    assert [part.operation for part in loaded.parts()] == ["describe_vpcs"]
    assert loaded.notes == ("README.md: not a file of a snapshot", "aws/stray.json: not a file of a snapshot")


def test_two_names_of_one_part_are_one_part_with_a_note(put: Callable[[str, bytes], Path]) -> None:
    put("aws/1/global/s3/get_bucket_acl/%61.json", b'{"Grants": [1]}')
    folder = put("aws/1/global/s3/get_bucket_acl/a.json", b'{"Grants": [2]}')
    loaded = load(folder)
    assert len(list(loaded.parts())) == 1
    assert loaded.notes == (
        "aws/1/global/s3/get_bucket_acl/a.json: the same part as aws/1/global/s3/get_bucket_acl/%61.json",
    )


def test_an_answer_is_decoded_once(snapshot: Snapshot, tmp_path: Path, groups_part: Part) -> None:
    save(snapshot, tmp_path / "estate")
    loaded = load(tmp_path / "estate")
    first = loaded.read(groups_part)
    (tmp_path / "estate" / groups_part.path).write_bytes(b"broken")
    assert loaded.read(groups_part) is first


def test_a_part_that_is_not_there_is_named(snapshot: Snapshot) -> None:
    with pytest.raises(SnapshotError, match=r"aws/1/r/ec2/x\.json is not in the snapshot"):
        snapshot.read(Part("aws", "1", "r", "ec2", "x"))


def test_merging_takes_the_newer_answer_and_says_so(snapshot: Snapshot, groups_part: Part) -> None:
    newer = Snapshot.of({groups_part: {"SecurityGroups": []}}, Manifest("2026-11-22T10:00:00Z", "cloudseg test"))
    both = merge([newer, snapshot])
    assert both.read(groups_part) == {"SecurityGroups": []}
    assert both.taken_at == "2026-11-22T10:00:00Z"
    assert len(list(both.parts())) == 3
    assert both.notes == (f"{groups_part.path}: in several snapshots; the one of 2026-11-22T10:00:00Z stands",)


def test_merging_closes_the_gap_that_another_snapshot_fills(snapshot: Snapshot) -> None:
    part = Part("aws", "111122223333", "us-east-1", "rds", "describe_db_instances")
    other = SnapshotGap("aws", "111122223333", "us-east-1", "rds", "describe_db_clusters", None, "denied", "no")
    filler = Snapshot.of({part: {"DBInstances": []}}, Manifest("2026-11-22T10:00:00Z", "t", gaps=(other,)))
    assert merge([snapshot, filler]).gaps == (other,)


def test_merged_scopes_join_their_regions(snapshot: Snapshot) -> None:
    scope = ScopeRead("aws", "111122223333", ("eu-west-1",), "arn", "prod")
    more = Snapshot.of({}, Manifest("2026-11-22T10:00:00Z", "t", (scope,)))
    assert merge([snapshot, more]).scopes == (
        ScopeRead("aws", "111122223333", ("eu-west-1", "us-east-1"), "arn", "prod"),
    )


def test_saving_replaces_an_older_snapshot_whole(snapshot: Snapshot, groups_part: Part, tmp_path: Path) -> None:
    save(snapshot, tmp_path / "estate")
    save(Snapshot.of({groups_part: {"SecurityGroups": []}}), tmp_path / "estate")
    assert content(load(tmp_path / "estate")) == {groups_part: {"SecurityGroups": []}}
    assert [file.name for file in tmp_path.iterdir()] == ["estate"]


def test_a_failed_save_leaves_the_older_snapshot_and_no_remains(snapshot: Snapshot, tmp_path: Path) -> None:
    for name in ("estate", "estate.zip"):
        save(snapshot, tmp_path / name)
    bad = Snapshot.of({Part("aws", "1", "r", "ec2", "x"): object()})
    for name in ("estate", "estate.zip"):
        with pytest.raises(TypeError):
            save(bad, tmp_path / name)
        assert content(load(tmp_path / name)) == content(snapshot)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["estate", "estate.zip"]


@pytest.mark.parametrize("name", ["notes.txt", "aws/mine.txt"])
def test_a_folder_with_other_files_is_not_replaced(snapshot: Snapshot, tmp_path: Path, name: str) -> None:
    save(snapshot, tmp_path / "estate")
    (tmp_path / "estate" / name).write_text("keep me")
    with pytest.raises(SnapshotError, match="holds other files"):
        save(snapshot, tmp_path / "estate")
    assert (tmp_path / "estate" / name).read_text() == "keep me"


def test_a_file_in_the_way_is_not_replaced_by_a_folder(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "estate").write_text("keep me")
    with pytest.raises(SnapshotError, match="a file is there"):
        save(snapshot, tmp_path / "estate")


def test_an_empty_folder_is_filled(snapshot: Snapshot, tmp_path: Path) -> None:
    (tmp_path / "estate").mkdir()
    save(snapshot, tmp_path / "estate")
    assert (tmp_path / "estate" / MANIFEST).is_file()
