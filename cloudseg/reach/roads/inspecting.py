"""What firewalls on the way do with packets: pass them, stop them, or one or the other, as far as is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import shown_id

if TYPE_CHECKING:
    from cloudseg.model import Firewall
    from cloudseg.reach.roads.travel import Way

__all__ = ["inspected", "screened"]


def inspected(way: Way, firewall: Firewall | None, target: str) -> Way:
    """Return the packets behind a firewall: at most those that came, unless it is known to stop none.

    Args:
        way: the packets.
        firewall: the firewall; None for appliances of which nothing is known.
        target: qualified id of the endpoint or transit attachment by which they get there.

    Source: https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-policies.html
    """
    way = way._replace(inspectors=way.inspectors | {target})
    if firewall is None:
        return way.doubted(f"the appliances behind {shown_id(target)} decide what passes")
    if firewall.filters is False:
        return way
    unread = "its policy was not read" if firewall.filters is None else "its policy decides what passes"
    return way.doubted(f"the firewall {firewall.label}: {firewall.reason or unread}")


def screened(way: Way, firewall: Firewall | None, target: str) -> Way:
    """Return the packets behind a firewall; where its rules are known, these are asked apart, at the ends.

    Packets of both directions take the same legs, be they requests or answers, and a firewall lets the answers to what
    it passed back: so rules are asked of who opens a connection. Behind a gateway that translates a firewall sees
    other addresses, which it is not asked about. Source: https://learn.microsoft.com/azure/firewall/rule-processing

    Args:
        way: the packets.
        firewall: the firewall; None for appliances of which nothing is known.
        target: qualified id of the endpoint or transit attachment by which they get there.
    """
    if firewall is None or firewall.rules is None or way.seen_as is not None:
        return inspected(way, firewall, target)
    return way._replace(inspectors=way.inspectors | {target}, screens=way.screens | {firewall.id})
