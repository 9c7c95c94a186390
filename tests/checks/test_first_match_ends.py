"""Rules of ordered lists that never decide: the ends of lists, and what one earlier rule or two of them take."""

from __future__ import annotations

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry
from cloudseg.checks.first_match import shadows
from cloudseg.model import Addresses, Rule
from cloudseg.traffic import NO_ADDRESSES

EMPTY = EstateBuilder().build()


def permit(number: int, traffic: str, cidr: str) -> Rule:
    """Return a rule that allows."""
    return acl_entry("ingress", number, traffic, cidr)


def fixed(rule: Rule) -> Rule:
    """Return a rule as one that the provider keeps in every list."""
    return msgspec.structs.replace(rule, fixed=True)


def told(*rules: Rule) -> list[str]:
    """Return the ids of the rules that never decide."""
    return [found.rule.id for found in shadows(rules, EMPTY)]


def test_rules_of_the_provider_are_not_told_at_the_end_nor_before_it() -> None:
    wide = permit(100, "all", "0.0.0.0/0")
    kept, own = fixed(permit(200, "tcp/22", "10.0.0.0/8")), permit(300, "tcp/22", "10.0.0.0/8")
    assert told(wide, kept) == []
    assert told(wide, kept, own) == ["ingress/300"]
    assert told(fixed(wide)) == []


def test_a_rule_of_the_provider_before_others_takes_their_packets() -> None:
    assert told(fixed(permit(100, "all", "10.0.0.0/8")), permit(200, "tcp/22", "10.1.0.0/16")) == ["ingress/200"]


def test_a_wider_rule_of_the_provider_with_the_same_priority_takes_the_packets_of_one_before() -> None:
    wide = msgspec.structs.replace(fixed(permit(100, "all", "10.0.0.0/8")), id="ingress/wide")
    assert told(permit(100, "tcp/22", "10.1.0.0/16"), wide) == ["ingress/100"]


def test_a_last_rule_that_was_not_read_in_full_is_not_told() -> None:
    unread = msgspec.structs.replace(permit(200, "tcp/22", "10.0.0.0/8"), exact=False)
    assert told(permit(100, "all", "0.0.0.0/0"), unread) == []


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        # One that holds all, one that misses an address or a port at an edge, and two that touch.
        (("tcp/22 10.0.0.0/24",), "tcp/22 10.0.0.0/24", True),
        (("tcp/22 10.0.0.0-10.0.0.254",), "tcp/22 10.0.0.0/24", False),
        (("tcp/22 10.0.0.1-10.0.0.255",), "tcp/22 10.0.0.0/24", False),
        (("tcp/21-22 10.0.0.0/24",), "tcp/22-23 10.0.0.0/24", False),
        (("tcp/22 10.0.0.0/25", "tcp/22 10.0.0.128/25"), "tcp/22 10.0.0.0/24", True),
        (("tcp/22 10.0.0.0/25", "tcp/22 10.0.0.129-10.0.0.255"), "tcp/22 10.0.0.0/24", False),
        # Together as large as the rule, but the same half twice.
        (("tcp/22-23 10.0.0.0/25", "tcp/22-23 10.0.0.0/24"), "tcp/22-24 10.0.0.0/24", False),
        (("tcp/22 fd00::/65", "tcp/22 fd00:0:0:0:8000::/65"), "tcp/22 fd00::/64", True),
        (("tcp/22 fd00::/65", "tcp/22 0.0.0.0/0"), "tcp/22 fd00::/64", False),
    ],
)
def test_a_rule_never_decides_where_those_above_hold_all_of_it(
    above: tuple[str, ...],
    below: str,
    expected: bool,  # noqa: FBT001 - a case of the table
) -> None:
    rules = [permit(100 + place, *text.split(" ")) for place, text in enumerate((*above, below))]
    assert (rules[-1].id in told(*rules)) is expected


def test_a_rule_without_addresses_neither_takes_nor_is_told() -> None:
    nothing = msgspec.structs.replace(permit(100, "all", "10.0.0.0/8"), remote=(Addresses(NO_ADDRESSES),))
    assert told(nothing, permit(200, "tcp/22", "10.0.0.0/8")) == []
    assert told(permit(50, "all", "0.0.0.0/0"), nothing) == []
