"""NAT gateways, appliances, firewalls and endpoints on the way, by hand from the vendor's pages."""

from typing import Any

import pytest

from cloudseg.model import Addresses, Route
from tests.reach.plans import Plan, crossed, outcome


def natted(*routes: str, sent: tuple[str, ...] = ("0.0.0.0/0",), **more: Any) -> Plan:
    """``a-app`` sends what it sends out to ``nat-1`` in ``a-nat``, whose routes these are besides the local one."""
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16, 2001:db8:a::/56")
    plan.subnet("a-app", "10.1.1.0/24, 2001:db8:a:1::/64", *(f"{each} nat-1" for each in sent))
    plan.subnet("a-nat", "10.1.9.0/24", *routes)
    plan.nat("nat-1", "a-nat", **more)
    plan.gateway("igw-1", "vpc-a")
    return plan


# NAT gateways


@pytest.mark.semantics(34)
def test_a_public_nat_gateway_leads_to_the_internet_by_the_routes_of_its_own_subnet() -> None:
    plan = natted("0.0.0.0/0 igw-1")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.needs_public, leg.seen_as) == ("internet", False, (plan.id("eni-nat-1"),))
    assert (leg.egress_groups, leg.ingress_groups) == (False, False)
    assert [hop.text for hop in leg.hops] == ["route 0.0.0.0/0 to nat-1", "route 0.0.0.0/0 to igw-1"]


@pytest.mark.semantics(34)
def test_the_boundary_of_a_nat_gateways_subnet_is_crossed_in_and_out() -> None:
    plan = natted("0.0.0.0/0 igw-1")
    leg = plan.only("a-app", "8.8.8.8")
    assert crossed(leg) == ["ingress a-nat", "egress a-nat"]
    assert [(each.by, each.seen_as) for each in leg.checkpoints] == [
        ("source", None), ("destination", (plan.id("eni-nat-1"),)),
    ]  # fmt: skip


@pytest.mark.semantics(34)
def test_a_nat_gateway_whose_own_subnet_routes_to_it_drops() -> None:
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16")
    plan.subnet("a-app", "10.1.1.0/24", "8.0.0.0/8 nat-1", "0.0.0.0/0 igw-1")
    plan.nat("nat-1", "a-app")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.stopped) == ("nowhere", "routes lead in a circle: rtb-a-app → rtb-a-app")


@pytest.mark.semantics(34)
def test_a_nat_gateway_without_a_route_onwards_drops() -> None:
    leg = natted().only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.stopped) == ("nowhere", "rtb-a-nat has no route")


@pytest.mark.semantics(34)
@pytest.mark.parametrize(("active", "expected"), [(True, "internet"), (None, "internet?"), (False, "nowhere")])
def test_the_state_of_a_nat_gateway_counts(*, active: bool | None, expected: str) -> None:
    assert natted("0.0.0.0/0 igw-1", active=active).outcome("a-app", "8.8.8.8") == [expected]


def test_a_nat_gateway_that_was_not_read_leads_anywhere() -> None:
    plan = natted("0.0.0.0/0 igw-1")
    plan.drop("gateways", "nat-1")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.doubts, leg.seen_as) == ("unknown?", ("nat-1 was not read",), ())


def test_a_nat_gateway_whose_subnet_was_not_read_leads_anywhere() -> None:
    plan = natted("0.0.0.0/0 igw-1")
    plan.drop("subnets", "a-nat")
    assert plan.outcome("a-app", "8.8.8.8") == ["unknown?"]


def test_whom_the_far_end_sees_is_unknown_where_the_interface_was_not_read() -> None:
    plan = natted("0.0.0.0/0 igw-1", interface=False)
    assert plan.only("a-app", "8.8.8.8").seen_as == ()


