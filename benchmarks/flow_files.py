"""Flow logs of any size: ``python -m benchmarks.flow_files FOLDER ROWS CONVERSATIONS parquet|text``.

Each connection is recorded as AWS does it: there and back, by the interfaces of both its ends. Clients take ephemeral
ports. Of one connection in five the log shows only the middle, without a handshake.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["FIELDS", "write_logs"]

FIELDS: Final = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr flow-direction"
)
FILES: Final = 16
SECONDS: Final = 30 * 86_400
BEGIN: Final = 1_780_000_000

# Row r is one of the four records of connection r / 4; what a connection is follows from its number by hashing.
_ROWS: Final = """
WITH connections AS (
    SELECT i, hash(i) % {conversations} AS k, hash(i * 7 + 1) AS h FROM range({first}, {last}) AS numbers(i)
),
ends AS (
    SELECT i, k, h,
        hash(k * 3 + 1) % 40000 AS client, hash(k * 5 + 2) % 10000 AS server,
        CAST([443, 5432, 8080, 6379, 8443, 9092, 22, 53][CAST(1 + hash(k * 11 + 3) % 8 AS BIGINT)] AS INTEGER) AS port,
        CAST(32768 + h % 28000 AS INTEGER) AS ephemeral,
        h % 5 = 0 AS middle
    FROM connections
),
addressed AS (
    SELECT *,
        '10.' || (client // 16000) || '.' || (client // 64 % 250) || '.' || (4 + client % 64) AS c_ip,
        '10.9.' || (server // 64 % 250) || '.' || (4 + server % 64) AS s_ip,
        printf('eni-%017x', client) AS c_eni, printf('eni-%017x', 1000000 + server) AS s_eni
    FROM ends
)
SELECT
    5 AS "version", '111122223333' AS "account-id",
    CASE WHEN side = 0 THEN c_eni ELSE s_eni END AS "interface-id",
    CASE WHEN way = 0 THEN c_ip ELSE s_ip END AS srcaddr, CASE WHEN way = 0 THEN s_ip ELSE c_ip END AS dstaddr,
    CASE WHEN way = 0 THEN ephemeral ELSE port END AS srcport,
    CASE WHEN way = 0 THEN port ELSE ephemeral END AS dstport,
    6 AS protocol, CAST(1 + h % 40 AS INTEGER) AS packets, CAST(40 + h % 9000 AS BIGINT) AS bytes,
    CAST({begin} + h % {seconds} AS BIGINT) AS "start", CAST({begin} + h % {seconds} + 58 AS BIGINT) AS "end",
    'ACCEPT' AS "action", 'OK' AS "log-status", 'vpc-0a1b2c3d4e5f60718' AS "vpc-id",
    'subnet-0a1b2c3d4e5f60718' AS "subnet-id", 'i-0a1b2c3d4e5f60718' AS "instance-id",
    CASE WHEN middle THEN 0 WHEN way = 0 THEN 3 ELSE 19 END AS "tcp-flags", 'IPv4' AS "type",
    srcaddr AS "pkt-srcaddr", dstaddr AS "pkt-dstaddr",
    CASE WHEN side = way THEN 'egress' ELSE 'ingress' END AS "flow-direction"
FROM addressed, range(2) AS sides(side), range(2) AS ways(way)
"""


def write_logs(folder: Path, rows: int, conversations: int, kind: str, *, files: int = FILES) -> tuple[Path, ...]:
    """Write so many records of so many conversations as Parquet or as compressed text, and return the files."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    database = duckdb.connect()
    step = rows // 4 // files
    return tuple(_written(database, folder, number, step, conversations, kind) for number in range(files))


def _written(database: DuckDBPyConnection, folder: Path, number: int, step: int, conversations: int, kind: str) -> Path:
    query = _ROWS.format(
        conversations=conversations, first=number * step, last=(number + 1) * step, begin=BEGIN, seconds=SECONDS
    )
    if kind == "parquet":
        path = folder / f"part-{number:03}.parquet"
        # Parquet files of flow logs write underscores where text has hyphens.
        names = ", ".join(f'"{name}" AS "{name.replace("-", "_")}"' for name in FIELDS.split())
        database.execute(f"COPY (SELECT {names} FROM ({query})) TO '{path}' (FORMAT parquet, COMPRESSION gzip)")
    else:
        path = folder / f"part-{number:03}.log.gz"
        database.execute(
            f"COPY ({query}) TO '{path}' (FORMAT csv, DELIMITER ' ', HEADER true, COMPRESSION gzip, QUOTE '')"
        )
    return path


if __name__ == "__main__":
    write_logs(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
