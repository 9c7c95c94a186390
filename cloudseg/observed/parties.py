"""The ends of conversations as rules see them: what nothing tells apart bears one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.errors import ParseError
from cloudseg.observed.columns_of import combined
from cloudseg.observed.narrowing import ANYBODY, Across
from cloudseg.reach.explaining.rules import Other
from cloudseg.traffic import NO_ADDRESSES, AddressSet
from cloudseg.traffic.cidr import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from cloudseg.model import Estate, Interface
    from cloudseg.observed.columns_of import Numbers
    from cloudseg.observed.ends import End
    from cloudseg.reach.reachability import Reachability

__all__ = ["Own", "Parties", "addresses_of"]

_ANYBODY: Final = frozenset((ANYBODY,))
"""Groups of an end of which it is not known who it is: any of those that a rule names."""
_UNSURE: Final = frozenset(("gone", "unknown"))


class Own(NamedTuple):
    """An end where its own rules are asked.

    Attributes:
        interfaces: whom it may be; none where no rule of its own is known, or all that is known is the network.
        network: qualified id of the network in which it may be anybody; None for an end that no list of the estate
            judges.
        provider: whose network that is.
    """

    interfaces: tuple[Interface, ...] = ()
    network: str | None = None
    provider: str = ""


class Parties:
    """Numbers ends in two ways: by the rules of their own, and by what rules of others see of them.

    Args:
        ends: the ends.
        reach: the reachability of the estate, which tells what nothing tells apart.
        estate: the estate.

    Attributes:
        own: the ends as their own rules have them, by number.
    """

    def __init__(self, ends: Sequence[End], reach: Reachability, estate: Estate) -> None:
        self._ends, self._reach, self._estate = ends, reach, estate
        self.own: list[Own] = []
        self._own_numbers: dict[Hashable, int] = {}
        self._made: list[Callable[[], list[Other]]] = []
        self._across: dict[int, tuple[Across, ...]] = {}
        self._numbers: dict[Hashable, int] = {}
        self.party = np.array([self._party(end) for end in ends], dtype=np.int64)
        self._strangers: dict[int, int] = {}
        self._owns = np.array([self._own(end) for end in ends], dtype=np.int64)

    def owns(self, ends: Numbers, providers: Numbers, names: Sequence[str]) -> Numbers:
        """Return the numbers of ends by the rules of their own.

        Args:
            ends: the numbers of the ends.
            providers: for each of them the number of the provider whose log showed it.
            names: the providers.
        """
        found: Numbers = self._owns[ends]
        open_ = np.flatnonzero(found < 0)
        if len(open_):
            codes, first = combined([ends[open_], providers[open_]])
            asked: list[int] = ends[open_][first].tolist()
            told: list[int] = providers[open_][first].tolist()
            each = [
                self.anywhere(self._ends[end].network, names[provider])
                for end, provider in zip(asked, told, strict=True)
            ]
            found[open_] = np.array(each, dtype=np.int64)[codes]
        return found

    def own_of(self, interface: Interface) -> int:
        """Return the number of an interface by the rules of its own."""
        return self._number_of_own(("interface", self.standing(interface)), Own((interface,)))

    def anywhere(self, network: str, provider: str) -> int:
        """Return the number of anybody in a network, empty where not even that is known."""
        return self._number_of_own(("anywhere", network, provider), Own(network=network, provider=provider))

    def across(self, party: int) -> tuple[Across, ...]:
        """Return an end as the rules of another one may see it, by the number of what they see."""
        known = self._across.get(party)
        if known is None:
            known = self._across[party] = tuple(Across.of(each, self._estate) for each in self._made[party]())
        return known

    def strangers(self, ends: Numbers) -> Numbers:
        """Return numbers of what rules would see of ends if these were anybody who bears their addresses."""
        return np.fromiter(map(self._stranger, ends.tolist()), np.int64, len(ends))

    def standing(self, interface: Interface) -> tuple[int, str | None]:
        """Return what is equal for interfaces that no rule tells apart."""
        # What stands in one subnet meets no list at its boundary, whatever class it is of.
        return self._reach.number_of(interface.id), interface.subnet

    def _own(self, end: End) -> int:
        """Return the number of an end by the rules of its own; -1 where the provider tells, too."""
        interfaces = self._estate.interfaces
        if end.interface:
            return self.own_of(interfaces[end.interface])
        if end.kind not in _UNSURE:
            return self._number_of_own("none", Own())
        if not end.candidates:
            return -1
        each = tuple(interfaces[name] for name in end.candidates)
        return self._number_of_own(("one of", tuple(map(self.standing, each))), Own(each))

    def _number_of_own(self, key: Hashable, own: Own) -> int:
        known = self._own_numbers.get(key)
        if known is None:
            known = self._own_numbers[key] = len(self.own)
            self.own.append(own)
        return known

    def _party(self, end: End) -> int:
        place = self._position(end.address)
        key: Hashable
        if end.interface:
            key = (*self.standing(self._estate.interfaces[end.interface]), place)
        else:
            candidates = tuple(self.standing(self._estate.interfaces[name]) for name in end.candidates)
            key = (end.kind, end.network, candidates, place)
        return self._number(key, lambda: self._seen(end))

    def _stranger(self, number: int) -> int:
        known = self._strangers.get(number)
        if known is None:
            address = self._ends[number].address
            key = ("stranger", self._position(address), bool(addresses_of(address)))
            made = self._number(key, lambda: [Other(addresses_of(address), groups=_ANYBODY)])
            known = self._strangers[number] = made
        return known

    def _number(self, key: Hashable, make: Callable[[], list[Other]]) -> int:
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self._made)
            self._made.append(make)
        return known

    def _seen(self, end: End) -> list[Other]:
        """Return an end as the rules of another one may see it."""
        addresses = addresses_of(end.address)
        if end.interface:
            return [Other(addresses, self._estate.interfaces[end.interface])]
        if end.kind not in _UNSURE and end.kind != "beyond":
            return [Other(addresses)]
        candidates = [Other(addresses, self._estate.interfaces[name]) for name in end.candidates]
        return [*candidates, Other(addresses, groups=_ANYBODY)]

    def _position(self, address: str) -> int:
        try:
            return self._reach.ground.line.position(*parse_address(address))
        except ParseError:
            return -1


def addresses_of(text: str) -> AddressSet:
    """Return the address of an end; none where the log holds something else."""
    try:
        parse_address(text)
        return AddressSet.parse(text)
    except ParseError:
        return NO_ADDRESSES
