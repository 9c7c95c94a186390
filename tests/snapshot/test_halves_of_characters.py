"""A text that UTF-8 cannot express costs one character, never the snapshot."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cloudseg.errors import SnapshotError
from cloudseg.json_text import decoded
from cloudseg.snapshot import Part, Snapshot, load, save

VPCS = Part("aws", "111122223333", "us-east-1", "ec2", "describe_vpcs")
Put = Callable[[str, bytes], Path]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"\uDC00"', "\ufffd"),
        (rb'"a\ud800b\udfffc"', "a\ufffdb\ufffdc"),
        (rb'"\ud83d\ude00\ud83d"', "\U0001f600\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud800 \ud800"', "\\ud800 \ufffd"),
        (rb'"\\\ud800"', "\\\ufffd"),
    ],
)
def test_each_escaped_half_is_one_replacement_character(text: bytes, meant: str) -> None:
    assert decoded(text) == meant
    # The standard library keeps halves as they are, so it tells where they stand.
    halves = [0xD800 <= ord(character) <= 0xDFFF for character in json.loads(text)]
    assert halves == [character == "\ufffd" for character in meant]


def test_a_half_hides_no_other_fault(put: Put) -> None:
    folder = put(VPCS.path, rb'{"Vpcs": ["\ud800", NaN]}')
    with pytest.raises(SnapshotError, match=r"broken JSON: .*byte 20"):
        load(folder).read(VPCS)


def test_a_file_with_halves_is_read(put: Put) -> None:
    folder = put(VPCS.path, rb'{"Vpcs": [{"VpcId": "vpc-\udc00"}]}')
    assert load(folder).read(VPCS) == {"Vpcs": [{"VpcId": "vpc-\ufffd"}]}


@pytest.mark.parametrize("name", ["estate", "estate.zip"])
def test_an_answer_in_memory_with_halves_is_saved(tmp_path: Path, name: str) -> None:
    snapshot = Snapshot.of({VPCS: {"Vpcs": [{"Name\ud800": ["x\udfff", 1, None]}]}})
    save(snapshot, tmp_path / name)
    assert load(tmp_path / name).read(VPCS) == {"Vpcs": [{"Name\ufffd": ["x\ufffd", 1, None]}]}
    assert snapshot.read(VPCS) == load(tmp_path / name).read(VPCS)


def test_a_resource_whose_id_holds_a_half_has_a_file(tmp_path: Path) -> None:
    part = Part("aws", "1", "global", "s3", "get_bucket_acl", "a\ud800")
    save(Snapshot.of({part: {}}), tmp_path / "estate")
    assert list(load(tmp_path / "estate").parts()) == [part]


def test_a_file_whose_name_is_no_utf8_is_skipped_with_a_note_that_can_be_written(put: Put) -> None:
    folder = put(VPCS.path, b"[]")
    (folder / "aws/111122223333/us-east-1/ec2" / "x\udcff.json").write_bytes(b"[]")
    loaded = load(folder)
    assert list(loaded.parts()) == [VPCS]
    assert loaded.notes == (r"aws/111122223333/us-east-1/ec2/x\udcff.json: not a file of a snapshot",)
    assert msgspec.json.encode(loaded.notes)
