"""The table of operations, held against botocore's own models and a hand-written list of IAM exceptions."""

import re
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, Shape

from cloudseg.providers.aws.collect import AwsOptions, collect
from cloudseg.providers.aws.operations import DISCOVERY, OPERATIONS, Operation, children_of, iam_actions, roots
from cloudseg.snapshot import Snapshot

SESSION = botocore.session.get_session()
IDS = [f"{operation.service}.{operation.name}" for operation in OPERATIONS]
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=IDS)

# Where the Service Authorization Reference differs from "<endpoint prefix>:<API operation>".
PREFIXES = {
    "ec2": "ec2", "elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "efs": "elasticfilesystem",
    "opensearch": "es",
}  # fmt: skip
ACTIONS = {
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "s3:GetAccountPublicAccessBlock",
    ("apigateway", "GetRestApis"): "apigateway:GET",
    ("apigatewayv2", "GetApis"): "apigateway:GET",
}


def model_of(operation: Operation) -> OperationModel:
    service = SESSION.get_service_model(operation.service)
    names = {xform_name(name): name for name in service.operation_names}
    return service.operation_model(names[operation.name])


def members(shape: Shape | None) -> dict[str, Any]:
    return getattr(shape, "members", {})


def shape_at(shape: Shape | None, path: str) -> Shape:
    for key in path.split("."):
        shape = members(shape)[key]
    assert shape is not None
    return shape


def member_of(shape: Shape) -> Shape | None:
    return getattr(shape, "member", None)


def pagination(operation: Operation) -> dict[str, Any] | None:
    try:
        found = SESSION.get_paginator_model(operation.service).get_paginator(model_of(operation).name)
    except (ValueError, UnknownServiceError):
        return None
    return dict(found)


@every_operation
def test_the_request_and_the_answer_are_as_botocore_knows_them(operation: Operation) -> None:
    model = model_of(operation)
    given = {name for name, _ in operation.arguments}
    if operation.per is not None:
        given |= {name for name, _ in operation.per.arguments} | set(operation.per.carry)
    if operation.service == "s3control":
        given.add("AccountId")
    assert model.input_shape is not None
    assert given <= members(model.input_shape).keys()
    assert set(model.input_shape.required_members) <= given
    assert operation.key in members(model.output_shape)


@every_operation
def test_every_answer_that_comes_in_pages_is_paged(operation: Operation) -> None:
    known = pagination(operation)
    outputs = members(model_of(operation).output_shape)
    if known is not None:
        assert operation.paging is None
        keys = known["result_key"]
        assert operation.key == keys or operation.key in keys
        if operation.page is not None:
            limit = members(model_of(operation).input_shape)[known["limit_key"]]
            assert operation.page <= limit.metadata.get("max", operation.page)
    elif operation.paging is not None:
        assert operation.paging.request in members(model_of(operation).input_shape)
        assert shape_at(model_of(operation).output_shape, operation.paging.answer).type_name == "string"
    else:
        assert not {"NextToken", "nextToken", "NextMarker", "Marker"} & outputs.keys()
        assert operation.page is None


@every_operation
def test_a_dependent_call_takes_what_its_parent_lists(operation: Operation) -> None:
    if operation.per is None:
        return
    parent = next(other for other in OPERATIONS if (other.service, other.name) == (operation.service, operation.per.of))
    assert parent.region == operation.region
    for path in operation.per.items:
        shape = shape_at(model_of(parent).output_shape, path)
        item = getattr(shape, "member", shape)
        keys = {key for _, key in operation.per.arguments} | {operation.per.resource, operation.per.region}
        assert keys - {""} <= members(item).keys()
    if operation.per.batch:
        assert not children_of(operation)
        assert len(operation.per.arguments) == 1


@every_operation
def test_the_iam_action_is_the_one_that_the_service_checks(operation: Operation) -> None:
    model = model_of(operation)
    prefix = PREFIXES.get(operation.service, operation.service)
    assert operation.iam == ACTIONS.get((operation.service, model.name), f"{prefix}:{model.name}")


@every_operation
def test_only_reading_is_asked(operation: Operation) -> None:
    assert re.match(r"(describe|list|get|search|batch_get)_", operation.name)


