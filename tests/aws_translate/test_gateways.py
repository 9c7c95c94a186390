from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Addresses, Estate
from cloudseg.traffic import AddressSet

Translated = Callable[..., Estate]
NAME = "aws:111122223333:eu-west-1:"


@pytest.mark.semantics(33)
def test_internet_gateway_serves_the_vpcs_it_is_attached_to(translated: Translated) -> None:
    gateways: list[dict[str, Any]] = [
        {"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]},
        {"InternetGatewayId": "igw-2", "Attachments": []},
        {"InternetGatewayId": "igw-3", "Attachments": [{"VpcId": "vpc-3", "State": "detaching"}]},
    ]
    estate = translated({"ec2.describe_internet_gateways": gateways})
    found = [(gateway.networks, gateway.active, gateway.public) for gateway in estate.gateways.values()]
    assert found == [(frozenset({f"{NAME}vpc-1"}), True, True), (frozenset(), False, True), (frozenset(), False, True)]


@pytest.mark.semantics(34, 127)
def test_nat_gateway_is_public_unless_it_says_private_and_regional_ones_stand_in_no_subnet(
    translated: Translated,
) -> None:
    base = {"VpcId": "vpc-1", "SubnetId": "subnet-1", "State": "available"}
    gateways = [
        base | {"NatGatewayId": "nat-1"},
        base | {"NatGatewayId": "nat-2", "ConnectivityType": "private"},
        {"NatGatewayId": "nat-3", "VpcId": "vpc-1", "State": "available", "AvailabilityMode": "regional"},
        base | {"NatGatewayId": "nat-4", "State": "deleted"},
        base | {"NatGatewayId": "nat-5", "State": "deleting"},
    ]
    found = translated({"ec2.describe_nat_gateways": gateways}).gateways
    assert [(each.own_id, each.public, each.subnet, each.active) for each in found.values()] == [
        ("nat-1", True, f"{NAME}subnet-1", True),
        ("nat-2", False, f"{NAME}subnet-1", True),
        ("nat-3", True, None, True),
        ("nat-4", True, f"{NAME}subnet-1", False),
        ("nat-5", True, f"{NAME}subnet-1", None),
    ]


@pytest.mark.semantics(34, 127)
def test_nat_gateway_names_its_interfaces_and_a_regional_one_its_route_table(translated: Translated) -> None:
    zonal = {
        "NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "State": "available",
        "NatGatewayAddresses": [{"NetworkInterfaceId": "eni-1"}, {"NetworkInterfaceId": "eni-2"}, {"PublicIp": "x"}],
    }  # fmt: skip
    regional = {
        "NatGatewayId": "nat-2", "VpcId": "vpc-1", "State": "available", "AvailabilityMode": "regional",
        "RouteTableId": "rtb-1",
    }  # fmt: skip
    first, second = translated({"ec2.describe_nat_gateways": [zonal, regional]}).gateways.values()
    assert (first.interfaces, first.route_table) == (frozenset({f"{NAME}eni-1", f"{NAME}eni-2"}), None)
    assert (second.interfaces, second.route_table) == (frozenset(), f"{NAME}rtb-1")


@pytest.mark.semantics(36)
def test_peering_joins_two_vpcs_of_any_account_and_region(translated: Translated) -> None:
    peering = {
        "VpcPeeringConnectionId": "pcx-1",
        "RequesterVpcInfo": {"VpcId": "vpc-9", "OwnerId": "444455556666", "Region": "us-east-1"},
        "AccepterVpcInfo": {"VpcId": "vpc-1", "OwnerId": "111122223333", "Region": "eu-west-1"},
        "Status": {"Code": "active"},
    }
    pending = peering | {"VpcPeeringConnectionId": "pcx-2", "Status": {"Code": "pending-acceptance"}}
    table = {
        "RouteTableId": "rtb-1", "VpcId": "vpc-1",
        "Routes": [{"DestinationCidrBlock": "10.0.0.0/8", "VpcPeeringConnectionId": "pcx-1"}],
    }  # fmt: skip
    estate = translated(
        {"ec2.describe_vpc_peering_connections": [peering, pending], "ec2.describe_route_tables": [table]}
    )
    found = estate.peerings["aws:444455556666:us-east-1:pcx-1"]
    assert found.networks == ("aws:444455556666:us-east-1:vpc-9", f"{NAME}vpc-1")
    assert (found.regions, found.active) == (("us-east-1", "eu-west-1"), True)
    assert not estate.peerings["aws:444455556666:us-east-1:pcx-2"].active
    assert estate.route_tables[f"{NAME}rtb-1"].routes[0].target == found.id


def _transit(**more: Any) -> dict[str, Any]:
    return {
        "ec2.describe_transit_gateways": [
            {"TransitGatewayId": "tgw-1", "OwnerId": "111122223333", "State": "available"},
        ],
        "ec2.describe_transit_gateway_attachments": [
            {
                "TransitGatewayAttachmentId": "tgw-attach-1", "TransitGatewayId": "tgw-1", "ResourceType": "vpc",
                "ResourceOwnerId": "111122223333", "ResourceId": "vpc-1", "State": "available",
                "Association": {"TransitGatewayRouteTableId": "tgw-rtb-1", "State": "associated"},
            },
            {
                "TransitGatewayAttachmentId": "tgw-attach-2", "TransitGatewayId": "tgw-1", "ResourceType": "vpn",
                "ResourceOwnerId": "111122223333", "ResourceId": "vpn-1", "State": "deleted",
            },
        ],
        "ec2.describe_transit_gateway_vpc_attachments": [
            {
                "TransitGatewayAttachmentId": "tgw-attach-1", "TransitGatewayId": "tgw-1", "VpcId": "vpc-1",
                "VpcOwnerId": "111122223333", "State": "available", "SubnetIds": ["subnet-1"],
            },
        ],
        "ec2.describe_transit_gateway_route_tables": [
            {"TransitGatewayRouteTableId": "tgw-rtb-1", "TransitGatewayId": "tgw-1"},
        ],
    } | more  # fmt: skip


@pytest.mark.semantics(38, 39)
def test_attachment_joins_its_two_answers(translated: Translated) -> None:
    found = translated(_transit()).transit_attachments
    first, second = found[f"{NAME}tgw-attach-1"], found[f"{NAME}tgw-attach-2"]
    assert (first.network, first.subnets, first.table, first.active) == (
        f"{NAME}vpc-1", frozenset({f"{NAME}subnet-1"}), f"{NAME}tgw-rtb-1", True,
    )  # fmt: skip
    assert (second.network, second.active) == (None, False)


@pytest.mark.semantics(11)
def test_group_references_are_off_at_the_gateway_and_on_at_the_attachment_unless_set(translated: Translated) -> None:
    estate = translated(_transit())
    assert not estate.gateways[f"{NAME}tgw-1"].shares_groups
    assert estate.transit_attachments[f"{NAME}tgw-attach-1"].shares_groups
    answers = _transit()
    answers["ec2.describe_transit_gateways"][0]["Options"] = {"SecurityGroupReferencingSupport": "enable"}
    answers["ec2.describe_transit_gateway_vpc_attachments"][0]["Options"] = {
        "SecurityGroupReferencingSupport": "disable"
    }
    estate = translated(answers)
    assert estate.gateways[f"{NAME}tgw-1"].shares_groups
    assert not estate.transit_attachments[f"{NAME}tgw-attach-1"].shares_groups


@pytest.mark.semantics(39)
def test_attachment_is_in_appliance_mode_only_where_it_says_so(translated: Translated) -> None:
    assert not translated(_transit()).transit_attachments[f"{NAME}tgw-attach-1"].appliance_mode
    answers = _transit()
    answers["ec2.describe_transit_gateway_vpc_attachments"][0]["Options"] = {"ApplianceModeSupport": "enable"}
    assert translated(answers).transit_attachments[f"{NAME}tgw-attach-1"].appliance_mode


@pytest.mark.semantics(38)
def test_transit_table_holds_the_routes_that_were_found(translated: Translated) -> None:
    routes = [
        {
            "DestinationCidrBlock": "10.1.0.0/16", "Type": "propagated", "State": "active",
            "TransitGatewayAttachments": [{"TransitGatewayAttachmentId": "tgw-attach-1"}],
        },
        {"DestinationCidrBlock": "10.2.0.0/16", "Type": "static", "State": "blackhole"},
    ]  # fmt: skip
    more = {
        "ec2.search_transit_gateway_routes#tgw-rtb-1": {"Routes": routes, "AdditionalRoutesAvailable": False},
        "ec2.get_transit_gateway_route_table_propagations#tgw-rtb-1": [
            {"TransitGatewayAttachmentId": "tgw-attach-1", "State": "enabled"},
        ],
    }
    table = translated(_transit(**more)).transit_tables[f"{NAME}tgw-rtb-1"]
    assert [(route.destination, route.kind, route.target, route.origin) for route in table.routes] == [
        (Addresses(AddressSet.parse("10.1.0.0/16")), "transit-gateway", f"{NAME}tgw-attach-1", "propagated"),
        (Addresses(AddressSet.parse("10.2.0.0/16")), "drop", None, "static"),
    ]
    assert (table.complete, table.propagations) == (True, frozenset({f"{NAME}tgw-attach-1"}))


@pytest.mark.semantics(38)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ec2.search_transit_gateway_routes#tgw-rtb-1": {"Routes": [], "AdditionalRoutesAvailable": True}},
        {"ec2.search_transit_gateway_routes#tgw-rtb-1": {"Routes": [7], "AdditionalRoutesAvailable": False}},
        {"ec2.search_transit_gateway_routes#tgw-rtb-1": {"Routes": [{"DestinationCidrBlock": "x"}]}},
    ],
)
def test_transit_table_that_was_cut_off_is_not_complete(translated: Translated, more: dict[str, Any]) -> None:
    assert not translated(_transit(**more)).transit_tables[f"{NAME}tgw-rtb-1"].complete
