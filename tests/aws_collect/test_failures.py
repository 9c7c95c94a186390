import socket
from pathlib import Path

import pytest

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.aws.clients import config_of
from cloudseg.providers.aws.collect import AwsOptions, collect
from cloudseg.snapshot import Part, Snapshot, SnapshotGap

from .conftest import Parameters, Reply, Stub

ONE = AwsOptions(regions=("us-east-1",), attempts=1)


def ec2(action: str, inner: str, token: str = "") -> Reply:
    more = f"<nextToken>{token}</nextToken>" if token else ""
    return 200, f"<{action}Response>{inner}{more}</{action}Response>".encode()


def ec2_error(status: int, code: str, message: str = "no") -> Reply:
    text = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
    return status, text.encode()


def sts_error(status: int, code: str) -> Reply:
    return status, f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()


def gap_of(snapshot: Snapshot, operation: str) -> SnapshotGap:
    (gap,) = (gap for gap in snapshot.gaps if gap.operation == operation)
    return gap


def answer_of(snapshot: Snapshot, operation: str) -> object:
    return snapshot.read(Part("aws", "111122223333", "us-east-1", "ec2", operation))


def test_every_page_is_read_and_the_tokens_are_dropped(stub: Stub) -> None:
    def pages(form: Parameters) -> Reply:
        page = int(form.get("NextToken", "0"))
        inner = f"<vpcSet><item><vpcId>vpc-{page}</vpcId></item></vpcSet>"
        return ec2("DescribeVpcs", inner, str(page + 1) if page < 3 else "")

    stub(DescribeVpcs=pages)
    assert answer_of(collect(ONE), "describe_vpcs") == {"Vpcs": [{"VpcId": f"vpc-{page}"} for page in range(4)]}
    assert stub.seen.count("DescribeVpcs") == 4


def test_every_page_is_read_where_botocore_has_no_paginator(stub: Stub) -> None:
    def pages(form: Parameters) -> Reply:
        token = form.get("NextToken", "")
        exclusions = f"<item><exclusionId>{token or 'a'}</exclusionId></item>"
        inner = f"<vpcBlockPublicAccessExclusionSet>{exclusions}</vpcBlockPublicAccessExclusionSet>"
        return ec2("DescribeVpcBlockPublicAccessExclusions", inner, "" if token else "b")

    stub(DescribeVpcBlockPublicAccessExclusions=pages)
    answer = answer_of(collect(ONE), "describe_vpc_block_public_access_exclusions")
    assert answer == {"VpcBlockPublicAccessExclusions": [{"ExclusionId": "a"}, {"ExclusionId": "b"}]}


def test_a_page_that_fails_leaves_no_half_list(stub: Stub) -> None:
    def pages(form: Parameters) -> Reply:
        if "NextToken" in form:
            return ec2_error(403, "UnauthorizedOperation")
        return ec2("DescribeVpcs", "<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>", "more")

    stub(DescribeVpcs=pages)
    snapshot = collect(ONE)
    assert gap_of(snapshot, "describe_vpcs").reason == "denied"
    assert "describe_vpcs" not in {part.operation for part in snapshot.parts()}


def test_a_failed_call_is_a_gap_and_the_run_goes_on(stub: Stub) -> None:
    cases = {
        "describe_vpcs": (ec2_error(403, "UnauthorizedOperation"), "denied"),
        "describe_route_tables": (ec2_error(400, "ExpiredToken"), "denied"),
        "describe_network_acls": (ec2_error(400, "InvalidAction"), "unsupported"),
        "describe_addresses": (ec2_error(401, "OptInRequired"), "unsupported"),
        "describe_flow_logs": (ec2_error(400, "InvalidVpcID.NotFound"), "not-found"),
        "describe_instances": (ec2_error(500, "InternalError"), "unreachable"),
        "describe_nat_gateways": (ec2_error(400, "InvalidParameterValue"), "malformed"),
        "describe_vpc_endpoints": ((404, b"<!doctype html>"), "unsupported"),
        "describe_internet_gateways": ((200, b"<Response><internetGatewaySet><item><internetGat"), "malformed"),
        "describe_transit_gateways": ((200, b""), "malformed"),
        "describe_network_interfaces": ((200, b"<html><body>Please sign in</body></html>"), "malformed"),
    }
    stub(DescribeSubnets=ec2("DescribeSubnets", "<subnetSet/>"))
    for operation, (reply, _) in cases.items():
        stub.answers["".join(word.capitalize() for word in operation.split("_"))] = reply
    snapshot = collect(ONE)
    for operation, (_, reason) in cases.items():
        gap = gap_of(snapshot, operation)
        assert (gap.scope, gap.region, gap.service, gap.reason) == ("111122223333", "us-east-1", "ec2", reason)
        assert gap.detail
    assert answer_of(snapshot, "describe_subnets") == {"Subnets": []}


