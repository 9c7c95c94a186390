"""Ends outside of an estate: the ranges of a flow, and addresses in a few words for people."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, IntervalSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate

__all__ = ["EXTERNAL", "INTERNET", "addresses_of", "has_unseen", "has_unseen_members", "outside_words", "ranges_of"]

EXTERNAL = "external:"
"""How the end of a flow begins that is a range outside of the estate."""

INTERNET = "internet"
"""The word for every address of the internet, of both families."""

_RANGES = 3
_FAMILIES = (("IPv4", GLOBAL_UNICAST & ALL_IPV4), ("IPv6", GLOBAL_UNICAST & ALL_IPV6))


def addresses_of(end: str) -> AddressSet:
    """Return the addresses of an end of a flow that lies outside.

    Raises:
        ParseError: it is the name of a class.
    """
    return AddressSet.parse(end.removeprefix(EXTERNAL))


def has_unseen(network: str | None, estate: Estate) -> bool:
    """Tell whether interfaces may stand in a network that no answer lists, so that its ranges are an end outside too.

    The owner of a shared network lists all its interfaces; a participant lists none but its own. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html

    Args:
        network: qualified id of the network.
        estate: the estate.
    """
    known = estate.networks.get(network or "")
    return known is not None and not estate.read("interfaces", known)


def has_unseen_members(group: str, estate: Estate) -> bool:
    """Tell whether interfaces that no answer lists may carry a group: it was not read, or stands where such may be.

    Args:
        group: qualified id of the group.
        estate: the estate.
    """
    known = estate.groups.get(group)
    if known is None:
        return True
    if not known.networks:
        return not estate.read("interfaces", known)
    return any(network not in estate.networks or has_unseen(network, estate) for network in known.networks)


def ranges_of(addresses: AddressSet) -> Iterator[AddressSet]:
    """Yield the contiguous ranges of a set of addresses, IPv4 first."""
    for interval in addresses.v4.intervals:
        yield AddressSet(v4=IntervalSet((interval,)))
    for interval in addresses.v6.intervals:
        yield AddressSet(v6=IntervalSet((interval,)))


@lru_cache(maxsize=16384)
def outside_words(addresses: AddressSet) -> str:
    """Return addresses outside of an estate in a few words: ``internet``, ``internet but 203.0.113.0/24``, ranges."""
    most = [(name, family) for name, family in _FAMILIES if _is_most(addresses, family)]
    missing = NO_ADDRESSES
    for _, family in most:
        missing |= family - addresses
    if len(most) == len(_FAMILIES) and len(_texts(missing)) <= _RANGES:
        parts = [_but(INTERNET, missing)]
    else:
        parts = [_but(f"{INTERNET} ({name})", family - addresses) for name, family in most]
    rest = addresses
    for _, family in most:
        rest -= family
    ranges = _texts(rest)
    # What follows the holes of one family is no hole.
    apart = "; " if any(" but " in part for part in parts) else ", "
    parts += ranges[:_RANGES]
    if len(ranges) > _RANGES:
        more = len(ranges) - _RANGES
        return f"{apart.join(parts)} and {more:,} more range{'' if more == 1 else 's'}"
    return apart.join(parts) or "nobody"


def _is_most(addresses: AddressSet, family: AddressSet) -> bool:
    """Tell whether it is shorter to say what of the internet is missing: little, in a few pieces."""
    missing = family - addresses
    return 2 * missing.size < family.size and len(_texts(missing)) <= _RANGES


def _but(text: str, missing: AddressSet) -> str:
    return f"{text} but {', '.join(_texts(missing))}" if missing else text


def _texts(addresses: AddressSet) -> list[str]:
    return [str(part) for part in ranges_of(addresses)]
