"""App Service with its access restrictions, and the API servers of AKS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.snapshot import Part
from cloudseg.traffic import ALL_ADDRESSES
from tests.azure.beside import SUB, VNET, Beside, arm, connection, resource

if TYPE_CHECKING:
    from cloudseg.model import Service

SITES = "Microsoft.Web/sites"
EVERYONE = {"ipAddress": "Any", "action": "Allow", "priority": 2147483647, "name": "Allow all"}
NOBODY = {"ipAddress": "Any", "action": "Deny", "priority": 2147483647, "name": "Deny all"}
BLOCK = "203.0.113.0/24"
OWN_FRONT = {"X-Azure-FDID": ["id"]}
USE_MAIN = {"scmIpSecurityRestrictionsUseMain": True}


def rule(address: str, action: str = "Allow", priority: int = 100, **more: Any) -> dict[str, Any]:
    return {"ipAddress": address, "action": action, "priority": priority, "name": "r", **more}


def site(
    configuration: dict[str, Any] | None, properties: dict[str, Any] | None = None, *, kind: str = "app"
) -> Service:
    answers = Beside().put("web.sites", resource(SITES, "shop", properties or {}, kind=kind))
    if configuration is not None:
        own = arm(SITES, "shop")
        item = {"id": f"{own}/config/web", "name": "shop", "properties": configuration}
        answers.put("web.site_configurations", item, about=own)
    return answers.service()


def told(found: Service) -> tuple[bool | None, str, bool]:
    return found.public, "all" if found.sources == ALL_ADDRESSES else str(found.sources), found.any_tenant


@pytest.mark.parametrize(
    ("rules", "default", "verdict"),
    [
        # https://learn.microsoft.com/azure/app-service/overview-access-restrictions
        ([EVERYONE], None, (True, "all", False)),
        ([], None, (True, "all", False)),
        ([], "Deny", (False, "none", False)),
        ([rule("203.0.113.0/24"), NOBODY], None, (True, "203.0.113.0/24", False)),
        # Whoever no rule matches is not admitted once there is a rule.
        ([rule("203.0.113.0/24")], None, (True, "203.0.113.0/24", False)),
        ([rule("203.0.113.0/24")], "Deny", (True, "203.0.113.0/24", False)),
        ([rule("203.0.113.0/24", "Deny")], "Allow", (True, "all but the office", False)),
        # The first that matches decides, by priority and not by place.
        ([rule(BLOCK, "Allow", 200), rule("203.0.113.0/25", "Deny", 100)], None, (True, "203.0.113.128/25", False)),
        ([rule("203.0.113.0/25", "Deny", 300), rule(BLOCK, "Allow", 200)], None, (True, BLOCK, False)),
        ([rule("203.0.113.8/32, 198.51.100.0/24")], None, (True, "198.51.100.0/24, 203.0.113.8", False)),
        ([rule("203.0.113.0", subnetMask="255.255.255.0")], None, (True, "203.0.113.0/24", False)),
        ([{"vnetSubnetResourceId": f"{VNET}/subnets/web", "action": "Allow"}], None, (False, "none", False)),
        # A rule with a header admits those who send it, and denies nobody for sure.
        ([rule(BLOCK, headers={"x-forwarded-for": ["198.51.100.1"]})], None, (True, BLOCK, False)),
        ([rule("Any", "Deny", 1, headers={"x-forwarded-host": ["a"]}), rule(BLOCK)], None, (True, BLOCK, False)),
        # https://learn.microsoft.com/azure/frontdoor/origin-security
        ([rule("AzureFrontDoor.Backend", tag="ServiceTag")], None, (True, "none", True)),
        ([rule("AzureFrontDoor.Backend", tag="ServiceTag", headers=OWN_FRONT)], None, (False, "none", False)),
        ([rule("AzureCloud", "Deny", tag="ServiceTag"), rule("203.0.113.0/24")], None, (True, "203.0.113.0/24", False)),
        ([rule("somewhere")], None, (None, "all", False)),
        ([rule("somewhere", "Deny"), rule("203.0.113.0/24")], None, (True, "203.0.113.0/24", False)),
    ],
)  # fmt: skip
def test_access_restrictions(
    rules: list[dict[str, Any]], default: str | None, verdict: tuple[bool | None, str, bool]
) -> None:
    configuration = {"ipSecurityRestrictions": rules, "ipSecurityRestrictionsDefaultAction": default, **USE_MAIN}
    found = site(configuration)
    if verdict[1] == "all but the office":
        assert not found.sources.has("203.0.113.9")
        assert found.sources.has("203.0.112.9")
    else:
        assert told(found) == verdict


def test_the_addresses_of_a_tag_that_was_read_are_admitted() -> None:
    configuration = {"ipSecurityRestrictions": [rule("AzureCloud", tag="ServiceTag")], **USE_MAIN}
    answers = Beside().vnet("web").put("web.sites", resource(SITES, "shop", {}))
    answers.put("web.site_configurations", {"id": f"{arm(SITES, 'shop')}/config/web", "properties": configuration})
    tag = {"name": "AzureCloud", "properties": {"addressPrefixes": ["198.51.100.0/24"]}}
    answers.parts[Part("azure", SUB, "global", "network", "service_tags", "westeurope")] = {"values": [tag]}
    assert told(answers.service()) == (True, "198.51.100.0/24", True)


def test_the_site_of_the_tools_is_a_door_of_its_own() -> None:
    configuration = {
        "ipSecurityRestrictions": [rule("203.0.113.0/24")],
        "scmIpSecurityRestrictions": [EVERYONE],
        "scmIpSecurityRestrictionsUseMain": False,
    }
    found = site(configuration)
    assert told(found) == (True, "all", False)
    assert "what admits more is the site of its advanced tools (scm), which asks for credentials" in found.reason


def test_each_slot_of_an_app_is_an_endpoint_with_restrictions_of_its_own() -> None:
    # https://learn.microsoft.com/azure/app-service/deploy-staging-slots
    slot = resource(f"{SITES}/slots", "shop/staging", {})
    slot["id"] = f"{arm(SITES, 'shop')}/slots/staging"
    answers = Beside().put("web.sites", resource(SITES, "shop", {})).put("web.slots", slot)
    for own, rules in ((arm(SITES, "shop"), [rule(BLOCK)]), (slot["id"], [EVERYONE])):
        configuration = {"ipSecurityRestrictions": rules, **USE_MAIN}
        item = {"id": f"{own}/config/web", "properties": configuration}
        answers.put("web.site_configurations", item, about=own)
    found = {each.name: told(each) for each in answers.estate().services.values()}
    assert found == {"shop": (True, BLOCK, False), "shop/staging": (True, "all", False)}


def test_a_configuration_may_be_the_bare_resource_that_the_command_line_writes() -> None:
    answers = Beside().put("web.sites", resource(SITES, "shop", {}))
    own = arm(SITES, "shop")
    item = {"id": f"{own}/config/web", "properties": {"ipSecurityRestrictions": [rule(BLOCK)], **USE_MAIN}}
    answers.parts[Part("azure", SUB, "global", "web", "site_configurations", own)] = item
    estate = answers.estate()
    assert [told(each) for each in estate.services.values()] == [(True, BLOCK, False)]
    assert not [gap for gap in estate.gaps if gap.what.startswith("azure/")]


@pytest.mark.parametrize(
    ("switch", "connections", "public"),
    [
        (None, None, True),
        ("", None, True),
        (None, ["Approved"], False),
        (None, ["Pending"], True),
        ("Enabled", ["Approved"], True),
        ("Disabled", None, False),
    ],
)
def test_a_private_endpoint_closes_an_app_whose_switch_nobody_touched(
    *, switch: str | None, connections: list[str] | None, public: bool
) -> None:
    endpoint = arm("Microsoft.Network/privateEndpoints", "pe")
    listed = None if connections is None else [connection(endpoint, state) for state in connections]
    configuration = {"ipSecurityRestrictions": [EVERYONE]}
    assert site(configuration, {"publicNetworkAccess": switch, "privateEndpointConnections": listed}).public is public


def test_an_endpoint_that_only_its_own_answer_shows_closes_the_app_as_well() -> None:
    state = {"status": "Approved"}
    link = {"properties": {"privateLinkServiceId": arm(SITES, "shop"), "privateLinkServiceConnectionState": state}}
    properties = {"subnet": {"id": f"{VNET}/subnets/web"}, "privateLinkServiceConnections": [link]}
    answers = Beside().put("web.sites", resource(SITES, "shop", {}))
    answers.put("network.private_endpoints", resource("Microsoft.Network/privateEndpoints", "pe", properties))
    assert answers.service().public is False


def test_restrictions_that_were_not_read_may_admit_anybody() -> None:
    # The list of sites shows them as null: https://learn.microsoft.com/rest/api/appservice/web-apps/list
    found = site(None, {"siteConfig": {"ipSecurityRestrictions": None}})
    assert told(found) == (None, "all", False)


def test_restrictions_in_the_list_of_sites_count_where_they_are() -> None:
    restricted = {"ipSecurityRestrictions": [rule("203.0.113.0/24")], **USE_MAIN}
    assert told(site(None, {"siteConfig": restricted})) == (True, "203.0.113.0/24", False)


def test_an_app_in_an_environment_may_have_an_address_of_its_network_alone() -> None:
    environment = {"id": arm("Microsoft.Web/hostingEnvironments", "ase")}
    found = site({"ipSecurityRestrictions": [EVERYONE]}, {"hostingEnvironmentProfile": environment})
    assert (found.public, "App Service Environment" in found.reason) == (None, True)


@pytest.mark.parametrize(
    ("kind", "told_kind"), [("app", "web-app"), ("functionapp,linux", "function-app"), ("api", "web-app")]
)
def test_functions_are_told_from_apps(kind: str, told_kind: str) -> None:
    found = site({}, kind=kind)
    assert (found.kind, found.service, found.anonymous) == (told_kind, "appservice", None)


@pytest.mark.parametrize(
    ("profile", "switch", "verdict"),
    [
        # https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges
        (None, None, (True, "all", False)),
        ({}, None, (True, "all", False)),
        ({"authorizedIPRanges": []}, None, (True, "all", False)),
        ({"authorizedIPRanges": [BLOCK, "198.51.100.7"]}, None, (True, "198.51.100.7, 203.0.113.0/24", False)),
        ({"authorizedIPRanges": ["0.0.0.0/32"]}, None, (True, "0.0.0.0", False)),
        ({"authorizedIPRanges": ["somewhere"]}, None, (None, "all", False)),
        # https://learn.microsoft.com/azure/aks/api-server-service-tags
        ({"authorizedIPRanges": ["AzureCloud", BLOCK]}, None, (True, BLOCK, True)),
        # https://learn.microsoft.com/azure/aks/private-clusters
        ({"enablePrivateCluster": True}, None, (False, "none", False)),
        ({"enablePrivateCluster": True, "authorizedIPRanges": ["0.0.0.0/0"]}, "Enabled", (False, "none", False)),
        ({"enablePrivateCluster": False}, "Disabled", (False, "none", False)),
    ],
)  # fmt: skip
def test_the_api_server_of_a_cluster(
    profile: dict[str, Any] | None, switch: str | None, verdict: tuple[bool | None, str, bool]
) -> None:
    properties: dict[str, Any] = {"publicNetworkAccess": switch}
    if profile is not None:
        properties["apiServerAccessProfile"] = profile
    wire = resource("Microsoft.ContainerService/managedClusters", "shop", properties)
    found = Beside().put("containerservice.managed_clusters", wire).service()
    assert told(found) == verdict
    assert (found.control_plane, found.anonymous) == (True, False)


def test_an_api_server_in_a_subnet_stands_there() -> None:
    profile = {"enableVnetIntegration": True, "subnetId": f"{VNET}/subnets/api"}
    properties = {"apiServerAccessProfile": profile}
    wire = resource("Microsoft.ContainerService/managedClusters", "shop", properties)
    found = Beside().put("containerservice.managed_clusters", wire).service()
    assert found.subnets == {f"azure:{SUB}:{VNET.lower()}/subnets/api"}
