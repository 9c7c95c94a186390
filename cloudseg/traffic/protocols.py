"""IP protocol numbers and the names people write for them."""

import re
from types import MappingProxyType
from typing import Final

from cloudseg.errors import ParseError

__all__ = ["ICMP", "ICMPV6", "SCTP", "TCP", "UDP", "protocol_name", "protocol_number"]

ICMP: Final = 1
TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
SCTP: Final = 132

# Keywords of https://www.iana.org/assignments/protocol-numbers that people use. Left unnamed on purpose are those that
# read as something else in an audit: rdp (27) is not Remote Desktop, and ipv6 (41) is a tunnel, not IPv6.
_NAMES: Final = MappingProxyType(
    {
        ICMP: "icmp",
        2: "igmp",
        4: "ipip",
        TCP: "tcp",
        UDP: "udp",
        33: "dccp",
        46: "rsvp",
        47: "gre",
        50: "esp",
        51: "ah",
        ICMPV6: "icmpv6",
        88: "eigrp",
        89: "ospf",
        103: "pim",
        108: "ipcomp",
        112: "vrrp",
        115: "l2tp",
        SCTP: "sctp",
        136: "udplite",
    }
)
_NUMBERS: Final = MappingProxyType(
    {name: number for number, name in _NAMES.items()} | {"icmp6": ICMPV6, "ipv6-icmp": ICMPV6}
)
_DECIMAL: Final = re.compile(r"(?:ip/)?(0|[1-9][0-9]{0,2})", re.IGNORECASE)


def protocol_number(protocol: int | str) -> int:
    """Return the number of an IP protocol given as a number, its digits, its name in any case, or ``ip/N``.

    Raises:
        ParseError: no protocol has that name, or the number is not within 0 to 255.
    """
    if isinstance(protocol, int):
        number = protocol
    else:
        digits = _DECIMAL.fullmatch(protocol)
        number = int(digits[1]) if digits else _NUMBERS.get(protocol.lower(), -1)
    if not 0 <= number <= 255:
        raise ParseError(
            f"{protocol!r} is no IP protocol: write a name ({', '.join(_NAMES.values())}) or a number from 0 to 255"
        )
    return number


def protocol_name(number: int) -> str:
    """Return the name of an IP protocol, or ``ip/N`` for one without a name here.

    Raises:
        ParseError: the number is not within 0 to 255.
    """
    return _NAMES.get(number) or f"ip/{protocol_number(number)}"
