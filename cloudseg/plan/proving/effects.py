"""What one edit does to what passes anywhere: packet by packet, and for every value of whatever is unknown.

A packet is denied at a stage, handed on or accepted for good, in this order. What lies further along in one stage and
equal in the others never passes less. So a rule that allows, put where nothing that it may replace lies further along,
only lets more through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cloudseg.errors import EditError
from cloudseg.model import Carries, GroupRef, matches
from cloudseg.model.edits import (
    AddRule,
    AddRuleSet,
    Attach,
    CreateGroup,
    Detach,
    RemoveGroup,
    RemoveRule,
    RemoveRuleSet,
    SetLabel,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Edit, Estate, Interface, Rule, RuleSet, Stage

__all__ = ["Drafted", "Effect", "changed_groups", "joined", "stages_named"]

Effect = Literal["none", "grows", "shrinks", "either"]
"""Nothing, it never passes less, it never passes more, or it is not known which."""

_VALUE: Final = {"deny": 0, "next": 1, "accept": 2}
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_OPPOSITE: Final[dict[Effect, Effect]] = {"none": "none", "grows": "shrinks", "shrinks": "grows", "either": "either"}


def joined(one: Effect, other: Effect) -> Effect:
    """Return what two edits do together."""
    if "none" in {one, other}:
        return other if one == "none" else one
    return one if one == other else "either"


def _all_of(effects: Iterable[Effect]) -> Effect:
    found: Effect = "none"
    for effect in effects:
        found = joined(found, effect)
        if found == "either":
            break
    return found


def stages_named(name: str, direction: Direction, estate: Estate) -> tuple[Stage, ...]:
    """Return the stages of a name that packets of a direction meet, in whatever pipeline, each once."""
    return tuple(
        dict.fromkeys(
            stage
            for pipeline in estate.pipelines.values()
            for stage in pipeline.stages(direction)
            if stage.name == name
        )
    )


def belongs(group: str, interface: Interface, estate: Estate) -> bool:
    """Tell whether an interface belongs to a group, as far as was read."""
    known = estate.groups.get(group)
    return group in interface.attached if known is None else matches(known.selector, interface)


def changed_groups(old: Interface, new: Interface, estate: Estate) -> tuple[str, ...]:
    """Return the groups that an interface joins or leaves, in order."""
    asked = set(old.attached ^ new.attached)
    if old.labels != new.labels or asked:
        asked.update(name for name, group in estate.groups.items() if not isinstance(group.selector, Carries))
    return tuple(sorted(name for name in asked if belongs(name, old, estate) != belongs(name, new, estate)))


class Drafted:
    """An estate to which edits are made one by one, each judged before it is made.

    What is asked of an estate is worked out once and mended, for a plan has thousands of edits.

    Args:
        estate: the estate to begin with.
    """

    def __init__(self, estate: Estate) -> None:
        self._base = estate
        self._pending: list[Edit] = []
        self._forget()

    def _forget(self) -> None:
        self._lists: dict[str, RuleSet] = {}
        self._new: dict[str, RuleSet] = {}
        self._interfaces: dict[str, Interface] = {}
        self._beside: dict[str, tuple[str, ...]] = {}
        self._references: dict[str, list[tuple[str, Rule]]] | None = None
        self._stages: dict[tuple[str, Direction], tuple[Stage, ...]] = {}

    def estate(self) -> Estate:
        """Return the estate after all edits so far.

        Raises:
            EditError: one of them names what is not there, or adds what already is.
        """
        if self._pending:
            self._base = self._base.with_edits(self._pending)
            self._pending = []
            self._forget()
        return self._base

    def make(self, edit: Edit) -> Effect:
        """Make an edit, and return what it does to what passes.

        Raises:
            EditError: it names what is not there, or adds what already is; some only show in :meth:`estate`.
        """
        match edit:
            case AddRule(rule_set, rule):
                held = self._list(rule_set)
                effect = self._of_rule(rule, held)
                self._lists[rule_set] = msgspec.structs.replace(held, rules=(*held.rules, rule))
                self._note(rule_set, rule)
            case RemoveRule(rule_set, identifier):
                held = self._list(rule_set)
                gone = [rule for rule in held.rules if rule.id == identifier]
                left = msgspec.structs.replace(held, rules=tuple(rule for rule in held.rules if rule.id != identifier))
                self._lists[rule_set] = left
                effect = _OPPOSITE[_all_of(self._of_rule(rule, left) for rule in gone)]
            case AddRuleSet(rule_set) if rule_set.applies == Carries(rule_set.id):
                carrying = [each for each in self._every() if rule_set.id in each.attached]
                effect = self._of_list(rule_set, carrying)
                self._new[rule_set.id] = rule_set
                for rule in rule_set.rules:
                    self._note(rule_set.id, rule)
            case AddRuleSet(rule_set):
                effect = self._of_list(rule_set, self.estate().governed(rule_set))
            case RemoveRuleSet(rule_set):
                held = self._list(rule_set)
                without = Drafted(self.estate().with_edits((edit,)))
                effect = _OPPOSITE[without._of_list(held, self._base.governed(held))]
            case Attach() | Detach() | SetLabel():
                effect = self._of_membership(edit)
            case CreateGroup(group):
                effect = "either" if self._naming(group.id) else "none"
                self.estate()
            case RemoveGroup(group):
                effect = "either" if self._naming(group) else "none"
            case _:
                effect = "none"
        self._pending.append(edit)
        if isinstance(edit, CreateGroup | RemoveGroup | RemoveRuleSet) or (
            isinstance(edit, AddRuleSet) and edit.rule_set.id not in self._new
        ):
            self.estate()
        return effect

    def _list(self, name: str) -> RuleSet:
        held = self._lists.get(name) or self._new.get(name) or self._base.rule_sets.get(name)
        if held is None:
            raise EditError(f"{name} is not in the estate; read the estate again and make a new plan")
        return held

    def _interface(self, name: str) -> Interface:
        held = self._interfaces.get(name) or self._base.interfaces.get(name)
        if held is None:
            raise EditError(f"{name} is not in the estate; read the estate again and make a new plan")
        return held

    def _every(self) -> Iterator[Interface]:
        for name, interface in self._base.interfaces.items():
            yield self._interfaces.get(name, interface)

    def _stages_named(self, name: str, direction: Direction) -> tuple[Stage, ...]:
        known = self._stages.get((name, direction))
        if known is None:
            known = self._stages[name, direction] = stages_named(name, direction, self._base)
        return known

    def _judges(self, interface: Interface, stage: str, direction: Direction) -> list[RuleSet]:
        """Return the lists that judge packets of a direction at an interface, as the estate tells them."""
        judges = [self._list(judge.id) for judge in self._base.judging(interface, stage)]
        carried = (self._list(name) for name in sorted(interface.attached) if name in self._new)
        judges += [judge for judge in carried if judge.stage == stage]
        if not any(direction in judge.isolates for judge in judges):
            return []
        return judges

    def _naming(self, group: str) -> list[tuple[str, Rule]]:
        """Return the rules that name a group, with their lists; some may be gone already."""
        if self._references is None:
            self._references = {}
            for name, rule_set in (*self._base.rule_sets.items(), *self._new.items(), *self._lists.items()):
                for rule in rule_set.rules:
                    self._note(name, rule)
        return self._references.get(group, [])

    def _note(self, rule_set: str, rule: Rule) -> None:
        if self._references is not None:
            for peer in rule.remote:
                if isinstance(peer, GroupRef):
                    self._references.setdefault(peer.group, []).append((rule_set, rule))

    def _of_rule(self, rule: Rule, rule_set: RuleSet) -> Effect:
        """Return what a rule does that comes to a list."""
        stages = self._stages_named(rule_set.stage, rule.direction)
        if all(stage.match == "any" for stage in stages):
            # Nobody has to be asked whom the list judges.
            return _all_of(_in_any(rule, stage) for stage in stages)
        others = tuple(
            other
            for name in self._asked_with(rule_set)
            for other in (rule_set if name == rule_set.id else self._list(name)).rules
            if other.direction == rule.direction
        )
        return _all_of(
            _in_any(rule, stage) if stage.match == "any" else _in_first(rule, stage, others) for stage in stages
        )

    def _asked_with(self, rule_set: RuleSet) -> tuple[str, ...]:
        """Return the lists whose rules are asked in one order with those of a list, itself among them."""
        known = self._beside.get(rule_set.id)
        if known is None:
            found = {rule_set.id: None}
            seen: set[tuple[object, ...]] = set()
            moved = (each for each in self._interfaces.values() if matches(rule_set.applies, each))
            for interface in (*self._base.governed(rule_set), *moved):
                alike = (interface.network, interface.subnet, interface.attached)
                if alike not in seen or self._base.selects_by_labels:
                    seen.add(alike)
                    judges = self._base.judging(interface, rule_set.stage)
                    found.update({each.id: None for each in judges})
            known = self._beside[rule_set.id] = tuple(found)
        return known

    def _of_list(self, rule_set: RuleSet, governed: Iterable[Interface]) -> Effect:
        """Return what a list does that comes to some interfaces."""
        return _all_of(
            _of_list_at(rule_set, stage, direction, self._judges(interface, rule_set.stage, direction))
            for interface in governed
            for direction in _DIRECTIONS
            for stage in self._stages_named(rule_set.stage, direction)
        )

    def _of_membership(self, edit: Attach | Detach | SetLabel) -> Effect:
        old = self._interface(edit.interface)
        match edit:
            case Attach(_, identity):
                new = msgspec.structs.replace(old, attached=old.attached | {identity})
            case Detach(_, identity):
                new = msgspec.structs.replace(old, attached=old.attached - {identity})
            case SetLabel(_, key, value):
                labels = {known: text for known, text in old.labels.items() if known != key}
                new = msgspec.structs.replace(old, labels=labels | ({} if value is None else {key: value}))
        self._interfaces[old.id] = new
        self._beside.clear()
        return _all_of((*self._judged_anew(old, new), *self._named_anew(old, new)))

    def _judged_anew(self, old: Interface, new: Interface) -> Iterator[Effect]:
        """Yield what becomes of what an interface lets through when other lists judge it, or other rules of these."""
        network = self._base.networks.get(old.network or "")
        pipeline = self._base.pipelines.get(old.provider if network is None else network.pipeline)
        for direction in _DIRECTIONS if pipeline is not None else ():
            for stage in pipeline.stages(direction) if pipeline is not None else ():
                left = self._judges(old, stage.name, direction)
                right = self._judges(new, stage.name, direction)
                yield _relisted(stage, direction, left, right)
                staying = {judge.id for judge in right}
                kept = [judge for judge in left if judge.id in staying]
                if any(self._near_end_differs(judge, direction, old, new) for judge in kept):
                    yield "either"

    def _near_end_differs(self, judge: RuleSet, direction: Direction, old: Interface, new: Interface) -> bool:
        """Tell whether rules that name a group as their near end concern an interface before or after alone."""
        groups = {
            peer.group
            for rule in judge.rules
            if rule.direction == direction
            for peer in rule.local
            if isinstance(peer, GroupRef)
        }
        return any(belongs(group, old, self._base) != belongs(group, new, self._base) for group in groups)

    def _named_anew(self, old: Interface, new: Interface) -> Iterator[Effect]:
        """Yield what rules do at other ends that name a group which an interface joins or leaves."""
        for group in changed_groups(old, new, self._base):
            joins = belongs(group, new, self._base)
            for name, rule in self._naming(group):
                effect = self._of_rule(rule, self._list(name))
                yield effect if joins else _OPPOSITE[effect]


def _in_any(rule: Rule, stage: Stage) -> Effect:
    # A denial in a list that adds up has no effect, nor has a rule where a miss passes on as well.
    return "grows" if rule.allows and stage.miss == "deny" else "none"


def _in_first(rule: Rule, stage: Stage, beside: Sequence[Rule]) -> Effect:
    """Return what a rule does in an ordered list: whatever decides in its place without it is among the others."""
    own = _VALUE[rule.verdict]
    others = [_VALUE[stage.miss], *(_VALUE[other.verdict] for other in beside)]
    if all(other <= own for other in others):
        return "grows"
    return "shrinks" if all(other >= own for other in others) else "either"


def _of_list_at(rule_set: RuleSet, stage: Stage, direction: Direction, judges: Sequence[RuleSet]) -> Effect:
    """Return what one more list does at a stage of an interface that others judge, or none does yet."""
    values = [_VALUE[rule.verdict] for rule in rule_set.rules if rule.direction == direction]
    if judges:
        if stage.match == "first":
            return "either" if values else "none"
        return "grows" if any(values) and stage.miss == "deny" else "none"
    if direction not in rule_set.isolates or (stage.match == "any" and stage.miss != "deny"):
        return "none"
    # Without a list packets go on.
    return "shrinks" if max([_VALUE[stage.miss], *values]) <= _VALUE["next"] else "either"


def _relisted(stage: Stage, direction: Direction, left: Sequence[RuleSet], right: Sequence[RuleSet]) -> Effect:
    """Return what it does at a stage of an interface that other lists judge it."""
    old, new = ({judge.id: judge for judge in judges} for judges in (left, right))
    if old.keys() == new.keys() or (stage.match == "any" and stage.miss != "deny"):
        return "none"
    if stage.match == "first":
        return "either"
    came = [rule for key, judge in new.items() if key not in old for rule in judge.rules if rule.direction == direction]
    went = [rule for key, judge in old.items() if key not in new for rule in judge.rules if rule.direction == direction]
    if left and right:
        grows: Effect = "grows" if any(rule.allows for rule in came) else "none"
        shrinks: Effect = "shrinks" if any(rule.allows for rule in went) else "none"
        return joined(grows, shrinks)
    if any(rule.verdict == "accept" for rule in (*came, *went)):
        return "either"
    # Without a list packets go on.
    return "shrinks" if right else "grows"
