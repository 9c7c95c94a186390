"""What a wide route over a transit gateway reaches: the tables of the gateway decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.wide_routes import shortest_prefixes
from cloudseg.reach.roads.legs import legs_from
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.checks.wide_routes import Handover
    from cloudseg.model import Estate, TransitAttachment
    from cloudseg.reach.roads.leg import Leg
    from cloudseg.traffic import AddressSet

__all__ = ["TransitReach", "is_wide", "transit_reach"]

# A network of its own has at most /16, an organisation's plan for a region seldom more than /12; for IPv6 an allocation
# to an organisation begins at /32: https://www.ripe.net/publications/docs/ripe-738
_WIDE_IPV4, _WIDE_IPV6 = 12, 32


class TransitReach(NamedTuple):
    """What the packets of a table reach over a transit gateway.

    Attributes:
        reached: the attachments of other networks and sites that packets come out of.
        kept_back: the other active attachments of the gateway.
        chosen: a static route of the gateway leads to everything that is reached.
        doubts: what was not read, in words; more may be reached then.
        inspected: all but a few chosen ranges goes to a firewall in the gateway itself, as in a secured virtual hub.
    """

    reached: tuple[TransitAttachment, ...]
    kept_back: tuple[TransitAttachment, ...]
    chosen: bool
    doubts: tuple[str, ...]
    inspected: bool = False


def is_wide(handover: Handover) -> bool:
    """Tell whether routes over a transit gateway name more than networks or sites have: ``10.0.0.0/8``, all."""
    return _are_wide(handover.named)


def _are_wide(addresses: AddressSet) -> bool:
    four, six = shortest_prefixes(addresses.cidrs())
    return four <= _WIDE_IPV4 or six <= _WIDE_IPV6


def transit_reach(handover: Handover, estate: Estate) -> TransitReach:
    """Return what packets that a table hands to a transit gateway reach in the end.

    Central appliances may lead them further; that is for these to decide, so only the first attachment counts.
    """
    doubts: dict[str, None] = {}
    reached: dict[str, TransitAttachment] = {}
    static: dict[str, bool] = {}
    walled, straight = False, NO_ADDRESSES
    if not handover.all_users:
        doubts["which subnets use the table was not read"] = None
    for leg in _legs(handover, estate):
        steps = [hop for hop in leg.hops if hop.kind in {"transit-table", "transit-attachment"}]
        if leg.end == "nowhere":
            continue
        attachment = None if not steps else estate.transit_attachments.get(_first_attachment(leg) or "")
        if attachment is not None and attachment.direct and attachment.id in estate.firewalls:
            walled = True
            continue
        straight |= leg.addresses
        if attachment is None:
            doubts.update(dict.fromkeys(leg.doubts or ("a route of the gateway leads to what was not read",)))
        elif _leads_elsewhere(attachment, handover):
            reached[attachment.id] = attachment
            route = steps[0].route
            chosen = route is not None and route.origin == "static"
            static[attachment.id] = static.get(attachment.id, True) and chosen
    others = (
        each
        for _, each in sorted(estate.transit_attachments.items())
        if each.gateway == handover.target and each.active and _leads_elsewhere(each, handover)
    )
    return TransitReach(
        tuple(reached[name] for name in sorted(reached)),
        tuple(each for each in others if each.id not in reached),
        all(static.values()),
        tuple(doubts),
        inspected=walled and not _are_wide(straight),
    )


def _leads_elsewhere(attachment: TransitAttachment, handover: Handover) -> bool:
    """Tell whether another network or site is behind an attachment: a hub's own firewall and way out are none."""
    of_hub = attachment.direct and attachment.network is None and attachment.peer is None
    return not of_hub and attachment.network != handover.table.network


def _legs(handover: Handover, estate: Estate) -> tuple[Leg, ...]:
    if handover.network is None:
        return ()
    found: dict[int, tuple[Leg, ...]] = {}
    for subnet in handover.subnets:
        legs = legs_from(subnet, handover.network, estate)
        found[id(legs)] = legs
    return tuple(
        leg
        for legs in found.values()
        for leg in legs
        if leg.hops and leg.hops[0].table == handover.table.id and leg.hops[0].target == handover.target
    )


def _first_attachment(leg: Leg) -> str | None:
    """Return the attachment by which packets first leave the gateway."""
    # Of routes that share packets out the step names one target; the attachment after it is the one that was taken.
    for number, hop in enumerate(leg.hops):
        if hop.kind == "transit-table":
            after = leg.hops[number + 1] if number + 1 < len(leg.hops) else hop
            return after.target if after.kind == "transit-attachment" else hop.target
    return None
