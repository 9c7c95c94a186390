"""Hubs of Network Connectivity Center and what is joined to them, while an estate is being translated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cloudseg.traffic import AddressSet

__all__ = ["Hub", "HubRange", "Spoke"]


class Hub(NamedTuple):
    """A hub.

    Attributes:
        id: its qualified id.
        topology: which groups of spokes meet, as Google writes it: ``MESH``, ``STAR``.
        spokes: how many spokes it has by its own count; None where it does not tell.
    """

    id: str
    topology: str
    spokes: int | None


class Spoke(NamedTuple):
    """What is joined to a hub.

    Attributes:
        id: its qualified id.
        name: its name.
        hub: qualified id of the hub.
        group: the name of its group.
        network: qualified id of the network; empty for tunnels, attachments and appliances.
        exports: ranges of which the network exports subnets; None for all private ones.
        keeps: ranges of which it exports none.
        active: packets pass; None where that is not told.
    """

    id: str
    name: str
    hub: str
    group: str
    network: str
    exports: AddressSet | None
    keeps: AddressSet
    active: bool | None


class HubRange(NamedTuple):
    """A range that a hub leads a network to.

    Attributes:
        hub: qualified id of the hub.
        addresses: the range.
        sure: it certainly does.
    """

    hub: str
    addresses: AddressSet
    sure: bool
