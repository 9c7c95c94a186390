"""The blobs that Azure's Network Watcher writes: ``PT1H.json``, one object with a list of records.

Azure adds to such a blob once a minute for an hour, a record for each network adapter:
https://learn.microsoft.com/azure/network-watcher/flow-logs-read. What was fetched of one may end in the middle.
A blob is one JSON value, which DuckDB holds as a whole: reading one takes about four times its size in memory.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.flows.formats.containers import file_list, quoted_text
from cloudseg.flows.formats.json_files import (
    columns_clause,
    compression,
    largest_value,
    parted,
    selected,
    structure,
    together,
)
from cloudseg.flows.formats.json_records import records_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloudseg.flows.formats.interface import Head, Records

__all__ = ["SHAPE", "Nesting", "connections", "is_blob", "tuples"]

SHAPE: Final = ("records",)
"""Every blob has the same fields."""
_OPENING: Final = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{\s*"records"\s*:\s*\[')
_CLOSING: Final = (b"}}]}", b'"records":[]}')
"""How a blob ends that is all there; only the second pair of these brackets closes it, and not a list in a record."""

_RECORD: Final = r'\{\s*"time"\s*:'
"""How a record begins; by it a blob is parted that is no JSON as a whole."""
_NEXT: Final = '{"time":'
_BETWEEN: Final = r"\}\}[\s,]*\]?\s*$"
"""How a blob ends that was cut between two records: another one began there, of which nothing is left."""
_ENDED: Final = r"[\s,]*(\]\s*\}?\s*)?$"
_LAST_TUPLE: Final = r'(?s)^.*"\d+,[^"]*"'
_REST: Final = ',""]}]}]}}'
"""Closes a record that was cut after a tuple, with an empty tuple for what is lost; both logs nest equally deep."""

_MAC: Final = "macAddress=([0-9A-Fa-f]+)"

_STAMP: Final = "TRY_CAST(part[1] AS BIGINT)"
_SECONDS: Final = f"CASE WHEN {_STAMP} >= 100000000000 THEN {_STAMP} // 1000 ELSE {_STAMP} END"
"""VNet flow logs count milliseconds, NSG flow logs seconds."""


class Nesting(NamedTuple):
    """Where the tuples stand in a record.

    Attributes:
        fields: all the fields that are read, below the record: ``flowRecords.flows[].aclID``.
        resource: the expression for the id of the resource that is logged, over ``record`` and ``filename``.
        network: the one for the id of the virtual network, over ``resource``, which is in lower case by then.
        outer: the list of objects with the rules: ``flowRecords.flows``.
        inner: the list in each of those with the tuples: ``flowGroups``.
        mac: the one for the network adapter's address, over ``mac`` (the record's) and ``inside``.
        rule: the one for whose rule decided, and which: over ``resource``, ``outside`` (an element of ``outer``) and
            ``inside`` (one of ``inner`` in that).
    """

    fields: tuple[str, ...]
    resource: str
    network: str
    outer: str
    inner: str
    mac: str
    rule: str


def is_blob(head: Head) -> bool:
    """Return whether a file begins as such a blob does, be it one without any record."""
    return _OPENING.match(head.start) is not None


def tuples(paths: Sequence[Path], nesting: Nesting) -> str:
    """Return what stands after FROM to read blobs: a row for each tuple.

    Its columns are ``noted`` (the record's time, seconds), ``mac``, ``scope``, ``network``, ``rule``, ``told`` (the
    tuple's text) and ``part`` (the tuple's fields). A record without a tuple gives a row whose ``told`` is NULL; what
    cannot be read of a record, one whose ``told`` is empty.

    Raises:
        OSError: a file cannot be read.
    """
    flows, groups = f"record.{nesting.outer}", f"outside.{nesting.inner}"
    own = {name: name for name in ("noted", "mac", "scope", "network")}
    # Each expression stands where it is worked out least often: a record may hold thousands of tuples.
    steps: tuple[dict[str, str], ...] = (
        {
            "record": "record",
            "noted": "CAST(EPOCH(TRY_CAST(SUBSTR(record.time, 1, 19) || '+00:00' AS TIMESTAMPTZ)) AS BIGINT)",
            "mac": f"LOWER(COALESCE(record.macAddress, NULLIF(REGEXP_EXTRACT(filename, '{_MAC}', 1), '')))",
            "resource": f"'/' || TRIM(LOWER({nesting.resource}), '/ ')",
        },
        {
            "noted": "noted",
            "mac": "mac",
            "scope": "NULLIF(SPLIT_PART(resource, '/', 3), '')",
            "network": nesting.network,
            "resource": "resource",
            "broken": f"{flows} IS NULL",
            "outside": f"UNNEST({_at_least_one(flows)})",
        },
        own
        | {"resource": "resource", "broken": "broken", "outside": "outside"}
        | {"inside": f"UNNEST({_at_least_one(groups)})"},
        own
        | {"mac": nesting.mac, "rule": nesting.rule}
        | {"lines": "CASE WHEN broken THEN [''] ELSE inside.flowTuples END"},
        own | {"rule": "rule", "told": f"UNNEST({_at_least_one('lines')})"},
        {"*": "*", "part": "STRING_SPLIT(told, ',')"},
    )
    return reduce(lambda source, step: selected(step, source), steps, _records(paths, nesting))


def _at_least_one(items: str) -> str:
    # A list that is empty would give no row: the adapter was there, and had no flow in that minute.
    return f"CASE WHEN LEN({items}) > 0 THEN {items} ELSE [NULL] END"


def _records(paths: Sequence[Path], nesting: Nesting) -> str:
    whole, cut = parted(paths, _CLOSING)
    return together([*([_read(whole, nesting)] if whole else []), *([_mended(cut, nesting)] if cut else [])])


def _read(paths: Sequence[Path], nesting: Nesting) -> str:
    columns = columns_clause([f"records[].{field}" for field in nesting.fields])
    blobs = (
        f"READ_JSON({file_list(paths)}, format = 'auto', {compression(paths)}, columns = {columns}, "
        f"maximum_object_size = {largest_value(paths)}, filename = true)"
    )
    return selected({"filename": "filename", "record": "UNNEST(records)"}, blobs)


def _mended(paths: Sequence[Path], nesting: Nesting) -> str:
    whole = "CASE WHEN JSON_VALID(piece) THEN piece WHEN JSON_VALID(mended) THEN mended ELSE '{}' END"
    steps = (
        {"content": f"content || CASE WHEN REGEXP_MATCHES(content, '{_BETWEEN}') THEN '{_NEXT}' ELSE '' END"},
        {"piece": f"UNNEST(STRING_SPLIT_REGEX(content, '{_RECORD}')[2:])"},
        {"piece": f"'{_NEXT}' || REGEXP_REPLACE(piece, '{_ENDED}', '')"},
        {"piece": "piece", "mended": f"REGEXP_EXTRACT(piece, '{_LAST_TUPLE}') || '{_REST}'"},
        {"record": f"FROM_JSON({whole}, {quoted_text(structure(nesting.fields))})"},
    )
    return reduce(
        lambda source, step: selected({"filename": "filename"} | step, source), steps, f"READ_TEXT({file_list(paths)})"
    )


def connections(relation: str, *, protocol: str, accepted: str, begins: str) -> Records:
    """Return the records of tuples: each tells of a connection, whose source opened it.

    Args:
        relation: as ``tuples`` gives it.
        protocol: the expression for the protocol's number.
        accepted: the one for whether the tuple tells of a connection that was let through.
        begins: the condition that it begins with this tuple, or was refused at its beginning.
    """
    return records_of(
        "azure",
        relation,
        {
            "scope": "scope",
            "network": "network",
            "observer": "mac",
            "side": "CASE part[7] WHEN 'O' THEN 1 WHEN 'I' THEN 2 END",
            "src": "NULLIF(part[2], '')",
            "dst": "NULLIF(part[3], '')",
            "src_port": "part[4]",
            "dst_port": "part[5]",
            "protocol": protocol,
            "opener": "1",
            "proof": "2",
            "opened": f"CASE WHEN {begins} THEN 1 ELSE 0 END",
            "accepted": accepted,
            "answers": "CASE WHEN TRY_CAST(part[12] AS BIGINT) > 0 THEN TRUE END",
            "rule": "rule",
            "packets": "part[10]",
            "bytes": "part[11]",
            "packets_back": "part[12]",
            "bytes_back": "part[13]",
            "first": f"CASE WHEN told <> '' THEN {_SECONDS} ELSE noted END",
        },
        status="CASE WHEN told IS NULL THEN 1 END",
    )
