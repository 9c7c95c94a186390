"""One packet for each rule that others make redundant: the rule admits it, others do as well, and it passes.

The matrix is asked about one class at a time, so rules share what is asked: those for which most depends on an answer
come first. In a very large estate no more is asked than pays; what is left says so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.checks.flow_words import witness_words
from cloudseg.checks.rule_ends import RuleEnds, first_of
from cloudseg.checks.rule_sights import Sights
from cloudseg.model import GroupRef

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.redundancy import Redundant
    from cloudseg.checks.rule_ends import Named
    from cloudseg.model import Direction
    from cloudseg.reach.comparing.witness import Witness
    from cloudseg.reach.pairs.atoms import Words

__all__ = ["RuleWitnesses"]

_CELLS: Final = 1_000_000
"""The matrix is asked as often as its answers hold no more classes than this: in most estates about every class."""
_PLACES: Final = 4
"""In so many places packets from and to outside are looked for, for one rule; in a large estate in one."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_NOTHING: Final = "no packet shows it: "


class _Case(NamedTuple):
    """A rule for which a packet is looked for.

    Attributes:
        number: its place among those asked about.
        found: the rule, and those that stand in for it.
        near: the classes at its own end.
        named: whom it names.
        words: its traffic as atoms.
    """

    number: int
    found: Redundant
    near: tuple[int, ...]
    named: Named
    words: Words

    @property
    def inward(self) -> bool:
        return self.found.rule.direction == "ingress"


