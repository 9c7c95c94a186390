"""Sets of packets by protocol: ports for TCP, UDP and SCTP, type and code for ICMP, the number alone for the rest."""

from functools import lru_cache
from typing import Final

from cloudseg.errors import ParseError
from cloudseg.traffic.intervals import NO_NUMBERS, IntervalSet
from cloudseg.traffic.protocols import ICMP, ICMPV6, SCTP, TCP, UDP, protocol_name, protocol_number
from cloudseg.traffic.terms import (
    ANY_PROTOCOL,
    ANY_VALUE,
    PORT_PROTOCOLS,
    icmp_span,
    icmp_terms,
    port_terms,
    protocol_terms,
    read_term,
)

__all__ = ["ALL_TRAFFIC", "NO_TRAFFIC", "Traffic"]

_FIELD_PROTOCOLS: Final = (TCP, UDP, SCTP, ICMP, ICMPV6)
_FIELD_NAMES: Final = ("tcp", "udp", "sctp", "icmp", "icmpv6", "other")
_OTHER: Final = ANY_PROTOCOL - IntervalSet.of(*_FIELD_PROTOCOLS)
_UNIVERSE: Final = (ANY_VALUE, ANY_VALUE, ANY_VALUE, ANY_VALUE, ANY_VALUE, _OTHER)
_ALL_EXCEPT: Final = "all except "


