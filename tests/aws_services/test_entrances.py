from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Entrance, Estate
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
ACCELERATOR = "arn:aws:globalaccelerator::111122223333:accelerator/a"
LISTENER = f"{ACCELERATOR}/listener/l"
GROUP = f"{LISTENER}/endpoint-group/g"
BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/1"
BALANCERS = [{"LoadBalancerArn": BALANCER, "LoadBalancerName": "web", "VpcId": "vpc-1", "Scheme": "internal"}]


def accelerated(
    translated: Translate, endpoint: str, *, enabled: bool = True, listener: Any = None, overrides: Any = ()
) -> tuple[Entrance, Estate]:
    wire = {"ListenerArn": LISTENER, "Protocol": "TCP", "PortRanges": [{"FromPort": 80, "ToPort": 81}]}
    group = {
        "EndpointGroupArn": GROUP, "EndpointGroupRegion": "eu-west-1", "PortOverrides": list(overrides),
        "EndpointDescriptions": [{"EndpointId": endpoint, "ClientIPPreservationEnabled": True}],
    }  # fmt: skip
    estate = translated(
        {
            "global:globalaccelerator.list_accelerators": [
                {"AcceleratorArn": ACCELERATOR, "Name": "edge", "Enabled": enabled}
            ],
            f"global:globalaccelerator.list_listeners#{ACCELERATOR}": [wire] if listener is None else listener,
            f"global:globalaccelerator.list_endpoint_groups#{LISTENER}": [group],
            "elbv2.describe_load_balancers": BALANCERS,
            "ec2.describe_instances": [{"OwnerId": "111122223333", "Instances": [{"InstanceId": "i-1"}]}],
            "ec2.describe_network_interfaces": [
                {"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-a", "Groups": []}
            ],
            "ec2.describe_addresses": [
                {"AllocationId": "eipalloc-1", "NetworkInterfaceId": "eni-1", "PublicIp": "203.0.113.9"}
            ],
        }
    )
    (found,) = (each for each in estate.entrances.values() if each.kind == "global-accelerator-endpoint-group")
    return found, estate


@pytest.mark.semantics(33, 126)
@pytest.mark.parametrize(
    ("endpoint", "target"),
    [
        (BALANCER, f"{HERE}:{BALANCER}"),
        ("i-1", f"{HERE}:i-1"),
        ("eipalloc-1", f"{HERE}:eni-1"),
        ("i-elsewhere", f"{HERE}:i-elsewhere"),
        (
            "arn:aws:elasticloadbalancing:us-east-1:999988887777:loadbalancer/app/other/1",
            "aws:999988887777:us-east-1:arn:aws:elasticloadbalancing:us-east-1:999988887777:loadbalancer/app/other/1",
        ),
    ],
)
def test_an_accelerator_leads_to_what_its_groups_name(translated: Translate, endpoint: str, target: str) -> None:
    found, _ = accelerated(translated, endpoint)
    assert found.targets == {target}
    assert (found.name, found.active, found.clients) == ("edge", True, ALL_ADDRESSES)
    assert found.traffic == Traffic.parse("tcp/80-81")


def test_a_disabled_accelerator_is_not_active(translated: Translate) -> None:
    assert accelerated(translated, "i-1", enabled=False)[0].active is False


def test_a_port_override_changes_the_port_that_the_target_sees(translated: Translate) -> None:
    overrides = [{"ListenerPort": 80, "EndpointPort": 8080}]
    assert accelerated(translated, "i-1", overrides=overrides)[0].traffic == Traffic.parse("tcp/81, tcp/8080")


def test_two_overrides_may_swap_ports(translated: Translate) -> None:
    overrides = [{"ListenerPort": 80, "EndpointPort": 81}, {"ListenerPort": 81, "EndpointPort": 80}]
    assert accelerated(translated, "i-1", overrides=overrides)[0].traffic == Traffic.parse("tcp/80-81")


