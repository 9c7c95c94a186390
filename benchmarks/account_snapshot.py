"""The snapshot of a generated account: what the services would have answered.

Run as ``python -m benchmarks.account_snapshot PLACE RULES`` to save one.
"""

from __future__ import annotations

import hashlib
import ipaddress
import sys
from typing import TYPE_CHECKING, TypeAlias

from benchmarks.account import Size, describe
from cloudseg.providers.aws.operations import roots
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot, save

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from benchmarks.account import Account, Balancer, Group, GroupRule, Instance, Network, Subnet

__all__ = ["ACCOUNT", "REGION", "TAKEN_AT", "permissions", "snapshot_of"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Answer: TypeAlias = "dict[str, Json]"

ACCOUNT, REGION, TAKEN_AT = "111122223333", "eu-west-1", "2026-01-31T12:00:00Z"
_NOT_LISTS: Mapping[tuple[str, str], Answer] = {
    ("ec2", "describe_vpc_block_public_access_options"): {
        "VpcBlockPublicAccessOptions": {"AwsAccountId": ACCOUNT, "InternetGatewayBlockMode": "off"}
    },
    ("cloudfront", "list_vpc_origins"): {"VpcOriginList": {"MaxItems": 100, "Items": []}},
    ("s3control", "get_public_access_block"): {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": False,
            "IgnorePublicAcls": False,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        }
    },
}


def snapshot_of(account: Account) -> Snapshot:
    """Return the snapshot of an account: every operation that the collector asks, most of them with an empty list."""
    parts: dict[Part, object] = {}
    for operation in roots():
        region = REGION if operation.region == "regional" else "global"
        empty = _NOT_LISTS.get((operation.service, operation.name), {operation.key: []})
        parts[Part("aws", ACCOUNT, region, operation.service, operation.name)] = empty
    for name, answer in _ec2(account).items():
        parts[Part("aws", ACCOUNT, REGION, "ec2", name)] = answer
    for name, cidrs in account.lists.items():
        entries: list[Json] = [{"Cidr": cidr, "Description": name} for cidr in cidrs]
        part = Part("aws", ACCOUNT, REGION, "ec2", "get_managed_prefix_list_entries", _id("pl", name))
        parts[part] = {"Entries": entries}
    parts.update(_services(account))
    manifest = Manifest(
        TAKEN_AT,
        "benchmark",
        (ScopeRead("aws", ACCOUNT, (REGION,), f"arn:aws:iam::{ACCOUNT}:user/benchmark", "benchmark"),),
        files=tuple(sorted(part.path for part in parts)),
    )
    return Snapshot.of(parts, manifest)


def permissions(rules: Iterable[GroupRule], ids: Mapping[str, str], lists: Mapping[str, str]) -> list[Json]:
    """Return rules as permissions of the EC2 API, one for each protocol and ports; names become the given ids."""
    found: dict[tuple[str, int, int], Answer] = {}
    for rule in rules:
        permission = found.setdefault(
            (rule.protocol, rule.first, rule.last),
            {
                "IpProtocol": rule.protocol,
                "IpRanges": [],
                "Ipv6Ranges": [],
                "PrefixListIds": [],
                "UserIdGroupPairs": [],
            },
        )
        if rule.protocol != "-1":
            permission["FromPort"], permission["ToPort"] = rule.first, rule.last
        description: Answer = {"Description": rule.description} if rule.description else {}
        match rule.kind:
            case "ipv4":
                key, peer = "IpRanges", {"CidrIp": rule.peer, **description}
            case "ipv6":
                key, peer = "Ipv6Ranges", {"CidrIpv6": rule.peer, **description}
            case "list":
                key, peer = "PrefixListIds", {"PrefixListId": lists[rule.peer], **description}
            case "group":
                key, peer = "UserIdGroupPairs", {"GroupId": ids[rule.peer], "UserId": ACCOUNT, **description}
        items = permission[key]
        if isinstance(items, list):
            items.append(peer)
    return list(found.values())


def _id(prefix: str, *names: str) -> str:
    return f"{prefix}-{hashlib.sha256('/'.join((prefix, *names)).encode()).hexdigest()[:17]}"


def _tags(name: str, **more: str) -> Json:
    return [{"Key": key, "Value": value} for key, value in {"Name": name, **more}.items()]


