"""Builds raw AWS answers, as boto3 returns them, resource by resource; it checks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.oracle.records import Json

__all__ = ["ACCOUNT", "REGION", "Raw", "entry", "permission"]

ACCOUNT = "111122223333"
REGION = "eu-west-1"


def permission(
    protocol: str, first: int | None, last: int | None, *peers: str, owners: dict[str, str] | None = None
) -> Json:
    """One permission of a group with all its peers: ranges, prefix lists (``pl-``) and groups (``sg-``).

    ``owners`` are the accounts of groups that do not belong to the first account.
    """
    owners = owners or {}
    ports: Json = {} if first is None else {"FromPort": first, "ToPort": last}
    groups = [peer for peer in peers if peer.startswith("sg-")]
    return {
        "IpProtocol": protocol,
        **ports,
        "IpRanges": [{"CidrIp": peer} for peer in peers if "/" in peer and ":" not in peer],
        "Ipv6Ranges": [{"CidrIpv6": peer} for peer in peers if ":" in peer],
        "PrefixListIds": [{"PrefixListId": peer} for peer in peers if peer.startswith("pl-")],
        "UserIdGroupPairs": [{"GroupId": group, "UserId": owners.get(group, ACCOUNT)} for group in groups],
    }


def entry(
    number: int,
    action: str,
    cidr: str,
    *,
    egress: bool = False,
    protocol: int = -1,
    limits: tuple[int, int] | None = None,
) -> Json:
    """One entry of a network ACL; ``limits`` are ports, or type and code of ICMP."""
    family = "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"
    wire: Json = {"RuleNumber": number, "RuleAction": action, "Protocol": str(protocol), "Egress": egress, family: cidr}
    if limits is not None and protocol in {1, 58}:
        wire["IcmpTypeCode"] = {"Type": limits[0], "Code": limits[1]}
    elif limits is not None:
        wire["PortRange"] = {"From": limits[0], "To": limits[1]}
    return wire


class Raw:
    """The answers of accounts and regions; every resource goes to one place, by default the first account's."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, ...], object] = {}
        self.places: dict[str, tuple[str, str]] = {}
        self.ranges: dict[str, list[str]] = {}

    def add(self, place: tuple[str, str], operation: str, key: str, item: Json, resource: str = "") -> None:
        """Append an item to the list of an answer."""
        name = (*place, "ec2", operation, *([resource] if resource else []))
        answer = cast("Json", self.answers.setdefault(name, {}))
        cast("list[Json]", answer.setdefault(key, [])).append(item)

    def vpc(self, own: str, *ranges: str, account: str = ACCOUNT, region: str = REGION) -> None:
        """A VPC with its ranges, the first of them IPv4."""
        self.places[own] = place = (account, region)
        self.ranges[own] = list(ranges)
        item: Json = {
            "VpcId": own,
            "CidrBlock": ranges[0],
            "OwnerId": account,
            "State": "available",
            "IsDefault": False,
        }
        for family in ("CidrBlock", "Ipv6CidrBlock"):
            item[f"{family}AssociationSet"] = [
                {family: each, "AssociationId": f"a-{own}-{n}", f"{family}State": {"State": "associated"}}
                for n, each in enumerate(ranges)
                if (":" in each) == (family == "Ipv6CidrBlock")
            ]
        self.add(place, "describe_vpcs", "Vpcs", item)

    def subnet(self, own: str, vpc: str, *ranges: str, zone: str = "a") -> None:
        """A subnet of a VPC in the zone ``a``, ``b`` and so on of its region."""
        account, region = self.places[own] = self.places[vpc]
        six = [each for each in ranges if ":" in each]
        item: Json = {
            "SubnetId": own, "VpcId": vpc, "CidrBlock": ranges[0], "OwnerId": account, "State": "available",
            "AvailabilityZone": f"{region}{zone}", "AvailabilityZoneId": f"{region}-az-{zone}",
            "Ipv6CidrBlockAssociationSet": [
                {"Ipv6CidrBlock": each, "AssociationId": f"a-{own}", "Ipv6CidrBlockState": {"State": "associated"}}
                for each in six
            ],
        }  # fmt: skip
        self.add((account, region), "describe_subnets", "Subnets", item)

    def table(
        self, own: str, vpc: str, *routes: tuple[str, str] | tuple[str, str, str], subnets: Iterable[str] = (),
        main: bool = False,
    ) -> None:  # fmt: skip
        """A route table; a route is destination, target and perhaps ``blackhole`` or ``propagated``."""
        wires: list[Json] = [_route(each, "local") for each in self.ranges[vpc]]
        wires += [_route(*route) for route in routes]
        associations: list[Json] = [{"Main": True, "RouteTableId": own}] if main else []
        for each in subnets:
            state: Json = {"State": "associated"}
            associations.append({"Main": False, "RouteTableId": own, "SubnetId": each, "AssociationState": state})
        place = self.places[vpc]
        item: Json = {
            "RouteTableId": own, "VpcId": vpc, "OwnerId": place[0], "Associations": associations, "Routes": wires,
        }  # fmt: skip
        self.add(place, "describe_route_tables", "RouteTables", item)

    def acl(
        self, own: str, vpc: str, *entries: Json, subnets: Iterable[str] = (), default: bool = False
    ) -> None:  # fmt: skip
        """A network ACL; the closing denials, which no one can take away, are added."""
        account, region = self.places[vpc]
        ends: list[Json] = []
        for egress in (False, True):
            ends += [entry(32767, "deny", "0.0.0.0/0", egress=egress), entry(32768, "deny", "::/0", egress=egress)]
        item: Json = {
            "NetworkAclId": own, "VpcId": vpc, "OwnerId": account, "IsDefault": default,
            "Associations": [{"SubnetId": each, "NetworkAclId": own} for each in subnets],
            "Entries": [*entries, *ends],
        }  # fmt: skip
        self.add((account, region), "describe_network_acls", "NetworkAcls", item)

    def open_acl(self, own: str, vpc: str) -> None:
        """The default network ACL of a VPC as it comes, with everything allowed."""
        self.acl(own, vpc, *(
            entry(100 + n, "allow", cidr, egress=egress)
            for egress in (False, True) for n, cidr in enumerate(("0.0.0.0/0", "::/0"))
        ), default=True)  # fmt: skip

    def group(self, own: str, vpc: str, ingress: Sequence[Json] = (), egress: Sequence[Json] = ()) -> None:
        """A security group."""
        account, region = self.places[own] = self.places[vpc]
        item: Json = {
            "GroupId": own, "GroupName": own, "Description": "drawn", "VpcId": vpc, "OwnerId": account,
            "IpPermissions": list(ingress), "IpPermissionsEgress": list(egress),
        }  # fmt: skip
        self.add((account, region), "describe_security_groups", "SecurityGroups", item)

    def interface(
        self, own: str, vpc: str, subnet: str, groups: Sequence[str], *addresses: str | tuple[str, str],
        kind: str = "interface",
    ) -> None:  # fmt: skip
        """An interface; an address may be a pair of a private IPv4 address and the public one that stands for it."""
        account, region = self.places[vpc]
        private: list[Json] = []
        for each in addresses:
            address, public = each if isinstance(each, tuple) else (each, "")
            if ":" not in address:
                association: Json = {"Association": {"PublicIp": public, "IpOwnerId": account}} if public else {}
                private.append({"PrivateIpAddress": address, "Primary": not private, **association})
        item: Json = {
            "NetworkInterfaceId": own, "VpcId": vpc, "SubnetId": subnet, "OwnerId": account, "Description": "",
            "InterfaceType": kind, "Status": "in-use", "SourceDestCheck": True,
            "PrivateIpAddress": private[0]["PrivateIpAddress"], "PrivateIpAddresses": private,
            "Ipv6Addresses": [{"Ipv6Address": each} for each in addresses if isinstance(each, str) and ":" in each],
            "Groups": [{"GroupId": group, "GroupName": group} for group in groups],
        }  # fmt: skip
        if "Association" in private[0]:
            item["Association"] = private[0]["Association"]
        self.add((account, region), "describe_network_interfaces", "NetworkInterfaces", item)

    def internet_gateway(self, own: str, vpc: str, *, attached: bool = True, egress_only: bool = False) -> None:
        """An internet gateway, or one that lets IPv6 out only."""
        place = self.places[vpc]
        attachments: list[Json] = [{"VpcId": vpc, "State": "attached" if egress_only else "available"}]
        item: Json = {"Attachments": attachments if attached else []}
        if egress_only:
            item["EgressOnlyInternetGatewayId"] = own
            operation, key = "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways"
        else:
            item |= {"InternetGatewayId": own, "OwnerId": place[0]}
            operation, key = "describe_internet_gateways", "InternetGateways"
        self.add(place, operation, key, item)

    def nat(
        self, own: str, vpc: str, subnet: str, private: str, public: str, *, state: str = "available"
    ) -> None:  # fmt: skip
        """A NAT gateway with its interface; without a public address it is a private one."""
        account = self.places[vpc][0]
        address: Json = {"PrivateIp": private, "NetworkInterfaceId": f"eni-{own}", "IsPrimary": True}
        item: Json = {
            "NatGatewayId": own, "VpcId": vpc, "SubnetId": subnet, "State": state,
            "ConnectivityType": "public" if public else "private",
            "NatGatewayAddresses": [{**address, "PublicIp": public} if public else address],
        }  # fmt: skip
        self.add(self.places[vpc], "describe_nat_gateways", "NatGateways", item)
        if state == "available":
            association: Json = {"Association": {"PublicIp": public, "IpOwnerId": account}} if public else {}
            wire: Json = {
                "NetworkInterfaceId": f"eni-{own}", "VpcId": vpc, "SubnetId": subnet, "OwnerId": account,
                "Description": f"Interface for NAT Gateway {own}", "InterfaceType": "nat_gateway", "Status": "in-use",
                "SourceDestCheck": False, "RequesterManaged": True, "PrivateIpAddress": private, "Groups": [],
                "PrivateIpAddresses": [{"PrivateIpAddress": private, "Primary": True, **association}],
                "Ipv6Addresses": [], **association,
            }  # fmt: skip
            self.add(self.places[vpc], "describe_network_interfaces", "NetworkInterfaces", wire)

    def peering(self, own: str, requester: str, accepter: str, *, status: str = "active") -> None:
        """A peering, as both sides read it."""
        ends: list[Json] = []
        for vpc in (requester, accepter):
            account, region = self.places[vpc]
            ends.append({"VpcId": vpc, "OwnerId": account, "Region": region, "CidrBlock": self.ranges[vpc][0]})
        item: Json = {
            "VpcPeeringConnectionId": own, "RequesterVpcInfo": ends[0], "AccepterVpcInfo": ends[1],
            "Status": {"Code": status, "Message": status},
        }  # fmt: skip
        for place in {self.places[requester], self.places[accepter]}:
            self.add(place, "describe_vpc_peering_connections", "VpcPeeringConnections", item)

    def transit_gateway(self, own: str, *, shares: bool = False) -> None:
        """A transit gateway of the first account."""
        sharing = "enable" if shares else "disable"
        item: Json = {
            "TransitGatewayId": own, "OwnerId": ACCOUNT, "State": "available",
            "Options": {"SecurityGroupReferencingSupport": sharing},
        }  # fmt: skip
        self.add((ACCOUNT, REGION), "describe_transit_gateways", "TransitGateways", item)

    def attachment(
        self, own: str, gateway: str, vpc: str, subnets: Sequence[str], table: str, *, shares: bool = True,
        state: str = "available",
    ) -> None:  # fmt: skip
        """Attach a VPC; ``table`` is what the attachment is associated with, empty for none."""
        account, region = self.places[vpc]
        wire: Json = {
            "TransitGatewayAttachmentId": own, "TransitGatewayId": gateway, "TransitGatewayOwnerId": ACCOUNT,
            "ResourceOwnerId": account, "ResourceType": "vpc", "ResourceId": vpc, "State": state,
        }  # fmt: skip
        if table:
            wire["Association"] = {"TransitGatewayRouteTableId": table, "State": "associated"}
            key: Json = {
                "TransitGatewayAttachmentId": own, "ResourceId": vpc, "ResourceType": "vpc", "State": "associated",
            }  # fmt: skip
            place, operation = (ACCOUNT, REGION), "get_transit_gateway_route_table_associations"
            self.add(place, operation, "Associations", key, table)
        self.add((ACCOUNT, REGION), "describe_transit_gateway_attachments", "TransitGatewayAttachments", wire)
        item: Json = {
            "TransitGatewayAttachmentId": own, "TransitGatewayId": gateway, "VpcId": vpc, "VpcOwnerId": account,
            "State": state, "SubnetIds": list(subnets),
            "Options": {"SecurityGroupReferencingSupport": "enable" if shares else "disable"},
        }  # fmt: skip
        operation, name = "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"
        for place in {(account, region), (ACCOUNT, REGION)}:
            self.add(place, operation, name, item)

    def transit_table(self, own: str, gateway: str, *routes: tuple[str, str, str]) -> None:
        """A table of a transit gateway; a route is destination, attachment (empty drops), and its type."""
        item: Json = {"TransitGatewayRouteTableId": own, "TransitGatewayId": gateway, "State": "available"}
        place, operation = (ACCOUNT, REGION), "describe_transit_gateway_route_tables"
        self.add(place, operation, "TransitGatewayRouteTables", item)
        wires: list[Json] = [
            {
                "DestinationCidrBlock": destination, "Type": kind, "State": "active" if target else "blackhole",
                "TransitGatewayAttachments": [{"TransitGatewayAttachmentId": target, "ResourceType": "vpc"}]
                if target else [],
            }
            for destination, target, kind in routes
        ]  # fmt: skip
        answer: Json = {"Routes": wires, "AdditionalRoutesAvailable": False}
        self.answers[*place, "ec2", "search_transit_gateway_routes", own] = answer
        propagated = [
            {"TransitGatewayAttachmentId": each[1], "State": "enabled"} for each in routes if each[2] != "static"
        ]
        name = "get_transit_gateway_route_table_propagations"
        self.answers[*place, "ec2", name, own] = {"TransitGatewayRouteTablePropagations": propagated}
        name = "get_transit_gateway_route_table_associations"
        self.answers.setdefault((*place, "ec2", name, own), {"Associations": []})

    def prefix_list(self, own: str, *cidrs: str, place: tuple[str, str] = (ACCOUNT, REGION)) -> None:
        """A prefix list of the customer's own, with its entries."""
        family = "IPv6" if ":" in cidrs[0] else "IPv4"
        wire: Json = {
            "PrefixListId": own, "PrefixListName": own, "MaxEntries": 10, "AddressFamily": family, "OwnerId": place[0],
        }  # fmt: skip
        self.add(place, "describe_managed_prefix_lists", "PrefixLists", wire)
        for cidr in cidrs:
            self.add(place, "get_managed_prefix_list_entries", "Entries", {"Cidr": cidr}, own)

    def block_public_access(self, mode: str, place: tuple[str, str] = (ACCOUNT, REGION)) -> None:
        """Block public access of an account's region."""
        name = (*place, "ec2", "describe_vpc_block_public_access_options")
        self.answers[name] = {
            "VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": mode, "State": "update-complete"}
        }

    def exclude(self, resource: str, mode: str) -> None:
        """Except a VPC or a subnet from blocked public access."""
        account, region = self.places[resource]
        kind = "subnet" if resource.startswith("subnet") else "vpc"
        item: Json = {
            "ExclusionId": f"vpcbpa-exclude-{resource}", "InternetGatewayExclusionMode": mode,
            "ResourceArn": f"arn:aws:ec2:{region}:{account}:{kind}/{resource}", "State": "create-complete",
        }  # fmt: skip
        operation, key = "describe_vpc_block_public_access_exclusions", "VpcBlockPublicAccessExclusions"
        self.add((account, region), operation, key, item)


_KEYS = {
    "igw": "GatewayId",
    "vgw": "GatewayId",
    "local": "GatewayId",
    "nat": "NatGatewayId",
    "pcx": "VpcPeeringConnectionId",
    "tgw": "TransitGatewayId",
    "eigw": "EgressOnlyInternetGatewayId",
    "eni": "NetworkInterfaceId",
}


def _route(destination: str, target: str, note: str = "") -> Json:
    if destination.startswith("pl-"):
        key = "DestinationPrefixListId"
    else:
        key = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    origin = "CreateRouteTable" if target == "local" else "CreateRoute"
    return {
        key: destination,
        _KEYS[target.partition("-")[0]]: target,
        "Origin": "EnableVgwRoutePropagation" if note == "propagated" else origin,
        "State": "blackhole" if note == "blackhole" else "active",
    }
