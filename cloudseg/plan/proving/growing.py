"""Where lists let more through in a state than before the plan: what has to be looked at along the ways."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.model import GroupRef
from cloudseg.model.edits import AddRule, AddRuleSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Edit, Estate, Interface, Rule
    from cloudseg.plan.proving.ledger import Ledger, Near
    from cloudseg.plan.proving.touched import Touched
    from cloudseg.plan.proving.unknowns import Variables
    from cloudseg.reach.pairs.rows import Band, Rows
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Beside", "Growth", "changed_cells", "grown", "named_beside", "total"]

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


class Growth(NamedTuple):
    """Interfaces at which lists may let more through than before.

    Attributes:
        near: the interfaces.
        cells: what, by word and column of the other end.
    """

    near: Near
    cells: Rows


def grown(ledger: Ledger, number: int, touched: Touched, variables: Variables) -> Iterator[Growth]:
    """Yield the touched interfaces at which lists may let more through in a state than before the plan.

    Args:
        ledger: what lists let through.
        number: the number of the state.
        touched: what the plan touches.
        variables: compares what is unknown in both.
    """
    for direction in _DIRECTIONS:
        for near in ledger.alike(touched.of(direction), direction, number):
            cells = changed_cells(ledger, number, near, variables)
            if cells is not None:
                yield Growth(near, cells)


def changed_cells(ledger: Ledger, number: int, near: Near, variables: Variables) -> Rows | None:
    """Return where lists may let more through than before, on ways of either kind; None for nowhere.

    Args:
        ledger: what lists let through.
        number: the number of the state.
        near: interfaces that are judged alike.
        variables: compares what is unknown in both.
    """
    name = near.names[0]
    old, new = (ledger.let_through(each, name, near.direction) for each in (0, number))
    parts: list[Rows] = []
    for grouped, before, after in ((True, old.grouped, new.grouped), (False, old.plain, new.plain)):
        if not grouped and old.plain is old.grouped and new.plain is new.grouped:
            continue
        cells: Rows = after.upper & ~before.lower
        unknown: Rows = cells & _between(before) & _between(after)
        if unknown.any():
            cells &= ~variables.settled(name, near.direction, unknown, grouped=grouped, growing=False)
        if cells.any():
            parts.append(cells)
    return np.bitwise_or.reduce(parts) if parts else None


def _between(band: Band) -> Rows:
    found: Rows = band.upper & ~band.lower
    return found


class _Handed:
    """Which groups whoever hands on packets to an interface carries.

    Args:
        estate: where load balancers and entrances are looked up.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._by_id: defaultdict[str, set[str]] = defaultdict(set)
        self._by_address: list[tuple[AddressSet, frozenset[str]]] = []
        for name, forwarder in sorted(estate.forwarders.items()):
            groups = self._of(name)
            for target in (each for forward in forwarder.forwards for each in forward.targets) if groups else ():
                if target.target is None:
                    self._by_address.append((target.address, groups))
                else:
                    self._by_id[target.target] |= groups
        keeping = (each.attached for each in estate.interfaces.values() if each.keeps_client)
        self._anywhere = frozenset(group for attached in keeping for group in attached)

    def _of(self, owner: str) -> frozenset[str]:
        return frozenset(group for node in self._estate.interfaces_of(owner) for group in node.attached)

    @cached_property
    def groups(self) -> frozenset[str]:
        """All such groups."""
        found = set(self._anywhere)
        for own in (*self._by_id.values(), *(groups for _, groups in self._by_address)):
            found |= own
        for entrance in self._estate.entrances.values():
            found |= entrance.groups
            for owner in entrance.through:
                found |= self._of(owner)
        return frozenset(found)

    def to(self, interface: Interface) -> frozenset[str]:
        """Return the groups of whoever hands on packets to an interface."""
        found = self._anywhere | self._by_id[interface.id] | self._by_id[interface.workload or ""]
        for addresses, groups in self._by_address:
            if addresses.overlaps(interface.addresses):
                found |= groups
        for entrance in self._estate.entrances_to(interface):
            found |= entrance.groups.union(*map(self._of, sorted(entrance.through)))
        return frozenset(found)


class Beside(NamedTuple):
    """Interfaces that a new rule lets more reach than those whose addresses and groups it names.

    Attributes:
        names: qualified ids, in order.
        traffic: what the rule lets in.
    """

    names: tuple[str, ...]
    traffic: Traffic


def named_beside(changes: Sequence[Sequence[Edit]], estate: Estate) -> Iterator[Beside]:
    """Yield interfaces that rules come to let be reached by naming a group of what hands on packets of others.

    There a rule that names the group may admit who comes, whatever address he bears.

    Args:
        changes: the edits of each change, in order.
        estate: the state in which the rules stand.
    """
    if not (estate.forwarders or estate.entrances or any(each.keeps_client for each in estate.interfaces.values())):
        return
    handed = _Handed(estate)
    for name, rule in (each for edits in changes for edit in edits for each in _added(edit)):
        named = {peer.group for peer in rule.remote if isinstance(peer, GroupRef)} & handed.groups
        held = estate.rule_sets.get(name)
        if not named or held is None or rule.direction != "ingress" or not rule.allows:
            continue
        names = tuple(each.id for each in estate.governed(held) if not named.isdisjoint(handed.to(each)))
        if names:
            yield Beside(names, rule.traffic)


def _added(edit: Edit) -> Iterator[tuple[str, Rule]]:
    match edit:
        case AddRule(name, rule):
            yield name, rule
        case AddRuleSet(rule_set):
            yield from ((rule_set.id, rule) for rule in rule_set.rules)
        case _:
            pass


def total(cells: Rows) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Return what some cells hold, whatever the other end, as words."""
    words: np.ndarray[tuple[int], np.dtype[np.uint64]] = np.bitwise_or.reduce(cells, axis=1)
    return words
