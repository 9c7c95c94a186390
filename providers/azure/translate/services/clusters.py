"""The API servers of Azure Kubernetes Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.translate.services.access import (
    EVERYONE,
    Access,
    Admitted,
    Place,
    admitted_texts,
    decided,
)
from cloudseg.providers.azure.translate.services.building import Properties, in_subnet, service, shown
from cloudseg.providers.azure.translate.services.restrictions import tagged
from cloudseg.providers.azure.translate.wire import ArmResource
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_clusters"]

_FACET = "services.aks"


class _ApiServer(msgspec.Struct, rename="camel"):
    authorized_ip_ranges: list[str] | None = msgspec.field(default=None, name="authorizedIPRanges")
    enable_private_cluster: bool | None = None
    enable_vnet_integration: bool | None = None
    subnet_id: str | None = None


class _Properties(Properties, rename="camel"):
    api_server_access_profile: _ApiServer | None = None


class _Cluster(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_clusters(answers: Answers, draft: Draft) -> None:
    """Add the API server of each cluster: public and open to everyone unless it is private or lists addresses.

    The range 0.0.0.0/32 admits the cluster's own outbound address alone. Sources:
    https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges
    https://learn.microsoft.com/azure/aks/private-clusters
    """
    for wire in answers.listed("containerservice", "managed_clusters", _Cluster, _FACET):
        own = wire.properties
        server = own.api_server_access_profile or _ApiServer()
        ranges = [text for text in server.authorized_ip_ranges or () if text]
        if server.enable_private_cluster:
            access = Access(public=False, sources=NO_ADDRESSES, any_tenant=False, reason="enablePrivateCluster is true")
        elif ranges:
            access = decided(own.public_network_access, _admitted(answers, draft, wire, ranges))
        else:
            words = "the cluster is not private, and authorizedIPRanges is empty"
            access = decided(own.public_network_access, EVERYONE._replace(words=words))
        found = service(
            wire,
            "aks",
            "aks-cluster",
            access,
            connections=own.private_endpoint_connections,
            settings=shown(
                publicNetworkAccess=own.public_network_access,
                enablePrivateCluster=server.enable_private_cluster,
                authorizedIPRanges=", ".join(ranges),
                enableVnetIntegration=server.enable_vnet_integration,
            ),
            control_plane=True,
            stands=in_subnet(draft, server.subnet_id),
        )
        draft.put(draft.services, found, answers.scope)


def _admitted(answers: Answers, draft: Draft, wire: _Cluster, ranges: list[str]) -> Admitted:
    """Return whom authorized ranges admit; a service tag among them stands for machines of every customer.

    Source: https://learn.microsoft.com/azure/aks/api-server-service-tags
    """
    tags = [text for text in ranges if text.lower().startswith("azurecloud") or text.lower() in draft.tags]
    place = Place("containerservice.managed_clusters", wire.id, _FACET)
    found = admitted_texts(answers, place, [text for text in ranges if text not in tags])
    if not tags:
        return found
    addresses = found.addresses
    for tag in tags:
        addresses |= tagged(draft, tag)
    words = f"service tags that every customer of Azure can use are admitted: {', '.join(tags)}"
    told = "; ".join(text for text in (found.words, words) if text)
    return Admitted(addresses, any_tenant=True, doubt=found.doubt, words=told)
