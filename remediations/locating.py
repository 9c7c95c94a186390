"""Where the estate holds what a finding is about: a list may stand at several places, and is one for its provider."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.findings import rule_info
from cloudseg.model import own_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Resource, Rule, RuleSet

__all__ = ["Locator", "Place"]

_KINDS = (
    "rule_sets", "groups", "networks", "subnets", "services", "endpoints", "endpoint_services", "interfaces",
    "workloads", "firewalls", "address_lists", "route_tables", "gateways", "peerings", "flow_logs",
    "transit_attachments", "transit_tables", "entrances", "forwarders", "templates",
)  # fmt: skip


class Place(NamedTuple):
    """One place where a rule stands.

    Attributes:
        rule_set: the list.
        rule: the rule; None where a finding is about the list alone.
    """

    rule_set: RuleSet
    rule: Rule | None


class Locator:
    """Finds what findings are about.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def rules(self, finding: Finding) -> tuple[Place, ...]:
        """Return every place of the rule that a finding is about, or of its list; none where it is about neither."""
        key = _key(finding.provider, finding.scope, finding.region, finding.resource.id)
        places: list[Place] = []
        for rule_set, own in self._bearers.get(key, ()):
            if finding.rule is None:
                places.append(Place(rule_set, own))
                continue
            rules = (own,) if own is not None else rule_set.rules
            wanted = (rule for rule in rules if _is(rule, finding))
            places.extend(Place(rule_set, rule) for rule in wanted)
        return tuple(places)

    def resources(self, finding: Finding) -> tuple[Resource, ...]:
        """Return everything of the estate that bears the id of the resource that a finding is about."""
        return self._resources.get(_key(finding.provider, finding.scope, finding.region, finding.resource.id), ())

    @cached_property
    def _bearers(self) -> Mapping[tuple[str, ...], tuple[tuple[RuleSet, Rule | None], ...]]:
        """Lists, and the rules that are resources by themselves, by the resource that findings name."""
        found: defaultdict[tuple[str, ...], list[tuple[RuleSet, Rule | None]]] = defaultdict(list)
        for _, rule_set in sorted(self._estate.rule_sets.items()):
            found[_key_of(rule_set)].append((rule_set, None))
            for rule in rule_set.rules:
                if rule.resource:
                    found[_key_of(rule_set.bearer(rule))].append((rule_set, rule))
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def _resources(self) -> Mapping[tuple[str, ...], tuple[Resource, ...]]:
        found: defaultdict[tuple[str, ...], list[Resource]] = defaultdict(list)
        for resource in self._each():
            found[_key_of(resource)].append(resource)
        return {key: tuple(each) for key, each in found.items()}

    def _each(self) -> Iterator[Resource]:
        for kind in _KINDS:
            known: Mapping[str, Resource] = getattr(self._estate, kind)
            yield from (known[name] for name in sorted(known))


def _is(rule: Rule, finding: Finding) -> bool:
    wanted = finding.rule
    return (
        wanted is not None and rule.direction == wanted.direction and rule.id == wanted.id and rule_info(rule) == wanted
    )


def _key(provider: str, scope: str, region: str, own: str) -> tuple[str, ...]:
    # Ids of AWS are unique in a region alone.
    return provider, scope, region if provider == "aws" else "", own


def _key_of(resource: Resource) -> tuple[str, ...]:
    return _key(resource.provider, resource.scope, resource.region, own_id(resource.id))
