"""Where packets of a subnet come out, against tables worked out by hand from the vendor's pages."""

from itertools import combinations
from typing import Any

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Addresses, Estate, InternetBlock, Network, Route, RouteTable
from cloudseg.reach.roads.legs import legs_from, wordless
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4
from tests.reach.plans import HOME, OTHER, REGION, Plan, crossed, ips, outcome

ANYWHERE = "2001:4860::1"


def one_network(*routes: str, cidrs: str = "10.1.0.0/16", **more: Any) -> Plan:
    """``vpc-a`` with the subnet ``a-app``, whose routes these are besides the local one."""
    plan = Plan()
    plan.vpc("vpc-a", cidrs)
    plan.subnet("a-app", "10.1.1.0/24", *routes, **more)
    return plan


def peers(*routes: str, peer: str = "10.2.0.0/16", region: str = REGION, **more: Any) -> Plan:
    """``vpc-a`` and ``vpc-b`` with the peering ``pcx-1``; the routes are those of ``a-app``."""
    plan = one_network(*routes)
    plan.vpc("vpc-b", peer, region=region)
    plan.subnet("b-app", "10.2.1.0/24")
    plan.peering("pcx-1", "vpc-a", "vpc-b", regions=(REGION, region), **more)
    return plan


# Routes


@pytest.mark.semantics(31)
def test_the_local_route_delivers_within_the_network() -> None:
    leg = one_network().only("a-app", "10.1.200.1")
    assert (outcome(leg), leg.egress_groups, leg.ingress_groups, leg.checkpoints) == ("network vpc-a", True, True, ())
    assert leg.hops[0].text == "route 10.1.0.0/16 to local"


def test_an_address_without_a_route_has_no_leg() -> None:
    assert one_network().to("a-app", "10.2.0.1") == ()


@pytest.mark.semantics(31)
def test_a_route_to_a_whole_subnet_beats_local() -> None:
    plan = one_network("10.1.2.0/24 eni-fw")
    plan.interface("eni-fw", "a-app", "10.1.1.9", forwards=True)
    assert plan.outcome("a-app", "10.1.2.5") == ["unknown?"]
    assert plan.outcome("a-app", "10.1.3.5") == ["network vpc-a"]


@pytest.mark.semantics(31)
def test_a_blackhole_beats_a_shorter_prefix() -> None:
    plan = one_network("10.0.0.0/8 vgw-1", "10.2.0.0/16 blackhole")
    plan.gateway("vgw-1", "vpc-a")
    leg = plan.only("a-app", "10.2.0.1")
    assert (outcome(leg), leg.stopped, leg.replies) == ("nowhere", "a route of rtb-a-app is a blackhole", False)
    assert plan.outcome("a-app", "10.3.0.1") == ["private"]


@pytest.mark.semantics(32)
def test_a_subnet_without_a_table_follows_the_main_one() -> None:
    plan = one_network("0.0.0.0/0 igw-1")
    plan.drop("route_tables", "rtb-a-app")
    network = plan.build().networks[plan.id("vpc-a")]
    plan.table("rtb-main", (plan.route("10.9.0.0/16 vgw-1"),), network, is_main=True)
    plan.gateway("vgw-1", "vpc-a")
    assert plan.outcome("a-app", "10.9.0.1") == ["private"]
    assert plan.outcome("a-app", "8.8.8.8") == []


def test_unread_routes_lead_to_the_own_network_or_anywhere_at_most() -> None:
    plan = one_network()
    plan.drop("route_tables", "rtb-a-app")
    assert plan.outcome("a-app", "10.1.2.5") == ["network vpc-a?"]
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.doubts, leg.seen_as) == ("unknown?", ("the routes of a-app were not read",), ())


@pytest.mark.semantics(20)
def test_an_unread_list_leaves_every_route_open() -> None:
    plan = one_network("0.0.0.0/0 igw-1", "pl-1 vgw-1")
    plan.gateway("vgw-1", "vpc-a")
    plan.prefix_list("pl-1", read=False)
    assert plan.outcome("a-app", "8.8.8.8") == ["internet?", "private?"]
    assert plan.to("a-app", "8.8.8.8")[0].doubts == ("the prefix list pl-1 in rtb-a-app was not read",)


