"""What the tag ``VirtualNetwork`` stands for in each network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import own_id
from cloudseg.providers.azure.translate.parts import VirtualNetworkTag
from cloudseg.providers.azure.translate.service_tags import HOST
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Network
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_virtual_networks"]

_ROUTED: Final = "whether all prefixes of its routes count as part of it is not told"
_COUNTED: Final = frozenset(("virtualappliance", "virtualnetworkgateway"))


def add_virtual_networks(draft: Draft) -> None:
    """Work out the tag ``VirtualNetwork`` as each subnet sees it.

    It holds the network's own ranges, those of networks that it is peered with and that are open to it, the places
    that its gateways lead to, the address of the host, and the prefixes of the subnet's routes to machines and
    gateways. Routes to elsewhere may count, and default routes may make it every address. Source:
    https://learn.microsoft.com/azure/virtual-network/service-tags-overview#available-service-tags
    """
    for identifier, network in draft.networks.items():
        tag = whole = _of_network(draft, network)
        for subnet in draft.subnets.values():
            if subnet.network == identifier:
                own = draft.virtual_networks[subnet.id] = _of_subnet(draft, tag, draft.guards[subnet.id].table)
                more = (own.known | own.maybe) - whole.known
                whole = whole._replace(maybe=whole.maybe | more, doubt=whole.doubt or (_ROUTED if more else ""))
        draft.virtual_networks[identifier] = whole


def _of_network(draft: Draft, network: Network) -> VirtualNetworkTag:
    """Return what the tag stands for without the routes of any subnet."""
    known, maybe, doubts = network.addresses | HOST, NO_ADDRESSES, list[str]()
    for neighbour in draft.peers_of(network.id):
        peering = draft.peerings[neighbour.peering]
        if not peering.active or not neighbour.open:
            continue
        other = draft.networks.get(neighbour.network)
        ranges = peering.ranges[1] or (NO_ADDRESSES if other is None else other.addresses)
        if not ranges:
            doubts.append(f"the ranges of {own_id(neighbour.network)}, a peer, were not read")
            maybe = ALL_ADDRESSES
        elif peering.doubt:
            doubts.append(f"{peering.label}: {peering.doubt}")
            maybe |= ranges
        else:
            known |= ranges
    behind = draft.on_premises.get(network.id)
    if behind is not None:
        known |= behind.known
        if behind.doubt:
            doubts.append(behind.doubt)
            maybe = ALL_ADDRESSES
    return VirtualNetworkTag(known, maybe - known, "; ".join(dict.fromkeys(doubts)))


def _of_subnet(draft: Draft, tag: VirtualNetworkTag, table: str) -> VirtualNetworkTag:
    """Return what the tag stands for where a subnet has routes of its own."""
    if not table:
        return tag
    if table not in draft.user_routes:
        return VirtualNetworkTag(tag.known, ALL_ADDRESSES - tag.known, f"the routes of {own_id(table)} were not read")
    known, maybe = tag.known, tag.maybe
    for route in draft.user_routes[table]:
        addresses = ALL_ADDRESSES if route.addresses is None and not route.tag else route.addresses
        if addresses is None:
            # A route to a service tag: which of its addresses count, nobody says.
            continue
        if route.kind in _COUNTED and not _is_default(addresses):
            known |= addresses
        else:
            maybe |= addresses
    maybe -= known
    doubt = tag.doubt or (_ROUTED if maybe else "")
    return VirtualNetworkTag(known, maybe, doubt)


def _is_default(addresses: AddressSet) -> bool:
    return addresses >= ALL_IPV4 if addresses.v4 else addresses >= ALL_IPV6
