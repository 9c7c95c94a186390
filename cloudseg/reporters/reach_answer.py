"""Who reaches whom, as it was asked: the flows that fit the question, their pairs of endpoints, and counts of them.

Nothing here grows with the number of pairs: flows come class by class, and pairs are made while they are written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.reach.assumed import assumptions
from cloudseg.reach.behind_balancers import handed_on_notes
from cloudseg.reach.outside import EXTERNAL, addresses_of, ranges_of
from cloudseg.reach.reachability import Flow, Verdict
from cloudseg.reach.unread_sides import unread_sides
from cloudseg.text import amount
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES, AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.model import Interface
    from cloudseg.reach.names import Named
    from cloudseg.reach.reachability import Fan, Reachability
    from cloudseg.sources import SourceInfo

__all__ = ["AT_MOST", "EXACT", "Bound", "Doubts", "Pair", "ReachAnswer", "Tally", "Why", "bounds_of"]

Bound = Literal["exact", "at-most"]
EXACT: Bound = "exact"
AT_MOST: Bound = "at-most"
_SAMPLED: Final = 5
_REASONS: Final = 3
Why = Callable[[str, str, Traffic], tuple[str, ...]]
"""Tells what is not known of some traffic from one interface to another, in words."""


class Doubts(NamedTuple):
    """What is not known of pairs of which something is unknown.

    Attributes:
        reasons: the most common reasons in words; of a few pairs, for each takes time.
        source: qualified id of an interface of one of these pairs.
        target: the other one.
        traffic: what may pass between them.
    """

    reasons: tuple[str, ...]
    source: str
    target: str
    traffic: Traffic


class Pair(NamedTuple):
    """What passes from one end to another.

    Attributes:
        source: qualified id of an interface, name of a class of them, or addresses outside of the estate.
        target: the same.
        traffic: what passes.
        bound: ``exact``: it certainly passes; ``at-most``: whether this passes as well is not known.
    """

    source: str | AddressSet
    target: str | AddressSet
    traffic: Traffic
    bound: Bound


class Tally:
    """Counts over the flows of an answer.

    Attributes:
        talking: pairs of endpoints of which one certainly reaches the other.
        perhaps: further pairs of which one may reach the other.
        open: pairs of which something is unknown, those two included.
        entered: endpoints that addresses outside reach, at most.
        leaving: endpoints that reach addresses outside, at most.
        unknown: a few flows of which something is unknown, each of another fan.
    """

    def __init__(self) -> None:
        self.unknown: list[Flow] = []
        self.talking = 0
        self.perhaps = 0
        self.open = 0
        self.entered = 0
        self.leaving = 0
        self._entered: set[str] = set()
        self._leaving: set[str] = set()
        self._sampled: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether there was any flow."""
        return bool(self.talking or self.perhaps or self.entered or self.leaving)

    def add(self, fan: Fan, count: int, sources: Mapping[str, int], within: int) -> None:
        """Count the flows of a fan.

        Args:
            fan: the flows.
            count: endpoints of the class that they share.
            sources: endpoints of each class that sends.
            within: pairs of endpoints of that class itself.
        """
        abroad = False
        # A fan has few verdicts, and to compare what they hold takes longer than to count them.
        told: dict[int, tuple[bool, bool]] = {}
        for other, verdict in zip(fan.others, fan.verdicts, strict=True):
            size = sources.get(other)
            if size is None and other.startswith(EXTERNAL):
                abroad = True
                continue
            pairs = within if other == fan.end else (size or 0) * count
            known = told.get(id(verdict))
            if known is None:
                certain, doubtful = bool(verdict.lower), verdict.lower != verdict.upper
                known = told[id(verdict)] = certain or not doubtful, doubtful
            talks, is_open = known
            if talks:
                self.talking += pairs
            else:
                self.perhaps += pairs
            if is_open:
                self.open += pairs
                if pairs and fan.end not in self._sampled and len(self.unknown) < _SAMPLED:
                    self._sampled.add(fan.end)
                    self.unknown.append(Flow(other, fan.end, *verdict))
        met = self._entered if fan.inward else self._leaving
        if abroad and fan.end not in met:
            met.add(fan.end)
            if fan.inward:
                self.entered += count
            else:
                self.leaving += count


