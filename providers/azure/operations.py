"""Everything that an audit asks of Azure: one table, from which requests and the audit role's permissions follow.

Methods are those of ``azure.mgmt.network.NetworkManagementClient``, types those of Azure Resource Graph. Actions follow
https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations.
"""

from typing import Final, Literal, cast

import msgspec

from cloudseg.model import Facet
from cloudseg.providers.azure.ids import region_of

__all__ = [
    "DISCOVERY",
    "GROUP_ACTION",
    "OPERATIONS",
    "Each",
    "Get",
    "Graph",
    "Method",
    "Operation",
    "actions",
    "children_of",
    "resources_of",
    "roots",
]


class Method(msgspec.Struct, frozen=True):
    """A method of the network client, ``virtual_networks.list_all``; about a resource it takes the names in its id."""

    path: str


class Graph(msgspec.Struct, frozen=True):
    """All resources of a type, by Resource Graph; types of one ``batch`` share a query over all subscriptions."""

    type: str
    batch: Literal["compute", "network", "services"]


class Get(msgspec.Struct, frozen=True):
    """A path of Resource Manager below a resource, in a version of its API; a ``single`` answer is one resource."""

    path: str
    api_version: str
    single: bool = False


class Each(msgspec.Struct, frozen=True):
    """One call for each resource that another operation lists.

    ``of`` is the other operation. ``but`` is a dotted key with the values of the resources about which nothing is
    asked, for they have nothing to tell. With ``location`` there is one call in all, about a location that the
    resources are in.
    """

    of: tuple[str, str]
    but: tuple[str, tuple[str, ...]] = ("", ())
    location: bool = False


class Operation(msgspec.Struct, frozen=True):
    """One read-only question.

    ``action`` is what a role must allow; empty where Azure has no such action any more. ``redact`` are keys that may
    hold secrets and that nothing needs: they are dropped at once.
    """

    service: str
    name: str
    asked: Method | Graph | Get
    action: str
    facets: tuple[Facet, ...]
    per: Each | None = None
    redact: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """The names under which the answers lie in a snapshot."""
        return (self.service, self.name)

    @property
    def after(self) -> tuple[tuple[str, str], ...]:
        """The operation whose answers it is asked about."""
        return () if self.per is None else (self.per.of,)


def _network(name: str, kind: str, *facets: Facet, method: str = "list_all", redact: tuple[str, ...] = ()) -> Operation:
    return Operation(
        "network", name, Method(f"{name}.{method}"), f"Microsoft.Network/{kind}/read", facets, redact=redact
    )


def _within(name: str, method: str, kind: str, facets: Facet | tuple[Facet, ...], of: str) -> Operation:
    action = f"Microsoft.Network/{kind}/read"
    several = facets if isinstance(facets, tuple) else (facets,)
    return Operation("network", name, Method(method), action, several, Each(("network", of)))


def _listed(
    service: str, name: str, kind: str, facet: Facet, batch: Literal["compute", "network"], *redact: str
) -> Operation:
    return Operation(service, name, Graph(kind.lower(), batch), f"{kind}/read", (facet,), redact=redact)


def _service(service: str, name: str, kind: str, facet: Facet, *redact: str) -> Operation:
    return Operation(service, name, Graph(kind.lower(), "services"), f"{kind}/read", (facet,), redact=redact)


def _below(service: str, name: str, asked: Get, kind: str, facet: Facet, per: Each) -> Operation:
    return Operation(service, name, asked, f"{kind}/{asked.path}/read", (facet,), per)


_SCALE_SET = Each(
    ("compute", "virtual_machine_scale_sets"),
    # The machines of a flexible scale set are machines of their own, with interfaces of their own:
    # https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes
    ("properties.orchestrationMode", ("Flexible",)),
)
# Firewall rules are for public access alone:
# https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-private
_PRIVATE = ("properties.network.publicNetworkAccess", ("Disabled",))

# What a perimeter admits to its resources, it decides instead of their own settings. Source:
# https://learn.microsoft.com/azure/private-link/network-security-perimeter-concepts#onboarded-private-link-resources
_PERIMETERS: tuple[Facet, ...] = (
    "entrances", "services.storage", "services.sql", "services.cosmosdb", "services.keyvault", "services.servicebus",
    "services.eventhub", "services.search", "services.cognitiveservices",
)  # fmt: skip

