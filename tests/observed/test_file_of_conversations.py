"""A file of conversations is read column by column: what stood in one row stays together."""

from pathlib import Path

import numpy as np

from cloudseg.flows.columns import CONVERSATIONS
from cloudseg.flows.conversations import read_conversations, write_conversations
from cloudseg.flows.coverage import Coverage
from cloudseg.flows.database import connect

# Several parts of a file are read at once, of 122,880 rows each.
ROWS = 400_000
_PLAIN = {
    "VARCHAR": "NULL::VARCHAR",
    "INTEGER": "NULL::INTEGER",
    "BIGINT": "number",
    "TIMESTAMP": "TIMESTAMP '2026-10-01'",
    "VARCHAR[]": "[]::VARCHAR[]",
}
_OWN = {"initiator": "'10.0.' || (number % 65536) // 256 || '.' || number % 256", "port": "(number % 50000)::INTEGER"}


def test_columns_of_a_large_file_belong_together(tmp_path: Path) -> None:
    columns = ", ".join(f'{_OWN.get(each.name, _PLAIN[each.type])} AS "{each.name}"' for each in CONVERSATIONS)
    database = connect()
    table = f"SELECT {columns} FROM range({ROWS}) AS held(number)"
    write_conversations(database, table, Coverage(), tmp_path / "large.parquet")
    database.close()
    read = read_conversations(tmp_path / "large.parquet")
    numbers = read.column("records")
    assert np.array_equal(np.sort(numbers), np.arange(ROWS))
    assert np.array_equal(read.column("port"), numbers % 50000)
    assert np.array_equal(read.column("packets"), numbers)
    shown = numbers[:: ROWS // 500].tolist()
    addresses = read.column("initiator")[:: ROWS // 500].tolist()
    assert addresses == [f"10.0.{number % 65536 // 256}.{number % 256}" for number in shown]
