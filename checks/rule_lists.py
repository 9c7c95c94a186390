"""The rule sets that checks go through, and the words in which several checks speak of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import GroupRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate, Resource, Rule, RuleSet, Stage
    from cloudseg.traffic import Traffic

__all__ = [
    "at_boundaries",
    "at_interfaces",
    "counted",
    "managed",
    "named_resource",
    "names_itself",
    "shown",
    "shown_labels",
    "traffic_words",
    "unused_words",
]

_SHOWN = 5


def at_interfaces(estate: Estate) -> tuple[RuleSet, ...]:
    """Return the rule sets that judge packets at interfaces or in subnets, in order of their ids.

    What stands at a subnet's boundary (a network ACL) only narrows what these let in. What a cluster does of its own
    accord is no list that anybody wrote.
    """
    return tuple(each for each in _in_stages(estate, ("interface", "subnet")) if each.managed_by != "kubernetes")


def at_boundaries(estate: Estate) -> tuple[tuple[Stage, RuleSet], ...]:
    """Return the rule sets at the boundaries of subnets, each with its stage for ingress, in order of their ids."""
    stages = {
        stage.name: stage
        for pipeline in estate.pipelines.values()
        for stage in pipeline.ingress
        if stage.at == "subnet-boundary"
    }
    return tuple((stages[found.stage], found) for found in _in_stages(estate, ("subnet-boundary",)))


def _in_stages(estate: Estate, places: Sequence[str]) -> tuple[RuleSet, ...]:
    names = {
        stage.name
        for pipeline in estate.pipelines.values()
        for stage in (*pipeline.ingress, *pipeline.egress)
        if stage.at in places
    }
    return tuple(rule_set for _, rule_set in sorted(estate.rule_sets.items()) if rule_set.stage in names)


def names_itself(rule_set: RuleSet, rule: Rule) -> bool:
    """Tell whether a group stands at both ends of a rule: its own list's, or one that is named at the near end too."""
    groups = {peer.group for peer in rule.remote if isinstance(peer, GroupRef)}
    return rule_set.id in groups or any(isinstance(peer, GroupRef) and peer.group in groups for peer in rule.local)


def unused_words(rule_set: RuleSet) -> str:
    """Return that a list judges nobody, in the words of its provider."""
    if rule_set.provider == "azure":
        return "it stands at no subnet and no network interface"
    return "no interface carries it"


def named_resource(resource: Resource) -> str:
    """Return what to call a resource by its own id, which of Azure is too long to be read."""
    return resource.label if resource.provider == "azure" else resource.own_id


def managed(rule_set: RuleSet) -> tuple[str, ...]:
    """Return the evidence that a controller owns a rule set and would undo a change; nothing for the user's own."""
    return (f"managed by {rule_set.managed_by}: change it there",) if rule_set.managed_by else ()


def shown(names: Sequence[str], limit: int = _SHOWN) -> str:
    """Return the first few names in words, with a count of the rest: ``a, b and 3 more``."""
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def shown_labels(resources: Sequence[Resource], limit: int = _SHOWN) -> str:
    """Return the labels of the first few resources in words, with a count of the rest."""
    rest = len(resources) - limit
    names = ", ".join(resource.label for resource in resources[:limit])
    return f"{names} and {rest} more" if rest > 0 else names


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 interface``, ``1,024 addresses``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun}{'es' if noun.endswith('s') else 's'}"


def traffic_words(traffic: Traffic) -> str:
    """Return traffic as a sentence speaks of it: ``tcp/443``, ``all traffic``."""
    return "all traffic" if traffic.is_all else str(traffic)
