"""JSON written piece by piece, indented by two: an iterator among the values becomes an array, an element at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeGuard, cast

import msgspec

from cloudseg.reporters.text import valid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

__all__ = ["Lines", "Written", "json_line", "write_json"]

_AT_ONCE = 256
"""So many lines are written at once: one by one takes twice as long."""

# JSON does not ask for these to be escaped, but a terminal that shows the file acts on them.
_ACTING = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Lines:
    """Values that become an array with one of them a line: for those that come by the million.

    Args:
        items: the values, of ASCII texts only or such as may be escaped.
    """

    def __init__(self, items: Iterator[object]) -> None:
        self.items = items


class Written:
    """Values that become an array with one of them a line, and are JSON already, as :func:`json_line` makes it.

    Args:
        lines: the values.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines


def json_line(value: object) -> str:
    """Return a value as JSON in one line, as :class:`Lines` has it."""
    return _escaped(_encoded(value).decode())


def write_json(stream: TextIO, value: object) -> None:
    """Write a value as one JSON document with a line feed at its end.

    Args:
        stream: takes UTF-8.
        value: what msgspec encodes; iterators may stand as the document, as values of dictionaries that are reached
            through iterators and dictionaries only, and nowhere else; so may :class:`Lines` and :class:`Written`.
    """
    _write(stream, value, "\n")
    stream.write("\n")


def _write(stream: TextIO, value: object, line: str) -> None:
    """Write a value whose lines after the first begin with the end of ``line``: a line feed and the indentation."""
    deeper = line + "  "
    if isinstance(value, Iterator):
        empty = True
        for item in cast("Iterator[object]", value):
            stream.write(("[" if empty else ",") + deeper)
            _write(stream, item, deeper)
            empty = False
        stream.write("[]" if empty else f"{line}]")
    elif isinstance(value, Lines):
        _write_lines(stream, map(json_line, value.items), line)
    elif isinstance(value, Written):
        _write_lines(stream, value.lines, line)
    elif _holds_iterators(value):
        opening = "{"
        for key, item in value.items():
            stream.write(f"{opening}{deeper}{_text(key, deeper)}: ")
            _write(stream, item, deeper)
            opening = ","
        stream.write(f"{line}}}")
    else:
        stream.write(_text(value, line))


def _write_lines(stream: TextIO, lines: Iterator[str], line: str) -> None:
    opening, between = f"[{line}  ", f",{line}  "
    before = opening
    while several := list(islice(lines, _AT_ONCE)):
        stream.write(before + between.join(several))
        before = between
    stream.write("[]" if before == opening else f"{line}]")


def _holds_iterators(value: object) -> TypeGuard[dict[str, object]]:
    if not isinstance(value, dict):
        return False
    items = cast("dict[str, object]", value).values()
    return any(isinstance(item, Iterator | Lines | Written) or _holds_iterators(item) for item in items)


def _text(value: object, line: str) -> str:
    return _escaped(msgspec.json.format(_encoded(value), indent=2).decode().replace("\n", line))


def _encoded(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))


def _escaped(text: str) -> str:
    return text if text.isascii() and "\x7f" not in text else _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _without_surrogates(value: object) -> object:
    match value:
        case str():
            return valid(value)
        case dict():
            members = cast("dict[str, object]", value)
            return {valid(key): _without_surrogates(item) for key, item in members.items()}
        case list() | tuple():
            return [_without_surrogates(item) for item in cast("Sequence[object]", value)]
        case _:
            return value
