from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Entrance, Estate
from cloudseg.traffic import ALL_ADDRESSES, Traffic

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
    (found,) = estate.entrances.values()
    assert (found.targets, found.active) == ({target}, True)
    assert Traffic.parse("tcp/443") <= found.traffic
    assert not found.traffic.overlaps(Traffic.parse("tcp/22, udp"))


def test_no_origins_are_no_entrances(translated: Translate) -> None:
    assert translated({"global:cloudfront.list_vpc_origins": {"VpcOriginList": {}}}).entrances == {}
