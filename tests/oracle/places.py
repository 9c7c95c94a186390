"""Who has an address, where it lies, and what stands for it outside."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.records import Address, Read

__all__ = [
    "address_of",
    "blocked",
    "holder",
    "is_own",
    "is_public",
    "may_enter",
    "may_leave",
    "public_of",
    "subnet_of",
    "vpc_of",
    "zone_of",
]

_NOT_PUBLIC = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "198.18.0.0/15", "224.0.0.0/3", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8",
    )
]  # fmt: skip


@lru_cache(maxsize=4096)
def address_of(text: str) -> Address:
    """An address from its text: the packets of an estate bear the same few many times."""
    return ip_address(text)


def is_public(address: Address) -> bool:
    """Whether a packet may bear the address on the internet; addresses of documentation count as if they were real."""
    return not any(address in network for network in _NOT_PUBLIC)


def public_of(estate: Read, vpc: str, source: Address) -> Address | None:
    """What the internet sees of an address of this VPC, if anything."""
    for interface in estate.interfaces:
        if interface.vpc == vpc:
            for own in interface.addresses:
                if own.private == source:
                    return own.public if source.version == 4 else (source if is_public(source) else None)
    for nat in estate.nats:
        if nat.vpc == vpc and nat.private == source:
            return nat.public
    return None


def is_own(estate: Read, vpc: str, address: Address) -> bool:
    return any(each.id == vpc and any(address in network for network in each.ranges) for each in estate.vpcs)


def may_leave(estate: Read, subnet: str, through: str) -> bool:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcBlockPublicAccessOptions.html"""
    mode, excluded = blocked(estate, subnet)
    if mode == "block-bidirectional":
        return bool(excluded)
    if mode == "block-ingress":
        return through in {"nat", "eigw"} or "allow-bidirectional" in excluded
    return True


def may_enter(estate: Read, subnet: str) -> bool:
    mode, excluded = blocked(estate, subnet)
    return mode == "off" or "allow-bidirectional" in excluded


def blocked(estate: Read, subnet: str) -> tuple[str, list[str]]:
    own = next(each for each in estate.vpcs if each.id == vpc_of(estate, subnet))
    modes = [each.mode for each in estate.blocks if (each.account, each.region) == (own.account, own.region)]
    excluded = [allowed for what, allowed in estate.exclusions if what in {own.id, subnet}]
    return (modes[0] if modes else "off"), excluded


def vpc_of(estate: Read, subnet: str) -> str:
    return next(each.vpc for each in estate.subnets if each.id == subnet)


def zone_of(estate: Read, subnet: str) -> str:
    return next(each.zone for each in estate.subnets if each.id == subnet)


def holder(estate: Read, vpc: str, address: Address) -> str:
    """The interface or the NAT gateway that has a private address in a VPC."""
    for nat in estate.nats:
        if nat.vpc == vpc and nat.available and nat.private == address:
            return nat.id
    for interface in estate.interfaces:
        if interface.vpc == vpc and any(own.private == address for own in interface.addresses):
            return interface.id
    return ""


def subnet_of(estate: Read, vpc: str, address: Address) -> str:
    """The subnet of whatever has a private address in a VPC."""
    found = holder(estate, vpc, address)
    for nat in estate.nats:
        if nat.id == found:
            return nat.subnet
    for interface in estate.interfaces:
        if interface.id == found:
            return interface.subnet
    return ""
