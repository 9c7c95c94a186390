"""Changes to an estate as plain values, and the estate as it would be after them.

A remedy proposes edits, a proof compares the estate with and without them, a provider's writer turns the same edits
into API calls.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

import msgspec

from cloudseg.errors import EditError
from cloudseg.model.identity import Group
from cloudseg.model.peers import GroupRef
from cloudseg.model.rules import Rule, RuleSet
from cloudseg.model.services import Endpoint, FlowLog
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model.estate import Estate

__all__ = [
    "AddEndpoint",
    "AddFlowLog",
    "AddRule",
    "AddRuleSet",
    "Attach",
    "CreateGroup",
    "Detach",
    "Edit",
    "RemoveGroup",
    "RemoveRule",
    "RemoveRuleSet",
    "SetLabel",
    "SetPublicAccess",
    "apply_edits",
]


class AddRule(msgspec.Struct, frozen=True, tag="add-rule"):
    """Add a rule to a rule set; its id must be new there."""

    rule_set: str
    rule: Rule


class RemoveRule(msgspec.Struct, frozen=True, tag="remove-rule"):
    """Take a rule out of a rule set, by its id."""

    rule_set: str
    rule: str


class AddRuleSet(msgspec.Struct, frozen=True, tag="add-rule-set"):
    """Add a whole rule set, with its rules and its selector: a policy, an NSG."""

    rule_set: RuleSet


class RemoveRuleSet(msgspec.Struct, frozen=True, tag="remove-rule-set"):
    """Take a whole rule set away."""

    rule_set: str


class CreateGroup(msgspec.Struct, frozen=True, tag="create-group"):
    """Add a group. Where the provider's groups are rule sets too, its rule set is an edit of its own."""

    group: Group


class RemoveGroup(msgspec.Struct, frozen=True, tag="remove-group"):
    """Take a group away that nothing carries and no rule names."""

    group: str


class Attach(msgspec.Struct, frozen=True, tag="attach"):
    """Attach an identity to an interface: its rules judge the interface, and every grant that names it counts."""

    interface: str
    identity: str


class Detach(msgspec.Struct, frozen=True, tag="detach"):
    """Take an identity off an interface."""

    interface: str
    identity: str


class SetLabel(msgspec.Struct, frozen=True, tag="set-label"):
    """Set a label of an interface, or remove it with the value None. Selectors are evaluated again."""

    interface: str
    key: str
    value: str | None


class SetPublicAccess(msgspec.Struct, frozen=True, tag="set-public-access"):
    """Open or close the public endpoint of a service, or limit the addresses that it admits."""

    service: str
    public: bool
    sources: AddressSet


class AddEndpoint(msgspec.Struct, frozen=True, tag="add-endpoint"):
    """Add a private endpoint to a network."""

    endpoint: Endpoint


class AddFlowLog(msgspec.Struct, frozen=True, tag="add-flow-log"):
    """Record the flows of a network, a subnet or an interface."""

    flow_log: FlowLog


Edit = (
    AddRule
    | RemoveRule
    | AddRuleSet
    | RemoveRuleSet
    | CreateGroup
    | RemoveGroup
    | Attach
    | Detach
    | SetLabel
    | SetPublicAccess
    | AddEndpoint
    | AddFlowLog
)


def apply_edits(estate: Estate, edits: Iterable[Edit]) -> Estate:
    """Return the estate after the edits, applied in their order; the one handed in stays as it is.

    Raises:
        EditError: an edit names what is not there, or adds what already is.
    """
    draft = _Draft(estate)
    for edit in edits:
        draft.apply(edit)
    return draft.finished()


