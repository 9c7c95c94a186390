"""The traps of AWS flow logs, from the files to the conversations: who opened it, and how the logs look.

Records are shaped like those of the User Guide, worked out by hand:
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.aws_rows import APP, DB, T, log2, log5, v2, v5
from tests.flows.telling import found, said, the_one

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.semantics(119)
def test_four_records_of_one_connection_are_one_conversation(tmp_path: Path) -> None:
    row = the_one(
        tmp_path,
        a__log=log5(
            v5(APP, "10.0.0.5 43416 10.0.1.6 5001", 2),
            v5(APP, "10.0.1.6 5001 10.0.0.5 43416", 18, way="ingress"),
            v5(DB, "10.0.0.5 43416 10.0.1.6 5001", 2, way="ingress"),
            v5(DB, "10.0.1.6 5001 10.0.0.5 43416", 18),
        ),
    )
    assert said([row]) == ["10.0.0.5 -> 10.0.1.6 6/5001 accepted handshake"]
    assert (row.initiator_interface, row.responder_interface) == (APP, DB)
    assert (row.connections, row.packets, row.packets_back, row.bytes, row.bytes_back) == (1, 10, 10, 1000, 1000)
    assert row.confidence == "high"


@pytest.mark.parametrize(("asks", "answers"), [(2, 18), (3, 19), (2, 0), (3, 1), (2, 4), (6, 18)])
def test_a_syn_without_ack_tells_the_initiator_whatever_the_ports_are(tmp_path: Path, asks: int, answers: int) -> None:
    rows = [
        v5(APP, "10.0.0.5 2000 10.0.1.6 60000", asks),
        v5(APP, "10.0.1.6 60000 10.0.0.5 2000", answers, way="ingress"),
    ]
    assert said([the_one(tmp_path, a__log=log5(*rows))]) == ["10.0.0.5 -> 10.0.1.6 6/60000 accepted handshake"]


def test_the_answer_to_a_handshake_alone_tells_the_responder(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__log=log5(v5(DB, "10.0.1.6 60000 10.0.0.5 2000", 18)))
    assert (row.initiator, row.responder, row.port, row.evidence) == ("10.0.0.5", "10.0.1.6", 60000, "handshake")


def test_three_short_connections_in_one_window_each_are_three(tmp_path: Path) -> None:
    rows = [
        line
        for port in (40001, 40002, 40003)
        for line in (
            v5(APP, f"10.0.0.5 {port} 10.0.1.6 443", 3),
            v5(APP, f"10.0.1.6 443 10.0.0.5 {port}", 19, way="ingress"),
        )
    ]
    assert the_one(tmp_path, a__log=log5(*rows)).connections == 3


@pytest.mark.parametrize("flags", [0, 1, 4, 5])
def test_flags_other_than_syn_prove_nothing(tmp_path: Path, flags: int) -> None:
    rows = [
        v5(APP, "10.0.0.5 40000 10.0.1.6 45000", flags),
        v5(APP, "10.0.1.6 45000 10.0.0.5 40000", flags, way="ingress"),
    ]
    row = the_one(tmp_path, a__log=log5(*rows))
    assert (row.evidence, row.confidence, row.connections) == ("unknown", "unknown", 0)
    assert {(row.initiator, row.initiator_port), (row.responder, row.port)} == {
        ("10.0.0.5", 40000),
        ("10.0.1.6", 45000),
    }


def test_a_pool_older_than_the_window_is_known_by_the_port_that_listens(tmp_path: Path) -> None:
    rows = [
        v5(APP, "10.0.0.5 40000 10.0.1.6 45000"),
        v5(APP, "10.0.1.6 45000 10.0.0.5 40000", way="ingress"),
        v5(DB, "10.0.0.77 51000 10.0.1.6 45000", 2, way="ingress"),
        v5(DB, "10.0.1.6 45000 10.0.0.77 51000", 18),
    ]
    assert said(found(tmp_path, a__log=log5(*rows))) == [
        "10.0.0.5 -> 10.0.1.6 6/45000 accepted listening",
        "10.0.0.77 -> 10.0.1.6 6/45000 accepted handshake",
    ]


def test_without_flags_the_port_of_a_service_tells_but_never_for_sure(tmp_path: Path) -> None:
    rows = [v2(DB, "10.0.0.5 43416 10.0.1.6 5432"), v2(DB, "10.0.1.6 5432 10.0.0.5 43416")]
    row = the_one(tmp_path, a__log=log2(*rows))
    assert (row.initiator, row.responder, row.port) == ("10.0.0.5", "10.0.1.6", 5432)
    assert (row.confidence, row.connections) == ("medium", 0)


@pytest.mark.semantics(119)
def test_many_connections_never_become_conversations_to_the_clients_ports(tmp_path: Path) -> None:
    rows = [
        line
        for port in range(33000, 33100)
        for line in (v2(DB, f"10.0.0.5 {port} 10.0.1.6 5432"), v2(DB, f"10.0.1.6 5432 10.0.0.5 {port}"))
    ]
    assert [(row.responder, row.port) for row in found(tmp_path, a__log=log2(*rows))] == [("10.0.1.6", 5432)]


def test_a_privileged_client_of_nfs_is_not_taken_for_the_server(tmp_path: Path) -> None:
    rows = [
        line
        for port in (701, 702, 834, 955)
        for line in (v2(DB, f"10.0.0.5 {port} 10.0.1.6 2049"), v2(DB, f"10.0.1.6 2049 10.0.0.5 {port}"))
    ]
    kept = found(tmp_path, a__log=log2(*rows))
    assert {(row.initiator, row.responder, row.port) for row in kept if row.confidence != "unknown"} <= {
        ("10.0.0.5", "10.0.1.6", 2049)
    }


def test_the_same_port_on_both_ends_leaves_the_initiator_open(tmp_path: Path) -> None:
    rows = [
        v2(APP, "10.0.0.5 123 10.0.1.6 123", protocol=17),
        v2(APP, "10.0.1.6 123 10.0.0.5 123", protocol=17),
    ]
    row = the_one(tmp_path, a__log=log2(*rows))
    assert (row.confidence, row.port, row.initiator_port) == ("unknown", 123, 123)


def test_fields_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    text = (
        "tcp-flags dstport srcport end start action protocol dstaddr srcaddr bytes packets interface-id log-status\n"
        f"2 443 50000 {T + 50} {T} ACCEPT 6 10.0.1.6 10.0.0.5 1234 7 {APP} OK\n"
    )
    row = the_one(tmp_path, a__log=text)
    assert (row.initiator, row.responder, row.port, row.packets, row.bytes) == ("10.0.0.5", "10.0.1.6", 443, 7, 1234)


def test_a_format_may_change_from_file_to_file(tmp_path: Path) -> None:
    before = log2(v2(APP, "10.0.0.5 43416 10.0.1.6 5432"), v2(APP, "10.0.1.6 5432 10.0.0.5 43416"))
    after = log5(
        v5(APP, "10.0.0.5 43999 10.0.1.6 5432", 2, at=600),
        v5(APP, "10.0.1.6 5432 10.0.0.5 43999", 18, at=600, way="ingress"),
    )
    row = the_one(tmp_path, a__log__gz=before, b__log__gz=after)
    assert said([row]) == ["10.0.0.5 -> 10.0.1.6 6/5432 accepted handshake"]
    assert row.connections == 1
    assert (row.last_seen - row.first_seen).total_seconds() == 650


def test_a_service_of_aws_gives_its_name(tmp_path: Path) -> None:
    rows = [
        v5(APP, "10.0.0.71 34210 52.95.128.179 80", 3, services="- S3"),
        v5(APP, "52.95.128.179 80 10.0.0.71 34210", 19, way="ingress", services="S3 -"),
    ]
    row = the_one(tmp_path, a__log=log5(*rows))
    assert (row.responder_name, row.initiator_name) == ("S3", None)


def test_six_of_version_six_addresses(tmp_path: Path) -> None:
    one, two = "2001:db8:1234:a100:8d6e:3477:df66:f105", "2001:db8:1234:a102:3304:8879:34cf:4071"
    row = the_one(tmp_path, a__log=log5(v5(APP, f"{one} 34892 {two} 22", 2)))
    assert (row.initiator, row.responder, row.port) == (one, two, 22)


def test_a_scan_without_answers_is_told_port_by_port(tmp_path: Path) -> None:
    rows = [v5(DB, f"203.0.113.5 50000 10.0.1.6 {port}", 2, "REJECT", way="ingress") for port in (22, 23, 3389)]
    kept = found(tmp_path, a__log=log5(*rows))
    assert [(row.port, row.verdict, row.packets_back) for row in kept] == [
        (22, "refused", 0),
        (23, "refused", 0),
        (3389, "refused", 0),
    ]


def test_a_scanner_with_one_port_of_its_own_does_not_become_the_server(tmp_path: Path) -> None:
    """Scanners send all probes from one port; many doors of one machine then speak with that port."""
    doors = (22, 80, 389, 443, 761, 8080)
    rows = [
        line
        for door in doors
        for line in (v2(DB, f"203.0.113.5 20000 10.0.1.6 {door}"), v2(DB, f"10.0.1.6 {door} 203.0.113.5 20000"))
    ]
    kept = found(tmp_path, a__log=log2(*rows))
    assert [(row.initiator, row.responder, row.port) for row in kept] == [
        ("203.0.113.5", "10.0.1.6", door) for door in doors
    ]


def test_the_resets_of_doors_that_were_knocked_at_are_answers(tmp_path: Path) -> None:
    """A handshake that came in tells what its answer is, although nobody listens there."""
    rows = [
        line
        for door in (761, 40000, 60000)
        for line in (
            v5(DB, f"203.0.113.5 20000 10.0.1.6 {door}", 2, way="ingress"),
            v5(DB, f"10.0.1.6 {door} 203.0.113.5 20000", 4),
        )
    ]
    assert said(found(tmp_path, a__log=log5(*rows))) == [
        "203.0.113.5 -> 10.0.1.6 6/40000 accepted handshake",
        "203.0.113.5 -> 10.0.1.6 6/60000 accepted handshake",
        "203.0.113.5 -> 10.0.1.6 6/761 accepted handshake",
    ]


def test_where_both_ends_listen_on_their_ports_nobody_knows_who_opened_it(tmp_path: Path) -> None:
    rows = [
        v5(APP, "10.0.0.77 51000 10.0.0.5 45000", 2, way="ingress"),
        v5(APP, "10.0.0.5 45000 10.0.0.77 51000", 18),
        v5(DB, "10.0.0.78 51000 10.0.1.6 46000", 2, way="ingress"),
        v5(DB, "10.0.1.6 46000 10.0.0.78 51000", 18),
        v5(APP, "10.0.0.5 45000 10.0.1.6 46000"),
        v5(APP, "10.0.1.6 46000 10.0.0.5 45000", way="ingress"),
    ]
    (row,) = [row for row in found(tmp_path, a__log=log5(*rows)) if row.evidence != "handshake"]
    assert (row.confidence, {row.port, row.initiator_port}) == ("unknown", {45000, 46000})
