"""What ordered lists make of all traffic: answers for one list, and what it has in common with others, are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.pairs.apart import Apart
from cloudseg.reach.pairs.first_match import Common, Decided, Turn, beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloudseg.model import Verdict
    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.contents import Contents
    from cloudseg.reach.pairs.first_match import Into
    from cloudseg.reach.pairs.survey import Family, Judgement, Survey

__all__ = ["Ordered"]

_INTO: Final[Mapping[Verdict, Into]] = {"next": "passed", "accept": "accepted", "deny": "nowhere"}
_KEPT: Final = 32
"""So many answers are kept: most classes share those of the platform and of their subnet."""
_CELLS: Final = 1 << 23
"""So many words are kept of what lists have in common."""
_FEW: Final = 8
"""Lists that hold so many rules on average besides those that all of them hold are mostly the same."""


class _Shared(NamedTuple):
    """What the lists of one family have in common: numbers of items, and what these make of all traffic."""

    items: tuple[int, ...]
    common: Common


class _Parted(NamedTuple):
    """What lists of one family choose their items from: the place of each, and whom they name."""

    places: Mapping[int, int]
    apart: Apart


class Ordered:
    """Judges by ordered lists.

    Args:
        survey: what the lists of the estate name.
        contents: what items hold, over the columns.
        width: how many columns there are.
        everything: all traffic.
    """

    def __init__(self, survey: Survey, contents: Contents, width: int, everything: Words) -> None:
        self._survey = survey
        self._contents = contents
        self._width = width
        self._everything = everything
        self._answers: dict[tuple[Judgement, bool, bool], Decided] = {}
        self._shared: dict[tuple[int, int, bool, bool, bool], _Shared] = {}
        self._parted: dict[tuple[int, int, bool, bool, bool], _Parted | None] = {}
        self._cells = 0
        self._may_hand_on = frozenset(
            number for number in contents.inexact.items if survey.items[number].verdict == "next"
        )

    def decided(self, judgement: Judgement, *, grouped: bool, certain: bool) -> Decided:
        """Return one bound of what the lists of a judgement make of all traffic; it cannot be changed.

        Args:
            judgement: the items, in the order of evaluation.
            grouped: items that name groups match their members.
            certain: the lower bound.
        """
        key = (judgement, grouped, certain)
        known = self._answers.get(key)
        if known is None:
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            known = self._answers[key] = self._decide(judgement, grouped=grouped, certain=certain)
        return known

    def _decide(self, judgement: Judgement, *, grouped: bool, certain: bool) -> Decided:
        found = self._decide_by(judgement, grouped=grouped, certain=certain, handing=not certain)
        if not self._wavers(judgement):
            return found
        # What may hand on may as well leave it to rules behind, of which some accept for good.
        other = self._decide_by(judgement, grouped=grouped, certain=certain, handing=certain)
        nothing = np.zeros_like(found.left)
        accepted, final = (nothing if each.accepted is None else each.accepted for each in (found, other))
        if certain:
            return Decided(found.passed | (accepted & ~final), accepted & final, found.left)
        return Decided(found.passed | other.passed, accepted | final, found.left | other.left)

    def _wavers(self, judgement: Judgement) -> bool:
        """Tell whether rules that accept for good stand behind one of which it is not known what it hands on."""
        if self._may_hand_on.isdisjoint(judgement.items):
            return False
        first = next(place for place, number in enumerate(judgement.items) if number in self._may_hand_on)
        return any(self._survey.items[number].verdict == "accept" for number in judgement.items[first:])

    def _decide_by(self, judgement: Judgement, *, grouped: bool, certain: bool, handing: bool) -> Decided:
        parted = self._apart(judgement, grouped=grouped, certain=certain, handing=handing)
        if parted is not None:
            return parted.apart.decided([parted.places[item] for item in judgement.items])
        shared = self._in_common(judgement, grouped=grouped, certain=certain, handing=handing)
        others = None if shared is None else beside(judgement.items, shared.items)
        if shared is None or others is None:
            turns = self._turns(judgement.items, grouped=grouped, certain=certain, handing=handing)
            return Common(turns, (), self._width, self._everything).with_others(())
        turns = self._turns([item for _, item in others], grouped=grouped, certain=certain, handing=handing)
        return shared.common.with_others([(before, turn) for (before, _), turn in zip(others, turns, strict=True)])

    def _in_common(self, judgement: Judgement, *, grouped: bool, certain: bool, handing: bool) -> _Shared | None:
        """Return what is kept of the family of a judgement; None where it would be too much."""
        family = self._survey.family(judgement)
        # A list that was met later may name other columns.
        key = (family.number, len(family.lists), grouped, certain, handing)
        known = self._shared.get(key)
        if known is None:
            # Most machines have no rules of their own, so that the shortest list is what all have in common.
            items = min(family.lists, key=len)
            others = [one for each in family.lists for one in beside(each, items) or ()]
            if len({before for before, _ in others}) * self._width * len(self._everything) > _CELLS:
                return None
            turns = self._turns([item for _, item in others], grouped=grouped, certain=certain, handing=handing)
            named = [(before, turn.spans) for (before, _), turn in zip(others, turns, strict=True)]
            turns = self._turns(items, grouped=grouped, certain=certain, handing=handing)
            known = _Shared(items, Common(turns, named, self._width, self._everything))
            self._make_room(known.common.cells)
            self._shared[key] = known
        return known

    def _apart(self, judgement: Judgement, *, grouped: bool, certain: bool, handing: bool) -> _Parted | None:
        """Return what the lists of a family choose from; None where they hold mostly the same, or it is too much."""
        family = self._survey.family(judgement)
        # A list that was met later may choose others.
        key = (family.number, len(family.lists), grouped, certain, handing)
        if key not in self._parted:
            parted: _Parted | None = None
            if _are_apart(family):
                items = list(dict.fromkeys(item for each in family.lists for item in each))
                turns = self._turns(items, grouped=grouped, certain=certain, handing=handing)
                apart = Apart.of(turns, self._width, self._everything)
                if apart is not None:
                    self._make_room(apart.cells)
                    parted = _Parted({item: place for place, item in enumerate(items)}, apart)
            self._parted[key] = parted
        return self._parted[key]

    def _make_room(self, cells: int) -> None:
        """Forget what is kept where this and so many words more are too much."""
        self._cells += cells
        if self._cells > _CELLS:
            self._shared.clear()
            self._parted.clear()
            self._cells = cells

    def _turns(self, items: Sequence[int], *, grouped: bool, certain: bool, handing: bool) -> list[Turn]:
        """Return items when it is their turn; those that do not count name no columns.

        In the lower bound an unknown acceptance is nothing and an unknown denial everything, in the upper the reverse.

        Args:
            items: the items.
            grouped: those that name groups match their members.
            certain: the lower bound.
            handing: what may hand on does.
        """
        found: list[Turn] = []
        for number in items:
            item = self._survey.items[number]
            sure = not handing if item.verdict == "next" else certain == (item.verdict == "accept")
            spans = self._contents.spans(item.remote, grouped=grouped, certain=sure) if item.certain or not sure else ()
            found.append(Turn(spans, self._contents.words(number), _INTO[item.verdict]))
        return found


def _are_apart(family: Family) -> bool:
    """Tell whether most of what lists of a family hold stands in some of them alone."""
    alike = set(family.lists[0]).intersection(*family.lists[1:])
    return sum(len(each) - len(alike) for each in family.lists) > _FEW * len(family.lists)
