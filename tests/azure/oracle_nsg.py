"""What one network security group says about one packet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.azure.oracle_records import Rule
from tests.azure.oracle_tags import means

if TYPE_CHECKING:
    from tests.azure.oracle_records import Address, Read
    from tests.azure.oracle_tags import View
    from tests.azure.oracle_worlds import World

__all__ = ["Seen", "allows", "matches"]

_NUMBERS = {"tcp": {6}, "udp": {17}, "icmp": {1}, "esp": {50}, "ah": {51}}
ICMPV6 = 58


class Seen(NamedTuple):
    """A packet as the rules of one interface see it.

    Inbound that is after the public address became the private one, outbound before the private one becomes public.
    The groups are the application security groups of whoever has the private address at that end.
    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview#security-rules
    """

    source: Address
    source_groups: list[str]
    destination: Address
    destination_groups: list[str]
    protocol: int
    source_port: int
    port: int


def _default(priority: int, direction: str, action: str, source: str, destination: str) -> Rule:
    return Rule(priority, direction, action, "*", [source], [], ["*"], [destination], [], ["*"])


_DEFAULTS = [
    _default(65000, "inbound", "allow", "VirtualNetwork", "VirtualNetwork"),
    _default(65001, "inbound", "allow", "AzureLoadBalancer", "*"),
    _default(65500, "inbound", "deny", "*", "*"),
    _default(65000, "outbound", "allow", "VirtualNetwork", "VirtualNetwork"),
    _default(65001, "outbound", "allow", "*", "Internet"),
    _default(65500, "outbound", "deny", "*", "*"),
]
"""https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview#default-security-rules"""


def allows(estate: Read, world: World, view: View, nsg: str, seen: Seen, direction: str) -> bool:
    """The first rule that matches, from the lowest priority number on, decides; no group at all lets pass.

    A group remembers connections, so nothing has to let the answer pass. One that was not read may do either.
    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-group-how-it-works
    """
    if not nsg:
        return True
    if nsg not in estate.nsgs:
        return world.holds(f"{nsg} lets {direction} pass")
    for rule in sorted([*estate.nsgs[nsg], *_DEFAULTS], key=lambda each: each.priority):
        if rule.direction == direction and matches(estate, world, view, rule, seen):
            return rule.action == "allow"
    raise ValueError(f"no rule of {nsg} matched")


def matches(estate: Read, world: World, view: View, rule: Rule, seen: Seen) -> bool:
    """Rules match by source, source port, destination, destination port and protocol.

    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview#security-rules
    """
    return (
        _ends(estate, world, view, rule, seen)
        and _carries(world, rule.protocol, seen.protocol)
        and _ports(world, rule, rule.source_ports, seen.protocol, seen.source_port)
        and _ports(world, rule, rule.destination_ports, seen.protocol, seen.port)
    )


def _carries(world: World, name: str, protocol: int) -> bool:
    """Any has all protocols, ESP and AH among them.

    https://learn.microsoft.com/en-us/azure/virtual-network/ip-services/ipv6-overview#limitations: groups do not know
    ICMPv6, so whether a rule for ICMP means it is open.
    """
    if name in {"*", "any"}:
        return True
    if protocol == ICMPV6:
        return name == "icmp" and world.holds("a rule for ICMP means ICMPv6")
    return protocol in _NUMBERS[name]


def _ports(world: World, rule: Rule, ranges: list[str], protocol: int, port: int) -> bool:
    """Ports belong to TCP and UDP: a packet without ports matches a rule for every port.

    It matches no rule for any protocol that names some ports. A rule for a protocol without ports that yet names some,
    no page tells of: the portal does not write it.
    """
    for text in ranges:
        first, _, last = ("0-65535" if text == "*" else text).partition("-")
        low, high = int(first), int(last or first)
        if protocol in {6, 17}:
            if low <= port <= high:
                return True
        elif (low, high) == (0, 65535):
            return True
    named = rule.protocol not in {"*", "any"} and protocol not in {6, 17}
    return named and world.holds(f"a rule for {rule.protocol} with ports means it")


def _ends(estate: Read, world: World, view: View, rule: Rule, seen: Seen) -> bool:
    """A group means its members: https://learn.microsoft.com/en-us/azure/virtual-network/application-security-groups"""
    here = any(group in seen.source_groups for group in rule.source_groups)
    there = any(group in seen.destination_groups for group in rule.destination_groups)
    return (here or any(means(estate, world, view, text, seen.source) for text in rule.sources)) and (
        there or any(means(estate, world, view, text, seen.destination) for text in rule.destinations)
    )
