"""Which policies of clusters a plan adds, changes or takes away, and their manifests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model.edits import AddRule, AddRuleSet, RemoveRule, RemoveRuleSet
from cloudseg.plan.manifests import manifest_of, manifest_path
from cloudseg.plan.values import ManifestInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, RuleSet
    from cloudseg.model.edits import Edit
    from cloudseg.plan.values import PlanEdit

__all__ = ["Policy", "policies_of"]

_FOR_A_TIME = "it is there only while the plan is applied: it goes before the other policies, and is deleted after them"


class Policy(NamedTuple):
    """A policy that a plan touches.

    Attributes:
        info: what the document says of it.
        text: the manifest; empty where there is none.
    """

    info: ManifestInfo
    text: str


def policies_of(edits: Iterable[PlanEdit], before: Estate, after: Estate) -> tuple[Policy, ...]:
    """Return the policies of clusters that a plan touches, in order.

    Args:
        edits: of the plan.
        before: the estate as it is.
        after: the estate after them.
    """
    touched: dict[str, list[str]] = {}
    made: dict[str, RuleSet] = {}
    for edit in edits:
        if edit.provider == "kubernetes":
            for change in edit.change:
                if name := _list_of(change):
                    touched.setdefault(name, []).append(edit.id)
                if isinstance(change, AddRuleSet):
                    made[name] = change.rule_set
    found: list[Policy] = []
    for name, ids in sorted(touched.items()):
        each = tuple(dict.fromkeys(ids))
        if name in after.rule_sets:
            found.append(_written(after.rule_sets[name], "", each, after))
        elif name in made:
            found.append(_written(made[name], _FOR_A_TIME, each, after))
        else:
            found.append(_gone(name, each, before))
    return tuple(found)


def _list_of(edit: Edit) -> str:
    match edit:
        case AddRule(rule_set) | RemoveRule(rule_set) | RemoveRuleSet(rule_set):
            return rule_set
        case AddRuleSet(rule_set):
            return rule_set.id
        case _:
            return ""


def _written(policy: RuleSet, special: str, edits: tuple[str, ...], estate: Estate) -> Policy:
    text, reason = manifest_of(policy, estate)
    if not text:
        return Policy(ManifestInfo(resource=policy.id, path="", sha256="", reason=reason, edits=edits), "")
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = manifest_path(policy)
    return Policy(ManifestInfo(resource=policy.id, path=path, sha256=digest, reason=special, edits=edits), text)


def _gone(name: str, edits: tuple[str, ...], before: Estate) -> Policy:
    known = before.rule_sets.get(name)
    where = "" if known is None or known.location is None else f" in {known.location.file}"
    reason = f"it is taken away: delete it{where}"
    return Policy(ManifestInfo(resource=name, path="", sha256="", reason=reason, edits=edits), "")
