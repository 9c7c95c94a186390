"""Ways from outside through load balancers that keep their clients' addresses, as chains of links.

A packet takes two steps: to a node of the load balancer, which its groups judge by what clients send there, and from
the node to the target, whose lists are asked about the client. The chain is about the packet as it arrives at the
target: of the first step it tells whether anything comes that far which is handed on so. Sources:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Forward
from cloudseg.reach.explaining.answers import Running
from cloudseg.reach.explaining.outside import from_outside
from cloudseg.reach.explaining.rules import Other
from cloudseg.reach.explaining.ways import approaches, are_near, route_links, ways_back
from cloudseg.reach.explaining.words import called
from cloudseg.reach.handovers import keeping_handovers
from cloudseg.reach.pairs.parcels import keeps_unread_targets, lanes
from cloudseg.reach.way_in import through_unread
from cloudseg.reach.ways import find_ways_in
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.model import Estate, Interface
    from cloudseg.reach.explaining.ends import Face
    from cloudseg.reach.explaining.link import Link
    from cloudseg.reach.explaining.walk import Walk
    from cloudseg.reach.explaining.walks import Walker
    from cloudseg.reach.pairs.parcels import Lane
    from cloudseg.reach.way_in import WayIn
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["forwarded"]


class _Hand(NamedTuple):
    """What a node may hand to the target under its clients' addresses."""

    node: Interface
    name: str
    group: str
    lane: Lane
    sure: bool
    doubts: tuple[str, ...]


def forwarded(
    walker_for: Callable[[Traffic], Walker], addresses: AddressSet, faces: Sequence[Face], traffic: Traffic
) -> list[Walk]:
    """Return the ways from an address outside to an interface through load balancers that keep it.

    Args:
        walker_for: makes what walks, for the traffic that it asks about.
        addresses: the address outside.
        faces: the addresses of the interface.
        traffic: what is asked about, as it arrives there.
    """
    if not faces:
        return []
    walker = walker_for(traffic)
    hands = _hands(faces[0].interface, walker.estate)
    found = [walk for hand in hands for walk in _through(walker, walker_for, addresses, faces, hand)]
    ways = through_unread(find_ways_in(faces[0].interface, walker.estate), walker.estate)
    same = [face for face in faces if bool(face.addresses.v4) == bool(addresses.v4)]
    return found + [_unread(walker, addresses, face, way) for way in ways for face in same]


def _unread(walker: Walker, addresses: AddressSet, face: Face, way: WayIn) -> Walk:
    """Return the way through a load balancer of which no interface was read."""
    linker = walker.linker
    taken = way.traffic & linker.traffic if (way.clients & GLOBAL_UNICAST).overlaps(addresses) else NO_TRAFFIC
    doubt = "the interfaces of the load balancer were not read"
    enter = linker.doubtful("way-in", way.text, (doubt,), face.interface.id)
    enter = enter._replace(upper=taken, reason=doubt if taken else f"only {way.traffic} comes {way.text}")
    groups = frozenset(name for name in walker.estate.groups)
    seen = Other(addresses, None, grouped=False, groups=groups)
    links = [enter, *_let_in(walker, face, seen, near=False)]
    return walker.walk(addresses, face, links)._replace(seen_by_target=(seen,))


def _hands(target: Interface, estate: Estate) -> Iterator[_Hand]:
    for forwarder, each in keeping_handovers(target, estate):
        if each.node is not None:
            yield from _lanes(each.node, called(forwarder.id, forwarder), each.forward, each.doubts)
    for _, forwarder in sorted(estate.forwarders.items()):
        if keeps_unread_targets(forwarder):
            name = called(forwarder.id, forwarder)
            anything = Forward(name="", listens=None, traffic=ALL_TRAFFIC, keeps_client=None, cross_zone=None)
            for node in estate.interfaces_of(forwarder.id):
                if node.id != target.id:
                    yield from _lanes(node, name, anything, (f"not all targets of {name} were read",))


def _lanes(node: Interface, name: str, forward: Forward, doubts: tuple[str, ...]) -> Iterator[_Hand]:
    if forward.keeps_client is None:
        doubts = (*doubts, "whether the target sees the clients' addresses was not read")
    if forward.listens is None:
        doubts = (*doubts, f"which listeners of {name} lead there was not read")
    for lane in lanes(forward):
        yield _Hand(node, name, forward.name, lane, not doubts, doubts)


def _through(
    walker: Walker,
    walker_for: Callable[[Traffic], Walker],
    addresses: AddressSet,
    faces: Sequence[Face],
    hand: _Hand,
) -> Iterator[Walk]:
    forwarder = walker.estate.forwarders[hand.node.workload or ""]
    heard = ALL_TRAFFIC if hand.lane.heard is None else hand.lane.heard
    if forwarder.accepts is not None:
        heard &= forwarder.accepts
    if not heard:
        return
    before = walker_for(heard)
    both = {face.family for face in faces} & {node.family for node in walker.parts(hand.node)}
    ways = find_ways_in(hand.node, walker.estate)
    for entering in from_outside(before, addresses, before.parts(hand.node), ways):
        for face in faces:
            every = entering.seen_by_target or (Other(addresses, None, grouped=False),)
            seen = tuple(other for other in every if bool(other.addresses.v4) == bool(face.addresses.v4))
            nodes = [node for node in walker.parts(hand.node) if node.family == face.family]
            if seen and nodes:
                alone = len(both) == 1 and len(seen) == 1 and seen[0].addresses == addresses
                told = hand._replace(sure=hand.sure and alone)
                if len(both) > 1:
                    registered = "with which of its addresses the target is registered is not known"
                    told = told._replace(doubts=(*told.doubts, registered))
                yield _walk(walker, (entering, heard), told, (nodes[0], face), (addresses, seen))


