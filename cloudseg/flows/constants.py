"""Columns of Parquet files that hold one value all through: so say the statistics that each of them ends with.

https://parquet.apache.org/docs/file-format/metadata/
https://duckdb.org/docs/data/parquet/metadata
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.flows.formats.containers import file_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

__all__ = ["constants"]

# Some writers cut long values short, the least downwards and the greatest upwards: then the two differ.
_STATISTICS: Final = """
SELECT path_in_schema, MIN(stats_min_value) FROM parquet_metadata({files}) WHERE path_in_schema IN ({names})
GROUP BY path_in_schema
HAVING BOOL_AND(COALESCE(stats_min_value = stats_max_value AND stats_null_count = 0, FALSE))
    AND MIN(stats_min_value) = MAX(stats_min_value)
"""


def constants(database: DuckDBPyConnection, files: Sequence[Path], columns: Mapping[str, str]) -> dict[str, str]:
    """Return which columns hold the same value in all rows of all these Parquet files, none of them NULL.

    Args:
        database: where to ask.
        files: the files.
        columns: the names of the columns in the files, by any key.

    Returns:
        the value, by the same key. A column without statistics is not among them.

    Raises:
        duckdb.Error: a file cannot be read.
    """
    if not columns:
        return {}
    names = ", ".join("?" for _ in columns)
    query = _STATISTICS.format(files=file_list(files), names=names)
    found: dict[str, str] = dict(database.execute(query, list(columns.values())).fetchall())
    return {key: found[name] for key, name in columns.items() if name in found}
