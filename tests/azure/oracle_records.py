"""Raw Azure resources as plain values, one for one; nothing is judged here.

Every id is the whole ARM id in lower case, since ids differ in case between answers.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Address",
    "Answers",
    "Balancer",
    "Config",
    "Decision",
    "End",
    "Forward",
    "Front",
    "Gateway",
    "Json",
    "Network",
    "Nic",
    "Packet",
    "Peering",
    "Public",
    "Read",
    "Route",
    "Rule",
    "Subnet",
    "Table",
    "Vnet",
]

Json: TypeAlias = "dict[str, object]"
Answers: TypeAlias = "Mapping[tuple[str, ...], object]"
"""Payloads by (subscription, service, operation) or (subscription, service, operation, resource)."""

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class End(NamedTuple):
    """One end of a packet: an address of an interface, or an address outside when ``interface`` is empty.

    ``address`` is a private address of the interface. As a destination it may be its public address too, or the
    address of a load balancer's frontend that the interface stands behind. ``interface`` is its ARM id in lower case.
    """

    address: str
    interface: str = ""


class Packet(NamedTuple):
    """The first packet of a connection; ``port`` means something for TCP and UDP only."""

    source: End
    destination: End
    protocol: int
    port: int = 0
    source_port: int = 49152


class Decision(NamedTuple):
    """What becomes of a connection: "passes", "blocked" or "undefined", and the stage or the question that decides.

    Undefined means that the documentation leaves it open, or that something was not read.
    """

    verdict: str
    by: str


class Rule(NamedTuple):
    """A rule of a network security group or a security admin rule; words are in lower case.

    ``sources`` and ``destinations`` are prefixes, addresses and tags; the groups are application security groups.
    """

    priority: int
    direction: str
    action: str
    protocol: str
    sources: list[str]
    source_groups: list[str]
    source_ports: list[str]
    destinations: list[str]
    destination_groups: list[str]
    destination_ports: list[str]


class Peering(NamedTuple):
    """One half of a peering, as the network that holds it sees it."""

    remote: str
    connected: bool
    access: bool
    remote_gateways: bool
    prefixes: list[Network]


class Vnet(NamedTuple):
    """``admin`` are the effective security admin rules, or None where they were not read."""

    id: str
    subscription: str
    prefixes: list[Network]
    peerings: list[Peering]
    admin: list[Rule] | None


class Subnet(NamedTuple):
    """``outbound`` is what ``defaultOutboundAccess`` says, None where it is missing."""

    id: str
    vnet: str
    nsg: str
    table: str
    nat: str
    outbound: bool | None
    policies: str
    delegations: list[str]


class Config(NamedTuple):
    """One IP configuration of an interface."""

    id: str
    subnet: str
    private: Address
    public: str
    groups: list[str]
    pools: list[str]
    nat_rules: list[str]


class Nic(NamedTuple):
    """``endpoint`` is the private endpoint that the interface belongs to, or empty."""

    id: str
    nsg: str
    forwarding: bool
    endpoint: str
    configs: list[Config]


class Public(NamedTuple):
    id: str
    address: Address | None
    basic: bool


class Route(NamedTuple):
    prefix: str
    hop: str
    address: str


class Table(NamedTuple):
    id: str
    propagates: bool
    routes: list[Route]


class Gateway(NamedTuple):
    """A virtual network gateway: the prefixes behind its connections, and whether it learns others by BGP."""

    vnet: str
    bgp: bool
    prefixes: list[Network]


class Front(NamedTuple):
    """A frontend of a load balancer: public when ``subnet`` is empty."""

    id: str
    subnet: str
    public: str
    private: str


class Forward(NamedTuple):
    """A load balancing rule, an inbound NAT rule or an outbound rule, by ``kind``: "balance", "nat" or "outbound".

    ``to`` are backend pools, and for a NAT rule its own id.
    """

    kind: str
    fronts: list[str]
    to: list[str]
    protocol: str
    front_port: int
    back_port: int
    snat: bool


class Balancer(NamedTuple):
    id: str
    basic: bool
    fronts: list[Front]
    rules: list[Forward]


class Read(NamedTuple):
    """Everything the oracle asks about.

    ``tags`` are by subscription and name in lower case; ``edges`` are addresses at which some prefix begins or ends.
    """

    vnets: list[Vnet]
    subnets: list[Subnet]
    nics: list[Nic]
    nsgs: dict[str, list[Rule]]
    publics: dict[str, Public]
    tables: dict[str, Table]
    nats: dict[str, list[Address | None]]
    balancers: list[Balancer]
    gateways: list[Gateway]
    endpoints: dict[str, bool]
    tags: dict[tuple[str, str], list[Network]]
    edges: list[Address]
