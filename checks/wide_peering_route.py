"""A route over a peering or a transit gateway that names more than the other side has, or than one network needs.

What it finds:
    Routes over a peering to more addresses than the other network has, and default or very wide routes (``/12`` or
    shorter, for IPv6 ``/32`` or shorter) over a transit gateway whose tables keep nothing back, so that they reach more
    than one other network. All routes of a table to one target count together, however they are split. The finding is
    low where the width changes nothing today: longer prefixes take the rest, no subnet uses the table, or the gateway's
    table keeps some networks back. A wide route whose packets a static route of the gateway leads to one network is
    left alone: that is how a central firewall gets them; so is what goes to the firewall of a virtual hub. What was not
    read on the other side lowers the confidence; a route that a single network of the largest size could justify is
    then worth knowing, and no more.

Why it matters:
    A route decides whether an intruder can send a packet at all. A wide one reaches every network and every range that
    joins the other side later, without anybody touching this side again.

Example:
    ``10.0.0.0/8`` to a peering whose other network has ``10.2.0.0/16``.

Remedy:
    Name the ranges that are needed on the other side, best of all single subnets; give each group of networks a table
    of its own at the transit gateway.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_routes import add_attachment, add_transit_gateway, add_transit_table
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.path_witnesses import PathWitnesses, Spot, Trip
from cloudseg.checks.rule_lists import counted, shown, shown_labels
from cloudseg.checks.wide_routes import handovers, shortest_prefixes
from cloudseg.checks.wide_transit import is_wide, transit_reach
from cloudseg.findings import Severity
from cloudseg.model import own_id, shown_id
from cloudseg.reach.roads.leg import route_text
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.wide_routes import Handover
    from cloudseg.checks.wide_transit import TransitReach
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Estate, Network, Peering
    from cloudseg.traffic import AddressSet

# The largest blocks of a network: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
_LARGEST_IPV4, _LARGEST_IPV6 = 16, 44
_SHOWN = 5


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every table with a wide route, and one for every peering whose routes cannot be judged."""
    estate = context.estate
    unjudged: defaultdict[str, list[Handover]] = defaultdict(list)
    for handover in handovers(estate, "peering"):
        peering = estate.peerings.get(handover.target)
        other = None if peering is None else _other_side(handover, peering, estate)
        if peering is not None and other is not None and other.addresses:
            yield from _over_peering(context, handover, peering, other)
        elif handover.unread or _exceeds_any_network(handover):
            yield _over_unread_peering(context, handover)
        else:
            unjudged[handover.target].append(handover)
    for target, together in sorted(unjudged.items()):
        yield _unjudged(context, target, together)
    for handover in handovers(estate, "transit-gateway"):
        if handover.unread or is_wide(handover):
            yield from _over_transit(context, handover, transit_reach(handover, estate))


def _other_side(handover: Handover, peering: Peering, estate: Estate) -> Network | None:
    first, second = peering.networks
    return estate.networks.get(second if first == handover.table.network else first)


def _exceeds_any_network(handover: Handover) -> bool:
    four, six = shortest_prefixes(handover.prefixes)
    return four < _LARGEST_IPV4 or six < _LARGEST_IPV6


def _over_peering(context: AuditContext, handover: Handover, peering: Peering, other: Network) -> Iterator[Finding]:
    held = other.addresses | handover.own
    if handover.named <= held and not handover.unread:
        return
    beyond = handover.handed - held
    harmless = not handover.unread and (not beyond or handover.idle or not peering.active)
    there = [n for _, n in sorted(context.estate.networks.items()) if n.id != other.id and n.addresses.overlaps(beyond)]
    yield context.finding(
        handover.table,
        f"{_sends(handover)} over {peering.label}, where {other.label} has {other.addresses} alone",
        severity=Severity.LOW if harmless else Severity.MEDIUM,
        confidence=_confidence(handover),
        evidence=(
            *_facts(handover),
            *(() if peering.active else ("the peering is not active",)),
            *((f"sent beyond the other network: {_words(beyond)}",) if beyond else ()),
            *(("longer prefixes take what lies beyond the other network",) if handover.handed and not beyond else ()),
            *_witness(context, handover, (other.id,)),
            *(f"{network.label} has a part of that, and a peering leads no further" for network in there[:_SHOWN]),
            "a range that is added to the other network is reached at once",
        ),
        aspect=own_id(handover.target),
    )


