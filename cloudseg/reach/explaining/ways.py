"""The way between two ends as links of a chain: which route decides, what stands behind it, and the way of replies."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import shown_id
from cloudseg.reach.explaining.words import called, hop_text
from cloudseg.reach.outside import has_unseen
from cloudseg.reach.pairs.paths import AT_MOST, NEVER, SURELY
from cloudseg.reach.roads.legs import is_direct, legs_from, may_hand_out
from cloudseg.reach.ways import is_public

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Estate, Firewall, Interface
    from cloudseg.reach.explaining.ends import Face
    from cloudseg.reach.explaining.explanation import StepKind
    from cloudseg.reach.explaining.link import Link
    from cloudseg.reach.explaining.links import Linker
    from cloudseg.reach.roads.leg import Handing, Hop, Leg
    from cloudseg.traffic import AddressSet

__all__ = [
    "ANYWHERE",
    "ENDS",
    "Approach",
    "approaches",
    "are_near",
    "departing",
    "handing",
    "legs_of",
    "over_internet6",
    "proxied",
    "route_links",
    "ways_back",
]

ANYWHERE: Final = ("unread", "unknown")
"""Where interfaces may stand that were not read, and are members of groups."""
ENDS: Final = {
    "network": "inside of the estate",
    "internet": "out on the internet",
    "private": "in a private network outside of the estate",
    "unread": "in a network that was not read",
    "service": "at the service of an endpoint",
    "nowhere": "nowhere",
    "unknown": "at a place that is not known",
}
"""Where packets come out, in words."""


class Approach(NamedTuple):
    """One way to a destination.

    Attributes:
        leg: the leg; None where no route is known or there is none.
        level: how surely packets get there: ``NEVER``, ``AT_MOST`` or ``SURELY``.
        doubts: why it is not certain, in words.
        reason: why packets do not get there, in words.
    """

    leg: Leg | None
    level: int
    doubts: tuple[str, ...] = ()
    reason: str = ""


def are_near(one: Interface, other: Interface, estate: Estate) -> bool:
    """Tell whether two interfaces stand in one subnet, and packets between them meet no route and no boundary."""
    return one.subnet is not None and one.subnet == other.subnet and is_direct(one.subnet, estate)


def handing(leg: Leg | None, subnet: str | None, estate: Estate) -> Handing:
    """Return whether packets are handed out in the subnet of the interface that they are for.

    Args:
        leg: their way; None where it is not known.
        subnet: the subnet.
        estate: the estate.
    """
    if leg is None or leg.from_subnets is None:
        return "maybe" if may_hand_out(subnet, estate) else "no"
    return leg.handing(subnet)


def legs_of(interface: Interface, estate: Estate) -> tuple[Leg, ...] | None:
    """Return the legs of packets that an interface sends; None where its network was not read."""
    network = estate.networks.get(interface.network or "")
    return None if network is None else legs_from(estate.subnets.get(interface.subnet or ""), network, estate)


def approaches(source: Interface, target: Interface, addresses: AddressSet, estate: Estate) -> tuple[Approach, ...]:
    """Return the ways of packets to an address of an interface: what is certain decides alone, else any may.

    Args:
        source: who sends them.
        target: who bears the address.
        addresses: the address; several where it was not read which of them it is.
        estate: the estate.
    """
    legs = legs_of(source, estate)
    if legs is None:
        return (Approach(None, AT_MOST, (f"the network of {source.shown_id} was not read",)),)
    found = [_arriving(leg, target, addresses) for leg in legs if leg.addresses.overlaps(addresses)]
    return _decisive(found) or (Approach(None, NEVER, reason=_no_route(source, addresses, estate)),)


def proxied(source: Interface, target: Interface, addresses: AddressSet, estate: Estate) -> tuple[Approach, ...]:
    """Return the ways by which some packets may come under a firewall's own address beside those that certainly do not.

    What its rules for names let through it sends itself. Source:
    https://learn.microsoft.com/azure/firewall/snat-private-range
    """
    legs = [leg for leg in legs_of(source, estate) or () if leg.addresses.overlaps(addresses)]
    found = [_arriving(leg, target, addresses) for leg in legs]
    if not any(each.level == SURELY for each in found):
        return ()
    return tuple(
        each
        for leg, each in zip(legs, found, strict=True)
        if each.level == AT_MOST and leg.screens and leg.seen_as and not leg.astray
    )


def departing(source: Interface, addresses: AddressSet, estate: Estate) -> tuple[Approach, ...]:
    """Return the ways of packets to addresses outside of the estate."""
    legs = legs_of(source, estate)
    if legs is None:
        return (Approach(None, AT_MOST, (f"the network of {source.shown_id} was not read",)),)
    found = [_leaving(leg, estate) for leg in legs if leg.addresses.overlaps(addresses)]
    return _decisive(found) or (Approach(None, NEVER, reason=_no_route(source, addresses, estate)),)


def ways_back(target: Interface, source: Face, estate: Estate) -> tuple[Approach, ...]:
    """Return the ways of answers to an address of the source; an answer under another address is nobody's."""
    found = approaches(target, source.interface, source.addresses, estate)
    return tuple(
        each._replace(level=NEVER, reason="the answer would bear the address of a gateway, which nobody asked")
        if each.level == SURELY and each.leg is not None and each.leg.seen_as is not None
        else each
        for each in found
    )


