"""What stands beside each entry of an intent: what was seen of it, in lines that the next run writes anew."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.intent.confirming import to_confirm
from cloudseg.intent.observations import CONFIDENCES
from cloudseg.intent.parties import Allowed
from cloudseg.intent.ports import dense_ranges
from cloudseg.segments import INTERNET
from cloudseg.text import amount
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cloudseg.intent.facts import Fact
    from cloudseg.intent.observations import End
    from cloudseg.intent.railing import Rail
    from cloudseg.intent.values import Allowance

__all__ = ["Evidence", "day_of"]

_LINES: Final = 8
"""Terms of one entry that get a line of their own."""
_DATED: Final = re.compile(
    r"^(?P<term>[^ :(]+(?::\d+)?)(?: \([^)]*\))?: .*?(?:to|since|on) (?P<day>\d{4}-\d{2}-\d{2})\b"
)
_NOT_SEEN: Final = "not seen in these logs"
_LOWEST: Final = CONFIDENCES.index("low")
_MIDDLE: Final = CONFIDENCES.index("medium")


class _Term(NamedTuple):
    """One port, or a range of ports, of an entry, and what was seen of it."""

    traffic: Traffic
    words: str
    facts: tuple[Fact, ...]


class Evidence:
    """What was seen, put beside allowances.

    Args:
        facts: what was seen between segments.
        rails: what is allowed whether it was seen or not.
        ends: the ends of the conversations.
        members: qualified ids of the interfaces of each segment.
        as_of: the day at which temporary allowances are judged, ISO 8601.
        logged: qualified ids of the interfaces that had logs at all; None where all had.
        outside: names of the segments that stand for addresses outside.
    """

    def __init__(
        self,
        facts: Iterable[Fact],
        rails: Iterable[Rail],
        ends: Sequence[End],
        members: Mapping[str, Sequence[str]],
        as_of: str,
        logged: frozenset[str] | None = None,
        *,
        outside: Collection[str] = (INTERNET,),
    ) -> None:
        self._outside = outside
        self._between: defaultdict[tuple[str, str], list[Fact]] = defaultdict(list)
        for fact in facts:
            for source in fact.sources:
                for target in fact.targets:
                    self._between[source, target].append(fact)
        self._rails = tuple(rails)
        self._ends = ends
        self._members = members
        self._as_of = as_of
        self._logged = logged

    def lines(self, allowance: Allowance, before: Sequence[str] = ()) -> tuple[str, ...]:
        """Return what was seen of an allowance, one line for each port, without the mark that begins the lines.

        Args:
            allowance: the allowance.
            before: the lines that the last run wrote, for the day on which it was last seen.
        """
        terms = self._terms(allowance)
        rails = tuple(self._rails_of(allowance))
        seen = NO_TRAFFIC
        for term in terms:
            seen |= term.traffic
        found = [self._seen_words(term, allowance) for term in terms[:_LINES]]
        if rest := terms[_LINES:]:
            facts = tuple(fact for term in rest for fact in term.facts)
            found.append(self._seen_words(_Term(NO_TRAFFIC, f"{len(rest)} more ports", facts), allowance))
        railed = NO_TRAFFIC
        for rail in rails:
            railed |= rail.traffic
        found += _unseen(allowance.traffic, seen | railed, _days(before), self._silence(allowance))
        if seen and allowance.expired(self._as_of):
            found.insert(0, f"it was over after {allowance.expires}, and was seen all the same")
        confirm = to_confirm(allowance, self._outside)
        return (*confirm, *found, *(f"guard rail: {rail.words}" for rail in rails))

    def _terms(self, allowance: Allowance) -> tuple[_Term, ...]:
        facts: dict[Fact, None] = {}
        for source in allowance.sources:
            for target in allowance.targets:
                between = self._between.get((source, target), ())
                facts |= dict.fromkeys(fact for fact in between if fact.traffic.overlaps(allowance.traffic))
        ports: defaultdict[tuple[int, int], list[Fact]] = defaultdict(list)
        for fact in facts:
            ports[fact.protocol, fact.port].append(fact)
        found: list[_Term] = []
        for dense in dense_ranges(ports):
            if dense.traffic <= allowance.traffic:
                inner = [
                    ports.pop(key) for key in sorted(ports) if _within(key, dense.protocol, dense.first, dense.last)
                ]
                words = f"{dense.traffic} ({dense.seen} of {dense.last - dense.first + 1} ports seen)"
                found.append(_Term(dense.traffic, words, tuple(fact for each in inner for fact in each)))
        for _, each in sorted(ports.items()):
            found.append(_Term(each[0].traffic, str(each[0].traffic), tuple(each)))
        return tuple(found)

    def _seen_words(self, term: _Term, allowance: Allowance) -> str:
        facts = term.facts
        connections = sum(fact.connections for fact in facts)
        opened = amount(connections, "connection")
        if not connections:
            opened = f"{amount(sum(fact.records for fact in facts), 'record')}, none of which shows a begin,"
        who = self._of(allowance.sources, frozenset[int]().union(*(fact.initiators for fact in facts)))
        whom = self._of(allowance.targets, frozenset[int]().union(*(fact.responders for fact in facts)))
        first, last = day_of(min(fact.first for fact in facts)), day_of(max(fact.last for fact in facts))
        confidence, why = _confidence(facts, one_day=first == last)
        when = f"on {first}" if first == last else f"{first} to {last}"
        return f"{term.words}: {opened} from {who} to {whom}, {when}, confidence {confidence}{why}"

    def _of(self, segments: Sequence[str], places: frozenset[int]) -> str:
        """Return how many of the members took part, or how many addresses outside."""
        ends = [self._ends[place] for place in places]
        inside = {end.interface for end in ends if end.interface}
        outside = len(ends) - sum(1 for end in ends if end.interface)
        if not inside:
            return f"{outside} address{'' if outside == 1 else 'es'}"
        of = len(inside.union(*(self._members.get(name, ()) for name in segments)))
        beside = f" and {outside} outside" if outside else ""
        return f"{len(inside)} of {of}{beside}"

    def _silence(self, allowance: Allowance) -> str:
        """Return what it means that something was not seen: nothing, where neither end had logs."""
        if self._logged is None:
            return _NOT_SEEN
        members = {each for name in (*allowance.sources, *allowance.targets) for each in self._members.get(name, ())}
        return _NOT_SEEN if members & self._logged else "no logs of either end were read"

    def _rails_of(self, allowance: Allowance) -> Iterator[Rail]:
        """Yield the guard rails of which it allows a part, whole in the traffic."""
        own = Allowed((allowance,))
        for rail in self._rails:
            if any(
                own.covers((source,), (target,), rail.traffic) for source in rail.sources for target in rail.targets
            ):
                yield rail


def day_of(seconds: int) -> str:
    """Return the day of a time, given as seconds since 1970, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _within(key: tuple[int, int], protocol: int, first: int, last: int) -> bool:
    return key[0] == protocol and first <= key[1] <= last


