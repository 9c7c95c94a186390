"""The ways from the internet to an interface, by public address, route, entrance and block."""

from typing import Literal

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Entrance, Gateway, InternetBlock
from cloudseg.reach.ways import WaysIn, find_ways_in
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, Traffic


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
def test_a_load_balancer_may_stand_in_a_subnet_that_is_excluded_from_the_block() -> None:
    b = EstateBuilder()
    b.subnet("subnet-x", "10.0.5.0/24", internet_block="ingress")
    b.interface("eni-1", "subnet-x", [], "10.0.5.5")
    b.put("entrances", entrance("target-group"))
    found = ways_to(b)
    assert [way.certain for way in found.ways] == [False]
    assert found.unknown


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
