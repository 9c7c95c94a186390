"""From the text of a manifest to its documents, each with its place; what is no document is told and passed over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.json_text import well_formed
from cloudseg.providers.kubernetes.json_values import JsonValueError, read_json
from cloudseg.providers.kubernetes.plain_yaml import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNRENDERED", "Broken", "Document", "read_documents"]

UNRENDERED: Final = (
    "a template that was not rendered ({{); render it (`helm template`, `kustomize build`) and pipe what comes out into"
    " `cloudseg audit -`"
)
# Of these two the specification says that they end a document wherever they stand at the beginning of a line:
# https://yaml.org/spec/1.2.2/#912-document-markers
_MARKS: Final = ("---", "...")
_BEHIND_MARK: Final = (" ", "\t", "\n", "")
_DIRECTIVES: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n|%[^\n]*\n)*")


class Document(NamedTuple):
    """One document.

    Attributes:
        value: what it says, as decoded JSON that can be written again; None where it is empty.
        line: its first line, counted from 1.
        item_lines: the first line of each entry of its list ``items``.
        repeated: the keys that stand twice in one mapping, each with its line, or that of the document.
        braces: somewhere in it stand the braces of a template.
    """

    value: object
    line: int
    item_lines: tuple[int, ...]
    repeated: tuple[tuple[int, str], ...]
    braces: bool


class Broken(NamedTuple):
    """A document that cannot be read.

    Attributes:
        line: where, counted from 1.
        problem: why, in words.
        unrendered: it is a template.
        foreign: it names neither a kind nor an API version, so no cluster would take it in any form.
    """

    line: int
    problem: str
    unrendered: bool
    foreign: bool


def read_documents(text: str) -> Iterator[Document | Broken]:
    """Yield the documents of a text of YAML or JSON, in their order."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = text.lstrip()
    if start.startswith("{") and not start.startswith("{{"):
        yield from _json_documents(text)
    else:
        yield from _yaml_documents(text)


def _json_documents(text: str) -> Iterator[Document | Broken]:
    """Yield what JSON says; what is none may still be YAML, whose mappings can be written with braces."""
    braces = "{{" in text
    found: list[Document | Broken] = []
    try:
        for value, line, item_lines, repeated in read_json(text):
            keys = tuple((line, key) for key in repeated)
            found.append(Document(well_formed(value), line, item_lines, keys, braces))
    except JsonValueError as error:
        other = list(_yaml_documents(text))
        quoted = text.lstrip()[1:].lstrip().startswith(('"', "}"))
        if not quoted or not any(isinstance(each, Broken) for each in other):
            found = other
        else:
            found.append(_broken(text, error.line, str(error), unrendered=False))
    yield from found


def _yaml_documents(text: str) -> Iterator[Document | Broken]:
    for before, chunk in _chunks(text):
        plain = read_plain(chunk)
        if plain is not None:
            moved = tuple(before + each for each in plain.item_lines)
            yield Document(plain.value, before + plain.line, moved, (), "{{" in chunk)
        else:
            yield from _of_any_yaml(before, chunk)


def _of_any_yaml(before: int, chunk: str) -> Iterator[Document | Broken]:
    """Yield what a whole parser reads in the text of one document, behind so many lines; nothing for an empty one."""
    from cloudseg.providers.kubernetes.yaml_values import YamlValueError, read_yaml

    try:
        value, line, item_lines, repeated = read_yaml(chunk)
    except YamlValueError as error:
        yield _broken(chunk, before + (error.line or 1), str(error), unrendered=error.unrendered)
        return
    if value is None:
        return
    moved = tuple(before + each for each in item_lines) if before else item_lines
    keys = tuple((before + place, key) for place, key in repeated)
    yield Document(well_formed(value), before + line, moved, keys, "{{" in chunk)


def _broken(text: str, line: int, problem: str, *, unrendered: bool) -> Broken:
    foreign = "apiVersion" not in text and "kind" not in text
    if unrendered:
        return Broken(line, UNRENDERED, unrendered=True, foreign=False)
    if "{{" in text or "{%" in text:
        return Broken(line, f"{problem}; it looks like {UNRENDERED}", unrendered=True, foreign=False)
    return Broken(line, problem, unrendered=False, foreign=foreign)


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text of each document, with the number of lines before it."""
    start = line = 0
    for end, mark in _marks(text):
        if mark == "...":
            following = text.find("\n", end)
            end = len(text) if following < 0 else following + 1  # noqa: PLW2901 - the document ends with the line
        chunk = text[start:end]
        # Directives belong to the document after the mark.
        if not chunk or (mark == "---" and "%" in chunk and _DIRECTIVES.fullmatch(chunk)):
            continue
        yield line, chunk
        line += chunk.count("\n")
        start = end
    if start < len(text):
        yield line, text[start:]


def _marks(text: str) -> list[tuple[int, str]]:
    """Return the marks between documents, in their order, each with where it stands."""
    # The search for a text is many times as fast as that for beginnings of lines; the first line gets an end before it.
    lines = f"\n{text}"
    found: list[tuple[int, str]] = []
    for mark in _MARKS:
        place = lines.find(f"\n{mark}")
        while place >= 0:
            behind = place + 1 + len(mark)
            if lines[behind : behind + 1] in _BEHIND_MARK:
                found.append((place, mark))
            place = lines.find(f"\n{mark}", place + 1)
    return sorted(found)
