"""Address texts to numbers and back: CIDR notation, single addresses, and the CIDR blocks that cover a range."""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from cloudseg.errors import ParseError

__all__ = ["IPV4_BITS", "IPV6_BITS", "address_text", "blocks", "parse_address", "parse_cidr"]

IPV4_BITS: Final = 32
IPV6_BITS: Final = 128

# Looking texts up refuses leading zeros, signs, spaces and foreign digits, and is faster than reading them.
_OCTETS: Final = {str(number): number for number in range(256)}
_HOST_BITS_V4: Final = {str(prefix): (1 << (IPV4_BITS - prefix)) - 1 for prefix in range(IPV4_BITS + 1)}
_HOST_BITS_V6: Final = {str(prefix): (1 << (IPV6_BITS - prefix)) - 1 for prefix in range(IPV6_BITS + 1)}

_IPV4_MAPPED: Final = 0xFFFF


@lru_cache(maxsize=65536)
def parse_cidr(text: str) -> tuple[int, int, int]:
    """Read a CIDR block or a single address as ``(version, first, last)``, the ends inclusive.

    Bits of the host part are cleared: ``192.168.0.1/31`` is ``192.168.0.0/31``, since clouds keep what people typed.
    Notation as in RFC 4632 (IPv4) and RFC 4291 section 2.2 and 2.3 (IPv6). IPv4 octets and prefix lengths have no
    leading zeros, which some readers take for octal.

    Raises:
        ParseError: the text is neither; netmasks and zone identifiers are refused too.
    """
    address, slash, prefix = text.partition("/")
    try:
        if ":" in address:
            value = _ipv6(address)
            host_bits = _HOST_BITS_V6[prefix] if slash else 0
            return 6, value & ~host_bits, value | host_bits
        a, b, c, d = address.split(".")
        value = _OCTETS[a] << 24 | _OCTETS[b] << 16 | _OCTETS[c] << 8 | _OCTETS[d]
        host_bits = _HOST_BITS_V4[prefix] if slash else 0
    except (KeyError, ValueError):
        raise ParseError(
            f"{text!r} is no address: write IPv4 (10.0.0.0/8, 10.0.0.5) or IPv6 (2001:db8::/32, 2001:db8::5), "
            "with a prefix length of at most 32 or 128 and without a zone"
        ) from None
    return 4, value & ~host_bits, value | host_bits


def parse_address(text: str) -> tuple[int, int]:
    """Read a single address as ``(version, value)``.

    Raises:
        ParseError: the text is no address, or is one with a prefix length.
    """
    if "/" in text:
        raise ParseError(f"{text!r} is a CIDR block where a single address belongs: leave the prefix length out")
    version, value, _ = parse_cidr(text)
    return version, value


def _ipv6(text: str) -> int:
    if "%" in text:
        raise AddressValueError(text)
    return int(IPv6Address(text))


def address_text(version: int, value: int) -> str:
    """Write an address; IPv6 in the form of RFC 5952, which writes IPv4-mapped addresses as ``::ffff:10.0.0.1``."""
    if version == 4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    if value >> IPV4_BITS == _IPV4_MAPPED:
        return f"::ffff:{address_text(4, value & 0xFFFFFFFF)}"
    groups = [value >> shift & 0xFFFF for shift in range(112, -1, -16)]
    start, length = _longest_zeros(groups)
    if length < 2:
        return ":".join(f"{group:x}" for group in groups)
    before = ":".join(f"{group:x}" for group in groups[:start])
    after = ":".join(f"{group:x}" for group in groups[start + length :])
    return f"{before}::{after}"


def _longest_zeros(groups: list[int]) -> tuple[int, int]:
    best_start = best_length = length = 0
    for position, group in enumerate(groups):
        length = 0 if group else length + 1
        if length > best_length:
            best_start, best_length = position - length + 1, length
    return best_start, best_length


def blocks(first: int, last: int, bits: int) -> Iterator[tuple[int, int]]:
    """Yield the fewest CIDR blocks that cover a range exactly, as ``(first address, prefix length)``, in order.

    Args:
        first: the first address of the range.
        last: its last address, inclusive.
        bits: the width of an address, 32 or 128.
    """
    while first <= last:
        alignment = (first & -first).bit_length() - 1 if first else bits
        room = (last - first + 1).bit_length() - 1
        host_bits = min(alignment, room)
        yield first, bits - host_bits
        first += 1 << host_bits
