from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Addresses, Estate, ListRef, Route
from cloudseg.traffic import AddressSet

Translated = Callable[..., Estate]
NAME = "aws:111122223333:eu-west-1:"


def _table(*routes: Any, **fields: Any) -> dict[str, Any]:
    return {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": list(routes), "Associations": []} | fields


def _routes(translated: Translated, *routes: Any, **answers: Any) -> tuple[Route, ...]:
    estate = translated({"ec2.describe_route_tables": [_table(*routes)]} | answers)
    return estate.route_tables[f"{NAME}rtb-1"].routes


@pytest.mark.semantics(31, 33, 35)
@pytest.mark.parametrize(
    ("target", "kind", "own"),
    [
        ({"GatewayId": "local"}, "local", None),
        ({"GatewayId": "igw-1"}, "internet-gateway", "igw-1"),
        ({"GatewayId": "vgw-1"}, "private-gateway", "vgw-1"),
        ({"GatewayId": "vpce-1"}, "endpoint", "vpce-1"),
        ({"EgressOnlyInternetGatewayId": "eigw-1"}, "egress-only-gateway", "eigw-1"),
        ({"NatGatewayId": "nat-1"}, "nat-gateway", "nat-1"),
        ({"TransitGatewayId": "tgw-1"}, "transit-gateway", "tgw-1"),
        ({"VpcPeeringConnectionId": "pcx-1"}, "peering", "pcx-1"),
        ({"NetworkInterfaceId": "eni-1", "InstanceId": "i-1"}, "interface", "eni-1"),
        ({"CarrierGatewayId": "cagw-1"}, "unknown", "cagw-1"),
        ({"LocalGatewayId": "lgw-1"}, "unknown", "lgw-1"),
        (
            {"CoreNetworkArn": "arn:aws:networkmanager::1:core-network/c"},
            "unknown",
            "arn:aws:networkmanager::1:core-network/c",
        ),
        ({}, "unknown", None),
    ],
)
def test_target_tells_the_kind_of_a_route(
    translated: Translated, target: dict[str, str], kind: str, own: str | None
) -> None:
    (route,) = _routes(translated, {"DestinationCidrBlock": "0.0.0.0/0", "Origin": "CreateRoute"} | target)
    assert (route.kind, route.target) == (kind, own and NAME + own)
    assert route.destination == Addresses(AddressSet.parse("0.0.0.0/0"))


@pytest.mark.semantics(31)
def test_state_origin_and_destination_are_kept(translated: Translated) -> None:
    routes = _routes(
        translated,
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"},
        {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "Origin": "CreateRoute", "State": "active"},
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"},
        {"DestinationCidrBlock": "10.1.0.0/16", "NetworkInterfaceId": "eni-1", "State": "blackhole"},
        {"DestinationCidrBlock": "10.2.0.0/16", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
    )
    assert [(route.origin, route.active) for route in routes] == [
        ("local", True), ("static", True), ("static", True), ("static", False), ("propagated", True),
    ]  # fmt: skip
    assert routes[1].destination == Addresses(AddressSet.parse("::/0"))
    assert routes[2].destination == ListRef(f"{NAME}pl-1")


@pytest.mark.semantics(32)
def test_main_table_and_explicit_subnets_and_gateways(translated: Translated) -> None:
    associations = [
        {"Main": True},
        {"SubnetId": "subnet-1", "AssociationState": {"State": "associated"}},
        {"SubnetId": "subnet-2", "AssociationState": {"State": "disassociated"}},
        {"GatewayId": "igw-1"},
    ]
    estate = translated({"ec2.describe_route_tables": [_table(Associations=associations)]})
    table = estate.route_tables[f"{NAME}rtb-1"]
    assert (table.is_main, table.subnets, table.gateways) == (
        True, frozenset({f"{NAME}subnet-1"}), frozenset({f"{NAME}igw-1"}),
    )  # fmt: skip


def test_unreadable_route_may_lead_anywhere_and_spares_the_others(translated: Translated) -> None:
    answer = [
        _table({"DestinationCidrBlock": "nowhere", "GatewayId": "igw-1"}, 7, {"DestinationCidrBlock": "10.0.0.0/8"})
    ]
    estate = translated({"ec2.describe_route_tables": answer})
    assert [route.kind for route in estate.route_tables[f"{NAME}rtb-1"].routes] == ["unknown"] * 5
    assert [gap.detail.split(":")[0] for gap in estate.gaps] == ["Routes[0]", "Routes[1]"]


@pytest.mark.semantics(38, 47)
def test_target_that_another_account_owns_bears_its_name(translated: Translated) -> None:
    gateway = {"TransitGatewayId": "tgw-1", "OwnerId": "444455556666", "State": "available"}
    answers = {"ec2.describe_transit_gateways": [gateway]}
    (route,) = _routes(translated, {"DestinationCidrBlock": "10.0.0.0/8", "TransitGatewayId": "tgw-1"}, **answers)
    assert route.target == "aws:444455556666:eu-west-1:tgw-1"


@pytest.mark.semantics(32)
def test_main_table_is_no_subnets_table_where_one_that_may_name_it_was_not_read(translated: Translated) -> None:
    subnet = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "OwnerId": "111122223333"}
    main = _table(RouteTableId="rtb-main", Associations=[{"Main": True, "RouteTableId": "rtb-main"}])
    own = _table(Associations=[{"SubnetId": "subnet-1"}])
    tables = {
        table.own_id if table is not None else None
        for wires in ([main, own], [main, own | {"RouteTableId": 5}], [main])
        for estate in [translated({"ec2.describe_subnets": [subnet], "ec2.describe_route_tables": wires})]
        for table in [estate.route_table_of(estate.subnets[f"{NAME}subnet-1"])]
    }
    assert tables == {"rtb-1", None, "rtb-main"}
