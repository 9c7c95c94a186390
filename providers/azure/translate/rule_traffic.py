"""The traffic of a rule, as NSGs and security admin rules write it: a protocol and ranges of ports."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, IntervalSet, Traffic

__all__ = ["ANY_PORT", "RuleTraffic", "rule_traffic", "source_ports"]

ANY_PORT: Final = frozenset(("*", "any", "0-65535"))
_EVERY: Final = frozenset(("*", "any"))
_TCP, _UDP = 6, 17
_WHOLE: Final = {
    "icmp": Traffic.protocol(1),
    "icmpv6": Traffic.protocol(58),
    "esp": Traffic.protocol(50),
    "ah": Traffic.protocol(51),
}
_NUMBERS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "50": "esp", "51": "ah", "58": "icmpv6"}
_HIGHEST = 65535


class RuleTraffic(NamedTuple):
    """What a rule matches.

    Attributes:
        traffic: the packets; the most that the rule can match where it could not be read.
        problem: what could not be read; empty for a rule that was.
        maybe: further packets that it may match.
    """

    traffic: Traffic
    problem: str = ""
    maybe: Traffic = NO_TRAFFIC


@lru_cache(maxsize=65536)
def rule_traffic(protocol: str, ports: tuple[str, ...]) -> RuleTraffic:
    """Return what a protocol and destination ports match.

    Args:
        protocol: ``Tcp``, ``Udp``, ``Icmp``, ``Esp``, ``Ah`` or ``*``, in any case, or a number. Any protocol includes
            those without ports, as long as every port is meant.
        ports: single ports, ranges and ``*``.

    Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules
    """
    name = protocol.strip().lower()
    name = _NUMBERS.get(name, name)
    if name.isdecimal() and int(name) < 256 and (not ports or any(port.strip().lower() in ANY_PORT for port in ports)):
        return RuleTraffic(Traffic.protocol(int(name)))
    if name in _WHOLE:
        # Groups know no ICMPv6; whether rules for ICMP hold for it, nobody says. Source:
        # https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview#limitations
        maybe = Traffic.protocol(58) if name == "icmp" else NO_TRAFFIC
        if ports and not any(port.strip().lower() in ANY_PORT for port in ports):
            # Its packets have no port: whether they match, nobody says.
            return RuleTraffic(NO_TRAFFIC, maybe=maybe | _WHOLE[name])
        return RuleTraffic(_WHOLE[name], maybe=maybe)
    every = not ports or any(port.strip().lower() in ANY_PORT for port in ports)
    if name in _EVERY:
        numbers: tuple[int, ...] = (_TCP, _UDP)
        most = ALL_TRAFFIC
    elif name in {"tcp", "udp"}:
        numbers = (_TCP,) if name == "tcp" else (_UDP,)
        most = Traffic.protocol(numbers[0])
    else:
        return RuleTraffic(ALL_TRAFFIC, f"protocol is {protocol!r}")
    if every:
        return RuleTraffic(most)
    found = NO_TRAFFIC
    try:
        for port in ports:
            first, last = _range(port)
            for number in numbers:
                found |= Traffic.ports(number, first, last)
    except ParseError as error:
        return RuleTraffic(most, str(error))
    return RuleTraffic(found)


@lru_cache(maxsize=4096)
def source_ports(ports: tuple[str, ...]) -> IntervalSet | None:
    """Return the client's ports that a rule names; None for all of them.

    Raises:
        ParseError: one is no port.
    """
    if not ports or any(port.strip().lower() in ANY_PORT for port in ports):
        return None
    return IntervalSet.from_pairs(_range(port) for port in ports)


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.strip().partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise ParseError(f"{text!r} is no port and no range of ports")
    low, high = int(first), int(last) if dash else int(first)
    if low > high or high > _HIGHEST:
        raise ParseError(f"{text!r} is no range of ports")
    return low, high