def _walk(
    walker: Walker,
    first: tuple[Walk, Traffic],
    hand: _Hand,
    ends: tuple[Face, Face],
    who: tuple[AddressSet, tuple[Other, ...]],
) -> Walk:
    """Return the way of one address through one node.

    Args:
        walker: walks.
        first: the way to the node, and what clients send there.
        hand: what the node hands on.
        ends: the address of the node, and that of the target.
        who: the client, and whom the target sees.
    """
    (entering, heard), (node, face), (addresses, seen) = first, ends, who
    links = [*_first_step(walker, entering, heard, hand), _handing(walker, heard, hand)]
    links += _onward(walker, node, face)
    near = are_near(node.interface, face.interface, walker.estate)
    holds = near or any(
        each.leg is None or each.leg.ingress_groups
        for each in approaches(node.interface, face.interface, face.addresses, walker.estate)
    )
    # A rule that names a group of the load balancer admits its clients as well.
    asked = tuple(Other(other.addresses, node.interface if holds else None, grouped=holds) for other in seen)
    block = walker.together([_let_in(walker, face, other, near=near) for other in asked])
    walk = walker.walk(addresses, face, [*links, *block.links], block)
    return walk._replace(seen_by_target=asked)


def _first_step(walker: Walker, entering: Walk, heard: Traffic, hand: _Hand) -> Iterator[Link]:
    """Yield the links of the way to a node; each lets everything on where anything of what clients send passes it."""
    linker, running = walker.linker, Running(heard)
    *links, _ = entering.links
    for number, link in enumerate(links):
        lower, upper = running.lower, running.upper
        running.add(link)
        some = bool(link.upper & heard) and bool(running.upper or not upper)
        sure = bool(link.lower & heard) and bool(running.lower or not lower)
        text = f"to {hand.node.shown_id} of the load balancer {hand.name}, as {heard}: {link.text}"
        yield link._replace(
            # What is met here is the edge of the load balancer's subnet, not of the target's.
            kind="checkpoint" if link.kind == "boundary" else link.kind,
            text=link.text if number else text,
            lower=linker.traffic if sure else NO_TRAFFIC,
            upper=linker.traffic if some else NO_TRAFFIC,
            chain="",
            back=None,
        )


def _handing(walker: Walker, heard: Traffic, hand: _Hand) -> Link:
    """Return the link of a node: what it takes, and as what it hands that on."""
    linker, sent = walker.linker, hand.lane.sent
    to = f"its targets {hand.group}" if hand.group else "its targets"
    text = f"load balancer {hand.name} hands {heard} on to {to} as {sent}, under its clients' addresses"
    link = linker.passing("balancer", text, hand.node.workload or "")
    taken = sent & linker.traffic
    other = f"{hand.name} takes {heard} and hands it on as {sent}, so that only {sent} can arrive here: ask about that"
    reason = "" if taken == linker.traffic else other
    if not hand.sure:
        reason = "; ".join((*hand.doubts, *filter(None, (reason,))))
    return link._replace(
        lower=taken if hand.sure else NO_TRAFFIC, upper=taken, reason=reason, doubts=() if hand.sure else hand.doubts
    )


def _onward(walker: Walker, node: Face, face: Face) -> list[Link]:
    """Return the links between a node and a target but for the target's own lists."""
    linker, near = walker.linker, are_near(node.interface, face.interface, walker.estate)
    if near:
        return linker.stateful(node.interface, "egress", Other(face.addresses, face.interface), face.text)
    ways = approaches(node.interface, face.interface, face.addresses, walker.estate)
    out = max(ways, key=lambda each: each.level)
    home = max(ways_back(face.interface, node, walker.estate), key=lambda each: each.level)
    there = Other(face.addresses, face.interface, out.leg is None or out.leg.egress_groups)
    links = linker.stateful(node.interface, "egress", there, face.text)
    edges = linker.boundary(node.interface, "egress", there, face.text)
    edges += linker.answers(node.interface, "ingress", there, face.text)
    # What the edge of the node's subnet makes of packets that bear a client's address counts for certain verdicts only.
    links += [
        edge._replace(kind="checkpoint" if edge.kind == "boundary" else edge.kind, upper=linker.traffic, back=None)
        for edge in edges
    ]
    links += route_links(linker, node.interface, out)
    return links + route_links(linker, face.interface, home, back=True)


def _let_in(walker: Walker, face: Face, seen: Other, *, near: bool) -> list[Link]:
    """Return the links of what a target lets in and answers; in the node's own subnet no boundary is met."""
    linker, interface, who = walker.linker, face.interface, str(seen.addresses)
    if near:
        return linker.stateful(interface, "ingress", seen, who)
    links = linker.boundary(interface, "ingress", seen, who)
    links += linker.stateful(interface, "ingress", seen, who)
    return links + linker.answers(interface, "egress", seen, who)
