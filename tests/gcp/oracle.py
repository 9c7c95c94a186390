"""An oracle for Google Cloud: whether one connection passes, worked out from raw answers, one packet at a time.

It is naive on purpose. It loops over lists and knows no sets, no classes and no bounds, so that it can be checked by
reading it beside the vendor's pages. What the pages leave open, and what was not read, is a question with two answers:
the decision is made under each of them, and is undefined where they differ.

Decisions on what the pages say in passing or nowhere in one place:

- Firewalls are stateful, routes are not: the answer needs a route back by the way the packet came, but no rule's leave.
- A packet to the external IPv4 address of a machine is seen by its firewall with the internal one as destination, and
  by the sender's with the external one. It comes from the address that the internet sees, and bears no identity.
- External IPv6 addresses are those of subnets: inside a network, and between dual-stack peers, routes of subnets lead
  to them, and identity holds; from elsewhere they are reached over the internet.
- The one-to-one address of an interface stands for its primary address alone; alias ranges leave by Cloud NAT or not.
- Cloud NAT carries TCP, UDP and ICMP. Which of its addresses a packet bears is not known, and of addresses that Google
  picks nothing is.
- Mail (TCP port 25) to external addresses is blocked in most projects, and let through in some: nobody can ask which.
- A subnet with Private Google Access reaches Google's services without an external address. Which addresses are theirs
  is known of the two fixed ranges only.
- Somebody may come from 35.235.240.0/20 by Identity-Aware Proxy to any internal address, by TCP.
- A machine as next hop may do anything, save one without IP forwarding, which drops.
- What is behind a VPN tunnel is like the internet: what its routes name is reached, and nothing is asked of who is
  there.

Left out: load balancers and their health checks, Private Service Connect, policy-based routes, dynamic routes, Network
Connectivity Center, Private NAT and NAT64, network profiles, and packets of a machine to itself.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from tests.azure.oracle_worlds import in_every_world
from tests.gcp.oracle_addresses import holds, internal, let_out, nic_of
from tests.gcp.oracle_reading import read
from tests.gcp.oracle_records import Decision
from tests.gcp.oracle_routes import is_public, next_hop
from tests.gcp.oracle_rules import Seen, filtered

if TYPE_CHECKING:
    from tests.azure.oracle_worlds import World
    from tests.gcp.oracle_records import Address, Answers, Nic, Packet, Read
    from tests.gcp.oracle_routes import Hop

__all__ = ["METADATA", "decide", "decide_in"]

METADATA = ip_address("169.254.169.254")
"""https://cloud.google.com/firewall/docs/firewalls#alwaysallowed"""
_PROXY = ip_network("35.235.240.0/20")
"""https://cloud.google.com/iap/docs/using-tcp-forwarding"""
_CARRIED = {1, 4, 6, 17, 47, 50, 51, 58, 132}
"""https://cloud.google.com/firewall/docs/firewalls#blockedtraffic: what external addresses carry."""
_MAIL = 25
_TCP = 6


def decide(answers: Answers, packet: Packet) -> Decision:
    """Decide about one packet from raw answers."""
    return decide_in(read(answers), packet)


def decide_in(estate: Read, packet: Packet) -> Decision:
    """Decide about one packet in an estate that was read before.

    A decision names what decided: where it passes, the levels of both firewalls.

    Raises:
        ValueError: neither end is an interface of the estate, or an interface has not the address.
    """
    return in_every_world(lambda world: _in_world(estate, world, packet))


def _in_world(estate: Read, world: World, packet: Packet) -> Decision:
    source, target = nic_of(estate, packet.source.interface), nic_of(estate, packet.destination.interface)
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if here.version != there.version:
        return Decision("blocked", "family")
    if source is not None:
        if not internal(source, here):
            raise ValueError(f"{source.id} does not send from {here}")
        return _from_nic(estate, world, packet, source, target)
    if target is None:
        raise ValueError(f"neither end of {packet} is an interface of the estate")
    return _from_outside(estate, world, packet, target)


def _seen(packet: Packet, source: Address, destination: Address, way: str, sender: Nic | None = None) -> Seen:
    return Seen(source, sender, destination, packet.protocol, packet.port, way)


def _blocked(stage: str) -> Decision:
    return Decision("blocked", stage)