class Traffic:
    """An immutable set of packets, told apart by protocol and destination port, or by ICMP type and code.

    Attributes:
        fields: the six sets below, in this order.

    Equal sets have equal representations. Source ports are no part of it.
    """

    __slots__ = ("_hash", "fields")

    fields: Final[tuple[IntervalSet, ...]]

    def __init__(
        self,
        tcp: IntervalSet = NO_NUMBERS,
        udp: IntervalSet = NO_NUMBERS,
        sctp: IntervalSet = NO_NUMBERS,
        icmp: IntervalSet = NO_NUMBERS,
        icmpv6: IntervalSet = NO_NUMBERS,
        other: IntervalSet = NO_NUMBERS,
    ) -> None:
        self.fields = (tcp, udp, sctp, icmp, icmpv6, other)
        self._hash = -1
        for name, field, universe in zip(_FIELD_NAMES, self.fields, _UNIVERSE, strict=True):
            if not field <= universe:
                raise ParseError(f"{field - universe!r} is no traffic: {name} takes numbers of {universe!r} only")

    @property
    def tcp(self) -> IntervalSet:
        """Destination ports of TCP, 0 to 65535."""
        return self.fields[0]

    @property
    def udp(self) -> IntervalSet:
        """Destination ports of UDP, 0 to 65535."""
        return self.fields[1]

    @property
    def sctp(self) -> IntervalSet:
        """Destination ports of SCTP, 0 to 65535."""
        return self.fields[2]

    @property
    def icmp(self) -> IntervalSet:
        """ICMP messages, as type * 256 + code."""
        return self.fields[3]

    @property
    def icmpv6(self) -> IntervalSet:
        """ICMPv6 messages, as type * 256 + code."""
        return self.fields[4]

    @property
    def other(self) -> IntervalSet:
        """Numbers of the other protocols, which are there whole or not at all."""
        return self.fields[5]

    @staticmethod
    def ports(protocol: int | str, lo: int = 0, hi: int = 65535) -> "Traffic":
        """Make a range of destination ports of TCP, UDP or SCTP, from ``lo`` to ``hi`` inclusive.

        Raises:
            ParseError: the protocol has no ports, or the range does not lie within 0 to 65535.
        """
        return _ports(protocol, lo, hi)

    @staticmethod
    def icmp_type(
        type: int | None = None,  # noqa: A002 - "type" and "code" are the names of the fields in RFC 792 and RFC 4443
        code: int | None = None,
        version: int = 4,
    ) -> "Traffic":
        """Make the ICMP messages of a type and a code; ``None`` stands for every one.

        Args:
            type: 0 to 255.
            code: 0 to 255, only together with a type.
            version: 4 for ICMP, 6 for ICMPv6.

        Raises:
            ParseError: a number lies outside its field, a code comes without a type, or there is no such version.
        """
        if version not in {4, 6}:
            raise ParseError(f"{version!r} is no IP version: ICMP has 4, ICMPv6 has 6")
        return _icmp(ICMP if version == 4 else ICMPV6, type, code)

    @staticmethod
    def protocol(number_or_name: int | str) -> "Traffic":
        """Make all traffic of one protocol.

        Raises:
            ParseError: there is no such protocol.
        """
        return _protocol(number_or_name)

    @staticmethod
    def parse(text: str) -> "Traffic":
        """Read comma-separated terms in any case: ``tcp/443, udp/53, icmp/8, icmp/3:4, esp, ip/97``, ``all``, ``none``.

        A name alone is the whole protocol. Ports, types, codes and protocol numbers may be ranges ``a-b``. A text that
        begins with ``all except`` is everything but the terms that follow.

        Raises:
            ParseError: a term is none of these; the message names it.
        """
        return _parse(text)

    def __or__(self, other: "Traffic") -> "Traffic":
        """Return the packets in either set."""
        if self is other:
            return self
        return _same_or_new(tuple(map(IntervalSet.__or__, self.fields, other.fields)), self, other)

    def __and__(self, other: "Traffic") -> "Traffic":
        """Return the packets in both sets."""
        if self is other:
            return self
        return _same_or_new(tuple(map(IntervalSet.__and__, self.fields, other.fields)), self, other)

    def __sub__(self, other: "Traffic") -> "Traffic":
        """Return the packets in this set and not in the other."""
        return _same_or_new(tuple(map(IntervalSet.__sub__, self.fields, other.fields)), self, self)

    def __le__(self, other: "Traffic") -> bool:
        """Tell whether every packet of this set is in the other."""
        return self is other or all(map(IntervalSet.__le__, self.fields, other.fields))

    def overlaps(self, other: "Traffic") -> bool:
        """Tell whether the sets share a packet."""
        return any(map(IntervalSet.overlaps, self.fields, other.fields))

    def complement(self) -> "Traffic":
        """Return every other packet."""
        return ALL_TRAFFIC - self

    @property
    def is_all(self) -> bool:
        """Whether every packet is in the set."""
        return self.fields == ALL_TRAFFIC.fields

    def protocols(self) -> IntervalSet:
        """Return the numbers of the protocols of which any packet is in the set."""
        present = (protocol for protocol, field in zip(_FIELD_PROTOCOLS, self.fields, strict=False) if field)
        return self.other | IntervalSet.of(*present)

    def ports_of(self, protocol: int | str) -> IntervalSet:
        """Return the destination ports of TCP, UDP or SCTP.

        Raises:
            ParseError: the protocol has no ports; an empty answer would read as "closed".
        """
        return self.fields[_FIELD_PROTOCOLS.index(_port_protocol(protocol))]

    def terms(self) -> tuple[str, ...]:
        """Return the plain terms whose union is the set: ``("all",)``, ``("none",)``, ``("tcp/443", "udp")``."""
        if not self:
            return ("none",)
        if self.is_all:
            return ("all",)
        return (
            *port_terms(TCP, self.tcp),
            *port_terms(UDP, self.udp),
            *port_terms(SCTP, self.sctp),
            *icmp_terms(ICMP, self.icmp),
            *icmp_terms(ICMPV6, self.icmpv6),
            *protocol_terms(self.other),
        )

    def __str__(self) -> str:
        """Return the shorter of the terms and ``all except`` the terms that miss; :meth:`parse` reads both."""
        return _text(self)

    def __repr__(self) -> str:
        """Return the expression that makes this set."""
        return f"Traffic.parse({str(self)!r})"

    def __bool__(self) -> bool:
        """Tell whether the set has any packet."""
        if self is NO_TRAFFIC:
            return False
        # Asked millions of times: a loop takes a third of what a generator takes.
        for field in self.fields:  # noqa: SIM110
            if field.intervals:
                return True
        return False

    def __eq__(self, other: object) -> bool:
        """Tell whether both sets have the same packets."""
        if self is other:
            return True
        if not isinstance(other, Traffic):
            return NotImplemented
        return self.fields == other.fields

    def __hash__(self) -> int:
        """Return the same hash for equal sets, computed once."""
        if self._hash == -1:
            self._hash = hash(self.fields)
        return self._hash