def test_a_broken_json_answer_is_no_empty_list(stub: Stub) -> None:
    stub(
        ListClusters=(200, b'{"clusterArns": ['),
        ListWorkgroups=(200, b"<html>sign in</html>"),
        ListEventBuses=(200, b'{"message": "sign in"}'),
        DescribeReplicationInstances=(200, b""),
    )
    stub.answers["GET /2015-03-31/functions"] = (200, b'{"Functions": ["f", 5]}')
    snapshot = collect(ONE)
    for operation in ("list_functions", "list_workgroups", "list_event_buses", "describe_replication_instances"):
        assert gap_of(snapshot, operation).reason == "malformed"
    assert {gap.reason for gap in snapshot.gaps if gap.service == "ecs"} == {"malformed"}


def test_an_empty_json_object_is_an_empty_answer(stub: Stub) -> None:
    stub(ListEventBuses=(200, b"{}"), DescribeReplicationInstances=(200, b'{"Marker": null}'))
    snapshot = collect(ONE)
    assert snapshot.read(Part("aws", "111122223333", "us-east-1", "events", "list_event_buses")) == {}
    assert snapshot.read(Part("aws", "111122223333", "us-east-1", "dms", "describe_replication_instances")) == {}


def test_throttling_that_does_not_end_is_a_gap(stub: Stub) -> None:
    stub(DescribeReplicationInstances=(400, b'{"__type": "ThrottlingException", "message": "slow down"}'))
    gap = gap_of(collect(ONE), "describe_replication_instances")
    assert (gap.reason, gap.detail) == ("throttled", "ThrottlingException: slow down")


def no_delay(*_: object) -> int:
    return 0