def test_a_route_that_could_not_be_read_leaves_every_other_open() -> None:
    plan = one_network()
    network = plan.build().networks[plan.id("vpc-a")]
    routes = (
        Route(destination=Addresses(ALL_IPV4), kind="unknown"),
        plan.route("0.0.0.0/0 igw-1"),
    )
    name = plan.id("rtb-a-app")
    plan.put(
        "route_tables",
        RouteTable(id=name, kind="route-table", network=network.id, subnets=plan.ids("a-app"), routes=routes),
    )
    assert plan.outcome("a-app", "8.8.8.8") == ["internet?", "unknown?"]


def test_a_target_of_a_kind_that_is_not_followed_leads_anywhere() -> None:
    leg = one_network("0.0.0.0/0 cagw-1").only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.doubts) == ("unknown?", ("where cagw-1 leads is not known",))


@pytest.mark.semantics(46)
def test_certain_legs_never_overlap() -> None:
    plan = peers("10.0.0.0/8 pcx-1", "10.2.3.0/24 vgw-1", "10.2.3.128/25 blackhole", "0.0.0.0/0 igw-1", "::/0 eigw-1")
    plan.gateway("vgw-1", "vpc-a")
    legs = [leg for leg in plan.legs("a-app") if leg.certain]
    assert not any(one.addresses.overlaps(other.addresses) for one, other in combinations(legs, 2))
    covered = ips("none")
    for leg in legs:
        covered |= leg.addresses
    assert covered == ALL_ADDRESSES


def test_subnets_that_route_alike_share_their_legs() -> None:
    plan = one_network("0.0.0.0/0 igw-1")
    plan.subnet("a-more", "10.1.2.0/24")
    estate = plan.build()
    table = estate.route_tables[plan.id("rtb-a-app")]
    both = msgspec.structs.replace(table, subnets=plan.ids("a-app", "a-more"))
    plan.put("route_tables", both)
    plan.drop("route_tables", "rtb-a-more")
    estate = plan.build()
    network = estate.networks[plan.id("vpc-a")]
    one, other = (legs_from(estate.subnets[plan.id(own)], network, estate) for own in ("a-app", "a-more"))
    assert one is other


def test_two_tables_of_the_same_routes_lead_the_same_ways() -> None:
    plan = one_network("0.0.0.0/0 igw-1", "10.2.0.0/16 blackhole")
    plan.subnet("a-more", "10.1.2.0/24", "0.0.0.0/0 igw-1", "10.2.0.0/16 blackhole")
    assert plan.legs("a-app") != plan.legs("a-more"), "each names its own table"
    assert wordless(plan.legs("a-app")) == wordless(plan.legs("a-more"))


def test_subnets_of_one_table_part_where_zone_block_or_a_middlebox_tells_them_apart() -> None:
    plan = one_network("0.0.0.0/0 igw-1", "10.1.9.0/24 eni-fw")
    plan.subnet("a-blocked", "10.1.2.0/24", internet_block="bidirectional")
    plan.subnet("a-fw", "10.1.3.0/24")
    plan.interface("eni-fw", "a-fw", "10.1.3.9", forwards=True)
    table = plan.build().route_tables[plan.id("rtb-a-app")]
    plan.put("route_tables", msgspec.structs.replace(table, subnets=plan.ids("a-app", "a-blocked", "a-fw")))
    plan.drop("route_tables", "rtb-a-blocked")
    plan.drop("route_tables", "rtb-a-fw")
    estate = plan.build()
    network = estate.networks[plan.id("vpc-a")]
    ends: list[tuple[list[str], list[str]]] = []
    for own in ("a-app", "a-blocked", "a-fw"):
        legs = legs_from(estate.subnets[plan.id(own)], network, estate)
        (out,) = (leg for leg in legs if leg.addresses.has("8.8.8.8"))
        (inspected,) = (leg for leg in legs if leg.addresses.has("10.1.9.1"))
        ends.append(([outcome(out)], crossed(inspected)))
    assert ends == [(["internet"], ["ingress a-fw"]), (["nowhere"], ["ingress a-fw"]), (["internet"], [])]


