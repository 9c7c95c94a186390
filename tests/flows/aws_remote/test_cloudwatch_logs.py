"""Flow logs in CloudWatch Logs: a real client against moto's server, and against one that refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.errors import CollectError, CredentialsError, InputError
from cloudseg.flows.files import grouped
from cloudseg.providers.aws import flow_groups
from cloudseg.providers.aws.flow_groups import CloudWatchLogs
from cloudseg.providers.aws.options import AwsOptions
from tests.flows.reading import rows_of
from tests.loopback import Handler, Reply, listening

if TYPE_CHECKING:
    from cloudseg.flows.files import Batch

Aws = Callable[..., dict[str, Any]]

# CloudWatch takes no events older than two weeks.
T = int(time.time()) // 3600 * 3600 - 86_400
FORMAT = "${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${start} ${end} ${action}"
ONCE = AwsOptions(attempts=1, connect_timeout=2.0, read_timeout=5.0)


def default(port: int, at: int = T) -> str:
    return f"2 111122223333 eni-1 10.0.0.5 10.0.1.6 {port} 443 6 10 840 {at} {at + 60} ACCEPT OK"


def custom(port: int) -> str:
    return f"10.0.0.5 10.0.1.6 {port} 443 6 {T} {T + 60} REJECT"


def deliver(aws: Aws, group: str, *events: tuple[int, str], stream: str = "eni-1-all", new: bool = True) -> None:
    """Events by their second and record."""
    if new:
        aws("logs", "create_log_group", logGroupName=group)
    aws("logs", "create_log_stream", logGroupName=group, logStreamName=stream)
    told = [{"timestamp": at * 1000, "message": message} for at, message in events]
    aws("logs", "put_log_events", logGroupName=group, logStreamName=stream, logEvents=told)


def flow_log(aws: Aws, group: str, log_format: str) -> None:
    vpc = aws("ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    aws(
        "ec2",
        "create_flow_logs",
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName=group,
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow",
        LogFormat=log_format,
    )


def rows_in(batch: Batch) -> list[tuple[int, str, object]]:
    groups = grouped(batch.files).groups
    return sorted((row["src_port"], row["status"], row["accepted"]) for group in groups for row in rows_of(group))


def fetched(source: CloudWatchLogs) -> list[tuple[int, str, object]]:
    with closing(source.batches()) as batches:
        return [row for batch in batches for row in rows_in(batch)]


def test_events_are_read_by_the_format_that_the_flow_log_says(aws: Aws) -> None:
    deliver(aws, "/custom", (T, custom(1)), (T + 1, custom(2)))
    flow_log(aws, "/custom", FORMAT)
    assert fetched(CloudWatchLogs("cloudwatch:/custom")) == [(1, "ok", False), (2, "ok", False)]


def test_without_a_flow_log_the_default_format_is_taken(aws: Aws) -> None:
    deliver(aws, "/default", (T, default(1)))
    source = CloudWatchLogs("cloudwatch:/default@us-east-1")
    assert fetched(source) == [(1, "ok", True)]
    assert source.size is None


def test_flow_logs_of_several_formats_are_told_apart_by_the_number_of_fields(aws: Aws) -> None:
    deliver(aws, "/both", (T, custom(1)), (T, default(2)))
    deliver(aws, "/both", (T, custom(3)), stream="eni-2-all", new=False)
    flow_log(aws, "/both", FORMAT)
    flow_log(aws, "/both", "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "
             "${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}")  # fmt: skip
    assert fetched(CloudWatchLogs("cloudwatch:/both")) == [(1, "ok", False), (2, "ok", True), (3, "ok", False)]


def test_formats_of_as_many_fields_cannot_be_told_apart(aws: Aws) -> None:
    deliver(aws, "/alike", (T, custom(1)))
    flow_log(aws, "/alike", FORMAT)
    flow_log(aws, "/alike", FORMAT.replace("${srcaddr} ${dstaddr}", "${dstaddr} ${srcaddr}"))
    with pytest.raises(InputError, match="--log-format"):
        next(CloudWatchLogs("cloudwatch:/alike").batches())
    fields = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start", "end", "action")
    assert fetched(CloudWatchLogs("cloudwatch:/alike", fields=fields)) == [(1, "ok", False)]


def test_events_of_another_number_of_fields_are_a_loss(aws: Aws) -> None:
    deliver(aws, "/mixed", (T, default(1)), (T, "hello"), (T, custom(2)))
    with closing(CloudWatchLogs("cloudwatch:/mixed").batches()) as batches:
        batch = next(batches)
        assert rows_in(batch) == [(1, "ok", True)]
        (loss,) = batch.losses
    assert loss.name == "cloudwatch:/mixed"
    assert loss.reason.startswith("2 events without the 14 fields of the group's flow logs")


def test_only_the_time_asked_for_is_fetched_with_an_hour_around_it(aws: Aws) -> None:
    deliver(aws, "/times", *((T + hour * 3600, default(hour, T + hour * 3600)) for hour in range(10)))
    found = fetched(CloudWatchLogs("cloudwatch:/times", since=T + 4 * 3600, until=T + 5 * 3600))
    assert [port for port, _, _ in found] == [3, 4, 5, 6]


def test_events_come_in_batches_whose_files_go(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(aws, "/batches", *((T, default(port)) for port in range(1, 6)))
    monkeypatch.setattr(flow_groups, "_BATCH_BYTES", 2 * len(default(1)))
    with closing(CloudWatchLogs("cloudwatch:/batches").batches()) as batches:
        first = next(batches)
        path = first.files[0].path
        assert [port for port, _, _ in rows_in(first)] == [1, 2]
        assert [[port for port, _, _ in rows_in(batch)] for batch in batches] == [[3, 4], [5]]
    assert not path.exists()


def test_a_group_without_events_is_said(aws: Aws) -> None:
    aws("logs", "create_log_group", logGroupName="/empty")
    with pytest.raises(InputError, match="cloudwatch:/empty: there are no events in the time asked for"):
        list(CloudWatchLogs("cloudwatch:/empty").batches())


def test_a_group_that_does_not_exist_is_said(aws: Aws) -> None:
    with pytest.raises(CollectError, match=r"log group /none does not exist .*cloudwatch:GROUP@REGION"):
        list(CloudWatchLogs("cloudwatch:/none").batches())


@pytest.mark.parametrize("address", ["cloudwatch:", "cloudwatch:@eu-west-1", "logs:/x", "/x"])
def test_an_address_without_a_group_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="names no log group"):
        CloudWatchLogs(address)


def service(logs: Reply, ec2: Reply) -> type[Handler]:
    class Service(Handler):
        def reply(self, content: bytes) -> Reply:
            return ec2 if b"DescribeFlowLogs" in content else logs

    return Service


def of_logs(code: str, status: int = 400) -> Reply:
    body = json.dumps({"__type": code, "message": "No."}).encode()
    return Reply(status, body, {"Content-Type": "application/x-amz-json-1.1"})


def of_ec2(code: str, status: int) -> Reply:
    return Reply(
        status,
        f"<Response><Errors><Error><Code>{code}</Code><Message>No.</Message></Error></Errors></Response>".encode(),
    )


EVENTS = Reply(200, json.dumps({"events": [{"message": default(1), "timestamp": T * 1000}]}).encode())
NO_FLOW_LOGS = Reply(200, b"<DescribeFlowLogsResponse><flowLogSet/></DescribeFlowLogsResponse>")


def test_who_may_not_ask_for_the_format_is_told_that_the_default_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(service(EVENTS, of_ec2("UnauthorizedOperation", 403))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with closing(CloudWatchLogs("cloudwatch:g", ONCE).batches()) as batches:
            batch = next(batches)
            assert rows_in(batch) == [(1, "ok", True)]
    (note,) = batch.notes
    assert "UnauthorizedOperation" in note
    assert "allow ec2:DescribeFlowLogs" in note


@pytest.mark.parametrize(
    ("refused", "kind", "why"),
    [
        (
            of_logs("AccessDeniedException"),
            CollectError,
            r"may not be read .*allow logs:FilterLogEvents on log-group:g$",
        ),
        (of_logs("ResourceNotFoundException"), CollectError, "does not exist"),
        (of_logs("ExpiredTokenException"), CredentialsError, "have expired"),
        (of_logs("UnrecognizedClientException"), CredentialsError, "does not accept the credentials"),
        (of_logs("ServiceUnavailableException", 503), CollectError, "cannot be reached"),
        (Reply(200, b'{"events": [{"timestamp"', cut=True), CollectError, "cannot be re"),
        (Reply(200, b'{"events": 5}'), CollectError, "cannot be read"),
    ],
    ids=["denied", "missing", "expired", "unknown", "down", "cut", "malformed"],
)
def test_a_group_that_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, refused: Reply, kind: type[Exception], why: str
) -> None:
    with listening(service(refused, NO_FLOW_LOGS)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(kind, match=why):
            list(CloudWatchLogs("cloudwatch:g", ONCE).batches())


def test_credentials_that_expired_stop_at_the_first_question(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(service(EVENTS, of_ec2("RequestExpired", 400))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(CredentialsError, match="have expired"):
            next(CloudWatchLogs("cloudwatch:g", ONCE).batches())
