"""The words of traffic, such as ``tcp/443`` and ``icmp/3:4``: read one, and write the shortest ones for a set."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.traffic.intervals import IntervalSet
from cloudseg.traffic.protocols import ICMP, ICMPV6, SCTP, TCP, UDP, protocol_name, protocol_number

__all__ = [
    "ANY_PROTOCOL",
    "ANY_VALUE",
    "ICMP_PROTOCOLS",
    "PORT_PROTOCOLS",
    "Term",
    "icmp_span",
    "icmp_terms",
    "port_terms",
    "protocol_terms",
    "read_term",
]

ANY_PROTOCOL: Final = IntervalSet(((0, 255),))
ANY_VALUE: Final = IntervalSet(((0, 65535),))
"""Every port; also every ICMP message, as type * 256 + code."""

PORT_PROTOCOLS: Final = (TCP, UDP, SCTP)
ICMP_PROTOCOLS: Final = (ICMP, ICMPV6)

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,4}")
_ACCEPTED: Final = "write tcp/443, tcp/9000-9100, udp, icmp/8, icmp/3:4 (type:code), esp, ip/97, all or none"


class Term(NamedTuple):
    """One word of traffic: whole protocols, or some values of a single protocol that has ports or ICMP types."""

    protocols: IntervalSet
    values: IntervalSet


def read_term(term: str) -> Term:
    """Read a protocol name, ``name/ports``, ``name/type``, ``name/type:code`` or ``ip/N``; any number may be a range.

    Raises:
        ParseError: the term is none of these, or a number lies outside its field.
    """
    name, slash, detail = term.partition("/")
    if not slash and name.isdecimal():
        raise ParseError(
            f"{term!r} is no traffic: write ip/{name} for the protocol, or tcp/{name} or udp/{name} for the port"
        )
    if name.lower() == "ip" and slash:
        return Term(IntervalSet((_span(term, detail, 255),)), ANY_VALUE)
    try:
        protocol = protocol_number(name)
    except ParseError as error:
        raise ParseError(f"{term!r} is no traffic: {_ACCEPTED}") from error
    protocols = IntervalSet.of(protocol)
    if not slash:
        return Term(protocols, ANY_VALUE)
    if protocol in PORT_PROTOCOLS:
        return Term(protocols, IntervalSet((_span(term, detail, 65535),)))
    if protocol in ICMP_PROTOCOLS:
        return Term(protocols, _icmp_values(term, detail))
    raise ParseError(f"{term!r} is no traffic: {name} has neither ports nor types, so write {name} alone")


def _icmp_values(term: str, detail: str) -> IntervalSet:
    types, colon, codes = detail.partition(":")
    first, last = _span(term, types, 255)
    if not colon:
        return IntervalSet(((icmp_span(first)[0], icmp_span(last)[1]),))
    if first != last:
        raise ParseError(f"{term!r} is no traffic: codes belong to one type, so write each type on its own")
    first_code, last_code = _span(term, codes, 255)
    start, _ = icmp_span(first)
    return IntervalSet(((start + first_code, start + last_code),))


def icmp_span(message_type: int) -> tuple[int, int]:
    """Return the first and the last value, type * 256 + code, of an ICMP type."""
    return message_type << 8, message_type << 8 | 255


def _span(term: str, text: str, highest: int) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    if not dash:
        end = start
    if not (_DECIMAL.fullmatch(start) and _DECIMAL.fullmatch(end)):
        raise ParseError(f"{term!r} is no traffic: {text!r} is no number and no range; {_ACCEPTED}")
    first, last = int(start), int(end)
    if not first <= last <= highest:
        raise ParseError(f"{term!r} is no traffic: {text!r} must lie within 0 to {highest}, the smaller number first")
    return first, last


def port_terms(protocol: int, ports: IntervalSet) -> Iterator[str]:
    """Write ports of TCP, UDP or SCTP, one term an interval."""
    name = protocol_name(protocol)
    if ports == ANY_VALUE:
        yield name
        return
    for first, last in ports.intervals:
        yield f"{name}/{_span_text(first, last)}"


def icmp_terms(protocol: int, values: IntervalSet) -> Iterator[str]:
    """Write ICMP messages: whole types as ``icmp/8``, single codes as ``icmp/3:4``."""
    name = protocol_name(protocol)
    if values == ANY_VALUE:
        yield name
        return
    for first, last in values.intervals:
        rest = first
        while rest <= last:
            message_type, code = divmod(rest, 256)
            past_type = (last + 1) // 256
            if code == 0 and past_type > message_type:
                yield f"{name}/{_span_text(message_type, past_type - 1)}"
                rest = past_type * 256
            else:
                end = min(last, icmp_span(message_type)[1])
                yield f"{name}/{message_type}:{_span_text(code, end % 256)}"
                rest = end + 1


def protocol_terms(numbers: IntervalSet) -> Iterator[str]:
    """Write whole protocols: by name, by ``ip/N``, and ranges of them as ``ip/60-87``."""
    for first, last in numbers.intervals:
        if first == last:
            yield protocol_name(first)
        elif last == first + 1:
            yield protocol_name(first)
            yield protocol_name(last)
        else:
            yield f"ip/{_span_text(first, last)}"


def _span_text(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
