"""Packets over transit gateways, by hand from the vendor's pages on attachments, tables, zones and network ACLs."""

from typing import Any

import msgspec
import pytest

from cloudseg.reach.roads.legs import legs_from
from tests.reach.plans import HOME, OTHER, Plan, crossed, outcome

TO_B = "10.2.1.5"


def spoke(plan: Plan, letter: str, number: int, *, zones: str = "a", account: str = HOME, table: str = "tgw-rtb-1",
          default: bool = False, **more: Any) -> None:  # fmt: skip
    """Add ``vpc-b`` (10.2.0.0/16) with ``b-app``, ``b-tgw`` for each zone, and the attachment ``tgw-attach-b``."""
    plan.vpc(f"vpc-{letter}", f"10.{number}.0.0/16", account=account)
    routes = ("0.0.0.0/0 tgw-1",) if default else ("10.0.0.0/8 tgw-1",)
    plan.subnet(f"{letter}-app", f"10.{number}.1.0/24", *routes)
    subnets: list[str] = []
    for index, zone in enumerate(zones):
        subnets.append(f"{letter}-tgw" if zones == "a" else f"{letter}-tgw{zone}")
        plan.subnet(subnets[-1], f"10.{number}.{200 + index}.0/28", zone=f"eu-west-1{zone}")
    plan.attach(f"tgw-attach-{letter}", "tgw-1", f"vpc-{letter}", *subnets, table=table, account=account, **more)


def joined(**more: Any) -> Plan:
    """``vpc-a`` and ``vpc-b`` at ``tgw-1``, which sends each the addresses of the other."""
    plan = Plan()
    plan.transit("tgw-1", shares_groups=True)
    spoke(plan, "a", 1)
    spoke(plan, "b", 2, **more)
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.1.0.0/16 tgw-attach-a", "10.2.0.0/16 tgw-attach-b")
    return plan


@pytest.mark.semantics(38)
def test_the_table_of_the_source_attachment_decides_and_each_step_is_told() -> None:
    leg = joined().only("a-app", TO_B)
    assert (outcome(leg), leg.zones) == ("network vpc-b", frozenset(("eu-west-1a",)))
    assert [hop.text for hop in leg.hops] == [
        "route 10.0.0.0/8 to tgw-1",
        "route 10.2.0.0/16 to tgw-attach-b",
        "tgw-attach-b to vpc-b",
        "route 10.2.0.0/16 to local",
    ]


@pytest.mark.semantics(38)
def test_two_tables_may_lead_one_way_only() -> None:
    plan = Plan()
    plan.transit("tgw-1")
    spoke(plan, "a", 1, table="tgw-rtb-a")
    spoke(plan, "b", 2, table="tgw-rtb-b")
    plan.transit_table("tgw-rtb-a", "tgw-1", "10.2.0.0/16 tgw-attach-b")
    plan.transit_table("tgw-rtb-b", "tgw-1")
    assert plan.outcome("a-app", TO_B) == ["network vpc-b"]
    leg = plan.only("b-app", "10.1.1.5")
    assert (outcome(leg), leg.stopped) == ("nowhere", "tgw-rtb-b has no route")


@pytest.mark.semantics(38)
def test_static_beats_propagated_and_a_blackhole_beats_a_shorter_prefix() -> None:
    plan = joined()
    spoke(plan, "c", 3)
    plan.transit_table(
        "tgw-rtb-1", "tgw-1", "10.2.0.0/16 tgw-attach-c propagated", "10.2.0.0/16 tgw-attach-b",
        "10.2.1.128/25 blackhole", "10.0.0.0/8 tgw-attach-c propagated",
    )  # fmt: skip
    assert plan.outcome("a-app", TO_B) == ["network vpc-b"]
    assert plan.only("a-app", "10.2.1.200").stopped == "a route of tgw-rtb-1 is a blackhole"
    assert plan.outcome("a-app", "10.3.1.5") == ["network vpc-c"]


def test_an_address_outside_of_the_network_follows_the_routes_of_the_attachments_subnet() -> None:
    plan = joined()
    plan.transit_table("tgw-rtb-1", "tgw-1", "0.0.0.0/0 tgw-attach-b")
    leg = plan.only("a-app", "10.77.0.1")
    assert (outcome(leg), leg.stopped) == ("nowhere", "rtb-b-tgw has no route")


# Zones and the subnets of attachments


