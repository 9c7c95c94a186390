"""Ends of Suricata rules as sets: addresses and ports, with lists, exceptions and variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, NO_NUMBERS, AddressSet, IntervalSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Variables", "addresses_of", "ports_of"]

_ALL_PORTS = IntervalSet.of((0, 65_535))
_DEEPEST = 8
"""Lists in lists, and variables in these; nobody nests deeper."""


class Variables(msgspec.Struct, frozen=True):
    """What a rule group calls by a name: the text of each, as a rule could have it. Names are in lower case."""

    addresses: dict[str, str] = {}
    ports: dict[str, str] = {}


def addresses_of(end: str, variables: Mapping[str, str]) -> AddressSet | None:
    """Return the addresses that an end of a rule stands for; None where it names what was not read.

    Source: https://docs.suricata.io/en/latest/rules/intro.html#source-and-destination
    """
    return _Reader(ALL_ADDRESSES, NO_ADDRESSES, AddressSet.parse, variables).read(end)


def ports_of(end: str, variables: Mapping[str, str]) -> IntervalSet | None:
    """Return the ports that an end of a rule stands for; None where it names what was not read.

    Source: https://docs.suricata.io/en/latest/rules/intro.html#ports-source-and-destination
    """
    return _Reader(_ALL_PORTS, NO_NUMBERS, _port_range, variables).read(end)


def _port_range(text: str) -> IntervalSet:
    """Return one port or a range, such as ``80``, ``1024:`` or ``:1023``.

    Raises:
        ParseError: it is neither.
    """
    first, colon, last = text.partition(":")
    ends = (first or "0", last or "65535") if colon else (first, first)
    if not all(each.strip().isdecimal() for each in ends):
        raise ParseError(f"not a port: {text!r}")
    low, high = (int(each) for each in ends)
    if not low <= high <= 65_535:
        raise ParseError(f"not a range of ports: {text!r}")
    return IntervalSet.of((low, high))


S = TypeVar("S", AddressSet, IntervalSet)


class _Reader(Generic[S]):
    """Reads ends of one kind: all there is, nothing, how a single term is read, and what is called by a name."""

    def __init__(self, whole: S, nothing: S, term: Callable[[str], S], variables: Mapping[str, str]) -> None:
        self._whole: S = whole
        self._nothing: S = nothing
        self._term: Callable[[str], S] = term
        self._variables = variables

    def read(self, text: str, depth: int = 0) -> S | None:
        """Return what a text stands for; None where a part of it is not known."""
        text = text.strip()
        if depth > _DEEPEST:
            return None
        if text.startswith("!"):
            left_out = self.read(text[1:], depth + 1)
            return None if left_out is None else self._whole - left_out
        if text.startswith("[") and text.endswith("]"):
            return self._list(text[1:-1], depth)
        if text.lower() == "any":
            return self._whole
        if text.startswith("$"):
            named = self._variables.get(text[1:].lower())
            return None if named is None else self.read(named, depth + 1)
        try:
            return self._term(text)
        except ParseError:
            return None

    def _list(self, text: str, depth: int) -> S | None:
        """Return a list: what its terms name, or all where each makes an exception, without the exceptions."""
        named, left_out, only_exceptions = self._nothing, self._nothing, True
        for term in _terms(text):
            excepted = term.startswith("!")
            found = self.read(term.removeprefix("!"), depth + 1)
            if found is None:
                return None
            if excepted:
                left_out = left_out | found
            else:
                named, only_exceptions = named | found, False
        return (self._whole if only_exceptions else named) - left_out


def _terms(text: str) -> Iterator[str]:
    """Yield the terms of a list; a comma within brackets parts none."""
    depth = start = 0
    for place, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()
