"""Fills an API with a generated account, through its calls and nothing else.

Run as ``python -m benchmarks.account_api REGION RULES GROUPS INSTANCES NETWORKS``; ``AWS_ENDPOINT_URL`` names the API.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from benchmarks.account import Size, describe
from benchmarks.account_snapshot import permissions

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.account import Account, Network, Subnet

__all__ = ["Api", "fill"]


class Api:
    """The clients of one region, made when first needed; botocore makes their methods as it runs."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._session = Session()
        self._clients: dict[str, object] = {}

    def __call__(self, service: str, operation: str, **arguments: object) -> dict[str, Any]:
        if service not in self._clients:
            self._clients[service] = self._session.create_client(service, region_name=self.region)
        method: Callable[..., dict[str, Any]] = getattr(self._clients[service], operation)
        return method(**arguments)


class _Ids:
    """What the API called the things it was asked to make, by their names in the description."""

    def __init__(self) -> None:
        self.vpcs: dict[str, str] = {}
        self.subnets: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.lists: dict[str, str] = {}


def fill(account: Account, region: str) -> None:
    """Make everything of an account in a region; instances of equal subnet and groups are made in one call."""
    api, ids = Api(region), _Ids()
    api("s3", "create_bucket", Bucket="flow-logs", CreateBucketConfiguration={"LocationConstraint": region})
    for network in account.networks:
        _network(api, ids, network)
    for name, cidrs in account.lists.items():
        entries = [{"Cidr": cidr, "Description": name} for cidr in cidrs]
        made = api(
            "ec2", "create_managed_prefix_list", PrefixListName=name, Entries=entries, MaxEntries=len(cidrs),
            AddressFamily="IPv4",
        )  # fmt: skip
        ids.lists[name] = made["PrefixList"]["PrefixListId"]
    _groups(api, ids, account)
    _instances(api, ids, account)
    _services(api, ids, account)


