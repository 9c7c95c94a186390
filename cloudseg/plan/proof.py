"""Proves that a plan opens nothing and breaks nothing that is known to be needed, in every state on the way.

*Gained nothing*: no pair of ends passes anything in any state that did not pass before. *Kept everything*: every
observed need, and all that the intent allows, that was carried before is carried in every state; what was carried at
most is carried at most, for the same values of whatever is unknown.

Lists are asked first: where those of the ends that a plan touches let nothing more through, nobody gains, whichever way
packets take. Only where they do, or where what they let less through is needed, are the ways followed.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from cloudseg.model.edits import AddRule, AddRuleSet, RemoveRule, RemoveRuleSet
from cloudseg.plan.proving.assumed import assumptions_of, problems_of_services, unknowns_of
from cloudseg.plan.proving.blame import Judge
from cloudseg.plan.proving.claims import Checked, Gain, Loss, Packet, Problem, Proof
from cloudseg.plan.proving.engines import Engines
from cloudseg.plan.proving.gaining import Gaining
from cloudseg.plan.proving.growing import Growth, grown, named_beside
from cloudseg.plan.proving.intended import OUTSIDE, Intended, Suspect
from cloudseg.plan.proving.keeping import off_the_straight, suspected
from cloudseg.plan.proving.known import Known
from cloudseg.plan.proving.ledger import Ledger, Near
from cloudseg.plan.proving.losing import Losing
from cloudseg.plan.proving.needed import Needs
from cloudseg.plan.proving.passing import Passing
from cloudseg.plan.proving.possible import asked_of, supposed
from cloudseg.plan.proving.second import SecondOpinion
from cloudseg.plan.proving.states import course_of
from cloudseg.plan.proving.touched import Touched, touched_by
from cloudseg.plan.proving.unknowns import Variables
from cloudseg.plan.quotas import DEFAULT_LIMITS, over_limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Edit, Estate, Family
    from cloudseg.plan.proving.engines import Engine
    from cloudseg.plan.proving.possible import Supposed
    from cloudseg.plan.proving.states import Checkpoint
    from cloudseg.plan.quotas import Limits
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.remediations.demand import Demand

__all__ = ["Checked", "Gain", "Loss", "Packet", "Problem", "Proof", "ProofMaker", "prove"]

_TOGETHER = 4
"""So many states are compared with the one before the plan at once."""


def prove(before: Estate, changes: Sequence[Sequence[Edit]], demand: Demand, limits: Limits = DEFAULT_LIMITS) -> Proof:
    """Prove that a plan opens nothing and breaks nothing that is known to be needed.

    Args:
        before: the estate before the plan.
        changes: the edits of each change, in the order in which the changes are made.
        demand: what must go on passing.
        limits: limits of providers that these raise on request.

    Returns:
        The proof; it says by packets why it does not hold, and which changes are to blame.
    """
    return ProofMaker(before, demand, limits).prove(changes)


class ProofMaker:
    """Proves plans for one estate: what they have in common is worked out once.

    Args:
        before: the estate before any of the plans.
        demand: what must go on passing.
        limits: limits of providers that these raise on request.
    """

    def __init__(self, before: Estate, demand: Demand, limits: Limits = DEFAULT_LIMITS) -> None:
        self._before = before
        self._demand = demand
        self._limits = limits
        self._known = Known(before)

    def prove(self, changes: Sequence[Sequence[Edit]]) -> Proof:
        """Prove that a plan opens nothing and breaks nothing that is known to be needed, as :func:`prove` does.

        Args:
            changes: the edits of each change, in the order in which the changes are made.
        """
        before, demand = self._before, self._demand
        changes = tuple(tuple(edits) for edits in changes)
        course = course_of(before, changes)
        if course.failed is not None:
            place, reason = course.failed
            return Proof(
                problems=(Problem(kind="edit", reason=reason, blamed=(place,)),), checked=Checked(steps=len(changes))
            )
        touched = touched_by(before, changes, course.checkpoints)
        problems = list(problems_of_services(before, changes))
        problems += _over(before, changes, touched, course.checkpoints, self._limits)
        found = _Found([], [], problems, 0, 0)
        lists = sorted({name for edits in changes for edit in edits for name in _lists_of(edit)})
        states = (before, *(each.estate for each in course.checkpoints))
        unknowns = unknowns_of(states, touched.near, lists)
        if touched.near:
            for start in range(0, len(course.checkpoints), _TOGETHER):
                part = course.checkpoints[start : start + _TOGETHER]
                _Prover(self._known, changes, part, touched, demand, unknowns).prove(found)
        for case in supposed(before, changes, demand):
            self._suppose(case, changes, found, unknowns)
        ends, every = len(touched.near), len(before.interfaces)
        return Proof(
            gained=tuple(found.gained),
            lost=tuple(found.lost),
            problems=tuple(dict.fromkeys(found.problems)),
            checked=Checked(
                states=len(course.checkpoints),
                steps=len(changes),
                ends=ends,
                pairs=2 * ends * (every - 1) - ends * (ends - 1) if ends else 0,
                needs=found.needs,
                allowances=0 if demand.matrix is None else sum(1 for _ in demand.matrix.pairs()),
                packets=found.packets,
            ),
            unknowns=unknowns,
            assumptions=assumptions_of(before, changes, demand, touched.near),
        )

    def _suppose(
        self, case: Supposed, changes: Sequence[Sequence[Edit]], found: _Found, unknowns: tuple[str, ...]
    ) -> None:
        """Add what is gained and lost if somebody carries a list of which nobody knows whether he does."""
        who = self._before.interfaces[case.interface]
        unread = f"which groups {who.shown_id} carries"
        if case.estate is None:
            reason = f"too many interfaces may carry the lists that change, as it was not read {unread}"
            found.problems.append(Problem(kind="edit", reason=reason, blamed=tuple(range(len(changes)))))
            return
        course = course_of(case.estate, changes)
        every = touched_by(case.estate, changes, course.checkpoints)
        near, by_change = every.near.get(case.interface), every.changes.get(case.interface)
        if near is None or by_change is None:
            return
        alone = Touched({case.interface: near}, {case.interface: by_change})
        own = _Found([], [], found.problems, 0, 0)
        told = tuple(dict.fromkeys((*unknowns, unread)))
        _Prover(Known(case.estate), changes, course.checkpoints, alone, self._demand, told).prove(own)
        found.gained += [msgspec.structs.replace(each, certain=False, unknowns=told) for each in own.gained]
        found.lost += [msgspec.structs.replace(each, certain=False, unknowns=told) for each in own.lost]
        found.packets += own.packets


class _Found:
    """What is found of a plan, state by state."""

    def __init__(self, gained: list[Gain], lost: list[Loss], problems: list[Problem], needs: int, packets: int) -> None:
        self.gained, self.lost, self.problems = gained, lost, problems
        self.needs, self.packets = needs, packets


class _Suspects(NamedTuple):
    """What may be lost: places of observed needs, pairs of which the intent speaks, and places of strays."""

    needs: np.ndarray[tuple[int], np.dtype[np.int64]]
    pairs: tuple[Suspect, ...]
    strays: np.ndarray[tuple[int], np.dtype[np.int64]]


class _Prover:
    """Compares some states of a plan with the one before it."""

    def __init__(
        self,
        known: Known,
        changes: Sequence[Sequence[Edit]],
        checkpoints: Sequence[Checkpoint],
        touched: Touched,
        demand: Demand,
        unknowns: tuple[str, ...],
    ) -> None:
        before = self._before = known.before
        self._changes = changes
        self._checkpoints = checkpoints
        self._touched = touched
        self._demand = demand
        self._unknowns = unknowns
        self._states = (before, *(each.estate for each in checkpoints))
        self._ledger = Ledger(self._states, tuple(touched.near), known=known)
        self._engines = Engines(known, self._states)
        self._judge = Judge(before, changes, touched)
        self._needs = Needs(demand, self._ledger)
        asked = asked_of(demand, before)
        self._intended = None if asked is None else Intended(asked, self._ledger)

    def prove(self, found: _Found) -> None:
        """Add what is gained and lost in the states."""
        opinion = SecondOpinion(self._ledger, self._touched, self._changes, str(len(self._changes)))
        found.needs = max(found.needs, self._touching())
        for number, checkpoint in enumerate(self._checkpoints, 1):
            variables = Variables(self._ledger, number)
            gains = list(self._gains(number, checkpoint, variables)) if checkpoint.gains else []
            losses = list(self._losses(number, checkpoint, variables)) if checkpoint.losses else []
            found.gained += gains
            found.lost += losses
            found.problems += opinion.problems(number, gains, losses)
        found.packets += opinion.packets

    def _touching(self) -> int:
        """Return how many needs have an end that the plan touches."""
        if not self._needs.size:
            return 0
        near = self._needs.ends_in(dict.fromkeys(self._touched.near, 0)) >= 0
        return int(np.count_nonzero(near[self._demand.sources] | near[self._demand.targets]))

    def _gains(self, number: int, checkpoint: Checkpoint, variables: Variables) -> Iterator[Gain]:
        growths = [*grown(self._ledger, number, self._touched, variables), *self._named_beside(number)]
        everywhere = Passing(self._ledger, number, self._touched, variables).grows(growths)
        if not growths and not everywhere:
            return
        for family in self._engines.families:
            if not everywhere and not any(self._of_family(growth.cells, family) for growth in growths):
                continue
            engine = self._engines.of(number, family)
            gaining = Gaining(engine, self._ledger, checkpoint, self._judge, self._unknowns)
            yield from gaining.gains(growths, everywhere=everywhere)

    def _of_family(self, cells: Rows, family: Family | None) -> bool:
        """Tell whether any cells are about other ends of a family: both ends of packets bear addresses of one."""
        if family is None:
            return True
        own = self._four if family == 4 else ~self._four
        return bool(cells[:, own | self._either].any())

    @cached_property
    def _four(self) -> NDArray[np.bool_]:
        """Which columns are about IPv4 addresses."""
        columns = self._ledger.columns
        every = np.arange(columns.width)
        beyond = every - columns.faces < self._ledger.line.boundary
        found: NDArray[np.bool_] = np.where(every < columns.faces, every < columns.families, beyond)
        return found

    @cached_property
    def _either(self) -> NDArray[np.bool_]:
        """Which columns are about interfaces whose addresses are not known."""
        found = np.zeros(self._ledger.columns.width, dtype=np.bool_)
        unread = (name for name, each in self._before.interfaces.items() if not each.addresses)
        found[self._ledger.columns.faces_of(unread)] = True
        return found

    def _named_beside(self, number: int) -> Iterator[Growth]:
        """Yield ends whose rules come to name a group by which others may be let in that bear other addresses."""
        for names, traffic in named_beside(self._changes, self._ledger.states[number]):
            words = self._ledger.overlapping(traffic)
            yield Growth(Near(names, "ingress"), np.repeat(words[:, None], self._ledger.columns.width, axis=1))

    def _losses(self, number: int, checkpoint: Checkpoint, variables: Variables) -> Iterator[Loss]:
        suspects = self._suspects(number, variables)
        if len(suspects.strays):
            engine = self._engines.of(number, self._engines.families[0])
            losing = Losing(engine, checkpoint, self._judge, self._unknowns)
            yield from losing.of_strays(self._needs, suspects.strays)
        if not len(suspects.needs) and not suspects.pairs:
            return
        for family in self._engines.families:
            if not suspects.pairs and not self._needs.any_of_family(suspects.needs, family):
                continue
            engine = self._engines.of(number, family)
            losing = Losing(engine, checkpoint, self._judge, self._unknowns)
            yield from losing.of_needs(self._needs, suspects.needs)
            if self._intended is not None:
                lost = losing.of_intent(self._intended, suspects.pairs, self._ledger)
                yield from (msgspec.structs.replace(each, intended=self._demand.matrix is not None) for each in lost)

    def _suspects(self, number: int, variables: Variables) -> _Suspects:
        intended = self._intended
        passing = Passing(self._ledger, number, self._touched, variables)
        boundaries = passing.boundaries(more=False)
        needs: NDArray[np.int64] = np.arange(self._needs.size, dtype=np.int64)
        pairs: tuple[Suspect, ...] = ()
        strays = self._needs.strays
        if not boundaries or len(strays):
            listed = suspected(self._ledger, number, self._touched, self._needs, variables)
            # No way leads from or to an address that nobody bears: what lists at the other end say has to do.
            strays = np.intersect1d(listed, strays)
            needs = needs if boundaries else listed
        if not boundaries:
            pairs = () if intended is None else tuple(intended.suspected(number, self._touched, variables))
            if not passing.shrinks():
                return _Suspects(needs, pairs, strays)
            # Whoever takes a straight way meets nobody who passes packets on.
            needs = np.union1d(needs, off_the_straight(self._ledger, self._needs))
        if intended is None:
            return _Suspects(needs, pairs, strays)
        engines = (self._engines.of(number, family) for family in self._engines.families)
        found = dict.fromkeys(each for engine in engines for each in self._anywhere(engine))
        further = (each for each in found if boundaries or not intended.straight(each))
        return _Suspects(needs, tuple(dict.fromkeys((*pairs, *further))), strays)

    def _anywhere(self, engine: Engine) -> Iterator[Suspect]:
        """Yield all pairs that lost anything."""
        classes, numbers = engine.after.classes, self._ledger.columns.class_of
        own = [numbers[each.members[0]] for each in classes]
        for number in range(len(classes)):
            lost = engine.inside(number).lost.upper.any(axis=0)
            yield from (Suspect(own[column], own[number]) for column in np.flatnonzero(lost).tolist())
            if engine.entering(number).lost.upper.any():
                yield Suspect(OUTSIDE, own[number])
            if engine.leaving(number).lost.upper.any():
                yield Suspect(own[number], OUTSIDE)


def _over(
    before: Estate,
    changes: Sequence[Sequence[Edit]],
    touched: Touched,
    checkpoints: Sequence[Checkpoint],
    limits: Limits,
) -> Iterator[Problem]:
    """Yield limits of providers that any of the states breaks."""
    by_list: dict[str, list[int]] = {}
    for place, edits in enumerate(changes):
        for edit in edits:
            for name in _lists_of(edit):
                by_list.setdefault(name, []).append(place)
    for checkpoint in checkpoints:
        for over in over_limits(before, checkpoint.estate, touched.near, limits):
            places = by_list.get(over.resource) or touched.changes.get(over.resource, ())
            blamed = tuple(sorted({place for place in places if place < checkpoint.place}))
            yield Problem(kind="quota", reason=over.reason, blamed=blamed)


def _lists_of(edit: Edit) -> tuple[str, ...]:
    """Return the lists that an edit changes."""
    match edit:
        case AddRule(name) | RemoveRule(name) | RemoveRuleSet(name):
            return (name,)
        case AddRuleSet(rule_set):
            return (rule_set.id,)
        case _:
            return ()