@pytest.mark.semantics(34)
def test_each_zone_uses_its_own_nat_gateway() -> None:
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16")
    for zone in ("a", "b"):
        plan.subnet(f"a-app{zone}", f"10.1.{ord(zone)}.0/24", f"0.0.0.0/0 nat-{zone}", zone=f"eu-west-1{zone}")
        plan.subnet(f"a-nat{zone}", f"10.1.{ord(zone) + 50}.0/24", "0.0.0.0/0 igw-1", zone=f"eu-west-1{zone}")
        plan.nat(f"nat-{zone}", f"a-nat{zone}")
    for zone in ("a", "b"):
        leg = plan.only(f"a-app{zone}", "8.8.8.8")
        assert (leg.seen_as, crossed(leg)) == (
            (plan.id(f"eni-nat-{zone}"),), [f"ingress a-nat{zone}", f"egress a-nat{zone}"],
        )  # fmt: skip


@pytest.mark.semantics(34)
def test_what_a_private_nat_gateway_sends_the_internet_gateway_drops() -> None:
    leg = natted("0.0.0.0/0 igw-1", public=False).only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.stopped) == ("nowhere", "igw-1 drops what a private NAT gateway sends")


@pytest.mark.semantics(34)
@pytest.mark.parametrize("public", [True, False])
def test_any_nat_gateway_leads_to_other_networks_as_itself(*, public: bool) -> None:
    plan = natted("10.2.0.0/16 tgw-1", public=public)
    plan.vpc("vpc-b", "10.2.0.0/16")
    plan.subnet("b-tgw", "10.2.0.0/28")
    plan.subnet("a-tgw", "10.1.0.0/28")
    plan.transit("tgw-1", shares_groups=True)
    plan.attach("tgw-attach-a", "tgw-1", "vpc-a", "a-tgw", table="tgw-rtb-1")
    plan.attach("tgw-attach-b", "tgw-1", "vpc-b", "b-tgw", table="tgw-rtb-1")
    plan.transit_table("tgw-rtb-1", "tgw-1", "10.2.0.0/16 tgw-attach-b propagated")
    leg = plan.only("a-app", "10.2.1.5")
    seen_as = (plan.id("eni-nat-1"),)
    assert (outcome(leg), leg.seen_as) == ("network vpc-b", seen_as)
    assert (leg.egress_groups, leg.ingress_groups) == (False, False)
    assert crossed(leg) == ["ingress a-nat", "egress a-nat", "ingress a-tgw", "egress b-tgw"]
    assert [each.seen_as for each in leg.checkpoints] == [None, seen_as, seen_as, seen_as]


@pytest.mark.semantics(34)
def test_a_nat_gateway_takes_no_ipv6_of_its_own_right() -> None:
    leg = natted("0.0.0.0/0 igw-1", "::/0 igw-1", sent=("::/0",)).only("a-app", "2001:4860::1")
    assert (outcome(leg), leg.stopped) == ("nowhere", "nat-1 translates IPv4 alone")


def test_nat64_leads_to_the_ipv4_internet_under_the_ipv6_address() -> None:
    plan = natted("0.0.0.0/0 igw-1", sent=("64:ff9b::/96",))
    leg = plan.only("a-app", "64:ff9b::808:808")
    assert (outcome(leg), crossed(leg)) == ("internet?", ["ingress a-nat"])
    assert not leg.addresses.has("64:ff9b::a01:105"), "10.1.1.5 is no address of the internet"


def test_nat64_reaches_ipv4_of_the_own_network_at_most() -> None:
    plan = natted("0.0.0.0/0 igw-1", sent=("64:ff9b::/96",))
    found = [leg for leg in plan.to("a-app", "10.1.2.5") if leg.seen_as is not None]
    assert [outcome(leg) for leg in found] == ["network vpc-a?"]


def test_nat64_may_be_dropped_behind_the_gateway() -> None:
    leg = natted(sent=("64:ff9b::/96",)).only("a-app", "64:ff9b::808:808")
    assert (outcome(leg), leg.stopped) == ("nowhere", "rtb-a-nat has no route")