_NETWORK: tuple[Operation, ...] = (
    # The longest answers first, so that their pages overlap with everything else.
    _network("network_interfaces", "networkInterfaces", "interfaces"),
    _network("network_security_groups", "networkSecurityGroups", "groups"),
    _network("virtual_networks", "virtualNetworks", "networks", "subnets", "peerings"),
    _network("public_ip_addresses", "publicIPAddresses", "interfaces", "gateways"),
    _network("public_ip_prefixes", "publicIPPrefixes", "interfaces", "gateways"),
    _network("application_security_groups", "applicationSecurityGroups", "groups"),
    _network("route_tables", "routeTables", "routes"),
    _network("nat_gateways", "natGateways", "gateways"),
    _network("azure_firewalls", "azureFirewalls", "firewalls"),
    _network("firewall_policies", "firewallPolicies", "firewalls"),
    _network("ip_groups", "ipGroups", "firewalls", method="list"),
    _network("virtual_wans", "virtualWans", "transit", method="list"),
    _network("virtual_hubs", "virtualHubs", "transit", method="list"),
    _network(
        "express_route_circuits", "expressRouteCircuits", "gateways",
        redact=("authorizationKey", "serviceKey", "sharedKey"),
    ),
    _network("load_balancers", "loadBalancers", "load-balancers"),
    _network("application_gateways", "applicationGateways", "load-balancers"),
    _network("bastion_hosts", "bastionHosts", "entrances", method="list"),
    _network("private_endpoints", "privateEndpoints", "endpoints", method="list_by_subscription"),
    _network("private_link_services", "privateLinkServices", "endpoint-services", method="list_by_subscription"),
    _network("network_watchers", "networkWatchers", "flow-logs"),
    _network("network_security_perimeters", "networkSecurityPerimeters", *_PERIMETERS, method="list_by_subscription"),
    Operation(
        "network", "virtual_machine_scale_set_network_interfaces",
        Method("network_interfaces.list_virtual_machine_scale_set_network_interfaces"),
        "Microsoft.Compute/virtualMachineScaleSets/networkInterfaces/read", ("interfaces",), _SCALE_SET,
    ),
    _within(
        "firewall_policy_rule_collection_groups", "firewall_policy_rule_collection_groups.list",
        "firewallPolicies/ruleCollectionGroups", "firewalls", "firewall_policies",
    ),
    _within("hub_route_tables", "hub_route_tables.list", "virtualHubs/hubRouteTables", "transit", "virtual_hubs"),
    _within(
        "hub_virtual_network_connections", "hub_virtual_network_connections.list",
        "virtualHubs/hubVirtualNetworkConnections", "transit", "virtual_hubs",
    ),
    _within("routing_intents", "routing_intent.list", "virtualHubs/routingIntent", "transit", "virtual_hubs"),
    _within("flow_logs", "flow_logs.list", "networkWatchers/flowLogs", "flow-logs", "network_watchers"),
    Operation(
        "network", "effective_security_admin_rules", Method("list_network_manager_effective_security_admin_rules"),
        "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveSecurityAdminRules/action", ("boundary-rules",),
        Each(("network", "virtual_networks")),
    ),
    _within(
        "network_security_perimeter_associations", "network_security_perimeter_associations.list",
        "networkSecurityPerimeters/resourceAssociations", _PERIMETERS, "network_security_perimeters",
    ),
    _within(
        "network_security_perimeter_profiles", "network_security_perimeter_profiles.list",
        "networkSecurityPerimeters/profiles", _PERIMETERS, "network_security_perimeters",
    ),
    _within(
        "network_security_perimeter_access_rules", "network_security_perimeter_access_rules.list",
        "networkSecurityPerimeters/profiles/accessRules", _PERIMETERS, "network_security_perimeter_profiles",
    ),
    Operation(
        "network", "private_dns_zone_groups", Get("privateDnsZoneGroups", "2024-05-01"),
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read", ("endpoints",),
        Each(("network", "private_endpoints")),
    ),
    # The same tags with the same addresses are told in every location.
    Operation(
        "network", "service_tags", Method("service_tags.list"), "Microsoft.Network/locations/serviceTags/read",
        ("address-lists",), Each(("network", "virtual_networks"), location=True),
    ),
    # No list over a subscription exists of these, so Resource Graph is asked.
    _listed(
        "network", "virtual_network_gateways", "Microsoft.Network/virtualNetworkGateways", "gateways", "network",
        "radiusServerSecret",
    ),
    _listed(
        "network", "virtual_network_gateway_connections", "Microsoft.Network/connections", "gateways", "network",
        "authorizationKey", "sharedKey",
    ),
    _listed("network", "local_network_gateways", "Microsoft.Network/localNetworkGateways", "gateways", "network"),
    _listed("privatedns", "private_dns_zones", "Microsoft.Network/privateDnsZones", "endpoints", "network"),
    _listed(
        "privatedns", "virtual_network_links", "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "endpoints",
        "network",
    ),
    _listed(
        "compute", "virtual_machines", "Microsoft.Compute/virtualMachines", "workloads", "compute",
        "customData", "userData",
    ),
    _listed(
        "compute", "virtual_machine_scale_sets", "Microsoft.Compute/virtualMachineScaleSets", "workloads", "compute",
        "customData", "extensionProfile", "userData",
    ),
)  # fmt: skip