def over_internet6(sender: Interface, taker: Face, estate: Estate, *, answers: bool) -> Approach | None:
    """Return the way over the internet between two global IPv6 addresses, which are the same there as inside.

    Args:
        sender: who sends.
        taker: who takes.
        estate: the estate.
        answers: these are answers, which an egress-only gateway does not let out.
    """
    if taker.family != "IPv6" or legs_of(sender, estate) is None:
        return None
    for each in departing(sender, taker.addresses, estate):
        leg = each.leg
        if leg is not None and leg.end == "internet" and (leg.needs_public or not answers):
            public = is_public(sender, 6, estate)
            limit = SURELY if public else AT_MOST if public is None else NEVER
            level = min(each.level, limit, _taken_in(taker.interface, estate))
            bare = leg._replace(egress_groups=False, ingress_groups=False, checkpoints=(), from_subnets=frozenset())
            bare = bare._replace(inspectors=frozenset())
            doubts = each.doubts or ("whether the internet leads there is not known",)
            return Approach(bare, level, doubts if level == AT_MOST else ()) if level > NEVER else None
    return None


def _taken_in(interface: Interface, estate: Estate) -> int:
    """Return how surely packets from the internet get to where an interface stands."""
    subnet = estate.subnets.get(interface.subnet or "")
    if subnet is None or subnet.internet_block in {"inbound", "ingress", "bidirectional"}:
        return NEVER
    served = [
        gateway.active
        for gateway in estate.gateways.values()
        if gateway.kind == "internet-gateway" and interface.network in gateway.networks
    ]
    level = max((NEVER if active is False else SURELY if active else AT_MOST for active in served), default=NEVER)
    return min(level, SURELY if subnet.internet_block == "off" else AT_MOST)


def _decisive(found: Sequence[Approach]) -> tuple[Approach, ...]:
    certain = [each for each in found if each.level == SURELY]
    if certain:
        return tuple(certain[:1])
    possible = tuple(each for each in found if each.level == AT_MOST)
    return possible or tuple(found[:1])


def _arriving(leg: Leg, target: Interface, addresses: AddressSet) -> Approach:
    if leg.end == "nowhere":
        return Approach(leg, NEVER, reason=leg.stopped)
    if leg.end not in {"network", "unknown"} and not (leg.end == "unread" and target.network in {leg.network, None}):
        return Approach(
            leg,
            NEVER,
            reason=f"packets to {addresses} come out {ENDS[leg.end].removeprefix('out ')}, not at {target.shown_id}",
        )
    doubts: list[str] = []
    if leg.end == "network":
        if target.network is not None:
            if target.network != leg.network:
                reason = (
                    f"packets to {addresses} stay in {shown_id(leg.network or '')}, and {target.shown_id} stands in "
                )
                return Approach(leg, NEVER, reason=reason + shown_id(target.network or ""))
        else:
            doubts.append(f"the network of {target.shown_id} was not read")
    if not addresses <= leg.addresses:
        doubts.append(f"which address {target.shown_id} has was not read")
    sure = leg.certain and leg.end == "network" and not doubts
    return Approach(leg, SURELY if sure else AT_MOST, tuple(dict.fromkeys((*leg.doubts, *doubts))))


def _leaving(leg: Leg, estate: Estate) -> Approach:
    if leg.end == "nowhere":
        return Approach(leg, NEVER, reason=leg.stopped)
    if leg.end == "network":
        name = shown_id(leg.network or "")
        if has_unseen(leg.network, estate):
            doubt = f"not every interface of {name} was read"
            return Approach(leg._replace(end="unread", certain=False), AT_MOST, (*leg.doubts, doubt))
        return Approach(leg, NEVER, reason=f"the address belongs to {name}, inside of the estate")
    sure = leg.certain and leg.end in {"internet", "private", "service"}
    return Approach(
        leg._replace(seen_as=None) if leg.astray else leg,
        SURELY if sure else AT_MOST,
        leg.doubts or (() if sure else (f"they come out {ENDS[leg.end]}",)),
    )