def _tagged(kind: str, **tags: str) -> list[dict[str, object]]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def _network(api: Api, ids: _Ids, network: Network) -> None:
    tags = _tagged("vpc", Name=network.name, Environment=network.environment)
    vpc = api("ec2", "create_vpc", CidrBlock=network.cidr, TagSpecifications=tags)["Vpc"]["VpcId"]
    ids.vpcs[network.name] = vpc
    for subnet in network.subnets:
        tags = _tagged("subnet", Name=subnet.name, Tier=subnet.tier)
        made = api(
            "ec2", "create_subnet", VpcId=vpc, CidrBlock=subnet.cidr, AvailabilityZone=api.region + subnet.zone,
            TagSpecifications=tags,
        )  # fmt: skip
        ids.subnets[subnet.name] = made["Subnet"]["SubnetId"]
        if subnet.tier == "public":
            api(
                "ec2", "modify_subnet_attribute", SubnetId=ids.subnets[subnet.name],
                MapPublicIpOnLaunch={"Value": True},
            )  # fmt: skip
    gateway = api("ec2", "create_internet_gateway")["InternetGateway"]["InternetGatewayId"]
    api("ec2", "attach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc)
    address = api("ec2", "allocate_address", Domain="vpc")["AllocationId"]
    first = ids.subnets[network.subnets[0].name]
    nat = api("ec2", "create_nat_gateway", SubnetId=first, AllocationId=address)["NatGateway"]["NatGatewayId"]
    private = ""
    for tier, way in (("public", {"GatewayId": gateway}), ("private", {"NatGatewayId": nat}), ("data", {})):
        table = api("ec2", "create_route_table", VpcId=vpc)["RouteTable"]["RouteTableId"]
        if way:
            api("ec2", "create_route", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **way)
        for subnet in _of_tier(network, tier):
            api("ec2", "associate_route_table", RouteTableId=table, SubnetId=ids.subnets[subnet.name])
        private = table if tier == "private" else private
    service = f"com.amazonaws.{api.region}.s3"
    api("ec2", "create_vpc_endpoint", VpcId=vpc, ServiceName=service, RouteTableIds=[private])
    if network.flow_logs:
        api(
            "ec2", "create_flow_logs", ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL",
            LogDestinationType="s3", LogDestination="arn:aws:s3:::flow-logs",
        )  # fmt: skip
    if network.data_acl:
        _data_acl(api, ids, network)


def _of_tier(network: Network, tier: str) -> list[Subnet]:
    return [subnet for subnet in network.subnets if subnet.tier == tier]


def _data_acl(api: Api, ids: _Ids, network: Network) -> None:
    vpc = ids.vpcs[network.name]
    acl = api("ec2", "create_network_acl", VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entries = (
        (90, "deny", "0.0.0.0/0", False, (22, 22)),
        (100, "allow", network.cidr, False, (0, 65535)),
        (100, "allow", network.cidr, True, (1024, 65535)),
    )
    for number, action, cidr, egress, (first, last) in entries:
        api(
            "ec2", "create_network_acl_entry", NetworkAclId=acl, RuleNumber=number, RuleAction=action, CidrBlock=cidr,
            Egress=egress, Protocol="6", PortRange={"From": first, "To": last},
        )  # fmt: skip
    described = api("ec2", "describe_network_acls", Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    own = {ids.subnets[subnet.name] for subnet in _of_tier(network, "data")}
    for association in [each for listed in described for each in listed["Associations"]]:
        if association["SubnetId"] in own:
            api(
                "ec2", "replace_network_acl_association", NetworkAclId=acl,
                AssociationId=association["NetworkAclAssociationId"],
            )  # fmt: skip


def _groups(api: Api, ids: _Ids, account: Account) -> None:
    for group in account.groups:
        tags = _tagged("security-group", Name=group.name, Application=group.application, Tier=group.role)
        made = api(
            "ec2", "create_security_group", GroupName=group.name, VpcId=ids.vpcs[group.network],
            Description=f"{group.role} tier of {group.application}", TagSpecifications=tags,
        )  # fmt: skip
        ids.groups[group.name] = made["GroupId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    for group in account.groups:
        own = ids.groups[group.name]
        ingress = permissions((r for r in group.rules if r.direction == "ingress"), ids.groups, ids.lists)
        if ingress:
            api("ec2", "authorize_security_group_ingress", GroupId=own, IpPermissions=ingress)
        # A new group lets everything out: what is described otherwise has to be taken from it first.
        outward = [r for r in group.rules if r.direction == "egress"]
        others = [r for r in outward if r.protocol != "-1"]
        if len(others) == len(outward):
            api("ec2", "revoke_security_group_egress", GroupId=own, IpPermissions=everything)
        if others:
            egress = permissions(others, ids.groups, ids.lists)
            api("ec2", "authorize_security_group_egress", GroupId=own, IpPermissions=egress)


def _instances(api: Api, ids: _Ids, account: Account) -> None:
    alike: defaultdict[tuple[str, tuple[str, ...], str, str], int] = defaultdict(int)
    for instance in account.instances:
        alike[instance.subnet.name, instance.groups, instance.application, instance.role] += 1
    image = api("ec2", "describe_images", Owners=["amazon"])["Images"][0]["ImageId"]
    for (subnet, groups, application, role), count in alike.items():
        tags = _tagged("instance", Name=f"{application}-{role}", Application=application, Tier=role)
        api(
            "ec2", "run_instances", ImageId=image, MinCount=count, MaxCount=count, SubnetId=ids.subnets[subnet],
            SecurityGroupIds=[ids.groups[name] for name in groups], TagSpecifications=tags,
        )  # fmt: skip


def _services(api: Api, ids: _Ids, account: Account) -> None:
    by_name = {network.name: network for network in account.networks}

    def subnets(network: str, tier: str) -> list[str]:
        return [ids.subnets[subnet.name] for subnet in _of_tier(by_name[network], tier)]

    for balancer in account.balancers:
        api(
            "elbv2", "create_load_balancer", Name=balancer.name, SecurityGroups=[ids.groups[balancer.group]],
            Subnets=subnets(balancer.network, "private" if balancer.internal else "public"),
            Scheme="internal" if balancer.internal else "internet-facing", Type="application",
        )  # fmt: skip
    for network in sorted({database.network for database in account.databases}):
        api(
            "rds", "create_db_subnet_group", DBSubnetGroupName=network, DBSubnetGroupDescription=network,
            SubnetIds=subnets(network, "data"),
        )  # fmt: skip
    for database in account.databases:
        api(
            "rds", "create_db_instance", DBInstanceIdentifier=database.name, Engine=database.engine,
            DBInstanceClass="db.m7g.large", AllocatedStorage=20, MasterUsername="admin", MasterUserPassword="unused-1",
            DBSubnetGroupName=database.network, VpcSecurityGroupIds=[ids.groups[database.group]],
            PubliclyAccessible=database.public,
        )  # fmt: skip
    _functions(api, ids, account, subnets)
    for bucket in account.buckets:
        _bucket(api, bucket.name, blocked=bucket.blocked)


def _functions(api: Api, ids: _Ids, account: Account, subnets: Callable[[str, str], list[str]]) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = api("iam", "create_role", RoleName="functions", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("worker.py", "def handler(event, context): return event\n")
    for function in account.functions:
        vpc = {
            "SubnetIds": subnets(function.network, "private")[:1], "SecurityGroupIds": [ids.groups[function.group]]
        }  # fmt: skip
        api(
            "lambda", "create_function", FunctionName=function.name, Runtime="python3.13", Role=role,
            Handler="worker.handler", Code={"ZipFile": packed.getvalue()}, VpcConfig=vpc,
        )  # fmt: skip
        if function.url:
            api("lambda", "create_function_url_config", FunctionName=function.name, AuthType="NONE")


def _bucket(api: Api, name: str, *, blocked: bool) -> None:
    api("s3", "create_bucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": api.region})
    if blocked:
        keys = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        api("s3", "put_public_access_block", Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(keys, True))
        return
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    api("s3", "put_bucket_policy", Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [read]}))


if __name__ == "__main__":
    fill(describe(Size(*map(int, sys.argv[2:]))), sys.argv[1])
