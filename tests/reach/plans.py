"""Networks in few words: VPCs, subnets with their routes, and what joins them, as values of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudseg.model import (
    FACETS,
    Addresses,
    AddressList,
    Coverage,
    Endpoint,
    Estate,
    Firewall,
    Gateway,
    Interface,
    ListRef,
    Network,
    Peering,
    Reading,
    Resource,
    Route,
    RouteTable,
    Subnet,
    TransitAttachment,
    TransitTable,
    qualified,
)
from cloudseg.reach.roads.legs import legs_from
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import TargetKind
    from cloudseg.reach.roads.legs import Leg

HOME, OTHER = "111122223333", "444455556666"
REGION = "eu-west-1"
_KINDS: tuple[tuple[str, TargetKind], ...] = (
    ("igw-", "internet-gateway"),
    ("eigw-", "egress-only-gateway"),
    ("nat-", "nat-gateway"),
    ("vgw-", "private-gateway"),
    ("pcx-", "peering"),
    ("tgw-", "transit-gateway"),
    ("eni-", "interface"),
    ("i-", "interface"),
    ("vpce-", "endpoint"),
)


def _kind(target: str) -> TargetKind:
    for prefix, kind in _KINDS:
        if target.startswith(prefix):
            return kind
    return "unknown"


def ips(text: str) -> AddressSet:
    return AddressSet.parse(text)


class Plan:
    """An estate under construction. Everything bears its own id, in :data:`HOME` and :data:`REGION` unless told."""

    def __init__(self, *, unread: Iterable[str] = ()) -> None:
        self._unread = frozenset(unread)
        self._ids: dict[str, str] = {}
        self._resources: dict[str, dict[str, Resource]] = {}

    def id(self, own: str) -> str:
        return self._ids.get(own, qualified("aws", HOME, own, REGION))

    def ids(self, *owns: str) -> frozenset[str]:
        return frozenset(self.id(own) for own in owns)

    def named(self, own: str, account: str = HOME, region: str = REGION) -> str:
        self._ids[own] = qualified("aws", account, own, region)
        return self._ids[own]

    def put(self, kind: str, resource: Resource) -> None:
        self._resources.setdefault(kind, {})[resource.id] = resource

    def drop(self, kind: str, own: str) -> None:
        """Leave out of the estate what others name: it was not read."""
        del self._resources[kind][self.id(own)]

    def vpc(self, own: str, cidrs: str, *, account: str = HOME, region: str = REGION) -> None:
        name = self.named(own, account, region)
        self.put("networks", Network(id=name, kind="vpc", region=region, pipeline="aws", addresses=ips(cidrs)))

    def subnet(self, own: str, cidrs: str, *routes: str, zone: str = "eu-west-1a", **more: Any) -> None:
        """Add a subnet of the VPC in its name (``a-app`` is of ``vpc-a``), and its route table ``rtb-a-app``."""
        network = self._resources["networks"][self.id(f"vpc-{own.split('-', maxsplit=1)[0]}")]
        assert isinstance(network, Network)
        name = self.named(own, network.scope, network.region)
        subnet = Subnet(
            id=name, kind="subnet", region=network.region, network=network.id, addresses=ips(cidrs), zone=zone, **more
        )
        self.put("subnets", subnet)
        local = Route(destination=Addresses(network.addresses), kind="local", origin="local")
        self.table(f"rtb-{own}", (local, *map(self.route, routes)), network, subnets=frozenset((name,)))

    def table(self, own: str, routes: tuple[Route, ...], network: Network, **more: Any) -> None:
        name = self.named(own, network.scope, network.region)
        table = RouteTable(
            id=name, kind="route-table", region=network.region, network=network.id, routes=routes, **more
        )
        self.put("route_tables", table)

    def route(self, text: str) -> Route:
        """``10.0.0.0/8 tgw-1``, ``pl-1 vpce-1``; ``blackhole`` for a target that is gone, ``drop``, ``cagw-1``."""
        destination, target = text.split()
        to = ListRef(self.id(destination)) if destination.startswith("pl-") else Addresses(ips(destination))
        if target == "blackhole":
            return Route(destination=to, kind="transit-gateway", target=self.id("tgw-gone"), active=False)
        return Route(destination=to, kind=_kind(target), target=self.id(target))

    def gateway(self, own: str, *networks: str, **more: Any) -> None:
        fields: dict[str, Any] = {"kind": own.split("-", maxsplit=1)[0], "public": True} | more
        name = self.named(own)
        self.put("gateways", Gateway(id=name, region=REGION, networks=self.ids(*networks), **fields))

    def nat(self, own: str, subnet: str, *, interface: bool = True, **more: Any) -> None:
        """Add a NAT gateway in a subnet, with its interface ``eni-nat-1`` for ``nat-1``."""
        where = self._resources["subnets"][self.id(subnet)]
        assert isinstance(where, Subnet)
        network = where.network
        if interface:
            self.interface(f"eni-{own}", subnet, "10.0.9.9", role="nat_gateway")
        fields: dict[str, Any] = {"public": True, "interfaces": self.ids(f"eni-{own}")} | more
        self.put(
            "gateways",
            Gateway(
                id=self.named(own),
                kind="nat-gateway",
                region=REGION,
                networks=frozenset((network,)),
                subnet=where.id,
                **fields,
            ),
        )

    def interface(self, own: str, subnet: str, address: str, **more: Any) -> None:
        where = self._resources["subnets"][self.id(subnet)]
        assert isinstance(where, Subnet)
        interface = Interface(
            id=self.named(own),
            kind="network-interface",
            region=REGION,
            network=where.network,
            subnet=where.id,
            addresses=ips(address),
            **more,
        )
        self.put("interfaces", interface)

    def peering(
        self, own: str, one: str, other: str, *, regions: tuple[str, str] = (REGION, REGION), active: bool = True,
        **more: Any,
    ) -> None:  # fmt: skip
        ends = (self.id(one), self.id(other))
        self.put(
            "peerings",
            Peering(id=self.named(own), kind="peering", networks=ends, regions=regions, active=active, **more),
        )

    def endpoint(self, own: str, network: str, *subnets: str, kind: str = "gateway-load-balancer", **more: Any) -> None:
        fields: dict[str, Any] = {"usable": True, "service": "com.amazonaws.eu-west-1.s3"} | more
        self.put(
            "endpoints",
            Endpoint(
                id=self.named(own),
                kind="vpc-endpoint",
                region=REGION,
                network=self.id(network),
                type=kind,  # type: ignore[arg-type]
                subnets=self.ids(*subnets),
                **fields,
            ),
        )

    def firewall(self, own: str, network: str, *endpoints: str, filters: bool | None, **more: Any) -> None:
        self.put(
            "firewalls",
            Firewall(
                id=self.named(own),
                kind="network-firewall",
                region=REGION,
                network=self.id(network),
                endpoints=self.ids(*endpoints),
                filters=filters,
                **more,
            ),
        )

    def prefix_list(self, own: str, *prefixes: str, read: bool = True, owner: str = "customer") -> None:
        known = prefixes if read else None
        self.put("address_lists", AddressList(id=self.id(own), kind="prefix-list", prefixes=known, owner=owner))

    def transit(self, own: str, *, account: str = HOME, region: str = REGION, **more: Any) -> None:
        name = self.named(own, account, region)
        self.put("gateways", Gateway(id=name, kind="transit-gateway", region=region, **more))

    def attach(
        self, own: str, gateway: str, network: str | None, *subnets: str, table: str | None, kind: str = "vpc",
        account: str = HOME, **more: Any,
    ) -> None:  # fmt: skip
        """Attach a network by its subnets to a transit gateway, or something else of another kind."""
        home = self._resources["gateways"].get(self.id(gateway))
        region = REGION if home is None else home.region
        self.put(
            "transit_attachments",
            TransitAttachment(
                id=self.named(own, account, region),
                kind=f"transit-gateway-attachment-{kind}",
                region=region,
                gateway=self.id(gateway),
                network=None if network is None else self.id(network),
                subnets=self.ids(*subnets),
                table=None if table is None else self.id(table),
                **more,
            ),
        )

    def transit_table(self, own: str, gateway: str, *routes: str, complete: bool = True) -> None:
        """Add a transit table; a route is ``10.2.0.0/16 tgw-attach-b``, or with ``propagated`` or ``blackhole``."""
        name = self.named(own)
        table = TransitTable(
            id=name,
            kind="transit-gateway-route-table",
            region=REGION,
            gateway=self.id(gateway),
            routes=tuple(map(self._transit_route, routes)),
            complete=complete,
        )
        self.put("transit_tables", table)

    def _transit_route(self, text: str) -> Route:
        destination, target, *more = text.split()
        to = Addresses(ips(destination))
        if target == "blackhole":
            return Route(destination=to, kind="drop")
        origin = "propagated" if more else "static"
        return Route(destination=to, kind="transit-gateway", target=self.id(target), origin=origin)

    def build(self) -> Estate:
        accounts = {resource.scope for kind in self._resources.values() for resource in kind.values()}
        regions = {resource.region for kind in self._resources.values() for resource in kind.values()}
        readings = (
            Reading("aws", account, region, facet, "unread" if facet in self._unread else "read")
            for facet in FACETS
            for account in accounts
            for region in regions
        )
        return Estate(coverage=Coverage(readings), **self._resources)  # type: ignore[arg-type]

    def legs(self, subnet: str) -> tuple[Leg, ...]:
        estate = self.build()
        start = estate.subnets[self.id(subnet)]
        return legs_from(start, estate.networks[start.network], estate)

    def to(self, subnet: str, address: str) -> tuple[Leg, ...]:
        """Return the legs by which packets from a subnet go to an address."""
        return tuple(leg for leg in self.legs(subnet) if leg.addresses.has(address))

    def only(self, subnet: str, address: str) -> Leg:
        """Return the one leg by which packets from a subnet go to an address."""
        (leg,) = self.to(subnet, address)
        return leg

    def each(self, address: str, *subnets: str) -> list[Leg]:
        """Return the one leg to an address from each of several subnets of one and the same estate."""
        estate = self.build()
        found: list[Leg] = []
        for own in subnets:
            start = estate.subnets[self.id(own)]
            legs = legs_from(start, estate.networks[start.network], estate)
            (leg,) = (leg for leg in legs if leg.addresses.has(address))
            found.append(leg)
        return found

    def outcome(self, subnet: str, address: str) -> list[str]:
        """Return where packets from a subnet to an address come out: ``network vpc-b``, ``?`` behind for at most."""
        return sorted({outcome(leg) for leg in self.to(subnet, address)})


def outcome(leg: Leg) -> str:
    name = "" if leg.network is None else f" {leg.network.rsplit(':', 1)[-1]}"
    return f"{leg.end}{name}{'' if leg.certain else '?'}"


def crossed(leg: Leg) -> list[str]:
    """Return the checkpoints of a leg: ``ingress a-tgw``."""
    return [
        f"{each.direction} {'|'.join(name.rsplit(':', 1)[-1] for name in (each.subnet, *each.instead))}"
        for each in leg.checkpoints
    ]
