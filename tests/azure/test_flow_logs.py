"""Flow logs of Azure: what they record, for how long, and what those of NSGs leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.checks import missing_flow_logs, partial_flow_logs
from cloudseg.checks.interface import AuditContext
from cloudseg.reach.internet import InternetView
from tests.azure.beside import SUB, VNET, Beside, arm

if TYPE_CHECKING:
    from cloudseg.checks.interface import Check
    from cloudseg.model import Estate, FlowLog

WATCHER = arm("Microsoft.Network/networkWatchers", "NetworkWatcher_westeurope")
NSG = arm("Microsoft.Network/networkSecurityGroups", "nsg-web")
OTHER = VNET.replace("/vnet", "/other")
FOR_GOOD = {"enabled": False, "days": 0}


def wire(target: str, name: str = "log", **properties: Any) -> dict[str, Any]:
    held = {"targetResourceId": target, "storageId": arm("Microsoft.Storage/storageAccounts", "logs"), "enabled": True}
    return {
        "id": f"{WATCHER}/flowLogs/{name}",
        "name": name,
        "location": "westeurope",
        "properties": {**held, "retentionPolicy": FOR_GOOD, **properties},
    }


def log(target: str = VNET, **properties: Any) -> FlowLog:
    answers = Beside().put("network.flow_logs", wire(target, **properties), about=WATCHER)
    (found,) = answers.estate().flow_logs.values()
    return found


@pytest.mark.semantics(228)
@pytest.mark.parametrize(
    ("target", "ends"),
    # https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview
    [(VNET, ""), (f"{VNET}/subnets/web", ""), (NSG, "2027-09-30"), (NSG.lower(), "2027-09-30")],
)
def test_only_those_of_nsgs_end(target: str, ends: str) -> None:
    found = log(target)
    assert (found.target, found.ends) == (f"azure:{SUB}:{target.lower()}", ends)


@pytest.mark.parametrize(
    ("properties", "delivers"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"enabled": None}, None),
        ({"provisioningState": "Failed"}, False),
        ({"provisioningState": "Succeeded"}, True),
        ({"enabledFilteringCriteria": "srcIP=10.0.0.4"}, None),
    ],
)
def test_a_log_that_is_off_or_failed_records_nothing(*, properties: dict[str, Any], delivers: bool | None) -> None:
    assert log(**properties).delivers is delivers


@pytest.mark.parametrize(
    ("kinds", "traffic"),
    [(None, "all"), ("", "all"), ("B,C,E,D", "all"), ("D", "rejected"), ("B, E", "accepted"), ("b,d", "all")],
)
def test_the_kinds_of_records_say_which_verdicts_are_seen(kinds: str | None, traffic: str) -> None:
    assert log(recordTypes=kinds).traffic == traffic


@pytest.mark.parametrize(
    ("policy", "days"),
    [
        ({"enabled": True, "days": 30}, 30),
        ({"enabled": True, "days": 0}, 0),
        ({"enabled": False, "days": 7}, 0),
        (None, None),
    ],
)
def test_how_long_records_are_kept(policy: dict[str, Any] | None, days: int | None) -> None:
    assert log(retentionPolicy=policy).retention == days


def test_a_log_without_target_is_a_gap() -> None:
    estate = Beside().put("network.flow_logs", wire(""), about=WATCHER).estate()
    assert not estate.flow_logs
    assert [gap.facets for gap in estate.gaps if gap.reason == "malformed"] == [("flow-logs",)]


def recorded(*logs: dict[str, Any], nsg_at: str = "web") -> Estate:
    answers = Beside().vnet("web", "data")
    (part,) = answers.parts
    subnets = answers.parts[part]["value"][0]["properties"]["subnets"]
    for subnet in subnets:
        if subnet["name"] == nsg_at:
            subnet["properties"]["networkSecurityGroup"] = {"id": NSG}
    nic = {
        "id": arm("Microsoft.Network/networkInterfaces", "nic"),
        "name": "nic",
        "location": "westeurope",
        "properties": {
            "ipConfigurations": [
                {"properties": {"privateIPAddress": "10.0.0.4", "subnet": {"id": f"{VNET}/subnets/web"}}}
            ]
        },
    }
    answers.put("network.network_interfaces", nic)
    answers.put("network.network_security_groups", {"id": NSG, "name": "nsg-web", "properties": {"securityRules": []}})
    answers.put("network.network_watchers", {"id": WATCHER, "name": "NetworkWatcher_westeurope"})
    answers.put("network.flow_logs", *logs, about=WATCHER)
    return answers.estate()


def told(check: Check, estate: Estate) -> list[str]:
    settings = {parameter.name: parameter.default for parameter in check.parameters}
    context = AuditContext(estate, check, settings, InternetView(estate))
    return [" | ".join((finding.message, *finding.evidence)) for finding in check.run(context)]


@pytest.mark.semantics(228)
@pytest.mark.parametrize(
    ("logs", "missing", "partial"),
    [
        ([], 1, 0),
        ([wire(VNET)], 0, 0),
        ([wire(OTHER)], 1, 0),
        ([wire(f"{VNET}/subnets/web")], 0, 1),
        ([wire(f"{VNET}/subnets/web"), wire(f"{VNET}/subnets/data", "second")], 0, 0),
        ([wire(NSG)], 0, 1),
        ([wire(NSG), wire(VNET, "second")], 0, 0),
        ([wire(NSG.replace("nsg-web", "nsg-else"))], 1, 0),
        ([wire(VNET, enabled=False)], 0, 1),
        ([wire(VNET, recordTypes="D")], 0, 1),
        ([wire(VNET, retentionPolicy={"enabled": True, "days": 30})], 0, 1),
        ([wire(VNET, retentionPolicy={"enabled": True, "days": 90})], 0, 0),
    ],
)
def test_what_the_logs_of_a_network_record_together(logs: list[dict[str, Any]], missing: int, partial: int) -> None:
    estate = recorded(*logs)
    assert len(told(missing_flow_logs.CHECK, estate)) == missing
    assert len(told(partial_flow_logs.CHECK, estate)) == partial


@pytest.mark.semantics(228)
def test_a_network_that_only_an_nsg_records_is_told_when_that_ends() -> None:
    (text,) = told(partial_flow_logs.CHECK, recorded(wire(NSG)))
    assert "2027-09-30" in text


@pytest.mark.semantics(228)
def test_an_nsg_at_no_subnet_of_the_network_records_nothing_of_it() -> None:
    assert len(told(missing_flow_logs.CHECK, recorded(wire(NSG), nsg_at=""))) == 1
