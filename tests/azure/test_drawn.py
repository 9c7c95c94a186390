"""What the drawn estates and packets are like: no stage may go untested because nothing ever gets to it."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from random import Random

import pytest

from tests.azure.drawn import drawn
from tests.azure.oracle import decide_in
from tests.azure.oracle_reading import read
from tests.azure.packets import draw_packet

_SEEDS = range(1400, 1600)
_PACKETS = 60

STAGES = (
    "delivered", "egress admin", "egress nic nsg", "egress subnet nsg", "route", "outbound", "public", "on-premises",
    "load balancer", "private endpoint", "platform", "ingress admin", "public address", "ingress subnet nsg",
    "ingress nic nsg", "return route", "appliance",
)  # fmt: skip
QUESTIONS = (
    "a rule for icmp with ports means it", "the admin rules of X for inbound is deny",
    "X has default outbound access", "VirtualNetwork of X has the route to 0.0.0.0/0", "X lets inbound pass",
    "X lets outbound pass", "sql has", "the internet sees",
    "a rule for ICMP means ICMPv6", "the first admin rule", "the gateway of X learned",
)  # fmt: skip


@lru_cache(maxsize=1)
def decided() -> tuple[Counter[str], set[str]]:
    """How many packets each stage decided, and the questions that left others open."""
    counted = Counter[str]()
    asked: set[str] = set()
    for seed in _SEEDS:
        estate, random = drawn(seed), Random(seed)
        known = read(estate.raw.answers)
        for _ in range(_PACKETS):
            found = decide_in(known, draw_packet(random, estate))
            counted["undefined" if found.verdict == "undefined" else found.by] += 1
            if found.verdict == "undefined":
                asked |= {re.sub(r"/subscriptions/\S+", "X", each) for each in found.by.split("; ")}
    return counted, asked


def test_between_a_fifth_and_four_fifths_of_the_packets_pass() -> None:
    counted, _ = decided()
    assert 0.2 <= counted["delivered"] / counted.total() <= 0.8


def test_most_decisions_are_defined() -> None:
    counted, _ = decided()
    assert counted["undefined"] / counted.total() <= 0.2


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_decides_one_packet_in_a_hundred(stage: str) -> None:
    counted, _ = decided()
    assert counted[stage] / counted.total() >= 0.01


def test_no_stage_is_missing_from_the_list() -> None:
    assert set(decided()[0]) == {*STAGES, "undefined"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_open_question_leaves_something_open(question: str) -> None:
    assert any(each.startswith(question) for each in decided()[1])


def test_the_same_seed_draws_the_same_estate_and_packets() -> None:
    one, two = drawn(7), drawn(7)
    assert one.raw.answers == two.raw.answers
    first, second = Random(1), Random(1)
    assert [draw_packet(first, one) for _ in range(9)] == [draw_packet(second, two) for _ in range(9)]


def test_other_seeds_draw_other_estates() -> None:
    assert len({str(drawn(seed).raw.answers) for seed in range(50)}) == 50
