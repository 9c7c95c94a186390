"""The ports and ICMP messages of Cilium's rules.

A rule that names none is about all traffic; one that names any, about nothing else, ICMP among it. What requests have
to meet beside (HTTP, DNS, TLS names) is told: some request passes, so that the connection does. Source:
https://docs.cilium.io/en/stable/security/policy/layer4/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.policies.cilium.icmp import read_icmp
from cloudseg.providers.kubernetes.translate.policies.cilium.requests import joined, told
from cloudseg.providers.kubernetes.translate.traffic import NamedPort
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction
    from cloudseg.providers.kubernetes.translate.policies.cilium.wire import PortProtocol, PortRule, Section

__all__ = ["Slice", "read_slices"]

_PORT_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_WITHOUT_PORTS: Final = {"VRRP": 112, "IGMP": 2, "GRE": 47, "IPIP": 4, "IPV6": 41, "ESP": 50, "AH": 51}
"""Protocols that only count where Cilium is told to tell them apart, so that they match at most."""
_NO_PORTS: Final = "it names no ports, and what that means is not said"
_OTHERS: Final = "whether these protocols are meant is a setting of Cilium's"
_HIGHEST: Final = 65535
_MOST: Final = 40
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,4}")
_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_LONGEST: Final = 15


class Slice(NamedTuple):
    """Traffic that one item of a rule names.

    Attributes:
        name: which item that is; empty for a rule that names no ports.
        traffic: what is told by number.
        named: what is told by name.
        exact: False where it is the most that the item can name.
        about: what requests have to meet beside, in words.
    """

    name: str
    traffic: Traffic
    named: tuple[NamedPort, ...] = ()
    exact: bool = True
    about: str = ""


def read_slices(section: Section, direction: Direction) -> tuple[Slice, ...]:
    """Return the traffic of a rule.

    Raises:
        ParseError: the API server or Cilium would refuse the rule.
    """
    if section.ports and section.icmps:
        raise ParseError("icmps stand beside toPorts in one rule: write two rules")
    if section.icmps:
        return tuple(
            Slice(f"icmps[{number}]", traffic, exact=exact)
            for number, (traffic, exact) in enumerate(map(read_icmp, section.icmps))
        )
    if section.ports:
        return tuple(found for number, item in enumerate(section.ports) for found in _of_item(item, number, direction))
    return (Slice("", ALL_TRAFFIC),)


def _of_item(item: PortRule, number: int, direction: Direction) -> Iterator[Slice]:
    name = f"toPorts[{number}]"
    ports = item.ports or []
    if len(ports) > _MOST:
        raise ParseError(f"{name} names {len(ports)} ports, and at most {_MOST} are allowed")
    told_apart = told(item, direction)
    if not ports:
        yield Slice(name, ALL_TRAFFIC, exact=False, about=joined(told_apart.text, _NO_PORTS))
        return
    sure = maybe = NO_TRAFFIC
    named: dict[NamedPort, None] = {}
    for port in ports:
        fixed, more, names = _port(port)
        sure, maybe = sure | fixed, maybe | more
        named |= dict.fromkeys(names)
    if sure or named:
        yield Slice(name, sure, tuple(named), told_apart.exact, told_apart.text)
    if maybe - sure:
        yield Slice(f"{name}.other-protocols", maybe - sure, exact=False, about=joined(told_apart.text, _OTHERS))


def _port(item: PortProtocol) -> tuple[Traffic, Traffic, tuple[NamedPort, ...]]:
    """Return what a port names for sure, what it may name beside, and by name."""
    protocol = item.protocol or "ANY"
    end = item.end_port or 0
    if protocol in _WITHOUT_PORTS:
        if item.port not in {"", "0"} or end:
            raise ParseError(f"protocol {protocol} has no ports, and {item.port!r} is one")
        return NO_TRAFFIC, Traffic.protocol(_WITHOUT_PORTS[protocol]), ()
    if protocol not in {*_PORT_PROTOCOLS, "ANY"}:
        raise ParseError(f"protocol {protocol!r} is none of {', '.join((*_PORT_PROTOCOLS, 'ANY', *_WITHOUT_PORTS))}")
    protocols = _PORT_PROTOCOLS if protocol == "ANY" else (protocol,)
    if not _NUMBER.fullmatch(item.port):
        if len(item.port) > _LONGEST or not _NAME.fullmatch(item.port):
            raise ParseError(f"port {item.port!r} is neither a number nor the name of a port")
        return NO_TRAFFIC, NO_TRAFFIC, tuple(NamedPort(item.port.lower(), each) for each in protocols)
    first = int(item.port)
    if first > _HIGHEST or not 0 <= end <= _HIGHEST:
        raise ParseError(f"port {first} to {end} is not within 0 to {_HIGHEST}")
    if end and end < first:
        raise ParseError(f"endPort {end} is below port {first}")
    if first == 0:
        # Port 0 is any port; up to an endPort it is not defined.
        whole = _union(protocols, 0, _HIGHEST)
        return (NO_TRAFFIC, whole, ()) if end else (whole, ALL_TRAFFIC if protocol == "ANY" else NO_TRAFFIC, ())
    return _union(protocols, first, end or first), NO_TRAFFIC, ()


def _union(protocols: tuple[str, ...], first: int, last: int) -> Traffic:
    found = NO_TRAFFIC
    for protocol in protocols:
        found |= Traffic.ports(protocol.lower(), first, last)
    return found