@pytest.mark.semantics(39)
def test_a_zone_without_an_attachment_does_not_reach_the_gateway() -> None:
    plan = joined()
    plan.subnet("a-far", "10.1.2.0/24", "10.0.0.0/8 tgw-1", zone="eu-west-1c")
    leg = plan.only("a-far", TO_B)
    assert (outcome(leg), leg.stopped) == ("nowhere", "tgw-attach-a has no subnet in eu-west-1c")


@pytest.mark.semantics(39)
def test_of_two_subnets_with_one_table_each_keeps_its_zone() -> None:
    plan = joined()
    plan.subnet("a-far", "10.1.2.0/24", zone="eu-west-1c")
    table = plan.build().route_tables[plan.id("rtb-a-app")]
    plan.put("route_tables", msgspec.structs.replace(table, subnets=plan.ids("a-app", "a-far")))
    plan.drop("route_tables", "rtb-a-far")
    estate = plan.build()
    network = estate.networks[plan.id("vpc-a")]
    legs = [legs_from(estate.subnets[plan.id(own)], network, estate) for own in ("a-app", "a-far")]
    assert [[outcome(leg) for leg in each if leg.addresses.has(TO_B)] for each in legs] == [
        ["network vpc-b"], ["nowhere"],
    ]  # fmt: skip


@pytest.mark.semantics(39)
def test_a_zone_that_was_not_read_is_served_at_most() -> None:
    plan = joined()
    plan.subnet("a-far", "10.1.2.0/24", "10.0.0.0/8 tgw-1", zone="")
    assert plan.outcome("a-far", TO_B) == ["network vpc-b?"]


@pytest.mark.semantics(39)
def test_a_local_zone_is_served_through_its_parent_at_most() -> None:
    plan = joined()
    plan.subnet("a-far", "10.1.2.0/24", "10.0.0.0/8 tgw-1", zone="eu-west-1-ber-1a")
    plan.subnet("b-far", "10.2.2.0/24", zone="eu-west-1-ber-1a")
    assert plan.outcome("a-far", TO_B) == ["network vpc-b?"]
    certain, local = plan.to("a-app", TO_B)
    assert (certain.zones, certain.certain) == (frozenset(("eu-west-1a",)), True)
    assert (local.zones, local.certain) == (frozenset(("eu-west-1-ber-1a",)), False)


@pytest.mark.semantics(39)
def test_between_different_subnets_the_attachments_acls_see_the_source_going_in_and_the_destination_coming_out() -> (
    None
):
    leg = joined().only("a-app", TO_B)
    assert crossed(leg) == ["ingress a-tgw", "egress b-tgw"]
    assert [each.by for each in leg.checkpoints] == ["source", "destination"]


@pytest.mark.semantics(39)
def test_from_the_attachments_own_subnet_both_directions_of_its_acl_are_asked() -> None:
    plan = joined()
    plan.subnet("a-tgw", "10.1.200.0/28", "10.0.0.0/8 tgw-1")
    leg = plan.only("a-tgw", TO_B)
    assert crossed(leg) == ["ingress a-tgw", "egress b-tgw"], "and egress a-tgw, as from any subnet"


@pytest.mark.semantics(39)
def test_into_the_attachments_own_subnet_no_acl_is_asked() -> None:
    plan = joined()
    leg = plan.only("a-app", "10.2.200.5")
    assert leg.handing(plan.id("b-tgw")) == "surely"
    assert [each.subnet for each in leg.checkpoints_to(plan.id("b-tgw"))] == [plan.id("a-tgw")]
    assert leg.handing(plan.id("b-app")) == "no"
    assert leg.checkpoints_to(plan.id("b-app")) == leg.checkpoints


@pytest.mark.semantics(39)
def test_packets_keep_to_their_zone() -> None:
    leg = joined(zones="ab").only("a-app", TO_B)
    assert crossed(leg) == ["ingress a-tgw", "egress b-tgwa"]
    assert leg.zones == frozenset(("eu-west-1a", "eu-west-1b"))


@pytest.mark.semantics(39)
def test_packets_from_two_zones_each_keep_to_theirs() -> None:
    plan = joined(zones="ab")
    plan.subnet("a-far", "10.1.2.0/24", "10.0.0.0/8 tgw-1", zone="eu-west-1b")
    plan.subnet("a-tgwb", "10.1.201.0/28", zone="eu-west-1b")
    plan.attach("tgw-attach-a", "tgw-1", "vpc-a", "a-tgw", "a-tgwb", table="tgw-rtb-1")
    assert [crossed(leg) for leg in plan.each(TO_B, "a-app", "a-far")] == [
        ["ingress a-tgw", "egress b-tgwa"], ["ingress a-tgwb", "egress b-tgwb"],
    ]  # fmt: skip


