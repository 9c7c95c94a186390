"""Everything that an audit asks of Google Cloud: one table, from which requests and the audit role follow.

Clients are those of ``google.cloud.compute_v1``, types those of Cloud Asset Inventory. Sources: the page of each method
below https://cloud.google.com/compute/docs/reference/rest/v1, which names the permissions that it takes, and
https://cloud.google.com/asset-inventory/docs/asset-types.

Compute answers for everything of its own, project by project: its answers are those of the moment and complete, while
the inventory follows within minutes and leaves out what it does not know
(https://cloud.google.com/asset-inventory/docs/overview). The inventory answers for the rest: one question reaches all
projects of a folder or an organisation, and what belongs to the organisation itself.
"""

from typing import Final, Literal

import msgspec

from cloudseg.model import Facet
from cloudseg.providers.gcp import subjects
from cloudseg.providers.gcp.subjects import Key, Pick

__all__ = [
    "ACCESS_PERMISSION",
    "GATE",
    "OPERATIONS",
    "WITNESS",
    "Assets",
    "Each",
    "Method",
    "Operation",
    "assets_in",
    "children_of",
    "permissions",
    "roots",
]

Answered = Literal["list", "aggregated", "single"]
Content = Literal["RESOURCE", "IAM_POLICY", "ACCESS_POLICY"]


class Method(msgspec.Struct, frozen=True):
    """A method of a client of Compute: ``Method("Networks", "list")`` is ``NetworksClient.list``.

    A ``single`` answer is one resource, an ``aggregated`` one has a list for each zone and region.
    """

    client: str
    method: str
    answered: Answered


class Assets(msgspec.Struct, frozen=True):
    """The assets of some types; those of one ``batch`` and ``content`` share a question.

    Without types, as for access policies, the content alone is asked for, and ``types`` are the fields that hold it.
    """

    types: tuple[str, ...]
    batch: str
    content: Content = "RESOURCE"


class Each(msgspec.Struct, frozen=True):
    """One call for each thing that other operations' answers name.

    ``of`` are the other operations, which are waited for; ``pick`` tells what is asked about.
    """

    of: tuple[Key, ...]
    pick: Pick


class Operation(msgspec.Struct, frozen=True):
    """One read-only question.

    ``permissions`` are what a role must hold. ``redact`` are keys that may hold secrets and that nothing needs: they
    are dropped at once.
    """

    service: str
    name: str
    asked: Method | Assets
    permissions: tuple[str, ...]
    facets: tuple[Facet, ...]
    per: Each | None = None
    redact: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """The names under which the answers lie in a snapshot."""
        return (self.service, self.name)

    @property
    def after(self) -> tuple[Key, ...]:
        """The operations whose answers it is asked about."""
        return () if self.per is None else self.per.of


def _compute(
    name: str,
    client: str,
    facets: tuple[Facet, ...],
    *more: str,
    answered: Answered = "aggregated",
    redact: tuple[str, ...] = (),
) -> Operation:
    """Return the operation that lists all resources of a kind in a project.

    The permission follows from the client's name; ``more`` are the kinds that have one of their own within the list.
    """
    kinds = (client[0].lower() + client[1:], *more)
    method = Method(client, "aggregated_list" if answered == "aggregated" else "list", answered)
    return Operation("compute", name, method, tuple(f"compute.{kind}.list" for kind in kinds), facets, redact=redact)


def _per(name: str, asked: Method, permissions: tuple[str, ...], facet: Facet, per: Each) -> Operation:
    return Operation("compute", name, asked, permissions, (facet,), per)


def _each(pick: Pick, *of: str) -> Each:
    return Each(tuple(("compute", each) for each in of), pick)


_METADATA: Final = ("commonInstanceMetadata", "metadata", "rawKey", "rsaEncryptedKey")
_LB: Final[tuple[Facet, ...]] = ("load-balancers",)
_GATEWAYS: Final[tuple[Facet, ...]] = ("gateways",)

