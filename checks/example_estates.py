"""A builder of small estates for the examples of the checks: two or three resources that show one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.model import (
    FACETS,
    Addresses,
    AddressList,
    Carries,
    Coverage,
    Direction,
    Endpoint,
    EndpointService,
    Estate,
    Everyone,
    FlowLog,
    Gateway,
    Group,
    GroupRef,
    InSubnets,
    Interface,
    ListRef,
    Network,
    Peer,
    Peering,
    Pipeline,
    Reading,
    Resource,
    Route,
    RouteTable,
    Rule,
    RuleSet,
    ScopeRead,
    Service,
    Stage,
    Subnet,
    TargetKind,
    qualified,
)
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["AWS_PIPELINE", "EstateBuilder", "acl_entry", "allow"]

SCOPE = "111122223333"
REGION = "eu-west-1"
_ACLS = Stage(name="network-acls", at="subnet-boundary", stateful=False, match="first", miss="deny")
_GROUPS = Stage(name="security-groups", at="interface", stateful=True, match="any", miss="deny")
AWS_PIPELINE = Pipeline(name="aws", ingress=(_ACLS, _GROUPS), egress=(_GROUPS, _ACLS))


def _own(text: str) -> str:
    return text if text.startswith("aws:") else qualified("aws", SCOPE, text, REGION)


def _peer(text: str) -> Peer:
    if text == "everyone":
        return Everyone()
    if text.startswith(("sg-", "aws:")):
        return GroupRef(_own(text))
    if text.startswith("pl-"):
        return ListRef(_own(text))
    return Addresses(AddressSet.parse(text))


def allow(
    direction: Direction, traffic: str, peer: str, *, rule_id: str | None = None, description: str = "for the example"
) -> Rule:
    """Return an allowing rule of a security group: ``allow("ingress", "tcp/443", "0.0.0.0/0")``.

    Args:
        direction: of the packets, seen from the member.
        traffic: as ``Traffic.parse`` reads it.
        peer: ``everyone``, addresses, or the own id of a group (``sg-``) or a prefix list (``pl-``).
        rule_id: made from the rest where it is left out.
        description: what people wrote about it.
    """
    return Rule(
        id=rule_id or f"{direction}/{traffic}/{peer}",
        direction=direction,
        verdict="next",
        traffic=Traffic.parse(traffic),
        remote=(_peer(peer),),
        description=description,
    )


def acl_entry(direction: Direction, number: int, traffic: str, cidr: str, *, deny: bool = False) -> Rule:
    """Return a numbered entry of a network ACL."""
    return Rule(
        id=f"{direction}/{number}",
        direction=direction,
        verdict="deny" if deny else "next",
        traffic=Traffic.parse(traffic),
        remote=(Addresses(AddressSet.parse(cidr)),),
        priority=number,
    )


ACL_OPEN = (acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0"))


class EstateBuilder:
    """Builds an estate of one account and region, in which everything was read unless ``unread`` names it.

    A new builder holds the network ``vpc-1`` (10.0.0.0/16) with the subnets ``subnet-public`` (10.0.1.0/24, a route to
    the internet gateway ``igw-1``) and ``subnet-private`` (10.0.2.0/24, a route to the NAT gateway ``nat-1``), both
    under the open network ACL ``acl-1``.
    """

    def __init__(self, *, unread: Iterable[str] = (), is_default_network: bool = False) -> None:
        self._unread = frozenset(unread)
        self._resources: dict[str, dict[str, Resource]] = {}
        self.put(
            "networks",
            Network(
                id=_own("vpc-1"),
                kind="vpc",
                region=REGION,
                pipeline="aws",
                is_default=is_default_network,
                addresses=AddressSet.parse("10.0.0.0/16"),
            ),
        )
        self.put(
            "gateways",
            Gateway(
                id=_own("igw-1"),
                kind="internet-gateway",
                region=REGION,
                networks=frozenset({_own("vpc-1")}),
                public=True,
            ),
        )
        self.put(
            "gateways",
            Gateway(
                id=_own("nat-1"),
                kind="nat-gateway",
                region=REGION,
                networks=frozenset({_own("vpc-1")}),
                subnet=_own("subnet-public"),
                public=True,
            ),
        )
        plan: tuple[tuple[str, str, TargetKind, str], ...] = (
            ("subnet-public", "10.0.1.0/24", "internet-gateway", "igw-1"),
            ("subnet-private", "10.0.2.0/24", "nat-gateway", "nat-1"),
        )
        for name, cidr, kind, target in plan:
            self.put(
                "subnets",
                Subnet(
                    id=_own(name), kind="subnet", region=REGION, network=_own("vpc-1"), addresses=AddressSet.parse(cidr)
                ),
            )
            self.put(
                "route_tables",
                RouteTable(
                    id=_own(name.replace("subnet", "rtb")),
                    kind="route-table",
                    region=REGION,
                    network=_own("vpc-1"),
                    subnets=frozenset({_own(name)}),
                    routes=(
                        Route(destination=Addresses(AddressSet.parse("10.0.0.0/16")), kind="local", origin="local"),
                        Route(destination=Addresses(AddressSet.parse("0.0.0.0/0")), kind=kind, target=_own(target)),
                    ),
                ),
            )
        self.acl("acl-1", ("subnet-public", "subnet-private"), ACL_OPEN)

    @staticmethod
    def id(own: str) -> str:
        """Return the qualified id of a resource of the example's account and region."""
        return _own(own)

    def put(self, kind: str, resource: Resource) -> None:
        """Add a resource of any kind, named by the estate's mapping, or replace it."""
        self._resources.setdefault(kind, {})[resource.id] = resource

    def route(self, table: str, destination: str, kind: TargetKind, target: str) -> None:
        """Add a route to a route table, ``rtb-public`` or ``rtb-private``; ``pl-`` names a prefix list."""
        known = self._resources["route_tables"][_own(table)]
        assert isinstance(known, RouteTable)  # noqa: S101 - narrows the type: put() keeps kinds apart
        to = ListRef(_own(destination)) if destination.startswith("pl-") else Addresses(AddressSet.parse(destination))
        route = Route(destination=to, kind=kind, target=_own(target))
        self.put("route_tables", msgspec.structs.replace(known, routes=(*known.routes, route)))

    def network(self, own: str, cidr: str, *, region: str = REGION) -> None:
        """Add a network of the same account; it has no subnets and no interfaces yet."""
        self.put(
            "networks",
            Network(id=_own(own), kind="vpc", region=region, pipeline="aws", addresses=AddressSet.parse(cidr)),
        )

    def subnet(self, own: str, cidr: str, network: str = "vpc-1", **more: object) -> None:
        """Add a subnet and its route table, ``rtb-db`` for ``subnet-db``, which holds the local route alone."""
        self.put(
            "subnets",
            Subnet(
                id=_own(own),
                kind="subnet",
                region=REGION,
                network=_own(network),
                addresses=AddressSet.parse(cidr),
                **more,  # type: ignore[arg-type]
            ),
        )
        known = self._resources["networks"][_own(network)]
        assert isinstance(known, Network)  # noqa: S101 - narrows the type: put() keeps kinds apart
        self.put(
            "route_tables",
            RouteTable(
                id=_own(own.replace("subnet", "rtb")),
                kind="route-table",
                region=REGION,
                network=_own(network),
                subnets=frozenset({_own(own)}),
                routes=(Route(destination=Addresses(known.addresses), kind="local", origin="local"),),
            ),
        )

    def peering(self, own: str, network: str, *, regions: tuple[str, str] = (REGION, REGION)) -> None:
        """Add an active peering of ``vpc-1`` and another network; the routes over it are added apart."""
        ends = (_own("vpc-1"), _own(network))
        self.put(
            "peerings",
            Peering(id=_own(own), kind="peering", region=REGION, networks=ends, regions=regions, active=True),
        )

    def service(self, own: str, family: str, *, public: bool | None = True, **more: object) -> None:
        """Add a managed service of a family, such as ``s3``; ``more`` are fields of :class:`Service`."""
        self.put(
            "services",
            Service(id=_own(own), kind=family, region=REGION, service=family, public=public, **more),  # type: ignore[arg-type]
        )

    def endpoint(self, own: str, service: str, *, usable: bool | None = True, **more: object) -> None:
        """Add an endpoint of ``vpc-1`` to a service of its region, such as ``s3``; a gateway endpoint unless told."""
        fields = {"type": "gateway", "state": "available", **more}
        self.put(
            "endpoints",
            Endpoint(
                id=_own(own),
                kind="vpc-endpoint",
                region=REGION,
                network=_own("vpc-1"),
                service=f"com.amazonaws.{REGION}.{service}",
                usable=usable,
                **fields,  # type: ignore[arg-type]
            ),
        )

    def endpoint_service(
        self,
        own: str,
        *,
        acceptance_required: bool | None = True,
        principals: tuple[str, ...] | None = (),
        **more: object,
    ) -> None:
        """Add an endpoint service; ``more`` are fields of :class:`EndpointService`."""
        self.put(
            "endpoint_services",
            EndpointService(
                id=_own(own),
                kind="vpc-endpoint-service",
                region=REGION,
                service=f"com.amazonaws.vpce.{REGION}.{own}",
                acceptance_required=acceptance_required,
                principals=principals,
                **more,  # type: ignore[arg-type]
            ),
        )

    def flow_log(
        self,
        own: str,
        target: str = "vpc-1",
        traffic: Literal["all", "accepted", "rejected"] = "all",
        *,
        delivers: bool | None = True,
        reason: str = "",
    ) -> None:
        """Add a flow log of a network, a subnet, an interface or a transit gateway."""
        self.put(
            "flow_logs",
            FlowLog(
                id=_own(own),
                kind="flow-log",
                region=REGION,
                target=_own(target),
                traffic=traffic,
                delivers=delivers,
                reason=reason,
            ),
        )

    def group(
        self,
        own: str,
        *rules: Rule,
        name: str = "",
        is_default: bool = False,
        managed_by: str = "",
        tags: Mapping[str, str] | None = None,
        network: str = "vpc-1",
    ) -> None:
        """Add a security group of a network with its rules."""
        self.put(
            "groups",
            Group(
                id=_own(own),
                kind="security-group",
                name=name,
                region=REGION,
                selector=Carries(_own(own)),
                networks=(_own(network),),
                is_default=is_default,
                managed_by=managed_by,
                tags=dict(tags or {}),
            ),
        )
        self.put(
            "rule_sets",
            RuleSet(
                id=_own(own),
                kind="security-group",
                name=name,
                region=REGION,
                stage="security-groups",
                rules=rules,
                applies=Carries(_own(own)),
                network=_own(network),
                is_default=is_default,
                managed_by=managed_by,
                tags=dict(tags or {}),
            ),
        )

    def acl(self, own: str, subnets: Iterable[str], rules: tuple[Rule, ...]) -> None:
        """Add a network ACL of some subnets, or replace it."""
        self.put(
            "rule_sets",
            RuleSet(
                id=_own(own),
                kind="network-acl",
                region=REGION,
                stage="network-acls",
                rules=rules,
                applies=InSubnets(frozenset(_own(name) for name in subnets)),
                network=_own("vpc-1"),
            ),
        )

    def interface(
        self,
        own: str,
        subnet: str = "subnet-private",
        groups: Iterable[str] = (),
        address: str = "10.0.2.10",
        public: str = "",
        **more: object,
    ) -> None:
        """Add an interface; ``public`` is its public IPv4 address. Global IPv6 addresses count as public."""
        addresses = AddressSet.parse(address)
        six = (
            AddressSet.from_cidrs(())
            if not addresses.v6
            else addresses & GLOBAL_UNICAST - AddressSet.parse("0.0.0.0/0")
        )
        self.put(
            "interfaces",
            Interface(
                id=_own(own),
                kind="network-interface",
                region=REGION,
                network=_own("vpc-1"),
                subnet=_own(subnet),
                addresses=addresses,
                public=six | AddressSet.parse(public or "none"),
                attached=frozenset(_own(group) for group in groups),
                **more,  # type: ignore[arg-type]
            ),
        )

    def prefix_list(
        self, own: str, *prefixes: str, name: str = "", read: bool = True, any_tenant: bool = False
    ) -> None:
        """Add a prefix list; ``read=False`` leaves its entries unknown."""
        self.put(
            "address_lists",
            AddressList(
                id=_own(own),
                kind="prefix-list",
                name=name,
                region=REGION,
                prefixes=prefixes if read else None,
                owner="provider" if any_tenant else "customer",
                any_tenant=any_tenant,
            ),
        )

    def build(self) -> Estate:
        """Return the estate."""
        readings = (
            Reading("aws", SCOPE, region, facet, "unread" if facet in self._unread else "read")
            for facet in FACETS
            for region in (REGION, "global")
        )
        return Estate(
            taken_at="2026-01-15T12:00:00Z",
            scopes=(ScopeRead("aws", SCOPE, (REGION,)),),
            pipelines={"aws": AWS_PIPELINE},
            coverage=Coverage(readings),
            **self._resources,  # type: ignore[arg-type]
        )
