"""Drawn worlds, read record by record: a reader of AWS tells what the interface saw, in every format and shape."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.flows.columns import CODES
from cloudseg.flows.formats.aws_vpc import AWS_VPC
from cloudseg.flows.formats.interface import Head
from tests.flows.simulated.running import write_logs
from tests.flows.simulated.seen import draw_case

if TYPE_CHECKING:
    from tests.flows.simulated.seen import Seen

_WORDS = {
    name: "[" + ", ".join("NULL" if word is None else f"'{word}'" for word in words) + f"][{name} + 1]"
    for name, words in CODES.items()
}
_COLUMNS = (
    f"{_WORDS['status']}, observer, src, dst, src_port, dst_port, protocol, {_WORDS['opener']}, opened, accepted, "
    "packets, bytes, first, last"
)
_SIDE = f"CASE WHEN near_src IS NULL AND near_dst IS NULL THEN NULL ELSE {_WORDS['side']} END"


@settings(max_examples=5)
@given(seed=st.integers(0, 10**6))
def test_records_tell_what_interfaces_saw(seed: int) -> None:
    random = Random(seed)
    case = draw_case(random, "aws", 30)
    with TemporaryDirectory() as folder:
        told = Counter(row for path in write_logs(random, case, Path(folder) / "logs", 2) for row in _read(path))
    statuses = Counter[object]()
    for row, count in told.items():
        statuses[row[0]] += count
    assert statuses["skipped"] == len(case.skipped)
    assert statuses["bad"] == 0
    assert Counter({row[1:]: count for row, count in told.items() if row[0] == "ok"}) == Counter(map(_seen, case.seen))


def _read(path: Path) -> list[tuple[object, ...]]:
    engine = duckdb.connect()
    head = Head(path, b"" if path.suffix == ".parquet" else gzip.decompress(path.read_bytes()))
    if path.suffix == ".parquet":
        names = engine.execute(f"SELECT name FROM parquet_schema('{path}') WHERE type IS NOT NULL").fetchall()
        head = head._replace(columns=tuple(str(name) for (name,) in names))
    shape = AWS_VPC.shape(head)
    assert shape is not None
    records = AWS_VPC.records(AWS_VPC.relation([path], shape), shape)
    return engine.execute(f"SELECT {_COLUMNS}, {_SIDE} FROM ({records.sql})").fetchall()


def _seen(seen: Seen) -> tuple[object, ...]:
    """The record of what was seen, as far as its format can hold it; the side only where addresses were translated."""
    leg, relation = seen.leg, seen.talk.relation
    network = leg.card.network
    near = leg.near_client, leg.near_server
    ends = (leg.client, leg.server) if network.packet_level else near
    ports = (leg.client_port, relation.port) if relation.protocol != 1 else (None, None)
    flags = seen.flags & 18 if network.flags and relation.protocol == 6 else 0
    side = None
    if near != ends:
        side = "middle" if leg.card.instance == "-" else ("src" if seen.egress else "dst")
    return (
        leg.card.id,
        *(ends if seen.asks else ends[::-1]),
        *(ports if seen.asks else ports[::-1]),
        relation.protocol,
        {2: "src", 18: "dst"}.get(flags),
        int(flags == 2),
        seen.accepted,
        seen.packets,
        seen.size,
        seen.first,
        seen.last,
        side,
    )
