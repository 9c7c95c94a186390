"""The ports of NetworkPolicy rules: numbers as traffic, names to be resolved at each pod.

Without ``ports`` a rule admits all traffic; with them, TCP, UDP and SCTP on the ports named, and nothing else. Sources:
https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/ and
https://kubernetes.io/docs/concepts/services-networking/network-policies/#targeting-a-range-of-ports
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.wire import PortItem

__all__ = ["NamedPort", "Ports", "read_ports"]

_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
_HIGHEST: Final = 65535
_PORT_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST: Final = 15
_KEPT: Final = 1 << 12
"""So many lists of ports are kept as they were read."""


class NamedPort(NamedTuple):
    """A port by the name that pods give it."""

    name: str
    protocol: str


class Ports(NamedTuple):
    """The ports of a rule: what is told by number, and what by name."""

    fixed: Traffic
    named: tuple[NamedPort, ...] = ()


def read_ports(items: Sequence[PortItem | None] | None) -> Ports:
    """Return the ports of a rule.

    Raises:
        ParseError: the API server would refuse one of them.
    """
    return _read(tuple(items)) if items else Ports(ALL_TRAFFIC)


@lru_cache(_KEPT)
def _read(items: tuple[PortItem | None, ...]) -> Ports:
    """Return the ports of a rule that names some; most rules name those of another rule."""
    fixed, named = NO_TRAFFIC, dict[NamedPort, None]()
    for item in items:
        protocol = "TCP" if item is None or item.protocol is None else item.protocol
        port, end = (None, None) if item is None else (item.port, item.end_port)
        if protocol not in _PROTOCOLS:
            raise ParseError(f"protocol {protocol!r} is none of {', '.join(_PROTOCOLS)}")
        if isinstance(port, str):
            named[_named(port, end, protocol)] = None
        elif port is None:
            if end is not None:
                raise ParseError(f"endPort {end} stands without port")
            fixed |= Traffic.protocol(protocol.lower())
        else:
            fixed |= _range(port, port if end is None else end, protocol)
    return Ports(fixed, tuple(named))


def _named(name: str, end: int | None, protocol: str) -> NamedPort:
    if end is not None:
        raise ParseError(f"endPort {end} stands beside the named port {name!r}: it needs a number")
    if len(name) > _LONGEST or not _PORT_NAME.fullmatch(name):
        raise ParseError(f"port {name!r} is neither a number nor the name of a port")
    return NamedPort(name, protocol)


def _range(first: int, last: int, protocol: str) -> Traffic:
    if not 0 < first <= _HIGHEST or not 0 < last <= _HIGHEST:
        raise ParseError(f"port {first} to {last} is not within 1 to {_HIGHEST}")
    if last < first:
        raise ParseError(f"endPort {last} is below port {first}")
    return Traffic.ports(protocol.lower(), first, last)
