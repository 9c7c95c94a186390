"""Ways from the internet through load balancers that were not read, or of which not every target was read.

Such a way leads to every interface that a load balancer may have as a target. None of them is certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import FACETS_OF
from cloudseg.reach.entrance_ways import entering_for_unread
from cloudseg.reach.handovers import keeps_unread_targets
from cloudseg.reach.way_in import Through, WayIn
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.model import Estate, Forwarder, Interface
    from cloudseg.reach.way_in import WaysIn

__all__ = ["UnreadTargets", "any_of_unread_targets", "of_unread_targets", "through_unlisted"]

_FACET: Final = "load-balancers"


class UnreadTargets(NamedTuple):
    """A load balancer that may have targets nobody read.

    Attributes:
        forwarder: the load balancer.
        networks: where targets of it may stand; None for anywhere.
        ways: how the internet comes to them.
    """

    forwarder: Forwarder
    networks: frozenset[str | None] | None
    ways: tuple[WayIn, ...]

    def may_serve(self, interface: Interface) -> bool:
        """Tell whether an interface may be a target: it stands in the same network, or in one linked to it."""
        if interface.workload == self.forwarder.id or interface.provider != self.forwarder.provider:
            return False
        return self.networks is None or interface.network in self.networks


def through_unlisted(interface: Interface, estate: Estate) -> tuple[WayIn, ...]:
    """Return the way through a load balancer where nobody could list those of the interface's region.

    One that hands on packets under its clients' addresses leads to targets without a public address of their own.
    Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    """
    if _FACET not in FACETS_OF.get(interface.provider, frozenset()):
        return ()
    if estate.coverage.state(_FACET, interface.provider, interface.scope, interface.region) != "unread":
        return ()
    text = "through a load balancer that was not read"
    doubt = "the load balancers were not read: one that keeps its clients' addresses may lead here"
    return (WayIn(GLOBAL_UNICAST, ALL_TRAFFIC, certain=False, text=text, direct=False, doubt=doubt),)


def any_of_unread_targets(estate: Estate) -> bool:
    """Tell whether there is a load balancer that may hand on packets to targets that were not read."""
    return any(_is_one(forwarder, estate) for forwarder in estate.forwarders.values())


def of_unread_targets(estate: Estate, ways_to: Callable[[Interface], WaysIn]) -> tuple[UnreadTargets, ...]:
    """Return the load balancers that may have targets nobody read, with the ways through them.

    Those into which nothing comes from the internet are left out: they open nothing to it.

    Args:
        estate: where they are looked up.
        ways_to: returns the ways from the internet to a node, those through other load balancers left out.
    """
    linked = _linked(estate)
    found = [
        UnreadTargets(forwarder, _networks(forwarder, linked, estate), _ways_through(forwarder, estate, ways_to))
        for _, forwarder in sorted(estate.forwarders.items())
        if _is_one(forwarder, estate)
    ]
    return tuple(each for each in found if each.ways)


def _networks(forwarder: Forwarder, linked: frozenset[str | None], estate: Estate) -> frozenset[str | None] | None:
    owner = estate.workloads.get(forwarder.id)
    homes = frozenset(node.network for node in estate.interfaces_of(forwarder.id))
    homes = homes or frozenset((None if owner is None else owner.network,))
    if None in homes:
        return None
    return homes if homes.isdisjoint(linked) else homes | linked


def _linked(estate: Estate) -> frozenset[str | None]:
    """Return the networks that lead to others, by a peering or a transit gateway."""
    peered = frozenset(network for each in estate.peerings.values() if each.active for network in each.networks)
    return peered | {each.network for each in estate.transit_attachments.values() if each.active}


def _is_one(forwarder: Forwarder, estate: Estate) -> bool:
    # Where everything was read, what is left out has its reason.
    return keeps_unread_targets(forwarder) and not estate.read(_FACET, forwarder)


def _ways_through(forwarder: Forwarder, estate: Estate, ways_to: Callable[[Interface], WaysIn]) -> tuple[WayIn, ...]:
    name = forwarder.name or forwarder.own_id
    nodes = estate.interfaces_of(forwarder.id)
    way = WayIn(
        GLOBAL_UNICAST,
        ALL_TRAFFIC,
        certain=False,
        text=f"through {name}, of which not every target was read",
        direct=False,
        through=Through(frozenset((forwarder.id,)), forwarder.accepts),
        some_groups=frozenset(group for node in nodes for group in node.attached),
        doubt=f"not all targets of the load balancer {name} were read: it may lead here",
    )
    if not nodes:
        owner = estate.workloads.get(forwarder.id)
        return () if owner is not None and owner.internet_facing is False else (way,)
    upper, veiled, behind = entering_for_unread(nodes, forwarder, estate, ways_to)
    shown = (way._replace(clients=upper),) if upper else ()
    return (*shown, way._replace(clients=veiled, senders=behind)) if veiled and behind else shown