def _configuration(kind: str, of: str) -> Operation:
    return Operation(
        "web", "site_configurations", Get("config/web", "2023-12-01", single=True), f"{kind}/config/read",
        ("services.appservice",), Each(("web", of)),
        redact=("appSettings", "azureStorageAccounts", "connectionStrings", "metadata", "publishingUsername"),
    )  # fmt: skip


# The single servers of PostgreSQL and MySQL are retired: what may be left of them is asked for, and a role that names
# their actions is refused. Sources: https://learn.microsoft.com/azure/postgresql/single-server/overview-single-server
# and https://learn.microsoft.com/azure/mysql/migrate/whats-happening-to-mysql-single-server
def _retired(operation: Operation) -> Operation:
    return msgspec.structs.replace(operation, action="")


_SERVICES: tuple[Operation, ...] = (
    _service("storage", "storage_accounts", "Microsoft.Storage/storageAccounts", "services.storage"),
    _service("sql", "servers", "Microsoft.Sql/servers", "services.sql"),
    _service(
        "dbforpostgresql", "flexible_servers", "Microsoft.DBforPostgreSQL/flexibleServers", "services.postgresql"
    ),
    _retired(_service("dbforpostgresql", "servers", "Microsoft.DBforPostgreSQL/servers", "services.postgresql")),
    _service("dbformysql", "flexible_servers", "Microsoft.DBforMySQL/flexibleServers", "services.mysql"),
    _retired(_service("dbformysql", "servers", "Microsoft.DBforMySQL/servers", "services.mysql")),
    _service("documentdb", "database_accounts", "Microsoft.DocumentDB/databaseAccounts", "services.cosmosdb"),
    _service("keyvault", "vaults", "Microsoft.KeyVault/vaults", "services.keyvault"),
    _service(
        "containerregistry", "registries", "Microsoft.ContainerRegistry/registries", "services.containerregistry"
    ),
    _service("containerservice", "managed_clusters", "Microsoft.ContainerService/managedClusters", "services.aks"),
    _service("web", "sites", "Microsoft.Web/sites", "services.appservice", "appSettings", "connectionStrings"),
    _service("web", "slots", "Microsoft.Web/sites/slots", "services.appservice", "appSettings", "connectionStrings"),
    _service("servicebus", "namespaces", "Microsoft.ServiceBus/namespaces", "services.servicebus"),
    _service("eventhub", "namespaces", "Microsoft.EventHub/namespaces", "services.eventhub"),
    _service("cache", "redis", "Microsoft.Cache/redis", "services.redis", "accessKeys"),
    _service("cache", "redis_enterprise", "Microsoft.Cache/redisEnterprise", "services.redis"),
    _service("search", "search_services", "Microsoft.Search/searchServices", "services.search"),
    _service("cognitiveservices", "accounts", "Microsoft.CognitiveServices/accounts", "services.cognitiveservices"),
    # Resource Graph does not know these.
    _below(
        "sql", "firewall_rules", Get("firewallRules", "2021-11-01"), "Microsoft.Sql/servers", "services.sql",
        Each(("sql", "servers")),
    ),
    _below(
        "sql", "ipv6_firewall_rules", Get("ipv6FirewallRules", "2021-11-01"), "Microsoft.Sql/servers", "services.sql",
        Each(("sql", "servers")),
    ),
    _below(
        "sql", "virtual_network_rules", Get("virtualNetworkRules", "2021-11-01"), "Microsoft.Sql/servers",
        "services.sql", Each(("sql", "servers")),
    ),
    _below(
        "dbforpostgresql", "firewall_rules", Get("firewallRules", "2022-12-01"),
        "Microsoft.DBforPostgreSQL/flexibleServers", "services.postgresql",
        Each(("dbforpostgresql", "flexible_servers"), _PRIVATE),
    ),
    _retired(
        _below(
            "dbforpostgresql", "firewall_rules", Get("firewallRules", "2017-12-01"),
            "Microsoft.DBforPostgreSQL/servers", "services.postgresql", Each(("dbforpostgresql", "servers")),
        )
    ),
    _below(
        "dbformysql", "firewall_rules", Get("firewallRules", "2023-12-30"), "Microsoft.DBforMySQL/flexibleServers",
        "services.mysql", Each(("dbformysql", "flexible_servers"), _PRIVATE),
    ),
    _retired(
        _below(
            "dbformysql", "firewall_rules", Get("firewallRules", "2017-12-01"), "Microsoft.DBforMySQL/servers",
            "services.mysql", Each(("dbformysql", "servers")),
        )
    ),
    _below(
        "eventhub", "network_rule_sets", Get("networkRuleSets", "2021-11-01"), "Microsoft.EventHub/namespaces",
        "services.eventhub", Each(("eventhub", "namespaces")),
    ),
    _below(
        "servicebus", "network_rule_sets", Get("networkRuleSets", "2021-11-01"), "Microsoft.ServiceBus/namespaces",
        "services.servicebus", Each(("servicebus", "namespaces")),
    ),
    _below(
        "cache", "firewall_rules", Get("firewallRules", "2023-08-01"), "Microsoft.Cache/redis", "services.redis",
        Each(("cache", "redis")),
    ),
    # Access restrictions stand in the configuration alone; settings and connection strings are not asked for.
    _configuration("Microsoft.Web/sites", "sites"),
    _configuration("Microsoft.Web/sites/slots", "slots"),
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (*_NETWORK, *_SERVICES)
"""Everything that an audit reads of one subscription."""

DISCOVERY: Final = (
    "Microsoft.Authorization/permissions/read",
    "Microsoft.ResourceGraph/resources/read",
    "Microsoft.Resources/subscriptions/read",
)
"""The actions behind what the collector asks for itself: what is visible, and what of it may be read."""

GROUP_ACTION: Final = "Microsoft.Management/managementGroups/descendants/read"
"""The action by which the subscriptions of a management group are listed; to be allowed at that group."""


def actions() -> list[str]:
    """Return the actions that reading a subscription takes, sorted."""
    return sorted({*DISCOVERY, *(operation.action for operation in OPERATIONS)} - {""})


def roots() -> tuple[Operation, ...]:
    """Return the operations that need no other's answer."""
    return tuple(operation for operation in OPERATIONS if operation.per is None)


def children_of(parent: Operation) -> tuple[Operation, ...]:
    """Return the operations that are asked about what another one lists."""
    return _CHILDREN.get(parent.key, ())


def resources_of(answer: object, each: Each) -> list[str]:
    """Return the ids of an answer's resources about each of which a further question is due, or the one location.

    Args:
        answer: ``{"value": [...]}``, or a bare list as the command line may write it.
        each: what is asked about the resources.
    """
    listed = cast("dict[str, object]", answer).get("value") if isinstance(answer, dict) else answer
    resources = [cast("dict[str, object]", item) for item in _list(listed) if isinstance(item, dict)]
    if each.location:
        locations = (resource.get("location") for resource in resources)
        return sorted({region_of(location) for location in locations if isinstance(location, str)})[:1]
    key, but = each.but
    due = [resource.get("id") for resource in resources if not (key and _at(resource, key) in but)]
    return list(dict.fromkeys(resource for resource in due if isinstance(resource, str) and resource))


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _at(resource: dict[str, object], path: str) -> object:
    *above, last = path.split(".")
    for key in above:
        inner = resource.get(key)
        resource = cast("dict[str, object]", inner) if isinstance(inner, dict) else {}
    return resource.get(last)


def _children() -> dict[tuple[str, str], tuple[Operation, ...]]:
    found: dict[tuple[str, str], tuple[Operation, ...]] = {}
    for operation in OPERATIONS:
        if operation.per is not None:
            found[operation.per.of] = (*found.get(operation.per.of, ()), operation)
    return found


_CHILDREN = _children()
