"""From what was seen between segments to the allowances that are missing for it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.intent.facts import Use
from cloudseg.intent.observations import PORTED
from cloudseg.intent.ports import traffic_seen
from cloudseg.intent.values import Allowance
from cloudseg.segments import INTERNET
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cloudseg.intent.facts import Fact
    from cloudseg.intent.observations import End
    from cloudseg.intent.parties import Allowed, Parties

__all__ = ["Grounds", "allowances", "uses_of"]


class Grounds(NamedTuple):
    """What decides whether something seen needs an allowance.

    Attributes:
        ends: the ends.
        parties: the segments.
        written: what people allowed already.
        public: what is declared to serve the internet, by qualified id of the interface.
    """

    ends: Sequence[End]
    parties: Parties
    written: Allowed
    public: Mapping[str, Traffic]

    def covered(self, fact: Fact) -> bool:
        """Tell whether people allowed it already, even if that is over."""
        return self.written.covers(fact.sources, fact.targets, fact.traffic)

    def is_public(self, fact: Fact) -> bool:
        """Tell whether it is the internet that asks for what is there for it."""
        asked = (self.ends[place] for place in fact.responders)
        return INTERNET in fact.sources and all(
            fact.traffic <= self.public.get(end.interface, NO_TRAFFIC) for end in asked
        )


def uses_of(facts: Iterable[Fact], grounds: Grounds) -> dict[int, frozenset[Use]]:
    """Return what ends outside do that nothing allows yet, by their places."""
    found: defaultdict[int, set[Use]] = defaultdict(set)
    for fact in facts:
        if grounds.covered(fact) or grounds.is_public(fact):
            continue
        for use, outer in _sides(fact, grounds):
            for place in outer:
                found[place].add(use)
    return {place: frozenset(uses) for place, uses in sorted(found.items())}


def allowances(
    facts: Iterable[Fact], grounds: Grounds, crowded: Collection[Use], *, all_ports: bool
) -> Iterator[Allowance]:
    """Yield what is to be allowed besides: one for each pair of segments, in order of their names.

    Args:
        facts: what was seen.
        grounds: what decides.
        crowded: what too many ends outside do: nothing of it is allowed.
        all_ports: between segments of the estate a protocol is allowed with all its ports.
    """
    seen: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        if grounds.covered(fact) or any(use in crowded for use, _ in _sides(fact, grounds)):
            continue
        named = [name for name in fact.sources if name != INTERNET]
        source = INTERNET if grounds.is_public(fact) else grounds.parties.best_of(named) if named else ""
        others = [name for name in fact.targets if name != INTERNET]
        if source and others:
            seen[source, grounds.parties.best_of(others)].append(fact)
    for (source, target), between in sorted(seen.items(), key=lambda item: (item[0][0] != INTERNET, item[0])):
        traffic = traffic_seen((fact.protocol, fact.port) for fact in between)
        if all_ports:
            for fact in between:
                if fact.protocol in PORTED and not any(_sides(fact, grounds)):
                    traffic |= Traffic.protocol(fact.protocol)
        yield Allowance(sources=(source,), targets=(target,), traffic=traffic)


def _sides(fact: Fact, grounds: Grounds) -> Iterator[tuple[Use, frozenset[int]]]:
    """Yield what ends outside do, with the ends."""
    for inward, outer, ours in ((True, fact.initiators, fact.targets), (False, fact.responders, fact.sources)):
        if all(grounds.ends[place].is_outside for place in outer):
            yield Use(grounds.parties.best_of(ours), inward, str(fact.traffic)), outer