@lru_cache(maxsize=16384)
def _text(traffic: Traffic) -> str:
    plain = ", ".join(traffic.terms())
    exception = _ALL_EXCEPT + ", ".join(traffic.complement().terms())
    return plain if len(plain) <= len(exception) else exception


def _same_or_new(fields: tuple[IntervalSet, ...], a: Traffic, b: Traffic) -> Traffic:
    # Giving back an operand or a constant keeps the identity shortcuts of the next operation alive.
    if not any(fields):
        return NO_TRAFFIC
    if fields == a.fields:
        return a
    if fields == b.fields:
        return b
    return Traffic(*fields)


def _of_protocols(numbers: IntervalSet, values: IntervalSet) -> Traffic:
    fields = [values if protocol in numbers else NO_NUMBERS for protocol in _FIELD_PROTOCOLS]
    fields.append(numbers & _OTHER)
    return Traffic(*fields)


def _port_protocol(protocol: int | str) -> int:
    number = protocol_number(protocol)
    if number not in PORT_PROTOCOLS:
        raise ParseError(f"{protocol!r} has no ports: only tcp, udp and sctp have; take the whole protocol instead")
    return number


@lru_cache(maxsize=8192)
def _ports(protocol: int | str, first: int, last: int) -> Traffic:
    number = _port_protocol(protocol)
    if not 0 <= first <= last <= 65535:
        raise ParseError(
            f"{first}-{last} is no range of {protocol_name(number)} ports: "
            "both ends lie within 0 to 65535, the smaller one first"
        )
    return _of_protocols(IntervalSet.of(number), IntervalSet(((first, last),)))


@lru_cache(maxsize=2048)
def _icmp(protocol: int, message_type: int | None, code: int | None) -> Traffic:
    name = protocol_name(protocol)
    if message_type is None:
        if code is not None:
            raise ParseError(
                f"code {code} without a type is no {name} message: name the type, or leave both out for all"
            )
        return _protocol(protocol)
    for field, number in (("type", message_type), ("code", code)):
        if number is not None and not 0 <= number <= 255:
            raise ParseError(f"{number} is no {name} {field}: it lies within 0 to 255, and None stands for every one")
    first, last = icmp_span(message_type)
    values = (first, last) if code is None else (first + code, first + code)
    return _of_protocols(IntervalSet.of(protocol), IntervalSet((values,)))


@lru_cache(maxsize=1024)
def _protocol(number_or_name: int | str) -> Traffic:
    return _of_protocols(IntervalSet.of(protocol_number(number_or_name)), ANY_VALUE)


@lru_cache(maxsize=8192)
def _parse(text: str) -> Traffic:
    start = text.lstrip()
    if start[: len(_ALL_EXCEPT)].lower() == _ALL_EXCEPT:
        return ALL_TRAFFIC - _union(start[len(_ALL_EXCEPT) :])
    return _union(text)


def _union(text: str) -> Traffic:
    traffic = NO_TRAFFIC
    for term in text.split(","):
        traffic |= _term(term.strip())
    return traffic


def _term(term: str) -> Traffic:
    word = term.lower()
    if word == "all":
        return ALL_TRAFFIC
    if word == "none":
        return NO_TRAFFIC
    if word.startswith(_ALL_EXCEPT):
        raise ParseError(f"{term!r} is no traffic here: 'all except' begins a text, and what follows is all taken away")
    return _of_protocols(*read_term(term))


NO_TRAFFIC: Final = Traffic()
ALL_TRAFFIC: Final = Traffic(*_UNIVERSE)
