"""The rule sets that checks go through, and the words in which several checks speak of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import GroupRef, unplaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.model import Estate, Peer, Resource, Rule, RuleSet, Stage
    from cloudseg.traffic import Traffic

__all__ = [
    "AllowingRules",
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

    What stands at a subnet's boundary (a network ACL) only narrows what these let in. What a cluster or a cloud does of
    its own accord is no list that anybody wrote.
    """
    return tuple(each for each in _in_stages(estate, ("interface", "subnet")) if each.managed_by != each.provider)


def _stages(estate: Estate) -> dict[str, Stage]:
    """Return the stages of all pipelines by their names."""
    pipelines = estate.pipelines.values()
    return {stage.name: stage for each in pipelines for stage in (*each.ingress, *each.egress)}


def _admitting(rule_set: RuleSet, stage: Stage) -> tuple[Rule, ...]:
    """Return the rules of a list that let anything through, and do not only hand it on to the lists behind."""
    if stage.match == "first" and stage.miss == "next":
        return tuple([rule for rule in rule_set.rules if rule.allows and not stage.hands_on(rule)])
    return tuple([rule for rule in rule_set.rules if rule.allows])


class AllowingRules:
    """The allowing rules of the lists that :func:`at_interfaces` returns, gathered once for all checks.

    Args:
        estate: where the lists are.

    Attributes:
        by_list: each list with its allowing rules, in their order; lists without any are left out.
    """

    def __init__(self, estate: Estate) -> None:
        stages = _stages(estate)
        found = ((each, _admitting(each, stages[each.stage])) for each in at_interfaces(estate))
        self.by_list: tuple[tuple[RuleSet, tuple[Rule, ...]], ...] = tuple(each for each in found if each[1])
        self._ends = frozenset([rule.remote for _, rules in self.by_list for rule in rules])

    def naming(self, wanted: Callable[[tuple[Peer, ...]], bool]) -> Iterator[tuple[RuleSet, tuple[Rule, ...]]]:
        """Yield the lists in which rules have certain other ends, with these rules.

        A hundred thousand rules share a few thousand ends, so each end is asked about once.
        """
        chosen = frozenset([end for end in self._ends if wanted(end)])
        for rule_set, rules in self.by_list if chosen else ():
            if found := tuple([rule for rule in rules if rule.remote in chosen]):
                yield rule_set, found


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
    groups = {unplaced(peer.group) for peer in rule.remote if isinstance(peer, GroupRef)}
    return rule_set.id in groups or any(isinstance(peer, GroupRef) and peer.group in groups for peer in rule.local)


def unused_words(rule_set: RuleSet) -> str:
    """Return that a list judges nobody, in the words of its provider."""
    if rule_set.provider == "azure":
        return "it stands at no subnet and no network interface"
    if rule_set.provider == "gcp":
        return "no instance is in its network"
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
