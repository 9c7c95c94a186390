"""Answers of EC2 as Python values, in half of the time that botocore takes: most of what a client computes."""

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.model import Shape, StructureShape
from botocore.parsers import EC2QueryParser, ResponseParser, ResponseParserFactory

__all__ = ["AnswerParsers"]


# The methods of botocore's parsers that a parser of a protocol extends. They are its own affair: where a release has
# others, its parser is taken as it is.
_EXTENDED = "_handle_structure", "_parse_shape"
_KNOWN = all(hasattr(EC2QueryParser, name) for name in _EXTENDED)


def _nothing(_parser: EC2QueryParser, _shape: Shape, _node: Any) -> Any:  # noqa: ANN401 - an XML element
    """Stands for a method that a release does not have; nobody calls it then."""
    return {}


_structure: Callable[[EC2QueryParser, Shape, Any], Any] = getattr(EC2QueryParser, _EXTENDED[0], _nothing)
_value: Callable[[EC2QueryParser, Shape, Any], Any] = getattr(EC2QueryParser, _EXTENDED[1], _nothing)


class _Member(NamedTuple):
    tag: str
    name: str
    shape: Shape
    text: bool


_KEPT = "cloudseg_members"


def _members(shape: StructureShape) -> tuple[_Member, ...]:
    # Kept with the shape itself, as botocore keeps what it works out, and gone with it.
    kept: tuple[_Member, ...] | None = vars(shape).get(_KEPT)
    if kept is None:
        kept = vars(shape)[_KEPT] = tuple(
            _Member(member.serialization.get("name") or name, name, member, member.type_name == "string")
            for name, member in shape.members.items()
        )
    return kept


class _Ec2Parser(EC2QueryParser):
    """Works out once for each structure of the model, not for each item of an answer, which tag is which member.

    Answers of EC2 hold neither attributes nor flattened lists nor members in headers, nor unions. A tag that repeats,
    and an error, are left to botocore.
    """

    def _handle_structure(self, shape: StructureShape, node: Any) -> dict[str, Any]:  # noqa: ANN401 - an XML element
        found = {child.tag.rpartition("}")[2]: child for child in node}
        if len(found) != len(node) or isinstance(node, list) or shape.metadata.get("exception"):
            whole: dict[str, Any] = _structure(self, shape, node)
            return whole
        parsed: dict[str, Any] = {}
        for tag, name, member, text in _members(shape):
            child = found.get(tag)
            if child is not None:
                parsed[name] = (child.text or "") if text else _value(self, member, child)
        return parsed


class AnswerParsers(ResponseParserFactory):
    """botocore's parsers, but for EC2."""

    def __init__(self, timestamp_parser: Callable[[object], str], blob_parser: Callable[[object], str]) -> None:
        super().__init__()
        self.set_parser_defaults(timestamp_parser=timestamp_parser, blob_parser=blob_parser)
        self._of_ec2 = _Ec2Parser(timestamp_parser, blob_parser)

    def create_parser(self, protocol_name: str) -> ResponseParser:
        """The parser of a protocol."""
        return self._of_ec2 if protocol_name == "ec2" and _KNOWN else super().create_parser(protocol_name)
