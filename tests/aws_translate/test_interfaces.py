from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Interface
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic

Translated = Callable[..., Estate]
NAME = "aws:111122223333:eu-west-1:"
ENI = {"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "OwnerId": "111122223333"}


def _one(translated: Translated, **fields: Any) -> Interface:
    estate = translated({"ec2.describe_network_interfaces": [ENI | fields]})
    return estate.interfaces[f"{NAME}eni-1"]


@pytest.mark.semantics(44)
def test_interface_has_all_its_addresses_and_groups(translated: Translated) -> None:
    found = _one(
        translated,
        PrivateIpAddress="10.0.0.5",
        PrivateIpAddresses=[
            {"PrivateIpAddress": "10.0.0.5", "Association": {"PublicIp": "198.51.100.5"}},
            {"PrivateIpAddress": "10.0.0.6", "Association": {"PublicIp": "198.51.100.6"}},
        ],
        Ipv4Prefixes=[{"Ipv4Prefix": "10.0.0.32/28"}],
        Ipv6Addresses=[{"Ipv6Address": "2001:db8::5"}, {"Ipv6Address": "fd00::5"}],
        Groups=[{"GroupId": "sg-1"}, {"GroupId": "sg-2"}],
    )
    assert found.addresses == AddressSet.parse("10.0.0.5, 10.0.0.6, 10.0.0.32/28, 2001:db8::5, fd00::5")
    assert found.public == AddressSet.parse("198.51.100.5, 198.51.100.6, 2001:db8::5")
    assert found.attached == {f"{NAME}sg-1", f"{NAME}sg-2"}


@pytest.mark.semantics(33, 129)
def test_global_ipv6_address_is_public_without_any_public_ipv4(translated: Translated) -> None:
    found = _one(translated, PrivateIpAddress="10.0.0.5", Ipv6Addresses=[{"Ipv6Address": "2001:db8::5"}])
    assert (found.has_public_address(4), found.has_public_address(6)) == (False, True)


def test_interface_that_denies_internet_gateways_has_no_public_address(translated: Translated) -> None:
    found = _one(translated, Ipv6Addresses=[{"Ipv6Address": "2001:db8::5"}], DenyAllIgwTraffic=True)
    assert not found.public


@pytest.mark.semantics(47)
def test_interface_in_a_shared_vpc_names_the_owner_of_the_network(translated: Translated) -> None:
    theirs = {"OwnerId": "444455556666"}
    estate = translated(
        {
            "ec2.describe_network_interfaces": [ENI | {"Groups": [{"GroupId": "sg-own"}, {"GroupId": "sg-shared"}]}],
            "ec2.describe_security_groups": [
                {"GroupId": "sg-shared", "IpPermissions": [], "IpPermissionsEgress": []} | theirs,
            ],
            "ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"} | theirs],
            "ec2.describe_subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"} | theirs],
        }
    )
    found = estate.interfaces[f"{NAME}eni-1"]
    assert found.network == "aws:444455556666:eu-west-1:vpc-1"
    assert found.subnet == "aws:444455556666:eu-west-1:subnet-1"
    assert found.attached == {f"{NAME}sg-own", "aws:444455556666:eu-west-1:sg-shared"}


@pytest.mark.semantics(35)
def test_role_forwarding_and_owner_of_an_interface(translated: Translated) -> None:
    found = _one(
        translated, InterfaceType="nat_gateway", SourceDestCheck=False, RequesterManaged=True, RequesterId="1111"
    )
    assert (found.role, found.forwards, found.managed_by, found.workload) == ("nat_gateway", True, "nat_gateway", None)
    older = _one(translated, Description="VPC Endpoint Interface vpce-1", RequesterManaged=True)
    assert (older.role, older.managed_by) == ("vpc_endpoint", "vpc_endpoint")
    balancer = _one(translated, RequesterManaged=True, RequesterId="amazon-elb")
    assert balancer.managed_by == "amazon-elb"
    directory = _one(translated, RequesterManaged=True, RequesterId="1111", InterfaceType="interface")
    assert directory.managed_by == "aws"
    assert _one(translated, RequesterManaged=False, RequesterId="AIDA1").managed_by == ""


