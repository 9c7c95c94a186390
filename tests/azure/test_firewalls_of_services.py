"""Storage, vaults, registries, AI services, search, Cosmos DB and brokers: the switch, then the rules.

Each row says which page of the documentation it follows.
"""

from __future__ import annotations

from typing import Any

import pytest

from cloudseg.traffic import ALL_ADDRESSES, AddressSet
from tests.azure.beside import Beside, arm, resource

STORAGE = ("storage.storage_accounts", "Microsoft.Storage/storageAccounts", "networkAcls")
VAULT = ("keyvault.vaults", "Microsoft.KeyVault/vaults", "networkAcls")
AI = ("cognitiveservices.accounts", "Microsoft.CognitiveServices/accounts", "networkAcls")
REGISTRY = ("containerregistry.registries", "Microsoft.ContainerRegistry/registries", "networkRuleSet")
SEARCH = ("search.search_services", "Microsoft.Search/searchServices", "networkRuleSet")
COSMOS = ("documentdb.database_accounts", "Microsoft.DocumentDB/databaseAccounts", "")
BY_DEFAULT_ACTION = [STORAGE, VAULT, AI, REGISTRY]
OFFICE = "203.0.113.8/29"


def judged(family: tuple[str, str, str], properties: dict[str, Any]) -> tuple[bool | None, str]:
    what, kind, _ = family
    found = Beside().put(what, resource(kind, "one", properties)).service()
    return found.public, "all" if found.sources == ALL_ADDRESSES else str(found.sources)


