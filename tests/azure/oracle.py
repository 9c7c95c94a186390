"""An oracle for Azure: whether one connection passes, worked out from the raw answers, one packet at a time.

It is naive on purpose. It loops over lists and knows no sets, no classes and no bounds, so that it can be checked by
reading it beside the vendor's pages. What the pages leave open, and what was not read, is a question with two answers:
the decision is made under each of them, and is undefined where they differ.

Decisions on what the pages say in passing or nowhere in one place:

- Groups are stateful, routes are not: the answer needs a route back by the way the packet came, but no group's leave.
- ``VirtualNetwork`` is the network's own space, that of peers (a half with ``allowVirtualNetworkAccess`` false takes
  the peer out of the tag of its own network, and changes no route), what lies behind gateways, the host's address, and
  the prefixes of user-defined routes of the subnet to machines and gateways. Default routes, and routes to elsewhere,
  may be in it or not.
- ``Internet`` is what the public internet reaches and ``VirtualNetwork`` has not: no private address.
- A packet to the public address of an own interface goes out and comes in again: the receiver sees it come from the
  address that the sender has on the internet. That of default outbound access nobody knows: it may be any, and one of
  each kind that rules and routes tell apart is tried.
- Where nobody knows which way a packet takes, whoever gets it still lets in what its rules say, and needs a way back.
- A machine as next hop may do anything, save one without IP forwarding, which drops.
- What is behind a gateway is like the internet: what its connections name is reached, and nothing is asked of whoever
  is there. What a gateway learned by BGP is open.
- Security admin rules do not reach private endpoints, and private endpoints open no connection.

Left out: application gateways, firewalls that are no machine of the estate, virtual WAN, service endpoints, global
load balancers, the firewalls of services behind private endpoints.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from tests.azure.oracle_addresses import (
    HOST,
    METADATA,
    anywhere,
    config_at,
    forwards,
    front_at,
    is_public,
    nic_of,
    outbound,
    public_of,
    subnet_of,
    vnet_of,
)
from tests.azure.oracle_admin import platform
from tests.azure.oracle_filters import enters, leaves, seen_by, view_of
from tests.azure.oracle_peerings import behind, learned
from tests.azure.oracle_reading import read
from tests.azure.oracle_records import Decision
from tests.azure.oracle_routes import drops, next_hop
from tests.azure.oracle_worlds import in_every_world

if TYPE_CHECKING:
    from tests.azure.oracle_records import Address, Answers, Config, Front, Nic, Packet, Read
    from tests.azure.oracle_routes import Hop
    from tests.azure.oracle_worlds import World

__all__ = ["decide", "decide_in"]

PASSES = Decision("passes", "delivered")
_CARRIED = {1, 6, 17, 50, 51, 58}
_REFUSED = {4, 47}


class _Sender(NamedTuple):
    """Who sends, as the receiver sees it.

    ``config`` is set where the packet came by private addresses from an interface of the estate.
    """

    address: Address
    config: Config | None = None


def decide(answers: Answers, packet: Packet) -> Decision:
    """Decide about one packet from raw answers."""
    return decide_in(read(answers), packet)


def decide_in(estate: Read, packet: Packet) -> Decision:
    """Decide about one packet in an estate that was read before.

    Raises:
        ValueError: neither end is an interface of the estate, or an interface has not the address.
    """
    return in_every_world(lambda world: _in_world(estate, world, packet))


def _in_world(estate: Read, world: World, packet: Packet) -> Decision:
    """https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-faq

    Networks carry TCP, UDP, ICMP, ESP and AH, and block GRE and IP-in-IP; of the rest the page says nothing.
    """
    source, target = nic_of(estate, packet.source.interface), nic_of(estate, packet.destination.interface)
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if source is None and target is None:
        raise ValueError(f"neither end of {packet} is an interface of the estate")
    if here.version != there.version:
        return Decision("blocked", "family")
    if packet.protocol in _REFUSED:
        return Decision("blocked", "platform")
    if packet.protocol not in _CARRIED:
        return Decision("undefined", "platform")
    if source is not None:
        return _from_nic(estate, world, packet, source, target)
    if target is None:
        raise ValueError(f"{packet} has no end here")
    return _from_outside(estate, world, packet, target)


def _from_nic(estate: Read, world: World, packet: Packet, source: Nic, target: Nic | None) -> Decision:
    """Nothing comes from a private endpoint: https://learn.microsoft.com/en-us/azure/private-link/private-endpoint-overview"""
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    config = config_at(source, here)
    if config is None:
        raise ValueError(f"{source.id} has no {here}")
    if source.endpoint:
        return Decision("blocked", "private endpoint")
    subnet = subnet_of(estate, config)
    vnet = vnet_of(estate, subnet)
    near = config_at(target, there) if target is not None else None
    seen = seen_by(packet, here, config.groups, there, near.groups if near is not None else [])
    if there in {HOST, METADATA}:
        return platform(estate, world, view_of(estate, config), [source.nsg, subnet.nsg], seen)
    refusal = leaves(estate, world, source, config, seen)
    if refusal:
        return Decision("blocked", refusal)
    hop = next_hop(estate, world, subnet, vnet, there)
    if hop.kind == "vnet":
        return _inside(estate, world, packet, config, target, hop.vnet)
    if hop.kind == "internet":
        return _over_internet(estate, world, packet, config, target)
    if hop.kind == "gateway" and target is None and behind(estate, vnet, there):
        return PASSES
    found = _elsewhere(estate, config, hop, "route")
    if hop.kind in {"gateway", "unknown"} and target is not None:
        if near is not None:
            let_in = _arrive(estate, world, packet, target, near, _Sender(here, config))
        elif is_public(there):
            let_in = _let_in(estate, world, packet, target, [None])
        else:
            return found
        return let_in if let_in.verdict == "blocked" else found
    return found


