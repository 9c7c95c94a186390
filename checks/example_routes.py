"""More parts of small estates for the examples of checks about routes: firewalls, transit gateways, edge tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import Addresses, Firewall, Gateway, Route, RouteTable, TransitAttachment, TransitTable
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from cloudseg.checks.example_estates import EstateBuilder
    from cloudseg.model import TargetKind

__all__ = [
    "add_attachment",
    "add_edge_table",
    "add_firewall",
    "add_transit_gateway",
    "add_transit_table",
    "endpoint_of",
]

_REGION = "eu-west-1"


def endpoint_of(firewall: str) -> str:
    """Return the own id of the endpoint that routes to a firewall name."""
    return f"vpce-{firewall}"


def add_firewall(
    b: EstateBuilder,
    own: str = "firewall-1",
    subnet: str = "subnet-firewall",
    *,
    network: str = "vpc-1",
    filters: bool | None = True,
    names: Iterable[str] = ("*.ubuntu.com",),
    reason: str = "",
) -> None:
    """Add a firewall with one endpoint, which stands in a subnet of its own; one that drops all but some names."""
    b.put(
        "firewalls",
        Firewall(
            id=b.id(own),
            kind="network-firewall",
            region=_REGION,
            network=b.id(network),
            subnets=frozenset({b.id(subnet)}),
            endpoints=frozenset({b.id(endpoint_of(own))}),
            filters=filters,
            names=tuple(names),
            reason=reason,
        ),
    )


def add_edge_table(b: EstateBuilder, own: str, gateway: str, routes: Iterable[tuple[str, TargetKind, str]]) -> None:
    """Add the route table of an internet gateway of ``vpc-1``, which decides where packets from the internet go."""
    local = Route(destination=Addresses(AddressSet.parse("10.0.0.0/16")), kind="local", origin="local")
    more = (
        Route(destination=Addresses(AddressSet.parse(to)), kind=kind, target=b.id(target))
        for to, kind, target in routes
    )
    b.put(
        "route_tables",
        RouteTable(
            id=b.id(own),
            kind="route-table",
            region=_REGION,
            network=b.id("vpc-1"),
            gateways=frozenset({b.id(gateway)}),
            routes=(local, *more),
        ),
    )


def add_transit_gateway(b: EstateBuilder, own: str = "tgw-1") -> None:
    """Add a transit gateway to which nothing is attached yet."""
    b.put("gateways", Gateway(id=b.id(own), kind="transit-gateway", region=_REGION))


def add_attachment(  # noqa: PLR0913 - all but two are optional and go by keyword
    b: EstateBuilder,
    own: str,
    network: str | None,
    *,
    table: str | None = "tgw-rtb-1",
    subnets: Iterable[str] = (),
    gateway: str = "tgw-1",
    kind: str = "vpc",
    active: bool = True,
) -> None:
    """Attach a network, or something else when it is None, to a transit gateway; ``table`` decides for its packets."""
    b.put(
        "transit_attachments",
        TransitAttachment(
            id=b.id(own),
            kind=f"transit-gateway-attachment-{kind}",
            region=_REGION,
            gateway=b.id(gateway),
            network=None if network is None else b.id(network),
            subnets=frozenset(b.id(subnet) for subnet in subnets),
            table=None if table is None else b.id(table),
            active=active,
        ),
    )


def add_transit_table(
    b: EstateBuilder,
    own: str = "tgw-rtb-1",
    *,
    static: Iterable[tuple[str, str]] = (),
    propagated: Iterable[tuple[str, str]] = (),
    gateway: str = "tgw-1",
    complete: bool = True,
) -> None:
    """Add a table of a transit gateway with its routes: destination and attachment."""
    origins: tuple[tuple[Literal["static", "propagated"], Iterable[tuple[str, str]]], ...] = (
        ("static", static),
        ("propagated", propagated),
    )
    routes = tuple(
        Route(
            destination=Addresses(AddressSet.parse(to)), kind="transit-gateway", target=b.id(attachment), origin=origin
        )
        for origin, some in origins
        for to, attachment in some
    )
    b.put(
        "transit_tables",
        TransitTable(
            id=b.id(own),
            kind="transit-gateway-route-table",
            region=_REGION,
            gateway=b.id(gateway),
            routes=routes,
            complete=complete,
        ),
    )
