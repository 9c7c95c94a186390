"""What the drawn estates and packets are like: no stage may go untested because nothing ever gets to it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from random import Random

import pytest

from tests.oracle.aws import passes_in
from tests.oracle.estates import raw_estate
from tests.oracle.packets import draw_packet
from tests.oracle.reading import read

_SEEDS = range(200)
_PACKETS = 60

STAGES = (
    "delivered", "egress group", "ingress group", "egress acl", "ingress acl", "reply acl", "route", "return route",
    "transit", "peering", "public",
)  # fmt: skip


@lru_cache(maxsize=1)
def decided() -> Counter[str]:
    counted = Counter[str]()
    for seed in _SEEDS:
        raw, random = raw_estate(seed), Random(seed)
        estate = read(raw.answers)
        for _ in range(_PACKETS):
            counted[passes_in(estate, draw_packet(random, raw, estate)).by] += 1
    return counted


def test_between_a_fifth_and_four_fifths_of_the_packets_pass() -> None:
    share = decided()["delivered"] / decided().total()
    assert 0.2 <= share <= 0.8


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_decides_one_packet_in_a_hundred(stage: str) -> None:
    assert decided()[stage] / decided().total() >= 0.01


def test_no_stage_is_missing_from_the_list() -> None:
    assert set(decided()) == set(STAGES)


def test_the_same_seed_draws_the_same_estate_and_packets() -> None:
    one, two = raw_estate(7), raw_estate(7)
    assert one == two
    first, second = Random(1), Random(1)
    estate = read(one.answers)
    assert [draw_packet(first, one, estate) for _ in range(9)] == [draw_packet(second, two, estate) for _ in range(9)]


def test_other_seeds_draw_other_estates() -> None:
    assert len({str(raw_estate(seed)) for seed in range(50)}) == 50


def test_appliances_are_drawn_only_where_asked_for() -> None:
    def stages(*, appliances: bool) -> set[str]:
        found: set[str] = set()
        for seed in range(40):
            raw, random = raw_estate(seed, appliances=appliances), Random(seed)
            estate = read(raw.answers)
            found |= {passes_in(estate, draw_packet(random, raw, estate)).by for _ in range(20)}
        return found

    assert "appliance" not in stages(appliances=False)
    assert "appliance" in stages(appliances=True)
