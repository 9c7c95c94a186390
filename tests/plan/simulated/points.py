"""The traffic that is tried: single ports, messages and protocols, as bits of one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.traffic import IntervalSet, Traffic

__all__ = ["Point", "Points"]

_BY_PORT = ("tcp", "udp", "sctp")
_LAST = 65535
_ECHO = 8 * 256
_ECHO_V6 = 128 * 256


class Point(NamedTuple):
    """One port, message or protocol.

    Attributes:
        protocol: ``tcp``, ``udp``, ``sctp``, ``icmp``, ``icmpv6`` or ``other``.
        number: the port; type and code of a message, the type times 256; the protocol's number of others.
    """

    protocol: str
    number: int

    def __str__(self) -> str:
        """Return it as people write it."""
        return f"{self.protocol}/{self.number}"

    def among(self, traffic: Traffic) -> bool:
        """Tell whether traffic holds it."""
        return self.number in _numbers(traffic, self.protocol)


class Points:
    """All that is tried in one estate; traffic is told by the bits of those that it holds."""

    def __init__(self, points: Iterable[Point]) -> None:
        self.points = tuple(sorted(set(points)))
        self.all = (1 << len(self.points)) - 1
        self._known: dict[Traffic, int] = {}
        self.by_protocol: dict[str, int] = {}
        for place, point in enumerate(self.points):
            self.by_protocol[point.protocol] = self.by_protocol.get(point.protocol, 0) | 1 << place

    @classmethod
    def of(cls, named: Iterable[Traffic]) -> Points:
        """Return the bounds of all traffic that is named, what stands beside them, and a few that nobody names."""
        found = {Point("tcp", 1), Point("udp", 1), Point("icmp", _ECHO), Point("icmpv6", _ECHO_V6), Point("other", 47)}
        for traffic in dict.fromkeys(named):
            for protocol in _BY_PORT:
                for low, high in _numbers(traffic, protocol).intervals:
                    near = (low - 1, low, high, high + 1)
                    found |= {Point(protocol, port) for port in near if 0 <= port <= _LAST}
            for protocol in ("icmp", "icmpv6", "other"):
                found |= {Point(protocol, low) for low, _ in _numbers(traffic, protocol).intervals}
        return cls(found)

    def bits(self, traffic: Traffic) -> int:
        """Return the bits of what traffic holds."""
        known = self._known.get(traffic)
        if known is None:
            known = sum(1 << place for place, point in enumerate(self.points) if point.among(traffic))
            self._known[traffic] = known
        return known

    def told(self, bits: int) -> tuple[Point, ...]:
        """Return what some bits stand for."""
        return tuple(point for place, point in enumerate(self.points) if bits >> place & 1)


def _numbers(traffic: Traffic, protocol: str) -> IntervalSet:
    found: IntervalSet = getattr(traffic, protocol)
    return found
