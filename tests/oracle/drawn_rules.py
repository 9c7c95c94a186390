"""Random rules of groups and entries of network ACLs, drawn close to one another so that their edges matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle.raw import entry, permission

if TYPE_CHECKING:
    from random import Random

    from tests.oracle.records import Json

__all__ = ["PORTS", "acl_entries", "egress_rules", "ingress_rules", "open_entries", "some"]

PORTS = (0, 1, 22, 53, 80, 443, 1023, 1024, 3306, 8080, 32767, 32768, 49152, 60999, 65534, 65535)
_EPHEMERAL = ((1024, 65535), (1024, 65535), (32768, 60999), (49152, 65535), (32768, 65535), (1025, 65535))
_ICMP = ((8, -1), (8, 0), (-1, -1), (3, -1), (3, 4), (0, -1))
_ICMPV6 = ((128, -1), (128, 0), (-1, -1), (1, -1), (129, -1))


def some(random: Random, chance: float) -> bool:
    """True with this chance."""
    return random.random() < chance


def _ports(random: Random) -> tuple[int, int]:
    pick = random.random()
    if pick < 0.15:
        return random.choice(((0, 65535), (1, 65535), (0, 65534)))
    if pick < 0.55:
        first = random.choice(PORTS)
        return first, first
    first, last = sorted(random.sample(PORTS, 2))
    return first, last


def _wire(random: Random, *, wide: bool) -> tuple[str, int | None, int | None]:
    """A protocol as groups name it, with its ports or its type and code."""
    pick = random.random()
    if wide and pick < 0.4:
        return "-1", None, None
    if pick < 0.68:
        return (random.choice(("tcp", "tcp", "tcp", "6")), *_ports(random))
    if pick < 0.8:
        return ("udp", *_ports(random))
    if pick < 0.87:
        return ("icmp", *random.choice(_ICMP))
    if pick < 0.92:
        return (random.choice(("icmpv6", "58")), *random.choice(_ICMPV6))
    return random.choice((("132", 9, 9), ("50", None, None), ("47", 0, 0), ("-1", None, None)))


def ingress_rules(
    random: Random, ranges: list[str], groups: list[str], lists: list[str], owners: dict[str, str]
) -> list[Json]:
    """Up to four permissions, each with one to three peers."""
    rules: list[Json] = []
    for _ in range(random.choice((0, 1, 2, 2, 3, 3, 4))):
        peers = {_peer(random, ranges, groups, lists) for _ in range(random.choice((1, 1, 2, 3)))}
        if some(random, 0.1):
            peers |= {"0.0.0.0/1", "128.0.0.0/1"}
        if some(random, 0.42):
            peers |= {"0.0.0.0/0", "::/0"}
        rules.append(permission(*_wire(random, wide=some(random, 0.65)), *sorted(peers), owners=owners))
    return rules


def egress_rules(
    random: Random, ranges: list[str], groups: list[str], lists: list[str], owners: dict[str, str]
) -> list[Json]:
    """Everything, as a new group has it, more often than not; else a few permissions."""
    if some(random, 0.7):
        return [permission("-1", None, None, "0.0.0.0/0", *(["::/0"] if some(random, 0.7) else []))]
    return ingress_rules(random, ranges, groups, lists, owners)


def _peer(random: Random, ranges: list[str], groups: list[str], lists: list[str]) -> str:
    pick = random.random()
    if pick < 0.4 and groups:
        return random.choice(groups)
    if pick < 0.48 and lists:
        return random.choice(lists)
    return random.choice(ranges)


def open_entries(*, egress: bool) -> list[Json]:
    """Everything allowed, as in the default network ACL of a new VPC."""
    return [entry(900 + n, "allow", cidr, egress=egress) for n, cidr in enumerate(("0.0.0.0/0", "::/0"))]


def acl_entries(random: Random, ranges: list[str], *, egress: bool) -> list[Json]:
    """A few entries that overlap, mostly with everything allowed behind them."""
    entries: list[Json] = []
    numbers = random.sample(range(1, 899), 8)
    for number in numbers[: random.choice((0, 1, 1, 2, 3, 4))]:
        action = random.choice(("allow", "deny", "deny"))
        entries.append(_acl_entry(random, number, action, random.choice(ranges), egress=egress))
    pick = random.random()
    if pick < 0.62:
        return entries + open_entries(egress=egress)
    if pick < 0.9:
        # What a careful administrator writes: the ports that answers go to, and a few services.
        for number, protocol in enumerate((6, 17)):
            limits = random.choice(_EPHEMERAL)
            entries.append(entry(910 + number, "allow", "0.0.0.0/0", egress=egress, protocol=protocol, limits=limits))
            if some(random, 0.6):
                entries.append(entry(920 + number, "allow", "::/0", egress=egress, protocol=protocol, limits=limits))
        service = _ports(random)
        entries.append(entry(930, "allow", "0.0.0.0/0", egress=egress, protocol=6, limits=service))
        if some(random, 0.3):
            entries.append(entry(931, "allow", "0.0.0.0/1", egress=egress, protocol=1, limits=random.choice(_ICMP)))
    return entries


def _acl_entry(random: Random, number: int, action: str, cidr: str, *, egress: bool) -> Json:
    pick = random.random()
    if pick < 0.25:
        return entry(number, action, cidr, egress=egress)
    if pick < 0.7:
        return entry(number, action, cidr, egress=egress, protocol=6, limits=_ports(random))
    if pick < 0.82:
        return entry(number, action, cidr, egress=egress, protocol=17, limits=_ports(random))
    if pick < 0.88 and ":" not in cidr:
        return entry(number, action, cidr, egress=egress, protocol=1, limits=random.choice(_ICMP))
    if pick < 0.94 and ":" in cidr:
        return entry(number, action, cidr, egress=egress, protocol=58, limits=random.choice(_ICMPV6))
    return entry(number, action, cidr, egress=egress, protocol=random.choice((50, 132, 47)))
