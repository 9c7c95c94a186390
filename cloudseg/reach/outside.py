"""Ends outside of an estate: the ranges of a flow, and addresses in a few words for people."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, IntervalSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate, Interface

__all__ = [
    "EXTERNAL",
    "INTERNET",
    "addresses_of",
    "has_unseen",
    "has_unseen_members",
    "outside_words",
    "ranges_of",
    "stands_apart",
]

EXTERNAL = "external:"
"""How the end of a flow begins that is a range outside of the estate."""

INTERNET = "internet"
"""The word for every address of the internet, of both families."""

_RANGES = 3
_HOST = AddressSet.parse("168.63.129.16")
"""Where the hosts of Azure answer the machines on them; nobody on the internet bears it. Source:
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"""
_FAMILIES = (("IPv4", ALL_IPV4), ("IPv6", ALL_IPV6))
_ANY = "any address"
"""The internet and what is private: what is open to it is open to the networks around as well."""


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


def stands_apart(interface: Interface, estate: Estate) -> bool:
    """Tell whether pods stand in a network of their own while which machines of a cloud carry them was not read.

    What groups of the cloud their packets meet is then not known.
    """
    network = estate.networks.get(interface.network or "")
    return interface.is_pod and network is not None and network.leads_out and len(estate.networks) > 1


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
    """Return addresses outside of an estate in few words: ``any address``, ``internet but 203.0.113.0/24``, ranges."""
    most = [(*found, name) for name, family in _FAMILIES if (found := _most(addresses, family)) is not None]
    missing, rest = NO_ADDRESSES, addresses
    for _, whole, _ in most:
        missing |= whole - addresses - _HOST
        rest -= whole
    if len(most) == len(_FAMILIES) and len({word for word, _, _ in most}) == 1 and len(_texts(missing)) <= _RANGES:
        parts = [_but(most[0][0], missing)]
    else:
        parts = [_but(f"{word} ({name})", whole - addresses - _HOST) for word, whole, name in most]
    ranges = _texts(rest)
    # What follows the holes of one family is no hole.
    apart = "; " if any(" but " in part for part in parts) else ", "
    parts += ranges[:_RANGES]
    if len(ranges) > _RANGES:
        more = len(ranges) - _RANGES
        return f"{apart.join(parts)} and {more:,} more range{'' if more == 1 else 's'}"
    return apart.join(parts) or "nobody"


def _most(addresses: AddressSet, family: AddressSet) -> tuple[str, AddressSet] | None:
    """Return of what it is shorter to say what is missing, and its name: everything, or the internet; None for neither.

    Then little is missing, in a few pieces.
    """
    for word, whole in ((_ANY, family), (INTERNET, family & GLOBAL_UNICAST)):
        missing = whole - addresses - _HOST
        if 2 * missing.size < whole.size and len(_texts(missing)) <= _RANGES:
            return word, whole
    return None


def _but(text: str, missing: AddressSet) -> str:
    return f"{text} but {', '.join(_texts(missing))}" if missing else text


def _texts(addresses: AddressSet) -> list[str]:
    return [str(part) for part in ranges_of(addresses)]
