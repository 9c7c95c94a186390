"""Ports that were seen, as the traffic that an entry names: each by itself, or a range of which nearly all was seen."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.intent.observations import NO_PORT, PORTED, traffic_of
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Dense", "dense_ranges", "traffic_seen"]

_LEAST: Final = 8
"""Fewer ports than these are named one by one."""
_GAP: Final = 2
"""Ports so far apart still belong together: one between them may be missing."""
_SHARE: Final = 0.75
"""The share of a range that must have been seen."""


class Dense(NamedTuple):
    """A range of ports of which nearly all were seen.

    Attributes:
        protocol: IANA number.
        first: its first port.
        last: its last port.
        seen: how many of its ports were seen.
    """

    protocol: int
    first: int
    last: int
    seen: int

    @property
    def traffic(self) -> Traffic:
        """All of the range."""
        return Traffic.ports(self.protocol, self.first, self.last)


def dense_ranges(seen: Iterable[tuple[int, int]]) -> tuple[Dense, ...]:
    """Return the dense ranges among ports, each given with its protocol, in order."""
    by_protocol: defaultdict[int, set[int]] = defaultdict(set)
    for protocol, port in seen:
        if protocol in PORTED and port != NO_PORT:
            by_protocol[protocol].add(port)
    found: list[Dense] = []
    for protocol, ports in sorted(by_protocol.items()):
        ordered = sorted(ports)
        cuts = [place for place, (one, other) in enumerate(pairwise(ordered), 1) if other - one > _GAP]
        for start, end in pairwise((0, *cuts, len(ordered))):
            first, last, count = ordered[start], ordered[end - 1], end - start
            if count >= _LEAST and count >= _SHARE * (last - first + 1):
                found.append(Dense(protocol, first, last, count))
    return tuple(found)


def traffic_seen(seen: Iterable[tuple[int, int]]) -> Traffic:
    """Return the traffic of ports that were seen, each given with its protocol, and of dense ranges whole."""
    pairs = tuple(seen)
    found = NO_TRAFFIC
    for protocol, port in pairs:
        found |= traffic_of(protocol, port)
    for dense in dense_ranges(pairs):
        found |= dense.traffic
    return found
