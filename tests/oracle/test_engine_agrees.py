"""The engine and the oracle say the same of every drawn packet, in both bounds."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.traffic import AddressSet
from tests.oracle.compare import Harness
from tests.oracle.estates import OUTSIDE, raw_estate
from tests.oracle.packets import draw_packet, every_pair

if TYPE_CHECKING:
    from tests.oracle.compare import Disagreement

BATCHES = 10
ESTATES = 35
DRAWS = 300
"""All batches together draw 105,000 packets."""


def told(found: list[Disagreement]) -> str:
    return "\n".join(map(str, found[:5]))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_drawn_packets(batch: int) -> None:
    found: list[Disagreement] = []
    asked = 0
    for seed in range(batch * ESTATES, (batch + 1) * ESTATES):
        raw, random = raw_estate(seed), Random(seed)
        harness = Harness(raw.answers)
        found += harness.disagreements(draw_packet(random, raw, harness.read) for _ in range(DRAWS))
        asked += harness.asked.total()
    assert asked == ESTATES * DRAWS
    assert not found, told(found)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(min_value=10**6, max_value=10**9))
def test_estates_that_hypothesis_draws(seed: int) -> None:
    raw, random = raw_estate(seed), Random(seed)
    harness = Harness(raw.answers)
    found = [*harness.disagreements(draw_packet(random, raw, harness.read) for _ in range(60))]
    assert not found, told(found)


@pytest.mark.semantics(35)
def test_machines_on_the_path_whose_rules_nobody_knows() -> None:
    found: list[Disagreement] = []
    for seed in range(2000, 2060):
        raw, random = raw_estate(seed, appliances=True), Random(seed)
        harness = Harness(raw.answers)
        packets = (draw_packet(random, raw, harness.read) for _ in range(40))
        found += harness.disagreements(packets, tight=False)
    assert not found, told(found)


@pytest.mark.parametrize("seed", range(3000, 3006))
def test_all_pairs_of_small_estates(seed: int) -> None:
    harness = Harness(raw_estate(seed).answers)
    found = [*harness.disagreements(every_pair(harness.read), thorough=True)]
    assert not found, told(found)


@pytest.mark.parametrize("seed", range(4000, 4012))
def test_all_flows_hold_what_pairs_hold(seed: int) -> None:
    reachability = pytest.importorskip("cloudseg.reach.reachability")
    estate = Harness(raw_estate(seed).answers).estate
    reach = reachability.Reachability(estate)
    members = {each.name: each.members for each in reach.classes}
    flows = {(flow.source, flow.target): (flow.lower, flow.upper) for flow in reach.flows()}
    ends = [(name, member) for name, held in members.items() for member in held]
    for source, one in ends:
        for target, two in ends:
            if one != two:
                verdict = reach.between(one, two)
                assert bool(verdict.upper) == ((source, target) in flows)
                if verdict.upper:
                    assert flows[source, target] == (verdict.lower, verdict.upper)


@pytest.mark.parametrize("seed", range(4000, 4006))
def test_flows_of_outside_ranges_hold_for_every_address_in_them(seed: int) -> None:
    reachability = pytest.importorskip("cloudseg.reach.reachability")
    reach = reachability.Reachability(Harness(raw_estate(seed).answers).estate)
    members = {each.name: each.members for each in reach.classes}
    told_of = 0
    for flow in reach.flows():
        for outside, inside, outwards in ((flow.source, flow.target, False), (flow.target, flow.source, True)):
            if outside.startswith("external:"):
                text = outside.removeprefix("external:")
                for address in OUTSIDE:
                    if AddressSet.parse(text).has(address):
                        told_of += 1
                        own, away = members[inside][0], AddressSet.parse(address)
                        verdict = reach.between(own, away) if outwards else reach.between(away, own)
                        assert (flow.lower, flow.upper) == (verdict.lower, verdict.upper)
    assert told_of
