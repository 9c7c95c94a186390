"""Load balancers as Compute writes them: what their parts say that decides who reaches whom.

Source: https://cloud.google.com/compute/docs/reference/rest/v1
"""

from __future__ import annotations

import msgspec

from cloudseg.providers.gcp.translate.wire import CloudResource

__all__ = [
    "Backend",
    "BackendService",
    "Endpoint",
    "EndpointGroup",
    "ForwardingRule",
    "Health",
    "InstanceGroup",
    "ListedEndpoint",
    "ListedInstance",
    "Pool",
    "Proxy",
    "TargetInstance",
    "UrlMap",
]


class ForwardingRule(CloudResource, kw_only=True, rename="camel"):
    """The front of a load balancer, of one machine, of a VPN gateway, or of a Private Service Connect endpoint."""

    region: str = ""
    address: str | None = msgspec.field(default=None, name="IPAddress")
    protocol: str = msgspec.field(default="TCP", name="IPProtocol")
    ports: list[str] | None = None
    port_range: str | None = None
    all_ports: bool = False
    load_balancing_scheme: str = ""
    backend_service: str | None = None
    target: str | None = None
    network: str | None = None
    subnetwork: str | None = None
    source_ip_ranges: list[str] | None = None
    psc_connection_status: str | None = None
    allow_global_access: bool = False
    allow_psc_global_access: bool = False


class Proxy(CloudResource, kw_only=True, rename="camel"):
    """A proxy: for requests it has a map, for connections a service."""

    url_map: str | None = None
    service: str | None = None


class UrlMap(CloudResource, kw_only=True, rename="camel"):
    """Which service takes which requests: whatever parts it has, links to services stand in them."""

    default_service: object = None
    default_route_action: object = None
    path_matchers: object = None


class Pool(CloudResource, kw_only=True, rename="camel"):
    """The machines of an older kind of load balancer, and who stands in for them."""

    instances: list[str] | None = None
    health_checks: list[str] | None = None
    backup_pool: str | None = None


class TargetInstance(CloudResource, kw_only=True, rename="camel"):
    """One machine that takes what a forwarding rule hands on, at one of its interfaces."""

    instance: str = ""
    network: str | None = None


class Backend(msgspec.Struct, rename="camel"):
    """A group behind a backend service."""

    group: str = ""
    capacity_scaler: float | None = None
    failover: bool = False


class _Guard(msgspec.Struct):
    enabled: bool = False


class BackendService(CloudResource, kw_only=True, rename="camel"):
    """Groups that take the same traffic."""

    region: str = ""
    protocol: str = ""
    port: int | None = None
    port_name: str | None = None
    backends: list[Backend] | None = None
    network: str | None = None
    health_checks: list[str] | None = None
    security_policy: str | None = None
    iap: _Guard | None = None


class _NamedPort(msgspec.Struct):
    name: str = ""
    port: int = 0


class InstanceGroup(CloudResource, kw_only=True, rename="camel"):
    """A group of machines."""

    network: str = ""
    named_ports: list[_NamedPort] | None = None


class ListedInstance(msgspec.Struct):
    """A machine of a group."""

    instance: str = ""


class _Run(msgspec.Struct):
    service: str | None = None


class _Function(msgspec.Struct):
    function: str | None = None


class EndpointGroup(CloudResource, kw_only=True, rename="camel"):
    """A group of endpoints: addresses with a port, or what is no machine of one's own."""

    network: str = ""
    region: str = ""
    network_endpoint_type: str = ""
    default_port: int | None = None
    cloud_run: _Run | None = None
    cloud_function: _Function | None = None
    psc_target_service: str | None = None


class Endpoint(msgspec.Struct, rename="camel"):
    """An endpoint of a group."""

    ip_address: str | None = None
    ipv6_address: str | None = None
    port: int | None = None
    instance: str | None = None


class ListedEndpoint(msgspec.Struct, rename="camel"):
    """An endpoint as the list of a group shows it."""

    network_endpoint: Endpoint = msgspec.field(default_factory=Endpoint)


class _Status(msgspec.Struct, rename="camel"):
    instance: str | None = None
    ip_address: str | None = None
    health_state: str = ""


class Health(msgspec.Struct, rename="camel"):
    """How the machines of a group fare as backends of a service."""

    health_status: list[_Status] | None = None
