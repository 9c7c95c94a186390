"""One packet that stands for many, chosen so that it says most to people."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cloudseg.traffic.intervals import IntervalSet
from cloudseg.traffic.port_classes import ADMINISTRATION, DATABASES, SHELLS_AND_FILES, WEB
from cloudseg.traffic.traffic import Traffic

__all__ = ["first_packet"]

_TELLING: Final = (Traffic.parse("tcp/22, tcp/3389"), ADMINISTRATION, SHELLS_AND_FILES, DATABASES, WEB)
_ICMP: Final = {4: Traffic.protocol("icmp"), 6: Traffic.protocol("icmpv6")}


@lru_cache(maxsize=4096)
def first_packet(traffic: Traffic, family: int = 4) -> Traffic:
    """Return one packet of some traffic: the one that says most to people, of the family where there is one.

    Ports of shells go first, then other administration, databases and the web, then the lowest number.

    Args:
        traffic: not empty.
        family: 4 or 6; ICMP belongs to the one, ICMPv6 to the other.
    """
    own = traffic - _ICMP[10 - family] or traffic
    chosen = next((part for kind in _TELLING if (part := own & kind)), own)
    for protocol, numbers in (("tcp", chosen.tcp), ("udp", chosen.udp), ("sctp", chosen.sctp)):
        if numbers:
            # Port 0 is reserved; nothing listens there.
            first = next(iter((numbers - IntervalSet.of(0)).intervals or numbers.intervals))[0]
            return Traffic.ports(protocol, first, first)
    for version, numbers in ((4, chosen.icmp), (6, chosen.icmpv6)):
        if numbers:
            kind, code = divmod(numbers.intervals[0][0], 256)
            return Traffic.icmp_type(kind, code, version)
    return Traffic.protocol(chosen.other.intervals[0][0])
