"""At whose ends the changes of a plan may decide anything, and in which direction."""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import ANYONE, GroupRef
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
from cloudseg.plan.proving.effects import changed_groups, stages_named
from cloudseg.reach.near_ends import concerned, standing
from cloudseg.reach.plumbing import only_passes_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Direction, Edit, Estate, Interface, Rule, RuleSet, Stage
    from cloudseg.plan.proving.states import Checkpoint

__all__ = ["Boundary", "Touched", "about_others", "touched_by"]

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


class Boundary(NamedTuple):
    """A list that changes and judges whatever passes through its subnets, in one direction.

    Attributes:
        rule_set: its id.
        stage: where it judges.
        direction: of the packets.
    """

    rule_set: str
    stage: Stage
    direction: Direction


class Touched(NamedTuple):
    """What the changes of a plan touch.

    Attributes:
        near: interfaces at which other rules may decide, or the same ones about others, by id in order: of packets in
            which directions.
        changes: the same by change: for each interface the places of the changes, in order.
        passing: those of the interfaces that pass on packets of others, between whatever ends, in order.
        boundaries: lists that change and judge what passes between whatever ends, each once.
    """

    near: Mapping[str, frozenset[Direction]]
    changes: Mapping[str, tuple[int, ...]]
    passing: Mapping[str, None] = MappingProxyType({})
    boundaries: tuple[Boundary, ...] = ()

    def of(self, direction: Direction) -> tuple[str, ...]:
        """Return the interfaces at which packets of a direction may be judged otherwise, in order of their ids."""
        return tuple(name for name, directions in self.near.items() if direction in directions)


def touched_by(before: Estate, changes: Sequence[Sequence[Edit]], checkpoints: Sequence[Checkpoint]) -> Touched:
    """Return what the changes of a plan touch.

    Args:
        before: the estate before the plan.
        changes: the edits of each change, in order.
        checkpoints: states of the plan, in order.
    """
    seeker = _Seeker((before, *(each.estate for each in checkpoints)))
    near: defaultdict[str, set[Direction]] = defaultdict(set)
    by_change: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for place, edits in enumerate(changes):
        for edit in edits:
            for name, direction in seeker.ends_of(edit):
                near[name].add(direction)
                by_change[name][place] = None
    each = ((name, before.interfaces[name]) for name in sorted(near))
    return Touched(
        {name: frozenset(near[name]) for name in sorted(near)},
        {name: tuple(by_change[name]) for name in sorted(by_change)},
        {name: None for name, interface in each if _passes_on(interface)},
        tuple(seeker.boundaries),
    )