@pytest.mark.semantics(34)
def test_packets_with_and_without_a_nat_gateway_are_seen_as_what_they_are() -> None:
    plan = joined()
    plan.subnet("a-nat", "10.1.9.0/24", "10.0.0.0/8 tgw-1")
    plan.nat("nat-1", "a-nat")
    plan.subnet("a-hidden", "10.1.3.0/24", "10.0.0.0/8 nat-1")
    plain, hidden, again = plan.each(TO_B, "a-app", "a-hidden", "a-nat")
    assert (plain.seen_as, hidden.seen_as, again.seen_as) == (None, (plan.id("eni-nat-1"),), None)
    assert (plain.ingress_groups, hidden.ingress_groups) == (True, False)


@pytest.mark.semantics(39)
def test_where_the_zone_is_not_the_targets_any_of_its_subnets_may_be_crossed() -> None:
    plan = joined(zones="bc")
    leg = plan.only("a-app", TO_B)
    assert (outcome(leg), crossed(leg)) == ("network vpc-b", ["ingress a-tgw", "egress b-tgwb|b-tgwc"])
    assert leg.handing(plan.id("b-tgwb")) == "maybe"
    assert [each.choices(back=False) for each in leg.checkpoints_to(plan.id("b-tgwb"))] == [
        (plan.id("a-tgw"),), ("", plan.id("b-tgwc")),
    ]  # fmt: skip


@pytest.mark.semantics(39)
def test_in_appliance_mode_packets_may_take_any_zone() -> None:
    leg = joined(zones="ab", appliance_mode=True).only("a-app", TO_B)
    assert crossed(leg) == ["ingress a-tgw", "egress b-tgwa|b-tgwb"]


@pytest.mark.semantics(39)
def test_zones_of_two_accounts_are_told_apart_by_their_ids() -> None:
    plan = joined(zones="ab", account=OTHER)
    assert crossed(plan.only("a-app", TO_B))[1] == "egress b-tgwa|b-tgwb", "names may stand for other zones there"
    plan.subnet("a-app", "10.1.1.0/24", "10.0.0.0/8 tgw-1", zone_id="euw1-az2")
    plan.subnet("b-tgwa", "10.2.200.0/28", zone_id="euw1-az1")
    plan.subnet("b-tgwb", "10.2.201.0/28", zone="eu-west-1b", zone_id="euw1-az2")
    assert crossed(plan.only("a-app", TO_B))[1] == "egress b-tgwb"


def test_where_two_possible_subnets_route_apart_both_ways_are_so_at_most() -> None:
    plan = joined(zones="bc")
    plan.gateway("vgw-1", "vpc-b")
    plan.subnet("b-tgwc", "10.2.201.0/28", "10.2.1.0/24 eni-fw", zone="eu-west-1c")
    plan.interface("eni-fw", "b-tgwc", "10.2.201.5", forwards=True)
    assert plan.outcome("a-app", TO_B) == ["network vpc-b?", "unknown?"]
    assert plan.outcome("a-app", "10.2.9.9") == ["network vpc-b"]


# Groups


