"""VPC flow logs of AWS, versions 2 to 11 and every custom format, by the names of their fields.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html

A record counts the packets of one direction, at one interface, in a window of at most ten minutes. ``srcaddr`` and
``dstaddr`` show the interface's own primary address on its own side; ``pkt-srcaddr`` and ``pkt-dstaddr`` show who truly
sent and who truly receives: they count where the format has them. Who opened the connection only ``tcp-flags`` tell.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.formats.aws_fields import TGW_FIELDS, Fields, fields_of, is_among, relation
from cloudseg.flows.formats.aws_records import lacking, observed, records_of, status, told
from cloudseg.flows.formats.interface import Format, Head, Records

__all__ = ["AWS_VPC"]

_BETWEEN: Final = "'nat_gateway', 'regional_nat_gateway', 'transit_gateway'"
"""The values of ``interface-type`` that are never an end of a connection."""

_HANDS_ON: Final = "'network_load_balancer', 'gateway_load_balancer', 'gateway_load_balancer_endpoint', 'vpc_endpoint'"
"""Those that are one, unless their own address is not the packet's."""


def _shape(head: Head) -> tuple[str, ...] | None:
    shape = fields_of(head)
    return None if shape is None or is_among(shape, TGW_FIELDS) else shape


def _lacks(shape: tuple[str, ...]) -> tuple[str, ...]:
    return lacking(Fields(shape), ("action",))


def _records(relation: str, shape: tuple[str, ...]) -> Records:
    fields = Fields(shape)
    read = {
        **told(fields),
        "network": fields.text("vpc-id"),
        # A regional NAT gateway has no interface in the VPC: its records name the gateway in resource-id.
        "observer": fields.first_text("interface-id", "resource-id"),
        "interface": fields.text("interface-id"),
        "resource": fields.text("resource-id"),
        "instance": fields.text("instance-id"),
        "interface_type": fields.text("interface-type"),
        "seen_src": fields.first_text("srcaddr", "pkt-srcaddr"),
        "seen_dst": fields.first_text("dstaddr", "pkt-dstaddr"),
        "src": fields.first_text("pkt-srcaddr", "srcaddr"),
        "dst": fields.first_text("pkt-dstaddr", "dstaddr"),
        "action": fields.text("action"),
        "src_service": fields.text("pkt-src-aws-service"),
        "dst_service": fields.text("pkt-dst-aws-service"),
        "ecs_service": fields.text("ecs-service-name"),
        "reject_reason": fields.text("reject-reason"),
    }
    judged = {"status": status(fields, "action IN ('ACCEPT', 'REJECT')"), "own": _OWN}
    columns = {
        **observed(fields, scope=("account-id",), network=("vpc-id",), observer=("interface-id", "resource-id")),
        "accepted": "action = 'ACCEPT'",
    }
    if _tells_side(fields):
        columns["side"] = _side(fields)
    for end in ("src", "dst"):
        if _translates(fields, end):
            columns[f"near_{end}"] = f"CASE WHEN seen_{end} <> {end} THEN seen_{end} END"
        if name := _name(fields, end):
            columns[f"{end}_name"] = name
    if "tcp-flags" in fields:
        columns |= _HANDSHAKE
    if "reject-reason" in fields:
        # Not a rule of the estate, but what refused in its place: BPA, the block of public access.
        columns["rule"] = "reject_reason"
    return records_of(relation, read, judged, columns)


_HANDSHAKE: Final = {
    "opener": (
        "CASE WHEN protocol = 6 AND (flags & 18) = 2 THEN 'src' WHEN protocol = 6 AND (flags & 18) = 18 THEN 'dst' END"
    ),
    "proof": "CASE WHEN protocol = 6 AND (flags & 2) = 2 THEN 'handshake' END",
    "opened": "CAST(CASE WHEN protocol = 6 AND (flags & 18) = 2 THEN 1 ELSE 0 END AS BIGINT)",
    "answers": "CASE WHEN protocol = 6 AND (flags & 18) = 18 THEN TRUE END",
}
"""What the flags prove: FIN 1, SYN 2, RST 4, SYN-ACK 18, OR-ed over the window.

An ACK is counted only together with a SYN: 2 and 3 are the initiator's, 18 and 19 the answer. 0, 1, 4 and 5 are sent by
both ends, and by connections older than the window.
"""


def _translates(fields: Fields, end: str) -> bool:
    return f"{end}addr" in fields and f"pkt-{end}addr" in fields


def _tells_side(fields: Fields) -> bool:
    return (
        "flow-direction" in fields
        or "interface-type" in fields
        or _translates(fields, "src")
        or _translates(fields, "dst")
    )


_OWN: Final = (
    "CASE WHEN direction = 'egress' THEN 'src' WHEN direction = 'ingress' THEN 'dst' "
    "WHEN seen_src <> src THEN 'src' WHEN seen_dst <> dst THEN 'dst' END"
)
"""The end at which the interface stands: by the direction, else by the end whose address it saw as its own."""


def _side(fields: Fields) -> str:
    """The side of a record.

    An interface whose own address is not the packet's hands on what others sent: a NAT gateway, a transit gateway. On
    an instance it is a pod's address, or another one of its own. Without a field that tells those apart it is unknown.
    """
    if "instance-id" in fields:
        otherwise = "CASE WHEN instance IS NULL AND interface_type IS NULL THEN 'middle' ELSE own END"
    else:
        otherwise = "CASE WHEN interface_type IS NOT NULL THEN own END"
    regional = "interface IS NULL AND resource IS NOT NULL" if "resource-id" in fields else "FALSE"
    return (
        f"CASE WHEN interface_type IN ({_BETWEEN}) OR ({regional}) THEN 'middle' "
        "WHEN NOT ((own = 'src' AND seen_src <> src) OR (own = 'dst' AND seen_dst <> dst)) THEN own "
        f"WHEN own IS NULL THEN NULL WHEN interface_type IN ({_HANDS_ON}) THEN 'middle' ELSE {otherwise} END"
    )


def _name(fields: Fields, end: str) -> str | None:
    """What the log calls an end: a service of AWS, or the ECS service behind the reporting interface."""
    names: list[str] = []
    if f"pkt-{end}-aws-service" in fields:
        names.append(f"{end}_service")
    if "ecs-service-name" in fields and _tells_side(fields):
        names.append(f"CASE WHEN own = '{end}' THEN ecs_service END")
    return f"COALESCE({', '.join(names)})" if len(names) > 1 else next(iter(names), None)


AWS_VPC: Final = Format("aws-vpc", "AWS VPC flow logs", _shape, _lacks, relation, _records)