@pytest.mark.semantics(47)
def test_a_shared_subnet_routes_as_its_owner_says() -> None:
    plan = Plan()
    plan.vpc("vpc-a", "10.1.0.0/16", account=OTHER)
    plan.subnet("a-app", "10.1.1.0/24", "0.0.0.0/0 igw-1")
    leg = plan.only("a-app", "10.1.2.5")
    assert leg.network == f"aws:{OTHER}:{REGION}:vpc-a"
    assert plan.outcome("a-app", "8.8.8.8") == ["internet"]


# Networks without subnets


def cluster(cidrs: str) -> Network:
    return Network(id="kubernetes:prod:network", kind="cluster-network", pipeline="pods", addresses=ips(cidrs))


def test_in_a_network_without_subnets_everything_within_is_local() -> None:
    network = cluster("10.100.0.0/16")
    inside, outside = legs_from(None, network, Estate(networks={network.id: network}))
    assert (outcome(inside), str(inside.addresses)) == ("network network", "10.100.0.0/16")
    assert (outcome(outside), outside.addresses.has("8.8.8.8")) == ("unknown?", True)


def test_a_network_that_lists_no_addresses_holds_any() -> None:
    network = cluster("none")
    (leg,) = legs_from(None, network, Estate(networks={network.id: network}))
    assert (outcome(leg), leg.addresses) == ("network network", ALL_ADDRESSES)


def test_who_stands_in_no_known_subnet_reaches_the_own_network_at_most() -> None:
    estate = EstateBuilder().build()
    legs = legs_from(None, estate.networks[EstateBuilder.id("vpc-1")], estate)
    assert [outcome(leg) for leg in legs] == ["network vpc-1?", "unknown?"]


def test_a_network_whose_subnets_were_not_read_is_not_taken_for_one_without_any() -> None:
    plan = Plan(unread=("subnets", "routes"))
    plan.vpc("vpc-a", "10.1.0.0/16")
    estate = plan.build()
    legs = legs_from(None, estate.networks[plan.id("vpc-a")], estate)
    assert [outcome(leg) for leg in legs] == ["network vpc-a?", "unknown?"]


# Internet and egress-only gateways


@pytest.mark.semantics(33)
def test_an_internet_gateway_takes_addresses_of_the_internet_alone() -> None:
    plan = one_network("0.0.0.0/0 igw-1")
    plan.gateway("igw-1", "vpc-a")
    leg = plan.only("a-app", "8.8.8.8")
    assert (outcome(leg), leg.needs_public, leg.seen_as) == ("internet", True, None)
    dropped = plan.only("a-app", "192.168.1.1")
    assert (outcome(dropped), dropped.stopped) == ("nowhere", "not an address of the internet")


@pytest.mark.semantics(33, 129)
def test_an_internet_gateway_takes_ipv6_by_its_own_route() -> None:
    plan = one_network("0.0.0.0/0 igw-1")
    plan.gateway("igw-1", "vpc-a")
    assert plan.outcome("a-app", ANYWHERE) == []
    plan = one_network("::/0 igw-1")
    plan.gateway("igw-1", "vpc-a")
    assert (plan.outcome("a-app", ANYWHERE), plan.outcome("a-app", "8.8.8.8")) == (["internet"], [])


@pytest.mark.semantics(33)
@pytest.mark.parametrize(
    ("networks", "active", "expected"),
    [
        (("vpc-a",), True, "internet"),
        (("vpc-a",), None, "internet?"),
        (("vpc-a",), False, "nowhere"),
        (("vpc-x",), True, "nowhere"),
    ],
)
def test_a_gateway_must_be_up_and_attached(*, networks: tuple[str, ...], active: bool | None, expected: str) -> None:
    for route, address in (("0.0.0.0/0 igw-1", "8.8.8.8"), ("::/0 eigw-1", ANYWHERE)):
        plan = one_network(route)
        plan.gateway(route.split()[1], *networks, active=active)
        assert plan.outcome("a-app", address) == [expected]