@pytest.mark.parametrize(
    "listener", [[], [{"ListenerArn": LISTENER, "Protocol": "TCP", "PortRanges": [{"FromPort": 9, "ToPort": 1}]}]]
)
def test_a_listener_that_cannot_be_read_stands_for_every_port(translated: Translate, listener: object) -> None:
    found, estate = accelerated(translated, "i-1", listener=listener)
    assert found.traffic == Traffic.parse("tcp, udp")
    assert {gap.facets for gap in estate.gaps} == {("entrances",)}


@pytest.mark.semantics(33, 126)
@pytest.mark.parametrize(
    ("endpoint", "target"),
    [(BALANCER, f"{HERE}:{BALANCER}"), ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1", f"{HERE}:i-1")],
)
def test_a_vpc_origin_leads_to_a_balancer_or_an_instance(translated: Translate, endpoint: str, target: str) -> None:
    origin = {"Id": "vo_1", "Name": "web", "Status": "Deployed", "OriginEndpointArn": endpoint}
    estate = translated(
        {
            "global:cloudfront.list_vpc_origins": {"VpcOriginList": {"Items": [origin]}},
            "elbv2.describe_load_balancers": BALANCERS,
            "ec2.describe_instances": [{"OwnerId": "111122223333", "Instances": [{"InstanceId": "i-1"}]}],
        }
    )
    found, private = sorted(estate.entrances.values(), key=lambda each: each.id)
    assert (found.targets, found.active) == ({target}, True)
    assert (private.targets, private.active) == ({target}, None)
    assert Traffic.parse("tcp/443") <= found.traffic
    assert not found.traffic.overlaps(Traffic.parse("tcp/22, udp"))


@pytest.mark.semantics(33, 126)
def test_a_vpc_origin_may_be_seen_under_the_group_and_the_addresses_of_its_targets_network(
    translated: Translate,
) -> None:
    name = "CloudFront-VPCOrigins-Service-SG"
    origin = {"Id": "vo_1", "Name": "web", "Status": "Deployed", "OriginEndpointArn": BALANCER}
    estate = translated(
        {
            "global:cloudfront.list_vpc_origins": {"VpcOriginList": {"Items": [origin]}},
            "ec2.describe_vpcs": [
                {"VpcId": "vpc-1", "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}]},
                {"VpcId": "vpc-2", "CidrBlockAssociationSet": [{"CidrBlock": "10.1.0.0/16"}]},
            ],
            "ec2.describe_security_groups": [
                {"GroupId": "sg-1", "GroupName": name, "VpcId": "vpc-1"},
                {"GroupId": "sg-2", "GroupName": name, "VpcId": "vpc-2"},
                {"GroupId": "sg-3", "GroupName": "web", "VpcId": "vpc-1"},
            ],
            "elbv2.describe_load_balancers": BALANCERS,
        }
    )
    found, private = sorted(estate.entrances.values(), key=lambda each: each.id)
    assert (found.clients, found.groups) == (ALL_ADDRESSES, frozenset())
    assert (private.clients, private.groups) == (AddressSet.parse("10.0.0.0/16"), {f"{HERE}:sg-1"})
    assert (private.active, private.doubt) == (
        None,
        "whether vo_1 (web) is seen under an address or a group of the network is not known",
    )


@pytest.mark.semantics(33, 126)
@pytest.mark.parametrize(
    ("description", "network", "found"),
    [
        ("CloudFront managed ENI", "vpc-1", "sg-9"),
        ("CloudFront managed ENI", "vpc-2", ""),
        ("web", "vpc-1", ""),
    ],
)
def test_the_groups_of_cloudfronts_own_interfaces_are_the_services_whatever_their_name(
    translated: Translate, description: str, network: str, found: str
) -> None:
    origin = {"Id": "vo_1", "Name": "web", "Status": "Deployed", "OriginEndpointArn": BALANCER}
    interface = {
        "NetworkInterfaceId": "eni-1", "VpcId": network, "Description": description, "OwnerId": "111122223333",
        "Groups": [{"GroupId": "sg-9"}],
    }  # fmt: skip
    estate = translated(
        {
            "global:cloudfront.list_vpc_origins": {"VpcOriginList": {"Items": [origin]}},
            "ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}]}],
            "ec2.describe_security_groups": [{"GroupId": "sg-9", "GroupName": "renamed", "VpcId": network}],
            "ec2.describe_network_interfaces": [interface],
            "elbv2.describe_load_balancers": BALANCERS,
        }
    )
    _, private = sorted(estate.entrances.values(), key=lambda each: each.id)
    assert private.groups == ({f"{HERE}:{found}"} if found else set())


def routed(translated: Translate, *destinations: Any, enabled: bool | None = True) -> tuple[Entrance, Estate]:
    """An accelerator with custom routing to one of two subnets, with an interface in each."""
    group = {
        "EndpointGroupArn": GROUP, "EndpointGroupRegion": "eu-west-1", "DestinationDescriptions": list(destinations),
        "EndpointDescriptions": [{"EndpointId": "subnet-a"}],
    }  # fmt: skip
    estate = translated(
        {
            "global:globalaccelerator.list_custom_routing_accelerators": [
                {"AcceleratorArn": ACCELERATOR, "Name": "games", "Enabled": enabled}
            ],
            f"global:globalaccelerator.list_custom_routing_listeners#{ACCELERATOR}": [
                {"ListenerArn": LISTENER, "PortRanges": [{"FromPort": 5000, "ToPort": 10000}]}
            ],
            f"global:globalaccelerator.list_custom_routing_endpoint_groups#{LISTENER}": [group],
            "ec2.describe_subnets": [
                {"SubnetId": f"subnet-{own}", "VpcId": "vpc-1", "OwnerId": "111122223333"} for own in "ab"
            ],
            "ec2.describe_network_interfaces": [
                {"NetworkInterfaceId": f"eni-{own}", "VpcId": "vpc-1", "SubnetId": f"subnet-{own}", "Groups": []}
                for own in "ab"
            ],
        }
    )
    (found,) = estate.entrances.values()
    return found, estate


GAMES = {"FromPort": 80, "ToPort": 90, "Protocols": ["TCP", "UDP"]}


@pytest.mark.semantics(33, 126)
def test_an_accelerator_with_custom_routing_may_lead_to_all_that_stands_in_its_subnets(translated: Translate) -> None:
    found, estate = routed(translated, GAMES, {"FromPort": 22, "ToPort": 22, "Protocols": ["TCP"]})
    assert (found.name, found.targets, found.clients) == ("games", {f"{HERE}:subnet-a"}, ALL_ADDRESSES)
    assert found.traffic == Traffic.parse("tcp/22, tcp/80-90, udp/80-90")
    led = {own: estate.entrances_to(interface) for own, interface in estate.interfaces.items()}
    assert led == {f"{HERE}:eni-a": (found,), f"{HERE}:eni-b": ()}


@pytest.mark.parametrize(("enabled", "active"), [(True, None), (None, None), (False, False)])
def test_custom_routing_lets_in_at_most_what_somebody_allowed(
    translated: Translate,
    enabled: bool | None,  # noqa: FBT001 - a row
    active: bool | None,  # noqa: FBT001 - a row
) -> None:
    found, _ = routed(translated, GAMES, enabled=enabled)
    assert found.active is active
    assert "sends to none until somebody allows it" in found.doubt


def test_destinations_that_cannot_be_read_stand_for_every_port(translated: Translate) -> None:
    found, estate = routed(translated, {"FromPort": 9, "ToPort": 1, "Protocols": ["TCP"]})
    assert found.traffic == Traffic.parse("tcp, udp")
    assert {gap.facets for gap in estate.gaps} == {("entrances",)}


def test_no_origins_are_no_entrances(translated: Translate) -> None:
    assert translated({"global:cloudfront.list_vpc_origins": {"VpcOriginList": {}}}).entrances == {}
