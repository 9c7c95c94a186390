"""Tunnels between gateways over the internet, and which of them join two networks of one estate.

A gateway tells its own public addresses and those at which its tunnels end. Where another gateway of the estate bears
the latter and names the former in turn, the two are linked: what is sent into the one comes out of the other.

Sources: https://docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html,
https://cloud.google.com/network-connectivity/docs/vpn/concepts/topologies and
https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model.estate import Estate
    from cloudseg.model.topology import Gateway

__all__ = ["Link", "Tunnel", "link_gateways"]


class Tunnel(msgspec.Struct, frozen=True, kw_only=True):
    """A tunnel of a gateway.

    Attributes:
        addresses: public addresses of the gateway itself, at one of which the tunnel begins.
        peers: the addresses at one of which it ends.
        up: it carried packets when its own end was asked; None where that was not told.
        carries: the destinations that are sent into it; None where the other end tells them, which was not read.
        serves: the addresses on its own side to which it brings packets.
    """

    addresses: AddressSet
    peers: AddressSet
    up: bool | None = None
    carries: AddressSet | None = None
    serves: AddressSet = ALL_ADDRESSES


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Tunnels of a gateway that lead to the same place.

    Attributes:
        gateway: qualified id of the gateway at the other end; None for ends that nobody read.
        carries: the destinations for which packets may be sent into them.
        learned: which these are the other end tells, and that was not read.
        up: they carry packets: both ends said so of one of them. None where that is not known.
    """

    gateway: str | None
    carries: AddressSet
    learned: bool = False
    up: bool | None = None


def link_gateways(estate: Estate) -> Estate:
    """Return the estate with its gateways linked, as far as tunnels of both of two ends name each other's addresses."""
    tunnelled = [gateway for _, gateway in sorted(estate.gateways.items()) if gateway.tunnels]
    linked = {gateway.id: links for gateway in tunnelled if (links := _links(gateway, tunnelled))}
    if not linked:
        return estate
    gateways = {
        name: msgspec.structs.replace(gateway, links=linked[name]) if name in linked else gateway
        for name, gateway in estate.gateways.items()
    }
    return dataclasses.replace(estate, gateways=gateways)


def _links(gateway: Gateway, others: list[Gateway]) -> tuple[Link, ...]:
    """Return the links of a gateway; none where all its tunnels end at places that nobody read."""
    found: defaultdict[tuple[str | None, bool | None], list[Link]] = defaultdict(list)
    for tunnel in gateway.tunnels:
        pairs = list(_pairs(gateway, tunnel, others))
        for each in pairs or [_astray(tunnel)]:
            found[each.gateway, each.up].append(each)
    if not any(name is not None for name, _ in found):
        return ()
    return tuple(_together(each) for each in found.values())


def _pairs(gateway: Gateway, tunnel: Tunnel, others: list[Gateway]) -> Iterator[Link]:
    for other in others:
        for back in other.tunnels if other.id != gateway.id else ():
            if tunnel.addresses.overlaps(back.peers) and back.addresses.overlaps(tunnel.peers):
                yield Link(
                    gateway=other.id,
                    carries=(ALL_ADDRESSES if tunnel.carries is None else tunnel.carries) & back.serves,
                    learned=tunnel.carries is None,
                    up=_up(tunnel, back),
                )


def _astray(tunnel: Tunnel) -> Link:
    carries = ALL_ADDRESSES if tunnel.carries is None else tunnel.carries
    return Link(gateway=None, carries=carries, learned=tunnel.carries is None, up=tunnel.up)


def _up(one: Tunnel, other: Tunnel) -> bool | None:
    if one.up is False or other.up is False:
        return False
    return True if one.up and other.up else None


def _together(links: list[Link]) -> Link:
    """Return the link that stands for several to the same place, of which the same is known."""
    carries = NO_ADDRESSES
    for each in links:
        carries |= each.carries
    learned = all(each.learned for each in links)
    return Link(gateway=links[0].gateway, carries=carries, learned=learned, up=links[0].up)
