"""Whom rules are for, looked up by addresses: the same interfaces as asked one by one."""

from __future__ import annotations

import random

import msgspec
import pytest

from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.rule_targets import RuleTargets
from cloudseg.model import Addresses, Estate, Interface, Peer
from cloudseg.reach.near_ends import concerned, standing
from cloudseg.traffic import NO_ADDRESSES, AddressSet


def estate_of(*machines: str) -> Estate:
    """Return machines behind the NSG of one subnet, by their addresses; the empty text stands for unread ones."""
    b = NsgBuilder()
    b.nsg("nsg", subnet="data")
    for number, addresses in enumerate(machines):
        b.machine(f"nic-{number}", "data", "10.1.2.250")
        machine = b.build().interfaces[max(b.build().interfaces)]
        own = AddressSet.parse(addresses) if addresses else NO_ADDRESSES
        b.put("interfaces", msgspec.structs.replace(machine, addresses=own))
    return b.build()


def targets(estate: Estate, *near: str) -> list[str]:
    """Return the names of the machines for whom a rule with a near end is, or may be."""
    return [each.name for each in found(estate, tuple(Addresses(AddressSet.parse(text)) for text in near))]


def found(estate: Estate, local: tuple[Peer, ...]) -> tuple[Interface, ...]:
    """Return the machines for whom a rule is."""
    rule_set = estate.rule_sets[NsgBuilder.id(nsg_id("nsg"))]
    rule = msgspec.structs.replace(nsg_rule("ingress", 100, "tcp/443"), local=local)
    return RuleTargets(estate).of(rule_set, rule)


def test_a_range_is_for_those_at_its_ends_and_not_beside_it() -> None:
    estate = estate_of("10.1.2.9", "10.1.2.10", "10.1.2.19", "10.1.2.20")
    assert targets(estate, "10.1.2.10-10.1.2.19") == ["nic-1", "nic-2"]
    assert targets(estate, "10.1.2.20-10.1.2.29") == ["nic-3"]
    assert targets(estate, "10.1.2.0-10.1.2.9", "10.1.2.20") == ["nic-0", "nic-3"]
    assert targets(estate, "10.1.2.11-10.1.2.18") == []


def test_a_rule_for_ipv6_is_for_those_who_bear_it() -> None:
    estate = estate_of("10.1.2.10", "::a01:20a", "10.1.2.11, fd00::1")
    assert targets(estate, "::a01:20a") == ["nic-1"]
    assert targets(estate, "10.1.2.10") == ["nic-0"]
    assert targets(estate, "fd00::/64") == ["nic-2"]


def test_addresses_beside_each_other_are_found_one_by_one() -> None:
    estate = estate_of("10.1.2.10, 10.1.2.11", "10.1.2.12")
    assert targets(estate, "10.1.2.11") == ["nic-0"]
    assert targets(estate, "10.1.2.12") == ["nic-1"]


def test_one_whose_addresses_were_not_read_may_bear_any_of_its_subnet() -> None:
    estate = estate_of("10.1.2.10", "")
    assert targets(estate, "10.1.2.99") == ["nic-1"]
    assert targets(estate, "10.1.2.10") == ["nic-0", "nic-1"]
    assert targets(estate, "192.168.0.1") == []


def test_one_of_whom_nothing_is_known_may_be_meant_by_every_rule() -> None:
    b = NsgBuilder()
    b.nsg("nsg", subnet="data")
    b.machine("nic-0", "data", "10.1.2.10")
    b.machine("nic-1", "data", "10.1.2.11")
    estate = b.build()
    unread = next(each for each in estate.interfaces.values() if each.name == "nic-1")
    b.put("interfaces", msgspec.structs.replace(unread, addresses=NO_ADDRESSES))
    b.put("subnets", msgspec.structs.replace(estate.subnets[b.subnet("data")], addresses=NO_ADDRESSES))
    assert targets(b.build(), "192.168.0.1") == ["nic-1"]
    assert targets(b.build(), "10.1.2.10") == ["nic-0", "nic-1"]


def test_a_rule_without_addresses_is_for_nobody_who_is_known() -> None:
    assert found(estate_of("10.1.2.10"), (Addresses(NO_ADDRESSES),)) == ()


@pytest.mark.parametrize("seed", range(10))
def test_drawn_ranges_are_for_those_whom_each_rule_concerns(seed: int) -> None:
    draw = random.Random(seed)
    places = range(10)
    drawn = [", ".join(f"10.1.2.{draw.choice(places)}" for _ in range(draw.randrange(3))) for _ in places]
    estate = estate_of(*drawn)
    for _ in range(20):
        first, last = sorted(draw.choices(places, k=2))
        local = (Addresses(AddressSet.parse(f"10.1.2.{first}-10.1.2.{last}")),)
        expected = [
            each
            for each in estate.interfaces.values()
            if concerned(local, each, standing(each, estate), estate) is not False
        ]
        assert list(found(estate, local)) == sorted(expected, key=lambda each: each.id)
