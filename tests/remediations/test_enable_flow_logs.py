"""Flow logs are added where it is known where their records may go, and touch no traffic."""

from __future__ import annotations

from typing import Any

from cloudseg.checks import CHECKS
from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder
from cloudseg.model import FlowLog
from cloudseg.model.edits import AddFlowLog
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.enable_flow_logs import REMEDY
from tests.remediations.judged import answered, assert_gains_nothing

BUCKET = "arn:aws:s3:::company-flow-logs"


def log(identifier: str, target: str, region: str = "eu-west-1", **more: Any) -> FlowLog:
    fields: dict[str, Any] = {"traffic": "all", "delivers": True, "destination": BUCKET, **more}
    return FlowLog(id=identifier, kind="flow-log", region=region, target=target, **fields)


def two_networks(**more: Any) -> EstateBuilder:
    b = EstateBuilder()
    b.network("vpc-2", "10.9.0.0/16")
    b.put("flow_logs", log(b.id("fl-2"), b.id("vpc-2"), **more))
    return b


def test_records_go_where_those_of_another_log_of_the_account_and_region_arrive() -> None:
    judged = answered(REMEDY, "missing-flow-logs", two_networks().build())

    (edit,) = [edit for change in judged.changes for edit in change.edits]
    assert isinstance(edit, AddFlowLog)
    assert (edit.flow_log.target, edit.flow_log.traffic, edit.flow_log.destination) == (
        EstateBuilder.id("vpc-1"), "all", BUCKET,
    )  # fmt: skip
    assert judged.proposal.safety == "safe"
    assert_gains_nothing(judged)


def test_the_check_finds_nothing_any_more() -> None:
    judged = answered(REMEDY, "missing-flow-logs", two_networks().build())
    check = next(each for each in CHECKS if each.id == "missing-flow-logs")

    assert list(check.run(RemedyContext.of(judged.after).audit(check))) == []


def test_a_log_that_fails_shows_no_place_for_records() -> None:
    judged = answered(REMEDY, "missing-flow-logs", two_networks(delivers=False).build())

    assert "shows where records may go" in judged.advice.reason


def test_a_log_of_another_region_shows_no_place_for_records() -> None:
    judged = answered(REMEDY, "missing-flow-logs", two_networks(region="us-east-1").build())

    assert "shows where records may go" in judged.advice.reason


def test_a_log_of_rejected_traffic_alone_gets_one_of_all_traffic_beside_it() -> None:
    b = EstateBuilder()
    b.put("flow_logs", log(b.id("fl-1"), b.id("vpc-1"), traffic="rejected"))
    judged = answered(REMEDY, "partial-flow-logs", b.build())

    check = next(each for each in CHECKS if each.id == "partial-flow-logs")
    assert list(check.run(RemedyContext.of(judged.after).audit(check))) == []


def test_a_log_that_is_there_and_fails_is_mended_by_its_owner() -> None:
    b = EstateBuilder()
    b.flow_log("fl-1", delivers=False, reason="access error")
    judged = answered(REMEDY, "partial-flow-logs", b.build())

    assert "does not deliver: access error" in judged.advice.reason


def test_a_log_that_keeps_its_records_too_short_is_no_missing_log() -> None:
    b = EstateBuilder()
    b.put("flow_logs", log(b.id("fl-1"), b.id("vpc-1"), retention=7))
    judged = answered(REMEDY, "partial-flow-logs", b.build())

    assert "what is missing is not a flow log" in judged.advice.reason


def test_a_flow_log_of_azure_stands_below_the_watcher_of_its_region() -> None:
    b = AzureBuilder()
    watcher = arm("microsoft.network/networkwatchers", "westeurope")
    other = b.id(arm("microsoft.network/virtualnetworks", "vnet-2"))
    b.put("flow_logs", log(b.id(f"{watcher}/flowlogs/fl-2"), other, region="westeurope", destination="storage"))
    judged = answered(REMEDY, "missing-flow-logs", b.build())

    (edit,) = [edit for change in judged.changes for edit in change.edits]
    assert isinstance(edit, AddFlowLog)
    assert edit.flow_log.id.startswith(b.id(f"{watcher}/flowlogs/cloudseg-"))
    assert edit.flow_log.destination == "storage"


def test_a_network_of_azure_takes_one_flow_log() -> None:
    b = AzureBuilder()
    watcher = arm("microsoft.network/networkwatchers", "westeurope")
    b.put("flow_logs", log(b.id(f"{watcher}/flowlogs/fl-1"), b.network, region="westeurope", traffic="accepted"))
    judged = answered(REMEDY, "partial-flow-logs", b.build())

    assert "a network takes one flow log" in judged.advice.reason


def test_every_subnet_of_google_cloud_without_one_gets_a_flow_log() -> None:
    b = GcpBuilder()
    b.machine("web", "web", "10.2.1.4")
    judged = answered(REMEDY, "missing-flow-logs", b.build())

    targets = [
        edit.flow_log.target for change in judged.changes for edit in change.edits if isinstance(edit, AddFlowLog)
    ]
    assert targets == [b.subnet("data"), b.subnet("web")]
    assert_gains_nothing(judged)
