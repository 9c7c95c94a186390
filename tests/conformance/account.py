"""Small AWS accounts as raw answers, the way boto3 returns them.

An account holds the network ``vpc-1`` (10.0.0.0/16) with the subnets ``subnet-public`` (10.0.1.0/24, a route to the
internet gateway ``igw-1``) and ``subnet-private`` (10.0.2.0/24, a route to the NAT gateway ``nat-1``), both under the
open network ACL ``acl-1``. Every operation that an audit calls has an answer, most of them an empty one, so that
nothing is unread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ACCOUNT", "REGION", "Account", "Json", "acl_entry", "permission"]

ACCOUNT = "111122223333"
REGION = "eu-west-1"

Json = dict[str, object]


def permission(protocol: str, first: int | None, last: int | None, *peers: str, text: str = "for the case") -> Json:
    """Return one permission of a group, with all its peers: ranges, prefix lists (``pl-``) and groups (``sg-``)."""

    def named(key: str, peer: str) -> Json:
        return {key: peer, "Description": text} if text else {key: peer}

    ports: Json = {} if first is None else {"FromPort": first, "ToPort": last}
    return {
        "IpProtocol": protocol,
        **ports,
        "IpRanges": [named("CidrIp", peer) for peer in peers if "/" in peer and ":" not in peer],
        "Ipv6Ranges": [named("CidrIpv6", peer) for peer in peers if ":" in peer],
        "PrefixListIds": [named("PrefixListId", peer) for peer in peers if peer.startswith("pl-")],
        "UserIdGroupPairs": [{**named("GroupId", peer), "UserId": ACCOUNT} for peer in peers if peer.startswith("sg-")],
    }


def acl_entry(
    number: int,
    action: str,
    cidr: str,
    *,
    egress: bool = False,
    protocol: str = "-1",
    ports: tuple[int, int] | None = None,
) -> Json:
    """Return one numbered entry of a network ACL."""
    entry: Json = {
        "RuleNumber": number,
        "RuleAction": action,
        "Protocol": protocol,
        "Egress": egress,
        "Ipv6CidrBlock" if ":" in cidr else "CidrBlock": cidr,
    }
    return entry if ports is None else {**entry, "PortRange": {"From": ports[0], "To": ports[1]}}


class Account:
    """Builds the snapshot of one account and region."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, str | None], Json] = {}
        for operation in OPERATIONS:
            if operation.per is None:
                empty: Json = {operation.key: {"Items": []} if operation.name == "list_vpc_origins" else []}
                self.answers[operation.service, operation.name, None] = empty
        self.put(
            "ec2",
            "describe_vpc_block_public_access_options",
            {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "off", "State": "default-state"}},
        )
        closed = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        self.put("s3control", "get_public_access_block", {"PublicAccessBlockConfiguration": closed})
        self._network()

    def put(self, service: str, operation: str, answer: Json, resource: str | None = None) -> None:
        """Set an answer, of a whole operation or about one resource."""
        self.answers[service, operation, resource] = answer

    def add(self, service: str, operation: str, key: str, *items: object) -> None:
        """Append items to the list of an answer."""
        answer = self.answers.setdefault((service, operation, None), {})
        held = answer.get(key)
        answer[key] = [*(held if isinstance(held, list) else []), *items]

    def _network(self) -> None:
        self.add("ec2", "describe_vpcs", "Vpcs", _owned({"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}))
        attached = [{"VpcId": "vpc-1", "State": "available"}]
        gateway = _owned({"InternetGatewayId": "igw-1", "Attachments": attached})
        self.add("ec2", "describe_internet_gateways", "InternetGateways", gateway)
        nat: Json = {"NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-public", "State": "available"}
        self.add("ec2", "describe_nat_gateways", "NatGateways", nat)
        plan = (
            ("public", "10.0.1.0/24", {"GatewayId": "igw-1"}),
            ("private", "10.0.2.0/24", {"NatGatewayId": "nat-1"}),
        )
        for name, cidr, target in plan:
            subnet: Json = {"SubnetId": f"subnet-{name}", "VpcId": "vpc-1", "CidrBlock": cidr, "State": "available"}
            self.add("ec2", "describe_subnets", "Subnets", _owned(subnet))
            local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"}
            out: list[Json] = [{"DestinationCidrBlock": "0.0.0.0/0", "Origin": "CreateRoute", **target}]
            if name == "public":
                out.append({"DestinationIpv6CidrBlock": "::/0", "Origin": "CreateRoute", **target})
            table: Json = {
                "RouteTableId": f"rtb-{name}",
                "VpcId": "vpc-1",
                "Associations": [{"Main": False, "SubnetId": f"subnet-{name}"}],
                "Routes": [{**route, "State": "active"} for route in (local, *out)],
            }
            self.add("ec2", "describe_route_tables", "RouteTables", _owned(table))
        everything = ("0.0.0.0/0", "::/0")
        self.acl(
            *(acl_entry(100 + n, "allow", cidr, egress=e) for e in (False, True) for n, cidr in enumerate(everything))
        )

    def acl(self, *entries: Json) -> None:
        """Give both subnets a network ACL of these entries, in place of the open one."""
        acl: Json = {
            "NetworkAclId": "acl-1",
            "VpcId": "vpc-1",
            "IsDefault": True,
            "Associations": [{"SubnetId": "subnet-public"}, {"SubnetId": "subnet-private"}],
            "Entries": [*entries, *(acl_entry(32767, "deny", "0.0.0.0/0", egress=e) for e in (False, True))],
        }
        self.put("ec2", "describe_network_acls", {"NetworkAcls": [_owned(acl)]})

    def group(self, own: str, *ingress: Json, egress: Iterable[Json] = (), name: str = "") -> None:
        """Add a security group of ``vpc-1``; without ``egress`` it lets nothing out."""
        group: Json = {
            "GroupId": own,
            "GroupName": name or own.removeprefix("sg-"),
            "Description": "for the case",
            "VpcId": "vpc-1",
            "IpPermissions": list(ingress),
            "IpPermissionsEgress": list(egress),
        }
        self.add("ec2", "describe_security_groups", "SecurityGroups", _owned(group))

    def interface(
        self,
        own: str,
        *groups: str,
        subnet: str = "subnet-public",
        address: str = "10.0.1.5",
        public: str = "",
        ipv6: str = "",
        description: str = "",
        kind: str = "interface",
    ) -> None:
        """Add a network interface with its groups and addresses."""
        interface: Json = {
            "NetworkInterfaceId": own,
            "VpcId": "vpc-1",
            "SubnetId": subnet,
            "Description": description,
            "InterfaceType": kind,
            "PrivateIpAddress": address,
            "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address}],
            "Ipv6Addresses": [{"Ipv6Address": ipv6}] if ipv6 else [],
            "Groups": [{"GroupId": group, "GroupName": group.removeprefix("sg-")} for group in groups],
            "SourceDestCheck": True,
            "Status": "in-use",
        }
        if public:
            interface["Association"] = {"PublicIp": public, "IpOwnerId": ACCOUNT}
        self.add("ec2", "describe_network_interfaces", "NetworkInterfaces", _owned(interface))

    def public_instance(self, *groups: str, ipv6: str = "") -> None:
        """Add the interface ``eni-1`` with a public address, in the public subnet, with these groups."""
        self.interface("eni-1", *groups, public="203.0.113.10", ipv6=ipv6)

    def prefix_list(self, own: str, *cidrs: str) -> None:
        """Add a prefix list of the customer's own, with its entries."""
        wire: Json = {"PrefixListId": own, "PrefixListName": own, "MaxEntries": 10, "AddressFamily": "IPv4"}
        self.add("ec2", "describe_managed_prefix_lists", "PrefixLists", _owned(wire))
        self.put("ec2", "get_managed_prefix_list_entries", {"Entries": [{"Cidr": cidr} for cidr in cidrs]}, own)

    def load_balancer(self, scheme: str, *groups: str, ports: tuple[int, ...]) -> None:
        """Add an application load balancer ``web`` of a scheme, with its interface ``eni-1`` in the public subnet.

        It listens on ports, and redirects everything.
        """
        arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/web/0123456789abcdef"
        balancer: Json = {
            "LoadBalancerArn": arn,
            "LoadBalancerName": "web",
            "Scheme": scheme,
            "Type": "application",
            "VpcId": "vpc-1",
            "State": {"Code": "active"},
            "SecurityGroups": list(groups),
            "AvailabilityZones": [{"ZoneName": f"{REGION}a", "SubnetId": "subnet-public"}],
        }
        self.add("elbv2", "describe_load_balancers", "LoadBalancers", balancer)
        redirect: Json = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443"}}
        listeners = arn.replace(":loadbalancer/", ":listener/")
        heard = [
            {"ListenerArn": f"{listeners}/{port}", "Protocol": "HTTP", "Port": port, "DefaultActions": [redirect]}
            for port in ports
        ]
        self.put("elbv2", "describe_listeners", {"Listeners": heard}, arn)
        for port in ports:
            self.put("elbv2", "describe_rules", {"Rules": [{"Actions": [redirect]}]}, f"{listeners}/{port}")
        public = "203.0.113.10" if scheme == "internet-facing" else ""
        self.interface("eni-1", *groups, public=public, description="ELB app/web/0123456789abcdef")

    def endpoint(self, own: str, service: str, *, state: str = "available", policy: str | None = None) -> None:
        """Add an interface endpoint of ``vpc-1`` in the private subnet."""
        endpoint: Json = {
            "VpcEndpointId": own,
            "VpcEndpointType": "Interface",
            "VpcId": "vpc-1",
            "ServiceName": f"com.amazonaws.{REGION}.{service}",
            "State": state,
            "SubnetIds": ["subnet-private"],
            "RouteTableIds": [],
            "Groups": [],
            "NetworkInterfaceIds": [],
        }
        if policy is not None:
            endpoint["PolicyDocument"] = policy
        self.add("ec2", "describe_vpc_endpoints", "VpcEndpoints", _owned(endpoint))

    def flow_log(self, own: str, *, traffic: str = "ALL", delivered: str = "SUCCESS") -> None:
        """Add a flow log of ``vpc-1``."""
        log: Json = {
            "FlowLogId": own,
            "FlowLogStatus": "ACTIVE",
            "ResourceId": "vpc-1",
            "TrafficType": traffic,
            "DeliverLogsStatus": delivered,
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::flow-logs",
            "LogFormat": "${version} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${action}",
        }
        self.add("ec2", "describe_flow_logs", "FlowLogs", log)

    def snapshot(self) -> Snapshot:
        """Return the snapshot of what was added."""
        regions = {(operation.service, operation.name): operation.region for operation in OPERATIONS}
        parts: dict[Part, object] = {}
        for (service, operation, resource), answer in self.answers.items():
            region = REGION if regions.get((service, operation), "regional") == "regional" else "global"
            parts[Part("aws", ACCOUNT, region, service, operation, resource)] = answer
        scopes = (ScopeRead("aws", ACCOUNT, (REGION,), "arn:aws:iam::111122223333:role/audit"),)
        return Snapshot.of(parts, Manifest("2026-01-15T12:00:00Z", "cloudseg", scopes))


def _owned(answer: Json) -> Json:
    return {**answer, "OwnerId": ACCOUNT}
