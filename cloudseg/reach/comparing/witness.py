"""One concrete packet that stands for many: from which address to which, by which protocol and to which port."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.reach.explaining.search import ways_between
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, Traffic
from cloudseg.traffic.cidr import address_text
from cloudseg.traffic.telling import first_packet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Interface
    from cloudseg.reach.explaining.walk import Walk

__all__ = ["Witness", "Witnesses"]


class Witness(NamedTuple):
    """One packet that shows a change.

    Attributes:
        source: qualified id of the sending interface; empty for an address outside of the estate.
        source_address: its address; empty where it was not read.
        target: qualified id of the receiving interface; empty for an address outside of the estate.
        target_address: its address; empty where it was not read.
        traffic: the packet: one port, one ICMP type and code, or one protocol.
    """

    source: str
    source_address: str
    target: str
    target_address: str
    traffic: Traffic

    def __str__(self) -> str:
        """Return it in words: ``10.0.1.5 → 10.0.2.9 tcp/5432``."""
        return f"{self.source_address or self.source} → {self.target_address or self.target} {self.traffic}"


class Witnesses:
    """Finds witnesses in one estate.

    Args:
        reach: reachability of the estate in which the packets pass.
    """

    def __init__(self, reach: Reachability) -> None:
        self._reach = reach
        self._estate: Estate = reach.estate

    def inside(self, source: str, target: str, traffic: Traffic) -> Witness:
        """Return a packet from one interface to another, of traffic that passes in one family or the other.

        It bears private addresses where it passes under these. Where it passes over the internet alone, it bears the
        public one of its target, and that of its source unless a gateway gives it one on the way.
        """
        sender, taker = self._estate.interfaces[source], self._estate.interfaces[target]
        certain = traffic <= self._reach.between(source, target).lower
        family = 6 if _families(sender.addresses) & _families(taker.addresses) == {6} else 4
        if _families(sender.addresses) & _families(taker.addresses) == {4, 6}:
            four = self._only_four.between(source, target)
            passing = (four.lower if certain else four.upper) & traffic
            family, traffic = (4, passing) if passing else (6, traffic)
        packet = first_packet(traffic, family)
        own, other = _own(sender, family), _own(taker, family)
        if family == 4 and taker.public.v4 and self._only_over_internet(source, target, packet, certain=certain):
            own, other = _public(sender) or own, _public(taker)
        return Witness(source, own, target, other, packet)

    def _only_over_internet(self, source: str, target: str, packet: Traffic, *, certain: bool) -> bool:
        """Tell whether a packet of IPv4 passes between two interfaces over the internet, and not through networks."""
        ways = ways_between(self._reach, source, target, packet)

        def pass_it(walks: Iterable[Walk]) -> bool:
            return any(walk.source.v4 and packet <= (walk.lower if certain else walk.upper) for walk in walks)

        if any(pass_it(way(packet)) for way in ways.direct):
            return False
        return any(pass_it(way(packet)) for way in ways.around)

    def from_outside(self, addresses: AddressSet, target: str, traffic: Traffic) -> Witness:
        """Return a packet from outside addresses to an interface."""
        taker = self._estate.interfaces[target]
        family = 4 if addresses.v4 else 6
        return Witness("", self._chosen(addresses), target, _own(taker, family), first_packet(traffic, family))

    def to_outside(self, source: str, addresses: AddressSet, traffic: Traffic) -> Witness:
        """Return a packet from an interface to outside addresses."""
        sender = self._estate.interfaces[source]
        family = 4 if addresses.v4 else 6
        return Witness(source, _own(sender, family), "", self._chosen(addresses), first_packet(traffic, family))

    def _chosen(self, addresses: AddressSet) -> str:
        """Return one of some addresses: of IPv4 before IPv6, of nobody in the estate and of the internet if possible.

        The second address of a range says more than the first, which often is the name of the range.
        """
        family = AddressSet(v4=addresses.v4) if addresses.v4 else addresses
        outside = family - self._own_addresses
        chosen = outside & GLOBAL_UNICAST or outside or family
        version, numbers = (4, chosen.v4) if chosen.v4 else (6, chosen.v6)
        first, last = numbers.intervals[0]
        return address_text(version, min(first + 1, last))

    @cached_property
    def _only_four(self) -> Reachability:
        """Reachability over IPv4 alone: a class is judged in both families together, and a packet belongs to one."""
        interfaces = {
            name: msgspec.structs.replace(
                interface, addresses=AddressSet(v4=interface.addresses.v4), public=AddressSet(v4=interface.public.v4)
            )
            for name, interface in self._estate.interfaces.items()
            if interface.addresses.v4
        }
        return Reachability(dataclasses.replace(self._estate, interfaces=interfaces))

    @cached_property
    def _own_addresses(self) -> AddressSet:
        own = NO_ADDRESSES
        for network in self._estate.networks.values():
            own |= network.addresses
        return own


def _public(interface: Interface) -> str:
    """Return the first public IPv4 address of an interface; empty where it has none."""
    numbers = interface.public.v4
    return address_text(4, numbers.intervals[0][0]) if numbers else ""


def _families(addresses: AddressSet) -> set[int]:
    return {version for version, numbers in ((4, addresses.v4), (6, addresses.v6)) if numbers}


def _own(interface: Interface, family: int) -> str:
    """Return the first address of an interface, of the family where it has one; empty where none was read."""
    four, six = (4, interface.addresses.v4), (6, interface.addresses.v6)
    for version, numbers in (four, six) if family == 4 else (six, four):
        if numbers:
            return address_text(version, numbers.intervals[0][0])
    return ""
