"""Rules looked up by the addresses of their near ends: which concern an interface, at the edges of ranges."""

from __future__ import annotations

import msgspec
import pytest

from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.model import Addresses, Estate
from cloudseg.reach.near_ends import NearEnds, concerning
from cloudseg.traffic import NO_ADDRESSES, AddressSet

WHOLE = "10.1.2.0-10.1.2.255"


def concerned(own: str, *near: str) -> list[str]:
    """Return the written near ends, out of some of rules, that concern a machine; ``?`` marks those that may."""
    estate = _estate(near)
    (machine,) = estate.interfaces.values()
    machine = msgspec.structs.replace(machine, addresses=AddressSet.parse(own))
    rule_set = estate.rule_sets[NsgBuilder.id(nsg_id("nsg"))]
    found = NearEnds(estate).of(rule_set, machine)
    assert list(found) == concerning(rule_set.rules, machine, estate)
    names = dict(zip((rule.id for rule in rule_set.rules), near, strict=False))
    return [names[rule.id] + ("" if rule.exact else "?") for rule in found if rule.id in names]


def _estate(near: tuple[str, ...]) -> Estate:
    b = NsgBuilder()
    rules = [nsg_rule("ingress", 100 + number, "tcp/443") for number in range(len(near))]
    ends = [(Addresses(AddressSet.parse(each)),) for each in near]
    narrow = [msgspec.structs.replace(rule, local=end) for rule, end in zip(rules, ends, strict=True)]
    b.nsg("nsg", *narrow, subnet="data")
    b.machine("machine", "data", "10.1.2.10")
    return b.build()


def test_of_ranges_that_touch_each_holds_its_own_ends() -> None:
    touching = ("10.1.2.0-10.1.2.9", "10.1.2.10-10.1.2.19", "10.1.2.20-10.1.2.29")
    assert concerned("10.1.2.9", *touching) == ["10.1.2.0-10.1.2.9"]
    assert concerned("10.1.2.10", *touching) == ["10.1.2.10-10.1.2.19"]
    assert concerned("10.1.2.19", *touching) == ["10.1.2.10-10.1.2.19"]
    assert concerned("10.1.2.20", *touching) == ["10.1.2.20-10.1.2.29"]
    assert concerned("10.1.2.30", *touching) == []


def test_ranges_that_hold_one_another_concern_together_in_the_order_of_the_list() -> None:
    assert concerned("10.1.2.10", "10.1.2.10", WHOLE, "10.1.2.11", "10.1.2.8-10.1.2.10") == [
        "10.1.2.10",
        WHOLE,
        "10.1.2.8-10.1.2.10",
    ]


def test_a_rule_for_some_of_the_addresses_of_a_machine_may_concern_it() -> None:
    assert concerned("10.1.2.10, 10.1.2.20", "10.1.2.10", "10.1.2.20", WHOLE) == ["10.1.2.10?", "10.1.2.20?", WHOLE]


def test_several_ranges_of_one_near_end_hold_a_machine_together() -> None:
    both = "10.1.2.10, 10.1.2.20"
    assert concerned(both, both, "10.1.2.11-10.1.2.19") == [both]


def test_addresses_of_the_families_with_the_same_number_are_not_taken_for_each_other() -> None:
    # 10.1.2.10 as a number is ::a01:20a.
    assert concerned("10.1.2.10", "::a01:20a", "10.1.2.10") == ["10.1.2.10"]
    assert concerned("::a01:20a", "::a01:20a", "10.1.2.10") == ["::a01:20a"]


def test_the_edges_of_ranges_of_ipv6_count_as_those_of_ipv4_do() -> None:
    touching = ("fd00::-fd00::f", "fd00::10-fd00::1f")
    assert concerned("fd00::f", *touching) == ["fd00::-fd00::f"]
    assert concerned("fd00::10", *touching) == ["fd00::10-fd00::1f"]
    assert concerned("fd00::20", *touching) == []


def test_the_first_and_the_last_address_there_are_have_their_rules() -> None:
    ends = ("0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    for own in ends:
        assert concerned(own, *ends) == [own]


def test_a_near_end_without_addresses_concerns_nobody() -> None:
    estate = _estate(("10.1.2.10",))
    rule_set = estate.rule_sets[NsgBuilder.id(nsg_id("nsg"))]
    (machine,) = estate.interfaces.values()
    first, *others = rule_set.rules
    nothing = msgspec.structs.replace(first, local=(Addresses(NO_ADDRESSES),))
    narrow = msgspec.structs.replace(rule_set, rules=(nothing, *others))
    assert nothing not in NearEnds(estate).of(narrow, machine)
    assert first in NearEnds(estate).of(rule_set, machine)


def test_a_machine_whose_addresses_nobody_knows_may_be_concerned_by_every_range() -> None:
    estate = _estate(("10.1.2.10", "192.168.0.1", "fd00::1"))
    (machine,) = estate.interfaces.values()
    unread = msgspec.structs.replace(machine, addresses=NO_ADDRESSES, subnet=None, network=None)
    rule_set = estate.rule_sets[NsgBuilder.id(nsg_id("nsg"))]
    found = NearEnds(estate).of(rule_set, unread)
    assert list(found) == concerning(rule_set.rules, unread, estate)
    assert [rule.exact for rule in found if not rule.fixed] == [False] * 3


@pytest.mark.parametrize("count", [63, 64, 65])
def test_a_near_end_of_very_many_ranges_is_asked_by_itself(count: int) -> None:
    many = ", ".join(f"10.1.{number}.10" for number in range(count))
    assert concerned("10.1.2.10", many, "10.1.2.11") == [many]
    assert concerned("10.1.2.11", many, "10.1.2.11") == ["10.1.2.11"]
