"""The traps of Azure's flow logs, from the files to the conversations.

https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview#log-format
https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview#log-format
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.flows.telling import found, said, the_one

if TYPE_CHECKING:
    from pathlib import Path

T = 1_767_999_600
SCOPE = "00000000-0000-0000-0000-000000000000"
VNET = f"/subscriptions/{SCOPE}/resourceGroups/myResourceGroup/providers/Microsoft.Network/virtualNetworks/myVNet"
CLIENT, SERVER = "00224871C205", "00224871C206"


def vnet(mac: str, *tuples: str, rule: str = "UserRule_allow-db", target: str = VNET) -> dict[str, object]:
    group = {"rule": rule, "flowTuples": list(tuples)}
    return {
        "time": "2026-01-09T23:00:52.5625085Z",
        "flowLogVersion": 4,
        "flowLogGUID": "abcdef01-2345-6789-0abc-def012345678",
        "macAddress": mac,
        "category": "FlowLogFlowEvent",
        "flowLogResourceID": f"/SUBSCRIPTIONS/{SCOPE}/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK"
        "/NETWORKWATCHERS/NETWORKWATCHER_EASTUS2EUAP/FLOWLOGS/VNETFLOWLOG",
        "targetResourceID": target,
        "operationName": "FlowLogFlowEvent",
        "flowRecords": {"flows": [{"aclID": "00000000-1234-abcd-ef00-c1c2c3c4c5c6", "flowGroups": [group]}]},
    }


def nsg(mac: str, *tuples: str, version: int = 2, rule: str = "UserRule_allow-db") -> dict[str, object]:
    return {
        "time": "2026-01-09T23:00:38.123Z",
        "systemId": "55ff55ff-aa66-bb77-cc88-99dd99dd99dd",
        "macAddress": mac,
        "category": "NetworkSecurityGroupFlowEvent",
        "resourceId": f"/SUBSCRIPTIONS/{SCOPE}/RESOURCEGROUPS/MYRESOURCEGROUP/PROVIDERS/MICROSOFT.NETWORK"
        "/NETWORKSECURITYGROUPS/MYNSG",
        "operationName": "NetworkSecurityGroupFlowEvents",
        "properties": {
            "Version": version,
            "flows": [{"rule": rule, "flows": [{"mac": mac, "flowTuples": list(tuples)}]}],
        },
    }


def blob(*records: dict[str, object]) -> str:
    return json.dumps({"records": list(records)})


def test_the_tuples_of_one_connection_are_one_with_the_sum_of_their_counts(tmp_path: Path) -> None:
    row = the_one(
        tmp_path,
        a__json=blob(
            vnet(
                CLIENT,
                f"{T}599,10.0.0.6,10.0.0.7,23956,5432,6,O,B,NX,0,0,0,0",
                f"{T + 300}606,10.0.0.6,10.0.0.7,23956,5432,6,O,C,NX,3,767,2,1580",
                f"{T + 400}606,10.0.0.6,10.0.0.7,23956,5432,6,O,E,NX,1,33,1,20",
            )
        ),
    )
    assert said([row]) == ["10.0.0.6 -> 10.0.0.7 6/5432 accepted state"]
    assert (row.connections, row.packets, row.bytes, row.packets_back, row.bytes_back) == (1, 4, 800, 3, 1600)
    assert row.confidence == "high"


def test_milliseconds_are_not_taken_for_seconds(tmp_path: Path) -> None:
    row = the_one(tmp_path, a__json=blob(vnet(CLIENT, f"{T}599,10.0.0.6,10.0.0.7,23956,443,6,O,B,NX,0,0,0,0")))
    assert row.first_seen.replace(microsecond=0) == datetime.fromtimestamp(T, UTC)


def test_an_nsg_log_counts_in_seconds_and_leaves_counts_empty(tmp_path: Path) -> None:
    row = the_one(
        tmp_path,
        a__json=blob(
            nsg(
                SERVER,
                f"{T},185.170.185.105,10.2.0.4,35370,23,T,I,A,B,,,,",
                f"{T + 60},185.170.185.105,10.2.0.4,35370,23,T,I,A,C,1021,588096,8005,4610880",
            )
        ),
    )
    assert said([row]) == ["185.170.185.105 -> 10.2.0.4 6/23 accepted state"]
    assert (row.connections, row.packets, row.bytes, row.bytes_back) == (1, 1021, 588096, 4610880)
    assert row.first_seen == datetime.fromtimestamp(T, UTC)


def test_version_1_of_an_nsg_log_has_eight_fields(tmp_path: Path) -> None:
    rows = found(
        tmp_path,
        a__json=blob(
            nsg(
                SERVER,
                f"{T},192.0.2.95,10.1.0.4,51529,5358,T,I,D",
                f"{T},192.0.2.17,10.1.0.4,61771,3389,U,I,A",
                version=1,
            )
        ),
    )
    assert said(rows) == [
        "192.0.2.17 -> 10.1.0.4 17/3389 accepted state",
        "192.0.2.95 -> 10.1.0.4 6/5358 refused state",
    ]


@pytest.mark.parametrize("kind", ["vnet", "nsg"])
def test_a_denial_is_refused_and_names_its_rule(tmp_path: Path, kind: str) -> None:
    record = (
        vnet(SERVER, f"{T}065,101.33.218.153,10.0.0.6,55188,22,6,I,D,NX,0,0,0,0", rule="BlockHighRiskTCPPorts")
        if kind == "vnet"
        else nsg(SERVER, f"{T},101.33.218.153,10.0.0.6,55188,22,T,I,D,B,,,,", rule="BlockHighRiskTCPPorts")
    )
    row = the_one(tmp_path, a__json=blob(record))
    assert said([row]) == ["101.33.218.153 -> 10.0.0.6 6/22 refused state"]
    assert row.connections == 1
    assert [rule.rpartition("/")[2] for rule in row.rules] == ["BlockHighRiskTCPPorts"]


def test_the_middle_of_a_connection_keeps_who_opened_it(tmp_path: Path) -> None:
    """The initiator takes the port of a service, and the responder a high one: only the log can know."""
    row = the_one(tmp_path, a__json=blob(vnet(SERVER, f"{T}000,10.0.0.6,10.0.0.7,443,50000,6,I,C,NX,3,30,2,20")))
    assert said([row]) == ["10.0.0.6 -> 10.0.0.7 6/50000 accepted state"]
    assert row.connections == 0


def test_both_logs_of_one_connection_count_once(tmp_path: Path) -> None:
    text = "10.0.0.6,10.0.0.7,23956,5432"
    row = the_one(
        tmp_path,
        a__json=blob(
            vnet(CLIENT, f"{T}000,{text},6,O,B,NX,0,0,0,0", f"{T + 9}000,{text},6,O,E,NX,5,500,4,400"),
            vnet(SERVER, f"{T}000,{text},6,I,B,NX,0,0,0,0", f"{T + 9}000,{text},6,I,E,NX,5,500,4,400"),
        ),
        b__json=blob(nsg(SERVER, f"{T},{text},T,I,A,B,,,,", f"{T + 9},{text},T,I,A,E,5,500,4,400")),
    )
    assert (row.connections, row.packets, row.bytes, row.bytes_back) == (1, 5, 500, 400)


def test_the_same_address_in_other_networks_stays_apart(tmp_path: Path) -> None:
    text = f"{T}000,10.0.0.6,10.0.0.7,23956,5432,6,O"
    rows = found(
        tmp_path,
        a__json=blob(
            vnet(CLIENT, f"{text},B,NX,0,0,0,0"),
            vnet(SERVER, f"{text},D,NX,0,0,0,0", target=VNET.replace("my", "your")),
        ),
    )
    assert sorted((row.verdict, (row.initiator_network or "").rpartition("/")[2]) for row in rows) == [
        ("accepted", "myvnet"),
        ("refused", "yourvnet"),
    ]