@pytest.mark.semantics(11)
@pytest.mark.parametrize(
    ("at_gateway", "at_target", "expected"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_groups_are_named_in_ingress_rules_where_gateway_and_attachments_share_them(
    *, at_gateway: bool, at_target: bool, expected: bool
) -> None:
    plan = joined(shares_groups=at_target)
    plan.transit("tgw-1", shares_groups=at_gateway)
    leg = plan.only("a-app", TO_B)
    assert (leg.egress_groups, leg.ingress_groups) == (False, expected)
    back = plan.only("b-app", "10.1.1.5")
    assert (back.egress_groups, back.ingress_groups) == (False, expected)


# What was not read, and what is down


@pytest.mark.semantics(38)
@pytest.mark.parametrize(
    ("kind", "own", "expected", "doubt"),
    [
        ("gateways", "tgw-1", "network vpc-b?", "tgw-1 was not read"),
        ("transit_tables", "tgw-rtb-1", "unknown?", "the transit table tgw-rtb-1 was not read"),
        ("transit_attachments", "tgw-attach-b", "unknown?", "the attachment tgw-attach-b was not read"),
        ("networks", "vpc-b", "unread vpc-b?", f"vpc-b of {OTHER} was not read"),
        ("subnets", "b-tgw", "network vpc-b?", "the routes of tgw-attach-b were not read"),
    ],
)
def test_what_was_not_read_is_told(kind: str, own: str, expected: str, doubt: str) -> None:
    plan = joined(account=OTHER)
    plan.drop(kind, own)
    leg = plan.only("a-app", TO_B)
    assert (outcome(leg), leg.doubts) == (expected, (doubt,))


@pytest.mark.semantics(38)
def test_a_network_that_is_not_attached_goes_nowhere_unless_attachments_were_not_read() -> None:
    for unread, expected in (((), "nowhere"), (("transit",), "unknown?")):
        plan = Plan(unread=unread)
        plan.transit("tgw-1")
        plan.vpc("vpc-a", "10.1.0.0/16")
        plan.subnet("a-app", "10.1.1.0/24", "10.0.0.0/8 tgw-1")
        assert plan.outcome("a-app", TO_B) == [expected]


@pytest.mark.semantics(38)
def test_an_attachment_without_a_route_table_may_have_a_policy_table_and_leads_anywhere_at_most() -> None:
    # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-policy-tables-associate.html: either, but not both.
    for unread, doubt in (
        ((), "tgw-attach-a has no route table but may have a policy table, which is not read"),
        (("transit",), "the transit table of tgw-attach-a was not read"),
    ):
        plan = Plan(unread=unread)
        plan.transit("tgw-1")
        spoke(plan, "a", 1)
        plan.attach("tgw-attach-a", "tgw-1", "vpc-a", "a-tgw", table=None)
        leg = plan.only("a-app", TO_B)
        assert (outcome(leg), leg.doubts) == ("unknown?", (doubt,))


@pytest.mark.semantics(38)
def test_a_table_that_was_cut_off_decides_nothing_for_certain() -> None:
    plan = joined()
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.2.0.0/16 tgw-attach-b", complete=False)
    assert plan.outcome("a-app", TO_B) == ["network vpc-b?", "unknown?"]
    assert plan.outcome("a-app", "10.3.1.5") == ["unknown?"]


@pytest.mark.semantics(38)
def test_an_attachment_or_a_gateway_that_is_down_drops() -> None:
    plan = joined(active=False)
    assert plan.only("a-app", TO_B).stopped == "the attachment tgw-attach-b is not active"
    assert plan.only("b-app", "10.1.1.5").stopped == "the attachment tgw-attach-b is not active"
    plan = joined()
    plan.transit("tgw-1", active=False)
    assert plan.only("a-app", TO_B).stopped == "tgw-1 is not active"


# Attachments that are no network's


@pytest.mark.semantics(38)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("vpn", "private"),
        ("vpn-concentrator", "private"),
        ("direct-connect-gateway", "private"),
        ("client-vpn", "private"),
        ("connect", "unknown?"),
        ("network-function", "unknown?"),
        ("unknown", "unknown?"),
    ],
)
def test_other_attachments_lead_out_of_the_estate(kind: str, expected: str) -> None:
    plan = joined()
    plan.attach("tgw-attach-x", "tgw-1", None, table="tgw-rtb-1", kind=kind)
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.0.0.0/8 tgw-attach-x")
    leg = plan.only("a-app", "10.50.0.1")
    assert (outcome(leg), crossed(leg)) == (expected, ["ingress a-tgw"])


@pytest.mark.semantics(38)
def test_routes_to_several_attachments_are_certain_as_far_as_they_agree() -> None:
    plan = joined()
    for own in ("tgw-attach-x", "tgw-attach-y"):
        plan.attach(own, "tgw-1", None, table="tgw-rtb-1", kind="vpn")
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.50.0.0/16 tgw-attach-x", "10.50.0.0/16 tgw-attach-y")
    assert plan.outcome("a-app", "10.50.0.1") == ["private"]
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.2.0.0/16 tgw-attach-x", "10.2.0.0/16 tgw-attach-b")
    assert plan.outcome("a-app", TO_B) == ["network vpc-b?", "private?"]