def test_an_egress_only_gateway_takes_ipv6_alone_and_needs_no_public_address() -> None:
    plan = one_network("::/0 eigw-1", "0.0.0.0/0 eigw-1")
    plan.gateway("eigw-1", "vpc-a")
    leg = plan.only("a-app", ANYWHERE)
    assert (outcome(leg), leg.needs_public) == ("internet", False)
    assert (plan.outcome("a-app", "8.8.8.8"), plan.outcome("a-app", "fd00::1")) == (["nowhere"], ["nowhere"])


BLOCKS = ("off", "ingress", "bidirectional", "unknown")


@pytest.mark.semantics(33, 123)
@pytest.mark.parametrize(
    ("route", "address", "expected"),
    [
        ("0.0.0.0/0 igw-1", "8.8.8.8", ("internet", "nowhere", "nowhere", "internet?")),
        ("::/0 igw-1", ANYWHERE, ("internet", "nowhere", "nowhere", "internet?")),
        ("::/0 eigw-1", ANYWHERE, ("internet", "internet", "nowhere", "internet?")),
    ],
)
def test_blocked_public_access_stops_gateways(route: str, address: str, expected: tuple[str, ...]) -> None:
    for block, outcome_then in zip(BLOCKS, expected, strict=True):
        plan = one_network(route, internet_block=block)
        plan.gateway(route.split()[1], "vpc-a")
        assert (block, plan.outcome("a-app", address)) == (block, [outcome_then])


@pytest.mark.semantics(33, 123)
@pytest.mark.parametrize(
    ("own", "of_nat", "expected"),
    [
        ("off", "off", "internet"),
        ("ingress", "ingress", "internet"),
        ("bidirectional", "bidirectional", "nowhere"),
        ("off", "bidirectional", "nowhere"),
        ("bidirectional", "off", "internet?"),
        ("off", "unknown", "internet?"),
    ],
)
def test_of_a_nat_gateway_the_block_of_its_own_subnet_decides(
    own: InternetBlock, of_nat: InternetBlock, expected: str
) -> None:
    plan = one_network("0.0.0.0/0 nat-1", internet_block=own)
    plan.subnet("a-nat", "10.1.9.0/24", "0.0.0.0/0 igw-1", internet_block=of_nat)
    plan.nat("nat-1", "a-nat")
    assert plan.outcome("a-app", "8.8.8.8") == [expected]


# Private gateways


@pytest.mark.parametrize(
    ("networks", "active", "expected"),
    [
        (("vpc-a",), True, "private"),
        (("vpc-a",), None, "private?"),
        (("vpc-a",), False, "nowhere"),
        (("vpc-x",), True, "nowhere"),
    ],
)
def test_a_private_gateway_leads_out_of_the_estate(
    *, networks: tuple[str, ...], active: bool | None, expected: str
) -> None:
    plan = one_network("192.168.0.0/16 vgw-1")
    plan.gateway("vgw-1", *networks, active=active)
    assert plan.outcome("a-app", "192.168.1.1") == [expected]


def test_a_private_gateway_that_was_not_read_leads_there_at_most() -> None:
    leg = one_network("192.168.0.0/16 vgw-1").only("a-app", "192.168.1.1")
    assert (outcome(leg), leg.doubts) == ("private?", ("vgw-1 was not read",))


# Peerings


@pytest.mark.semantics(7, 36)
def test_a_peering_leads_to_the_addresses_of_the_other_network() -> None:
    leg = peers("10.2.0.0/16 pcx-1").only("a-app", "10.2.1.5")
    assert (outcome(leg), leg.egress_groups, leg.ingress_groups) == ("network vpc-b", True, True)
    assert [hop.text for hop in leg.hops] == ["route 10.2.0.0/16 to pcx-1"]


