"""Which proposals go together in one plan: no two may touch the same rule, nor need what the other takes away.

Edits that say the same are one: two proposals may need the same new group. What is taken away belongs to one proposal
alone, unless all of the other is part of it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cloudseg.model import GroupRef, shown_id
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Rule
    from cloudseg.model.edits import Edit
    from cloudseg.plan.candidates import Candidate

__all__ = ["Conflict", "Together", "together"]

Key: TypeAlias = tuple[str, ...]
_TIES: tuple[str, ...] = ("gcp", "kubernetes")
"""Clouds in whose lists rules may share a priority."""


class Conflict(NamedTuple):
    """A proposal that cannot go together with one that goes first.

    Attributes:
        candidate: the proposal.
        first: the one that goes first.
        about: what both are about, in words.
    """

    candidate: Candidate
    first: Candidate
    about: str


class Together(NamedTuple):
    """Proposals that go together.

    Attributes:
        kept: those that do, in order.
        part_of: those that say nothing that another does not say, each with the id of the other.
        conflicts: those that do not, and why.
    """

    kept: tuple[Candidate, ...]
    part_of: tuple[tuple[Candidate, str], ...]
    conflicts: tuple[Conflict, ...]


class _Claims(NamedTuple):
    """What a proposal takes for itself.

    Attributes:
        keys: what it changes, with the id of what it says of it: others may say the same.
        alone: what nobody else may change.
        needs: groups and lists that it refers to.
        takes: groups and lists that it takes away.
        changes: ids of its changes.
    """

    keys: dict[Key, str]
    alone: frozenset[Key]
    needs: frozenset[Key]
    takes: frozenset[Key]
    changes: frozenset[str]


def together(candidates: Sequence[Candidate]) -> Together:
    """Return which of some proposals go together: in their order each that fits to those before it."""
    kept: list[Candidate] = []
    part_of: list[tuple[Candidate, str]] = []
    conflicts: list[Conflict] = []
    taken = _Taken()
    for candidate in candidates:
        claims = _claims(candidate)
        whole = taken.holding(claims)
        if whole is not None:
            part_of.append((candidate, whole.id))
            continue
        met = taken.against(claims)
        if met is not None:
            conflicts.append(Conflict(candidate, *met))
            continue
        taken.add(candidate, claims)
        kept.append(candidate)
    return Together(tuple(kept), tuple(part_of), tuple(conflicts))


class _Taken:
    """What proposals took that go first."""

    def __init__(self) -> None:
        self._keys: dict[Key, tuple[Candidate, str]] = {}
        self._alone: dict[Key, Candidate] = {}
        self._needs: dict[Key, Candidate] = {}
        self._takes: dict[Key, Candidate] = {}
        self._by_change: defaultdict[str, list[tuple[Candidate, _Claims]]] = defaultdict(list)

    def add(self, candidate: Candidate, claims: _Claims) -> None:
        for key, content in claims.keys.items():
            self._keys.setdefault(key, (candidate, content))
        for known, keys in ((self._alone, claims.alone), (self._needs, claims.needs), (self._takes, claims.takes)):
            for key in keys:
                known.setdefault(key, candidate)
        for change in claims.changes:
            self._by_change[change].append((candidate, claims))

    def holding(self, claims: _Claims) -> Candidate | None:
        """Return a proposal that says all that is claimed; None where there is none."""
        first = next(iter(claims.changes), None)
        holders = () if first is None else self._by_change.get(first, ())
        return next((candidate for candidate, known in holders if claims.changes <= known.changes), None)

    def against(self, claims: _Claims) -> tuple[Candidate, str] | None:
        """Return a proposal that goes against what is claimed, and what both are about; None where there is none."""
        for key, content in sorted(claims.keys.items(), key=lambda item: item[0]):
            known = self._keys.get(key)
            if known is not None and (key in claims.alone or key in self._alone or known[1] != content):
                return known[0], _words(key)
        for keys, others in ((claims.needs, self._takes), (claims.takes, self._needs)):
            for key in sorted(keys):
                if key in others:
                    return others[key], _words(key)
        return None


def _claims(candidate: Candidate) -> _Claims:
    keys: dict[Key, str] = {}
    alone: set[Key] = set()
    needs: set[Key] = set()
    takes: set[Key] = set()
    new = {key for edit in candidate.edits for key in _made(edit)}
    for content, change in zip(candidate.contents, candidate.proposal.changes, strict=True):
        for edit in change.edits:
            for key in _keys(edit):
                # What a proposal makes and then takes away may be the same in another that makes it, too.
                keys.setdefault(key, content)
                if _takes_away(edit) and not _of_new(edit, new):
                    alone.add(key)
            needs.update(_needed(edit))
            takes.update(_removed(edit))
    return _Claims(keys, frozenset(alone), frozenset(needs - new), frozenset(takes), frozenset(candidate.contents))


def _keys(edit: Edit) -> Iterator[Key]:  # noqa: C901 - a line for each kind of edit
    """Yield what an edit changes."""
    match edit:
        case AddRule(rule_set, rule):
            yield "rule", rule_set, rule.id
            if rule.priority is not None and not rule_set.startswith(tuple(f"{name}:" for name in _TIES)):
                yield "priority", rule_set, rule.direction, str(rule.priority)
        case RemoveRule(rule_set, name):
            yield "rule", rule_set, name
        case AddRuleSet(rule_set):
            yield "list", rule_set.id
        case RemoveRuleSet(rule_set):
            yield "list", rule_set
        case CreateGroup(group):
            yield "group", group.id
        case RemoveGroup(group):
            yield "group", group
        case Attach(interface, identity) | Detach(interface, identity):
            yield "membership", interface, identity
        case SetLabel(interface, key):
            yield "label", interface, key
        case SetPublicAccess(service):
            yield "service", service
        case AddEndpoint(endpoint):
            yield "endpoint", endpoint.id
        case AddFlowLog(flow_log):
            yield "flow log", flow_log.id


def _takes_away(edit: Edit) -> bool:
    return isinstance(edit, RemoveRule | RemoveRuleSet | RemoveGroup | Detach | SetLabel | SetPublicAccess)


def _of_new(edit: Edit, new: set[Key]) -> bool:
    """Tell whether an edit takes away what its own proposal made."""
    return isinstance(edit, RemoveRule) and ("list", edit.rule_set) in new


def _made(edit: Edit) -> Iterator[Key]:
    match edit:
        case AddRuleSet(rule_set):
            yield "list", rule_set.id
        case CreateGroup(group):
            yield "group", group.id
        case _:
            pass


def _removed(edit: Edit) -> Iterator[Key]:
    match edit:
        case RemoveRuleSet(rule_set):
            yield "list", rule_set
        case RemoveGroup(group):
            yield "group", group
        case Detach(_, identity):
            # Whom a new rule names by it would no longer be let in.
            yield "carriers", identity
        case SetLabel(interface):
            # Any group of the same scope may select by labels.
            yield "labels", _scope(interface)
        case _:
            pass


def _needed(edit: Edit) -> Iterator[Key]:
    """Yield the groups and lists that must be there, with whoever carries them, for an edit to mean anything."""
    match edit:
        case AddRule(rule_set, rule):
            yield "list", rule_set
            yield from _named(rule)
        case RemoveRule(rule_set):
            yield "list", rule_set
        case AddRuleSet(rule_set):
            for rule in rule_set.rules:
                yield from _named(rule)
        case Attach(_, identity) | Detach(_, identity):
            yield "group", identity
            yield "list", identity
        case _:
            pass


def _named(rule: Rule) -> Iterator[Key]:
    for peer in (*rule.remote, *rule.local):
        if isinstance(peer, GroupRef):
            yield "group", peer.group
            yield "carriers", peer.group
            yield "labels", _scope(peer.group)


def _scope(name: str) -> str:
    """Return provider and scope of a qualified id."""
    return ":".join(name.split(":", 2)[:2])


def _words(key: Key) -> str:
    match key:
        case ("rule", rule_set, name):
            return f"the rule {name} of {shown_id(rule_set)}"
        case ("priority", rule_set, direction, priority):
            return f"the {direction} priority {priority} of {shown_id(rule_set)}"
        case ("membership", interface, identity):
            return f"whether {shown_id(interface)} carries {shown_id(identity)}"
        case ("label", interface, name):
            return f"the label {name} of {shown_id(interface)}"
        case ("carriers", identity):
            return f"who is let in as a carrier of {shown_id(identity)}"
        case ("labels", scope):
            return f"who is chosen by labels in {scope}"
        case _:
            return f"the {key[0]} {shown_id(key[1])}"
