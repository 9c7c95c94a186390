"""Bastion hosts: proxies in a subnet of their own, from which people administer machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import ANYONE, Addresses, Interface, Labelled, Rule, RuleSet, Workload
from cloudseg.providers.azure.ids import parent_of, place_of, qualified_id, region_of
from cloudseg.providers.azure.translate.interfaces import borne, instances
from cloudseg.providers.azure.translate.pipeline import PLATFORM
from cloudseg.providers.azure.translate.service_tags import HOST
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, ids, tags_of
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC, GLOBAL_UNICAST, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["ROLE", "add_bastions"]

ROLE: Final = "bastion"
"""What the interfaces of bastion hosts are for."""
_BASTION: Final = "azure/bastion"
_WHAT: Final = "network.bastion_hosts"
_FACET: Final = "entrances"
_FIXED_PORTS: Final = frozenset(("developer", "basic"))
"""The SKUs without ports of one's choice. Source: https://learn.microsoft.com/azure/bastion/bastion-sku-comparison"""
_SHELLS: Final = Traffic.ports("tcp", 22, 22) | Traffic.ports("tcp", 3389, 3389)
_SERVED: Final = Traffic.ports("tcp", 443, 443)
_BETWEEN: Final = Traffic.ports("tcp", 8080, 8080) | Traffic.ports("tcp", 5701, 5701)
_OWN_ERRANDS: Final = Traffic.ports("tcp", 80, 80) | Traffic.ports("tcp", 443, 443)


class _ConfigurationProperties(msgspec.Struct):
    subnet: Ref | None = None
    public: Ref | None = msgspec.field(default=None, name="publicIPAddress")


class _Configuration(msgspec.Struct):
    properties: _ConfigurationProperties = msgspec.field(default_factory=_ConfigurationProperties)


class _Properties(msgspec.Struct, rename="camel"):
    ip_configurations: list[_Configuration] | None = None
    virtual_network: Ref | None = None


class _Sku(msgspec.Struct):
    name: str = ""


class _Bastion(ArmResource, kw_only=True):
    sku: _Sku | None = None
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_bastions(answers: Answers, draft: Draft) -> None:
    """Add the bastion hosts, each with one interface in its subnet, whose addresses no answer lists.

    They answer browsers at port 443 and open RDP and SSH to the machines of their network and its peers, by their
    private addresses. One of the Developer SKU stands in no subnet: it comes from the host. Sources:
    https://learn.microsoft.com/azure/bastion/bastion-overview and
    https://learn.microsoft.com/azure/bastion/bastion-nsg
    """
    for wire in answers.listed("network", "bastion_hosts", _Bastion, _FACET):
        identifier = qualified_id(wire.id)
        parts = [each.properties for each in wire.properties.ip_configurations or ()]
        subnets = [each.subnet.id for each in parts if each.subnet is not None and each.subnet.id]
        subnet = qualified_id(subnets[0]) if subnets else None
        known = None if subnet is None else draft.subnets.get(subnet)
        network = None if subnet is None else parent_of(subnet) if known is None else known.network
        shared = wire.properties.virtual_network
        if subnet is None and shared is not None and shared.id:
            network = qualified_id(shared.id)
        region, tags = region_of(wire.location or ""), tags_of(wire)
        public = borne(draft, ids([each.public for each in parts if each.public is not None]))
        workload = Workload(
            id=identifier,
            kind="bastion",
            name=wire.name,
            region=region,
            tags=tags,
            network=network,
            internet_facing=bool(public.addresses) or public.unlisted,
        )
        draft.put(draft.workloads, workload, answers.scope)
        if subnet is None:
            answers.note(
                f"{wire.name or wire.id} is a bastion host without a subnet: it reaches tcp/22 and tcp/3389 of "
                f"{'its network' if network is None else place_of(network)} from {HOST}, which is not followed"
            )
            continue
        interface = instances(workload, subnet, public, ROLE, _BASTION)
        draft.put(draft.interfaces, interface, answers.scope)
        sku = (wire.sku.name if wire.sku is not None else "").lower()
        conduct = _conduct(interface, identifier, _inside(draft), chosen=sku not in _FIXED_PORTS)
        draft.put(draft.rule_sets, conduct, answers.scope)


def _inside(draft: Draft) -> AddressSet:
    """Return the private addresses, and those that networks use for their own."""
    found = ALL_ADDRESSES - GLOBAL_UNICAST
    for network in draft.networks.values():
        found |= network.addresses
    return found


def _conduct(interface: Interface, bastion: str, inside: AddressSet, *, chosen: bool) -> RuleSet:
    """Return the list of what a bastion host takes and opens, whatever NSGs say.

    Where users choose the port, it is any of TCP. What else its instances answer nobody says. Source:
    https://learn.microsoft.com/azure/bastion/bastion-nsg

    Args:
        interface: its interface.
        bastion: its qualified id.
        inside: the addresses at which it reaches machines.
        chosen: its users choose the port that they ask for.
    """
    opened = Traffic.protocol("tcp") if chosen else _SHELLS
    return RuleSet(
        id=f"{bastion}/conduct",
        kind="platform",
        name=f"what {interface.name} takes and opens",
        region=interface.region,
        stage=PLATFORM,
        network=interface.network,
        applies=Labelled(_BASTION, "In", frozenset((bastion,))),
        rules=(
            Rule(
                id="takes nothing else",
                direction="ingress",
                verdict="deny",
                traffic=ALL_TRAFFIC - _SERVED - _BETWEEN,
                remote=ANYONE,
                priority=1,
                exact=False,
                doubt="what else the instances of a bastion host answer is not told",
                description="it serves browsers, and its own instances",
            ),
            Rule(
                id="opens nothing else inside",
                direction="egress",
                verdict="deny",
                traffic=ALL_TRAFFIC - opened - _BETWEEN,
                remote=(Addresses(inside),),
                priority=1,
                description="what its users ask for",
            ),
            Rule(
                id="opens nothing else outside",
                direction="egress",
                verdict="deny",
                traffic=ALL_TRAFFIC - _OWN_ERRANDS,
                remote=(Addresses(ALL_ADDRESSES - inside),),
                priority=1,
                description="its own sessions and certificates",
            ),
        ),
        is_default=True,
        managed_by="azure",
    )
