"""Which columns of a table in BigQuery are which fields of Google Cloud's flow logs, and what bounds a query of it.

A log sink writes a table for each day, or one that is partitioned:
https://cloud.google.com/logging/docs/export/bigquery#partition-tables. A field has a column once an entry had it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import InputError
from cloudseg.flows.engines.query import Table, quoted_condition, sightings_query
from cloudseg.flows.formats.containers import quoted_name, quoted_text
from cloudseg.flows.formats.gcp_vpc import FIELDS, GCP_VPC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.flows.engines.interface import Window
    from cloudseg.providers.gcp.bigquery_access import Described, Field

__all__ = ["Place", "Written", "newest", "place_of", "written"]

_SUFFIX: Final = "_TABLE_SUFFIX"
_ARRIVED: Final = "_PARTITIONTIME"
_NUMBERS: Final = frozenset(
    {
        "timestamp", "jsonPayload.packets_sent", "jsonPayload.bytes_sent",
        *(f"jsonPayload.connection.{name}" for name in ("src_port", "dest_port", "protocol")),
    }
)  # fmt: skip
"""Fields that are read as they come, be they numbers, texts of numbers or times."""
_MARGIN: Final = {"HOUR": 1, "DAY": 1, "MONTH": 32, "YEAR": 367}
"""Days that are read on either side of the window, for entries that came late: a partition is named by its begin."""


class Place(NamedTuple):
    """A table of a dataset in a project; one that ends in ``*`` is all tables that begin so, one for each day."""

    project: str
    dataset: str
    table: str

    @property
    def sharded(self) -> bool:
        """Whether it is a table for each day."""
        return self.table.endswith("*")

    def __str__(self) -> str:
        return ".".join(self)


class Written(NamedTuple):
    """A query for a table: its text, and what bounds it, in words."""

    text: str
    told: str


def place_of(table: str) -> Place:
    """Take ``PROJECT.DATASET.TABLE`` apart; the id of a project may have dots itself.

    Raises:
        InputError: it is none.
    """
    parts = table.strip("`").replace("/", ".").rsplit(".", 2)
    if len(parts) != 3 or not all(parts) or "*" in parts[2][:-1] or "`" in table.strip("`"):
        raise InputError(
            f"{table!r} names no table of BigQuery; write PROJECT.DATASET.TABLE, and for a table a day "
            "PROJECT.DATASET.compute_googleapis_com_vpc_flows_*"
        )
    return Place(*parts)


def newest(place: Place, names: Iterable[str]) -> str:
    """Return the newest of the tables a day, whose columns count for all of them.

    Raises:
        InputError: there is none.
    """
    prefix = place.table[:-1]
    days = sorted(name for name in names if name.startswith(prefix) and name.removeprefix(prefix).isdecimal())
    if not days:
        raise InputError(f"{place}: no table a day is there; check the name, or name a single table")
    return days[-1]


def written(place: Place, described: Described, window: Window) -> Written:
    """Write the query for a table.

    Raises:
        InputError: the table lacks a field that is needed.
    """
    known = {name.lower(): name for name in FIELDS}
    kinds = {known[name.lower()]: kind for name, kind in _fields(described.schema) if name.lower() in known}
    shape = tuple(name for name in FIELDS if name in kinds)
    if lacking := GCP_VPC.lacks(shape):
        raise InputError(
            f"{place} lacks fields of {GCP_VPC.title} that are needed: {', '.join(lacking)}; name the table that a log "
            "sink writes"
        )
    texts = frozenset(name for name, kind in kinds.items() if name not in _NUMBERS and kind != "STRING")
    if place.sharded:
        first, last = _days(window, 1)
        conditions: tuple[str, ...] = (quoted_condition(_SUFFIX, f"{first:%Y%m%d}", f"{last:%Y%m%d}"),)
        told = f"bounded to the tables of {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    else:
        conditions, told = _partition(described, window, dict(_fields(described.schema)))
    table = Table((str(place),), shape, {}, conditions, texts)
    return Written(sightings_query(GCP_VPC, table, window, "bigquery"), told)


def _fields(schema: Sequence[Field], above: str = "") -> Iterable[tuple[str, str]]:
    """The fields of a schema: name with dots, and type. What is repeated has no one value and is left out."""
    for field in schema:
        name = f"{above}{field.name}"
        if field.mode == "REPEATED":
            continue
        if field.field_type in ("RECORD", "STRUCT"):
            yield from _fields(field.fields, f"{name}.")
        else:
            yield name, field.field_type


def _partition(described: Described, window: Window, kinds: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """What bounds the scan of one table, in DuckDB's words and in people's."""
    partitioning = described.time_partitioning
    if partitioning is None:
        return (), "not bounded: the table has no partitions, and is read as a whole"
    field = partitioning.field or _ARRIVED
    kind = "TIMESTAMP" if field == _ARRIVED else kinds.get(field, "")
    as_type = {"TIMESTAMP": "TIMESTAMPTZ", "DATETIME": "TIMESTAMP", "DATE": "DATE"}.get(kind)
    if as_type is None:
        return (), f"not bounded: the table is partitioned by {field}, which is no time"
    first, last = _days(window, _MARGIN.get(partitioning.type_ or "", 1))
    # A time without its zone is read as UTC.
    zone = " 00:00:00+00:00" if kind == "TIMESTAMP" else " 00:00:00" if kind == "DATETIME" else ""
    low, high = (f"CAST({quoted_text(f'{each:%Y-%m-%d}{zone}')} AS {as_type})" for each in (first, last))
    column = quoted_name(field)
    return (f"{column} >= {low} AND {column} <= {high}",), f"bounded by {field}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _days(window: Window, margin: int) -> tuple[datetime, datetime]:
    first, last = (datetime.fromtimestamp(seconds, UTC) for seconds in window)
    # The end is the begin of a day: the last one is read whole.
    return first - timedelta(days=margin), last + timedelta(days=margin + 1)
