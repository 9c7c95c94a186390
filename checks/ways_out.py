"""How packets of an interface come out on the internet, before any rule is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.breadth import INTERNET, Part, as_nat64
from cloudseg.model import shown_id
from cloudseg.reach.leaving import leaves
from cloudseg.reach.roads.routing import NextHop, next_hops

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate, Firewall, Interface, InternetBlock, RouteTable, Subnet
    from cloudseg.traffic import AddressSet

__all__ = ["WayOut", "WaysOut"]

# A route may lead to a firewall, that to a NAT gateway, that to the internet gateway; more is a loop.
_MOST_HOPS: Final = 5
_PROVIDERS_OWN: Final = frozenset(("host", "identity-aware-proxy"))


class WayOut(NamedTuple):
    """One way to the internet.

    Attributes:
        addresses: the internet addresses that it leads to.
        certain: packets come out for sure, and nothing on the way filters them.
        text: the way in words.
    """

    addresses: AddressSet
    certain: bool
    text: str


class _Sender(NamedTuple):
    """What decides on the way besides the routes: a public address (None: not read), and blocked public access."""

    public: bool | None
    block: InternetBlock
    part: Part


class WaysOut:
    """Finds the ways out of interfaces; answers are kept for interfaces of one subnet that nothing here tells apart."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[tuple[str | None, _Sender], tuple[WayOut, ...]] = {}
        self._firewalls = {endpoint: wall for wall in estate.firewalls.values() for endpoint in wall.endpoints}

    def of(self, interface: Interface, part: Part) -> tuple[WayOut, ...]:
        """Return the ways out to a part of the internet; none where nothing comes out.

        A NAT gateway (IPv4, and NAT64), an egress-only gateway (IPv6) and an internet gateway (with a public address)
        lead out. The internet itself carries no packets to addresses of NAT64, so no other gateway leads there. A
        firewall that filters does not count as a way out, and whatever is not followed is an uncertain one. Blocked
        public access cuts internet gateways, and in both directions everything. Whatever policies let out of a cluster
        counts as coming out. Sources:
        https://docs.aws.amazon.com/vpc/latest/userguide/VPC_NAT_Instance.html,
        https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html and
        https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html
        """
        network = None if interface.network is None else self._estate.networks.get(interface.network)
        if network is not None and network.leads_out:
            # Nodes send on what policies let out; how they get to the internet no object of the cluster says.
            return () if part == "nat64" else (WayOut(INTERNET[part], certain=True, text=f"out of {network.label}"),)
        subnet = None if interface.subnet is None else self._estate.subnets.get(interface.subnet)
        block: InternetBlock = "off" if subnet is None else subnet.internet_block
        sender = _Sender(leaves(interface, 4 if part == 4 else 6, self._estate), block, part)
        key = (interface.subnet, sender)
        if key not in self._known:
            self._known[key] = tuple(self._from_subnet(subnet, sender, 0))
        return self._known[key]

    def _from_subnet(self, subnet: Subnet | None, sender: _Sender, depth: int) -> Iterator[WayOut]:
        table = None if subnet is None else self._estate.route_table_of(subnet)
        if table is None:
            yield WayOut(INTERNET[sender.part], certain=False, text="the routes of its subnet were not read")
            return
        if subnet is not None and subnet.internet_block == "bidirectional":
            return
        yield from self._over_table(table, sender, depth)

    def _over_table(self, table: RouteTable, sender: _Sender, depth: int) -> Iterator[WayOut]:
        hops = next_hops(table, self._estate)
        doubtful = any(not hop.certain for hop in hops)
        for hop in hops:
            reached = hop.addresses & INTERNET[sender.part]
            if not reached or not hop.route.active or self._is_host(hop):
                continue
            for way in self._over(hop, sender, depth):
                sure = way.certain and hop.certain and not doubtful and sender.block != "unknown"
                yield WayOut(reached & way.addresses, sure, way.text)

    def _over(self, hop: NextHop, sender: _Sender, depth: int) -> Iterator[WayOut]:
        everything = INTERNET[sender.part]
        name = _name(hop)
        match hop.route.kind:
            case "internet-gateway":
                addressed = sender.public is not False and sender.part != "nat64"
                if addressed and sender.block != "ingress" and self._active(hop) is not False:
                    sure = sender.public is True and self._active(hop) is True
                    yield WayOut(everything, sure, f"public address and route to {name}")
            case "egress-only-gateway":
                if sender.public and sender.part == 6 and self._active(hop) is not False:
                    yield WayOut(everything, self._active(hop) is True, f"route to {name}")
            case "nat-gateway":
                if sender.part == 4 and self._active(hop) is not False:
                    yield from self._over_nat(hop, sender, depth)
                elif sender.part == "nat64" and self._active(hop) is not False:
                    for way in self._over_nat(hop, sender, depth):
                        text = f"{way.text}, for IPv4 destinations behind 64:ff9b::/96 (NAT64)"
                        yield WayOut(as_nat64(way.addresses), way.certain, text)
            case "endpoint":
                yield from self._over_endpoint(hop, sender, depth)
            case "transit-gateway" | "private-gateway" | "interface" | "unknown":
                yield WayOut(everything, certain=False, text=f"route to {name}, behind which nothing was followed")
            case "local" | "peering" | "drop":
                # A peered network's own gateways are not for its peers:
                # https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
                return

    def _over_nat(self, hop: NextHop, sender: _Sender, depth: int) -> Iterator[WayOut]:
        """Yield the ways of a NAT gateway, which sends on IPv4 packets whatever came in."""
        gateway = self._estate.gateways.get(hop.route.target or "")
        name = _name(hop)
        if gateway is None or depth >= _MOST_HOPS:
            yield WayOut(INTERNET[4], certain=False, text=f"route to {name}, which was not read")
        elif gateway.subnet is None:
            if gateway.public:
                yield WayOut(INTERNET[4], gateway.active is True, f"route to {name}")
        else:
            subnet = self._estate.subnets.get(gateway.subnet)
            # Blocked public access for ingress keeps NAT gateways.
            block: InternetBlock = "off" if sender.block == "ingress" else sender.block
            onwards = self._from_subnet(subnet, _Sender(gateway.public, block, 4), depth + 1)
            for way in onwards:
                yield WayOut(way.addresses, way.certain and gateway.active is True, f"route to {name}")

    def _over_endpoint(self, hop: NextHop, sender: _Sender, depth: int) -> Iterator[WayOut]:
        target = hop.route.target or ""
        firewall = self._firewalls.get(target)
        name = _name(hop)
        if firewall is not None:
            if firewall.filters is not True and depth < _MOST_HOPS:
                yield from self._behind(firewall, sender, depth)
            return
        endpoint = self._estate.endpoints.get(target)
        if endpoint is None or endpoint.type != "gateway":
            yield WayOut(INTERNET[sender.part], certain=False, text=f"route to {name}, behind which may be a filter")

    def _behind(self, firewall: Firewall, sender: _Sender, depth: int) -> Iterator[WayOut]:
        subnets = [self._estate.subnets.get(subnet) for subnet in sorted(firewall.subnets)]
        state = "does not filter" if firewall.filters is False else "may not filter"
        text = f"through {firewall.label}, which {state}" + (f" ({firewall.reason})" if firewall.reason else "")
        if firewall.translates:
            # It sends under an address of its own, whatever the sender has.
            sender = sender._replace(public=True)
        onwards: Iterable[WayOut] = (
            way for subnet in subnets or [None] for way in self._from_subnet(subnet, sender, depth + 1)
        )
        for way in onwards:
            yield WayOut(way.addresses, way.certain and firewall.filters is False, text)

    def _is_host(self, hop: NextHop) -> bool:
        """Tell whether a route leads to the host of a machine, or to a proxy for who has logged in, and nowhere else.

        Sources: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 and
        https://cloud.google.com/iap/docs/using-tcp-forwarding
        """
        gateway = self._estate.gateways.get(hop.route.target or "")
        return gateway is not None and gateway.kind in _PROVIDERS_OWN

    def _active(self, hop: NextHop) -> bool | None:
        gateway = self._estate.gateways.get(hop.route.target or "")
        return True if gateway is None else gateway.active


def _name(hop: NextHop) -> str:
    return hop.route.kind if hop.route.target is None else shown_id(hop.route.target)