@every_operation
def test_what_is_redacted_occurs_in_the_answer(operation: Operation) -> None:
    found: set[str] = set()

    def walk(shape: Shape | None, above: tuple[str, ...]) -> None:
        if shape is None or shape.name in above:
            return
        for name, member in members(shape).items():
            found.add(name)
            walk(member, (*above, shape.name))
        walk(member_of(shape), above)

    walk(model_of(operation).output_shape, ())
    assert set(operation.redact) <= found


@every_operation
def test_no_answer_holds_binary_that_json_cannot(operation: Operation) -> None:
    model = model_of(operation)
    if "cbor" in model.service_model.metadata["protocol"]:
        assert not model.has_streaming_output
        assert "blob" not in types_in(model.output_shape, ())


def types_in(shape: Shape | None, above: tuple[str, ...]) -> set[str]:
    if shape is None or shape.name in above:
        return set()
    below = [*members(shape).values(), member_of(shape)]
    return {shape.type_name}.union(*(types_in(child, (*above, shape.name)) for child in below))


def test_no_operation_is_listed_twice() -> None:
    assert len(set(IDS)) == len(IDS)
    assert len({(operation.service, operation.name) for operation in roots()}) == len(roots())


def one_of_everything(shape: Shape | None, above: tuple[str, ...] = ()) -> Any:
    """An answer with one item in each list, after the service's model."""
    if shape is None or shape.name in above:
        return None
    if shape.type_name == "structure":
        return {name: one_of_everything(child, (*above, shape.name)) for name, child in members(shape).items()}
    if shape.type_name == "list":
        return [one_of_everything(member_of(shape), (*above, shape.name))]
    plain: dict[str, Any] = {"integer": 1, "long": 1, "boolean": False, "double": 0.5, "float": 0.5, "map": {}}
    return plain.get(shape.type_name, "x")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """The (service, operation) pairs that a collection asks, of an account that has one of everything."""
    seen: set[tuple[str, str]] = set()
    tokens = {"NextToken", "nextToken", "NextMarker", "Marker", "position", "ContinuationToken"}

    def api_call(client: Any, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        model = client.meta.service_model.operation_model(name)
        seen.add((client.meta.service_model.service_name, xform_name(name)))
        answer = one_of_everything(model.output_shape)
        if name == "DescribeRegions":
            return {"Regions": [{"RegionName": "us-east-1", "OptInStatus": "opt-in-not-required"}]}
        if name == "GetCallerIdentity":
            return {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/audit"}
        answer = {key: value for key, value in answer.items() if key not in tokens}
        for bucket in answer.get("Buckets", ()):
            bucket["BucketRegion"] = "eu-west-1"
        if "VpcOriginList" in answer:
            answer["VpcOriginList"].pop("NextMarker")
        return {**answer, "AdditionalRoutesAvailable": False} if "AdditionalRoutesAvailable" in answer else answer

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", api_call)
    return seen


def read_everything() -> Snapshot:
    return collect(AwsOptions(regions=("us-east-1",), attempts=1))


def test_the_calls_made_are_those_of_the_table_and_no_other(called: set[tuple[str, str]]) -> None:
    snapshot = read_everything()
    assert snapshot.gaps == ()
    table = {(operation.service, operation.name) for operation in OPERATIONS}
    assert called == table | {(service, name) for service, name, _ in DISCOVERY}
    assert {(part.service, part.operation) for part in snapshot.parts()} == table


def test_the_permissions_are_those_of_the_calls_made(called: set[tuple[str, str]]) -> None:
    read_everything()
    needed = {operation.iam for operation in OPERATIONS if (operation.service, operation.name) in called}
    # Who one is may be asked without any permission.
    assert set(iam_actions()) == needed | {"ec2:DescribeRegions"}


def test_batches_are_merged_into_one_part(called: set[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    whole: Any = getattr(BaseClient, "_make_api_call", None)

    def api_call(client: Any, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if name == "ListDomainNames":
            return {"DomainNames": [{"DomainName": f"d{number}"} for number in range(12)]}
        if name == "DescribeDomains":
            asked.append(arguments["DomainNames"])
            return {"DomainStatusList": [{"DomainName": domain} for domain in arguments["DomainNames"]]}
        answer: dict[str, Any] = whole(client, name, arguments)
        return answer

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", api_call)
    snapshot = read_everything()
    (part,) = (part for part in snapshot.parts() if part.operation == "describe_domains")
    assert snapshot.read(part) == {"DomainStatusList": [{"DomainName": f"d{number}"} for number in range(12)]}
    assert sorted(map(len, asked)) == [2, 5, 5]
