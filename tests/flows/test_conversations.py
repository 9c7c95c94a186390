"""The file of conversations: written whole or not at all, read by column, refused where it is something else."""

from __future__ import annotations

import shutil
import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from cloudseg.errors import InputError
from cloudseg.flows.columns import CONVERSATIONS
from cloudseg.flows.conversations import (
    SCHEMA,
    Conversation,
    Conversations,
    check_output,
    read_conversations,
    write_conversations,
)
from cloudseg.flows.coverage import Coverage, FormatRead, Loss, Observer
from cloudseg.flows.database import connect
from cloudseg.flows.formats.interface import Records
from cloudseg.flows.resolve import create_sightings, resolve
from cloudseg.flows.sightings import sightings_sql
from tests.flows.tables import APP, DB, Record, T, fill, record, syn

COVERAGE = Coverage(
    first=T,
    last=T + 1,
    formats=(FormatRead("aws-vpc", "AWS VPC flow logs", 1, 2, 3),),
    records=2,
    losses=(Loss('it\'s "quoted".gz', "cut", 4, partly=True),),
    observers=(
        Observer("aws", APP, "vpc-1", "111122223333", T, T + 1, 2, refused=1),
        Observer("aws", DB, "vpc-1", "111122223333", T - 5, T + 9, 3, idle=4, skipped=1),
        Observer("aws", "eni-2", None, None, None, None, 0, idle=1),
    ),
)


def _written(path: Path, *records: Record) -> Path:
    with closing(connect(threads=1)) as database:
        create_sightings(database)
        fill(database, records)
        query = sightings_sql(Records("SELECT * FROM records", frozenset()))
        database.execute(f"INSERT INTO sightings SELECT *, 'aws-vpc' FROM ({query})")
        write_conversations(database, resolve(database), COVERAGE, path)
    return path


