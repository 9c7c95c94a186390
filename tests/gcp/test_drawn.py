"""What the drawn estates and packets are like: no stage may go untested because nothing ever gets to it."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from random import Random

import pytest

from tests.gcp.drawn import drawn
from tests.gcp.oracle import decide_in
from tests.gcp.oracle_reading import read
from tests.gcp.oracle_rules import LEVELS
from tests.gcp.packets import draw_packet

_SEEDS = range(200, 400)
_PACKETS = 60

STAGES = (
    *LEVELS[:-1], "egress implied", "ingress implied", "route", "return route", "public", "on-premises",
    "no external address", "metadata",
)  # fmt: skip
QUESTIONS = (
    "the hierarchy of X says nothing inbound", "the hierarchy of X lets outbound pass", "the system policies of X",
    "Cloud NAT of X", "the route X is taken", "appliance", "the project may send mail", "somebody comes to X",
    "Fqdns example.com has", "RegionCodes CH has", "ThreatIntelligences", "X has", "Google's services have",
    "the internet has",
)  # fmt: skip


@lru_cache(maxsize=1)
def decided() -> tuple[Counter[str], Counter[str], set[str]]:
    """How many packets met which verdict and which stage decided, and the questions that left others open."""
    verdicts, stages = Counter[str](), Counter[str]()
    asked: set[str] = set()
    for seed in _SEEDS:
        estate, random = drawn(seed), Random(seed)
        known = read(estate.raw.answers)
        for _ in range(_PACKETS):
            found = decide_in(known, draw_packet(random, estate))
            verdicts[found.verdict] += 1
            if found.verdict == "undefined":
                asked |= {re.sub(r"\S+(?:/global/|/locations/|:zones/)\S+", "X", each) for each in found.by.split("; ")}
                continue
            for each in found.by.split(", "):
                level = each.removeprefix("ingress ").removeprefix("egress ")
                stages[level if level in LEVELS[:-1] else each] += 1
    return verdicts, stages, asked


def test_between_a_fifth_and_four_fifths_of_the_packets_pass() -> None:
    verdicts, _, _ = decided()
    assert 0.2 <= verdicts["passes"] / verdicts.total() <= 0.8


def test_most_decisions_are_defined() -> None:
    verdicts, _, _ = decided()
    assert verdicts["undefined"] / verdicts.total() <= 0.1


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_decides_one_packet_in_a_hundred(stage: str) -> None:
    verdicts, stages, _ = decided()
    assert stages[stage] / verdicts.total() >= 0.01


def test_no_stage_is_missing_from_the_list() -> None:
    assert set(decided()[1]) == set(STAGES)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_open_question_leaves_something_open(question: str) -> None:
    assert any(each.startswith(question) for each in decided()[2])


def test_the_same_seed_draws_the_same_estate_and_packets() -> None:
    one, two = drawn(7), drawn(7)
    assert one.raw.answers == two.raw.answers
    first, second = Random(1), Random(1)
    assert [draw_packet(first, one) for _ in range(9)] == [draw_packet(second, two) for _ in range(9)]


def test_other_seeds_draw_other_estates() -> None:
    assert len({str(drawn(seed).raw.answers) for seed in range(50)}) == 50
