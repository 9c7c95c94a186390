"""What rules admit because they name a group, whoever comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import GroupRef
from cloudseg.reach.passage import carries_unread, pipeline_of, stage_was_read
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface

__all__ = ["named_traffic"]


def named_traffic(interface: Interface, groups: frozenset[str], estate: Estate) -> Traffic:
    """Return what the stateful ingress rules of an interface that name one of some groups admit at most.

    It is worked out where one stage decides of which any rule may match; elsewhere it is everything.
    """
    pipeline = pipeline_of(interface, estate)
    stages = [stage for stage in (() if pipeline is None else pipeline.ingress) if stage.stateful]
    if len(stages) != 1 or stages[0].match != "any" or stages[0].miss != "deny":
        return ALL_TRAFFIC
    judges = estate.judging(interface, stages[0].name)
    if carries_unread(interface, estate) or not (judges or stage_was_read(stages[0], interface, estate)):
        return ALL_TRAFFIC
    found = NO_TRAFFIC
    for judge in judges:
        for rule in judge.rules:
            named = (peer.group for peer in rule.remote if isinstance(peer, GroupRef) and not peer.stale)
            if rule.direction == "ingress" and rule.allows and not groups.isdisjoint(named):
                found |= rule.traffic
    return found
