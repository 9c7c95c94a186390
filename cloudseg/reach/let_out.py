"""What the own rules of load balancers let out to their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.explaining.rules import Lists, Other, in_turn, judge
from cloudseg.reach.near_ends import standing
from cloudseg.reach.passage import carries_unread, pipeline_of, stage_was_read
from cloudseg.traffic import ALL_ADDRESSES, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Interface, Stage

__all__ = ["LetOut", "let_out"]


class LetOut(NamedTuple):
    """What is let out, for sure and at most."""

    lower: Traffic
    upper: Traffic


def let_out(nodes: Iterable[Interface], target: Interface, traffic: Traffic, estate: Estate) -> LetOut:
    """Return what the stateful rules of any of some interfaces let out to another one.

    A network load balancer obeys its own egress rules, for its clients as for its health checks. Source:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    """
    lower = upper = NO_TRAFFIC
    # Of one whose address was not read it is one of its subnet's.
    seen = Other(standing(target, estate) or ALL_ADDRESSES, target)
    for node in nodes:
        least: list[tuple[Stage, Traffic, Traffic]] = []
        most: list[tuple[Stage, Traffic, Traffic]] = []
        pipeline = pipeline_of(node, estate)
        for stage in () if pipeline is None else pipeline.egress:
            judges = estate.judging(node, stage.name, "egress")
            if not stage.stateful:
                continue
            unread = carries_unread(node, estate) or not (judges or stage_was_read(stage, node, estate))
            if judges or unread:
                found = judge(Lists(stage, "egress", judges, node), seen, traffic, estate)
                if unread and stage.miss != "deny":
                    # A list that was not read may deny.
                    found = found._replace(lower=NO_TRAFFIC, accepted_lower=NO_TRAFFIC)
                if unread:
                    final = traffic if stage.opens_unread else found.accepted_upper
                    found = found._replace(upper=traffic, accepted_upper=final)
                least.append((stage, found.lower, found.accepted_lower))
                most.append((stage, found.upper, found.accepted_upper))
        lower, upper = lower | in_turn(least, traffic), upper | in_turn(most, traffic)
    return LetOut(lower, upper)