@pytest.mark.semantics(36)
def test_each_side_of_a_peering_needs_a_route_of_its_own() -> None:
    plan = peers("10.2.0.0/16 pcx-1")
    assert plan.outcome("a-app", "10.2.1.5") == ["network vpc-b"]
    assert plan.outcome("b-app", "10.1.1.5") == []


@pytest.mark.semantics(36, 37)
@pytest.mark.parametrize("address", ["10.3.0.1", "8.8.8.8"])
def test_a_peering_is_not_transitive(address: str) -> None:
    plan = peers("0.0.0.0/0 pcx-1")
    leg = plan.only("a-app", address)
    assert (outcome(leg), leg.stopped) == (
        "nowhere", "a peering is not transitive: the address is outside of vpc-b",
    )  # fmt: skip


@pytest.mark.semantics(8)
def test_groups_are_not_named_over_a_peering_of_two_regions() -> None:
    leg = peers("10.2.0.0/16 pcx-1", region="us-east-1").only("a-app", "10.2.1.5")
    assert (outcome(leg), leg.egress_groups, leg.ingress_groups) == ("network vpc-b", False, False)


@pytest.mark.semantics(36)
def test_a_peering_that_is_not_active_drops() -> None:
    assert peers("10.2.0.0/16 pcx-1", active=False).outcome("a-app", "10.2.1.5") == ["nowhere"]


@pytest.mark.semantics(46)
def test_of_two_peers_with_one_range_the_route_tells_which() -> None:
    plan = peers("10.2.0.0/17 pcx-1", "10.2.128.0/17 pcx-2")
    plan.vpc("vpc-c", "10.2.0.0/16")
    plan.peering("pcx-2", "vpc-c", "vpc-a")
    assert plan.outcome("a-app", "10.2.1.5") == ["network vpc-b"]
    assert plan.outcome("a-app", "10.2.200.5") == ["network vpc-c"]


def test_the_unread_half_of_a_peering_is_told_by_its_account() -> None:
    plan = one_network("10.2.0.0/16 pcx-1")
    plan.named("vpc-b", OTHER)
    plan.peering("pcx-1", "vpc-a", "vpc-b")
    leg = plan.only("a-app", "10.2.1.5")
    assert (outcome(leg), leg.doubts) == (
        "unread vpc-b?", (f"vpc-b of {OTHER}, the other half of pcx-1, was not read",),
    )  # fmt: skip


def test_of_an_unread_half_the_peering_may_tell_the_ranges() -> None:
    plan = one_network("10.0.0.0/8 pcx-1")
    plan.named("vpc-b", OTHER)
    plan.peering("pcx-1", "vpc-a", "vpc-b", ranges=(ips("10.1.0.0/16"), ips("10.2.0.0/16")))
    assert plan.outcome("a-app", "10.2.1.5") == ["unread vpc-b?"]
    assert plan.outcome("a-app", "10.3.1.5") == ["nowhere"]


def test_a_peer_whose_ranges_were_not_read_is_reached_at_most() -> None:
    assert peers("10.0.0.0/8 pcx-1", peer="none").outcome("a-app", "10.2.1.5") == ["network vpc-b?"]


def test_a_peering_that_was_not_read_leads_anywhere() -> None:
    leg = one_network("10.2.0.0/16 pcx-1").only("a-app", "10.2.1.5")
    assert (outcome(leg), leg.doubts) == ("unknown?", ("the peering pcx-1 was not read",))


def test_a_peering_of_other_networks_leads_anywhere() -> None:
    plan = one_network("10.2.0.0/16 pcx-1")
    plan.vpc("vpc-b", "10.2.0.0/16")
    plan.vpc("vpc-c", "10.3.0.0/16")
    plan.peering("pcx-1", "vpc-b", "vpc-c")
    assert plan.outcome("a-app", "10.2.1.5") == ["unknown?"]


@pytest.mark.semantics(36)
def test_a_checkpoint_less_way_enters_the_subnet_of_its_destination() -> None:
    leg = peers("10.2.0.0/16 pcx-1").only("a-app", "10.2.1.5")
    assert (crossed(leg), leg.handing("b-app"), leg.handing(None)) == ([], "no", "no")
    assert HOME in (leg.network or "")
