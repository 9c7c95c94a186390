"""Network security perimeters decide over the services that are associated with them.

The rows follow https://learn.microsoft.com/azure/private-link/network-security-perimeter-transition
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.snapshot import Part
from cloudseg.traffic import ALL_ADDRESSES
from tests.azure.beside import SUB, Beside, arm, resource

if TYPE_CHECKING:
    from cloudseg.model import Service

PERIMETER = arm("Microsoft.Network/networkSecurityPerimeters", "nsp")
PROFILE = f"{PERIMETER}/profiles/web"
VAULT = "Microsoft.KeyVault/vaults"
OFFICE = {"direction": "Inbound", "addressPrefixes": ["203.0.113.0/24"]}
HOME = {"defaultAction": "Deny", "ipRules": [{"value": "198.51.100.0/24"}]}
OPEN = {"defaultAction": "Allow"}


def vault(
    properties: dict[str, Any], mode: str | None, *rules: dict[str, Any], read: bool = True, **association: Any
) -> Service:
    answers = Beside().put("keyvault.vaults", resource(VAULT, "keys", properties))
    answers.put("network.network_security_perimeters", {"id": PERIMETER, "name": "nsp", "properties": {}})
    answers.put("network.network_security_perimeter_profiles", {"id": PROFILE, "name": "web"}, about=PERIMETER)
    held = {
        "privateLinkResource": {"id": arm(VAULT, "keys").lower()},
        "profile": {"id": PROFILE.lower()},
        **association,
    }
    if mode is not None:
        held["accessMode"] = mode
    item = {"id": f"{PERIMETER}/resourceAssociations/a", "name": "a", "properties": held}
    answers.put("network.network_security_perimeter_associations", item, about=PERIMETER)
    if read:
        items = [
            {"id": f"{PROFILE}/accessRules/r{number}", "name": f"r{number}", "properties": rule}
            for number, rule in enumerate(rules)
        ]
        answers.put("network.network_security_perimeter_access_rules", *items, about=PROFILE)
    return answers.service()


def told(found: Service) -> tuple[bool | None, str]:
    return found.public, "all" if found.sources == ALL_ADDRESSES else str(found.sources)


@pytest.mark.semantics(130)
@pytest.mark.parametrize("switch", ["Enabled", "Disabled", "SecuredByPerimeter", None])
@pytest.mark.parametrize("acls", [OPEN, HOME])
@pytest.mark.parametrize(("rules", "verdict"), [([], (False, "none")), ([OFFICE], (True, "203.0.113.0/24"))])
def test_enforced_the_perimeter_decides_alone(
    switch: str | None, acls: dict[str, Any], rules: list[dict[str, Any]], verdict: tuple[bool | None, str]
) -> None:
    found = vault({"publicNetworkAccess": switch, "networkAcls": acls}, "Enforced", *rules)
    assert told(found) == verdict
    assert "nsp" in found.reason


@pytest.mark.semantics(130)
@pytest.mark.parametrize("mode", ["Learning", "learning", None])
@pytest.mark.parametrize(
    ("switch", "acls", "rules", "verdict"),
    [
        ("Enabled", OPEN, [], (True, "all")),
        ("Enabled", HOME, [], (True, "198.51.100.0/24")),
        ("Enabled", HOME, [OFFICE], (True, "198.51.100.0/24, 203.0.113.0/24")),
        ("Disabled", OPEN, [], (False, "none")),
        # The perimeter's rules come first, so that they open what the switch closes.
        ("Disabled", OPEN, [OFFICE], (True, "203.0.113.0/24")),
        ("SecuredByPerimeter", OPEN, [], (False, "none")),
        ("SecuredByPerimeter", OPEN, [OFFICE], (True, "203.0.113.0/24")),
    ],
)
def test_learning_the_service_still_admits_whom_it_admits(
    mode: str | None, switch: str, acls: dict[str, Any], rules: list[dict[str, Any]], verdict: tuple[bool | None, str]
) -> None:
    assert told(vault({"publicNetworkAccess": switch, "networkAcls": acls}, mode, *rules)) == verdict


@pytest.mark.semantics(130)
@pytest.mark.parametrize(
    ("switch", "verdict"),
    [("Enabled", (True, "all")), ("Disabled", (False, "none")), ("SecuredByPerimeter", (None, "all"))],
)
def test_audit_changes_nothing_and_is_told(switch: str, verdict: tuple[bool | None, str]) -> None:
    found = vault({"publicNetworkAccess": switch, "networkAcls": OPEN}, "Audit", OFFICE)
    assert told(found) == verdict
    assert "Audit" in found.reason


@pytest.mark.parametrize("mode", ["Enforced", "Learning"])
def test_rules_that_were_not_read_may_admit_anybody(mode: str) -> None:
    assert told(vault({"networkAcls": HOME}, mode, read=False)) == (None, "all")


def test_a_rule_that_cannot_be_read_may_admit_anybody() -> None:
    assert told(vault({}, "Enforced", {"direction": "Inbound", "addressPrefixes": ["here"]})) == (None, "all")


def test_a_mode_that_nobody_knows_is_unknown() -> None:
    assert told(vault({"publicNetworkAccess": "Disabled"}, "Perhaps")) == (None, "all")


def test_outbound_rules_let_nobody_in() -> None:
    rule = {
        "direction": "Outbound",
        "addressPrefixes": ["203.0.113.0/24"],
        "fullyQualifiedDomainNames": ["*.a.example"],
    }
    assert told(vault({}, "Enforced", rule)) == (False, "none")


def test_subscriptions_show_an_identity_and_are_named() -> None:
    rule = {"direction": "Inbound", "subscriptions": [{"id": "/subscriptions/x"}]}
    found = vault({}, "Enforced", rule)
    assert (told(found), "1 subscription" in found.reason) == ((False, "none"), True)


@pytest.mark.semantics(130, 134)
def test_service_tags_in_a_rule_are_of_every_customer() -> None:
    found = vault({}, "Enforced", {"direction": "Inbound", "serviceTags": ["AzureCloud"]})
    assert (told(found), found.any_tenant) == ((True, "none"), True)


@pytest.mark.parametrize(("switch", "public"), [("Enabled", None), ("Disabled", False)])
def test_an_association_with_issues_may_not_hold(*, switch: str, public: bool | None) -> None:
    found = vault({"publicNetworkAccess": switch, "networkAcls": OPEN}, "Enforced", hasProvisioningIssues="yes")
    assert found.public is public


def test_a_service_that_no_perimeter_names_is_as_it_was() -> None:
    found = vault({"networkAcls": OPEN}, "Enforced", privateLinkResource={"id": arm(VAULT, "others")})
    assert told(found) == (True, "all")


@pytest.mark.parametrize(
    "missing",
    [
        ("network_security_perimeters", None),
        ("network_security_perimeter_associations", PERIMETER),
        ("network_security_perimeter_access_rules", PROFILE),
    ],
)
def test_where_perimeters_were_not_read_neither_were_the_services_that_they_may_open(
    missing: tuple[str, str | None],
) -> None:
    answers = Beside().put("keyvault.vaults").put("web.sites").put("web.slots")
    answers.put("network.network_security_perimeters", {"id": PERIMETER, "name": "nsp", "properties": {}})
    answers.put("network.network_security_perimeter_profiles", {"id": PROFILE, "name": "web"}, about=PERIMETER)
    answers.put("network.network_security_perimeter_associations", about=PERIMETER)
    answers.put("network.network_security_perimeter_access_rules", about=PROFILE)

    def states() -> tuple[str, ...]:
        coverage = answers.estate().coverage
        return tuple(coverage.state(f"services.{each}", "azure", SUB, "global") for each in ("keyvault", "appservice"))

    assert states() == ("read", "read")
    operation, about = missing
    del answers.parts[Part("azure", SUB, "global", "network", operation, about)]
    assert states() == ("partly", "read")
