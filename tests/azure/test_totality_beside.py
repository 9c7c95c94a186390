"""Whatever JSON stands where settings should, the translation goes through, and every gap has its reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from cloudseg.cli.sources import translate
from cloudseg.snapshot import Part, Snapshot, load
from tests.azure.beside import SUB, VNET, arm, connection, resource
from tests.spoiling import NO_SAMPLES, assert_told, examples, junk, recorded, spoiled_snapshots

ENDPOINT = arm("Microsoft.Network/privateEndpoints", "pe")
PERIMETER = arm("Microsoft.Network/networkSecurityPerimeters", "nsp")
ACLS = {"defaultAction": "Deny", "bypass": "Logging, Metrics", "ipRules": [{"value": "203.0.113.9", "action": "Allow"}]}
SHARED = {
    "publicNetworkAccess": "Enabled",
    "privateEndpointConnections": [connection(ENDPOINT, "Approved")],
    "networkAcls": ACLS,
    "networkRuleSet": ACLS,
    "disableLocalAuth": True,
}
RANGE = {"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0", "startIP": "1.1.1.1", "endIP": "1.1.1.2"}
RULE = {"ipAddress": "203.0.113.9/32", "action": "Allow", "priority": 1, "headers": {"x-azure-fdid": ["a"]}}
LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "storage.storage_accounts": ("Microsoft.Storage/storageAccounts", {"allowBlobPublicAccess": True}),
    "sql.servers": ("Microsoft.Sql/servers", {}),
    "dbforpostgresql.flexible_servers": ("Microsoft.DBforPostgreSQL/flexibleServers", {"network": SHARED}),
    "dbforpostgresql.servers": ("Microsoft.DBforPostgreSQL/servers", {}),
    "dbformysql.flexible_servers": (
        "Microsoft.DBforMySQL/flexibleServers",
        {"delegatedSubnetArguments": {"subnetArmResourceId": f"{VNET}/subnets/db"}},
    ),
    "dbformysql.servers": ("Microsoft.DBforMySQL/servers", {}),
    "documentdb.database_accounts": (
        "Microsoft.DocumentDB/databaseAccounts",
        {"ipRules": [{"ipAddressOrRange": "0.0.0.0"}], "ipRangeFilter": "203.0.113.9"},
    ),
    "keyvault.vaults": ("Microsoft.KeyVault/vaults", {}),
    "containerregistry.registries": ("Microsoft.ContainerRegistry/registries", {"anonymousPullEnabled": False}),
    "containerservice.managed_clusters": (
        "Microsoft.ContainerService/managedClusters",
        {"apiServerAccessProfile": {"authorizedIPRanges": ["203.0.113.9"], "enablePrivateCluster": False}},
    ),
    "web.slots": ("Microsoft.Web/sites/slots", {"siteConfig": {"ipSecurityRestrictions": [RULE]}}),
    "web.sites": ("Microsoft.Web/sites", {"siteConfig": {"ipSecurityRestrictions": [RULE]}}),
    "servicebus.namespaces": ("Microsoft.ServiceBus/namespaces", {}),
    "eventhub.namespaces": ("Microsoft.EventHub/namespaces", {}),
    "cache.redis": ("Microsoft.Cache/redis", {"redisConfiguration": {"authnotrequired": "true"}}),
    "cache.redis_enterprise": ("Microsoft.Cache/redisEnterprise", {}),
    "search.search_services": ("Microsoft.Search/searchServices", {}),
    "cognitiveservices.accounts": ("Microsoft.CognitiveServices/accounts", {}),
    "network.private_endpoints": (
        "Microsoft.Network/privateEndpoints",
        {
            "subnet": {"id": f"{VNET}/subnets/db"},
            "privateLinkServiceConnections": [
                {"properties": {"privateLinkServiceId": arm("Microsoft.Sql/servers", "one"), "groupIds": ["sqlServer"]}}
            ],
        },
    ),
    "network.private_link_services": (
        "Microsoft.Network/privateLinkServices",
        {"visibility": {"subscriptions": ["*"]}, "autoApproval": {"subscriptions": []}},
    ),
    "network.flow_logs": (
        "Microsoft.Network/networkWatchers/flowLogs",
        {"targetResourceId": VNET, "enabled": True, "retentionPolicy": {"days": 7, "enabled": True}},
    ),
    "network.network_security_perimeter_associations": (
        "Microsoft.Network/networkSecurityPerimeters/resourceAssociations",
        {
            "privateLinkResource": {"id": arm("Microsoft.KeyVault/vaults", "one")},
            "profile": {"id": f"{PERIMETER}/profiles/one"},
            "accessMode": "Enforced",
        },
    ),
    "privatedns.virtual_network_links": (
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        {"virtualNetwork": {"id": VNET}},
    ),
}
BELOW: dict[tuple[str, str], dict[str, Any]] = {
    ("sql.firewall_rules", "Microsoft.Sql/servers"): RANGE,
    ("sql.ipv6_firewall_rules", "Microsoft.Sql/servers"): {"startIPv6Address": "::1", "endIPv6Address": "::2"},
    ("sql.virtual_network_rules", "Microsoft.Sql/servers"): {},
    ("network.private_dns_zone_groups", "Microsoft.Network/privateEndpoints"): {
        "privateDnsZoneConfigs": [{"properties": {"privateDnsZoneId": f"{VNET}/z"}}]
    },
    ("dbforpostgresql.firewall_rules", "Microsoft.DBforPostgreSQL/flexibleServers"): RANGE,
    ("dbformysql.firewall_rules", "Microsoft.DBforMySQL/servers"): RANGE,
    ("cache.firewall_rules", "Microsoft.Cache/redis"): RANGE,
    ("servicebus.network_rule_sets", "Microsoft.ServiceBus/namespaces"): ACLS,
    ("eventhub.network_rule_sets", "Microsoft.EventHub/namespaces"): {"ipRules": [{"ipMask": "203.0.113.9"}]},
    ("web.site_configurations", "Microsoft.Web/sites"): {"ipSecurityRestrictions": [RULE]},
    ("network.network_security_perimeter_access_rules", "Microsoft.Network/networkSecurityPerimeters/profiles"): {
        "direction": "Inbound",
        "addressPrefixes": ["203.0.113.0/24"],
        "subscriptions": [{"id": "/subscriptions/x"}],
    },
}


def _part(what: str, about: str | None = None) -> Part:
    service, _, operation = what.partition(".")
    return Part("azure", SUB, "global", service, operation, about)


def answers() -> dict[Part, Any]:
    whole: dict[Part, Any] = {
        _part(what): {"value": [resource(kind, "one", {**SHARED, **own})]} for what, (kind, own) in LISTS.items()
    }
    for (what, kind), own in BELOW.items():
        about = arm(kind, "one")
        whole[_part(what, about)] = {"value": [{"id": f"{about}/below/x", "name": "x", "properties": own}]}
    return whole


@examples(200)
@given(spoiled_snapshots(answers(), junk("", "0.0.0.0", "\x1b[31m", {"id": None})))
def test_translation_never_raises_and_every_gap_has_its_reason(snapshot: Snapshot) -> None:
    assert_told(translate(snapshot))


def test_whole_answers_translate_without_a_gap() -> None:
    estate = translate(Snapshot.of(answers()))
    assert estate.gaps == ()
    assert [len(each) for each in (estate.services, estate.endpoints, estate.endpoint_services, estate.flow_logs)] == [
        18, 1, 1, 1,
    ]  # fmt: skip


@pytest.mark.samples
@pytest.mark.skipif(**NO_SAMPLES)
def test_recorded_answers_translate_and_every_gap_has_its_reason() -> None:
    for folder in recorded("azure"):
        assert_told(translate(load(folder)))
