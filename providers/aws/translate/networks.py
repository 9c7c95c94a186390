"""VPCs and subnets, with what VPC Block Public Access cuts off from the internet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Gap, Network, Subnet, scope_of
from cloudseg.providers.aws.translate.answers import PROVIDER
from cloudseg.providers.aws.translate.public_access_block import PublicAccessBlock
from cloudseg.providers.aws.translate.tags import Tag, tags_of
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.coverage import Place
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["PIPELINE", "add_networks", "add_subnets", "report_shared"]

PIPELINE = "aws"


class _State(msgspec.Struct, rename="pascal"):
    state: str = "associated"


class _Range(msgspec.Struct, rename="pascal"):
    cidr_block: str = ""
    cidr_block_state: _State = msgspec.field(default_factory=_State)


class _Ipv6Range(msgspec.Struct, rename="pascal"):
    ipv6_cidr_block: str = ""
    ipv6_cidr_block_state: _State = msgspec.field(default_factory=_State)


class _Vpc(msgspec.Struct, rename="pascal"):
    vpc_id: str
    cidr_block: str = ""
    cidr_block_association_set: list[_Range] = []
    ipv6_cidr_block_association_set: list[_Ipv6Range] = []
    is_default: bool = False
    owner_id: str = ""
    tags: list[Tag] = []


class _Blocked(msgspec.Struct, rename="pascal"):
    internet_gateway_block_mode: str = ""


class _Subnet(msgspec.Struct, rename="pascal"):
    subnet_id: str
    vpc_id: str
    cidr_block: str = ""
    ipv6_cidr_block_association_set: list[_Ipv6Range] = []
    availability_zone: str = ""
    availability_zone_id: str = ""
    map_public_ip_on_launch: bool | None = None
    block_public_access_states: _Blocked = msgspec.field(default_factory=_Blocked)
    owner_id: str = ""
    tags: list[Tag] = []


def add_networks(answers: Answers, draft: Draft) -> None:
    """Add the VPCs, each with the ranges that are associated with it, IPv6 included.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Vpc.html
    """
    for vpc in answers.each("ec2", "describe_vpcs", "Vpcs", _Vpc, "networks"):
        texts = (vpc.cidr_block, *_v4(vpc.cidr_block_association_set), *_v6(vpc.ipv6_cidr_block_association_set))
        tags = tags_of(vpc.tags)
        network = Network(
            id=answers.id(vpc.vpc_id, account=vpc.owner_id),
            kind="vpc",
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            addresses=_addresses(answers, "describe_vpcs", vpc.vpc_id, "networks", texts),
            pipeline=PIPELINE,
            is_default=vpc.is_default,
        )
        draft.put(draft.networks, network, answers.scope)


def add_subnets(answers: Answers, draft: Draft) -> None:
    """Add the subnets; one that is shared belongs to the account that owns it, and so does its network.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Subnet.html
    """
    block = PublicAccessBlock.read(answers)
    for subnet in answers.each("ec2", "describe_subnets", "Subnets", _Subnet, "subnets"):
        texts = (subnet.cidr_block, *_v6(subnet.ipv6_cidr_block_association_set))
        tags = tags_of(subnet.tags)
        owner = subnet.owner_id or scope_of(draft.id_of(answers, subnet.vpc_id))
        network = draft.id_of(answers, subnet.vpc_id, owner)
        # Where the VPC itself was not listed, its subnets tell whose it is.
        draft.remember(answers.region, subnet.vpc_id, network)
        translated = Subnet(
            id=answers.id(subnet.subnet_id, account=owner),
            kind="subnet",
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            network=network,
            addresses=_addresses(answers, "describe_subnets", subnet.subnet_id, "subnets", texts),
            zone=subnet.availability_zone,
            zone_id=subnet.availability_zone_id,
            public_by_default=subnet.map_public_ip_on_launch,
            internet_block=block.of(
                subnet.vpc_id,
                subnet.subnet_id,
                shown=subnet.block_public_access_states.internet_gateway_block_mode,
                owned=owner == answers.scope,
            ),
        )
        draft.put(draft.subnets, translated, answers.scope)


def report_shared(draft: Draft, places: Collection[Place]) -> None:
    """Note the networks that are shared by accounts that were not read: their other interfaces are not known.

    A participant lists its own interfaces alone, and the owner those of everybody. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html
    """
    for network in draft.networks.values():
        if (network.scope, network.region) not in places:
            draft.ledger.gaps.append(
                Gap(
                    PROVIDER,
                    network.scope,
                    network.region,
                    "ec2.describe_network_interfaces",
                    network.own_id,
                    "unread",
                    f"{network.own_id} is shared by {network.scope}, which was not read: others may stand in it",
                    ("interfaces",),
                )
            )


def _v4(ranges: list[_Range]) -> Iterable[str]:
    return (each.cidr_block for each in ranges if each.cidr_block_state.state == "associated")


def _v6(ranges: list[_Ipv6Range]) -> Iterable[str]:
    return (each.ipv6_cidr_block for each in ranges if each.ipv6_cidr_block_state.state == "associated")


def _addresses(answers: Answers, operation: str, resource: str, facet: str, texts: Iterable[str]) -> AddressSet:
    found = NO_ADDRESSES
    for text in texts:
        if text:
            build = partial(AddressSet.from_cidrs, (text,))
            found |= answers.understood(("ec2", operation), resource, facet, build) or NO_ADDRESSES
    return found
