"""Transit gateway flow logs of AWS (version 6), by the names of their fields.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html

A transit gateway stands in between and decides nothing by rules: there is no ``action``. A record counts as accepted
unless packets of it were lost for want of a route, or in a blackhole route; how many arrived is not told apart, so that
a record that lost any of them counts as refused. Packets lost for their size or age were let through.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.formats.aws_fields import TGW_FIELDS, Fields, fields_of, is_among, relation
from cloudseg.flows.formats.aws_records import lacking, observed, records_of, status, told
from cloudseg.flows.formats.interface import Format, Head, Records

__all__ = ["AWS_TGW"]


def _shape(head: Head) -> tuple[str, ...] | None:
    shape = fields_of(head)
    return shape if shape is not None and is_among(shape, TGW_FIELDS) else None


def _lacks(shape: tuple[str, ...]) -> tuple[str, ...]:
    return lacking(Fields(shape))


def _records(relation: str, shape: tuple[str, ...]) -> Records:
    fields = Fields(shape)
    read = {
        **told(fields),
        "src": fields.text("srcaddr"),
        "dst": fields.text("dstaddr"),
        "observer": fields.first_raw("tgw-attachment-id", "tgw-id"),
        "src_network": fields.raw("tgw-src-vpc-id"),
        "dst_network": fields.raw("tgw-dst-vpc-id"),
        "src_service": fields.text("pkt-src-aws-service"),
        "dst_service": fields.text("pkt-dst-aws-service"),
        "no_route": f"COALESCE({fields.number('packets-lost-no-route')}, 0)",
        "blackhole": f"COALESCE({fields.number('packets-lost-blackhole')}, 0)",
    }
    columns = {
        **observed(fields, scope=("account-id",), observer=("tgw-attachment-id", "tgw-id")),
        "side": "3",
        "accepted": "no_route = 0 AND blackhole = 0",
    }
    if "flow-direction" in fields:
        # The VPC of the attachment that reports: what enters the gateway comes from there, what leaves it goes there.
        columns["network"] = "CASE direction WHEN 'ingress' THEN src_network WHEN 'egress' THEN dst_network END"
    for end in ("src", "dst"):
        if f"pkt-{end}-aws-service" in fields:
            columns[f"{end}_name"] = f"{end}_service"
    if "tcp-flags" in fields:
        columns |= _HANDSHAKE
    return records_of(relation, read, {"status": status(fields, "TRUE")}, columns)


_SYN = "protocol = 6 AND (flags & 18) = 2"

_HANDSHAKE: Final = {
    "opener": f"CASE WHEN {_SYN} THEN 1 ELSE 0 END",
    "proof": "1",
    "opened": f"CAST(CASE WHEN {_SYN} THEN 1 ELSE 0 END AS BIGINT)",
}
"""What the flags prove: only a SYN without ACK is the initiator's.

Unlike a VPC's log this one counts the ACK of every packet (16), and the flags are OR-ed over the window: SYN and ACK
together are the answer, or an initiator that had its answer in the same window.
"""


AWS_TGW: Final = Format("aws-tgw", "AWS transit gateway flow logs", _shape, _lacks, relation, _records)