def test_nat64_may_use_the_table_that_led_to_the_gateway_once_more_for_ipv4() -> None:
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16, 2001:db8:a::/56")
    plan.subnet("a-app", "10.1.1.0/24", "0.0.0.0/0 igw-1", "64:ff9b::/96 nat-1")
    plan.nat("nat-1", "a-app")
    assert plan.outcome("a-app", "64:ff9b::808:808") == ["internet?"]


@pytest.mark.semantics(34, 122)
def test_a_firewall_behind_a_nat_gateway_sees_the_gateway() -> None:
    plan = natted("0.0.0.0/0 vpce-fw")
    plan.subnet("a-fw", "10.1.8.0/24", "0.0.0.0/0 igw-1")
    plan.endpoint("vpce-fw", "vpc-a", "a-fw")
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False)
    edge(plan, "igw-1", "10.1.9.0/24 vpce-fw")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), crossed(leg)) == (
        "internet",
        ["ingress a-nat", "egress a-nat", "ingress a-fw", "egress a-fw"],
    )
    gateway = (plan.id("eni-nat-1"),)
    assert [each.seen_as for each in leg.checkpoints] == [None, gateway, gateway, gateway]


@pytest.mark.semantics(127)
def test_a_regional_nat_gateway_follows_a_table_of_its_own_and_crosses_no_subnet() -> None:
    plan = natted("0.0.0.0/0 igw-1", route_table=None)
    network = plan.build().networks[plan.id("vpc-a")]
    plan.table("rtb-nat", (plan.route("0.0.0.0/0 igw-1"),), network)
    plan.gateway("nat-1", "vpc-a", route_table=plan.id("rtb-nat"))
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.checkpoints, leg.seen_as) == ("internet", (), ())


@pytest.mark.semantics(127)
def test_a_regional_nat_gateway_whose_table_was_not_read_leads_anywhere() -> None:
    plan = natted()
    plan.gateway("nat-1", "vpc-a")
    assert plan.outcome("a-app", "8.8.8.8") == ["unknown?"]


# Appliances


def behind(target: str) -> Plan:
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16")
    plan.subnet("a-app", "10.1.1.0/24", f"0.0.0.0/0 {target}", f"10.1.2.0/24 {target}")
    plan.subnet("a-fw", "10.1.2.0/24")
    return plan


@pytest.mark.semantics(10, 35)
def test_an_appliance_decides_where_packets_go_on() -> None:
    plan = behind("eni-fw")
    plan.interface("eni-fw", "a-fw", "10.1.2.9", forwards=True)
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.seen_as, leg.egress_groups, leg.ingress_groups) == ("unknown?", (), False, False)
    assert (leg.doubts, crossed(leg)) == (("the appliance eni-fw decides where packets go on",), ["ingress a-fw"])


@pytest.mark.semantics(35)
def test_an_interface_that_does_not_forward_keeps_only_its_own_packets() -> None:
    plan = behind("eni-fw")
    plan.interface("eni-fw", "a-fw", "10.1.2.9")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.stopped) == (
        "nowhere", "eni-fw takes no packets of others: its source/destination check is on",
    )  # fmt: skip
    assert plan.outcome("a-app", "10.1.2.9") == ["network vpc-a"]
    assert plan.outcome("a-app", "10.1.2.10") == ["nowhere"]


@pytest.mark.semantics(35)
def test_a_route_to_an_instance_leads_to_its_interfaces() -> None:
    plan = behind("i-fw")
    plan.interface("eni-fw", "a-fw", "10.1.2.9", workload=plan.id("i-fw"))
    assert plan.outcome("a-app", "8.8.8.8") == ["nowhere"]
    plan.interface("eni-fw", "a-fw", "10.1.2.9", workload=plan.id("i-fw"), forwards=True)
    assert plan.outcome("a-app", "8.8.8.8") == ["unknown?"]


