"""Ways out of a VPC: internet, egress-only and NAT gateways; and peerings of two VPCs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Gateway, Peering, qualified
from cloudseg.providers.aws.translate.answers import PROVIDER
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["add_gateways", "add_peerings"]

_FACET = "gateways"
_ATTACHED = frozenset(("attached", "available", ""))
_NAT_STATES = {"available": True, "deleted": False, "failed": False, "pending": False}


class _Attachment(msgspec.Struct, rename="pascal"):
    vpc_id: str = ""
    state: str = ""


class _InternetGateway(msgspec.Struct, rename="pascal"):
    internet_gateway_id: str
    attachments: list[_Attachment] = []
    owner_id: str = ""
    tags: list[Tag] = []


class _EgressOnlyGateway(msgspec.Struct, rename="pascal"):
    egress_only_internet_gateway_id: str
    attachments: list[_Attachment] = []
    tags: list[Tag] = []


class _NatAddress(msgspec.Struct, rename="pascal"):
    network_interface_id: str = ""


class _NatGateway(msgspec.Struct, rename="pascal"):
    nat_gateway_id: str
    vpc_id: str = ""
    subnet_id: str = ""
    state: str = ""
    connectivity_type: str = "public"
    availability_mode: str = "zonal"
    route_table_id: str = ""
    nat_gateway_addresses: list[_NatAddress] = []
    tags: list[Tag] = []


class _Range(msgspec.Struct, rename="pascal"):
    cidr_block: str = ""


class _Ipv6Range(msgspec.Struct, rename="pascal"):
    ipv6_cidr_block: str = ""


class _End(msgspec.Struct, rename="pascal"):
    vpc_id: str
    owner_id: str = ""
    region: str = ""
    cidr_block: str = ""
    cidr_block_set: list[_Range] = []
    ipv6_cidr_block_set: list[_Ipv6Range] = []


class _Status(msgspec.Struct, rename="pascal"):
    code: str = ""


class _Peering(msgspec.Struct, rename="pascal"):
    vpc_peering_connection_id: str
    requester_vpc_info: _End
    accepter_vpc_info: _End
    status: _Status = msgspec.field(default_factory=_Status)
    tags: list[Tag] = []


def add_gateways(answers: Answers, draft: Draft) -> None:
    """Add the internet, egress-only and NAT gateways with the VPCs that they serve.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
    """
    operation, key = "describe_internet_gateways", "InternetGateways"
    for wire in answers.each("ec2", operation, key, _InternetGateway, _FACET):
        gateway = _internet(
            answers, draft, answers.id(wire.internet_gateway_id, account=wire.owner_id), "internet-gateway",
            wire.attachments, wire.tags,
        )  # fmt: skip
        draft.put(draft.gateways, gateway, answers.scope)
    operation, key = "describe_egress_only_internet_gateways", "EgressOnlyInternetGateways"
    for egress_only in answers.each("ec2", operation, key, _EgressOnlyGateway, _FACET):
        gateway = _internet(
            answers, draft, answers.id(egress_only.egress_only_internet_gateway_id), "egress-only-internet-gateway",
            egress_only.attachments, egress_only.tags,
        )  # fmt: skip
        draft.put(draft.gateways, gateway, answers.scope)
    for nat in answers.each("ec2", "describe_nat_gateways", "NatGateways", _NatGateway, _FACET):
        draft.put(draft.gateways, _nat(answers, draft, nat), answers.scope)


def _internet(
    answers: Answers, draft: Draft, identifier: str, kind: str, attachments: list[_Attachment], wires: list[Tag]
) -> Gateway:
    tags = tags_of(wires)
    attached = [each.vpc_id for each in attachments if each.vpc_id and each.state in _ATTACHED]
    return Gateway(
        id=identifier,
        kind=kind,
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        networks=frozenset(draft.id_of(answers, vpc) for vpc in attached),
        active=bool(attached),
        public=True,
    )


def _nat(answers: Answers, draft: Draft, wire: _NatGateway) -> Gateway:
    """Translate a NAT gateway; a regional one stands in every zone of its VPC and in no subnet.

    Answers older than private NAT gateways have no connectivity type: all were public then.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html
    """
    tags = tags_of(wire.tags)
    regional = wire.availability_mode == "regional"
    return Gateway(
        id=answers.id(wire.nat_gateway_id),
        kind="nat-gateway",
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        networks=frozenset((draft.id_of(answers, wire.vpc_id),) if wire.vpc_id else ()),
        subnet=draft.id_of(answers, wire.subnet_id) if wire.subnet_id and not regional else None,
        route_table=draft.id_of(answers, wire.route_table_id) if wire.route_table_id and regional else None,
        interfaces=frozenset(
            draft.id_of(answers, each.network_interface_id)
            for each in wire.nat_gateway_addresses
            if each.network_interface_id
        ),
        active=_NAT_STATES.get(wire.state),
        public=wire.connectivity_type != "private",
    )


def add_peerings(answers: Answers, draft: Draft) -> None:
    """Add the peerings; both sides may read one, which bears the account and region of its requester.

    Each side sees the ranges of both, so those of a VPC are known although its own account was not read.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcPeeringConnection.html
    """
    operation, key = "describe_vpc_peering_connections", "VpcPeeringConnections"
    for wire in answers.each("ec2", operation, key, _Peering, "peerings"):
        ends = (wire.requester_vpc_info, wire.accepter_vpc_info)
        regions = tuple(end.region or answers.region for end in ends)
        networks = tuple(
            qualified(PROVIDER, end.owner_id or answers.scope, end.vpc_id, region)
            for end, region in zip(ends, regions, strict=True)
        )
        own = wire.vpc_peering_connection_id
        tags = tags_of(wire.tags)
        peering = Peering(
            id=answers.id(own, account=ends[0].owner_id, region=regions[0]),
            kind="vpc-peering-connection",
            name=tags.get("Name", ""),
            region=regions[0],
            tags=tags,
            networks=(networks[0], networks[1]),
            regions=(regions[0], regions[1]),
            active=wire.status.code == "active",
            ranges=(_ranges(answers, own, ends[0]), _ranges(answers, own, ends[1])),
            owners=(ends[0].owner_id, ends[1].owner_id),
        )
        draft.put(draft.peerings, peering, answers.scope)
        draft.remember(regions[1], own, peering.id)


def _ranges(answers: Answers, peering: str, end: _End) -> AddressSet:
    texts = (
        end.cidr_block,
        *(each.cidr_block for each in end.cidr_block_set),
        *(each.ipv6_cidr_block for each in end.ipv6_cidr_block_set),
    )
    return joined(answers, "ec2.describe_vpc_peering_connections", peering, "peerings", texts)
