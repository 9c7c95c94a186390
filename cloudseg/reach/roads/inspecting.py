"""What firewalls on the way do with packets: pass them, stop them, or one or the other, as far as is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import shown_id
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Estate, Firewall
    from cloudseg.reach.roads.leg import Leg
    from cloudseg.reach.roads.travel import Way

__all__ = ["inspected", "sieved"]


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


def sieved(way: Way, firewall: Firewall | None, target: str, estate: Estate) -> tuple[list[Way], list[Leg]]:
    """Return the packets behind a firewall whose rules are known by addresses, and the legs of those that it stops.

    Packets of both directions take the same legs, be they requests or answers, and a firewall lets the answers to what
    it passed back. So nothing passes between two ends where it lets neither call the other, and everything does where
    it lets both. What it sends to the internet it hears the answers to itself; and there something passes always, for
    its provider's own services. Sources: https://learn.microsoft.com/azure/firewall/rule-processing and
    https://learn.microsoft.com/azure/firewall/infrastructure-fqdns

    Args:
        way: the packets.
        firewall: the firewall; None for appliances of which nothing is known.
        target: qualified id of the endpoint or transit attachment by which they get there.
        estate: the estate.
    """
    if firewall is None or firewall.passes is None:
        return [inspected(way, firewall, target)], []
    way = way._replace(inspectors=way.inspectors | {target})
    allowed = _allowed(firewall, _sources(way, estate))
    out = way.addresses & firewall.translates
    kept = way.addresses - firewall.translates
    surely = (kept & allowed.both) | (out & allowed.there)
    stopped = kept - allowed.any
    rest = way._replace(addresses=way.addresses - surely - stopped)
    rest = rest.doubted(f"the firewall {firewall.label}: {firewall.reason or 'its policy decides what passes'}")
    legs = way.to(stopped).dropped(f"the firewall {firewall.label} allows nothing between them")
    return [each for each in (way.to(surely), rest) if each.addresses], legs


class _Allowed(NamedTuple):
    """The addresses with which a firewall lets some ends speak: at all, all that they send, and all both send."""

    any: AddressSet
    there: AddressSet
    both: AddressSet


def _allowed(firewall: Firewall, sources: AddressSet) -> _Allowed:
    some = there = back = NO_ADDRESSES
    for each in firewall.passes or ():
        if each.sources.overlaps(sources):
            some |= each.destinations
        if each.destinations.overlaps(sources):
            some |= each.sources
        if each.whole and sources <= each.sources:
            there |= each.destinations
        if each.whole and sources <= each.destinations:
            back |= each.sources
    return _Allowed(some, there, there & back)


def _sources(way: Way, estate: Estate) -> AddressSet:
    """Return the addresses that the packets may bear as their source."""
    if way.seen_as is not None:
        return ALL_ADDRESSES
    start, home = estate.subnets.get(way.start or ""), estate.networks.get(way.home)
    known = start.addresses if start is not None else NO_ADDRESSES if home is None else home.addresses
    return known or ALL_ADDRESSES
