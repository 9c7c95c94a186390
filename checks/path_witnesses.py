"""One packet for a way that routes lead, where rules let any pass; reachability and its explanation confirm it."""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.flow_words import witness_words
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.model import Interface
    from cloudseg.reach.comparing.witness import Witness, Witnesses
    from cloudseg.reach.reachability import Verdict
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["PathWitnesses", "Spot", "Trip"]

_TRIED: Final = 24
"""So many kinds of interfaces are looked at for one end."""


class Spot(NamedTuple):
    """One end of a trip: interfaces of a network that bear some addresses, or these addresses outside of the estate.

    Attributes:
        addresses: the addresses.
        network: qualified id of the network; empty for addresses outside.
        subnets: qualified ids of the subnets that the interfaces stand in; none for every place in the network.
    """

    addresses: AddressSet
    network: str = ""
    subnets: frozenset[str] = frozenset()


class Trip(NamedTuple):
    """Who may open connections to whom on a way."""

    source: Spot
    target: Spot


class PathWitnesses:
    """Finds packets that pass on ways.

    Args:
        context: of the check that tells of the ways.
    """

    def __init__(self, context: AuditContext) -> None:
        self._context = context
        self._estate = context.estate
        self._places: dict[tuple[str, frozenset[str]], tuple[Interface, ...]] = {}

    @cached_property
    def _witnesses(self) -> Witnesses:
        from cloudseg.reach.comparing.witness import Witnesses

        return Witnesses(self._context.reach)

    @cached_property
    def _own(self) -> AddressSet:
        """The addresses of the estate's networks, which nobody outside has."""
        own = NO_ADDRESSES
        for network in self._estate.networks.values():
            own |= network.addresses
        return own

    def of(self, trips: Iterable[Trip]) -> tuple[str, ...]:
        """Return one packet in words that certainly passes on one of some trips, else one that may; none for nothing.

        The rules at the ends and on the way may well let nothing pass where the routes lead: then there is no witness.
        """
        perhaps: Witness | None = None
        for trip in trips:
            for witness, certain in self._on(trip):
                if certain:
                    return (witness_words(witness, self._estate),)
                perhaps = perhaps or witness
        return () if perhaps is None else (witness_words(perhaps, self._estate, certain=False),)

    def _on(self, trip: Trip) -> Iterator[tuple[Witness, bool]]:
        """Yield packets that pass, each with whether that is certain."""
        if not trip.target.network:
            for source in self._kinds(trip.source):
                yield from self._outward(source, trip.target.addresses - self._own)
            return
        for target in self._kinds(trip.target):
            if not trip.source.network:
                yield from self._inward(trip.source.addresses - self._own, target)
                continue
            for source in self._kinds(trip.source):
                if source is not target:
                    passed = self._context.reach.between(source.id, target.id)
                    if passed.upper:
                        yield self._witnesses.inside(source.id, target.id, _most(passed)), bool(passed.lower)

    def _outward(self, source: Interface, addresses: AddressSet) -> Iterator[tuple[Witness, bool]]:
        from cloudseg.reach.explaining.ends import candidates

        reach = self._context.reach
        if not addresses:
            return
        band = reach.departures(reach.number_of(source.id))
        for chosen in candidates(reach, band, addresses, ALL_TRAFFIC)[:1]:
            passed = reach.between(source.id, chosen)
            if passed.upper:
                yield self._witnesses.to_outside(source.id, chosen, _most(passed)), bool(passed.lower)

    def _inward(self, addresses: AddressSet, target: Interface) -> Iterator[tuple[Witness, bool]]:
        from cloudseg.reach.explaining.ends import candidates

        reach = self._context.reach
        if not addresses:
            return
        band = reach.arrivals(reach.number_of(target.id)).outside
        for chosen in candidates(reach, band, addresses, ALL_TRAFFIC)[:1]:
            passed = reach.between(chosen, target.id)
            if passed.upper:
                yield self._witnesses.from_outside(chosen, target.id, _most(passed)), bool(passed.lower)

    def _kinds(self, spot: Spot) -> Iterator[Interface]:
        """Yield the first interfaces of a spot, one of each class that nothing tells apart."""
        there = (
            interface
            for interface in self._standing(spot.network, spot.subnets)
            if not interface.addresses or interface.addresses.overlaps(spot.addresses)
        )
        yield from islice(there, _TRIED)

    def _standing(self, network: str, subnets: frozenset[str]) -> tuple[Interface, ...]:
        """Return one interface of each class in some subnets of a network; none of them stand for all."""
        known = self._places.get((network, subnets))
        if known is None:
            number_of = self._context.reach.number_of
            firsts: dict[int, Interface] = {}
            for interface in sorted(self._estate.interfaces_in(network), key=lambda each: each.id):
                if not subnets or interface.subnet in subnets:
                    firsts.setdefault(number_of(interface.id), interface)
            known = self._places[network, subnets] = tuple(firsts.values())
        return known


def _most(passed: Verdict) -> Traffic:
    return passed.lower or passed.upper
