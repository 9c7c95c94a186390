"""JSON documents, one after another in one text, and the lines on which objects begin."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["JsonValue", "JsonValueError", "read_json"]

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_BETWEEN: Final = re.compile(r"(?:[ \t\n\r]*(?:(?<=\n)---[ \t]*(?=\n|\Z))?)*")


class JsonValueError(Exception):
    """A text that is no JSON from some line on, counted from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


class JsonValue(NamedTuple):
    """One document.

    Attributes:
        value: what it says.
        line: its first line, counted from 1.
        item_lines: the first line of each entry of its list ``items``.
        repeated: the keys that stand twice in one object of it.
    """

    value: object
    line: int
    item_lines: tuple[int, ...]
    repeated: tuple[str, ...]


def read_json(text: str) -> Iterator[JsonValue]:
    """Yield the documents of a text, with nothing or a line ``---`` between them, as kubectl takes them.

    Raises:
        JsonValueError: the text is no JSON from here on.
    """
    reader = _Reader(text)
    try:
        yield from reader.documents()
    except json.JSONDecodeError as error:
        raise JsonValueError(error.lineno, f"this is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise JsonValueError(reader.line(reader.place), "this nests too deeply for a manifest") from error
    except ValueError as error:
        # A number of more digits than Python turns into one.
        raise JsonValueError(reader.line(reader.place), "this is no JSON: a number is too long") from error


class _Reader:
    """Where the reading of one text stands: objects are decoded whole, but for the outermost and its list of items."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=self._constant)
        self._repeated: list[str] = []
        self._counted = (0, 1)
        self.place = 0

    def line(self, place: int) -> int:
        """Return the line of a place, counted from 1."""
        start, line = self._counted
        if place < start:
            start, line = 0, 1
        self._counted = place, line + self._text.count("\n", start, place)
        return self._counted[1]

    def documents(self) -> Iterator[JsonValue]:
        while True:
            match = _BETWEEN.match(self._text, self.place)
            self.place = match.end() if match else self.place
            if self.place >= len(self._text):
                return
            self._repeated.clear()
            line = self.line(self.place)
            item_lines: list[int] = []
            value = self._outermost(item_lines) if self._at("{") else self._value()
            yield JsonValue(value, line, tuple(item_lines), tuple(self._repeated))

    def _outermost(self, item_lines: list[int]) -> dict[str, object]:
        pairs: list[tuple[str, object]] = []
        self._expect("{")
        while not self._at("}"):
            if pairs:
                self._expect(",")
            key = self._value() if self._at('"') else None
            if not isinstance(key, str):
                self._fail("a key in quotes is missing")
            self._expect(":")
            items = key == "items" and self._at("[")
            pairs.append((key, self._items(item_lines) if items else self._value()))
        self._expect("}")
        return self._object(pairs)

    def _items(self, item_lines: list[int]) -> list[object]:
        found: list[object] = []
        self._expect("[")
        while not self._at("]"):
            if found:
                self._expect(",")
            self._skip()
            item_lines.append(self.line(self.place))
            found.append(self._value())
        self._expect("]")
        return found

    def _value(self) -> object:
        self._skip()
        value: object
        value, self.place = self._decoder.raw_decode(self._text, self.place)
        return value

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            self._repeated += sorted({name for name in names if names.count(name) > 1})
        return found

    def _constant(self, name: str) -> NoReturn:
        self._fail(f"{name} is no number")

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self.place)
        self.place = match.end() if match else self.place

    def _at(self, sign: str) -> bool:
        self._skip()
        return self._text.startswith(sign, self.place)

    def _expect(self, sign: str) -> None:
        if not self._at(sign):
            self._fail(f"{sign!r} is missing")
        self.place += 1

    def _fail(self, problem: str) -> NoReturn:
        raise json.JSONDecodeError(problem, self._text, self.place)