def _over_unread_peering(context: AuditContext, handover: Handover) -> Finding:
    return context.finding(
        handover.table,
        f"{_sends(handover)} over {shown_id(handover.target)}, which is more than a network has in one block"
        if _exceeds_any_network(handover)
        else f"{_sends(handover)} over {shown_id(handover.target)}",
        severity=Severity.LOW if handover.idle else Severity.MEDIUM,
        confidence="low",
        evidence=(*_facts(handover), "unknown: the addresses of the network on the other side were not read"),
        aspect=own_id(handover.target),
    )


def _unjudged(context: AuditContext, target: str, together: Sequence[Handover]) -> Finding:
    peering = context.estate.peerings.get(target)
    name = shown_id(target) if peering is None else peering.label
    return context.finding(
        peering or together[0].table,
        f"whether routes of {counted(len(together), 'table')} over {name} name more than the other side has is unknown",
        severity=Severity.INFO,
        confidence="low",
        evidence=(
            "unknown: the addresses of the network on the other side were not read",
            *(f"{each.table.label}: {_routes(each)}" for each in together[:_SHOWN]),
            *((f"{len(together) - _SHOWN} more tables",) if len(together) > _SHOWN else ()),
        ),
        aspect=f"unread {own_id(target)}",
    )


def _over_transit(context: AuditContext, handover: Handover, reach: TransitReach) -> Iterator[Finding]:
    """Yield what a wide route over a transit gateway reaches; nothing where it leads to one chosen network alone."""
    if reach.inspected and not handover.unread:
        return
    several = len(reach.reached) > 1
    doubts = (*reach.doubts, *(f"the prefix list {name} was not read" for name in handover.unread))
    if reach.reached and not several and reach.chosen and not doubts:
        return
    gateway = context.estate.gateways.get(handover.target)
    name = shown_id(handover.target) if gateway is None else gateway.label
    if several:
        reaches = f"which reaches {len(reach.reached)} other networks and sites"
    else:
        reaches = "which may reach others" if doubts else f"which reaches {_one(reach)} so far"
    open_ended = bool(doubts) and not handover.idle
    worse = open_ended or (several and not reach.kept_back)
    kept_back = f"the gateway's table keeps back: {shown_labels(reach.kept_back)}"
    yield context.finding(
        handover.table,
        f"{_sends(handover)} over {name}, {reaches}",
        severity=Severity.MEDIUM if worse else Severity.LOW,
        confidence="low" if doubts and not several else "high",
        evidence=(
            *_facts(handover),
            *((f"reached: {shown(list(_far_ends(reach, context.estate)))}",) if reach.reached else ()),
            *_witness(context, handover, [each.network for each in reach.reached if each.network is not None]),
            *(
                (kept_back,)
                if reach.kept_back
                else ("every other attachment of the gateway is reached",)
                if several
                else ()
            ),
            *(f"unknown: {doubt}" for doubt in doubts),
        ),
        aspect=own_id(handover.target),
    )


def _witness(context: AuditContext, handover: Handover, networks: Iterable[str]) -> tuple[str, ...]:
    """Return a packet in words that the table's subnets open over the route to one of some networks, if any passes."""
    subnets = frozenset(subnet.id for subnet in handover.subnets)
    if not subnets or handover.network is None:
        return ()
    home = Spot(ALL_ADDRESSES, handover.network.id, subnets)
    trips = (Trip(home, Spot(handover.handed, name)) for name in networks if name in context.estate.networks)
    return PathWitnesses(context).of(trips)


def _one(reach: TransitReach) -> str:
    return "one network" if reach.reached else "nothing"


def _far_ends(reach: TransitReach, estate: Estate) -> Iterator[str]:
    for attachment in reach.reached:
        network = estate.networks.get(attachment.network or "")
        if network is not None:
            yield network.label
        else:
            kind = attachment.kind.removeprefix("transit-gateway-attachment-")
            yield f"{attachment.label} ({kind if attachment.network is None else shown_id(attachment.network)})"


def _sends(handover: Handover) -> str:
    named = _words(handover.named) if handover.named else ""
    lists = " and ".join(handover.unread)
    what = " and ".join(text for text in (named, f"the unread list {lists}" if lists else "") if text)
    return f"{handover.table.label} sends {what}"


