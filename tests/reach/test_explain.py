"""Explanations, worked out by hand: what lets packets through at each step, what stops them, what would have to go."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Entrance, Firewall, Forward, Forwarder, ForwardTarget, GroupRef, Rule, Subnet, Unresolved
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.explaining.explanation import Explanation
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, IntervalSet, Traffic
from tests.oracle.compare import estate_of
from tests.oracle.raw import REGION, Raw, entry, permission

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from cloudseg.reach.explaining.explanation import Step

ALL = permission("-1", None, None, "0.0.0.0/0", "::/0")
WEB = "tcp/443"
OUTSIDE = "198.51.100.7"
ACL_OPEN = (acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0"))


def told(estate: Estate, source: str, target: str, traffic: str = WEB) -> Explanation:
    """Ends are own ids, or addresses."""
    return explain(Reachability(estate), _end(estate, source), _end(estate, target), Traffic.parse(traffic))


def _end(estate: Estate, text: str) -> str | AddressSet:
    known = [name for name, interface in estate.interfaces.items() if interface.own_id == text]
    return known[0] if known else AddressSet.parse(text)


def step(found: Explanation, kind: str, direction: str = "", number: int = 0) -> Step:
    """The one of several alike."""
    alike = [each for each in found.steps if each.kind == kind and direction in {"", each.direction}]
    return alike[number]


def kinds(found: Explanation) -> list[str]:
    return [each.kind for each in found.steps]


def texts(found: Explanation, field: str = "blocked_by") -> list[tuple[str, str]]:
    return [(rule.label, rule.text) for rule in getattr(found, field)]


def one_vpc(*routes: tuple[str, str] | tuple[str, str, str]) -> Raw:
    """Two subnets, an interface in each: the one may send all, the other takes what its group says."""
    raw = Raw()
    raw.vpc("vpc-1", "10.0.0.0/16", "2001:db8:1::/56")
    raw.subnet("subnet-a", "vpc-1", "10.0.1.0/24", "2001:db8:1:1::/64")
    raw.subnet("subnet-b", "vpc-1", "10.0.2.0/24", "2001:db8:1:2::/64", zone="b")
    raw.table("rtb-1", "vpc-1", *routes, main=True)
    raw.open_acl("acl-1", "vpc-1")
    return raw


def two_interfaces(*ingress: dict[str, object], raw: Raw | None = None, six: bool = False) -> Raw:
    raw = raw or one_vpc()
    raw.group("sg-client", "vpc-1", egress=[ALL])
    raw.group("sg-server", "vpc-1", ingress=ingress or [ALL])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-client"], "10.0.1.5", *(["2001:db8:1:1::5"] if six else []))
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-server"], "10.0.2.5", *(["2001:db8:1:2::5"] if six else []))
    return raw


def between(raw: Raw, traffic: str = WEB, source: str = "eni-a", target: str = "eni-b") -> Explanation:
    return told(estate_of(raw.answers), source, target, traffic)


# Security groups


def test_the_way_of_an_allowed_packet_is_told_from_end_to_end() -> None:
    found = between(two_interfaces(permission("tcp", 443, 443, "10.0.1.0/24")))
    assert found.verdict == "allowed"
    assert (found.lower, found.upper) == (WEB, WEB)
    assert [(each.kind, each.direction) for each in found.steps] == [
        ("stage", "egress"), ("boundary", "egress"), ("route", ""), ("boundary", "ingress"), ("stage", "ingress"),
        ("return-route", ""), ("reply", "egress"), ("reply", "ingress"), ("delivered", ""),
    ]  # fmt: skip
    assert all((each.verdict, each.left_lower, each.left_upper) == ("passes", WEB, WEB) for each in found.steps)
    assert found.reason == "every step from eni-a (10.0.1.5) to eni-b (10.0.2.5) lets tcp/443 pass"
    assert found.blocked_by == found.also_blocking == found.unknowns == ()


@pytest.mark.semantics(1)
def test_what_no_rule_of_any_group_admits_is_blocked_by_the_default_of_all_of_them() -> None:
    raw = one_vpc()
    raw.group("sg-out", "vpc-1", egress=[ALL])
    raw.group("sg-1", "vpc-1", [permission("tcp", 443, 443, "10.0.1.0/24")])
    raw.group("sg-2", "vpc-1", [permission("tcp", 22, 22, "10.9.0.0/16")])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-out"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-1", "sg-2"], "10.0.2.5")
    found = between(raw, "tcp/22")
    assert found.verdict == "blocked"
    assert found.reason == (
        "no rule of sg-1, sg-2 admits tcp/22 from eni-a (10.0.1.5) (a security group denies what it does not allow)"
    )
    assert [(rule.label, rule.rule, rule.verdict) for rule in found.blocked_by] == [
        ("sg-1", "*", "deny"), ("sg-2", "*", "deny"),
    ]  # fmt: skip
    assert found.also_blocking == ()


@pytest.mark.semantics(1)
def test_every_rule_of_every_group_that_admits_is_named() -> None:
    raw = one_vpc()
    raw.group("sg-out", "vpc-1", egress=[ALL])
    raw.group("sg-1", "vpc-1", [permission("tcp", 443, 443, "10.0.1.0/24"), permission("tcp", 22, 22, "10.0.1.0/24")])
    raw.group("sg-2", "vpc-1", [permission("tcp", 400, 500, "10.0.0.0/8")])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-out"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-1", "sg-2"], "10.0.2.5")
    found = between(raw)
    assert [(rule.label, rule.text) for rule in step(found, "stage", "ingress").rules] == [
        ("sg-1", "ingress tcp/443 from 10.0.1.0/24"), ("sg-2", "ingress tcp/400-500 from 10.0.0.0/8"),
    ]  # fmt: skip


@pytest.mark.semantics(2)
def test_no_group_is_asked_about_replies() -> None:
    found = between(two_interfaces())
    assert found.verdict == "allowed"
    assert not [each for each in found.steps if each.kind == "reply" and "group" in each.text]


@pytest.mark.semantics(3)
def test_a_group_with_an_empty_egress_list_lets_nothing_out() -> None:
    found = between(two_interfaces(), source="eni-b", target="eni-a")
    assert found.verdict == "blocked"
    assert texts(found) == [("sg-server", "deny egress what no rule matches")]
    assert step(found, "stage", "egress").verdict == "blocks"


@pytest.mark.semantics(4)
def test_both_ends_block_and_both_are_told() -> None:
    found = between(two_interfaces(), source="eni-b", target="eni-a")
    assert found.blocked_by[0].label == "sg-server"
    (also,) = found.also_blocking
    assert (also.kind, also.direction) == ("stage", "ingress")
    assert also.reason.startswith("no rule of sg-client admits tcp/443 from eni-b (10.0.2.5)")


@pytest.mark.semantics(5)
def test_a_member_is_admitted_by_the_rule_that_names_its_group() -> None:
    raw = two_interfaces(permission("tcp", 443, 443, "sg-client"))
    raw.interface("eni-other", "vpc-1", "subnet-a", ["sg-free"], "10.0.1.6")
    raw.group("sg-free", "vpc-1", egress=[ALL])
    assert [rule.text for rule in step(between(raw), "stage", "ingress").rules] == ["ingress tcp/443 from sg-client"]
    assert between(raw, source="eni-other").verdict == "blocked"


@pytest.mark.semantics(6)
def test_over_the_internet_a_named_group_matches_nobody() -> None:
    raw = one_vpc(("0.0.0.0/0", "igw-1"))
    raw.internet_gateway("igw-1", "vpc-1")
    raw.group("sg-a", "vpc-1", [permission("tcp", 443, 443, "sg-a")], [ALL])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-a"], ("10.0.1.5", "203.0.113.5"))
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-a"], ("10.0.2.5", "203.0.113.6"))
    assert between(raw).verdict == "allowed"
    public = between(raw, source="203.0.113.5")
    assert public.verdict == "blocked"
    assert public.blocked_by[0].label == "sg-a"


def two_vpcs(
    *joins: tuple[str, str, str], ingress: str = "sg-1", region: str = "eu-west-1", status: str = "active"
) -> Raw:
    """A VPC on each side of the peering ``pcx-1``; a join is VPC, destination and target of a route."""
    raw = Raw()
    for number, where in ((1, "eu-west-1"), (2, region)):
        vpc = f"vpc-{number}"
        raw.vpc(vpc, f"10.{number}.0.0/16", region=where)
        raw.subnet(f"subnet-{number}", vpc, f"10.{number}.1.0/24")
        raw.table(f"rtb-{number}", vpc, *[route[1:] for route in joins if route[0] == vpc], main=True)
        raw.open_acl(f"acl-{number}", vpc)
    raw.group("sg-1", "vpc-1", egress=[ALL])
    raw.group("sg-2", "vpc-2", [permission("tcp", 443, 443, ingress)])
    raw.interface("eni-a", "vpc-1", "subnet-1", ["sg-1"], "10.1.1.5")
    raw.interface("eni-b", "vpc-2", "subnet-2", ["sg-2"], "10.2.1.5")
    raw.peering("pcx-1", "vpc-1", "vpc-2", status=status)
    return raw


THERE, BACK = ("vpc-1", "10.2.0.0/16", "pcx-1"), ("vpc-2", "10.1.0.0/16", "pcx-1")


@pytest.mark.semantics(7, 36)
def test_a_peering_is_told_with_the_routes_on_both_sides() -> None:
    found = between(two_vpcs(THERE, BACK))
    assert found.verdict == "allowed"
    assert step(found, "route").text == "rtb-1: route 10.2.0.0/16 to pcx-1"
    assert step(found, "gateway").text == "peering pcx-1 of vpc-1 and vpc-2"
    assert step(found, "return-route").text == "replies: rtb-2: route 10.1.0.0/16 to pcx-1"


@pytest.mark.semantics(36)
def test_a_missing_route_is_told_with_the_table_that_misses_it() -> None:
    found = between(two_vpcs(BACK))
    assert (found.verdict, found.blocked_by) == ("blocked", ())
    assert found.reason == "no route from subnet-1 to 10.2.1.5: rtb-1"
    assert step(found, "route").verdict == "blocks"


@pytest.mark.semantics(36)
def test_a_missing_route_back_is_told_as_such() -> None:
    found = between(two_vpcs(THERE))
    assert found.reason == "replies have no way back: no route from subnet-2 to 10.1.1.5: rtb-2"
    assert step(found, "route").verdict == "passes"
    assert step(found, "return-route").verdict == "blocks"


@pytest.mark.semantics(36)
def test_a_peering_that_is_not_active_carries_nothing() -> None:
    found = between(two_vpcs(THERE, BACK, status="pending-acceptance"))
    assert found.reason == "the peering pcx-1 is not active (rtb-1: route 10.2.0.0/16 to pcx-1)"
    assert [each.kind for each in found.also_blocking] == ["return-route"]


@pytest.mark.semantics(8)
def test_over_a_peering_of_two_regions_only_a_range_admits() -> None:
    found = between(two_vpcs(THERE, BACK, region="us-east-1"))
    assert texts(found) == [("sg-2", "deny ingress what no rule matches")]
    assert between(two_vpcs(THERE, BACK, region="us-east-1", ingress="10.1.0.0/16")).verdict == "allowed"


@pytest.mark.semantics(9)
def test_a_stale_reference_matches_nothing() -> None:
    def estate(*, stale: bool) -> Estate:
        b = EstateBuilder()
        rule = allow("ingress", WEB, "sg-a", rule_id="sgr-1")
        b.group("sg-a", allow("egress", "all", "0.0.0.0/0"))
        named = GroupRef(b.id("sg-a"), stale=stale)
        b.group("sg-b", msgspec.structs.replace(rule, remote=(named,)))
        b.interface("eni-a", "subnet-public", ["sg-a"], "10.0.1.5")
        b.interface("eni-b", "subnet-private", ["sg-b"], "10.0.2.5")
        return b.build()

    assert told(estate(stale=False), "eni-a", "eni-b").verdict == "allowed"
    assert told(estate(stale=True), "eni-a", "eni-b").verdict == "blocked"


def past_a_firewall(peer: str, *, filters: bool = False) -> Estate:
    """Both subnets send what they have for each other to a firewall."""
    b = EstateBuilder()
    b.subnet("subnet-fw", "10.0.3.0/24")
    b.acl("acl-fw", ["subnet-fw"], ACL_OPEN)
    b.endpoint("vpce-1", "firewall", type="gateway-load-balancer", subnets=frozenset({b.id("subnet-fw")}))
    b.put(
        "firewalls",
        Firewall(
            id=b.id("fw-1"), kind="network-firewall", region=REGION, network=b.id("vpc-1"),
            endpoints=frozenset({b.id("vpce-1")}), filters=filters,
        ),
    )  # fmt: skip
    b.route("rtb-public", "10.0.2.0/24", "endpoint", "vpce-1")
    b.route("rtb-private", "10.0.1.0/24", "endpoint", "vpce-1")
    b.group("sg-a", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-b", allow("ingress", WEB, peer, rule_id="sgr-1"))
    b.interface("eni-a", "subnet-public", ["sg-a"], "10.0.1.5")
    b.interface("eni-b", "subnet-private", ["sg-b"], "10.0.2.5")
    return b.build()


@pytest.mark.semantics(10)
def test_behind_a_middlebox_a_named_group_matches_nobody_and_the_reader_is_told_so() -> None:
    found = told(past_a_firewall("sg-a"), "eni-a", "eni-b")
    assert found.verdict == "blocked"
    assert found.reason.endswith("; sgr-1 names a group, and groups match nobody on this way")
    assert told(past_a_firewall("10.0.1.0/24"), "eni-a", "eni-b").verdict == "allowed"


@pytest.mark.semantics(10)
def test_behind_a_middlebox_that_filters_nothing_is_certain() -> None:
    found = told(past_a_firewall("10.0.1.0/24", filters=True), "eni-a", "eni-b")
    assert (found.verdict, found.lower, found.upper) == ("unknown", "none", WEB)
    assert [(each.verdict, each.text) for each in found.steps if each.kind in {"route", "gateway"}] == [
        ("passes", "rtb-public: route 10.0.2.0/24 to vpce-1"),
        ("unknown", "endpoint vpce-1 of the firewall fw-1"),
        ("passes", "rtb-fw: route 10.0.0.0/16 to local"),
    ]
    assert found.unknowns == ("the firewall fw-1: its policy decides what passes",)


def test_boundaries_on_the_way_are_told_as_checkpoints() -> None:
    found = told(past_a_firewall("10.0.1.0/24"), "eni-a", "eni-b")
    points = [each for each in found.steps if each.kind == "checkpoint"]
    assert [each.direction for each in points] == ["ingress", "egress"]
    assert all(each.text == "network ACL acl-fw of subnet-fw, on the way" for each in points)


# Network ACLs


@pytest.mark.semantics(23)
def test_the_denying_entry_with_the_lowest_number_is_told() -> None:
    raw = two_interfaces()
    raw.acl(
        "acl-b", "vpc-1",
        entry(90, "deny", "10.0.1.0/24", protocol=6, limits=(443, 443)),
        entry(80, "allow", "10.0.1.0/28", protocol=6, limits=(0, 80)),
        entry(100, "allow", "0.0.0.0/0"), entry(100, "allow", "0.0.0.0/0", egress=True), subnets=["subnet-b"],
    )  # fmt: skip
    found = between(raw)
    assert found.reason == "acl-b entry 90 denies tcp/443 from 10.0.1.0/24"
    assert [(rule.rule, rule.text) for rule in found.blocked_by] == [
        ("ingress/90", "deny ingress tcp/443 from 10.0.1.0/24")
    ]
    assert [rule.rule for rule in step(between(raw, "tcp/444"), "boundary", "ingress").rules] == ["ingress/100"]


@pytest.mark.semantics(24)
def test_the_reply_needs_an_entry_of_its_own() -> None:
    raw = two_interfaces()
    raw.acl("acl-b", "vpc-1", entry(100, "allow", "0.0.0.0/0"), subnets=["subnet-b"])
    found = between(raw)
    assert found.verdict == "blocked"
    assert step(found, "boundary", "ingress").verdict == "passes"
    assert found.reason.startswith("the reply is denied: default entry * of acl-b denies tcp/1024-65535 to eni-a")
    assert texts(found) == [("acl-b", "deny egress what no entry matches")]


@pytest.mark.semantics(24, 25)
def test_replies_to_some_client_ports_make_the_verdict_unknown_and_the_ports_are_told() -> None:
    raw = two_interfaces()
    raw.acl(
        "acl-b", "vpc-1", entry(100, "allow", "0.0.0.0/0"),
        entry(100, "allow", "0.0.0.0/0", egress=True, protocol=6, limits=(32768, 60999)), subnets=["subnet-b"],
    )  # fmt: skip
    found = between(raw)
    assert (found.verdict, found.lower, found.upper) == ("unknown", "none", WEB)
    assert found.unknowns == ("of the replies tcp/1024-65535 only tcp/32768-60999 certainly pass",)
    assert [rule.text for rule in step(found, "reply", "egress").rules] == ["egress tcp/32768-60999 to 0.0.0.0/0"]


@pytest.mark.semantics(24)
def test_replies_have_to_pass_every_list_with_the_same_port() -> None:
    raw = one_vpc()
    for own, ports in (("subnet-a", (1024, 40000)), ("subnet-b", (40001, 65535))):
        one = own == "subnet-a"
        replies = entry(200, "allow", "0.0.0.0/0", egress=not one, protocol=6, limits=ports)
        raw.acl(f"acl-{own}", "vpc-1", entry(100, "allow", "0.0.0.0/0", egress=one), replies, subnets=[own])
    found = between(two_interfaces(raw=raw))
    assert found.verdict == "blocked"
    assert [each.verdict for each in found.steps if each.kind == "reply"] == ["unknown", "unknown"]
    assert found.steps[-2].left_upper == "none"


@pytest.mark.semantics(26)
def test_within_one_subnet_no_boundary_and_no_route_is_met() -> None:
    raw = two_interfaces()
    raw.acl("acl-none", "vpc-1", subnets=["subnet-a"])
    raw.interface("eni-c", "vpc-1", "subnet-a", ["sg-server"], "10.0.1.6")
    found = between(raw, target="eni-c")
    assert found.verdict == "allowed"
    assert kinds(found) == ["stage", "route", "stage", "delivered"]
    assert step(found, "route").text == "both stand in subnet-a: no route and no boundary is met"


@pytest.mark.semantics(27)
def test_a_subnet_without_a_list_of_its_own_has_the_default_one() -> None:
    assert step(between(two_interfaces()), "boundary", "egress").text == "network ACL acl-1 of subnet-a"


@pytest.mark.semantics(28)
def test_a_new_list_denies_by_its_default_entry() -> None:
    raw = two_interfaces()
    raw.acl("acl-new", "vpc-1", subnets=["subnet-a"])
    found = between(raw)
    assert found.reason == "default entry * of acl-new denies tcp/443 to eni-b (10.0.2.5)"
    assert texts(found) == [("acl-new", "deny egress what no entry matches")]
    assert [(each.kind, each.direction) for each in found.also_blocking] == [("reply", "ingress")]


@pytest.mark.semantics(15, 29)
def test_of_two_families_the_one_that_lets_most_through_is_explained() -> None:
    raw = two_interfaces(permission("tcp", 443, 443, "0.0.0.0/0"), permission("tcp", 400, 500, "::/0"), six=True)
    raw.acl(
        "acl-b", "vpc-1", entry(90, "deny", "::/0"), entry(100, "allow", "0.0.0.0/0"),
        entry(100, "allow", "0.0.0.0/0", egress=True), subnets=["subnet-b"],
    )  # fmt: skip
    found = between(raw, "tcp/400-500")
    assert (found.source.address, found.target.address) == ("10.0.1.5", "10.0.2.5")
    assert (found.source.others, found.target.others) == (1, 1)
    assert (found.verdict, found.lower) == ("partly", WEB)


@pytest.mark.semantics(29)
def test_what_another_family_lets_through_besides_is_noted() -> None:
    found = between(
        two_interfaces(permission("tcp", 443, 443, "0.0.0.0/0"), permission("tcp", 22, 30, "::/0"), six=True),
        "tcp/22-443",
    )
    assert found.lower == "tcp/22-30, tcp/443"
    assert found.source.address == "2001:db8:1:1::5"
    assert found.notes == ("tcp/443 passes between other addresses of the ends, or on another way",)


# Routes


@pytest.mark.semantics(31)
def test_a_longer_route_that_leads_nowhere_beats_the_local_one() -> None:
    found = between(two_interfaces(raw=one_vpc(("10.0.2.0/24", "eni-gone", "blackhole"))))
    assert found.reason == "a route of rtb-1 is a blackhole (rtb-1: route 10.0.2.0/24 to eni-gone)"


@pytest.mark.semantics(32)
def test_the_table_of_the_subnet_decides_and_without_one_the_main_table() -> None:
    raw = two_interfaces()
    raw.table("rtb-b", "vpc-1", subnets=["subnet-b"])
    found = between(raw)
    assert step(found, "route").place.endswith(":rtb-1")
    assert step(found, "return-route").place.endswith(":rtb-b")


def over_transit(*routes: tuple[str, str, str]) -> Raw:
    raw = two_vpcs(("vpc-1", "10.2.0.0/16", "tgw-1"), ("vpc-2", "10.1.0.0/16", "tgw-1"), ingress="10.1.0.0/16")
    raw.transit_gateway("tgw-1")
    raw.attachment("tgw-attach-1", "tgw-1", "vpc-1", ["subnet-1"], "tgw-rtb-1")
    raw.attachment("tgw-attach-2", "tgw-1", "vpc-2", ["subnet-2"], "tgw-rtb-1")
    raw.transit_table("tgw-rtb-1", "tgw-1", *routes)
    return raw


TRANSIT_BACK = ("10.1.0.0/16", "tgw-attach-1", "propagated")


@pytest.mark.semantics(38)
def test_the_table_of_a_transit_gateway_is_a_step_of_the_way() -> None:
    found = between(over_transit(("10.2.0.0/16", "tgw-attach-2", "propagated"), TRANSIT_BACK))
    assert found.verdict == "allowed"
    told_steps = [each.text for each in found.steps if each.kind in {"route", "gateway"}]
    assert told_steps == [
        "rtb-1: route 10.2.0.0/16 to tgw-1", "transit gateway tgw-1",
        "tgw-rtb-1: route 10.2.0.0/16 to tgw-attach-2", "tgw-attach-2 to vpc-2",
    ]  # fmt: skip
    assert step(found, "checkpoint").text == "network ACL acl-1 of subnet-1, on the way"


@pytest.mark.semantics(38)
def test_what_the_table_of_a_transit_gateway_misses_stops_packets_there() -> None:
    found = between(over_transit(TRANSIT_BACK))
    assert found.reason.startswith("tgw-rtb-1 has no route")
    assert [each.verdict for each in found.steps if each.kind == "gateway"] == ["blocks"]


@pytest.mark.semantics(38)
def test_a_static_route_of_a_transit_gateway_beats_a_propagated_one() -> None:
    routes = (("10.2.0.0/16", "tgw-attach-2", "propagated"), ("10.2.0.0/16", "", "static"), TRANSIT_BACK)
    assert "is a blackhole" in between(over_transit(*routes)).reason


@pytest.mark.semantics(46)
def test_an_address_that_another_network_holds_as_well_is_not_the_one_that_was_meant() -> None:
    raw = one_vpc()
    raw.vpc("vpc-2", "10.0.0.0/16")
    raw.subnet("subnet-c", "vpc-2", "10.0.2.0/24")
    raw.table("rtb-2", "vpc-2", main=True)
    raw.open_acl("acl-2", "vpc-2")
    raw.group("sg-2", "vpc-2", [ALL])
    two_interfaces(raw=raw)
    raw.interface("eni-c", "vpc-2", "subnet-c", ["sg-2"], "10.0.2.5")
    found = between(raw, target="eni-c")
    assert found.reason.startswith("packets to 10.0.2.5 stay in vpc-1, and eni-c stands in vpc-2")


# To the internet and from it


def public_server(*routes: tuple[str, str]) -> Raw:
    raw = one_vpc(*routes)
    raw.internet_gateway("igw-1", "vpc-1")
    raw.group("sg-all", "vpc-1", [permission("tcp", 443, 443, "0.0.0.0/0", "::/0")], [ALL])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-all"], ("10.0.1.5", "203.0.113.5"))
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-all"], "10.0.2.5")
    return raw


@pytest.mark.semantics(33)
def test_a_public_address_and_a_route_to_an_internet_gateway_are_the_way_in() -> None:
    found = between(public_server(("0.0.0.0/0", "igw-1")), source=OUTSIDE, target="eni-a")
    assert kinds(found) == ["way-in", "boundary", "stage", "reply", "delivered"]
    assert found.steps[0].text == "public address and route to igw-1"
    assert [rule.text for rule in found.would_block] == ["ingress tcp/443 from 0.0.0.0/0"]


@pytest.mark.semantics(33)
@pytest.mark.parametrize(
    ("routes", "target", "reason"),
    [
        ((("0.0.0.0/0", "igw-1"),), "eni-b", "no public address"),
        ((), "eni-a", "no route to an internet gateway; no public address"),
    ],
)
def test_without_a_way_in_the_reader_is_told_what_is_missing(
    routes: tuple[tuple[str, str], ...], target: str, reason: str
) -> None:
    found = between(public_server(*routes), source=OUTSIDE, target=target)
    assert (found.verdict, found.steps[0].verdict) == ("blocked", "blocks")
    assert found.reason == f"no way in to {target} from {OUTSIDE}: {reason}"


@pytest.mark.semantics(33, 123)
def test_blocked_public_access_is_told() -> None:
    raw = public_server(("0.0.0.0/0", "igw-1"))
    raw.block_public_access("block-bidirectional")
    assert "public access to the subnet is blocked" in between(raw, source=OUTSIDE, target="eni-a").reason
    assert "public access to the subnet is blocked" in between(raw, source="eni-a", target=OUTSIDE).reason


@pytest.mark.semantics(33)
def test_an_internet_gateway_lets_out_what_has_a_public_address() -> None:
    raw = public_server(("0.0.0.0/0", "igw-1"))
    found = between(raw, source="eni-a", target=OUTSIDE)
    assert (found.verdict, found.steps[-1].text) == ("allowed", f"{OUTSIDE} is out on the internet")
    assert between(raw, source="eni-b", target=OUTSIDE).reason == "eni-b has no public IPv4 address"


@pytest.mark.semantics(34)
def test_a_nat_gateway_takes_over_and_carries_three_protocols() -> None:
    raw = one_vpc(("0.0.0.0/0", "nat-1"))
    raw.internet_gateway("igw-1", "vpc-1")
    raw.table("rtb-a", "vpc-1", ("0.0.0.0/0", "igw-1"), subnets=["subnet-a"])
    raw.nat("nat-1", "vpc-1", "subnet-a", "10.0.1.9", "203.0.113.9")
    raw.group("sg-all", "vpc-1", [ALL], [ALL])
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-all"], "10.0.2.5")
    found = between(raw, source="eni-b", target=OUTSIDE)
    assert found.verdict == "allowed"
    assert step(found, "translation").text == "from here on eni-nat-1 (10.0.1.9) stands for the source"
    assert [each.text for each in found.steps if each.kind == "checkpoint"] == [
        "network ACL acl-1 of subnet-a, on the way"
    ] * 2
    esp = between(raw, "esp", "eni-b", OUTSIDE)
    assert esp.reason == "a NAT gateway carries only tcp, udp, icmp"


def test_of_many_addresses_outside_the_ones_of_which_most_passes_are_explained() -> None:
    raw = public_server(("0.0.0.0/0", "igw-1"))
    raw.group("sg-ssh", "vpc-1", [permission("tcp", 22, 22, "198.51.100.0/24")])
    raw.interface("eni-c", "vpc-1", "subnet-a", ["sg-ssh"], ("10.0.1.7", "203.0.113.7"))
    found = between(raw, "tcp/22", "0.0.0.0/0", "eni-c")
    assert (found.verdict, found.source.text, found.source.address) == ("allowed", "0.0.0.0/0", "198.51.100.0/24")
    assert any("the steps are about 198.51.100.0/24; most traffic passes from these" in note for note in found.notes)
    found = between(raw, "tcp/23", "0.0.0.0/0", "eni-c")
    assert any(note.endswith("nothing passes from the others either") for note in found.notes)


def test_two_interfaces_that_talk_over_the_internet_are_explained_on_that_way() -> None:
    raw = one_vpc(("0.0.0.0/0", "igw-1"))
    raw.internet_gateway("igw-1", "vpc-1")
    raw.group("sg-out", "vpc-1", egress=[ALL])
    raw.group("sg-in", "vpc-1", [permission("tcp", 443, 443, "203.0.113.5/32")])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-out"], ("10.0.1.5", "203.0.113.5"))
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-in"], ("10.0.2.5", "203.0.113.6"))
    found = between(raw)
    assert found.verdict == "allowed"
    assert found.steps[0].text == "to 203.0.113.6, a public address of eni-b, over the internet"
    assert "igw-1 lets out what has a public address" in [each.text for each in found.steps]
    assert "public address and route to igw-1" in [each.text for each in found.steps]
    assert [rule.text for rule in found.would_block] == ["ingress tcp/443 from 203.0.113.5"]


@pytest.mark.semantics(21, 22)
def test_what_no_list_filters_is_noted() -> None:
    found = between(two_interfaces(), "tcp/80", "eni-a", "169.254.169.254")
    assert "no group and no network ACL filters what an instance asks of its metadata, time and name services" in (
        found.notes
    )


def test_interfaces_that_bear_the_addresses_asked_about_are_named() -> None:
    found = between(two_interfaces(), source="eni-a", target="10.0.2.0/24")
    assert found.verdict == "blocked"
    assert any("eni-b" in note for note in found.notes)


# What would have to go


def test_all_rules_of_the_stage_with_the_fewest_would_have_to_go() -> None:
    raw = one_vpc()
    raw.group("sg-1", "vpc-1", egress=[permission("tcp", 443, 443, "10.0.2.0/24"), ALL])
    raw.group("sg-2", "vpc-1", [permission("tcp", 0, 1000, "10.0.0.0/8"), permission("tcp", 443, 443, "10.0.1.5/32")])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-1"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-2"], "10.0.2.5")
    # Two rules at either end, one entry in either list at the boundaries.
    assert texts(between(raw), "would_block") == [("acl-1", "ingress all from 0.0.0.0/0")]


def test_every_step_at_the_ends_is_told_with_all_rules_of_it_that_would_have_to_go() -> None:
    raw = one_vpc()
    raw.group("sg-1", "vpc-1", egress=[ALL])
    raw.group("sg-2", "vpc-1", [permission("tcp", 22, 22, "10.0.0.0/16"), permission("tcp", 0, 1000, "10.0.1.0/24")])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-1"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-2"], "10.0.2.5")
    assert [(each.direction, each.text, len(each.rules)) for each in between(raw, "tcp/22").cuts] == [
        ("egress", "security group sg-1 of eni-a", 1),
        ("ingress", "network ACL acl-1 of subnet-b", 1),
        ("egress", "network ACL acl-1 of subnet-a", 1),
        ("ingress", "security group sg-2 of eni-b", 2),
    ]


def test_what_nothing_arrives_at_is_not_what_blocks() -> None:
    found = between(two_interfaces(permission("tcp", 443, 443, "10.9.0.0/16")))
    end = found.steps[-1]
    assert (end.kind, end.reason) == ("delivered", "nothing arrives here")
    assert end.text not in [each.text for each in found.also_blocking]


def test_a_load_balancer_without_listeners_is_told_as_such() -> None:
    estate = balanced(keeps=False, peer="sg-lb")
    deaf = {
        name: msgspec.structs.replace(each, accepts=Traffic(), forwards=()) for name, each in estate.forwarders.items()
    }
    without_listeners = dataclasses.replace(estate, forwarders=deaf)
    found = told(without_listeners, OUTSIDE, "eni-lb")
    assert step(found, "balancer").reason == "lb-1 has no listener today"


def test_of_equals_the_rule_at_the_target_counts() -> None:
    found = between(two_interfaces(permission("tcp", 443, 443, "10.0.1.0/24")))
    assert texts(found, "would_block") == [("sg-server", "ingress tcp/443 from 10.0.1.0/24")]


def test_an_entry_that_another_one_hides_would_have_to_go_as_well() -> None:
    raw = one_vpc()
    ranges = ("10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/23", "10.0.0.0/22")
    raw.group("sg-1", "vpc-1", egress=[permission("tcp", 443, 443, *ranges)])
    raw.group("sg-2", "vpc-1", [permission("tcp", 443, 443, *ranges)])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-1"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-2"], "10.0.2.5")
    hidden = entry(110, "allow", "10.0.0.0/8"), entry(120, "deny", "10.0.0.0/8"), entry(130, "allow", "0.0.0.0/0")
    raw.acl(
        "acl-a", "vpc-1", *(entry(100 + n, "allow", f"10.0.{n}.0/16", egress=True) for n in range(5)),
        entry(100, "allow", "0.0.0.0/0"), subnets=["subnet-a"],
    )  # fmt: skip
    raw.acl(
        "acl-b", "vpc-1", entry(100, "allow", "10.0.0.0/16"), *hidden, entry(100, "allow", "0.0.0.0/0", egress=True),
        subnets=["subnet-b"],
    )  # fmt: skip
    found = between(raw)
    assert [rule.rule for rule in step(found, "boundary", "ingress").rules] == ["ingress/100"]
    assert [rule.rule for rule in found.would_block] == ["ingress/100", "ingress/110"]


def test_without_lists_nothing_would_have_to_go() -> None:
    b = EstateBuilder()
    b.acl("acl-1", [], ())
    b.interface("eni-a", "subnet-public", [], "10.0.1.5")
    b.interface("eni-b", "subnet-private", [], "10.0.2.5")
    found = told(b.build(), "eni-a", "eni-b")
    assert (found.verdict, found.would_block) == ("allowed", ())
    assert step(found, "stage", "ingress").text == "no security groups judge eni-b"


# Parts and unknowns


def test_part_of_the_traffic_passes_and_the_reader_is_told_where_the_rest_ends() -> None:
    found = between(two_interfaces(permission("tcp", 443, 443, "10.0.1.0/24")), "tcp/80, tcp/443")
    assert (found.verdict, found.lower, found.upper) == ("partly", WEB, WEB)
    assert step(found, "stage", "ingress").verdict == "partly"
    assert step(found, "stage", "ingress").reason == "only tcp/443 is admitted"
    assert step(found, "boundary", "ingress").left_upper == "tcp/80, tcp/443"
    assert step(found, "stage", "ingress").left_upper == WEB


def test_what_one_step_leaves_another_may_stop_although_each_lets_something_through() -> None:
    raw = one_vpc()
    raw.group("sg-1", "vpc-1", egress=[permission("tcp", 80, 80, "0.0.0.0/0")])
    raw.group("sg-2", "vpc-1", [permission("tcp", 443, 443, "0.0.0.0/0")])
    raw.interface("eni-a", "vpc-1", "subnet-a", ["sg-1"], "10.0.1.5")
    raw.interface("eni-b", "vpc-1", "subnet-b", ["sg-2"], "10.0.2.5")
    found = between(raw, "tcp/80, tcp/443")
    assert found.verdict == "blocked"
    assert found.reason.startswith("no rule of sg-2 admits tcp/80 from eni-a (10.0.1.5)")
    assert texts(found) == [("sg-2", "deny ingress what no rule matches")]
    assert step(found, "stage", "ingress").verdict == "partly"


def unread(b: EstateBuilder, *rules: Rule, **more: object) -> Explanation:
    b.group("sg-a", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-b", *rules)
    b.interface("eni-a", "subnet-public", ["sg-a"], "10.0.1.5", **more)  # type: ignore[arg-type]
    b.interface("eni-b", "subnet-private", ["sg-b"], "10.0.2.5")
    return told(b.build(), "eni-a", "eni-b")


def test_an_unread_prefix_list_is_named() -> None:
    b = EstateBuilder()
    b.prefix_list("pl-1", read=False)
    found = unread(b, allow("ingress", WEB, "pl-1"))
    assert (found.verdict, found.lower, found.upper) == ("unknown", "none", WEB)
    assert found.unknowns == ("the entries of pl-1 were not read",)
    assert step(found, "stage", "ingress").verdict == "unknown"


def test_a_rule_that_was_not_read_in_full_is_named() -> None:
    rule = msgspec.structs.replace(allow("ingress", WEB, "10.0.0.0/8", rule_id="sgr-1"), exact=False)
    assert unread(EstateBuilder(), rule).unknowns == ("sg-b sgr-1 was not read in full",)


def test_a_rule_for_some_client_ports_admits_at_most() -> None:
    ports = IntervalSet(((1024, 2000),))
    rule = msgspec.structs.replace(allow("ingress", WEB, "10.0.0.0/8", rule_id="sgr-1"), source_ports=ports)
    found = unread(EstateBuilder(), rule)
    assert (found.verdict, found.unknowns) == ("unknown", ("sg-b sgr-1 names some ports of the client only",))


def test_why_a_peer_could_not_be_resolved_is_told() -> None:
    rule = msgspec.structs.replace(allow("ingress", WEB, "10.0.0.0/8"), remote=(Unresolved("x", "no permission"),))
    assert unread(EstateBuilder(), rule).unknowns == ("no permission",)


def test_a_source_whose_groups_were_not_read_may_be_a_member() -> None:
    b = EstateBuilder()
    b.group("sg-x")
    found = unread(b, allow("ingress", WEB, "sg-x"), attached_unread=True)
    assert (found.verdict, found.lower, found.upper) == ("unknown", "none", WEB)
    assert "which groups eni-a carries was not read in full" in found.unknowns


def test_groups_whose_rules_were_not_read_are_named() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-a", "subnet-public", ["sg-a"], "10.0.1.5")
    b.interface("eni-b", "subnet-private", ["sg-gone"], "10.0.2.5")
    assert told(b.build(), "eni-a", "eni-b").unknowns == ("the rules of sg-gone were not read",)


def test_an_unread_list_at_a_boundary_is_told() -> None:
    b = EstateBuilder(unread=["boundary-rules"])
    b.acl("acl-1", ["subnet-private"], ACL_OPEN)
    found = unread(b, allow("ingress", WEB, "10.0.0.0/8"))
    assert found.verdict == "unknown"
    assert found.unknowns == ("the network ACLs were not read",)


def test_routes_that_were_not_read_are_told() -> None:
    b = EstateBuilder(unread=["routes"])
    b.put(
        "subnets",
        Subnet(
            id=b.id("subnet-x"),
            kind="subnet",
            region=REGION,
            network=b.id("vpc-1"),
            addresses=AddressSet.parse("10.0.9.0/24"),
        ),
    )
    b.group("sg-a", allow("egress", "all", "0.0.0.0/0"), allow("ingress", "all", "0.0.0.0/0"))
    b.acl("acl-1", ["subnet-x", "subnet-public"], ACL_OPEN)
    b.interface("eni-a", "subnet-x", ["sg-a"], "10.0.9.5")
    b.interface("eni-b", "subnet-public", ["sg-a"], "10.0.1.5")
    found = told(b.build(), "eni-a", "eni-b")
    assert (found.verdict, found.unknowns) == ("unknown", ("the routes of subnet-x were not read",))


def test_an_address_that_was_not_read_is_told() -> None:
    b = EstateBuilder()
    b.group("sg-a", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-b", allow("ingress", WEB, "10.0.1.0/25"))
    b.interface("eni-a", "subnet-public", ["sg-a"], "none")
    b.interface("eni-b", "subnet-private", ["sg-b"], "10.0.2.5")
    found = told(b.build(), "eni-a", "eni-b")
    assert (found.verdict, found.source.address) == ("unknown", "")
    assert found.unknowns == ("which address eni-a has was not read",)


def test_entrances_that_were_not_read_may_be_ways_in() -> None:
    b = EstateBuilder(unread=["entrances"])
    b.group("sg-b", allow("ingress", WEB, "0.0.0.0/0"))
    b.interface("eni-b", "subnet-private", ["sg-b"], "10.0.2.5")
    found = told(b.build(), OUTSIDE, "eni-b")
    assert (found.verdict, found.upper) == ("unknown", "tcp/443")
    assert found.unknowns == (
        "whether an entrance that was not read leads here is not known",
        "accelerators and origins of the content network were not read in full",
    )


# Load balancers and plumbing


def balanced(*, keeps: bool, peer: str, checks: str = "none") -> Estate:
    b = EstateBuilder()
    six = (acl_entry("ingress", 101, "all", "::/0"), acl_entry("egress", 101, "all", "::/0"))
    b.acl("acl-1", ["subnet-public", "subnet-private"], (*ACL_OPEN, *six))
    b.group("sg-lb", allow("ingress", WEB, "0.0.0.0/0"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-app", allow("ingress", "tcp/8080", peer))
    b.interface("eni-lb", "subnet-public", ["sg-lb"], "10.0.1.5", "203.0.113.5", workload=b.id("lb-1"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    b.interface("eni-other", "subnet-private", ["sg-app"], "10.0.2.6")
    forward = Forward(
        name="tg-1", listens=Traffic.parse(WEB), traffic=Traffic.parse("tcp/8080"), keeps_client=keeps, cross_zone=True,
        checks=Traffic.parse(checks), targets=(ForwardTarget(target=b.id("eni-app"), healthy=True),),
    )  # fmt: skip
    b.put(
        "forwarders",
        Forwarder(
            id=b.id("lb-1"), kind="load-balancer", region=REGION, accepts=Traffic.parse(WEB), forwards=(forward,)
        ),
    )
    return b.build()


@pytest.mark.semantics(42)
def test_a_load_balancer_opens_connections_to_its_targets_alone() -> None:
    estate = balanced(keeps=False, peer="sg-lb")
    found = told(estate, "eni-lb", "eni-app", "tcp/8080")
    assert found.verdict == "allowed"
    assert step(found, "balancer").text == (
        "load balancer lb-1 sends tcp/8080 to its targets tg-1 under its own address"
    )
    other = told(estate, "eni-lb", "eni-other", "tcp/8080")
    assert other.reason == "lb-1 opens connections only to its targets"
    assert told(estate, "eni-lb", OUTSIDE).reason == "lb-1 opens connections only to its targets"


@pytest.mark.semantics(42)
def test_a_target_that_sees_the_clients_is_asked_about_them() -> None:
    estate = balanced(keeps=True, peer="198.51.100.0/24")
    found = told(estate, "eni-lb", "eni-app", "tcp/8080")
    assert found.verdict == "allowed"
    assert step(found, "translation").text == "the target sees the clients that reach the load balancer"
    # A rule for the load balancer's own address admits none of its clients.
    assert told(balanced(keeps=True, peer="10.0.1.5/32"), "eni-lb", "eni-app", "tcp/8080").verdict == "blocked"


@pytest.mark.semantics(42)
def test_health_checks_alone_are_told_as_such() -> None:
    estate = balanced(keeps=True, peer="10.0.1.5/32", checks="tcp/8080")
    found = told(estate, "eni-lb", "eni-app", "tcp/8080")
    assert (found.verdict, found.lower, found.upper) == ("unknown", "none", "tcp/8080")
    text = "health checks of tcp/8080 come from the load balancer itself, and tell nothing of its clients"
    assert found.reason.count(text) == 1
    assert not [note for note in found.notes if "do not account" in note]


def test_a_load_balancer_takes_what_it_listens_to() -> None:
    found = told(balanced(keeps=False, peer="sg-lb"), OUTSIDE, "eni-lb", "tcp/443-444")
    assert (found.lower, step(found, "balancer").reason) == (WEB, "lb-1 listens only to tcp/443")


def test_what_is_behind_a_load_balancer_is_told_to_be_asked_of_it() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", WEB, "10.0.0.0/16"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    b.put(
        "entrances",
        Entrance(
            id=b.id("tg-1"), kind="target-group", region=REGION, targets=frozenset({b.id("eni-app")}),
            through=frozenset({b.id("lb-1")}), traffic=Traffic.parse(WEB),
        ),
    )  # fmt: skip
    found = told(b.build(), OUTSIDE, "eni-app")
    assert any(note.startswith("lb-1 hands connections on to it as tg-1") for note in found.notes)


@pytest.mark.semantics(126)
def test_the_rules_of_a_target_see_an_entrance_in_place_of_its_clients() -> None:
    def estate(peer: str) -> Estate:
        b = EstateBuilder()
        b.group("sg-app", allow("ingress", WEB, peer))
        b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
        b.put(
            "entrances",
            Entrance(
                id=b.id("ga-1"), kind="accelerator", region=REGION, targets=frozenset({b.id("eni-app")}),
                clients=AddressSet.parse("10.0.2.0/28"), traffic=Traffic.parse("tcp"),
            ),
        )  # fmt: skip
        return b.build()

    found = told(estate("10.0.2.0/24"), OUTSIDE, "eni-app")
    assert (found.verdict, found.steps[0].text) == ("allowed", "through ga-1")
    assert step(found, "translation").text == "the target sees 10.0.2.0/28 in place of the source"
    # One half of the entrance's addresses is admitted, and which one it uses is not known.
    assert told(estate("10.0.2.0/29"), OUTSIDE, "eni-app").verdict == "unknown"
    assert told(estate(f"{OUTSIDE}/32"), OUTSIDE, "eni-app").verdict == "blocked"


@pytest.mark.semantics(34)
def test_the_interface_of_a_nat_gateway_neither_opens_connections_nor_takes_any() -> None:
    raw = one_vpc()
    raw.nat("nat-1", "vpc-1", "subnet-a", "10.0.1.9", "203.0.113.9")
    two_interfaces(raw=raw)
    for ends in (("eni-a", "eni-nat-1"), ("eni-nat-1", "eni-b")):
        assert "passes packets of others on" in between(raw, WEB, *ends).reason


# Ends, and the values themselves


def test_an_unknown_interface_is_an_error() -> None:
    estate = estate_of(two_interfaces().answers)
    with pytest.raises(KeyError):
        explain(Reachability(estate), "aws:1:eu-west-1:eni-x", AddressSet.parse(OUTSIDE), Traffic.parse(WEB))


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("eni-a", "eni-a", "what an end sends to itself is not judged"),
        (OUTSIDE, "203.0.113.9", "both ends are outside of the estate"),
        ("none", "eni-a", "no address was asked about"),
    ],
)
def test_where_there_is_nothing_to_explain_the_reason_says_why(source: str, target: str, reason: str) -> None:
    found = between(two_interfaces(), source=source, target=target)
    assert (found.verdict, found.reason, found.steps) == ("blocked", reason, ())


def test_ends_without_addresses_of_one_family_have_no_way() -> None:
    b = EstateBuilder()
    b.interface("eni-4", "subnet-public", [], "10.0.1.5")
    b.interface("eni-6", "subnet-private", [], "2001:db8::5")
    assert told(b.build(), "eni-4", "eni-6").reason == "eni-4 and eni-6 have no addresses of one family"


def test_an_interface_of_another_estate_is_not_in_this_one() -> None:
    def estate(*names: str) -> Estate:
        b = EstateBuilder()
        for number, name in enumerate(names):
            b.interface(name, "subnet-public", [], f"10.0.1.{5 + number}")
        return b.build()

    old, new = Reachability.together([estate("eni-a"), estate("eni-a", "eni-b")])
    ends = (EstateBuilder.id("eni-a"), EstateBuilder.id("eni-b"), Traffic.parse(WEB))
    assert explain(old, *ends).reason == "eni-b is not in the estate"
    assert explain(new, *ends).verdict == "allowed"


def test_an_explanation_survives_being_written_as_json() -> None:
    found = between(two_interfaces(), "tcp/22, tcp/443")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Explanation) == found
    assert "Explanation" in msgspec.json.schema(Explanation)["$defs"]
