"""The traffic of a rule, as security groups and network ACLs write it: a protocol and two numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_TRAFFIC, Traffic, protocol_number

__all__ = ["RuleTraffic", "rule_traffic"]

_ICMP = {1: 4, 58: 6}
_TCP_AND_UDP = frozenset((6, 17))


class RuleTraffic(NamedTuple):
    """What a rule matches.

    Attributes:
        traffic: the packets; the most that the rule can match where it could not be read.
        problem: what could not be read; empty for a rule that was.
    """

    traffic: Traffic
    problem: str = ""


@lru_cache(maxsize=65536)
def rule_traffic(protocol: str, first: int | None, last: int | None) -> RuleTraffic:
    """Return what a rule's protocol, and its ports or its ICMP type and code, match.

    Args:
        protocol: a name or a number; ``-1`` is every protocol, whatever the numbers say.
        first: the first port, or the ICMP type; -1 is every type.
        last: the last port, or the ICMP code; -1 is every code.

    Only TCP, UDP and the two ICMPs are told apart by their numbers, every other protocol is let through whole, SCTP
    included. Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    if protocol == "-1":
        return RuleTraffic(ALL_TRAFFIC)
    try:
        number = protocol_number(protocol)
    except ParseError as error:
        return RuleTraffic(ALL_TRAFFIC, str(error))
    if number in _TCP_AND_UDP:
        return _ports(number, first, last)
    if number in _ICMP:
        return _messages(number, first, last)
    return RuleTraffic(Traffic.protocol(number))


def _ports(number: int, first: int | None, last: int | None) -> RuleTraffic:
    if first is None or last is None:
        return RuleTraffic(Traffic.protocol(number), f"protocol {number} without a port range")
    try:
        return RuleTraffic(Traffic.ports(number, first, last))
    except ParseError as error:
        return RuleTraffic(Traffic.protocol(number), str(error))


def _messages(number: int, kind: int | None, code: int | None) -> RuleTraffic:
    every = Traffic.protocol(number)
    if (kind, code) == (-1, -1) or (number == 58 and kind is None and code is None):
        return RuleTraffic(every)
    if kind is None or code is None:
        return RuleTraffic(every, f"protocol {number} without a type and a code")
    if kind == -1:
        return RuleTraffic(every, f"ICMP code {code} of every type: a code has a meaning only with its type")
    try:
        return RuleTraffic(Traffic.icmp_type(kind, None if code == -1 else code, version=_ICMP[number]))
    except ParseError as error:
        return RuleTraffic(every, str(error))
