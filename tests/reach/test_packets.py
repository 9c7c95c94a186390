"""Stages over sets of packets, against tables worked out by hand."""

import msgspec
import pytest

from cloudseg.checks.example_estates import AWS_PIPELINE, EstateBuilder, acl_entry, allow
from cloudseg.model import Direction, Estate, GroupRef, Names, Rule, Unresolved
from cloudseg.reach.packets import Bounds, Box, outside_addresses, pass_stage, replied
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_TRAFFIC, NO_ADDRESSES, AddressSet, IntervalSet, Traffic

ACLS, GROUPS = AWS_PIPELINE.ingress
ANYTHING = Box(ALL_ADDRESSES, ALL_TRAFFIC)


def through(estate: Estate, own: str, direction: Direction = "ingress", packets: Box = ANYTHING) -> Bounds:
    rule_set = estate.rule_sets[EstateBuilder.id(own)]
    stage = ACLS if rule_set.stage == ACLS.name else GROUPS
    return pass_stage(stage, [rule_set], direction, [packets], estate)


def acl(*entries: Rule) -> Estate:
    b = EstateBuilder()
    b.acl("acl-1", ["subnet-public"], entries)
    return b.build()


def passes(boxes: tuple[Box, ...], address: str, traffic: str) -> bool:
    return any(box.addresses.has(address) and Traffic.parse(traffic) <= box.traffic for box in boxes)


@pytest.mark.semantics(23, 209)
@pytest.mark.parametrize(
    ("deny_number", "closed"), [(90, True), (110, False)], ids=["deny above the allow", "deny below the allow"]
)
def test_the_first_matching_entry_decides_on_the_overlap_alone(deny_number: int, closed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    estate = acl(
        acl_entry("ingress", deny_number, "tcp/20-25", "203.0.113.0/24", deny=True),
        acl_entry("ingress", 100, "tcp/0-65535", "0.0.0.0/0"),
    )
    passed = through(estate, "acl-1").lower
    assert passes(passed, "203.0.113.9", "tcp/22") is not closed
    assert passes(passed, "203.0.113.9", "tcp/26")
    assert passes(passed, "203.0.114.9", "tcp/22")
    assert not passes(passed, "203.0.114.9", "udp/22")


@pytest.mark.semantics(23, 28)
def test_what_no_entry_matches_is_denied() -> None:
    assert through(acl(), "acl-1") == Bounds((), ())


@pytest.mark.semantics(15, 29)
def test_an_entry_for_all_of_ipv4_says_nothing_about_ipv6() -> None:
    passed = through(acl(acl_entry("ingress", 100, "all", "0.0.0.0/0")), "acl-1").upper
    assert passed == (Box(ALL_IPV4, ALL_TRAFFIC),)


@pytest.mark.semantics(18, 204)
def test_icmp_is_matched_by_type_and_never_by_port() -> None:
    passed = through(acl(acl_entry("ingress", 100, "icmp/8", "0.0.0.0/0")), "acl-1").lower
    assert passes(passed, "8.8.8.8", "icmp/8:0")
    assert not passes(passed, "8.8.8.8", "icmp/3:4")
    assert not passes(passed, "8.8.8.8", "tcp/8")


@pytest.mark.semantics(1)
def test_rules_of_all_groups_add_up() -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "tcp/443", "0.0.0.0/1"))
    b.group("sg-2", allow("ingress", "tcp/443", "128.0.0.0/1"))
    estate = b.build()
    both = [estate.rule_sets[b.id("sg-1")], estate.rule_sets[b.id("sg-2")]]
    passed = pass_stage(GROUPS, both, "ingress", [ANYTHING], estate).lower
    assert passes(passed, "8.8.8.8", "tcp/443")
    assert passes(passed, "200.0.0.1", "tcp/443")
    assert not passes(passed, "200.0.0.1", "tcp/80")


@pytest.mark.semantics(3)
def test_an_empty_list_of_egress_rules_lets_nothing_out() -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "all", "0.0.0.0/0"))
    assert through(b.build(), "sg-1", "egress") == Bounds((), ())


