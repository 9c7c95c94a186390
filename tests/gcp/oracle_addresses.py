"""Who has an address, and by which address the internet sees it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from tests.gcp.oracle_routes import GOOGLE_VIPS, is_public

if TYPE_CHECKING:
    from tests.azure.oracle_worlds import World
    from tests.gcp.oracle_records import Address, Nat, Nic, Packet, Read, Subnet

__all__ = ["holds", "internal", "let_out", "nic_of"]

_TRANSLATED = {1, 6, 17}
"""https://cloud.google.com/nat/docs/overview: TCP, UDP and ICMP."""


def nic_of(estate: Read, own: str) -> Nic | None:
    return next((each for each in estate.nics if each.id == own), None)


def internal(nic: Nic, address: Address) -> bool:
    """Whether an interface sends from the address: its primary one, of an alias range, or IPv6 of either kind."""
    if address == nic.primary:
        return True
    return any(address.version == each.version and address in each for each in (*nic.aliases, *nic.six))


def holds(nic: Nic, address: Address) -> bool:
    """Whether the internet finds an interface by the address."""
    if address == nic.public:
        return True
    return is_public(address) and any(address.version == 6 and address in each for each in nic.six)


def let_out(estate: Read, world: World, packet: Packet, source: Nic, target: Nic | None) -> Address | None:
    """The address by which the internet sees a packet, or None where it may not leave.

    https://cloud.google.com/vpc/docs/vpc#internet_access_reqs: an external address of its own, or Cloud NAT; IPv6
    leaves from external ranges alone.
    """
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if here.version == 6:
        return here if is_public(here) else None
    if here == source.primary and source.public is not None:
        return source.public
    subnet = next(each for each in estate.subnets if each.id == source.subnet)
    serving = [
        nat
        for nat in estate.nats
        if (nat.network, nat.region) == (source.network, source.region) and _serves(nat, subnet, here)
    ]
    if serving and packet.protocol in _TRANSLATED:
        return _one_of(estate, world, serving[0], target)
    # Cloud NAT brings Private Google Access with it: https://cloud.google.com/nat/docs/nat-product-interactions
    if (subnet.google_access or serving) and target is None and _google(world, there):
        return here
    return None


def _google(world: World, there: Address) -> bool:
    """https://cloud.google.com/vpc/docs/configure-private-google-access#domain-options"""
    return any(there in each for each in GOOGLE_VIPS) or world.holds(f"Google's services have {there}")


def _serves(nat: Nat, subnet: Subnet, here: Address) -> bool:
    """https://cloud.google.com/nat/docs/nat-product-interactions: of an interface with an external address, alias
    ranges may still be translated; its primary address never is.
    """
    own = next(each for each in subnet.ranges if each.network.version == 4 and here in each.network)
    if nat.scope == "ALL_SUBNETWORKS_ALL_IP_RANGES":
        return True
    if nat.scope == "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES":
        return not own.name
    listed = nat.listed.get(subnet.id, [])
    if "ALL_IP_RANGES" in listed:
        return True
    return own.name in listed if own.name else "PRIMARY_IP_RANGE" in listed


def _one_of(estate: Read, world: World, nat: Nat, target: Nic | None) -> Address | None:
    """Which address is borne matters only to who is called; of those that Google picks, one of each kind is tried."""
    if nat.addresses is not None and not nat.addresses:
        return None
    if target is None:
        return ip_address("1.0.0.0")
    *others, last = nat.addresses or [each for each in estate.edges if each.version == 4 and is_public(each)]
    name = f"{nat.network} in {nat.region}"
    return next((each for each in others if world.holds(f"Cloud NAT of {name} bears {each}")), last)
