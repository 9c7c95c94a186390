"""How packets from the internet come to an interface, before any rule is asked."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cloudseg.model import shown_id
from cloudseg.reach.entrance_ways import by_balancer, by_entrance
from cloudseg.reach.roads.routing import next_hops
from cloudseg.reach.unread_balancers import of_unread_targets, through_unlisted
from cloudseg.reach.way_in import Through, WayIn, WaysIn
from cloudseg.traffic import (
    ALL_IPV4,
    ALL_IPV6,
    ALL_TRAFFIC,
    GLOBAL_UNICAST,
    AddressSet,
    Traffic,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Entrance, Estate, Family, Interface, RouteTable, Subnet
    from cloudseg.reach.roads.routing import NextHop
    from cloudseg.reach.unread_balancers import UnreadTargets

__all__ = ["Through", "WayIn", "WaysIn", "find_ways_in", "is_public", "straight_entrances"]

_ESTATES: Final = 4
_ENTRANCES: Final = {"aws": "accelerators and origins of the content network"}
"""What entrances without a public address of their target are called."""
FAMILIES: tuple[tuple[Family, AddressSet], ...] = ((4, ALL_IPV4), (6, ALL_IPV6))


def is_public(interface: Interface, family: Family, estate: Estate) -> bool | None:
    """Tell whether the internet can address an interface directly; None where its addresses were not read."""
    if interface.has_public_address(family):
        return True
    if family == 4 and interface.public_unlisted is None:
        return None
    if family == 4 and interface.derived and not estate.read("interfaces", interface) and interface.workload is None:
        return None
    return False


def find_ways_in(interface: Interface, estate: Estate, *, balanced: bool = True) -> WaysIn:
    """Return the ways from the internet to an interface.

    A way is a public IPv4 address with a route to an internet gateway, a global IPv6 address with one, or an entrance
    (accelerator, VPC origin, public network load balancer) that leads to the interface. Blocked public access cuts all
    of them, but for load balancers it is the block of their own subnets that counts. Sources:
    https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html and
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html

    Args:
        interface: where the ways lead to.
        estate: where they are looked for.
        balanced: through load balancers, too; none of those stands behind another of its kind.
    """
    subnet = None if interface.subnet is None else estate.subnets.get(interface.subnet)
    block = "off" if subnet is None else subnet.internet_block
    entrances = estate.entrances_to(interface)
    own = [_direct(interface, subnet, family, everything, estate) for family, everything in FAMILIES]
    own.extend(by_entrance(entrance) for entrance in entrances if not entrance.through and not entrance.straight)
    own.extend(
        _straight(entrance, subnet, everything, estate)
        for entrance in entrances
        if entrance.straight
        for _, everything in FAMILIES
        if entrance.unlisted or entrance.addresses.overlaps(everything)
    )
    own.append(WaysIn(unseen=_unseen(interface, estate)))
    if block in {"inbound", "ingress", "bidirectional"}:
        own = [WaysIn(blocked=("public access to the subnet is blocked",))]
    elif block == "unknown":
        found = _joined(own)
        reason = ("whether public access to the subnet is blocked was not read",)
        ways = tuple(way._replace(certain=False) for way in found.ways)
        own = [WaysIn(ways, found.blocked, (*found.unknown, *(reason if ways else ())), (), found.unseen)]
    behind = (
        by_balancer(entrance, interface, estate, lambda node: find_ways_in(node, estate, balanced=False))
        for entrance in entrances
        if entrance.through and balanced
    )
    # For load balancers that were not read, too, it is their own subnets that count.
    unseen = _behind_unread(interface, estate) if balanced else ()
    found = _joined((*own, *behind, WaysIn(unread=_unread_entrances(interface, estate), unseen=unseen)))
    forwarder = None if interface.workload is None else estate.forwarders.get(interface.workload)
    return found if forwarder is None else _heard(found, forwarder.accepts)


def straight_entrances(interface: Interface, estate: Estate) -> list[Entrance]:
    """Return the entrances before an interface whose addresses others in the estate may call."""
    return [each for each in estate.entrances_to(interface) if each.straight and each.active is not False]


def _heard(found: WaysIn, accepts: Traffic | None) -> WaysIn:
    """Return the ways to an interface of a load balancer: only what its listeners take is certain to be answered.

    Nothing answers the rest, but what a rule opens is open to the next listener, too: that stays possible.

    Args:
        found: the ways.
        accepts: what the listeners take; None where they were not read.
    """
    if accepts is None:
        unsure = tuple(way._replace(certain=False) for way in found.ways)
        reason = ("the listeners of the load balancer were not read",) if unsure else ()
        return found._replace(ways=unsure, unknown=(*found.unknown, *reason))
    taken = (way._replace(traffic=way.traffic & accepts) for way in found.ways)
    rest = (way._replace(traffic=way.traffic - accepts, certain=False) for way in found.ways)
    ways = tuple(way for way in (*taken, *rest) if way.traffic)
    unheard = any(way.traffic - accepts for way in found.ways)
    reasons = ("no listener of the load balancer takes it today",) if unheard else ()
    return found._replace(ways=ways, unknown=(*found.unknown, *reasons))


def _unread_entrances(interface: Interface, estate: Estate) -> tuple[str, ...]:
    """Return what may lead to the interface and was not read: there may be ways besides those found."""
    unread: list[str] = []
    if not _entrances_were_read(interface, estate):
        unread.append(f"{_ENTRANCES.get(interface.provider, 'other entrances')} were not read in full")
    if not estate.read("load-balancers", interface):
        unread.append("load balancers and their targets were not read in full")
    return tuple(unread)


def _entrances_were_read(interface: Interface, estate: Estate) -> bool:
    return estate.coverage.state("entrances", interface.provider, interface.scope, "global") == "read"


def _unseen(interface: Interface, estate: Estate) -> tuple[WayIn, ...]:
    """Return the way through what was not read: an accelerator leads to what has no public address of its own."""
    if _entrances_were_read(interface, estate):
        return ()
    first = "an accelerator or another" if interface.provider in _ENTRANCES else "an"
    text = f"through {first} entrance that was not read"
    return (WayIn(GLOBAL_UNICAST, ALL_TRAFFIC, certain=False, text=text, direct=False),)


def _behind_unread(interface: Interface, estate: Estate) -> tuple[WayIn, ...]:
    """Return the ways through load balancers that were not read, or of which not every target was."""
    led = (way for each in _of_unread_targets(estate) if each.may_serve(interface) for way in each.ways)
    return (*through_unlisted(interface, estate), *led)


@lru_cache(maxsize=_ESTATES)
def _of_unread_targets(estate: Estate) -> tuple[UnreadTargets, ...]:
    return of_unread_targets(estate, lambda node: find_ways_in(node, estate, balanced=False))


def _joined(found: Iterable[WaysIn]) -> WaysIn:
    parts = list(found)
    return WaysIn(
        tuple(way for part in parts for way in part.ways),
        tuple(dict.fromkeys(text for part in parts for text in part.blocked)),
        tuple(dict.fromkeys(text for part in parts for text in part.unknown)),
        tuple(dict.fromkeys(text for part in parts for text in part.unread)),
        tuple(way for part in parts for way in part.unseen),
    )


def _direct(
    interface: Interface, subnet: Subnet | None, family: Family, everything: AddressSet, estate: Estate
) -> WaysIn:
    public = is_public(interface, family, estate)
    if public is False:
        return WaysIn(blocked=("no public address",))
    known = public is True
    unknown = () if known else ("whether it has a public address was not read",)
    found = _answered(subnet, everything, estate)
    ways = tuple(way._replace(certain=way.certain and known) for way in found.ways)
    return found._replace(ways=ways, unknown=(*unknown, *found.unknown) if ways else ())


def _straight(entrance: Entrance, subnet: Subnet | None, everything: AddressSet, estate: Estate) -> WaysIn:
    """Return the ways through an entrance that targets answer by their own routes, in one family of addresses."""
    through = by_entrance(entrance)
    if not through.ways:
        return through
    found = _answered(subnet, everything, estate)
    one = through.ways[0]
    ways = tuple(
        one._replace(
            clients=way.clients & one.clients,
            certain=way.certain and one.certain,
            text=f"{one.text}, {way.text.removeprefix('public address and ')}",
        )
        for way in found.ways
    )
    return found._replace(ways=ways, unknown=(*through.unknown, *found.unknown) if ways else ())


def _answered(subnet: Subnet | None, everything: AddressSet, estate: Estate) -> WaysIn:
    """Return the ways to a public address in a subnet that its routes leave: answers have to get back to clients."""
    table = None if subnet is None else estate.route_table_of(subnet)
    if subnet is None or table is None:
        way = WayIn(everything & GLOBAL_UNICAST, ALL_TRAFFIC, certain=False, text="public address")
        return WaysIn((way,), (), ("the routes of its subnet were not read",))
    ways, reasons = _routed(subnet, table, everything, estate)
    return WaysIn(tuple(ways), (), tuple(reasons)) if ways else WaysIn(blocked=(_no_way_out(subnet),))


def _no_way_out(subnet: Subnet) -> str:
    # Of what leads a network of Azure out nobody makes a gateway.
    return "no route to the internet" if subnet.provider == "azure" else "no route to an internet gateway"


def _routed(subnet: Subnet, table: RouteTable, everything: AddressSet, estate: Estate) -> tuple[list[WayIn], list[str]]:
    """Return the ways over the routes of a subnet's table, and what is unknown about them."""
    ways: list[WayIn] = []
    reasons: list[str] = []
    hops = next_hops(table, estate)
    doubtful = any(not hop.certain for hop in hops)
    for hop in hops:
        clients = hop.addresses & everything & GLOBAL_UNICAST
        if not clients or not hop.route.active:
            continue
        sure = _leads_to_internet(hop, estate)
        straight = _hands_in(hop, subnet.addresses & everything, estate)
        if sure is False or straight is False:
            continue
        text = f"public address and route to {_target(hop)}"
        certain = sure is True and straight and hop.certain and not doubtful
        ways.append(WayIn(clients, ALL_TRAFFIC, certain=certain is True, text=text))
        if sure is None:
            reasons.append(f"whether {_target(hop)} lets the internet in was not worked out")
        elif straight is None:
            reasons.append(f"the own routes of {_target(hop)} hand packets to something else first")
        elif doubtful:
            reasons.append("a prefix list of its routes was not read")
    return ways, reasons


