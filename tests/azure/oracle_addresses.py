"""Who has an address, where it lies, and by which address the internet sees it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.azure.oracle_records import Address, Config, Forward, Front, Nic, Packet, Read, Subnet, Vnet
    from tests.azure.oracle_worlds import World

__all__ = [
    "HOST",
    "METADATA",
    "Outbound",
    "anywhere",
    "config_at",
    "forwards",
    "front_address",
    "front_at",
    "is_public",
    "nic_of",
    "outbound",
    "public_of",
    "subnet_of",
    "vnet_of",
    "vnet_of_id",
]

HOST = ip_address("168.63.129.16")
METADATA = ip_address("169.254.169.254")
"""https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview#azure-platform-considerations"""

_NOT_PUBLIC = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/128", "::1/128", "fc00::/7", "fe80::/10",
        "ff00::/8",
    )
]  # fmt: skip
_TCP_UDP = {6, 17}
ICMPV6 = 58
_BY_ADDRESS = {1, 6, 17, 50, ICMPV6}
"""What a public address carries; the page lists ICMP, and whether it means ICMPv6 as well it does not say."""
_NUMBER = {"tcp": {6}, "udp": {17}, "all": _TCP_UDP}


def is_public(address: Address) -> bool:
    """Whether the public internet reaches the address."""
    return not any(address in network for network in _NOT_PUBLIC)


def anywhere(estate: Read, packet: Packet) -> list[Address]:
    """Public addresses of nobody here: one of each kind that rules, tags, networks and routes tell apart."""
    own = [each.address for each in estate.publics.values()]
    version = ip_address(packet.destination.address).version
    return [each for each in estate.edges if each.version == version and is_public(each) and each not in own]


def nic_of(estate: Read, own: str) -> Nic | None:
    return next((each for each in estate.nics if each.id == own), None)


def subnet_of(estate: Read, config: Config) -> Subnet:
    return next(each for each in estate.subnets if each.id == config.subnet)


def vnet_of_id(estate: Read, own: str) -> Vnet | None:
    return next((each for each in estate.vnets if each.id == own), None)


def vnet_of(estate: Read, subnet: Subnet) -> Vnet:
    return next(each for each in estate.vnets if each.id == subnet.vnet)


def config_at(nic: Nic, address: Address) -> Config | None:
    """The configuration of an interface that has a private address."""
    return next((each for each in nic.configs if each.private == address), None)


def public_of(estate: Read, config: Config) -> Address | None:
    return estate.publics[config.public].address if config.public in estate.publics else None


def front_address(estate: Read, front: Front) -> Address | None:
    """The address of a frontend, public or private."""
    if front.public:
        return estate.publics[front.public].address if front.public in estate.publics else None
    return ip_address(front.private) if front.private else None


def front_at(estate: Read, nic: Nic, address: Address, vnet: str) -> tuple[Config, Front, bool] | None:
    """The configuration of an interface behind the frontend that has this address, and whether it is a Basic one.

    ``vnet`` tells in which network a private frontend has to lie; it is empty for public ones.
    """
    for balancer in estate.balancers:
        for front in balancer.fronts:
            inside = front.subnet.partition("/subnets/")[0]
            if front_address(estate, front) != address or inside != vnet:
                continue
            for config in nic.configs:
                if any(forwards(rule, front, config) for rule in balancer.rules if rule.kind != "outbound"):
                    return config, front, balancer.basic
    return None


def forwards(rule: Forward, front: Front, config: Config) -> bool:
    """Whether a rule of a load balancer leads from a frontend to a configuration.

    https://learn.microsoft.com/en-us/azure/load-balancer/components
    """
    return front.id in rule.fronts and any(own in rule.to for own in (*config.pools, *config.nat_rules))


class Outbound(NamedTuple):
    """How a packet leaves for the internet: ``seen`` are the addresses it may bear there, None an unknown one."""

    verdict: str
    seen: list[Address | None]


_BLOCKED = Outbound("blocked", [])


def outbound(estate: Read, world: World, config: Config, protocol: int) -> Outbound:
    """The way out: a NAT gateway, else the public address, else a load balancer, else default outbound access.

    https://learn.microsoft.com/en-us/azure/nat-gateway/nat-overview: takes precedence over the other ways; carries
    TCP and UDP, and IPv4.
    https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-outbound-connections: a public address carries
    TCP, UDP, ICMP and ESP; whatever else translates ports carries TCP and UDP.
    https://learn.microsoft.com/en-us/azure/virtual-network/ip-services/default-outbound-access: one public IPv4
    address, which belongs to Microsoft and may change. A public address ends it; whether one of IPv6 does is open.
    """
    subnet = subnet_of(estate, config)
    four = config.private.version == 4
    public = public_of(estate, config)
    if subnet.nat and four:
        addresses = estate.nats.get(subnet.nat)
        if not addresses:
            return Outbound("undefined", [None])
        if protocol in _TCP_UDP:
            return Outbound("passes", list(addresses))
        carried = public is not None and protocol in _BY_ADDRESS
        return Outbound("undefined", [public, *addresses]) if carried else _BLOCKED
    if config.public:
        verdict = "undefined" if protocol == ICMPV6 else "passes"
        return Outbound(verdict, [public]) if protocol in _BY_ADDRESS else _BLOCKED
    behind = _balanced(estate, config, protocol)
    if behind is not None:
        return behind
    if not four or subnet.outbound is False or protocol not in _TCP_UDP:
        return _BLOCKED
    if _has_public(estate, config) and not world.holds("default outbound access beside a public address of IPv6"):
        return _BLOCKED
    if subnet.outbound is None and not world.holds(f"{subnet.id} has default outbound access"):
        return _BLOCKED
    return Outbound("passes", [None])


def _has_public(estate: Read, config: Config) -> bool:
    """Whether any configuration of the same interface has a public address."""
    return any(each.public for nic in estate.nics if config in nic.configs for each in nic.configs)


def _balanced(estate: Read, config: Config, protocol: int) -> Outbound | None:
    """The way out of a backend; a Standard load balancer without a rule for it leaves none.

    https://learn.microsoft.com/en-us/azure/load-balancer/outbound-rules
    """
    seen: list[Address | None] = []
    inner = standard = False
    for balancer in estate.balancers:
        for rule in balancer.rules:
            if not any(own in rule.to for own in (*config.pools, *config.nat_rules)):
                continue
            fronts = [front for front in balancer.fronts if front.id in rule.fronts]
            standard = standard or not balancer.basic
            inner = inner or any(not front.public for front in fronts)
            if rule.snat and (balancer.basic or protocol in _NUMBER[rule.protocol]):
                addresses = [front_address(estate, front) for front in fronts if front.public]
                seen += [each for each in addresses if each is None or each.version == config.private.version]
    if seen:
        return Outbound("passes", seen) if protocol in _TCP_UDP else _BLOCKED
    if not standard and not (inner and config.pools):
        return None
    # A backend of a Basic internal load balancer keeps its default outbound access.
    return _BLOCKED if standard else None