def _ec2(account: Account) -> dict[str, Answer]:
    groups = [_default_group(network) for network in account.networks]
    rules: list[Json] = []
    ids = {group.name: _id("sg", group.name) for group in account.groups}
    lists = {name: _id("pl", name) for name in account.lists}
    for group in account.groups:
        groups.append(_group(group, ids, lists))
        rules.extend(_rule(group, number, rule, ids, lists) for number, rule in enumerate(group.rules))
    interfaces = [_interface(instance, ids) for instance in account.instances]
    subnets = {(s.network, s.tier, s.zone): s for network in account.networks for s in network.subnets}
    for balancer in account.balancers:
        interfaces.extend(_balancer_interfaces(balancer, subnets, ids))
    return {
        "describe_vpcs": {"Vpcs": [_vpc(network) for network in account.networks]},
        "describe_subnets": {"Subnets": [_subnet(subnet) for subnet in subnets.values()]},
        "describe_route_tables": {"RouteTables": [table for n in account.networks for table in _route_tables(n)]},
        "describe_network_acls": {"NetworkAcls": [acl for n in account.networks for acl in _acls(n)]},
        "describe_internet_gateways": {"InternetGateways": [_internet_gateway(n) for n in account.networks]},
        "describe_nat_gateways": {"NatGateways": [_nat_gateway(n) for n in account.networks]},
        "describe_security_groups": {"SecurityGroups": groups},
        "describe_security_group_rules": {"SecurityGroupRules": rules},
        "describe_managed_prefix_lists": {
            "PrefixLists": [
                {"PrefixListId": lists[name], "PrefixListName": name, "OwnerId": ACCOUNT, "MaxEntries": len(cidrs),
                 "AddressFamily": "IPv4", "State": "create-complete"}
                for name, cidrs in account.lists.items()
            ]
        },
        "describe_network_interfaces": {"NetworkInterfaces": interfaces},
        "describe_instances": {
            "Reservations": [
                {"ReservationId": _id("r", i.name), "OwnerId": ACCOUNT, "Instances": [_instance(i, ids)]}
                for i in account.instances
            ]
        },
        "describe_vpc_endpoints": {"VpcEndpoints": [_endpoint(network) for network in account.networks]},
        "describe_flow_logs": {"FlowLogs": [_flow_log(n) for n in account.networks if n.flow_logs]},
    }  # fmt: skip


def _vpc(network: Network) -> Json:
    association: Json = {"CidrBlock": network.cidr, "CidrBlockState": {"State": "associated"}}
    return {
        "VpcId": _id("vpc", network.name),
        "CidrBlock": network.cidr,
        "CidrBlockAssociationSet": [association],
        "IsDefault": False,
        "OwnerId": ACCOUNT,
        "State": "available",
        "Tags": _tags(network.name, Environment=network.environment),
    }


def _subnet(subnet: Subnet) -> Json:
    return {
        "SubnetId": _id("subnet", subnet.name),
        "VpcId": _id("vpc", subnet.network),
        "CidrBlock": subnet.cidr,
        "AvailabilityZone": REGION + subnet.zone,
        "MapPublicIpOnLaunch": subnet.tier == "public",
        "OwnerId": ACCOUNT,
        "State": "available",
        "Tags": _tags(subnet.name, Tier=subnet.tier),
    }


def _route_tables(network: Network) -> list[Json]:
    tables: list[Json] = []
    ways: dict[str, Answer] = {
        "public": {"GatewayId": _id("igw", network.name)},
        "private": {"NatGatewayId": _id("nat", network.name)},
        "data": {},
    }
    for tier, way in ways.items():
        routes: list[Json] = [
            {
                "DestinationCidrBlock": network.cidr,
                "GatewayId": "local",
                "Origin": "CreateRouteTable",
                "State": "active",
            }
        ]
        if way:
            routes.append({"DestinationCidrBlock": "0.0.0.0/0", **way, "Origin": "CreateRoute", "State": "active"})
        associations: list[Json] = [
            {"Main": False, "SubnetId": _id("subnet", s.name), "AssociationState": {"State": "associated"}}
            for s in network.subnets
            if s.tier == tier
        ]
        if tier == "data":
            associations.append({"Main": True, "AssociationState": {"State": "associated"}})
        tables.append(
            {
                "RouteTableId": _id("rtb", network.name, tier),
                "VpcId": _id("vpc", network.name),
                "OwnerId": ACCOUNT,
                "Routes": routes,
                "Associations": associations,
                "Tags": _tags(f"{network.name}-{tier}"),
            }
        )
    return tables