def _no_route(source: Interface, addresses: AddressSet, estate: Estate) -> str:
    subnet = estate.subnets.get(source.subnet or "")
    table = None if subnet is None else estate.route_table_of(subnet)
    place = shown_id(source.subnet or source.network or source.id)
    return f"no route from {place} to {addresses}" + ("" if table is None else f": {table.shown_id}")


def route_links(linker: Linker, source: Interface, approach: Approach, *, back: bool = False) -> list[Link]:
    """Return the links of a way: each deciding route and what it leads to, and what is not known where it belongs.

    Args:
        linker: makes the links.
        source: who sends the packets.
        approach: the way.
        back: it is the way of replies, which is told in one link.
    """
    hops = () if approach.leg is None else approach.leg.hops
    of_hops = [list(_hop_links(linker, hop)) for hop in hops]
    steps = [link for links in of_hops for link in links]
    if not steps:
        place = shown_id(source.subnet or source.network or source.id)
        steps = [linker.passing("route", f"routes of {place}", source.subnet or "")]
    if back:
        text = "replies: " + ", ".join(step.text for step in steps if step.kind == "route" or len(steps) == 1)
        steps = [steps[0]._replace(kind="return-route", text=text)]
    last = steps[-1]
    if approach.level == NEVER:
        by = f" ({hop_text(hops[-1])})" if hops else ""
        reason = f"{'replies have no way back: ' if back else ''}{approach.reason}{by}"
        steps[-1] = linker.blocking(last.kind, last.text, reason, last.place)
    elif approach.level == AT_MOST and (back or not hops):
        steps[-1] = linker.doubtful(last.kind, last.text, approach.doubts, last.place)
    elif approach.level == AT_MOST:
        ends = list(accumulate(map(len, of_hops)))
        for number, doubts in _where(hops, approach.doubts, linker.estate).items():
            link = steps[ends[number] - 1]
            steps[ends[number] - 1] = linker.doubtful(link.kind, link.text, doubts, link.place)
    return steps


def _where(hops: Sequence[Hop], doubts: Sequence[str], estate: Estate) -> dict[int, list[str]]:
    """Return the doubts by the number of the hop that each is about: the first that it names, else the last one."""
    walls = {endpoint: wall for wall in estate.firewalls.values() for endpoint in wall.endpoints}
    found: dict[int, list[str]] = {} if doubts else {len(hops) - 1: []}
    for doubt in doubts:
        named = (
            number
            for number, hop in enumerate(hops)
            if hop.target is not None and (_is_named(hop.target, doubt) or _is_about(doubt, walls.get(hop.target)))
        )
        found.setdefault(next(named, len(hops) - 1), []).append(doubt)
    return found


def _is_named(target: str, doubt: str) -> bool:
    return f" {shown_id(target)} " in f" {doubt.replace(',', ' ')} "


def _is_about(doubt: str, wall: Firewall | None) -> bool:
    return wall is not None and f"the firewall {wall.label}:" in doubt


def _hop_links(linker: Linker, hop: Hop) -> Iterator[Link]:
    """Yield the link of a hop, and one of the gateway that its route leads to."""
    kind: StepKind = "route" if hop.table in linker.estate.route_tables else "gateway"
    yield linker.passing(kind, hop_text(hop), hop.table or hop.target or "")
    if kind == "route" and hop.target is not None and hop.route is not None and hop.route.active:
        yield linker.passing("gateway", _gateway_text(hop.target, hop.kind, linker.estate), hop.target)


def _gateway_text(target: str, kind: str, estate: Estate) -> str:
    peering = estate.peerings.get(target)
    if peering is not None:
        return f"peering {peering.label} of {' and '.join(map(shown_id, peering.networks))}"
    wall = next((wall for wall in estate.firewalls.values() if target in wall.endpoints), None)
    if wall is not None:
        return f"endpoint {shown_id(target)} of the firewall {called(wall.id, wall)}"
    known = estate.gateways.get(target) or estate.endpoints.get(target) or estate.interfaces.get(target)
    return f"{kind.replace('-', ' ')} {shown_id(target) if known is None else known.label}"