def test_a_passing_fault_is_tried_again(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", no_delay)
    replies = [ec2_error(500, "InternalError"), ec2("DescribeVpcs", "<vpcSet/>")]
    stub(DescribeVpcs=lambda _: replies.pop(0))
    snapshot = collect(AwsOptions(regions=("us-east-1",), attempts=2))
    assert answer_of(snapshot, "describe_vpcs") == {"Vpcs": []}


def test_clients_retry_adaptively_and_never_wait_for_ever() -> None:
    config = config_of(AwsOptions())
    assert getattr(config, "retries", None) == {"mode": "adaptive", "total_max_attempts": 5}
    assert (getattr(config, "connect_timeout", None), getattr(config, "read_timeout", None)) == (10.0, 60.0)


def test_what_the_parent_could_not_list_is_one_gap(stub: Stub) -> None:
    stub(DescribeManagedPrefixLists=ec2_error(403, "UnauthorizedOperation"))
    snapshot = collect(ONE)
    assert gap_of(snapshot, "describe_managed_prefix_lists").reason == "denied"
    assert "get_managed_prefix_list_entries" not in {gap.operation for gap in snapshot.gaps}


def test_a_resource_that_vanishes_between_calls_is_named(stub: Stub) -> None:
    lists = "<prefixListSet><item><prefixListId>pl-1</prefixListId></item></prefixListSet>"
    stub(
        DescribeManagedPrefixLists=ec2("DescribeManagedPrefixLists", lists),
        GetManagedPrefixListEntries=ec2_error(400, "InvalidPrefixListID.NotFound"),
    )
    gap = gap_of(collect(ONE), "get_managed_prefix_list_entries")
    assert (gap.resource, gap.reason) == ("pl-1", "not-found")


def test_one_service_that_cannot_be_reached_is_a_gap(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", f"http://127.0.0.1:{closed_port()}")
    assert gap_of(collect(ONE), "describe_db_instances").reason == "unreachable"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_secrets_never_reach_the_snapshot(stub: Stub) -> None:
    inner = (
        "<launchTemplateVersionSet><item><launchTemplateId>lt-1</launchTemplateId><launchTemplateData>"
        "<userData>c2VjcmV0</userData><imageId>ami-1</imageId></launchTemplateData></item></launchTemplateVersionSet>"
    )
    functions = b'{"Functions": [{"FunctionName": "f", "Environment": {"Variables": {"PASSWORD": "secret"}}}]}'
    stub(DescribeLaunchTemplateVersions=ec2("DescribeLaunchTemplateVersions", inner))
    stub.answers["GET /2015-03-31/functions"] = (200, functions)
    snapshot = collect(ONE)
    template = {"LaunchTemplateId": "lt-1", "LaunchTemplateData": {"ImageId": "ami-1"}}
    assert answer_of(snapshot, "describe_launch_template_versions") == {"LaunchTemplateVersions": [template]}
    part = Part("aws", "111122223333", "us-east-1", "lambda", "list_functions")
    assert snapshot.read(part) == {"Functions": [{"FunctionName": "f"}]}


def test_no_public_access_block_is_an_answer_and_no_gap(stub: Stub) -> None:
    listed = b"""<ListAllMyBucketsResult><Buckets><Bucket><Name>logs</Name><BucketRegion>eu-west-1</BucketRegion>
    <CreationDate>2024-01-02T03:04:05.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>"""
    stub.answers["GET /"] = (200, listed)
    nothing = b"<Error><Code>NoSuchPublicAccessBlockConfiguration</Code><Message>none</Message></Error>"
    stub.answers["GET /logs"] = (404, nothing)
    snapshot = collect(ONE)
    part = Part("aws", "111122223333", "global", "s3", "get_public_access_block", "logs")
    assert snapshot.read(part) == {}
    buckets = Part("aws", "111122223333", "global", "s3", "list_buckets")
    bucket = {"Name": "logs", "BucketRegion": "eu-west-1", "CreationDate": "2024-01-02T03:04:05Z"}
    assert snapshot.read(buckets) == {"Buckets": [bucket]}
    assert {gap.operation for gap in snapshot.gaps if gap.resource == "logs"} == {
        "get_bucket_acl",
        "get_bucket_policy_status",
    }


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ExpiredToken", "have expired"),
        ("InvalidClientTokenId", "does not accept the credentials"),
        ("AccessDenied", "cannot be entered"),
    ],
)
def test_credentials_that_are_refused_stop_the_run_with_a_way_out(stub: Stub, code: str, words: str) -> None:
    stub(GetCallerIdentity=sts_error(403, code))
    with pytest.raises(CredentialsError, match=words) as caught:
        collect(ONE)
    assert code in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_endpoint_that_is_not_there_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(CollectError, match="AWS cannot be reached"):
        collect(ONE)


def test_no_credentials_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsError, match="no AWS credentials"):
        collect(ONE)


def test_an_unknown_profile_stops_the_run_and_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[prod]\naws_access_key_id = a\naws_secret_access_key = b\n")
    with pytest.raises(CredentialsError, match=r"'prdo' is not configured .*: prod"):
        collect(AwsOptions(profiles=("prdo",)))


def test_a_region_that_does_not_exist_names_its_neighbours(stub: Stub) -> None:
    with pytest.raises(CollectError, match="'eu-wset-1' does not exist; did you mean eu-west-1"):
        collect(AwsOptions(regions=("eu-wset-1",), attempts=1))


def test_a_region_that_is_not_enabled_is_a_gap(stub: Stub) -> None:
    snapshot = collect(AwsOptions(regions=("us-east-1", "af-south-1"), attempts=1))
    gap = gap_of(snapshot, "describe_regions")
    assert (gap.region, gap.reason) == ("af-south-1", "unsupported")
    assert snapshot.scopes[0].regions == ("us-east-1",)


