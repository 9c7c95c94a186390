"""Packets that a route hands to a transit gateway: the table of their attachment, and the attachment it picks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import scope_of, shown_id
from cloudseg.reach.roads.decisions import split
from cloudseg.reach.roads.gateways import standing
from cloudseg.reach.roads.inspecting import screened
from cloudseg.reach.roads.leg import Checkpoint, Hop, Leg, agreed
from cloudseg.reach.roads.travel import Way
from cloudseg.reach.roads.tunnels import by_tunnels
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.model import Firewall, Network, Route, Subnet, TransitAttachment
    from cloudseg.reach.roads.legs import Router

__all__ = ["by_attachment", "by_transit_gateway"]

_OUTWARD = ("vpn", "vpn-concentrator", "direct-connect-gateway", "client-vpn")


def by_transit_gateway(router: Router, way: Way, route: Route) -> list[Leg]:
    """Return the legs of packets to a transit gateway.

    The network needs an attachment with a subnet in the packets' own zone. They enter that subnet, and the transit
    table that the attachment is associated with decides. Sources:
    https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html,
    https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html and
    https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
    """
    target = route.target or ""
    gateway = router.estate.gateways.get(target)
    way, closed = standing(way._replace(egress_groups=way.network.groups_by_address), gateway, target)
    if closed:
        return way.dropped(closed)
    attached = router.attachments(target, way.network.id)
    if not attached:
        if router.estate.read("transit", way.network):
            return way.dropped(f"{way.network.shown_id} is not attached to {shown_id(target)}")
        return way.lost(f"whether {way.network.shown_id} is attached to {shown_id(target)} was not read")
    attachment = next((each for each in attached if each.active), None)
    if attachment is None:
        return way.dropped(f"the attachment {attached[0].shown_id} is not active")
    way, closed = _handed_in(router, way, attachment)
    if closed:
        return way.dropped(closed)
    shares = attachment.shares_groups and (gateway is None or gateway.shares_groups)
    way = way._replace(ingress_groups=way.ingress_groups and shares)
    if way.inspectors or way.probing or any(table in router.estate.transit_tables for table in way.tables):
        # Further on, what decided before counts, for a circle may close, and so do firewalls.
        return Transit(router, way, attachment).by_table(way)
    return [way.before(leg) for leg in _beyond(router, way, attachment)]


def by_attachment(router: Router, way: Way, attachment: TransitAttachment) -> list[Leg]:
    """Return the legs of packets that come into a transit gateway by an attachment, from beyond it.

    Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpn-attachments.html
    """
    return Transit(router, way, attachment).by_table(way)


def _beyond(router: Router, way: Way, attachment: TransitAttachment) -> tuple[Leg, ...]:
    """Return the legs of packets from an attachment on, kept for all that come by it from one zone of a network."""
    zone = None if way.subnet is None else (way.subnet.zone, way.subnet.zone_id)
    key = (attachment.id, way.addresses, zone, way.seen_as, way.public)
    if key not in router.beyond:
        fresh = Way(way.addresses, way.network, way.subnet, way.home, seen_as=way.seen_as, public=way.public)
        router.beyond[key] = tuple(Transit(router, fresh, attachment).by_table(fresh))
    return router.beyond[key]


def _handed_in(router: Router, way: Way, attachment: TransitAttachment) -> tuple[Way, str]:
    """Return the packets on the way into the gateway, and why they do not get there; empty if they may.

    They leave their subnet and enter the attachment's, even where that is the same one: both directions of its network
    ACL judge them. Answers are handed out in a subnet of the attachment. Where packets leave the gateway by any other
    attachment, nobody knows in which zone answers come back, so any of the subnets may be the one; in their own subnet
    they meet no list at all. Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
    """
    if attachment.direct:
        return way.left()._replace(returns=way.returns or "no"), ""
    way = _noting_answers(way, attachment)
    here_too = None if way.subnet is None else _around(way.subnet.id, attachment)
    zone = "" if way.subnet is None else way.subnet.zone
    subnets = _subnets(router, attachment)
    if not zone or subnets is None or not all(each.zone for each in subnets):
        return way.left(here_too).doubted(f"the zones of {attachment.shown_id} or of the source were not read"), ""
    here = [each for each in subnets if each.zone == zone]
    if not here and _is_local(zone, way.network.region):
        return way.left(here_too).doubted(f"{zone} is served through its parent zone, which is not known"), ""
    if not here:
        return way, f"{attachment.shown_id} has no subnet in {zone}"
    own = "" if way.subnet is None else way.subnet.id
    back = tuple("" if each.id == own else each.id for each in subnets)
    inward = Checkpoint(here[0].id, "ingress", "source", way.seen_as, back=None if back == (here[0].id,) else back)
    way = way.left(here_too)
    return way._replace(checkpoints=(*way.checkpoints, inward)), ""


def _around(subnet: str, attachment: TransitAttachment) -> tuple[str, ...] | None:
    """Return what answers cross where packets left a subnet: nothing where the gateway hands them out in it."""
    if attachment.subnets and subnet not in attachment.subnets:
        return None
    return ("",) if len(attachment.subnets) == 1 else ("", subnet)


def _noting_answers(way: Way, attachment: TransitAttachment) -> Way:
    """Return the packets with whether answers are handed out in the subnet where they started."""
    if way.returns or way.seen_as is not None or not way.at_home:
        return way
    if attachment.subnets and way.start is not None and way.start not in attachment.subnets:
        return way._replace(returns="no")
    straight = way.subnet is not None and way.subnet.id == way.start and not way.leaves
    return way._replace(returns="surely" if straight and len(attachment.subnets) == 1 else "maybe")


def _subnets(router: Router, attachment: TransitAttachment) -> tuple[Subnet, ...] | None:
    """Return the subnets of an attachment in order of their ids; None where they were not all read."""
    found = [router.estate.subnets.get(name) for name in sorted(attachment.subnets)]
    known = tuple(each for each in found if each is not None)
    return known if found and len(known) == len(found) else None


def _masked(way: Way, firewall: Firewall) -> Way:
    """Return the packets that leave a firewall inside a gateway under its own address, to which answers come.

    Source: https://learn.microsoft.com/azure/firewall/snat-private-range
    """
    way = way.to(firewall.translates)
    seen_as = tuple(sorted(firewall.interfaces))
    return way._replace(seen_as=seen_as, public=True, ingress_groups=False, answered=way.inspectors)


def _is_local(zone: str, region: str) -> bool:
    """Tell whether a zone is a local one (``us-west-2-lax-1a``), which no attachment can have a subnet in."""
    return zone.startswith(f"{region}-")


class Transit:
    """Follows packets inside a transit gateway.

    Args:
        router: follows them outside.
        start: the packets as they came, still of the network and the subnet that they started from.
        source: the attachment by which they came in.
    """

    def __init__(self, router: Router, start: Way, source: TransitAttachment) -> None:
        self.router = router
        self.estate = router.estate
        self.start = start
        self.source = source

    def by_table(self, way: Way) -> list[Leg]:
        """Return the legs of packets of which a transit table decides: the longest prefix, static before propagated.

        Source: https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html#tgw-route-evaluation-overview
        """
        name = self.source.table
        if name is None:
            # An attachment has a table of routes or one of policies, which names a table for each kind of packet.
            # Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-policy-tables-associate.html
            gateway = self.estate.gateways.get(self.source.gateway)
            if gateway is not None and self.estate.read("transit", gateway):
                return way.lost(
                    f"{self.source.shown_id} has no route table but may have a policy table, which is not read"
                )
            return way.lost(f"the transit table of {self.source.shown_id} was not read")
        table = self.estate.transit_tables.get(name)
        if table is None:
            return way.lost(f"the transit table {shown_id(name)} was not read")
        if circle := way.circle(table.id):
            return way.dropped(circle)
        way = way._replace(tables=(*way.tables, table.id))
        cut_off = "" if table.complete else f"the routes of {table.shown_id} were not read in full"
        legs: list[Leg] = []
        covered = NO_ADDRESSES
        decision = self.router.decision(table)
        for part, route in split(way.doubted(cut_off), decision):
            covered |= part.addresses
            legs.extend(self._by_route(part, table.id, route, decision.targets(route)))
        if cut_off:
            return legs + way.lost(cut_off)
        return legs + way._replace(addresses=way.addresses - covered).dropped(f"{table.shown_id} has no route")

    def _by_route(self, way: Way, table: str, route: Route, targets: tuple[str, ...]) -> list[Leg]:
        way = way.stepped("transit-table", table, route)
        if route.kind == "drop" or not route.active:
            return way.dropped(f"a route of {shown_id(table)} is a blackhole")
        if route.kind != "transit-gateway" or not targets:
            return way.lost(f"where a route of {shown_id(table)} leads is not known")
        choices = [self._to_attachment(way, target) for target in targets]
        return agreed(choices, f"which attachment {shown_id(table)} picks is not known")

    def _to_attachment(self, way: Way, target: str) -> list[Leg]:
        attachment = self.estate.transit_attachments.get(target)
        if attachment is None:
            return way.lost(f"the attachment {shown_id(target)} was not read")
        if not attachment.active:
            return way.dropped(f"the attachment {attachment.shown_id} is not active")
        if attachment.network is None:
            return self._beyond(way, attachment)
        shares = attachment.shares_groups
        text = f"{attachment.shown_id} to {shown_id(attachment.network)}"
        step = Hop("transit-attachment", "", None, attachment.id, text)
        way = way._replace(ingress_groups=way.ingress_groups and shares, hops=(*way.hops, step))
        network = self.estate.networks.get(attachment.network)
        if network is None:
            doubt = f"{shown_id(attachment.network)} of {scope_of(attachment.network)} was not read"
            # In which of its subnets packets are handed out was not read.
            return [leg._replace(from_subnets=None) for leg in way.doubted(doubt).ends("unread", attachment.network)]
        return self._arrived(way, attachment, network)

    def _beyond(self, way: Way, attachment: TransitAttachment) -> list[Leg]:
        """Return the legs of packets to an attachment that is no network's."""
        firewall = self.router.firewall_at(attachment.id)
        kind = attachment.kind.removeprefix("transit-gateway-attachment-")
        if firewall is not None:
            # Source: https://docs.aws.amazon.com/network-firewall/latest/developerguide/tgw-firewall.html
            through = screened(way, firewall, attachment.id).behind_middlebox()
            behind = Transit(self.router, self.start, attachment)
            kept = through._replace(addresses=through.addresses - firewall.translates)
            parts = (part for part in (kept, _masked(through, firewall)) if part.addresses)
            return [leg for part in parts for leg in behind.by_table(part)]
        if kind in {"peering", "tgw-peering"}:
            return self._to_other_gateway(way._replace(ingress_groups=False), attachment)
        if attachment.peer is not None:
            return self._to_other_gateway(way, attachment)
        if kind in _OUTWARD:
            gateway = self.estate.gateways.get(attachment.beyond or "")
            if gateway is None or not gateway.links:
                return way.ends("private")
            return by_tunnels(self.router, way, gateway, lambda part: part.ends("private"), told=True)
        if kind == "internet":
            outside = way._replace(addresses=way.addresses - GLOBAL_UNICAST).dropped("not an address of the internet")
            return outside + way.to(GLOBAL_UNICAST).ends("internet", needs_public=way.seen_as is None)
        return way.lost(f"what is behind {attachment.shown_id} decides where packets go on")

    def _to_other_gateway(self, way: Way, attachment: TransitAttachment) -> list[Leg]:
        """Return the legs of packets to a peered transit gateway, or another hub: its table for the peering decides.

        Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-peering.html
        """
        halves = self.router.halves(attachment)
        far = next((each for each in halves if each.gateway != self.source.gateway), None)
        if attachment.peer is not None:
            far = self.estate.transit_attachments.get(attachment.peer)
        if far is None:
            return way.lost(f"the transit gateway at the other end of {attachment.shown_id} was not read")
        gateway = self.estate.gateways.get(far.gateway)
        if gateway is not None:
            # What comes over it need not be of the networks that are attached to it.
            gateway = msgspec.structs.replace(gateway, networks=frozenset())
        way, closed = standing(way, gateway, far.gateway)
        if closed or not far.active:
            return way.dropped(closed or f"the attachment {far.shown_id} is not active")
        return Transit(self.router, self.start, far).by_table(way)

    def _arrived(self, way: Way, attachment: TransitAttachment, network: Network) -> list[Leg]:
        """Return the legs of packets that arrive in a network, in a subnet of the attachment.

        That subnet's routes take them on: to the network's own addresses, or to its appliances and gateways. Replies
        can leave by zones of the attachment alone, so no connection is made with other ones.
        Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
        """
        way = way._replace(network=network, subnet=None)
        if attachment.direct:
            inside = way.to(network.addresses).ends("network", network.id)
            beyond = way._replace(addresses=way.addresses - network.addresses)
            return inside + beyond.dropped(f"{attachment.shown_id} leads to addresses of {network.shown_id} alone")
        subnets = _subnets(self.router, attachment)
        if subnets is None:
            # Nor is it known in which subnet they are handed out.
            return [leg._replace(from_subnets=None) for leg in self.router.unread(way, attachment.shown_id)]
        zones = frozenset(each.zone for each in subnets)
        if "" in zones:
            way = way.doubted(f"the zones of {attachment.shown_id} were not read")
        way = way._replace(zones=None if "" in zones else zones, leaves=True)
        choices = [
            self.router.follow(way._replace(subnet=each, blocks=(each.internet_block,)))
            for each in self._entries(attachment, subnets)
        ]
        legs = agreed(choices, f"by which subnet of {attachment.shown_id} packets come in is not known")
        return legs + self._in_local_zones(legs, network)

    def _entries(self, attachment: TransitAttachment, subnets: tuple[Subnet, ...]) -> tuple[Subnet, ...]:
        """Return the subnets of an attachment by one of which packets come in.

        A transit gateway keeps packets in the zone where they started, if it can, and unless an attachment is in
        appliance mode. Zones of two accounts are the same ones by their ids, not by their names. Sources:
        https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-appliance-scenario.html and
        https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html
        """
        start = self.start.subnet
        if start is None or attachment.appliance_mode or self.source.appliance_mode or self.source.network is None:
            return subnets
        if start.zone_id and all(each.zone_id for each in subnets):
            here = tuple(each for each in subnets if each.zone_id == start.zone_id)
        elif start.zone and start.scope == subnets[0].scope:
            here = tuple(each for each in subnets if each.zone == start.zone)
        else:
            here = ()
        return here or subnets

    def _in_local_zones(self, legs: list[Leg], network: Network) -> list[Leg]:
        """Return at most the same legs to local zones, which are reached through their parent zone.

        Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
        """
        local = frozenset(zone for zone in self.router.zones_of(network.id) if _is_local(zone, network.region))
        if not local:
            return []
        doubt = f"{', '.join(sorted(local))} may be served through a parent zone, which is not known"
        return [
            leg._replace(zones=local, certain=False, doubts=(*leg.doubts, doubt))
            for leg in legs
            if leg.zones is not None and leg.network == network.id
        ]
