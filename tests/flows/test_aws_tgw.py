"""Transit gateway flow logs as records: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.flows.formats.aws_tgw import AWS_TGW
from cloudseg.flows.formats.aws_vpc import AWS_VPC
from cloudseg.flows.formats.interface import Head
from tests.flows.reading import group_of, records_of, write_log

if TYPE_CHECKING:
    from pathlib import Path

V6 = (
    "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id "
    "tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id "
    "tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status "
    "type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags "
    "region flow-direction pkt-src-aws-service pkt-dst-aws-service"
)
T = 1_767_225_600


def v6(flags: object = 2, way: str = "ingress", lost: str = "0 0 0 0", networks: str = "vpc-1 vpc-2") -> str:
    return (
        f"6 TransitGateway 111122223333 tgw-1 tgw-attach-1 111122223333 444455556666 {networks} subnet-1 subnet-2 "
        f"eni-1 eni-2 use1-az1 use1-az2 tgw-attach-2 10.20.33.164 10.40.2.236 39812 80 6 7 812 {T} {T + 60} OK IPv4 "
        f"{lost} {flags} us-east-1 {way} - S3"
    )


def test_a_transit_gateway_stands_in_the_middle_and_reports_by_its_attachment(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V6, v6())
    told = ("aws", "111122223333", "vpc-1", "tgw-attach-1", "ok", "middle", "10.20.33.164", "10.40.2.236", 39812, 80)
    keys = ("provider", "scope", "network", "observer", "status", "side", "src", "dst", "src_port", "dst_port")
    assert tuple(row[key] for key in keys) == told
    assert (row["packets"], row["bytes"], row["first"], row["last"], row["dst_name"]) == (7, 812, T, T + 60, "S3")


def test_the_network_is_that_of_the_attachment_that_reports(tmp_path: Path) -> None:
    rows = records_of(
        tmp_path, V6, v6(way="ingress"), v6(way="egress"), v6(way="-"), v6(way="ingress", networks="- vpc-2")
    )
    assert [row["network"] for row in rows] == ["vpc-1", "vpc-2", None, None]


@pytest.mark.parametrize(
    ("lost", "accepted"),
    [("0 0 0 0", True), ("- - - -", True), ("7 0 0 0", False), ("0 1 0 0", False), ("0 0 3 2", True)],
)
def test_what_found_no_route_or_a_blackhole_was_not_let_through(tmp_path: Path, lost: str, accepted: object) -> None:
    (row,) = records_of(tmp_path, V6, v6(lost=lost))
    assert (row["status"], row["accepted"]) == ("ok", accepted)


@pytest.mark.semantics(119)
@pytest.mark.parametrize(
    ("flags", "opener", "opened"),
    [
        (2, "src", 1),
        (3, "src", 1),
        (10, "src", 1),
        (18, None, 0),
        (19, None, 0),
        (27, None, 0),
        (0, None, 0),
        ("-", None, 0),
    ],
)
def test_an_ack_is_no_proof_since_every_packets_ack_counts_here(
    tmp_path: Path, flags: object, opener: str | None, opened: int
) -> None:
    (row,) = records_of(tmp_path, V6, v6(flags))
    assert (row["opener"], row["opened"], row["answers"]) == (opener, opened, None)


def test_without_action_a_record_of_a_transit_gateway_is_whole(tmp_path: Path) -> None:
    group = group_of(write_log(tmp_path / "a.log", V6, v6()))
    assert group.format is AWS_TGW
    assert AWS_TGW.lacks(group.shape) == ()
    assert AWS_TGW.lacks(("tgw-id", "srcaddr", "dstaddr")) == ("srcport", "dstport", "protocol", "start or end")


def test_the_two_kinds_of_log_are_told_apart_by_their_fields(tmp_path: Path) -> None:
    gateway = Head(tmp_path / "a", V6.encode() + b"\n")
    interface = Head(tmp_path / "b", b"interface-id srcaddr dstaddr\n")
    assert (AWS_VPC.shape(gateway), AWS_TGW.shape(interface)) == (None, None)
    assert AWS_TGW.shape(gateway) == tuple(V6.split())
    assert AWS_VPC.shape(interface) == ("interface-id", "srcaddr", "dstaddr")
