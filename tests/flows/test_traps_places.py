"""The traps of AWS flow logs, from the files to the conversations: what is in between, who stands where, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.aws_rows import APP, DB, WEB, T, log2, log5, v2, v5
from tests.flows.telling import found, said, the_one

if TYPE_CHECKING:
    from pathlib import Path

TRANSIT = (
    "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id "
    "tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id "
    "tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status "
    "type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags "
    "region flow-direction pkt-src-aws-service pkt-dst-aws-service"
)


def transit(ends: str, flags: int, way: str, attachment: str, *, lost: int = 0) -> str:
    """A record of a transit gateway."""
    src, src_port, dst, dst_port = ends.split()
    return (
        f"6 TransitGateway 123456789012 tgw-0123456789abcdef0 {attachment} 123456789012 123456789012 vpc-one vpc-two "
        f"subnet-one subnet-two eni-11111111111111111 eni-22222222222222222 use1-az1 use1-az1 tgw-attach-9 {src} {dst} "
        f"{src_port} {dst_port} 6 10 1000 {T} {T + 50} OK IPv4 {lost} 0 0 0 {flags} us-east-1 {way} - -"
    )


def log6(*rows: str) -> str:
    return "\n".join([TRANSIT, *rows]) + "\n"


def test_a_pods_address_on_an_instance_is_the_end_itself(tmp_path: Path) -> None:
    row = the_one(
        tmp_path,
        a__log=log5(
            v5(APP, "10.0.0.99 50000 10.0.1.6 443", 2, near="10.0.0.5 10.0.1.6"),
            v5(APP, "10.0.1.6 443 10.0.0.99 50000", 18, near="10.0.1.6 10.0.0.5", way="ingress"),
        ),
    )
    assert (row.initiator, row.initiator_interface, row.middle) == ("10.0.0.99", APP, ())


NAT = "eni-1235b8ca123456789"


def nat_gateway() -> list[str]:
    """The four records that a NAT gateway at 10.0.0.220 writes of one connection."""
    return [
        v5(NAT, "10.0.1.5 40000 203.0.113.5 443", 2, near="10.0.1.5 10.0.0.220", way="ingress", instance="-"),
        v5(NAT, "10.0.0.220 1031 203.0.113.5 443", 2, instance="-"),
        v5(NAT, "203.0.113.5 443 10.0.0.220 1031", 18, way="ingress", instance="-"),
        v5(NAT, "203.0.113.5 443 10.0.1.5 40000", 18, near="10.0.0.220 10.0.1.5", instance="-"),
    ]


def test_a_nat_gateway_is_seen_through(tmp_path: Path) -> None:
    own = [
        v5(APP, "10.0.1.5 40000 203.0.113.5 443", 2),
        v5(APP, "203.0.113.5 443 10.0.1.5 40000", 18, way="ingress"),
    ]
    row = the_one(tmp_path, a__log=log5(*own, *nat_gateway()))
    assert said([row]) == ["10.0.1.5 -> 203.0.113.5 6/443 accepted handshake"]
    assert (row.initiator_interface, row.responder_interface, row.middle) == (APP, None, (NAT,))
    assert row.connections == 1


def test_a_nat_gateway_alone_tells_who_is_behind_it(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__log=log5(*nat_gateway()))
    assert said([row]) == ["10.0.1.5 -> 203.0.113.5 6/443 accepted handshake"]
    assert (row.initiator_interface, row.responder_interface, row.middle) == (None, None, (NAT,))


def test_a_transit_gateway_is_seen_through(tmp_path: Path) -> None:
    near, far = "eni-11111111111111111", "eni-22222222222222222"
    there, back = "10.20.33.164 39812 10.40.2.236 80", "10.40.2.236 80 10.20.33.164 39812"
    row = the_one(
        tmp_path,
        a__log=log5(
            v5(DB, there, 3, way="ingress", vpc="vpc-far"),
            v5(DB, back, 19, vpc="vpc-far"),
            v5(near, there, 3, near="10.40.1.175 10.40.2.236", instance="-", vpc="vpc-far"),
            v5(far, back, 19, near="10.40.2.236 10.40.2.31", instance="-", way="ingress", vpc="vpc-far"),
        ),
    )
    assert said([row]) == ["10.20.33.164 -> 10.40.2.236 6/80 accepted handshake"]
    assert (row.initiator_interface, row.responder_interface, row.connections) == (None, DB, 1)
    assert row.middle == (near, far)


def test_a_load_balancer_makes_two_conversations(tmp_path: Path) -> None:
    node = "eni-0ddddddddddddddd4"
    rows = [
        v5(node, "198.51.100.7 50001 10.0.9.9 443", 2, way="ingress", instance="-"),
        v5(node, "10.0.9.9 443 198.51.100.7 50001", 18, instance="-"),
        v5(node, "10.0.9.9 33001 10.0.1.6 8080", 2, instance="-"),
        v5(node, "10.0.1.6 8080 10.0.9.9 33001", 18, way="ingress", instance="-"),
    ]
    kept = found(tmp_path, a__log=log5(*rows))
    assert said(kept) == [
        "10.0.9.9 -> 10.0.1.6 6/8080 accepted handshake",
        "198.51.100.7 -> 10.0.9.9 6/443 accepted handshake",
    ]
    assert [row.middle for row in kept] == [(), ()]


def test_an_address_that_moved_is_told_by_the_interface_that_reports(tmp_path: Path) -> None:
    rows = [
        v5(WEB, "10.0.0.5 40000 203.0.113.5 443", 2),
        v5(APP, "10.0.0.5 41000 203.0.113.5 443", 2, at=600),
    ]
    kept = found(tmp_path, a__log=log5(*rows))
    assert [(row.initiator_interface, row.connections) for row in kept] == [(WEB, 1), (APP, 1)]


def test_networks_with_equal_ranges_stay_apart(tmp_path: Path) -> None:
    there, back = "10.0.0.5 40000 10.0.1.6 443", "10.0.1.6 443 10.0.0.5 40000"
    rows = [
        v5(WEB, there, 2, vpc="vpc-one"),
        v5(WEB, back, 18, way="ingress", vpc="vpc-one"),
        v5(DB, there, 2, "REJECT", way="ingress", vpc="vpc-two"),
        v5(APP, there, 2, vpc="vpc-two"),
    ]
    kept = {row.initiator_network: row for row in found(tmp_path, a__log=log5(*rows))}
    assert sorted(map(str, kept)) == ["vpc-one", "vpc-two"]
    assert (kept["vpc-one"].verdict, kept["vpc-one"].responder_interface) == ("accepted", None)
    assert (kept["vpc-two"].verdict, kept["vpc-two"].responder_interface) == ("refused", DB)


def test_what_one_end_refuses_is_refused_though_the_other_let_it_out(tmp_path: Path) -> None:
    there = "10.0.0.5 40000 10.0.1.6 3389"
    row = the_one(tmp_path, a__log=log5(v5(APP, there, 2), v5(DB, there, 2, "REJECT", way="ingress")))
    assert said([row]) == ["10.0.0.5 -> 10.0.1.6 6/3389 refused handshake"]
    assert (row.initiator_interface, row.responder_interface, row.connections) == (APP, DB, 1)


def test_a_refused_answer_is_no_conversation_of_its_own(tmp_path: Path) -> None:
    """An ACL that forgets the way back: what goes in is accepted, what comes out is rejected."""
    rows = [
        v5(DB, "10.0.0.5 40000 10.0.1.6 5432", 2, way="ingress"),
        v5(DB, "10.0.1.6 5432 10.0.0.5 40000", 18, "REJECT"),
    ]
    assert said(found(tmp_path, a__log=log5(*rows))) == ["10.0.0.5 -> 10.0.1.6 6/5432 reply-refused handshake"]


def test_a_ping_whose_answer_is_refused_is_one_conversation_without_a_port(tmp_path: Path) -> None:
    rows = [
        v2(DB, "203.0.113.12 0 172.31.16.139 0", protocol=1),
        v2(DB, "172.31.16.139 0 203.0.113.12 0", "REJECT", protocol=1, at=4),
    ]
    row = the_one(tmp_path, a__log=log2(*rows))
    assert {row.initiator, row.responder} == {"203.0.113.12", "172.31.16.139"}
    assert (row.protocol, row.port, row.initiator_port) == (1, None, None)
    assert "refused" in row.verdict


def test_the_log_of_a_transit_gateway_tells_what_no_interface_does(tmp_path: Path) -> None:
    there = "10.20.33.164 39812 10.40.2.236 80"
    row = the_one(
        tmp_path,
        a__log=log6(transit(there, 2, "ingress", "tgw-attach-1"), transit(there, 2, "egress", "tgw-attach-2")),
    )
    assert said([row]) == ["10.20.33.164 -> 10.40.2.236 6/80 accepted handshake"]
    assert (row.connections, row.packets, row.middle) == (1, 10, ("tgw-attach-1", "tgw-attach-2"))


def test_the_log_of_a_transit_gateway_counts_nothing_twice(tmp_path: Path) -> None:
    there, back = "10.20.33.164 39812 10.40.2.236 80", "10.40.2.236 80 10.20.33.164 39812"
    row = the_one(
        tmp_path,
        a__log=log6(transit(there, 2, "ingress", "tgw-attach-1"), transit(there, 2, "egress", "tgw-attach-2")),
        b__log=log5(v5(DB, there, 2, way="ingress"), v5(DB, back, 18)),
    )
    assert said([row]) == ["10.20.33.164 -> 10.40.2.236 6/80 accepted handshake"]
    assert (row.connections, row.packets, row.responder_interface) == (1, 10, DB)


def test_a_rule_that_changed_in_between_gives_both_verdicts(tmp_path: Path) -> None:
    early, late = "10.0.0.5 40000 10.0.1.6 5432", "10.0.0.5 40001 10.0.1.6 5432"
    rows = found(
        tmp_path,
        a__log=log5(
            v5(APP, early, 2),
            v5(APP, late, 2, at=600),
            v5(DB, early, 2, way="ingress"),
            v5(DB, late, 2, "REJECT", way="ingress", at=600),
        ),
    )
    assert {row.verdict: row.connections for row in rows}.keys() == {"accepted", "refused"}
    assert {row.connections for row in rows if row.verdict == "refused"} == {1}


NO_DIRECTION = (
    "interface-id instance-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport protocol packets bytes start end "
    "action tcp-flags log-status"
)


def plain(interface: str, near: str, packet: str, ports: str, flags: int) -> str:
    """A record of a format that does not tell the direction."""
    return f"{interface} i-01234567890123456 {near} {packet} {ports} 6 10 1000 {T} {T + 50} ACCEPT {flags} OK"


def test_without_a_direction_the_address_that_all_records_share_is_the_interfaces_own(tmp_path: Path) -> None:
    """One peer speaks to the first address of the interface, another to a pod behind it."""
    rows = [
        plain(DB, "10.0.3.1 10.2.4.5", "10.0.3.1 10.2.4.5", "54222 443", 2),
        plain(DB, "10.2.4.5 10.0.3.1", "10.2.4.5 10.0.3.1", "443 54222", 18),
        plain(DB, "10.0.1.5 10.2.4.5", "10.0.1.5 10.2.4.100", "59086 9200", 2),
        plain(DB, "10.2.4.5 10.0.1.5", "10.2.4.100 10.0.1.5", "9200 59086", 18),
    ]
    kept = found(tmp_path, a__log="\n".join([NO_DIRECTION, *rows]) + "\n")
    assert [(row.responder, row.initiator_interface, row.responder_interface) for row in kept] == [
        ("10.2.4.100", None, DB),
        ("10.2.4.5", None, DB),
    ]


def test_without_a_direction_and_with_one_peer_nobody_knows_where_the_interface_stands(tmp_path: Path) -> None:
    row = the_one(
        tmp_path, a__log="\n".join([NO_DIRECTION, plain(DB, "10.0.3.1 10.2.4.5", "10.0.3.1 10.2.4.5", "54222 443", 2)])
    )
    assert (row.initiator_interface, row.responder_interface, row.observers) == (None, None, (DB,))