@pytest.mark.semantics(47)
def test_subnet_tells_whose_network_it_is_where_the_network_was_not_listed(translated: Translated) -> None:
    subnet = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "OwnerId": "444455556666"}
    estate = translated({"ec2.describe_network_interfaces": [ENI], "ec2.describe_subnets": [subnet]})
    assert estate.interfaces[f"{NAME}eni-1"].network == "aws:444455556666:eu-west-1:vpc-1"


def test_malformed_address_is_a_gap_and_the_others_stay(translated: Translated) -> None:
    estate = translated(
        {
            "ec2.describe_network_interfaces": [
                ENI | {"PrivateIpAddress": "10.0.0.5", "Ipv6Addresses": [{"Ipv6Address": "2001:db8::x"}], "Groups": []}
            ]
        }
    )
    assert estate.interfaces[f"{NAME}eni-1"].addresses == AddressSet.parse("10.0.0.5")
    assert [(gap.resource, gap.facets) for gap in estate.gaps] == [("eni-1", ("interfaces",))]


def test_elastic_address_reaches_the_interface_that_did_not_show_it(translated: Translated) -> None:
    addresses = [{"PublicIp": "198.51.100.9", "NetworkInterfaceId": "eni-1"}, {"PublicIp": "198.51.100.10"}]
    estate = translated({"ec2.describe_network_interfaces": [ENI], "ec2.describe_addresses": addresses})
    assert estate.interfaces[f"{NAME}eni-1"].public == AddressSet.parse("198.51.100.9")


def _instances(*instances: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"OwnerId": "111122223333", "Instances": list(instances)}]


@pytest.mark.semantics(44)
def test_interface_of_an_instance_names_it(translated: Translated) -> None:
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, "Tags": [{"Key": "Name", "Value": "web"}]}
    estate = translated(
        {
            "ec2.describe_network_interfaces": [ENI | {"Attachment": {"InstanceId": "i-1"}}],
            "ec2.describe_instances": _instances(instance | {"VpcId": "vpc-1", "NetworkInterfaces": [ENI]}),
        }
    )
    owner = estate.owner_of(estate.interfaces[f"{NAME}eni-1"])
    assert owner is not None
    assert owner.name == "web"
    assert list(estate.interfaces) == [f"{NAME}eni-1"]


def test_instances_show_their_interfaces_where_those_were_not_read(translated: Translated) -> None:
    running = {"InstanceId": "i-1", "State": {"Name": "running"}, "VpcId": "vpc-1", "NetworkInterfaces": [ENI, 7]}
    ended: dict[str, Any] = {"InstanceId": "i-2", "State": {"Name": "terminated"}, "SecurityGroups": []}
    estate = translated({"ec2.describe_instances": _instances(running, ended)})
    assert estate.interfaces[f"{NAME}eni-1"].workload == f"{NAME}i-1"
    assert [(each.own_id, each.running) for each in estate.workloads.values()] == [("i-1", True), ("i-2", False)]
    assert estate.coverage.state("interfaces", "aws", "111122223333", "eu-west-1") == "partly"


def test_instance_without_listed_interfaces_has_the_one_it_describes(translated: Translated) -> None:
    instance = {
        "InstanceId": "i-1", "State": {"Name": "running"}, "VpcId": "vpc-1", "SubnetId": "subnet-1",
        "PrivateIpAddress": "10.0.0.5", "PublicIpAddress": "198.51.100.5", "SecurityGroups": [{"GroupId": "sg-1"}],
    }  # fmt: skip
    (found,) = translated({"ec2.describe_instances": _instances(instance)}).interfaces.values()
    assert (found.derived, found.attached) == (True, {f"{NAME}sg-1"})
    assert found.public == AddressSet.parse("198.51.100.5")


ALB = {
    "LoadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188",
    "LoadBalancerName": "web", "Scheme": "internet-facing", "Type": "application", "VpcId": "vpc-1",
    "State": {"Code": "active"}, "SecurityGroups": ["sg-1"],
    "AvailabilityZones": [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}],
}  # fmt: skip
NLB = ALB | {
    "LoadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/api/1", "Type": "network",
}  # fmt: skip


