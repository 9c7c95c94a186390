"""Which changes bring a gain or a loss about, and which rule shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import GroupRef
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
from cloudseg.plan.proving.effects import belongs, stages_named
from cloudseg.reach.explaining.words import rule_text
from cloudseg.reach.packets import outside_addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Edit, Estate, Peer, Rule, RuleSet
    from cloudseg.plan.proving.touched import Touched
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Blame", "Ends", "Judge"]


class Ends(NamedTuple):
    """The ends of a gain or a loss: ids of interfaces, or addresses outside.

    Attributes:
        sources: interfaces that stand for those that send; empty for addresses outside.
        targets: the same of those that receive.
        outside: the addresses of the end that lies outside; None where both are inside.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    outside: AddressSet | None = None


class Blame(NamedTuple):
    """What brings something about.

    Attributes:
        places: of the changes, in order.
        rule: the rule that lets it through, or let it through, in words; empty where no single one does.
    """

    places: tuple[int, ...]
    rule: str


class Judge:
    """Says which changes of a plan bring something about.

    Args:
        before: the estate before the plan.
        changes: the edits of each change, in order.
        touched: what they touch.
    """

    def __init__(self, before: Estate, changes: Sequence[Sequence[Edit]], touched: Touched) -> None:
        self._before = before
        self._changes = changes
        self._touched = touched

    def of(self, ends: Ends, traffic: Traffic, place: int, estate: Estate, *, gain: bool) -> Blame:
        """Return what brings a gain or a loss about.

        Args:
            ends: its ends.
            traffic: what is gained or lost.
            place: after how many changes it is so.
            estate: the estate then.
            gain: it is a gain.
        """
        near = dict.fromkeys(
            number
            for name in (*ends.sources, *ends.targets)
            for number in self._touched.changes.get(name, ())
            if number < place
        )
        found: dict[int, None] = {}
        rules: dict[str, None] = {}
        for number in sorted(near):
            for edit in self._changes[number]:
                words = self._brought(edit, ends, traffic, estate, gain=gain)
                if words is not None:
                    found[number] = None
                    if words:
                        rules[words] = None
        # Where nothing tells, all at an end are to blame, and where packets pass by; where none is, all changes are.
        places = tuple(sorted(found)) or self._by_the_way(near, place) or tuple(range(place))
        return Blame(places, next(iter(rules), ""))

    def _by_the_way(self, near: Iterable[int], place: int) -> tuple[int, ...]:
        """Return changes at the ends of something, and those that packets between any ends may pass by."""
        passing = {number for name in self._touched.passing for number in self._touched.changes.get(name, ())}
        lists = {each.rule_set for each in self._touched.boundaries}
        for number, edits in enumerate(self._changes):
            if any(_list_of(edit) in lists for edit in edits):
                passing.add(number)
        return tuple(sorted(number for number in passing.union(near) if number < place))

    def _brought(self, edit: Edit, ends: Ends, traffic: Traffic, estate: Estate, *, gain: bool) -> str | None:
        """Return in words the rule by which an edit brings something about; None where it does not, empty for none."""
        match edit:
            case AddRule(name, rule):
                return self._by_rule(estate.rule_sets.get(name), rule, ends, traffic, estate, adds=rule.allows == gain)
            case RemoveRule(name, identifier):
                held = self._before.rule_sets.get(name)
                gone = None if held is None else next((each for each in held.rules if each.id == identifier), None)
                if held is None or gone is None:
                    return None
                # In an ordered list a rule that goes may unveil any other one.
                adds = gone.allows != gain or _may_unveil(held, gone, self._before)
                return self._by_rule(held, gone, ends, traffic, self._before, adds=adds)
            case AddRuleSet(rule_set) if not rule_set.rules and gain:
                return None
            case AddRuleSet(rule_set):
                return self._by_list(rule_set, ends, traffic, estate, gain=gain)
            case RemoveRuleSet(name):
                held = self._before.rule_sets.get(name)
                return None if held is None else self._by_list(held, ends, traffic, self._before, gain=not gain)
            case Attach(interface) | Detach(interface) | SetLabel(interface):
                return "" if interface in {*ends.sources, *ends.targets} else None
            case CreateGroup(group):
                return "" if self._before.references_to(group.id) else None
            case RemoveGroup(group):
                return "" if self._before.references_to(group) else None
            case _:
                return None

    def _by_rule(
        self, held: RuleSet | None, rule: Rule, ends: Ends, traffic: Traffic, estate: Estate, *, adds: bool
    ) -> str | None:
        if not adds or not rule.traffic.overlaps(traffic):
            return None
        near, far = (ends.targets, ends.sources) if rule.direction == "ingress" else (ends.sources, ends.targets)
        if held is not None:
            governed = {each.id for each in estate.governed(held)}
            if governed.isdisjoint(near):
                return None
        if not any(_may_name(peer, far, ends.outside, estate) for peer in rule.remote):
            return None
        return f"{rule_text(rule, estate)}" + (f" in {held.label}" if held is not None else "")

    def _by_list(self, rule_set: RuleSet, ends: Ends, traffic: Traffic, estate: Estate, *, gain: bool) -> str | None:
        governed = {each.id for each in estate.governed(rule_set)}
        if governed.isdisjoint((*ends.sources, *ends.targets)):
            return None
        if not gain:
            return f"{rule_set.label}, which isolates whom it selects"
        each = (self._by_rule(rule_set, rule, ends, traffic, estate, adds=rule.allows) for rule in rule_set.rules)
        return next((words for words in each if words is not None), "")


def _list_of(edit: Edit) -> str:
    match edit:
        case AddRule(name) | RemoveRule(name) | RemoveRuleSet(name):
            return name
        case AddRuleSet(rule_set):
            return rule_set.id
        case _:
            return ""


def _may_unveil(rule_set: RuleSet, rule: Rule, estate: Estate) -> bool:
    """Tell whether a rule that goes from an ordered list may leave its packets to one that lets them go further."""
    stages = stages_named(rule_set.stage, rule.direction, estate)
    return rule.verdict == "next" and any(stage.match == "first" for stage in stages)


def _may_name(peer: Peer, names: Sequence[str], outside: AddressSet | None, estate: Estate) -> bool:
    """Tell whether an end of a rule may name any of some interfaces, or addresses outside."""
    if isinstance(peer, GroupRef):
        return not names or any(
            belongs(peer.group, estate.interfaces[name], estate) or estate.interfaces[name].attached_unread
            for name in names
        )
    addresses = outside_addresses((peer,), estate)[1]
    if not names:
        return outside is None or outside.overlaps(addresses)
    return any(_bears(name, addresses, estate) for name in names)


def _bears(name: str, addresses: AddressSet, estate: Estate) -> bool:
    interface = estate.interfaces[name]
    own = interface.addresses | interface.public | interface.lent
    # A gateway on the way may lend it another one.
    return not interface.addresses or own.overlaps(addresses)