def _from_nic(estate: Read, world: World, packet: Packet, source: Nic, target: Nic | None) -> Decision:
    """The sender's firewall, its routes, and whoever is there."""
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if there == METADATA:
        return Decision("passes", "metadata")
    hop = next_hop(estate, world, source, there)
    way = {"internet": "internet", "vpc": "intra" if hop.network == source.network else "peer"}.get(hop.kind, "hybrid")
    lets, level = filtered(estate, world, source, _seen(packet, here, there, way), ingress=False)
    out = f"egress {level}"
    if not lets:
        return _blocked(out)
    if hop.kind == "vpc":
        if target is None or target.network != hop.network or not internal(target, there):
            # The address is of a subnet, and nobody there has it.
            return _blocked("route")
        lost = _returned(next_hop(estate, world, target, here), source)
        return _arrive(estate, world, target, _seen(packet, here, there, way, source), out, lost)
    if hop.kind == "internet":
        return _over_internet(estate, world, packet, source, target, out)
    if hop.kind == "tunnel":
        # Whoever has an address of the estate is not on the other side.
        return Decision("passes", out) if target is None else _blocked("route")
    return Decision("undefined", "appliance") if hop.kind == "appliance" else _blocked("route")


def _returned(back: Hop, source: Nic) -> str:
    """What becomes of the answer: empty where it gets back to an interface of the estate."""
    if back.kind == "vpc" and back.network == source.network:
        return ""
    return "undefined" if back.kind == "appliance" else "blocked"


def _arrive(estate: Read, world: World, target: Nic, seen: Seen, out: str, lost: str) -> Decision:
    """The receiver's firewall, and the way back."""
    lets, level = filtered(estate, world, target, seen, ingress=True)
    if not lets:
        return _blocked(f"ingress {level}")
    if lost:
        return Decision(lost, "return route")
    return Decision("passes", f"{out}, ingress {level}" if out else f"ingress {level}")


def _over_internet(
    estate: Read, world: World, packet: Packet, source: Nic, target: Nic | None, out: str
) -> Decision:  # fmt: skip
    """Out by the default internet gateway, and in again where the address is one of the estate."""
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if not is_public(there):
        # The internet knows no private address.
        return _blocked("route")
    if packet.protocol not in _CARRIED:
        return _blocked("platform")
    if packet.protocol == _TCP and packet.port == _MAIL and not world.holds("the project may send mail"):
        return _blocked("platform")
    borne = let_out(estate, world, packet, source, target)
    if borne is None:
        return _blocked("no external address")
    if target is None:
        return Decision("passes", out)
    if not holds(target, there):
        # A public address in private use: the internet takes the packet to its real owner.
        return _blocked("route")
    return _let_in(estate, world, packet, target, borne, out, way="across" if here.version == 4 else "internet")


def _let_in(
    estate: Read, world: World, packet: Packet, target: Nic, seen_from: Address, out: str, *, way: str
) -> Decision:
    """Over the internet to an external address; the answer has to leave by the default internet gateway.

    https://cloud.google.com/vpc/docs/routes: a network without a route to the gateway answers nobody.
    """
    there = ip_address(packet.destination.address)
    own = target.primary if there == target.public else there
    back = next_hop(estate, world, target, seen_from)
    lost = {"internet": "", "appliance": "undefined"}.get(back.kind, "blocked")
    return _arrive(estate, world, target, _seen(packet, seen_from, own, way), out, lost)


def _from_outside(estate: Read, world: World, packet: Packet, target: Nic) -> Decision:
    """From the internet to an external address, from behind a tunnel, or by Identity-Aware Proxy."""
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if not internal(target, there) and not holds(target, there):
        raise ValueError(f"{target.id} is not called by {there}")
    if here == METADATA:
        return _blocked("on-premises")
    back = next_hop(estate, world, target, here)
    if here in _PROXY and internal(target, there):
        return _by_proxy(estate, world, packet, target)
    if internal(target, there) and back.kind == "tunnel":
        return _arrive(estate, world, target, _seen(packet, here, there, "hybrid"), "", "")
    if holds(target, there) and is_public(here):
        return _let_in(estate, world, packet, target, here, "", way="internet")
    if internal(target, there) and back.kind == "appliance":
        # A machine may forward what comes to it.
        return Decision("undefined", "appliance")
    return _blocked("public" if is_public(here) else "on-premises")


def _by_proxy(estate: Read, world: World, packet: Packet, target: Nic) -> Decision:
    """Google's special routes lead there and back: https://cloud.google.com/vpc/docs/routes#special_return_paths"""
    here, there = ip_address(packet.source.address), ip_address(packet.destination.address)
    if packet.protocol != _TCP or not world.holds(f"somebody comes to {target.id} by Identity-Aware Proxy"):
        return _blocked("public")
    return _arrive(estate, world, target, _seen(packet, here, there, "hybrid"), "", "")