def test_without_a_choice_every_enabled_region_is_read(stub: Stub) -> None:
    snapshot = collect(AwsOptions(attempts=1))
    assert snapshot.scopes[0].regions == ("us-east-1", "xx-new-1")


def test_regions_that_may_not_be_listed_are_a_gap_and_the_known_ones_are_read(stub: Stub) -> None:
    stub(DescribeRegions=ec2_error(403, "UnauthorizedOperation"))
    chosen = collect(ONE)
    assert chosen.scopes[0].regions == ("us-east-1",)
    assert "describe_regions" not in {gap.operation for gap in chosen.gaps}


def entered_by(form: Parameters) -> Reply:
    if form["RoleArn"].endswith("role/closed"):
        return sts_error(403, "AccessDenied")
    inner = """<Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
    <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"""
    return 200, f"<AssumeRoleResponse><AssumeRoleResult>{inner}</AssumeRoleResult></AssumeRoleResponse>".encode()


def test_one_account_of_several_that_cannot_be_entered_is_a_gap(stub: Stub) -> None:
    stub(AssumeRole=entered_by)
    roles = ("arn:aws:iam::111122223333:role/audit", "arn:aws:iam::444455556666:role/closed")
    snapshot = collect(AwsOptions(regions=("us-east-1",), assume_roles=roles, attempts=1))
    assert [(scope.scope, scope.regions) for scope in snapshot.scopes] == [
        ("111122223333", ("us-east-1",)),
        ("444455556666", ()),
    ]
    gap = next(gap for gap in snapshot.gaps if gap.service == "sts")
    assert (gap.scope, gap.reason) == ("444455556666", "denied")
    assert "role/closed" in gap.detail


def test_the_only_account_that_cannot_be_entered_stops_the_run(stub: Stub) -> None:
    stub(AssumeRole=entered_by)
    with pytest.raises(CredentialsError, match="trust policy"):
        collect(AwsOptions(regions=("us-east-1",), assume_roles=("arn:aws:iam::444455556666:role/closed",), attempts=1))


def test_the_external_id_is_handed_over(stub: Stub) -> None:
    given: list[str | None] = []

    def enter(form: Parameters) -> Reply:
        given.append(form.get("ExternalId"))
        return entered_by(form)

    stub(AssumeRole=enter)
    role = "arn:aws:iam::111122223333:role/audit"
    collect(AwsOptions(regions=("us-east-1",), assume_roles=(role,), external_id="agreed", attempts=1))
    assert given == ["agreed"]


def test_two_ways_into_one_account_read_it_once(stub: Stub, tmp_path: Path) -> None:
    profile = "[{}]\naws_access_key_id = a\naws_secret_access_key = b\n"
    (tmp_path / "credentials").write_text(profile.format("one") + profile.format("two"))
    snapshot = collect(AwsOptions(profiles=("one", "two"), regions=("us-east-1",), attempts=1))
    assert len(snapshot.scopes) == 1
    assert stub.seen.count("DescribeVpcs") == 1


def test_an_organization_that_may_not_be_listed_stops_the_run(stub: Stub) -> None:
    stub(ListAccounts=(400, b'{"__type": "AccessDeniedException", "message": "no"}'))
    with pytest.raises(CollectError, match="organizations:ListAccounts"):
        collect(AwsOptions(organization=True, regions=("us-east-1",), attempts=1))


def test_several_profiles_cannot_assume_roles() -> None:
    with pytest.raises(ConfigError, match="several profiles"):
        collect(AwsOptions(profiles=("a", "b"), organization=True))


@pytest.mark.parametrize("role", ["audit", "arn:aws:iam::111122223333:user/x", ""])
def test_a_role_that_is_no_role_arn_is_refused(role: str) -> None:
    with pytest.raises(ConfigError, match="is no role"):
        collect(AwsOptions(assume_roles=(role,)))


def test_progress_ends_where_the_known_calls_end(stub: Stub) -> None:
    told: list[tuple[str, int, int]] = []
    collect(ONE, progress=lambda text, done, due: told.append((text, done, due)))
    assert [done for _, done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][1] == told[-1][2]
    assert "111122223333 us-east-1 ec2" in {text for text, _, _ in told}