@pytest.mark.semantics(206)
def test_load_balancer_owns_the_interfaces_that_name_it(translated: Translated) -> None:
    interfaces = [
        ENI | {"Description": "ELB app/web/50dc6c495c0c9188"},
        ENI | {"NetworkInterfaceId": "eni-2", "Description": "ELB web"},
    ]
    classic = {"LoadBalancerName": "web", "Scheme": "internal", "VPCId": "vpc-1", "Subnets": ["subnet-1"]}
    estate = translated(
        {
            "ec2.describe_network_interfaces": interfaces,
            "elbv2.describe_load_balancers": [ALB],
            "elb.describe_load_balancers": [classic],
        }
    )
    owners = [estate.owner_of(estate.interfaces[f"{NAME}eni-{number}"]) for number in (1, 2)]
    assert [(owner and owner.own_id, getattr(owner, "internet_facing", None)) for owner in owners] == [
        (ALB["LoadBalancerArn"], True),
        ("web", False),
    ]
    assert len(estate.interfaces) == 2


@pytest.mark.semantics(206)
def test_load_balancer_without_read_interfaces_has_one_in_each_subnet(translated: Translated) -> None:
    internal = ALB | {
        "LoadBalancerArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/in/1",
        "Scheme": "internal",
    }
    estate = translated({"elbv2.describe_load_balancers": [ALB, internal]})
    found = sorted(estate.interfaces.values(), key=lambda each: each.id)
    assert [(each.derived, each.public_unlisted, each.attached) for each in found] == [
        (True, False, {f"{NAME}sg-1"}), (True, False, {f"{NAME}sg-1"}),
        (True, True, {f"{NAME}sg-1"}), (True, True, {f"{NAME}sg-1"}),
    ]  # fmt: skip


@pytest.mark.semantics(42)
def test_network_load_balancer_made_without_groups_carries_none(translated: Translated) -> None:
    wire: dict[str, Any] = {key: value for key, value in NLB.items() if key != "SecurityGroups"}
    wire["AvailabilityZones"] = [
        {
            "SubnetId": "subnet-1",
            "LoadBalancerAddresses": [{"IpAddress": "198.51.100.7", "PrivateIPv4Address": "10.0.0.7"}],
        }
    ]
    (found,) = translated({"elbv2.describe_load_balancers": [wire]}).interfaces.values()
    assert (found.attached, found.public_unlisted) == (frozenset(), False)
    assert (found.addresses, found.public) == (AddressSet.parse("10.0.0.7"), AddressSet.parse("198.51.100.7"))


def _targets(translated: Translated, group: dict[str, Any], ids: list[str], **more: Any) -> Estate:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/api/1"
    wire = {
        "TargetGroupArn": arn, "Protocol": "TCP", "Port": 8080, "VpcId": "vpc-1",
        "LoadBalancerArns": [NLB["LoadBalancerArn"]],
    }  # fmt: skip
    health = [{"Target": {"Id": each}} for each in ids]
    return translated(
        {
            "elbv2.describe_load_balancers": [more.get("balancer", NLB)],
            "elbv2.describe_target_groups": [wire | group],
            f"elbv2.describe_target_health#{arn}": health,
            f"elbv2.describe_target_group_attributes#{arn}": more.get("attributes", []),
        }
    )


@pytest.mark.semantics(33, 42)
def test_public_network_load_balancer_is_a_way_in_to_its_targets(translated: Translated) -> None:
    (entrance,) = _targets(translated, {"TargetType": "instance"}, ["i-1"]).entrances.values()
    assert (entrance.targets, entrance.traffic) == ({f"{NAME}i-1"}, Traffic.parse("tcp/8080"))
    assert (entrance.clients, entrance.active) == (ALL_ADDRESSES, True)
    by_address = _targets(translated, {"TargetType": "ip", "Protocol": "TCP_UDP"}, ["10.0.0.5"])
    (entrance,) = by_address.entrances.values()
    assert (entrance.target_addresses, entrance.network) == (AddressSet.parse("10.0.0.5"), f"{NAME}vpc-1")
    assert entrance.traffic == Traffic.parse("tcp/8080, udp/8080")