def _leads_to_internet(hop: NextHop, estate: Estate) -> bool | None:
    """Tell whether packets from the internet come back over this hop; None for appliances and unknown targets."""
    route = hop.route
    if route.kind == "internet-gateway":
        gateway = None if route.target is None else estate.gateways.get(route.target)
        return True if gateway is None else gateway.active
    if route.kind == "endpoint":
        endpoint = None if route.target is None else estate.endpoints.get(route.target)
        return False if endpoint is not None and endpoint.type == "gateway" else None
    return None if route.kind in {"interface", "unknown"} else False


def _hands_in(hop: NextHop, addresses: AddressSet, estate: Estate) -> bool | None:
    """Tell whether an internet gateway hands packets to addresses of a subnet straight in.

    Its own route table may lead them to an interface or an endpoint first, whose owner decides: None then. False where
    that table drops all of them. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html
    """
    table = None if hop.route.target is None else estate.route_table_at(hop.route.target)
    if table is None:
        return True
    taken = [each for each in next_hops(table, estate) if each.addresses.overlaps(addresses)]
    if taken and all(not each.route.active or each.route.kind == "drop" for each in taken):
        return False
    return True if all(each.route.kind == "local" and each.certain for each in taken) else None


def _target(hop: NextHop) -> str:
    return hop.route.kind if hop.route.target is None else shown_id(hop.route.target).rsplit(":", 1)[-1]
