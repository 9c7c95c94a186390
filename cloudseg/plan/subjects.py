"""What an edit is about: the provider's resource that it changes, and what is there before and after it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Resource, provider_of, scope_of, shown_id, unplaced
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
from cloudseg.remediations.words import rule_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.model import Estate, Rule, RuleSet
    from cloudseg.model.edits import Edit
    from cloudseg.traffic import AddressSet

__all__ = ["Subject", "Subjects", "kind_of"]

_AWS_PARTS = 4
_RANGES = 4


class Subject(NamedTuple):
    """What an edit is about.

    Attributes:
        resource: qualified id of the resource that is changed, without the place at which it stands.
        name: what people call it.
        region: the region, or ``global``.
        before: what is there now, in words; empty where nothing is.
        after: what is there afterwards, in words; empty where nothing is.
    """

    resource: str
    name: str
    region: str
    before: str
    after: str

    @property
    def provider(self) -> str:
        """The cloud."""
        return provider_of(self.resource)

    @property
    def scope(self) -> str:
        """Account, subscription, project or cluster."""
        return scope_of(self.resource)


class Subjects:
    """Tells what edits of a plan are about, by the estate as it is and what the plan itself adds to it.

    Args:
        estate: as it is.
        edits: all edits of the plan: what they add is known, too.
    """

    def __init__(self, estate: Estate, edits: Iterable[Edit]) -> None:
        self._estate = estate
        self._new: dict[str, Resource] = {}
        self._new_lists: dict[str, RuleSet] = {}
        for edit in edits:
            match edit:
                case CreateGroup(group):
                    # Where a group is a list as well, the list tells more.
                    self._new.setdefault(group.id, group)
                case AddRuleSet(rule_set):
                    self._new[rule_set.id] = self._new_lists[rule_set.id] = rule_set
                case AddEndpoint(endpoint):
                    self._new[endpoint.id] = endpoint
                case AddFlowLog(flow_log):
                    self._new[flow_log.id] = flow_log
                case _:
                    pass

    def of(self, edit: Edit) -> Subject:  # noqa: C901 - a line for each kind of edit
        """Return what an edit is about."""
        match edit:
            case AddRule(rule_set, rule):
                return self._rule(rule_set, rule, "", rule_text(rule, self._estate))
            case RemoveRule(rule_set, name):
                known = self._known_rule(rule_set, name)
                return self._rule(rule_set, known, name if known is None else rule_text(known, self._estate), "")
            case AddRuleSet(rule_set):
                return self._about(rule_set.id, "", self._list_words(rule_set))
            case RemoveRuleSet(rule_set):
                known_list = self._estate.rule_sets.get(rule_set)
                return self._about(rule_set, rule_set if known_list is None else self._list_words(known_list), "")
            case CreateGroup(group):
                return self._about(group.id, "", f"{group.kind} {group.name or shown_id(group.id)}")
            case RemoveGroup(group):
                return self._about(group, self.label(group), "")
            case Attach(interface, identity):
                return self._about(interface, "", f"carries {self.label(identity)}")
            case Detach(interface, identity):
                return self._about(interface, f"carries {self.label(identity)}", "")
            case SetLabel(interface, key, value):
                found = self._estate.interfaces.get(interface)
                old = None if found is None else found.labels.get(key)
                texts = ("" if text is None else f"{key}={text}" for text in (old, value))
                return self._about(interface, *texts)
            case SetPublicAccess(service, public, sources):
                known_service = self._estate.services.get(service)
                before = "" if known_service is None else _access(known_service.public, known_service.sources)
                return self._about(service, before, _access(public, sources))
            case AddEndpoint(endpoint):
                where = f"in {self.label(endpoint.network)}"
                return self._about(endpoint.id, "", f"{endpoint.type} endpoint to {endpoint.service} {where}")
            case AddFlowLog(flow_log):
                return self._about(flow_log.id, "", f"{flow_log.traffic} traffic of {self.label(flow_log.target)}")

    def _rule(self, rule_set: str, rule: Rule | None, before: str, after: str) -> Subject:
        # Of Google Cloud's firewall rules each is a resource of its own.
        found = self._estate.rule_sets.get(rule_set) or self._new_lists.get(rule_set)
        if found is None or rule is None:
            return self._about(rule_set, before, after)
        bearer = found.bearer(rule)
        return Subject(unplaced(bearer.id), bearer.label, bearer.region, before, after)

    def _about(self, identifier: str, before: str, after: str) -> Subject:
        found = self._find(identifier)
        region = _region(identifier) if found is None else found.region
        return Subject(unplaced(identifier), self.label(identifier), region, before, after)

    def _known_rule(self, rule_set: str, name: str) -> Rule | None:
        found = self._estate.rule_sets.get(rule_set) or self._new_lists.get(rule_set)
        return None if found is None else next((rule for rule in found.rules if rule.id == name), None)

    def label(self, identifier: str) -> str:
        """Return what people call a resource."""
        found = self._find(identifier)
        return shown_id(identifier) if found is None else found.label

    def _find(self, identifier: str) -> Resource | None:
        estate = self._estate
        kinds: tuple[Mapping[str, Resource], ...] = (
            self._new, estate.groups, estate.rule_sets, estate.interfaces, estate.services, estate.networks,
            estate.subnets, estate.endpoints, estate.flow_logs, estate.workloads,
        )  # fmt: skip
        return next((kind[identifier] for kind in kinds if identifier in kind), None)

    def _list_words(self, rule_set: RuleSet) -> str:
        rules = "; ".join(rule_text(rule, self._estate) for rule in rule_set.rules)
        alone = "" if rules else " that admits nothing" if rule_set.isolates else " without rules"
        return f"{rule_set.kind} {rule_set.name or shown_id(rule_set.id)}{alone}{': ' if rules else ''}{rules}"


def kind_of(edit: Edit) -> str:
    """Return what an edit does, as documents spell it: ``add-rule``."""
    return str(edit.__struct_config__.tag)


def _access(public: bool | None, sources: AddressSet) -> str:  # noqa: FBT001 - a value of the model
    if public is None:
        return "public access not known"
    if not public:
        return "closed to the internet"
    first, *rest = str(sources).split(", ")
    shown = [first, *rest[: _RANGES - 1]]
    more = f" and {len(rest) + 1 - len(shown):,} more ranges" if len(rest) >= _RANGES else ""
    return f"open to {', '.join(shown)}{more}"


def _region(identifier: str) -> str:
    parts = identifier.split(":", _AWS_PARTS - 1)
    return parts[2] if identifier.startswith("aws:") and len(parts) == _AWS_PARTS else "global"
