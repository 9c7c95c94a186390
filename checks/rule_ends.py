"""Whom rules bring together, as classes and as addresses outside, worked out once for all rules that say the same."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.model import Carries, GroupRef
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.spread.bits import pack, transposed
from cloudseg.reach.spread.talk import talk_of
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet
from cloudseg.traffic.port_classes import ANY_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Peer, RuleSet
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.bits import Bits, Row

__all__ = ["Indexes", "Named", "RuleEnds", "first_of"]

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
_FEW: Final = 2
_SMALL: Final = 512
"""Estates of so many classes are asked about all of them, whether they talk on any port or not."""
_AT_ONCE: Final = 4096
"""So many rules are looked at together."""


class Named(NamedTuple):
    """Whom the other end of a rule names for sure.

    Attributes:
        inside: the classes of interfaces, as bits.
        anyone: there are any.
        addresses: the addresses.
        outside: those of them that lie in no network of the estate.
        public: some of these are of the internet.
        groups: the groups.
        size: how many addresses.
    """

    inside: Row
    anyone: bool
    addresses: AddressSet
    outside: AddressSet
    public: bool
    groups: frozenset[str]
    size: int


class RuleEnds:
    """Looks up the ends of rules.

    Args:
        reach: reachability of the estate.
    """

    def __init__(self, reach: Reachability) -> None:
        self._reach = reach
        self._estate = reach.estate
        self._columns = reach.ground.columns
        self.size = len(reach.classes)
        self.is_large = self.size > _SMALL
        self.few = _FEW if self.is_large else self.size
        self._named: dict[tuple[Peer, ...], Named] = {}
        self._members: dict[str, Indexes] = {}
        self._positions: dict[AddressSet, Indexes] = {}
        self._near: dict[str, tuple[int, ...]] = {}

    @cached_property
    def _own(self) -> AddressSet:
        """Every address of the estate's networks, which nobody outside has."""
        own = NO_ADDRESSES
        for network in self._estate.networks.values():
            own |= network.addresses
        return own

    @cached_property
    def _carriers(self) -> dict[str, tuple[int, ...]]:
        """The classes that carry each group."""
        found: dict[str, list[int]] = {}
        for number, own in enumerate(self._reach.classes):
            for name in self._estate.interfaces[own.members[0]].attached:
                found.setdefault(name, []).append(number)
        return {name: tuple(classes) for name, classes in found.items()}

    def near(self, rule_set: RuleSet) -> tuple[int, ...]:
        """Return the classes that a list judges."""
        known = self._near.get(rule_set.id)
        if known is None:
            if rule_set.applies == Carries(rule_set.id):
                known = self._carriers.get(rule_set.id, ())
            else:
                classes = {self._columns.class_of[each.id] for each in self._estate.governed(rule_set)}
                known = tuple(sorted(classes))
            self._near[rule_set.id] = known
        return known

    def named(self, peers: tuple[Peer, ...]) -> Named:
        """Return whom the other end of a rule names for sure."""
        known = self._named.get(peers)
        if known is None:
            known = self._named[peers] = self._look(peers)
        return known

    def _look(self, peers: tuple[Peer, ...]) -> Named:
        columns = self._columns
        addresses = outside_addresses(peers, self._estate)[0]
        flags = np.zeros(self.size, dtype=np.bool_)
        if addresses:
            chosen = columns.choose(addresses)
            for start, end in chosen.runs:
                flags[columns.owner[start : min(end, columns.faces)]] = True
            if chosen.sure is not None:
                flags[columns.owner[chosen.sure]] = True
        groups = frozenset(peer.group for peer in peers if isinstance(peer, GroupRef) and not peer.stale)
        for group in groups:
            flags[self._of_group(group)] = True
        outside = addresses - self._own if addresses else NO_ADDRESSES
        return Named(
            pack(flags), bool(flags.any()), addresses, outside, outside.overlaps(GLOBAL_UNICAST), groups, addresses.size
        )

    def positions(self, named: Named) -> Indexes:
        """Return the positions of the addresses outside that a rule names."""
        known = self._positions.get(named.outside)
        if known is None:
            runs = self._reach.ground.line.runs(named.outside)
            places = [np.arange(start, end, dtype=np.intp) for start, end in runs]
            known = self._positions[named.outside] = np.concatenate(places)
        return known

    def _of_group(self, group: str) -> Indexes:
        known = self._members.get(group)
        if known is None:
            classes = {self._columns.class_of[each.id] for each in self._estate.members(group)}
            known = self._members[group] = np.array(sorted(classes), dtype=np.intp)
        return known

    @cached_property
    def _talk(self) -> Bits:
        """For each class the classes that it certainly reaches on some port; in a small estate all of them."""
        if not self.is_large:
            return np.tile(pack(np.ones(self.size, dtype=np.bool_)), (self.size, 1))
        return talk_of(self._reach).talk[ANY_PORT].lower

    @cached_property
    def heard(self) -> Bits:
        """For each class the classes that certainly reach it on some port; in a small estate all of them."""
        return transposed(self._talk, self.size) if self.is_large else self._talk

    def meeting(
        self, ends: Sequence[tuple[tuple[int, ...], Named]], direction: Direction
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield those of some rules that bring classes together that talk for sure on some port.

        Of egress rules a few targets come with it.

        Args:
            ends: for each rule the classes at its own end, and whom it names.
            direction: of the rules.
        """
        if not ends:
            return
        rows = self.heard if direction == "ingress" else self._talk
        groups: dict[tuple[int, ...], int] = {}
        peers: dict[int, int] = {}
        near: Indexes = np.array([groups.setdefault(each, len(groups)) for each, _ in ends], dtype=np.intp)
        # Rules that say the same name one object.
        far: Indexes = np.array([peers.setdefault(id(named), len(peers)) for _, named in ends], dtype=np.intp)
        firsts: Indexes = np.unique(far, return_index=True)[1]
        inside: Bits = np.stack([ends[number][1].inside for number in firsts.tolist()])
        joined = np.array([np.bitwise_or.reduce(rows[list(each)], axis=0) for each in groups], dtype=np.uint8)
        for start in range(0, len(ends), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            both: Bits = inside[far[part]] & joined[near[part]]
            for number in np.flatnonzero(both.any(axis=1)).tolist():
                # The targets of ingress rules are those who carry them.
                yield start + number, () if direction == "ingress" else first_of(both[number], self.few)


def first_of(row: Row, count: int) -> tuple[int, ...]:
    """Return the first few classes in a set."""
    found: list[int] = []
    for place in np.flatnonzero(row)[:count].tolist():
        byte = int(row[place])
        found.extend(place * 8 + bit for bit in range(8) if byte >> bit & 1)
    return tuple(found[:count])
