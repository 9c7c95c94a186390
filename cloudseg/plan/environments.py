"""Which environment an edit belongs to: the highest of those whose interfaces it concerns.

A list that development and production share is production's: whoever may change the one may not change the other. An
interface that nobody tagged may belong to the highest, so that an edit which concerns one belongs to none that can be
named, unless it concerns the highest anyway.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from cloudseg.model.edits import (
    AddEndpoint,
    AddFlowLog,
    AddRule,
    AddRuleSet,
    Attach,
    CreateGroup,
    Detach,
    RemoveGroup,
    RemoveRule,
    RemoveRuleSet,
    SetLabel,
    SetPublicAccess,
)
from cloudseg.plan.environment_names import ALIKE, DEFAULT_ORDER
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.segments import DEFAULT_LABELS, labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.model import Estate, Interface, Resource
    from cloudseg.model.edits import Edit

__all__ = ["Environments"]


class Environments:
    """Tells to which environment edits belong.

    Args:
        estate: the estate as it is.
        labels: which tags mean ``environment``; the first that is there counts.
        order: the environments, the lowest first.
    """

    def __init__(
        self,
        estate: Estate,
        labels: Mapping[str, Sequence[str]] = DEFAULT_LABELS,
        order: Sequence[str] = DEFAULT_ORDER,
    ) -> None:
        self._estate = estate
        self._labels = labels
        self._ranks = {name.casefold(): rank for rank, name in enumerate(order)}
        self._names = {name.casefold(): name for name in order}

    @cached_property
    def known(self) -> tuple[str, ...]:
        """The environments that tags of interfaces name, in order."""
        found = {self._of_interface(interface) for interface in self._estate.interfaces.values()}
        return tuple(sorted(found - {""}))

    def named(self, text: str) -> str:
        """Return the environment that a word stands for, as plans spell it."""
        word = text.strip().casefold()
        alike = ALIKE.get(word, word)
        return self._names.get(word) or self._names.get(alike) or word

    def of(self, edits: Iterable[Edit], beside: Iterable[Edit] = ()) -> str:
        """Return the highest environment that some edits concern; empty where tags do not tell.

        Args:
            edits: the edits.
            beside: edits that belong to them: whoever joins a new group by these is concerned by it.
        """
        asked = tuple(edits)
        joining: defaultdict[str, list[Interface]] = defaultdict(list)
        for edit in (*asked, *beside):
            if isinstance(edit, Attach) and edit.interface in self._estate.interfaces:
                joining[edit.identity].append(self._estate.interfaces[edit.interface])
        return self.highest({name for edit in asked for name in self._of_edit(edit, joining)})

    def at(self, interfaces: Iterable[Interface]) -> str:
        """Return the highest environment of some interfaces; empty where tags do not tell."""
        return self.highest({self._of_interface(each) for each in interfaces if not only_passes_on(each)})

    def highest(self, names: Iterable[str]) -> str:
        """Return the highest of some environments.

        Nobody knows where one stands that the order does not name, or what bears no tag: beside others it leaves open
        which the highest is, unless the highest of all is among them.
        """
        found = set(names)
        top = max(self._ranks, key=self._ranks.__getitem__, default="")
        if top and self._names[top] in found:
            return self._names[top]
        if len(found) == 1:
            return found.pop()
        ranked = [self._ranks.get(name.casefold()) for name in found]
        if not ranked or None in ranked:
            return ""
        return max(found, key=lambda name: self._ranks[name.casefold()])

    def _of_edit(self, edit: Edit, joining: Mapping[str, Sequence[Interface]]) -> set[str]:
        concerned = [each for each in self._concerned(edit, joining) if not only_passes_on(each)]
        if concerned:
            return {self._of_interface(each) for each in concerned}
        own = self._own(edit)
        return set() if own is None else {self._of_tags(own)}

    def _concerned(self, edit: Edit, joining: Mapping[str, Sequence[Interface]]) -> Iterable[Interface]:
        """Return the interfaces that an edit concerns: those that a list judges, those that bear what is changed."""
        estate = self._estate
        match edit:
            case AddRule(rule_set) | RemoveRule(rule_set) | RemoveRuleSet(rule_set):
                known = estate.rule_sets.get(rule_set)
                return (*(() if known is None else estate.governed(known)), *joining.get(rule_set, ()))
            case AddRuleSet(rule_set):
                return (*estate.governed(rule_set), *joining.get(rule_set.id, ()))
            case CreateGroup(group):
                return (*estate.selected(group.selector), *joining.get(group.id, ()))
            case RemoveGroup(group):
                return estate.members(group)
            case Attach(interface) | Detach(interface) | SetLabel(interface):
                return (estate.interfaces[interface],) if interface in estate.interfaces else ()
            case SetPublicAccess(service):
                return estate.interfaces_of(service)
            case AddEndpoint(endpoint):
                return estate.interfaces_in(endpoint.network)
            case AddFlowLog(flow_log):
                return self._recorded(flow_log.target)

    def _recorded(self, target: str) -> Iterable[Interface]:
        estate = self._estate
        if target in estate.interfaces:
            return (estate.interfaces[target],)
        if target in estate.subnets:
            network = estate.subnets[target].network
            return [each for each in estate.interfaces_in(network) if each.subnet == target]
        return estate.interfaces_in(target)

    def _own(self, edit: Edit) -> Resource | None:
        """Return the resource whose own tags count where no interface is concerned."""
        estate = self._estate
        match edit:
            case AddRule(rule_set) | RemoveRule(rule_set) | RemoveRuleSet(rule_set):
                return estate.rule_sets.get(rule_set)
            case AddRuleSet(rule_set):
                return rule_set
            case CreateGroup(group):
                return group
            case RemoveGroup(group):
                return estate.groups.get(group)
            case SetPublicAccess(service):
                return estate.services.get(service)
            case AddEndpoint(endpoint):
                return estate.networks.get(endpoint.network)
            case AddFlowLog(flow_log):
                return estate.networks.get(flow_log.target) or estate.subnets.get(flow_log.target)
            case Attach() | Detach() | SetLabel():
                return None

    def _of_interface(self, interface: Interface) -> str:
        return self.named(labels_of(self._estate, interface, self._labels).environment or "")

    def _of_tags(self, resource: Resource) -> str:
        keys = self._labels.get("environment", ())
        return self.named(next((resource.tags[key] for key in keys if resource.tags.get(key)), ""))
