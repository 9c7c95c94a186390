"""Subnets that packets of others may pass through, or may be handed out in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.roads.middleboxes import bearers

if TYPE_CHECKING:
    from cloudseg.model import Estate

__all__ = ["may_be_attached", "waypoints"]


def may_be_attached(estate: Estate) -> frozenset[str]:
    """Return the subnets of which it was not read whether an attachment of a transit gateway stands in them."""
    attachments = estate.transit_attachments.values()
    unplaced = {each.network for each in attachments if not each.subnets and not each.direct}
    return frozenset(
        each.id for each in estate.subnets.values() if each.network in unplaced or not estate.read("transit", each)
    )


def waypoints(estate: Estate) -> frozenset[str]:
    """Return the subnets that packets may pass through: who starts in one does not cross its boundary on the way."""
    found = {gateway.subnet for gateway in estate.gateways.values() if gateway.subnet is not None}
    for attachment in estate.transit_attachments.values():
        found |= attachment.subnets
    for endpoint in estate.endpoints.values():
        if endpoint.type == "gateway-load-balancer":
            found |= endpoint.subnets
    for firewall in estate.firewalls.values():
        found |= firewall.subnets
    for table in estate.route_tables.values():
        targets = (route.target for route in table.routes if route.kind == "interface" and route.target is not None)
        found |= {each.subnet for target in targets for each in bearers(target, estate) if each.subnet is not None}
    return frozenset(found)
