"""The estate of Google Cloud while it is being translated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudseg.providers.draft import Draft as _Draft
from cloudseg.providers.gcp.ids import project_of, qualified_id, tail_of
from cloudseg.providers.gcp.translate.balancing_parts import BalancingParts
from cloudseg.providers.gcp.translate.hub_parts import Hub, HubRange, Spoke
from cloudseg.providers.gcp.translate.parts import (
    Imported,
    Level,
    Nat,
    Neighbour,
    Policy,
    PolicyRoute,
    RegionalPolicy,
    Routed,
)
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Rule, Subnet

__all__ = ["Draft"]


@dataclass(eq=False)
class Draft(_Draft):
    """Collects what the subjects translate, over all projects."""

    numbers: dict[str, str] = field(default_factory=dict[str, str])
    """The ids of projects by their numbers."""
    hosts: dict[str, str] = field(default_factory=dict[str, str])
    """The project that shares its networks with a project, by that project."""
    neighbours: dict[str, list[Neighbour]] = field(default_factory=dict[str, list[Neighbour]])
    """The peers of networks, by qualified id."""
    spaces: dict[str, AddressSet] = field(default_factory=dict[str, AddressSet])
    """The ranges of the subnets of networks, by the network's qualified id."""
    open_subnets: set[str] = field(default_factory=set[str])
    """The projects of whose subnets not all were read: any address may belong to one of them."""
    open_routes: set[str] = field(default_factory=set[str])
    """The projects of whose written routes not all were read: what is missing may go before any of them."""
    open_routers: set[str] = field(default_factory=set[str])
    """The projects of whose routers not all were read."""
    open_rules: set[str] = field(default_factory=set[str])
    """The projects of whose VPC firewall rules not all were read: what is missing may stand before any of them."""
    open_spokes: set[str] = field(default_factory=set[str])
    """The projects of which it was not read in full which of their networks are spokes of hubs."""
    open_peerings: set[str] = field(default_factory=set[str])
    """The networks of whose peerings not all were read, by qualified id."""
    unknown_profiles: set[str] = field(default_factory=set[str])
    """The networks of profiles that nothing here knows, by qualified id."""
    google_access: dict[str, bool] = field(default_factory=dict[str, bool])
    """Whether machines without public address reach Google's own services, by the subnet's qualified id."""
    first_ranges: dict[str, AddressSet] = field(default_factory=dict[str, AddressSet])
    """The primary IPv4 ranges of subnets, by qualified id."""
    judged_proxies: set[str] = field(default_factory=set[str])
    """The networks of which a policy has rules for internal load balancers, by qualified id."""
    regional: dict[str, str] = field(default_factory=dict[str, str])
    """The regions outside of which nobody comes to an interface, by the interface's qualified id."""
    purposes: dict[str, str] = field(default_factory=dict[str, str])
    """What subnets are for: ``PRIVATE``, ``REGIONAL_MANAGED_PROXY``, … by qualified id."""
    hierarchy: dict[str, list[Level]] = field(default_factory=dict[str, list[Level]])
    """The policies above the project that a network stands under, in their order."""
    global_policies: dict[str, list[Policy]] = field(default_factory=dict[str, list[Policy]])
    """The global policies of networks, by the network's qualified id."""
    regional_policies: list[RegionalPolicy] = field(default_factory=list[RegionalPolicy])
    """The policies of regions of networks."""
    system_policies: list[RegionalPolicy] = field(default_factory=list[RegionalPolicy])
    """The policies that Google keeps for regions of networks."""
    carried_tags: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """The network tags of an interface, by its id: routes look at them as well."""
    instances: dict[str, str] = field(default_factory=dict[str, str])
    """The qualified ids of instances by their numbers, which bindings of tags name."""
    bound_tags: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The secure tags bound to instances, by the instance's qualified id."""
    secure_tags: dict[str, str] = field(default_factory=dict[str, str])
    """The names of secure tags, by their ids: ``tagValues/123``."""
    tag_networks: dict[str, str] = field(default_factory=dict[str, str])
    """The networks that keys of secure tags are for, as they are written, by the key's id; empty for any network."""
    value_networks: dict[str, str] = field(default_factory=dict[str, str])
    """The same by the ids of their values."""
    read_bindings: set[str] = field(default_factory=set[str])
    """The projects of which it was read which instances bear secure tags."""
    network_numbers: dict[str, str] = field(default_factory=dict[str, str])
    """The numbers of networks, by qualified id: secure tags may name them so."""
    firewall_rules: dict[str, dict[str, Rule]] = field(default_factory=dict[str, "dict[str, Rule]"])
    """The VPC firewall rules by network, and by their own qualified ids."""
    routed: list[Routed] = field(default_factory=list[Routed])
    """Routes as they are written."""
    nats: list[Nat] = field(default_factory=list[Nat])
    """Cloud NAT gateways."""
    routers: dict[str, str] = field(default_factory=dict[str, str])
    """The networks of routers, by the router's qualified id."""
    learning: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The routers of a network that learn routes from others, by the network's qualified id."""
    learned: dict[str, list[Routed]] = field(default_factory=dict[str, list[Routed]])
    """What routers say that they learned, by the router's qualified id."""
    tunnels: dict[str, str] = field(default_factory=dict[str, str])
    """The gateways of VPN tunnels, by the tunnel's qualified id."""
    tunnel_ranges: dict[str, AddressSet] = field(default_factory=dict[str, AddressSet])
    """The destinations of the routes that name a VPN tunnel, by the tunnel's qualified id."""
    imported: dict[str, Imported] = field(default_factory=dict[str, Imported])
    """What networks take over from peers, by the peering's qualified id, as far as it was read."""
    peer_ranges: dict[str, AddressSet] = field(default_factory=dict[str, AddressSet])
    """The ranges that routes lead to over peerings, by the peering's qualified id."""
    balancing: BalancingParts = field(default_factory=BalancingParts)
    """The parts of load balancers, and what they lead to."""
    hubs: dict[str, Hub] = field(default_factory=dict[str, Hub])
    """Hubs of Network Connectivity Center, by qualified id."""
    spokes: dict[str, Spoke] = field(default_factory=dict[str, Spoke])
    """What is joined to hubs, by qualified id."""
    hub_ranges: dict[str, tuple[HubRange, ...]] = field(default_factory=dict[str, "tuple[HubRange, ...]"])
    """What hubs lead networks to, by the network's qualified id."""
    policy_routes: list[PolicyRoute] = field(default_factory=list[PolicyRoute])
    """Routes that stand before all others."""

    def __post_init__(self) -> None:
        """Prepare what every provider collects."""
        super().__init__()

    def subnets_of(self, network: str, region: str) -> frozenset[str]:
        """Return the qualified ids of a network's subnets in a region."""

        def there(subnet: Subnet) -> bool:
            return subnet.network == network and subnet.region == region

        return frozenset(identifier for identifier, subnet in self.subnets.items() if there(subnet))

    def led_into(self, tunnel: str, destination: AddressSet) -> None:
        """Note that a route leads into a tunnel."""
        self.tunnel_ranges[tunnel] = self.tunnel_ranges.get(tunnel, NO_ADDRESSES) | destination

    def project(self, name: str) -> str:
        """Return the id of a project that is named by its id or its number, as far as that is known."""
        return self.numbers.get(name, name)

    def named(self, link: str, project: str) -> str:
        """Return the qualified id of what a link names, its project by id.

        Args:
            link: a self link in whatever spelling.
            project: the project whose answer holds it, for links that name none.
        """
        written = project_of(link)
        known = self.numbers.get(written)
        if known is None:
            return qualified_id(link, project)
        return qualified_id(tail_of(link).replace(f"projects/{written}", f"projects/{known}", 1), project)
