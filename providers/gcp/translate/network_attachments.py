"""Network attachments: doors of a network by which machines of other projects stand in it with an interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import EndpointConnection, EndpointService, Interface
from cloudseg.providers.gcp.ids import name_of, region_of, tail_of
from cloudseg.providers.gcp.translate.groups import PROXY
from cloudseg.providers.gcp.translate.private_service_connect import state_of
from cloudseg.providers.gcp.translate.wire import CloudResource, labels_of

if TYPE_CHECKING:
    from cloudseg.model import Resource
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_network_attachments"]

_WHAT: Final = "compute.network_attachments"
_FACET: Final = "endpoint-services"


class _Connected(msgspec.Struct, rename="camel"):
    status: str = ""
    ip_address: str | None = None
    ipv6_address: str | None = None
    secondary_ip_cidr_ranges: list[str] | None = None
    project_id_or_num: str | int | None = None
    subnetwork: str | None = None


class _Attachment(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    connection_preference: str = ""
    producer_accept_lists: list[str] | None = None
    # Read one by one: what cannot be understood must not take its attachment along.
    connection_endpoints: list[object] | None = None


def add_network_attachments(answers: Answers, draft: Draft) -> None:
    """Add the doors for machines of others, and the interfaces by which these stand in the network.

    What such a machine lets in and out the lists of its own network say, and not those of this one; lists of machines
    in this network know it by its address. Sources: https://cloud.google.com/vpc/docs/about-network-attachments and
    https://cloud.google.com/vpc/docs/about-private-service-connect-interfaces
    """
    for wire in answers.listed("compute", "network_attachments", _Attachment, _FACET):
        region = region_of(wire.region or wire.self_link)
        link = wire.link(answers.scope, f"regions/{region}/networkAttachments")
        identifier = draft.named(link, answers.scope)
        automatic = {"ACCEPT_AUTOMATIC": True, "ACCEPT_MANUAL": False}.get(wire.connection_preference.upper())
        listed = tuple(sorted(draft.project(each) for each in wire.producer_accept_lists or ()))
        service = EndpointService(
            id=identifier,
            kind="network-attachment",
            name=wire.name or name_of(link),
            region=region,
            tags=labels_of(wire),
            service=tail_of(link),
            acceptance_required=None if automatic is None else not automatic,
            principals=None if automatic is None else ("*",) if automatic else listed,
        )
        connections: list[EndpointConnection] = []
        for index, item in enumerate(wire.connection_endpoints or ()):
            try:
                each = msgspec.convert(item, _Connected)
            except msgspec.ValidationError as error:
                answers.gap(_WHAT, tail_of(link), "malformed", f"connectionEndpoints[{index}]: {error}", _FACET)
                continue
            owner = draft.project(str(each.project_id_or_num or ""))
            state = state_of(each.status)
            connections.append(EndpointConnection(each.ip_address or each.ipv6_address or "", owner, state))
            if state in {"accepted", "other"}:
                _add_interface(answers, draft, each, service, index)
        service = msgspec.structs.replace(service, connections=tuple(connections))
        draft.put(draft.endpoint_services, service, answers.scope)


def _add_interface(answers: Answers, draft: Draft, each: _Connected, door: Resource, index: int) -> None:
    """Add the interface of a machine of somebody else."""
    subnet = draft.named(each.subnetwork, answers.scope) if each.subnetwork else ""
    known = draft.subnets.get(subnet)
    texts = (each.ip_address, each.ipv6_address, *(each.secondary_ip_cidr_ranges or ()))
    interface = Interface(
        id=f"{door.id}/{index}",
        kind="network-interface",
        name=f"{door.name} of {each.project_id_or_num or 'another project'}",
        region=door.region,
        network=None if known is None else known.network,
        subnet=None if known is None else subnet,
        addresses=answers.addresses(_WHAT, door.own_id, texts, _FACET),
        labels={PROXY: "true"},
        role="private-service-connect-interface",
        derived=True,
        managed_by=str(each.project_id_or_num or ""),
    )
    draft.put(draft.interfaces, interface, answers.scope)