GATE: Final = Operation(
    "compute", "projects", Method("Projects", "get", "single"), ("compute.projects.get",), ("networks",),
    redact=_METADATA,
)  # fmt: skip
"""Asked first of each project: whether it is there, and uses Compute at all."""

_COMPUTE: Final[tuple[Operation, ...]] = (
    GATE,
    # The longest answers first, so that their pages overlap with everything else.
    _compute("instances", "Instances", ("interfaces", "workloads"), redact=_METADATA),
    _compute("firewalls", "Firewalls", ("groups",), answered="list"),
    _compute("networks", "Networks", ("networks", "peerings"), answered="list"),
    _compute("subnetworks", "Subnetworks", ("subnets", "flow-logs")),
    _compute("routes", "Routes", ("routes",), answered="list"),
    Operation(
        "compute", "network_firewall_policies", Method("NetworkFirewallPolicies", "aggregated_list", "aggregated"),
        ("compute.firewallPolicies.list", "compute.regionFirewallPolicies.list"), ("boundary-rules",),
    ),
    # Endpoints of Private Service Connect are forwarding rules too.
    _compute("forwarding_rules", "ForwardingRules", (*_LB, "endpoints"), "globalForwardingRules"),
    _compute(
        "backend_services", "BackendServices", _LB, "regionBackendServices",
        redact=("accessKey", "oauth2ClientSecret", "oauth2ClientSecretSha256"),
    ),
    _compute("backend_buckets", "BackendBuckets", _LB),
    _compute("instance_groups", "InstanceGroups", _LB),
    _compute(
        "network_endpoint_groups", "NetworkEndpointGroups", _LB,
        "globalNetworkEndpointGroups", "regionNetworkEndpointGroups",
    ),
    _compute("target_pools", "TargetPools", _LB),
    _compute("target_instances", "TargetInstances", _LB),
    # A header that is added on the way to the backends may be what they know the load balancer by.
    _compute("url_maps", "UrlMaps", _LB, "regionUrlMaps", redact=("headerValue",)),
    _compute("target_http_proxies", "TargetHttpProxies", _LB, "regionTargetHttpProxies"),
    _compute("target_https_proxies", "TargetHttpsProxies", _LB, "regionTargetHttpsProxies"),
    _compute("target_tcp_proxies", "TargetTcpProxies", _LB, "regionTargetTcpProxies"),
    _compute("target_ssl_proxies", "TargetSslProxies", _LB, answered="list"),
    _compute("target_grpc_proxies", "TargetGrpcProxies", _LB, answered="list"),
    _compute("security_policies", "SecurityPolicies", _LB, "regionSecurityPolicies"),
    _compute("routers", "Routers", _GATEWAYS, redact=("md5AuthenticationKeys",)),
    _compute("addresses", "Addresses", _GATEWAYS, "globalAddresses"),
    _compute("vpn_gateways", "VpnGateways", _GATEWAYS),
    _compute("target_vpn_gateways", "TargetVpnGateways", _GATEWAYS),
    _compute("external_vpn_gateways", "ExternalVpnGateways", _GATEWAYS, answered="list"),
    _compute("vpn_tunnels", "VpnTunnels", _GATEWAYS, redact=("sharedSecret", "sharedSecretHash")),
    _compute("interconnect_attachments", "InterconnectAttachments", _GATEWAYS, redact=("pairingKey",)),
    _compute("service_attachments", "ServiceAttachments", ("endpoint-services",)),
    _compute("network_attachments", "NetworkAttachments", ("endpoint-services",)),
    _compute("network_profiles", "NetworkProfiles", ("networks",), answered="list"),
    Operation(
        "compute", "xpn_host", Method("Projects", "get_xpn_host", "single"), ("compute.projects.get",), ("networks",),
        redact=_METADATA,
    ),
    _per(
        "peering_routes", Method("Networks", "list_peering_routes", "list"), ("compute.networks.listPeeringRoutes",),
        "peerings", _each(subjects.imports_by_peering, "networks", "subnetworks"),
    ),
    _per(
        "router_status", Method("Routers", "get_router_status", "single"), ("compute.routers.get",), "routes",
        _each(subjects.routers_with_peers, "routers"),
    ),
    _per(
        "network_effective_firewalls", Method("Networks", "get_effective_firewalls", "single"),
        ("compute.networks.getEffectiveFirewalls",), "boundary-rules", _each(subjects.every_network, "networks"),
    ),
    Operation(
        "compute", "region_effective_firewalls",
        Method("RegionNetworkFirewallPolicies", "get_effective_firewalls", "single"),
        ("compute.networks.getRegionEffectiveFirewalls",), ("boundary-rules",),
        _each(subjects.regions_in_use, "projects", "networks", "subnetworks", "instances", "forwarding_rules"),
        # The network's own rules, which its list holds, stand in the answer about each region again.
        redact=("firewalls",),
    ),
    _per(
        "instance_group_members", Method("InstanceGroups", "list_instances", "list"), ("compute.instanceGroups.list",),
        "load-balancers", _each(subjects.instance_groups_behind, "instance_groups", "backend_services"),
    ),
    _per(
        "network_endpoints", Method("NetworkEndpointGroups", "list_network_endpoints", "list"),
        (
            "compute.globalNetworkEndpointGroups.get", "compute.networkEndpointGroups.get",
            "compute.regionNetworkEndpointGroups.get",
        ),
        "load-balancers", _each(subjects.endpoint_groups_behind, "network_endpoint_groups", "backend_services"),
    ),
    _per(
        "backend_service_health", Method("BackendServices", "get_health", "single"),
        ("compute.backendServices.get", "compute.regionBackendServices.get"), "load-balancers",
        _each(
            subjects.backends_in_use, "backend_services", "network_endpoint_groups", "forwarding_rules", "url_maps",
            "target_tcp_proxies", "target_ssl_proxies",
        ),
    ),
)  # fmt: skip

