"""Which changes may matter to packets that only pass by: at the boundaries of subnets, and at who passes packets on.

Lists there judge packets between ends that a plan does not touch. Where such a list answers the same before and after,
whoever sends and whatever is unknown, no way is any other: then nobody has to be followed on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import ANYONE, GroupRef, InSubnets
from cloudseg.plan.proving.keeping import settled, shrunk
from cloudseg.plan.proving.touched import about_others
from cloudseg.reach.packets import Box, pass_stage
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Direction, Estate, Rule, RuleSet, Stage
    from cloudseg.plan.proving.growing import Growth
    from cloudseg.plan.proving.ledger import Ledger
    from cloudseg.plan.proving.touched import Boundary, Touched
    from cloudseg.plan.proving.unknowns import Variables

__all__ = ["Passing"]

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_EVERYTHING: Final = (Box(ALL_ADDRESSES, ALL_TRAFFIC),)
_MANY: Final = 512
"""So many parts of addresses and traffic are compared: lists that tell more apart count as changed."""


class Passing:
    """Tells whether a state lets packets of others pass otherwise than before the plan.

    Args:
        ledger: what lists let through.
        number: the number of the state.
        touched: what the plan touches.
        variables: compares what is unknown in both.
    """

    def __init__(self, ledger: Ledger, number: int, touched: Touched, variables: Variables) -> None:
        self._ledger = ledger
        self._number = number
        self._touched = touched
        self._variables = variables

    def grows(self, growths: Iterable[Growth]) -> bool:
        """Tell whether more may pass by.

        Args:
            growths: the ends at which lists may let more through.
        """
        passing = self._touched.passing
        if passing and any(not passing.keys().isdisjoint(growth.near.names) for growth in growths):
            return True
        return self._names_others() or self.boundaries(more=True)

    def shrinks(self) -> bool:
        """Tell whether less may pass by at who passes packets on."""
        return self._lets_less() or self._names_others()

    def _lets_less(self) -> bool:
        names = self._touched.passing
        for direction in _DIRECTIONS if names else ():
            own = [name for name in self._touched.of(direction) if name in names]
            for near in self._ledger.alike(own, direction, self._number):
                shrinking = shrunk(self._ledger, self._number, near)
                if shrinking is None:
                    continue
                left = settled(shrinking, self._variables)
                if left.grouped.any() or left.plain.any():
                    return True
        return False

    def _names_others(self) -> bool:
        """Tell whether lists where packets are passed on may differ in rules about others who stand behind."""
        return any(self._differs_behind(name) for name in self._touched.passing)

    def _differs_behind(self, name: str) -> bool:
        sides: list[list[Rule]] = []
        moved = self._variables.moved
        for number in (0, self._number):
            interface = self._ledger.states[number].interfaces[name]
            met = self._ledger.survey(number).met.by(interface)
            judges = [judge for direction in _DIRECTIONS for each in met.of(direction) for judge in each.judges]
            sides.append([rule for judge in judges for rule in judge.rules if about_others(rule, interface)])
        if moved and any(isinstance(peer, GroupRef) for side in sides for rule in side for peer in rule.local):
            return True
        # A list stands at several stages, and its rules in whatever order.
        first, later = ({_said(rule) for rule in side} for side in sides)
        return first != later

    def boundaries(self, *, more: bool) -> bool:
        """Tell whether boundaries of subnets let more through, or less, by lists that the plan changes.

        Args:
            more: ask for more; otherwise for less.
        """
        return any(self._differs(each, more=more) for each in self._touched.boundaries)

    def _differs(self, boundary: Boundary, *, more: bool) -> bool:
        states = [self._ledger.states[number] for number in (0, self._number)]
        lists = [state.rule_sets.get(boundary.rule_set) for state in states]
        if any(held is None or not _alone(held, state) for held, state in zip(lists, states, strict=True)):
            # What else judges there comes into its place, or leaves it.
            return lists[0] != lists[1]
        before, after = ([] if held is None else [held] for held in lists)
        return _differ(boundary.stage, boundary.direction, (before, after), (states[0], states[1]), more=more)


def _differ(
    stage: Stage,
    direction: Direction,
    lists: tuple[Sequence[RuleSet], Sequence[RuleSet]],
    estates: tuple[Estate, Estate],
    *,
    more: bool,
) -> bool:
    each = [pass_stage(stage, own, direction, _EVERYTHING, estate) for own, estate in zip(lists, estates, strict=True)]
    before, after = each
    return not (_within(after.upper, before.lower) if more else _within(before.upper, after.lower))


def _alone(rule_set: RuleSet, estate: Estate) -> bool:
    """Tell whether no other list judges where a list does, and its rules are about all who pass there."""
    applies = rule_set.applies
    if not isinstance(applies, InSubnets) or any(rule.local != ANYONE for rule in rule_set.rules):
        return False
    for other in estate.rule_sets.values():
        if other.id == rule_set.id or other.stage != rule_set.stage:
            continue
        if not isinstance(other.applies, InSubnets) or not applies.subnets.isdisjoint(other.applies.subnets):
            return False
    return True


def _within(boxes: Sequence[Box], other: Sequence[Box]) -> bool:
    """Tell whether some packets are all among others; False where it takes too long to tell."""
    left = list(boxes)
    for known in other:
        rest: list[Box] = []
        for box in left:
            if not (box.addresses.overlaps(known.addresses) and box.traffic.overlaps(known.traffic)):
                rest.append(box)
                continue
            if outside := box.addresses - known.addresses:
                rest.append(Box(outside, box.traffic))
            if further := box.traffic - known.traffic:
                rest.append(Box(box.addresses & known.addresses, further))
        left = rest
        if len(left) > _MANY:
            return False
    return not left


def _said(rule: Rule) -> tuple[object, ...]:
    return (
        rule.direction,
        rule.verdict,
        rule.priority,
        rule.traffic,
        rule.remote,
        rule.local,
        rule.source_ports,
        rule.exact,
        rule.doubt,
    )
