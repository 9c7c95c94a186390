"""What belongs to the estate before a plan, whatever the plan is: worked out once for all that is tried."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.reach.pairs.ground import Surveyed
from cloudseg.reach.screens import SCREEN, screened
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Estate, Family, Interface, RuleSet

__all__ = ["Known"]

_ASIDE: Final = frozenset(("rule_sets", "groups", "interfaces", "services"))
"""What of an estate may differ without another firewall on anybody's way: interfaces keep addresses and places."""


class Known:
    """What is known of the estate before a plan.

    Args:
        before: the estate.

    Attributes:
        before: the same.
    """

    def __init__(self, before: Estate) -> None:
        self.before = before
        self._narrowed: dict[Family | None, Estate] = {None: before}
        self._screened: dict[Family | None, Estate] = {}
        self._surveyed: dict[Family | None, Surveyed] = {}

    def screened(self, state: Estate, family: Family | None = None) -> Estate:
        """Return a state with the rules of its firewalls as lists, and with the addresses of one family alone.

        Args:
            state: the estate before the plan, or a later state of it.
            family: the family; None for both.
        """
        if state is self.before:
            return self._first(family)
        own = _of_family(state, family)
        first = self._first(family)
        if not _alike_but_lists(self._narrowed[family], own):
            return screened(own)
        walls = {name: each for name, each in first.rule_sets.items() if each.stage.startswith(SCREEN)}
        return _with(own, walls, first) if walls else own

    def surveyed(self, family: Family | None) -> Surveyed:
        """Return what the estate before the plan names."""
        found = self._surveyed.get(family)
        if found is None:
            found = self._surveyed[family] = Surveyed.of(self._first(family))
        return found

    def _first(self, family: Family | None) -> Estate:
        found = self._screened.get(family)
        if found is None:
            own = self._narrowed[family] = _of_family(self.before, family)
            found = self._screened[family] = screened(own)
        return found


def _with(state: Estate, walls: dict[str, RuleSet], first: Estate) -> Estate:
    return dataclasses.replace(state, rule_sets={**state.rule_sets, **walls}, pipelines=first.pipelines)


def _alike_but_lists(first: Estate, later: Estate) -> bool:
    """Tell whether routes lead alike in two estates, so that everybody's packets pass the same firewalls."""
    for field in dataclasses.fields(first):
        if field.name not in _ASIDE and getattr(first, field.name) is not getattr(later, field.name):
            return False
    if first.interfaces.keys() != later.interfaces.keys():
        return False
    return all(
        later.interfaces[name] is each or _stays(each, later.interfaces[name])
        for name, each in first.interfaces.items()
    )


def _stays(old: Interface, new: Interface) -> bool:
    """Tell whether an interface differs at most in what it carries."""
    return old == new or msgspec.structs.replace(new, attached=old.attached, labels=old.labels) == old


def _of_family(estate: Estate, family: Family | None) -> Estate:
    """Return an estate in which interfaces bear addresses of one family alone; who has none of it is not there."""
    if family is None:
        return estate
    interfaces = {
        name: _narrowed(interface, family)
        for name, interface in estate.interfaces.items()
        if not interface.addresses or (interface.addresses.v4 if family == 4 else interface.addresses.v6)
    }
    return dataclasses.replace(estate, interfaces=interfaces)


def _narrowed(interface: Interface, family: Family) -> Interface:
    return msgspec.structs.replace(
        interface,
        addresses=_part(interface.addresses, family),
        public=_part(interface.public, family),
        called=_part(interface.called, family),
        lent=_part(interface.lent, family),
        primary=_part(interface.primary, family),
    )


def _part(addresses: AddressSet, family: Family) -> AddressSet:
    return AddressSet(v4=addresses.v4) if family == 4 else AddressSet(v6=addresses.v6)
