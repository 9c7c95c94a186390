"""Azure NSG flow logs, versions 1 and 2: a tuple for each connection that a network security group let pass or denied.

Source: https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview#log-format. They end on 30 September
2027, and none could be created since 30 June 2025; blobs that were written stay.

A denial is logged by the group that denies, a connection that passes by the last group on its way. Version 1 has
neither states nor counts: each tuple tells of a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.flows.formats.azure_blobs import SHAPE, Nesting, connections, is_blob, tuples
from cloudseg.flows.formats.interface import Format, Head, Records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["AZURE_NSG"]

_NESTING: Final = Nesting(
    fields=(
        "time",
        "macAddress",
        "resourceId",
        "properties.flows[].rule",
        "properties.flows[].flows[].mac",
        "properties.flows[].flows[].flowTuples[]",
    ),
    resource=r"COALESCE(record.resourceId, REGEXP_EXTRACT(filename, '(?i)resourceId=(/.+?)/y=\d{4}/', 1))",
    # The group may guard subnets and adapters of several networks.
    network="CAST(NULL AS VARCHAR)",
    outer="properties.flows",
    inner="flows",
    # Version 1 tells the adapter here alone.
    mac="COALESCE(LOWER(inside.mac), mac)",
    rule="resource || '/' || outside.rule",
)


def _shape(head: Head) -> tuple[str, ...] | None:
    """Return the shape of blobs of NSG flow logs; None for another file. Of one without records its path tells."""
    if not is_blob(head):
        return None
    if b'"time"' not in head.start:
        known = "/networksecuritygroups/" in str(head.path).lower()
    else:
        known = b"NetworkSecurityGroupFlowEvent" in head.start
    return SHAPE if known else None


def _lacks(_shape: tuple[str, ...]) -> tuple[str, ...]:
    return ()


def _relation(paths: Sequence[Path], _shape: tuple[str, ...]) -> str:
    return tuples(paths, _NESTING)


def _records(relation: str, _shape: tuple[str, ...]) -> Records:
    return connections(
        relation,
        protocol="CASE part[6] WHEN 'T' THEN '6' WHEN 'U' THEN '17' ELSE part[6] END",
        accepted="CASE part[8] WHEN 'A' THEN TRUE WHEN 'D' THEN FALSE END",
        # Version 1 has no ninth field.
        begins="COALESCE(part[8] = 'D' OR part[9] = 'B' OR part[9] IS NULL, FALSE)",
    )


AZURE_NSG: Final = Format(
    name="azure-nsg",
    title="Azure NSG flow logs",
    shape=_shape,
    lacks=_lacks,
    relation=_relation,
    records=_records,
)
