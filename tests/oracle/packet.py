"""One packet that opens a connection, and what becomes of it."""

from typing import NamedTuple

__all__ = ["ICMP", "ICMPV6", "TCP", "UDP", "Decision", "End", "Packet", "icmp"]

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58


class End(NamedTuple):
    """One end of a packet: an address of an interface, or an address outside when ``interface`` is empty.

    ``address`` is a private address of the interface (or its global IPv6 address). As a destination it may be the
    public IPv4 address of the interface too, for whoever talks to it over the internet.
    """

    address: str
    interface: str = ""


class Packet(NamedTuple):
    """The first packet of a connection.

    ``port`` is the destination port; for ICMP and ICMPv6 it is type * 256 + code, for other protocols it means nothing.
    ``source_port`` is the port that the client chose, and ``nat_port`` the one that a NAT gateway chooses in its place.
    """

    source: End
    destination: End
    protocol: int
    port: int = 0
    source_port: int = 49152
    nat_port: int = 49152


class Decision(NamedTuple):
    """Whether a connection passes, and the stage that decided.

    ``by`` is "delivered" for what passes; else what refused the packet: "egress group", "ingress group", "egress acl",
    "ingress acl", "route", "peering", "transit", "public", "return route", "reply acl", or "appliance" for a machine
    on the path whose own rules nobody knows. Only there ``certain`` is False. ``translated`` tells that a NAT gateway
    stands between the ends, so that ``nat_port`` counts.
    """

    passes: bool
    by: str
    certain: bool = True
    translated: bool = False


def icmp(kind: int, code: int = 0) -> int:
    """The number that stands for an ICMP message in ``Packet.port``."""
    return kind * 256 + code
