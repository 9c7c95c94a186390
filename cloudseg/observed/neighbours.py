"""Which networks a packet of one network may come from or go to: those that anything leads to."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.model import own_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate

__all__ = ["Neighbours"]


class Neighbours:
    """Networks by what joins them: peerings at once, transit gateways and tunnels over any number of steps.

    It is asked which of several networks with equal ranges may be meant, so what only may join two networks does.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._direct: defaultdict[str, set[str]] = defaultdict(set)
        for peering in estate.peerings.values():
            one, other = peering.networks
            self._direct[one].add(other)
            self._direct[other].add(one)
        self._parts = _parts(estate)

    def beside(self, network: str) -> frozenset[str]:
        """Return the networks that are peered with one."""
        return frozenset(self._direct.get(network, ()))

    def joined(self, network: str) -> frozenset[str]:
        """Return the networks that anything read joins with one, over any number of steps; without itself."""
        return self._parts.get(network, frozenset()) - {network}


def _parts(estate: Estate) -> dict[str, frozenset[str]]:
    """Return for each network everything that it is joined with, itself as well."""
    leads: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in _joints(estate):
        leads[one].add(other)
        leads[other].add(one)
    found: dict[str, frozenset[str]] = {}
    for start in leads:
        if start in found:
            continue
        seen, left = {start}, [start]
        while left:
            more = leads[left.pop()] - seen
            seen |= more
            left.extend(more)
        part = frozenset(seen)
        found.update(dict.fromkeys(part, part))
    return found


def _joints(estate: Estate) -> Iterator[tuple[str, str]]:
    for peering in estate.peerings.values():
        yield peering.networks
    for attachment in estate.transit_attachments.values():
        # Both halves of a peering of transit gateways bear one id.
        yield attachment.gateway, f"{attachment.provider}:{own_id(attachment.id)}"
        for other in (attachment.network, attachment.beyond):
            if other is not None:
                yield attachment.gateway, other
        peer = None if attachment.peer is None else estate.transit_attachments.get(attachment.peer)
        if peer is not None:
            yield attachment.gateway, peer.gateway
    for gateway in estate.gateways.values():
        if not gateway.tunnels and not gateway.links:
            continue
        for network in gateway.networks:
            yield gateway.id, network
        for link in gateway.links:
            if link.gateway is not None:
                yield gateway.id, link.gateway
