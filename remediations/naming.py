"""Names for what remedies make: they follow from what is made, so that the same input gives the same names."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.findings import normal_form
from cloudseg.model import qualified, scope_of

if TYPE_CHECKING:
    from cloudseg.model import Resource, Rule, RuleSet

__all__ = ["PREFIX", "name_for", "named", "new_id", "rule_name"]

PREFIX: Final = "cloudseg-"
_LENGTH: Final = 8


def name_for(*parts: str) -> str:
    """Return a name that follows from some texts: ``cloudseg-`` and eight hexadecimal digits."""
    return PREFIX + sha256("\x1f".join(parts).encode()).hexdigest()[:_LENGTH]


def rule_name(rule_set: str, rule: Rule) -> str:
    """Return the id of a new rule of a list, which follows from what the rule says and not from its description.

    Args:
        rule_set: the list, by the provider's own id, so that it is the same wherever the list stands.
        rule: the rule, whatever its id.
    """
    return name_for(rule_set, normal_form(rule), str(rule.priority))


def named(rule_set: RuleSet, rule: Rule, replaced: Rule | None = None) -> Rule:
    """Return a rule with the id that its provider would give it in a list, as far as that follows from what it says.

    In NSGs ids begin with the direction, and in firewall policies of Google Cloud they are the priority. A VPC firewall
    rule is a resource of its own, beside the one that it replaces.

    Args:
        rule_set: the list in which it is new.
        rule: the rule, whatever its id.
        replaced: a rule of the list that it stands in for; None for the first of the list.
    """
    name = rule_name(rule_set.own_id, rule)
    if rule_set.provider == "azure":
        way = "inbound" if rule.direction == "ingress" else "outbound"
        return msgspec.structs.replace(rule, id=f"{way}/{name}", resource="")
    if rule_set.provider != "gcp":
        return msgspec.structs.replace(rule, id=name, resource="")
    beside = replaced or next(iter(rule_set.rules), None)
    if beside is not None and beside.resource:
        resource = f"{beside.resource.rpartition('/')[0]}/{name}"
        return msgspec.structs.replace(rule, id=f"{rule.direction}/{name}", resource=resource)
    return msgspec.structs.replace(rule, id=f"{rule.direction}/{rule.priority}", resource="")


def new_id(beside: Resource, name: str) -> str:
    """Return the qualified id of a new resource that stands in the same scope and region as another.

    Args:
        beside: the other one.
        name: the new one's own id.
    """
    region = beside.region if beside.provider == "aws" else None
    return qualified(beside.provider, scope_of(beside.id), name, region)
