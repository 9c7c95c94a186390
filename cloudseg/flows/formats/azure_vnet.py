"""Azure virtual network flow logs, version 4: a tuple for each connection that begins, goes on, ends or is denied.

Source: https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview#log-format
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.flows.formats.azure_blobs import SHAPE, Nesting, connections, is_blob, tuples
from cloudseg.flows.formats.interface import Format, Head, Records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["AZURE_VNET"]

_FIELDS: Final = (
    "time",
    "macAddress",
    "targetResourceID",
    "flowRecords.flows[].aclID",
    "flowRecords.flows[].flowGroups[].rule",
    "flowRecords.flows[].flowGroups[].flowTuples[]",
)
_NETWORK: Final = "^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft.network/virtualnetworks/[^/]+"
_NESTING: Final = Nesting(
    fields=_FIELDS,
    resource="record.targetResourceID",
    # A flow log's target is a network, a subnet in one, or an adapter, whose id names no network.
    network=f"NULLIF(REGEXP_EXTRACT(resource, '{_NETWORK}'), '')",
    outer="flowRecords.flows",
    inner="flowGroups",
    mac="mac",
    rule="""LOWER(outside.aclID) || '/' || inside.rule""",
)


def _shape(head: Head) -> tuple[str, ...] | None:
    """Return the shape of blobs of VNet flow logs; None for another file. Of one without records its path tells."""
    if not is_blob(head):
        return None
    path = str(head.path).lower()
    known = b'"flowRecords"' in head.start if b'"time"' in head.start else "flowlogresourceid=" in path
    return SHAPE if known else None


def _lacks(_shape: tuple[str, ...]) -> tuple[str, ...]:
    return ()


def _relation(paths: Sequence[Path], _shape: tuple[str, ...]) -> str:
    return tuples(paths, _NESTING)


def _records(relation: str, _shape: tuple[str, ...]) -> Records:
    return connections(
        relation,
        protocol="part[6]",
        accepted="CASE WHEN part[8] IN ('B', 'C', 'E') THEN TRUE WHEN part[8] = 'D' THEN FALSE END",
        begins="part[8] IN ('B', 'D')",
    )


AZURE_VNET: Final = Format(
    name="azure-vnet",
    title="Azure virtual network flow logs",
    shape=_shape,
    lacks=_lacks,
    relation=_relation,
    records=_records,
)
