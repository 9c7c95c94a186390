"""The YAML that tools write, read line by line: a key and a word on each, lists with dashes, and nothing else.

Most manifests are of that kind, and a parser for all of YAML takes three times as long. What is not is left to that
parser, document by document: quotes with escapes, texts over several lines, anchors, tags, lists in brackets, a key
that stands twice, and whatever is wrong. Rules of indentation:
https://yaml.org/spec/1.2.2/#chapter-8-block-style-productions.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from cloudseg.providers.kubernetes.scalars import plain_key, plain_value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PlainDocument", "read_plain"]

Container: TypeAlias = "dict[str, object] | list[object]"

# Characters that mean the same wherever they stand in a word. A colon means nothing where no space and no end follows.
_SAFE: Final = r"[A-Za-z0-9_./@=+*,;()-]"
_WORD: Final = rf"[A-Za-z0-9_/](?:{_SAFE}|:(?={_SAFE}))*"
_ENTRY: Final = re.compile(
    r"(?P<indent> {0,200})(?P<dash>- )?"
    r"(?:(?P<key>[A-Za-z0-9_][A-Za-z0-9_./-]{0,300}):(?: (?=[^ ])|\Z))?"
    rf"(?:(?P<words>{_WORD}(?: {_SAFE}(?:{_SAFE}|:(?={_SAFE}))*)*)"
    r"""|"(?P<double>[ !#-\[\]-~]*)"|'(?P<single>[ -&(-~]*)'|(?P<empty>\{\}|\[\]))?"""
)
_NOTHING: Final = re.compile(r" *(?:#[ -~]*)?")
_START: Final = "---\n"
_STEP: Final = 2
"""An entry behind a dash stands two places further in than the dash."""


class _Kind(Enum):
    """What a line says after its key or dash."""

    SCALAR = 0
    DEEPER = 1
    """Nothing: what it stands for is in the lines below."""
    MAPPING = 2
    LIST = 3
    NO_ENTRY = 4
    """The line is empty, or a comment."""


class _Line(NamedTuple):
    indent: int
    dash: bool
    key: str | None
    kind: _Kind
    value: str | float | bool | None


_NO_ENTRY: Final = _Line(-1, dash=False, key=None, kind=_Kind.NO_ENTRY, value=None)


class PlainDocument(NamedTuple):
    """A document that could be read.

    Attributes:
        value: what it says.
        line: its first line, counted from 1.
        item_lines: the first line of each entry of its list ``items``.
    """

    value: dict[str, object]
    line: int
    item_lines: tuple[int, ...]


@lru_cache(1 << 15)
def _line(text: str) -> _Line | None:
    """Return what a line says; None where that is not for this reader. Most lines of manifests stand there often."""
    found = _ENTRY.fullmatch(text)
    if found is None or (found["key"] is None and found["dash"] is None):
        return _NO_ENTRY if _NOTHING.fullmatch(text) else None
    key = None if found["key"] is None else plain_key(found["key"])
    indent, dash = len(found["indent"]), found["dash"] is not None
    if found["words"] is not None:
        return _Line(indent, dash, key, _Kind.SCALAR, plain_value(found["words"]))
    if found["empty"] is not None:
        return _Line(indent, dash, key, _Kind.MAPPING if found["empty"] == "{}" else _Kind.LIST, None)
    quoted = found["single"] if found["double"] is None else found["double"]
    if quoted is not None:
        return _Line(indent, dash, key, _Kind.SCALAR, quoted)
    # What follows a dash alone may be anything.
    return None if key is None else _Line(indent, dash, key, _Kind.DEEPER, None)


def read_plain(text: str) -> PlainDocument | None:
    """Return what a document says that holds nothing but plain lines; None for any other, and for an empty one."""
    # The mark that begins a document says no more than that.
    begun = text.startswith(_START)
    return _read((text[len(_START) :] if begun else text).split("\n"), 1 + begun)


def _read(lines: Sequence[str], first: int) -> PlainDocument | None:  # noqa: C901, PLR0912, PLR0915 - one loop over every line of every file
    scalar, deeper, mapping, no_entry = _Kind.SCALAR, _Kind.DEEPER, _Kind.MAPPING, _Kind.NO_ENTRY
    root: dict[str, object] = {}
    items: object = None
    item_lines: list[int] = []
    # What is open: how far in its entries stand, the mapping that they go into, or the list.
    at: int = 0
    here = root
    listed: list[object] | None = None
    outer: list[tuple[int, dict[str, object], list[object] | None]] = []
    """What is open around it, from the document inwards."""
    waiting: str | None = None
    """The last key of a mapping, while what it stands for may follow below."""
    for number, line in enumerate(map(_line, lines), first):
        if line is None:
            return None
        indent, dash, key, kind, value = line
        if kind is no_entry:
            continue
        if waiting is not None:
            if indent > at or (dash and indent == at):
                outer.append((at, here, None))
                at = indent
                if dash:
                    listed = here[waiting] = []
                    if here is root and waiting == "items":
                        items = listed
                else:
                    inner: dict[str, object] = {}
                    here[waiting] = inner
                    here = inner
            else:
                here[waiting] = None
            waiting = None
        # A list may stand as far in as the key that it belongs to; the next key ends it.
        while indent < at or (listed is not None and indent == at and not dash):
            if not outer:
                return None
            at, here, listed = outer.pop()
        if indent != at:
            return None
        if listed is not None:
            if listed is items:
                item_lines.append(number)
            if key is None:
                listed.append(value if kind is scalar else {} if kind is mapping else [])
                continue
            entry: dict[str, object] = {}
            outer.append((at, here, listed))
            listed.append(entry)
            at, here, listed = indent + _STEP, entry, None
        elif dash or key is None or key in here:
            return None
        if kind is scalar:
            here[key] = value
        elif kind is deeper:
            waiting = key
        else:
            here[key] = {} if kind is mapping else []
    if waiting is not None:
        here[waiting] = None
    start = next((number for number, text in enumerate(lines, first) if _line(text) is not _NO_ENTRY), 0)
    return PlainDocument(root, start, tuple(item_lines)) if start else None
