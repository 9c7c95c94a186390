"""VPC flow logs of AWS, versions 2 to 11 and every custom format, by the names of their fields.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html

A record counts the packets of one direction, at one interface, in a window of at most ten minutes. ``srcaddr`` and
``dstaddr`` show the interface's own primary address on its own side; ``pkt-srcaddr`` and ``pkt-dstaddr`` show who truly
sent and who truly receives: they count where the format has them. Who opened the connection only ``tcp-flags`` tell.
"""

from __future__ import annotations

from typing import Final

from cloudseg.flows.columns import CODES
from cloudseg.flows.formats.aws_fields import TGW_FIELDS, Fields, fields_of, is_among, relation
from cloudseg.flows.formats.aws_records import lacking, observed, records_of, status, told
from cloudseg.flows.formats.interface import Format, Head, Records

__all__ = ["AWS_VPC"]

_ENDS: Final = ("src", "dst")

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
        "network": fields.raw("vpc-id"),
        # A regional NAT gateway has no interface in the VPC: its records name the gateway in resource-id.
        "observer": fields.first_raw("interface-id", "resource-id"),
        "interface": fields.text("interface-id"),
        "resource": fields.text("resource-id"),
        "instance": fields.raw("instance-id"),
        "interface_type": fields.text("interface-type"),
        "seen_src": fields.raw("srcaddr"),
        "seen_dst": fields.raw("dstaddr"),
        "src": fields.first_text("pkt-srcaddr", "srcaddr"),
        "dst": fields.first_text("pkt-dstaddr", "dstaddr"),
        "action": fields.raw("action"),
        "src_service": fields.text("pkt-src-aws-service"),
        "dst_service": fields.text("pkt-dst-aws-service"),
        "ecs_service": fields.text("ecs-service-name"),
        "reject_reason": fields.text("reject-reason"),
    }
    judged = {"status": status(fields, "(action = 'ACCEPT' OR action = 'REJECT')"), "own": _own(fields)}
    columns = {
        **observed(fields, scope=("account-id",), network=("vpc-id",), observer=("interface-id", "resource-id")),
        "accepted": "action = 'ACCEPT'",
    }
    if _tells_side(fields):
        columns["side"] = _side(fields)
    if any(_translates(fields, end) for end in _ENDS):
        # Nearly always neither end moved: one question settles all the others.
        judged["moved"] = " OR ".join(f"seen_{end} <> {end}" for end in _ENDS if _translates(fields, end))
    for end in _ENDS:
        if _translates(fields, end):
            columns[f"near_{end}"] = f"CASE WHEN moved THEN CASE WHEN {_moved(fields, end)} THEN seen_{end} END END"
        if name := _name(fields, end):
            columns[f"{end}_name"] = name
    if "tcp-flags" in fields:
        judged["opener"] = _OPENER
        columns |= _HANDSHAKE
    if "reject-reason" in fields:
        # Not a rule of the estate, but what refused in its place: BPA, the block of public access.
        columns["rule"] = "reject_reason"
    return records_of(relation, read, judged, columns)._replace(
        plain=fields.columns(scope="account-id", network="vpc-id")
    )


_OPENER: Final = (
    "CASE WHEN protocol = 6 THEN CASE WHEN (flags & 18) = 2 THEN 1 WHEN (flags & 18) = 18 THEN 2 ELSE 0 END ELSE 0 END"
)
_HANDSHAKE: Final = {
    "opener": "opener",
    "proof": "1",
    "opened": "CAST(CASE WHEN opener = 1 THEN 1 ELSE 0 END AS BIGINT)",
    "answers": "CASE WHEN opener = 2 THEN TRUE END",
}
"""What the flags prove: FIN 1, SYN 2, RST 4, SYN-ACK 18, OR-ed over the window.

An ACK is counted only together with a SYN: 2 and 3 are the initiator's, 18 and 19 the answer. 0, 1, 4 and 5 are sent by
both ends, and by connections older than the window.
"""


def _translates(fields: Fields, end: str) -> bool:
    return f"{end}addr" in fields and f"pkt-{end}addr" in fields


def _moved(fields: Fields, end: str) -> str:
    """The condition that the interface saw another address of an end than the packet's own."""
    # Where the packet's own is not told, the one that was seen stands for it.
    return f"COALESCE(seen_{end} <> {end} AND seen_{end} <> '-', FALSE)" if _translates(fields, end) else "FALSE"


def _tells_side(fields: Fields) -> bool:
    return "flow-direction" in fields or "interface-type" in fields or any(_translates(fields, end) for end in _ENDS)


def _own(fields: Fields) -> str:
    """The end at which the interface stands: by the direction, else by the end whose address it saw as its own."""
    return (
        "CASE WHEN direction = 'egress' THEN 1 WHEN direction = 'ingress' THEN 2 "
        f"WHEN {_moved(fields, 'src')} THEN 1 WHEN {_moved(fields, 'dst')} THEN 2 ELSE 0 END"
    )


def _side(fields: Fields) -> str:
    """The side of a record.

    An interface whose own address is not the packet's hands on what others sent: a NAT gateway, a transit gateway. On
    an instance it is a pod's address, or another one of its own. Without a field that tells those apart it is unknown.
    """
    if "instance-id" in fields:
        otherwise = "CASE WHEN (instance IS NULL OR instance = '-') AND interface_type IS NULL THEN 3 ELSE own END"
    else:
        otherwise = "CASE WHEN interface_type IS NOT NULL THEN own ELSE 0 END"
    moved = " OR ".join(f"(own = {number} AND {_moved(fields, end)})" for number, end in enumerate(_ENDS, 1))
    if "interface-type" not in fields and "resource-id" not in fields:
        if not any(_translates(fields, end) for end in _ENDS):
            return "own"
        return f"CASE WHEN moved THEN CASE WHEN {moved} THEN {otherwise} ELSE own END ELSE own END"
    regional = "interface IS NULL AND resource IS NOT NULL" if "resource-id" in fields else "FALSE"
    return (
        f"CASE WHEN interface_type IN ({_BETWEEN}) OR ({regional}) THEN 3 WHEN NOT ({moved}) THEN own "
        f"WHEN interface_type IN ({_HANDS_ON}) THEN 3 ELSE {otherwise} END"
    )


def _name(fields: Fields, end: str) -> str | None:
    """What the log calls an end: a service of AWS, or the ECS service behind the reporting interface."""
    names: list[str] = []
    if f"pkt-{end}-aws-service" in fields:
        names.append(f"{end}_service")
    if "ecs-service-name" in fields and _tells_side(fields):
        names.append(f"CASE WHEN own = {CODES['side'].index(end)} THEN ecs_service END")
    return f"COALESCE({', '.join(names)})" if len(names) > 1 else next(iter(names), None)


AWS_VPC: Final = Format("aws-vpc", "AWS VPC flow logs", _shape, _lacks, relation, _records)
