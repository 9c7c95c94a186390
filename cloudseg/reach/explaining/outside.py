"""Ways between an interface and an address outside of the estate, as chains of links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import shown_id
from cloudseg.reach.explaining.firewall_doors import door_refs
from cloudseg.reach.explaining.rules import Other
from cloudseg.reach.explaining.walk import Walk
from cloudseg.reach.explaining.ways import ANYWHERE, ENDS, Approach, departing, route_links
from cloudseg.reach.leaving import leaves, lets_out
from cloudseg.reach.pairs.paths import AT_MOST, NEVER, SURELY
from cloudseg.reach.way_in import may_start_beside
from cloudseg.traffic import GLOBAL_UNICAST, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Family
    from cloudseg.reach.explaining.ends import Face
    from cloudseg.reach.explaining.link import Link
    from cloudseg.reach.explaining.walks import Walker
    from cloudseg.reach.roads.leg import Handing, Leg
    from cloudseg.reach.ways import WayIn, WaysIn
    from cloudseg.traffic import AddressSet

__all__ = ["from_outside", "out_by", "to_outside"]


def to_outside(walker: Walker, source: Face, addresses: AddressSet) -> list[Walk]:
    """Return the ways from an address of the estate to one outside: one, or several of which one is taken."""
    found = departing(source.interface, addresses, walker.estate)
    return [out_by(walker, source, addresses, approach) for approach in found]


def out_by(walker: Walker, source: Face, addresses: AddressSet, out: Approach) -> Walk:
    """Return one way from an address of the estate to one outside."""
    linker, leg, interface = walker.linker, out.leg, source.interface
    there = Other(addresses, None, leg is None or leg.end in ANYWHERE)
    who = str(addresses)
    links = linker.stateful(interface, "egress", there, who)
    links += linker.boundary(interface, "egress", there, who)
    if bool(source.addresses.v4) != bool(addresses.v4):
        family = "IPv4" if addresses.v4 else "IPv6"
        reason = f"{interface.shown_id} has no {family} address"
        links.append(linker.blocking("route", f"addresses of {interface.shown_id}", reason, interface.id))
    links += walker.way(source, out)
    if leg is not None and leg.needs_public and out.level > NEVER:
        if links[-1].kind == "gateway" and links[-1].lower == linker.traffic:
            links.pop()
        links.append(_public(walker, source, leg))
    if leg is None:
        links += linker.answers(interface, "ingress", there, who, "client", "maybe")
    else:
        for point in leg.checkpoints:
            links += linker.checkpoint(point, *walker.at(point, source, there, who))
        if leg.seen_as is not None:
            links.append(walker.returned(leg.seen_as, source))
        links += walker.answers_by(leg, None, source, (there, who))
    run = walker.run(links)
    place = ENDS["unknown" if leg is None else leg.end]
    if leg is not None and leg.end == "private" and addresses <= GLOBAL_UNICAST:
        # Where a network leads without routes of its own, the internet is among the places.
        place = "outside of the estate"
    end = linker.passing("delivered", f"{who} is {place}")
    return Walk(source.addresses, addresses, (*links, end), run.lower, run.upper, seen_by_source=(there,))


def _public(walker: Walker, source: Face, leg: Leg) -> Link:
    """Return the link of an internet gateway: it lets out what has a public address."""
    interface, linker = source.interface, walker.linker
    family: Family = 4 if source.addresses.v4 else 6
    public = leaves(interface, family, walker.estate)
    gateway = leg.hops[-1].target if leg.hops else None
    text = f"{shown_id(gateway or 'the way to the internet')} lets out what has a public address"
    if public:
        lower, upper = (lets_out(interface, family, certain=sure) & linker.traffic for sure in (True, False))
        reason = "" if lower == linker.traffic else f"under an address that is lent only {lower} leaves"
        return linker.passing("gateway", text, gateway or "")._replace(lower=lower, upper=upper, reason=reason)
    if public is None:
        doubt = f"whether {interface.shown_id} has a public address was not read"
        most = lets_out(interface, family, certain=False) & linker.traffic
        return linker.doubtful("gateway", text, (doubt,), gateway or "")._replace(upper=most)
    return linker.blocking(
        "gateway", text, f"{interface.shown_id} has no public {source.family} address", gateway or ""
    )


def from_outside(
    walker: Walker, addresses: AddressSet, faces: Sequence[Face], ways: WaysIn, *, direct: bool = False
) -> list[Walk]:
    """Return the ways from an address outside to an interface, each of which is there.

    Args:
        walker: walks.
        addresses: the address outside.
        faces: the addresses of the interface.
        ways: its ways in from the internet. What comes by a load balancer is the load balancer's own.
        direct: only at public addresses of the interface, over the internet.
    """
    own = [way for way in ways.unbalanced if way.direct or not direct]
    if not direct:
        ways = ways._replace(unknown=(*ways.unknown, *_doubts(ways)))
    same = [face for face in faces if bool(face.addresses.v4) == bool(addresses.v4)]
    walks = [_shown(walker, addresses, face, ways._replace(ways=tuple(own)), direct=direct) for face in same]
    if not same:
        walks.append(_unlike(walker, addresses, faces[0]))
    if addresses.overlaps(GLOBAL_UNICAST):
        hidden = [way for way in own if not way.shows_clients and way.clients]
        walks += [_hidden(walker, addresses, face, way) for way in hidden for face in _families(faces)]
    return walks


def _doubts(ways: WaysIn) -> tuple[str, ...]:
    """Return why it is not known whether somebody comes by what was not read."""
    unread = "whether an entrance that was not read leads here is not known"
    return tuple(dict.fromkeys(way.doubt or unread for way in ways.unseen if not way.balanced))


def _families(faces: Sequence[Face]) -> list[Face]:
    return list({face.family: face for face in reversed(faces)}.values())


def _unlike(walker: Walker, addresses: AddressSet, face: Face) -> Walk:
    family = "IPv4" if addresses.v4 else "IPv6"
    reason = f"{face.interface.shown_id} has no {family} address"
    link = walker.linker.blocking("way-in", f"from {addresses}", reason, face.interface.id)
    return walker.walk(addresses, face, [link])


def _shown(walker: Walker, addresses: AddressSet, face: Face, ways: WaysIn, *, direct: bool) -> Walk:
    """Return the way of packets whose own source the rules of the target see."""
    linker = walker.linker
    taken = [way for way in ways.ways if way.shows_clients and (way.clients & GLOBAL_UNICAST).overlaps(addresses)]
    back = departing(face.interface, addresses, walker.estate)
    private = [
        each
        for each in back
        if not direct and each.level > NEVER and (each.leg is None or each.leg.end in {"private", *ANYWHERE})
    ]
    level = max((each.level for each in private), default=NEVER)
    lower, upper = NO_TRAFFIC, NO_TRAFFIC
    for way in taken:
        upper |= way.traffic
        lower |= way.traffic if way.certain else NO_TRAFFIC
    lower = linker.traffic if level == SURELY else lower & linker.traffic
    upper = linker.traffic if level >= AT_MOST else upper & linker.traffic
    link = _entering(walker, face, addresses, [way.text for way in taken], private, ways)
    if lower == upper:
        told = "" if lower == linker.traffic else f"only {lower} comes this way"
        link = link._replace(reason=told if upper else link.reason, doubts=())
    link = link._replace(lower=lower, upper=upper)
    seen = Other(addresses, None, _may_be_inside(back))
    links = [link, *_let_in(walker, face, seen, back[0])]
    return walker.walk(addresses, face, links)._replace(seen_by_target=(seen,))


def _may_be_inside(back: Sequence[Approach]) -> bool:
    """Tell whether answers may go to interfaces that were not read, which groups may have as members."""
    return any(each.level > NEVER and (each.leg is None or each.leg.end in ANYWHERE) for each in back)


def _let_in(walker: Walker, face: Face, seen: Other, back: Approach) -> list[Link]:
    """Return the links of what a target lets in and answers; what comes from a private place takes the way of answers.

    Args:
        walker: walks.
        face: the target.
        seen: who is seen to send.
        back: the way of the answers.
    """
    leg = back.leg
    linker, interface, who = walker.linker, face.interface, str(seen.addresses)
    points = () if leg is None or leg.needs_public or leg.seen_as is not None else leg.checkpoints
    asked = [(point, *walker.at(point, face, seen, who)) for point in points]
    links: list[Link] = []
    for point, others, text in reversed(asked):
        links += linker.checkpoint(point, others, text, back=True)
    links += linker.boundary(interface, "ingress", seen, who, _handed(back))
    links += linker.stateful(interface, "ingress", seen, who)
    links += linker.answers(interface, "egress", seen, who)
    for point, others, text in asked:
        links += linker.checkpoint(point, others, text, chain="client")
    return links


def _let_in_beside(walker: Walker, face: Face, seen: Other) -> list[Link]:
    """Return the links of what a target lets in from what may stand in its own subnet, where no boundary is met."""
    linker, interface, who = walker.linker, face.interface, str(seen.addresses)
    links = linker.boundary(interface, "ingress", seen, who, "maybe")
    links += linker.stateful(interface, "ingress", seen, who)
    return links + linker.answers(interface, "egress", seen, who, handed="maybe")


def _handed(back: Approach) -> Handing:
    """Return whether packets from where answers go are handed out in the target's own subnet."""
    leg = back.leg
    if leg is None:
        return "maybe" if back.level > NEVER else "no"
    inwards = leg.end in {"private", "service", *ANYWHERE} and not leg.needs_public
    return leg.returns or "no" if inwards else "no"