class _Seeker:
    """Looks for the ends of edits, in whatever state they may have.

    Args:
        states: the states of the plan that are compared.
    """

    def __init__(self, states: Sequence[Estate]) -> None:
        self._states = states
        self._known: dict[str, tuple[str, ...]] = {}
        self._named: dict[str, tuple[tuple[str, Direction], ...]] = {}
        self.boundaries: dict[Boundary, None] = {}

    def ends_of(self, edit: Edit) -> Iterator[tuple[str, Direction]]:
        """Yield the ends at which an edit may change what is decided, with the direction of the packets."""
        match edit:
            case AddRule(rule_set, rule):
                yield from _towards(self._concerned(rule_set, (rule,)), rule.direction)
                self._note(rule_set, rule.direction)
            case RemoveRule(rule_set, identifier):
                known = self._known_as(rule_set, identifier)
                names = self._concerned(rule_set, known) if known else self._governed(rule_set)
                for direction in self._directions(known):
                    yield from _towards(names, direction)
                    self._note(rule_set, direction)
            case AddRuleSet(held):
                yield from self._both(self._governed(held.id, held))
                for direction in _DIRECTIONS:
                    self._note(held.id, direction)
            case RemoveRuleSet(name):
                yield from self._both(self._governed(name))
                for direction in _DIRECTIONS:
                    self._note(name, direction)
            case Attach(interface) | Detach(interface) | SetLabel(interface):
                yield from self._both((interface,))
                for group in self._moved(interface, edit):
                    yield from self._naming(group)
            case CreateGroup(group):
                yield from self._of_group(group.id)
            case RemoveGroup(group):
                yield from self._of_group(group)
            case _:
                pass

    def _both(self, names: Iterable[str]) -> Iterator[tuple[str, Direction]]:
        return ((name, direction) for name in names for direction in _DIRECTIONS)

    def _governed(self, name: str, held: RuleSet | None = None) -> tuple[str, ...]:
        """Return the interfaces that a list judges in any of the states."""
        if name not in self._known:
            found: dict[str, None] = {}
            for state in self._states:
                rule_set = state.rule_sets.get(name) or held
                if rule_set is not None:
                    found.update((each.id, None) for each in state.governed(rule_set))
            self._known[name] = tuple(found)
        return self._known[name]

    def _concerned(self, name: str, rules: Sequence[Rule]) -> tuple[str, ...]:
        """Return the interfaces that a list judges and any of some rules may concern, in any of the states.

        Rules for others concern whoever passes on packets of these.
        """
        if any(rule.local == ANYONE for rule in rules):
            return self._governed(name)
        return tuple(each for each in self._governed(name) if any(self._concerns(rule, each) for rule in rules))

    def _concerns(self, rule: Rule, name: str) -> bool:
        interface = self._states[0].interfaces[name]
        if _passes_on(interface) and about_others(rule, interface):
            return True
        own = standing(interface, self._states[0])
        return any(concerned(rule.local, state.interfaces[name], own, state) is not False for state in self._states)

    def _known_as(self, rule_set: str, rule: str) -> tuple[Rule, ...]:
        """Return the rules of an id in all states; one that stands in none of them came and went between two."""
        held = [state.rule_sets[rule_set] for state in self._states if rule_set in state.rule_sets]
        return tuple(each for own in held for each in own.rules if each.id == rule)

    def _directions(self, rules: Sequence[Rule]) -> tuple[Direction, ...]:
        found = {each.direction for each in rules}
        return tuple(direction for direction in _DIRECTIONS if not found or direction in found)

    def _note(self, rule_set: str, direction: Direction) -> None:
        """Note what a change of a list means to packets that pass by its place."""
        for state in self._states:
            held = state.rule_sets.get(rule_set)
            for stage in () if held is None else stages_named(held.stage, direction, state):
                if not stage.stateful:
                    self.boundaries[Boundary(rule_set, stage, direction)] = None

    def _moved(self, name: str, edit: Attach | Detach | SetLabel) -> tuple[str, ...]:
        """Return the groups that an interface joins or leaves in any of the states."""
        found: dict[str, None] = {}
        first, *others = self._states
        for state in others:
            found.update(dict.fromkeys(changed_groups(first.interfaces[name], state.interfaces[name], state)))
        if isinstance(edit, Attach | Detach):
            found[edit.identity] = None
        return tuple(found)

    def _naming(self, group: str) -> tuple[tuple[str, Direction], ...]:
        """Return the ends whose rules name a group."""
        if group not in self._named:
            found: dict[tuple[str, Direction], None] = {}
            for state in self._states:
                for rule_set, rule in state.references_to(group):
                    found.update(((name, rule.direction), None) for name in self._governed(rule_set.id))
            self._named[group] = tuple(found)
        return self._named[group]

    def _of_group(self, group: str) -> Iterator[tuple[str, Direction]]:
        members = {each.id: None for state in self._states for each in state.members(group)}
        members |= {each.id: None for state in self._states for each in state.carrying(group)}
        yield from self._both(members)
        yield from self._naming(group)
        for state in self._states:
            for name, held in state.rule_sets.items() if members else ():
                if any(isinstance(p, GroupRef) and p.group == group for rule in held.rules for p in rule.local):
                    yield from self._both(self._governed(name))


def _passes_on(interface: Interface) -> bool:
    return interface.forwards or only_passes_on(interface)


def about_others(rule: Rule, interface: Interface) -> bool:
    """Tell whether a rule may concern packets that an interface passes on, and not the interface itself.

    Google Cloud's targets are the machines whose interfaces they are, whatever packets pass there; ranges of
    destinations are about packets. Source: https://cloud.google.com/firewall/docs/firewalls#rule_assignment
    """
    if rule.local == ANYONE:
        return False
    targets = interface.provider == "gcp" and all(isinstance(peer, GroupRef) for peer in rule.local)
    return not targets


def _towards(names: Iterable[str], direction: Direction) -> Iterator[tuple[str, Direction]]:
    for name in names:
        yield name, direction
