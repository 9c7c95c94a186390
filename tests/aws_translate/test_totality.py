from typing import Any

import pytest
from hypothesis import given

from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import Part, Snapshot, load
from tests.spoiling import NO_SAMPLES, assert_told, examples, junk, recorded, spoiled_snapshots

TAGS = [{"Key": "Name", "Value": "x"}]
PEERS = {
    "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
    "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
    "PrefixListIds": [{"PrefixListId": "pl-1"}],
    "UserIdGroupPairs": [{"GroupId": "sg-1", "UserId": "1"}],
}
ANSWERS: dict[tuple[str, ...], Any] = {
    ("ec2", "describe_vpcs"): {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/8", "OwnerId": "1", "Tags": TAGS}]},
    ("ec2", "describe_subnets"): {
        "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "MapPublicIpOnLaunch": True}]
    },
    ("ec2", "describe_vpc_block_public_access_options"): {
        "VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "block-ingress", "State": "update-complete"}
    },
    ("ec2", "describe_vpc_block_public_access_exclusions"): {
        "VpcBlockPublicAccessExclusions": [{"ResourceArn": "a/vpc-1", "State": "create-complete"}]
    },
    ("ec2", "describe_security_groups"): {
        "SecurityGroups": [
            {
                "GroupId": "sg-1",
                "VpcId": "vpc-1",
                "GroupName": "default",
                "Tags": TAGS,
                "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22} | PEERS],
                "IpPermissionsEgress": [{"IpProtocol": "-1"} | PEERS],
            }
        ]
    },
    ("ec2", "describe_security_group_rules"): {
        "SecurityGroupRules": [
            {
                "SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": False, "IpProtocol": "tcp",
                "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8",
            }
        ]
    },
    ("ec2", "describe_security_group_vpc_associations"): {
        "SecurityGroupVpcAssociations": [{"GroupId": "sg-1", "VpcId": "vpc-2", "State": "associated"}]
    },
    ("ec2", "describe_network_acls"): {
        "NetworkAcls": [
            {
                "NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True,
                "Associations": [{"SubnetId": "subnet-1"}],
                "Entries": [
                    {
                        "RuleNumber": 100, "Egress": False, "RuleAction": "allow", "Protocol": "6",
                        "PortRange": {"From": 1, "To": 2}, "CidrBlock": "0.0.0.0/0",
                    },
                    {
                        "RuleNumber": 110, "Egress": True, "RuleAction": "deny", "Protocol": "58",
                        "IcmpTypeCode": {"Type": -1, "Code": -1}, "Ipv6CidrBlock": "::/0",
                    },
                ],
            }
        ]
    },
    ("ec2", "describe_managed_prefix_lists"): {
        "PrefixLists": [{"PrefixListId": "pl-1", "PrefixListName": "x", "OwnerId": "AWS", "MaxEntries": 3}]
    },
    ("ec2", "get_managed_prefix_list_entries", "pl-1"): {"Entries": [{"Cidr": "10.0.0.0/8"}]},
    ("ec2", "describe_prefix_lists"): {"PrefixLists": [{"PrefixListId": "pl-2", "Cidrs": ["10.0.0.0/8"]}]},
    ("ec2", "describe_network_interfaces"): {
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "OwnerId": "1",
                "PrivateIpAddress": "10.0.0.1", "Groups": [{"GroupId": "sg-1"}],
                "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.1", "Association": {"PublicIp": "8.8.8.8"}}],
                "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}], "Attachment": {"InstanceId": "i-1"},
                "Description": "ELB net/x/1", "TagSet": TAGS, "Operator": {"Managed": False},
            }
        ]
    },
    ("ec2", "describe_addresses"): {"Addresses": [{"PublicIp": "8.8.4.4", "NetworkInterfaceId": "eni-1"}]},
    ("ec2", "describe_instances"): {
        "Reservations": [
            {
                "OwnerId": "1",
                "Instances": [
                    {
                        "InstanceId": "i-1", "State": {"Name": "running"}, "VpcId": "vpc-1", "Tags": TAGS,
                        "NetworkInterfaces": [{"NetworkInterfaceId": "eni-2", "Groups": [{"GroupId": "sg-1"}]}],
                    }
                ],
            }
        ]
    },
    ("ec2", "describe_route_tables"): {
        "RouteTables": [
            {
                "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}],
                "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}],
            }
        ]
    },
    ("ec2", "describe_internet_gateways"): {
        "InternetGateways": [{"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}]
    },
    ("ec2", "describe_nat_gateways"): {"NatGateways": [{"NatGatewayId": "nat-1", "VpcId": "vpc-1", "State": "x"}]},
    ("ec2", "describe_vpn_gateways"): {
        "VpnGateways": [
            {"VpnGatewayId": "vgw-1", "State": "available", "VpcAttachments": [{"VpcId": "vpc-1", "State": "attached"}]}
        ]
    },
    ("ec2", "describe_customer_gateways"): {
        "CustomerGateways": [{"CustomerGatewayId": "cgw-1", "IpAddress": "9.9.9.9"}]
    },
    ("ec2", "describe_vpn_connections"): {
        "VpnConnections": [
            {
                "VpnConnectionId": "vpn-1", "VpnGatewayId": "vgw-1", "CustomerGatewayId": "cgw-1", "State": "available",
                "Options": {
                    "StaticRoutesOnly": True, "RemoteIpv4NetworkCidr": "0.0.0.0/0",
                    "TunnelOptions": [{"OutsideIpAddress": "8.8.8.8"}],
                },
                "Routes": [{"DestinationCidrBlock": "10.9.0.0/16", "State": "available"}],
                "VgwTelemetry": [{"OutsideIpAddress": "8.8.8.8", "Status": "UP"}],
            }
        ]
    },
    ("ec2", "describe_vpc_peering_connections"): {
        "VpcPeeringConnections": [
            {
                "VpcPeeringConnectionId": "pcx-1", "RequesterVpcInfo": {"VpcId": "vpc-1"},
                "AccepterVpcInfo": {"VpcId": "vpc-2"}, "Status": {"Code": "active"},
            }
        ]
    },
    ("ec2", "describe_transit_gateways"): {"TransitGateways": [{"TransitGatewayId": "tgw-1", "Options": {}}]},
    ("ec2", "describe_transit_gateway_attachments"): {
        "TransitGatewayAttachments": [
            {
                "TransitGatewayAttachmentId": "tga-1", "TransitGatewayId": "tgw-1", "ResourceType": "vpc",
                "ResourceId": "vpc-1", "Association": {"TransitGatewayRouteTableId": "tgw-rtb-1"},
            }
        ]
    },
    ("ec2", "describe_transit_gateway_route_tables"): {
        "TransitGatewayRouteTables": [{"TransitGatewayRouteTableId": "tgw-rtb-1", "TransitGatewayId": "tgw-1"}]
    },
    ("ec2", "search_transit_gateway_routes", "tgw-rtb-1"): {
        "Routes": [
            {
                "DestinationCidrBlock": "10.0.0.0/8", "State": "active",
                "TransitGatewayAttachments": [{"TransitGatewayAttachmentId": "tga-1"}],
            }
        ],
        "AdditionalRoutesAvailable": False,
    },
    ("elbv2", "describe_load_balancers"): {
        "LoadBalancers": [
            {
                "LoadBalancerArn": "arn:aws:elasticloadbalancing:r:1:loadbalancer/net/y/1", "VpcId": "vpc-1",
                "Scheme": "internet-facing", "State": {"Code": "active"},
                "AvailabilityZones": [{"SubnetId": "subnet-1", "LoadBalancerAddresses": [{"IpAddress": "8.8.8.8"}]}],
            }
        ]
    },
    ("elb", "describe_load_balancers"): {
        "LoadBalancerDescriptions": [
            {
                "LoadBalancerName": "z", "Subnets": ["subnet-1"], "Instances": [{"InstanceId": "i-1"}],
                "ListenerDescriptions": [
                    {"Listener": {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}}
                ],
                "HealthCheck": {"Target": "HTTP:8080/"},
            }
        ]
    },
    ("elb", "describe_load_balancer_attributes", "z"): {
        "LoadBalancerAttributes": {"CrossZoneLoadBalancing": {"Enabled": True}}
    },
    ("elb", "describe_instance_health", "z"): {"InstanceStates": [{"InstanceId": "i-1", "State": "InService"}]},
    ("elbv2", "describe_target_groups"): {
        "TargetGroups": [
            {
                "TargetGroupArn": "arn:tg", "Protocol": "TCP", "Port": 80, "TargetType": "ip",
                "LoadBalancerArns": ["arn:aws:elasticloadbalancing:r:1:loadbalancer/net/y/1"],
            }
        ]
    },
    ("elbv2", "describe_target_health", "arn:tg"): {
        "TargetHealthDescriptions": [
            {
                "Target": {"Id": "10.0.0.9", "AvailabilityZone": "eu-west-1a"},
                "TargetHealth": {"State": "unused", "Reason": "Target.NotInUse"},
            }
        ]
    },
    ("elbv2", "describe_target_group_attributes", "arn:tg"): {
        "Attributes": [{"Key": "preserve_client_ip.enabled", "Value": "true"}]
    },
    ("elbv2", "describe_load_balancer_attributes", "arn:aws:elasticloadbalancing:r:1:loadbalancer/net/y/1"): {
        "Attributes": [{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}]
    },
    ("elbv2", "describe_listeners", "arn:aws:elasticloadbalancing:r:1:loadbalancer/net/y/1"): {
        "Listeners": [
            {
                "ListenerArn": "arn:l", "Protocol": "TCP", "Port": 443,
                "DefaultActions": [
                    {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:tg", "Weight": 1}]}}
                ],
            },
            {"ListenerArn": "arn:h", "Protocol": "HTTP", "Port": 80, "DefaultActions": [{"Type": "redirect"}]},
        ]
    },
    ("elbv2", "describe_rules", "arn:h"): {
        "Rules": [{"RuleArn": "arn:r", "Actions": [{"Type": "forward", "TargetGroupArn": "arn:tg"}]}]
    },
}  # fmt: skip

WHOLE: dict[Part, Any] = {
    Part("aws", "1", "eu-west-1", name[0], name[1], name[2] if len(name) > 2 else None): answer
    for name, answer in ANSWERS.items()
}


@examples(300)
@given(spoiled_snapshots(WHOLE, junk("", "-1", "\x1b[31m", {"Key": None})))
def test_translation_never_raises_and_every_gap_has_its_reason(snapshot: Snapshot) -> None:
    assert_told(translate(snapshot))


def test_whole_answers_translate_without_a_gap() -> None:
    estate = translate(Snapshot.of(WHOLE))
    assert estate.gaps == ()
    assert [len(each) for each in (estate.networks, estate.rule_sets, estate.entrances, estate.transit_tables)] == [
        1, 2, 1, 1,
    ]  # fmt: skip


@pytest.mark.samples
@pytest.mark.skipif(**NO_SAMPLES)
def test_recorded_answers_translate_and_every_gap_has_its_reason() -> None:
    for folder in recorded("aws"):
        assert_told(translate(load(folder)))