class _Draft:
    """An estate under change. Mappings are copied once; values are replaced, never altered."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._rule_sets = dict(estate.rule_sets)
        self._groups = dict(estate.groups)
        self._interfaces = dict(estate.interfaces)
        self._services = dict(estate.services)
        self._endpoints = dict(estate.endpoints)
        self._flow_logs = dict(estate.flow_logs)

    def finished(self) -> Estate:
        return dataclasses.replace(
            self._estate,
            rule_sets=self._rule_sets,
            groups=self._groups,
            interfaces=self._interfaces,
            services=self._services,
            endpoints=self._endpoints,
            flow_logs=self._flow_logs,
        )

    def apply(self, edit: Edit) -> None:
        match edit:
            case AddRule() | RemoveRule() | AddRuleSet() | RemoveRuleSet():
                self._change_rules(edit)
            case Attach() | Detach() | SetLabel():
                self._change_interface(edit)
            case CreateGroup(group):
                _put(self._groups, group.id, group)
            case RemoveGroup(group):
                self._remove_group(group)
            case SetPublicAccess(service, public, sources):
                before = _get(self._services, service)
                self._services[service] = msgspec.structs.replace(before, public=public, sources=sources)
            case AddEndpoint(endpoint):
                _put(self._endpoints, endpoint.id, endpoint)
            case AddFlowLog(flow_log):
                _put(self._flow_logs, flow_log.id, flow_log)

    def _change_rules(self, edit: AddRule | RemoveRule | AddRuleSet | RemoveRuleSet) -> None:
        match edit:
            case AddRule(rule_set, rule):
                before = _get(self._rule_sets, rule_set)
                if any(known.id == rule.id for known in before.rules):
                    raise EditError(f"cannot add rule {rule.id} to {rule_set}: it already has a rule of that id")
                self._rule_sets[rule_set] = msgspec.structs.replace(before, rules=(*before.rules, rule))
            case RemoveRule(rule_set, rule_id):
                before = _get(self._rule_sets, rule_set)
                left = tuple(known for known in before.rules if known.id != rule_id)
                if len(left) == len(before.rules):
                    raise EditError(f"cannot remove rule {rule_id}: {rule_set} has no such rule; {_AGAIN}")
                self._rule_sets[rule_set] = msgspec.structs.replace(before, rules=left)
            case AddRuleSet(rule_set):
                _put(self._rule_sets, rule_set.id, rule_set)
            case RemoveRuleSet(rule_set):
                _get(self._rule_sets, rule_set)
                del self._rule_sets[rule_set]

    def _change_interface(self, edit: Attach | Detach | SetLabel) -> None:
        before = _get(self._interfaces, edit.interface)
        match edit:
            case Attach(_, identity):
                if identity in before.attached:
                    raise EditError(f"cannot attach {identity}: {before.id} already carries it; {_AGAIN}")
                after = msgspec.structs.replace(before, attached=before.attached | {identity})
            case Detach(_, identity):
                if identity not in before.attached:
                    raise EditError(f"cannot detach {identity}: {before.id} does not carry it; {_AGAIN}")
                after = msgspec.structs.replace(before, attached=before.attached - {identity})
            case SetLabel(_, key, value):
                labels = {known: text for known, text in before.labels.items() if known != key}
                if value is not None:
                    labels[key] = value
                after = msgspec.structs.replace(before, labels=labels)
        self._interfaces[before.id] = after

    def _remove_group(self, group: str) -> None:
        _get(self._groups, group)
        carriers = [interface.id for interface in self._interfaces.values() if group in interface.attached]
        if carriers:
            raise EditError(f"cannot remove {group}: {min(carriers)} still carries it; detach it there first")
        naming = [rule_set.id for rule_set in self._rule_sets.values() if _names_group(rule_set, group)]
        if naming:
            raise EditError(f"cannot remove {group}: a rule of {min(naming)} names it; remove that rule first")
        del self._groups[group]


_AGAIN = "read the estate again and make a new plan"


def _names_group(rule_set: RuleSet, group: str) -> bool:
    return any(isinstance(peer, GroupRef) and peer.group == group for rule in rule_set.rules for peer in rule.remote)


V = TypeVar("V")


def _put(mapping: dict[str, V], key: str, value: V) -> None:
    if key in mapping:
        raise EditError(f"cannot add {key}: the estate already has it; {_AGAIN}")
    mapping[key] = value


def _get(mapping: dict[str, V], key: str) -> V:
    if key not in mapping:
        raise EditError(f"{key} is not in the estate; {_AGAIN}")
    return mapping[key]
