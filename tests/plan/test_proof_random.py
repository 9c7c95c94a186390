"""Random estates and random plans: what the proof says is what comparing every state with the one before says."""

from __future__ import annotations

import itertools
from functools import cache
from random import Random
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from cloudseg.model import AddRule, Attach, Detach, RemoveRule
from cloudseg.observed.ends import End
from cloudseg.plan.proof import prove
from cloudseg.reach.comparing.compare import compare
from cloudseg.reach.reachability import Reachability
from cloudseg.remediations.demand import Demand
from cloudseg.traffic import Traffic
from cloudseg.traffic.telling import first_packet
from tests.oracle.compare import estate_of
from tests.oracle.estates import raw_estate

if TYPE_CHECKING:
    from cloudseg.model import Edit, Estate
    from cloudseg.plan.proof import Gain, Proof

PLANS = 24
KINDS = ("all", "tcp/22", "tcp/20-443", "udp", "icmp", "icmpv6/128")


def drawn_edit(estate: Estate, random: Random, number: int) -> Edit | None:
    """An edit that a person might make."""
    if random.random() < 0.3:
        interface = estate.interfaces[random.choice(sorted(estate.interfaces))]
        groups = [name for name in sorted(estate.groups) if estate.groups[name].networks == (interface.network,)]
        if not groups:
            return None
        group = random.choice(groups)
        return Detach(interface.id, group) if group in interface.attached else Attach(interface.id, group)
    rule_set = random.choice([each for _, each in sorted(estate.rule_sets.items())])
    if not rule_set.rules:
        return None
    rule = random.choice(rule_set.rules)
    if random.random() < 0.4:
        return RemoveRule(rule_set.id, rule.id)
    traffic = Traffic.parse(random.choice(KINDS))
    if random.random() < 0.5:
        traffic &= rule.traffic
    return AddRule(rule_set.id, msgspec.structs.replace(rule, id=f"new-{number}", traffic=traffic)) if traffic else None


def drawn_plan(estate: Estate, random: Random) -> list[Edit]:
    edits: list[Edit] = []
    for number in range(random.randint(1, 5)):
        edit = drawn_edit(estate, random, number)
        if edit is not None:
            edits.append(edit)
            estate = estate.with_edits((edit,))
    return edits


def drawn_demand(estate: Estate, reach: Reachability, random: Random) -> Demand:
    """Needs between interfaces of which some traffic surely passes today."""
    names = [name for name, each in sorted(estate.interfaces.items()) if each.addresses]
    needs: list[tuple[str, str, Traffic]] = []
    for _ in range(30):
        source, target = random.choice(names), random.choice(names)
        passing = reach.between(source, target).lower
        if passing:
            needs.append((source, target, first_packet(passing)))
    places = np.arange(len(needs), dtype=np.int64)
    return Demand(
        ends=tuple(End("interface", name, "") for need in needs for name in need[:2]),
        sources=places * 2,
        targets=places * 2 + 1,
        kinds=places,
        traffics=tuple(traffic for _, _, traffic in needs),
        connections=places * 0 + 1,
        last_seen=places,
        given=True,
    )


def certainly_gained(gains: tuple[Gain, ...]) -> set[tuple[str, str]]:
    return {
        (source, target)
        for gain in gains
        if gain.certain
        for source, target in itertools.product(gain.sources, gain.targets)
        if source != target and not source.startswith("external:") and not target.startswith("external:")
    }


@cache
def check(seed: int) -> Proof:
    random = Random(seed)
    before = estate_of(raw_estate(seed).answers)
    edits = drawn_plan(before, random)
    demand = drawn_demand(before, Reachability(before), random)
    proof = prove(before, [(edit,) for edit in edits], demand)
    assert not [problem for problem in proof.problems if problem.kind == "disagreement"]
    told = certainly_gained(proof.gained)
    lost = {(loss.sources[0], loss.targets[0]) for loss in proof.lost}
    truly: set[tuple[str, str]] = set()
    for count in range(1, len(edits) + 1):
        state = before.with_edits(edits[:count])
        comparison = compare(before, state)
        assert not comparison.gained or proof.gained
        truly |= {
            (source, target)
            for change in comparison.gained
            if change.certain
            for source, target in itertools.product(change.sources, change.targets)
            if source != target
        }
        reach = Reachability(state)
        for need in demand:
            if not need.traffic <= reach.between(need.source.interface, need.target.interface).upper:
                assert (need.source.interface, need.target.interface) in lost
    if not any(each.addresses.v4 and each.addresses.v6 for each in before.interfaces.values()):
        # Where ends have both families, a comparison does not tell what only one of them gains.
        assert told <= truly
    # One state stands for many: a pair gained in any of them is gained in one that is looked at.
    assert {pair for pair in truly if not pair[0].startswith("external:") and not pair[1].startswith("external:")} <= {
        pair for gain in proof.gained for pair in itertools.product(gain.sources, gain.targets)
    }
    return proof


@pytest.mark.semantics(115, 117, 121)
@pytest.mark.parametrize("seed", range(PLANS))
def test_the_proof_says_what_comparing_every_state_says(seed: int) -> None:
    check(seed)


def test_random_plans_hold_and_fail() -> None:
    proofs = [check(seed) for seed in range(0, PLANS, 3)]
    assert any(proof.gained for proof in proofs)
    assert any(proof.lost for proof in proofs)
    assert any(proof.holds for proof in proofs)
