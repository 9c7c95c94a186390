"""Reads raw AWS answers into plain lists, one entry for one resource: nothing is judged here.

Names of fields are those of the EC2 API: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, cast

from tests.oracle.records import (
    Acl,
    Attachment,
    Block,
    Entry,
    Gateway,
    Group,
    Interface,
    Nat,
    Owned,
    Peering,
    Read,
    Route,
    Rule,
    Subnet,
    Table,
    TransitGateway,
    TransitRoute,
    Vpc,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oracle.records import Answers, Json, Network

__all__ = ["read"]

_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}


def read(answers: Answers) -> Read:
    """Read the answers; what is missing is taken for empty."""
    lists = _prefix_lists(answers)
    return Read(
        vpcs=_vpcs(answers),
        subnets=[
            Subnet(_text(item, "SubnetId"), _text(item, "VpcId"), _text(item, "AvailabilityZone"))
            for _, item in _items(answers, "describe_subnets", "Subnets")
        ],
        interfaces=[
            _interface(item) for _, item in _items(answers, "describe_network_interfaces", "NetworkInterfaces")
        ],
        groups=[
            Group(
                _text(item, "GroupId"),
                [_rule(each, lists) for each in _parts(item, "IpPermissions")],
                [_rule(each, lists) for each in _parts(item, "IpPermissionsEgress")],
            )
            for _, item in _items(answers, "describe_security_groups", "SecurityGroups")
        ],
        acls=[_acl(item) for _, item in _items(answers, "describe_network_acls", "NetworkAcls")],
        tables=[_table(item, lists) for _, item in _items(answers, "describe_route_tables", "RouteTables")],
        internet=[
            _gateway(item, "InternetGatewayId")
            for _, item in _items(answers, "describe_internet_gateways", "InternetGateways")
        ],
        egress_only=[
            _gateway(item, "EgressOnlyInternetGatewayId")
            for _, item in _items(answers, "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways")
        ],
        nats=[
            _nat(item)
            for _, item in _items(answers, "describe_nat_gateways", "NatGateways")
            if _parts(item, "NatGatewayAddresses")
        ],
        peerings=[
            _peering(item)
            for _, item in _items(answers, "describe_vpc_peering_connections", "VpcPeeringConnections")
        ],
        transits=[
            TransitGateway(
                _text(item, "TransitGatewayId"),
                _text(item, "State") == "available",
                _text(_part(item, "Options"), "SecurityGroupReferencingSupport", "disable") == "enable",
            )
            for _, item in _items(answers, "describe_transit_gateways", "TransitGateways")
        ],
        attachments=_attachments(answers),
        transit_routes=_transit_routes(answers),
        blocks=_blocks(answers),
        exclusions=_exclusions(answers),
        trips={},
    )  # fmt: skip


def _items(answers: Answers, operation: str, key: str) -> Iterator[tuple[tuple[str, ...], Json]]:
    for place, payload in answers.items():
        if place[2] == "ec2" and place[3] == operation:
            for item in _parts(cast("Json", payload), key):
                yield place, item


def _text(item: Json, key: str, default: str = "") -> str:
    return str(item.get(key, default))


def _part(item: Json, key: str) -> Json:
    return cast("Json", item.get(key) or {})


def _parts(item: Json, key: str) -> list[Json]:
    return cast("list[Json]", item.get(key) or [])


def _number(item: Json, key: str, default: int) -> int:
    value = item.get(key)
    return value if isinstance(value, int) else default


def _network(text: str) -> Network:
    return ip_network(text, strict=False)


def _prefix_lists(answers: Answers) -> dict[str, list[Network]]:
    return {
        place[4]: [_network(_text(each, "Cidr")) for each in _parts(cast("Json", payload), "Entries")]
        for place, payload in answers.items()
        if place[3] == "get_managed_prefix_list_entries"
    }


def _vpcs(answers: Answers) -> list[Vpc]:
    found: list[Vpc] = []
    for place, item in _items(answers, "describe_vpcs", "Vpcs"):
        texts = [_text(item, "CidrBlock")]
        for family in ("CidrBlock", "Ipv6CidrBlock"):
            for each in _parts(item, f"{family}AssociationSet"):
                if _text(_part(each, f"{family}State"), "State") == "associated":
                    texts += [_text(each, family)]
        owner = _text(item, "OwnerId", place[0])
        found.append(Vpc(_text(item, "VpcId"), owner, place[1], [_network(text) for text in texts]))
    return found


def _interface(item: Json) -> Interface:
    owned: list[Owned] = []
    for each in _parts(item, "PrivateIpAddresses"):
        public = _text(_part(each, "Association"), "PublicIp")
        owned.append(Owned(ip_address(_text(each, "PrivateIpAddress")), ip_address(public) if public else None))
    owned += [Owned(ip_address(_text(each, "Ipv6Address")), None) for each in _parts(item, "Ipv6Addresses")]
    groups = [_text(each, "GroupId") for each in _parts(item, "Groups")]
    return Interface(
        _text(item, "NetworkInterfaceId"), _text(item, "VpcId"), _text(item, "SubnetId"), groups, owned
    )  # fmt: skip


def _rule(item: Json, lists: dict[str, list[Network]]) -> Rule:
    name = _text(item, "IpProtocol")
    ranges = [_network(_text(each, "CidrIp")) for each in _parts(item, "IpRanges")]
    ranges += [_network(_text(each, "CidrIpv6")) for each in _parts(item, "Ipv6Ranges")]
    for each in _parts(item, "PrefixListIds"):
        ranges += lists[_text(each, "PrefixListId")]
    groups = [_text(each, "GroupId") for each in _parts(item, "UserIdGroupPairs")]
    protocol = _NUMBERS[name] if name in _NUMBERS else int(name)
    return Rule(protocol, _number(item, "FromPort", -1), _number(item, "ToPort", -1), ranges, groups)


def _acl(item: Json) -> Acl:
    entries: list[Entry] = []
    for each in _parts(item, "Entries"):
        text = _text(each, "CidrBlock") or _text(each, "Ipv6CidrBlock")
        protocol = int(_text(each, "Protocol"))
        if protocol in {1, 58}:
            limits = _part(each, "IcmpTypeCode")
            first, last = _number(limits, "Type", -1), _number(limits, "Code", -1)
        else:
            limits = _part(each, "PortRange")
            first, last = _number(limits, "From", -1), _number(limits, "To", -1)
        allow = _text(each, "RuleAction") == "allow"
        number = _number(each, "RuleNumber", 32767)
        entries.append(Entry(number, each.get("Egress") is True, allow, protocol, _network(text), first, last))
    subnets = [_text(each, "SubnetId") for each in _parts(item, "Associations")]
    default = item.get("IsDefault") is True
    return Acl(_text(item, "NetworkAclId"), _text(item, "VpcId"), default, subnets, entries)


_TARGETS = (
    "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "EgressOnlyInternetGatewayId", "NetworkInterfaceId",
    "GatewayId",
)  # fmt: skip


def _table(item: Json, lists: dict[str, list[Network]]) -> Table:
    routes: list[Route] = []
    for each in _parts(item, "Routes"):
        target = next((_text(each, key) for key in _TARGETS if key in each), "")
        active = _text(each, "State") == "active"
        by_list = _text(each, "DestinationPrefixListId")
        if by_list:
            routes += [Route(network, 1, active, target) for network in lists[by_list]]
            continue
        text = _text(each, "DestinationCidrBlock") or _text(each, "DestinationIpv6CidrBlock")
        rank = 2 if _text(each, "Origin") == "EnableVgwRoutePropagation" else 0
        routes.append(Route(_network(text), rank, active, target))
    associations = _parts(item, "Associations")
    main = any(each.get("Main") is True for each in associations)
    subnets = [_text(each, "SubnetId") for each in associations if "SubnetId" in each]
    return Table(_text(item, "VpcId"), main, subnets, routes)


def _gateway(item: Json, key: str) -> Gateway:
    attached = [
        _text(each, "VpcId")
        for each in _parts(item, "Attachments")
        if _text(each, "State") in {"available", "attached"}
    ]
    return Gateway(_text(item, key), attached)


def _nat(item: Json) -> Nat:
    own = _parts(item, "NatGatewayAddresses")[0]
    public = _text(own, "PublicIp") if _text(item, "ConnectivityType", "public") == "public" else ""
    return Nat(
        id=_text(item, "NatGatewayId"),
        vpc=_text(item, "VpcId"),
        subnet=_text(item, "SubnetId"),
        available=_text(item, "State") == "available",
        public=ip_address(public) if public else None,
        private=ip_address(_text(own, "PrivateIp")),
    )


def _peering(item: Json) -> Peering:
    requester, accepter = _part(item, "RequesterVpcInfo"), _part(item, "AccepterVpcInfo")
    return Peering(
        id=_text(item, "VpcPeeringConnectionId"),
        active=_text(_part(item, "Status"), "Code") == "active",
        vpcs=(_text(requester, "VpcId"), _text(accepter, "VpcId")),
        one_region=_text(requester, "Region") == _text(accepter, "Region"),
    )


def _attachments(answers: Answers) -> list[Attachment]:
    """VPC attachments; the table that decides for one is the table it is associated with."""
    found: list[Attachment] = []
    for _, item in _items(answers, "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"):
        own = _text(item, "TransitGatewayAttachmentId")
        table = ""
        operation = "describe_transit_gateway_attachments"
        for _, each in _items(answers, operation, "TransitGatewayAttachments"):
            association = _part(each, "Association")
            associated = _text(association, "State") == "associated"
            if _text(each, "TransitGatewayAttachmentId") == own and associated:
                table = _text(association, "TransitGatewayRouteTableId")
        sharing = _text(_part(item, "Options"), "SecurityGroupReferencingSupport", "enable")
        found.append(
            Attachment(
                id=own,
                gateway=_text(item, "TransitGatewayId"),
                vpc=_text(item, "VpcId"),
                subnets=cast("list[str]", item.get("SubnetIds") or []),
                available=_text(item, "State") == "available",
                shares=sharing == "enable",
                table=table,
            )
        )
    return found


def _transit_routes(answers: Answers) -> list[TransitRoute]:
    found: list[TransitRoute] = []
    for place, item in _items(answers, "search_transit_gateway_routes", "Routes"):
        targets = _parts(item, "TransitGatewayAttachments")
        found.append(
            TransitRoute(
                table=place[4],
                network=_network(_text(item, "DestinationCidrBlock")),
                static=_text(item, "Type") == "static",
                blackhole=_text(item, "State") != "active",
                attachment=_text(targets[0], "TransitGatewayAttachmentId") if targets else "",
            )
        )
    return found


def _blocks(answers: Answers) -> list[Block]:
    found: list[Block] = []
    for place, payload in answers.items():
        if place[3] == "describe_vpc_block_public_access_options":
            options = _part(cast("Json", payload), "VpcBlockPublicAccessOptions")
            found.append(Block(place[0], place[1], _text(options, "InternetGatewayBlockMode", "off")))
    return found


def _exclusions(answers: Answers) -> list[tuple[str, str]]:
    """The VPCs and subnets that public access is not blocked for, each with what it allows."""
    found: list[tuple[str, str]] = []
    operation, key = "describe_vpc_block_public_access_exclusions", "VpcBlockPublicAccessExclusions"
    for _, item in _items(answers, operation, key):
        if _text(item, "State") in {"create-complete", "update-complete"}:
            own = _text(item, "ResourceArn").rpartition("/")[2]
            found.append((own, _text(item, "InternetGatewayExclusionMode")))
    return found
