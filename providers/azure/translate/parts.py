"""What the subjects of a translation note for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Rule, RuleSet

__all__ = [
    "Backing",
    "Balanced",
    "Frontend",
    "Guard",
    "Lent",
    "Neighbour",
    "Nsg",
    "OnPremises",
    "ParsedRule",
    "PublicAddress",
    "UserRoute",
    "VirtualNetworkTag",
]


class PublicAddress(NamedTuple):
    """A public address: what it is, whether nothing comes in by it without an NSG, and what bears it.

    Attributes:
        addresses: the address; empty while it is not allocated.
        closed: nothing comes in by it without an NSG that admits it (Standard); None where its SKU was not read.
        bearer: ARM id of the configuration that bears it; empty for none.
    """

    addresses: AddressSet
    closed: bool | None
    bearer: str


class Neighbour(NamedTuple):
    """A virtual network that another is peered with, as that other one sees it.

    Attributes:
        network: its qualified id.
        peering: qualified id of the peering of both.
        addresses: its ranges, as the peering tells them.
        open: its addresses belong to the tag ``VirtualNetwork``.
        gateways: its gateways are used by the other.
    """

    network: str
    peering: str
    addresses: AddressSet
    open: bool
    gateways: bool


class Guard(NamedTuple):
    """The security settings of a subnet.

    Attributes:
        nsg: qualified id of its NSG; empty for none.
        table: qualified id of its route table; empty for none.
        nat_gateway: qualified id of its NAT gateway; empty for none.
        filters_endpoints: its NSG judges private endpoints.
        routes_endpoints: its routes lead to private endpoints as to others.
        delegated: the services that it is delegated to.
    """

    nsg: str = ""
    table: str = ""
    nat_gateway: str = ""
    filters_endpoints: bool = False
    routes_endpoints: bool = False
    delegated: tuple[str, ...] = ()


class Backing(NamedTuple):
    """A network interface behind a load balancer: the pool and the inbound rules that it is in.

    Attributes:
        pools: qualified ids of backend pools.
        nat_rules: qualified ids of inbound NAT rules.
    """

    pools: frozenset[str]
    nat_rules: frozenset[str]


class OnPremises(NamedTuple):
    """The places outside of Azure that a gateway leads to.

    Attributes:
        gateway: qualified id of the gateway; empty where it was not read.
        known: addresses that it certainly leads to.
        doubt: why it may lead to others, in words; empty where all is known.
    """

    gateway: str
    known: AddressSet
    doubt: str = ""


class UserRoute(NamedTuple):
    """A route that users made.

    Attributes:
        name: its name.
        addresses: its destination; None for a service tag.
        tag: the service tag that it names; empty for none.
        kind: the type of its next hop, in lower case.
        hop: the address of its next hop; empty for none.
    """

    name: str
    addresses: AddressSet | None
    tag: str
    kind: str
    hop: AddressSet


class Frontend(NamedTuple):
    """Where a load balancer is asked.

    Attributes:
        public: its public addresses.
        unlisted: it has one that was not read.
        inner: its address inside a network.
        network: that network's qualified id.
    """

    public: AddressSet
    unlisted: bool
    inner: AddressSet
    network: str


class Lent(NamedTuple):
    """Public addresses of load balancers that stand for an interface which sends to the internet.

    Attributes:
        addresses: the addresses.
        unlisted: there is one that was not read.
        carries: what leaves under them.
    """

    addresses: AddressSet = NO_ADDRESSES
    unlisted: bool = False
    carries: Traffic = NO_TRAFFIC


class Balanced(NamedTuple):
    """One rule of a load balancer.

    Attributes:
        id: its qualified id.
        name: its name.
        kind: ``balancing``, ``inbound`` or ``outbound``.
        balancer: qualified id of the load balancer.
        frontends: where it is asked, or for outbound rules under which addresses it sends.
        pools: qualified ids of the pools behind it.
        interface: the one interface behind it; empty for none.
        listens: what clients send.
        arrives: what arrives at those behind it.
        snat: those behind it leave for the internet under its addresses.
        carries: what of them does.
        closed: nothing comes in by it without an NSG (Standard).
        floating: packets keep the frontend's address as their destination.
    """

    id: str
    name: str
    kind: str
    balancer: str
    frontends: tuple[Frontend, ...]
    pools: tuple[str, ...]
    interface: str
    listens: Traffic
    arrives: Traffic
    snat: bool
    carries: Traffic
    closed: bool
    floating: bool

    @property
    def public(self) -> tuple[Frontend, ...]:
        """The frontends that the internet asks."""
        return tuple(each for each in self.frontends if each.public or each.unlisted)


class ParsedRule(NamedTuple):
    """A rule of an NSG or of an administrator as it is written, before its ends are looked up.

    Attributes:
        rule: the rule, with nobody at its ends.
        remote: prefixes and service tags of the other end, as they are written.
        local: those of the near end.
        remote_groups: qualified ids of application security groups at the other end.
        local_groups: those at the near end.
        maybe: further traffic that it may match.
        unread: it stands in for one of which nothing is known.
    """

    rule: Rule
    remote: tuple[str, ...]
    local: tuple[str, ...]
    remote_groups: tuple[str, ...] = ()
    local_groups: tuple[str, ...] = ()
    maybe: Traffic = NO_TRAFFIC
    unread: bool = False

    @property
    def maybe_id(self) -> str:
        """The id of the rule for traffic that it may match."""
        return f"{self.rule.id} ({self.maybe})"


class Nsg(NamedTuple):
    """An NSG before it is known where it stands: its list without rules, and the rules as they are written."""

    shell: RuleSet
    rules: tuple[ParsedRule, ...]


class VirtualNetworkTag(NamedTuple):
    """What the tag ``VirtualNetwork`` stands for in a network.

    Attributes:
        known: the addresses that certainly belong to it.
        maybe: further addresses that may.
        doubt: why, in words; empty where all is known.
    """

    known: AddressSet = NO_ADDRESSES
    maybe: AddressSet = NO_ADDRESSES
    doubt: str = ""
