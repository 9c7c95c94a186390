"""Transit gateways: the gateways, what is attached to them, and their route tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, Gateway, ListRef, Route, TransitAttachment, TransitTable, scope_of
from cloudseg.providers.aws.translate.tags import Tag, tags_of
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_transit_attachments", "add_transit_gateways", "add_transit_tables"]

_FACET = "transit"
_SEARCH = "search_transit_gateway_routes"
_ASSOCIATIONS = "get_transit_gateway_route_table_associations"
_PROPAGATIONS = "get_transit_gateway_route_table_propagations"
_UP = frozenset(("available", "modifying"))


class _GatewayOptions(msgspec.Struct, rename="pascal"):
    security_group_referencing_support: str = "disable"


class _TransitGateway(msgspec.Struct, rename="pascal"):
    transit_gateway_id: str
    state: str = ""
    owner_id: str = ""
    options: _GatewayOptions = msgspec.field(default_factory=_GatewayOptions)
    tags: list[Tag] = []


class _Association(msgspec.Struct, rename="pascal"):
    transit_gateway_route_table_id: str = ""
    state: str = ""


class _Attachment(msgspec.Struct, rename="pascal"):
    transit_gateway_attachment_id: str
    transit_gateway_id: str
    transit_gateway_owner_id: str = ""
    resource_owner_id: str = ""
    resource_type: str = ""
    resource_id: str = ""
    state: str = ""
    association: _Association = msgspec.field(default_factory=_Association)
    tags: list[Tag] = []


class _AttachmentOptions(msgspec.Struct, rename="pascal"):
    security_group_referencing_support: str = "enable"
    appliance_mode_support: str = "disable"


class _VpcAttachment(msgspec.Struct, rename="pascal"):
    transit_gateway_attachment_id: str
    transit_gateway_id: str
    vpc_id: str
    vpc_owner_id: str = ""
    state: str = ""
    subnet_ids: list[str] = []
    options: _AttachmentOptions = msgspec.field(default_factory=_AttachmentOptions)
    tags: list[Tag] = []


class _Table(msgspec.Struct, rename="pascal"):
    transit_gateway_route_table_id: str
    transit_gateway_id: str
    tags: list[Tag] = []


class _Target(msgspec.Struct, rename="pascal"):
    transit_gateway_attachment_id: str = ""
    state: str = ""


class _Route(msgspec.Struct, rename="pascal"):
    destination_cidr_block: str = ""
    prefix_list_id: str = ""
    transit_gateway_attachments: list[_Target] = []
    type: str = ""
    state: str = ""


class _Search(msgspec.Struct, rename="pascal"):
    additional_routes_available: bool | None = None


def add_transit_gateways(answers: Answers, draft: Draft) -> None:
    """Add the transit gateways; group references work across one only where that was switched on.

    Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-transit-gateways.html
    """
    for wire in answers.each("ec2", "describe_transit_gateways", "TransitGateways", _TransitGateway, _FACET):
        tags = tags_of(wire.tags)
        gateway = Gateway(
            id=answers.id(wire.transit_gateway_id, account=wire.owner_id),
            kind="transit-gateway",
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            active=wire.state in _UP if wire.state else None,
            shares_groups=wire.options.security_group_referencing_support == "enable",
        )
        draft.put(draft.gateways, gateway, answers.scope)


def add_transit_attachments(answers: Answers, draft: Draft) -> None:
    """Add what is attached to transit gateways.

    The owner of the gateway sees the table that decides for an attachment, the owner of the VPC sees its subnets:
    both readings make one value. Group references are on for an attachment unless it says otherwise.
    Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
    """
    operation, key = "describe_transit_gateway_attachments", "TransitGatewayAttachments"
    for wire in answers.each("ec2", operation, key, _Attachment, _FACET):
        _join(draft, answers, _attachment(answers, draft, wire))
    operation, key = "describe_transit_gateway_vpc_attachments", "TransitGatewayVpcAttachments"
    for of_vpc in answers.each("ec2", operation, key, _VpcAttachment, _FACET):
        _join(draft, answers, _vpc_attachment(answers, draft, of_vpc))
    for table, associated in answers.each_of("ec2", _ASSOCIATIONS, "Associations", _Target, _FACET):
        if associated.state in {"associated", ""}:
            attachment = draft.id_of(answers, associated.transit_gateway_attachment_id)
            known = draft.transit_attachments.get(attachment)
            if known is not None and known.table is None:
                found = draft.id_of(answers, table)
                draft.transit_attachments[attachment] = msgspec.structs.replace(known, table=found)


def _attachment(answers: Answers, draft: Draft, wire: _Attachment) -> TransitAttachment:
    tags = tags_of(wire.tags)
    table = wire.association.transit_gateway_route_table_id
    account = wire.resource_owner_id or None
    # The table belongs to the owner of the gateway, whoever reads the attachment.
    owner = wire.transit_gateway_owner_id or None
    associated = table and wire.association.state in {"associated", ""}
    return TransitAttachment(
        id=answers.id(wire.transit_gateway_attachment_id, account=account),
        kind=f"transit-gateway-attachment-{wire.resource_type or 'unknown'}",
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        gateway=draft.id_of(answers, wire.transit_gateway_id, owner),
        network=draft.id_of(answers, wire.resource_id, account) if wire.resource_type == "vpc" else None,
        table=draft.id_of(answers, table, owner) if associated else None,
        active=wire.state in _UP,
        beyond=draft.id_of(answers, wire.resource_id, account) if wire.resource_type == "vpn" else None,
    )


def _vpc_attachment(answers: Answers, draft: Draft, wire: _VpcAttachment) -> TransitAttachment:
    tags = tags_of(wire.tags)
    account = wire.vpc_owner_id or None
    return TransitAttachment(
        id=answers.id(wire.transit_gateway_attachment_id, account=account),
        kind="transit-gateway-attachment-vpc",
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        gateway=draft.id_of(answers, wire.transit_gateway_id),
        network=draft.id_of(answers, wire.vpc_id, account),
        subnets=frozenset(draft.id_of(answers, subnet, account) for subnet in wire.subnet_ids),
        active=wire.state in _UP,
        shares_groups=wire.options.security_group_referencing_support != "disable",
        appliance_mode=wire.options.appliance_mode_support == "enable",
    )


def _join(draft: Draft, answers: Answers, found: TransitAttachment) -> None:
    known = draft.transit_attachments.get(found.id)
    if known is not None:
        found = msgspec.structs.replace(
            known,
            name=known.name or found.name,
            tags=known.tags or found.tags,
            subnets=known.subnets | found.subnets,
            table=known.table or found.table,
            active=known.active and found.active,
            shares_groups=known.shares_groups and found.shares_groups,
            appliance_mode=known.appliance_mode or found.appliance_mode,
        )
    draft.transit_attachments[found.id] = found
    draft.remember(answers.region, found.own_id, found.id)


def add_transit_tables(answers: Answers, draft: Draft) -> None:
    """Add the route tables of transit gateways, with the routes that a search of them returned.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SearchTransitGatewayRoutes.html
    """
    more = {table: each.additional_routes_available for table, each in answers.whole("ec2", _SEARCH, _Search, _FACET)}
    routes: dict[str, list[Route]] = {}
    for table, found in answers.each_of("ec2", _SEARCH, "Routes", _Route, _FACET):
        try:
            routes.setdefault(table, []).extend(_routes(answers, draft, found))
        except ParseError as error:
            answers.gap(f"ec2.{_SEARCH}", table, "malformed", str(error), _FACET)
            more[table] = None
    propagations: dict[str, set[str]] = {}
    key = "TransitGatewayRouteTablePropagations"
    for table, each in answers.each_of("ec2", _PROPAGATIONS, key, _Target, _FACET):
        if each.state in {"enabled", ""} and each.transit_gateway_attachment_id:
            attachment = draft.id_of(answers, each.transit_gateway_attachment_id)
            propagations.setdefault(table, set()).add(attachment)
    operation, key = "describe_transit_gateway_route_tables", "TransitGatewayRouteTables"
    for wire in answers.each("ec2", operation, key, _Table, _FACET):
        own = wire.transit_gateway_route_table_id
        gateway = draft.id_of(answers, wire.transit_gateway_id)
        tags = tags_of(wire.tags)
        translated = TransitTable(
            id=answers.id(own, account=scope_of(gateway)),
            kind="transit-gateway-route-table",
            name=tags.get("Name", ""),
            region=answers.region,
            tags=tags,
            gateway=gateway,
            routes=tuple(routes.get(own, ())),
            propagations=frozenset(propagations.get(own, ())),
            complete=more.get(own) is False and answers.intact("ec2", _SEARCH, own),
        )
        draft.put(draft.transit_tables, translated, answers.scope)


def _routes(answers: Answers, draft: Draft, wire: _Route) -> Iterator[Route]:
    """Yield one route for each attachment of a destination: several share the packets out among them.

    Raises:
        ParseError: the destination is no prefix.
    """
    origin: Literal["static", "propagated"] = "propagated" if wire.type == "propagated" else "static"
    destination = (
        ListRef(draft.id_of(answers, wire.prefix_list_id))
        if wire.prefix_list_id
        else Addresses(AddressSet.from_cidrs((wire.destination_cidr_block,)))
    )
    targets = [each.transit_gateway_attachment_id for each in wire.transit_gateway_attachments]
    if wire.state == "blackhole":
        yield Route(destination=destination, kind="drop", origin=origin)
    elif wire.state in {"active", ""} and targets:
        for target in targets:
            yield Route(
                destination=destination,
                kind="transit-gateway",
                target=draft.id_of(answers, target),
                origin=origin,
            )
    elif wire.state not in {"deleting", "deleted"}:
        yield Route(destination=destination, kind="unknown", origin=origin)