@pytest.mark.semantics(35)
def test_an_appliance_that_was_not_read_leads_anywhere() -> None:
    leg = behind("eni-fw").only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.doubts) == ("unknown?", ("eni-fw was not read",))


# Endpoints


@pytest.mark.semantics(40)
@pytest.mark.parametrize(("usable", "expected"), [(True, "service"), (None, "service?"), (False, "nowhere")])
def test_a_gateway_endpoint_leads_to_its_service(*, usable: bool | None, expected: str) -> None:
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16")
    plan.subnet("a-app", "10.1.1.0/24", "pl-1 vpce-1", "0.0.0.0/0 igw-1")
    plan.prefix_list("pl-1", "52.218.0.0/17")
    plan.endpoint("vpce-1", "vpc-a", kind="gateway", usable=usable)
    assert plan.outcome("a-app", "52.218.0.1") == [expected]
    assert plan.outcome("a-app", "52.218.128.1") == ["internet"]


@pytest.mark.semantics(20, 40)
def test_the_unread_list_of_a_service_takes_nothing_else_away() -> None:
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16")
    plan.subnet("a-app", "10.1.1.0/24", "pl-1 vpce-1", "0.0.0.0/0 igw-1")
    plan.endpoint("vpce-1", "vpc-a", kind="gateway")
    assert plan.outcome("a-app", "52.218.0.1") == ["internet", "service?"]
    assert plan.outcome("a-app", "10.1.2.5") == ["network vpc-a"]


@pytest.mark.semantics(20)
def test_the_unread_list_of_a_route_to_appliances_may_take_any_address() -> None:
    plan = inspected("0.0.0.0/0 igw-1")
    plan.subnet("a-app", "10.1.1.0/24", "pl-1 vpce-fw", "0.0.0.0/0 igw-1")
    assert plan.outcome("a-app", "10.1.2.5") == ["network vpc-a?"]
    plan.prefix_list("pl-1", read=False, owner="provider")
    plan.drop("endpoints", "vpce-fw")
    assert plan.outcome("a-app", "10.1.2.5") == ["network vpc-a"], "a list of the provider is that of a service"


def inspected(*routes: str, **more: Any) -> Plan:
    """``a-app`` sends everything, and ``a-db`` too, to ``vpce-fw`` in ``a-fw``, whose routes these are."""
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16")
    plan.subnet("a-app", "10.1.1.0/24", "0.0.0.0/0 vpce-fw", "10.1.2.0/24 vpce-fw")
    plan.subnet("a-db", "10.1.2.0/24")
    plan.subnet("a-fw", "10.1.9.0/24", *routes)
    plan.endpoint("vpce-fw", "vpc-a", "a-fw", **more)
    plan.gateway("igw-1", "vpc-a")
    return plan


@pytest.mark.semantics(10, 122)
@pytest.mark.parametrize(
    ("filters", "reason", "expected", "doubts"),
    [
        (False, "no rule drops", "internet", ()),
        (True, "its default action drops", "internet?", ("the firewall fw: its default action drops",)),
        (None, "", "internet?", ("the firewall fw: its policy was not read",)),
    ],
)
def test_a_firewall_passes_what_its_policy_lets_through_and_groups_end_there(
    *, filters: bool | None, reason: str, expected: str, doubts: tuple[str, ...]
) -> None:
    plan = inspected("0.0.0.0/0 igw-1")
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=filters, reason=reason)
    edge(plan, "igw-1", "10.1.1.0/24 vpce-fw")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.doubts, leg.needs_public) == (expected, doubts, True)
    assert (leg.egress_groups, leg.ingress_groups) == (False, False)
    assert crossed(leg) == ["ingress a-fw", "egress a-fw"]


