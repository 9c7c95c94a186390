"""Addresses of rules, put together and taken apart."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from cloudseg.checks.rule_lists import counted
from cloudseg.errors import ParseError
from cloudseg.model import Addresses, ListRef
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Peer, Rule
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.parts_of_ends import Kept

__all__ = ["joined", "parsed", "rest_of", "sized", "united"]


def rest_of(rule: Rule, written: AddressSet, context: RemedyContext) -> tuple[Peer, ...]:
    """Return the peers of a rule without the addresses that this is about."""
    found: list[Peer] = []
    for peer in rule.remote:
        match peer:
            case Addresses(addresses):
                if left := addresses - written:
                    found.append(Addresses(left))
            case ListRef(name):
                known = context.estate.address_lists.get(name)
                held = None if known is None or known.owner != "customer" else known.addresses
                if held is None or not held.overlaps(written):
                    found.append(peer)
                elif left := held - written:
                    found.append(Addresses(left))
            case _:
                found.append(peer)
    return tuple(found)


def joined(kept: Iterable[Kept]) -> Iterator[Kept]:
    """Yield what stays, addresses of the same reason and traffic together."""
    together: dict[tuple[object, ...], list[Kept]] = {}
    for each in kept:
        together.setdefault((str(each.traffic), each.owner, each.expires, each.outside), []).append(each)
    for first, *others in together.values():
        why = first.why
        for text in dict.fromkeys(each.why for each in others):
            why = why if text in why else f"{why}; {text}"
        yield first._replace(addresses=united(each.addresses for each in (first, *others)), why=why)


def united(parts: Iterable[AddressSet]) -> AddressSet:
    """Return the union of some sets of addresses."""
    left = list(parts)
    # Two by two: thousands of single addresses, one after the other, would be gone through again for each of them.
    while len(left) > 1:
        left = [one | other for one, other in zip_longest(left[::2], left[1::2], fillvalue=NO_ADDRESSES)]
    return left[0] if left else NO_ADDRESSES


def parsed(text: str) -> AddressSet:
    """Return the addresses of an end; nothing where the log holds none."""
    try:
        return AddressSet.parse(text)
    except ParseError:
        return NO_ADDRESSES


def sized(addresses: AddressSet) -> str:
    """Return how many addresses there are, in words."""
    size = addresses.size
    return counted(size, "address") if size < 1 << 32 else f"2^{size.bit_length() - 1} addresses"
