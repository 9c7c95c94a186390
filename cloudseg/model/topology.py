"""Networks and what moves packets through them; interfaces and what owns them."""

from typing import Literal

import msgspec

from cloudseg.model.peers import Addresses, ListRef
from cloudseg.model.resources import Family, Resource
from cloudseg.model.tunnels import Link, Tunnel
from cloudseg.traffic import (
    ALL_ADDRESSES,
    ALL_TRAFFIC,
    GLOBAL_UNICAST,
    NO_ADDRESSES,
    NO_TRAFFIC,
    AddressSet,
    Traffic,
)

__all__ = [
    "Entrance",
    "Exit",
    "Gateway",
    "Interface",
    "InternetBlock",
    "Masking",
    "Network",
    "Peering",
    "Route",
    "RouteTable",
    "Subnet",
    "TargetKind",
    "Template",
    "TransitAttachment",
    "TransitTable",
    "Workload",
]

InternetBlock = Literal["off", "inbound", "ingress", "bidirectional", "unknown"]
"""What a block of public access cuts off.

``inbound``: what starts outside; ``ingress``: everything over internet gateways but what a NAT gateway sends;
``bidirectional``: everything.
"""
TargetKind = Literal[
    "local",
    "internet-gateway",
    "egress-only-gateway",
    "nat-gateway",
    "private-gateway",
    "peering",
    "transit-gateway",
    "interface",
    "endpoint",
    "drop",
    "unknown",
]


