"""Explanations against the all-pairs engine: what the steps let through, rule by rule, is what the masks tell."""

from __future__ import annotations

import dataclasses
from functools import reduce
from itertools import chain
from random import Random
from typing import TYPE_CHECKING

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudseg.demo import demo_snapshot_path
from cloudseg.providers.aws.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.explaining.search import ways_between
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.snapshot import load
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, AddressSet, Traffic
from tests.oracle.compare import estate_of
from tests.oracle.estates import OUTSIDE, raw_estate
from tests.reach.unread import partly_read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate
    from cloudseg.reach.explaining.explanation import Explanation, RuleRef

SEEDS = st.integers(0, 100_000)
ASKED = tuple(map(Traffic.parse, ("all", "tcp/443", "tcp", "icmp/8", "udp/53, tcp/22")))
_RANGES = (*OUTSIDE[:6], "0.0.0.0/0", "::/0")
End = str | AddressSet


def drawn(seed: int, *, appliances: bool = False) -> Estate:
    return estate_of(raw_estate(seed, appliances=appliances).answers)


def pairs(estate: Estate, seed: int, count: int, outside: tuple[str, ...] = OUTSIDE) -> Iterator[tuple[End, End]]:
    """Two different ends, of which at least one is an interface."""
    random = Random(seed)
    ends: list[End] = [*sorted(estate.interfaces), *map(AddressSet.parse, outside)]
    for _ in range(count):
        source, target = random.sample(ends, 2)
        if isinstance(source, str) or isinstance(target, str):
            yield source, target


def walked(reach: Reachability, source: End, target: End) -> Verdict:
    """What all ways between two ends let through together."""
    ways = ways_between(reach, source, target, ALL_TRAFFIC)
    walks = [walk for way in chain(ways.direct, ways.around) for walk in way(ALL_TRAFFIC)]
    lower = reduce(Traffic.__or__, (walk.lower for walk in walks), NO_TRAFFIC)
    return Verdict(lower, reduce(Traffic.__or__, (walk.upper for walk in walks), NO_TRAFFIC))


def agrees(estate: Estate, seed: int, count: int = 60) -> None:
    reach = Reachability(estate)
    for source, target in pairs(estate, seed, count):
        assert walked(reach, source, target) == reach.between(source, target), (str(source), str(target))


@settings(max_examples=40, deadline=None, derandomize=True)
@example(2048)
@given(SEEDS)
def test_steps_let_through_what_the_engine_tells(seed: int) -> None:
    agrees(drawn(seed), seed)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(SEEDS)
def test_steps_agree_where_appliances_decide(seed: int) -> None:
    agrees(drawn(seed, appliances=True), seed)


@settings(max_examples=40, deadline=None, derandomize=True)
@example(1025)
@given(SEEDS)
def test_steps_agree_where_much_was_not_read(seed: int) -> None:
    agrees(partly_read(drawn(seed, appliances=seed % 2 == 0), seed), seed)


def test_steps_agree_in_the_demo_with_its_load_balancers() -> None:
    estate = translate(load(demo_snapshot_path()))
    reach = Reachability(estate)
    nodes = {name for name, each in estate.interfaces.items() if each.workload in estate.forwarders}
    assert nodes
    told = 0
    for source in sorted(estate.interfaces):
        for target in sorted(estate.interfaces):
            if source != target and (source in nodes or target in nodes):
                assert walked(reach, source, target) == reach.between(source, target), (source, target)
                told += bool(reach.between(source, target).upper)
    assert told


@settings(max_examples=25, deadline=None, derandomize=True)
@given(SEEDS)
def test_bounds_and_steps_of_an_explanation_fit_together(seed: int) -> None:
    estate = drawn(seed) if seed % 2 else partly_read(drawn(seed), seed)
    reach = Reachability(estate)
    random = Random(seed)
    for source, target in pairs(estate, seed, 25, _RANGES):
        traffic = random.choice(ASKED)
        found = explain(reach, source, target, traffic)
        whole = reach.between(source, target)
        assert (found.lower, found.upper) == (str(whole.lower & traffic), str(whole.upper & traffic))
        assert not [note for note in found.notes if "do not account for" in note], (str(source), str(target))
        _fits(found)


def _fits(found: Explanation) -> None:
    assert found.reason
    left = Traffic.parse(found.traffic)
    for step in found.steps:
        lower, upper = Traffic.parse(step.left_lower), Traffic.parse(step.left_upper)
        assert lower <= upper <= left
        left = upper
    if found.steps:
        assert (found.verdict == "blocked") == (not left)
    if found.verdict == "blocked":
        assert found.would_block == ()
        stops = [step for step in found.steps if step.left_upper == "none"]
        assert not found.steps or stops[0].reason == found.reason or stops[0].kind == "delivered"
        assert all(step.verdict == "blocks" and step.reason for step in found.also_blocking)
    else:
        assert found.blocked_by == found.also_blocking == ()
        assert found.unknowns or found.verdict != "unknown"


@settings(max_examples=15, deadline=None, derandomize=True)
@given(SEEDS)
@example(3984)  # the internet comes by load balancers that were not read, others by groups with unread members
def test_without_the_rules_that_would_have_to_go_nothing_passes(seed: int) -> None:
    estate = drawn(seed) if seed % 3 else partly_read(drawn(seed), seed)
    reach = Reachability(estate)
    random = Random(seed)
    for source, target in pairs(estate, seed, 12, _RANGES):
        traffic = random.choice(ASKED)
        found = explain(reach, source, target, traffic)
        assert found.would_block == (found.cuts[0].rules if found.cuts else ())
        for cut in found.cuts:
            after = Reachability(without(estate, cut.rules)).between(source, target)
            assert not after.upper & traffic, (str(source), str(target), str(traffic), cut.text)


def without(estate: Estate, rules: tuple[RuleRef, ...]) -> Estate:
    """An estate without some rules."""
    gone = {(rule.rule_set, rule.rule) for rule in rules}
    kept = {
        name: msgspec.structs.replace(own, rules=tuple(rule for rule in own.rules if (name, rule.id) not in gone))
        for name, own in estate.rule_sets.items()
    }
    return dataclasses.replace(estate, rule_sets=kept)