_LISTED: Final = "cloudasset.assets.listResource"
_POLICIES: Final = "cloudasset.assets.listIamPolicy"
ACCESS_PERMISSION: Final = "cloudasset.assets.listAccessPolicy"
"""What the access policies of an organisation take; to be allowed at the organisation."""

WITNESS: Final = Assets(("compute.googleapis.com/Network",), "network")
"""Networks, as the inventory knows them: a project that does not use Compute can have none."""


def _assets(service: str, name: str, kinds: str | tuple[str, ...], facet: Facet, batch: str, *redact: str) -> Operation:
    names = (kinds,) if isinstance(kinds, str) else kinds
    types = tuple(f"{service}.googleapis.com/{kind}" for kind in names)
    return Operation(service, name, Assets(types, batch), (_LISTED,), (facet,), redact=redact)


def _open_to_all(service: str, name: str, kinds: tuple[str, ...], facet: Facet) -> Operation:
    types = tuple(f"{service}.googleapis.com/{kind}" for kind in kinds)
    return Operation(service, name, Assets(types, "policies", "IAM_POLICY"), (_POLICIES,), (facet,))


def _access(name: str, field: str) -> Operation:
    """Return what is asked about access policies: of what a perimeter guards, data is asked for by an API alone."""
    asked = Assets((field,), "access", "ACCESS_POLICY")
    return Operation("accesscontextmanager", name, asked, (ACCESS_PERMISSION,), ("services.gcs", "services.bigquery"))


_CODE: Final = ("args", "buildEnvironmentVariables", "command", "env", "environmentVariables", "sourceUploadUrl")

