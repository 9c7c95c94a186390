"""The values of one YAML document, read as kubectl reads them, and the lines on which they stand.

kubectl turns YAML into JSON (https://github.com/kubernetes-sigs/yaml): aliases and merge keys are written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

import yaml
from yaml import MappingNode, ScalarNode

from cloudseg.providers.kubernetes.scalars import json_key, plain_key, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["YamlValue", "YamlValueError", "read_yaml"]

_TEXT: Final = "tag:yaml.org,2002:str"
_PLAIN: Final = "plain"
"""Stands for the tag of a text without quotes, whose type follows from how it looks."""
_TYPED: Final = frozenset(("tag:yaml.org,2002:int", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null", _PLAIN))
_TYPED_FLOAT: Final = "tag:yaml.org,2002:float"
_DEEPEST: Final = 200
"""The C parser calls itself for what nests, and ends the process where that goes too deep."""
_MOST_BRACKETS: Final = 200
_LONGEST_LINE: Final = 400
_ALIAS_ALLOWANCE: Final = 1_000_000


class YamlValueError(Exception):
    """A document that is no YAML, or none that makes an object.

    Attributes:
        line: where, counted from 1; None where it is not known.
        unrendered: a template's braces stand where a key or a value should.
    """

    def __init__(self, line: int | None, problem: str, *, unrendered: bool = False) -> None:
        super().__init__(problem)
        self.line = line
        self.unrendered = unrendered


class YamlValue(NamedTuple):
    """One document.

    Attributes:
        value: what it says, as JSON could; None for an empty document.
        line: its first line, counted from 1 in the text that was read.
        item_lines: the first line of each entry of its list ``items``.
        repeated: every key that stands twice in one mapping, with the line of the later one.
    """

    value: object
    line: int
    item_lines: tuple[int, ...]
    repeated: tuple[tuple[int, str], ...]


class _Loader(yaml.CSafeLoader):
    """Tells texts in quotes from others and leaves the rest to who builds the values."""

    def descend_resolver(self, current_node: yaml.Node | None, current_index: object) -> None:
        """Nothing hangs on the path to a value."""

    def ascend_resolver(self) -> None:
        """Nothing hangs on the path to a value."""

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        """Return a tag for what bears none; that of a list or mapping tells nothing that its node does not."""
        _ = kind, value
        return _PLAIN if isinstance(implicit, tuple) and implicit[0] else _TEXT


def read_yaml(text: str) -> YamlValue:
    """Return what one YAML document says.

    Raises:
        YamlValueError: it is no YAML, nests too deeply, a key is no text, or its aliases stand for too much.
    """
    try:
        _refuse_depth(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        if root is None:
            return YamlValue(None, 1, (), ())
        return _built(root, len(text))
    except yaml.reader.ReaderError as error:
        line = text.encode("utf-8", "replace").count(b"\n", 0, error.position) + 1
        raise YamlValueError(line, f"this is no YAML: {error.reason}") from error
    except yaml.MarkedYAMLError as error:
        raise YamlValueError(
            None if error.problem_mark is None else error.problem_mark.line + 1, _told(error)
        ) from error


def _built(root: yaml.Node, length: int) -> YamlValue:
    builder = _Builder(length)
    try:
        value = builder.value(root)
    except RecursionError as error:
        raise YamlValueError(_line(root), "this nests too deeply for a manifest") from error
    return YamlValue(value, _line(root), tuple(_item_lines(root)), tuple(builder.repeated))


def _told(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    # The rest of the parser's words quotes what is written there, which may be a password.
    if "alias" in problem:
        return "this is no YAML: it refers to an anchor that is not there; a text that begins with * needs quotes"
    return f"this is no YAML: {' '.join(problem.split())}"


def _refuse_depth(text: str) -> None:
    """Refuse a text that would nest beyond what the parser stands; most texts show at a glance that they do not."""
    brackets = text.count("[") + text.count("{")
    if brackets <= _MOST_BRACKETS and max(map(len, text.split("\n"))) <= _LONGEST_LINE:
        return
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line = None if event.start_mark is None else event.start_mark.line + 1
                raise YamlValueError(line, "this nests too deeply for a manifest")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Builder:
    """Turns the nodes of one document into values; every alias gets a value of its own."""

    def __init__(self, length: int) -> None:
        self.repeated: list[tuple[int, str]] = []
        # Without aliases a document holds no more than it is long.
        self._left = 4 * length + _ALIAS_ALLOWANCE

    def value(self, node: yaml.Node) -> object:
        """Return the value of a node.

        Raises:
            YamlValueError: a key is no text, or aliases stand for too much.
        """
        content = node.value
        self._left -= len(content) + 1
        if self._left < 0:
            raise YamlValueError(_line(node), "its aliases stand for more than a manifest can hold")
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, MappingNode):
            return self._mapping(node)
        return [self.value(item) for item in content]

    def _mapping(self, node: yaml.MappingNode) -> dict[str, object]:
        result: dict[str, object] = {}
        merged: list[object] = []
        for key, item in node.value:
            # Most entries are a word and a text: they take no further call.
            if isinstance(key, ScalarNode) and isinstance(item, ScalarNode) and key.tag == item.tag == _PLAIN:
                word: str = key.value
                if (name := plain_key(word)) not in result and word != "<<":
                    text: str = item.value
                    self._left -= len(text) + 1
                    result[name] = plain_value(text)
                    continue
            if not isinstance(key, ScalarNode):
                braces = isinstance(key, MappingNode) and bool(key.flow_style)
                raise YamlValueError(_line(key), "a key must be a text", unrendered=braces)
            if key.value == "<<" and key.tag == _PLAIN:
                found = self.value(item)
                merged += cast("list[object]", found) if isinstance(found, list) else [found]
                continue
            name = plain_key(key.value) if key.tag == _PLAIN else json_key(_scalar(key))
            if name in result:
                self.repeated.append((_line(key), name))
            result[name] = self.value(item)
        # The first of several counts, and what the mapping says itself counts before all of them.
        for other in merged:
            if not isinstance(other, dict):
                raise YamlValueError(_line(node), "a merge key (<<) takes a mapping, or a list of them")
            result = cast("dict[str, object]", other) | result
        return result


def _scalar(node: yaml.ScalarNode) -> str | float | bool | None:
    text: str = node.value
    if node.tag == _TEXT:
        return text
    if node.tag in _TYPED:
        return plain_value(text)
    if node.tag == _TYPED_FLOAT:
        found = plain_value(text)
        return float(found) if isinstance(found, int) else found
    return text


def _item_lines(root: yaml.Node) -> Iterator[int]:
    if not isinstance(root, yaml.MappingNode):
        return
    for key, value in root.value:
        if key.value == "items" and isinstance(value, yaml.SequenceNode):
            yield from (_line(item) for item in value.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
