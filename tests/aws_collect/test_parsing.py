"""The parser of EC2 answers says what botocore's says."""

from collections.abc import Iterator

import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import EC2QueryParser
from botocore.session import Session

from cloudseg.providers.aws.operations import DISCOVERY, OPERATIONS
from cloudseg.providers.aws.parsing import AnswerParsers

ASKED = {each.name for each in OPERATIONS if each.service == "ec2"} | {
    name for service, name, _ in DISCOVERY if service == "ec2"
}
MODEL = Session().get_service_model("ec2")
ANSWER = """<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
<requestId>r-1</requestId>
<reservationSet>
 <item><reservationId>r-0a</reservationId><groupSet/><unknownToTheModel>1</unknownToTheModel>
  <instancesSet><item>
   <instanceId>i-0a</instanceId><ebsOptimized>true</ebsOptimized><reason></reason>
   <instanceState><code>16</code><name>running</name></instanceState>
   <launchTime>2026-01-31T12:00:00.000Z</launchTime>
   <networkInterfaceSet><item><groupSet><item><groupId>sg-0a</groupId></item><item><groupId>sg-0b</groupId></item></groupSet>
   </item></networkInterfaceSet>
  </item></instancesSet></item>
</reservationSet><nextToken>a&amp;b</nextToken></DescribeInstancesResponse>"""


def text(value: object) -> str:
    return f"as it came: {value}"


def operations() -> Iterator[OperationModel]:
    for name in MODEL.operation_names:
        if xform_name(name) in ASKED:
            yield MODEL.operation_model(name)


def within(shape: Shape | None, known: set[str]) -> Iterator[Shape]:
    if shape is None or shape.name in known:
        return
    known.add(shape.name)
    yield shape
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            yield member
            yield from within(member, known)
    elif isinstance(shape, ListShape):
        yield from within(shape.member, known)
    elif isinstance(shape, MapShape):
        yield from within(shape.value, known)


def both(body: str, status: int = 200) -> tuple[object, object]:
    shape = MODEL.operation_model("DescribeInstances").output_shape
    assert shape is not None
    own = AnswerParsers(text, text).create_parser("ec2")
    vendors = EC2QueryParser(timestamp_parser=text, blob_parser=text)
    first, second = (
        parser.parse({"body": body.encode(), "headers": {}, "status_code": status}, shape) for parser in (own, vendors)
    )
    # The order counts as well: a snapshot holds keys as they come.
    return repr(first), repr(second)


def test_no_answer_of_ec2_holds_what_only_botocore_reads() -> None:
    assert len(list(operations())) == len(ASKED)
    shapes = [shape for operation in operations() for shape in within(operation.output_shape, set())]
    assert len(shapes) > len(ASKED)
    for shape in shapes:
        assert not shape.serialization.keys() & {"location", "xmlAttribute", "eventheader", "flattened"}, shape
        assert not getattr(shape, "is_tagged_union", False), shape


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (ANSWER, 200),
        (ANSWER.replace(' xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"', ""), 200),
        (ANSWER.replace("<requestId>r-1</requestId>", "<reservationSet/>"), 200),
        ("<DescribeInstancesResponse/>", 200),
        ("<Response><Errors><Error><Code>Throttling</Code><Message>slow</Message></Error></Errors></Response>", 503),
    ],
    ids=["full", "without a namespace", "a tag twice", "empty", "an error"],
)
def test_an_answer_is_what_botocore_reads(body: str, status: int) -> None:
    own, vendors = both(body, status)
    assert own == vendors


def test_a_full_answer_is_read() -> None:
    own, _ = both(ANSWER)
    for held in (
        "'i-0a'",
        "'sg-0b'",
        "True",
        "16",
        "'StateTransitionReason': ''",
        "'a&b'",
        "as it came: 2026-01-31T12:00:00.000Z",
    ):
        assert held in str(own)
