"""What was observed falls into four cells beside what is intended; what is not known falls into none."""

from typing import Any

import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.intent import Allowance, Intent
from cloudseg.observed.join import join
from cloudseg.observed.judged_intent import Judgement, judged_by_intent
from cloudseg.segments import Choice, Segment, resolve_segments
from cloudseg.traffic import AddressSet, Traffic
from tests.observed.tables import Table, conversation

INTENT = Intent(
    segments=(
        Segment(name="web", choice=Choice(ids=("eni-web",))),
        Segment(name="db", choice=Choice(ids=("eni-db",))),
        Segment(name="office", choice=Choice(addresses=AddressSet.parse("192.168.0.0/16"))),
    ),
    allow=(
        Allowance(sources=("web",), targets=("db",), traffic=Traffic.parse("tcp/5432")),
        Allowance(sources=("internet",), targets=("web",), traffic=Traffic.parse("tcp/443, icmp/8")),
        Allowance(sources=("office",), targets=("web",), traffic=Traffic.parse("tcp/22")),
    ),
)


def judged(*rows: dict[str, Any]) -> Judgement:
    b = EstateBuilder()
    b.interface("eni-web", "subnet-public", address="10.0.1.5")
    b.interface("eni-db", "subnet-private", address="10.0.2.9")
    estate = b.build()
    segments = resolve_segments(INTENT.segments, estate)
    return judged_by_intent(join(Table(*rows), estate), segments, INTENT.allowed(segments, "2026-10-31"))


@pytest.mark.parametrize(
    ("source", "target", "port", "verdict", "cell"),
    [
        ("10.0.1.5", "10.0.2.9", 5432, "accepted", "permitted"),
        ("10.0.1.5", "10.0.2.9", 22, "accepted", "escaped"),
        ("10.0.1.5", "10.0.2.9", 22, "refused", "refused"),
        ("10.0.1.5", "10.0.2.9", 5432, "refused", "refused but intended"),
        ("10.0.1.5", "10.0.2.9", 5432, "reply-refused", "refused but intended"),
        # Nobody meant the database to open anything.
        ("10.0.2.9", "10.0.1.5", 5432, "accepted", "escaped"),
        ("203.0.113.7", "10.0.1.5", 443, "accepted", "permitted"),
        ("203.0.113.7", "10.0.1.5", 80, "accepted", "escaped"),
        ("192.168.4.4", "10.0.1.5", 22, "accepted", "permitted"),
        ("192.168.4.4", "10.0.2.9", 22, "accepted", "escaped"),
    ],
)
def test_each_conversation_falls_into_one_cell(source: str, target: str, port: int, verdict: str, cell: str) -> None:
    found = judged(conversation(source, target, port, verdict=verdict))
    assert [each.cell for each in found.met] == [cell]
    assert {name: count for name, count in found.conversations.items() if count} == {cell: 1}


def test_a_ping_is_permitted_where_any_message_is_intended() -> None:
    found = judged(conversation("203.0.113.7", "10.0.1.5", None, protocol=1))
    assert [each.cell for each in found.met] == ["permitted"]


def test_a_port_that_the_log_does_not_tell_falls_into_no_cell_where_some_are_intended() -> None:
    found = judged(conversation("203.0.113.7", "10.0.1.5", None), conversation("203.0.113.7", "10.0.2.9", None))
    assert [(each.cell, each.targets) for each in found.met] == [("escaped", ("db",))]
    assert found.unjudged == 1


def test_conversations_between_the_same_segments_are_one_row() -> None:
    rows = [conversation(f"203.0.113.{host}", "10.0.1.5", 80, connections=5) for host in (1, 2, 3)]
    (met,) = judged(*rows).met
    assert (met.sources, met.targets, met.port) == (("internet",), ("web",), 80)
    assert (len(met.group.rows), met.group.connections) == (3, 15)


def test_the_rows_with_the_most_connections_come_first() -> None:
    found = judged(
        conversation("203.0.113.1", "10.0.1.5", 80, connections=2),
        conversation("203.0.113.1", "10.0.1.5", 81, connections=9),
    )
    assert [each.port for each in found.met] == [81, 80]


@pytest.mark.parametrize(
    "row",
    [
        conversation("10.0.2.77", "10.0.1.5", 80, responder_interface="eni-web", responder_network="vpc-1"),
        conversation("10.0.1.5", "10.0.2.9", 80, evidence="unknown"),
        conversation("10.0.2.9", "10.0.1.5", 80, initiator_interface="eni-gone"),
    ],
    ids=["nobody bears the address", "who opened it", "the interface is gone"],
)
def test_what_is_not_known_is_not_judged(row: dict[str, Any]) -> None:
    found = judged(row)
    assert (found.met, found.unjudged) == ((), 1)


def test_without_a_conversation_all_cells_are_empty() -> None:
    found = judged()
    assert (found.met, found.unjudged) == ((), 0)
    assert set(found.connections.values()) == {0}
