"""Drawn estates in which every kind of stage and list meets every other: masks, steps and single packets agree."""

from collections import Counter
from itertools import islice, permutations

import pytest

from cloudseg.model import Estate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.packets import Box
from cloudseg.reach.passage import find_passage
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.way_in import WayIn, WaysIn
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC, Traffic
from tests.reach.drawn_stages import drawn
from tests.reach.stage_oracle import OUTSIDE, PACKETS, packets, passes_in
from tests.reach.test_explain_agrees import walked, without

WAYS = WaysIn((WayIn(ALL_ADDRESSES, ALL_TRAFFIC, certain=True, text=""),))
Bounds = tuple[bool, bool]


def asked(estate: Estate) -> list[tuple[Bounds, Bounds]]:
    """Of every packet between interfaces what the masks tell, and what follows of its rules: surely, and at most."""
    reach = Reachability(estate)
    found: list[tuple[Bounds, Bounds]] = []
    for each in packets(estate):
        verdict = reach.between(each.source, each.target)
        found.append(((each.traffic <= verdict.lower, each.traffic <= verdict.upper), each.bounds))
    return found


@pytest.mark.parametrize("seed", range(0, 400, 20))
def test_single_packets_pass_as_the_masks_tell(seed: int) -> None:
    for number in range(seed, seed + 5):
        for told, expected in asked(drawn(number, both=False)):
            assert told == expected, number


@pytest.mark.parametrize("seed", range(1000, 1400, 20))
def test_nothing_is_missed_or_told_for_sure_where_interfaces_have_addresses_of_both_families(seed: int) -> None:
    for number in range(seed, seed + 5):
        for told, expected in asked(drawn(number)):
            # A rule for one family of an interface that names a group passes at most.
            assert (told[0] <= expected[0], told[1] >= expected[1]) == (True, True), number


@pytest.mark.parametrize("seed", range(2000, 2400, 20))
def test_the_steps_let_through_what_the_masks_tell(seed: int) -> None:
    for number in range(seed, seed + 5):
        estate = drawn(number, both=False)
        reach = Reachability(estate)
        for source in estate.interfaces:
            for target in estate.interfaces:
                if source != target:
                    assert walked(reach, source, target) == reach.between(source, target), (number, source, target)


@pytest.mark.parametrize("seed", range(10, 50, 4))
def test_without_the_rules_of_a_cut_nothing_passes(seed: int) -> None:
    for number in range(seed, seed + 2):
        estate = drawn(number, both=False)
        reach = Reachability(estate)
        for source, target in islice(permutations(estate.interfaces, 2), 4):
            for cut in explain(reach, source, target, ALL_TRAFFIC).cuts:
                after = Reachability(without(estate, cut.rules)).between(source, target)
                assert not after.upper, (number, source, target, cut.text)


def arrives(boxes: tuple[Box, ...], source: str, traffic: Traffic) -> bool:
    return any(box.addresses.has(source) and traffic <= box.traffic for box in boxes)


@pytest.mark.parametrize("seed", range(3000, 3400, 20))
def test_single_packets_from_outside_pass_as_the_boxes_tell(seed: int) -> None:
    for number in range(seed, seed + 5):
        estate = drawn(number, both=False)
        for interface in estate.interfaces.values():
            lower, upper = find_passage(interface, WAYS, "", estate).packets
            for source in OUTSIDE:
                for text in PACKETS:
                    traffic = Traffic.parse(text)
                    if (outcomes := passes_in(interface, source, traffic, estate)) is not None:
                        told = arrives(lower, source, traffic), arrives(upper, source, traffic)
                        assert told == (outcomes == {True}, True in outcomes), (number, interface.id, source, text)


def test_what_is_drawn_passes_and_stops_and_is_open() -> None:
    seen = Counter(expected for seed in range(60) for _, expected in asked(drawn(seed)))
    assert min(seen[True, True], seen[False, True], seen[False, False]) > seen.total() / 20
