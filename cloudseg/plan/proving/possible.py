"""What a proof takes for possible where something was not read, or nobody said what is needed.

Who may carry groups that were not read may carry each of the lists that a plan changes: a plan that takes from such a
list what it may have let through loses it. Lists of groups add up, so that each is tried alone: where none loses
anything by itself, none do together.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.intent import Allowance, IntentMatrix
from cloudseg.model import GroupRef
from cloudseg.model.edits import AddRule, RemoveRule, RemoveRuleSet
from cloudseg.segments import Segmentation
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Edit, Estate, Interface
    from cloudseg.remediations.demand import Demand

__all__ = ["Supposed", "asked_of", "supposed"]

_READ: Final = "whoever was read"
_MOST: Final = 200
"""So many memberships are tried. Where more are possible, the lists that change are to blame."""


class Supposed(NamedTuple):
    """An estate in which somebody carries what he may carry.

    Attributes:
        interface: qualified id of the interface.
        identity: what it is supposed to carry: a list, or a group.
        estate: the estate of that; None where there are too many to try, and this is the first that is not tried.
    """

    interface: str
    identity: str
    estate: Estate | None


def asked_of(demand: Demand, before: Estate) -> IntentMatrix | None:
    """Return what must go on passing beside what was observed: what is intended.

    Where nothing at all is known of who needs what, that is everything between interfaces that were read.

    Args:
        demand: what must go on passing.
        before: the estate before the plan.
    """
    if demand.given or demand.matrix is not None:
        return demand.matrix
    segments = Segmentation(members={_READ: tuple(sorted(before.interfaces))}, outside={}, unassigned=())
    everything = Allowance(sources=(_READ,), targets=(_READ,), traffic=ALL_TRAFFIC)
    return IntentMatrix(segments, (everything,), before.taken_at)


def supposed(before: Estate, changes: Sequence[Sequence[Edit]], demand: Demand) -> Iterator[Supposed]:
    """Yield the estates in which somebody whose groups were not read carries a list that a plan changes.

    Args:
        before: the estate before the plan.
        changes: the edits of each change, in order.
        demand: what must go on passing: who needs nothing of it loses nothing.
    """
    unread = [each for _, each in sorted(before.interfaces.items()) if each.attached_unread]
    if not unread:
        return
    if demand.given and demand.matrix is None:
        needing = {
            demand.ends[number].interface for ends in (demand.sources, demand.targets) for number in ends.tolist()
        }
        unread = [each for each in unread if each.id in needing]
    tried = 0
    for identity, lists in sorted(_changed(before, changes).items()):
        for each in unread:
            if identity in each.attached or all(not _near(each, before, name) for name in lists):
                continue
            estate = _with(before, each, identity)
            if all(each.id not in {own.id for own in estate.governed(estate.rule_sets[name])} for name in lists):
                continue
            tried += 1
            if tried > _MOST:
                yield Supposed(each.id, identity, None)
                return
            yield Supposed(each.id, identity, estate)


def _changed(before: Estate, changes: Sequence[Sequence[Edit]]) -> dict[str, list[str]]:
    """Return what lets somebody carry the lists that a plan changes, with these."""
    found: dict[str, dict[str, None]] = {}
    for edit in (edit for edits in changes for edit in edits):
        match edit:
            case AddRule(name) | RemoveRule(name) | RemoveRuleSet(name) if name in before.rule_sets:
                rules = before.rule_sets[name].rules
                if isinstance(edit, RemoveRule):
                    rules = tuple(rule for rule in rules if rule.id == edit.rule)
                elif isinstance(edit, AddRule):
                    rules = (edit.rule,)
                near = {peer.group for rule in rules for peer in rule.local if isinstance(peer, GroupRef)}
                for identity in (name, *sorted(near)):
                    found.setdefault(identity, {})[name] = None
            case _:
                pass
    return {identity: sorted(lists) for identity, lists in found.items()}


def _near(interface: Interface, estate: Estate, name: str) -> bool:
    """Tell whether a list stands where it may judge an interface at all."""
    own = estate.rule_sets[name]
    return own.provider == interface.provider and own.network in {None, interface.network}


def _with(estate: Estate, interface: Interface, identity: str) -> Estate:
    carrying = msgspec.structs.replace(interface, attached=interface.attached | {identity}, attached_unread=False)
    return dataclasses.replace(estate, interfaces={**estate.interfaces, interface.id: carrying})
