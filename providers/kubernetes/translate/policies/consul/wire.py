"""The fields of Consul's objects that are read, as its reference documents them.

They are read strictly: a field that is not known might say anything about what passes, and the API server drops it.
What decides nothing about who connects to whom (limits, timeouts, routes of clients) is taken as it is. Sources:
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-intentions,
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-defaults,
https://developer.hashicorp.com/consul/docs/connect/config-entries/proxy-defaults and
https://developer.hashicorp.com/consul/docs/connect/config-entries/mesh
"""

from __future__ import annotations

import msgspec

__all__ = [
    "Destination",
    "Expose",
    "Header",
    "HttpPermission",
    "IntentionsSpec",
    "MeshSpec",
    "Permission",
    "ProxySpec",
    "ServiceSpec",
    "Source",
]

Fields = dict[str, object]
Anything = object | None


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The service that intentions are about; ``*`` for those that have none of their own."""

    name: str | None = None
    namespace: str | None = None


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A header that a request has to bear."""

    name: str
    present: bool | None = None
    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    contains: str | None = None
    regex: str | None = None
    invert: bool | None = None
    ignore_case: bool | None = None


class HttpPermission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The requests that a permission is about."""

    path_exact: str | None = None
    path_prefix: str | None = None
    path_regex: str | None = None
    header: list[Header] | None = None
    methods: list[str] | None = None


class Permission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the permissions of a source; the first that fits a request decides."""

    action: str | None = None
    http: HttpPermission | None = None
    jwt: Fields | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A client: a service of this partition, of another one, of a peer, or of a group of these."""

    name: str | None = None
    namespace: str | None = None
    partition: str | None = None
    peer: str | None = None
    sameness_group: str | None = None
    action: str | None = None
    permissions: list[Permission] | None = None
    description: str | None = None


class IntentionsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``spec`` of ServiceIntentions."""

    destination: Destination | None = None
    sources: list[Source] | None = None
    jwt: Fields | None = None


class ExposedPath(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A path that proxies serve without mutual TLS, for probes."""

    listener_port: int | None = None
    path: str | None = None
    local_path_port: int | None = None
    protocol: str | None = None


class Expose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proxies serve without mutual TLS."""

    checks: bool | None = None
    paths: list[ExposedPath] | None = None


class ServiceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of ServiceDefaults."""

    protocol: str | None = None
    mutual_tls_mode: str | None = msgspec.field(default=None, name="mutualTLSMode")
    expose: Expose | None = None
    envoy_extensions: list[Fields] | None = None
    mode: Anything = None
    transparent_proxy: Anything = None
    mesh_gateway: Anything = None
    external_sni: Anything = msgspec.field(default=None, name="externalSNI")
    upstream_config: Anything = None
    destination: Anything = None
    max_inbound_connections: Anything = None
    local_connect_timeout_ms: Anything = None
    local_request_timeout_ms: Anything = None
    balance_inbound_connections: Anything = None
    rate_limits: Anything = None


class ProxySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of ProxyDefaults."""

    config: Fields | None = None
    mutual_tls_mode: str | None = msgspec.field(default=None, name="mutualTLSMode")
    expose: Expose | None = None
    envoy_extensions: list[Fields] | None = None
    mode: Anything = None
    transparent_proxy: Anything = None
    mesh_gateway: Anything = None
    access_logs: Anything = None
    failover_policy: Anything = None
    prioritize_by_locality: Anything = None


class MeshProxy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What proxies let out in the transparent mode."""

    mesh_destinations_only: bool | None = None


class MeshSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of Mesh."""

    transparent_proxy: MeshProxy | None = None
    allow_enabling_permissive_mutual_tls: bool | None = msgspec.field(
        default=None, name="allowEnablingPermissiveMutualTLS"
    )
    tls: Anything = None
    http: Anything = None
    peering: Anything = None
    validate_clusters: Anything = None
