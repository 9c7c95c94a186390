"""Values of the model as JSON and back: what a plan holds decodes to edits that equal those that were proved.

Sets of addresses and traffic are texts, as ``AddressSet.parse`` and ``Traffic.parse`` read them; sets of numbers are
lists of pairs. Everything that has no order is sorted, so that the same value gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cloudseg.json_text import well_formed
from cloudseg.traffic import AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["decoded", "plain", "schema_of"]

T = TypeVar("T")

_PAIRS = list[tuple[int, int]]


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no closer type
    """Return a value as what JSON is made of: ``dict``, ``list``, ``str``, numbers, ``bool`` and None.

    Members of sets are sorted; halves of characters become U+FFFD, since UTF-8 cannot express them.

    Raises:
        TypeError: the value holds what a document cannot.
    """
    return well_formed(msgspec.to_builtins(value, enc_hook=_encoded, str_keys=True, order="deterministic"))


def decoded(value: object, kind: type[T]) -> T:
    """Return what :func:`plain` returned as a value of a type again.

    Raises:
        msgspec.ValidationError: it is none.
    """
    return msgspec.convert(value, kind, dec_hook=_decoded)


def schema_of(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of a type that only the codec knows.

    Raises:
        NotImplementedError: it knows no such type.
    """
    known = _SCHEMAS.get(kind)
    if known is None:
        raise NotImplementedError(f"no schema for {kind}")
    return known


def _encoded(value: object) -> object:
    match value:
        case AddressSet() | Traffic():
            return str(value)
        case IntervalSet():
            return [[first, last] for first, last in value.intervals]
        case _:
            raise NotImplementedError(f"{type(value).__name__} is no part of a document")


def _decoded(kind: type, value: Any) -> object:  # noqa: ANN401 - the signature of a hook of msgspec
    read = _READERS.get(kind)
    if read is None:
        raise NotImplementedError(f"{kind.__name__} is no part of a document")
    return read(value)


def _numbers(value: object) -> IntervalSet:
    return IntervalSet.from_pairs(msgspec.convert(value, _PAIRS))


def _addresses(value: object) -> AddressSet:
    return AddressSet.parse(msgspec.convert(value, str))


def _traffic(value: object) -> Traffic:
    return Traffic.parse(msgspec.convert(value, str))


_READERS: dict[type, Callable[[object], object]] = {
    AddressSet: _addresses,
    Traffic: _traffic,
    IntervalSet: _numbers,
}
_PAIR: dict[str, Any] = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
_SCHEMAS: dict[type, dict[str, Any]] = {
    AddressSet: {"type": "string", "description": "Addresses: `10.0.0.0/8, 192.0.2.1-192.0.2.9`, `all` or `none`."},
    Traffic: {"type": "string", "description": "Traffic: `tcp/443, udp/53, icmp/8`, `all except tcp/22`, `none`."},
    IntervalSet: {"type": "array", "description": "Numbers, as pairs of a first and a last one.", "items": _PAIR},
}
