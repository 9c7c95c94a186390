"""Traffic of which half is logged, or whose halves do not belong together: nothing may be told that is not known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.flows.aws_rows import APP, DB, WEB, log2, log5, v2, v5
from tests.flows.telling import found, said, the_one
from tests.flows.test_traps_gcp import decision, flow

if TYPE_CHECKING:
    from pathlib import Path

CLIENT, SERVER = "10.0.0.10", "10.0.0.20"
THERE, BACK = f"{CLIENT} 40000 {SERVER} 443", f"{SERVER} 443 {CLIENT} 40000"
HIGH_THERE, HIGH_BACK = f"{CLIENT} 40000 {SERVER} 45000", f"{SERVER} 45000 {CLIENT} 40000"


@pytest.mark.parametrize("action", ["ACCEPT", "REJECT"])
def test_the_late_packet_of_an_old_connection_opens_none_where_the_log_has_flags(tmp_path: Path, action: str) -> None:
    """A reset after the connection was forgotten: with flags in the log, what opens a connection has a SYN."""
    late = v5(WEB, HIGH_BACK, 4, action, at=1200, way="ingress")
    rows = found(tmp_path, a__log=log5(v5(WEB, THERE, 3), v5(WEB, BACK, 19, way="ingress"), late))
    verdict = {"ACCEPT": "accepted", "REJECT": "refused"}[action]
    assert said(rows) == [
        "10.0.0.10 -> 10.0.0.20 6/443 accepted handshake",
        f"10.0.0.10 -> 10.0.0.20 6/45000 {verdict} unknown",
    ]


def test_who_speaks_first_after_a_pause_opened_nothing_where_the_log_has_flags(tmp_path: Path) -> None:
    rows = found(
        tmp_path,
        a__log=log5(
            v5(WEB, f"{SERVER} 50000 {CLIENT} 443", 3, way="ingress"),
            v5(WEB, f"{SERVER} 443 {CLIENT} 40000", 0, at=1200, way="ingress"),
            v5(WEB, HIGH_THERE, 0, at=1200),
            v5(WEB, HIGH_BACK, 0, at=1230, way="ingress"),
        ),
    )
    assert "10.0.0.10 -> 10.0.0.20 6/45000 accepted unknown" in said(rows)


def test_without_flags_who_alone_sends_is_the_initiator(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__log=log2(v2(WEB, HIGH_BACK, "REJECT")))
    assert said([row]) == ["10.0.0.20 -> 10.0.0.10 6/40000 refused one-way"]


def test_what_one_server_refused_is_not_let_through_by_its_successors_answers(tmp_path: Path) -> None:
    """The server's address moved to another interface, which lets in what the first one refused."""
    rows = found(
        tmp_path,
        a__log=log5(
            v5(WEB, THERE, 2),
            v5(APP, THERE, 2, "REJECT", way="ingress"),
            v5(WEB, THERE, 2, at=5000),
            v5(DB, THERE, 2, at=5000, way="ingress"),
            v5(DB, BACK, 18, at=5000),
            v5(WEB, BACK, 18, at=5000, way="ingress"),
        ),
    )
    assert {(row.responder_interface, row.verdict, row.connections) for row in rows} == {
        (APP, "refused", 1),
        (DB, "accepted", 1),
    }


@pytest.mark.parametrize(("later", "together"), [(300, True), (90_000, False)])
def test_ends_in_two_networks_are_one_only_if_seen_together(tmp_path: Path, later: int, *, together: bool) -> None:
    rows = found(
        tmp_path,
        a__log=log5(v5(WEB, THERE, 3, vpc="vpc-a"), v5(APP, THERE, 3, vpc="vpc-b", way="ingress", at=later)),
    )
    ends = {(row.initiator_interface, row.responder_interface) for row in rows}
    assert ends == ({(WEB, APP)} if together else {(WEB, None), (None, APP)})


def _bare(line: str) -> str:
    """A flow of Google's log without its metadata."""
    entry = json.loads(line)
    payload = entry["jsonPayload"]
    entry["jsonPayload"] = {name: value for name, value in payload.items() if not name.startswith(("src_", "dest_"))}
    return json.dumps(entry)


ASKED, ANSWERED = "10.0.1.4 43210 10.0.2.4 5432", "10.0.2.4 5432 10.0.1.4 43210"


def test_a_flow_without_metadata_and_the_log_of_the_firewall_are_one(tmp_path: Path) -> None:
    lines = [*map(_bare, (flow("SRC", ASKED), flow("DEST", ASKED), flow("SRC", ANSWERED), flow("DEST", ANSWERED)))]
    row = the_one(tmp_path, a__json="\n".join([*lines, decision("ALLOWED", ASKED)]))
    assert said([row]) == ["10.0.1.4 -> 10.0.2.4 6/5432 accepted state"]
    assert row.responder_interface == "shop:zones/europe-west1-b/instances/vm-2"
    assert (row.packets, row.packets_back) == (6, 6)


def test_a_machine_that_is_told_now_and_then_is_one_machine(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__json="\n".join([flow("SRC", ASKED), _bare(flow("SRC", ASKED, minute=2))]))
    assert (row.initiator_interface, row.packets) == ("shop:zones/europe-west1-b/instances/vm-1", 12)


def test_of_two_machines_with_one_address_none_is_guessed(tmp_path: Path) -> None:
    other = flow("SRC", ASKED, minute=3).replace('"vm-1"', '"vm-9"')
    rows = found(tmp_path, a__json="\n".join([flow("SRC", ASKED), other, _bare(flow("SRC", ASKED, minute=2))]))
    assert {row.initiator_interface for row in rows} == {
        "shop:zones/europe-west1-b/instances/vm-1",
        "shop:zones/europe-west1-b/instances/vm-9",
        "shop:subnetworks/a/10.0.1.4",
    }
