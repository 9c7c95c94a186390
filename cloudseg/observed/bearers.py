"""Who bears an address in an estate: inside networks, towards the internet, and as a lent address."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.traffic.cidr import IPV4_BITS, IPV6_BITS, blocks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Interface
    from cloudseg.traffic import AddressSet

__all__ = ["Bearers", "nearest"]

_FEW: Final = 64
"""A range of so many addresses at most is kept address by address."""
_BITS: Final = {4: IPV4_BITS, 6: IPV6_BITS}


class _Held:
    """Interfaces by the addresses of one kind that they hold."""

    def __init__(self) -> None:
        self._single: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
        self._blocks: defaultdict[tuple[int, int, int], list[str]] = defaultdict(list)
        self._lengths: set[tuple[int, int]] = set()

    def add(self, name: str, addresses: AddressSet) -> None:
        for version, intervals in ((4, addresses.v4.intervals), (6, addresses.v6.intervals)):
            for first, last in intervals:
                if first == last:
                    self._single[version, first].append(name)
                elif last - first < _FEW:
                    for value in range(first, last + 1):
                        self._single[version, value].append(name)
                else:
                    # Ranges of pods: each as the blocks that make it, which are few.
                    for start, prefix in blocks(first, last, _BITS[version]):
                        self._blocks[version, prefix, start >> _BITS[version] - prefix].append(name)
                        self._lengths.add((version, prefix))

    def of(self, version: int, value: int) -> list[str]:
        found = self._single.get((version, value), [])
        if not self._lengths:
            return found
        wide = [
            name
            for own, prefix in self._lengths
            if own == version
            for name in self._blocks.get((version, prefix, value >> _BITS[version] - prefix), ())
        ]
        return [*found, *wide] if wide else found


class Bearers:
    """Looks up interfaces by address.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._inside, self._public, self._lent = _Held(), _Held(), _Held()
        for name, interface in sorted(estate.interfaces.items()):
            self._inside.add(name, interface.addresses)
            if interface.called:
                self._inside.add(name, interface.called)
            if interface.public:
                self._public.add(name, interface.public)
            if interface.lent:
                self._lent.add(name, interface.lent)

    def inside(self, version: int, value: int) -> list[Interface]:
        """Return the interfaces that bear an address in their network, or are called by it."""
        return [self._estate.interfaces[name] for name in self._inside.of(version, value)]

    def public(self, version: int, value: int) -> list[Interface]:
        """Return the interfaces that the internet addresses so."""
        return [self._estate.interfaces[name] for name in self._public.of(version, value)]

    def lent(self, version: int, value: int) -> list[Interface]:
        """Return the interfaces that send to the internet under an address, by which nothing comes in."""
        return [self._estate.interfaces[name] for name in self._lent.of(version, value)]


def nearest(bearers: Iterable[Interface], version: int, value: int) -> list[Interface]:
    """Return those of some bearers of an address that most likely are meant by it.

    Pods in the network of their machine bear its address as well: it stands for the machine. What bears the address by
    itself goes before a range of addresses in which it lies.
    """
    every = list(bearers)
    if len(every) < 2:
        return every
    rank = {each.id: _rank(each, version, value) for each in every}
    best = min(rank.values())
    return [each for each in every if rank[each.id] == best]


def _rank(interface: Interface, version: int, value: int) -> int:
    if interface.is_pod and interface.role == "host":
        return 3
    held = interface.addresses.v4 if version == 4 else interface.addresses.v6
    alone = any(last - first < _FEW for first, last in held.intervals if first <= value <= last)
    if not alone:
        return 2
    return 0 if interface.is_pod else 1