def _entering(
    walker: Walker, target: Face, addresses: AddressSet, texts: Sequence[str], private: Sequence[Approach], ways: WaysIn
) -> Link:
    """Return the link of the ways in, of which each counts; what comes by them is the caller's to say."""
    linker, interface = walker.linker, target.interface
    doubts = list(ways.unknown) if texts else []
    texts = list(texts)
    for approach in private:
        hops = ", ".join(hop.text for hop in route_links(linker, interface, approach) if hop.kind == "route")
        network = walker.estate.networks.get(interface.network or "")
        if network is not None and network.leads_out and not hops:
            texts.append(f"into {network.shown_id} from outside")
        else:
            texts.append(f"from where replies to {addresses} go{f' ({hops})' if hops else ''}")
        doubts.extend(approach.doubts)
    if texts:
        link = linker.passing("way-in", "; ".join(dict.fromkeys(texts)), interface.id, direction="ingress")
        return link._replace(reason="; ".join(dict.fromkeys(doubts)), doubts=tuple(dict.fromkeys(doubts)))
    reasons = list(ways.blocked) if addresses.overlaps(GLOBAL_UNICAST) else []
    if not reasons:
        back = departing(interface, addresses, walker.estate)[0]
        reasons = [back.reason or f"replies to {addresses} go {ENDS['unknown' if back.leg is None else back.leg.end]}"]
    text = f"no way in to {interface.shown_id} from {addresses}"
    return linker.blocking("way-in", text, f"{text}: {'; '.join(reasons)}", interface.id)


