"""One packet for each rule that others make redundant: the rule admits it, others do as well, and it passes.

Who certainly talks to whom on what was worked out with all pairs of the estate; what passes between a place and
outside is asked once for all who stand there. So every rule is followed, in estates of any size.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.checks.flow_words import witness_words
from cloudseg.checks.rule_ends import RuleEnds
from cloudseg.checks.rule_sights import Sights
from cloudseg.model import GroupRef

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.redundancy import Redundant
    from cloudseg.checks.rule_ends import Meeting, Named
    from cloudseg.checks.rule_sights import Place, Sight
    from cloudseg.reach.comparing.witness import Witness
    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.rows import Rows

__all__ = ["RuleWitnesses"]

_NOTHING: Final = "no packet shows it: "
_UNSURE: Final = f"{_NOTHING}what passes may pass by other rules; of more rules than can be explained this is not known"


class _Case(NamedTuple):
    """A rule for which a packet is looked for.

    Attributes:
        number: its place among those asked about.
        found: the rule, and those that stand in for it.
        near: the classes at its own end.
        named: whom it names.
        words: its traffic as atoms.
        inward: it is an ingress rule.
    """

    number: int
    found: Redundant
    near: tuple[int, ...]
    named: Named
    words: Words
    inward: bool


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
        self._lines: dict[int, str] = {}
        self._unsure: set[int] = set()

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
                cases.append(_Case(number, each, near, named, words, each.rule.direction == "ingress"))
        self._look_outside(cases)
        self._look_inside(cases)
        return [
            self._lines.get(number) or (_UNSURE if number in self._unsure else self._why_none(each, near, named))
            for number, (each, (near, named)) in enumerate(zip(found, ends, strict=True))
        ]

    def _why_none(self, found: Redundant, near: tuple[int, ...], named: Named) -> str:
        own = found.rule_set.own_id
        if not near:
            return f"{_NOTHING}no interface carries {own} today"
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

    def _is_shown(self, case: _Case, witness: Witness, *, sure: bool) -> bool:
        """Tell whether a packet shows a rule to be redundant, and note it."""
        if sure or self._sights.is_confirmed(case.found, witness):
            self._lines[case.number] = witness_words(witness, self._estate)
            return True
        if self._sights.gave_up:
            self._unsure.add(case.number)
        return False

    # Addresses outside: what leaves or enters a place is the same for all who stand there, but for their lists.

    def _look_outside(self, cases: Sequence[_Case]) -> None:
        together: defaultdict[tuple[bool, Place], list[tuple[_Case, int]]] = defaultdict(list)
        for case in cases:
            if case.named.outside:
                inward = case.inward
                for near in case.near:
                    if self._sights.leads_outside(near, case.named, inward=inward):
                        together[inward, self._sights.place(near, inward=inward)].append((case, near))
        # Where an explanation has to be asked comes last.
        for (inward, place), standing in sorted(together.items(), key=lambda each: not each[0][1].sure):
            waiting = [(case, near) for case, near in standing if case.number not in self._lines]
            if waiting:
                self._by_place(waiting, self._through(waiting[0][1], inward=inward, sure=place.sure), sure=place.sure)

    def _through(self, near: int, *, inward: bool, sure: bool) -> Rows:
        """Return what certainly passes between a class and outside, by word and position."""
        if sure:
            return self._reach.matrix.beyond(near, inward=inward)
        return (self._reach.entering(near) if inward else self._reach.departures(near)).lower

    def _by_place(self, waiting: Sequence[tuple[_Case, int]], through: Rows, *, sure: bool) -> None:
        if not through.any():
            return
        passing: dict[int, NDArray[np.bool_]] = {}
        for case, near in waiting:
            # The same object is the same traffic.
            known = passing.get(id(case.words))
            if known is None:
                known = passing[id(case.words)] = np.logical_or.reduce(through & case.words[:, None], axis=0)
            places = self._ends.positions(case.named)
            for place in places[known[places]].tolist():
                addresses = self._reach.ground.line.addresses(place, place + 1) & case.named.outside
                traffic = self._reach.ground.atoms.from_words((through[:, place] & case.words).tolist())
                witness = self._sights.outside(near, addresses, traffic, inward=case.inward)
                if witness is not None and self._is_shown(case, witness, sure=sure):
                    break

    # Interfaces: who certainly talks to whom on what is known already.

    def _look_inside(self, cases: Sequence[_Case]) -> None:
        together: defaultdict[tuple[bool, tuple[int, ...]], list[_Case]] = defaultdict(list)
        for case in cases:
            if case.named.anyone and case.number not in self._lines:
                together[case.inward, case.near].append(case)
        for (inward, near), waiting in together.items():
            straight = self._ends.straight(near, inward=inward)
            left = [case for case in waiting if not self._shown(case, straight, self._sights.straight)]
            # Over the internet lists see public addresses, and who hands packets on may show any.
            public = [case for case in left if case.named.public]
            others = [case for case in left if not case.named.public] if self._sights.nodes else []
            besides = self._ends.over_internet(near, inward=inward) if public or others else straight
            for case in public:
                self._shown(case, besides, self._sights.over_internet)
            if others:
                handed = besides.only(np.isin(besides.far if inward else besides.near, list(self._sights.nodes)))
                for case in others:
                    self._shown(case, handed, self._sights.over_internet)

    def _shown(self, case: _Case, pairs: Meeting, sight: Callable[..., Sight]) -> bool:
        """Look for a packet of a rule among pairs that talk, and tell whether there is one."""
        perhaps: list[Witness] = []
        for near, far, words in pairs.among(case.named.inside, case.words, self._ends.size):
            seen = sight(case.named, near, far, inward=case.inward)
            if seen == "never":
                continue
            traffic = self._reach.ground.atoms.from_words(words)
            witness = self._sights.inside(near, far, traffic, inward=case.inward)
            if witness is not None and seen == "sure":
                return self._is_shown(case, witness, sure=True)
            if witness is not None:
                perhaps.append(witness)
        return any(self._is_shown(case, witness, sure=False) for witness in perhaps)
