"""Files of a folder are brought to the disk side by side, and still all or none."""

from pathlib import Path

import pytest

from cloudseg.archive import open_archive, write_folder
from cloudseg.errors import SnapshotError

FILES = [(f"aws/{number % 7}/{number}.json", str(number).encode() * number) for number in range(300)]


def test_every_file_is_there_and_whole(tmp_path: Path) -> None:
    write_folder(tmp_path / "snapshot", FILES)
    archive = open_archive(tmp_path / "snapshot")
    assert {name: archive.read(name) for name in archive.names} == dict(FILES)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.rglob("*.json")} == {0o600}


@pytest.mark.parametrize("place", [1, 299])
def test_a_file_that_cannot_be_written_leaves_the_older_folder(tmp_path: Path, place: int) -> None:
    write_folder(tmp_path / "snapshot", [("old.json", b"{}")])
    # The name of a file is a folder's already, so that the disk refuses it.
    broken = [*FILES[:place], ("aws/0", b""), *FILES[place:]]
    with pytest.raises(SnapshotError, match="cannot be written"):
        write_folder(tmp_path / "snapshot", broken)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["old.json"]
    assert [folder.name for folder in tmp_path.iterdir()] == ["snapshot"]