def edge(plan: Plan, gateway: str, *routes: str) -> None:
    """Give a gateway of ``vpc-a`` a route table of its own, for what comes in by it."""
    network = plan.build().networks[plan.id("vpc-a")]
    local = Route(destination=Addresses(network.addresses), kind="local", origin="local")
    plan.table(f"rtb-{gateway}", (local, *map(plan.route, routes)), network, gateways=plan.ids(gateway))


# Both directions have to pass the same endpoint:
# https://docs.aws.amazon.com/network-firewall/latest/developerguide/asymmetric-routing.html
PAST = ("whether answers come back through vpce-fw is not known",)


@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("routes", "expected", "doubts"),
    [
        (None, "internet?", PAST),
        ((), "internet?", PAST),
        (("10.1.1.0/24 vpce-fw",), "internet", ()),
        (("10.1.0.0/16 vpce-fw",), "internet", ()),
        (("10.1.1.0/25 vpce-fw",), "internet?", PAST),
        (("10.1.1.0/24 vpce-two",), "internet?", PAST),
    ],
    ids=["no edge table", "edge table without a route", "all back", "longer way", "half back", "another endpoint"],
)
def test_through_a_firewall_without_rules_answers_must_come_back_by_its_endpoint_too(
    routes: tuple[str, ...] | None, expected: str, doubts: tuple[str, ...]
) -> None:
    plan = inspected("0.0.0.0/0 igw-1")
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False)
    if routes is not None:
        edge(plan, "igw-1", *routes)
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.doubts) == (expected, doubts)


@pytest.mark.semantics(122)
@pytest.mark.parametrize(("back", "expected"), [((), "internet?"), (("10.1.1.0/24 vpce-fw",), "internet")])
def test_from_a_nat_gateway_behind_a_firewall_answers_must_come_back_through_it_too(
    back: tuple[str, ...], expected: str
) -> None:
    plan = inspected("0.0.0.0/0 nat-1")
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False)
    plan.subnet("a-nat", "10.1.8.0/24", "0.0.0.0/0 igw-1", *back)
    plan.nat("nat-1", "a-nat")
    assert plan.outcome("a-app", "8.8.8.8") == [expected]


@pytest.mark.semantics(122)
def test_answers_that_alone_pass_a_firewall_are_not_certain() -> None:
    plan = inspected("0.0.0.0/0 igw-1")
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False)
    plan.subnet("a-web", "10.1.3.0/24", "0.0.0.0/0 igw-1")
    edge(plan, "igw-1", "10.1.3.0/24 vpce-fw")
    leg = plan.only("a-web", "8.8.8.8")
    assert (outcome(leg), leg.doubts) == ("internet?", ("answers pass a firewall that the packets do not",))


@pytest.mark.semantics(122)
def test_a_firewall_between_two_subnets_hands_packets_on_by_its_own_routes() -> None:
    plan = inspected()
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False)
    leg = plan.only("a-app", "10.1.2.5")
    assert (outcome(leg), leg.ingress_groups, crossed(leg)) == ("network vpc-a", False, ["ingress a-fw", "egress a-fw"])
    assert leg.handing(plan.id("a-db")) == "no"


def test_a_destination_in_the_endpoints_own_subnet_is_reached_without_leaving_it() -> None:
    plan = inspected()
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False)
    leg = plan.only("a-app", "10.1.2.5")
    assert leg.handing(plan.id("a-fw")) == "surely"
    assert [each.direction for each in leg.checkpoints_to(plan.id("a-fw"))] == ["ingress"]
    assert leg.checkpoints_to(plan.id("a-db")) == leg.checkpoints


@pytest.mark.semantics(35)
def test_behind_a_gateway_load_balancer_appliances_decide() -> None:
    leg = inspected("0.0.0.0/0 igw-1").only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.doubts) == ("internet?", ("the appliances behind vpce-fw decide what passes",))


