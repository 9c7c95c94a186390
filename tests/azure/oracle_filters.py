"""The filters of one interface, in the order in which a packet meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.oracle_addresses import subnet_of, vnet_of
from tests.azure.oracle_admin import admin_action
from tests.azure.oracle_nsg import Seen, allows
from tests.azure.oracle_tags import View

if TYPE_CHECKING:
    from tests.azure.oracle_records import Address, Config, Nic, Packet, Read
    from tests.azure.oracle_worlds import World

__all__ = ["enters", "leaves", "seen_by", "view_of"]

_FILTERED = {"networksecuritygroupenabled", "enabled"}


def view_of(estate: Read, config: Config) -> View:
    subnet = subnet_of(estate, config)
    return View(vnet_of(estate, subnet), subnet)


def seen_by(
    packet: Packet, source: Address, groups: list[str], destination: Address, members: list[str]
) -> Seen:  # fmt: skip
    return Seen(source, groups, destination, members, packet.protocol, packet.source_port, packet.port)


def leaves(estate: Read, world: World, nic: Nic, config: Config, seen: Seen) -> str:
    """What refuses a packet on its way out: admin rules, the interface's group, the subnet's group; empty if nothing.

    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-group-how-it-works#outbound-traffic
    """
    view = view_of(estate, config)
    action = admin_action(estate, world, view, seen, "outbound")
    if action != "allow":
        return "" if action == "alwaysallow" else "egress admin"
    if not allows(estate, world, view, nic.nsg, seen, "outbound"):
        return "egress nic nsg"
    return "" if allows(estate, world, view, view.subnet.nsg, seen, "outbound") else "egress subnet nsg"


def enters(estate: Read, world: World, nic: Nic, config: Config, seen: Seen, *, standard: bool) -> str:
    """What refuses a packet on its way in: admin rules, the subnet's group, the interface's group; empty if nothing.

    ``standard`` tells that it came by a Standard public address, which opens nothing where there is no group at all:
    https://learn.microsoft.com/en-us/azure/virtual-network/ip-services/public-ip-addresses#sku
    https://learn.microsoft.com/en-us/azure/virtual-network/network-security-group-how-it-works#inbound-traffic
    A private endpoint is under the subnet's group only where its subnet has the policy for groups:
    https://learn.microsoft.com/en-us/azure/private-link/disable-private-endpoint-network-policy
    and under no admin rule: https://learn.microsoft.com/en-us/azure/virtual-network-manager/concept-security-admins
    """
    view = view_of(estate, config)
    if nic.endpoint:
        filtered = view.subnet.policies in _FILTERED
        if filtered and not allows(estate, world, view, view.subnet.nsg, seen, "inbound"):
            return "ingress subnet nsg"
        return ""
    action = admin_action(estate, world, view, seen, "inbound")
    if action != "allow":
        return "" if action == "alwaysallow" else "ingress admin"
    if standard and not nic.nsg and not view.subnet.nsg:
        return "public address"
    if not allows(estate, world, view, view.subnet.nsg, seen, "inbound"):
        return "ingress subnet nsg"
    return "" if allows(estate, world, view, nic.nsg, seen, "inbound") else "ingress nic nsg"
