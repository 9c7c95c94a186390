"""Route tables as users made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import RouteTable
from cloudseg.providers.azure.ids import qualified_id, region_of
from cloudseg.providers.azure.translate.parts import UserRoute
from cloudseg.providers.azure.translate.wire import ArmResource, tags_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_user_routes"]

_WHAT = "network.route_tables"
_FACET = "routes"


class _RouteProperties(msgspec.Struct, rename="camel"):
    address_prefix: str = ""
    next_hop_type: str = ""
    next_hop: str | None = msgspec.field(default=None, name="nextHopIpAddress")


class _Route(msgspec.Struct):
    name: str = ""
    properties: _RouteProperties = msgspec.field(default_factory=_RouteProperties)


class _Properties(msgspec.Struct, rename="camel"):
    disable_bgp_route_propagation: bool | None = None
    routes: list[object] | None = None


class _RouteTable(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_user_routes(answers: Answers, draft: Draft) -> None:
    """Note the route tables; which routes a subnet has in all is worked out once everything is known.

    Source: https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview#user-defined
    """
    for wire in answers.listed("network", "route_tables", _RouteTable, _FACET):
        identifier = qualified_id(wire.id)
        draft.table_shells[identifier] = RouteTable(
            id=identifier,
            kind="route-table",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            network="",
        )
        if wire.properties.disable_bgp_route_propagation:
            draft.without_propagation.add(identifier)
        routes: list[UserRoute] = []
        for index, item in enumerate(wire.properties.routes or ()):
            try:
                routes.append(_route(answers, wire.id, msgspec.convert(item, _Route)))
            except msgspec.ValidationError as error:
                answers.gap(_WHAT, wire.id, "malformed", f"routes[{index}]: {error}", _FACET)
                routes.append(UserRoute(f"routes[{index}]", None, "", "unknown", NO_ADDRESSES))
        draft.user_routes[identifier] = tuple(routes)


def _route(answers: Answers, table: str, wire: _Route) -> UserRoute:
    properties = wire.properties
    text = properties.address_prefix.strip()
    hop = answers.addresses(_WHAT, table, (properties.next_hop or "",), _FACET)
    kind = properties.next_hop_type.lower()
    if text and not text[0].isdigit() and ":" not in text:
        return UserRoute(wire.name, None, text, kind, hop)
    addresses = answers.addresses(_WHAT, table, (text,), _FACET)
    # One whose destination is no prefix may be about any address.
    return UserRoute(wire.name, addresses or None, "", kind if addresses else "unknown", hop)
