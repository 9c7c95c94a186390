"""At which interfaces an intruder can stand, and what he holds there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.plumbing import only_passes_on, opens_connections, takes_groups
from cloudseg.reach.private_links import interfaces_that_lead_on

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface

__all__ = ["footholds_of", "held_with"]


def footholds_of(estate: Estate) -> frozenset[str]:
    """Return the qualified ids of the interfaces at which an intruder can stand.

    Nobody can at a NAT gateway or at an endpoint of the provider's own services. At load balancers, and at endpoints
    that may lead to something of the estate, he can in effect: what he sends there goes on to what is behind.
    """
    leading = interfaces_that_lead_on(estate)
    return frozenset(
        interface.id
        for interface in estate.interfaces.values()
        if not _is_plumbing(interface) or interface.id in leading or interface.workload in estate.forwarders
    )


def _is_plumbing(interface: Interface) -> bool:
    """Tell whether an interface only passes packets of others on, or only answers for a service of the provider."""
    return only_passes_on(interface) or (takes_groups(interface) and not opens_connections(interface))


def held_with(interface: str, estate: Estate) -> tuple[str, ...]:
    """Return the interfaces that an intruder at one of them holds: all those of the workload, in order of their ids.

    Raises:
        KeyError: there is no such interface.
    """
    owner = estate.interfaces[interface].workload
    return (interface,) if owner is None else tuple(each.id for each in estate.interfaces_of(owner))
