"""Which lists judge together: the lists whose rules an interface has all at once."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from cloudseg.model import Carries
from cloudseg.reach.passage import pipeline_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate, RuleSet

__all__ = ["companies_of", "union_stages"]


def union_stages(estate: Estate) -> frozenset[str]:
    """Return the stages in which every allowing rule counts, whatever its place."""
    return frozenset(
        stage.name
        for pipeline in estate.pipelines.values()
        for stage in (*pipeline.ingress, *pipeline.egress)
        if stage.match == "any" and stage.stateful and stage.miss == "deny"
    )


def companies_of(rule_sets: Iterable[RuleSet], estate: Estate) -> dict[str, list[frozenset[str]]]:
    """Return for each list that judges anything the smallest sets of lists that judge together with it.

    Interfaces that do not exist yet count as well, where a launch template or the like says what they will carry.
    """
    stages = union_stages(estate)
    found: dict[frozenset[str], None] = {}
    for interface in estate.interfaces.values():
        pipeline = pipeline_of(interface, estate)
        here = () if pipeline is None else dict.fromkeys(s.name for s in (*pipeline.ingress, *pipeline.egress))
        for stage in here:
            if stage in stages:
                found[frozenset([judge.id for judge in estate.judging(interface, stage)])] = None
    found |= dict.fromkeys(_launched(stages, frozenset(chain.from_iterable(found)), estate))
    by_list: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for company in sorted(found, key=lambda company: (len(company), sorted(company))):
        for name in company:
            # What holds in a smaller company holds in the larger one.
            if not any(smaller <= company for smaller in by_list[name]):
                by_list[name].append(company)
    doubtful = frozenset(interface.network for interface in estate.interfaces.values() if interface.attached_unread)
    for rule_set in rule_sets:
        unread = any(not estate.read(facet, rule_set) for facet in ("interfaces", "templates"))
        if unread or doubtful & {rule_set.network, None}:
            # An interface that was not read, or comes of a setting that was not, may carry this list and no other.
            by_list[rule_set.id] = [frozenset((rule_set.id,))]
    return by_list


def _launched(stages: frozenset[str], judging: frozenset[str], estate: Estate) -> Iterator[frozenset[str]]:
    """Yield which lists would judge an interface that a setting makes, of those that judge any today."""
    for groups in chain.from_iterable(template.companies for template in estate.templates.values()):
        lists = [estate.rule_sets[group] for group in groups & judging]
        for stage in stages:
            yield frozenset(each.id for each in lists if each.stage == stage and each.applies == Carries(each.id))
