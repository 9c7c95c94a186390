"""Sets of IPv4 and IPv6 addresses, and the ranges that the Internet's registries set apart."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from cloudseg.errors import ParseError
from cloudseg.traffic.cidr import IPV4_BITS, IPV6_BITS, address_text, blocks, parse_address, parse_cidr
from cloudseg.traffic.intervals import NO_NUMBERS, IntervalSet

__all__ = [
    "ALL_ADDRESSES",
    "ALL_IPV4",
    "ALL_IPV6",
    "GLOBAL_UNICAST",
    "NO_ADDRESSES",
    "PRIVATE",
    "AddressSet",
    "parse_cidr",
]


class AddressSet:
    """An immutable set of addresses of both families; equal sets have equal representations.

    Attributes:
        v4: the IPv4 addresses as numbers, 0 to 2^32-1.
        v6: the IPv6 addresses as numbers, 0 to 2^128-1.

    The families never mix: ``0.0.0.0/0`` holds no IPv6 address, and an IPv4-mapped address is an IPv6 one.
    """

    __slots__ = ("_hash", "v4", "v6")

    v4: Final[IntervalSet]
    v6: Final[IntervalSet]

    def __init__(self, v4: IntervalSet = NO_NUMBERS, v6: IntervalSet = NO_NUMBERS) -> None:
        self.v4 = v4
        self.v6 = v6
        self._hash = -1

    @staticmethod
    def parse(text: str) -> "AddressSet":
        """Read a comma-separated list of CIDR blocks, addresses, ranges ``a-b``, ``all`` and ``none``.

        Raises:
            ParseError: a member is none of these; see :func:`parse_cidr` for what an address is.
        """
        return _parse(text)

    @staticmethod
    def from_cidrs(cidrs: Iterable[str]) -> "AddressSet":
        """Make the union of CIDR blocks and single addresses.

        Raises:
            ParseError: a text is neither.
        """
        return _from_ranges(parse_cidr(cidr) for cidr in cidrs)

    def __or__(self, other: "AddressSet") -> "AddressSet":
        """Return the addresses in either set."""
        return _same_or_new(self.v4 | other.v4, self.v6 | other.v6, self, other)

    def __and__(self, other: "AddressSet") -> "AddressSet":
        """Return the addresses in both sets."""
        return _same_or_new(self.v4 & other.v4, self.v6 & other.v6, self, other)

    def __sub__(self, other: "AddressSet") -> "AddressSet":
        """Return the addresses in this set and not in the other."""
        return _same_or_new(self.v4 - other.v4, self.v6 - other.v6, self, self)

    def __le__(self, other: "AddressSet") -> bool:
        """Tell whether every address of this set is in the other."""
        return self is other or (self.v4 <= other.v4 and self.v6 <= other.v6)

    def overlaps(self, other: "AddressSet") -> bool:
        """Tell whether the sets share an address."""
        return self.v4.overlaps(other.v4) or self.v6.overlaps(other.v6)

    def complement(self) -> "AddressSet":
        """Return every other address of both families."""
        return ALL_ADDRESSES - self

    def has(self, address: str) -> bool:
        """Tell whether an address is in the set.

        Raises:
            ParseError: the text is no single address.
        """
        version, value = parse_address(address)
        return value in (self.v4 if version == 4 else self.v6)

    @property
    def size(self) -> int:
        """How many addresses the set has, over both families."""
        return self.v4.size + self.v6.size

    def cidrs(self) -> tuple[str, ...]:
        """Return the fewest CIDR blocks that make the set, IPv4 first, in the order of addresses."""
        return tuple(
            f"{address_text(version, start)}/{prefix}"
            for version, bits, first, last in _ranges(self)
            for start, prefix in blocks(first, last, bits)
        )

    def __str__(self) -> str:
        """Return the shortest text that :meth:`parse` reads as this set."""
        return _text(self)

    def __repr__(self) -> str:
        """Return the expression that makes this set."""
        return f"AddressSet.parse({str(self)!r})"

    def __bool__(self) -> bool:
        """Tell whether the set has any address."""
        return bool(self.v4.intervals or self.v6.intervals)

    def __eq__(self, other: object) -> bool:
        """Tell whether both sets have the same addresses."""
        if self is other:
            return True
        if not isinstance(other, AddressSet):
            return NotImplemented
        return self.v4 == other.v4 and self.v6 == other.v6

    def __hash__(self) -> int:
        """Return the same hash for equal sets, computed once."""
        if self._hash == -1:
            self._hash = hash((self.v4, self.v6))
        return self._hash


def _same_or_new(v4: IntervalSet, v6: IntervalSet, a: AddressSet, b: AddressSet) -> AddressSet:
    if v4 is a.v4 and v6 is a.v6:
        return a
    if v4 is b.v4 and v6 is b.v6:
        return b
    return AddressSet(v4, v6)


def _ranges(addresses: AddressSet) -> Iterator[tuple[int, int, int, int]]:
    for first, last in addresses.v4.intervals:
        yield 4, IPV4_BITS, first, last
    for first, last in addresses.v6.intervals:
        yield 6, IPV6_BITS, first, last


@lru_cache(maxsize=16384)
def _text(addresses: AddressSet) -> str:
    if not addresses:
        return "none"
    if addresses == ALL_ADDRESSES:
        return "all"
    return ", ".join(_range_text(*members) for members in _ranges(addresses))


def _range_text(version: int, bits: int, first: int, last: int) -> str:
    start = address_text(version, first)
    if first == last:
        return start
    span = f"{start}-{address_text(version, last)}"
    cover = ", ".join(
        address_text(version, block) if prefix == bits else f"{address_text(version, block)}/{prefix}"
        for block, prefix in blocks(first, last, bits)
    )
    return cover if len(cover) <= len(span) else span


@lru_cache(maxsize=16384)
def _parse(text: str) -> AddressSet:
    return _from_ranges(member for term in text.split(",") for member in _members(term.strip()))


def _members(term: str) -> tuple[tuple[int, int, int], ...]:
    word = term.lower()
    if word == "all":
        return (4, 0, (1 << IPV4_BITS) - 1), (6, 0, (1 << IPV6_BITS) - 1)
    if word == "none":
        return ()
    if "-" in term:
        return (_span(term),)
    try:
        return (parse_cidr(term),)
    except ParseError as error:
        raise ParseError(f"{error}; a list takes ranges (10.0.0.3-10.0.0.9), all and none as well") from None


def _span(term: str) -> tuple[int, int, int]:
    start, _, end = term.partition("-")
    try:
        version, first = parse_address(start)
        end_version, last = parse_address(end)
    except ParseError as error:
        raise ParseError(f"{term!r} is no address range such as 10.0.0.3-10.0.0.9: {error}") from None
    if version != end_version or last < first:
        raise ParseError(f"{term!r} is no address range: both ends are of one family, the smaller one first")
    return version, first, last


def _from_ranges(ranges: Iterable[tuple[int, int, int]]) -> AddressSet:
    v4: list[tuple[int, int]] = []
    v6: list[tuple[int, int]] = []
    for version, first, last in ranges:
        (v4 if version == 4 else v6).append((first, last))
    return AddressSet(IntervalSet.from_pairs(v4), IntervalSet.from_pairs(v6))


NO_ADDRESSES: Final = AddressSet()
ALL_IPV4: Final = AddressSet.parse("0.0.0.0/0")
ALL_IPV6: Final = AddressSet.parse("::/0")
ALL_ADDRESSES: Final = ALL_IPV4 | ALL_IPV6

PRIVATE: Final = AddressSet.from_cidrs(
    (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Addresses that no packet crosses the Internet with, because every site uses them for itself.

Private use (RFC 1918), shared with carriers (RFC 6598), link-local (RFC 3927, RFC 4291 section 2.5.6), unique local
(RFC 4193) and loopback (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
"""

_NEVER_ON_THE_INTERNET: Final = AddressSet.from_cidrs(
    (
        "0.0.0.0/8",
        "192.0.0.0/24",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::ffff:0:0/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001:2::/48",
        "5f00::/16",
        "ff00::/8",
    )
) - AddressSet.from_cidrs(("192.0.0.9/32", "192.0.0.10/32"))

GLOBAL_UNICAST: Final = ALL_ADDRESSES - PRIVATE - _NEVER_ON_THE_INTERNET
"""Addresses that a packet on the Internet may bear: everything but private, multicast and reserved space.

Subtracted is what the IANA special-purpose registries (RFC 6890) list as not globally reachable, and multicast
(RFC 5771, RFC 4291 section 2.7): https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry. In doubt an address stays, for a range wrongly held for
private would hide an exposure:

- The documentation ranges stay (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20), so that
  examples and tests can use them as public addresses.
- What the registries leave undecided or open in part stays: 192.88.99.0/24, 2001::/23 but for benchmarking, 2002::/16.
- IPv6 space that is not assigned yet stays, and so does the former site-local fec0::/10: RFC 4291 sections 2.4 and
  2.5.7 have both treated as global unicast.
"""
