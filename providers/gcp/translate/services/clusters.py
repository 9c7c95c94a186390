"""The control planes of Google Kubernetes Engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.gcp.translate.services.building import (
    Access,
    Asset,
    admitted,
    closed,
    network_of,
    service,
    shown,
)
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_clusters"]

_FACET: Final = "services.gke"


class _Block(msgspec.Struct, rename="camel"):
    cidr_block: str = ""


class _Authorized(msgspec.Struct, rename="camel"):
    enabled: bool | None = None
    cidr_blocks: list[_Block] | None = None
    gcp_public_cidrs_access_enabled: bool | None = None


class _Private(msgspec.Struct, rename="camel"):
    enable_private_endpoint: bool | None = None
    enable_private_nodes: bool | None = None


class _IpEndpoints(msgspec.Struct, rename="camel"):
    enabled: bool | None = None
    enable_public_endpoint: bool | None = None
    authorized_networks_config: _Authorized | None = None


class _DnsEndpoint(msgspec.Struct, rename="camel"):
    allow_external_traffic: bool | None = None


class _Endpoints(msgspec.Struct, rename="camel"):
    ip_endpoints_config: _IpEndpoints | None = None
    dns_endpoint_config: _DnsEndpoint | None = None


class _NetworkConfig(msgspec.Struct, rename="camel"):
    network: str | None = None
    subnetwork: str | None = None


class _Cluster(Asset, kw_only=True, rename="camel"):
    location: str = ""
    network: str | None = None
    private_cluster_config: _Private | None = None
    master_authorized_networks_config: _Authorized | None = None
    control_plane_endpoints_config: _Endpoints | None = None
    network_config: _NetworkConfig | None = None
    resource_labels: dict[str, object] | None = None


def add_clusters(answers: Answers, draft: Draft) -> None:
    """Add the control plane of each cluster: public and open to everyone unless it is private or lists networks.

    Its other end, by DNS, may take calls from everywhere, of which IAM admits some. With authorized networks, addresses
    of Google Cloud may be admitted besides, whoever uses them. Sources:
    https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation and
    https://cloud.google.com/kubernetes-engine/docs/how-to/authorized-networks
    """
    for wire in answers.listed("container", "clusters", _Cluster, _FACET):
        config = wire.network_config or _NetworkConfig()
        ends = wire.control_plane_endpoints_config or _Endpoints()
        dns = (ends.dns_endpoint_config or _DnsEndpoint()).allow_external_traffic
        found = service(
            answers, wire, "container", "gke", "gke-cluster", _access(answers, wire, by_name=dns is True),
            name=wire.name, place=wire.location, tags=wire.resource_labels or {}, control_plane=True,
            network=network_of(draft, config.network or wire.network, answers.scope),
            settings=shown(
                enablePrivateEndpoint=(wire.private_cluster_config or _Private()).enable_private_endpoint,
                masterAuthorizedNetworks=(wire.master_authorized_networks_config or _Authorized()).enabled,
                dnsEndpointAllowExternalTraffic=dns,
            ),
        )  # fmt: skip
        draft.put(draft.services, found, answers.scope)


def _access(answers: Answers, wire: _Cluster, *, by_name: bool) -> Access:
    """Return who may address a control plane, by its address or by its name, which lists of networks do not guard.

    Source: https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation#dns-based_endpoint
    """
    found = _by_address(answers, wire)
    if not by_name:
        return found
    told = "dnsEndpointConfig.allowExternalTraffic is true: by its name it is called from everywhere, and IAM judges"
    return Access(public=True, sources=ALL_ADDRESSES, reason=f"{found.reason}; {told}")


def _by_address(answers: Answers, wire: _Cluster) -> Access:
    ends = wire.control_plane_endpoints_config or _Endpoints()
    ip = ends.ip_endpoints_config or _IpEndpoints()
    private = wire.private_cluster_config or _Private()
    if ip.enabled is False:
        return closed("ipEndpointsConfig.enabled is false: only the end by DNS is there, which IAM guards")
    if ip.enable_public_endpoint is False:
        return closed("enablePublicEndpoint is false")
    if ip.enable_public_endpoint is None and private.enable_private_endpoint:
        return closed("enablePrivateEndpoint is true")
    authorized = wire.master_authorized_networks_config or ip.authorized_networks_config or _Authorized()
    if not authorized.enabled:
        return Access(public=True, sources=ALL_ADDRESSES, reason="masterAuthorizedNetworksConfig is not enabled")
    texts = [block.cidr_block for block in authorized.cidr_blocks or ()]
    google = authorized.gcp_public_cidrs_access_enabled
    words = "masterAuthorizedNetworksConfig.cidrBlocks"
    found = admitted(
        answers, "container.clusters", wire.own("container"), texts, _FACET, words=words, any_tenant=google is True
    )
    if google is None:
        reason = f"{found.reason}; whether addresses of Google Cloud are admitted besides is not told"
        # As many as that may be: it is not told which addresses Google Cloud has.
        sources = found.sources if found.public else ALL_ADDRESSES
        return found._replace(public=found.public or None, sources=sources, reason=reason)
    return found._replace(reason=f"{found.reason}; gcpPublicCidrsAccessEnabled is true") if google else found
