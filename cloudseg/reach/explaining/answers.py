"""What has to come back, and what of the requests is answered when that does: worked out on sets, beside the masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.traffic import NO_NUMBERS, IntervalSet, Traffic

if TYPE_CHECKING:
    from cloudseg.reach.explaining.link import Link

__all__ = ["CARRIED", "Running", "answered", "answers_to"]

_CHOSEN: Final = IntervalSet(((1024, 65535),))
"""The ports of which a client chooses one. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports"""
_EVERY: Final = IntervalSet(((0, 65535),))
_ECHOES: Final = (
    (Traffic.icmp_type(8, version=4), Traffic.icmp_type(0, 0, version=4)),
    (Traffic.icmp_type(128, version=6), Traffic.icmp_type(129, 0, version=6)),
)
CARRIED: Final = Traffic.protocol("tcp") | Traffic.protocol("udp") | Traffic.protocol("icmp")
"""What a NAT gateway carries. Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html"""


def answers_to(traffic: Traffic, *, usual: bool = False) -> Traffic:
    """Return every answer to traffic; of ICMP those to echo requests alone, with ``usual`` to ports from 1024 up alone.

    What it asks of other messages and protocols is answered by the same or by nothing.
    """
    ports = _CHOSEN if usual else _EVERY
    tcp, udp, sctp = (ports if each else NO_NUMBERS for each in (traffic.tcp, traffic.udp, traffic.sctp))
    found = Traffic(tcp, udp, sctp, other=traffic.other)
    for request, answer in _ECHOES:
        if traffic.overlaps(request):
            found |= answer
    return found


def answered(back: Traffic, traffic: Traffic, *, certain: bool, translated: bool) -> Traffic:
    """Return what of traffic is answered when these packets are let back.

    Certain is what is answered whatever port from 1024 up a client chooses, at most what is answered for some port. A
    gateway that translates takes none below 1024.

    Args:
        back: what is let back.
        traffic: what is asked about.
        certain: the lower bound.
        translated: a gateway chooses the port.
    """
    tcp, udp, sctp = (
        asked if _returns(ports, certain=certain, translated=translated) else NO_NUMBERS
        for asked, ports in ((traffic.tcp, back.tcp), (traffic.udp, back.udp), (traffic.sctp, back.sctp))
    )
    found = Traffic(tcp, udp, sctp, traffic.icmp, traffic.icmpv6, traffic.other & back.other)
    for request, answer in _ECHOES:
        if not answer <= back:
            found -= request
    return found


def _returns(ports: IntervalSet, *, certain: bool, translated: bool) -> bool:
    if certain:
        return not _CHOSEN - ports
    return ports.overlaps(_CHOSEN) if translated else bool(ports)


class Running:
    """What is left of traffic link after link. Answers pass all the lists on their way back with the same port.

    Args:
        traffic: what is asked about.

    Attributes:
        lower: what is certainly left.
        upper: what is left at most.
    """

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.lower = self.upper = traffic
        self._backs: dict[str, tuple[Traffic, Traffic]] = {}

    def add(self, link: Link) -> None:
        """Go through a link."""
        self.lower, self.upper = self.lower & link.lower, self.upper & link.upper
        if link.back is None:
            return
        lower, upper = link.back
        if link.chain in self._backs:
            known = self._backs[link.chain]
            lower, upper = lower & known[0], upper & known[1]
        self._backs[link.chain] = lower, upper
        translated = link.chain in {"gateway", "target"}
        self.lower &= answered(lower, self._traffic, certain=True, translated=translated)
        self.upper &= answered(upper, self._traffic, certain=False, translated=translated)
