"""What stands before a target and hands it connections under its clients' own addresses.

The target's rules see the client; one that names a group of the load balancer admits it all the same. The load
balancer's own rules let it out to the target, which no record of its own need show. Source:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.handovers import keeping_handovers

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface
    from cloudseg.traffic import Traffic

__all__ = ["Before", "before"]


class Before(NamedTuple):
    """What stands before a target.

    Attributes:
        nodes: the interfaces of load balancers that may hand it something.
        groups: the groups by which the target's rules may name them.
    """

    nodes: tuple[Interface, ...] = ()
    groups: frozenset[str] = frozenset()


def before(target: Interface, traffic: Traffic, estate: Estate) -> Before:
    """Return what may hand some traffic to a target under other addresses than its own.

    Args:
        target: the target.
        traffic: the traffic, as it arrives there.
        estate: the estate.
    """
    if not estate.forwarders and not estate.entrances:
        return _NOTHING
    nodes: dict[str, Interface] = {}
    groups: set[str] = set()
    for _, handover in keeping_handovers(target, estate):
        if handover.node is not None and handover.forward.traffic.overlaps(traffic):
            nodes[handover.node.id] = handover.node
    for entrance in estate.entrances_to(target):
        if entrance.active is not False and entrance.traffic.overlaps(traffic):
            groups |= entrance.groups
            nodes |= {each.id: each for owner in entrance.through for each in estate.interfaces_of(owner)}
    nodes.pop(target.id, None)
    for node in nodes.values():
        groups |= node.attached
    return Before(tuple(nodes[key] for key in sorted(nodes)), frozenset(groups))


_NOTHING = Before()
