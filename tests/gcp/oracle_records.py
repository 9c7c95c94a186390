"""Raw Google Cloud resources as plain values, one for one; nothing is judged here.

A resource is named by the tail of its link after ``projects/``: ``shop/global/networks/main``. An interface is named as
the estate names it: ``gcp:shop:zones/us-central1-a/instances/web/nic0``.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tests.azure.oracle_records import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Address",
    "Answers",
    "Decision",
    "End",
    "Far",
    "Json",
    "Nat",
    "Net",
    "Network",
    "Nic",
    "Packet",
    "Peering",
    "Policy",
    "Range",
    "Read",
    "Route",
    "Rule",
    "Subnet",
]

Json: TypeAlias = "dict[str, object]"
Answers: TypeAlias = "Mapping[tuple[str, ...], object]"
"""Payloads by (project, service, operation) or (project, service, operation, resource)."""

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class End(NamedTuple):
    """One end of a packet: an address of an interface, or an address outside when ``interface`` is empty.

    ``address`` is an internal address of the interface or an external IPv6 one; as a destination it may be its
    external IPv4 address too.
    """

    address: str
    interface: str = ""


class Packet(NamedTuple):
    """The first packet of a connection; ``port`` means something for protocols with ports only."""

    source: End
    destination: End
    protocol: int
    port: int = 0


class Far(NamedTuple):
    """What a rule says of one end of a packet: a union, narrowed by the network type.

    ``unread`` are names of lists that only Google can look into: domain names, countries, threat lists.
    """

    ranges: list[Network]
    groups: list[str]
    tags: list[str]
    accounts: list[str]
    secure: list[str]
    unread: list[str]
    kind: str
    networks: list[str]
    given: bool
    """Whether the rule names anything of the union; a rule that names nothing means everybody."""


class Rule(NamedTuple):
    """A VPC firewall rule or a rule of a policy; ``action`` is "allow", "deny" or "next".

    ``layers`` are protocols in lower case with their ports. Of the secure tags only the effective ones are listed;
    ``tagged`` tells that the rule had some as targets. ``owner`` names the policy or the rule, for messages.
    """

    owner: str
    priority: int
    ingress: bool
    action: str
    layers: list[tuple[str, list[str]]]
    source: Far
    destination: Far
    target_tags: list[str]
    target_accounts: list[str]
    target_secure: list[str]
    tagged: bool
    target_networks: list[str]


class Policy(NamedTuple):
    """A firewall policy; ``region`` is empty for a global one, ``networks`` are those that it is associated with."""

    name: str
    region: str
    networks: list[str]
    rules: list[Rule]


class Peering(NamedTuple):
    """One half of a peering, as the network that holds it sees it."""

    remote: str
    active: bool
    dual: bool
    export_custom: bool
    import_custom: bool
    export_public: bool
    import_public: bool


class Net(NamedTuple):
    """A VPC network; ``hierarchy`` is None, and ``system`` lacks a region, where that was not read."""

    id: str
    number: str
    before: bool
    peerings: list[Peering]
    rules: list[Rule]
    hierarchy: list[Policy] | None
    system: dict[str, list[Policy]]


class Range(NamedTuple):
    """A range of a subnet; ``name`` is empty for the primary one and for IPv6."""

    network: Network
    name: str = ""


class Subnet(NamedTuple):
    id: str
    network: str
    region: str
    ranges: list[Range]
    google_access: bool


class Nic(NamedTuple):
    """An interface of an instance; ``six`` are its IPv6 ranges, ``secure`` the tag values that it bears."""

    id: str
    network: str
    subnet: str
    region: str
    primary: IPv4Address
    aliases: list[IPv4Network]
    six: list[IPv6Network]
    public: IPv4Address | None
    tags: list[str]
    accounts: list[str]
    secure: list[str]
    forwards: bool


class Route(NamedTuple):
    """A static route. ``kind`` is "gateway", "instance", "address", "tunnel" or "balancer"; ``hop`` names it."""

    id: str
    network: str
    destination: Network
    priority: int
    tags: list[str]
    kind: str
    hop: str


class Nat(NamedTuple):
    """A Cloud NAT gateway. ``scope`` is the option; ``listed`` what it serves of each subnet, by option and range name.

    ``addresses`` is None where Google picks them.
    """

    network: str
    region: str
    scope: str
    listed: dict[str, list[str]]
    addresses: list[Address] | None


class Read(NamedTuple):
    """Everything the oracle asks about. ``edges`` are addresses at which some prefix begins or ends."""

    nets: list[Net]
    subnets: list[Subnet]
    nics: list[Nic]
    policies: list[Policy]
    routes: list[Route]
    nats: list[Nat]
    groups: dict[str, list[Network]]
    up: list[str]
    """The VPN tunnels that are established."""
    edges: list[Address]