def _elsewhere(estate: Read, config: Config, hop: Hop, stage: str) -> Decision:
    """A next hop that is neither here nor the internet."""
    if hop.kind == "none":
        return Decision("blocked", stage)
    if hop.kind == "appliance" and drops(estate, vnet_of(estate, subnet_of(estate, config)), hop.address):
        return Decision("blocked", "appliance")
    return Decision("undefined", {"gateway": "on-premises"}.get(hop.kind, hop.kind))


def _inside(
    estate: Read, world: World, packet: Packet, config: Config, target: Nic | None, vnet: str
) -> Decision:  # fmt: skip
    """Delivery by a private address, of an interface or of an internal load balancer."""
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if target is None:
        return Decision("blocked", "route")
    called = config_at(target, there)
    if called is not None and subnet_of(estate, called).vnet == vnet:
        if target.endpoint and not estate.endpoints.get(target.endpoint, False):
            return Decision("blocked", "private endpoint")
        return _arrive(estate, world, packet, target, called, _Sender(here, config))
    found = front_at(estate, target, there, vnet)
    if found is None:
        return Decision("blocked", "route")
    return _balanced(estate, world, packet, target, found, _Sender(here, config))


def _over_internet(estate: Read, world: World, packet: Packet, config: Config, target: Nic | None) -> Decision:
    """Out to the internet, and in again where the address is one of the estate."""
    there = ip_address(packet.destination.address)
    if not is_public(there):
        # The internet knows no private address.
        return Decision("blocked", "route")
    way = outbound(estate, world, config, packet.protocol)
    if way.verdict == "blocked":
        return Decision("blocked", "outbound")
    let_in = PASSES if target is None else _let_in(estate, world, packet, target, way.seen)
    return Decision("undefined", "outbound") if (way.verdict, let_in.verdict) == ("undefined", "passes") else let_in


def _let_in(estate: Read, world: World, packet: Packet, target: Nic, seen: list[Address | None]) -> Decision:
    """Whether a public address or frontend is reached from these addresses on the internet, from any where one is None.

    Which of them a packet bears is not known.
    """
    *others, last = dict.fromkeys(
        address for one in seen for address in ([one] if one is not None else anywhere(estate, packet))
    )
    borne = next((each for each in others if world.holds(f"the internet sees {packet.source.address} as {each}")), last)
    return _enter_public(estate, world, packet, target, borne)


def _enter_public(estate: Read, world: World, packet: Packet, target: Nic, here: Address) -> Decision:
    """From the internet to a public address or a public frontend of an interface."""
    there = ip_address(packet.destination.address)
    for config in target.configs:
        if public_of(estate, config) == there:
            return _arrive(estate, world, packet, target, config, _Sender(here))
    found = front_at(estate, target, there, "")
    if found is None:
        return Decision("blocked", "public")
    return _balanced(estate, world, packet, target, found, _Sender(here))