def _hidden(walker: Walker, addresses: AddressSet, face: Face, way: WayIn) -> Walk:
    """Return the way through an entrance whose own addresses the rules of the target see."""
    linker = walker.linker
    traffic = way.traffic & linker.traffic
    enter = linker.passing("way-in", way.text, face.interface.id, direction="ingress")
    lower = traffic if way.certain else NO_TRAFFIC
    enter = enter._replace(lower=lower, upper=traffic, rules=door_refs(way.entrance, walker.estate))
    if not way.certain:
        doubt = f"whether packets come {way.text} is not known"
        enter = enter._replace(reason=doubt, doubts=(doubt,))
    elif traffic != linker.traffic:
        enter = enter._replace(reason=f"only {traffic} comes {way.text}")
    text = f"the target sees {way.clients} in place of the source"
    parts = walker.cut(way.clients)
    others = [
        Other(part, None, grouped=False, groups=way.some_groups)
        for part in parts
        if bool(part.v4) == bool(face.addresses.v4)
    ]
    if not others:
        reason = f"{face.interface.shown_id} is not asked for under a {face.family} address"
        links = [enter, linker.blocking("translation", text, reason)]
        return walker.walk(addresses, face, links)
    beside = may_start_beside(way, face.interface, walker.estate)
    each: list[list[Link]] = []
    for other in others:
        back = departing(face.interface, other.addresses, walker.estate)
        seen = other._replace(grouped=_may_be_inside(back))
        if beside:
            each.append(_let_in_beside(walker, face, seen))
        else:
            each.append(_let_in(walker, face, seen, back[0]))
    block = walker.together(each)
    links = [enter, linker.passing("translation", text), *block.links]
    return walker.walk(addresses, face, links, block)._replace(seen_by_target=tuple(others))
