"""Accelerators with custom routing: ways in to whatever stands in whole subnets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Entrance
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_custom_routing"]

_FACET = "entrances"
_SERVICE = "globalaccelerator"
_GROUPS = "list_custom_routing_endpoint_groups"
_DOUBT = (
    "which addresses of the subnet the accelerator may send to was not read: it sends to none until somebody allows it"
)


class _Accelerator(msgspec.Struct, rename="pascal"):
    accelerator_arn: str
    name: str = ""
    enabled: bool | None = None


class _Destination(msgspec.Struct, rename="pascal"):
    from_port: int
    to_port: int
    protocols: list[str]


class _Endpoint(msgspec.Struct, rename="pascal"):
    endpoint_id: str = ""


class _EndpointGroup(msgspec.Struct, rename="pascal"):
    endpoint_group_arn: str
    endpoint_group_region: str = ""
    destination_descriptions: list[_Destination] = []
    endpoint_descriptions: list[_Endpoint] = []


def add_custom_routing(answers: Answers, draft: Draft) -> None:
    """Add each endpoint group of an accelerator with custom routing; its targets are subnets.

    What stands in them is reached at most: which addresses and ports get traffic is set by further calls, and none does
    unless it is allowed. Targets see the clients' own addresses. Sources:
    https://docs.aws.amazon.com/global-accelerator/latest/dg/about-custom-routing-endpoints.html and
    https://docs.aws.amazon.com/global-accelerator/latest/api/API_CustomRoutingEndpointGroup.html
    """
    listed = answers.each(_SERVICE, "list_custom_routing_accelerators", "Accelerators", _Accelerator, _FACET)
    accelerators = {accelerator.accelerator_arn: accelerator for accelerator in listed}
    for group in answers.each(_SERVICE, _GROUPS, "EndpointGroups", _EndpointGroup, _FACET):
        arn = group.endpoint_group_arn
        accelerator_arn = arn.partition("/listener/")[0]
        accelerator = accelerators.get(accelerator_arn, _Accelerator(accelerator_arn))
        region = group.endpoint_group_region or answers.region
        traffic = answers.understood((_SERVICE, _GROUPS), arn, _FACET, partial(_traffic, group))
        entrance = Entrance(
            id=answers.id(arn),
            kind="global-accelerator-custom-routing",
            name=accelerator.name,
            region=answers.region,
            targets=frozenset(_subnet(each.endpoint_id, region) for each in group.endpoint_descriptions) - {""},
            traffic=Traffic.ports("tcp") | Traffic.ports("udp") if traffic is None else traffic,
            active=False if accelerator.enabled is False else None,
            doubt=_DOUBT,
        )
        draft.put(draft.entrances, entrance, answers.scope)


def _subnet(endpoint: str, region: str) -> str:
    return endpoint if not endpoint or endpoint.startswith("arn:") else f"{region}:{endpoint}"


def _traffic(group: _EndpointGroup) -> Traffic:
    """Return what comes to the targets: the ports of destinations, which listeners' ports are mapped to."""
    traffic = NO_TRAFFIC
    for each in group.destination_descriptions:
        for protocol in each.protocols:
            traffic |= Traffic.ports(protocol.lower(), each.from_port, each.to_port)
    return traffic