@pytest.mark.semantics(42)
def test_targets_see_the_balancer_where_client_addresses_are_not_preserved(translated: Translated) -> None:
    rewriting = [{"Key": "preserve_client_ip.enabled", "Value": "false"}]
    zones = [{"SubnetId": "subnet-1", "LoadBalancerAddresses": [{"PrivateIPv4Address": "10.0.0.7"}]}]
    estate = _targets(translated, {}, ["i-1"], attributes=rewriting, balancer=NLB | {"AvailabilityZones": zones})
    (entrance,) = estate.entrances.values()
    assert entrance.clients == AddressSet.parse("10.0.0.7")


@pytest.mark.semantics(33, 206)
def test_internal_load_balancer_is_no_way_in(translated: Translated) -> None:
    assert not _targets(translated, {}, ["i-1"], balancer=NLB | {"Scheme": "internal"}).entrances


def test_unread_targets_are_a_gap(translated: Translated) -> None:
    group = {"TargetGroupArn": "arn:tg", "LoadBalancerArns": [NLB["LoadBalancerArn"]]}
    estate = translated({"elbv2.describe_load_balancers": [NLB], "elbv2.describe_target_groups": [group]})
    assert [(gap.what, gap.resource, gap.reason) for gap in estate.gaps] == [
        ("elbv2.describe_target_health", "arn:tg", "unread")
    ]


def test_groups_that_an_answer_leaves_out_are_unknown_and_an_empty_list_is_none(translated: Translated) -> None:
    cut = translated({"ec2.describe_network_interfaces": [ENI]})
    assert cut.interfaces[f"{NAME}eni-1"].attached_unread
    assert [(gap.resource, gap.reason, gap.facets) for gap in cut.gaps] == [("eni-1", "unread", ("interfaces",))]
    shown = translated({"ec2.describe_network_interfaces": [ENI | {"Groups": []}]})
    assert (shown.interfaces[f"{NAME}eni-1"].attached_unread, shown.gaps) == (False, ())


def test_groups_of_an_instance_that_were_cut_are_unknown(translated: Translated) -> None:
    instance = {"InstanceId": "i-1", "State": {"Name": "running"}, "VpcId": "vpc-1", "SubnetId": "subnet-1"}
    estate = translated({"ec2.describe_instances": [{"Instances": [instance]}]})
    (interface,) = estate.interfaces.values()
    assert interface.attached_unread
    assert [gap.detail for gap in estate.gaps] == ["SecurityGroups is missing; an instance in a VPC always has one"]


@pytest.mark.semantics(42)
@pytest.mark.parametrize(("kind", "unread"), [("application", True), ("network", False)])
def test_only_network_load_balancers_can_be_without_groups(translated: Translated, kind: str, *, unread: bool) -> None:
    wire = {key: value for key, value in NLB.items() if key != "SecurityGroups"}
    zones = [{"SubnetId": "subnet-1"}]
    balancer = wire | {"Type": kind, "AvailabilityZones": zones}
    estate = translated({"elbv2.describe_load_balancers": [balancer]})
    assert [interface.attached_unread for interface in estate.interfaces.values()] == [unread]
    assert bool(estate.gaps) is unread


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        ({"InstanceId": "i-1", "DeviceIndex": 0}, "10.0.0.5"),
        ({"InstanceId": "i-1", "DeviceIndex": 0, "NetworkCardIndex": 0}, "10.0.0.5"),
        ({"InstanceId": "i-1", "DeviceIndex": 1, "NetworkCardIndex": 0}, "none"),
        ({"InstanceId": "i-1", "DeviceIndex": 0, "NetworkCardIndex": 1}, "none"),
        ({"InstanceId": "i-1"}, "none"),
        (None, "none"),
    ],
)
def test_the_first_interface_of_a_machine_bears_its_primary_address(
    translated: Translated, attachment: dict[str, Any] | None, expected: str
) -> None:
    """Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html."""
    others = [{"PrivateIpAddress": "10.0.0.5"}, {"PrivateIpAddress": "10.0.0.6"}]
    found = _one(translated, PrivateIpAddress="10.0.0.5", PrivateIpAddresses=others, Attachment=attachment)
    assert found.primary == AddressSet.parse(expected)