_INVENTORY: Final[tuple[Operation, ...]] = (
    _assets("cloudresourcemanager", "projects", "Project", "networks", "network"),
    _assets("cloudresourcemanager", "tag_keys", "TagKey", "groups", "network"),
    _assets("cloudresourcemanager", "tag_values", "TagValue", "groups", "network"),
    _assets("cloudresourcemanager", "tag_bindings", "TagBinding", "groups", "network"),
    _assets("networksecurity", "address_groups", "AddressGroup", "address-lists", "network"),
    _assets("networkconnectivity", "hubs", "Hub", "transit", "network"),
    _assets("networkconnectivity", "spokes", "Spoke", "transit", "network"),
    _assets("networkconnectivity", "groups", "Group", "transit", "network"),
    _assets("networkconnectivity", "hub_route_tables", "RouteTable", "transit", "network"),
    _assets("networkconnectivity", "hub_routes", "HubRoute", "transit", "network"),
    _assets("networkconnectivity", "policy_based_routes", "PolicyBasedRoute", "routes", "network"),
    _assets(
        "networkconnectivity", "service_connection_policies", "ServiceConnectionPolicy", "transit", "network"
    ),
    _assets("vpcaccess", "connectors", "Connector", "gateways", "network"),
    _assets("container", "clusters", "Cluster", "services.gke", "services", "masterAuth", "metadata"),
    _assets("container", "node_pools", "NodePool", "services.gke", "services", "metadata"),
    _assets(
        "sqladmin", "instances", "Instance", "services.cloudsql", "services",
        "clientKey", "password", "replicaConfiguration", "rootPassword",
    ),
    _assets("alloydb", "clusters", "Cluster", "services.alloydb", "services", "initialUser"),
    _assets("alloydb", "instances", "Instance", "services.alloydb", "services"),
    _assets("redis", "instances", "Instance", "services.memorystore", "services", "authString"),
    _assets("redis", "clusters", "Cluster", "services.memorystore", "services"),
    _assets("memcache", "instances", "Instance", "services.memorystore", "services"),
    _assets("run", "services", "Service", "services.run", "services", *_CODE),
    _assets("cloudfunctions", "functions", ("CloudFunction", "Function"), "services.functions", "services", *_CODE),
    _assets("storage", "buckets", "Bucket", "services.gcs", "data"),
    _assets("bigquery", "datasets", "Dataset", "services.bigquery", "data"),
    _open_to_all("storage", "bucket_iam_policies", ("Bucket",), "services.gcs"),
    _open_to_all("bigquery", "dataset_iam_policies", ("Dataset",), "services.bigquery"),
    _open_to_all("run", "service_iam_policies", ("Service",), "services.run"),
    _open_to_all("cloudfunctions", "function_iam_policies", ("CloudFunction", "Function"), "services.functions"),
    _access("access_policies", "accessPolicy"),
    _access("access_levels", "accessLevel"),
    _access("service_perimeters", "servicePerimeter"),
)  # fmt: skip

OPERATIONS: Final[tuple[Operation, ...]] = (*_COMPUTE, *_INVENTORY)
"""Everything that an audit reads of one project, and of the folder or the organisation above it."""


def permissions() -> list[str]:
    """Return the permissions that reading a project takes, sorted; those at an organisation alone not among them."""
    needed = {each for operation in OPERATIONS for each in operation.permissions}
    return sorted(needed - {ACCESS_PERMISSION})


def roots() -> tuple[Operation, ...]:
    """Return the operations of Compute that need no other's answer but that the project is there."""
    return tuple(operation for operation in _COMPUTE if operation.per is None and operation is not GATE)


def children_of(key: Key) -> tuple[Operation, ...]:
    """Return the operations that are asked about what another one lists."""
    return _CHILDREN.get(key, ())


def assets_in(batch: str) -> tuple[Operation, ...]:
    """Return the operations that one question to the inventory answers."""
    return tuple(
        operation for operation in _INVENTORY if isinstance(operation.asked, Assets) and operation.asked.batch == batch
    )


def _children() -> dict[Key, tuple[Operation, ...]]:
    found: dict[Key, tuple[Operation, ...]] = {}
    for operation in OPERATIONS:
        for key in operation.per.of if operation.per is not None else ():
            found[key] = (*found.get(key, ()), operation)
    return found


_CHILDREN: Final = _children()