def test_a_deny_in_a_list_of_allows_opens_nothing() -> None:
    b = EstateBuilder()
    b.group("sg-1", msgspec.structs.replace(allow("ingress", "all", "0.0.0.0/0"), verdict="deny"))
    assert through(b.build(), "sg-1") == Bounds((), ())


@pytest.mark.semantics(5, 6)
def test_a_group_stands_for_no_outside_address() -> None:
    assert outside_addresses([GroupRef("aws:1:r:sg-1")], EstateBuilder().build()) == (NO_ADDRESSES, NO_ADDRESSES)


@pytest.mark.semantics(20)
@pytest.mark.parametrize("peer", [Unresolved("x", "not read"), Names(("example.org",))], ids=["unresolved", "names"])
def test_what_cannot_be_evaluated_is_nothing_at_least_and_everything_at_most(peer: Unresolved | Names) -> None:
    assert outside_addresses([peer], EstateBuilder().build()) == (NO_ADDRESSES, ALL_ADDRESSES)


@pytest.mark.semantics(20)
def test_an_unread_deny_closes_everything_in_the_lower_bound_and_nothing_in_the_upper() -> None:
    deny = msgspec.structs.replace(
        acl_entry("ingress", 90, "tcp/22", "0.0.0.0/0", deny=True), remote=(Unresolved("x", "not read"),)
    )
    passed = through(acl(deny, acl_entry("ingress", 100, "tcp/22-23", "0.0.0.0/0")), "acl-1")
    assert not passes(passed.lower, "8.8.8.8", "tcp/22")
    assert passes(passed.lower, "8.8.8.8", "tcp/23")
    assert passes(passed.upper, "8.8.8.8", "tcp/22")


def test_a_rule_for_some_client_ports_admits_at_most() -> None:
    b = EstateBuilder()
    some = msgspec.structs.replace(allow("ingress", "tcp/22", "0.0.0.0/0"), source_ports=IntervalSet.of((1024, 2000)))
    b.group("sg-1", some)
    passed = through(b.build(), "sg-1")
    assert not passed.lower
    assert passes(passed.upper, "8.8.8.8", "tcp/22")


@pytest.mark.semantics(24, 25)
@pytest.mark.parametrize(
    ("egress", "certainly", "at_most"),
    [
        ("tcp/1024-65535", True, True),
        ("tcp/0-65535", True, True),
        ("tcp/32768-60999", False, True),
        ("tcp/443", False, True),
        ("udp/1024-65535", False, False),
    ],
)
def test_a_reply_goes_to_the_port_that_the_client_chose(
    egress: str,
    certainly: bool,  # noqa: FBT001 - a column of the table
    at_most: bool,  # noqa: FBT001 - a column of the table
) -> None:
    estate = acl(acl_entry("egress", 100, egress, "0.0.0.0/0"))
    judges = [estate.rule_sets[EstateBuilder.id("acl-1")]]
    found = replied([Box(ALL_IPV4, Traffic.parse("tcp/22"))], ACLS, judges, "egress", estate)
    assert bool(found.lower) is certainly
    assert bool(found.upper) is at_most


@pytest.mark.semantics(24)
def test_an_echo_needs_its_reply_and_an_error_message_needs_none() -> None:
    estate = acl(acl_entry("egress", 100, "icmp/0", "203.0.113.0/24"))
    judges = [estate.rule_sets[EstateBuilder.id("acl-1")]]
    found = replied([Box(ALL_IPV4, Traffic.parse("icmp/8, icmp/3:4"))], ACLS, judges, "egress", estate)
    assert passes(found.lower, "203.0.113.9", "icmp/8:0")
    assert not passes(found.upper, "8.8.8.8", "icmp/8:0")
    assert passes(found.lower, "8.8.8.8", "icmp/3:4")


def test_addresses_admitted_for_a_reply_bound_the_request() -> None:
    estate = acl(acl_entry("egress", 100, "all", "203.0.113.0/24"))
    judges = [estate.rule_sets[EstateBuilder.id("acl-1")]]
    found = replied([Box(ALL_IPV4, Traffic.parse("tcp/22"))], ACLS, judges, "egress", estate)
    assert found.lower == (Box(AddressSet.parse("203.0.113.0/24"), Traffic.parse("tcp/22")),)
