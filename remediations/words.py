"""What changes are called, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.findings import peer_text
from cloudseg.model import ANYONE, shown_id
from cloudseg.model.edits import (
    AddEndpoint,
    AddFlowLog,
    AddRule,
    AddRuleSet,
    Attach,
    CreateGroup,
    Detach,
    Edit,
    RemoveGroup,
    RemoveRule,
    RemoveRuleSet,
    SetLabel,
    SetPublicAccess,
)

if TYPE_CHECKING:
    from cloudseg.model import Estate, Rule
    from cloudseg.remediations.interface import Change

__all__ = ["change_text", "edit_text", "rule_text"]


def change_text(change: Change, estate: Estate | None = None) -> str:
    """Return a change in one short line: ``add to sg-db: ingress tcp/5432 from sg-app``.

    Where a resource stands at several places, the line is about the resource: its first edit tells all of them.

    Args:
        change: the change.
        estate: where names are looked up, and what rules say that are taken away; None for own ids alone.
    """
    return edit_text(change.edits[0], estate)


def rule_text(rule: Rule, estate: Estate | None = None) -> str:
    """Return a rule in words: ``ingress tcp/5432 from sg-app``; a denial begins with ``deny``."""
    word = "from" if rule.direction == "ingress" else "to"
    deny = "" if rule.allows else "deny "
    near = ""
    if rule.local != ANYONE:
        near = f" {'to' if rule.direction == 'ingress' else 'from'} {peer_text(rule.local, estate)}"
    first = "" if rule.priority is None else f" at priority {rule.priority}"
    return f"{deny}{rule.direction} {rule.traffic} {word} {peer_text(rule.remote, estate)}{near}{first}"


def edit_text(edit: Edit, estate: Estate | None = None) -> str:  # noqa: C901 - a line for each kind of edit
    """Return an edit in one short line.

    Args:
        edit: the edit.
        estate: where names are looked up, and what rules say that are taken away; None for own ids alone.
    """
    match edit:
        case AddRule(rule_set, rule):
            where = f"add {_own(rule.resource)}" if rule.resource else f"add to {_own(rule_set)}"
            return f"{where}: {rule_text(rule, estate)}"
        case RemoveRule(rule_set, rule):
            return _removal(rule_set, rule, estate)
        case AddRuleSet(rule_set):
            return f"create list {_own(rule_set.id)}"
        case RemoveRuleSet(rule_set):
            return f"remove list {_own(rule_set)}"
        case CreateGroup(group):
            return f"create group {_own(group.id)}"
        case RemoveGroup(group):
            return f"remove group {_own(group)}"
        case Attach(interface, identity):
            return f"attach {_own(identity)} to {_own(interface)}"
        case Detach(interface, identity):
            return f"detach {_own(identity)} from {_own(interface)}"
        case SetLabel(interface, key, value):
            verb = f"set label {key}={value} of" if value is not None else f"remove label {key} of"
            return f"{verb} {_own(interface)}"
        case SetPublicAccess(service, public, sources):
            return f"{'limit' if public else 'close'} public access of {_own(service)}" + (
                f" to {sources}" if public else ""
            )
        case AddEndpoint(endpoint):
            return f"add endpoint {_own(endpoint.id)} to {endpoint.service}"
        case AddFlowLog(flow_log):
            return f"add flow log {_own(flow_log.id)} of {_own(flow_log.target)}"


def _own(identifier: str) -> str:
    return shown_id(identifier)


def _removal(rule_set: str, rule: str, estate: Estate | None) -> str:
    """Return in words that a rule goes: what it says where that is known, else its id."""
    known = None if estate is None else estate.rule_sets.get(rule_set)
    found = next((each for each in known.rules if each.id == rule), None) if known is not None else None
    if found is None:
        return f"remove from {_own(rule_set)}: {rule}"
    where = f"remove {_own(found.resource)}" if found.resource else f"remove from {_own(rule_set)}"
    return f"{where}: {rule_text(found, estate)}"
