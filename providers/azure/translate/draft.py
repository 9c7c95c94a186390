"""The estate of Azure while it is being translated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudseg.model import RouteTable
from cloudseg.providers.azure.translate.firewall_parts import FirewallParts
from cloudseg.providers.azure.translate.hub_parts import HubParts
from cloudseg.providers.azure.translate.parts import (
    Backing,
    Balanced,
    Guard,
    Lent,
    Neighbour,
    Nsg,
    OnPremises,
    ParsedRule,
    PublicAddress,
    UserRoute,
    VirtualNetworkTag,
)
from cloudseg.providers.draft import Draft as _Draft
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Interface

__all__ = ["Draft"]


@dataclass(eq=False)
class Draft(_Draft):
    """Collects what the subjects translate, over all subscriptions."""

    guards: dict[str, Guard] = field(default_factory=dict[str, Guard])
    """The security settings of subnets, by qualified id."""
    neighbours: dict[str, list[Neighbour]] = field(default_factory=dict[str, list[Neighbour]])
    """The peers of networks, by qualified id."""
    public_addresses: dict[str, PublicAddress] = field(default_factory=dict[str, PublicAddress])
    """Public addresses by qualified id."""
    nic_nsgs: dict[str, str] = field(default_factory=dict[str, str])
    """The NSG of a network interface itself, by the interface's id."""
    backings: dict[str, Backing] = field(default_factory=dict[str, Backing])
    """Who is behind load balancers, by the interface's id."""
    virtual_networks: dict[str, VirtualNetworkTag] = field(default_factory=dict[str, VirtualNetworkTag])
    """What the tag ``VirtualNetwork`` stands for in each network."""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    """The lists of service tags by name in lower case, read or not."""
    nat_addresses: dict[str, AddressSet] = field(default_factory=dict[str, AddressSet])
    """The public addresses of NAT gateways, by qualified id."""
    behind_gateways: dict[str, OnPremises] = field(default_factory=dict[str, OnPremises])
    """Where gateways lead to, by qualified id."""
    tunnel_ends: dict[str, AddressSet] = field(default_factory=dict[str, AddressSet])
    """The public addresses of gateways to other places, by qualified id."""
    on_premises: dict[str, OnPremises] = field(default_factory=dict[str, OnPremises])
    """Where gateways lead to from each network."""
    user_routes: dict[str, tuple[UserRoute, ...]] = field(default_factory=dict[str, tuple[UserRoute, ...]])
    """The routes that users made, by the id of their table."""
    table_shells: dict[str, RouteTable] = field(default_factory=dict[str, RouteTable])
    """Route tables without routes, by qualified id."""
    without_propagation: set[str] = field(default_factory=set[str])
    """Route tables into which gateways propagate nothing."""
    walls: FirewallParts = field(default_factory=FirewallParts)
    """What firewalls refer to."""
    hubs: HubParts = field(default_factory=HubParts)
    """Virtual hubs and what is joined to them."""
    frontends: dict[tuple[AddressSet, str], str] = field(default_factory=dict[tuple[AddressSet, str], str])
    """The one interface behind an inner frontend of a load balancer, by its address and network."""
    unread_gateways: set[str] = field(default_factory=set[str])
    """The subscriptions whose gateways were not read."""
    admin_rules: dict[str, list[ParsedRule]] = field(default_factory=dict[str, list[ParsedRule]])
    """Security admin rules as they are written, by network."""
    standard: set[str] = field(default_factory=set[str])
    """The interfaces to which packets come from the internet by something that is closed without an NSG."""
    basic: set[str] = field(default_factory=set[str])
    """The interfaces to which packets come from the internet by something that is open without an NSG."""
    balanced_out: dict[str, Lent] = field(default_factory=dict[str, Lent])
    """The public addresses of load balancers that stand for interfaces which send to the internet, by their id."""
    standard_pools: set[str] = field(default_factory=set[str])
    """The interfaces behind Standard load balancers, inner ones too."""
    pools: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The interfaces of backend pools, by the pool's qualified id."""
    partly_public: set[str] = field(default_factory=set[str])
    """The interfaces of which some IPv4 addresses have a public one, and others have none."""
    balanced: list[Balanced] = field(default_factory=list[Balanced])
    """The rules of load balancers."""
    private_zones: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Qualified ids of the private DNS zones that are linked to each network."""
    recorded_zones: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Qualified ids of the private DNS zones that hold the records of each private endpoint, by its zone groups."""
    endpoint_parts: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Which parts of a service a private endpoint leads to, where it keeps the names in a zone, by its id."""
    nsgs: dict[str, Nsg] = field(default_factory=dict[str, Nsg])
    """The NSGs, before it is known where they stand."""

    def __post_init__(self) -> None:
        """Prepare what every provider collects."""
        super().__init__()

    @property
    def endpoint_interfaces(self) -> tuple[Interface, ...]:
        """The interfaces of private endpoints, in order of their ids."""
        found = (each for _, each in sorted(self.interfaces.items()) if each.role == "private_endpoint")
        return tuple(found)

    def peers_of(self, network: str) -> Iterator[Neighbour]:
        """Yield the networks that packets of a network reach over a peering."""
        yield from self.neighbours.get(network, ())

    def gateways_read(self, scope: str) -> bool:
        """Tell whether the gateways of a subscription to other places were read."""
        return scope not in self.unread_gateways