def test_an_endpoint_in_an_unread_subnet_leads_anywhere() -> None:
    plan = inspected()
    plan.drop("subnets", "a-fw")
    assert plan.outcome("a-app", "8.8.8.8") == ["unknown?"]


def test_an_endpoint_that_is_down_drops_and_one_that_was_not_read_leads_anywhere() -> None:
    plan = inspected("0.0.0.0/0 igw-1", usable=False)
    assert plan.outcome("a-app", "8.8.8.8") == ["nowhere"]
    plan.drop("endpoints", "vpce-fw")
    assert plan.outcome("a-app", "8.8.8.8") == ["unknown?"]


def test_an_endpoint_of_a_kind_that_takes_no_routes_leads_anywhere() -> None:
    assert inspected(kind="interface").outcome("a-app", "8.8.8.8") == ["unknown?"]


@pytest.mark.semantics(122)
def test_of_a_firewall_in_two_subnets_only_what_both_do_is_certain() -> None:
    plan = inspected("0.0.0.0/0 igw-1", "10.9.0.0/16 vgw-1")
    plan.drop("endpoints", "vpce-fw")
    plan.gateway("vgw-1", "vpc-a")
    plan.subnet("a-fw2", "10.1.10.0/24", "0.0.0.0/0 igw-1")
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False, subnets=plan.ids("a-fw", "a-fw2"))
    edge(plan, "igw-1", "10.1.1.0/24 vpce-fw")
    edge(plan, "vgw-1", "10.1.1.0/24 vpce-fw")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), crossed(leg)) == ("internet", ["ingress a-fw|a-fw2", "egress a-fw|a-fw2"])
    assert plan.outcome("a-app", "10.9.0.1") == ["private?"]


def in_two_subnets(*routes: str) -> Plan:
    """The firewall of :func:`inspected` in ``a-fw``, which has one private route, or in ``a-fw2`` with these routes."""
    plan = inspected("10.9.0.0/16 vgw-1")
    plan.drop("endpoints", "vpce-fw")
    plan.gateway("vgw-1", "vpc-a")
    plan.subnet("a-fw2", "10.1.10.0/24", *routes)
    plan.firewall("fw", "vpc-a", "vpce-fw", filters=False, subnets=plan.ids("a-fw", "a-fw2"))
    edge(plan, "vgw-1", "10.1.1.0/24 vpce-fw")
    return plan


def test_what_only_one_of_two_possible_ways_does_for_certain_is_not_certain() -> None:
    assert in_two_subnets("10.9.0.0/16 vgw-1").outcome("a-app", "10.9.0.1") == ["private"]
    plan = in_two_subnets("10.9.0.0/16 vgw-1", "pl-1 igw-1")
    assert plan.outcome("a-app", "10.9.0.1") == ["private?"]


def test_what_either_of_two_ways_drops_is_dropped_for_certain() -> None:
    plan = in_two_subnets("0.0.0.0/0 nat-1")
    plan.subnet("a-nat", "10.1.11.0/24")
    plan.nat("nat-1", "a-nat")
    assert plan.outcome("a-app", "8.8.8.8") == ["nowhere"]


def test_where_one_of_two_possible_subnets_was_not_read_packets_go_anywhere() -> None:
    plan = in_two_subnets("10.9.0.0/16 vgw-1")
    plan.drop("subnets", "a-fw2")
    assert plan.outcome("a-app", "10.9.0.1") == ["unknown?"]


def test_routes_that_lead_in_a_circle_lead_nowhere() -> None:
    plan = inspected("0.0.0.0/0 vpce-two")
    plan.subnet("a-two", "10.1.10.0/24", "0.0.0.0/0 vpce-fw")
    plan.endpoint("vpce-two", "vpc-a", "a-two")
    leg = plan.only("a-app", "8.8.8.8")
    assert leg.end == "nowhere"
    assert leg.stopped == "routes lead in a circle: rtb-a-fw → rtb-a-two → rtb-a-fw"
