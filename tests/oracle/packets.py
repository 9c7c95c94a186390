"""Random packets for an estate, drawn mostly from the values at which its rules change their minds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle.drawn_rules import some
from tests.oracle.estates import OUTSIDE
from tests.oracle.packet import ICMP, ICMPV6, TCP, UDP, End, Packet, icmp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.oracle.estates import RawEstate
    from tests.oracle.records import Read

__all__ = ["CLIENT_PORTS", "draw_ends", "draw_packet", "draw_traffic", "edges", "every_pair", "protocols_of"]

CLIENT_PORTS = (1024, 32768, 49152, 60999, 65535)
_USUAL = ((TCP, 443), (TCP, 22), (UDP, 53), (ICMP, icmp(8)), (50, 0), (132, 9))
_MESSAGES = {ICMP: (icmp(8), icmp(8, 1), icmp(3, 4), icmp(3, 1)), ICMPV6: (icmp(128), icmp(1), icmp(128, 3))}


def edges(estate: Read) -> list[int]:
    """Client ports at which a network ACL may change its mind, and those that systems choose at their limits.

    The odd client takes a port below 1024: what passes at most has those as well.
    """
    found = set(CLIENT_PORTS)
    for acl in estate.acls:
        for entry in acl.entries:
            if entry.protocol in {TCP, UDP} and entry.first >= 0:
                found |= {entry.first - 1, entry.first, entry.last, entry.last + 1}
    return sorted(port for port in found if 0 <= port <= 65535)


def protocols_of(six: bool) -> tuple[int, ...]:  # noqa: FBT001 - one question, one answer
    """Protocols that packets of a family are drawn with."""
    return (TCP, UDP, ICMPV6 if six else ICMP, 50, 132, 47)


def draw_ends(random: Random, estate: RawEstate) -> tuple[End, End]:
    """Two ends of one family: two interfaces, or an interface and an address outside."""
    name, private, public = random.choice(estate.ends)
    own = End(random.choice(private), name)
    six = ":" in own.address
    others = [
        End(address, other)
        for other, addresses, public in estate.ends
        for address in (addresses if six or not public or some(random, 0.85) else public)
        if other != name and (":" in address) == six
    ]
    if others and some(random, 0.7 if six or public else 0.95):
        return own, random.choice(others)
    away = End(random.choice([each for each in OUTSIDE if (":" in each) == six]))
    if some(random, 0.5):
        return own, away
    return away, own


def draw_traffic(random: Random, estate: Read, target: End, source: End) -> tuple[int, int]:
    """A protocol and a port, at the edge of a rule that concerns one of the ends, or one that everybody uses."""
    six = ":" in target.address
    kinds = protocols_of(six)
    rules = [
        (rule.protocol, rule.first, rule.last)
        for interface in estate.interfaces
        if interface.id in {target.interface, source.interface}
        for group in estate.groups
        if group.id in interface.groups
        for rule in (group.ingress if interface.id == target.interface else group.egress)
    ]
    rules += [(each.protocol, each.first, each.last) for acl in estate.acls for each in acl.entries if each.first > 0]
    if some(random, 0.2) or not rules:
        protocol, port = random.choice(_USUAL)
    else:
        protocol, first, last = random.choice(rules)
        if protocol == -1:
            protocol = random.choice(kinds)
        if protocol in {TCP, UDP}:
            port = random.choice((first, last, first, last, (first + last) // 2, first - 1, last + 1))
            port = min(max(port, 0), 65535)
        else:
            port = 0
    if protocol in _MESSAGES:
        protocol = ICMPV6 if six else ICMP
        port = random.choice(_MESSAGES[protocol])
    return protocol, port


def draw_packet(random: Random, raw: RawEstate, estate: Read) -> Packet:
    """A packet between drawn ends."""
    source, target = draw_ends(random, raw)
    protocol, port = draw_traffic(random, estate, target, source)
    ports = edges(estate)
    return Packet(source, target, protocol, port, random.choice(ports), random.choice(ports))


_GRID = (
    (TCP, 22), (TCP, 443), (TCP, 1024), (TCP, 65535), (UDP, 53), (UDP, 32768), (ICMP, icmp(8)), (ICMP, icmp(3, 4)),
    (ICMPV6, icmp(128)), (50, 0), (132, 9), (47, 0),
)  # fmt: skip


def every_pair(estate: Read) -> Iterator[Packet]:
    """A grid of traffic between any two interfaces, and between each interface and a few addresses outside."""
    ends = [End(str(each.addresses[0].private), each.id) for each in estate.interfaces if each.groups]
    pairs = [(one, two) for one in ends for two in ends if one.interface != two.interface]
    # Addresses outside have one family, and an interface may have both.
    for each in estate.interfaces:
        for own in each.addresses if each.groups else ():
            end = End(str(own.private), each.id)
            near = [End(outside) for outside in OUTSIDE if (":" in outside) == (own.private.version == 6)]
            pairs += [pair for outside in near[::4] for pair in ((end, outside), (outside, end))]
    for source, target in pairs:
        for protocol, port in _GRID:
            yield Packet(source, target, protocol, port)