def _confidence(facts: Sequence[Fact], *, one_day: bool) -> tuple[str, str]:
    """Return how sure it is that the traffic is meant, and why not surer."""
    if not any(fact.answered for fact in facts):
        return CONFIDENCES[_LOWEST], " (no answer was seen)"
    place = min(fact.confidence for fact in facts)
    why = [] if place == 0 else ["who opened it was inferred"]
    if one_day:
        place = max(place, _MIDDLE)
        why.append("seen on one day")
    return CONFIDENCES[place], f" ({', '.join(why)})" if why else ""


def _days(before: Iterable[str]) -> tuple[tuple[Traffic, str], ...]:
    """Return when traffic was last seen, as the lines of the last run tell it."""
    found: list[tuple[Traffic, str]] = []
    for line in before:
        told = _DATED.match(line)
        if told is not None:
            try:
                found.append((Traffic.parse(told["term"]), told["day"]))
            except ParseError:
                # A person may have written into the line.
                continue
    return tuple(found)


def _unseen(allowed: Traffic, seen: Traffic, days: Sequence[tuple[Traffic, str]], silence: str) -> Iterator[str]:
    """Yield what is allowed and was not seen, and when it was seen before."""
    unseen = [term for term in allowed.terms() if not Traffic.parse(term).overlaps(seen)]
    for term in unseen[:_LINES]:
        known = [day for traffic, day in days if traffic.overlaps(Traffic.parse(term))]
        told = f"not seen since {max(known)}" if known else silence
        yield f"{term}: {told}" if silence in (told, _NOT_SEEN) else f"{term}: {told}, but {silence}"
    if len(unseen) > _LINES:
        yield f"{len(unseen) - _LINES} more: {silence}"