@pytest.fixture(name="few", scope="module")
def _few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three conversations that no test changes."""
    return _written(
        tmp_path_factory.mktemp("few") / "conversations.parquet",
        syn("10.0.0.5 40000 > 10.0.1.6 443", APP, "src", rule="b", packets=9_000_000_000, bytes=2**45),
        syn("10.0.0.5 40000 > 10.0.1.6 443", DB, "dst", rule="a"),
        record("10.0.0.5 500 > 10.0.1.6 500", APP, "src", protocol=17),
        record("10.0.1.6 500 > 10.0.0.5 500", APP, "dst", protocol=17),
        record("10.0.0.5 > 10.0.1.6", APP, "src", dst_name="S3"),
    )


@pytest.fixture(name="held")
def _held(few: Path, tmp_path: Path) -> Conversations:
    """A copy of it, with the rights of the original, that a test may change."""
    return read_conversations(Path(shutil.copy(few, tmp_path)))


def test_rows_come_back_as_they_were_written(held: Conversations) -> None:
    rows = list(held.rows())
    assert len(held) == len(rows) == 3
    assert rows[1] == Conversation(
        provider="aws", initiator="10.0.0.5", responder="10.0.1.6", protocol=6, port=443, initiator_port=None,
        verdict="accepted", initiator_interface=APP, responder_interface=DB, initiator_network="vpc-1",
        responder_network="vpc-1", initiator_scope="111122223333", responder_scope="111122223333", initiator_name=None,
        responder_name=None, observers=(APP, DB), middle=(), rules=("a", "b"), connections=1, records=1,
        packets=9_000_000_000, bytes=2**45, packets_back=0, bytes_back=0,
        first_seen=datetime.fromisoformat("2026-01-09T23:00:00"),
        last_seen=datetime.fromisoformat("2026-01-09T23:00:01"), evidence="handshake", confidence="high",
    )  # fmt: skip


def test_the_coverage_comes_back_as_it_was_written(held: Conversations) -> None:
    assert held.coverage == COVERAGE


def test_columns_say_what_the_rows_say(held: Conversations) -> None:
    rows = list(held.rows())
    for column in CONVERSATIONS:
        values = held.column(column.name)
        wanted = [getattr(row, column.name) for row in rows]
        if column.type == "TIMESTAMP":
            assert values.dtype == np.dtype("datetime64[s]")
            assert values.tolist() == wanted
        elif column.type in {"INTEGER", "BIGINT"}:
            assert values.dtype == np.int64
            assert values.tolist() == [-1 if value is None else value for value in wanted]
        else:
            assert values.dtype == object
            assert values.tolist() == wanted


def test_a_column_is_read_once(held: Conversations) -> None:
    first = held.column("initiator")
    held.path.unlink()
    assert held.column("initiator") is first


def test_a_large_file_keeps_its_order_and_its_columns_go_together(tmp_path: Path) -> None:
    many, path = 400_000, tmp_path / "large.parquet"
    told = ", ".join(
        {"VARCHAR": f"'v' AS {column.name}", "VARCHAR[]": f"['v'] AS {column.name}"}.get(
            column.type, f"n::{column.type} AS {column.name}"
        )
        for column in CONVERSATIONS
        if column.type != "TIMESTAMP"
    )
    times = "make_timestamp(n * 1000000) AS first_seen, make_timestamp(n * 1000000) AS last_seen"
    names = ", ".join(column.name for column in CONVERSATIONS)
    with closing(connect(threads=4)) as database:
        database.execute(f"CREATE TABLE large AS SELECT {told}, {times} FROM range({many}) r(n) ORDER BY hash(n)")
        write_conversations(database, f"SELECT {names} FROM large ORDER BY bytes", COVERAGE, path)
    held = read_conversations(path)
    wanted = np.arange(many)
    assert [name for name in ("bytes", "packets", "port") if not np.array_equal(held.column(name), wanted)] == []


def test_the_networks_put_their_observers_together() -> None:
    told = [(each.name, each.observers, each.first, each.last, each.records) for each in COVERAGE.networks]
    assert told == [(None, 1, None, None, 0), ("vpc-1", 2, T - 5, T + 9, 5)]
    assert [(each.refused, each.idle, each.skipped) for each in COVERAGE.networks] == [(0, 1, 0), (1, 4, 1)]


def test_no_conversations_are_a_whole_file(tmp_path: Path) -> None:
    held = read_conversations(_written(tmp_path / "none.parquet"))
    assert (len(held), list(held.rows())) == (0, [])
    assert [len(held.column(column.name)) for column in CONVERSATIONS] == [0] * len(CONVERSATIONS)


def test_the_file_is_its_owners_alone_and_leaves_nothing_beside_it(few: Path) -> None:
    assert stat.S_IMODE(few.stat().st_mode) == 0o600
    assert [each.name for each in few.parent.iterdir()] == [few.name]


def test_a_name_with_the_characters_of_a_pattern_is_that_file(tmp_path: Path) -> None:
    folder = tmp_path / "it's [1] *"
    folder.mkdir()
    assert len(read_conversations(_written(folder / "a?b.parquet", syn("10.0.0.5 4000 > 10.0.1.6 443")))) == 1


def test_a_file_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file; `cloudseg flows LOG"):
        read_conversations(tmp_path / "conversations.parquet")


@pytest.mark.parametrize("text", [b"", b"PAR", b"version account-id\n", b"{}"])
def test_another_kind_of_file_is_named_as_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(text)
    with pytest.raises(InputError, match="no file of conversations"):
        read_conversations(path)


def test_a_cut_file_is_named_as_cut(held: Conversations) -> None:
    whole = held.path.read_bytes()
    for size in (4, 100, len(whole) - 1):
        held.path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="it is cut"):
            read_conversations(held.path)


def test_damage_inside_the_file_is_an_error_that_names_it(held: Conversations) -> None:
    whole = bytearray(held.path.read_bytes())
    whole[4:200] = bytes(196)
    held.path.write_bytes(whole)
    again = read_conversations(held.path)
    with pytest.raises(InputError, match=r"conversations\.parquet: it cannot be read"):
        list(again.rows())


def _copied(path: Path, select: str, metadata: str) -> Path:
    target = path.with_name("copy.parquet")
    with closing(connect()) as database:
        database.execute(f"COPY ({select} FROM '{path}') TO '{target}' (FORMAT parquet {metadata})")
    return target


def test_parquet_of_something_else_is_refused(held: Conversations) -> None:
    with pytest.raises(InputError, match="not one of conversations"):
        read_conversations(_copied(held.path, "SELECT *", ""))


def test_a_later_version_is_refused(held: Conversations) -> None:
    later = ', KV_METADATA {cloudseg: \'{"schema": "cloudseg/conversations/v2"}\'}'
    with pytest.raises(InputError, match=f"version cloudseg/conversations/v2, and this program reads {SCHEMA}"):
        read_conversations(_copied(held.path, "SELECT *", later))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "cloudseg/conversations/v1", "coverage": 1}'])
def test_a_coverage_that_makes_no_sense_is_refused(held: Conversations, text: str) -> None:
    with pytest.raises(InputError, match="its coverage cannot be read"):
        read_conversations(_copied(held.path, "SELECT *", f", KV_METADATA {{cloudseg: '{text}'}}"))


def test_a_file_without_a_column_is_refused(held: Conversations) -> None:
    ours = ', KV_METADATA {cloudseg: \'{"schema": "cloudseg/conversations/v1", "coverage": {}}\'}'
    with pytest.raises(InputError, match="its columns are not those"):
        read_conversations(_copied(held.path, "SELECT * EXCLUDE (verdict)", ours))


def test_where_nothing_can_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder; name the file to write"):
        check_output(tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        check_output(tmp_path / "none" / "conversations.parquet")
    check_output(tmp_path / "conversations.parquet")


def test_what_stops_half_way_leaves_the_old_file(held: Conversations) -> None:
    before = held.path.read_bytes()
    with closing(connect()) as database, pytest.raises(Exception, match="broken"):
        write_conversations(database, "SELECT error('broken') FROM range(10)", COVERAGE, held.path)
    assert held.path.read_bytes() == before
    assert [each.name for each in held.path.parent.iterdir()] == [held.path.name]


def test_the_columns_of_a_row_are_those_of_the_contract() -> None:
    assert Conversation._fields == tuple(column.name for column in CONVERSATIONS)
    assert {column.type for column in CONVERSATIONS} <= {"VARCHAR", "INTEGER", "BIGINT", "TIMESTAMP", "VARCHAR[]"}