def _entry(number: int, action: str, protocol: str, cidr: str, *, egress: bool, ports: tuple[int, int] | None) -> Json:
    entry: Answer = {
        "RuleNumber": number, "RuleAction": action, "Protocol": protocol, "CidrBlock": cidr, "Egress": egress
    }  # fmt: skip
    if ports is not None:
        entry["PortRange"] = {"From": ports[0], "To": ports[1]}
    return entry


def _acls(network: Network) -> list[Json]:
    def acl(name: str, entries: list[Json], subnets: Iterable[Subnet], *, default: bool) -> Json:
        implicit = [_entry(32767, "deny", "-1", "0.0.0.0/0", egress=egress, ports=None) for egress in (False, True)]
        return {
            "NetworkAclId": _id("acl", network.name, name),
            "VpcId": _id("vpc", network.name),
            "OwnerId": ACCOUNT,
            "IsDefault": default,
            "Entries": [*entries, *implicit],
            "Associations": [{"SubnetId": _id("subnet", subnet.name)} for subnet in subnets],
            "Tags": _tags(f"{network.name}-{name}"),
        }

    guarded = [subnet for subnet in network.subnets if network.data_acl and subnet.tier == "data"]
    allow = [_entry(100, "allow", "-1", "0.0.0.0/0", egress=egress, ports=None) for egress in (False, True)]
    found = [acl("default", allow, [s for s in network.subnets if s not in guarded], default=True)]
    if guarded:
        entries = [
            _entry(90, "deny", "6", "0.0.0.0/0", egress=False, ports=(22, 22)),
            _entry(100, "allow", "6", network.cidr, egress=False, ports=(0, 65535)),
            _entry(100, "allow", "6", network.cidr, egress=True, ports=(1024, 65535)),
        ]
        found.append(acl("data", entries, guarded, default=False))
    return found


def _internet_gateway(network: Network) -> Json:
    return {
        "InternetGatewayId": _id("igw", network.name),
        "Attachments": [{"VpcId": _id("vpc", network.name), "State": "available"}],
        "OwnerId": ACCOUNT,
        "Tags": _tags(network.name),
    }


def _nat_gateway(network: Network) -> Json:
    return {
        "NatGatewayId": _id("nat", network.name),
        "VpcId": _id("vpc", network.name),
        "SubnetId": _id("subnet", network.subnets[0].name),
        "State": "available",
        "ConnectivityType": "public",
        "Tags": _tags(network.name),
    }


def _default_group(network: Network) -> Json:
    own = _id("sg", network.name, "default")
    pair: Json = {"GroupId": own, "UserId": ACCOUNT}
    return {
        "GroupId": own,
        "GroupName": "default",
        "Description": "default VPC security group",
        "VpcId": _id("vpc", network.name),
        "OwnerId": ACCOUNT,
        "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [pair], "IpRanges": []}],
        "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "UserIdGroupPairs": []}],
    }


def _group(group: Group, ids: Mapping[str, str], lists: Mapping[str, str]) -> Json:
    return {
        "GroupId": ids[group.name],
        "GroupName": group.name,
        "Description": f"{group.role} tier of {group.application}",
        "VpcId": _id("vpc", group.network),
        "OwnerId": ACCOUNT,
        "IpPermissions": permissions((r for r in group.rules if r.direction == "ingress"), ids, lists),
        "IpPermissionsEgress": permissions((r for r in group.rules if r.direction == "egress"), ids, lists),
        "Tags": _tags(group.name, Application=group.application, Tier=group.role),
    }


def _rule(group: Group, number: int, rule: GroupRule, ids: Mapping[str, str], lists: Mapping[str, str]) -> Json:
    described: Answer = {
        "SecurityGroupRuleId": _id("sgr", group.name, str(number)),
        "GroupId": ids[group.name],
        "GroupOwnerId": ACCOUNT,
        "IsEgress": rule.direction == "egress",
        "IpProtocol": rule.protocol,
        "FromPort": rule.first,
        "ToPort": rule.last,
    }
    if rule.description:
        described["Description"] = rule.description
    match rule.kind:
        case "ipv4":
            described["CidrIpv4"] = rule.peer
        case "ipv6":
            described["CidrIpv6"] = rule.peer
        case "list":
            described["PrefixListId"] = lists[rule.peer]
        case "group":
            described["ReferencedGroupInfo"] = {"GroupId": ids[rule.peer], "UserId": ACCOUNT}
    return described


def _carried(names: Iterable[str], ids: Mapping[str, str]) -> list[Json]:
    return [{"GroupId": ids[name], "GroupName": name} for name in names]