def peered() -> Plan:
    """``vpc-a`` at ``tgw-1`` here, ``vpc-b`` at ``tgw-2`` in another region, and a peering of the gateways."""
    plan = joined()
    plan.transit("tgw-2", region="us-east-1", shares_groups=True)
    plan.vpc("vpc-b", "10.2.0.0/16", region="us-east-1")
    plan.subnet("b-tgw", "10.2.200.0/28", zone="us-east-1a")
    plan.attach("tgw-attach-b", "tgw-2", "vpc-b", "b-tgw", table="tgw-rtb-2")
    plan.attach("tgw-attach-p", "tgw-2", None, table="tgw-rtb-2", kind="peering")
    plan.transit_table("tgw-rtb-2", "tgw-2", "10.2.0.0/16 tgw-attach-b")
    plan.attach("tgw-attach-p", "tgw-1", None, table="tgw-rtb-1", kind="peering")
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.2.0.0/16 tgw-attach-p")
    return plan


@pytest.mark.semantics(8, 38)
def test_a_peering_of_gateways_leads_to_the_table_of_its_other_half_and_no_group_is_named_over_it() -> None:
    leg = peered().only("a-app", TO_B)
    assert (outcome(leg), leg.egress_groups, leg.ingress_groups) == ("network vpc-b", False, False)
    assert crossed(leg) == ["ingress a-tgw", "egress b-tgw"]


@pytest.mark.semantics(38)
def test_a_peering_of_gateways_whose_other_half_was_not_read_leads_anywhere() -> None:
    plan = joined()
    plan.attach("tgw-attach-p", "tgw-1", None, table="tgw-rtb-1", kind="peering")
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.2.0.0/16 tgw-attach-p")
    leg = plan.only("a-app", TO_B)
    assert (outcome(leg), leg.doubts) == (
        "unknown?", ("the transit gateway at the other end of tgw-attach-p was not read",),
    )  # fmt: skip


@pytest.mark.semantics(122, 127)
@pytest.mark.parametrize(("filters", "expected"), [(False, "network vpc-b"), (True, "network vpc-b?")])
def test_a_firewall_attached_to_the_gateway_hands_packets_back_to_the_table_of_its_attachment(
    *, filters: bool, expected: str
) -> None:
    plan = joined()
    plan.attach("tgw-attach-fw", "tgw-1", None, table="tgw-rtb-fw", kind="network-function")
    plan.firewall("fw", "vpc-b", "tgw-attach-fw", filters=filters)
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.0.0.0/8 tgw-attach-fw")
    plan.transit_table("tgw-rtb-fw", "tgw-1", "10.2.0.0/16 tgw-attach-b")
    leg = plan.only("a-app", TO_B)
    assert (outcome(leg), leg.ingress_groups) == (expected, False)


@pytest.mark.semantics(127)
def test_transit_tables_that_lead_in_a_circle_lead_nowhere() -> None:
    plan = joined()
    plan.attach("tgw-attach-fw", "tgw-1", None, table="tgw-rtb-fw", kind="network-function")
    plan.firewall("fw", "vpc-b", "tgw-attach-fw", filters=False)
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.0.0.0/8 tgw-attach-fw")
    plan.transit_table("tgw-rtb-fw", "tgw-1", "10.0.0.0/8 tgw-attach-fw")
    assert plan.only("a-app", TO_B).stopped == "routes lead in a circle: tgw-rtb-fw → tgw-rtb-fw"


# Networks in the middle


def hub(*routes: str) -> Plan:
    """``vpc-a`` and ``vpc-b`` send everything over ``tgw-1`` to ``vpc-h``; the routes are those of ``h-tgw``."""
    plan = Plan()
    plan.transit("tgw-1", shares_groups=True)
    spoke(plan, "a", 1, default=True)
    spoke(plan, "b", 2, default=True)
    spoke(plan, "h", 9, table="tgw-rtb-h")
    plan.subnet("h-tgw", "10.9.200.0/28", *routes)
    plan.transit_table("tgw-rtb-1", "tgw-1", "0.0.0.0/0 tgw-attach-h")
    plan.transit_table(
        "tgw-rtb-h", "tgw-1", "10.1.0.0/16 tgw-attach-a propagated", "10.2.0.0/16 tgw-attach-b propagated"
    )
    plan.gateway("igw-1", "vpc-h")
    return plan


