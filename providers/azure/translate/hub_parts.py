"""Virtual hubs and what is joined to them, while an estate is being translated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cloudseg.traffic import AddressSet

__all__ = ["Connection", "Hub", "HubFirewall", "HubParts", "HubRoute", "HubTable", "Intent"]


class Hub(NamedTuple):
    """A virtual hub.

    Attributes:
        id: its qualified id.
        wan: qualified id of its virtual WAN; empty for none.
        branches: it has gateways to other places, or partners, whose routes are not read.
        unread: what of it was not read, in words; empty where all was.
    """

    id: str
    wan: str
    branches: bool
    unread: str = ""


class Connection(NamedTuple):
    """The connection of a virtual network to a hub.

    Attributes:
        id: its qualified id.
        hub: qualified id of the hub.
        name: its name.
        network: qualified id of the network.
        table: qualified id of the hub route table that decides for its packets.
        propagates: qualified ids of the hub route tables into which its ranges go.
        labels: labels of further such tables, of every hub of the WAN.
        internet: it takes a default route from the hub.
        forwarded: ranges that machines in the network lead on to, by the static routes of the connection.
        active: packets can pass.
    """

    id: str
    hub: str
    name: str
    network: str
    table: str
    propagates: frozenset[str]
    labels: frozenset[str]
    internet: bool
    forwarded: AddressSet
    active: bool


class HubRoute(NamedTuple):
    """A static route of a hub route table: one prefix, None if not read, and the next hop's qualified id."""

    addresses: AddressSet | None
    hop: str


class HubTable(NamedTuple):
    """A hub route table.

    Attributes:
        id: its qualified id.
        hub: qualified id of the hub.
        name: its name.
        labels: its labels.
        routes: its static routes.
    """

    id: str
    hub: str
    name: str
    labels: frozenset[str]
    routes: tuple[HubRoute, ...]


class Intent(NamedTuple):
    """The routing intent of a hub: qualified ids of what takes traffic to the internet and private traffic."""

    internet: str = ""
    private: str = ""


class HubFirewall(NamedTuple):
    """A firewall in a virtual hub: the hub's qualified id, and the addresses under which packets leave it."""

    hub: str
    public: AddressSet


class HubParts:
    """Virtual hubs of all subscriptions."""

    def __init__(self) -> None:
        self.hubs: dict[str, Hub] = {}
        """The hubs by qualified id."""
        self.connections: dict[str, Connection] = {}
        """The connections by qualified id."""
        self.tables: dict[str, HubTable] = {}
        """The hub route tables by qualified id."""
        self.intents: dict[str, Intent] = {}
        """Routing intents by the hub's qualified id."""
        self.firewalls: dict[str, HubFirewall] = {}
        """Firewalls in hubs by qualified id."""
        self.listed: dict[str, frozenset[str]] = {}
        """The qualified ids of the hubs that each virtual WAN names, by its qualified id."""
        self.learned: dict[str, tuple[tuple[AddressSet, str], ...]] = {}
        """What hubs tell networks by the network's qualified id: ranges, and the hub, empty where it is not known."""
