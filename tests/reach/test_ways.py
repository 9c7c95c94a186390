"""The ways from the internet to an interface, by public address, route, entrance and block."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Addresses, Entrance, Forwarder, Gateway, InternetBlock, Route, RouteTable, TargetKind
from cloudseg.reach.internet import InternetView
from cloudseg.reach.ways import WaysIn, find_ways_in
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, AddressSet, Traffic
from tests.reach.balancers import balancer as put_balancer
from tests.reach.balancers import forward, target

OUT = allow("egress", "all", "0.0.0.0/0")


def ways_to(b: EstateBuilder, own: str = "eni-1") -> WaysIn:
    estate = b.build()
    return find_ways_in(estate.interfaces[b.id(own)], estate)


def entrance(
    kind: str, own: str = "ingress-1", *, active: bool | None = True, target: str = "eni-1", traffic: str = "tcp/443"
) -> Entrance:
    return Entrance(
        id=EstateBuilder.id(own),
        kind=kind,
        region="eu-west-1",
        targets=frozenset({EstateBuilder.id(target)}),
        traffic=Traffic.parse(traffic),
        active=active,
    )


@pytest.mark.semantics(33)
def test_a_public_address_and_a_route_to_the_internet_gateway_are_a_way() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5", "203.0.113.10")
    found = ways_to(b)
    assert [way.certain for way in found.ways] == [True]
    assert found.ways[0].clients == GLOBAL_UNICAST & ALL_IPV4
    assert found.ways[0].traffic.is_all


@pytest.mark.semantics(33)
def test_without_a_public_address_there_is_none() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5")
    assert ways_to(b) == WaysIn(blocked=("no public address",))


@pytest.mark.semantics(33, 34)
def test_a_nat_gateway_lets_nothing_in() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", [], "10.0.2.5", "203.0.113.10")
    assert ways_to(b) == WaysIn(blocked=("no route to an internet gateway", "no public address"))


@pytest.mark.semantics(33, 129)
def test_a_global_ipv6_address_is_public_where_an_ipv6_route_leads_out() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5, 2600:1f18::5")
    assert not ways_to(b).ways
    b.route("rtb-public", "::/0", "internet-gateway", "igw-1")
    found = ways_to(b)
    assert [way.clients for way in found.ways] == [GLOBAL_UNICAST & ALL_IPV6]


@pytest.mark.semantics(33)
def test_an_egress_only_gateway_lets_nothing_in() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", [], "10.0.2.5, 2600:1f18::5")
    b.route("rtb-private", "::/0", "egress-only-gateway", "eigw-1")
    assert not ways_to(b).ways


def test_a_unique_local_ipv6_address_is_not_public() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5, fd00::5")
    b.route("rtb-public", "::/0", "internet-gateway", "igw-1")
    assert not ways_to(b).ways


@pytest.mark.semantics(31, 33)
def test_clients_whose_replies_are_routed_elsewhere_do_not_come_in() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5", "203.0.113.10")
    b.route("rtb-public", "198.51.100.0/24", "private-gateway", "vgw-1")
    (way,) = ways_to(b).ways
    assert not way.clients.has("198.51.100.7")
    assert way.clients.has("198.51.101.7")


@pytest.mark.semantics(33)
@pytest.mark.parametrize(("active", "certain"), [(False, None), (None, False), (True, True)])
def test_a_gateway_of_unknown_state_is_an_uncertain_way(active: bool | None, certain: bool | None) -> None:  # noqa: FBT001 - columns of the table
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5", "203.0.113.10")
    b.put(
        "gateways", Gateway(id=b.id("igw-1"), kind="internet-gateway", region="eu-west-1", public=True, active=active)
    )
    found = ways_to(b)
    assert [way.certain for way in found.ways] == ([] if certain is None else [certain])
    assert bool(found.unknown) == (active is None)


@pytest.mark.semantics(35)
def test_an_appliance_on_the_way_is_uncertain() -> None:
    b = EstateBuilder()
    b.subnet("subnet-x", "10.0.5.0/24")
    b.route("rtb-x", "0.0.0.0/0", "interface", "eni-nat")
    b.interface("eni-1", "subnet-x", [], "10.0.5.5", "203.0.113.10")
    found = ways_to(b)
    assert [way.certain for way in found.ways] == [False]
    assert found.unknown


def test_routes_that_were_not_read_leave_the_way_open() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-elsewhere", [], "10.0.1.5", "203.0.113.10")
    found = ways_to(b)
    assert [way.certain for way in found.ways] == [False]
    assert found.unknown == ("the routes of its subnet were not read",)


@pytest.mark.semantics(33, 42, 126)
@pytest.mark.parametrize("kind", ["target-group", "global-accelerator-endpoint-group", "cloudfront-vpc-origin"])
def test_an_entrance_needs_neither_a_public_address_nor_a_route(kind: str) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", [], "10.0.2.5")
    b.put("entrances", entrance(kind))
    (way,) = ways_to(b).ways
    assert (way.certain, way.direct, way.traffic) == (True, False, Traffic.parse("tcp/443"))


@pytest.mark.semantics(126)
def test_an_entrance_leads_to_its_targets_alone() -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", [], "10.0.2.5")
    b.interface("eni-2", "subnet-private", [], "10.0.2.6")
    b.put("entrances", entrance("target-group", target="eni-2"))
    b.put("entrances", entrance("target-group", "ingress-2", target="eni-1", active=False))
    found = ways_to(b)
    assert not found.ways
    assert "ingress-2 is not active" in found.blocked


@pytest.mark.semantics(126)
def test_an_entrance_by_address_holds_in_its_own_network_alone() -> None:
    b = EstateBuilder()
    b.network("vpc-2", "10.0.0.0/16")
    b.subnet("subnet-2", "10.0.2.0/24", "vpc-2")
    b.interface("eni-1", "subnet-private", [], "10.0.2.5")
    by_address = msgspec.structs.replace(
        entrance("target-group", target="nobody"),
        target_addresses=b.build().interfaces[b.id("eni-1")].addresses,
        network=b.id("vpc-2"),
    )
    b.put("entrances", by_address)
    assert not ways_to(b).ways
    b.put("entrances", msgspec.structs.replace(by_address, network=b.id("vpc-1")))
    assert len(ways_to(b).ways) == 1


@pytest.mark.semantics(33, 123)
@pytest.mark.parametrize("block", ["ingress", "bidirectional"])
@pytest.mark.parametrize("kind", ["global-accelerator-endpoint-group", "cloudfront-vpc-origin"])
def test_blocked_public_access_cuts_addresses_accelerators_and_origins(block: InternetBlock, kind: str) -> None:
    b = EstateBuilder()
    b.subnet("subnet-x", "10.0.5.0/24", internet_block=block)
    b.route("rtb-x", "0.0.0.0/0", "internet-gateway", "igw-1")
    b.interface("eni-1", "subnet-x", [], "10.0.5.5", "203.0.113.10")
    b.put("entrances", entrance(kind))
    assert ways_to(b) == WaysIn(blocked=("public access to the subnet is blocked",))


@pytest.mark.semantics(123)
def test_of_a_load_balancer_the_block_of_its_own_subnet_counts() -> None:
    b = EstateBuilder()
    b.subnet("subnet-x", "10.0.5.0/24", internet_block="ingress")
    b.interface("eni-1", "subnet-x", [], "10.0.5.5")
    balancer(b, "subnet-public")
    assert [way.certain for way in ways_to(b).ways] == [True]
    b.interface("eni-lb", "subnet-x", [], "10.0.5.9", "203.0.113.40", workload=b.id("nlb-1"))
    assert ways_to(b).ways == ()


def balancer(b: EstateBuilder, subnet: str, groups: Sequence[str] = (), clients: str = "all") -> None:
    b.interface("eni-lb", subnet, groups, "10.0.1.9", "203.0.113.40", workload=b.id("nlb-1"))
    way = msgspec.structs.replace(
        entrance("target-group"), through=frozenset({b.id("nlb-1")}), clients=AddressSet.parse(clients)
    )
    b.put("entrances", way)
    sent = forward(target("eni-1"), listens=None, traffic="tcp/443", keeps_client=way.clients == ALL_ADDRESSES)
    put_balancer(b, sent, own="nlb-1", accepts="all", zones=None)


@pytest.mark.semantics(42)
def test_the_groups_of_a_load_balancer_bound_who_comes_through() -> None:
    b = EstateBuilder()
    b.group("sg-lb", OUT, allow("ingress", "tcp/443", "198.51.100.0/24"))
    b.interface("eni-1")
    balancer(b, "subnet-public", ["sg-lb"])
    (way,) = ways_to(b).ways
    assert (way.clients, way.certain) == (AddressSet.parse("198.51.100.0/24"), True)
    b.group("sg-lb", OUT, allow("ingress", "tcp/443", "10.0.0.0/8"))
    assert ways_to(b).ways == ()


@pytest.mark.semantics(33, 42)
def test_a_load_balancer_that_the_internet_has_no_route_to_is_no_way() -> None:
    b = EstateBuilder()
    b.interface("eni-1")
    balancer(b, "subnet-private")
    assert ways_to(b).ways == ()
    assert any("does not reach the load balancer" in text for text in ways_to(b).blocked)


@pytest.mark.semantics(33, 42)
@pytest.mark.parametrize(
    ("peer", "verdict"), [("0.0.0.0/0", "exposed"), ("10.0.1.0/24", "exposed"), ("198.51.100.0/24", "latent")]
)
def test_without_client_addresses_the_rules_see_the_nodes_of_the_balancer(peer: str, verdict: str) -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", peer))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    balancer(b, "subnet-public", clients="10.0.1.9")
    estate = b.build()
    rule_set = estate.rule_sets[b.id("sg-app")]
    found = InternetView(estate).exposure(rule_set, rule_set.rules[0], estate.interfaces[b.id("eni-1")])
    assert found.verdict == verdict
    if verdict == "exposed":
        assert found.sources == GLOBAL_UNICAST & ALL_IPV4


@pytest.mark.semantics(26)
def test_an_acl_is_not_asked_where_the_balancer_stands_in_the_targets_subnet() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "0.0.0.0/0"))
    office = (acl_entry("ingress", 100, "all", "203.0.0.0/8"), acl_entry("egress", 100, "all", "0.0.0.0/0"))
    b.acl("acl-1", ["subnet-public"], office)
    b.interface("eni-1", "subnet-public", ["sg-app"], "10.0.1.5")
    balancer(b, "subnet-public", clients="10.0.1.9")
    estate = b.build()
    rule_set = estate.rule_sets[b.id("sg-app")]
    found = InternetView(estate).exposure(rule_set, rule_set.rules[0], estate.interfaces[b.id("eni-1")])
    assert found.verdict == "exposed"


@pytest.mark.parametrize("facet", ["entrances", "load-balancers"])
def test_what_may_lead_in_and_was_not_read_is_told(facet: str) -> None:
    b = EstateBuilder(unread=[facet])
    b.interface("eni-1")
    assert len(ways_to(b).unread) == 1
    assert ways_to(b).ways == ()


def test_a_rule_for_the_networks_own_global_range_admits_nobody_from_the_internet() -> None:
    b = EstateBuilder()
    b.network("vpc-6", "2600:1f18:1::/56")
    b.group("sg-db", allow("ingress", "tcp/5432", "2600:1f18:1:1::/64"), allow("ingress", "tcp/5432", "2600::/16"))
    estate = b.build()
    own, wider = estate.rule_sets[b.id("sg-db")].rules
    view = InternetView(estate)
    assert not view.public_sources(own)[1]
    assert view.public_sources(wider)[1] == AddressSet.parse("2600::/16")


@pytest.mark.semantics(123)
def test_an_unread_block_makes_every_way_uncertain() -> None:
    b = EstateBuilder()
    b.subnet("subnet-x", "10.0.5.0/24", internet_block="unknown")
    b.route("rtb-x", "0.0.0.0/0", "internet-gateway", "igw-1")
    b.interface("eni-1", "subnet-x", [], "10.0.5.5", "203.0.113.10")
    found = ways_to(b)
    assert [way.certain for way in found.ways] == [False]
    assert "whether public access to the subnet is blocked was not read" in found.unknown


@pytest.mark.parametrize("family", [4, 6])
def test_an_unlisted_public_address_counts_for_ipv4(family: Literal[4, 6]) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5", public_unlisted=True)
    interface = b.build().interfaces[b.id("eni-1")]
    assert interface.has_public_address(family) is (family == 4)
    assert len(ways_to(b).ways) == 1


@pytest.mark.semantics(42)
@pytest.mark.parametrize("groups", [["sg-unread"], ["sg-lb", "sg-unread"]])
def test_a_group_of_the_balancer_that_was_not_read_leaves_the_way_open_to_doubt(groups: list[str]) -> None:
    b = EstateBuilder()
    b.group("sg-lb", OUT, allow("ingress", "tcp/443", "10.0.0.0/8"))
    b.interface("eni-1")
    balancer(b, "subnet-public", groups)
    assert [way.certain for way in ways_to(b).ways] == [False]


@pytest.mark.semantics(42)
def test_what_a_known_group_of_the_balancer_lets_in_is_certain_beside_an_unread_one() -> None:
    b = EstateBuilder()
    b.group("sg-lb", OUT, allow("ingress", "tcp/443", "198.51.100.0/24"))
    b.interface("eni-1")
    balancer(b, "subnet-public", ["sg-lb", "sg-unread"])
    certain = [way.clients for way in ways_to(b).ways if way.certain]
    assert certain == [AddressSet.parse("198.51.100.0/24")]
    assert any(not way.certain for way in ways_to(b).ways)


def listening(b: EstateBuilder, traffic: str | None, *, internal: bool = False) -> None:
    """A load balancer with an interface of its own and listeners; None where these were not read."""
    public = "" if internal else "203.0.113.40"
    b.interface("eni-lb", "subnet-public", [], "10.0.1.9", public, workload=b.id("nlb-1"))
    accepts = None if traffic is None else Traffic.parse(traffic)
    b.put("forwarders", Forwarder(id=b.id("nlb-1"), kind="network-load-balancer", region="eu-west-1", accepts=accepts))


@pytest.mark.semantics(42, 206)
def test_of_a_load_balancer_only_what_its_listeners_take_is_certain_to_be_reached() -> None:
    b = EstateBuilder()
    listening(b, "tcp/443")
    found = ways_to(b, "eni-lb")
    assert [(str(way.traffic), way.certain) for way in found.ways] == [
        ("tcp/443", True), ("all except tcp/443", False),
    ]  # fmt: skip
    assert found.unknown == ("no listener of the load balancer takes it today",)


@pytest.mark.semantics(42, 206)
def test_of_a_load_balancer_without_a_listener_nothing_is_certain_to_be_reached() -> None:
    b = EstateBuilder()
    listening(b, "none")
    assert [way.certain for way in ways_to(b, "eni-lb").ways] == [False]


@pytest.mark.semantics(42)
def test_where_listeners_were_not_read_everything_may_be_taken() -> None:
    b = EstateBuilder()
    listening(b, None)
    found = ways_to(b, "eni-lb")
    assert [(way.traffic.is_all, way.certain) for way in found.ways] == [(True, False)]
    assert found.unknown == ("the listeners of the load balancer were not read",)


@pytest.mark.semantics(206)
def test_listeners_open_no_way_to_an_internal_load_balancer() -> None:
    b = EstateBuilder()
    listening(b, "tcp/443", internal=True)
    assert ways_to(b, "eni-lb") == WaysIn(blocked=("no public address",))


@pytest.mark.semantics(42, 206)
def test_interfaces_of_two_load_balancers_in_one_subnet_are_told_apart_by_their_listeners() -> None:
    b = EstateBuilder()
    b.group("sg-lb", allow("ingress", "tcp/22, tcp/443", "0.0.0.0/0"))
    for number, port in ((1, 22), (2, 443)):
        address, public = f"10.0.1.{number}", f"203.0.113.{number}"
        b.interface(f"eni-{number}", "subnet-public", ["sg-lb"], address, public, workload=b.id(f"lb-{number}"))
        accepts = Traffic.ports("tcp", port, port)
        b.put("forwarders", Forwarder(id=b.id(f"lb-{number}"), kind="lb", region="eu-west-1", accepts=accepts))
    estate = b.build()
    view, rule_set = InternetView(estate), estate.rule_sets[b.id("sg-lb")]
    found = [view.exposure(rule_set, rule_set.rules[0], estate.interfaces[b.id(f"eni-{n}")]).certain for n in (1, 2)]
    assert [str(traffic) for traffic in found] == ["tcp/22", "tcp/443"]


@pytest.mark.semantics(42)
def test_clients_that_reach_no_listener_in_front_of_a_target_do_not_come_through() -> None:
    b = EstateBuilder()
    office, admin = "198.51.100.0/24", "203.0.113.128/25"
    b.group("sg-lb", OUT, allow("ingress", "tcp/443", office), allow("ingress", "tcp/22", admin))
    b.interface("eni-1")
    balancer(b, "subnet-public", ["sg-lb"])
    estate = b.build()
    before = msgspec.structs.replace(estate.entrances[b.id("ingress-1")], listens=Traffic.parse("tcp/443"))
    b.put("entrances", before)
    assert [way.clients for way in ways_to(b).ways] == [AddressSet.parse(office)]
    b.put("entrances", msgspec.structs.replace(before, listens=Traffic.parse("tcp/8443")))
    assert ways_to(b).ways == ()
    b.put("entrances", msgspec.structs.replace(before, listens=None))
    assert [way.clients for way in ways_to(b).ways] == [AddressSet.parse(f"{office}, {admin}")]


@pytest.mark.semantics(42)
def test_only_the_senders_of_an_entrance_come_through() -> None:
    b = EstateBuilder()
    b.interface("eni-1")
    balancer(b, "subnet-public")
    b.put("entrances", msgspec.structs.replace(b.build().entrances[b.id("ingress-1")], senders=ALL_IPV6))
    assert ways_to(b).ways == ()


def test_the_doubt_about_an_entrance_is_told() -> None:
    b = EstateBuilder()
    b.interface("eni-1")
    b.put("entrances", msgspec.structs.replace(entrance("target-group", active=None), doubt="nobody knows"))
    assert ways_to(b).unknown == ("nobody knows",)


def test_load_balancers_that_stand_before_each_other_are_no_endless_way() -> None:
    b = EstateBuilder()
    for own, other in (("nlb-1", "nlb-2"), ("nlb-2", "nlb-1")):
        b.interface(f"eni-{own}", "subnet-private", [], f"10.0.2.{own[-1]}", workload=b.id(own))
        way = msgspec.structs.replace(
            entrance("target-group", f"in-{own}", target=f"eni-{own}"), through=frozenset({b.id(other)})
        )
        b.put("entrances", way)
    assert ways_to(b, "eni-nlb-1").ways == ()


EDGE = "10.0.1.0/24"


@pytest.mark.semantics(33)
@pytest.mark.parametrize(
    ("kind", "active", "certain"),
    [("local", True, [True]), ("interface", True, [False]), ("endpoint", True, [False]), ("interface", False, [])],
)
def test_the_own_routes_of_an_internet_gateway_decide_where_packets_come_in(
    kind: TargetKind, *, active: bool, certain: list[bool]
) -> None:
    """Source: https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html"""
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.5", "203.0.113.10")
    destination = Addresses(AddressSet.parse(EDGE))
    local = Route(destination=Addresses(AddressSet.parse("10.0.0.0/16")), kind="local", origin="local")
    target = None if kind == "local" else b.id("eni-appliance")
    edge = Route(destination=destination, kind=kind, target=target, active=active)
    table = RouteTable(
        id=b.id("rtb-edge"),
        kind="route-table",
        region="eu-west-1",
        network=b.id("vpc-1"),
        routes=(local, edge),
        gateways=frozenset({b.id("igw-1")}),
    )
    b.put("route_tables", table)
    assert [way.certain for way in ways_to(b).ways] == certain