class RuleWitnesses:
    """Finds packets that show that rules are redundant.

    Args:
        context: of the check that tells of the rules.
    """

    def __init__(self, context: AuditContext) -> None:
        self._reach = context.reach
        self._estate = context.estate
        self._ends = RuleEnds(context.reach)
        self._sights = Sights(context)
        self._left = max(1, _CELLS // max(1, len(self._reach.classes) * self._reach.ground.atoms.width))
        self._asked: set[tuple[bool, int]] = set()
        self._lines: dict[int, str] = {}
        self._skipped: set[int] = set()

    def of(self, found: Sequence[Redundant]) -> list[str]:
        """Return for each rule a packet in words that shows it, or why none does.

        Both the rule and one that stands in for it admit the packet, and it certainly passes.
        """
        ends = [(self._ends.near(each.rule_set), self._ends.named(each.rule.remote)) for each in found]
        atoms = self._reach.ground.atoms
        masks: dict[int, Words] = {}
        cases: list[_Case] = []
        for number, (each, (near, named)) in enumerate(zip(found, ends, strict=True)):
            if near and (named.anyone or named.outside):
                # The same object is the same traffic.
                words = masks.get(id(each.rule.traffic))
                if words is None:
                    words = masks[id(each.rule.traffic)] = atoms.words(atoms.mask(each.rule.traffic))
                cases.append(_Case(number, each, near, named, words))
        self._look_outside(cases)
        self._look_inside(cases)
        return [
            self._lines.get(number) or self._why_none(number, each, near, named)
            for number, (each, (near, named)) in enumerate(zip(found, ends, strict=True))
        ]

    def _why_none(self, number: int, found: Redundant, near: tuple[int, ...], named: Named) -> str:
        own = found.rule_set.own_id
        if not near:
            return f"{_NOTHING}no interface carries {own} today"
        if number in self._skipped:
            return "no packet is shown: in so large an estate not every such rule is followed"
        inward = found.rule.direction == "ingress"
        if named.anyone:
            way = f"from whom it names to who carries {own}" if inward else f"from who carries {own} to whom it names"
            return f"{_NOTHING}nothing of it was found that surely passes {way}"
        if not named.outside:
            missing = "no interface is in the group" if named.groups else "no interface has such an address"
            return f"{_NOTHING}{missing} today"
        if not any(isinstance(peer, GroupRef) for peer in found.rule.remote):
            way = "comes in from there" if inward else "gets there"
            return f"{_NOTHING}no interface has such an address, and nothing of it was found that surely {way}"
        return f"{_NOTHING}nobody whom it names was found to be there"

    def _told(self, case: _Case, witness: Witness | None) -> bool:
        if witness is not None:
            self._lines[case.number] = witness_words(witness, self._estate)
            self._skipped.discard(case.number)
        return witness is not None

    def _may_ask(self, number: int, *, inward: bool) -> bool:
        """Tell whether the matrix may be asked about what arrives at a class, or leaves it; what was asked is free."""
        if (inward, number) in self._asked:
            return True
        if not self._left:
            return False
        self._left -= 1
        self._asked.add((inward, number))
        return True

    # Addresses outside: what leaves or enters a place is the same for all who stand there, so a few tell for all.

    def _look_outside(self, cases: Sequence[_Case]) -> None:
        together: defaultdict[tuple[bool, Hashable], list[tuple[_Case, int]]] = defaultdict(list)
        for case in cases:
            if case.named.outside:
                for place, near in self._places(case).items():
                    together[case.inward, place].append((case, near))
        limit = self._left // 2
        for (inward, _), standing in sorted(together.items(), key=lambda each: -len(each[1])):
            waiting = [(case, near) for case, near in standing if case.number not in self._lines]
            if not waiting:
                continue
            band = self._through(waiting, inward=inward) if self._left > limit else None
            if band is None:
                self._skipped.update(case.number for case, _ in waiting)
                continue
            for case, near in waiting:
                self._by_band(case, near, band)

    def _places(self, case: _Case) -> dict[Hashable, int]:
        """Return a few places in which somebody stands whom the rule's list judges, with the class of one each."""
        found: dict[Hashable, int] = {}
        few = 1 if self._ends.is_large else _PLACES
        for near in case.near[: self._ends.few]:
            if self._sights.leads_outside(near, case.named, inward=case.inward):
                place = self._sights.place(near, inward=case.inward)
                if place is not None:
                    found.setdefault(place, near)
                if len(found) == few:
                    break
        return found

    def _through(self, waiting: Sequence[tuple[_Case, int]], *, inward: bool) -> NDArray[np.uint64] | None:
        """Return what gets through between a place and outside, as far as the widest rules there show; None unasked."""
        # What stands in for a rule is as wide as that or wider.
        widest = max(waiting, key=lambda each: (self._width(each[0]), -each[1]))[1]
        if not self._may_ask(widest, inward=inward):
            return None
        reach = self._reach
        return (reach.arrivals(widest).outside if inward else reach.departures(widest)).lower

    def _width(self, case: _Case) -> int:
        return max(self._ends.named(other.remote).size for _, other in case.found.by[:_PLACES])

    def _by_band(self, case: _Case, near: int, band: NDArray[np.uint64]) -> None:
        line, atoms = self._reach.ground.line, self._reach.ground.atoms
        places = self._ends.positions(case.named)
        passing = (band[:, places] & case.words[:, None]).any(axis=0)
        if passing.any():
            place = int(places[int(passing.argmax())])
            addresses = line.addresses(place, place + 1) & case.named.outside
            traffic = atoms.from_words((band[:, place] & case.words).tolist())
            self._told(case, self._sights.outside(near, addresses, traffic, inward=case.inward))

    # Interfaces: who talks for sure on some port is known already; what passes is asked target by target.

    def _look_inside(self, cases: Sequence[_Case]) -> None:
        by_target: defaultdict[int, list[_Case]] = defaultdict(list)
        for direction in _DIRECTIONS:
            some = [
                case
                for case in cases
                if case.found.rule.direction == direction and case.named.anyone and case.number not in self._lines
            ]
            for number, far in self._ends.meeting([(case.near, case.named) for case in some], direction):
                case = some[number]
                for target in case.near[: self._ends.few] if case.inward else far:
                    by_target[target].append(case)
        for target in sorted(by_target, key=lambda number: (-len(by_target[number]), number)):
            waiting = [case for case in by_target[target] if case.number not in self._lines]
            if not self._left and (True, target) not in self._asked:
                self._skipped.update(case.number for case in waiting)
                continue
            heard = [(case, sources) for case in waiting if (sources := self._sources(case, target))]
            if heard and self._may_ask(target, inward=True):
                rows = self._reach.arrivals(target).inside.lower
                for case, sources in heard:
                    self._by_row(case, target, sources, rows)

    def _sources(self, case: _Case, target: int) -> tuple[int, ...]:
        """Return some of the sources that may talk to a target by a rule."""
        row, few = self._ends.heard[target], self._ends.few
        if case.inward:
            return first_of(row & case.named.inside, few)
        return tuple(near for near in case.near if row[near >> 3] >> (near & 7) & 1)[:few]

    def _by_row(self, case: _Case, target: int, sources: tuple[int, ...], rows: NDArray[np.uint64]) -> None:
        atoms = self._reach.ground.atoms
        words = rows[:, sources] & case.words[:, None]
        for place in np.flatnonzero(words.any(axis=0)).tolist():
            near, far = (target, sources[place]) if case.inward else (sources[place], target)
            traffic = atoms.from_words(words[:, place].tolist())
            if self._told(case, self._sights.inside(case.found, case.named, near, far, traffic)):
                return
            if self._sights.gave_up:
                self._skipped.add(case.number)
