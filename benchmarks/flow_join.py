"""Conversations joined with an estate: whom their ends stand for, and which rules they use.

``python -m benchmarks.flow_join [RUNS]`` prints the table alone; ``--one MIX`` is the fresh process of one mix. The
baseline is DuckDB's own join of the same file with a table of the interfaces: both ends by the interface that reported,
else by address and network, and no more.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import duckdb
import numpy as np

from benchmarks.estates import Shape, estate_of
from benchmarks.results import Budget, Result
from benchmarks.stages import main, measured
from cloudseg.flows.columns import CONVERSATIONS
from cloudseg.flows.conversations import read_conversations, write_conversations
from cloudseg.flows.coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.stages import Stages
    from cloudseg.flows.conversations import Conversations
    from cloudseg.model import Estate

__all__ = ["measure"]

ROWS: Final = 1_000_000
BEGIN: Final = 1_780_000_000
DAYS: Final = 30
_LONGEST: Final = 10
"""Seconds for the use of all rules."""


class Mix(NamedTuple):
    """What an estate is like, and who talks to whom in it.

    Attributes:
        shape: the estate.
        partners: so many others each application talks to; 0: everybody talks to anybody.
        ports: so many ports are asked for.
    """

    shape: Shape
    partners: int
    ports: int


MIXES: Final = {
    "each application with six others": Mix(Shape(50_000, 100_000, replicas=50), 6, 40),
    "anybody with anybody": Mix(Shape(50_000, 20_000, replicas=50), 0, 40),
}
"""Few of these conversations are let through by any rule: all that may have been is looked for, the worst case."""

# One in ten initiators is of the internet, one in five others was not logged at its own end; of one conversation in
# twenty it is not known who opened it, and one in ten was refused.
_ROWS: Final = """
WITH drawn AS (
    SELECT i, hash(i) % {interfaces} AS client, hash(i * 7 + 1) % {interfaces} AS other, hash(i * 11 + 2) AS h
    FROM range({rows}) AS numbers(i)
),
ends AS (
    SELECT i, client, h, CASE WHEN {partners} = 0 THEN other ELSE
        (client // {replicas} * 7 + 1 + h // 1000 % greatest({partners}, 1) * 13) % ({interfaces} // {replicas})
            * {replicas} + other % {replicas} END AS server,
        h % 10 = 0 AS outside, h % 5 = 1 AS dark, h % 20 = 3 AS unknown, h % 10 = 7 AS refused
    FROM drawn
)
SELECT
    'aws' AS provider,
    CASE WHEN outside THEN '198.51.' || (h // 64 % 100) || '.' || (h // 8192 % 100) ELSE c.address END AS initiator,
    s.address AS responder, 6 AS protocol, CAST(1000 + 37 * (h // 97 % {ports}) + h // 7919 % 10 AS INTEGER) AS port,
    CASE WHEN unknown THEN CAST(1000 + 37 * (h // 89 % {ports}) AS INTEGER) END AS initiator_port,
    CASE WHEN refused THEN 'refused' ELSE 'accepted' END AS verdict,
    CASE WHEN NOT outside AND NOT dark THEN c.interface END AS initiator_interface,
    s.interface AS responder_interface,
    CASE WHEN NOT outside AND NOT dark THEN c.network END AS initiator_network, s.network AS responder_network,
    CASE WHEN NOT outside AND NOT dark THEN '111122223333' END AS initiator_scope, '111122223333' AS responder_scope,
    CAST(NULL AS VARCHAR) AS initiator_name, CAST(NULL AS VARCHAR) AS responder_name,
    CASE WHEN outside OR dark THEN [s.interface] ELSE [c.interface, s.interface] END AS observers,
    CAST([] AS VARCHAR[]) AS middle, CAST([] AS VARCHAR[]) AS rules,
    CAST(1 + h % 40 AS BIGINT) AS connections, CAST(2 AS BIGINT) AS records, CAST(10 AS BIGINT) AS packets,
    CAST(1000 AS BIGINT) AS bytes, CAST(10 AS BIGINT) AS packets_back, CAST(1000 AS BIGINT) AS bytes_back,
    make_timestamp(1000000 * CAST({begin} + h % 86400 AS BIGINT)) AS first_seen,
    make_timestamp(1000000 * CAST({end} - h % 86400 AS BIGINT)) AS last_seen,
    CASE WHEN unknown THEN 'unknown' ELSE 'handshake' END AS evidence,
    CASE WHEN unknown THEN 'unknown' ELSE 'high' END AS confidence
FROM ends
    JOIN interfaces c ON c.number = CAST(ends.client AS BIGINT)
    JOIN interfaces s ON s.number = CAST(ends.server AS BIGINT)
ORDER BY i
"""

_BARE: Final = """
SELECT coalesce(i1.number, i2.number, -1) AS initiator_end, coalesce(r1.number, r2.number, -1) AS responder_end
FROM (
    SELECT
        initiator_interface, responder_interface,
        CASE WHEN initiator_interface IS NULL THEN initiator END AS initiator_address,
        coalesce(initiator_network, responder_network) AS initiator_near,
        CASE WHEN responder_interface IS NULL THEN responder END AS responder_address,
        coalesce(responder_network, initiator_network) AS responder_near
    FROM '{file}'
) AS seen
    LEFT JOIN interfaces i1 ON i1.interface = initiator_interface
    LEFT JOIN by_address i2 ON i2.address = initiator_address AND i2.network = initiator_near
    LEFT JOIN interfaces r1 ON r1.interface = responder_interface
    LEFT JOIN by_address r2 ON r2.address = responder_address AND r2.network = responder_near
"""


def _interfaces(estate: Estate) -> dict[str, NDArray[np.generic]]:
    """Return the interfaces as a table: their numbers, ids, addresses and networks, as a log has them."""
    every = list(estate.interfaces.values())
    texts = {
        "interface": [each.own_id for each in every],
        "address": [str(each.addresses) for each in every],
        "network": [estate.networks[each.network or ""].own_id for each in every],
    }
    return {"number": np.arange(len(every)), **{name: _texts(values) for name, values in texts.items()}}


def _texts(values: Sequence[str]) -> NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _written(mix: Mix, estate: Estate, path: Path) -> duckdb.DuckDBPyConnection:
    """Write the conversations of a mix, and return the database with the table of the interfaces."""
    database = duckdb.connect(config={"threads": 1})
    database.register("held", _interfaces(estate))
    database.execute("CREATE TABLE interfaces AS SELECT * FROM held")
    # Of several interfaces with one address the bare join takes one.
    database.execute("CREATE TABLE by_address AS SELECT address, network, min(number) AS number FROM held GROUP BY ALL")
    query = _ROWS.format(
        rows=ROWS,
        interfaces=mix.shape.interfaces,
        replicas=mix.shape.replicas,
        partners=mix.partners,
        ports=mix.ports,
        begin=BEGIN,
        end=BEGIN + DAYS * 86_400,
    )
    names = ", ".join(f'"{column.name}"' for column in CONVERSATIONS)
    coverage = Coverage(first=BEGIN, last=BEGIN + DAYS * 86_400)
    write_conversations(database, f"SELECT {names} FROM ({query}) ORDER BY ALL", coverage, path)
    return database


def _joined_bare(database: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return how many rows the bare join has; its columns are made as arrays."""
    # The stub names arrays of unknown things.
    held = cast("dict[str, NDArray[np.int64]]", database.execute(query).fetchnumpy())  # pyright: ignore[reportUnknownMemberType]
    return len(held["initiator_end"])


def _read(path: Path) -> Conversations:
    """Read the columns of a file, all of them: whoever audits needs most."""
    found = read_conversations(path)
    for column in CONVERSATIONS:
        found.column(column.name)
    return found


def _one(name: str, stages: Stages) -> None:
    from cloudseg.observed.join import join
    from cloudseg.observed.using import usage_of
    from cloudseg.reach.reachability import Reachability

    mix = MIXES[name]
    estate = estate_of(mix.shape)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversations.parquet"
        with _written(mix, estate, path) as database:
            bare = _BARE.format(file=path)
            stages.timed("bare", lambda: _joined_bare(database, bare))
        conversations = stages.timed("read", lambda: _read(path))
    joined = stages.timed("join", lambda: join(conversations, estate))
    reach = Reachability(estate)
    usage = stages.timed("use", lambda: usage_of(joined, reach, estate))
    stages.counts = {"ends": len(joined.ends), "unplaced": usage.unplaced}


def measure(runs: int = 1) -> Result:
    """Join every mix in fresh processes and return the medians."""
    rows: list[tuple[str, ...]] = []
    budgets: list[Budget] = []
    for name, mix in MIXES.items():
        found = measured("benchmarks.flow_join", name, runs)
        ratio = (found.cpu["read"] + found.cpu["join"]) / found.cpu["bare"]
        rows.append(
            (
                name,
                f"{mix.shape.rules:,}",
                found.number("ends"),
                *(f"{found.cpu[stage]:.2f}" for stage in ("bare", "read", "join")),
                f"{ratio:.1f}",
                f"{found.cpu['use']:.2f}",
                f"{found.memory['use']:.0f}",
            )
        )
        budgets.append(Budget(f"use of {mix.shape.rules:,} rules: {name}", found.cpu["use"], _LONGEST, "s"))
    about = (
        f"{ROWS:,} conversations and 50,000 interfaces, in CPU time. The bare join is DuckDB's: both ends by the "
        "interface that reported, else by address and network. Beside that, `join` says of each end that is not "
        "found why, and minds addresses that moved; it takes the columns as objects, which `read` makes. The ratio is "
        "of both together to the bare join, which reads the file as well. `use` is which rules were used."
    )
    header = ("who talks to whom", "rules", "ends", "bare s", "read s", "join s", "x bare", "use s", "MiB")
    return Result("Conversations beside an estate", about, header, tuple(rows), tuple(budgets))


if __name__ == "__main__":
    main(measure, _one)
