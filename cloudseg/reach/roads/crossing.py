"""Packets that a route hands to something in a peered network: they cross the peering first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import shown_id
from cloudseg.reach.roads.leg import Hop

if TYPE_CHECKING:
    from cloudseg.model import Estate, Network, Peering
    from cloudseg.reach.roads.travel import Way

__all__ = ["crossed", "peering_between"]


def peering_between(one: str, other: str, estate: Estate) -> Peering | None:
    """Return the peering of two networks, an active one if there is one; None where there is none."""
    found = [each for _, each in sorted(estate.peerings.items()) if set(each.networks) == {one, other}]
    return next((each for each in found if each.active), found[0] if found else None)


def crossed(way: Way, network: Network, estate: Estate) -> tuple[Way, str]:
    """Return the packets in the network in which the next hop of a route stands, and why they do not get there.

    The next hop may stand in a network that is peered with the packets' own. What comes from beyond that is taken only
    where the next one takes forwarded packets. Sources:
    https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview#service-chaining and
    https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering

    Args:
        way: the packets.
        network: the network in which the next hop stands.
        estate: the estate.
    """
    if network.id == way.network.id:
        return way, ""
    peering = peering_between(way.network.id, network.id, estate)
    if peering is None:
        return way, f"{way.network.shown_id} is not peered with {network.shown_id}"
    if not peering.active:
        return way, f"the peering {peering.shown_id} is not active"
    if not way.at_home and network.id not in peering.forwards_into:
        return way, f"{network.shown_id} takes no packets that others than {way.network.shown_id} sent"
    text = f"over {peering.label} to {shown_id(network.id)}"
    hop = Hop("peering", "", None, peering.id, text)
    way = way.left().doubted(f"{peering.label}: {peering.doubt}" if peering.doubt else "")
    return way._replace(
        network=network, subnet=None, zones=None, blocks=(), returns=way.returns or "no", hops=(*way.hops, hop)
    ), ""
