"""What Calico's rules say of protocols, ports and ICMP messages.

Ports need a protocol that has ports. Sources:
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#rule and
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#ports
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.policies.calico.wire import Icmp, PolicyRule

__all__ = ["PortList", "of_ports", "port_protocol", "read_ports", "traffic_of"]

_NUMBERS: Final = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "sctp": 132, "udplite": 136}
_WITH_PORTS: Final = {6: "TCP", 17: "UDP", 132: "SCTP"}
_ICMP: Final = {1: 4, 58: 6}
_HIGHEST_PROTOCOL: Final = 255
_HIGHEST_PORT: Final = 65535
_RANGE: Final = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_HIGHEST_TYPE: Final = 254
_HIGHEST_CODE: Final = 255


class PortList(NamedTuple):
    """Ports: those that are told by number, and those told by name."""

    numbers: IntervalSet
    names: tuple[str, ...]


def traffic_of(rule: PolicyRule) -> Traffic:
    """Return the protocols and ICMP messages of a rule, without its ports.

    Raises:
        ParseError: Calico would refuse it.
    """
    number = None if rule.protocol is None else _protocol(rule.protocol)
    found = ALL_TRAFFIC if number is None else Traffic.protocol(number)
    if rule.not_protocol is not None:
        found = found - Traffic.protocol(_protocol(rule.not_protocol))
    if rule.icmp is not None:
        found = found & _messages(rule.icmp, number)
    if rule.not_icmp is not None:
        found = found - _messages(rule.not_icmp, number)
    return found


def port_protocol(rule: PolicyRule) -> str:
    """Return the protocol of the ports that a rule names.

    Raises:
        ParseError: it names none that has ports.
    """
    number = None if rule.protocol is None else _protocol(rule.protocol)
    if number not in _WITH_PORTS:
        raise ParseError(f"a rule names ports, and its protocol is {rule.protocol!r}: write TCP, UDP or SCTP")
    return _WITH_PORTS[number]


def read_ports(items: Sequence[int | str]) -> PortList:
    """Return a list of ports.

    Raises:
        ParseError: one of them is none.
    """
    pairs: list[tuple[int, int]] = []
    names: dict[str, None] = {}
    for item in items:
        span = _RANGE.fullmatch(str(item))
        if span or _NUMBER.fullmatch(str(item)):
            first, last = (int(span[1]), int(span[2])) if span else (int(item), int(item))
            if not first <= last <= _HIGHEST_PORT:
                raise ParseError(f"port {item!r} is not within 0 to {_HIGHEST_PORT}, or ends before it begins")
            pairs.append((first, last))
        elif isinstance(item, str) and _NAME.fullmatch(item):
            names[item] = None
        else:
            raise ParseError(f"port {item!r} is neither a number, nor a range, nor a name")
    return PortList(IntervalSet.from_pairs(pairs) if pairs else IntervalSet(), tuple(names))


def of_ports(protocol: str, numbers: IntervalSet) -> Traffic:
    """Return the traffic to some ports of a protocol."""
    found = NO_TRAFFIC
    for first, last in numbers.intervals:
        found |= Traffic.ports(protocol.lower(), first, last)
    return found


def _protocol(given: int | str) -> int:
    number = _NUMBERS.get(given.lower()) if isinstance(given, str) else given
    if number is None and isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 3:
        number = int(given)
    if number is None or not 0 < number <= _HIGHEST_PROTOCOL:
        raise ParseError(f"protocol {given!r} is neither one that has a name, nor a number from 1 to 255")
    return number


def _messages(icmp: Icmp, protocol: int | None) -> Traffic:
    if protocol not in _ICMP:
        raise ParseError("a rule names ICMP messages, and its protocol is neither ICMP nor ICMPv6")
    if icmp.type is not None and not 0 <= icmp.type <= _HIGHEST_TYPE:
        raise ParseError(f"ICMP type {icmp.type} is not within 0 to {_HIGHEST_TYPE}")
    if icmp.code is not None and (icmp.type is None or not 0 <= icmp.code <= _HIGHEST_CODE):
        raise ParseError(f"ICMP code {icmp.code} stands without a type, or is not within 0 to {_HIGHEST_CODE}")
    return Traffic.icmp_type(icmp.type, icmp.code, _ICMP[protocol])
