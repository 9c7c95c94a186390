"""Network interfaces with their addresses, groups and public addresses; those of scale sets as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model import Interface
from cloudseg.providers.azure.ids import parent_of, qualified_id, region_of
from cloudseg.providers.azure.translate.parts import Backing, PublicAddress
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, ids, tags_of
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Workload
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["Borne", "add_interfaces", "borne", "instances"]

_FACET = "interfaces"
_OPERATIONS = ("network_interfaces", "virtual_machine_scale_set_network_interfaces")


class _ConfigurationProperties(msgspec.Struct, rename="camel"):
    primary: bool | None = None
    private_ip: str | None = msgspec.field(default=None, name="privateIPAddress")
    subnet: Ref | None = None
    public: Ref | None = msgspec.field(default=None, name="publicIPAddress")
    application_security_groups: list[Ref] | None = None
    load_balancer_backend_address_pools: list[Ref] | None = None
    load_balancer_inbound_nat_rules: list[Ref] | None = None
    application_gateway_backend_address_pools: list[Ref] | None = None


class _Configuration(msgspec.Struct):
    properties: _ConfigurationProperties = msgspec.field(default_factory=_ConfigurationProperties)


class _Properties(msgspec.Struct, rename="camel"):
    primary: bool | None = None
    ip_configurations: list[_Configuration] | None = None
    network_security_group: Ref | None = None
    virtual_machine: Ref | None = None
    private_endpoint: Ref | None = None
    private_link_service: Ref | None = None
    forwards: bool | None = msgspec.field(default=None, name="enableIPForwarding")


class _NetworkInterface(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_interfaces(answers: Answers, draft: Draft) -> None:
    """Add the network interfaces. Application security groups belong to a configuration, and count for the whole.

    Source: https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/list-all
    """
    for operation in _OPERATIONS:
        for wire in answers.listed("network", operation, _NetworkInterface, _FACET):
            interface = _interface(answers, draft, wire, operation)
            draft.put(draft.interfaces, interface, answers.scope)


def _interface(answers: Answers, draft: Draft, wire: _NetworkInterface, operation: str) -> Interface:
    identifier, properties = qualified_id(wire.id), wire.properties
    parts = [each.properties for each in properties.ip_configurations or ()]
    subnets = sorted({qualified_id(each.subnet.id) for each in parts if each.subnet is not None and each.subnet.id})
    subnet = subnets[0] if subnets else None
    known = None if subnet is None else draft.subnets.get(subnet)
    what = f"network.{operation}"
    public = borne(draft, (each.public.id for each in parts if each.public is not None and _has_public(each)))
    nsg = "" if properties.network_security_group is None else properties.network_security_group.id
    attached = {qualified_id(group) for each in parts for group in ids(each.application_security_groups)}
    if public.closed:
        draft.standard.add(identifier)
    elif public.open:
        draft.basic.add(identifier)
    if nsg:
        draft.nic_nsgs[identifier] = qualified_id(nsg)
    draft.backings[identifier] = Backing(
        pools=frozenset(
            qualified_id(pool)
            for each in parts
            for pool in (
                *ids(each.load_balancer_backend_address_pools),
                *ids(each.application_gateway_backend_address_pools),
            )
        ),
        nat_rules=frozenset(qualified_id(rule) for each in parts for rule in ids(each.load_balancer_inbound_nat_rules)),
    )
    bare = [_has_public(each) for each in parts if "." in (each.private_ip or "")]
    if len(set(bare)) > 1:
        draft.partly_public.add(identifier)
    workload, role = _owner(wire)
    return Interface(
        id=identifier,
        kind="network-interface",
        name=wire.name,
        region=region_of(wire.location or "") if wire.location or known is None else known.region,
        tags=tags_of(wire),
        network=_network_of(draft, subnet),
        subnet=subnet,
        addresses=answers.addresses(what, wire.id, (each.private_ip or "" for each in parts), _FACET),
        public=public.addresses,
        public_unlisted=public.unlisted_or_waiting,
        attached=frozenset(attached),
        workload=workload,
        role=role,
        forwards=bool(properties.forwards),
        managed_by="azure" if role != "interface" else "",
        primary=answers.addresses(what, wire.id, _primary(properties), _FACET),
    )


def _primary(properties: _Properties) -> list[str]:
    """Return the address by which a machine itself sends, where the interface is the machine's first.

    Source: https://learn.microsoft.com/azure/virtual-network/ip-services/virtual-network-network-interface-addresses
    """
    own = [each.properties for each in properties.ip_configurations or ()]
    return [each.private_ip for each in own if properties.primary and each.primary and each.private_ip]


def _has_public(wire: _ConfigurationProperties) -> bool:
    return wire.public is not None and bool(wire.public.id)


def instances(owner: Workload, subnet: str, public: Borne, role: str, label: str) -> Interface:
    """Return the one interface that stands for all instances of an appliance, whose addresses no answer tells.

    Args:
        owner: the appliance, in its network.
        subnet: qualified id of its subnet.
        public: its public addresses.
        role: what it does.
        label: the label under which it bears the id of its owner.
    """
    return Interface(
        id=f"{owner.id}/instances",
        kind="network-interface",
        name=owner.name,
        region=owner.region,
        tags=owner.tags,
        network=owner.network,
        subnet=subnet,
        public=public.addresses,
        public_unlisted=public.unlisted_or_waiting,
        labels={label: owner.id},
        workload=owner.id,
        role=role,
        derived=True,
        managed_by="azure",
    )


def _owner(wire: _NetworkInterface) -> tuple[str | None, str]:
    """Return what a network interface belongs to, and what it is for."""
    properties = wire.properties
    if properties.private_endpoint is not None and properties.private_endpoint.id:
        return qualified_id(properties.private_endpoint.id), "private_endpoint"
    if properties.private_link_service is not None and properties.private_link_service.id:
        return qualified_id(properties.private_link_service.id), "private_link_service"
    if properties.virtual_machine is not None and properties.virtual_machine.id:
        return qualified_id(properties.virtual_machine.id), "interface"
    return None, "interface"


def _network_of(draft: Draft, subnet: str | None) -> str | None:
    if subnet is None:
        return None
    known = draft.subnets.get(subnet)
    # Of a network in a subscription that was not read, a subnet's own id tells the name.
    return parent_of(subnet) if known is None else known.network


class Borne(NamedTuple):
    """The public addresses of something, and what is known of them.

    Attributes:
        addresses: the addresses.
        unlisted: there is one that was not read.
        closed: all of them are closed without an NSG (Standard).
        open: some may be open without one.
        waiting: one is not allocated yet.
    """

    addresses: AddressSet
    unlisted: bool
    closed: bool
    open: bool
    waiting: bool

    @property
    def unlisted_or_waiting(self) -> bool | None:
        """Whether there is an address that no answer lists; None where the next start may bring one."""
        return None if self.waiting and not self.unlisted else self.unlisted


def borne(draft: Draft, references: Iterable[str]) -> Borne:
    """Return the public addresses that some references name; one that was not read is there and not listed.

    One that waits for an address, as that of a machine that is stopped, has none as long as it does.
    """
    addresses, unlisted, kinds, waiting = NO_ADDRESSES, False, set[bool | None](), False
    for reference in references:
        known: PublicAddress | None = draft.public_addresses.get(qualified_id(reference))
        if known is None:
            unlisted = True
            kinds.add(None)
        else:
            addresses |= known.addresses
            waiting = waiting or not known.addresses
            kinds.add(known.closed)
    return Borne(addresses, unlisted, kinds == {True}, bool(kinds) and kinds != {True}, waiting)
