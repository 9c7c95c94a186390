"""Traffic as conversations have it, and which of it no rule tells apart."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from cloudseg.traffic import NO_TRAFFIC, Traffic
from cloudseg.traffic.protocols import SCTP, TCP, UDP

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TrafficKinds", "traffic_of"]

_FIELDS: Final = {TCP: 0, UDP: 1, SCTP: 2}


@lru_cache(maxsize=1 << 17)
def traffic_of(protocol: int, port: int | None) -> Traffic:
    """Return the traffic of a conversation: one port, or the whole protocol where the log tells no more.

    Logs do not tell the type of an ICMP message, so that any may have been meant. What no packet can bear is nothing.
    """
    if port is not None and protocol in _FIELDS:
        return Traffic.ports(protocol, port, port) if 0 <= port <= 65535 else NO_TRAFFIC
    return Traffic.protocol(protocol) if 0 <= protocol <= 255 else NO_TRAFFIC


class TrafficKinds:
    """Tells apart the traffic that some rules tell apart, and no more.

    Args:
        traffics: the traffic that the rules name.
    """

    def __init__(self, traffics: Iterable[Traffic]) -> None:
        cuts: list[set[int]] = [{0}, {0}, {0}]
        for traffic in set(traffics):
            for own, field in zip(cuts, traffic.fields, strict=False):
                for first, last in field.intervals:
                    own.add(first)
                    own.add(last + 1)
        self._cuts = [np.array(sorted(own), dtype=np.int64) for own in cuts]

    def kind(self, protocol: int, port: int | None) -> tuple[int, int | None]:
        """Return what is equal for all traffic that no rule tells apart."""
        field = _FIELDS.get(protocol)
        if field is None or port is None:
            return protocol, None
        return protocol, int(np.searchsorted(self._cuts[field], port, side="right"))
