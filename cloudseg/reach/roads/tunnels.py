"""Packets that a route hands to a gateway whose tunnels end at other gateways of the estate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.roads.decisions import split
from cloudseg.reach.roads.leg import Hop, agreed
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cloudseg.model import Gateway, Link, Network, RouteTable
    from cloudseg.reach.roads.leg import Leg
    from cloudseg.reach.roads.legs import Router
    from cloudseg.reach.roads.travel import Way
    from cloudseg.traffic import AddressSet

__all__ = ["by_tunnels"]

_SURENESS = {True: 0, None: 1, False: 2}


def by_tunnels(
    router: Router, way: Way, gateway: Gateway, outside: Callable[[Way], list[Leg]], *, told: bool
) -> list[Leg]:
    """Return the legs of packets to a gateway: into the networks at the other ends of its tunnels, or outside.

    What comes out of a gateway goes on to the networks that it is attached to or lent to and no further, or by the
    table of routes that decides for what it brings. Answers need routes of their own, as everywhere. A tunnel that was
    down may be up at any time, so that it carries packets at most. Sources:
    https://docs.aws.amazon.com/vpn/latest/s2svpn/how_it_works.html,
    https://docs.aws.amazon.com/vpc/latest/peering/invalid-peering-configurations.html,
    https://cloud.google.com/network-connectivity/docs/vpn/concepts/overview and
    https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-peering-gateway-transit

    Args:
        router: follows routes.
        way: the packets.
        gateway: the gateway to which they come.
        outside: returns the legs of packets to places that nobody read.
        told: that a route leads here tells that the gateway knows a way on.
    """
    legs: list[Leg] = []
    for addresses, links in _shares(router, way.addresses, gateway):
        part = way.to(addresses)
        if not links:
            legs += outside(part)
            continue
        choices = [_by_link(router, part, gateway, link, outside, told=told) for link in links]
        legs += agreed(choices, f"into which tunnel {gateway.shown_id} sends packets is not known")
    return legs


def _shares(router: Router, addresses: AddressSet, gateway: Gateway) -> Iterator[tuple[AddressSet, Sequence[Link]]]:
    """Yield the addresses to which packets may go by the same links, with these; without any where they go outside."""
    near = NO_ADDRESSES
    taken: list[tuple[Link, AddressSet]] = []
    for link in gateway.links:
        if link.gateway is not None:
            taken.append((link, link.carries & _beyond(router, router.estate.gateways[link.gateway])))
            near |= taken[-1][1]
    taken += [(link, link.carries & near) for link in gateway.links if link.gateway is None]
    parts: list[tuple[AddressSet, Mapping[str | None, Link]]] = [(addresses, {})]
    for link, range_ in taken:
        parts = [
            piece
            for part, links in parts
            for piece in ((part & range_, _with(links, link)), (part - range_, links))
            if piece[0]
        ]
    for part, links in parts:
        yield part, tuple(links.values())


def _with(links: Mapping[str | None, Link], link: Link) -> Mapping[str | None, Link]:
    """Return links with one more; of several to one gateway the surest stands for all."""
    known = links.get(link.gateway)
    if known is not None and _SURENESS[known.up] <= _SURENESS[link.up]:
        return links
    return {**links, link.gateway: link}


def _beyond(router: Router, gateway: Gateway) -> AddressSet:
    """Return the addresses to which what comes out of a gateway may go on inside of the estate."""
    networks = _networks(router, gateway)
    if not gateway.networks or not all(each.addresses for each in networks):
        return ALL_ADDRESSES
    found = NO_ADDRESSES
    for network in networks:
        found |= network.addresses
    return found


def _networks(router: Router, gateway: Gateway) -> tuple[Network, ...]:
    """Return the networks that a gateway is attached to or lent to, as far as they were read."""
    found = (router.estate.networks.get(name) for name in sorted(gateway.networks))
    return tuple(each for each in found if each is not None)


def _by_link(
    router: Router, way: Way, gateway: Gateway, link: Link, outside: Callable[[Way], list[Leg]], *, told: bool
) -> list[Leg]:
    if link.gateway is None:
        return outside(way)
    other = router.estate.gateways[link.gateway]
    tunnel = f"the tunnel of {gateway.shown_id} and {other.shown_id}"
    if other.active is False:
        return way.dropped(f"{other.shown_id} is not active")
    doubts = (
        "" if link.up else f"whether {tunnel} is up is not known" if link.up is None else f"{tunnel} was down",
        f"whether {gateway.shown_id} knows a way to there is not known" if link.learned and not told else "",
        "" if other.active else f"the state of {other.shown_id} is not known",
    )
    step = Hop("tunnel", "", None, other.id, f"through {tunnel}")
    way = way.left().doubted(*doubts)
    way = way._replace(subnet=None, zones=None, blocks=(), returns=way.returns or "no", hops=(*way.hops, step))
    return _arrived(router, way, other)


def _arrived(router: Router, way: Way, gateway: Gateway) -> list[Leg]:
    """Return the legs of packets that come out of a gateway.

    Groups do not stand for anybody across it, unless they are a short way to write the addresses of their members.
    """
    if attachments := router.attachments_before(gateway.id):
        if not any(each.active for each in attachments):
            return way.dropped(f"the attachment {attachments[0].shown_id} is not active")
        away = way._replace(egress_groups=False, ingress_groups=False)
        choices = [router.by_attachment(away, each) for each in attachments if each.active]
        return agreed(choices, f"by which attachment packets come in from {gateway.shown_id} is not known")
    networks = _networks(router, gateway)
    if not networks:
        return way.lost(f"to which networks {gateway.shown_id} is attached was not read")
    edge = router.edge_table(gateway.id)
    home = None if edge is None else router.estate.networks.get(edge.network)
    if edge is not None and home is not None:
        return _by_edge(router, _into(way, home), edge, gateway)
    legs: list[Leg] = []
    for network in networks:
        inside = _into(way, network)
        if network.addresses:
            legs += inside.to(network.addresses).ends("network", network.id)
        else:
            legs += inside.doubted(f"the addresses of {network.shown_id} were not read").ends("network", network.id)
    return legs


def _by_edge(router: Router, way: Way, edge: RouteTable, gateway: Gateway) -> list[Leg]:
    """Return the legs of packets by the table that decides for what a gateway brings.

    It leads to networks that use the gateway, although these take nothing else that others send. Sources:
    https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html and
    https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-peering-gateway-transit
    """
    legs: list[Leg] = []
    lent = NO_ADDRESSES
    for part, route in split(way, router.decision(edge)):
        peering = router.estate.peerings.get(route.target or "") if route.kind == "peering" else None
        if peering is None or not peering.active:
            continue
        others = [name for name in peering.networks if name != edge.network and name in gateway.networks]
        network = router.estate.networks.get(others[0]) if others else None
        if network is not None and network.addresses:
            over = part.stepped(route.kind, edge.id, route)
            inside = _into(over, network).to(network.addresses)
            inside = inside.doubted(f"{peering.label}: {peering.doubt}" if peering.doubt else "")
            lent |= inside.addresses
            legs += inside.ends("network", network.id)
    rest = way._replace(addresses=way.addresses - lent)
    return legs + (router.by_table(rest, edge) if rest.addresses else [])


def _into(way: Way, network: Network) -> Way:
    return way._replace(
        egress_groups=way.egress_groups and way.network.groups_by_address,
        ingress_groups=way.ingress_groups and network.groups_by_address,
        network=network,
    )
