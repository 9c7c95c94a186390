"""The ends of an explanation: the addresses that nothing tells apart, and which of them tell most."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate, Interface
    from cloudseg.reach.pairs.rows import Band
    from cloudseg.reach.reachability import Reachability

__all__ = ["Face", "atoms", "bearers", "candidates", "faces_of", "passing", "size"]

_DISTINCT = 256
"""So many different answers of addresses outside are weighed."""
_NAMED = 5
"""So many interfaces are named in a note."""
_LOOKED = 200
"""Among so many interfaces they are looked for."""


class Face(NamedTuple):
    """Addresses of an interface that nothing tells apart; where none was read, all that it may have of a family."""

    interface: Interface
    addresses: AddressSet

    @property
    def family(self) -> str:
        """The family of the addresses."""
        return "IPv4" if self.addresses.v4 else "IPv6"

    @property
    def is_read(self) -> bool:
        """Whether the interface is known to have them."""
        return self.addresses <= self.interface.addresses

    @property
    def text(self) -> str:
        """The interface and its address in words."""
        return f"{self.interface.shown_id} ({self.addresses if self.is_read else 'address not read'})"


def size(traffic: Traffic) -> int:
    """Return how much traffic there is: ports, messages and protocols."""
    return sum(field.size for field in traffic.fields)


def atoms(reach: Reachability, addresses: AddressSet) -> list[AddressSet]:
    """Return addresses in parts that nothing tells apart."""
    line = reach.ground.line
    return [
        addresses & line.addresses(position, position + 1)
        for start, end in line.runs(addresses)
        for position in range(start, end)
    ]


def faces_of(reach: Reachability, interface: Interface) -> list[Face]:
    """Return the addresses of an interface in parts that nothing tells apart.

    Where none was read, it is one somewhere in its subnet or its network: one part for each family.
    """
    if interface.addresses:
        return [Face(interface, part) for part in atoms(reach, interface.addresses)]
    return [Face(interface, part) for part in _somewhere(interface, reach.estate) if part]


def _somewhere(interface: Interface, estate: Estate) -> tuple[AddressSet, AddressSet]:
    place = estate.subnets.get(interface.subnet or "") or estate.networks.get(interface.network or "")
    if place is None or not place.addresses:
        return ALL_IPV4, ALL_IPV6
    return AddressSet(v4=_span(place.addresses.v4)), AddressSet(v6=_span(place.addresses.v6))


def _span(numbers: IntervalSet) -> IntervalSet:
    return IntervalSet(((numbers.intervals[0][0], numbers.intervals[-1][1]),)) if numbers else numbers


def candidates(reach: Reachability, band: Band, asked: AddressSet, traffic: Traffic) -> list[AddressSet]:
    """Return the addresses outside that are worth explaining: one for each answer, those first of which most passes.

    Where nothing passes, it is the first one of each sort: of the internet and not, of each family.

    Args:
        reach: the reachability.
        band: what passes, by word and position.
        asked: the addresses that were asked about.
        traffic: the traffic that was asked about.
    """
    line = reach.ground.line
    places = np.concatenate([np.arange(*run) for run in line.runs(asked)])
    together = np.concatenate((band.lower[:, places], band.upper[:, places]))
    _, first = np.unique(together, axis=1, return_index=True)
    found: list[tuple[int, int, int]] = []
    for place in sorted(places[first].tolist())[:_DISTINCT]:
        bounds = (reach.ground.atoms.from_words(rows[:, place].tolist()) & traffic for rows in (band.lower, band.upper))
        lower, upper = (size(bound) for bound in bounds)
        if upper:
            found.append((-lower, -upper, place))
    if found:
        return [asked & line.addresses(place, place + 1) for _, _, place in sorted(found)]
    sorts = (asked & part for family in (ALL_IPV4, ALL_IPV6) for part in (family & GLOBAL_UNICAST, family))
    return list(dict.fromkeys(part & line.addresses(start, start + 1) for part, start in _starts(reach, sorts)))


def _starts(reach: Reachability, sorts: Iterator[AddressSet]) -> Iterator[tuple[AddressSet, int]]:
    left = NO_ADDRESSES
    for part in sorts:
        fresh = part - left
        left |= part
        if fresh:
            yield fresh, reach.ground.line.runs(fresh)[0][0]


def passing(reach: Reachability, band: Band, asked: AddressSet) -> AddressSet:
    """Return the addresses outside from or to which anything passes at most."""
    line = reach.ground.line
    found = NO_ADDRESSES
    for start, end in line.runs(asked):
        open_ = np.flatnonzero(band.upper[:, start:end].any(axis=0)) + start
        if len(open_):
            breaks = np.flatnonzero(np.diff(open_) > 1) + 1
            for run in np.split(open_, breaks):
                found |= line.addresses(int(run[0]), int(run[-1]) + 1)
    return found & asked


def bearers(reach: Reachability, addresses: AddressSet) -> list[str]:
    """Return some interfaces of the estate that bear one of these addresses, in order of their ids."""
    columns, interfaces = reach.ground.columns, reach.estate.interfaces
    members = (
        name
        for start, end in columns.choose(addresses).runs
        for column in range(start, min(end, columns.faces))
        for name in columns.classes[int(columns.owner[column])].members
    )
    looked = (interfaces.get(name) for name in islice(members, _LOOKED))
    found = (each.id for each in looked if each is not None and each.addresses.overlaps(addresses))
    return sorted(islice(dict.fromkeys(found), _NAMED))