def _words(addresses: AddressSet) -> str:
    return shown(str(addresses).split(", "))


def _facts(handover: Handover) -> Iterator[str]:
    yield _routes(handover)
    if handover.subnets:
        yield f"used by {shown_labels(handover.subnets)}"
    elif handover.all_users:
        yield "no subnet uses the table"
    if not handover.all_users:
        yield "unknown: whether more subnets use the table"


def _routes(handover: Handover) -> str:
    texts = [route_text(route) + ("" if route.active else " (not active)") for route in handover.routes]
    return shown(texts)


def _confidence(handover: Handover) -> Confidence:
    return "low" if handover.unread or not (handover.all_users or handover.subnets) else "high"


def _peered(*routes: str) -> EstateBuilder:
    b = EstateBuilder()
    b.network("vpc-2", "10.2.0.0/16")
    b.peering("pcx-1", "vpc-2")
    for destination in routes:
        b.route("rtb-private", destination, "peering", "pcx-1")
    return b


def _whole_plan() -> Estate:
    return _peered("10.0.0.0/8").build()


def _one_block_too_many() -> Estate:
    return _peered("10.2.0.0/17", "10.2.128.0/17", "10.3.0.0/16").build()


def _taken_by_longer() -> Estate:
    b = _peered("10.2.0.0/15")
    b.route("rtb-private", "10.3.0.0/16", "nat-gateway", "nat-1")
    return b.build()


def _as_wide_as_the_other() -> Estate:
    return _peered("10.2.0.0/17", "10.2.128.0/17").build()


def _attached(destination: str) -> EstateBuilder:
    """Return two more networks at one transit gateway, and a route to it."""
    b = EstateBuilder()
    b.subnet("subnet-app", "10.0.3.0/24", zone="eu-west-1a")
    b.route("rtb-app", destination, "transit-gateway", "tgw-1")
    add_transit_gateway(b)
    add_attachment(b, "att-1", "vpc-1", subnets=("subnet-app",))
    for number in (2, 3):
        b.network(f"vpc-{number}", f"10.{number}.0.0/16")
        b.subnet(f"subnet-{number}", f"10.{number}.1.0/24", f"vpc-{number}", zone="eu-west-1a")
        add_attachment(b, f"att-{number}", f"vpc-{number}", subnets=(f"subnet-{number}",))
    return b


def _flat_gateway() -> Estate:
    b = _attached("10.0.0.0/8")
    add_transit_table(b, propagated=(("10.2.0.0/16", "att-2"), ("10.3.0.0/16", "att-3")))
    return b.build()


def _one_network_so_far() -> Estate:
    b = _attached("10.0.0.0/8")
    add_transit_table(b, propagated=(("10.2.0.0/16", "att-2"),))
    return b.build()


def _to_a_central_firewall() -> Estate:
    b = _attached("0.0.0.0/0")
    add_transit_table(b, static=(("0.0.0.0/0", "att-2"),))
    return b.build()


CHECK = Check(
    id="wide-peering-route",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("the whole plan of addresses to one peer", _whole_plan, ("rtb-private",), Severity.MEDIUM),
        Example("one block more than the peer has", _one_block_too_many, ("rtb-private",), Severity.MEDIUM),
        Example("a longer prefix takes the rest", _taken_by_longer, ("rtb-private",), Severity.LOW),
        Example("a transit gateway that keeps nothing back", _flat_gateway, ("rtb-app",), Severity.MEDIUM),
        Example("only one network is reached so far", _one_network_so_far, ("rtb-app",), Severity.LOW),
        Example("two halves of what the peer has", _as_wide_as_the_other),
        Example("a static route of the gateway leads to the central firewall alone", _to_a_central_firewall),
    ),
    concept={"aws": "routes to VPC peerings and transit gateways"},
    absent={
        "azure": "Azure makes the routes of a peering itself, and they are its neighbour's ranges",
        "kubernetes": "routes and peerings belong to the cloud beneath the cluster",
        "gcp": "Google Cloud makes the routes of a peering itself: its neighbour's ranges, and what that exports",
    },
    needs=("networks", "routes", "peerings", "transit"),
    uses=("subnets", "address-lists"),
    compliance={
        "cis-aws-3.0": ("5.5",),
        "cis-aws-5.0": ("5.6",),
        "nist-800-53r5": ("AC-4", "SC-7"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
)
