"""Route tables of VPCs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, ListRef, Route, RouteTable, TargetKind
from cloudseg.providers.aws.translate.tags import Tag, tags_of
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_routes"]

_FACET = "routes"
_WHAT = "ec2.describe_route_tables"
_ASSOCIATED = frozenset(("", "associated", "associating"))
_ORIGINS: dict[str, Literal["local", "static", "propagated"]] = {
    "CreateRouteTable": "local",
    "CreateRoute": "static",
    "EnableVgwRoutePropagation": "propagated",
    "Advertisement": "propagated",
}
_PREFIXES: tuple[tuple[str, TargetKind], ...] = (
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


class _State(msgspec.Struct, rename="pascal"):
    state: str = ""


class _Association(msgspec.Struct, rename="pascal"):
    main: bool = False
    subnet_id: str = ""
    gateway_id: str = ""
    association_state: _State = msgspec.field(default_factory=_State)


class _Route(msgspec.Struct, rename="pascal"):
    destination_cidr_block: str = ""
    destination_ipv6_cidr_block: str = ""
    destination_prefix_list_id: str = ""
    gateway_id: str = ""
    egress_only_internet_gateway_id: str = ""
    nat_gateway_id: str = ""
    transit_gateway_id: str = ""
    vpc_peering_connection_id: str = ""
    network_interface_id: str = ""
    instance_id: str = ""
    local_gateway_id: str = ""
    carrier_gateway_id: str = ""
    core_network_arn: str = ""
    odb_network_arn: str = ""
    origin: str = ""
    state: str = ""

    @property
    def target(self) -> str:
        """Where packets go; of an instance the interface that receives them. Empty for a kind not known here."""
        return (
            self.gateway_id
            or self.egress_only_internet_gateway_id
            or self.nat_gateway_id
            or self.transit_gateway_id
            or self.vpc_peering_connection_id
            or self.network_interface_id
            or self.instance_id
            or self.local_gateway_id
            or self.carrier_gateway_id
            or self.core_network_arn
            or self.odb_network_arn
        )


class _RouteTable(msgspec.Struct, rename="pascal"):
    route_table_id: str
    vpc_id: str
    associations: list[_Association] = []
    # Read one by one afterwards: a route that cannot be understood must not take its table along.
    routes: list[object] = []
    owner_id: str = ""
    tags: list[Tag] = []


def add_routes(answers: Answers, draft: Draft) -> None:
    """Add the route tables with the subnets and gateways that they route for.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
    """
    for wire in answers.each("ec2", "describe_route_tables", "RouteTables", _RouteTable, _FACET):
        tags = tags_of(wire.tags)
        valid = [each for each in wire.associations if each.association_state.state in _ASSOCIATED]
        table = RouteTable(
            id=answers.id(wire.route_table_id, account=wire.owner_id),
            kind="route-table",
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            network=draft.id_of(answers, wire.vpc_id, wire.owner_id or None),
            routes=tuple(
                route for index, item in enumerate(wire.routes) for route in _read(answers, draft, wire, index, item)
            ),
            subnets=frozenset(draft.id_of(answers, each.subnet_id) for each in valid if each.subnet_id),
            gateways=frozenset(draft.id_of(answers, each.gateway_id) for each in valid if each.gateway_id),
            is_main=any(each.main for each in valid),
        )
        draft.put(draft.route_tables, table, answers.scope)


def _read(answers: Answers, draft: Draft, table: _RouteTable, index: int, item: object) -> Iterator[Route]:
    try:
        wire = msgspec.convert(item, _Route)
        if wire.state == "filtered":
            answers.note(f"{table.route_table_id}: the route to {_destination_text(wire)} is filtered, so not in use")
            return
        yield _route(answers, draft, wire)
    except (msgspec.ValidationError, ParseError) as error:
        answers.gap(_WHAT, table.route_table_id, "malformed", f"Routes[{index}]: {error}", _FACET)
        # It may lead anywhere.
        yield Route(destination=Addresses(ALL_IPV4), kind="unknown")
        yield Route(destination=Addresses(ALL_IPV6), kind="unknown")


def _route(answers: Answers, draft: Draft, wire: _Route) -> Route:
    """Translate one route.

    Raises:
        ParseError: its destination is no prefix.
    """
    prefix_list = wire.destination_prefix_list_id
    kind = _kind(wire.target)
    return Route(
        destination=ListRef(draft.id_of(answers, prefix_list))
        if prefix_list
        else Addresses(AddressSet.from_cidrs((_destination_text(wire),))),
        kind=kind,
        target=draft.id_of(answers, wire.target) if wire.target and kind != "local" else None,
        active=wire.state != "blackhole",
        origin="local" if kind == "local" and not wire.origin else _ORIGINS.get(wire.origin, "static"),
    )


def _destination_text(wire: _Route) -> str:
    return wire.destination_cidr_block or wire.destination_ipv6_cidr_block or wire.destination_prefix_list_id


def _kind(target: str) -> TargetKind:
    """Return what a target is; local, carrier and core gateways are not followed, so what lies behind is unknown."""
    if target == "local":
        return "local"
    for prefix, kind in _PREFIXES:
        if target.startswith(prefix):
            return kind
    return "unknown"
