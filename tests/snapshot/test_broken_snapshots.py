import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudseg.errors import SnapshotError
from cloudseg.snapshot import MANIFEST, Part, Snapshot, load, looks_like_snapshot, save

VPCS = "aws/111122223333/us-east-1/ec2/describe_vpcs.json"
Put = Callable[[str, bytes], Path]


def read_all(path: Path) -> None:
    snapshot = load(path)
    for part in snapshot.parts():
        snapshot.read(part)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"Vpcs": [', "broken JSON.*truncated"),
        (b'{"Vpcs": [],}', "broken JSON.*byte 12"),
        (b"", "broken JSON"),
        (b'{"Vpcs": "\xff\xfe"}', "UTF-8|utf-8"),
        ('{"Vpcs": []}'.encode("utf-16"), "broken JSON|UTF-8"),
        (b"[" * 100_000, "broken JSON"),
    ],
)
def test_a_broken_file_names_itself_the_place_and_the_way_out(put: Put, content: bytes, problem: str) -> None:
    folder = put(VPCS, content)
    with pytest.raises(SnapshotError, match=problem) as caught:
        read_all(folder)
    assert VPCS in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "collect again" in str(caught.value)


def test_a_byte_order_mark_is_no_error(put: Put) -> None:
    part = Part("aws", "111122223333", "us-east-1", "ec2", "describe_vpcs")
    assert load(put(VPCS, b'\xef\xbb\xbf{"Vpcs": []}')).read(part) == {"Vpcs": []}


def test_a_broken_file_harms_only_itself(put: Put) -> None:
    put(VPCS, b"{")
    folder = put("aws/111122223333/us-east-1/ec2/describe_subnets.json", b'{"Subnets": []}')
    subnets = next(part for part in load(folder).parts() if part.operation == "describe_subnets")
    assert load(folder).read(subnets) == {"Subnets": []}


def test_a_half_written_snapshot_names_what_is_missing(snapshot: Snapshot, groups_part: Part, tmp_path: Path) -> None:
    save(snapshot, tmp_path / "estate")
    (tmp_path / "estate" / groups_part.path).unlink()
    with pytest.raises(SnapshotError, match=r"describe_security_groups\.json is listed in manifest\.json and missing"):
        load(tmp_path / "estate")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": "cloudseg/snapshot/v2"}, "schema is 'cloudseg/snapshot/v2'"),
        ({"schema": None}, "schema"),
        ({"taken_at": 5}, r"\$\.taken_at"),
        ({"taken_at": "yesterday"}, "taken_at is 'yesterday'"),
        ({"scopes": [{"provider": 1}]}, r"\$\.scopes\[0\]\.provider"),
        ({"gaps": {}}, r"\$\.gaps"),
    ],
)
def test_a_wrong_manifest_names_the_field(
    snapshot: Snapshot, tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    save(snapshot, tmp_path / "estate")
    manifest = tmp_path / "estate" / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    with pytest.raises(SnapshotError, match=problem) as caught:
        load(tmp_path / "estate")
    assert "manifest.json" in str(caught.value)


def test_a_manifest_that_is_no_object_is_refused(put: Put) -> None:
    with pytest.raises(SnapshotError, match=r"manifest\.json"):
        load(put(MANIFEST, b"[1, 2]"))


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.01])
def test_a_truncated_zip_is_refused(snapshot: Snapshot, tmp_path: Path, kept: float) -> None:
    save(snapshot, tmp_path / "estate.zip")
    content = (tmp_path / "estate.zip").read_bytes()
    (tmp_path / "estate.zip").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(SnapshotError, match="not a complete zip"):
        load(tmp_path / "estate.zip")
    assert looks_like_snapshot(tmp_path / "estate.zip")


def test_a_damaged_entry_names_itself(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(VPCS, b'{"Vpcs": []}')
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes().replace(b'{"Vpcs": []}', b'{"Vpcs": {}}'))
    with pytest.raises(SnapshotError, match=r"describe_vpcs\.json cannot be unpacked"):
        read_all(tmp_path / "a.zip")


def test_nothing_there_and_nothing_in_it_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="no such file"):
        load(tmp_path / "absent")
    with pytest.raises(SnapshotError, match="no answer in it"):
        load(tmp_path)


@pytest.mark.parametrize(
    "name", ["../escape.json", "/etc/passwd", "aws/1/../../../x.json", "aws\\1\\r\\ec2\\x.json", "C:/x.json"]
)
def test_a_hostile_zip_entry_is_skipped_with_a_note(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(VPCS, b"[]")
        archive.writestr(name, b"[]")
    loaded = load(tmp_path / "a.zip")
    assert [part.path for part in loaded.parts()] == [VPCS]
    assert len(loaded.notes) == 1
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a.zip"]


def test_a_symbolic_link_is_not_followed(put: Put, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    folder = put(VPCS, b"[]")
    (folder / "aws/111122223333/us-east-1/ec2/describe_subnets.json").symlink_to(tmp_path / "secret.json")
    (folder / "gcp").symlink_to(tmp_path)
    entry = zipfile.ZipInfo("aws/111122223333/us-east-1/ec2/describe_subnets.json")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(VPCS, b"[]")
        archive.writestr(entry, b"/etc/passwd")
    for place, links in ((folder, 2), (tmp_path / "a.zip", 1)):
        loaded = load(place)
        assert [part.path for part in loaded.parts()] == [VPCS]
        assert sum("symbolic link" in note for note in loaded.notes) == links


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(VPCS, b" " * (8 << 20))
    with pytest.raises(SnapshotError, match=r"describe_vpcs\.json claims 8,388,608 bytes"):
        load(tmp_path / "a.zip")


def test_what_looks_like_a_snapshot(snapshot: Snapshot, put: Put, tmp_path: Path) -> None:
    save(snapshot, tmp_path / "saved")
    (tmp_path / "manifests" / "kubernetes").mkdir(parents=True)
    (tmp_path / "manifests" / "kubernetes" / "web.json").write_text("{}")
    (tmp_path / "plan.json").write_text("{}")
    assert looks_like_snapshot(tmp_path / "saved")
    assert looks_like_snapshot(put("aws/1/global/s3/get_bucket_acl/a.json", b"{}"))
    assert not looks_like_snapshot(tmp_path / "manifests")
    assert not looks_like_snapshot(tmp_path / "plan.json")
    assert not looks_like_snapshot(tmp_path / "absent")
