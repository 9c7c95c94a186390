"""The JSON Schema of the findings document, from its types and their docstrings."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from cloudseg.engine import FindingsDocument

__all__ = ["findings_schema"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:cloudseg:findings:v1"
_ENTRY = re.compile(r"^(\w+): (.*)$")
_WORDS = {"None": "null", "True": "true", "False": "false", "``": "`"}


def findings_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``cloudseg/findings/v1``.

    It is strict about what the report writes: every member is there, and no other.
    """
    (reference,), definitions = msgspec.json.schema_components([FindingsDocument], ref_template="#/$defs/{name}")
    strict = {name: _strict(definition) for name, definition in sorted(definitions.items())}
    return {
        "$schema": _DRAFT,
        "$id": _ID,
        "title": "cloudseg findings",
        "description": "The answer of an audit: what was read, which checks could be evaluated, and what they found.",
        **reference,
        "$defs": strict,
    }


def _strict(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a definition with its docstring split over its members, all of them required and no others allowed."""
    summary, members = _described(_in_json_words(definition.get("description", "")))
    result = {**definition, "description": summary} if summary else dict(definition)
    if "properties" not in definition:
        return result
    properties: dict[str, Any] = {}
    for name, schema in definition["properties"].items():
        shown = {key: value for key, value in schema.items() if key != "default"}
        properties[name] = {**shown, "description": members[name]} if name in members else shown
    return {**result, "properties": properties, "required": list(properties), "additionalProperties": False}


def _in_json_words(text: str) -> str:
    return re.sub(r"\b(?:None|True|False)\b|``", lambda found: _WORDS[found[0]], text)


def _described(docstring: str) -> tuple[str, dict[str, str]]:
    """Split a docstring into its text and the entries of its ``Attributes`` section."""
    text, _, section = inspect.cleandoc(docstring).partition("Attributes:\n")
    members: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(section).splitlines():
        if found := _ENTRY.match(line):
            name = found[1]
            members[name] = found[2]
        elif name:
            members[name] = f"{members[name]} {line.strip()}"
    return " ".join(text.split()), members