@pytest.mark.semantics(10, 38, 122)
def test_an_inspection_network_hands_packets_on_past_its_firewall() -> None:
    plan = hub("0.0.0.0/0 vpce-fw")
    plan.subnet("h-fw", "10.9.8.0/24", "10.0.0.0/8 tgw-1")
    plan.endpoint("vpce-fw", "vpc-h", "h-fw")
    plan.firewall("fw", "vpc-h", "vpce-fw", filters=False)
    leg = plan.only("a-app", TO_B)
    assert (outcome(leg), leg.egress_groups, leg.ingress_groups) == ("network vpc-b", False, False)
    assert crossed(leg) == [
        "ingress a-tgw", "egress h-tgw", "ingress h-fw", "egress h-fw", "ingress h-tgw", "egress b-tgw",
    ]  # fmt: skip
    assert leg.zones == frozenset(("eu-west-1a",))


@pytest.mark.semantics(39)
def test_behind_a_firewall_of_the_network_all_its_zones_are_reached() -> None:
    plan = hub("10.9.7.0/24 vpce-fw")
    plan.subnet("h-fw", "10.9.8.0/24")
    plan.endpoint("vpce-fw", "vpc-h", "h-fw")
    plan.firewall("fw", "vpc-h", "vpce-fw", filters=False)
    assert plan.only("a-app", "10.9.7.5").zones is None
    assert plan.only("a-app", "10.9.6.5").zones == frozenset(("eu-west-1a",))


@pytest.mark.semantics(34, 38)
def test_an_egress_network_lets_out_through_its_nat_gateway() -> None:
    plan = hub("0.0.0.0/0 nat-1")
    plan.subnet("h-nat", "10.9.8.0/24", "0.0.0.0/0 igw-1", "10.0.0.0/8 tgw-1")
    plan.nat("nat-1", "h-nat")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.needs_public, leg.seen_as) == ("internet", False, (plan.id("eni-nat-1"),))
    assert crossed(leg) == ["ingress a-tgw", "egress h-tgw", "ingress h-nat", "egress h-nat"]
    assert plan.outcome("a-app", "10.9.1.5") == ["network vpc-h"]


@pytest.mark.semantics(33, 34, 123)
def test_the_block_of_public_access_counts_where_the_internet_gateway_is() -> None:
    plan = hub("0.0.0.0/0 nat-1")
    plan.subnet("a-app", "10.1.1.0/24", "0.0.0.0/0 tgw-1", internet_block="bidirectional")
    plan.subnet("h-nat", "10.9.8.0/24", "0.0.0.0/0 igw-1")
    plan.nat("nat-1", "h-nat")
    assert plan.outcome("a-app", "8.8.8.8") == ["internet"]


@pytest.mark.semantics(37)
def test_the_internet_gateway_of_another_network_translates_no_address_of_this_one() -> None:
    leg = hub("0.0.0.0/0 igw-1").only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.stopped) == ("nowhere", "igw-1 translates addresses of vpc-h alone")


@pytest.mark.semantics(37)
def test_nobody_takes_the_peering_of_another_network() -> None:
    plan = hub("10.66.0.0/16 pcx-1")
    plan.vpc("vpc-x", "10.66.0.0/16")
    plan.peering("pcx-1", "vpc-h", "vpc-x")
    leg = plan.only("a-app", "10.66.0.1")
    assert (outcome(leg), leg.stopped) == ("nowhere", "a peering is not transitive: the source is outside of vpc-h")


@pytest.mark.semantics(40)
def test_the_gateway_endpoint_of_another_network_serves_nobody_here() -> None:
    plan = hub("pl-1 vpce-s3")
    plan.prefix_list("pl-1", "52.218.0.0/17")
    plan.endpoint("vpce-s3", "vpc-h", kind="gateway")
    leg = plan.only("a-app", "52.218.0.1")
    assert (outcome(leg), leg.stopped) == ("nowhere", "vpce-s3 serves nobody outside of vpc-h")


@pytest.mark.semantics(38)
def test_tables_that_lead_back_to_each_other_lead_nowhere() -> None:
    leg = hub("0.0.0.0/0 tgw-1").only("a-app", "10.9.9.9")
    assert outcome(leg) == "network vpc-h"
    plan = hub("0.0.0.0/0 tgw-1")
    plan.transit_table("tgw-rtb-h", "tgw-1", "0.0.0.0/0 tgw-attach-h")
    leg = plan.only("a-app", "8.8.8.8")
    assert leg.stopped == "routes lead in a circle: rtb-h-tgw → tgw-rtb-h → rtb-h-tgw"
