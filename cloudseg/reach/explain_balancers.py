"""Load balancers and the provider's plumbing as ends: what they take, what they open, and under whose address."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from cloudseg.model import ListRef
from cloudseg.reach.explain_rules import Other
from cloudseg.reach.explain_ways import approaches, are_near, route_links, ways_back
from cloudseg.reach.explain_words import called
from cloudseg.reach.handovers import Handovers
from cloudseg.reach.packets import Bounds, Box, outside_addresses, traffic_of
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.traffic import ALL_ADDRESSES, NO_TRAFFIC, AddressSet, IntervalSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate, Interface
    from cloudseg.reach.explain_ends import Face
    from cloudseg.reach.explain_link import Link
    from cloudseg.reach.explain_links import Linker
    from cloudseg.reach.explain_walk import Walk
    from cloudseg.reach.explain_walks import Walker
    from cloudseg.reach.handovers import Handover
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["by_clients", "by_service", "by_users", "clients_of", "parcels_between", "quiet", "received", "sent_on"]

_ESTATES = 4


@lru_cache(maxsize=_ESTATES)
def _handovers(estate: Estate) -> Handovers:
    return Handovers(estate)


def parcels_between(source: Interface, target: Interface, estate: Estate) -> tuple[Handover, ...] | None:
    """Return what a node of a load balancer hands to an interface; None where the source is none."""
    forwarder = estate.forwarders.get(source.workload or "")
    if forwarder is None:
        return None
    handed, _ = _handovers(estate).of(forwarder)
    return tuple(each for each in handed if each.node is source and each.target is target)


def quiet(linker: Linker, interface: Interface, estate: Estate) -> Link | None:
    """Return the link of an interface that opens no connections to anybody outside; None where it may."""
    if only_passes_on(interface):
        reason = f"{interface.own_id} passes packets of others on: it neither opens connections nor takes any"
        return linker.blocking("gateway", f"interface {interface.label} ({interface.role})", reason, interface.id)
    forwarder = estate.forwarders.get(interface.workload or "")
    if forwarder is None:
        return None
    name = called(forwarder.id, forwarder)
    reason = f"{name} opens connections to its targets alone"
    return linker.blocking("balancer", f"load balancer {name}", reason, forwarder.id)


def received(linker: Linker, interface: Interface, estate: Estate) -> Link | None:
    """Return the link of a target that takes what it listens to, or nothing; None for any other."""
    if only_passes_on(interface):
        return quiet(linker, interface, estate)
    forwarder = estate.forwarders.get(interface.workload or "")
    if forwarder is None:
        return None
    name = called(forwarder.id, forwarder)
    text = f"load balancer {name}"
    if forwarder.accepts is None:
        return linker.doubtful("balancer", text, (f"the listeners of {name} were not read",), forwarder.id)
    taken = forwarder.accepts & linker.traffic
    reason = "" if taken == linker.traffic else f"{name} listens to {forwarder.accepts} alone"
    link = linker.passing("balancer", text, forwarder.id)
    return link._replace(lower=taken, upper=taken, reason=reason)


def sent_on(
    linker: Linker, parcels: Sequence[Handover], source: Interface, target: Interface, estate: Estate
) -> Link | None:
    """Return the link of what a node sends to a target under its own address."""
    forwarder = estate.forwarders.get(source.workload or "")
    if forwarder is None:
        return None
    name = called(forwarder.id, forwarder)
    if not parcels:
        _, refused = _handovers(estate).of(forwarder)
        reasons = dict.fromkeys(each.reason for each in refused if each.node is source and each.target is target)
        reason = "; ".join(reasons) or f"{name} opens connections to its targets alone"
        return linker.blocking("balancer", f"load balancer {name}", reason, forwarder.id)
    lower = upper = NO_TRAFFIC
    doubts: dict[str, None] = {}
    for each in parcels:
        forward = each.forward
        sent = forward.checks | (forward.traffic if forward.keeps_client is not True else NO_TRAFFIC)
        upper |= sent
        doubts.update(dict.fromkeys(each.doubts))
        if forward.keeps_client is None:
            doubts["whether the target sees the clients' addresses was not read"] = None
        elif not each.doubts:
            lower |= sent
    names = ", ".join(dict.fromkeys(each.forward.name for each in parcels))
    text = f"load balancer {name} sends {upper} to its targets {names} under its own address"
    lower, upper = lower & linker.traffic, upper & linker.traffic
    reason = "; ".join(doubts) if lower != upper else "" if lower == linker.traffic else f"it sends {upper} alone"
    if not upper:
        reason = "it sends nothing of that under its own address"
    link = linker.passing("balancer", text, forwarder.id)
    return link._replace(lower=lower, upper=upper, reason=reason, doubts=tuple(doubts) if lower != upper else ())


def clients_of(reach: Reachability, node: str, *, certain: bool) -> AddressSet:
    """Return the addresses of all that reach a node of a load balancer, for sure or at most."""
    arriving = reach.arrivals(reach.number_of(node))
    columns, line = reach.ground.columns, reach.ground.line
    inside: NDArray[np.bool_] = np.any(arriving.inside.bound(certain=certain), axis=0)[columns.owner]
    outside: NDArray[np.bool_] = np.any(arriving.outside.bound(certain=certain), axis=0)
    positions = np.unique(np.concatenate((columns.positions(slice(0, columns.faces))[inside], np.flatnonzero(outside))))
    four: list[tuple[int, int]] = []
    six: list[tuple[int, int]] = []
    for run in np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1):
        first, last = (int(run[0]), int(run[-1]) + 1) if len(run) else (0, 0)
        for start, end in ((first, min(last, line.boundary)), (max(first, line.boundary), last)):
            if start < end:
                addresses = line.addresses(start, end)
                four.extend(addresses.v4.intervals)
                six.extend(addresses.v6.intervals)
    return AddressSet(IntervalSet.from_pairs(four), IntervalSet.from_pairs(six))


def by_clients(
    walker: Walker,
    source: Face,
    target: Face,
    parcels: Sequence[Handover],
    clients: Bounds,
    least: Traffic,
) -> Iterator[Walk]:
    """Yield the way from a node to a target that sees the clients' addresses.

    Args:
        walker: walks.
        source: the node.
        target: the target.
        parcels: what the node hands to it.
        clients: boxes of the clients that reach the node, for sure and at most.
        least: what certainly passes on any way: no more is certain on this one, for what network ACLs make of packets
            that bear somebody else's address is not worked out.
    """
    linker, estate = walker.linker, walker.estate
    kept = [each for each in parcels if each.forward.keeps_client is not False]
    if not kept:
        return
    lower = upper = NO_TRAFFIC
    for each in kept:
        upper |= each.forward.traffic
        lower |= each.forward.traffic if each.forward.keeps_client and not each.doubts else NO_TRAFFIC
    names = ", ".join(dict.fromkeys(each.forward.name for each in kept))
    name = called(source.interface.workload or "", estate.forwarders.get(source.interface.workload or ""))
    text = f"load balancer {name} sends {upper} on to its targets {names}"
    doubts = dict.fromkeys(doubt for each in kept for doubt in each.doubts)
    if any(each.forward.keeps_client is None for each in kept):
        doubts["whether the target sees the clients' addresses was not read"] = None
    hands = linker.passing("balancer", text, source.interface.workload or "")
    hands = hands._replace(lower=lower & linker.traffic, upper=upper & linker.traffic, reason="; ".join(doubts))
    links = [
        hands,
        *linker.stateful(source.interface, "egress", Other(target.addresses, target.interface), target.text),
    ]
    if not are_near(source.interface, target.interface):
        out = max(approaches(source.interface, target.interface, target.addresses, estate), key=lambda each: each.level)
        home = max(ways_back(target.interface, source, estate), key=lambda each: each.level)
        links += route_links(linker, source.interface, out)
        links += route_links(linker, target.interface, home, back=True)
    links.append(
        linker.passing("translation", "the target sees the clients that reach the load balancer", target.interface.id)
    )
    links += _let_in(linker, target.interface, clients, least)
    yield walker.walk(source.addresses, target, links)


def _let_in(linker: Linker, interface: Interface, senders: Bounds, least: Traffic) -> list[Link]:
    """Return the link of what the ingress lists of an interface admit of any of several senders."""
    left = linker.admitted(interface, senders)
    lower = traffic_of(left.lower) & linker.traffic & least
    upper = traffic_of(left.upper) & linker.traffic
    text = f"lists of {interface.label}, asked about all of these"
    reason = "" if lower == linker.traffic else "no list admits it from any of them" if not upper else ""
    doubts = ("which of these it comes from is not known",) if lower != upper else ()
    reason = reason or "; ".join(doubts)
    return [
        linker.passing("stage", text, interface.id, direction="ingress")._replace(
            lower=lower, upper=upper, reason=reason, doubts=doubts
        )
    ]


def by_users(walker: Walker, source: Face, target: Face) -> Walk:
    """Return the way of connections that an endpoint opens for users whose addresses they bear."""
    linker = walker.linker
    everybody = (Box(ALL_ADDRESSES, linker.traffic),)
    doubt = f"{source.interface.own_id} opens connections that bear the addresses of its users, which are not known"
    links = [
        linker.doubtful("translation", "the target sees the user", (doubt,), source.interface.id),
        *_let_in(linker, target.interface, Bounds(everybody, everybody), NO_TRAFFIC),
    ]
    return walker.walk(source.addresses, target, links)


def by_service(walker: Walker, addresses: AddressSet, target: Face) -> Iterator[Walk]:
    """Yield the ways from a service without interfaces of its own, which sends to its targets from listed addresses."""
    linker, estate = walker.linker, walker.estate
    for _, forwarder in sorted(estate.forwarders.items()):
        if not forwarder.seen_as:
            continue
        most = outside_addresses([ListRef(name) for name in sorted(forwarder.seen_as)], estate)[1]
        if not most.overlaps(addresses):
            continue
        handed, _ = _handovers(estate).of(forwarder)
        sent = NO_TRAFFIC
        for each in handed:
            sent |= each.forward.traffic if each.target is target.interface else NO_TRAFFIC
        if sent:
            text = f"from {called(forwarder.id, forwarder)}, which sends {sent} to its targets"
            doubt = "whether the service sends anything is its own affair"
            enter = linker.doubtful("balancer", text, (doubt,), forwarder.id)._replace(upper=sent & linker.traffic)
            boxes = (Box(addresses, linker.traffic),)
            links = [enter, *_let_in(linker, target.interface, Bounds(boxes, boxes), NO_TRAFFIC)]
            yield walker.walk(addresses, target, links)