def _address(private: str, public: str) -> Answer:
    found: Answer = {"PrivateIpAddress": private, "Primary": True}
    if public:
        found["Association"] = {"PublicIp": public, "IpOwnerId": "amazon"}
    return found


def _interface(instance: Instance, ids: Mapping[str, str]) -> Json:
    address = _address(instance.address, instance.public)
    return {
        "NetworkInterfaceId": _id("eni", instance.name),
        "VpcId": _id("vpc", instance.subnet.network),
        "SubnetId": _id("subnet", instance.subnet.name),
        "OwnerId": ACCOUNT,
        "InterfaceType": "interface",
        "Description": "",
        "PrivateIpAddress": instance.address,
        "PrivateIpAddresses": [address],
        **{key: value for key, value in address.items() if key == "Association"},
        "Groups": _carried(instance.groups, ids),
        "Attachment": {"InstanceId": _id("i", instance.name), "InstanceOwnerId": ACCOUNT, "Status": "attached"},
        "SourceDestCheck": True,
        "RequesterManaged": False,
        "Status": "in-use",
        "TagSet": [],
    }


def _instance(instance: Instance, ids: Mapping[str, str]) -> Json:
    return {
        "InstanceId": _id("i", instance.name),
        "State": {"Code": 16, "Name": "running"},
        "InstanceType": "m7i.large",
        "VpcId": _id("vpc", instance.subnet.network),
        "SubnetId": _id("subnet", instance.subnet.name),
        "PrivateIpAddress": instance.address,
        **({"PublicIpAddress": instance.public} if instance.public else {}),
        "SecurityGroups": _carried(instance.groups, ids),
        "NetworkInterfaces": [_interface(instance, ids)],
        "SourceDestCheck": True,
        "Tags": _tags(instance.name, Application=instance.application, Tier=instance.role),
    }


def _zones(balancer: Balancer, subnets: Mapping[tuple[str, str, str], Subnet]) -> list[Subnet]:
    tier = "private" if balancer.internal else "public"
    return [subnet for (network, own, _), subnet in subnets.items() if (network, own) == (balancer.network, tier)]


def _balancer_interfaces(
    balancer: Balancer, subnets: Mapping[tuple[str, str, str], Subnet], ids: Mapping[str, str]
) -> list[Json]:
    found: list[Json] = []
    for subnet in _zones(balancer, subnets):
        digest = int(hashlib.sha256(f"{balancer.name}/{subnet.zone}".encode()).hexdigest()[:6], 16)
        private = str(ipaddress.ip_network(subnet.cidr)[2000 + digest % 2000])
        public = "" if balancer.internal else str(ipaddress.ip_address("18.0.0.0") + digest)
        address = _address(private, public)
        found.append(
            {
                "NetworkInterfaceId": _id("eni", balancer.name, subnet.zone),
                "VpcId": _id("vpc", balancer.network),
                "SubnetId": _id("subnet", subnet.name),
                "OwnerId": ACCOUNT,
                "InterfaceType": "interface",
                "Description": f"ELB app/{balancer.name}/{_id('lb', balancer.name)[3:]}",
                "PrivateIpAddress": private,
                "PrivateIpAddresses": [address],
                **{key: value for key, value in address.items() if key == "Association"},
                "Groups": _carried((balancer.group,), ids),
                "Attachment": {"InstanceOwnerId": "amazon-elb", "Status": "attached"},
                "RequesterId": "amazon-elb",
                "RequesterManaged": True,
                "SourceDestCheck": True,
                "Status": "in-use",
                "TagSet": [],
            }
        )
    return found


def _endpoint(network: Network) -> Json:
    return {
        "VpcEndpointId": _id("vpce", network.name),
        "VpcEndpointType": "Gateway",
        "VpcId": _id("vpc", network.name),
        "ServiceName": f"com.amazonaws.{REGION}.s3",
        "State": "available",
        "PolicyDocument": '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
        "RouteTableIds": [_id("rtb", network.name, "private")],
        "OwnerId": ACCOUNT,
        "Tags": _tags(network.name),
    }


def _flow_log(network: Network) -> Json:
    return {
        "FlowLogId": _id("fl", network.name),
        "FlowLogStatus": "ACTIVE",
        "ResourceId": _id("vpc", network.name),
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": "arn:aws:s3:::benchmark-0000",
        "DeliverLogsStatus": "SUCCESS",
        "MaxAggregationInterval": 60,
        "Tags": [],
    }