@pytest.mark.parametrize("family", BY_DEFAULT_ACTION)
@pytest.mark.parametrize(
    ("switch", "acls", "verdict"),
    [
        # Missing is not off: https://learn.microsoft.com/azure/storage/common/storage-network-security
        (None, None, (True, "all")),
        (None, {"defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []}, (True, "all")),
        ("Enabled", {"defaultAction": "Allow", "ipRules": [{"value": OFFICE, "action": "Allow"}]}, (True, "all")),
        ("Enabled", {"defaultAction": "Deny", "ipRules": [{"value": OFFICE, "action": "Allow"}]}, (True, OFFICE)),
        ("enabled", {"defaultAction": "deny", "ipRules": [{"value": "203.0.113.9"}]}, (True, "203.0.113.9")),
        ("Enabled", {"defaultAction": "Deny", "ipRules": []}, (False, "none")),
        ("Enabled", {"defaultAction": "Deny"}, (False, "none")),
        # Rules for subnets admit private addresses alone.
        ("Enabled", {"defaultAction": "Deny", "virtualNetworkRules": [{"id": "/subscriptions/x"}]}, (False, "none")),
        # Disabled goes before the rules: https://learn.microsoft.com/azure/key-vault/general/network-security
        ("Disabled", {"defaultAction": "Allow"}, (False, "none")),
        ("disabled", {"defaultAction": "Deny", "ipRules": [{"value": "0.0.0.0/0"}]}, (False, "none")),
        # What nobody knows is neither on nor off.
        ("SecuredByPerimeter", {"defaultAction": "Allow"}, (None, "all")),
        ("SomethingNew", {"defaultAction": "Deny"}, (None, "all")),
        ("Enabled", {"defaultAction": "Ask"}, (None, "all")),
        ("Enabled", {"defaultAction": "Deny", "ipRules": [{"value": "the office"}]}, (None, "all")),
    ],
)
def test_the_switch_decides_before_the_default_action_and_that_before_the_rules(
    family: tuple[str, str, str], switch: str | None, acls: dict[str, Any] | None, verdict: tuple[bool | None, str]
) -> None:
    properties: dict[str, Any] = {} if switch is None else {"publicNetworkAccess": switch}
    if acls is not None:
        properties[family[2]] = acls
    assert judged(family, properties) == verdict


@pytest.mark.parametrize("value", [None, ""])
def test_a_switch_that_is_null_or_empty_was_not_set(value: str | None) -> None:
    assert judged(STORAGE, {"publicNetworkAccess": value}) == (True, "all")


def test_ipv6_rules_of_a_storage_account_count() -> None:
    acls = {"defaultAction": "Deny", "ipRules": [], "ipv6Rules": [{"value": "2001:db8::/32", "action": "Allow"}]}
    assert judged(STORAGE, {"networkAcls": acls}) == (True, "2001:db8::/32")


def test_trusted_services_are_no_customers() -> None:
    # https://learn.microsoft.com/azure/storage/common/storage-network-security-trusted-azure-services
    acls: dict[str, Any] = {"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": []}
    found = Beside().put(STORAGE[0], resource(STORAGE[1], "one", {"networkAcls": acls})).service()
    assert (found.public, found.any_tenant, found.settings["bypass"]) == (False, False, "AzureServices")


@pytest.mark.parametrize(
    ("allowed", "anonymous"),
    # https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent
    [(False, False), (True, None), (None, None)],
)
def test_only_an_account_that_forbids_anonymous_reading_certainly_has_none(
    *, allowed: bool | None, anonymous: bool | None
) -> None:
    found = Beside().put(STORAGE[0], resource(STORAGE[1], "one", {"allowBlobPublicAccess": allowed})).service()
    assert found.anonymous is anonymous


@pytest.mark.parametrize("pull", [True, False, None])
def test_a_registry_says_whether_anybody_may_pull(*, pull: bool | None) -> None:
    found = Beside().put(REGISTRY[0], resource(REGISTRY[1], "one", {"anonymousPullEnabled": pull})).service()
    assert found.anonymous is pull


@pytest.mark.parametrize(
    ("properties", "verdict"),
    [
        # https://learn.microsoft.com/azure/search/service-configure-firewall
        ({"publicNetworkAccess": "enabled", "networkRuleSet": {"ipRules": []}}, (True, "all")),
        ({"publicNetworkAccess": "enabled", "networkRuleSet": None}, (True, "all")),
        ({"publicNetworkAccess": "enabled", "networkRuleSet": {"ipRules": [{"value": OFFICE}]}}, (True, OFFICE)),
        ({"publicNetworkAccess": "disabled", "networkRuleSet": {"ipRules": [{"value": OFFICE}]}}, (False, "none")),
        ({"publicNetworkAccess": "securedByPerimeter"}, (None, "all")),
    ],
)
def test_search_admits_everyone_until_it_lists_somebody(
    properties: dict[str, Any], verdict: tuple[bool | None, str]
) -> None:
    assert judged(SEARCH, properties) == verdict


@pytest.mark.semantics(134)
@pytest.mark.parametrize(
    ("properties", "public", "sources", "any_tenant"),
    [
        # https://learn.microsoft.com/azure/cosmos-db/how-to-configure-firewall
        ({}, True, "all", False),
        ({"ipRules": [], "isVirtualNetworkFilterEnabled": False}, True, "all", False),
        ({"ipRules": [{"ipAddressOrRange": OFFICE}]}, True, OFFICE, False),
        ({"ipRangeFilter": "203.0.113.9, 198.51.100.0/24"}, True, "198.51.100.0/24, 203.0.113.9", False),
        ({"ipRangeFilter": "0.0.0.0"}, True, "none", True),
        ({"ipRules": [{"ipAddressOrRange": "0.0.0.0"}, {"ipAddressOrRange": OFFICE}]}, True, OFFICE, True),
        ({"ipRules": [{"ipAddressOrRange": "0.0.0.0/0"}]}, True, "0.0.0.0/0", False),
        # https://learn.microsoft.com/azure/cosmos-db/how-to-configure-vnet-service-endpoint
        ({"isVirtualNetworkFilterEnabled": True, "virtualNetworkRules": [{"id": "x"}]}, False, "none", False),
        ({"isVirtualNetworkFilterEnabled": True, "ipRules": [{"ipAddressOrRange": OFFICE}]}, True, OFFICE, False),
        ({"publicNetworkAccess": "Disabled", "ipRangeFilter": "0.0.0.0"}, False, "none", False),
    ],
)
def test_cosmos_is_closed_by_any_rule_and_0_0_0_0_is_all_of_azure(
    *, properties: dict[str, Any], public: bool, sources: str, any_tenant: bool
) -> None:
    found = Beside().put(COSMOS[0], resource(COSMOS[1], "one", properties)).service()
    told = "all" if found.sources == ALL_ADDRESSES else str(found.sources)
    assert (found.public, told, found.any_tenant) == (public, told if sources == "0.0.0.0/0" else sources, any_tenant)
    if sources == "0.0.0.0/0":
        assert found.sources == AddressSet.parse(sources)


@pytest.mark.parametrize(
    ("family", "kind"),
    [("eventhub", "Microsoft.EventHub/namespaces"), ("servicebus", "Microsoft.ServiceBus/namespaces")],
)
@pytest.mark.parametrize(
    ("own", "rules", "verdict"),
    [
        # https://learn.microsoft.com/azure/event-hubs/event-hubs-ip-filtering
        ({}, {"defaultAction": "Allow"}, (True, "all")),
        ({}, {"defaultAction": "Deny", "ipRules": [{"ipMask": OFFICE, "action": "Allow"}]}, (True, OFFICE)),
        # Without any rule everyone is admitted, whatever the default action.
        ({}, {"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}, (True, "all")),
        ({}, {"defaultAction": "Deny", "virtualNetworkRules": [{"subnet": {"id": "x"}}]}, (False, "none")),
        ({"publicNetworkAccess": "Disabled"}, {"defaultAction": "Allow"}, (False, "none")),
        ({}, {"defaultAction": "Allow", "publicNetworkAccess": "Disabled"}, (False, "none")),
        ({"publicNetworkAccess": "SecuredByPerimeter"}, {"defaultAction": "Allow"}, (None, "all")),
        ({"publicNetworkAccess": "Enabled"}, None, (None, "all")),
        ({"publicNetworkAccess": "Disabled"}, None, (False, "none")),
    ],
)
@pytest.mark.parametrize("apart", [True, False])
def test_a_namespace_without_any_rule_is_open_whatever_its_default_action(
    *,
    family: str,
    kind: str,
    own: dict[str, Any],
    rules: dict[str, Any] | None,
    verdict: tuple[bool | None, str],
    apart: bool,
) -> None:
    answers = Beside().put(f"{family}.namespaces", resource(kind, "one", own))
    if rules is not None:
        item = {"id": f"{arm(kind, 'one')}/networkRuleSets/default", "name": "default", "properties": rules}
        # Ids differ in case between answers.
        about = arm(kind, "one").replace("resourceGroups", "resourcegroups") if apart else None
        answers.put(f"{family}.network_rule_sets", item, about=about)
    found = answers.service()
    assert (found.public, "all" if found.sources == ALL_ADDRESSES else str(found.sources)) == verdict


def test_a_service_is_named_placed_and_told_with_its_tags() -> None:
    wire = resource(VAULT[1], "Keys", {}, tags={"env": "prod", "odd": 5}, location="East US 2")
    found = Beside().put(VAULT[0], wire).service()
    assert (found.name, found.region, found.tags, found.service) == ("Keys", "eastus2", {"env": "prod"}, "keyvault")
    assert found.own_id == arm(VAULT[1], "Keys").lower()


def test_a_malformed_resource_is_a_gap_of_its_family_and_leaves_the_others() -> None:
    bad = resource(VAULT[1], "bad", {"networkAcls": {"ipRules": "none"}})
    estate = Beside().put(VAULT[0], bad, resource(VAULT[1], "good", {})).estate()
    assert [service.name for service in estate.services.values()] == ["good"]
    ((gap),) = [gap for gap in estate.gaps if gap.reason == "malformed"]
    assert (gap.resource, gap.facets) == (arm(VAULT[1], "bad"), ("services.keyvault",))
