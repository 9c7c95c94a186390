"""What the engine says of packets in estates made by hand, in one word, with what explain says beside it."""

from __future__ import annotations

from functools import reduce
from itertools import chain, permutations
from typing import TYPE_CHECKING

from cloudseg.cli.sources import translate
from cloudseg.reach.explaining.search import ways_between
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, AddressSet, Traffic
from tests.azure.agreeing import snapshot_of

if TYPE_CHECKING:
    from tests.azure.raw import Raw

__all__ = ["Said"]

WEB = Traffic.parse("tcp/443")


class Said:
    """The verdicts about one estate; ends are short names of interfaces, or addresses outside."""

    def __init__(self, raw: Raw) -> None:
        self.estate = translate(snapshot_of(raw.answers))
        self.reach = Reachability(self.estate)
        self.names = {each.name: name for name, each in self.estate.interfaces.items() if each.role == "interface"}

    def end(self, text: str) -> str | AddressSet:
        return self.names[text] if text in self.names else AddressSet.parse(text)

    def __call__(self, source: str, target: str) -> str:
        """``surely``, ``at most`` or ``no``: whether HTTPS passes."""
        verdict = self.reach.between(self.end(source), self.end(target))
        if verdict.lower >= WEB:
            return "surely"
        return "at most" if verdict.upper >= WEB else "no"

    def disagreements(self, *outside: str) -> list[tuple[str, str]]:
        """The pairs of ends of which the ways, told one by one, let through something else than the engine says."""
        found: list[tuple[str, str]] = []
        for source, target in permutations([*self.names, *outside], 2):
            if source in outside and target in outside:
                continue
            ends = self.end(source), self.end(target)
            ways = ways_between(self.reach, *ends, ALL_TRAFFIC)
            walks = [walk for way in chain(ways.direct, ways.around) for walk in way(ALL_TRAFFIC)]
            lower = reduce(Traffic.__or__, (walk.lower for walk in walks), NO_TRAFFIC)
            upper = reduce(Traffic.__or__, (walk.upper for walk in walks), NO_TRAFFIC)
            if Verdict(lower, upper) != self.reach.between(*ends):
                found.append((source, target))
        return found
