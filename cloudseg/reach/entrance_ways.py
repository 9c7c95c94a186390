"""Ways from the internet to an interface through entrances in front of it, load balancers among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.handovers import handovers_to
from cloudseg.reach.let_out import LetOut, let_out
from cloudseg.reach.naming import named_traffic
from cloudseg.reach.packets import Box, addresses_of, intersect
from cloudseg.reach.passage import find_passage
from cloudseg.reach.way_in import Through, WayIn, WaysIn
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC, GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cloudseg.model import Entrance, Estate, Forward, Forwarder, Interface

__all__ = ["by_balancer", "by_entrance", "entering_for_unread"]


class _Entering(NamedTuple):
    """Who gets into the nodes of a load balancer from the internet.

    Attributes:
        lower: addresses of clients that certainly do.
        upper: those that do at most.
        veiled: addresses of entrances that nodes see in place of their clients, at most.
        behind: who sends through these.
    """

    lower: AddressSet
    upper: AddressSet
    veiled: AddressSet
    behind: AddressSet


class _Handing(NamedTuple):
    """Which nodes of a load balancer hand on to a target what comes by an entrance.

    Attributes:
        nodes: those that certainly do.
        doubts: why the others do so at most, in words.
    """

    nodes: tuple[Interface, ...]
    doubts: tuple[str, ...]


def by_entrance(entrance: Entrance) -> WaysIn:
    """Return the way through an entrance, whatever stands before it."""
    if entrance.active is False:
        return WaysIn(blocked=(f"{entrance.label} is not active",))
    seen = entrance.straight or entrance.clients == ALL_ADDRESSES
    way = WayIn(
        entrance.clients & GLOBAL_UNICAST if seen else entrance.clients,
        entrance.traffic,
        certain=entrance.active is True and entrance.certain_clients,
        text=f"through {entrance.label}",
        direct=False,
        senders=None if seen else entrance.senders & GLOBAL_UNICAST,
        some_groups=entrance.groups,
        entrance=entrance.id,
    )
    reasons = () if way.certain else (entrance.doubt or f"the state of {entrance.label} was not read",)
    return WaysIn((way,), (), reasons)


def by_balancer(
    entrance: Entrance, target: Interface, estate: Estate, ways_to: Callable[[Interface], WaysIn]
) -> WaysIn:
    """Return the way through a load balancer: for the clients that its own interfaces let in.

    Where it does not preserve its clients' addresses, the target's rules see those of its nodes. A rule that names a
    group of the nodes admits every client in both cases. Sources:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html and
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html

    Args:
        entrance: leads through the load balancer.
        target: stands behind it.
        estate: where the load balancer is looked up.
        ways_to: returns the ways from the internet to a node, those through other load balancers left out.
    """
    through = by_entrance(entrance)
    if not through.ways:
        return through
    before = Through(entrance.through, entrance.listens)
    through = through._replace(ways=tuple(way._replace(through=before) for way in through.ways))
    nodes = [i for owner in sorted(entrance.through) for i in estate.interfaces_of(owner) if i.id != target.id]
    if not nodes:
        reason = f"the interfaces of what is before {entrance.label} were not read"
        return WaysIn(tuple(way._replace(certain=False) for way in through.ways), (), (*through.unknown, reason))
    some = frozenset(group for node in nodes for group in node.attached)
    groups = frozenset(group for group in some if all(group in node.attached for node in nodes))
    through = through._replace(ways=tuple(way._replace(groups=groups, some_groups=some) for way in through.ways))
    listens = ALL_TRAFFIC if entrance.listens is None else entrance.listens
    each = {node.id: _into(node, ways_to(node), Box(entrance.senders, listens), estate) for node in nodes}
    entering = _together(each.values())
    if not entering.upper and not entering.behind:
        return WaysIn(blocked=(f"the internet does not reach the load balancer before {entrance.label}",))
    out = let_out(nodes, target, entrance.traffic, estate)
    if not out.upper:
        return WaysIn(blocked=(f"the rules of the load balancer before {entrance.label} let nothing out to it",))
    handing = _handing(nodes, target, entrance, estate)
    reached = tuple(node for node in handing.nodes if each[node.id].lower)
    if len(reached) < len(nodes):
        # Of a node that may hand nothing on nothing is certain: neither who comes to it nor what it lets out.
        entering = entering._replace(lower=_together(each[node.id] for node in reached).lower)
        out = LetOut(let_out(reached, target, entrance.traffic, estate).lower, out.upper)
    own = NO_ADDRESSES
    for node in reached:
        own |= node.addresses
    ways = tuple(one for way in _narrowed(through.ways, out) for one in _entered(way, entrance, entering, own))
    doubts: tuple[str, ...] = ()
    if not handing.nodes:
        doubts = tuple(f"whether {entrance.label} hands anything on is unknown: {doubt}" for doubt in handing.doubts)
    elif not reached:
        doubts = (f"whether the internet reaches the load balancer before {entrance.label} is unknown",)
    return WaysIn(ways, (), (*through.unknown, *doubts))


def entering_for_unread(
    nodes: Iterable[Interface], forwarder: Forwarder, estate: Estate, ways_to: Callable[[Interface], WaysIn]
) -> tuple[AddressSet, AddressSet, AddressSet]:
    """Return who gets into a load balancer from the internet, at most, with what it hands on to unread targets.

    Returns:
        the clients; the addresses of entrances that its nodes see in place of others; who sends through these.
    """
    heard = ALL_TRAFFIC if forwarder.accepts is None else forwarder.accepts
    found = _together(_into(node, ways_to(node), Box(ALL_ADDRESSES, heard), estate) for node in nodes)
    return found.upper, found.veiled, found.behind


def _handing(nodes: Iterable[Interface], target: Interface, entrance: Entrance, estate: Estate) -> _Handing:
    """Return which nodes certainly hand on what comes by an entrance, and what is unknown about the others.

    They certainly do so to targets that are healthy. To another one they send where none is left that is, and whether
    a target is healthy may not have been read. Source:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
    """
    handed = [
        each
        for forwarder, each in handovers_to(target, estate)
        if forwarder.id in entrance.through and _leads_by(each.forward, entrance)
    ]
    sure = {each.node.id for each in handed if each.node is not None and not each.doubts}
    doubts = tuple(dict.fromkeys(doubt for each in handed for doubt in each.doubts))
    return _Handing(tuple(node for node in nodes if node.id in sure), doubts or ("no node is known to send to it",))


def _leads_by(forward: Forward, entrance: Entrance) -> bool:
    """Tell whether what a load balancer sends is what comes by an entrance: that of one target group and port."""
    if forward.traffic != entrance.traffic:
        return False
    return entrance.listens is None or (forward.listens is not None and forward.listens <= entrance.listens)


def _entered(way: WayIn, entrance: Entrance, entering: _Entering, own: AddressSet) -> Iterator[WayIn]:
    """Yield a way through a load balancer for the clients that get into its nodes.

    Args:
        way: the way.
        entrance: leads through the load balancer.
        entering: who gets into its nodes.
        own: the addresses of nodes that certainly hand on what they get.
    """
    lower, upper = entering.lower, entering.upper
    sure = way.certain and bool(lower)
    if entrance.clients != ALL_ADDRESSES:
        way = way._replace(senders=upper | entering.behind)
        seen = way.clients & own if sure else NO_ADDRESSES
        if seen:
            yield way._replace(clients=seen)
        if rest := way.clients - seen:
            yield way._replace(clients=rest, certain=False)
        return
    if upper:
        yield way._replace(clients=lower if sure else upper, certain=sure)
    if sure and (more := upper - lower):
        yield way._replace(clients=more, certain=False)
    if entering.behind:
        yield way._replace(clients=entering.veiled, senders=entering.behind, certain=False)


def _narrowed(ways: Iterable[WayIn], out: LetOut) -> list[WayIn]:
    """Return ways as far as load balancers let out what comes by them."""
    parts = ((out.lower, True), (out.upper - out.lower, False))
    return [way._replace(traffic=part, certain=way.certain and sure) for way in ways for part, sure in parts if part]


def _into(node: Interface, found: WaysIn, sent: Box, estate: Estate) -> _Entering:
    """Return who gets into a node of a load balancer with what is handed on to targets.

    Args:
        node: the load balancer's interface.
        found: the ways from the internet to it.
        sent: what is handed on, of whom.
        estate: where lists are looked up.
    """
    veiled = behind = NO_ADDRESSES
    shown = found._replace(ways=tuple(way for way in found.ways if way.shows_clients))
    packets = find_passage(node, shown, "", estate).packets
    for way in found.ways:
        if way.senders is None:
            continue
        hidden = find_passage(node, found._replace(ways=(way,)), "", estate).packets
        by_address = any(box.traffic.overlaps(sent.traffic) for box in hidden.upper)
        named = named_traffic(node, way.some_groups, estate) if way.some_groups else NO_TRAFFIC
        if by_address or (named & way.traffic).overlaps(sent.traffic):
            veiled, behind = veiled | way.clients, behind | (way.senders & sent.addresses)
    lower, upper = (addresses_of(intersect(bound, sent)) for bound in packets)
    return _Entering(lower, upper, veiled, behind)


def _together(each: Iterable[_Entering]) -> _Entering:
    """Return who gets into any of some nodes."""
    lower = upper = veiled = behind = NO_ADDRESSES
    for one in each:
        lower, upper = lower | one.lower, upper | one.upper
        veiled, behind = veiled | one.veiled, behind | one.behind
    return _Entering(lower, upper, veiled, behind)
