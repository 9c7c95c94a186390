"""The traffic of a rule, as VPC firewall rules and policies write it: protocols by name or number, and ports."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

__all__ = ["RuleTraffic", "rule_traffic"]

_NUMBERS: Final = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "ah": 51, "sctp": 132}
_WITH_PORTS: Final = frozenset((6, 17, 132))
# The documentation names IPIP, and two numbers bear such a name.
_IP_IN_IP: Final = Traffic.protocol(4) | Traffic.protocol(94)
_HIGHEST: Final = 65535


class RuleTraffic(NamedTuple):
    """What a protocol with ports matches.

    Attributes:
        traffic: the packets; the most that may be meant where it could not be read.
        problem: what could not be read; empty where everything was.
    """

    traffic: Traffic
    problem: str = ""


@lru_cache(maxsize=65536)
def rule_traffic(protocol: str, ports: tuple[str, ...]) -> RuleTraffic:
    """Return what a protocol and destination ports match.

    Without ports every port is meant. Source: https://cloud.google.com/firewall/docs/firewalls#protocols_and_ports

    Args:
        protocol: ``tcp``, ``udp``, ``icmp``, ``esp``, ``ah``, ``sctp``, ``ipip``, ``all`` or a number, in any case.
        ports: single ports and ranges.
    """
    name = protocol.strip().lower()
    if name == "all":
        return RuleTraffic(ALL_TRAFFIC) if not ports else RuleTraffic(ALL_TRAFFIC, "ports of all protocols")
    if name == "ipip":
        return RuleTraffic(_IP_IN_IP, "which protocol number ipip means is not told")
    number = _NUMBERS.get(name)
    if number is None:
        if not name.isdecimal() or not 0 <= int(name) <= 255:
            return RuleTraffic(ALL_TRAFFIC, f"protocol is {protocol!r}")
        number = int(name)
    if not ports:
        return RuleTraffic(Traffic.protocol(number))
    if number not in _WITH_PORTS:
        return RuleTraffic(Traffic.protocol(number), f"protocol {protocol} has no ports, and the rule names some")
    found = NO_TRAFFIC
    try:
        for port in ports:
            found |= Traffic.ports(number, *_range(port))
    except ParseError as error:
        return RuleTraffic(Traffic.protocol(number), str(error))
    return RuleTraffic(found)


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.strip().partition("-")
    if not first.strip().isdecimal() or (dash and not last.strip().isdecimal()):
        raise ParseError(f"{text!r} is no port and no range of ports")
    low, high = int(first), int(last if dash else first)
    if not 0 <= low <= high <= _HIGHEST:
        raise ParseError(f"{text!r} is no range of ports")
    return low, high
