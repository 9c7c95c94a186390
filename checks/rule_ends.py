"""Whom rules bring together, as classes and as addresses outside, worked out once for all rules that say the same."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.model import Carries, GroupRef
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.spread.bits import pack, unpack
from cloudseg.reach.spread.talk import talk_of
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cloudseg.model import Peer, RuleSet
    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.bits import Row
    from cloudseg.reach.spread.sure import Pairs
    from cloudseg.reach.spread.talk import TalkGraph

__all__ = ["Indexes", "Meeting", "Named", "RuleEnds"]

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]


class Meeting(NamedTuple):
    """Pairs of classes that certainly talk.

    Attributes:
        near: the classes at one end.
        far: those at the other.
        words: what passes, by word and pair.
    """

    near: Indexes
    far: NDArray[np.uint32]
    words: Rows

    def only(self, chosen: NDArray[np.bool_]) -> Meeting:
        """Return some of the pairs."""
        return Meeting(self.near[chosen], self.far[chosen], self.words[:, chosen])

    def among(self, inside: Row, words: Words, size: int) -> Iterator[tuple[int, int, list[int]]]:
        """Yield the pairs of some traffic with some classes at the other end, and what of it passes.

        Args:
            inside: the classes at the other end.
            words: the traffic.
            size: how many classes there are.
        """
        named = unpack(inside, size)[self.far].nonzero()[0]
        passing = self.words[:, named] & words[:, None]
        hits: NDArray[np.bool_] = np.bitwise_or.reduce(passing, axis=0) != 0
        for place in hits.nonzero()[0].tolist():
            pair = int(named[place])
            yield int(self.near[pair]), int(self.far[pair]), passing[:, place].tolist()


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

    def straight(self, near: tuple[int, ...], *, inward: bool) -> Meeting:
        """Return the pairs of some classes with others that certainly talk by networks, under private addresses."""
        return self._meeting(self._graph.straight, near, inward=inward)

    def over_internet(self, near: tuple[int, ...], *, inward: bool) -> Meeting:
        """Return the pairs that certainly talk besides: over the internet, or because a load balancer opens it."""
        return self._meeting(self._graph.over_internet, near, inward=inward)

    @cached_property
    def _graph(self) -> TalkGraph:
        return talk_of(self._reach)

    def _meeting(self, pairs: Pairs, near: tuple[int, ...], *, inward: bool) -> Meeting:
        return Meeting(*(pairs if inward else pairs.turned).of(near))