class ReachAnswer:
    """The answer to who reaches whom, restricted to some ends and some traffic.

    Attributes:
        reach: the reachability of the estate.
        read: the scopes that were read, and what is missing of them.
        sources: the only sources; None for everybody.
        targets: the only targets; None for everybody.
        traffic: the only traffic.
        tally: counts over the fans that were yielded last.
        why: tells what is not known of a pair; None where nobody does.
    """

    def __init__(
        self,
        reach: Reachability,
        read: tuple[SourceInfo, ...] = (),
        sources: Named | None = None,
        targets: Named | None = None,
        traffic: Traffic = ALL_TRAFFIC,
        why: Why | None = None,
    ) -> None:
        self.reach = reach
        self.why: Why | None = why
        self.estate = reach.estate
        self.read = read
        self.sources = sources
        self.targets = targets
        self.traffic = traffic
        self.tally = Tally()

    @property
    def gaps(self) -> int:
        """How much could not be read."""
        return sum(len(source.gaps) for source in self.read)

    @property
    def unjudged(self) -> bool:
        """Whether an end stands for a managed service without interfaces: nothing here tells who reaches it."""
        return any(named is not None and named.bare for named in (self.sources, self.targets))

    @property
    def doubts(self) -> Doubts | None:
        """What is not known, once the flows were counted; None where everything is, or nobody tells."""
        if self.why is None:
            return None
        pairs: list[tuple[str, str, Traffic]] = []
        for source, target, lower, upper in self.tally.unknown:
            one = self._sources_of[source][0]
            other = next((each for each in self._targets_of[target] if each != one), None)
            if other is None:
                other, one = one, next(each for each in self._sources_of[source] if each != one)
            pairs.append((one, other, upper - lower))
        if not pairs:
            return None
        found = Counter(reason for pair in pairs for reason in self.why(*pair))
        return Doubts(tuple(reason for reason, _ in found.most_common(_REASONS)), *pairs[0])

    @property
    def nothing(self) -> str:
        """What it means that no flow was found, in words, without a full stop."""
        named = [each for each in (self.sources, self.targets) if each is not None]
        if not any(each.services for each in named):
            if self._handed_on:
                return (
                    "nothing passes between these ends under the senders' own addresses; load balancers stand before "
                    "them: see the notes"
                )
            return "nothing passes between these ends"
        within = "nothing passes between the interfaces of these ends; " if all(each.ends for each in named) else ""
        return f"{within}what managed services let in by their own settings is not judged here"

    @property
    def possible(self) -> int:
        """How many pairs of endpoints of the estate were asked about."""
        sources, targets = self._count(self.sources), self._count(self.targets)
        if self.sources is None or self.targets is None:
            return sources * targets - min(sources, targets)
        return sources * targets - len({*self.sources.interfaces} & {*self.targets.interfaces})

    def _count(self, named: Named | None) -> int:
        return len(self.estate.interfaces) if named is None else len(named.interfaces)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing about the ends, those that were named and those that are left out."""
        notes = [note for named in (self.sources, self.targets) if named is not None for note in named.notes]
        if self.targets is None and (self.sources is None or self.sources.outside):
            estate = self.estate
            left_out = [
                service
                for service in estate.services.values()
                if service.public is not False and estate.interfaces.keys().isdisjoint(service.interfaces)
            ]
            if left_out:
                notes.append(
                    f"{amount(len(left_out), 'managed service')} that may be public without an interface: not judged"
                    " here, but by the checks `public-endpoint` and `public-control-plane`"
                )
        if any(name != end for end, name in self._renamed.items()):
            notes.append(f"the addresses at which hosts answer the machines on them are left out: {self.estate.served}")
        notes.extend(self._handed_on)
        notes.extend(unread_sides(self.estate))
        notes.extend(assumptions(self.estate, self._named_ends))
        return tuple(dict.fromkeys(notes))

    @property
    def _named_ends(self) -> list[Interface] | None:
        """The interfaces that were named; None where everybody of a side, or everything outside, is asked about."""
        sides = [named.interfaces for named in (self.sources, self.targets) if named is not None and named.interfaces]
        return [self.estate.interfaces[name] for side in sides for name in side] if sides else None

    @cached_property
    def _handed_on(self) -> tuple[str, ...]:
        """What load balancers hand on of what comes from outside, where both ends were named."""
        if self.sources is None or self.targets is None or not self.sources.outside:
            return ()
        return handed_on_notes(self.reach, self.sources.outside, self.targets.interfaces)

    @cached_property
    def _sources_of(self) -> dict[str, tuple[str, ...]]:
        return self._chosen(self.sources)

    @cached_property
    def _targets_of(self) -> dict[str, tuple[str, ...]]:
        return self._chosen(self.targets)

    def _chosen(self, named: Named | None) -> dict[str, tuple[str, ...]]:
        """Return the members of each class that were asked about."""
        if named is None:
            return {own.name: own.members for own in self.reach.classes}
        chosen: defaultdict[str, list[str]] = defaultdict(list)
        for identifier in named.interfaces:
            chosen[self.reach.class_of(identifier).name].append(identifier)
        return {name: tuple(members) for name, members in chosen.items()}

    def fans(self) -> Iterator[Fan]:
        """Yield the flows of the answer, those to one class and those from one class to outside together.

        Traffic is cut to what was asked about.
        """
        tally = self.tally = Tally()
        if not self.reach.classes:
            return
        sources_of, targets_of = self._sources_of, self._targets_of
        senders = {name: len(members) for name, members in sources_of.items()}
        takers = {name: len(members) for name, members in targets_of.items()}
        sources = None if self.sources is None else self.sources.ends
        targets = None if self.targets is None else self.targets.ends
        for known in self.reach.fans(sources, targets, forwarded=True):
            fan = known if self.traffic.is_all else _cut(known, self.traffic)
            if self._hosted and (targets if fan.inward is False else sources) is None:
                fan = self._without_hosts(fan)
            if not fan.others:
                continue
            sending, taking = sources_of.get(fan.end, ()), targets_of.get(fan.end, ())
            within = len(sending) * len(taking) - len({*sending} & {*taking})
            tally.add(fan, (takers if fan.inward else senders).get(fan.end, 0), senders, within)
            yield fan

    @cached_property
    def _hosted(self) -> bool:
        """Whether hosts answer the machines on them at addresses of their own, which nobody asked about."""
        return bool(self.estate.served)

    @cached_property
    def _renamed(self) -> dict[str, str]:
        return {}

    def _without_hosts(self, fan: Fan) -> Fan:
        """Return a fan without the addresses at which hosts answer the machines on them: those are nobody outside."""
        kept: list[str] = []
        verdicts: list[Verdict] = []
        for other, verdict in zip(fan.others, fan.verdicts, strict=True):
            name = self._renamed.get(other)
            if name is None:
                name = self._renamed[other] = self._without_host(other)
            if name:
                kept.append(name)
                verdicts.append(verdict)
        return fan._replace(others=kept, verdicts=verdicts)

    def _without_host(self, end: str) -> str:
        if not end.startswith(EXTERNAL):
            return end
        addresses = addresses_of(end)
        if not addresses.overlaps(self.estate.served):
            return end
        left = addresses - self.estate.served
        return f"{EXTERNAL}{left}" if left else ""

    def pairs(self, *, joined: bool) -> Iterator[Pair]:
        """Yield the pairs of endpoints between which something passes.

        Args:
            joined: ranges outside of equal reach make one pair; without it each makes its own.
        """
        for inward, name, flows in self._by_end():
            entries = _entries(flows, inward=inward, joined=joined)
            together = [(peer, list(same)) for peer, same in groupby(entries, key=itemgetter(0))]
            for end in self._targets_of[name] if inward else self._sources_of[name]:
                for peer, same in together:
                    for one in (peer,) if isinstance(peer, AddressSet) else self._sources_of[peer]:
                        if one != end:
                            for _, traffic, bound in same:
                                yield Pair(one, end, traffic, bound) if inward else Pair(end, one, traffic, bound)

    def links(self) -> Iterator[Pair]:
        """Yield what passes between classes, by their names, and ranges outside, those of equal reach joined."""
        for inward, name, flows in self._by_end():
            for peer, traffic, bound in _entries(flows, inward=inward, joined=True):
                yield Pair(peer, name, traffic, bound) if inward else Pair(name, peer, traffic, bound)

    def members(self, link: Pair, end: str) -> tuple[str, ...]:
        """Return the members of a class at an end of a link that were asked about."""
        chosen = self._sources_of if end == link.source else self._targets_of
        return chosen.get(end, ())

    def _by_end(self) -> Iterator[tuple[bool, str, list[Flow]]]:
        """Yield the flows by the one class that they share, whether that is their target, and its name."""
        for fan in self.fans():
            yield fan.inward, fan.end, list(fan.flows())


def _cut(fan: Fan, traffic: Traffic) -> Fan:
    """Return what a fan holds of some traffic."""
    each = [
        (other, Verdict(lower & traffic, upper & traffic))
        for other, (lower, upper) in zip(fan.others, fan.verdicts, strict=True)
    ]
    left = [(other, verdict) for other, verdict in each if verdict.upper]
    return fan._replace(others=[other for other, _ in left], verdicts=[verdict for _, verdict in left])


def _entries(flows: list[Flow], *, inward: bool, joined: bool) -> Iterator[tuple[str | AddressSet, Traffic, Bound]]:
    """Yield who is at the other end of flows, with what passes: classes first, then ranges outside."""
    outside: defaultdict[tuple[Bound, Traffic], list[AddressSet]] = defaultdict(list)
    for flow in flows:
        peer = flow.source if inward else flow.target
        for traffic, bound in bounds_of(flow):
            if peer.startswith(EXTERNAL):
                outside[bound, traffic].extend(ranges_of(addresses_of(peer)))
            else:
                yield peer, traffic, bound
    for (bound, traffic), ranges in outside.items():
        for addresses in [_union(ranges)] if joined else ranges:
            yield addresses, traffic, bound


def bounds_of(flow: Flow) -> Iterator[tuple[Traffic, Bound]]:
    """Yield what certainly passes, and apart from it what only may pass as well."""
    if flow.lower:
        yield flow.lower, EXACT
    if flow.lower != flow.upper:
        yield flow.upper - flow.lower, AT_MOST


def _union(ranges: list[AddressSet]) -> AddressSet:
    if len(ranges) < 2:
        return ranges[0] if ranges else NO_ADDRESSES
    return AddressSet(
        IntervalSet.from_pairs(pair for part in ranges for pair in part.v4.intervals),
        IntervalSet.from_pairs(pair for part in ranges for pair in part.v6.intervals),
    )
