"""Interfaces that no near end tells apart share what concerns them: the same as asked one by one."""

from __future__ import annotations

import random

import pytest

from cloudseg.cli.sources import translate
from cloudseg.reach.near_ends import NearEnds, concerning
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_parts import rule


def _estate(seed: int) -> Raw:
    draw = random.Random(seed)
    raw = Raw()
    raw.vnet("vnet", "10.1.0.0/16", "fd00:1::/64")
    groups = [f"asg-{number}" for number in range(4)]
    for group in groups:
        raw.asg(group)
    near: list[str | list[str]] = ["*", "VirtualNetwork", "10.1.1.0/28", "fd00:1::/96", "Internet", *groups]
    near += [[f"10.1.1.{draw.randrange(30)}/32", f"10.1.1.{8 * draw.randrange(4)}/29"] for _ in range(8)]
    rules = [rule(100 + number, "Allow", "*", draw.choice(near), ports="443") for number in range(24)]
    raw.nsg("nsg", *rules)
    raw.subnet("vnet", "subnet", "10.1.1.0/24", "fd00:1::/64", nsg="nsg")
    for number in range(12):
        addresses = [f"10.1.1.{number + 4}", *draw.choice(([], [f"fd00:1::{number + 1:x}", f"10.1.1.{number + 40}"]))]
        raw.nic(f"nic-{number}", "subnet", *addresses, asgs=draw.sample(groups, draw.randrange(3)))
    return raw


@pytest.mark.parametrize("seed", range(20))
def test_a_list_is_narrowed_as_rule_by_rule(seed: int) -> None:
    estate = translate(snapshot_of(_estate(seed).answers))
    near = NearEnds(estate)
    narrowed = 0
    for interface in estate.interfaces.values():
        for rule_set in estate.rule_sets.values():
            expected = concerning(rule_set.rules, interface, estate)
            assert list(near.of(rule_set, interface)) == expected
            narrowed += len(expected) < len(rule_set.rules)
    assert narrowed