def _balanced(
    estate: Read, world: World, packet: Packet, target: Nic, found: tuple[Config, Front, bool], sender: _Sender
) -> Decision:
    """Rules see the client's address and the backend's address and port.

    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-groups-overview#azure-platform-considerations
    A backend that calls its own frontend is a case of its own:
    https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-troubleshoot-backend-traffic
    """
    config, front, basic = found
    if packet.source.interface == target.id:
        return Decision("undefined", "load balancer")
    names = {6: {"tcp", "all"}, 17: {"udp", "all"}}.get(packet.protocol, set[str]())
    for balancer in estate.balancers:
        for rule in balancer.rules if front in balancer.fronts else ():
            every = rule.protocol == "all" and rule.front_port == 0
            if rule.kind == "outbound" or not forwards(rule, front, config) or rule.protocol not in names:
                continue
            if every or rule.front_port == packet.port:
                inner = packet._replace(port=packet.port if every else rule.back_port)
                return _arrive(estate, world, inner, target, config, sender, basic=basic)
    return Decision("blocked", "load balancer")


def _arrive(
    estate: Read,
    world: World,
    packet: Packet,
    target: Nic,
    config: Config,
    sender: _Sender,
    *,
    basic: bool | None = None,
) -> Decision:
    """Ask the receiver's rules, and the way back."""
    groups = sender.config.groups if sender.config is not None else []
    seen = seen_by(packet, sender.address, groups, config.private, config.groups)
    # Only what came by a public address is refused for want of a group.
    standard = sender.config is None and not (estate.publics[config.public].basic if basic is None else basic)
    refusal = enters(estate, world, target, config, seen, standard=standard)
    if refusal:
        return Decision("blocked", refusal)
    # Routes do not bind what a private endpoint answers.
    return PASSES if target.endpoint else _back(estate, world, config, sender)


def _back(estate: Read, world: World, config: Config, sender: _Sender) -> Decision:
    """The answer takes the receiver's own routes, and has to come back by the way the packet came.

    https://learn.microsoft.com/en-us/azure/virtual-network/virtual-networks-udr-overview#default-route: with a default
    route to a machine or a gateway, nothing in the subnet can be reached directly from the internet any more.
    """
    subnet = subnet_of(estate, config)
    hop = next_hop(estate, world, subnet, vnet_of(estate, subnet), sender.address)
    if sender.config is None:
        if hop.kind in {"internet", "unknown"}:
            return PASSES if hop.kind == "internet" else Decision("undefined", "return route")
        return Decision("undefined" if hop.kind == "vnet" else "blocked", "return route")
    if hop.kind == "vnet" and hop.vnet == subnet_of(estate, sender.config).vnet:
        return PASSES
    if hop.kind == "internet":
        return Decision("undefined", "return route")
    return _elsewhere(estate, config, hop, "return route")


def _from_outside(estate: Read, world: World, packet: Packet, target: Nic) -> Decision:
    """From the internet by a public address or frontend, from behind a gateway, or from the host (health probes)."""
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    config = config_at(target, there)
    if config is None:
        return _enter_public(estate, world, packet, target, here) if is_public(here) else Decision("blocked", "public")
    if target.endpoint and not estate.endpoints.get(target.endpoint, False):
        return Decision("blocked", "private endpoint")
    seen = seen_by(packet, here, [], config.private, config.groups)
    if here == HOST:
        refusal = enters(estate, world, target, config, seen, standard=False)
        # Denied health probes fail: a load balancer takes the machine out of its rotation.
        return Decision("blocked" if refusal else "passes", refusal or "platform")
    subnet = subnet_of(estate, config)
    vnet = vnet_of(estate, subnet)
    way = next_hop(estate, world, subnet, vnet, here)
    if way.kind == "appliance" and not drops(estate, vnet, way.address):
        # The page on default routes: such a machine may translate and forward what comes to it from the internet.
        return Decision("undefined", "appliance")
    known = behind(estate, vnet, here)
    if not known and not learned(estate, world, vnet, here):
        return Decision("blocked", "public" if is_public(here) else "on-premises")
    refusal = enters(estate, world, target, config, seen, standard=False)
    if refusal:
        return Decision("blocked", refusal)
    if way.kind == "gateway" or target.endpoint:
        return PASSES if known else Decision("undefined", "on-premises")
    return Decision("undefined" if way.kind == "unknown" else "blocked", "return route")
