from collections.abc import Callable

import pytest

from cloudseg.model import Estate, FlowLog

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
LOG: dict[str, object] = {
    "FlowLogId": "fl-1", "ResourceId": "vpc-1", "TrafficType": "ALL", "FlowLogStatus": "ACTIVE",
    "DeliverLogsStatus": "SUCCESS", "LogDestination": "arn:aws:s3:::logs",
}  # fmt: skip


def flow_log(translated: Translate, **fields: object) -> FlowLog:
    wire = {key: value for key, value in (LOG | fields).items() if value is not ...}
    (found,) = translated({"ec2.describe_flow_logs": [wire]}).flow_logs.values()
    return found


@pytest.mark.semantics(213)
@pytest.mark.parametrize(("word", "traffic"), [("ALL", "all"), ("ACCEPT", "accepted"), ("REJECT", "rejected")])
def test_what_a_flow_log_records(translated: Translate, word: str, traffic: str) -> None:
    found = flow_log(translated, TrafficType=word)
    assert (found.traffic, found.target, found.delivers) == (traffic, f"{HERE}:vpc-1", True)


@pytest.mark.semantics(213)
@pytest.mark.parametrize(
    ("fields", "delivers", "reason"),
    [
        ({"DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"}, False, "Access error"),
        ({"DeliverLogsStatus": "FAILED"}, False, "the last delivery failed"),
        ({"DeliverLogsStatus": ...}, None, "the status of its delivery is not given"),
        ({"FlowLogStatus": "SOMETHINGBAD"}, None, "its status is SOMETHINGBAD"),
        ({"FlowLogStatus": ...}, None, "its status is not given"),
    ],
)
def test_only_a_log_whose_delivery_succeeded_delivers(
    translated: Translate, fields: dict[str, object], *, delivers: bool | None, reason: str
) -> None:
    found = flow_log(translated, **fields)
    assert (found.delivers, found.reason) == (delivers, reason)


def test_an_old_log_goes_to_a_log_group_in_the_default_format(translated: Translate) -> None:
    found = flow_log(translated, LogDestination=..., LogGroupName="/flows")
    assert (found.destination, found.fields) == ("/flows", ())


def test_fields_follow_from_the_format(translated: Translate) -> None:
    assert flow_log(translated, LogFormat="${version} ${pkt-srcaddr} ${action}").fields == (
        "version", "pkt-srcaddr", "action",
    )  # fmt: skip


def test_transit_gateways_have_no_traffic_type(translated: Translate) -> None:
    assert flow_log(translated, ResourceId="tgw-attach-1", TrafficType=...).traffic == "all"


@pytest.mark.semantics(213)
@pytest.mark.parametrize("word", ["SOME", ..., None])
def test_a_log_of_unknown_traffic_is_a_gap_and_no_visibility(translated: Translate, word: object) -> None:
    wire = {key: value for key, value in (LOG | {"TrafficType": word}).items() if value is not ...}
    estate = translated({"ec2.describe_flow_logs": [wire]})
    assert (len(estate.flow_logs), [gap.facets for gap in estate.gaps]) == (0, [("flow-logs",)])
