"""Where things stand in the text of an intent file, so that lines can be put beside them and nothing else is touched.

The file is people's: their comments, their order, their blank lines stay. Only lines that begin with ``#:`` are
cloudseg's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MARK", "IntentText", "Place", "Section", "read_places"]

MARK: Final = "#:"
"""What begins the lines that a run writes and the next one replaces."""
_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""The ends of lines, as the parser counts them. Source: https://yaml.org/spec/1.1/#id871136"""


class Place(NamedTuple):
    """A segment or an allowance in the text.

    Attributes:
        line: the line on which it begins, counted from 0 without the lines of the last run.
        indent: how far in it stands.
        last: its last line.
        before: what the last run wrote directly above it, without the mark.
    """

    line: int
    indent: int
    last: int
    before: tuple[str, ...]


class Section(NamedTuple):
    """The segments, or the allowances.

    Attributes:
        places: where they stand, in the order of the file.
        empty: the line of a section that is written ``{}`` or ``[]``; None for any other.
        there: it stands in the file.
    """

    places: tuple[Place, ...]
    empty: int | None = None
    there: bool = True


class IntentText(NamedTuple):
    """The text of an intent file without what the last run wrote.

    Attributes:
        lines: its lines, without their ends; the last one is empty where the text ends with an end of line.
        ends: the end of each line; empty for the last one.
        begin: the line of its first key.
        last: the last line of what it says.
        segments: the segments.
        allow: the allowances.
    """

    lines: tuple[str, ...]
    ends: tuple[str, ...]
    begin: int
    last: int
    segments: Section
    allow: Section


def read_places(text: str) -> IntentText:
    """Return where things stand in the text of an intent file, which ``read_intent`` must have taken.

    Raises:
        InputError: the file is written in a way in which no lines can be put beside its entries.
    """
    lines, ends, above = _without_marks(text)
    own = "\n".join(lines)
    root = yaml.compose(own, Loader=yaml.CSafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise InputError("cannot be updated: it is written in braces; write each key on a line of its own")
    dashes = [
        (int(token.start_mark.line), int(token.start_mark.column))
        for token in yaml.scan(own, Loader=yaml.CSafeLoader)
        if isinstance(token, yaml.BlockEntryToken)
    ]
    nodes = {str(key.value): value for key, value in _pairs(root)}
    segments = _section(nodes.get("segments"), "segments")
    allow = _section(nodes.get("allow"), "allow")
    if (node := nodes.get("segments")) is not None and isinstance(node, yaml.MappingNode):
        named = (
            Place(_line(key), int(key.start_mark.column), max(_line(key), _last_line(value, lines)), above[_line(key)])
            for key, value in _pairs(node)
        )
        segments = segments._replace(places=tuple(named))
    if (node := nodes.get("allow")) is not None and isinstance(node, yaml.SequenceNode):
        allow = allow._replace(places=tuple(_entry(each, dashes, lines, above) for each in _items(node)))
    return IntentText(tuple(lines), tuple(ends), _line(root), _last_line(root, lines), segments, allow)


def _without_marks(text: str) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """Return the lines that are people's with their ends, and for each what a run wrote directly above it."""
    every, breaks = _BREAK.split(text), [*_BREAK.findall(text), ""]
    inner: set[int] = set()
    # Inside of a text that spans lines nothing is a comment.
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        if isinstance(token, yaml.ScalarToken):
            first, last = int(token.start_mark.line), int(token.end_mark.line)
            inner.update(range(first + 1, last + (1 if token.end_mark.column else 0)))
    lines: list[str] = []
    ends: list[str] = []
    above: list[tuple[str, ...]] = []
    held: list[str] = []
    for number, (line, end) in enumerate(zip(every, breaks, strict=True)):
        bare = line.lstrip()
        if bare.startswith(MARK) and number not in inner:
            held.append(bare.removeprefix(MARK).strip())
            continue
        lines.append(line)
        ends.append(end)
        above.append(tuple(held))
        held = []
    return lines, ends, above


def _section(node: yaml.Node | None, name: str) -> Section:
    if node is None:
        return Section((), there=False)
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        if node.value or _line(node) != int(node.end_mark.line):
            raise InputError(
                f"cannot be updated: `{name}` is written in brackets; write each entry on lines of its own"
            )
        return Section((), _line(node))
    return Section(())


def _entry(
    node: yaml.Node, dashes: Sequence[tuple[int, int]], lines: Sequence[str], above: Sequence[tuple[str, ...]]
) -> Place:
    begin = (_line(node), int(node.start_mark.column))
    line, column = max(dash for dash in dashes if dash < begin)
    return Place(line, column, _last_line(node, lines), above[line])


def _last_line(node: yaml.Node, lines: Sequence[str]) -> int:
    """Return the last line of a node. What ends a block is only known by what comes next, so its parts are asked."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        return max(_last_line(each, lines) for each in _parts(node))
    last = int(node.end_mark.line) - (0 if node.end_mark.column else 1)
    last = max(last, _line(node))
    while last > _line(node) and not lines[last].strip():
        last -= 1
    return last


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in _pairs(node):
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from _items(node)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line)


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    yield from node.value


def _items(node: yaml.SequenceNode) -> Iterator[yaml.Node]:
    yield from node.value
