"""Which columns of a table in Athena are which fields of AWS flow logs, and what bounds a query of it.

https://docs.aws.amazon.com/athena/latest/ug/vpc-flow-logs.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import InputError
from cloudseg.flows.engines.partitions import Key, bounds_of
from cloudseg.flows.engines.query import Table, sightings_query
from cloudseg.flows.formats.aws_fields import TGW_FIELDS, VPC_FIELDS
from cloudseg.flows.formats.aws_tgw import AWS_TGW
from cloudseg.flows.formats.aws_vpc import AWS_VPC
from cloudseg.flows.formats.containers import quoted_name, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.flows.engines.interface import Window
    from cloudseg.flows.formats.interface import Format
    from cloudseg.providers.aws.flow_access import Json

__all__ = ["MOST_TEXT", "Place", "Written", "part_of", "place_of", "written"]

MOST_TEXT: Final = 262_144
"""Bytes that a query may have. Source: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""

_DEFAULT_CATALOG: Final = "AwsDataCatalog"
_OTHER_NAMES: Final = {
    # As older pages of AWS name the columns.
    "account": "account-id", "accountid": "account-id", "interfaceid": "interface-id", "sourceaddress": "srcaddr",
    "destinationaddress": "dstaddr", "sourceport": "srcport", "destinationport": "dstport", "numpackets": "packets",
    "numbytes": "bytes", "starttime": "start", "endtime": "end", "start-time": "start", "end-time": "end",
    "logstatus": "log-status",
}  # fmt: skip
_ACCOUNTS: Final = ("aws-account-id", "aws_account_id", "accid", "account_id", "account-id", "accountid", "account")
"""Partition keys that tell the account where no column does."""
_FIELDS: Final = VPC_FIELDS | TGW_FIELDS


class Place(NamedTuple):
    """A table: of a database, in a catalogue."""

    catalog: str
    database: str
    table: str

    @property
    def name(self) -> tuple[str, ...]:
        """Its name as a query has it."""
        return self[1:] if self.catalog == _DEFAULT_CATALOG else self

    def __str__(self) -> str:
        return ".".join(self.name)


class Written(NamedTuple):
    """A query for a table.

    Attributes:
        text: the query.
        of: the format of the table's rows.
        told: what bounds it, in words.
        by_time: whether the days asked for bound what is scanned.
    """

    text: str
    of: Format
    told: str
    by_time: bool


def place_of(table: str) -> Place:
    """Take ``[CATALOG.]DATABASE.TABLE`` apart.

    Raises:
        InputError: it is none.
    """
    parts = table.split(".")
    if len(parts) not in (2, 3) or not all(parts):
        raise InputError(f"{table!r} names no table of Athena; write DATABASE.TABLE, or CATALOG.DATABASE.TABLE")
    return Place(*parts) if len(parts) == 3 else Place(_DEFAULT_CATALOG, *parts)


def written(place: Place, metadata: Json, window: Window, asked: Mapping[str, str]) -> Written:
    """Write the query for a table.

    Args:
        place: the table.
        metadata: ``TableMetadata`` as Athena tells it.
        window: the time that is asked for.
        asked: values of partitions that the user named.

    Raises:
        InputError: the table lacks a field that is needed, or has not a partition that was named.
    """
    columns = _columns(metadata)
    keys = [Key(str(each["Name"]), str(each.get("Type") or "string")) for each in metadata.get("PartitionKeys") or ()]
    if "account-id" not in columns:
        account = next((key.name for name in _ACCOUNTS for key in keys if key.name.lower() == name), None)
        columns |= {} if account is None else {"account-id": account}
    if not columns:
        raise InputError(f"{place} has no column of AWS flow logs; name the table of VPC or transit gateway flow logs")
    shape = tuple(columns)
    of = AWS_TGW if not TGW_FIELDS.isdisjoint(shape) else AWS_VPC
    if lacking := of.lacks(shape):
        raise InputError(f"{place} lacks fields of {of.title} that are needed: {', '.join(lacking)}")
    parameters = {name.lower(): str(value) for name, value in part_of(metadata, "Parameters").items()}
    bounds = bounds_of(keys, parameters, window, asked)
    renamed = {field: name for field, name in columns.items() if field != name}
    conditions = (*bounds.conditions, *_no_headers(columns, metadata, parameters))
    text = sightings_query(of, Table(place.name, shape, renamed, conditions), window, "athena")
    if len(text.encode()) > MOST_TEXT:
        raise InputError(
            f"the query has more than the {MOST_TEXT} bytes that Athena takes; ask for fewer days at a time"
        )
    told = f"bounded by the partitions {', '.join(bounds.told)}" if bounds.told else "bounded by no partition"
    return Written(text, of, told, bounds.by_time)


def _no_headers(columns: Mapping[str, str], metadata: Json, parameters: Mapping[str, str]) -> Iterator[str]:
    """Leave out the first line of each file, where the table reads it as a row."""
    if parameters.get("skip.header.line.count", "0") != "0":
        return
    texts = {str(each["Name"]) for each in metadata.get("Columns") or () if str(each.get("Type")) == "string"}
    for field in ("srcaddr", "pkt-srcaddr"):
        if (name := columns.get(field, "")) in texts:
            yield f"{quoted_name(name)} IS NULL OR {quoted_name(name)} <> {quoted_text(field)}"
            return


def part_of(answer: Json, name: str) -> Json:
    """Return an object in an answer; empty where it is not there."""
    found: Json = answer.get(name) or {}
    return found


def _columns(metadata: Json) -> dict[str, str]:
    """The table's own name of each field that it has; the first column of two counts."""
    found: dict[str, str] = {}
    for column in metadata.get("Columns") or ():
        name = str(column["Name"])
        plain = name.lower().replace("_", "-")
        field = _OTHER_NAMES.get(plain, plain)
        if field in _FIELDS:
            found.setdefault(field, name)
    return found
