"""Raw AWS resources as plain values, one for one; nothing is judged here."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.roads import Trip

__all__ = [
    "Acl",
    "Address",
    "Answers",
    "Attachment",
    "Block",
    "Entry",
    "Gateway",
    "Group",
    "Interface",
    "Json",
    "Nat",
    "Network",
    "Owned",
    "Peering",
    "Read",
    "Route",
    "Rule",
    "Subnet",
    "Table",
    "TransitGateway",
    "TransitRoute",
    "Vpc",
]

Json: TypeAlias = "dict[str, object]"
Answers: TypeAlias = "Mapping[tuple[str, ...], object]"
"""Payloads by (account, region, service, operation) or (account, region, service, operation, resource)."""

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class Rule(NamedTuple):
    """A permission of a group: protocol -1 is all; ``first`` and ``last`` are ports, or ICMP type and code."""

    protocol: int
    first: int
    last: int
    ranges: list[Network]
    groups: list[str]


class Group(NamedTuple):
    id: str
    ingress: list[Rule]
    egress: list[Rule]


class Entry(NamedTuple):
    """An entry of a network ACL; ``first`` and ``last`` as in a rule, -1 for whatever has no limit."""

    number: int
    egress: bool
    allow: bool
    protocol: int
    network: Network
    first: int
    last: int


class Acl(NamedTuple):
    id: str
    vpc: str
    default: bool
    subnets: list[str]
    entries: list[Entry]


class Route(NamedTuple):
    """``rank`` orders routes of equal length: 0 static, 1 by prefix list, 2 propagated."""

    network: Network
    rank: int
    active: bool
    target: str


class Table(NamedTuple):
    vpc: str
    main: bool
    subnets: list[str]
    routes: list[Route]


class Vpc(NamedTuple):
    id: str
    account: str
    region: str
    ranges: list[Network]


class Subnet(NamedTuple):
    id: str
    vpc: str
    zone: str


class Owned(NamedTuple):
    """An address of an interface and the public IPv4 address that stands for it, if any."""

    private: Address
    public: Address | None


class Interface(NamedTuple):
    id: str
    vpc: str
    subnet: str
    groups: list[str]
    addresses: list[Owned]


class Gateway(NamedTuple):
    """An internet gateway or an egress-only one, with the VPCs it is attached to."""

    id: str
    vpcs: list[str]


class Nat(NamedTuple):
    id: str
    vpc: str
    subnet: str
    available: bool
    public: Address | None
    private: Address


class Peering(NamedTuple):
    id: str
    active: bool
    vpcs: tuple[str, str]
    one_region: bool


class TransitGateway(NamedTuple):
    id: str
    available: bool
    shares: bool


class Attachment(NamedTuple):
    id: str
    gateway: str
    vpc: str
    subnets: list[str]
    available: bool
    shares: bool
    table: str


class TransitRoute(NamedTuple):
    table: str
    network: Network
    static: bool
    blackhole: bool
    attachment: str


class Block(NamedTuple):
    """VPC Block Public Access of one account and region."""

    account: str
    region: str
    mode: str


class Read(NamedTuple):
    """Everything an oracle asks about.

    Attributes:
        trips: those that were followed before, by what was asked: many packets of an estate take the same way.
    """

    vpcs: list[Vpc]
    subnets: list[Subnet]
    interfaces: list[Interface]
    groups: list[Group]
    acls: list[Acl]
    tables: list[Table]
    internet: list[Gateway]
    egress_only: list[Gateway]
    nats: list[Nat]
    peerings: list[Peering]
    transits: list[TransitGateway]
    attachments: list[Attachment]
    transit_routes: list[TransitRoute]
    blocks: list[Block]
    exclusions: list[tuple[str, str]]
    trips: dict[tuple[str, Address, Address, int, bool], Trip]