class Masking(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what pods send out of the network of their machine bears the address of the machine.

    Attributes:
        applies: it does; None where that is not known.
        spared: IPv4 addresses to which it bears the pod's own all the same.
        network_spared: so are those of the network that carries the machines.
        unsure: own ids of machines of which it is not known.
        branches: it does also for pods with an interface of their own.
        also_ipv4: pods without an IPv4 address may send IPv4 all the same, under the machine's address.
        also_ipv6: pods without an IPv6 address may do so with IPv6.
        overlay: pods with addresses of no network of the machines send to everybody outside of the cluster under the
            machine's address.
        unlisted: pods may bear addresses of these networks that no interface lists, those of a subnet for pods.
        routed: pods may bear addresses to which routes of these networks lead by way of their machines.
        doubt: why it is not known, in words.
    """

    applies: bool | None
    spared: AddressSet = NO_ADDRESSES
    network_spared: bool = True
    unsure: frozenset[str] = frozenset()
    branches: bool = False
    also_ipv4: bool = True
    also_ipv6: bool = True
    overlay: bool = False
    unlisted: bool = False
    routed: bool = False
    doubt: str = ""


class Network(Resource, frozen=True, kw_only=True):
    """A VPC, VNet, VPC network or cluster network.

    Attributes:
        addresses: its address ranges.
        pipeline: name of the pipeline that judges packets at its interfaces.
        is_default: the provider made it unasked.
        leads_out: for a network without subnets and routes, such as a cluster's: packets leave it for addresses
            outside, and come in from there, as far as lists let them.
        machines: the own ids of the machines that carry it, as their cloud names them, as far as it tells them.
        control_plane: qualified id of the service of a cloud that is the control plane of a cluster; empty for none.
        masking: for a cluster's, under whose address packets leave the network of its machines; None where nothing
            that was read tells.
        routes_within_subnets: the routes of a subnet decide about packets inside it as well.
        groups_by_address: a group in a rule stands for the addresses of its members, by whatever way packets come.
    """

    addresses: AddressSet = NO_ADDRESSES
    pipeline: str
    is_default: bool = False
    leads_out: bool = False
    machines: frozenset[str] = frozenset()
    control_plane: str = ""
    masking: Masking | None = None
    routes_within_subnets: bool = False
    groups_by_address: bool = False


class Subnet(Resource, frozen=True, kw_only=True):
    """A part of a network.

    Attributes:
        network: the network it belongs to.
        addresses: its address ranges.
        zone: the availability zone, where it has one.
        zone_id: the name of that zone which is the same in every account; empty where it was not read.
        public_by_default: new interfaces get a public address unasked; None when that was not read.
        internet_block: what a block above the subnet cuts off from the internet, exclusions included.
        default_outbound: interfaces in it that have no public address reach the internet all the same, under one that
            the provider lends them unasked; None when that was not read.
        delegated: the services of the provider that it is handed to, as the provider names them: they keep rules there.
    """

    network: str
    addresses: AddressSet = NO_ADDRESSES
    zone: str = ""
    zone_id: str = ""
    public_by_default: bool | None = None
    internet_block: InternetBlock = "off"
    default_outbound: bool | None = False
    delegated: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route: where packets for a destination are handed to.

    Attributes:
        destination: one prefix, or a list of prefixes.
        kind: what the packet is handed to; ``drop`` for a route that discards.
        target: qualified id of the gateway, interface, peering or endpoint; None for ``local`` and ``drop``.
        active: False when the target is gone (a blackhole): matching packets are dropped.
        origin: how it came about, which decides between equal prefixes.
    """

    destination: Addresses | ListRef
    kind: TargetKind
    target: str | None = None
    active: bool = True
    origin: Literal["local", "static", "propagated"] = "static"


class RouteTable(Resource, frozen=True, kw_only=True):
    """A route table: the one of the subnets and gateways it names, or its network's main one."""

    network: str
    routes: tuple[Route, ...] = ()
    subnets: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()
    is_main: bool = False


class Gateway(Resource, frozen=True, kw_only=True):
    """A way out of networks: an internet, egress-only, NAT, private (VPN) or transit gateway.

    Attributes:
        networks: the networks it is attached to.
        subnet: where a NAT gateway stands.
        route_table: the route table of a NAT gateway that stands in no subnet.
        interfaces: the interfaces of a NAT gateway, as far as its own answer names them.
        active: it forwards packets; None when its state is unknown.
        public: packets that leave by it come out on the internet.
        shares_groups: group references work across it (transit gateways).
        tunnels: how it leads to other gateways over the internet, as far as it tells.
        links: which of these belong to gateways of the estate; none where nobody read any of their other ends.
    """

    networks: frozenset[str] = frozenset()
    subnet: str | None = None
    route_table: str | None = None
    interfaces: frozenset[str] = frozenset()
    active: bool | None = True
    public: bool = False
    shares_groups: bool = False
    tunnels: tuple[Tunnel, ...] = ()
    links: tuple[Link, ...] = ()


class Peering(Resource, frozen=True, kw_only=True):
    """A peering of two networks; either may lie in a scope that was not read.

    Attributes:
        networks: requester and accepter, qualified ids.
        regions: their regions, in the same order.
        active: packets can pass.
        ranges: the addresses of the networks, in the same order, also of one that was not read itself; empty where the
            answer does not tell them.
        owners: the accounts that own them, in the same order; empty where the answer does not tell.
        forwards_into: those of the networks that take packets over it which others than its neighbour's own sent.
        doubt: why less may pass than the ranges say, in words; empty where all of it does.
    """

    networks: tuple[str, str]
    regions: tuple[str, str]
    active: bool
    ranges: tuple[AddressSet, AddressSet] = (NO_ADDRESSES, NO_ADDRESSES)
    owners: tuple[str, str] = ("", "")
    forwards_into: frozenset[str] = frozenset()
    doubt: str = ""


class TransitAttachment(Resource, frozen=True, kw_only=True):
    """What is attached to a transit gateway.

    Attributes:
        gateway: the transit gateway.
        network: the attached network; None for VPNs, peerings and direct connections.
        subnets: the subnets that hold the attachment; only their zones are reached.
        table: the transit route table that decides for packets from this attachment.
        active: packets can pass.
        shares_groups: group references work over this attachment.
        appliance_mode: it keeps a flow at one zone of its own, whatever zone the flow comes from.
        direct: it reaches every subnet of the network without standing in one (the connection of a virtual hub).
        peer: qualified id of the attachment at the other end of what leads to another gateway, where its id is another
            one (virtual hubs); the two halves of a transit gateway's peering share theirs.
        beyond: qualified id of the gateway with the tunnels to which it leads, where it is that of a VPN.
    """

    gateway: str
    network: str | None = None
    subnets: frozenset[str] = frozenset()
    table: str | None = None
    active: bool = True
    shares_groups: bool = True
    appliance_mode: bool = False
    direct: bool = False
    peer: str | None = None
    beyond: str | None = None


class TransitTable(Resource, frozen=True, kw_only=True):
    """A route table of a transit gateway; the target of a route is an attachment.

    Attributes:
        gateway: the transit gateway.
        routes: what was read of it.
        propagations: attachments whose ranges propagate into it.
        complete: False when the provider cut the answer off.
    """

    gateway: str
    routes: tuple[Route, ...] = ()
    propagations: frozenset[str] = frozenset()
    complete: bool = True


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """How packets leave that are sent on by another interface, under its address: those of pods by their machine.

    Who sends them judges them by the lists that it alone meets; after that they are the other interface's own.

    Attributes:
        within: the destinations to which packets leave under the sender's own address, by where it stands.
        interfaces: qualified ids of the interfaces one of which sends on what goes elsewhere.
        addresses: the addresses of these under which they do; all that an interface has where it has none of them.
        own: it may be that packets leave under the sender's own address, too.
        complete: no other interface may send them on.
        sure: one of them does; without it they may as well stay where they are, so that nothing certainly leaves.
        doubt: what is not known of it, in words; empty where everything is.
    """

    within: AddressSet
    interfaces: tuple[str, ...]
    addresses: AddressSet = NO_ADDRESSES
    own: bool = False
    complete: bool = True
    sure: bool = True
    doubt: str = ""


class Interface(Resource, frozen=True, kw_only=True):
    """A network attachment: the unit of reachability.

    Attributes:
        network: the network it is in; None where that was not read.
        subnet: the subnet it is in; None where that was not read.
        addresses: its addresses inside the network, IPv4 and IPv6.
        public: addresses under which the internet can address it, mapped public IPv4 and global IPv6.
        public_unlisted: its owner says that it has a public IPv4 address, which no answer lists; None where the
            setting of its owner was not read.
        called: further addresses that packets to it bear when rules see them: those of a load balancer that rewrites no
            destination (floating IP).
        lent: public addresses that stand for it when it sends to the internet, and by which nothing comes in: those of
            a NAT gateway, or of a load balancer's outbound rule. They stand before its own.
        lent_unlisted: an address that no answer lists is lent to it where it has none of its own; None when that is not
            known.
        lent_carries: what leaves for the internet under an address that is lent to it.
        lent_aside: what may leave beside that, by a way of the provider's own to its own services, whose addresses are
            not known.
        attached: qualified ids of the identities attached to it. Membership of groups is worked out from this.
        attached_unread: which identities it carries was not read in full: it may carry more than ``attached``.
        labels: the labels that selectors look at.
        workload: what owns it.
        role: the provider's type of interface: ``interface``, ``nat_gateway``, ``lambda``, ``vpc_endpoint``.
        forwards: it may carry packets of others (source/destination check off).
        keeps_client: the connections that it opens for its users bear their addresses, not its own (an Instance Connect
            Endpoint). Rules that name a group of the interface match them all the same.
        derived: it was not listed by the provider, but follows from the setting of its owner.
        managed_by: the service that made it and keeps it; empty for the user's own.
        primary: of the first interface of a machine, the address by which the machine itself sends.
        machines: of pods, the own ids of the machines that they run on, as far as that was read; of an interface whose
            workload is a scale set, the one machine of it that it belongs to.
        exit: how its packets leave where another interface sends them on; None where it does so itself.
        other_exit: how packets leave, at most, of the family of which it bears no address: its own lists may not see
            them. Nothing comes in that way.
    """

    network: str | None
    subnet: str | None
    addresses: AddressSet = NO_ADDRESSES
    public: AddressSet = NO_ADDRESSES
    public_unlisted: bool | None = False
    called: AddressSet = NO_ADDRESSES
    lent: AddressSet = NO_ADDRESSES
    lent_unlisted: bool | None = False
    lent_carries: Traffic = ALL_TRAFFIC
    lent_aside: Traffic = NO_TRAFFIC
    attached: frozenset[str] = frozenset()
    attached_unread: bool = False
    labels: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    workload: str | None = None
    role: str = "interface"
    forwards: bool = False
    keeps_client: bool = False
    derived: bool = False
    managed_by: str = ""
    primary: AddressSet = NO_ADDRESSES
    machines: frozenset[str] = frozenset()
    exit: Exit | None = None
    other_exit: Exit | None = None

    @property
    def is_pod(self) -> bool:
        """Whether it stands for pods of a cluster, whom the plugin of their network may know by identity alone."""
        return self.kind == "pod"

    def has_public_address(self, family: Family) -> bool:
        """Tell whether the internet can certainly address the interface directly in the family (4 or 6)."""
        if family == 4:
            return self.public_unlisted is True or bool(self.public.v4)
        return bool(self.public.v6) and self.public.v6.overlaps(GLOBAL_UNICAST.v6)


class Workload(Resource, frozen=True, kw_only=True):
    """What owns interfaces: an instance, a load balancer, a function, a database.

    Attributes:
        network: the network it stands in, where it stands in one.
        internet_facing: declared to serve the internet (the scheme of a load balancer); None where that has no meaning.
        running: False for what is stopped or ended.
    """

    network: str | None = None
    internet_facing: bool | None = None
    running: bool = True


class Template(Resource, frozen=True, kw_only=True):
    """A setting that would attach groups to interfaces that do not exist yet: a launch template, a function, a job.

    Attributes:
        groups: all groups that it names.
        together: the groups that one interface gets at once, a set for each interface that it describes; empty where
            they are not told apart.
    """

    groups: frozenset[str]
    together: frozenset[frozenset[str]] = frozenset()

    @property
    def companies(self) -> frozenset[frozenset[str]]:
        """Sets of groups that one interface surely gets at once; each group alone where nobody knows its company."""
        return self.together or frozenset(frozenset((group,)) for group in self.groups)


class Entrance(Resource, frozen=True, kw_only=True):
    """A way in from the internet that needs no public address and no internet route of its target.

    Attributes:
        targets: qualified ids of workloads, interfaces or services behind it, or of subnets of which it leads to all.
        target_addresses: addresses behind it, for targets named by address, in ``network``.
        network: the network of ``target_addresses``.
        traffic: what reaches the targets.
        clients: the addresses of clients that the target's rules see.
        certain_clients: the target's rules surely see these; False where packets may be rewritten before.
        senders: the clients that come this way, of those that reach what is before the targets.
        through: the load balancers that packets pass first; what reaches none of them does not come this way.
        listens: what clients send to these load balancers in order to come here; None when that was not read.
        active: it forwards packets; None when unknown.
        doubt: what is unknown of it, in words; empty where its state was not read.
        groups: groups of the entrance's own interfaces: rules that name one of them admit who comes this way, at most.
        straight: it only rewrites where packets go: targets see the clients, and answer by routes of their own.
        addresses: for one that is straight, its public addresses, which clients inside of the estate may call as well.
        unlisted: it has others that were not read.
    """

    targets: frozenset[str] = frozenset()
    target_addresses: AddressSet = NO_ADDRESSES
    network: str | None = None
    traffic: Traffic
    clients: AddressSet = ALL_ADDRESSES
    certain_clients: bool = True
    senders: AddressSet = ALL_ADDRESSES
    through: frozenset[str] = frozenset()
    listens: Traffic | None = None
    active: bool | None = True
    doubt: str = ""
    groups: frozenset[str] = frozenset()
    straight: bool = False
    addresses: AddressSet = NO_ADDRESSES
    unlisted: bool = False
