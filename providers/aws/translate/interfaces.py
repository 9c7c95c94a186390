"""Elastic network interfaces with all their addresses, and the elastic addresses that point at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Interface
from cloudseg.providers.aws.translate.tags import Tag, controller_of, tags_of
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["WireInterface", "add_addresses", "add_interfaces", "global_ipv6", "interface_of", "joined", "note_primary"]

_FACET = "interfaces"
# Answers older than the type of an interface tell some of them by their text alone:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
_ROLES = (
    ("Interface for NAT Gateway ", "nat_gateway"),
    ("VPC Endpoint Interface ", "vpc_endpoint"),
    ("AWS Lambda VPC ENI", "lambda"),
    ("Network Interface for Transit Gateway Attachment ", "transit_gateway"),
    ("EFS mount target ", "efs"),
)

_USERS_ROLES = frozenset(("branch", "efa", "efa-only", "interface", "trunk"))


class _Association(msgspec.Struct, rename="pascal"):
    public_ip: str = ""
    carrier_ip: str = ""


class _PrivateAddress(msgspec.Struct, rename="pascal"):
    private_ip_address: str = ""
    association: _Association | None = None


class _Ipv6Address(msgspec.Struct, rename="pascal"):
    ipv6_address: str = ""


class _Ipv4Prefix(msgspec.Struct, rename="pascal"):
    ipv4_prefix: str = ""


class _Ipv6Prefix(msgspec.Struct, rename="pascal"):
    ipv6_prefix: str = ""


class _Group(msgspec.Struct, rename="pascal"):
    group_id: str


class _Attachment(msgspec.Struct, rename="pascal"):
    instance_id: str = ""
    instance_owner_id: str = ""
    # Whatever is wrong with them, the interface is as it is.
    device_index: object = None
    network_card_index: object = None


class _Operator(msgspec.Struct, rename="pascal"):
    managed: bool = False
    principal: str = ""


class WireInterface(msgspec.Struct, rename="pascal"):
    """An interface as ``describe_network_interfaces`` lists it, and ``describe_instances`` within an instance."""

    network_interface_id: str
    vpc_id: str = ""
    subnet_id: str = ""
    owner_id: str = ""
    description: str = ""
    interface_type: str = ""
    private_ip_address: str = ""
    private_ip_addresses: list[_PrivateAddress] = []
    association: _Association | None = None
    ipv4_prefixes: list[_Ipv4Prefix] = []
    ipv6_addresses: list[_Ipv6Address] = []
    ipv6_prefixes: list[_Ipv6Prefix] = []
    groups: list[_Group] | None = None
    attachment: _Attachment | None = None
    source_dest_check: bool = True
    deny_all_igw_traffic: bool = False
    requester_id: str = ""
    requester_managed: bool = False
    operator: _Operator = msgspec.field(default_factory=_Operator)
    tag_set: list[Tag] = []


class _Address(msgspec.Struct, rename="pascal"):
    public_ip: str = ""
    carrier_ip: str = ""
    network_interface_id: str = ""
    network_interface_owner_id: str = ""


def add_interfaces(answers: Answers, draft: Draft) -> None:
    """Add the interfaces; the interface, not the instance, carries groups and addresses.

    In a shared VPC its account differs from the one that owns the network:
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html
    """
    operation, key = "describe_network_interfaces", "NetworkInterfaces"
    for wire in answers.each("ec2", operation, key, WireInterface, _FACET):
        interface = interface_of(answers, draft, wire, f"ec2.{operation}")
        draft.put(draft.interfaces, interface, answers.scope)
        note_primary(draft, wire, interface.id, interface.workload)
        draft.descriptions[interface.id] = wire.description


def interface_of(answers: Answers, draft: Draft, wire: WireInterface, what: str) -> Interface:
    """Return the interface that an item of an answer describes; ``what`` names the answer."""
    own = wire.network_interface_id
    owner = wire.owner_id or answers.scope
    tags = tags_of(wire.tag_set)
    associations = [wire.association, *(each.association for each in wire.private_ip_addresses)]
    addresses = joined(answers, what, own, _FACET, _texts(wire))
    if wire.groups is None:
        answers.gap(
            what, own, "unread", "Groups is missing; an interface shows the list even where it is empty", _FACET
        )
    public = joined(
        answers, what, own, _FACET, (ip for each in associations if each for ip in (each.public_ip, each.carrier_ip))
    )
    return Interface(
        id=answers.id(own, account=owner),
        kind="network-interface",
        name=tags.get("Name", "") or wire.description,
        region=answers.region,
        tags=tags,
        network=draft.id_of(answers, wire.vpc_id) if wire.vpc_id else None,
        subnet=draft.id_of(answers, wire.subnet_id) if wire.subnet_id else None,
        addresses=addresses,
        # Whoever denies all traffic of internet gateways cannot be addressed from there, over IPv6 neither.
        public=NO_ADDRESSES if wire.deny_all_igw_traffic else public | global_ipv6(addresses),
        attached=frozenset(draft.id_of(answers, each.group_id, owner) for each in wire.groups or ()),
        attached_unread=wire.groups is None,
        workload=_instance(answers, draft, wire),
        role=wire.interface_type or _role(wire.description),
        forwards=not wire.source_dest_check,
        managed_by=_managed_by(wire, tags),
        primary=_primary(wire) & addresses,
    )


def _primary(wire: WireInterface) -> AddressSet:
    """Return the address by which a machine sends whose first interface this is; a bad one is told as an address."""
    if not _is_first(wire) or not wire.private_ip_address:
        return NO_ADDRESSES
    try:
        return AddressSet.from_cidrs((wire.private_ip_address,))
    except ParseError:
        return NO_ADDRESSES


def _is_first(wire: WireInterface) -> bool:
    attached = wire.attachment
    return attached is not None and attached.device_index == 0 and not attached.network_card_index


def note_primary(draft: Draft, wire: WireInterface, interface: str, instance: str | None) -> None:
    """Remember the first interface of an instance, which bears its primary address.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html
    """
    if instance is not None and _is_first(wire):
        draft.primary[instance] = interface


def add_addresses(answers: Answers, draft: Draft) -> None:
    """Add the elastic addresses to the interfaces that they point at, where those did not show them."""
    for wire in answers.each("ec2", "describe_addresses", "Addresses", _Address, _FACET):
        if not wire.network_interface_id:
            continue
        owner = wire.network_interface_owner_id or None
        interface = draft.interfaces.get(draft.id_of(answers, wire.network_interface_id, owner))
        if interface is None:
            continue
        texts = (wire.public_ip, wire.carrier_ip)
        public = joined(answers, "ec2.describe_addresses", wire.network_interface_id, _FACET, texts)
        draft.interfaces[interface.id] = msgspec.structs.replace(interface, public=interface.public | public)


def joined(answers: Answers, what: str, resource: str, facet: str, texts: Iterable[str]) -> AddressSet:
    """Return the union of addresses and prefixes; one that is none becomes a gap, and empty texts are left out."""
    known = [text for text in texts if text]
    try:
        return AddressSet.from_cidrs(known)
    except ParseError:
        found = NO_ADDRESSES
        for text in known:
            try:
                found |= AddressSet.from_cidrs((text,))
            except ParseError as error:
                answers.gap(what, resource, "malformed", str(error), facet)
        return found


def _texts(wire: WireInterface) -> Iterable[str]:
    yield wire.private_ip_address
    for private in wire.private_ip_addresses:
        yield private.private_ip_address
    for prefix in wire.ipv4_prefixes:
        yield prefix.ipv4_prefix
    for address in wire.ipv6_addresses:
        yield address.ipv6_address
    for ipv6_prefix in wire.ipv6_prefixes:
        yield ipv6_prefix.ipv6_prefix


def global_ipv6(addresses: AddressSet) -> AddressSet:
    """Return the IPv6 addresses that the internet can address: a global one is public as it stands."""
    return AddressSet(v6=addresses.v6) & GLOBAL_UNICAST if addresses.v6 else NO_ADDRESSES


def _instance(answers: Answers, draft: Draft, wire: WireInterface) -> str | None:
    if wire.attachment is None or not wire.attachment.instance_id:
        return None
    owner = wire.attachment.instance_owner_id
    return draft.id_of(answers, wire.attachment.instance_id, owner if owner.isdecimal() else wire.owner_id or None)


def _role(description: str) -> str:
    return next((role for start, role in _ROLES if description.startswith(start)), "interface")


def _managed_by(wire: WireInterface, tags: dict[str, str]) -> str:
    """Return the service that keeps the interface, by the alias of its account, its type or its text."""
    if wire.operator.managed:
        return wire.operator.principal or "aws"
    attached_by = wire.attachment.instance_owner_id if wire.attachment else ""
    for alias in (wire.requester_id, attached_by):
        if alias.startswith("amazon-") and alias != "amazon-aws":
            return alias
    role = wire.interface_type or _role(wire.description)
    if role not in _USERS_ROLES:
        return role
    return "aws" if wire.requester_managed or attached_by == "amazon-aws" else controller_of(tags)
