"""Interfaces that no near end tells apart share what concerns them: the same as asked one by one."""

from __future__ import annotations

import random

import pytest

from cloudseg.cli.sources import translate
from cloudseg.reach.near_ends import NearEnds, concerning
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_parts import rule
from tests.azure.said import Said


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


def _dual_stack(near: str, far: str) -> Said:
    raw = Raw()
    raw.nsg("nsg", rule(100, "Allow", far, near, ports="443"), rule(4096, "Deny"))
    raw.vnet("vnet", "10.1.0.0/16", "fd00:1::/64")
    raw.subnet("vnet", "subnet", "10.1.1.0/24", "fd00:1::/64", nsg="nsg")
    raw.nic("a", "subnet", "10.1.1.4", "fd00:1::4")
    raw.nic("b", "subnet", "10.1.1.5", "fd00:1::5")
    return Said(raw)


@pytest.mark.parametrize("far", ["*", "VirtualNetwork", "10.1.0.0/16"])
@pytest.mark.parametrize("near", ["10.1.1.5", "10.1.1.0/24"])
def test_a_near_end_of_one_family_concerns_a_machine_in_that_family_for_sure(near: str, far: str) -> None:
    found = _dual_stack(near, far)
    assert found("a", "b") == "surely"
    assert found.disagreements() == []


@pytest.mark.parametrize(("near", "far"), [("10.1.1.0/24", "fd00:1::/64"), ("fd00:1::5", "10.1.0.0/16")])
def test_a_near_end_of_one_family_and_a_far_one_of_the_other_match_nothing(near: str, far: str) -> None:
    assert _dual_stack(near, far)("a", "b") == "no"


def test_a_denial_for_one_family_leaves_the_other() -> None:
    raw = Raw()
    raw.nsg("nsg", rule(100, "Deny", "*", "10.1.1.5", ports="443"), rule(200, "Allow", "*", "*", ports="443"))
    raw.vnet("vnet", "10.1.0.0/16", "fd00:1::/64")
    raw.subnet("vnet", "subnet", "10.1.1.0/24", "fd00:1::/64", nsg="nsg")
    raw.nic("a", "subnet", "10.1.1.4", "fd00:1::4")
    raw.nic("b", "subnet", "10.1.1.5", "fd00:1::5")
    raw.nic("c", "subnet", "10.1.1.6")
    found = Said(raw)
    assert [found("a", "b"), found("c", "b")] == ["surely", "no"]


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