def _services(account: Account) -> dict[Part, object]:
    ids = {group.name: _id("sg", group.name) for group in account.groups}
    subnets = {(s.network, s.tier, s.zone): s for network in account.networks for s in network.subnets}
    found: dict[Part, object] = {}

    def put(service: str, operation: str, answer: Answer, resource: str | None = None, region: str = REGION) -> None:
        found[Part("aws", ACCOUNT, region, service, operation, resource)] = answer

    balancers: list[Json] = []
    for balancer in account.balancers:
        arn = (
            f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/"
            f"{balancer.name}/{_id('lb', balancer.name)[3:]}"
        )
        zones: list[Json] = [
            {"SubnetId": _id("subnet", subnet.name), "ZoneName": REGION + subnet.zone}
            for subnet in _zones(balancer, subnets)
        ]
        balancers.append(
            {
                "LoadBalancerArn": arn, "LoadBalancerName": balancer.name, "Type": "application",
                "Scheme": "internal" if balancer.internal else "internet-facing",
                "VpcId": _id("vpc", balancer.network), "State": {"Code": "active"}, "AvailabilityZones": zones,
                "SecurityGroups": [ids[balancer.group]], "IpAddressType": "ipv4",
            }
        )  # fmt: skip
        listener = f"{arn.replace(':loadbalancer/', ':listener/')}/{_id('lb', balancer.name)[3:]}"
        actions: list[Json] = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
        heard: list[Json] = [
            {"ListenerArn": listener, "Protocol": "HTTPS", "Port": 443, "DefaultActions": actions},
        ]
        put("elbv2", "describe_listeners", {"Listeners": heard}, arn)
        put("elbv2", "describe_rules", {"Rules": [{"Actions": actions, "IsDefault": True}]}, listener)
    put("elbv2", "describe_load_balancers", {"LoadBalancers": balancers})
    put("rds", "describe_db_instances", {"DBInstances": _databases(account, subnets, ids)})
    functions: list[Json] = []
    for function in account.functions:
        own: list[Json] = [_id("subnet", subnets[function.network, "private", "a"].name)]
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        vpc: Json = {
            "VpcId": _id("vpc", function.network), "SubnetIds": own, "SecurityGroupIds": [ids[function.group]]
        }  # fmt: skip
        functions.append({"FunctionName": function.name, "FunctionArn": arn, "VpcConfig": vpc})
        url: Json = {
            "FunctionUrl": f"https://{function.name}.lambda-url.on.aws/", "FunctionArn": arn, "AuthType": "NONE"
        }  # fmt: skip
        put("lambda", "list_function_url_configs", {"FunctionUrlConfigs": [url] if function.url else []}, function.name)
    put("lambda", "list_functions", {"Functions": functions})
    buckets: list[Json] = [{"Name": bucket.name, "BucketRegion": REGION} for bucket in account.buckets]
    put("s3", "list_buckets", {"Buckets": buckets}, region="global")
    for bucket in account.buckets:
        keys = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        block: Answer = {"PublicAccessBlockConfiguration": dict.fromkeys(keys, bucket.blocked)}
        put("s3", "get_public_access_block", block, bucket.name, "global")
        status: Answer = {"PolicyStatus": {"IsPublic": not bucket.blocked}}
        put("s3", "get_bucket_policy_status", status, bucket.name, "global")
        put("s3", "get_bucket_acl", {"Grants": []}, bucket.name, "global")
    return found


def _databases(account: Account, subnets: Mapping[tuple[str, str, str], Subnet], ids: Mapping[str, str]) -> list[Json]:
    found: list[Json] = []
    for database in account.databases:
        own: list[Json] = [
            {"SubnetIdentifier": _id("subnet", subnets[database.network, "data", zone].name)} for zone in ("a", "b")
        ]
        group: Json = {
            "DBSubnetGroupName": database.network, "VpcId": _id("vpc", database.network), "Subnets": own
        }  # fmt: skip
        found.append(
            {
                "DBInstanceIdentifier": database.name,
                "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{database.name}",
                "Engine": database.engine,
                "PubliclyAccessible": database.public,
                "DBSubnetGroup": group,
                "VpcSecurityGroups": [{"VpcSecurityGroupId": ids[database.group], "Status": "active"}],
                "TagList": [],
            }
        )
    return found


if __name__ == "__main__":
    save(snapshot_of(describe(Size.of_rules(int(sys.argv[2])))), sys.argv[1])
