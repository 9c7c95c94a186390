"""Columns that are the same all through a Parquet file are told by its statistics, and change nothing of the result."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cloudseg.flows.constants import constants
from cloudseg.flows.database import connect
from cloudseg.flows.formats.interface import Records
from cloudseg.flows.sightings import sightings_sql, within
from tests.flows.reading import group_of, write_parquet
from tests.flows.tables import T, fill, record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COLUMNS = {"network": "vpc_id"}


def told(folder: Path, *files: Sequence[str | None]) -> dict[str, str]:
    """What is told of files with these networks."""
    paths: list[Path] = []
    with closing(connect(threads=1)) as database:
        for number, values in enumerate(files):
            paths.append(folder / f"{number}.parquet")
            database.execute("CREATE OR REPLACE TABLE log (vpc_id VARCHAR, bytes BIGINT)")
            for value in values:
                database.execute("INSERT INTO log VALUES (?, 1)", [value])
            database.execute(f"COPY log TO '{paths[-1]}' (FORMAT parquet)")
        return constants(database, paths, COLUMNS)


def test_a_value_that_all_rows_of_all_files_hold_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, ("vpc-1", "vpc-1"), ("vpc-1",)) == {"network": "vpc-1"}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param((("vpc-1", "vpc-2"),), id="two in one file"),
        pytest.param((("vpc-1",), ("vpc-2",)), id="another in another file"),
        pytest.param((("vpc-1", None),), id="none in some rows"),
        pytest.param(((None, None),), id="none at all"),
    ],
)
def test_other_columns_are_not(tmp_path: Path, files: tuple[tuple[str | None, ...], ...]) -> None:
    assert told(tmp_path, *files) == {}


def test_a_column_that_the_files_lack_is_not(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", bytes=1)
    with closing(connect(threads=1)) as database:
        assert constants(database, [tmp_path / "a.parquet"], COLUMNS) == {}


def test_nobody_groups_by_what_is_the_same_and_the_sightings_are_equal() -> None:
    with closing(connect(threads=1)) as database:
        fill(
            database,
            [
                record("a 40000 > b 443", scope="1111", network="vpc-1"),
                record("b 443 > a 40000", scope="1111", network="vpc-1"),
            ],
        )
        records = Records("SELECT * FROM records", frozenset())
        query = sightings_sql(records._replace(same={"scope": "1111", "network": "vpc-1"}))
        found = database.execute(f"SELECT * FROM ({query}) ORDER BY ALL").fetchall()
        grouped = database.execute(f"SELECT * FROM ({sightings_sql(records)}) ORDER BY ALL").fetchall()
    assert '"network"' not in query.partition("GROUP BY")[2].partition("code")[0]
    assert found == grouped


def test_a_word_that_stands_for_none_is_none_there_too() -> None:
    with closing(connect(threads=1)) as database:
        fill(database, [record("a 40000 > b 443", network="-")])
        records = Records("SELECT * FROM records", frozenset(), unsaid={"network": ("-",)}, same={"network": "-"})
        found = database.execute(f"SELECT network FROM ({sightings_sql(records)})").fetchall()
    assert found == [(None,)]


def test_with_bounds_on_time_rows_outside_have_no_network_all_the_same() -> None:
    with closing(connect(threads=1)) as database:
        fill(database, [record("a 40000 > b 443", network="vpc-1")])
        records = Records("SELECT * FROM records", frozenset(), same={"network": "vpc-1"})
        query = sightings_sql(within(records, T + 100, None))
        found = database.execute(f"SELECT status, network FROM ({query})").fetchall()
    assert found == [("outside", None)]


def test_the_columns_of_account_and_network_are_named_as_the_files_name_them(tmp_path: Path) -> None:
    names = ("account_id", "vpc_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start", "end", "action")
    path = write_parquet(tmp_path / "a.parquet", **dict.fromkeys(names, "1"))
    group = group_of(path)
    assert group.format.records("t", group.shape).plain == {"scope": "account_id", "network": "vpc_id"}
