"""Under which addresses interfaces leave for the internet: their own, or those that something lends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.traffic import NO_ADDRESSES, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Interface
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["lend_addresses"]

_ENDS = frozenset(("private_endpoint", "private_link_service"))
"""Interfaces of Azure's own, which send nothing to the internet."""

_TRANSLATED: Final = Traffic.protocol(6) | Traffic.protocol(17)
"""What leaves where ports are translated; pings do not. Sources:
https://learn.microsoft.com/azure/nat-gateway/nat-overview and
https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access#constraints"""


def lend_addresses(draft: Draft) -> None:
    """Note which addresses stand for interfaces that send to the internet.

    A NAT gateway stands before an own public address, that before a load balancer's outbound rule, and that before the
    address that Azure lends unasked. Of an interface with several addresses each has its own way out. Private subnets
    have none of the latter; whether a subnet is private is told only by what says so. Sources:
    https://learn.microsoft.com/azure/load-balancer/load-balancer-outbound-connections#scenarios and
    https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
    """
    for identifier, interface in draft.interfaces.items():
        guard = draft.guards.get(interface.subnet or "")
        subnet = draft.subnets.get(interface.subnet or "")
        if guard is None or subnet is None or interface.role in _ENDS:
            continue
        changed = interface
        if guard.nat_gateway:
            changed = _by_nat_gateway(draft, guard.nat_gateway, interface)
        elif identifier in draft.partly_public or not (interface.public.v4 or interface.public_unlisted is not False):
            changed = _without_own(draft, interface, unasked=subnet.default_outbound)
        draft.interfaces[identifier] = changed


def _by_nat_gateway(draft: Draft, gateway: str, interface: Interface) -> Interface:
    lent = draft.nat_addresses.get(gateway)
    if lent:
        return msgspec.structs.replace(interface, lent=lent, lent_unlisted=False, lent_carries=_TRANSLATED)
    # One that was not read, or has no address: nobody knows what becomes of packets.
    return msgspec.structs.replace(interface, lent_unlisted=None)


def _without_own(draft: Draft, interface: Interface, *, unasked: bool | None) -> Interface:
    """Return an interface that has no public address, or has none at some of its addresses."""
    balanced = draft.balanced_out.get(interface.id)
    if balanced is not None:
        lent = NO_ADDRESSES if balanced.unlisted else balanced.addresses
        return msgspec.structs.replace(
            interface, lent=lent, lent_unlisted=balanced.unlisted, lent_carries=balanced.carries
        )
    if interface.id in draft.standard_pools:
        # Behind a Standard load balancer nothing leaves without a rule for it.
        return interface
    # Whether a public address at another of its addresses takes it away, nobody says.
    lent_unlisted = None if interface.public.v6 and unasked else unasked
    return msgspec.structs.replace(interface, lent_unlisted=lent_unlisted, lent_carries=_TRANSLATED)
